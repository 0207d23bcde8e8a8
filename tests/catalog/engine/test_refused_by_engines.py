"""What an engine refuses is told with what, where, why, and what to do about it."""

import os
import re
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest

from openg2g.catalog import (
    Catalog,
    CatalogError,
    CatalogLockedError,
    CatalogReadOnlyError,
    CatalogUnavailableError,
    DamagedCatalogError,
    LocationError,
    NotACatalogError,
)
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.sqlite.faults import sqlite_error
from openg2g.cli.main import run
from tests.builders import make_workload
from tests.catalog.engine.processes import read_with_small_files, received, running
from tests.catalog.plain_sql import PlainSql
from tests.places import path_of
from tests.postgres import PostgresServer

only_on_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
only_on_postgresql = pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)


def ask(catalog: Catalog, statement: str) -> None:
    with catalog.database.reading() as connection:
        connection.exec_driver_sql(statement)


def with_setting(url: str, setting: str) -> str:
    return f"{url}&options={quote(f'-c {setting}')}"


STATES: dict[str, tuple[type[CatalogError], str]] = {
    "08006": (CatalogUnavailableError, r"the connection was lost or refused: why\. Try again\."),
    "08P01": (CatalogUnavailableError, r"the connection was lost or refused: why\."),
    "0A000": (CatalogError, r"does not support what was asked \(why\)\. PostgreSQL 14"),
    "21000": (CatalogError, "why"),
    "22021": (NotACatalogError, r"cannot hold a character \(why\)\. Its encoding must be UTF8"),
    "22P05": (NotACatalogError, r"cannot hold a character \(why\)\. Its encoding must be UTF8"),
    "22003": (CatalogError, "the server refuses a value: why"),
    "23505": (CatalogError, r"a rule of the tables refuses a row: why\. Nothing was stored\."),
    "25006": (CatalogReadOnlyError, "/.* may only be read: it is a replica, or set to read-only.*target_session_attrs"),
    "25P03": (CatalogUnavailableError, "idle for too long"),
    "25P04": (CatalogUnavailableError, "took too long"),
    "26000": (CatalogUnavailableError, r"why: a pooler mixes .* Add \?prepared_statements=off"),
    "28000": (CatalogUnavailableError, r"refused the user name or password \(why\)"),
    "3D000": (CatalogUnavailableError, "the database does not exist. Create it with `createdb`"),
    "3F000": (CatalogUnavailableError, r"the schema does not exist \(why\)"),
    "40001": (CatalogLockedError, "is locked by another writer"),
    "42501": (CatalogReadOnlyError, "the role postgres lacks a permission: why"),
    "42P01": (CatalogError, "a table of the catalog is missing."),
    "42703": (CatalogError, r"not as expected \(why\)\."),
    "42P05": (CatalogUnavailableError, r"why: a pooler mixes .* Add \?prepared_statements=off"),
    "53000": (CatalogUnavailableError, "has not enough resources: why. Nothing was stored"),
    "53100": (CatalogUnavailableError, r"the disk of the server is full \(why\)"),
    "53200": (CatalogUnavailableError, r"not enough memory \(why\)"),
    "53300": (CatalogUnavailableError, r"too many connections \(why\)\. Close others, raise max_connections, or"),
    "53400": (CatalogUnavailableError, "the server limits what one may take: why. Raise that setting"),
    "54001": (CatalogError, "more than the server can do: why"),
    "55006": (CatalogLockedError, "somebody else is using what was to be changed: why"),
    "55P03": (CatalogLockedError, "is locked by another writer. Try again when it has finished"),
    "57014": (CatalogUnavailableError, r"the server cancelled a statement \(why\)"),
    "57P01": (CatalogUnavailableError, "is shutting down, or its administrator ended the connection. Try again"),
    "57P04": (CatalogUnavailableError, "the database was dropped"),
    "57P05": (CatalogUnavailableError, "idle_session_timeout"),
    "58030": (CatalogUnavailableError, "cannot read or write its files: why"),
    "XX000": (CatalogUnavailableError, "the server failed: why. Look into its log"),
    "XX001": (DamagedCatalogError, r"is damaged \(why\)\. Restore it from a backup"),
    "XX002": (DamagedCatalogError, r"an index is damaged \(why\).* REINDEX"),
}


def test_each_state_of_the_server_says_what_to_do(postgres: PostgresServer, migrated_postgres_template: str) -> None:
    with postgres.database(template=migrated_postgres_template) as url, Catalog.open(url) as catalog:
        for state, (kind, message) in STATES.items():
            with pytest.raises(kind, match=message) as caught:
                ask(catalog, f"DO $$ BEGIN RAISE EXCEPTION 'why' USING ERRCODE = '{state}'; END $$")
            assert type(caught.value) is kind, state
            assert str(caught.value).startswith(f"{catalog.location}"), state
            assert str(caught.value).endswith("."), state
            assert "\n" not in str(caught.value), state


