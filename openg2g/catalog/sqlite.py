"""How the catalog works with SQLite: settings, patience with locks, and what becomes of a file after a fork."""

import errno
import os
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, FromClause, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.pool import ConnectionPoolEntry

from openg2g.catalog import waiting
from openg2g.catalog.faults import is_locked
from openg2g.catalog.location import Location
from openg2g.catalog.sqlite_functions import register_functions
from openg2g.models.errors import CatalogUnavailableError, DamagedCatalogError

_BUSY_WAIT_S = 0.25  # SQLite does not serve Ctrl-C while it waits, so it waits briefly and often.
_SETTINGS = (
    "foreign_keys = ON",
    "synchronous = FULL",
    "cache_size = -65536",  # 64 MiB: the default of 2 costs 40 % on an import of 100,000.
)
_BEGIN_WRITING = "BEGIN IMMEDIATE"
_RETRY_PAUSE_S = 0.005  # SQLite may say at once that it is busy.
_PROBE_TIMEOUT_S = 10
_TRY_TO_LOCK = (
    "import fcntl, sys\n"
    "with open(sys.argv[1], 'r+b') as file:\n"
    "    try: fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
    "    except OSError: sys.exit(1)\n"
)

# Files, by device and inode, on which the parent of this process had a transaction when it forked. SQLite keeps one
# record of a file's locks for a whole process: here it says that locks are held which only the parent has.
_HELD_BY_PARENT: set[tuple[int, int]] = set()


class ProcessConnection(sqlite3.Connection):
    """A connection that only the process which opened it can use.

    Closing a transaction of the parent's would undo it in the file, under the parent's hands.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._process = os.getpid()

    def cursor(self, *args: Any, **kwargs: Any) -> Any:
        """Return a cursor.

        Raises:
            sqlite3.ProgrammingError: The process is another.
        """
        if self._process != os.getpid():
            raise sqlite3.ProgrammingError("the connection belongs to the process that this one was forked from")
        return super().cursor(*args, **kwargs)

    def commit(self) -> None:
        """Commit, in the process that opened it."""
        if self._process == os.getpid():
            super().commit()

    def rollback(self) -> None:
        """Roll back, in the process that opened it."""
        if self._process == os.getpid():
            super().rollback()

    def close(self) -> None:
        """Close, in the process that opened it."""
        if self._process == os.getpid():
            super().close()


class SqliteEngine:
    """The connections to an SQLite file.

    Attributes:
        engine: The SQLAlchemy engine.
    """

    def __init__(self, location: Location, *, may_create_file: bool) -> None:
        """Prepare the engine; the first use connects."""
        path = location.path
        assert path is not None
        self._path = path
        # A mistyped path must not become an empty database.
        self._uri = f"{path.as_uri()}?mode={'rwc' if may_create_file else 'rw'}"
        self._open: WeakSet[ProcessConnection] = WeakSet()
        self.engine: Engine = create_engine(location.url, creator=self._connect, hide_parameters=True)
        self.engine.dialect.statement_compiler = _HintingCompiler
        event.listen(self.engine, "connect", _set_up)
        event.listen(self.engine, "do_execute", self._execute_patiently)
        event.listen(self.engine, "do_execute_no_params", self._execute_patiently)

    def begin_reading(self, connection: Connection) -> None:
        """Begin nothing: each statement is a transaction of its own."""

    def begin_snapshot(self, connection: Connection) -> None:
        """Begin a transaction in which every statement sees the same state."""
        connection.exec_driver_sql("BEGIN")

    def begin_writing(self, connection: Connection, waited_s: float = 0.0) -> None:
        """Begin a transaction as a writer's, so that no other can come between its reading and its writing.

        Args:
            connection: Where to begin it.
            waited_s: The part of the patience that is used up already, seconds.
        """
        connection.exec_driver_sql(_BEGIN_WRITING, execution_options={"catalog_waited_s": waited_s})

    def begin_migrating(self, connection: Connection) -> None:
        """Begin a transaction in which nobody else changes the tables."""
        self.begin_writing(connection)

    def commit(self, connection: Connection) -> None:
        """Commit by a statement, which is tried again where the driver's own commit would give the transaction up."""
        connection.exec_driver_sql("COMMIT")
        connection.commit()

    def leave_to_parent(self, in_use: Iterable[Connection], *, is_connecting: bool) -> None:
        """Give up every connection of the parent's in a child, without a change to what the parent sees.

        Args:
            in_use: Those on which the parent may have had a transaction.
            is_connecting: Whether another thread was making one.
        """
        import ctypes  # Imported late: only a child that was forked at a bad moment needs it.

        active = {id(connection.connection.driver_connection) for connection in in_use}
        for raw in list(self._open):
            if id(raw) not in active and not is_connecting:
                sqlite3.Connection.close(raw)  # It has no lock, and SQLite forgets what it knows of the file.
                continue
            raw.interrupt()  # A row that is fetched next would be read without a lock.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(raw))  # It must not even be closed when the process ends.
            _HELD_BY_PARENT.add(_identity(self._path))

    def _connect(self) -> ProcessConnection:
        if _HELD_BY_PARENT and self._path.exists() and _identity(self._path) in _HELD_BY_PARENT:
            raise CatalogUnavailableError(
                f"{self._path}: this process was forked during a transaction of its parent on this file, so it cannot "
                "use it. Fork outside of transactions, or start processes by spawn."
            )
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

    def _execute_patiently(self, cursor: sqlite3.Cursor, statement: str, *arguments: Any) -> bool:
        *parameters, context = arguments  # The last is SQLAlchemy's.
        waited_s = context.execution_options.get("catalog_waited_s", 0.0)
        execute_patiently(cursor, statement, *parameters, waited_s=waited_s, path=self._path)
        return True  # SQLAlchemy need not execute it.


