"""What programs do that fork while a catalog is open; each function is such a program, run by `run_alone`."""

import multiprocessing
import os
import pickle
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice

import pytest

from openg2g.catalog import Catalog, CatalogError, Revision, RevisionDraft
from openg2g.catalog.history import listing, log
from openg2g.catalog.search import search as searching
from openg2g.models.digest import workload_digest
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_workload

NAMES = 20
REFUSAL = r"\bfork(ed)?\b"
_FORK = multiprocessing.get_context("fork")
_opened: list[Catalog] = []


def workload_of(number: int) -> LLMInferenceWorkload:
    """The workload of a number; no other is the same."""
    return make_workload(1 + number % 3, initial_batch_size=1 + number)


def digests_of_names(catalog: Catalog) -> dict[str, str]:
    """Store the names, and return the digest of each; the driver has prepared what it prepares."""
    drafts = [RevisionDraft(f"fleet-{number}", workload_of(number), author="Ada") for number in range(NAMES)]
    catalog.save_many(drafts)
    digests = {draft.name: workload_digest(workload_of(number)) for number, draft in enumerate(drafts)}
    require_right(catalog, digests)
    return digests


def require_right(catalog: Catalog, digests: dict[str, str]) -> None:
    """Load every name and compare."""
    loaded = {name: workload_digest(catalog.load(name)) for name in digests}
    assert loaded == digests, {name: digest for name, digest in loaded.items() if digests[name] != digest}


def forked(work: Callable[[], object]) -> int:
    """Fork; the child does its work and exits as programs do, through every block that it is in."""
    pid = os.fork()
    if pid == 0:
        work()
        sys.exit(0)
    return pid


def join(*children: int) -> None:
    """Wait for children, which must end well."""
    for pid in children:
        exit_code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        assert exit_code == 0, f"a child ended with {exit_code}"


def digest_in_child(name: str) -> tuple[str, str]:
    """Load a name from the catalog that the parent opened."""
    return name, workload_digest(_opened[0].load(name))


def save_in_child(number: int) -> int:
    """Save under the name that all save under."""
    return _opened[0].save("shared", workload_of(1000 + number), author=str(number)).number


# Programs


def load_in_pools(url: str) -> None:
    """Children of pools load while their parent goes on reading and writing."""
    with Catalog.open(url) as catalog:
        _opened.append(catalog)
        digests = digests_of_names(catalog)
        for round_ in range(2):
            with _FORK.Pool(4) as pool:
                loading = pool.map_async(digest_in_child, list(digests) * 3, chunksize=3)
                while not loading.ready():
                    catalog.save("parent", workload_of(500 + round_))
                    assert catalog.load("fleet-7") == workload_of(7)
                loaded = loading.get()
            assert dict(loaded) == digests and len(set(loaded)) == NAMES
        require_right(catalog, digests)


def save_in_pools(url: str) -> None:
    """Children save under one name, as their parent does."""
    with Catalog.open(url) as catalog:
        _opened.append(catalog)
        digests = digests_of_names(catalog)
        with _FORK.Pool(4) as pool:
            saving = pool.map_async(save_in_child, range(20), chunksize=1)
            numbers = [catalog.save("shared", workload_of(2000 + turn)).number for turn in range(10)]
            numbers += saving.get()
        assert sorted(numbers) == list(range(1, 31))
        history = catalog.history("shared")
        assert [revision.number for revision in history] == list(range(1, 31))
        assert len({revision.digest for revision in history}) == 30
        require_right(catalog, digests)


def fork_by_hand(url: str) -> None:
    """Children and grandchildren load, save and exit; their parent loads and saves meanwhile and afterwards."""
    with Catalog.open(url) as catalog:
        digests = digests_of_names(catalog)

        def work() -> None:
            require_right(catalog, digests)
            child = forked(lambda: catalog.save(f"grandchild-{os.getpid()}", workload_of(3)))
            require_right(catalog, digests)
            join(child)
            catalog.save(f"child-{os.getpid()}", workload_of(4))

        children = []
        for turn in range(3):
            children.append(forked(work))
            require_right(catalog, digests)
            catalog.save("parent", workload_of(500 + turn))
        join(*children)
        require_right(catalog, digests)
        assert len(catalog.list_names("child-*")) == len(catalog.list_names("grandchild-*")) == 3
        assert len(catalog.history("parent")) == 3


def close_in_child(url: str) -> None:
    """Children close the catalog, exit through its block, or are ended at once; their parent works on."""
    with Catalog.open(url) as catalog:
        digests = digests_of_names(catalog)
        for ending in (catalog.close, sys.exit, lambda: os._exit(0)):
            join(forked(ending))
            require_right(catalog, digests)
            catalog.save("parent", workload_of(len(catalog.list_names())))

        def close_after_use() -> None:
            require_right(catalog, digests)
            catalog.close()
            with pytest.raises(CatalogError, match="was closed"):
                catalog.load("fleet-7")

        join(forked(close_after_use))
        require_right(catalog, digests)


