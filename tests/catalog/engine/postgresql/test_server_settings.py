"""Whatever a server, database, role, URL or environment sets: the catalog's answers stay what they are."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import psycopg
import pytest
from psycopg import sql

from openg2g.catalog import Catalog, CatalogError, CatalogReadOnlyError, NotACatalogError, Revision
from openg2g.catalog.archive.copying import import_archive_files
from openg2g.catalog.engine.definitions import compare_definitions
from openg2g.catalog.upkeep.verify import verify_database
from tests.builders import make_workload, published_fleet
from tests.catalog.histories import archive_of, record_something_of_everything
from tests.pgbouncer import PgBouncer
from tests.postgres import PostgresServer

SETTINGS = [
    ("bytea_output", "escape"),
    ("client_encoding", "LATIN1"),
    ("client_encoding", "SQL_ASCII"),
    ("client_encoding", "EUC_JP"),
    ("datestyle", "SQL, DMY"),
    ("datestyle", "German"),
    ("datestyle", "Postgres, MDY"),
    ("default_transaction_isolation", "repeatable read"),
    ("default_transaction_isolation", "serializable"),
    ("default_transaction_deferrable", "on"),
    ("extra_float_digits", "-15"),
    ("intervalstyle", "sql_standard"),
    ("lock_timeout", "1"),
    ("quote_all_identifiers", "on"),
    ("row_security", "off"),
    ("search_path", ""),
    ("search_path", "nowhere"),
    ("search_path", "pg_catalog, pg_temp"),
    ("standard_conforming_strings", "off"),
    ("timezone", "America/Santiago"),
    ("timezone", "Asia/Kathmandu"),
    ("transform_null_equals", "on"),
]
IN_ONE = {
    "bytea_output": "escape",
    "datestyle": "German",
    "default_transaction_isolation": "serializable",
    "extra_float_digits": "-15",
    "intervalstyle": "sql_standard",
    "search_path": "",
    "standard_conforming_strings": "off",
    "timezone": "America/Santiago",
}
ENVIRONMENTS = {
    "PGOPTIONS": "-c datestyle=German -c timezone=Asia/Tokyo -c extra_float_digits=-15 -c search_path=nowhere",
    "PGCLIENTENCODING": "SQL_ASCII",
    "PGDATESTYLE": "SQL, DMY",
    "PGTZ": "Asia/Kathmandu",
}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Write the archive of a catalog that has something of everything."""
    directory = tmp_path_factory.mktemp("archive")
    with Catalog.create(directory / "source.db") as source:
        record_something_of_everything(source)
        (directory / "archive.jsonl").write_bytes(archive_of(source))
    return directory / "archive.jsonl"


def require_right_answers(url: str, archive: Path) -> None:
    """Write everything, read everything, and save as usual."""
    content = archive.read_bytes()
    with Catalog.open(url) as catalog:
        import_archive_files(catalog, [str(archive)])
        assert archive_of(catalog) == content
        assert verify_database(catalog.database) == []
        assert catalog.database.read(compare_definitions).lines == []
        assert catalog.load("fleet@1") == published_fleet()
        assert catalog.load("fleet@2026-03-01") == published_fleet()
        assert [revision.name for revision in catalog.search("name == 'back' and total_gpus == 400")] == ["back"]
        saved = save_with_difficult_texts(catalog)
        assert catalog.get("Größe") == saved
        assert next(catalog.log()) == saved
        again = archive_of(catalog)
    with Catalog.open(url) as catalog:
        assert archive_of(catalog) == again
        assert catalog.get("Größe").workload == saved.workload


def save_with_difficult_texts(catalog: Catalog) -> Revision:
    """Save what other encodings, quotes and roundings would change."""
    workload = make_workload(1, itl_deadline_s=0.1 + 0.2, model_label="模型-𝕏")
    return catalog.save("Größe", workload, message="it's \\ 'quoted' – Ω", author="Žofie")


@pytest.fixture
def set_for_database(direct_url: str) -> Iterator[psycopg.Connection[tuple[object, ...]]]:
    """Connect the driver itself, to change what holds for every connection that comes after."""
    with psycopg.connect(direct_url, autocommit=True) as connection:
        yield connection


def set_for(connection: psycopg.Connection[tuple[object, ...]], what: sql.Composable, name: str, value: str) -> None:
    literal = sql.SQL(value) if name == "search_path" and value else sql.Literal(value)
    connection.execute(sql.SQL("ALTER {} SET {} = {}").format(what, sql.Identifier(name), literal))


def database_of(connection: psycopg.Connection[tuple[object, ...]]) -> sql.Composable:
    return sql.SQL("DATABASE {}").format(sql.Identifier(connection.info.dbname))


# Answers.


@pytest.mark.parametrize(("name", "value"), SETTINGS)
def test_a_setting_of_the_database_changes_no_answer(
    set_for_database: psycopg.Connection[tuple[object, ...]], direct_url: str, archive: Path, name: str, value: str
) -> None:
    set_for(set_for_database, database_of(set_for_database), name, value)
    require_right_answers(direct_url, archive)


