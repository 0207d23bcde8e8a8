"""What goes wrong with files and servers is told in one clear error of ours, and leaves what was stored alone."""

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import pytest
from sqlalchemy import event

from openg2g.catalog import (
    Catalog,
    CatalogError,
    CatalogLockedError,
    CatalogNotFoundError,
    CatalogReadOnlyError,
    CatalogUnavailableError,
    DamagedCatalogError,
    LocationError,
    NotACatalogError,
    RevisionDraft,
    SchemaTooNewError,
)
from openg2g.catalog.schema.metadata import CATALOG_TABLES, VERSION_TABLE
from openg2g.cli.main import run
from tests.builders import make_draft, make_workload
from tests.catalog.engine.processes import received, running, save_to_a_full_disk, use_without_privileges
from tests.catalog.plain_sql import PlainSql
from tests.catalog.schema.rows import row_of
from tests.places import path_of
from tests.postgres import PostgresServer

only_on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
only_on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def with_option(url: str, option: str) -> str:
    return f"{url}&options={quote(f'-c {option}')}"


def test_a_missing_file_is_no_catalog_and_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "missing.db"
    with pytest.raises(CatalogNotFoundError, match=r"does not exist\.\nMake one with Catalog\.create") as caught:
        Catalog.open(path)
    assert caught.value.location == str(path)
    assert isinstance(caught.value, LookupError)
    assert list(tmp_path.iterdir()) == []


@only_on_sqlite
def test_a_file_that_was_deleted_under_an_open_catalog_is_not_made_again(catalog: Catalog, database_url: str) -> None:
    path_of(database_url).unlink()
    with pytest.raises(CatalogUnavailableError, match=r"was replaced or taken away while it was open\. Nothing was"):
        catalog.save("fleet", make_workload())
    assert not path_of(database_url).exists()


@only_on_sqlite
def test_a_file_that_was_replaced_under_an_open_catalog_is_not_written_to(catalog: Catalog, database_url: str) -> None:
    catalog.save("fleet", make_workload())
    path = path_of(database_url)
    newer = path.with_name("newer.db")
    shutil.copyfile(path, newer)
    with PlainSql(f"sqlite:///{newer}") as sql:
        sql.run("UPDATE openg2g_schema_version SET version_num = '9999'")
    content = newer.read_bytes()
    newer.replace(path)
    with pytest.raises(CatalogUnavailableError, match=r"was replaced or taken away while it was open\. Nothing was"):
        catalog.save("fleet", make_workload(3))
    assert catalog.load("fleet") == make_workload()  # Still of the file that was opened.
    with pytest.raises(SchemaTooNewError):
        Catalog.open(path)
    assert path.read_bytes() == content


