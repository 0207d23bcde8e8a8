"""A connection of SQLite that belongs to one process, and that an SQLite file of a stranger can make do no harm.

Functions that are not harmless cannot be called from the file's views, indexes and triggers; a value or statement has a
greatest length; a statement has an end.
"""

import gc
import sqlite3
import threading
from collections.abc import Callable
from contextlib import suppress
from functools import wraps
from itertools import chain, repeat
from typing import Any, TypeVar

from openg2g.catalog.engine import forks

# Before SQLite 3.41, json_valid(), which our tables use, did not count as harmless: no table could then be read.
_CAN_DISTRUST = sqlite3.sqlite_version_info >= (3, 41)

HARDENING = (*(("trusted_schema = OFF",) if _CAN_DISTRUST else ()), "cell_size_check = ON")
"""Settings (`PRAGMA …`) of every connection."""

MAX_STEPS = 10_000_000_000
"""Steps of SQLite's virtual machine after which a statement is ended: some minutes. Ours take a tenth in a catalog of a
million revisions. Time would not do: a statement also lasts as long as its rows are waited for."""

_STEPS_PER_CALL = 10_000_000
_LIMITS = {
    sqlite3.SQLITE_LIMIT_LENGTH: 512 * 2**20,  # Bytes of a row; twice what a file to import has by default.
    sqlite3.SQLITE_LIMIT_SQL_LENGTH: 1_000_000,
}

_Result = TypeVar("_Result")


class ProcessConnection(sqlite3.Connection):
    """A connection that only the process which opened it can use, and that no fork interrupts in a statement.

    Attributes:
        statement: Held by whoever is in SQLite with it: a copy that a fork makes there would never get out.
        is_inherited: Whether this is a forked child's copy of it.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.statement = threading.RLock()
        self.is_inherited = False
        for category, limit in _LIMITS.items():
            self.setlimit(category, limit)

    def begin_statement(self) -> None:
        """Count the steps of a statement from here.

        The count is kept by functions in C. A function in Python would be where a signal is served, and SQLite's driver
        drops what it raises.
        """
        calls = chain(repeat(0, MAX_STEPS // _STEPS_PER_CALL), repeat(1))
        self.set_progress_handler(calls.__next__, _STEPS_PER_CALL)

    def cursor(self, factory: Any = None) -> Any:
        """Return a cursor, unless the process was forked since."""
        if self.is_inherited:
            raise forks.inherited_error()
        return super().cursor(ProcessCursor if factory is None else factory)

    def backup(self, *args: Any, **kwargs: Any) -> None:
        """Copy the whole database."""
        with self.statement:
            super().backup(*args, **kwargs)

    def give_up(self) -> None:
        """Undo its transaction and close it, in a forked child whose files of it lead nowhere."""
        for cursor in gc.get_objects():  # One whose rows were not all fetched would keep its lock.
            if isinstance(cursor, ProcessCursor) and cursor.connection is self:
                cursor.close()
        if self.in_transaction:
            with suppress(sqlite3.Error):
                # Otherwise SQLite would remove the journal, which is the parent's, by its name: with the transaction
                # unless the connection keeps the file to itself, and with the connection unless the journal persists.
                self.execute("PRAGMA locking_mode = EXCLUSIVE").close()
                self.rollback()
                self.execute("PRAGMA journal_mode = PERSIST").close()
        self.close()
        self.is_inherited = True


def _in_statement(method: Callable[..., _Result]) -> Callable[..., _Result]:
    """Let a method of a cursor go into SQLite only in the process that opened the connection, and alone."""

    @wraps(method)
    def guarded(self: "ProcessCursor", *args: Any) -> _Result:
        if self.connection.is_inherited:
            raise forks.inherited_error()
        with self.connection.statement:
            return method(self, *args)

    return guarded


class ProcessCursor(sqlite3.Cursor):
    """A cursor of such a connection."""

    connection: ProcessConnection

    execute = _in_statement(sqlite3.Cursor.execute)
    executemany = _in_statement(sqlite3.Cursor.executemany)
    fetchone = _in_statement(sqlite3.Cursor.fetchone)
    fetchmany = _in_statement(sqlite3.Cursor.fetchmany)
    fetchall = _in_statement(sqlite3.Cursor.fetchall)
