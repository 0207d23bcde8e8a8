"""An open database: its connections, and the one owner of write transactions."""

import os
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from functools import partial
from typing import TypeVar
from weakref import WeakSet

from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import ExceptionContext
from sqlalchemy.exc import DBAPIError

from openg2g.catalog.engine import forks
from openg2g.catalog.engine.commit import AppendedRow, forget_appended, last_appended, note_stored, was_committed
from openg2g.catalog.engine.engines import CatalogEngine
from openg2g.catalog.engine.faults import is_given_up, is_none_free, translated_errors
from openg2g.catalog.engine.kept import keep_nothing
from openg2g.catalog.engine.location import Location
from openg2g.catalog.engine.sqlite.engine import SqliteEngine
from openg2g.catalog.engine.sqlite.faults import damaged
from openg2g.models.errors import (
    CatalogError,
    CatalogLockedError,
    CatalogReadOnlyError,
    CatalogUnavailableError,
    LocationError,
    UnknownOutcomeError,
)

_ONLY_READS = "catalog_only_reads"
# What our own code ends with where a value is not what was stored.
_LED_TO_BY_DAMAGE = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError)
_REPEATED_AFTER_S = (0.02, 0.1, 0.5, 2.0)
_Result = TypeVar("_Result")


class Database:
    """The connections to one location, with the settings that the catalog relies on.

    Leaving `writing()` without an error commits; any error rolls back. Nothing else commits. Reading needs no
    transaction: rows that a statement has seen never change. Safe to share between threads and to use after a fork: a
    child makes connections of its own. A thread that does one thing after the other uses one connection.

    Attributes:
        location: Where it is.
        why_not_written: Why nobody may write through this object; None where they may.
    """

    def __init__(self, location: Location, *, may_create: bool = False) -> None:
        """Prepare the engine, whose driver must be installed; the first use connects."""
        self.location = location
        self._may_create = may_create
        self._is_closed = False
        self.why_not_written: str | None = None
        self._start()
        _DATABASES.add(self)

    def _start(self) -> None:
        """Make what belongs to one process."""
        self._engine = self._engine_of_location()
        event.listen(self.engine, "handle_error", self._translate)
        self._lock = threading.Lock()
        self._idle: Connection | None = None
        self._in_use: set[Connection] = set()
        self._writing = threading.local()

    def _engine_of_location(self) -> CatalogEngine:
        if self.location.path is not None:
            return SqliteEngine(self.location, self.location.path, may_create=self._may_create)
        try:  # Imported late: most catalogs are files.
            from openg2g.catalog.engine.postgresql.engine import PostgresqlEngine
        except ImportError as error:  # Of psycopg, or of its C library.
            message = "PostgreSQL needs the driver psycopg: pip install 'openg2g-catalog[postgres]'."
            raise LocationError(message) from error
        return PostgresqlEngine(self.location, may_create=self._may_create)

    @property
    def engine(self) -> Engine:
        """The SQLAlchemy engine."""
        return self._engine.engine

    def read(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do work that only reads; all of it again, on a new connection, where that to the server was lost."""
        return self._again_where_given_up(self.reading, work)

    def read_at_once(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do what `read` does, where every statement of the work is to see the same state."""
        return self._again_where_given_up(self.snapshot, work)

    def reading(self) -> AbstractContextManager[Connection]:
        """Yield a connection on which each statement sees what is committed when it starts.

        Within a write transaction of this thread it is that of the transaction, and sees what it has written, too.
        """
        return self._reading(self._engine.begin_reading)

    def snapshot(self) -> AbstractContextManager[Connection]:
        """Yield a connection as `reading` does, for several statements, all of which see the same state."""
        return self._reading(self._engine.begin_snapshot)

    @contextmanager
    def _reading(self, begin: Callable[[Connection], None]) -> Iterator[Connection]:
        if (connection := self._written_on()) is not None:
            yield connection
            return
        with self._in_transaction(begin) as connection:
            yield connection
            connection.commit()  # Ends what a pooler may need; the driver is in autocommit mode.

    @contextmanager
    def reading_only(self) -> Iterator[Connection]:
        """Yield a connection as `snapshot` does, for statements of others: whatever would write is refused."""
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

        A thread that is writing already would wait for itself, and is refused.
        """
        if self.why_not_written is not None:
            raise CatalogReadOnlyError(self.why_not_written)
        if self._written_on() is not None:
            raise CatalogLockedError(
                f"{self.location} is being written to by this thread already: finish that first (a generator that "
                "is being saved cannot save by itself)."
            )
        begin = self._engine.begin_writing
        with self._engine.turn() as waited_s, self._in_transaction(partial(begin, waited_s=waited_s)) as connection:
            forget_appended(connection)
            self._writing.connection = connection
            try:
                try:
                    yield connection
                finally:
                    self._writing.connection = None
                self.commit(connection)
            except BaseException:
                keep_nothing(connection)  # It may have read what is undone.
                raise

    def write(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do work in a write transaction; do all of it again, a few times, where the server gave it up.

        PostgreSQL gives up transactions that stand in each other's way, and those whose connection is lost. Work that
        consumes something, as an iterator, cannot be done again: it belongs into `writing`.
        """
        return self._again_where_given_up(self.writing, work)

    def commit(self, connection: Connection) -> None:
        """Commit, and remember that something was stored, even if a signal is what it ends with.

        Where the connection is lost before the answer, it is found out whether it happened.
        """
        if connection not in self._in_use:
            raise forks.inherited_error()
        row = last_appended(connection)
        try:
            try:
                self._engine.commit(connection)
            except DBAPIError as error:
                if row is None or not error.connection_invalidated or not self._was_committed(row):
                    raise
            note_stored()
        except KeyboardInterrupt:  # SQLAlchemy has given the connection up: another one is asked.
            if row is not None and self._was_committed(row):
                note_stored()
            raise

    def _was_committed(self, row: AppendedRow) -> bool:
        return was_committed(self.reading, row, str(self.location))

    @contextmanager
    def naming_damage(self) -> Iterator[None]:
        """Say that the file is damaged where our own code fails within the block and that is why.

        A damaged page may give any value of any type; to expect that at each place which uses one would hide what it
        does. Code of others must not run in the block: its errors would have the whole file checked.
        """
        try:
            yield
        except CatalogError:
            raise
        except _LED_TO_BY_DAMAGE as error:
            with translated_errors(self._engine), self.engine.connect() as connection:
                for problem in self._engine.damage_of(connection, limit=1):
                    raise damaged(self.location, problem) from error
            raise

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

    def engine_version(self) -> str:
        """Name and version of the database engine."""
        with self.reading() as connection:
            version = connection.dialect.server_version_info or ()
        return f"{self._engine.product} {'.'.join(map(str, version))}"

    def journal_mode(self) -> str | None:
        """How a file keeps a transaction until it is complete, `delete` or `wal`; None on a server."""
        return self.read(self._engine.journal_mode)

    def why_read_only(self) -> str | None:
        """Why this user may only read the catalog; None where they may write to it."""
        return self.read(self._engine.why_read_only)

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            self._is_closed = True
            if self._idle is not None:
                self._idle.close()
                self._idle = None
            self._engine.close()

    def connected(self) -> AbstractContextManager[Connection]:
        """Yield a connection without a transaction; what goes wrong with it is one of our errors."""
        return self._in_transaction(lambda _: None)

    @contextmanager
    def _in_transaction(self, begin: Callable[[Connection], None]) -> Iterator[Connection]:
        """Yield a connection after a beginning, which is tried again where the connection had been lost before."""
        with translated_errors(self._engine):
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
        if self._engine.is_refusal_to_write(error):
            raise read_only_error() from error
        with translated_errors(self._engine):
            raise error

    def _take(self) -> Connection:
        with self._lock:
            if self._is_closed:
                raise CatalogError(f"the catalog {self.location} was closed. Open it again.")
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


def read_only_error() -> CatalogReadOnlyError:
    """Refuse to write in a session that only reads."""
    return CatalogReadOnlyError("a session of a catalog only reads. Record with `Catalog.save` and its like.")


_DATABASES: WeakSet[Database] = WeakSet()
_FORKED: list[Database] = []
_ONE_AT_A_TIME = threading.RLock()


def _before_fork() -> None:
    _ONE_AT_A_TIME.acquire()
    for database in list(_DATABASES):
        database._engine.before_fork()
        _FORKED.append(database)


def _after_fork_in_parent() -> None:
    while _FORKED:
        _FORKED.pop()._engine.after_fork_in_parent()
    _ONE_AT_A_TIME.release()


def _after_fork_in_child() -> None:
    while _FORKED:
        database = _FORKED.pop()
        database._engine.after_fork_in_child()
        database._start()
    _ONE_AT_A_TIME.release()  # The thread that forked has it, and is the one that lives on.


if hasattr(os, "register_at_fork"):  # Windows has no fork.
    os.register_at_fork(before=_before_fork, after_in_parent=_after_fork_in_parent, after_in_child=_after_fork_in_child)