def test_a_missing_directory_is_named_and_not_made(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "catalog.db"
    with pytest.raises(CatalogNotFoundError, match=rf"no catalog at {path}: the file does not exist"):
        Catalog.open(path)
    with pytest.raises(CatalogUnavailableError, match=rf"the directory {path.parent} does not exist\. Create it first"):
        Catalog.create(path)
    assert list(tmp_path.iterdir()) == []


def test_a_directory_is_no_catalog(tmp_path: Path) -> None:
    for open_or_create in (Catalog.open, Catalog.create):
        with pytest.raises(LocationError, match=r"is a directory\. Name a file in it"):
            open_or_create(tmp_path)


def make_pipe(path: Path) -> None:
    os.mkfifo(path)


def link_to_a_device(path: Path) -> None:
    path.symlink_to("/dev/null")


@pytest.mark.parametrize("make", [make_pipe, link_to_a_device])
def test_a_pipe_or_device_is_no_catalog_and_is_not_waited_for(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "fleet.db")
    for open_or_create in (Catalog.open, Catalog.create):
        with pytest.raises(NotACatalogError, match=r"fleet\.db is not a catalog: it is no regular file"):
            open_or_create(tmp_path / "fleet.db")


@only_on_sqlite
@pytest.mark.parametrize("make", [make_pipe, link_to_a_device])
@pytest.mark.parametrize("ending", ["-journal", "-wal", "-shm"])
def test_a_pipe_or_device_in_place_of_a_journal_is_named_and_not_waited_for(
    database_url: str, tmp_path: Path, make: Callable[[Path], None], ending: str
) -> None:
    path = path_of(database_url)
    make(Path(f"{path}{ending}"))
    (tmp_path / "link").symlink_to(path)
    for place in (path, tmp_path / "link"):
        with pytest.raises(
            CatalogUnavailableError, match=rf"{path}{ending} is in the place .* no regular file.*Remove it"
        ):
            Catalog.open(place)
    Path(f"{path}{ending}").unlink()
    Catalog.open(path).close()


def test_an_empty_file_is_no_catalog_yet(tmp_path: Path) -> None:
    path = tmp_path / "empty.db"
    path.touch()
    with pytest.raises(CatalogNotFoundError, match="the database has no tables of a catalog"):
        Catalog.open(path)
    assert path.stat().st_size == 0
    with Catalog.create(path) as catalog:
        assert catalog.save("fleet", make_workload()).is_new


@pytest.mark.parametrize("content", [b"model_label,num_replicas\n" * 100, b"\0" * 8192, b"SQLite format 2\0" * 64])
def test_a_file_that_is_no_database_is_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "fleet.csv"
    path.write_bytes(content)
    for open_or_create in (Catalog.open, Catalog.create):
        with pytest.raises(NotACatalogError, match="is not a catalog: it is not an SQLite file"):
            open_or_create(path)
    assert path.read_bytes() == content


def test_an_sqlite_file_with_other_tables_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "telephones.db"
    with PlainSql(f"sqlite:///{path}") as sql:
        sql.run("CREATE TABLE telephones (number TEXT)")
    content = path.read_bytes()
    for open_or_create in (Catalog.open, Catalog.create):
        with pytest.raises(NotACatalogError, match=r"an SQLite file with other tables\. Choose another path"):
            open_or_create(path)
    assert path.read_bytes() == content


@only_on_sqlite
@pytest.mark.parametrize("damage", ["cut in half", "second half overwritten", "all but the header overwritten"])
def test_a_damaged_file_is_reported_as_damaged(catalog: Catalog, database_url: str, damage: str) -> None:
    catalog.save_many(make_draft(f"name-{i}", workload=make_workload(1, initial_batch_size=i)) for i in range(1, 1_000))
    catalog.close()
    path = path_of(database_url)
    content = path.read_bytes()
    half = len(content) // 2
    damaged = {
        "cut in half": content[:half],
        "second half overwritten": content[:half] + b"\xff" * half,
        "all but the header overwritten": content[:100] + b"\xff" * (len(content) - 100),
    }
    path.write_bytes(damaged[damage])
    with pytest.raises(DamagedCatalogError, match=r"is damaged .*Restore it from a backup"):  # noqa: SIM117
        with Catalog.open(path) as opened:
            for revision in opened.iter_in_force():
                opened.load(revision.reference)
    assert path.read_bytes() == damaged[damage]


@only_on_sqlite
def test_a_full_disk_is_named_and_leaves_what_was_stored(catalog: Catalog, database_url: str) -> None:
    catalog.save("fleet", make_workload())
    with PlainSql(database_url) as sql:
        before = sql.dump(CATALOG_TABLES)

    with Catalog.open(database_url) as full:
        with full.database.reading() as connection:  # It may not let the file grow: to SQLite, a full disk.
            connection.exec_driver_sql("PRAGMA max_page_count = 60")
        with pytest.raises(CatalogUnavailableError, match=r"the disk is full\. Nothing was stored"):
            full.save_many(make_draft(f"name-{index}", workload=make_workload(index)) for index in range(1, 200))
    with PlainSql(database_url) as sql:
        assert sql.dump(CATALOG_TABLES) == before
    assert catalog.save("fleet", make_workload(3)).number == 2


@contextmanager
def another_schema(database_url: str, table: str, change: Callable[[str], str]) -> Iterator[PlainSql]:
    """Let a table be declared otherwise during a block: what is stored then may be what only damage can leave."""

    def declare(schema: str) -> None:
        with PlainSql(database_url) as sql:
            sql.run("PRAGMA writable_schema = ON")
            sql.run("UPDATE sqlite_master SET sql = ? WHERE name = ?", [schema, table])

    with PlainSql(database_url) as sql:
        [(schema,)] = sql.run("SELECT sql FROM sqlite_master WHERE name = ?", [table])
    declare(change(schema))
    with PlainSql(database_url) as sql:
        yield sql
    declare(schema)


@only_on_sqlite
def test_a_value_of_another_type_is_reported_as_damage_whatever_it_leads_to(
    catalog: Catalog, database_url: str
) -> None:
    catalog.save("fleet", make_workload())
    loose = lambda schema: schema.replace("alias TEXT", "alias").replace(",\n STRICT", "")  # noqa: E731
    with another_schema(database_url, "alias_moves", loose) as sql:
        sql.run("PRAGMA ignore_check_constraints = ON")
        sql.insert("alias_moves", **row_of("alias_moves", alias=5))
    with Catalog.open(database_url) as damaged:
        with pytest.raises(
            DamagedCatalogError, match=r"is damaged \(non-TEXT value in alias_moves\.alias\)\. Restore it from a backup"
        ):
            damaged.get("fleet@production")
        with pytest.raises(DamagedCatalogError, match=r"non-TEXT value in alias_moves\.alias"):
            damaged.remove_alias("fleet", "staging")
        assert damaged.load("fleet") == make_workload()


@only_on_sqlite
def test_a_value_that_is_missing_is_reported_as_damage_wherever_it_is_used(
    catalog: Catalog, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    catalog.save("fleet", make_workload())
    loose = lambda schema: schema.replace("recorded_at TEXT NOT NULL", "recorded_at TEXT")  # noqa: E731
    with another_schema(database_url, "revisions", loose) as sql:
        sql.run("PRAGMA ignore_check_constraints = ON")
        sql.insert("revisions", **row_of("revisions", number=2, recorded_at=None))
    assert run(["export", "--all", "--history", "--database", database_url]) == 6
    assert "is damaged (NULL value in revisions.recorded_at). Restore it from a backup." in capsys.readouterr().err


def test_a_mistake_in_a_sound_catalog_is_not_called_damage(catalog: Catalog) -> None:
    with pytest.raises(ZeroDivisionError), catalog.database.reading():
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), catalog.database.snapshot():
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), catalog.database.writing():
        raise ZeroDivisionError