class _HintingCompiler(SQLiteCompiler):
    """Writes hints (`INDEXED BY …`) behind the tables of a statement, which SQLAlchemy does for other databases."""

    def get_from_hint_text(self, table: FromClause, text: str | None) -> str | None:
        """Return what follows the name of a table."""
        return text


def _identity(path: Path) -> tuple[int, int]:
    status = os.stat(path)
    return status.st_dev, status.st_ino


def _set_up(connection: sqlite3.Connection, _: ConnectionPoolEntry) -> None:
    cursor = connection.cursor()
    try:
        for setting in _SETTINGS:
            execute_patiently(cursor, f"PRAGMA {setting}")  # They read the schema, and may find it locked.
        register_functions(connection)
    except UnicodeDecodeError:  # SQLite's message quotes the schema, whose bytes are no text any more.
        raise DamagedCatalogError("the SQLite file is damaged: its schema cannot be read. Restore a backup.") from None
    finally:
        cursor.close()


def execute_patiently(
    cursor: sqlite3.Cursor, statement: str, *parameters: Any, waited_s: float = 0.0, path: Path | None = None
) -> None:
    """Execute a statement again while another connection holds the lock, for `waiting.LOCK_WAIT_S` at the most.

    Writers wait for writers; in rollback-journal mode a commit waits for readers, and readers for a commit, or for a
    transaction that is too large for the page cache.

    Args:
        cursor: Where.
        statement: The statement.
        parameters: Its parameters, if any.
        waited_s: The part of the patience that is used up already, seconds.
        path: The file, to find out whether its file system has locks at all.

    Raises:
        CatalogUnavailableError: The file system has no locks.
    """
    started = time.monotonic() - waited_s
    has_warned = False
    is_first = True
    while True:
        try:
            cursor.execute(statement, *parameters)
            return
        except sqlite3.OperationalError as error:
            waited_s = time.monotonic() - started
            if not is_locked(error):
                raise
            if is_first and path is not None:
                require_locks(path)
                is_first = False
            if waited_s > waiting.LOCK_WAIT_S:
                raise
            if waited_s > waiting.TELL_AFTER_S and not has_warned:
                waiting.tell_of_waiting()
                has_warned = True
            time.sleep(_RETRY_PAUSE_S)


def require_locks(path: Path, *, also_between_processes: bool = False) -> None:
    """Make sure that the file system of a file has the locks which SQLite relies on, by a probe in its directory.

    SQLite itself says of a file system without locks that the file is locked by somebody else.

    Args:
        path: The file. It is not touched: closing it would give up every lock that SQLite has on it in this process.
        also_between_processes: Whether a lock must also keep another process out, which takes some time to find out.

    Raises:
        CatalogUnavailableError: It has none.
    """
    try:
        import fcntl
    except ImportError:  # Windows, whose file systems have locks.
        return
    try:
        probe = tempfile.NamedTemporaryFile(dir=path.parent, prefix=".openg2g-", suffix=".part")  # noqa: SIM115
    except OSError:
        return  # What may not be written needs no write lock.
    with probe:
        try:
            fcntl.lockf(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
                return
            raise _no_locks(path, f"has no file locks ({errno.errorcode[error.errno]})") from None
        if also_between_processes and sys.executable:
            command = [sys.executable, "-I", "-S", "-c", _TRY_TO_LOCK, probe.name]
            if subprocess.run(command, check=False, timeout=_PROBE_TIMEOUT_S).returncode == 0:
                raise _no_locks(path, "grants the same lock to two processes")


def _no_locks(path: Path, what: str) -> CatalogUnavailableError:
    return CatalogUnavailableError(
        f"{path}: the file system of {path.parent} {what}, so writers would damage each other's work. "
        "Keep the catalog in a directory on a local disk, or on PostgreSQL."
    )
