"""How SQLite keeps a transaction of a catalog until it is complete: in a journal, or in a write-ahead log."""

import sqlite3

from openg2g.catalog.engine.database import Database
from openg2g.models.errors import CatalogUnavailableError

_MENDED_SINCE = (3, 51, 3)
_ALSO_MENDED = ((3, 50, 7), (3, 44, 6))  # And what follows them within their series.


def set_wal(database: Database) -> None:
    """Let a new file have a write-ahead log from now on, which it remembers."""
    with database.connected() as connection:
        mode = connection.exec_driver_sql("PRAGMA journal_mode = WAL").scalar()
    if mode != "wal":
        raise CatalogUnavailableError(
            f"{database.location}: the file system has no shared memory, which a write-ahead log needs. "
            "Make the catalog without it, or on a local disk."
        )


def wal_warning() -> str | None:
    """Return what is to be known of this SQLite's write-ahead log; None where it is sound.

    Source: https://www.sqlite.org/wal.html, section "The WAL-reset bug".
    """
    version = sqlite3.sqlite_version_info
    if version >= _MENDED_SINCE or any(version[:2] == mended[:2] and version >= mended for mended in _ALSO_MENDED):
        return None
    return (
        f"SQLite {sqlite3.sqlite_version} can, very rarely, damage a catalog with a write-ahead log that several "
        "processes write to. Versions 3.51.3, 3.50.7 and 3.44.6 do not. Back up often, or do without such a log."
    )
