"""What drivers raise, translated into the catalog's errors in one place."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, NoSuchModuleError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from openg2g.catalog.engine.location import Location
from openg2g.catalog.engine.postgresql.faults import DENIED, GIVEN_UP, READ_ONLY, postgresql_error
from openg2g.catalog.engine.sqlite.faults import damaged, sqlite_error
from openg2g.models.errors import CatalogError, CatalogUnavailableError, LocationError

# What our own code ends with where a value is not what was stored.
_LED_TO_BY_DAMAGE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)


@contextmanager
def translated_errors(location: Location) -> Iterator[None]:
    """Raise what a driver raises inside the block as a `CatalogError` that says what to do.

    Driver errors arrive wrapped by SQLAlchemy. A bare one is somebody else's: of a generator that is being saved.
    """
    started = time.monotonic()
    try:
        yield
    except DBAPIError as error:
        if is_none_free(error):
            raise _none_free(location, started) from error.orig
        raise _translation(error, location) from error
    except PoolTimeoutError as error:
        raise _none_free(location, started) from error
    except (ImportError, NoSuchModuleError) as error:  # ImportError alone: psycopg without its C library.
        if "psycopg" not in str(error) and "pq wrapper" not in str(error) and isinstance(error, ImportError):
            raise
        raise LocationError("PostgreSQL needs the driver psycopg: pip install 'openg2g-catalog[postgres]'.") from error
    except SQLAlchemyError as error:
        raise CatalogError(f"{location}: {' '.join(str(error).split())}") from error


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
                    raise damaged(location, problem) from error
        raise


def is_none_free(error: DBAPIError) -> bool:
    """Whether a pooler had no connection to the server to give."""
    return "query_wait_timeout" in str(error.orig)


def is_given_up(error: CatalogError) -> bool:
    """Whether a server gave up a transaction, or its connection was lost: the whole of it may be done again."""
    cause = error.__cause__
    if not isinstance(cause, DBAPIError):
        return False
    return cause.connection_invalidated or getattr(cause.orig, "sqlstate", None) in GIVEN_UP


def is_refusal_to_write(error: SQLAlchemyError) -> bool:
    """Whether a database refused to write on a connection, or in a transaction, that only reads."""
    cause = error.orig if isinstance(error, DBAPIError) else None
    if isinstance(cause, sqlite3.Error):
        return getattr(cause, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY
    return getattr(cause, "sqlstate", None) == READ_ONLY


def is_denied(error: CatalogError) -> bool:
    """Whether a server refused something for lack of a privilege."""
    return getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) == DENIED


def _none_free(location: Location, started: float) -> CatalogUnavailableError:
    return CatalogUnavailableError(
        f"{location}: no connection was free within {time.monotonic() - started:.0f} s. Close catalogs that are not in "
        "use, or let the pooler have more connections."
    )


def _translation(error: DBAPIError, location: Location) -> CatalogError:
    if isinstance(error.orig, sqlite3.Error):
        return sqlite_error(error.orig, location, error.statement)
    return postgresql_error(error.orig, location, error.statement)