@only_on_postgresql
def test_a_time_out_or_a_cancelled_statement_is_not_called_a_lock(catalog: Catalog, database_url: str) -> None:
    with (
        Catalog.open(with_setting(database_url, "statement_timeout=300")) as hurried,
        pytest.raises(
            CatalogUnavailableError, match=r"longer than statement_timeout allows.*statement_timeout%3D0"
        ) as caught,
    ):
        ask(hurried, "SELECT pg_sleep(60)")
    assert not isinstance(caught.value, CatalogLockedError)
    with pytest.raises(
        CatalogUnavailableError, match=r"somebody cancelled the statement .*pg_cancel_backend"
    ) as caught:
        ask(catalog, "SELECT pg_cancel_backend(pg_backend_pid()), pg_sleep(60)")
    assert not isinstance(caught.value, CatalogLockedError)
    with pytest.raises(CatalogLockedError, match="is locked by another writer"):
        ask(catalog, "DO $$ BEGIN RAISE lock_not_available; END $$")


@only_on_postgresql
def test_a_limit_of_temporary_files_is_named(catalog: Catalog, database_url: str) -> None:
    settings = "temp_file_limit=64 -c work_mem=64"  # So little that even opening may need more.
    with (
        pytest.raises(CatalogUnavailableError, match=r'file size exceeds "temp_file_limit" .*Raise that setting'),
        Catalog.open(with_setting(database_url, settings)) as limited,
    ):
        ask(limited, "SELECT repeat('x', 100) || n FROM generate_series(1, 100000) AS n ORDER BY 1")


@pytest.fixture
def guest(catalog: Catalog, database_url: str, plain_sql: PlainSql) -> Iterator[str]:
    """Give the URL of a catalog with one name to a role that may do nothing there."""
    catalog.save("fleet", make_workload())
    role = f"guest_{os.getpid()}"
    plain_sql.run(f"CREATE ROLE {role} LOGIN")
    yield database_url.replace("postgres:@", f"{role}:@")
    plain_sql.run(f"DROP OWNED BY {role}")
    plain_sql.run(f"DROP ROLE {role}")


@only_on_postgresql
def test_a_role_is_told_what_it_lacks_and_the_statements_that_help(guest: str, plain_sql: PlainSql) -> None:
    def use(action: str) -> str:
        with Catalog.open(guest) as opened:
            return str(opened.load("fleet") if action == "load" else opened.save("fleet", make_workload(3)).number)

    said: dict[str, list[str]] = {"load": [], "save": []}
    for action, helped in said.items():
        while len(helped) < 30:
            try:
                use(action)
                break
            except CatalogReadOnlyError as error:
                statement = re.search(r"Its owner can run: (GRANT .* ON \w+ TO \w+) \(the other tables", str(error))
                assert statement is not None, error
                helped.append(statement[1])
                plain_sql.run(statement[1])
    role = f"guest_{os.getpid()}"
    assert said["load"][0] == f"GRANT SELECT ON openg2g_schema_version TO {role}"
    assert {statement.split()[1] for statement in said["load"]} == {"SELECT"}
    assert f"GRANT SELECT, INSERT, UPDATE, DELETE ON catalog_info TO {role}" in said["save"]
    assert use("save") == "2"


@only_on_postgresql
def test_the_privilege_that_a_statement_lacked_is_named(guest: str, plain_sql: PlainSql) -> None:
    role = f"guest_{os.getpid()}"
    plain_sql.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    with Catalog.open(guest) as reader:
        for statement, privilege, table in (
            ("SELECT * FROM catalog_info FOR UPDATE", "UPDATE", "table catalog_info"),
            ("INSERT INTO tags VALUES (1, 'a', 'b')", "INSERT", "table tags"),
            ("WITH a AS (SELECT 1) INSERT INTO tags SELECT 1, 'a', 'b' FROM a", "INSERT", "table tags"),
            ("UPDATE names SET name = 'a'", "UPDATE", "table names"),
            ("DELETE FROM public.tags", "DELETE", "table tags"),
            ("COPY tags FROM STDIN", "INSERT", "table tags"),
            ("CREATE TABLE mine ()", "CREATE", "schema public"),
            ("SELECT pg_read_file('x')", "EXECUTE", "function pg_read_file"),
        ):
            with pytest.raises(
                CatalogReadOnlyError, match=rf"lacks the privilege {privilege} on the {table}\. Its owner"
            ):
                ask(reader, statement)
        with pytest.raises(CatalogReadOnlyError, match=r"must be owner of table names\. Connect as the owner"):
            ask(reader, "ALTER TABLE names ADD x TEXT")
        plain_sql.run("ALTER TABLE tags ENABLE ROW LEVEL SECURITY")
        with pytest.raises(CatalogReadOnlyError, match=rf"a policy hides rows from .*ALTER ROLE {role} BYPASSRLS"):
            ask(reader, "SELECT * FROM tags")
        plain_sql.run("ALTER TABLE tags DISABLE ROW LEVEL SECURITY")


