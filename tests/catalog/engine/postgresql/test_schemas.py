"""Where a catalog lies in a database: in its own schema, whatever else is called like its tables."""

from collections.abc import Iterator
from urllib.parse import quote

import psycopg
import pytest
from sqlalchemy import Connection

from openg2g.catalog import Catalog, CatalogNotFoundError
from openg2g.catalog.archive.copying import copy_catalog
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import compare_definitions
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.migrate import downgrade, upgrade
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, find_schema_revision
from openg2g.catalog.schema.metadata import CATALOG_TABLES
from openg2g.catalog.upkeep.verify import verify_database
from tests.builders import make_draft, make_workload, published_fleet
from tests.catalog.histories import archive_of, record_something_of_everything
from tests.postgres import PostgresServer


@pytest.fixture
def empty_url(postgres: PostgresServer) -> Iterator[str]:
    """Give a database without tables."""
    with postgres.database() as url:
        yield url


def run(url: str, *statements: str) -> None:
    """Run statements of somebody else."""
    with psycopg.connect(url, autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement)


def in_schema(url: str, schema: str) -> str:
    """URL of a catalog in a schema of its own, on whose path nothing else is."""
    return f"{url}&options={quote(f'-csearch_path={schema}')}"


def tables_of(url: str, schema: str) -> set[str]:
    """Names of the tables of a schema."""
    with psycopg.connect(url) as connection:
        query = "SELECT tablename FROM pg_tables WHERE schemaname = %s"
        return {name for (name,) in connection.execute(query, (schema,))}


def path_of_database(url: str, path: str) -> str:
    """Statement that sets the path of every connection to a database that comes after."""
    return f"ALTER DATABASE {psycopg.conninfo.conninfo_to_dict(url)['dbname']} SET search_path = {path}"


def require_right(catalog: Catalog, archive: bytes) -> None:
    """Compare everything that can be read."""
    assert archive_of(catalog) == archive
    assert verify_database(catalog.database) == []
    assert catalog.database.read(compare_definitions).lines == []
    assert catalog.load("fleet@1") == published_fleet()


LIKE_OURS = [f"CREATE TABLE app.{table} AS SELECT * FROM public.{table} WITH NO DATA" for table in CATALOG_TABLES]


@pytest.mark.parametrize("path", ["app, public", "app", "'', app"])
def test_tables_of_others_that_come_first_are_left_alone(direct_url: str, path: str) -> None:
    with Catalog.open(direct_url) as catalog:
        record_something_of_everything(catalog)
        archive = archive_of(catalog)
    run(
        direct_url,
        "CREATE SCHEMA app",
        *LIKE_OURS,
        "INSERT INTO app.names SELECT * FROM public.names",
        "UPDATE app.names SET name = name || '-theirs'",
        path_of_database(direct_url, path),
    )
    with Catalog.open(direct_url) as catalog:
        require_right(catalog, archive)
        catalog.save("fleet", make_workload(4))
        catalog.save_many([make_draft("site"), make_draft("sweep")])
        assert {"site", "sweep"} <= set(catalog.list_names())
    run(direct_url, "DO $$ BEGIN ASSERT (SELECT count(*) FROM app.revisions) = 0; END $$")


def test_a_table_of_others_with_other_columns_is_left_alone(direct_url: str) -> None:
    run(
        direct_url,
        "CREATE SCHEMA app",
        "CREATE TABLE app.names (surname text)",
        "CREATE TABLE app.revisions (page int, editor text)",
        "CREATE VIEW app.workloads AS SELECT 1 AS one",
        path_of_database(direct_url, "app, public"),
    )
    with Catalog.open(direct_url) as catalog:
        record_something_of_everything(catalog)
        require_right(catalog, archive_of(catalog))


def test_a_catalog_is_made_beside_tables_of_others_in_a_schema_of_its_own(empty_url: str) -> None:
    run(empty_url, "CREATE TABLE names (surname text)", "CREATE SCHEMA grid")
    with Catalog.create(in_schema(empty_url, "grid")) as catalog:
        record_something_of_everything(catalog)
        require_right(catalog, archive_of(catalog))
    assert tables_of(empty_url, "public") == {"names"}
    assert set(CATALOG_TABLES) < tables_of(empty_url, "grid")


def test_two_catalogs_in_two_schemas_of_one_database_know_nothing_of_each_other(empty_url: str) -> None:
    run(empty_url, "CREATE SCHEMA alpha", 'CREATE SCHEMA "Beta 2"')
    urls = [in_schema(empty_url, "alpha"), in_schema(empty_url, '"Beta\\ 2"')]
    for number, url in enumerate(urls, 1):
        with Catalog.create(url) as catalog:
            catalog.save(f"fleet-{number}", make_workload(number))
    assert tables_of(empty_url, "alpha") == tables_of(empty_url, "Beta 2") != set()
    assert tables_of(empty_url, "public") == set()
    with Catalog.open(urls[0]) as first, Catalog.open(urls[1]) as second:
        assert (first.list_names(), second.list_names()) == (["fleet-1"], ["fleet-2"])
        assert first.save("fleet-1", make_workload(3)).number == second.save("fleet-2", make_workload(3)).number == 2
        assert verify_database(first.database) == verify_database(second.database) == []
        assert first.database.read(compare_definitions).lines == second.database.read(compare_definitions).lines == []
        record_something_of_everything(first)
        first_archive = archive_of(first)
    database = Database(locate(urls[1]))
    with pytest.raises(Exception, match="would lose"):
        downgrade(database, "base")
    database.close()
    with Catalog.open(urls[0]) as first:
        assert archive_of(first) == first_archive


