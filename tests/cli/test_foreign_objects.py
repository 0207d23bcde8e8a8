"""Objects are compared with what the migrations make, by what they are, before anything is asked of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from openg2g.catalog import Catalog, CatalogReadOnlyError, NotACatalogError, SchemaError
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import compare_definitions
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.migrate import downgrade, upgrade
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD
from openg2g.catalog.schema.metadata import CATALOG_TABLES
from openg2g.catalog.upkeep.verify import verify_database
from tests.builders import make_workload
from tests.catalog.foreign_objects import (
    ENDLESS,
    INTRUDERS_ON_POSTGRESQL,
    INTRUDERS_ON_SQLITE,
    LEFT_ALONE_ON_BOTH,
    LEFT_ALONE_ON_POSTGRESQL,
    LEFT_ALONE_ON_SQLITE,
    REPLACED,
    REPLACED_IDS,
    REPLACED_ON_POSTGRESQL,
    REPLACED_ON_SQLITE,
)
from tests.catalog.histories import archive_of, record_something_of_everything
from tests.catalog.plain_sql import PlainSql
from tests.cli.conftest import Cli, on_each_engine
from tests.postgres import PostgresServer


def run_script(sql: PlainSql, script: str) -> None:
    """Run several statements."""
    if sql.engine == "sqlite":
        sql.connection.execute("PRAGMA foreign_keys = OFF")
        sql.connection.executescript(script)
    else:
        sql.connection.execute(script)


def compared(url: str) -> list[str]:
    database = Database(locate(url))
    try:
        return database.read(compare_definitions).lines
    finally:
        database.close()


@pytest.mark.parametrize(("database_url", "script", "line"), REPLACED, ids=REPLACED_IDS, indirect=["database_url"])
def test_an_object_that_was_replaced_stops_everything_but_what_says_so(
    database_url: str, script: str, line: str, run_cli: Cli
) -> None:
    with PlainSql(database_url) as sql:
        run_script(sql, script)
    with pytest.raises(SchemaError, match="is not as this release makes it: ") as caught:
        Catalog.open(database_url)
    assert line in str(caught.value) and "\n" not in str(caught.value)
    assert line in "\n".join(compared(database_url))
    verified = run_cli("verify", "--database", database_url)
    assert (verified.exit_code, line in verified.err) == (6, True)


@pytest.mark.parametrize("name", ["an endless view in place of a table", "a missing trigger"])
@on_each_engine
def test_every_command_stops_but_those_that_say_what_was_replaced(database_url: str, name: str, run_cli: Cli) -> None:
    with PlainSql(database_url) as sql:
        script, line = (REPLACED_ON_SQLITE if sql.engine == "sqlite" else REPLACED_ON_POSTGRESQL)[name]
        run_script(sql, script)
    stopping = ("init", "list", "show x", "search True", "export --all", "tag x y=z", "db upgrade", "db downgrade 0001")
    for command in stopping:
        stopped = run_cli(*command.split(), "--database", database_url)
        assert (stopped.exit_code, stopped.out, stopped.err.count("\n")) == (6, "", 1), command
        assert line in stopped.err
    for command in ("db check", "verify"):
        told = run_cli(*command.split(), "--database", database_url)
        assert (told.exit_code, told.out, line in told.err) == (6, "", True)
    status = run_cli("db", "status", "--format", "json", "--database", database_url)
    assert (status.exit_code, status.json["schema"]) == (0, SCHEMA_HEAD)
    assert status.json["differences"] >= 1 and "names" not in status.json
    assert "Run `openg2g db check`" in status.err


@on_each_engine
def test_what_others_have_of_their_own_is_left_alone(database_url: str, run_cli: Cli) -> None:
    with PlainSql(database_url) as sql:
        run_script(sql, LEFT_ALONE_ON_BOTH + sql.on(LEFT_ALONE_ON_SQLITE, LEFT_ALONE_ON_POSTGRESQL))
    assert compared(database_url) == []
    with Catalog.open(database_url) as catalog:
        record_something_of_everything(catalog)
        assert verify_database(catalog.database) == []
    assert run_cli("db", "check", "--database", database_url).exit_code == 0


@pytest.mark.parametrize(
    ("database_url", "script", "line"),
    [
        *(("sqlite", *intruder) for intruder in INTRUDERS_ON_SQLITE.items()),
        *(("postgresql", *intruder) for intruder in INTRUDERS_ON_POSTGRESQL.items()),
    ],
    indirect=["database_url"],
)
def test_a_trigger_rule_or_unique_index_of_somebody_else_stops_writing_and_nothing_else(
    database_url: str, script: str, line: str, run_cli: Cli
) -> None:
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", make_workload(2))
    with PlainSql(database_url) as sql:
        run_script(sql, script)
    with Catalog.open(database_url) as catalog:
        assert catalog.load("fleet") == make_workload(2)
        for write in (
            lambda: catalog.save("fleet", make_workload(3)),
            lambda: catalog.retire("fleet"),
            lambda: catalog.rename("fleet", "other"),
            lambda: catalog.tag("fleet", {"team": "grid"}),
            lambda: catalog.set_alias("fleet", "production", 1),
            lambda: catalog.save_many([]),
        ):
            with pytest.raises(CatalogReadOnlyError, match="may only be read: ") as caught:
                write()
            assert line in str(caught.value) and "\n" not in str(caught.value)
    stopped = run_cli("tag", "fleet", "team=grid", "--database", database_url)
    assert (stopped.exit_code, stopped.err.count("\n")) == (5, 1)
    assert line in stopped.err
    assert run_cli("list", "--format", "names", "--database", database_url).out == "fleet\n"
    for command in (["db", "check"], ["verify"]):
        told = run_cli(*command, "--database", database_url)
        assert (told.exit_code, line in told.err) == (6, True)
    command_to_remove = compared(database_url)[0].partition("to remove it: ")[2]
    with PlainSql(database_url) as sql:
        sql.run(command_to_remove)
    with Catalog.open(database_url) as catalog:
        assert catalog.save("fleet", make_workload(3)).number == 2


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_disabled_trigger_of_somebody_else_still_stops_writing(database_url: str) -> None:
    with PlainSql(database_url) as sql:
        run_script(sql, next(iter(INTRUDERS_ON_POSTGRESQL)))
        run_script(sql, 'ALTER TABLE revisions DISABLE TRIGGER "Mine; --"')
    with Catalog.open(database_url) as catalog, pytest.raises(CatalogReadOnlyError, match="trigger Mine"):
        catalog.save("fleet", make_workload())


VERSION_VIEW = "DROP TABLE openg2g_schema_version; CREATE VIEW openg2g_schema_version AS "


@pytest.mark.parametrize("body", ["SELECT '0002' AS version_num", f"{ENDLESS} '0002' AS version_num FROM rows"])
@on_each_engine
def test_a_version_that_is_no_table_is_not_asked(database_url: str, run_cli: Cli, body: str) -> None:
    with PlainSql(database_url) as sql:
        run_script(sql, VERSION_VIEW + body)
    for open_or_create in (Catalog.open, Catalog.create):
        with pytest.raises(NotACatalogError, match="openg2g_schema_version is not a table"):
            open_or_create(database_url)
    for command in (["list"], ["db", "status"], ["db", "check"], ["verify"], ["db", "upgrade"], ["init"]):
        stopped = run_cli(*command, "--database", database_url)
        assert (stopped.exit_code, stopped.err.count("\n")) == (6, 1)


@on_each_engine
def test_an_upgrade_of_what_was_replaced_is_refused_and_changes_nothing(database_url: str) -> None:
    database = Database(locate(database_url))
    try:
        downgrade(database, "0001")
        with PlainSql(database_url) as sql:
            run_script(
                sql,
                sql.on("DROP TRIGGER renames_refuse_update", "DROP TRIGGER renames_refuse_change ON renames"),
            )
            with pytest.raises(SchemaError, match="the trigger renames_refuse_"):
                upgrade(database)
            assert sql.run("SELECT version_num FROM openg2g_schema_version") == [("0001",)]
    finally:
        database.close()


@on_each_engine
def test_tables_with_triggers_of_somebody_else_are_not_migrated(database_url: str) -> None:
    database = Database(locate(database_url))
    intruder = next(iter(INTRUDERS_ON_SQLITE if database.engine.dialect.name == "sqlite" else INTRUDERS_ON_POSTGRESQL))
    try:
        with PlainSql(database_url) as sql:
            run_script(sql, intruder)
            with pytest.raises(CatalogReadOnlyError, match="the trigger"):
                downgrade(database, "0001")
            sql.run("UPDATE openg2g_schema_version SET version_num = '0001'")
            with pytest.raises(CatalogReadOnlyError, match="the trigger"):
                upgrade(database)
            assert sql.run("SELECT version_num FROM openg2g_schema_version") == [("0001",)]
    finally:
        database.close()


@pytest.fixture
def reader_url(postgres: PostgresServer, migrated_postgres_template: str) -> Iterator[str]:
    """Give a catalog to a role that may read its tables and nothing else."""
    with postgres.database(template=migrated_postgres_template) as url:
        with PlainSql(url) as sql:
            sql.run("REVOKE ALL ON DATABASE " + sql.run("SELECT current_database()")[0][0] + " FROM PUBLIC")
            sql.run("DROP ROLE IF EXISTS only_reads")
            sql.run("CREATE ROLE only_reads LOGIN")
            sql.run("GRANT CONNECT ON DATABASE " + sql.run("SELECT current_database()")[0][0] + " TO only_reads")
            sql.run("GRANT SELECT ON ALL TABLES IN SCHEMA public TO only_reads")
        yield url.replace("postgres:@", "only_reads:@")
        with PlainSql(url) as sql:
            sql.run("DROP OWNED BY only_reads")
            sql.run("DROP ROLE only_reads")


def test_a_role_that_only_reads_compares_everything(reader_url: str, run_cli: Cli) -> None:
    with Catalog.open(reader_url) as catalog:
        assert catalog.count()["names"] == 0
        assert verify_database(catalog.database) == []
    assert run_cli("db", "check", "--database", reader_url).exit_code == 0
    with PlainSql(reader_url.replace("only_reads:@", "postgres:@")) as sql:
        sql.run("ALTER TABLE revisions DISABLE TRIGGER revisions_refuse_gap")
    with pytest.raises(SchemaError, match="the trigger revisions_refuse_gap of revisions differs"):
        Catalog.open(reader_url)


@on_each_engine
def test_rows_are_verified_where_only_a_trigger_is_missing_and_not_where_a_table_is_another(database_url: str) -> None:
    with Catalog.open(database_url) as catalog, PlainSql(database_url) as sql:
        record_something_of_everything(catalog)
        run_script(
            sql, sql.on("DROP TRIGGER revisions_refuse_update", "DROP TRIGGER revisions_refuse_change ON revisions")
        )
        sql.run("UPDATE revisions SET author = 'Mallory' WHERE name_id = 1 AND number = 1")
        problems = verify_database(catalog.database)
        assert "trigger" in problems[0] and "row (1, 1) of revisions does not fit its checksum." in problems
        run_script(sql, "ALTER TABLE tags RENAME COLUMN value TO text")
        assert verify_database(catalog.database)[-1] == "the rows were not read, since the tables may answer anything."


@on_each_engine
def test_every_table_is_compared(database_url: str) -> None:
    with PlainSql(database_url) as sql:
        for table in CATALOG_TABLES:
            run_script(sql, f"ALTER TABLE {table} ADD COLUMN extra TEXT")
    lines = compared(database_url)
    assert [line for line in lines if "the column extra of" in line] == lines
    assert len(lines) == len(CATALOG_TABLES)


def test_a_catalog_that_was_vacuumed_and_copied_as_text_is_the_same(tmp_path: Path, migrated_sqlite_file: Path) -> None:
    with PlainSql(f"sqlite:///{migrated_sqlite_file}") as sql, PlainSql(f"sqlite:///{tmp_path / 'copy.db'}") as copy:
        copy.connection.executescript("PRAGMA foreign_keys = OFF;" + "\n".join(sql.connection.iterdump()) + "VACUUM;")
        copy.run("ANALYZE")
    with Catalog.open(tmp_path / "copy.db") as catalog:
        record_something_of_everything(catalog)
        assert archive_of(catalog)