@only_on_postgresql
def test_the_role_that_lacks_a_privilege_is_the_one_that_the_user_became(
    guest: str, database_url: str, plain_sql: PlainSql
) -> None:
    role = f"guest_{os.getpid()}"
    database = plain_sql.run("SELECT current_database()")[0][0]
    plain_sql.run(f"ALTER ROLE postgres IN DATABASE {database} SET role = {role}")
    with pytest.raises(CatalogReadOnlyError, match=rf"the role {role} lacks the privilege .* TO {role} \("):
        Catalog.open(database_url)


def test_behind_a_pooler_no_role_is_named_that_another_client_may_have_changed(
    narrow_url: str, direct_url: str
) -> None:
    role = f"left_{os.getpid()}"
    with PlainSql(direct_url) as sql:
        sql.run(f"CREATE ROLE {role}")
        with Catalog.open(narrow_url) as catalog, psycopg.connect(narrow_url, autocommit=True) as rude:
            rude.execute(f"SET SESSION AUTHORIZATION {role}")
            with pytest.raises(CatalogReadOnlyError, match=r"your role lacks the privilege SELECT .* TO ROLE \("):
                catalog.list_names()
            rude.execute("RESET SESSION AUTHORIZATION")
            assert catalog.list_names() == []
        sql.run(f"DROP ROLE {role}")


@only_on_postgresql
def test_init_says_whose_a_catalog_on_a_server_is(
    guest: str, plain_sql: PlainSql, postgres: PostgresServer, capsys: pytest.CaptureFixture[str]
) -> None:
    role = f"guest_{os.getpid()}"
    assert run(["init", "--database", guest]) == 5
    assert capsys.readouterr().err.endswith("(the other tables need it, too). The owner is postgres.\n")
    plain_sql.run(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}")
    assert run(["init", "--database", guest]) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("Found the catalog ")
    assert captured.err == "You may only read it: it belongs to postgres.\n"
    with postgres.database() as url:
        assert run(["init", "--database", url.replace("postgres:@", f"{role}:@")]) == 5
        assert "lacks the privilege CREATE on the schema public" in capsys.readouterr().err


@only_on_sqlite
def test_a_query_that_fills_its_temporary_files_says_where_they_are(catalog: Catalog, database_url: str) -> None:
    catalog.close()
    with running(read_with_small_files, str(path_of(database_url))) as (_, receiver):
        kind, text = received(receiver)
    assert kind == "CatalogUnavailableError"
    assert re.search(
        r"cannot be read or written \(disk I/O error\)\. Check the disk, and that of the temporary files, /", text
    )


def test_a_full_disk_is_that_of_the_temporary_files_where_nothing_was_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SQLITE_TMPDIR", str(tmp_path))
    connection = sqlite3.connect(":memory:")
    connection.execute("PRAGMA max_page_count = 2")
    with pytest.raises(sqlite3.OperationalError) as caught:
        connection.execute("CREATE TABLE a (b)")
        connection.execute("CREATE TABLE c (d)")
    connection.close()
    location = locate(tmp_path / "catalog.db")
    told = sqlite_error(caught.value, location, "SELECT 1 ORDER BY 1")
    assert str(told) == (
        f"{location}: the disk of the temporary files, {tmp_path}, is full. Make room, or set SQLITE_TMPDIR to a "
        f"directory on a larger disk than {tmp_path}."
    )
    assert str(sqlite_error(caught.value, location, "COMMIT")) == f"{location}: the disk is full. Nothing was stored."


@only_on_sqlite
@pytest.mark.parametrize(
    ("statement", "message"),
    [
        ("SELECT * FROM nowhere", r"not those of a catalog \(no such table: nowhere\)\."),
        ("SELECT colour FROM names", r"\(no such column: colour\)\."),
        (
            "INSERT INTO tags VALUES (7, 'a', 'b', 0)",
            r"a rule of the tables refuses a row: FOREIGN KEY .* Nothing was stored",
        ),
        ("SELECT zeroblob(2000000000) || 'a'", r"a value is larger than 512 MiB|there is not enough memory"),
    ],
)
def test_what_sqlite_refuses_says_what_to_do(catalog: Catalog, statement: str, message: str) -> None:
    with pytest.raises(CatalogError, match=message):
        ask(catalog, statement)


@pytest.mark.parametrize(
    ("url", "kind", "message"),
    [
        ("postgresql://nowhere.invalid/x", CatalogUnavailableError, r"cannot be reached: .* Check the host\."),
        (
            "postgresql://127.0.0.1:1/x",
            CatalogUnavailableError,
            r"refused.* Check host and port, and whether the server",
        ),
        ("postgresql://%2Fnowhere/x", CatalogUnavailableError, r"cannot be reached: .* Check host and port"),
        ("postgresql://127.0.0.1:1/x?connect_timeout=soon", LocationError, r"Check the options of the URL\."),
        ("postgresql://127.0.0.1:1/x?sslmode=maybe", LocationError, r"Check the options of the URL\."),
        ("postgresql:///?service=nowhere", LocationError, r"Check \?service= and the file pg_service\.conf\."),
    ],
)
def test_a_failure_to_connect_says_where_to_look(url: str, kind: type[CatalogError], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        Catalog.open(url)
    assert "\n" not in str(caught.value)