def fork_beside_threads(url: str) -> None:
    """Fork while other threads of the parent are in the middle of reading and of writing."""
    stop = threading.Event()
    failures: list[BaseException] = []
    with Catalog.open(url) as catalog:
        digests = digests_of_names(catalog)

        def repeat(work: Callable[[], object]) -> None:
            try:
                while not stop.is_set():
                    work()
            except BaseException as error:
                failures.append(error)

        works: list[Callable[[], object]] = [
            lambda: require_right(catalog, digests),
            lambda: catalog.save("parent", workload_of(time.monotonic_ns() % 10**6)),
        ]
        threads = [threading.Thread(target=repeat, args=(work,)) for work in works]
        for thread in threads:
            thread.start()

        def work_in_child() -> None:
            require_right(catalog, digests)
            catalog.save("shared", workload_of(os.getpid()))
            catalog.close()
            os._exit(0)  # Only the forking thread lives on in a child, which cannot wait for the others.

        for _ in range(6):
            join(*[forked(work_in_child) for _ in range(2)])
        stop.set()
        for thread in threads:
            thread.join()
        assert failures == []
        assert [revision.number for revision in catalog.history("shared")] == list(range(1, 13))
        require_right(catalog, digests)


def fork_in_a_transaction(url: str) -> None:
    """A child cannot use the transaction that it was born in, and whatever it does leaves it unharmed."""
    with Catalog.open(url) as catalog:
        digests = digests_of_names(catalog)
        with catalog.writing() as writer:
            writer.append([RevisionDraft(f"many-{number}", workload_of(number)) for number in range(100)])

            def use_it() -> None:
                with pytest.raises(CatalogError, match=REFUSAL) as raised:
                    writer.append([RevisionDraft("of-the-child", workload_of(1))])
                assert "\n" not in str(raised.value)
                require_right(catalog, digests)

            join(forked(use_it))
            join(forked(catalog.close))
            join(forked(lambda: os._exit(0)))
            writer.append([RevisionDraft(f"more-{number}", workload_of(number)) for number in range(100)])
        assert len(catalog.list_names("many-*")) == len(catalog.list_names("more-*")) == 100
        assert catalog.list_names("of-the-child") == []
        require_right(catalog, digests)


def fork_in_a_transaction_that_is_undone(url: str) -> None:
    """A child never takes what its parent had written, and undid, for what others have written since."""
    others_have_written, answer = multiprocessing.Event(), multiprocessing.Queue()
    with Catalog.open(url) as catalog:
        catalog.save("fleet", workload_of(1))
        generator = catalog.log()

        def work() -> None:
            others_have_written.wait()
            answer.put((catalog.load("other"), catalog.get("other").workload))
            answer.close()
            answer.join_thread()

        child = -1
        with suppress(ZeroDivisionError), catalog.writing() as writer:
            writer.append([RevisionDraft("fleet", workload_of(111))])
            assert catalog.load("fleet") == workload_of(111)
            child = forked(work)
            raise ZeroDivisionError
        with Catalog.open(url) as other:
            other.save("other", workload_of(2))
        others_have_written.set()
        assert answer.get() == (workload_of(2), workload_of(2))
        join(child)
        assert catalog.load("other") == workload_of(2)
        assert {revision.digest for revision in generator} == {workload_digest(workload_of(n)) for n in (1, 2)}


def leave_a_transaction_twice(url: str) -> None:
    """Parent and child come to the end of one transaction: it is the parent's, and the child is told so."""
    child = -1
    with Catalog.open(url) as catalog:
        try:
            with catalog.writing() as writer:
                writer.append([RevisionDraft("fleet", workload_of(1))])
                child = os.fork()
        except CatalogError as error:
            assert child == 0 and re.search(REFUSAL, str(error)) and "\n" not in str(error)
            sys.exit(0)
        assert child > 0
        join(child)
        assert catalog.load("fleet") == workload_of(1)
        assert catalog.save("fleet", workload_of(2)).number == 2


def fork_in_a_snapshot(url: str) -> None:
    """A child cannot use the snapshot that it was born in, and its parent's goes on."""
    with Catalog.open(url) as catalog:
        digests = digests_of_names(catalog)
        with catalog.database.snapshot() as connection:
            assert connection.exec_driver_sql("SELECT count(*) FROM names").scalar() == NAMES

            def use_it() -> None:
                with pytest.raises(CatalogError, match=REFUSAL):
                    connection.exec_driver_sql("SELECT count(*) FROM names").scalar()
                require_right(catalog, digests)

            join(forked(use_it))
            assert connection.exec_driver_sql("SELECT count(*) FROM names").scalar() == NAMES
        require_right(catalog, digests)


