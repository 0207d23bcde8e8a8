"""Processes whose clock is another: everything in them but the clock is what everybody runs."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta

_PROGRAM = """
import sys
from datetime import UTC, datetime, timedelta

from openg2g.catalog import clock

clock.now = lambda: datetime.now(UTC) + timedelta(seconds=float(sys.argv[1]))

from openg2g.cli.main import main

main(sys.argv[2:])
"""


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    exit_code: int
    out: str
    err: str


def run_at(ahead: timedelta, database_url: str, *arguments: str, stdin: str = "") -> Said:
    """Run a command on a machine whose clock is ahead, or behind where that is negative."""
    command = [sys.executable, "-c", _PROGRAM, str(ahead.total_seconds()), "--database", database_url, *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, encoding="utf-8", timeout=120)
    return Said(done.returncode, done.stdout, done.stderr)
