"""An open database: its connections, and the one owner of write transactions."""

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial
from typing import Protocol, TypeVar

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DBAPIError

from openg2g.catalog.engine import forks
from openg2g.catalog.engine.commit import forget_appended, last_appended, was_committed
from openg2g.catalog.engine.faults import (
    is_given_up,
    is_none_free,
    is_refusal_to_write,
    naming_damage,
    translated_errors,
)
from openg2g.catalog.engine.kept import keep_nothing
from openg2g.catalog.engine.location import Location
from openg2g.catalog.engine.sqlite.engine import SqliteEngine
from openg2g.catalog.engine.sqlite.queue import WriterQueue
from openg2g.catalog.engine.stored import note_stored
from openg2g.models.errors import (
    CatalogError,
    CatalogLockedError,
    CatalogReadOnlyError,
    CatalogUnavailableError,
    UnknownOutcomeError,
)

_ONLY_READS = "catalog_only_reads"
_REPEATED_AFTER_S = (0.02, 0.1, 0.5, 2.0)
_Result = TypeVar("_Result")


class _EngineOfOurs(Protocol):
    """What is done in another way on each engine."""

    engine: Engine

    def begin_reading(self, connection: Connection) -> None:
        """Begin what single statements need."""

    def begin_snapshot(self, connection: Connection) -> None:
        """Begin a transaction in which every statement sees the same state."""

    def begin_reading_only(self, connection: Connection) -> None:
        """Begin what `begin_snapshot` does, on a connection that refuses to write until `end_reading_only`."""

    def end_reading_only(self, connection: Connection) -> None:
        """End it, and let the connection write again."""

    def begin_writing(self, connection: Connection, waited_s: float = 0.0) -> None:
        """Begin a transaction that no other writer can come into."""

    def commit(self, connection: Connection) -> None:
        """Commit."""

    def begin_migrating(self, connection: Connection) -> None:
        """Begin a transaction in which nobody else changes the tables."""

    def before_fork(self) -> None:
        """Come to a state that a forked child can leave alone."""

    def after_fork_in_parent(self) -> None:
        """Go on."""

    def after_fork_in_child(self) -> None:
        """Give up every connection of the parent's."""


