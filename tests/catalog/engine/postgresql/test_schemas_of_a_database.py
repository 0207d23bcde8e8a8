"""The guards of a catalog on PostgreSQL hold in every schema, under every search path, and after every restore."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from openg2g.catalog.upkeep.verify import verify_database
from tests.builders import make_workload
from tests.catalog.histories import archive_of, record_something_of_everything
from tests.catalog.plain_sql import PlainSql
from tests.catalog.schema.rows import row_of
from tests.postgres import PostgresServer

GAP = "revisions is append-only: the next number of the name is needed"
SCHEMAS = ["fleet", "Of Lab'7", 'a"b', "names", "pg2", "added"]


def url_of(url: str, schema: str) -> str:
    """Return the URL of a database whose connections see one schema."""
    quoted = schema.replace('"', '""').replace("\\", "\\\\").replace(" ", "\\%20")
    return f'{url}&options=-csearch_path%3D"{quoted}"' if "?" in url else f'{url}?options=-csearch_path%3D"{quoted}"'


@pytest.fixture
def empty(postgres: PostgresServer) -> Iterator[str]:
    with postgres.database() as url:
        yield url


@pytest.fixture
def populated(empty: str) -> str:
    """Give a database with a catalog that holds something of everything, where everybody's things are."""
    with Catalog.create(empty) as catalog:
        record_something_of_everything(catalog)
    return empty


def archive_at(url: str) -> bytes:
    """Write the archive of a catalog that must be sound."""
    with Catalog.open(url) as catalog:
        assert verify_database(catalog.database) == []
        return archive_of(catalog)


def assert_guarded(sql: PlainSql, schema: str) -> None:
    """Make sure that a gap and a change are refused, and that the next number is taken."""
    quoted = f'"{schema.replace(chr(34), chr(34) * 2)}"'
    [(latest,)] = sql.run(f"SELECT max(number) FROM {quoted}.revisions WHERE name_id = 1")
    sql.run("BEGIN")
    with sql.refusing(GAP):
        sql.insert(f"{quoted}.revisions", **row_of("revisions", name_id=1, number=latest + 2))
    with sql.refusing("revisions is append-only: UPDATE is refused"):
        sql.run(f"UPDATE {quoted}.revisions SET author = 'Mallory'")
    sql.insert(f"{quoted}.revisions", **row_of("revisions", name_id=1, number=latest + 1))
    sql.run("ROLLBACK")


@pytest.mark.parametrize("path", ["", "pg_temp, public", "elsewhere, public", "elsewhere", "pg_catalog"])
def test_the_guards_of_a_catalog_hold_under_every_search_path(populated: str, path: str) -> None:
    with PlainSql(populated) as sql:
        sql.run("CREATE SCHEMA elsewhere")
        sql.run("CREATE TABLE elsewhere.revisions AS TABLE public.revisions")
        sql.run("SELECT set_config('search_path', ?, false)", (path,))
        assert_guarded(sql, "public")


@pytest.mark.parametrize("name", ["revisions", "added", "names"])
def test_a_temporary_table_gets_nobody_around_the_guards(populated: str, name: str) -> None:
    with PlainSql(populated) as sql:
        sql.run(f"CREATE TEMPORARY TABLE {name} AS SELECT 1::bigint AS name_id, generate_series(1, 99) AS number")
        assert_guarded(sql, "public")


def test_functions_and_operators_of_somebody_else_get_nobody_around_the_guards(populated: str) -> None:
    with PlainSql(populated) as sql:
        sql.run("CREATE SCHEMA elsewhere")
        sql.run(
            "CREATE FUNCTION elsewhere.format(text, name, name) RETURNS text LANGUAGE sql AS 'SELECT ''SELECT false'''"
        )
        sql.run("CREATE FUNCTION elsewhere.never(bigint, integer) RETURNS boolean LANGUAGE sql AS 'SELECT false'")
        sql.run("CREATE OPERATOR elsewhere.> (LEFTARG = bigint, RIGHTARG = integer, FUNCTION = elsewhere.never)")
        sql.run("SET search_path = elsewhere, pg_catalog, public")
        assert_guarded(sql, "public")


