"""A queue for the writers of an SQLite file, since SQLite lets in whoever asks at the right moment.

Without it, of 32 processes that save all the time, one waits for half a minute while the others are served hundreds of
times. It is a courtesy and no lock: that is SQLite's. A writer that cannot queue, or has queued for a second, asks
SQLite, so that a process which was stopped in the queue costs the others no more than that.

The queue is two file locks, on empty files of the user's in the directory for temporary files, named after the user
and the catalog's file. Who has the room may write; who has the door is next, and leaves it to the others once in the
room. With one lock, whoever goes would come in again before those who sleep have woken up. A lock on the catalog's file
itself would be dangerous: closing a file gives up every lock that SQLite has on it in this process.
"""

import os
import stat
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from openg2g.catalog.engine.waiting import TELL_AFTER_S

try:
    import fcntl
except ImportError:  # Windows: nobody queues.
    fcntl = None  # type: ignore[assignment]

PATIENCE_S = TELL_AFTER_S
"""How long a writer queues before it asks SQLite, seconds."""

_OPENED_AS = os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


class WriterQueue:
    """The queue of one file, as one `Database` uses it. Safe to share between threads."""

    def __init__(self, path: Path) -> None:
        """Queue for a file, which need not exist yet."""
        self._path = path
        self._names: list[str] = []
        self._held: set[int] = set()
        self._remove_files = weakref.finalize(self, _remove_where_nobody_queues, self._names)

    @contextmanager
    def turn(self) -> Iterator[float]:
        """Wait for the turn, and keep it during the block; yield how long it took, seconds."""
        started = time.monotonic()
        room = self._room_after_queueing()
        try:
            yield time.monotonic() - started
        finally:
            if room is not None:
                self._release(room)  # The next one's turn.

    def close(self) -> None:
        """Remove the files of the queue where nobody queues; without it, that is done when the process ends."""
        self._remove_files()

    def leave_to_parent(self) -> None:
        """Close, in a forked child, the parent's files: it shares their locks for as long as both have them open."""
        self._remove_files.detach()
        while self._held:
            os.close(self._held.pop())

    def _room_after_queueing(self) -> int | None:
        """Wait for the room, and return its descriptor, which keeps it; None where that is not possible."""
        if fcntl is None:
            return None
        try:
            status = os.stat(self._path)
            queue = f"openg2g-{os.geteuid()}-{status.st_dev:x}-{status.st_ino:x}"
            queue = os.path.join(tempfile.gettempdir(), queue)
            self._names[:] = (f"{queue}.door", f"{queue}.room")
            door, room = self._opened_both()
        except OSError:
            return None
        if _is_free(door) and _is_free(room):
            self._release(door)
            return room
        try:
            self._wait_in_thread(door, self._copy(room))
        except BaseException:  # Ctrl-C.
            self._release(room)
            raise
        return room

    def _opened_both(self) -> tuple[int, int]:
        """Open the files of the queue, or make them."""
        door = self._opened(self._names[0])
        try:
            return door, self._opened(self._names[1])
        except OSError:
            self._release(door)
            raise

    def _opened(self, name: str) -> int:
        descriptor = _opened_file(name, os.O_CREAT)
        self._held.add(descriptor)
        return descriptor

    def _copy(self, descriptor: int) -> int:
        copy = os.dup(descriptor)
        self._held.add(copy)
        return copy

    def _release(self, descriptor: int) -> None:
        if descriptor in self._held:  # Not so in a child that was forked meanwhile.
            self._held.discard(descriptor)
            os.close(descriptor)

    def _wait_in_thread(self, door: int, room: int) -> None:
        """Wait in a thread of its own, which closes both files: a lock has no time-out, and here Ctrl-C is served.

        After the time-out the caller closes its other descriptor of the room; the thread then has it for a moment only.
        """
        is_over = threading.Event()

        def wait() -> None:
            try:
                fcntl.flock(door, fcntl.LOCK_EX)
                fcntl.flock(room, fcntl.LOCK_EX)
            except OSError:
                pass  # A file system without locks, or with too many.
            finally:
                self._release(door)
                self._release(room)
                is_over.set()

        threading.Thread(target=wait, daemon=True).start()
        is_over.wait(PATIENCE_S)


def _remove_where_nobody_queues(names: list[str]) -> None:
    """Remove files, unless somebody has one of them locked; who comes just then asks SQLite with the others."""
    descriptors = []
    with suppress(OSError):
        descriptors = [_opened_file(name) for name in names]
        if all(map(_is_free, descriptors)):
            for name in names:
                os.unlink(name)
    for descriptor in descriptors:
        os.close(descriptor)


def _opened_file(name: str, otherwise: int = 0) -> int:
    """Open an empty file of the user's; nobody else can open it, and so keep its lock.

    Where there is none, it is tried again with the flags `otherwise`. Only then: nobody may "create" what is there, in
    a directory for all.
    """
    try:
        descriptor = os.open(name, _OPENED_AS)
    except FileNotFoundError:
        descriptor = os.open(name, _OPENED_AS | otherwise, 0o400)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_uid != os.geteuid():
        os.close(descriptor)
        raise FileExistsError(name)
    return descriptor


def _is_free(descriptor: int) -> bool:
    """Take a lock that nobody has, or that a file system does not know."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True
