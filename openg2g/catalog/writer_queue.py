"""A queue for the writers of an SQLite file, since SQLite lets in whoever asks at the right moment.

Without it, of 32 processes that save all the time, one waits for half a minute while the others are served hundreds of
times. It is a courtesy and no lock: that is SQLite's. Whoever cannot queue, or has queued for too long, asks SQLite.

The queue is a file lock on an empty file in the directory for temporary files, named after the catalog's file. A lock
on the catalog itself would be dangerous: to close a file gives up every lock that SQLite has on it in this process.
"""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from openg2g.catalog.waiting import TELL_AFTER_S, tell_of_waiting

try:
    import fcntl
except ImportError:  # Windows: nobody queues.
    fcntl = None  # type: ignore[assignment]


@contextmanager
def turn_of_writer(path: Path, patience_s: float) -> Iterator[float]:
    """Wait for the turn among the writers of a file, and keep it during the block; lend how long it took, seconds.

    Args:
        path: The SQLite file.
        patience_s: How long to queue at the most.
    """
    descriptor = _opened_queue(path)
    if descriptor is None:
        yield 0.0
        return
    started = time.monotonic()
    try:
        _take_turn(descriptor, patience_s)
        yield time.monotonic() - started
    finally:
        os.close(descriptor)  # The next one's turn.


def _opened_queue(path: Path) -> int | None:
    """Open the file of the queue, or make it; None where that is not possible."""
    if fcntl is None:
        return None
    try:
        status = os.stat(path)
        queue = os.path.join(tempfile.gettempdir(), f"openg2g-{status.st_dev:x}-{status.st_ino:x}.queue")
        try:
            return os.open(queue, os.O_RDONLY | os.O_NOFOLLOW)
        except FileNotFoundError:  # Only now: nobody may "create" what somebody else has, in a directory for all.
            return os.open(queue, os.O_RDONLY | os.O_NOFOLLOW | os.O_CREAT, 0o444)
    except OSError:
        return None


def _take_turn(descriptor: int, patience_s: float) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        _wait_for_turn(descriptor, patience_s)
    except OSError:
        pass  # A file system without locks.


def _wait_for_turn(descriptor: int, patience_s: float) -> None:
    """Wait in a thread of its own: the lock knows no patience, and this one serves Ctrl-C.

    The lock belongs to what both descriptors stand for. Where this thread gives up and closes its own, the other one
    has the lock for no longer than it takes to close the last.
    """
    is_taken = threading.Event()
    waiting = os.dup(descriptor)

    def wait() -> None:
        try:
            fcntl.flock(waiting, fcntl.LOCK_EX)
        except OSError:
            pass
        finally:
            os.close(waiting)
            is_taken.set()

    threading.Thread(target=wait, daemon=True).start()
    if not is_taken.wait(min(TELL_AFTER_S, patience_s)) and patience_s > TELL_AFTER_S:
        tell_of_waiting()
        is_taken.wait(patience_s - TELL_AFTER_S)
