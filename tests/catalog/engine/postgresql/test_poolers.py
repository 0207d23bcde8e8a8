"""A catalog behind PgBouncer: clients that share server connections get their own answers, complete and right."""

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection

from openg2g.catalog import Catalog, CatalogError, CatalogLockedError, LocationError, RevisionDraft
from openg2g.catalog.archive.copying import copy_catalog, import_archive_files
from openg2g.catalog.engine import waiting
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import compare_definitions
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.migrate import downgrade, upgrade
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, find_schema_revision
from openg2g.catalog.upkeep.verify import verify_database
from openg2g.models.digest import workload_digest
from tests.builders import make_workload, published_fleet
from tests.catalog.engine.processes import create_catalog, run_at_once
from tests.catalog.histories import archive_of, record_something_of_everything
from tests.pgbouncer import PgBouncer
from tests.postgres import PostgresServer

SETTINGS = {
    "bytea_output": "escape",
    "client_encoding": "LATIN1",
    "datestyle": "German",
    "default_transaction_isolation": "serializable",
    "default_transaction_read_only": "on",
    "extra_float_digits": "-15",
    "intervalstyle": "sql_standard",
    "lock_timeout": "1ms",
    "row_security": "off",
    "search_path": "pg_temp",
    "session_replication_role": "replica",
    "standard_conforming_strings": "off",
    "synchronous_commit": "off",
    "timezone": "Asia/Kathmandu",
    "transform_null_equals": "on",
}
"""What other clients set for their session, which in transaction mode is everybody's."""


def plain_client(url: str) -> psycopg.Connection[tuple[object, ...]]:
    """Connect as a program that knows how to behave behind a pooler."""
    return psycopg.connect(url, autocommit=True, prepare_threshold=None)


@contextmanager
def shared(url: str, count: int) -> Iterator[list[Catalog]]:
    """Open a catalog several times."""
    catalogs = [Catalog.open(url) for _ in range(count)]
    try:
        yield catalogs
    finally:
        for catalog in catalogs:
            catalog.close()


# Answers.


def test_a_catalog_behind_a_pooler_answers_as_one_without(direct_url: str, pooled_url: str, tmp_path: Path) -> None:
    with Catalog.open(direct_url) as direct, Catalog.open(pooled_url) as pooled:
        record_something_of_everything(pooled)
        assert archive_of(pooled) == archive_of(direct)
        assert verify_database(pooled.database) == verify_database(direct.database) == []
        for name in direct.list_names():
            assert pooled.history(name) == direct.history(name)
            assert pooled.alias_log(name) == direct.alias_log(name)
            assert pooled.tags(name) == direct.tags(name)
        assert list(pooled.log()) == list(direct.log())
        assert list(pooled.iter_latest(with_retired=True)) == list(direct.iter_latest(with_retired=True))
        assert list(pooled.search("total_gpus > 1")) == list(direct.search("total_gpus > 1")) != []
        assert pooled.count() == direct.count()
        assert list(pooled.iter_models()) == list(direct.iter_models())
        assert pooled.statistics(by="author") == direct.statistics(by="author") != []
        assert pooled.audit("total_gpus < 4800") == direct.audit("total_gpus < 4800") != []
        assert pooled.to_dataframe("True", library="polars").equals(direct.to_dataframe("True", library="polars"))
        with Catalog.create(tmp_path / "copy.db") as copy:
            copy_catalog(pooled, copy)
            assert archive_of(copy) == archive_of(direct)


