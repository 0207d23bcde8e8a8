"""The file of an SQLite catalog: how it is made, whose it is, and whether its file system has locks."""

import errno
import os
import stat
import subprocess
import sys
import tempfile
from contextlib import suppress
from pathlib import Path

from openg2g.models.errors import CatalogUnavailableError, NotACatalogError

try:
    import fcntl
except ImportError:  # Windows, whose file systems have locks.
    fcntl = None  # type: ignore[assignment]

_PROBE_TIMEOUT_S = 10
_TRY_TO_LOCK = (
    "import fcntl, sys\n"
    "try: fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
    "except OSError: sys.exit(1)\n"
)


def make_file(path: Path) -> None:
    """Make an empty file if there is none, with what the umask leaves: SQLite lets only its owner write.

    What is in the way, SQLite says when it opens the file. Journals get the permissions of the file.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))


def require_regular_files(path: Path) -> None:
    """Make sure that neither a file nor a journal beside it is a pipe or device, which SQLite may wait for forever."""
    real = os.path.realpath(path)  # SQLite, too, looks for journals beside what a link leads to.
    for place in (real, *(f"{real}-{ending}" for ending in ("journal", "wal", "shm"))):
        try:
            mode = os.stat(place).st_mode
        except OSError:  # SQLite says what is wrong.
            continue
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
            continue
        if place == real:
            raise NotACatalogError(f"{path} is not a catalog: it is no regular file, but a pipe or a device.")
        raise CatalogUnavailableError(
            f"{place} is in the place of a journal, and is no regular file, but a pipe or a device. Remove it."
        )


def other_owner_of_file(path: Path) -> str | None:
    """Return the owner of a file or directory; None where that is this user, or cannot be told."""
    try:
        status = path.stat()
    except OSError:
        return None
    if not hasattr(os, "geteuid") or status.st_uid == os.geteuid():  # Windows has no such owners.
        return None
    try:
        return path.owner()
    except KeyError:  # A user of another machine.
        return f"the user with the id {status.st_uid}"


def why_file_is_read_only(path: Path) -> str | None:
    """Say why this user may only read a file; None where they may write to it."""
    for place in (path, path.parent):
        if not os.access(place, os.W_OK):
            owner = other_owner_of_file(place)
            return f"{place} belongs to {owner}" if owner is not None else f"check the permissions of {place}"
    return None


def require_locks(path: Path, *, between_processes: bool = False) -> None:
    """Make sure that the file system of a file has the locks which SQLite relies on, by a probe in its directory.

    SQLite itself says of a file system without locks that the file is locked by somebody else. The file is not touched:
    closing it would give up every lock that SQLite has on it in this process. That a lock keeps out other processes,
    too, takes some time to find out.
    """
    if fcntl is None:
        return
    try:
        probe = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115  It has no name that could stay behind.
    except OSError:
        return  # What may not be written needs no write lock.
    with probe:
        try:
            fcntl.lockf(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
                return
            raise _no_locks(path, f"has no file locks ({errno.errorcode[error.errno]})") from None
        if between_processes and _is_granted_again(probe.fileno()):
            raise _no_locks(path, "grants the same lock to two processes")


def _is_granted_again(descriptor: int) -> bool:
    """Whether another process gets the lock of a file that this one has."""
    command = [sys.executable, "-I", "-S", "-c", _TRY_TO_LOCK, str(descriptor)]
    try:
        return subprocess.run(command, check=False, timeout=_PROBE_TIMEOUT_S, pass_fds=[descriptor]).returncode == 0
    except (OSError, subprocess.TimeoutExpired):  # Python may run here, and may not be started by this user.
        return False


def _no_locks(path: Path, what: str) -> CatalogUnavailableError:
    return CatalogUnavailableError(
        f"{path}: the file system of {path.parent} {what}, so writers would damage each other's work. "
        "Keep the catalog in a directory on a local disk, or on PostgreSQL."
    )
