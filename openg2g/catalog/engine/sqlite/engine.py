"""How the catalog works with SQLite: settings, patience with locks, and what becomes of a file after a fork."""

import json
import os
import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, suppress
from itertools import chain, islice
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, FromClause, Table, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import ConnectionPoolEntry

from openg2g.catalog.engine import waiting
from openg2g.catalog.engine.engines import CatalogEngine, driver_cursor
from openg2g.catalog.engine.location import Location
from openg2g.catalog.engine.sqlite import definitions
from openg2g.catalog.engine.sqlite.connection import HARDENING, ProcessConnection, ProcessCursor
from openg2g.catalog.engine.sqlite.faults import is_locked, sqlite_error
from openg2g.catalog.engine.sqlite.files import require_locks, require_regular_files, why_file_is_read_only
from openg2g.catalog.engine.sqlite.functions import register_functions
from openg2g.catalog.engine.sqlite.queue import WriterQueue
from openg2g.catalog.schema.convert import RowTuple
from openg2g.models.errors import DamagedCatalogError

_BUSY_WAIT_S = 0.25  # SQLite does not serve Ctrl-C while it waits, so it waits briefly and often.
_SETTINGS = (
    *HARDENING,
    "foreign_keys = ON",
    "synchronous = FULL",
    "cache_size = -65536",  # 64 MiB: the default of 2 costs 40 % on an import of 100,000.
)
_WAITED_S = "catalog_waited_s"  # Execution option: the part of the patience that is used up already.
_RETRY_PAUSE_S = 0.005  # SQLite may say at once that it is busy.

# Of each page that a statement of several rows changes, SQLite keeps a copy, to undo that statement alone. A hundred
# rows make up for it; a thousand take two thirds of the time of single ones, or less. They are 10,000 parameters where
# a table has ten columns; SQLite takes 32,766.
_ROWS_PER_STATEMENT = 1_000


