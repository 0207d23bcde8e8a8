"""`openg2g db backup`, and the copy that an upgrade of an SQLite file makes first."""

import os
import resource
import shutil
import sqlite3
import stat
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openg2g.catalog import Catalog, CatalogUnavailableError
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD
from openg2g.catalog.schema.checksum import row_checksum
from openg2g.formats.temporary import temporary_errors
from tests.builders import make_workload
from tests.cli.conftest import Cli
from tests.next_release import NEXT_REVISION, become, write_migrations
from tests.postgres import PostgresServer

UPGRADED = f"schema {SCHEMA_HEAD} → {NEXT_REVISION}\n"
BACKUP = f"fleet.db.{SCHEMA_HEAD}.backup"


@pytest.fixture
def fleet(run_cli: Cli, migrated_sqlite_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command line on a SQLite catalog `fleet.db` that holds two revisions."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENG2G_DATABASE", "fleet.db")
    shutil.copyfile(migrated_sqlite_file, "fleet.db")
    with Catalog.open("fleet.db") as catalog:
        catalog.save("fleet", make_workload(1))
        catalog.save("fleet", make_workload(2))
    return run_cli


@pytest.fixture
def outdated_fleet(fleet: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Let this release have one migration more than the catalog has seen."""
    become(write_migrations(tmp_path), monkeypatch.setattr)
    return fleet


def files() -> set[str]:
    return {path.name for path in Path().iterdir() if path.is_file()}


def test_a_backup_is_a_catalog_with_everything(fleet: Cli, tmp_path: Path) -> None:
    outcome = fleet("db", "backup", "copy.db")
    assert (outcome.exit_code, outcome.out) == (0, f"{tmp_path / 'fleet.db'}: backed up to copy.db\n")
    assert files() == {"fleet.db", "copy.db"}
    assert fleet("verify", "--database", "copy.db").out.endswith("sound, names: 1, revisions: 2\n")
    histories = [fleet("export", "--all", "--history", "--database", name).out for name in ("fleet.db", "copy.db")]
    assert histories[0] == histories[1] != ""


def test_a_backup_has_the_permissions_of_the_catalog(fleet: Cli) -> None:
    os.chmod("fleet.db", 0o640)
    fleet("db", "backup", "copy.db")
    assert stat.S_IMODE(os.stat("copy.db").st_mode) == 0o640


def test_a_backup_holds_the_commits_that_stand_in_the_write_ahead_log(fleet: Cli) -> None:
    connection = sqlite3.connect("fleet.db")
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA wal_autocheckpoint = 0")
    connection.execute("INSERT INTO tags VALUES (1, 'team', 'grid', ?)", [row_checksum((1, "team", "grid"))])
    connection.commit()
    assert os.stat("fleet.db-wal").st_size
    assert fleet("db", "backup", "copy.db").exit_code == 0
    connection.close()
    assert not {name for name in files() if name.startswith("copy.db-") or name.endswith(".part")}
    assert "grid" in fleet("show", "fleet", "--format", "json", "--database", "copy.db").out


def test_a_backup_that_is_made_while_others_write_is_one_moment(fleet: Cli) -> None:
    stop = threading.Event()

    def write() -> None:
        with Catalog.open("fleet.db") as catalog:
            number = 0
            while not stop.is_set():
                number += 1
                catalog.save(f"sweep/{number}", make_workload(1 + number % 5))

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(5):
            assert fleet("db", "backup", f"copy-{number}.db").exit_code == 0
    finally:
        stop.set()
        writer.join()
    for number in range(5):
        assert "sound, names: " in fleet("verify", "--database", f"copy-{number}.db").out


def test_no_file_is_overwritten_and_nothing_is_left_of_a_failure(fleet: Cli) -> None:
    Path("taken").write_text("precious")
    outcome = fleet("db", "backup", "taken")
    assert (outcome.exit_code, outcome.err) == (7, "Error: taken exists already. Name a new file.\n")
    assert Path("taken").read_text() == "precious"
    assert fleet("db", "backup", "missing/copy.db").exit_code == 7
    assert fleet("db", "backup", "fleet.db").exit_code == 7
    assert files() == {"fleet.db", "taken"}


@contextmanager
def small_files() -> Iterator[None]:
    """Let no file grow beyond 100 kB, which a catalog is larger than."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        ("db backup copy.db", "copy.db cannot be written: File too large."),
        (
            "verify",
            f"the temporary directory {tempfile.gettempdir()} cannot be used: File too large. "
            "Set TMPDIR to a directory with more room.",
        ),
    ],
)
def test_where_a_copy_cannot_be_written_that_is_said_and_not_the_catalog_blamed(
    fleet: Cli, command: str, said: str
) -> None:
    with small_files():
        outcome = fleet(*command.split())
    assert (outcome.exit_code, outcome.err) == (7, f"Error: {said}\n")
    assert files() == {"fleet.db"}


