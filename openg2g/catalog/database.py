"""An open database: its engine, the connection for reading, and the one owner of write transactions."""

import logging
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, FromClause, create_engine, event, select
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import ConnectionPoolEntry

from openg2g.catalog.faults import is_given_up, is_locked, naming_damage, translated_errors
from openg2g.catalog.location import Location
from openg2g.catalog.outcome import forget_appended, last_appended, was_committed
from openg2g.catalog.sqlite_functions import register_functions
from openg2g.catalog.tables import CATALOG_INFO
from openg2g.catalog.waiting import TELL_AFTER_S, tell_of_waiting, telling_of_waiting
from openg2g.catalog.writer_queue import WriterQueue
from openg2g.models.errors import (
    CatalogError,
    CatalogLockedError,
    CatalogUnavailableError,
    DamagedCatalogError,
    UnknownOutcomeError,
)

SEARCHING = "catalog_search"
"""Execution option of statements that are planned for their values."""

LOCK_WAIT_S = 30.0
"""How long a writer waits for another before it gives up, seconds."""

_BUSY_WAIT_S = 0.25  # SQLite does not serve Ctrl-C while it waits, so it waits briefly and often.
_SQLITE_SETTINGS = (
    "foreign_keys = ON",
    "synchronous = FULL",
    "cache_size = -65536",  # 64 MiB: the default of 2 costs 40 % on an import of 100,000.
)
_BEGIN_WRITING = "BEGIN IMMEDIATE"
_RETRY_PAUSE_S = 0.005  # SQLite may say at once that it is busy.
_POSTGRESQL_SETTINGS = {  # Of the driver. A server whose machine is gone is noticed within two minutes, not two hours.
    "connect_timeout": 10,
    "keepalives_idle": 30,
    "keepalives_interval": 10,
    "keepalives_count": 6,
    "tcp_user_timeout": 90_000,
}

# Where no logging is set up, Python would print what the driver notes of errors that it also raises.
_QUIET = logging.NullHandler()

_LOCK = select(CATALOG_INFO.c.id).with_for_update()
_LOCK_IF_FREE = _LOCK.with_for_update(skip_locked=True)  # Whoever gets it needs to tell nobody.
_REPEATED_AFTER_S = (0.02, 0.1, 0.5, 2.0)
_Result = TypeVar("_Result")


