"""The file of an SQLite catalog: made for a group where the umask says so, and with the journal that is wanted."""

import os
import sqlite3
import stat
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection

from openg2g.models.errors import CatalogUnavailableError, NotACatalogError

if TYPE_CHECKING:
    from openg2g.catalog.engine.database import Database

_MENDED_SINCE = (3, 51, 3)
_ALSO_MENDED = ((3, 50, 7), (3, 44, 6))  # And what follows them within their series.


def make_file(path: Path) -> None:
    """Make an empty file if there is none, with what the umask leaves: SQLite lets only its owner write.

    What is in the way, SQLite says when it opens the file. Journals get the permissions of the file.
    """
    with suppress(OSError):
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o666))


def require_regular_files(path: Path) -> None:
    """Make sure that neither a file nor a journal beside it is a pipe or device, which SQLite may wait for forever.

    Raises:
        NotACatalogError: The file is one.
        CatalogUnavailableError: A journal is.
    """
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


def journal_mode(database: "Database") -> str:
    """Return how SQLite keeps a transaction until it is complete: `delete`, or `wal`."""

    def read(connection: Connection) -> str:
        return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())

    return database.read(read)


def set_wal(database: "Database") -> None:
    """Let a new file have a write-ahead log from now on, which it remembers.

    Raises:
        CatalogUnavailableError: Its file system does not have what that takes.
    """
    with database.connected() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar()
    if mode != "wal":
        raise CatalogUnavailableError(
            f"{database.location}: the file system has no shared memory, which a write-ahead log needs. "
            "Make the catalog without --wal, or on a local disk."
        )


def wal_warning() -> str | None:
    """Return what is to be known of this SQLite's write-ahead log; None where it is sound.

    Source: https://www.sqlite.org/wal.html, section "The WAL-reset bug".
    """
    version = sqlite3.sqlite_version_info
    if version >= _MENDED_SINCE or any(version[:2] == mended[:2] and version >= mended for mended in _ALSO_MENDED):
        return None
    return (
        f"SQLite {sqlite3.sqlite_version} can, very rarely, damage a catalog with a write-ahead log that several "
        "processes write to. Versions 3.51.3, 3.50.7 and 3.44.6 do not. Back up often, or do without --wal."
    )
