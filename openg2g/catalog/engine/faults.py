"""What drivers raise, translated into the catalog's errors in one place."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from openg2g.catalog.engine.engines import CatalogEngine
from openg2g.catalog.engine.postgresql.faults import DENIED, GIVEN_UP
from openg2g.models.errors import CatalogError, CatalogUnavailableError


@contextmanager
def translated_errors(engine: CatalogEngine) -> Iterator[None]:
    """Raise what a driver raises inside the block as a `CatalogError` that says what to do.

    Driver errors arrive wrapped by SQLAlchemy. A bare one is somebody else's: of a generator that is being saved.
    """
    started = time.monotonic()
    try:
        yield
    except SQLAlchemyError as error:
        if isinstance(error, PoolTimeoutError) or is_none_free(error):
            raise CatalogUnavailableError(
                f"{engine.location}: no connection was free within {time.monotonic() - started:.0f} s. Close catalogs "
                "that are not in use, or let the pooler have more connections."
            ) from error
        if isinstance(error, DBAPIError):
            raise engine.translation(error.orig, engine.location, error.statement) from error
        raise CatalogError(f"{engine.location}: {' '.join(str(error).split())}") from error


def is_none_free(error: SQLAlchemyError) -> bool:
    """Whether a pooler had no connection to the server to give."""
    return isinstance(error, DBAPIError) and "query_wait_timeout" in str(error.orig)


def is_given_up(error: CatalogError) -> bool:
    """Whether a server gave up a transaction, or its connection was lost: the whole of it may be done again."""
    cause = error.__cause__
    if not isinstance(cause, DBAPIError) or is_none_free(cause):
        return False
    return cause.connection_invalidated or getattr(cause.orig, "sqlstate", None) in GIVEN_UP


def is_denied(error: CatalogError) -> bool:
    """Whether a server refused something for lack of a privilege."""
    return getattr(getattr(error.__cause__, "orig", None), "sqlstate", None) == DENIED
