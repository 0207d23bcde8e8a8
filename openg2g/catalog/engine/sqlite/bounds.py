"""What an SQLite file of a stranger can make a connection do, and take: no more than ours do.

Functions that are not harmless cannot be called from its views, indexes and triggers; a value or statement has a
greatest length; a statement has an end.
"""

import sqlite3
from itertools import chain, repeat

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


class BoundedConnection(sqlite3.Connection):
    """A connection whose statements end."""

    def set_limits(self) -> None:
        """Refuse what is longer than anything of ours."""
        for category, limit in _LIMITS.items():
            self.setlimit(category, limit)

    def begin_statement(self) -> None:
        """Count the steps of a statement from here.

        The count is kept by functions in C. A function in Python would be where a signal is served, and SQLite's driver
        drops what it raises.
        """
        calls = chain(repeat(0, MAX_STEPS // _STEPS_PER_CALL), repeat(1))
        self.set_progress_handler(calls.__next__, _STEPS_PER_CALL)
