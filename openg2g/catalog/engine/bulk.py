"""Storing and finding many rows at the speed of the driver, in SQLAlchemy's transaction."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table

from openg2g.catalog.engine.commit import note_appended
from openg2g.catalog.engine.engines import engine_of
from openg2g.catalog.schema.base import Row
from openg2g.catalog.schema.checksum import row_checksum
from openg2g.catalog.schema.convert import RowTuple
from openg2g.catalog.schema.metadata import APPEND_ONLY_TABLES, CHECKSUMMED_TABLES


@dataclass
class Ids:
    """The ids of a table that were asked for and are there, by digest, and the greatest of all; 0 where none is."""

    of_digest: dict[str, int]
    last: int


def insert_rows(connection: Connection, row_class: type[Row], rows: Iterable[RowTuple]) -> None:
    """Insert rows, given as tuples in column order and without a checksum, through the driver's own cursor.

    `insert()` with a list of dictionaries would spend a third of the time of a load on its parameters. Rows that are
    made one by one, as the driver takes them, give the garbage collector nothing to look through.
    """
    table = row_class.__table__
    if table in CHECKSUMMED_TABLES:
        rows = _with_checksums(connection, table, rows)
    engine_of(connection).insert(connection, table, _with_driver_values(rows, table, connection.dialect))


def find_ids(connection: Connection, *wanted: tuple[type[Row], Sequence[str]]) -> list[Ids]:
    """Look up ids by digest in some tables, in one statement of one parameter a table, however many are asked for."""
    parts = []
    parameters: list[object] = []
    engine = engine_of(connection)
    for number, (row_class, digests) in enumerate(wanted):
        table = row_class.__table__
        parts.append(f"SELECT {number}, NULL, max(id) FROM {table.name}")
        if digests:
            parts.append(f"SELECT {number}, digest, id FROM {table.name} WHERE digest {engine.among_keys}")
            parameters.append(engine.keys_parameter(list(digests)))
    found = [Ids({}, 0) for _ in wanted]
    for number, digest, row_id in connection.exec_driver_sql(" UNION ALL ".join(parts), tuple(parameters)):
        if digest is None:
            found[number].last = row_id or 0
        else:
            found[number].of_digest[digest] = row_id
    return found


def _with_checksums(connection: Connection, table: Table, rows: Iterable[RowTuple]) -> Iterator[RowTuple]:
    """Add its checksum to each row, and remember the last one of a table that only grows."""
    complete = None
    for row in rows:
        complete = (*row, row_checksum(row))
        yield complete
    if complete is not None and table.name in APPEND_ONLY_TABLES:
        note_appended(connection, table, complete)


def _with_driver_values(rows: Iterable[RowTuple], table: Table, dialect: Dialect) -> Iterator[RowTuple]:
    """Apply the column types that convert (times on SQLite); most tables have none."""
    processors = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]
    # The rows of an import have most times in common.
    converting = [(index, cache(convert)) for index, convert in enumerate(processors) if convert is not None]
    return (_converted(row, converting) for row in rows) if converting else iter(rows)


def _converted(row: RowTuple, converting: Iterable[tuple[int, Callable[[Any], Any]]]) -> RowTuple:
    values = list(row)
    for index, convert in converting:
        values[index] = convert(values[index])
    return tuple(values)
