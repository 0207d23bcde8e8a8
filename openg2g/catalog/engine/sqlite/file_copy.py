"""A copy of an SQLite file as it is at one moment, by SQLite's online backup, while others go on using it."""

import errno
import os
import sqlite3
from contextlib import closing
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.sqlite.files import make_file

_PAGES_PER_STEP = 2_500  # 10 MB: others write, and Ctrl-C is served, between two steps.
_WRITING = frozenset(  # The source is only read.
    {
        sqlite3.SQLITE_IOERR_WRITE,
        sqlite3.SQLITE_IOERR_FSYNC,
        sqlite3.SQLITE_IOERR_DIR_FSYNC,
        sqlite3.SQLITE_IOERR_TRUNCATE,
    }
)


def copy_file(database: Database, path: Path) -> None:
    """Copy the SQLite file of a database into a new file, its journal mode included.

    Others may write between two steps. A write makes the copy begin again, so from the first one on they have to wait:
    otherwise it might never end. Where the new file cannot be written, an OSError says why.
    """
    make_file(path)
    with (
        database.connected() as connection,
        closing(sqlite3.connect(path, isolation_level=None)) as copy,
    ):
        copy.execute("PRAGMA synchronous = OFF")  # Whoever wants it to last syncs the complete file.
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)  # A server has no file.
        try:
            source.backup(copy, pages=_PAGES_PER_STEP, progress=_Progress(source))
            if source.execute("PRAGMA journal_mode").fetchone() == ("wal",):
                copy.execute("PRAGMA journal_mode = WAL")
        except sqlite3.Error as error:
            code = getattr(error, "sqlite_errorcode", 0)
            if code & 0xFF == sqlite3.SQLITE_FULL:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            if code in _WRITING:
                raise _why_not_written(path, os.path.getsize(str(database.location))) from error
            raise DBAPIError.instance("BACKUP", None, error, sqlite3.Error) from error
        finally:
            if source.in_transaction:
                source.rollback()


def _why_not_written(path: Path, size: int) -> OSError:
    """Return what the system says to a file of so many bytes: SQLite does not tell more than that writing failed."""
    try:
        with open(path, "r+b") as file:
            if hasattr(os, "posix_fallocate"):  # Windows has none.
                os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        return error
    return OSError(errno.EIO, os.strerror(errno.EIO))


class _Progress:
    """Follows a copy, and keeps writers out from when it had to begin again."""

    def __init__(self, source: sqlite3.Connection) -> None:
        self._source = source
        self._remaining: int | None = None

    def __call__(self, _: int, remaining: int, total: int) -> None:
        begins_again = self._remaining is not None and remaining > self._remaining - min(_PAGES_PER_STEP, total)
        self._remaining = remaining
        if begins_again and remaining and not self._source.in_transaction:
            self._source.execute("BEGIN")
            self._source.execute("SELECT count(*) FROM sqlite_master").fetchone()  # Only reading makes it begin.
