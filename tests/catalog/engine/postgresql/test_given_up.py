"""Transactions that PostgreSQL gives up, and commits whose answer is lost: done again, or found to be done."""

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from openg2g.catalog import Catalog, CatalogLockedError, CatalogUnavailableError, RevisionDraft, UnknownOutcomeError
from openg2g.catalog.archive.copying import copy_catalog
from openg2g.catalog.engine.commit import last_appended, was_committed
from openg2g.catalog.upkeep.verify import verify_database
from openg2g.formats.document import Document
from openg2g.formats.files import write_documents
from tests.builders import make_workload
from tests.catalog.engine.postgresql.cutting_proxy import CuttingProxy
from tests.postgres import PostgresServer

ALWAYS = 1_000
GIVEN_UP = {
    "serialization failure": "RAISE EXCEPTION 'made for a test' USING ERRCODE = '40001'",
    "deadlock": "RAISE EXCEPTION 'made for a test' USING ERRCODE = '40P01'",
    "lost connection": "PERFORM pg_terminate_backend(pg_backend_pid())",
}


@pytest.fixture
def url(postgres: PostgresServer, migrated_postgres_template: str) -> Iterator[str]:
    """Give the place of an empty catalog on PostgreSQL."""
    with postgres.database(template=migrated_postgres_template) as url:
        yield url


@pytest.fixture
def proxy(url: str) -> Iterator[CuttingProxy]:
    """Run a proxy in front of the catalog."""
    with CuttingProxy.running(url) as proxy:
        yield proxy


def give_up(url: str, what: str, times: int, table: str = "revisions") -> None:
    """Let the server give up the next so many inserts into a table; a sequence counts, which no rollback undoes."""
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE SEQUENCE given_up")
        connection.execute(
            "CREATE FUNCTION give_up() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
            f"IF nextval('given_up') <= {times} THEN {GIVEN_UP[what]}; END IF; RETURN NEW; END $$"
        )
        connection.execute(
            f"CREATE TRIGGER give_up BEFORE INSERT ON {table} FOR EACH STATEMENT EXECUTE FUNCTION give_up()"
        )


def attempts(url: str) -> int:
    """Count how often the server was asked."""
    with psycopg.connect(url) as connection:
        row = connection.execute("SELECT last_value FROM given_up").fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("what", GIVEN_UP)
def test_a_save_that_is_given_up_is_done_again_as_a_whole(url: str, what: str) -> None:
    with Catalog.open(url) as catalog:
        give_up(url, what, times=2)
        revision = catalog.save("fleet", make_workload(), message="first")
        assert (revision.number, revision.is_new, attempts(url)) == (1, True, 3)
        assert [entry.message for entry in catalog.history("fleet")] == ["first"]
        assert [problem.partition(" is ")[0] for problem in verify_database(catalog.database)] == [
            "the trigger give_up of revisions"
        ]


@pytest.mark.parametrize(
    ("what", "error"), [("deadlock", CatalogLockedError), ("lost connection", CatalogUnavailableError)]
)
def test_a_save_is_not_done_again_for_ever(url: str, what: str, error: type[Exception]) -> None:
    with Catalog.open(url) as catalog:
        give_up(url, what, times=ALWAYS)
        with pytest.raises(error):
            catalog.save("fleet", make_workload())
        assert attempts(url) == 5
        assert catalog.count()["names"] == 0


CHANGES: dict[str, Callable[[Catalog], object]] = {
    "alias_moves": lambda catalog: catalog.set_alias("fleet", "production"),
    "tags": lambda catalog: catalog.tag("fleet", {"team": "grid"}),
    "renames": lambda catalog: catalog.rename("fleet", "site"),
    "revisions": lambda catalog: catalog.retire("fleet"),
}


@pytest.mark.parametrize("table", CHANGES)
def test_every_change_of_a_name_is_done_again_too(url: str, table: str) -> None:
    with Catalog.open(url) as catalog:
        catalog.save("fleet", make_workload())
        give_up(url, "serialization failure", times=1, table=table)
        CHANGES[table](catalog)
        assert attempts(url) == 2
        name = "site" if table == "renames" else "fleet"
        assert catalog.aliases(name) == ({"production": 1} if table == "alias_moves" else {})
        assert len(catalog.alias_log(name)) == (table == "alias_moves")
        assert catalog.tags(name) == ({"team": "grid"} if table == "tags" else {})
        assert len(catalog.history(name)) == (2 if table == "revisions" else 1)


def test_a_connection_that_is_lost_in_the_middle_of_many_rows_is_told_in_one_line(url: str, tmp_path: Path) -> None:
    with psycopg.connect(url, autocommit=True) as connection:  # An index of somebody else is left alone.
        connection.execute(
            "CREATE FUNCTION lose(text) RETURNS text IMMUTABLE LANGUAGE plpgsql "
            f"AS $$ BEGIN {GIVEN_UP['lost connection']}; RETURN $1; END $$"
        )
        connection.execute("CREATE INDEX lost ON revisions (lose(author))")
    path = str(tmp_path / "sweep.jsonl")
    much = {"note": "long " * 500}  # More than what is sent before the driver looks for an answer.
    documents = (Document(make_workload(), name=f"sweep/{number}", annotations=much) for number in range(2_000))
    write_documents(documents, path, None, replace=False)
    command = [sys.executable, "-c", "from openg2g.cli.main import main; main()", "import", path, "--database", url]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (result.returncode, result.stdout, result.stderr.count("\n")) == (5, "", 1), result
    assert "may only be read" not in result.stderr


