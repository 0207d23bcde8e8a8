"""Commands whose clock is another: everything but the clock is what everybody runs."""

import logging
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import BytesIO, TextIOWrapper

import pytest

from openg2g.catalog.engine import clock
from openg2g.cli.main import run


@dataclass(frozen=True)
class Said:
    """What a command left behind."""

    exit_code: int
    out: str
    err: str


def run_at(ahead: timedelta, database_url: str, *arguments: str, stdin: str = "") -> Said:
    """Run a command on a machine whose clock is ahead, or behind where that is negative."""
    written = BytesIO(), BytesIO()
    out, err = (TextIOWrapper(file, encoding="utf-8", write_through=True) for file in written)
    with (
        pytest.MonkeyPatch.context() as patch,
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        patch.setattr(clock, "now", lambda: datetime.now(UTC) + ahead)
        patch.setattr(logging.getLogger(), "handlers", [])  # What is logged is told as it is where nobody collects it.
        patch.setattr(sys, "stdin", TextIOWrapper(BytesIO(stdin.encode()), encoding="utf-8"))
        exit_code = run(["--database", database_url, *arguments])
    return Said(exit_code, *(file.getvalue().decode() for file in written))
