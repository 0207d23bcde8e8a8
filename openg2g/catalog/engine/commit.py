"""What became of a commit that was never answered: looked up before anything is done again.

The id of a transaction is no witness: a server that dies forgets those which it had not written down, and gives them to
others when it is back. What the transaction wrote is one. The last row that it appended to the history is remembered.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Table, select

from openg2g.catalog.engine.waiting import telling_of_waiting
from openg2g.catalog.schema.content_rows import CatalogInfoRow
from openg2g.models.errors import CatalogError, UnknownOutcomeError

ASKING_S = 5.0
"""How long a server that is away is waited for, seconds."""

_PAUSE_S = 0.1
_LAST_APPENDED = "catalog_last_appended"
_END_OF_WRITER = select(CatalogInfoRow.id).with_for_update(read=True)  # Waits for whoever is writing.


_has_stored = False


def note_stored() -> None:
    """Remember that this process has stored something: whoever interrupts it must be told."""
    global _has_stored
    _has_stored = True


def has_stored() -> bool:
    """Whether this process has stored anything."""
    return _has_stored


@dataclass(frozen=True)
class AppendedRow:
    """A row of an append-only table: no other transaction can have written one of the same key and checksum."""

    table: Table[Any]
    row: Sequence[Any]

    def is_there(self, connection: Connection) -> bool:
        """Whether the row is in the database."""
        told = (*self.table.primary_key.columns, self.table.c.checksum)
        values = dict(zip(self.table.columns, self.row, strict=True))
        query = select(self.table.c.checksum).where(*(column == values[column] for column in told))
        return connection.execute(query).first() is not None


def forget_appended(connection: Connection) -> None:
    """Remember no row: a transaction has appended nothing yet, or what others may append just the same."""
    connection.info.pop(_LAST_APPENDED, None)


def note_appended(connection: Connection, table: Table[Any], row: Sequence[Any]) -> None:
    """Remember a row of an append-only table as the last that the transaction has appended."""
    connection.info[_LAST_APPENDED] = AppendedRow(table, row)


def last_appended(connection: Connection) -> AppendedRow | None:
    """Return the last row that the transaction has appended; None where it may be done again without harm."""
    row: AppendedRow | None = connection.info.get(_LAST_APPENDED)
    return row


def was_committed(reading: Callable[[], AbstractContextManager[Connection]], row: AppendedRow, where: str) -> bool:
    """Return whether the transaction of PostgreSQL that appended a row as its last one was committed.

    Raises:
        UnknownOutcomeError: The server is away for too long, or has not ended the transaction.
    """
    deadline = time.monotonic() + ASKING_S
    while True:
        try:
            with reading() as connection:
                if row.is_there(connection):  # Who is writing now is another, and may be for long.
                    return True
                with telling_of_waiting():
                    connection.execute(_END_OF_WRITER)
                return row.is_there(connection)
        except CatalogError as error:
            if time.monotonic() > deadline:
                raise UnknownOutcomeError(
                    f"{where}: the connection was lost during a commit, and whether it happened cannot be asked "
                    f"({error}). Look before doing it again."
                ) from error
        time.sleep(_PAUSE_S)
