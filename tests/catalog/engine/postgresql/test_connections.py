"""Connections to a server: as few as can be, and new ones where the old ones are gone."""

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import event

from openg2g.catalog import Catalog, CatalogUnavailableError, RevisionDraft
from openg2g.catalog.archive.copying import copy_catalog, import_archive_files
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import compare_definitions
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.migrate import downgrade, upgrade
from openg2g.catalog.upkeep.verify import verify_database
from tests.builders import make_workload, published_fleet
from tests.catalog.engine.postgresql.cutting_proxy import CuttingProxy
from tests.catalog.histories import archive_of, record_something_of_everything
from tests.pgbouncer import Mode, PgBouncer
from tests.postgres import PostgresServer

READS: dict[str, Callable[[Catalog], Any]] = {
    "load": lambda catalog: catalog.load("fleet@1"),
    "get": lambda catalog: catalog.get("fleet@production"),
    "history": lambda catalog: catalog.history("fleet"),
    "log": lambda catalog: list(catalog.log()),
    "list_names": lambda catalog: catalog.list_names(),
    "iter_latest": lambda catalog: list(catalog.iter_latest(with_retired=True)),
    "search": lambda catalog: list(catalog.search("total_gpus > 1")),
    "count_hits": lambda catalog: catalog.count_hits("total_gpus > 1"),
    "aliases": lambda catalog: catalog.aliases("fleet"),
    "tags": lambda catalog: catalog.tags("fleet"),
    "count": lambda catalog: catalog.count(),
    "list_models": lambda catalog: list(catalog.iter_models()),
    "statistics": lambda catalog: catalog.statistics(by="author"),
    "audit": lambda catalog: catalog.audit("total_gpus < 4800"),
    "archive": archive_of,
    "verify": lambda catalog: verify_database(catalog.database),
    "check": lambda catalog: catalog.database.read(compare_definitions).lines,
    "version": lambda catalog: catalog.database.engine_version(),
}
WRITES: dict[str, Callable[[Catalog], object]] = {
    "save": lambda catalog: catalog.save("site", make_workload(4)),
    "save_many": lambda catalog: catalog.save_many(iter([RevisionDraft("site", make_workload(4))])),
    "retire": lambda catalog: catalog.retire("fleet"),
    "rename": lambda catalog: catalog.rename("back", "moved"),
    "alias": lambda catalog: catalog.set_alias("fleet", "site", 1),
    "tag": lambda catalog: catalog.tag("fleet", {"site": "north"}),
}


def end_connections(url: str) -> None:
    """End every other connection to a database, as its administrator may at any time, and wait until they are gone."""
    others = "datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(f"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE {others}")


# As few as can be.


@pytest.fixture
def single_url(direct_url: str) -> Iterator[str]:
    """Give the place of a catalog that its role may have one connection to at a time."""
    yield from single_connection(direct_url)


def single_connection(url: str) -> Iterator[str]:
    """Make a role that owns a database and may have one connection; remove it at the end."""
    database = psycopg.conninfo.conninfo_to_dict(url)["dbname"]
    role = f"single_{database}"
    names = {"role": sql.Identifier(role), "database": sql.Identifier(str(database))}

    def run(*statements: str) -> None:
        with psycopg.connect(url, autocommit=True) as connection:
            for statement in statements:
                connection.execute(sql.SQL(statement).format(**names))  # type: ignore[arg-type]

    run(
        "CREATE ROLE {role} LOGIN CONNECTION LIMIT 1",
        "ALTER DATABASE {database} OWNER TO {role}",
        "GRANT ALL ON SCHEMA public TO {role}",
        "GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
    )
    yield url.replace("postgres:@", f"{role}:@")
    end_connections(url)
    run("REASSIGN OWNED BY {role} TO postgres", "DROP OWNED BY {role}", "DROP ROLE {role}")