class Database:
    """An engine on one location, with the settings that the catalog relies on.

    Leaving `writing()` without an error commits; any error rolls back. Nothing else commits. Reading needs no
    transaction: rows that a statement has seen never change. Safe to share between threads.

    Attributes:
        location: Where it is.
        engine: The SQLAlchemy engine.
    """

    def __init__(self, location: Location, *, may_create_file: bool = False) -> None:
        """Prepare the engine; the first use connects.

        Raises:
            LocationError: The driver for the URL is not installed.
        """
        self.location = location
        with translated_errors(location):
            if location.path is not None:
                self.engine = _sqlite_engine(location, "rwc" if may_create_file else "rw")
            else:
                self.engine = _postgresql_engine(location)
        self._queue = None if location.path is None else WriterQueue(location.path)
        self._reader: Connection | None = None
        self._reader_lock = threading.RLock()
        self._writing_thread: int | None = None
        self._is_closed = False

    @property
    def is_sqlite(self) -> bool:
        """Whether this is an SQLite file."""
        return self.location.path is not None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Lend the connection that is kept for reading; each statement sees what is committed when it starts."""
        with self._reader_lock, translated_errors(self.location):
            self._require_open()
            if self._reader is None:
                self._reader = self._connect_reader()
            try:
                with naming_damage(self.engine, self.location):
                    yield self._reader
            finally:
                self._reader.rollback()  # Ends SQLAlchemy's bookkeeping; the driver is in autocommit mode.

    def read(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do work that only reads; once more, on a new connection, where the server's connection was lost."""
        with self.reading() as connection:
            return work(connection)

    @contextmanager
    def snapshot(self) -> Iterator[Connection]:
        """Lend a connection on which every statement sees the same state, for work of many statements."""
        with translated_errors(self.location):
            self._require_open()
            with self.engine.connect() as connection:
                if self.is_sqlite:
                    connection.exec_driver_sql("BEGIN")
                else:
                    connection = connection.execution_options(isolation_level="REPEATABLE READ")
                with naming_damage(self.engine, self.location):
                    yield connection
                connection.rollback()

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Own a write transaction: one writer at a time, committed when the block ends without an error.

        Raises:
            CatalogLockedError: Another writer kept the lock for longer than `LOCK_WAIT_S`, or this thread is writing
                already: it would wait for itself.
            CatalogReadOnlyError: The database may only be read.
        """
        if self._writing_thread == threading.get_ident():
            raise CatalogLockedError(
                f"{self.location} is being written to by this thread already: finish that first (a generator that "
                "is being saved cannot save by itself)."
            )
        with translated_errors(self.location):
            self._require_open()
            turn = nullcontext(0.0) if self._queue is None else self._queue.turn(LOCK_WAIT_S / 2)
            # Damage is looked for when others may write again.
            with naming_damage(self.engine, self.location), turn as waited_s, self.engine.connect() as connection:
                self.begin_writing(connection, waited_s)
                self._writing_thread = threading.get_ident()
                try:
                    yield connection
                    self._commit(connection)
                finally:
                    self._writing_thread = None

    def write(self, work: Callable[[Connection], _Result]) -> _Result:
        """Do work in a write transaction; do all of it again, a few times, where the server gave it up.

        PostgreSQL gives up transactions that stand in each other's way, and those whose connection is lost. Work that
        consumes something, as an iterator, cannot be done again: it belongs into `writing`.

        Raises:
            CatalogUnavailableError: The server does not come back, or gives up each time.
        """
        is_repeated = False
        for pause_s in _REPEATED_AFTER_S:
            try:
                with self.writing() as connection:
                    return work(connection)
            except UnknownOutcomeError:
                raise
            except CatalogError as error:
                if not is_given_up(error) and not (is_repeated and isinstance(error, CatalogUnavailableError)):
                    raise
            is_repeated = True
            time.sleep(pause_s * random.uniform(0.5, 1))  # Two that met shall not meet again.
        with self.writing() as connection:
            return work(connection)

    def begin_writing(self, connection: Connection, waited_s: float = 0.0) -> None:
        """Begin a transaction that no other writer can come into.

        Args:
            connection: Where to begin it.
            waited_s: The part of the patience that is used up already, seconds.
        """
        forget_appended(connection)
        if self.is_sqlite:
            connection.execution_options(catalog_write=True, catalog_waited_s=waited_s)
            connection.begin()
            return
        locked = connection.scalar(_LOCK_IF_FREE)
        if locked is None:
            with telling_of_waiting():
                locked = connection.scalar(_LOCK)
        if locked is None:
            raise DamagedCatalogError(f"{self.location}: the row of catalog_info that writers lock is missing.")

    def _commit(self, connection: Connection) -> None:
        """Commit; where the connection is lost before the answer, find out whether it happened."""
        row = last_appended(connection)
        try:
            connection.commit()
        except DBAPIError as error:
            if row is None or not error.connection_invalidated:
                raise
            if not was_committed(self.engine, row, str(self.location)):
                raise

    def engine_version(self) -> str:
        """Name and version of the database engine."""
        with self.reading() as connection:
            version = connection.dialect.server_version_info or ()
        return f"{'SQLite' if self.is_sqlite else 'PostgreSQL'} {'.'.join(map(str, version))}"

    def close(self) -> None:
        """Close every connection."""
        with self._reader_lock:
            self._is_closed = True
            if self._reader is not None:
                self._reader.close()
                self._reader = None
            self.engine.dispose()
            if self._queue is not None:
                self._queue.close()

    def _connect_reader(self) -> Connection:
        connection = self.engine.connect()
        return connection if self.is_sqlite else connection.execution_options(isolation_level="AUTOCOMMIT")

    def _require_open(self) -> None:
        if self._is_closed:
            raise CatalogError(f"the catalog {self.location} was closed. Open it again.")


def _sqlite_engine(location: Location, mode: str) -> Engine:
    path = location.path
    assert path is not None
    uri = f"{path.as_uri()}?mode={mode}"  # A mistyped path must not become an empty database.

    def connect() -> sqlite3.Connection:
        return sqlite3.connect(uri, uri=True, timeout=_BUSY_WAIT_S, check_same_thread=False, isolation_level=None)

    engine = create_engine(location.url, creator=connect, hide_parameters=True)
    engine.dialect.statement_compiler = _HintingCompiler
    event.listen(engine, "connect", _set_up_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    event.listen(engine, "commit", _commit_sqlite)
    event.listen(engine, "do_execute", _execute_patiently)
    event.listen(engine, "do_execute_no_params", _execute_patiently)
    return engine


class _HintingCompiler(SQLiteCompiler):
    """Writes hints (`INDEXED BY …`) behind the tables of a statement, which SQLAlchemy does for other databases."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        """Return what follows the name of a table."""
        return text


def _set_up_sqlite(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    try:
        for setting in _SQLITE_SETTINGS:
            _execute_patiently(cursor, f"PRAGMA {setting}", None)  # They read the schema, and may find it locked.
        register_functions(connection)
    except UnicodeDecodeError:  # SQLite's message quotes the schema, whose bytes are no text any more.
        raise DamagedCatalogError("the SQLite file is damaged: its schema cannot be read. Restore a backup.") from None
    finally:
        cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    """Begin write transactions as such, so that no other writer can come between our reading and our writing."""
    if connection.get_execution_options().get("catalog_write"):
        connection.exec_driver_sql(_BEGIN_WRITING)


def _commit_sqlite(connection: Connection) -> None:
    """Commit by a statement, which is tried again where the driver's own commit would give the transaction up."""
    if connection.get_execution_options().get("catalog_write"):
        connection.exec_driver_sql("COMMIT")


