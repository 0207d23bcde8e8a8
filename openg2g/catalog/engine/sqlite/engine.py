"""How the catalog works with SQLite: settings, patience with locks, and what becomes of a file after a fork."""

import errno
import os
import sqlite3
import subprocess
import sys
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from weakref import WeakSet

from sqlalchemy import Connection, Engine, FromClause, create_engine, event
from sqlalchemy.dialects.sqlite.base import SQLiteCompiler
from sqlalchemy.pool import ConnectionPoolEntry

from openg2g.catalog.engine import forks, waiting
from openg2g.catalog.engine.location import Location
from openg2g.catalog.engine.sqlite.bounds import HARDENING
from openg2g.catalog.engine.sqlite.connection import ProcessConnection, ProcessCursor
from openg2g.catalog.engine.sqlite.faults import is_locked
from openg2g.catalog.engine.sqlite.files import require_regular_files
from openg2g.catalog.engine.sqlite.functions import register_functions
from openg2g.models.errors import CatalogUnavailableError, DamagedCatalogError

_BUSY_WAIT_S = 0.25  # SQLite does not serve Ctrl-C while it waits, so it waits briefly and often.
_SETTINGS = (
    *HARDENING,
    "foreign_keys = ON",
    "synchronous = FULL",
    "cache_size = -65536",  # 64 MiB: the default of 2 costs 40 % on an import of 100,000.
)
_BEGIN_WRITING = "BEGIN IMMEDIATE"
_RETRY_PAUSE_S = 0.005  # SQLite may say at once that it is busy.
_PROBE_TIMEOUT_S = 10
_TRY_TO_LOCK = (
    "import fcntl, sys\n"
    "try: fcntl.lockf(int(sys.argv[1]), fcntl.LOCK_EX | fcntl.LOCK_NB)\n"
    "except OSError: sys.exit(1)\n"
)


class SqliteEngine:
    """The connections to an SQLite file.

    Attributes:
        engine: The SQLAlchemy engine.
    """

    def __init__(self, location: Location, *, may_create: bool) -> None:
        """Prepare the engine; the first use connects."""
        path = location.path
        assert path is not None
        self._path = path
        # A mistyped path must not become an empty database.
        self._uri = f"{path.as_uri()}?mode={'rwc' if may_create else 'rw'}"
        self._open: WeakSet[ProcessConnection] = WeakSet()
        self._connecting = threading.RLock()
        self._held: list[ProcessConnection] = []
        self._of_transactions: list[int] = []
        self.engine: Engine = create_engine(
            location.url, creator=self._connect, hide_parameters=True, pool_reset_on_return=None
        )
        self.engine.dialect.statement_compiler = _HintingCompiler
        event.listen(self.engine, "connect", self._set_up)
        event.listen(self.engine, "handle_error", forks.pass_on)
        event.listen(self.engine, "do_execute", self._execute_patiently)
        event.listen(self.engine, "do_execute_no_params", self._execute_patiently)

    def begin_reading(self, connection: Connection) -> None:
        """Begin nothing: each statement is a transaction of its own."""

    def begin_snapshot(self, connection: Connection) -> None:
        """Begin a transaction in which every statement sees the same state."""
        connection.exec_driver_sql("BEGIN")

    def begin_reading_only(self, connection: Connection) -> None:
        """Begin a transaction, on a connection that refuses to write."""
        self.begin_snapshot(connection)
        connection.exec_driver_sql("PRAGMA query_only = ON")

    def end_reading_only(self, connection: Connection) -> None:
        """End it."""
        connection.rollback()
        connection.exec_driver_sql("PRAGMA query_only = OFF")

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
        connection.set_limits()
        cursor = connection.cursor()
        try:
            for setting in _SETTINGS:  # They read the schema, and may find it locked.
                execute_patiently(cursor, f"PRAGMA {setting}", path=self._path)
            register_functions(connection)
        except UnicodeDecodeError:  # SQLite's message quotes the schema, whose bytes are no text any more.
            message = "the SQLite file is damaged: its schema cannot be read. Restore a backup."
            raise DamagedCatalogError(message) from None
        finally:
            cursor.close()

    def _execute_patiently(self, cursor: ProcessCursor, statement: str, *arguments: Any) -> bool:
        *parameters, context = arguments  # The last is SQLAlchemy's.
        waited_s = context.execution_options.get("catalog_waited_s", 0.0)
        execute_patiently(cursor, statement, *parameters, path=self._path, waited_s=waited_s)
        return True  # SQLAlchemy need not execute it.


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


def execute_patiently(
    cursor: ProcessCursor, statement: str, *parameters: Any, path: Path, waited_s: float = 0.0
) -> None:
    """Execute a statement again while another connection holds the lock, for `waiting.LOCK_WAIT_S` at the most.

    Writers wait for writers; in rollback-journal mode a commit waits for readers, and readers for a commit, or for a
    transaction that is too large for the page cache.

    Args:
        cursor: Where.
        statement: The statement.
        parameters: Its parameters, if any.
        path: The file, to find out whether its file system has locks at all.
        waited_s: The part of the patience that is used up already, seconds.

    Raises:
        CatalogUnavailableError: The file system has no locks.
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
                require_locks(path)
                is_first = False
            if waited_s > waiting.LOCK_WAIT_S:
                raise
            if waited_s > waiting.TELL_AFTER_S and not has_warned:
                waiting.tell_of_waiting()
                has_warned = True
            time.sleep(_RETRY_PAUSE_S)


def require_locks(path: Path, *, between_processes: bool = False) -> None:
    """Make sure that the file system of a file has the locks which SQLite relies on, by a probe in its directory.

    SQLite itself says of a file system without locks that the file is locked by somebody else.

    Args:
        path: The file. It is not touched: closing it would give up every lock that SQLite has on it in this process.
        between_processes: Whether a lock must also keep another process out, which takes some time to find out.

    Raises:
        CatalogUnavailableError: It has none.
    """
    try:
        import fcntl
    except ImportError:  # Windows, whose file systems have locks.
        return
    try:
        probe = tempfile.TemporaryFile(dir=path.parent)  # noqa: SIM115  It has no name that could stay behind.
    except OSError:
        return  # What may not be written needs no write lock.
    with probe:
        try:
            fcntl.lockf(probe, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EINVAL):
                return
            raise _no_locks(path, f"has no file locks ({errno.errorcode[error.errno]})") from None
        if between_processes and _is_granted_again(probe.fileno()):
            raise _no_locks(path, "grants the same lock to two processes")


def _is_granted_again(descriptor: int) -> bool:
    """Whether another process gets the lock of a file that this one has."""
    command = [sys.executable, "-I", "-S", "-c", _TRY_TO_LOCK, str(descriptor)]
    try:
        return subprocess.run(command, check=False, timeout=_PROBE_TIMEOUT_S, pass_fds=[descriptor]).returncode == 0
    except (OSError, subprocess.TimeoutExpired):  # Python may run here, and may not be started by this user.
        return False


def _no_locks(path: Path, what: str) -> CatalogUnavailableError:
    return CatalogUnavailableError(
        f"{path}: the file system of {path.parent} {what}, so writers would damage each other's work. "
        "Keep the catalog in a directory on a local disk, or on PostgreSQL."
    )