def test_what_is_wrong_with_the_catalog_is_not_called_a_fault_of_the_temporary_directory() -> None:
    with pytest.raises(CatalogUnavailableError, match=r"^fleet\.db cannot be read\.$"), temporary_errors():
        raise CatalogUnavailableError("fleet.db cannot be read.")


def test_a_damaged_catalog_is_not_passed_off_as_a_backup(fleet: Cli) -> None:
    with sqlite3.connect("fleet.db") as connection:
        connection.execute("DROP TRIGGER model_specs_refuse_update")
        connection.execute("UPDATE model_specs SET num_replicas = 1, total_gpus = gpus_per_replica")
    outcome = fleet("db", "backup", "copy.db")
    assert outcome.exit_code == 6
    assert "model spec 1 does not fit its digest" in outcome.err
    assert "Error: the catalog is not sound, and was not copied:\nError: " in outcome.err
    assert files() == {"fleet.db"}


def test_what_is_no_catalog_is_not_backed_up(fleet: Cli) -> None:
    Path("empty.db").touch()
    assert fleet("db", "backup", "copy.db", "--database", "empty.db").exit_code == 3
    Path("text.db").write_text("no database, but long enough to be taken for the header of one by somebody. " * 9)
    assert fleet("db", "backup", "copy.db", "--database", "text.db").exit_code == 6
    assert "copy.db" not in files()


def test_a_server_is_backed_up_by_its_own_tools(
    run_cli: Cli, postgres: PostgresServer, migrated_postgres_template: str, tmp_path: Path
) -> None:
    with postgres.database(template=migrated_postgres_template) as url:
        outcome = run_cli("db", "backup", tmp_path / "copy.db", "--database", url)
    assert outcome.exit_code == 2
    assert "is on a server: back it up with pg_dump" in outcome.err


def test_an_upgrade_copies_the_file_first(outdated_fleet: Cli) -> None:
    before = Path("fleet.db").read_bytes()
    outcome = outdated_fleet("db", "upgrade")
    assert (outcome.exit_code, outcome.out) == (0, UPGRADED)
    assert outcome.err.endswith(f"{BACKUP}.\n")
    assert Path("fleet.db").read_bytes() != before
    with sqlite3.connect(BACKUP) as connection:
        assert connection.execute("SELECT count(*) FROM revisions").fetchone() == (2,)
        assert connection.execute("SELECT version_num FROM openg2g_schema_version").fetchone() == (SCHEMA_HEAD,)


def test_a_copy_of_an_earlier_upgrade_is_kept(outdated_fleet: Cli) -> None:
    Path(BACKUP).write_text("precious")
    for number in (2, 3):
        outcome = outdated_fleet("db", "upgrade")
        assert (outcome.exit_code, outcome.out) == (0, UPGRADED)
        assert outcome.err.endswith(f"fleet.db.{SCHEMA_HEAD}.{number}.backup.\n")
        assert outdated_fleet("db", "downgrade", SCHEMA_HEAD).exit_code == 0
    assert outdated_fleet("db", "upgrade", "--no-backup").out == UPGRADED
    assert files() == {"fleet.db", BACKUP, *(f"fleet.db.{SCHEMA_HEAD}.{number}.backup" for number in (2, 3))}
    assert Path(BACKUP).read_text() == "precious"


def test_an_upgrade_that_cannot_copy_the_file_changes_nothing(outdated_fleet: Cli) -> None:
    path = Path("fleet.db").rename("f" * 243 + ".db")  # As long as names may be, less than what a copy's has more.
    before = path.read_bytes()
    outcome = outdated_fleet("db", "upgrade", "--database", path)
    assert (outcome.exit_code, outcome.out) == (7, "")
    assert f".{SCHEMA_HEAD}.backup cannot be written: File name too long." in outcome.err
    assert path.read_bytes() == before
    assert files() == {path.name}


def test_an_upgrade_of_a_damaged_file_changes_nothing(outdated_fleet: Cli) -> None:
    with sqlite3.connect("fleet.db") as connection:
        connection.execute("PRAGMA ignore_check_constraints = ON")
        connection.execute("UPDATE names SET name = 'a name' WHERE id = 1")
    before = Path("fleet.db").read_bytes()
    outcome = outdated_fleet("db", "upgrade")
    assert (outcome.exit_code, Path("fleet.db").read_bytes()) == (6, before)
    assert "not sound, and was not copied:\nError: SQLite: CHECK constraint failed in names" in outcome.err
    assert files() == {"fleet.db"}


def test_an_upgrade_that_changes_nothing_copies_nothing(fleet: Cli) -> None:
    assert fleet("db", "upgrade").exit_code == 0
    assert fleet("db", "upgrade", "9999").exit_code == 6
    assert files() == {"fleet.db"}