def fork_beside_a_writing_thread(url: str, is_kept: bool) -> None:
    """A child saves what another thread of its parent is writing, and may yet take back."""
    is_writing, may_end = threading.Event(), threading.Event()
    with Catalog.open(url) as catalog:
        catalog.save("fleet", workload_of(1))

        def write() -> None:
            with catalog.writing() as writer:
                writer.append([RevisionDraft("parent", workload_of(2))])
                is_writing.set()
                may_end.wait()
                if not is_kept:
                    raise ZeroDivisionError

        def write_and_forget() -> None:
            with suppress(ZeroDivisionError):
                write()

        def save() -> None:
            assert catalog.save("child", workload_of(2)).number == 1
            assert catalog.load("child") == workload_of(2)
            os._exit(0)

        thread = threading.Thread(target=write_and_forget)
        thread.start()
        is_writing.wait()
        child = forked(save)
        assert catalog.load("fleet") == workload_of(1)
        may_end.set()
        join(child)
        thread.join()
        assert catalog.list_names() == ["child", "fleet", *(["parent"] if is_kept else [])]


def fork_in_an_iteration(url: str) -> None:
    """Parent and child both go on with what they had begun to read, over several pages."""
    per_page, total = 20, 50
    log._REVISIONS_PER_BLOCK = listing._NAMES_PER_BLOCK = searching.HITS_PER_BLOCK = per_page
    digests = {f"{number:04}": workload_digest(workload_of(number)) for number in range(total)}
    with Catalog.open(url) as catalog:
        catalog.save_many(RevisionDraft(f"{number:04}", workload_of(number)) for number in range(total))
        begin: list[Callable[[], Iterator[Revision]]] = [
            catalog.log,
            catalog.iter_latest,
            lambda: catalog.search("total_gpus > 0"),
        ]
        for begun in begin:
            revisions = begun()
            first = list(islice(revisions, 3))

            def read_on(first: list[Revision] = first, revisions: Iterator[Revision] = revisions) -> None:
                found = {revision.name: revision.digest for revision in (*first, *revisions)}
                assert found == digests

            child = forked(read_on)
            read_on()
            join(child)


def leave_an_idle_child(url: str) -> None:
    """A child that was born while its parent wrote, and does nothing, keeps nobody waiting; who waits says so."""
    with Catalog.open(url) as catalog:
        with catalog.writing() as writer:
            writer.append([RevisionDraft("fleet", workload_of(1))])
            forked(_be_idle)
        catalog.save("fleet", workload_of(2))
        assert _run_elsewhere(_save, url, 3) == 0
        assert catalog.save("fleet", workload_of(4)).number == 4


def leave_an_idle_child_and_die(url: str) -> None:
    """A writer that is killed takes what it was writing with it, though a child that it has left lives on."""
    assert _run_elsewhere(_die_while_writing, url) == -signal.SIGKILL
    _save(url, 1)


def _run_elsewhere(work: Callable[..., None], *arguments: object) -> int:
    """Run a function of this module in another interpreter, to which no child of this one is related."""
    call = f"from tests.catalog.engine.forking import {work.__name__} as work; work(*{arguments!r})"
    return subprocess.run([sys.executable, "-c", call], check=False).returncode


def _save(url: str, number: int) -> None:
    with Catalog.open(url) as catalog:
        assert catalog.save("fleet", workload_of(number)).number == number


def _die_while_writing(url: str) -> None:
    with Catalog.open(url) as catalog, catalog.writing() as writer:
        writer.append([RevisionDraft("fleet", workload_of(9))])
        forked(_be_idle)
        os.kill(os.getpid(), signal.SIGKILL)


def _be_idle() -> None:
    """Do nothing until the session is ended; whoever reads the output of this program is not kept waiting."""
    os.closerange(0, 3)
    while True:
        signal.pause()


def send_to_another_interpreter(url: str) -> None:
    """Catalogs that are pickled open themselves again, in processes that were not forked from this one."""
    with Catalog.open(url) as catalog:
        catalog.save("fleet", workload_of(1))
        with pickle.loads(pickle.dumps(catalog)) as again:
            assert (again.location, again.load("fleet")) == (catalog.location, workload_of(1))
            assert again.save("fleet", workload_of(2)).number == 2
        for number, method in enumerate(("spawn", "forkserver"), 3):
            process = multiprocessing.get_context(method).Process(target=use_what_was_sent, args=(catalog, number))
            process.start()
            process.join()
            assert process.exitcode == 0
            assert catalog.load("fleet") == workload_of(number)
        with catalog.writing() as writer:
            writer.append([RevisionDraft("site", workload_of(1))])
            with pickle.loads(pickle.dumps(catalog)) as again:  # The transaction stays where it is.
                assert again.list_names() == ["fleet"]


def use_what_was_sent(catalog: Catalog, number: int) -> None:
    """Load and save, as a process that was sent a catalog."""
    assert catalog.load("fleet") == workload_of(number - 1)
    assert catalog.save("fleet", workload_of(number)).number == number
    catalog.close()
