"""Commands whose output nobody takes, or whose target is locked: everybody else saves meanwhile."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from openg2g.catalog import Catalog
from openg2g.catalog.upkeep.verify import verify_database
from tests.builders import make_draft, make_workload
from tests.torture.launcher import CHECKOUT

SLOW_COMMANDS: dict[str, tuple[str, ...]] = {
    "archive": ("export", "--all", "--history"),
    "export": ("export", "--all", "--format", "jsonl"),
    "export csv": ("export", "--all", "--format", "csv"),
    "export where": ("export", "--where", "total_gpus > 0", "--format", "jsonl"),
    "log": ("log", "--format", "jsonl"),
    "list": ("list", "--format", "csv"),
    "search": ("search", "total_gpus > 0", "--limit", "100000", "--format", "csv"),
}
"""What prints more than a pipe takes: name → command."""

NAMES = 700
_PIPE_BYTES = 4_096
_SET_PIPE_SIZE = 1031


@dataclass(frozen=True)
class SlowReport:
    """What came of it.

    Attributes:
        saves: Saves while the command could not go on.
        printed_bytes: What it printed in the end.
    """

    saves: int
    printed_bytes: int

    def __str__(self) -> str:
        """One line."""
        return f"{self.saves} saves while nobody took the output, {self.printed_bytes} bytes of it in the end"


def fill(catalog: Catalog) -> None:
    """Store more than a pipe takes."""
    catalog.save_many(make_draft(f"sweep/{number:04}", workload=make_workload(3)) for number in range(NAMES))


def read_slowly(url: str, command: Sequence[str], saves: int) -> SlowReport:
    """Run a command, take the beginning of its output only, and save meanwhile; then take the rest.

    Raises:
        AssertionError: A transaction is open while nobody takes the output, or what comes out is not whole.
    """
    with Catalog.open(url) as catalog, _started(url, command) as process:
        assert process.stdout is not None
        first = process.stdout.read(1)
        _require_no_transaction(url)
        before = catalog.count()["revisions"]
        for number in range(saves):
            catalog.save("fleet", make_workload(2, initial_batch_size=1 + number + before))
        assert process.poll() is None, "the command did not wait for its reader"
        _require_no_transaction(url)
        printed = first + process.stdout.read()
        assert process.wait(60) == 0, _said(process)
        assert _said(process) == ""
        assert catalog.count()["revisions"] == before + saves
        assert verify_database(catalog.database) == []
        _require_whole(catalog, command, printed)
    return SlowReport(saves, len(printed))


@contextmanager
def _started(url: str, command: Sequence[str]) -> "Iterator[subprocess.Popen[bytes]]":
    import fcntl

    reading, writing = os.pipe()
    fcntl.fcntl(writing, _SET_PIPE_SIZE, _PIPE_BYTES)
    program = [sys.executable, "-c", "from openg2g.cli.main import main; main()", *command, "--database", url]
    process = subprocess.Popen(program, cwd=CHECKOUT, stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    process.stdout = os.fdopen(reading, "rb")
    try:
        yield process
    finally:
        process.kill()
        process.wait(60)
        process.stdout.close()
        assert process.stderr is not None
        process.stderr.close()


def _said(process: "subprocess.Popen[bytes]") -> str:
    assert process.stderr is not None
    return process.stderr.read().decode()


def _require_no_transaction(url: str) -> None:
    """On PostgreSQL, no other connection may be in a transaction: it would hold back what vacuum can remove."""
    if url.startswith("sqlite"):
        return
    with psycopg.connect(url) as connection:
        query = (
            "SELECT state, query FROM pg_stat_activity WHERE datname = current_database() "
            "AND pid <> pg_backend_pid() AND xact_start IS NOT NULL"
        )
        open_transactions = connection.execute(query).fetchall()
        assert open_transactions == [], open_transactions


def _require_whole(catalog: Catalog, command: Sequence[str], printed: bytes) -> None:
    """Every name is in the output that was there when the command began."""
    text = printed.decode()
    missing = [name for name in catalog.list_names("sweep/*") if name not in text]
    assert missing == [], f"{len(missing)} names are missing in the output of {command}"
    assert text.endswith("\n")


def copy_to_a_locked_target(url: str, directory: Path, saves: int) -> SlowReport:
    """Copy to a catalog in which somebody is writing, and save to the source meanwhile."""
    target = directory / "target.db"
    with Catalog.create(target) as locked, Catalog.open(url) as catalog:
        program = [sys.executable, "-c", "from openg2g.cli.main import main; main()", "copy", url, str(target)]
        with locked.writing():
            process = subprocess.Popen(program, cwd=CHECKOUT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            assert process.stderr is not None
            assert process.stderr.readline().startswith("Waiting for another process")
            _require_no_transaction(url)
            before = catalog.count()["revisions"]
            for number in range(saves):
                catalog.save("fleet", make_workload(2, initial_batch_size=1 + number + before))
        out, err = process.communicate(timeout=60)
        assert (process.returncode, err) == (0, ""), (out, err)
        assert {*locked.list_names("sweep/*")} == {*catalog.list_names("sweep/*")}
        assert verify_database(locked.database) == []
    return SlowReport(saves, len(out))