def test_opening_catalogs_again_and_again_does_not_pile_up_handlers_of_logging(url: str) -> None:
    Catalog.open(url).close()
    before = list(logging.getLogger("psycopg").handlers)
    Catalog.open(url).close()
    assert logging.getLogger("psycopg").handlers == before


def test_drafts_that_can_be_read_only_once_are_saved_again(url: str) -> None:
    drafts = [RevisionDraft(f"sweep/{number}", make_workload()) for number in range(3)]
    with Catalog.open(url) as catalog:
        give_up(url, "deadlock", times=1)
        assert [revision.is_new for revision in catalog.save_many(iter(drafts))] == [True] * 3
        assert catalog.count()["names"] == 3


def test_a_commit_that_the_server_never_heard_of_is_done_again(proxy: CuttingProxy) -> None:
    with Catalog.open(proxy.url) as catalog:
        proxy.cuts_before = 2
        assert catalog.save("fleet", make_workload()).number == 1
        assert proxy.cuts_before == 0
        assert len(catalog.history("fleet")) == 1


def test_a_commit_whose_answer_is_lost_is_found_and_not_done_again(proxy: CuttingProxy) -> None:
    with Catalog.open(proxy.url) as catalog:
        proxy.cuts_after = 1
        revision = catalog.save("fleet", make_workload(), message="once", expect=0)
        assert (revision.number, revision.is_new, proxy.cuts_after) == (1, True, 0)
        proxy.cuts_after = 1
        catalog.save_many(iter([RevisionDraft("sweep", make_workload())]))
        assert (len(catalog.history("fleet")), len(catalog.history("sweep")), proxy.cuts_after) == (1, 1, 0)
        assert verify_database(catalog.database) == []


def test_a_commit_that_the_server_hears_of_late_is_waited_for(proxy: CuttingProxy) -> None:
    with Catalog.open(proxy.url) as catalog:
        proxy.cuts_after, proxy.delay_s = 1, 0.5
        revision = catalog.save("fleet", make_workload(), expect=0)
        assert (revision.number, revision.is_new, proxy.cuts_after) == (1, True, 0)
        assert len(catalog.history("fleet")) == 1


def test_a_commit_that_happened_is_found_while_another_writes(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("openg2g.catalog.engine.waiting.LOCK_WAIT_S", 1.0)
    monkeypatch.setattr("openg2g.catalog.engine.commit.ASKING_S", 0.1)
    with Catalog.open(url) as catalog, Catalog.open(url) as other:
        with catalog.writing() as writer:
            writer.append([RevisionDraft("fleet", make_workload())])
            row = last_appended(writer.connection)
        assert row is not None
        with other.writing():
            assert was_committed(catalog.database.reading, row, url)


def test_a_copy_whose_commit_did_not_happen_is_not_taken_for_another_that_adds_the_same(
    url: str, proxy: CuttingProxy, tmp_path: Path
) -> None:
    with Catalog.create(tmp_path / "source.db") as source, Catalog.open(url) as beside:
        source.save("site", make_workload())
        copy_catalog(source, beside)
        source.save("fleet", make_workload(3))
        source.retire("site")
        other = threading.Thread(target=copy_catalog, args=(source, beside, ["site@1"]))

        def let_the_other_be_next() -> None:
            other.start()
            with psycopg.connect(url, autocommit=True) as connection:
                while not connection.execute("SELECT 1 FROM pg_locks WHERE NOT granted").fetchone():
                    time.sleep(0.01)

        with Catalog.open(proxy.url) as target:
            proxy.cuts_before, proxy.at_cut = 1, let_the_other_be_next
            with pytest.raises(CatalogUnavailableError):
                copy_catalog(source, target)
            other.join()
            assert target.list_names() == ["site"]
            assert copy_catalog(source, target) == {"fleet": 1, "site": 0}


def test_a_transaction_whose_commit_did_not_happen_is_told_so(proxy: CuttingProxy) -> None:
    with Catalog.open(proxy.url) as catalog:
        proxy.cuts_before = 1
        with pytest.raises(CatalogUnavailableError) as raised, catalog.writing() as writer:
            writer.append([RevisionDraft("sweep", make_workload())])
        assert not isinstance(raised.value, UnknownOutcomeError)
        assert catalog.count()["names"] == 0


@pytest.mark.parametrize("cuts_before", [0, 1])
def test_nothing_is_done_again_where_nobody_can_be_asked(
    url: str, proxy: CuttingProxy, monkeypatch: pytest.MonkeyPatch, cuts_before: int
) -> None:
    monkeypatch.setattr("openg2g.catalog.engine.commit.ASKING_S", 0.5)
    with Catalog.open(proxy.url) as catalog:
        proxy.cuts_before, proxy.cuts_after, proxy.closes_with_answer = cuts_before, 1, True
        with pytest.raises(UnknownOutcomeError, match="whether it happened cannot be asked"):
            catalog.save("fleet", make_workload())
        assert (proxy.cuts_before, proxy.cuts_after) == (0, 0)
    with Catalog.open(url) as catalog:
        assert len(catalog.history("fleet")) == 1