def test_settings_of_a_role_change_no_answer(
    set_for_database: psycopg.Connection[tuple[object, ...]], direct_url: str, archive: Path
) -> None:
    role = sql.Identifier(f"role_of_{set_for_database.info.dbname}")
    set_for_database.execute(sql.SQL("CREATE ROLE {} LOGIN SUPERUSER").format(role))
    try:
        for name, value in (IN_ONE | {"client_encoding": "LATIN1"}).items():
            set_for(set_for_database, sql.SQL("ROLE {}").format(role), name, value)
        require_right_answers(direct_url.replace("postgres:@", f"role_of_{set_for_database.info.dbname}:@"), archive)
    finally:
        set_for_database.execute(sql.SQL("DROP ROLE {}").format(role))


@pytest.mark.parametrize(
    "option",
    [
        "client_encoding=SQL_ASCII",
        "options=" + quote("-c datestyle=German -c timezone=Asia/Tokyo -c search_path=nowhere"),
    ],
)
def test_settings_of_the_url_change_no_answer(direct_url: str, archive: Path, option: str) -> None:
    require_right_answers(f"{direct_url}&{option}", archive)


@pytest.mark.parametrize("variable", ENVIRONMENTS)
def test_settings_of_the_environment_change_no_answer(
    direct_url: str, archive: Path, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    monkeypatch.setenv(variable, ENVIRONMENTS[variable])
    require_right_answers(direct_url, archive)


@pytest.mark.parametrize("encoding", ["LATIN1", "SQL_ASCII"])
def test_settings_change_no_answer_behind_a_pooler(
    set_for_database: psycopg.Connection[tuple[object, ...]],
    pooler: PgBouncer,
    direct_url: str,
    archive: Path,
    monkeypatch: pytest.MonkeyPatch,
    encoding: str,
) -> None:
    for name, value in (IN_ONE | {"client_encoding": encoding}).items():
        set_for(set_for_database, database_of(set_for_database), name, value)
    monkeypatch.setenv("PGCLIENTENCODING", encoding)
    monkeypatch.setenv("PGDATESTYLE", "SQL, DMY")
    monkeypatch.setenv("PGTZ", "Asia/Kathmandu")
    require_right_answers(pooler.url(direct_url), archive)


def test_a_catalog_is_made_whatever_is_set(postgres: PostgresServer, archive: Path) -> None:
    with postgres.database() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            for name, value in (IN_ONE | {"client_encoding": "LATIN1", "search_path": '"$user", public'}).items():
                set_for(connection, database_of(connection), name, value)
        Catalog.create(url).close()
        require_right_answers(url, archive)


def test_a_database_that_may_only_be_read_is_read_and_says_so(
    set_for_database: psycopg.Connection[tuple[object, ...]], direct_url: str
) -> None:
    with Catalog.open(direct_url) as catalog:
        record_something_of_everything(catalog)
        archive = archive_of(catalog)
    set_for(set_for_database, database_of(set_for_database), "default_transaction_read_only", "on")
    with Catalog.open(direct_url) as catalog:
        assert archive_of(catalog) == archive
        assert verify_database(catalog.database) == []
        with pytest.raises(CatalogReadOnlyError, match="may only be read"):
            catalog.save("fleet", make_workload(7))


# Encodings.


@pytest.fixture(params=["LATIN1", "SQL_ASCII"])
def other_encoding_url(request: pytest.FixtureRequest, postgres: PostgresServer) -> Iterator[str]:
    """Give a database whose encoding cannot hold every text."""
    with postgres.database() as url, psycopg.connect(postgres.url("postgres"), autocommit=True) as connection:
        name = sql.Identifier(f"{psycopg.conninfo.conninfo_to_dict(url)['dbname']}_encoded")
        connection.execute(
            sql.SQL("CREATE DATABASE {} ENCODING {} LOCALE 'C' TEMPLATE template0").format(
                name, sql.Literal(request.param)
            )
        )
        yield url.replace("?", "_encoded?")
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def test_a_database_whose_encoding_cannot_hold_every_text_is_refused(other_encoding_url: str) -> None:
    for use in (Catalog.create, Catalog.open):
        with pytest.raises(NotACatalogError, match="encoding UTF8") as raised:
            use(other_encoding_url)
        assert "\n" not in str(raised.value)
    with psycopg.connect(other_encoding_url, client_encoding="utf8") as connection:
        tables = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'").fetchall()
    assert tables == []


def test_triggers_refuse_a_gap_whatever_role_of_replication_is_set(
    set_for_database: psycopg.Connection[tuple[object, ...]], direct_url: str
) -> None:
    with Catalog.open(direct_url) as catalog:
        catalog.save("fleet", make_workload())
    set_for(set_for_database, database_of(set_for_database), "session_replication_role", "replica")
    with (
        Catalog.open(direct_url) as catalog,
        pytest.raises(CatalogError, match="revisions is append-only"),
        catalog.database.writing() as connection,
    ):
        connection.exec_driver_sql("DELETE FROM revisions")