@pytest.mark.parametrize("schema", SCHEMAS)
def test_a_catalog_lives_in_any_schema_and_goes_along_when_that_is_renamed(empty: str, schema: str) -> None:
    with PlainSql(empty) as sql:
        sql.run(f'CREATE SCHEMA "{schema.replace(chr(34), chr(34) * 2)}"')
        with Catalog.create(url_of(empty, schema)) as catalog:
            record_something_of_everything(catalog)
            before = archive_of(catalog)
        assert_guarded(sql, schema)
        sql.run(f'ALTER SCHEMA "{schema.replace(chr(34), chr(34) * 2)}" RENAME TO moved')
        assert_guarded(sql, "moved")
    assert archive_at(url_of(empty, "moved")) == before
    with Catalog.open(url_of(empty, "moved")) as catalog:
        assert catalog.save("fleet", make_workload(4)).number == 3


def test_two_catalogs_of_one_database_know_nothing_of_each_other(empty: str) -> None:
    with PlainSql(empty) as sql:
        for schema in ("ours", "theirs"):
            sql.run(f"CREATE SCHEMA {schema}")
            Catalog.create(url_of(empty, schema)).close()
        with Catalog.open(url_of(empty, "ours")) as ours, Catalog.open(url_of(empty, "theirs")) as theirs:
            for _ in range(3):
                ours.save("fleet", make_workload(1))
                ours.save("fleet", make_workload(2))
            theirs.save("fleet", make_workload(3))
            assert (ours.get("fleet").number, theirs.get("fleet").number) == (6, 1)
            assert theirs.save("fleet", make_workload(4)).number == 2
        for schema in ("ours", "theirs"):
            assert_guarded(sql, schema)


def test_a_dump_is_restored_whole(postgres: PostgresServer, populated: str) -> None:
    with postgres.database() as url:
        postgres.restore(url, postgres.dump(populated))
        assert archive_at(url) == archive_at(populated)
        assert postgres.dump(url, "--restrict-key=x") == postgres.dump(populated, "--restrict-key=x")
        with PlainSql(url) as sql:
            assert_guarded(sql, "public")


@pytest.mark.parametrize("how", ["--inserts", "--rows-per-insert=1", "--disable-triggers"])
def test_data_alone_are_restored_into_tables_that_were_restored_alone(
    postgres: PostgresServer, populated: str, how: str
) -> None:
    with postgres.database() as url:
        postgres.restore(url, postgres.dump(populated, "--schema-only"))
        postgres.restore(url, postgres.dump(populated, "--data-only", how))
        assert archive_at(url) == archive_at(populated)
        with PlainSql(url) as sql:
            assert_guarded(sql, "public")


def test_an_archive_of_pg_dump_is_restored_section_by_section(
    postgres: PostgresServer, populated: str, tmp_path: Path
) -> None:
    file = str(tmp_path / "catalog.dump")
    postgres.run("pg_dump", "--format=custom", f"--file={file}", f"--dbname={populated}")
    with postgres.database() as url:
        for section in ("pre-data", "data", "post-data"):
            postgres.run("pg_restore", f"--section={section}", "--exit-on-error", f"--dbname={url}", file)
        assert archive_at(url) == archive_at(populated)


def test_data_with_a_gap_are_not_restored(postgres: PostgresServer, populated: str) -> None:
    with postgres.database() as url:
        postgres.restore(url, postgres.dump(populated, "--schema-only"))
        data = postgres.dump(populated, "--data-only", "--inserts").splitlines()
        second = next(line for line in data if line.startswith("INSERT INTO public.revisions VALUES (1, 2,"))
        with_gap = "\n".join(line.replace("(1, 2,", "(1, 3,") if line is second else line for line in data)
        with pytest.raises(AssertionError, match=GAP):
            postgres.restore(url, with_gap)
