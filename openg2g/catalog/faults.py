"""What drivers raise, translated into the catalog's errors in one place."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError

from openg2g.catalog.location import Location
from openg2g.models.errors import (
    CatalogError,
    CatalogLockedError,
    CatalogNotFoundError,
    CatalogReadOnlyError,
    CatalogUnavailableError,
    DamagedCatalogError,
    LocationError,
    NotACatalogError,
)

# What our own code ends with where a value is not what was stored.
_LED_TO_BY_DAMAGE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
_SQLITE_LOCKED = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_POSTGRES_GIVEN_UP = frozenset({"40001", "40P01"})  # Serialization failure, deadlock.
_POSTGRES_LOCKED = frozenset({"40001", "40P01", "55P03", "57014"})
_POSTGRES_EXPLANATIONS = {
    "3D000": "the database does not exist. Create it with `createdb`",
    "28P01": "the server refused the user name or password",
    "28000": "the server refused the user name or password",
    "42501": "the user lacks the permission",
    "42P01": "a table of the catalog is missing. Run `openg2g db check`",
    "53100": "the disk of the server is full",
    "53300": "the server has too many connections",
    "57P01": "the server is shutting down",
    "57P03": "the server is starting up or shutting down",
}


@contextmanager
def translated_errors(location: Location) -> Iterator[None]:
    """Raise what a driver raises inside the block as a `CatalogError` that says what to do.

    Driver errors arrive wrapped by SQLAlchemy. A bare one is somebody else's: of a generator that is being saved.
    """
    try:
        yield
    except DBAPIError as error:
        raise _translation(error.orig, location) from error
    except (ImportError, NoSuchModuleError) as error:  # ImportError alone: psycopg without its C library.
        if "psycopg" not in str(error) and "pq wrapper" not in str(error) and isinstance(error, ImportError):
            raise
        raise LocationError("PostgreSQL needs the driver psycopg: pip install 'openg2g-catalog[postgres]'.") from error
    except SQLAlchemyError as error:
        raise CatalogError(f"{location}: {_one_line(error)}") from error


@contextmanager
def naming_damage(engine: Engine, location: Location) -> Iterator[None]:
    """Raise that an SQLite file is damaged, where our own code fails within the block and the file's check says why.

    A damaged page may give any value of any type; to expect that at each place which uses one would hide what it does.
    """
    try:
        yield
    except CatalogError:
        raise
    except _LED_TO_BY_DAMAGE as error:
        if engine.dialect.name == "sqlite":
            with translated_errors(location), engine.connect() as connection:
                problem = connection.exec_driver_sql("PRAGMA integrity_check(1)").scalar()
                if problem != "ok":
                    raise _damaged(location, problem) from error
        raise


def is_locked(error: BaseException | None) -> bool:
    """Whether SQLite refused because another connection holds the lock: to be tried again."""
    return isinstance(error, sqlite3.Error) and _sqlite_code(error) in _SQLITE_LOCKED


def is_given_up(error: CatalogError) -> bool:
    """Whether a server gave up a transaction, or its connection was lost: the whole of it may be done again."""
    cause = error.__cause__
    if not isinstance(cause, DBAPIError):
        return False
    return cause.connection_invalidated or getattr(cause.orig, "sqlstate", None) in _POSTGRES_GIVEN_UP


def _sqlite_code(error: sqlite3.Error) -> int:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF


def _translation(error: BaseException | None, location: Location) -> CatalogError:
    if isinstance(error, sqlite3.Error):
        return _sqlite_translation(error, location)
    return _postgresql_translation(error, location)


def _sqlite_translation(error: sqlite3.Error, location: Location) -> CatalogError:
    code = _sqlite_code(error)
    if code in _SQLITE_LOCKED:
        return CatalogLockedError(f"{location} is locked by another process. Try again when it has finished.")
    if getattr(error, "sqlite_errorcode", 0) == sqlite3.SQLITE_READONLY_DBMOVED:
        return CatalogUnavailableError(
            f"{location} was replaced or taken away while it was open. Nothing was stored; open the catalog again."
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM):
        return CatalogReadOnlyError(f"{location} may only be read: check the permissions of the file and directory.")
    if code == sqlite3.SQLITE_CANTOPEN:
        return _cannot_open(location)
    if code == sqlite3.SQLITE_NOTADB:
        return NotACatalogError(f"{location} is not a catalog: it is not an SQLite file.")
    if code == sqlite3.SQLITE_CORRUPT:
        return _damaged(location, error)
    if code == sqlite3.SQLITE_FULL:
        return CatalogUnavailableError(f"{location}: the disk is full. Nothing was stored.")
    if code == sqlite3.SQLITE_IOERR:
        return CatalogUnavailableError(f"{location} cannot be read or written ({error}). Check the disk.")
    if "decode to UTF-8" in str(error):
        return DamagedCatalogError(f"{location} is damaged: a stored text is no text. Run `openg2g verify`.")
    return CatalogError(f"{location}: {_one_line(error)}")


def _damaged(location: Location, problem: object) -> DamagedCatalogError:
    return DamagedCatalogError(f"{location} is damaged ({problem}). Restore it from a backup.")


def _cannot_open(location: Location) -> CatalogError:
    """Look why SQLite could not open a file, which it does not tell."""
    path = location.path
    assert path is not None
    if not path.parent.is_dir():
        return CatalogUnavailableError(f"{path}: the directory {path.parent} does not exist. Create it first.")
    if path.is_dir():
        return LocationError(f"{path} is a directory. Name a file in it.")
    if not path.exists():
        if not os.access(path.parent, os.W_OK):
            return CatalogReadOnlyError(f"{path} cannot be made: the directory {path.parent} may only be read.")
        return CatalogNotFoundError(str(path), "the file does not exist")
    return CatalogReadOnlyError(f"{path} cannot be opened: check its permissions.")


def _postgresql_translation(error: BaseException | None, location: Location) -> CatalogError:
    state = getattr(error, "sqlstate", None)
    if state in _POSTGRES_LOCKED:
        return CatalogLockedError(f"{location} is locked by another writer. Try again when it has finished.")
    if state == "25006":
        return CatalogReadOnlyError(f"{location} may only be read: it is a replica, or set to read-only.")
    if state in _POSTGRES_EXPLANATIONS:
        return CatalogUnavailableError(f"{location}: {_POSTGRES_EXPLANATIONS[state]}.")
    text = _one_line(error)
    if "statement pooling" in text:
        return CatalogUnavailableError(
            f"{location} is behind a pooler in statement mode, which has no transactions. "
            "Connect to the server itself, or set pool_mode = transaction for this database in the pooler."
        )
    if state is not None:
        return CatalogError(f"{location}: {text}")
    if "password" in text:  # Failures to connect carry no code.
        return CatalogUnavailableError(f"{location}: {_POSTGRES_EXPLANATIONS['28P01']} ({text}).")
    return CatalogUnavailableError(f"{location} cannot be reached: {text}")


def _one_line(error: BaseException | None) -> str:
    return " ".join(str(error).split())
