"""Writers of an SQLite file come in turn, and nobody is kept out by the queue itself."""

import os
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from openg2g.catalog.engine.sqlite import queue as writer_queue
from openg2g.catalog.engine.sqlite.queue import WriterQueue
from tests.builders import make_workload


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a file to queue for; the directory for temporary files is empty."""
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "temporary"))
    path = tmp_path / "fleet.db"
    path.touch()
    return path


def start(work: Callable[[], None]) -> threading.Thread:
    thread = threading.Thread(target=work)
    thread.start()
    return thread


def wait_until_next(path: Path) -> None:
    """Wait until somebody has the door."""
    import fcntl

    [door] = (path.parent / "temporary").glob("*.door")
    while True:
        descriptor = os.open(door, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return
        finally:
            os.close(descriptor)
        time.sleep(0.01)


def test_whoever_leaves_does_not_come_in_again_before_one_who_waits(path: Path) -> None:
    order: list[str] = []

    def wait() -> None:
        with WriterQueue(path).turn():
            order.append("who waited")

    queue = WriterQueue(path)
    with queue.turn():
        thread = start(wait)
        wait_until_next(path)
        order.append("first")
    with queue.turn():
        order.append("who came again")
    thread.join(30)
    assert order == ["first", "who waited", "who came again"]


def test_patience_ends_and_the_writer_asks_the_database_itself(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writer_queue, "PATIENCE_S", 0.05)
    with WriterQueue(path).turn(), WriterQueue(path).turn() as waited_s:
        assert waited_s >= 0.05
    with WriterQueue(path).turn() as waited_s:  # Who gave up keeps nobody out.
        assert waited_s < 30


def test_nobody_queues_where_no_file_can_be_made(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(path.parent / "missing"))
    with WriterQueue(path).turn(), WriterQueue(path).turn() as waited_s:
        assert waited_s < 30


def test_a_queue_leaves_no_files_behind(path: Path) -> None:
    path.unlink()
    with Catalog.create(path) as catalog:
        catalog.save("fleet", make_workload())
        assert len(list((path.parent / "temporary").iterdir())) == 2
        with Catalog.open(path) as other:
            other.save("fleet", make_workload(3))
    assert list((path.parent / "temporary").iterdir()) == []
