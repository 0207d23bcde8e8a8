"""The base of the row classes: which SQL types Python types have, and how constraints are named."""

from datetime import datetime
from typing import Annotated, Any, ClassVar

from sqlalchemy import MetaData, Table, Text
from sqlalchemy.orm import DeclarativeBase, MappedColumn, mapped_column

from openg2g.catalog.schema.types import BIG_INTEGER, CODE_POINT_TEXT, DOUBLE, JsonText, UtcTimestamp

CodePointText = Annotated[str, mapped_column(CODE_POINT_TEXT)]
"""Text that is sorted or looked up."""

Json = Annotated[str, mapped_column(JsonText)]
"""The exact text of a JSON value."""


class Row(DeclarativeBase):
    """Base of the row classes.

    `Mapped[int]` has 64 bits, `Mapped[float]` is a double, `Mapped[str]` a text, and `Mapped[datetime]` an instant in
    UTC with microseconds.
    """

    __table__: ClassVar[Table]

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {int: BIG_INTEGER, float: DOUBLE, str: Text(), datetime: UtcTimestamp}  # noqa: RUF012


def assigned_key(comment: str, *foreign_key: Any) -> MappedColumn[int]:
    """Make a column of the primary key whose values writers assign."""
    return mapped_column(*foreign_key, primary_key=True, autoincrement=False, comment=comment)


def time_column(comment: str) -> MappedColumn[datetime]:
    """Make a column of times, whose comment says how each engine keeps them."""
    kept = (
        "timestamptz on PostgreSQL, text like '2026-04-01T00:00:00.000000Z' on SQLite: compare with a time written so."
    )
    return mapped_column(comment=f"{comment} {kept}")


def checksum_column() -> MappedColumn[int]:
    """Make the last column of a table of the history; `openg2g.catalog.engine.bulk` fills it."""
    return mapped_column(comment="CRC-32 of the other values, so that verify finds damage.")
