"""A copy of an SQLite catalog, made while others go on using it, and proved before it appears."""

import errno
import os
import shutil
import sqlite3
import tempfile
from contextlib import closing, suppress
from itertools import chain, count
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from openg2g.catalog.database import Database
from openg2g.catalog.location import locate
from openg2g.catalog.schema import SCHEMA_HEAD, find_schema_revision
from openg2g.catalog.verify import verify_database
from openg2g.models.errors import CatalogError, DamagedCatalogError, LocationError, SourceError

_PAGES_PER_STEP = 10_000  # Ctrl-C is served between two steps.


def back_up(database: Database, path: str | os.PathLike[str]) -> None:
    """Copy a catalog in an SQLite file as it is at one moment, by SQLite's online backup.

    The copy appears complete or not at all. Of the schema of this release it is verified first; of another, SQLite
    itself looks through its pages and constraints.

    Args:
        database: The catalog.
        path: The new file.

    Raises:
        LocationError: The catalog is on a server.
        SourceError: The file is there already, or cannot be written.
        DamagedCatalogError: The copy is not sound, and so the catalog is not.
    """
    source = database.location.path
    if source is None:
        raise LocationError(
            f"{database.location} is on a server: back it up with pg_dump, or write its archive with "
            "`openg2g export --all --history -o FILE`."
        )
    target = Path(path)
    if os.path.lexists(target):
        raise SourceError(f"{target} exists already. Name a new file.")
    _write_proved_copy(database, source, target)


def back_up_beside(database: Database, schema: str) -> Path:
    """Copy a catalog in an SQLite file to a new file beside it: `FILE.SCHEMA.backup`, or with the next free number.

    A first such file is there where an upgrade was broken off or taken back. It is kept: its owner knows its worth.

    Args:
        database: The catalog, in an SQLite file.
        schema: Its schema revision.

    Returns:
        The new file.

    Raises:
        SourceError: The file cannot be written.
        DamagedCatalogError: The copy is not sound, and so the catalog is not.
    """
    source = database.location.path
    assert source is not None  # Said above.
    numbered = (Path(f"{source}.{schema}.{number}.backup") for number in count(2))
    target = next(path for path in chain([Path(f"{source}.{schema}.backup")], numbered) if not os.path.lexists(path))
    _write_proved_copy(database, source, target)
    return target


def _write_proved_copy(database: Database, source: Path, target: Path) -> None:
    try:
        handle, name = tempfile.mkstemp(dir=target.parent, prefix=".openg2g-", suffix=".part")
        os.close(handle)
        try:
            _copy(database, name)
            _prove(name)
            shutil.copymode(source, name)
            with open(name, "rb") as copy:
                os.fsync(copy.fileno())
            os.replace(name, target)
        finally:
            for leftover in (name, f"{name}-journal", f"{name}-wal", f"{name}-shm"):
                with suppress(OSError):
                    os.unlink(leftover)
    except CatalogError:
        raise
    except OSError as error:
        raise SourceError(f"{target} cannot be written: {error.strerror or error}.") from error


def _copy(database: Database, name: str) -> None:
    with database.snapshot() as connection, closing(sqlite3.connect(name)) as copy:
        # Reading first keeps what is committed meanwhile out: it would make SQLite begin again, perhaps without end.
        connection.exec_driver_sql("SELECT count(*) FROM sqlite_master")
        source = connection.connection.driver_connection
        assert isinstance(source, sqlite3.Connection)  # A server has been refused.
        try:
            source.backup(copy, pages=_PAGES_PER_STEP, progress=_serve_interrupts)
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_FULL:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
            raise DBAPIError.instance("BACKUP", None, error, sqlite3.Error) from error


def _serve_interrupts(*_: int) -> None:
    """Give Python the chance to raise what a signal asks for."""


def _prove(name: str) -> None:
    with closing(Database(locate(name))) as database:
        if find_schema_revision(database) == SCHEMA_HEAD:
            problems = verify_database(database)
        else:
            with database.reading() as connection:
                rows = connection.exec_driver_sql("PRAGMA integrity_check").all()
            problems = [f"SQLite: {row[0]}" for row in rows if row[0] != "ok"]
    if problems:
        told = "\n".join(problems)
        raise DamagedCatalogError(f"the catalog is not sound, and was not copied:\n{told}")