class SqliteEngine(CatalogEngine):
    """The connections to an SQLite file."""

    name = "sqlite"
    product = "SQLite"
    among_keys = "IN (SELECT value FROM json_each(?))"
    keys_parameter = staticmethod(json.dumps)
    translation = staticmethod(sqlite_error)
    removal = "DROP {kind} {name}"
    read_definitions = staticmethod(definitions.read_definitions)
    comparable = staticmethod(definitions.comparable)
    find_version_table = staticmethod(definitions.find_version_table)

    def __init__(self, location: Location, path: Path, *, may_create: bool) -> None:
        """Prepare the engine for the file of a location; the first use connects."""
        super().__init__(location, creator=self._connect)
        self._path = path
        # A mistyped path must not become an empty database.
        self._uri = f"{path.as_uri()}?mode={'rwc' if may_create else 'rw'}"
        self._queue = WriterQueue(path)
        self._open: WeakSet[ProcessConnection] = WeakSet()
        self._connecting = threading.RLock()
        self._held: list[ProcessConnection] = []
        self._of_transactions: list[int] = []
        self.engine.dialect.statement_compiler = _HintingCompiler
        event.listen(self.engine, "connect", self._set_up)
        event.listen(self.engine, "do_execute", self._execute)
        event.listen(self.engine, "do_execute_no_params", self._execute)

    def begin_snapshot(self, connection: Connection) -> None:
        """Begin a transaction."""
        connection.exec_driver_sql("BEGIN")

    def begin_reading_only(self, connection: Connection) -> None:
        """Begin a transaction, on a connection that refuses to write."""
        self.begin_snapshot(connection)
        connection.exec_driver_sql("PRAGMA query_only = ON")

    def end_reading_only(self, connection: Connection) -> None:
        """End it."""
        super().end_reading_only(connection)
        connection.exec_driver_sql("PRAGMA query_only = OFF")

    def turn(self) -> AbstractContextManager[float]:
        """Queue for the file."""
        return self._queue.turn()

    def begin_writing(self, connection: Connection, waited_s: float = 0.0) -> None:
        """Begin a transaction as a writer's, so that no other can come between its reading and its writing."""
        connection.exec_driver_sql("BEGIN IMMEDIATE", execution_options={_WAITED_S: waited_s})

    def begin_migrating(self, connection: Connection) -> None:
        """Begin a transaction without foreign keys: to make a parent table again would empty its children."""
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.rollback()
        self.begin_writing(connection)

    def end_migrating(self, connection: Connection) -> None:
        """Let the pool not lend a connection without foreign keys."""
        connection.invalidate()

    def commit(self, connection: Connection) -> None:
        """Commit by a statement, which is tried again where the driver's own commit would give the transaction up."""
        connection.exec_driver_sql("COMMIT")
        connection.commit()

    def insert(self, connection: Connection, table: Table, rows: Iterator[RowTuple]) -> None:
        """Insert rows, a thousand by a statement."""
        statement = f"INSERT INTO {table.name} ({', '.join(column.name for column in table.columns)}) VALUES "
        marks = f"({', '.join('?' * len(table.columns))})"
        with driver_cursor(connection, statement) as cursor:
            while block := list(islice(rows, _ROWS_PER_STATEMENT)):
                if len(block) == _ROWS_PER_STATEMENT:
                    cursor.execute(statement + ", ".join([marks] * len(block)), list(chain.from_iterable(block)))
                else:
                    cursor.executemany(statement + marks, block)

    def is_refusal_to_write(self, error: SQLAlchemyError) -> bool:
        """Whether it is what SQLite says then."""
        return getattr(getattr(error, "orig", None), "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY

    def why_read_only(self, connection: Connection) -> str | None:
        """Say whose the file is."""
        return why_file_is_read_only(self._path)

    def damage_of(self, connection: Connection, limit: int = 100) -> Iterator[str]:
        """Let SQLite look through its pages and constraints."""
        for (message,) in connection.exec_driver_sql(f"PRAGMA integrity_check({limit})").all():
            if message != "ok":
                yield message

    def broken_references(self, connection: Connection) -> Iterator[str]:
        """Let SQLite look."""
        for table, row, parent, _ in connection.exec_driver_sql("PRAGMA foreign_key_check").all():
            yield f"row {row} of {table} refers to a row of {parent} that is not there."

    def journal_mode(self, connection: Connection) -> str:
        """Ask SQLite."""
        return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())

    def before_fork(self) -> None:
        """Wait until no thread is in a statement, and note which open files belong to transactions."""
        self._connecting.acquire()
        self._held = list(self._open)
        for raw in self._held:
            raw.statement.acquire()
        self._of_transactions = []
        if any(raw.in_transaction for raw in self._held) and not Path(f"{self._path}-wal").exists():
            self._of_transactions = _descriptors(self._path, Path(f"{self._path}-journal"))

    def after_fork_in_parent(self) -> None:
        """Go on."""
        for raw in self._held:
            raw.statement.release()
        self._held = []
        self._connecting.release()

    def after_fork_in_child(self) -> None:
        """Close every connection of the parent's, without a change to the file or to a lock of the parent's.

        SQLite keeps one record of a file's locks for a whole process. Until the copies of the connections are closed,
        it says that this process has the locks which only the parent has.
        """
        if self._of_transactions:
            with tempfile.TemporaryFile() as nowhere:
                for descriptor in self._of_transactions:
                    os.dup2(nowhere.fileno(), descriptor, inheritable=False)
        for raw in self._held:
            raw.give_up()
        self._queue.leave_to_parent()

    def close(self) -> None:
        """Close what no transaction uses, and leave the queue."""
        super().close()
        self._queue.close()

    def _connect(self) -> ProcessConnection:
        require_regular_files(self._path)
        with self._connecting:
            raw = sqlite3.connect(
                self._uri,
                uri=True,
                timeout=_BUSY_WAIT_S,
                check_same_thread=False,
                isolation_level=None,
                factory=ProcessConnection,
            )
            self._open.add(raw)
            return raw

    def _set_up(self, connection: ProcessConnection, _: ConnectionPoolEntry) -> None:
        cursor = connection.cursor()
        try:
            for setting in _SETTINGS:  # They read the schema, and may find it locked.
                self._execute_patiently(cursor, f"PRAGMA {setting}")
            register_functions(connection)
        except UnicodeDecodeError:  # SQLite's message quotes the schema, whose bytes are no text any more.
            message = "the SQLite file is damaged: its schema cannot be read. Restore a backup."
            raise DamagedCatalogError(message) from None
        finally:
            cursor.close()

    def _execute(self, cursor: ProcessCursor, statement: str, *arguments: Any) -> bool:
        *parameters, context = arguments  # The last is SQLAlchemy's.
        waited_s = context.execution_options.get(_WAITED_S, 0.0)
        self._execute_patiently(cursor, statement, *parameters, waited_s=waited_s)
        return True  # SQLAlchemy need not execute it.

    def _execute_patiently(
        self, cursor: ProcessCursor, statement: str, *parameters: Any, waited_s: float = 0.0
    ) -> None:
        """Execute a statement again while another connection holds the lock, for `waiting.LOCK_WAIT_S` at the most.

        Writers wait for writers; in rollback-journal mode a commit waits for readers, and readers for a commit, or for
        a transaction that is too large for the page cache. `waited_s` of the patience is used up already.
        """
        started = time.monotonic() - waited_s
        has_warned = False
        is_first = True
        cursor.connection.begin_statement()
        while True:
            try:
                cursor.execute(statement, *parameters)
                return
            except sqlite3.OperationalError as error:
                waited_s = time.monotonic() - started
                if not is_locked(error):
                    raise
                if is_first:
                    require_locks(self._path)
                    is_first = False
                if waited_s > waiting.LOCK_WAIT_S:
                    raise
                if waited_s > waiting.TELL_AFTER_S and not has_warned:
                    waiting.tell_of_waiting()
                    has_warned = True
                time.sleep(_RETRY_PAUSE_S)


class _HintingCompiler(SQLiteCompiler):
    """Writes hints (`INDEXED BY …`) behind the tables of a statement, which SQLAlchemy does for other databases."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        """Return what follows the name of a table."""
        return text


def _descriptors(*paths: Path) -> list[int]:
    """List the open files of this process that some paths lead to."""
    wanted = {(status.st_dev, status.st_ino) for status in (os.stat(path) for path in paths if path.exists())}
    found = []
    for name in os.listdir("/dev/fd"):
        with suppress(OSError):  # That of the listing itself is closed by now.
            status = os.fstat(int(name))
            if (status.st_dev, status.st_ino) in wanted:
                found.append(int(name))
    return found
