"""`openg2g init --wal`: a write-ahead log is chosen once, told, and kept by every copy."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from openg2g.catalog import Catalog, LocationError
from openg2g.catalog.engine.sqlite.journal import wal_warning
from tests.builders import make_workload
from tests.cli.conftest import Cli
from tests.next_release import become, write_migrations
from tests.postgres import PostgresServer


@pytest.fixture
def here(run_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command line in a directory of its own, on `fleet.db`, which does not exist yet."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENG2G_DATABASE", "fleet.db")
    return run_cli


def mode_of(here: Cli, path: str) -> object:
    return here("db", "status", "--format", "json", "--database", path).json["journal_mode"]


def test_a_write_ahead_log_is_made_told_and_kept(here: Cli) -> None:
    outcome = here("init", "--wal")
    assert (outcome.exit_code, outcome.err) == (0, "" if wal_warning() is None else f"{wal_warning()}\n")
    assert "journal mode   wal\n" in here("db", "status").out
    with Catalog.open("fleet.db") as catalog:
        catalog.save("fleet", make_workload())
        assert here("db", "backup", "copy.db").exit_code == 0
    assert {path.name for path in Path().iterdir()} == {"fleet.db", "copy.db"}
    assert [mode_of(here, path) for path in ("fleet.db", "copy.db")] == ["wal", "wal"]
    assert here("list", "--format", "names", "--database", "copy.db").out == "fleet\n"
    assert here("init", "--wal").out.startswith("Found the catalog")
    assert here("verify").exit_code == 0


def test_a_reader_keeps_no_writer_waiting_with_a_write_ahead_log(here: Cli) -> None:
    here("init", "--wal")
    with closing(sqlite3.connect("fleet.db")) as reader, Catalog.open("fleet.db") as catalog:
        rows = reader.execute("SELECT * FROM sqlite_master")
        assert rows.fetchone()
        assert catalog.save("fleet", make_workload()).number == 1
        assert rows.fetchall()


def test_an_upgrade_and_its_copy_keep_the_write_ahead_log(
    here: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    here("init", "--wal")
    become(write_migrations(tmp_path), monkeypatch.setattr)
    assert here("db", "upgrade").exit_code == 0
    (copy,) = Path().glob("fleet.db.*.backup")
    for path in ("fleet.db", str(copy)):
        with closing(sqlite3.connect(path)) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_a_catalog_that_was_made_without_stays_without(here: Cli) -> None:
    assert here("init").exit_code == 0
    assert mode_of(here, "fleet.db") == "delete"
    outcome = here("init", "--wal")
    assert (outcome.exit_code, outcome.err.count("\n")) == (2, 1)
    assert "was made without a write-ahead log: wal is for new catalogs." in outcome.err
    with pytest.raises(LocationError, match="was made without"):
        Catalog.create("fleet.db", wal=True)
    assert mode_of(here, "fleet.db") == "delete"


def test_a_server_keeps_a_log_of_its_own(run_cli: Cli, postgres: PostgresServer) -> None:
    with postgres.database() as url:
        outcome = run_cli("init", "--wal", "--database", url)
        assert (outcome.exit_code, outcome.err.count("\n")) == (2, 1)
        assert "is on a server, which keeps a write-ahead log by itself: wal is for files." in outcome.err
        assert run_cli("list", "--database", url).exit_code == 3
