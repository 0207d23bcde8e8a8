"""What is kept of a database in memory: for as long as the connection that it was read on cannot lead to another one.

A database that was dropped and restored, or a server that took over, gives the same ids to other rows; and so does a
transaction that is undone, to those who come after it.
"""

from typing import Any

from sqlalchemy import Connection

_KEPT = "catalog_kept"


def kept_of(connection: Connection) -> dict[str, Any]:
    """Return what is kept of what was read on a connection; who reads adds to it."""
    kept: dict[str, Any] = connection.info.setdefault(_KEPT, {})
    return kept


def keep_nothing(connection: Connection) -> None:
    """Forget what was read on a connection: it may lead elsewhere by now, or what it read is undone."""
    if not connection.invalidated:  # Else that is done: another will take its place.
        connection.info.pop(_KEPT, None)
