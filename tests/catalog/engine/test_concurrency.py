"""Several processes and threads on one catalog: nothing lost, nothing twice, nothing half."""

import signal
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from openg2g.catalog import Catalog, CatalogLockedError, Revision, WorkloadNotFoundError
from openg2g.catalog.engine import waiting
from openg2g.catalog.schema.metadata import CATALOG_TABLES
from tests.builders import make_draft, make_workload
from tests.catalog.engine.processes import (
    hold_write_lock,
    received,
    running,
    save_without_end,
)
from tests.catalog.plain_sql import PlainSql


def test_a_writer_waits_for_another_and_then_succeeds(catalog: Catalog, database_url: str) -> None:
    with running(hold_write_lock, database_url) as (holder, receiver), ThreadPoolExecutor(1) as pool:
        assert received(receiver) == "holding"
        saving = pool.submit(catalog.save, "fleet", make_workload(2), author="waiter")
        time.sleep(0.6)  # Longer than SQLite's own busy wait.
        assert not saving.done()
        with Catalog.open(database_url) as reader:  # Readers wait for nobody, and see nothing of it.
            assert reader.list_names() == []
        receiver.send("commit")
        assert saving.result(timeout=30).number == 2
        holder.join(30)
        assert holder.exitcode == 0
    assert [(entry.number, entry.author) for entry in catalog.history("fleet")] == [(1, "holder"), (2, "waiter")]


def test_a_writer_gives_up_where_another_keeps_the_lock(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "LOCK_WAIT_S", 1.0)
    with running(hold_write_lock, database_url) as (_, receiver), Catalog.open(database_url) as catalog:
        assert received(receiver) == "holding"
        started = time.monotonic()
        with pytest.raises(
            CatalogLockedError, match=r"is locked by another .* Try again when it has finished"
        ) as caught:
            catalog.save("fleet", make_workload(2))
        assert 0.9 < time.monotonic() - started < 10
        assert isinstance(caught.value, TimeoutError)
        receiver.send("commit")
        while catalog.list_names() == []:
            time.sleep(0.05)
        assert catalog.save("fleet", make_workload(2)).number == 2  # The same catalog works on.


def test_a_commit_waits_for_readers(database_url: str) -> None:
    with Catalog.open(database_url) as catalog, PlainSql(database_url) as sql, ThreadPoolExecutor(1) as pool:
        sql.run("BEGIN")
        assert sql.run("SELECT count(*) FROM names") == [(0,)]  # On SQLite this holds a lock until the end.
        saving = pool.submit(catalog.save, "fleet", make_workload())
        if sql.engine == "sqlite":
            time.sleep(0.6)
            assert not saving.done()
            sql.run("ROLLBACK")
        assert saving.result(timeout=30).number == 1  # On Postgres, no reader holds a writer up.


def test_a_process_killed_in_the_middle_of_saving_leaves_nothing(catalog: Catalog, database_url: str) -> None:
    catalog.save("fleet", make_workload())
    with PlainSql(database_url) as sql:
        before = sql.dump(CATALOG_TABLES)
        with running(save_without_end, database_url) as (process, receiver):
            assert received(receiver) == "in the middle"
            process.kill()
            process.join(30)
            assert process.exitcode == -signal.SIGKILL
        assert sql.dump(CATALOG_TABLES) == before
        assert catalog.list_names() == ["fleet"]
        saved = catalog.save_many([make_draft("sweep/0"), make_draft("fleet", workload=make_workload(5))])
        assert [revision.reference for revision in saved] == ["sweep/0@1", "fleet@2"]


def test_threads_share_one_catalog(catalog: Catalog) -> None:
    barrier = threading.Barrier(6)

    def save_and_read(worker: int) -> list[Revision]:
        barrier.wait(30)
        saved = []
        for index in range(10):
            workload = make_workload(2, initial_batch_size=1 + worker * 10 + index)
            revision = catalog.save("fleet", workload)
            assert catalog.get(revision.reference) == revision
            assert catalog.load(revision.digest) == workload
            assert catalog.get("fleet").number >= revision.number
            saved.append(revision)
        return saved

    with ThreadPoolExecutor(6) as pool:
        saved = [revision for found in pool.map(save_and_read, range(6)) for revision in found]
    assert sorted(revision.number for revision in saved) == list(range(1, 61))
    assert catalog.history("fleet") == sorted(saved, key=lambda revision: revision.number)


def test_an_error_in_a_write_transaction_frees_the_lock_and_leaves_nothing(catalog: Catalog) -> None:
    def fail_after_writing() -> None:
        with catalog.writing() as writer:
            writer.append([make_draft("fleet")])
            raise ZeroDivisionError

    for _ in range(20):  # More often than there are connections in the pool.
        with pytest.raises(ZeroDivisionError):
            fail_after_writing()
    with pytest.raises(WorkloadNotFoundError):
        catalog.load("fleet")
    assert catalog.save("fleet", make_workload()).number == 1