def test_a_catalog_is_made_filled_and_migrated_through_a_pooler(
    postgres: PostgresServer, pooler: PgBouncer, direct_url: str, tmp_path: Path
) -> None:
    path = tmp_path / "archive.jsonl"
    with Catalog.open(direct_url) as source:
        record_something_of_everything(source)
        path.write_bytes(archive_of(source))
    with postgres.database() as direct:
        url = pooler.url(direct)
        assert run_at_once(create_catalog, [(url,)] * 3) == [str(locate(url))] * 3
        with Catalog.create(url) as catalog:
            import_archive_files(catalog, [str(path)])
            assert archive_of(catalog) == path.read_bytes()
            assert catalog.database.read(compare_definitions).lines == []
        with postgres.database() as empty:
            database = Database(locate(pooler.url(empty)))
            upgrade(database)
            downgrade(database, "base")
            assert find_schema_revision(database) is None
            upgrade(database)
            assert find_schema_revision(database) == SCHEMA_HEAD
            database.close()


def test_clients_that_take_turns_on_one_connection_get_their_own_answers(narrow_url: str) -> None:
    fleets = {f"fleet-{number}": make_workload(1 + number % 3, initial_batch_size=1 + number) for number in range(20)}
    with shared(narrow_url, 3) as (first, second, third):
        first.save("fleet", published_fleet())
        second.save_many([RevisionDraft(name, workload) for name, workload in fleets.items()])
        for _ in range(7):  # A driver prepares a statement when it has seen it often enough.
            assert second.list_names("fleet") == ["fleet"]
        for name, workload in fleets.items():
            assert first.load("fleet").total_gpus == 4800
            assert workload_digest(second.load(name)) == workload_digest(workload)
            assert third.get(name).workload == workload
            assert [revision.name for revision in third.search(f"name == '{name}'")] == [name]
            assert len(first.history(name)) == 1
        for turn in range(7):
            for number, catalog in enumerate((first, second, third)):
                catalog.save("shared", make_workload(2, initial_batch_size=1 + 3 * turn + number))
        assert [revision.number for revision in first.history("shared")] == list(range(1, 22))
        assert verify_database(third.database) == []


def test_a_writer_behind_a_pooler_waits_for_another_and_gives_up(
    pooled_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "LOCK_WAIT_S", 1.0)
    with shared(pooled_url, 2) as (first, second):
        with first.writing() as writer:
            writer.append([RevisionDraft("fleet", make_workload(1))])
            with pytest.raises(CatalogLockedError, match="is locked by another"):
                second.save("fleet", make_workload(2))
            assert second.list_names() == []
        assert second.save("fleet", make_workload(2)).number == 2


# Settings and what else a session holds.


@pytest.mark.parametrize("setting", SETTINGS)
def test_what_another_client_sets_changes_nothing(narrow_url: str, setting: str) -> None:
    with Catalog.open(narrow_url) as catalog, plain_client(narrow_url) as rude:
        assert catalog.list_names() == []
        rude.execute(sql.SQL("SET {} = {}").format(sql.Identifier(setting), sql.Literal(SETTINGS[setting])))
        record_something_of_everything(catalog)
        assert catalog.load("fleet@1") == published_fleet()
        assert [revision.name for revision in catalog.search("name == 'back'")] == ["back"]
        assert verify_database(catalog.database) == []
        archive = archive_of(catalog)
        with Catalog.open(narrow_url) as another:
            assert archive_of(another) == archive
        rude.execute(sql.SQL("RESET {}").format(sql.Identifier(setting)))
        assert archive_of(catalog) == archive


def test_what_another_client_sets_holds_in_no_transaction(narrow_url: str) -> None:
    of_ours = SETTINGS.keys() - {"default_transaction_read_only"}  # Each transaction says what it is.
    names = [*of_ours, "statement_timeout", "idle_in_transaction_session_timeout", "transaction_read_only"]

    def seen(connection: Connection) -> list[object]:
        return [connection.exec_driver_sql(f"SHOW {name}").scalar() for name in names]

    with Catalog.open(narrow_url) as catalog:
        with catalog.database.writing() as connection:
            before = seen(connection)
        with plain_client(narrow_url) as client:
            for name, value in SETTINGS.items():
                client.execute(sql.SQL("SET {} = {}").format(sql.Identifier(name), sql.Literal(value)))
        for begin in (catalog.database.writing, catalog.database.reading, catalog.database.snapshot):
            with begin() as connection:
                assert seen(connection) == before


