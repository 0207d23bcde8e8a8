"""Files that are not complete yet: each in a directory of its own, which nobody else takes for a leftover.

The directory is called `.openg2g-….part`, lies beside the file that is to appear, and goes when the work ends, however
it ends. Only a process that is killed leaves it behind. While one is in use a lock on a file in it is held, which ends
with the process: whoever makes another directory there removes those whose lock can be taken.
"""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: leftovers stay.
    fcntl = None  # type: ignore[assignment]

_PREFIX, _SUFFIX = ".openg2g-", ".part"
_LOCK = "lock"
_NEW_FILE = "new"


@contextmanager
def part_of(target: Path) -> Iterator[Path]:
    """Yield the path of a file that does not exist yet, to be written and then renamed to the target.

    Raises:
        OSError: The directory of the target cannot be written to.
    """
    with private_directory(target.parent) as directory:
        yield directory / _NEW_FILE


@contextmanager
def private_directory(parent: Path) -> Iterator[Path]:
    """Yield a new directory, which goes when the block ends; before it is made, leftovers of others are removed.

    Raises:
        OSError: None can be made in the parent directory.
    """
    _remove_leftovers(parent)
    with ExitStack() as stack:
        yield _locked_directory(parent, stack)


def _locked_directory(parent: Path, stack: ExitStack) -> Path:
    """Make a directory and take its lock, which somebody who is just clearing up may have been faster with."""
    while True:
        directory = Path(tempfile.mkdtemp(dir=parent, prefix=_PREFIX, suffix=_SUFFIX))
        stack.callback(shutil.rmtree, directory, ignore_errors=True)
        with suppress(FileNotFoundError):
            lock = os.open(directory / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
            stack.callback(os.close, lock)
            if _is_taken(lock) and (directory / _LOCK).exists():
                return directory


def _remove_leftovers(parent: Path) -> None:
    """Remove what killed processes of this user left in a directory."""
    if fcntl is None:
        return
    with suppress(OSError), os.scandir(parent) as entries:
        for entry in entries:
            if entry.name.startswith(_PREFIX) and entry.name.endswith(_SUFFIX):
                with suppress(OSError):
                    _remove_unless_used(Path(entry.path))


def _remove_unless_used(leftover: Path) -> None:
    """Remove a directory of this module, or a file as release 0.1.0 left them."""
    is_directory = stat.S_ISDIR(os.lstat(leftover).st_mode)
    flags = os.O_RDWR | os.O_NOFOLLOW | os.O_NONBLOCK | (os.O_CREAT if is_directory else 0)
    lock = os.open(leftover / _LOCK if is_directory else leftover, flags, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        if is_directory:
            shutil.rmtree(leftover)
        elif stat.S_ISREG(os.fstat(lock).st_mode):
            for end in ("", "-journal", "-wal", "-shm"):
                with suppress(FileNotFoundError):
                    os.unlink(f"{leftover}{end}")
    finally:
        os.close(lock)


def _is_taken(lock: int) -> bool:
    """Take a lock that nobody has; on a file system without locks nobody can take this one for a leftover either."""
    if fcntl is None:
        return True
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True