def test_one_connection_is_enough_for_all_that_one_thread_does(single_url: str, tmp_path: Path) -> None:
    with Catalog.open(single_url) as catalog:
        record_something_of_everything(catalog)
        for read in READS.values():
            read(catalog)
        catalog.save("fleet", make_workload(4))
        for read in READS.values():
            read(catalog)
        for write in WRITES.values():
            write(catalog)
        (tmp_path / "archive.jsonl").write_bytes(archive_of(catalog))
        import_archive_files(catalog, [str(tmp_path / "archive.jsonl")])
        with Catalog.create(tmp_path / "copy.db") as copy:
            copy_catalog(catalog, copy)
            copy_catalog(copy, catalog)
            assert archive_of(copy) == archive_of(catalog)


def test_one_connection_is_enough_for_work_that_reads_while_it_writes(single_url: str) -> None:
    with Catalog.open(single_url) as catalog:
        catalog.save_many(RevisionDraft(f"fleet-{number}", make_workload(1 + number)) for number in range(5))
        saved = catalog.save_many(
            RevisionDraft(f"copy-of-{name}", catalog.load(name)) for name in catalog.list_names("fleet-*")
        )
        assert len(saved) == 5
        for revision in catalog.iter_latest("fleet-*"):
            catalog.tag(revision.name, {"gpus": str(revision.workload and revision.workload.total_gpus)})
        for revision in catalog.search("total_gpus > 0"):
            catalog.set_alias(revision.name, "found", revision.number)
        with catalog.writing() as writer:
            writer.append([RevisionDraft("fleet-0", make_workload(9))])
            assert catalog.load("fleet-1") == make_workload(2)
            assert len(catalog.list_names()) == 10
        with catalog.previewing() as writer:
            writer.append([RevisionDraft("fleet-0", make_workload(8))])
            assert [revision.name for revision in catalog.search("name == 'fleet-2'")] == ["fleet-2"]
        assert catalog.load("fleet-0") == make_workload(9)


def test_one_connection_is_enough_after_errors(single_url: str) -> None:
    with Catalog.open(single_url) as catalog:
        catalog.save("fleet", make_workload())
        for _ in range(3):
            with pytest.raises(LookupError):
                catalog.load("nobody")
            with pytest.raises(ValueError):
                catalog.save("not a name", make_workload())
            with pytest.raises(ZeroDivisionError), catalog.writing():
                raise ZeroDivisionError
            with pytest.raises(ZeroDivisionError), catalog.database.snapshot():
                raise ZeroDivisionError
        assert catalog.save("fleet", make_workload(3)).number == 2


def test_one_connection_is_enough_to_make_and_migrate_a_catalog(postgres: PostgresServer) -> None:
    with postgres.database() as url:
        for single_url in single_connection(url):
            Catalog.create(single_url).close()
            database = Database(locate(single_url))
            downgrade(database, "base")
            upgrade(database)
            assert database.read(compare_definitions).lines == []
            database.close()


def test_clients_as_many_as_server_connections_all_work(
    postgres: PostgresServer, pgbouncer: type[PgBouncer], direct_url: str
) -> None:
    with pgbouncer.running(postgres, "session", pool_size=5, query_wait_s=2) as pooler, ExitStack() as stack:
        catalogs = [stack.enter_context(Catalog.open(pooler.url(direct_url))) for _ in range(5)]
        for number, catalog in enumerate(catalogs):
            assert catalog.list_names() == [f"fleet-{earlier}" for earlier in range(number)]
            catalog.save(f"fleet-{number}", make_workload(1 + number))
        for catalog in catalogs:
            assert catalog.load("fleet-4") == make_workload(5)
            assert len(list(catalog.search("total_gpus > 0"))) == 5
        assert pooler.server_connections() == 5


def test_a_client_for_which_no_connection_is_free_is_told_so(
    postgres: PostgresServer, pgbouncer: type[PgBouncer], direct_url: str
) -> None:
    with pgbouncer.running(postgres, "session", pool_size=1, query_wait_s=1) as pooler:
        with psycopg.connect(pooler.url(direct_url)) as busy:
            busy.execute("SELECT 1")
            with pytest.raises(CatalogUnavailableError, match=r"no connection was free within \d+ s") as raised:
                Catalog.open(pooler.url(direct_url))
            assert "\n" not in str(raised.value)
        with Catalog.open(pooler.url(direct_url)) as catalog:
            assert catalog.list_names() == []