@only_on_sqlite
def test_a_file_that_may_not_grow_leaves_what_was_stored(catalog: Catalog, database_url: str) -> None:
    catalog.save("fleet", make_workload())
    with running(save_to_a_full_disk, str(path_of(database_url))) as (_, receiver):
        saving, reading = received(receiver)
    assert saving[0] == "CatalogUnavailableError"
    assert "cannot be read or written" in saving[1] or "the disk is full" in saving[1]
    assert reading == ("", "['fleet']")
    assert catalog.history("fleet")[0].workload == make_workload()


@pytest.fixture
def public_directory(migrated_sqlite_file: Path) -> Iterator[Path]:
    """Make a directory that every user may go through, with a catalog in it: pytest's own are private."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        shutil.copyfile(migrated_sqlite_file, directory / "catalog.db")
        with Catalog.open(directory / "catalog.db") as catalog:
            catalog.save("fleet", make_workload(1))
        directory.chmod(0o777)
        yield directory
        directory.chmod(0o777)


def owner_of(path: Path) -> str:
    """What is said of the owner of a file: root becomes nobody for these tests, everybody else stays who they are."""
    return f" (it belongs to {path.owner()})" if os.geteuid() == 0 else ""


def use_as_nobody(directory: Path, practice: Path, name: str, action: str) -> tuple[str, str]:
    with running(use_without_privileges, str(practice), str(directory / name), action) as (_, receiver):
        kind, text = received(receiver)
    return kind, text


@pytest.mark.parametrize(("file_mode", "directory_mode"), [(0o444, 0o555), (0o444, 0o777), (0o666, 0o555)])
def test_a_catalog_that_may_only_be_read_can_be_read_and_says_so_when_written(
    public_directory: Path, tmp_path: Path, file_mode: int, directory_mode: int
) -> None:
    path = public_directory / "catalog.db"
    path.chmod(file_mode)
    public_directory.chmod(directory_mode)
    content = path.read_bytes()
    assert use_as_nobody(public_directory, tmp_path / "practice.db", "catalog.db", "list") == ("", "['fleet']")
    kind, text = use_as_nobody(public_directory, tmp_path / "practice.db", "catalog.db", "save")
    assert (kind, text) == (
        "CatalogReadOnlyError",
        f"{path} may only be read: check the permissions of the file and directory{owner_of(path)}.",
    )
    assert path.read_bytes() == content
    assert [entry.name for entry in public_directory.iterdir()] == ["catalog.db"]


@pytest.mark.parametrize(("file_mode", "directory_mode"), [(0o444, 0o777), (0o666, 0o555)])
def test_init_says_whose_a_file_is_that_may_only_be_read(
    public_directory: Path, tmp_path: Path, file_mode: int, directory_mode: int
) -> None:
    path = public_directory / "catalog.db"
    path.chmod(file_mode)
    public_directory.chmod(directory_mode)
    place = path if file_mode == 0o444 else public_directory
    why = f"{place} belongs to {place.owner()}" if os.geteuid() == 0 else f"check the permissions of {place}"
    kind, text = use_as_nobody(public_directory, tmp_path / "practice.db", "catalog.db", "init")
    assert (kind, text) == ("", f"0 Found the catalog {path}.\nYou may only read it: {why}.\n")


def test_a_catalog_that_may_not_even_be_read_says_so(public_directory: Path, tmp_path: Path) -> None:
    path = public_directory / "catalog.db"
    path.chmod(0)
    kind, text = use_as_nobody(public_directory, tmp_path / "practice.db", "catalog.db", "list")
    assert (kind, text) == ("CatalogReadOnlyError", f"{path} cannot be opened: check its permissions{owner_of(path)}.")


def test_no_catalog_can_be_made_in_a_directory_that_may_only_be_read(public_directory: Path, tmp_path: Path) -> None:
    public_directory.chmod(0o555)
    kind, text = use_as_nobody(public_directory, tmp_path / "practice.db", "new.db", "create")
    assert (kind, text) == (
        "CatalogReadOnlyError",
        f"{public_directory / 'new.db'} cannot be made: the directory {public_directory} may only be read"
        f"{owner_of(public_directory)}.",
    )


@only_on_postgresql
def test_a_server_that_may_only_be_read_can_be_read_and_says_so_when_written(
    catalog: Catalog, database_url: str
) -> None:
    catalog.save("fleet", make_workload())
    with Catalog.open(with_option(database_url, "default_transaction_read_only=on")) as reader:
        assert reader.load("fleet") == make_workload()
        with pytest.raises(
            CatalogReadOnlyError, match="may only be read: it is a replica, or set to read-only"
        ) as caught:
            reader.save("fleet", make_workload(3))
        assert isinstance(caught.value, PermissionError)
        assert reader.history("fleet") == catalog.history("fleet")
    assert len(catalog.history("fleet")) == 1


def test_no_catalog_can_be_made_on_a_server_that_may_only_be_read(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        with pytest.raises(CatalogReadOnlyError, match="may only be read"):
            Catalog.create(with_option(url, "default_transaction_read_only=on"))
        with pytest.raises(CatalogNotFoundError, match="the database has no tables of a catalog"):
            Catalog.open(url)


def test_an_unreachable_server_is_named() -> None:
    for open_or_create in (Catalog.open, Catalog.create):
        with pytest.raises(
            CatalogUnavailableError, match=r"127\.0\.0\.1:1/fleet cannot be reached: .*refused"
        ) as caught:
            open_or_create("postgresql://ada@127.0.0.1:1/fleet")
        assert isinstance(caught.value, OSError)
        assert "\n" not in str(caught.value)


def test_a_server_that_never_answers_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        with pytest.raises(CatalogUnavailableError, match=r"cannot be reached: .*timeout"):
            Catalog.open(f"postgresql://ada@127.0.0.1:{port}/fleet?connect_timeout=2")


@only_on_postgresql
def test_a_server_that_is_gone_is_noticed_in_minutes_unless_the_url_says_otherwise(database_url: str) -> None:
    for option, idle_s in (("", "30"), ("&keepalives_idle=7", "7")):
        with Catalog.open(database_url + option) as catalog, catalog.database.reading() as connection:
            parameters = connection.connection.driver_connection.info.get_parameters()
            assert (parameters["keepalives_idle"], parameters["tcp_user_timeout"]) == (idle_s, "90000")


def test_a_missing_database_is_named(postgres: PostgresServer) -> None:
    with pytest.raises(CatalogUnavailableError, match='database "nowhere" does not exist'):
        Catalog.open(postgres.url("nowhere"))


def test_a_database_without_tables_is_no_catalog_yet(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        with pytest.raises(CatalogNotFoundError, match="the database has no tables of a catalog"):
            Catalog.open(url)
        with PlainSql(url) as sql:
            assert sql.run("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace") == []


def test_a_table_that_went_missing_is_named_or_explained(catalog: Catalog, plain_sql: PlainSql) -> None:
    catalog.save("fleet", make_workload())
    plain_sql.run("ALTER TABLE revisions RENAME TO gone")
    with pytest.raises(CatalogError, match=r"no such table: revisions|a table of the catalog is missing\."):
        catalog.load("fleet")
    plain_sql.run("ALTER TABLE gone RENAME TO revisions")
    assert catalog.load("fleet") == make_workload()


def test_a_closed_catalog_says_so(catalog: Catalog) -> None:
    catalog.save("fleet", make_workload())
    catalog.close()
    for use in (lambda: catalog.load("fleet"), lambda: catalog.save("fleet", make_workload(3))):
        with pytest.raises(CatalogError, match=r"was closed\. Open it again\."):
            use()


def test_a_thread_that_is_writing_does_not_wait_for_itself(catalog: Catalog) -> None:
    with pytest.raises(CatalogLockedError, match="is being written to by this thread already"), catalog.writing():
        catalog.save("other", make_workload())
    assert catalog.list_names() == []


def test_two_schema_revisions_are_none(catalog: Catalog, database_url: str, plain_sql: PlainSql) -> None:
    plain_sql.insert(VERSION_TABLE, version_num="4711")
    with pytest.raises(NotACatalogError, match="has 2 rows instead of one: restore it from a backup"):
        Catalog.open(database_url)


@only_on_sqlite
@pytest.mark.parametrize("version", ["x" * 6_000_000, "a b\n" * 1000])
def test_a_schema_revision_of_a_stranger_is_cut(database_url: str, plain_sql: PlainSql, version: str) -> None:
    plain_sql.run("DELETE FROM openg2g_schema_version")
    plain_sql.insert(VERSION_TABLE, version_num=version)
    with pytest.raises(SchemaTooNewError) as caught:
        Catalog.open(database_url)
    assert len(caught.value.current) < 50
    assert len(str(caught.value)) < 500
    assert "\n" not in str(caught.value)


def test_a_path_that_no_file_system_takes_is_told(tmp_path: Path) -> None:
    with pytest.raises(CatalogUnavailableError, match="cannot be reached: File name too long"):
        Catalog.open(tmp_path / ("x" * 300))


@only_on_postgresql
def test_the_row_that_writers_lock_is_missed(catalog: Catalog, plain_sql: PlainSql) -> None:
    plain_sql.run("ALTER TABLE catalog_info DISABLE TRIGGER ALL")
    plain_sql.run("DELETE FROM catalog_info")
    with pytest.raises(DamagedCatalogError, match="the row of catalog_info that writers lock is missing"):
        catalog.save("fleet", make_workload())


def test_a_server_database_of_another_encoding_is_refused(postgres: PostgresServer) -> None:
    with postgres.database() as url, PlainSql(url) as sql:
        sql.run("CREATE DATABASE in_latin1 TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'")
    with pytest.raises(NotACatalogError, match="a catalog needs a database with the encoding UTF8"):
        Catalog.create(postgres.url("in_latin1"))


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda catalog: Catalog("fleet.db"), r"use Catalog\.open\('fleet\.db'\) to open a catalog"),
        (lambda catalog: catalog.log(limit=0), "limit must be >= 1, got 0"),
        (lambda catalog: catalog.load(3), "a reference must be a string, got 3"),
        (lambda catalog: catalog.save("fleet", make_workload(), expect="1"), "expect must be the number of a revision"),
    ],
)
def test_what_is_given_must_be_of_its_kind(catalog: Catalog, use: Callable[[Catalog], object], message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        use(catalog)


def test_an_error_of_a_caller_is_passed_on_as_it_is(catalog: Catalog) -> None:
    statements: list[str] = []
    event.listen(
        catalog.database.engine, "before_cursor_execute", lambda _, __, statement, *___: statements.append(statement)
    )

    def drafts() -> Iterator[RevisionDraft]:
        yield make_draft("fleet")
        raise ValueError("of the caller")

    with pytest.raises(ValueError, match="of the caller"):
        catalog.save_many(drafts())
    for begin in (catalog.writing, catalog.session, catalog.database.snapshot):
        with pytest.raises(ValueError, match="of the caller"), begin():
            raise ValueError("of the caller")
    assert not any("integrity_check" in statement for statement in statements)