def _execute_patiently(cursor: sqlite3.Cursor, statement: str, *arguments: Any) -> bool:
    """Execute a statement again while another connection holds the lock, for `LOCK_WAIT_S` at the most.

    Writers wait for writers; in rollback-journal mode a commit waits for readers, and readers for a commit, or for a
    transaction that is too large for the page cache.
    """
    *parameters, context = arguments  # The last is SQLAlchemy's.
    waited_s = context.execution_options.get("catalog_waited_s", 0.0) if statement == _BEGIN_WRITING else 0.0
    started = time.monotonic() - waited_s
    has_told = waited_s > TELL_AFTER_S
    while True:
        try:
            cursor.execute(statement, *parameters)
            return True  # SQLAlchemy need not execute it.
        except sqlite3.OperationalError as error:
            waited_s = time.monotonic() - started
            if not is_locked(error) or waited_s > LOCK_WAIT_S:
                raise
            if waited_s > TELL_AFTER_S and not has_told:
                tell_of_waiting()
                has_told = True
            time.sleep(_RETRY_PAUSE_S)


def _postgresql_engine(location: Location) -> Engine:
    logging.getLogger("psycopg").addHandler(_QUIET)  # The same again is not added.
    engine = create_engine(
        location.url,
        hide_parameters=True,
        # Whatever the server's default is: what was committed while a writer waited for the lock must be seen.
        isolation_level="READ COMMITTED",
        connect_args={key: value for key, value in _POSTGRESQL_SETTINGS.items() if key not in location.url.query},
    )
    event.listen(engine, "connect", _set_up_postgresql)
    event.listen(engine, "do_execute", _execute_search)
    return engine


def _execute_search(cursor: Any, statement: str, parameters: Any, context: Any) -> bool:
    """Send a search unprepared: a plan made without the values may take 1,000 times as long."""
    if not context.execution_options.get(SEARCHING):
        return False  # SQLAlchemy executes it.
    cursor.execute(statement, parameters, prepare=False)
    return True


def _set_up_postgresql(connection: Any, _: ConnectionPoolEntry) -> None:
    # A statement after connecting, since poolers refuse settings in the start-up packet.
    connection.autocommit = True
    connection.execute(f"SET lock_timeout = '{LOCK_WAIT_S:.0f}s'")
    connection.execute("SET TimeZone = 'UTC'")  # Elsewhere the first and last hours of all time cannot be read.
    connection.autocommit = False
