"""A session of SQLAlchemy's ORM that only reads, for people who know SQLAlchemy."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import event
from sqlalchemy.orm import Session

from openg2g.catalog.engine.database import Database, read_only_error


@contextmanager
def read_only_session(database: Database) -> Iterator[Session]:
    """Yield a session in which every query sees the same state of the catalog, and nothing can be written.

    A flush is refused here, whatever else would write by the database itself.
    """
    with (
        database.reading_only() as connection,
        # The end of the session's transaction is not that of the connection's, which keeps the state.
        Session(connection, autoflush=False, join_transaction_mode="create_savepoint") as session,
    ):
        event.listen(session, "before_flush", _refuse)
        yield session


def _refuse(*_: object) -> None:
    raise read_only_error()