def test_a_role_chooses_between_catalogs_by_its_own_path(postgres: PostgresServer, empty_url: str) -> None:
    role = f"role_{psycopg.conninfo.conninfo_to_dict(empty_url)['dbname']}"
    run(
        empty_url,
        f"CREATE ROLE {role} LOGIN SUPERUSER",
        "CREATE SCHEMA alpha",
        f"ALTER ROLE {role} SET search_path = alpha",
    )
    try:
        by_role = empty_url.replace("postgres:@", f"{role}:@")
        with Catalog.create(empty_url) as public, Catalog.create(by_role) as alpha:
            public.save("in-public", make_workload())
            alpha.save("in-alpha", make_workload())
            assert (public.list_names(), alpha.list_names()) == (["in-public"], ["in-alpha"])
    finally:
        run(empty_url, f"DROP OWNED BY {role} CASCADE", f"DROP ROLE {role}")


def test_each_of_two_catalogs_is_migrated_alone(empty_url: str) -> None:
    run(empty_url, "CREATE SCHEMA alpha", "CREATE SCHEMA beta")
    alpha, beta = in_schema(empty_url, "alpha"), in_schema(empty_url, "beta")
    with Catalog.create(alpha) as catalog:
        record_something_of_everything(catalog)
        archive = archive_of(catalog)
    database = Database(locate(beta))
    upgrade(database)
    downgrade(database, "base")
    assert find_schema_revision(database) is None
    with pytest.raises(CatalogNotFoundError):
        Catalog.open(beta)
    upgrade(database)
    assert find_schema_revision(database) == SCHEMA_HEAD
    database.close()
    with Catalog.open(alpha) as catalog, Catalog.open(beta) as target:
        require_right(catalog, archive)
        assert catalog.count()["revisions"] == sum(copy_catalog(catalog, target).values())
        assert archive_of(target) == archive


def shadow(connection: Connection) -> None:
    """Make temporary tables that are called as ours, in the session that is lent."""
    for table in CATALOG_TABLES:
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE {table} (id int)")


def test_temporary_tables_of_the_session_are_not_taken_for_ours(direct_url: str) -> None:
    with Catalog.open(direct_url) as catalog:
        record_something_of_everything(catalog)
        archive = archive_of(catalog)
        catalog.database.read(shadow)
        require_right(catalog, archive)
        with catalog.writing() as writer:
            shadow_or_find(writer.connection)
            writer.append([make_draft("site"), make_draft("fleet", workload=make_workload(5))])
        assert catalog.list_names("site") == ["site"]
        assert verify_database(catalog.database) == []


def shadow_or_find(connection: Connection) -> None:
    """Make temporary tables, where reading and writing have no session in common."""
    for table in CATALOG_TABLES:
        connection.exec_driver_sql(f"CREATE TEMPORARY TABLE IF NOT EXISTS {table} (id int)")


GAP = """
    INSERT INTO public.revisions
    SELECT (json_populate_record(revisions, json_build_object('number', 7))).* FROM public.revisions WHERE number = 1
"""


def test_a_gap_is_refused_whatever_the_session_calls_revisions(direct_url: str) -> None:
    with Catalog.open(direct_url) as catalog:
        catalog.save("fleet", make_workload())
    run(direct_url, "CREATE SCHEMA app", "CREATE TABLE app.revisions (LIKE public.revisions)")
    for disguise in (
        "SELECT 1",
        "SET search_path = ''",
        "SET search_path = app, public",
        "CREATE TEMPORARY TABLE revisions (LIKE public.revisions)",
        "CREATE TEMPORARY TABLE names (LIKE public.names)",
    ):
        with pytest.raises(psycopg.errors.RestrictViolation, match="next number"):
            run(direct_url, disguise, GAP)
    for statement in (
        "DELETE FROM public.revisions",
        "UPDATE public.renames SET number = 1",
        "TRUNCATE public.workloads",
    ):
        with pytest.raises(psycopg.Error):
            run(direct_url, "SET search_path = ''", statement)


def test_a_restore_of_the_data_alone_keeps_the_triggers_working(
    postgres: PostgresServer, migrated_postgres_template: str, direct_url: str
) -> None:
    with Catalog.open(direct_url) as catalog:
        record_something_of_everything(catalog)
        archive = archive_of(catalog)
    everything_else = ("openg2g_schema_version", "catalog_info")
    rows = postgres.dump(direct_url, "--data-only", *(f"--exclude-table={table}" for table in everything_else))
    assert "set_config('search_path', ''" in rows
    with postgres.database(template=migrated_postgres_template) as url:
        postgres.restore(url, rows)
        with Catalog.open(url) as restored:
            require_right(restored, archive)