def test_a_writer_for_which_no_connection_is_free_is_told_so(
    postgres: PostgresServer, pgbouncer: type[PgBouncer], direct_url: str
) -> None:
    with ExitStack() as stack:
        pooler = stack.enter_context(pgbouncer.running(postgres, "transaction", pool_size=1, query_wait_s=1))
        catalog, other = (stack.enter_context(Catalog.open(pooler.url(direct_url))) for _ in range(2))
        with other.writing():
            for use in (lambda: catalog.save("fleet", make_workload()), lambda: catalog.load("fleet")):
                with pytest.raises(CatalogUnavailableError, match=r"no connection was free within \d+ s"):
                    use()
        assert catalog.save("fleet", make_workload()).number == 1


def test_a_server_whose_connections_are_all_taken_is_told_so(direct_url: str, single_url: str) -> None:
    with psycopg.connect(single_url) as busy:
        busy.execute("SELECT 1")
        with pytest.raises(CatalogUnavailableError, match=r"too many connections") as raised:
            Catalog.open(single_url)
        assert "\n" not in str(raised.value)


# New ones.


@pytest.fixture
def filled(direct_url: str) -> Iterator[Catalog]:
    """Open a catalog with something of everything, which has been read from and written to."""
    with Catalog.open(direct_url) as catalog:
        record_something_of_everything(catalog)
        for read in READS.values():
            read(catalog)
        yield catalog


def test_the_first_read_on_a_connection_that_was_ended_succeeds(filled: Catalog, direct_url: str) -> None:
    for name, read in READS.items():
        expected = read(filled)
        end_connections(direct_url)
        assert read(filled) == expected, name


@pytest.mark.parametrize("write", WRITES)
def test_the_first_write_on_a_connection_that_was_ended_succeeds(filled: Catalog, direct_url: str, write: str) -> None:
    before = filled.count()["revisions"]
    end_connections(direct_url)
    if write == "save_many":  # Its drafts are read once, but not before there is a connection.
        assert [revision.name for revision in filled.save_many(iter([RevisionDraft("site", make_workload(4))]))] == [
            "site"
        ]
    else:
        WRITES[write](filled)
    end_connections(direct_url)
    assert filled.count()["revisions"] == before + (write in ("save", "save_many", "retire"))
    assert verify_database(filled.database) == []


@pytest.mark.parametrize("is_pooled", [False, True], ids=["direct", "through a pooler"])
def test_a_catalog_that_was_restored_from_a_dump_meanwhile_is_read_anew(
    postgres: PostgresServer, pgbouncer: type[PgBouncer], migrated_postgres_template: str, is_pooled: bool
) -> None:
    name = f"restored_{is_pooled}".lower()
    url = postgres.create_database(name, migrated_postgres_template)
    with (
        pgbouncer.running(postgres, "transaction", pool_size=2) as pooler,
        Catalog.open(pooler.url(url) if is_pooled else url) as catalog,
    ):
        catalog.save("fleet", make_workload(1))
        dumped = postgres.dump(url)
        catalog.save("fleet", make_workload(1, num_replicas=222))
        assert catalog.load("fleet") == make_workload(1, num_replicas=222)
        with psycopg.connect(postgres.url("postgres"), autocommit=True) as administration:
            administration.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
        postgres.restore(postgres.create_database(name), dumped)
        with Catalog.open(url) as other:
            other.save("fleet", make_workload(1, num_replicas=3))
        assert catalog.load("fleet") == catalog.get("fleet").workload == make_workload(1, num_replicas=3)
        assert [r.workload for r in catalog.search("True")] == [make_workload(1, num_replicas=3)]


