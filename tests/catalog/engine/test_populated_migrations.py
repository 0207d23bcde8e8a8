"""Every migration is taken back and made again on catalogs that hold something of everything, and loses nothing.

The revisions come from the migrations themselves, so that a new one is tested from the day it is written.
"""

from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from openg2g.catalog import Catalog, SchemaError
from openg2g.catalog.engine import schema_version
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import compare_definitions
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.migrate import downgrade, upgrade
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, SCHEMA_REVISIONS
from openg2g.catalog.upkeep.verify import verify_database
from tests.builders import make_workload
from tests.catalog.histories import archive_of, record_something_of_everything
from tests.catalog.plain_sql import PlainSql
from tests.next_release import NEXT_REVISION, become, write_migrations

Release = Callable[[str], None]


@pytest.fixture
def release(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Release:
    """Let this release have one migration more, which makes a table again where the engine needs that."""

    def add(on_the_way_back: str = "pass") -> None:
        become(write_migrations(tmp_path, on_the_way_back), monkeypatch.setattr)

    return add


@pytest.fixture
def populated(catalog: Catalog) -> Catalog:
    """Open a catalog that holds something of everything, on each engine."""
    record_something_of_everything(catalog)
    return catalog


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    with closing(Database(locate(database_url))) as opened:
        yield opened


def everything_in(sql: PlainSql) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table, and the columns that it has: of whatever schema."""
    tables = sql.run(
        sql.on(
            "SELECT name FROM sqlite_master WHERE type = 'table'",
            "SELECT tablename FROM pg_tables WHERE schemaname = 'public'",
        )
    )
    columns = sql.on(
        'SELECT t.name, c.name, c.type, c."notnull" FROM sqlite_master t, pragma_table_info(t.name) c',
        "SELECT table_name, column_name, data_type, is_nullable FROM information_schema.columns "
        "WHERE table_schema = 'public'",
    )
    return sql.dump([table for (table,) in tables]) | {"columns": sorted(sql.run(columns))}


def take_back_and_make_again(database: Database, sql: PlainSql) -> list[str]:
    """Take every migration back, newest first, make it again and take it back again; then make all of them.

    Returns:
        Revisions that were taken back. The first that refuses, since something would be lost, ends the way down.
    """
    taken_back = []
    for older, revision in reversed(list(pairwise(["base", *schema_version.SCHEMA_REVISIONS]))):
        above = everything_in(sql)
        try:
            downgrade(database, older)
        except SchemaError as refusal:
            assert f"downgrading below {revision} would lose" in str(refusal)
            assert everything_in(sql) == above
            break
        below = everything_in(sql)
        upgrade(database, revision)
        assert everything_in(sql) == above
        downgrade(database, older)
        assert everything_in(sql) == below
        taken_back.append(revision)
    upgrade(database)
    return taken_back


def test_every_migration_is_reversed_or_says_what_it_would_lose(
    populated: Catalog, database: Database, plain_sql: PlainSql
) -> None:
    archive = archive_of(populated)
    taken_back = take_back_and_make_again(database, plain_sql)
    assert SCHEMA_REVISIONS[0] not in taken_back  # Below the first there is no place for what is stored.
    assert database.read(compare_definitions).lines == []
    assert verify_database(database) == []
    assert archive_of(populated) == archive
    assert populated.save("fleet", make_workload(4)).number == 3


def test_a_migration_that_is_yet_to_come_would_be_taken_back_and_made_again(
    populated: Catalog, database: Database, plain_sql: PlainSql, release: Release, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive, before = archive_of(populated), everything_in(plain_sql)
    release()
    upgrade(database)
    assert plain_sql.run("SELECT DISTINCT note FROM tags") == [("none",)]
    assert NEXT_REVISION in take_back_and_make_again(database, plain_sql)
    assert plain_sql.run("SELECT DISTINCT note FROM tags") == [("none",)]
    assert verify_database(database) == []
    downgrade(database, SCHEMA_HEAD)
    monkeypatch.undo()  # This is this release again.
    assert everything_in(plain_sql) == before
    assert database.read(compare_definitions).lines == []
    assert archive_of(populated) == archive


def test_a_migration_that_loses_something_on_the_way_back_would_be_found(
    populated: Catalog, database: Database, plain_sql: PlainSql, release: Release
) -> None:
    release("op.execute(\"DELETE FROM tags WHERE key = 'draft'\")")
    upgrade(database)
    with pytest.raises(AssertionError, match="draft"):
        take_back_and_make_again(database, plain_sql)
    assert populated.tags("fleet") == {"team": "grid"}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_migration_that_would_break_a_reference_is_refused_and_changes_nothing(
    populated: Catalog, database: Database, plain_sql: PlainSql, release: Release
) -> None:
    release("op.execute(\"UPDATE tags SET name_id = 4711 WHERE key = 'draft'\")")
    upgrade(database)
    before = everything_in(plain_sql)
    with pytest.raises(SchemaError, match=r"the migration would break 1 foreign keys\."):
        downgrade(database, SCHEMA_HEAD)
    assert everything_in(plain_sql) == before
    assert populated.tags("fleet") == {"draft": "", "team": "grid"}
