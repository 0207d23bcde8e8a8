"""The migrations make what the descriptions of the tables say, all of it or nothing, and can be taken back."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from alembic.script import ScriptDirectory
from sqlalchemy import CheckConstraint

from openg2g.catalog import (
    Catalog,
    CatalogError,
    CatalogNotFoundError,
    NotACatalogError,
    SchemaError,
    SchemaOutdatedError,
    SchemaTooNewError,
)
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import compare_definitions, expected_definitions, read_definitions
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.migrate import downgrade, migrations_path, upgrade
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, SCHEMA_REVISIONS
from openg2g.catalog.schema.metadata import CATALOG_TABLES, METADATA, VERSION_TABLE
from tests.builders import make_workload
from tests.catalog.engine.processes import create_catalog, run_at_once, running, upgrade_and_die
from tests.catalog.plain_sql import PlainSql

MAY_BE_NULL = {"revisions": {"workload_id"}, "alias_moves": {"revision_number"}}  # Absence means retired, or removed.
CHECKOUT = Path(__file__).parents[3]


@contextmanager
def open_database(url: str) -> Iterator[Database]:
    database = Database(locate(url), may_create=True)
    try:
        yield database
    finally:
        database.close()


def objects_of(sql: PlainSql) -> set[tuple[str, ...]]:
    """Everything that somebody made in the database: tables, indexes, views, triggers, functions, types."""
    if sql.engine == "sqlite":
        return set(sql.run("SELECT type, name FROM sqlite_master"))
    return set(
        sql.run(
            "SELECT relkind::text, relname::text FROM pg_class WHERE relnamespace = 'public'::regnamespace "
            "UNION ALL SELECT 'trigger', tgname::text FROM pg_trigger WHERE NOT tgisinternal "
            "UNION ALL SELECT 'function', proname::text FROM pg_proc WHERE pronamespace = 'public'::regnamespace "
            "UNION ALL SELECT 'type', typname::text FROM pg_type WHERE typnamespace = 'public'::regnamespace"
        )
    )


def objects_at(url: str) -> set[tuple[str, ...]]:
    with PlainSql(url) as sql:
        return objects_of(sql)


def structure_of(sql: PlainSql) -> list[tuple[object, ...]]:
    """Every table, column, comment, constraint text and index text, as the database itself writes them."""
    tables = ", ".join(f"'{table}'" for table in CATALOG_TABLES)
    if sql.engine == "sqlite":
        rows: list[tuple[object, ...]] = []
        for table, text in sql.run(
            f"SELECT tbl_name, sql FROM sqlite_master WHERE tbl_name IN ({tables}) AND sql > ''"
        ):
            if not text.startswith("CREATE TRIGGER"):  # Triggers are the migrations' own.
                lines = [re.sub(r"\s+", " ", line).strip(" ,") for line in text.splitlines()]
                rows += [(table, line) for line in lines if line]
        return sorted(rows, key=repr)
    columns = sql.run(
        "SELECT table_name, column_name, ordinal_position, data_type, is_nullable, collation_name, column_default, "
        "col_description(table_name::regclass, ordinal_position) FROM information_schema.columns "
        f"WHERE table_schema = 'public' AND table_name IN ({tables})"
    )
    constraints = sql.run(
        "SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid) FROM pg_constraint "
        f"WHERE conrelid::regclass::text IN ({tables})"
    )
    indexes = sql.run(f"SELECT tablename, indexname, indexdef FROM pg_indexes WHERE tablename IN ({tables})")
    comments = sql.run(
        f"SELECT relname::text, obj_description(oid) FROM pg_class WHERE relname IN ({tables}) AND relkind = 'r'"
    )
    return sorted([*columns, *constraints, *indexes, *comments], key=repr)


def test_the_migrations_have_one_head_and_the_package_knows_every_revision() -> None:
    script = ScriptDirectory(str(migrations_path()))
    assert script.get_heads() == [SCHEMA_HEAD]
    assert script.get_bases() == [SCHEMA_REVISIONS[0]]
    assert [entry.revision for entry in script.walk_revisions()] == list(reversed(SCHEMA_REVISIONS))


def test_the_file_of_a_migration_begins_with_its_revision_and_says_why_it_exists() -> None:
    for entry in ScriptDirectory(str(migrations_path())).walk_revisions():
        assert Path(entry.path).name.startswith(f"{entry.revision}_")
        assert entry.doc and entry.module.__doc__.count("\n") > 2


def test_a_new_catalog_has_the_schema_that_this_release_expects(database_url: str) -> None:
    with open_database(database_url) as database:
        assert database.read(compare_definitions).lines == []


def test_what_the_migrations_make_is_recorded(database_url: str) -> None:
    with open_database(database_url) as database:
        found = database.read(read_definitions)
        assert found == expected_definitions(database.engine.dialect.name), "Run scripts/record_definitions.py."


@pytest.mark.parametrize(
    ("database_url", "empty_database_url"), [("sqlite", "sqlite"), ("postgresql", "postgresql")], indirect=True
)
def test_every_text_in_the_database_is_the_one_that_the_described_tables_would_make(
    database_url: str, empty_database_url: str
) -> None:
    with open_database(empty_database_url) as database, database.engine.begin() as connection:
        METADATA.create_all(connection)
    with PlainSql(database_url) as migrated, PlainSql(empty_database_url) as described:
        assert structure_of(migrated) == structure_of(described)
        constraints = [row for row in map(repr, structure_of(migrated)) if "ck_" in row]
        expected = {str(c.name) for table in METADATA.sorted_tables for c in table.constraints if is_check(c)}
        assert len(constraints) == len(expected)


def is_check(constraint: object) -> bool:
    return isinstance(constraint, CheckConstraint)


def test_every_table_and_column_has_a_comment() -> None:
    for table in METADATA.sorted_tables:
        assert table.comment, table.name
        assert [column.name for column in table.columns if not column.comment] == []


def test_every_check_has_a_name_and_only_two_columns_may_be_null() -> None:
    for table in METADATA.sorted_tables:
        assert all(str(c.name).startswith(f"ck_{table.name}_") for c in table.constraints if is_check(c))
        assert {column.name for column in table.columns if column.nullable} == MAY_BE_NULL.get(table.name, set())


def test_taking_back_a_catalog_that_holds_revisions_is_refused_and_changes_nothing(database_url: str) -> None:
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", make_workload())
        catalog.save("fleet", make_workload(3))
        with PlainSql(database_url) as sql:
            before = sql.dump([*CATALOG_TABLES, VERSION_TABLE]), objects_of(sql)
            with (
                open_database(database_url) as database,
                pytest.raises(SchemaError, match="downgrading below 0001 would lose all 2 revisions"),
            ):
                downgrade(database, "base")
            assert (sql.dump([*CATALOG_TABLES, VERSION_TABLE]), objects_of(sql)) == before
        assert catalog.load("fleet@1") == make_workload()


def test_taking_back_an_empty_catalog_leaves_nothing_behind(database_url: str) -> None:
    with open_database(database_url) as database:
        downgrade(database, "base")
    left = {name for _, name in objects_at(database_url)}
    # The empty version table stays: it is Alembic's, and says that nothing is there.
    assert {name for name in left if VERSION_TABLE not in name} == set()
    with pytest.raises(CatalogNotFoundError, match="no tables of a catalog"):
        Catalog.open(database_url)


def test_a_catalog_can_be_made_again_after_it_was_taken_back(database_url: str) -> None:
    before = objects_at(database_url)
    for _ in range(2):
        with open_database(database_url) as database:
            downgrade(database, "base")
            upgrade(database)
            assert database.read(compare_definitions).lines == []
        assert objects_at(database_url) == before
    with Catalog.open(database_url) as catalog:
        assert catalog.save("fleet", make_workload()).number == 1


def test_upgrading_what_is_at_the_head_changes_nothing(database_url: str) -> None:
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", make_workload())
    with PlainSql(database_url) as sql:
        before = sql.dump([*CATALOG_TABLES, VERSION_TABLE]), objects_of(sql)
        with open_database(database_url) as database:
            upgrade(database)
        with Catalog.create(database_url) as catalog:
            assert catalog.load("fleet") == make_workload()
        assert (sql.dump([*CATALOG_TABLES, VERSION_TABLE]), objects_of(sql)) == before


def test_an_unknown_revision_is_refused_with_those_that_are_known(database_url: str) -> None:
    for migrate in (upgrade, downgrade):
        with (
            open_database(database_url) as database,
            pytest.raises(SchemaError, match=r"'4711' is no schema revision\. Known: 0001, 0002, (head|base)"),
        ):
            migrate(database, "4711")


def test_four_processes_that_make_a_catalog_at_once_all_succeed(empty_database_url: str) -> None:
    results = run_at_once(create_catalog, [(empty_database_url,)] * 4)
    with Catalog.open(empty_database_url) as catalog:
        assert results == [catalog.location] * 4
        assert catalog.save("fleet", make_workload()).is_new
    with PlainSql(empty_database_url) as sql:
        assert (sql.count("catalog_info"), sql.count(VERSION_TABLE)) == (1, 1)


@pytest.mark.parametrize("statement", ["CREATE TABLE workloads", "CREATE VIEW", "INSERT INTO openg2g_schema_version"])
def test_a_process_that_dies_in_a_migration_leaves_nothing(empty_database_url: str, statement: str) -> None:
    with running(upgrade_and_die, empty_database_url, statement) as (process, _):
        process.join(60)
        assert process.exitcode == -signal.SIGKILL
    with pytest.raises(CatalogNotFoundError):
        Catalog.open(empty_database_url)
    assert objects_at(empty_database_url) == set()
    with Catalog.create(empty_database_url) as catalog:
        assert catalog.save("fleet", make_workload()).is_new


def test_a_migration_that_fails_leaves_nothing(empty_database_url: str) -> None:
    with PlainSql(empty_database_url) as sql:
        sql.run("CREATE VIEW revision_models AS SELECT 1 AS one")
        before = objects_of(sql)
    with pytest.raises(CatalogError, match="revision_models"):
        Catalog.create(empty_database_url)
    assert objects_at(empty_database_url) == before


@pytest.mark.parametrize("table", ["names", "revisions"])
def test_a_table_of_somebody_else_under_a_name_of_ours_is_left_alone(empty_database_url: str, table: str) -> None:
    with PlainSql(empty_database_url) as sql:
        sql.run(f"CREATE TABLE {table} (telephone TEXT)")
        sql.insert(table, telephone="555")
    with pytest.raises(NotACatalogError, match=f"other tables|already has tables named {table}"):
        Catalog.create(empty_database_url)
    with pytest.raises((NotACatalogError, CatalogNotFoundError), match=r"other tables|no tables of a catalog"):
        Catalog.open(empty_database_url)
    with PlainSql(empty_database_url) as sql:
        assert sql.run(f"SELECT * FROM {table}") == [("555",)]


@pytest.mark.parametrize("empty_database_url", ["sqlite"], indirect=True)
def test_no_catalog_is_made_in_an_sqlite_file_of_another_application(empty_database_url: str) -> None:
    with PlainSql(empty_database_url) as sql:
        sql.run("PRAGMA application_id = 4711")
        sql.run("PRAGMA user_version = 1")
    for open_or_create in (Catalog.open, Catalog.create):
        with pytest.raises(NotACatalogError, match="is not a catalog"):
            open_or_create(empty_database_url)
    assert objects_at(empty_database_url) == set()


@pytest.mark.parametrize("empty_database_url", ["postgresql"], indirect=True)
def test_a_catalog_shares_a_database_with_tables_and_versions_of_others(empty_database_url: str) -> None:
    with PlainSql(empty_database_url) as sql:
        sql.run("CREATE TABLE alembic_version (version_num TEXT)")
        sql.insert("alembic_version", version_num="somebody-elses")
        with Catalog.create(empty_database_url) as catalog:
            assert catalog.save("fleet", make_workload()).is_new
        with open_database(empty_database_url) as database:
            assert database.read(compare_definitions).lines == []
        assert sql.run("SELECT version_num FROM alembic_version") == [("somebody-elses",)]


def test_the_schema_revision_is_kept_in_a_table_of_our_own(database_url: str) -> None:
    with PlainSql(database_url) as sql:
        assert sql.run("SELECT version_num FROM openg2g_schema_version") == [(SCHEMA_HEAD,)]
        assert "alembic_version" not in {name for _, name in objects_of(sql)}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_header_of_an_sqlite_file_says_that_it_is_a_catalog(database_url: str) -> None:
    assert Path(database_url.removeprefix("sqlite:///")).read_bytes()[68:72] == b"OG2G"


def test_a_catalog_of_a_newer_release_is_neither_opened_nor_migrated(database_url: str) -> None:
    with PlainSql(database_url) as sql:
        sql.run("UPDATE openg2g_schema_version SET version_num = '9999'")
        before = objects_of(sql)
        message = (
            rf"has schema 9999, which this release does not know \(its newest is {SCHEMA_HEAD}\).*pip install --upgrade"
        )
        for open_or_create in (Catalog.open, Catalog.create):
            with pytest.raises(SchemaTooNewError, match=message) as caught:
                open_or_create(database_url)
            assert (caught.value.current, caught.value.head) == ("9999", SCHEMA_HEAD)
        with open_database(database_url) as database, pytest.raises(SchemaTooNewError, match=message):
            upgrade(database)
        assert objects_of(sql) == before


def test_a_catalog_of_an_older_release_says_how_to_upgrade_it(database_url: str) -> None:
    with open_database(database_url) as database:
        downgrade(database, "0001")
    with pytest.raises(SchemaOutdatedError, match=r"has schema 0001, this release needs 0002\.$"):
        Catalog.open(database_url)


def test_alembic_itself_works_in_the_checkout(empty_database_url: str) -> None:
    def alembic(*arguments: str) -> str:
        command = [sys.executable, "-m", "alembic", "-x", f"database={empty_database_url}", *arguments]
        result = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, check=False)
        assert result.returncode == 0, result.stderr
        return result.stdout

    assert alembic("current") == ""
    alembic("upgrade", "head")
    assert alembic("current").strip() == f"{SCHEMA_HEAD} (head)"
    assert "No new upgrade operations detected" in alembic("check")
    with Catalog.open(empty_database_url) as catalog:
        assert catalog.save("fleet", make_workload()).is_new