def test_a_verification_of_which_a_connection_is_ended_finds_no_damage(
    filled: Catalog, direct_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for statement_number in range(1, 12, 3):
        statements = iter(range(1, 1_000))

        def end(connection: object, *_: object, numbers: Iterator[int] = statements, n: int = statement_number) -> None:
            if next(numbers) == n:
                end_connections(direct_url)

        with Catalog.open(direct_url) as catalog:
            event.listen(catalog.database.engine, "before_cursor_execute", end)
            assert verify_database(catalog.database) == []


def test_an_iteration_goes_on_when_its_connection_was_ended(direct_url: str) -> None:
    names = [f"{number:04}" for number in range(1_100)]
    with Catalog.open(direct_url) as catalog:
        catalog.save_many(RevisionDraft(name, make_workload(1)) for name in names)
        begin: Sequence[Callable[[], Iterator[Any]]] = (
            catalog.log,
            catalog.iter_latest,
            lambda: catalog.search("total_gpus > 0"),
        )
        for begun in begin:
            revisions = begun()
            found = [next(revisions).name for _ in range(3)]
            end_connections(direct_url)
            assert sorted(found + [revision.name for revision in revisions]) == names


def test_a_connection_that_was_idle_for_too_long_is_replaced(direct_url: str) -> None:
    with psycopg.connect(direct_url, autocommit=True) as connection:
        name = sql.Identifier(connection.info.dbname)
        connection.execute(sql.SQL("ALTER DATABASE {} SET idle_session_timeout = '50ms'").format(name))
    with Catalog.open(direct_url) as catalog:
        catalog.save("fleet", published_fleet())
        time.sleep(0.3)
        assert catalog.load("fleet") == published_fleet()
        time.sleep(0.3)
        assert catalog.save("fleet", make_workload()).number == 2


@pytest.fixture
def proxy(direct_url: str) -> Iterator[CuttingProxy]:
    """Run a proxy in front of the catalog of `direct_url`."""
    with CuttingProxy.running(direct_url) as running:
        yield running


def test_a_connection_that_was_cut_on_the_way_is_replaced(proxy: CuttingProxy) -> None:
    with Catalog.open(proxy.url) as catalog:
        catalog.save("fleet", published_fleet())
        proxy.cut_all()
        assert catalog.load("fleet") == published_fleet()
        proxy.cut_all()
        assert catalog.save("fleet", make_workload()).number == 2
        proxy.cut_all()
        with catalog.database.snapshot() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM names").scalar() == 1
        proxy.cut_all()
        with catalog.writing() as writer:
            writer.append([RevisionDraft("site", make_workload())])
        assert catalog.list_names() == ["fleet", "site"]


def test_a_server_that_stays_away_is_told_and_found_again(proxy: CuttingProxy) -> None:
    with Catalog.open(proxy.url) as catalog:
        catalog.save("fleet", published_fleet())
        proxy.is_closed = True
        proxy.cut_all()
        for use in (lambda: catalog.load("fleet"), lambda: catalog.save("fleet", make_workload())):
            for _ in range(2):
                with pytest.raises(CatalogUnavailableError) as raised:
                    use()
                assert "\n" not in str(raised.value)
        proxy.is_closed = False
        assert catalog.load("fleet") == published_fleet()
        assert catalog.save("fleet", make_workload()).number == 2


@pytest.mark.parametrize("mode", ["transaction", "session"])
def test_a_pooler_that_was_started_again_is_found_again(
    postgres: PostgresServer, pgbouncer: type[PgBouncer], direct_url: str, mode: Mode
) -> None:
    with pgbouncer.running(postgres, mode) as pooler, Catalog.open(pooler.url(direct_url)) as catalog:
        catalog.save("fleet", published_fleet())
        pooler.kill()
        with pytest.raises(CatalogUnavailableError) as raised:
            catalog.load("fleet")
        assert "\n" not in str(raised.value)
        pooler.start_again()
        assert catalog.load("fleet") == published_fleet()
        pooler.kill()
        pooler.start_again()
        assert catalog.save("fleet", make_workload()).number == 2
        pooler.kill()
        pooler.start_again()
        assert catalog.load("fleet@1") == published_fleet()