class Database:
    """The connections to one location, with the settings that the catalog relies on.

    Leaving `writing()` without an error commits; any error rolls back. Nothing else commits. Reading needs no
    transaction: rows that a statement has seen never change. Safe to share between threads and to use after a fork: a
    child makes connections of its own. A thread that does one thing after the other uses one connection.

    Attributes:
        location: Where it is.
    """

    def __init__(self, location: Location, *, may_create: bool = False) -> None:
        """Prepare the engine; the first use connects.

        Raises:
            LocationError: The driver for the URL is not installed.
        """
        self.location = location
        self._may_create = may_create
        self._queue = None if location.path is None else WriterQueue(location.path)
        self._is_closed = False
        self._why_not_written: str | None = None
        self._start()
        forks.watch(self)

    def _start(self) -> None:
        """Make what belongs to one process."""
        with translated_errors(self.location):
            self._engine = self._engine_of_location()
        event.listen(self.engine, "handle_error", self._translate)
        self._lock = threading.Lock()
        self._idle: Connection | None = None
        self._in_use: set[Connection] = set()
        self._writing = threading.local()

    def _engine_of_location(self) -> _EngineOfOurs:
        if self.location.path is not None:
            return SqliteEngine(self.location, may_create=self._may_create)
        from openg2g.catalog.engine.postgresql.engine import PostgresqlEngine  # Imported late: most catalogs are files.

        return PostgresqlEngine(self.location, may_create=self._may_create)

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine."""
        return self._engine.engine

    @property
    def is_sqlite(self) -> bool:
        """Whether this is an SQLite file."""
        return self.location.path is not None

    def read(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do work that only reads; all of it again, on a new connection, where that to the server was lost.

        Raises:
            CatalogUnavailableError: The server does not come back.
        """
        return self._again_where_given_up(self.reading, work)

    def read_at_once(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do what `read` does, where every statement of the work is to see the same state.

        Raises:
            CatalogUnavailableError: The server does not come back.
        """
        return self._again_where_given_up(self.snapshot, work)

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Yield a connection on which each statement sees what is committed when it starts.

        Within a write transaction of this thread it is that of the transaction, and sees what it has written, too.
        """
        if (connection := self._written_on()) is not None:
            yield connection
            return
        with self._in_transaction(self._engine.begin_reading) as connection:
            yield connection
            connection.commit()  # Ends what a pooler may need; the driver is in autocommit mode.

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Yield a connection on which every statement sees the same state, for work of many statements.

        Within a write transaction of this thread it is that of the transaction.
        """
        if (connection := self._written_on()) is not None:
            yield connection
            return
        with self._in_transaction(self._engine.begin_snapshot) as connection:
            yield connection
            connection.commit()

    @contextmanager
    def reading_only(self) -> Iterator[Connection]:
        """Yield a connection as `snapshot` does, for statements of others: whatever would write is refused.

        Raises:
            CatalogReadOnlyError: A statement would write.
        """
        with self._in_transaction(self._engine.begin_reading_only) as connection:
            connection.info[_ONLY_READS] = True
            try:
                yield connection
            finally:
                if not connection.invalidated:
                    connection.info.pop(_ONLY_READS, None)
                    self._engine.end_reading_only(connection)

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Own a write transaction: one writer at a time, committed when the block ends without an error.

        Raises:
            CatalogLockedError: Another writer kept the lock for longer than `waiting.LOCK_WAIT_S`, or this thread is
                writing already: it would wait for itself.
            CatalogReadOnlyError: The database may only be read.
        """
        if self._why_not_written is not None:
            raise CatalogReadOnlyError(self._why_not_written)
        if self._written_on() is not None:
            raise CatalogLockedError(
                f"{self.location} is being written to by this thread already: finish that first (a generator that "
                "is being saved cannot save by itself)."
            )
        turn = nullcontext(0.0) if self._queue is None else self._queue.turn()
        with turn as waited_s, self._in_transaction(partial(self.begin_writing, waited_s=waited_s)) as connection:
            self._writing.connection = connection
            try:
                try:
                    yield connection
                finally:
                    self._writing.connection = None
                self._commit_and_note(connection)
            except BaseException:
                keep_nothing(connection)  # It may have read what is undone.
                raise

    def write(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do work in a write transaction; do all of it again, a few times, where the server gave it up.

        PostgreSQL gives up transactions that stand in each other's way, and those whose connection is lost. Work that
        consumes something, as an iterator, cannot be done again: it belongs into `writing`.

        Raises:
            CatalogUnavailableError: The server does not come back, or gives up each time.
        """
        return self._again_where_given_up(self.writing, work)

    def begin_writing(self, connection: Connection, waited_s: float = 0.0) -> None:
        """Begin a transaction that no other writer can come into.

        Args:
            connection: Where to begin it.
            waited_s: The part of the patience that is used up already, seconds.
        """
        forget_appended(connection)
        self._engine.begin_writing(connection, waited_s)

    def begin_migrating(self, connection: Connection) -> None:
        """Begin a transaction in which nobody else changes the tables."""
        forget_appended(connection)
        self._engine.begin_migrating(connection)

    def commit(self, connection: Connection) -> None:
        """Commit; where the connection is lost before the answer, find out whether it happened."""
        if connection not in self._in_use:
            raise forks.inherited_error()
        row = last_appended(connection)
        try:
            self._engine.commit(connection)
        except DBAPIError as error:
            if row is None or not error.connection_invalidated:
                raise
            if not was_committed(self.reading, row, str(self.location)):
                raise

    def _commit_and_note(self, connection: Connection) -> None:
        """Commit, and remember that something was stored, even if a signal is what it ends with."""
        row = last_appended(connection)
        try:
            self.commit(connection)
            note_stored()
        except KeyboardInterrupt:  # SQLAlchemy has given the connection up: another one is asked.
            if row is not None and was_committed(self.reading, row, str(self.location)):
                note_stored()
            raise

    def naming_damage(self) -> AbstractContextManager[None]:
        """Say that the file is damaged where our own code fails within the block and that is why.

        Code of others must not run in the block: its errors would have the whole file checked.
        """
        return naming_damage(self.engine, self.location)

    def _again_where_given_up(
        self, begin: Callable[[], AbstractContextManager[Connection]], work: Callable[[Connection], _Result]
    ) -> _Result:
        """Do work in a transaction; again, a few times, where the server gives it up or its connection is lost."""

        def attempt() -> _Result:
            with begin() as connection, self.naming_damage():
                return work(connection)

        is_repeated = False
        for pause_s in _REPEATED_AFTER_S:
            try:
                return attempt()
            except UnknownOutcomeError:
                raise
            except CatalogError as error:
                if not is_given_up(error) and not (is_repeated and isinstance(error, CatalogUnavailableError)):
                    raise
            is_repeated = True
            time.sleep(pause_s * random.uniform(0.5, 1))  # Two that met shall not meet again.
        return attempt()

    def refuse_writing(self, why: str) -> None:
        """Let nobody write through this object."""
        self._why_not_written = why

    def engine_version(self) -> str:
        """Name and version of the database engine."""
        with self.reading() as connection:
            version = connection.dialect.server_version_info or ()
        return f"{'SQLite' if self.is_sqlite else 'PostgreSQL'} {'.'.join(map(str, version))}"

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            self._is_closed = True
            if self._idle is not None:
                self._idle.close()
                self._idle = None
            self.engine.dispose()
            if self._queue is not None:
                self._queue.close()

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        """Yield a connection without a transaction; what goes wrong with it is one of our errors."""
        with translated_errors(self.location):
            connection = self._take()
            try:
                yield connection
            finally:
                self._give_back(connection)

    @contextmanager
    def _in_transaction(self, begin: Callable[[Connection], None]) -> Iterator[Connection]:
        """Yield a connection after a beginning, which is tried again where the connection had been lost before."""
        with translated_errors(self.location):
            connection = self._take()
            try:
                try:
                    begin(connection)
                except DBAPIError as error:
                    if not error.connection_invalidated or is_none_free(error):
                        raise
                    connection.rollback()  # SQLAlchemy connects again when it is used next.
                    begin(connection)
                yield connection
            finally:
                self._give_back(connection)

    def _translate(self, context: ExceptionContext) -> None:
        """Raise one of our errors where a statement of others fails; those of our own are translated further out."""
        connection, error = context.connection, context.sqlalchemy_exception
        if connection is None or error is None or not connection.info.get(_ONLY_READS):
            return
        if is_refusal_to_write(error):
            raise read_only_error() from error
        with translated_errors(self.location):
            raise error

    def _take(self) -> Connection:
        with self._lock:
            self._require_open()
            connection, self._idle = self._idle, None
        if connection is None:
            connection = self.engine.connect()
        self._in_use.add(connection)
        return connection

    def _give_back(self, connection: Connection) -> None:
        """Keep a connection for the next use, or leave it to the pool where one is kept already."""
        if connection not in self._in_use:  # It is the parent's, and this is a forked child.
            connection.invalidate()
            return
        self._in_use.remove(connection)
        try:
            connection.rollback()
        except DBAPIError:
            connection.invalidate()
        with self._lock:
            if self._idle is None and not connection.invalidated and not self._is_closed:
                self._idle = connection
                return
        connection.close()

    def _written_on(self) -> Connection | None:
        """Return the connection that this thread is writing on, if it is."""
        connection: Connection | None = getattr(self._writing, "connection", None)
        return connection

    def _require_open(self) -> None:
        if self._is_closed:
            raise CatalogError(f"the catalog {self.location} was closed. Open it again.")

    def before_fork(self) -> None:
        """Come to a state that a forked child can leave alone."""
        self._engine.before_fork()

    def after_fork_in_parent(self) -> None:
        """Go on."""
        self._engine.after_fork_in_parent()

    def after_fork_in_child(self) -> None:
        """Leave every connection to the parent, and make others when they are needed."""
        self._engine.after_fork_in_child()
        if self._queue is not None:
            self._queue.leave_to_parent()
        self._start()


def read_only_error() -> CatalogReadOnlyError:
    """Refuse to write in a session that only reads."""
    return CatalogReadOnlyError("a session of a catalog only reads. Record with `Catalog.save` and its like.")
