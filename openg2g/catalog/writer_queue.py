"""A queue for the writers of an SQLite file, since SQLite lets in whoever asks at the right moment.

Without it, of 32 processes that save all the time, one waits for half a minute while the others are served hundreds of
times. It is a courtesy and no lock: that is SQLite's. Whoever cannot queue, or has queued for too long, asks SQLite.

The queue is two file locks, on empty files in the directory for temporary files, named after the catalog's file. Who
has the room may write; who has the door is next, and leaves it to the others once in the room. With one lock, whoever
goes would come in again before those who sleep have woken up. A lock on the catalog's file itself would be dangerous:
closing a file gives up every lock that SQLite has on it in this process.
"""

import os
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from openg2g.catalog.waiting import TELL_AFTER_S, tell_of_waiting

try:
    import fcntl
except ImportError:  # Windows: nobody queues.
    fcntl = None  # type: ignore[assignment]


class WriterQueue:
    """The queue of one file, as one `Database` uses it. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Queue for a file, which need not exist yet."""
        self._path = path
        self._names: tuple[str, str] | None = None

    @contextmanager
    def turn(self, patience_s: float) -> Iterator[float]:
        """Wait for the turn, and keep it during the block; lend how long it took, seconds.

        Args:
            patience_s: How long to queue at the most.
        """
        started = time.monotonic()
        room = self._room_after_queueing(patience_s)
        try:
            yield time.monotonic() - started
        finally:
            if room is not None:
                os.close(room)  # The next one's turn.

    def close(self) -> None:
        """Take the files of the queue away where nobody queues; who comes just then asks SQLite with the others."""
        if self._names is None:
            return
        with suppress(OSError):
            door, room = _opened_both(self._names)
            try:
                if _is_free(door) and _is_free(room):
                    for name in self._names:
                        os.unlink(name)
            finally:
                os.close(door)
                os.close(room)

    def _room_after_queueing(self, patience_s: float) -> int | None:
        """Wait for the room, and return its descriptor, which keeps it; None where that is not possible."""
        if fcntl is None:
            return None
        try:
            status = os.stat(self._path)
            queue = os.path.join(tempfile.gettempdir(), f"openg2g-{status.st_dev:x}-{status.st_ino:x}")
            self._names = (f"{queue}.door", f"{queue}.room")
            door, room = _opened_both(self._names)
        except OSError:
            return None
        if _is_free(door) and _is_free(room):
            os.close(door)
            return room
        try:
            _wait_in_thread(door, os.dup(room), patience_s)
        except BaseException:  # Ctrl-C.
            os.close(room)
            raise
        return room


def _opened_both(names: tuple[str, str]) -> tuple[int, int]:
    """Open the files of a queue, or make them."""
    door = _opened(names[0])
    try:
        return door, _opened(names[1])
    except OSError:
        os.close(door)
        raise


def _opened(name: str) -> int:
    """Open an empty file, or make it."""
    try:
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW)
    except FileNotFoundError:  # Only now: nobody may "create" what another user has, in a directory for all.
        return os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_CREAT, 0o444)


def _is_free(descriptor: int) -> bool:
    """Take a lock that nobody has, or that a file system does not know."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True


def _wait_in_thread(door: int, room: int, patience_s: float) -> None:
    """Wait in a thread of its own, which closes both descriptors: a lock knows no patience, and here Ctrl-C is served.

    Whoever gives up closes the other descriptor of the room; the thread then has it for a moment only.
    """
    is_over = threading.Event()

    def wait() -> None:
        try:
            fcntl.flock(door, fcntl.LOCK_EX)
            fcntl.flock(room, fcntl.LOCK_EX)
        except OSError:
            pass  # A file system without locks, or with too many.
        finally:
            os.close(door)
            os.close(room)
            is_over.set()

    threading.Thread(target=wait, daemon=True).start()
    if not is_over.wait(min(TELL_AFTER_S, patience_s)) and patience_s > TELL_AFTER_S:
        tell_of_waiting()
        is_over.wait(patience_s - TELL_AFTER_S)