def test_a_lock_is_waited_for_though_another_client_has_no_patience(narrow_url: str, direct_url: str) -> None:
    with Catalog.open(narrow_url) as catalog, plain_client(narrow_url) as rude, ThreadPoolExecutor(1) as pool:
        catalog.save("fleet", make_workload(1))
        rude.execute("SET lock_timeout = '1ms'")
        with Catalog.open(direct_url) as other, other.writing() as writer:
            writer.append([RevisionDraft("fleet", make_workload(2))])
            saving = pool.submit(catalog.save, "fleet", make_workload(3))
            time.sleep(0.5)
            assert not saving.done()
        assert saving.result(timeout=30).number == 3


def test_nothing_of_a_catalog_is_left_to_other_clients(narrow_url: str) -> None:
    shown = sql.SQL(  # Those of plpgsql are loaded with its first function.
        "SELECT name, setting FROM pg_settings "
        "WHERE name <> 'application_name' AND name NOT LIKE 'plpgsql.%' ORDER BY name"
    )
    left = (
        "SELECT (SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_cursors),"
        " (SELECT count(*) FROM pg_locks WHERE locktype IN ('advisory', 'relation') AND pid = pg_backend_pid()"
        " AND NOT relation::regclass::text LIKE 'pg\\_%'),"
        " (SELECT count(*) FROM pg_class WHERE relpersistence = 't')"
    )
    with plain_client(narrow_url) as client:
        before = client.execute(shown).fetchall()
        with Catalog.open(narrow_url) as catalog:
            record_something_of_everything(catalog)
            for _ in range(7):
                catalog.load("fleet")
                assert list(catalog.search("total_gpus > 1")) != []
            archive_of(catalog)
            assert verify_database(catalog.database) == []
            with pytest.raises(CatalogError):
                catalog.save("fleet", make_workload(4), expect=99)
            assert client.execute(shown).fetchall() == before
            assert client.execute(left).fetchall() == [(0, 0, 0, 0)]
        assert client.execute(shown).fetchall() == before


# Modes and options.


@pytest.mark.parametrize("use", [Catalog.open, Catalog.create])
def test_a_pooler_in_statement_mode_is_refused_in_one_line(
    postgres: PostgresServer, pgbouncer: type[PgBouncer], direct_url: str, use: Callable[[str], Catalog]
) -> None:
    with pgbouncer.running(postgres, "statement") as pooler:
        with pytest.raises(CatalogError, match="pool_mode") as raised:
            use(pooler.url(direct_url))
        assert "\n" not in str(raised.value)


def are_statements_prepared(url: str) -> bool:
    """Whether the server has prepared statements for a connection that has been used."""
    with Catalog.open(url) as catalog:
        for number in range(1, 13):
            catalog.save("fleet", make_workload(2, initial_batch_size=number))
            assert catalog.load("fleet") == make_workload(2, initial_batch_size=number)
        query = "SELECT count(*) > 0 FROM pg_prepared_statements"
        return bool(catalog.database.read(lambda connection: connection.exec_driver_sql(query).scalar()))


@pytest.mark.parametrize(
    ("option", "are_prepared"), [("", True), ("&prepared_statements=off", False), ("&prepared_statements=on", True)]
)
def test_a_direct_connection_has_prepared_statements_unless_the_url_says_otherwise(
    direct_url: str, option: str, are_prepared: bool
) -> None:
    assert are_statements_prepared(direct_url + option) == are_prepared


@pytest.mark.parametrize("option", ["", "&prepared_statements=off"])
def test_a_connection_through_a_pooler_has_none(pooled_url: str, option: str) -> None:
    assert not are_statements_prepared(pooled_url + option)


def test_the_url_option_is_on_or_off(direct_url: str) -> None:
    with pytest.raises(LocationError, match=r"prepared_statements.* on or off") as raised:
        Catalog.open(f"{direct_url}&prepared_statements=perhaps")
    assert "\n" not in str(raised.value)
