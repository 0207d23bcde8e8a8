"""Storing and finding many rows at the speed of the driver, in SQLAlchemy's transaction."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import chain, islice
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError

from openg2g.catalog.engine.commit import note_appended
from openg2g.catalog.schema.base import Row
from openg2g.catalog.schema.checksum import row_checksum
from openg2g.catalog.schema.convert import RowTuple
from openg2g.catalog.schema.tables import APPEND_ONLY_TABLES, CHECKSUMMED_TABLES

# Of each page that a statement of several rows changes, SQLite keeps a copy, to undo that statement alone. A hundred
# rows make up for it; a thousand take two thirds of the time of single ones, or less. They are 10,000 parameters where
# a table has ten columns; SQLite takes 32,766.
_ROWS_PER_STATEMENT = 1_000

_COPY_FROM_ROWS = 50  # Below this, COPY's extra round trip costs more than it saves.

# PostgreSQL's types by those of the values; JSON is sent as text, which it is already.
_SENT_AS = {int: "int8", float: "float8", str: "text", datetime: "timestamptz"}


@dataclass
class Ids:
    """What is known of the ids of a table.

    Attributes:
        of_digest: Digest → id, of the rows that were asked for and are there.
        last: The greatest id of all rows; 0 where there are none. Ids are dense, so that the next one is free.
    """

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
    values = _with_driver_values(rows, table, connection.dialect)
    if connection.dialect.name == "sqlite":
        _insert_into_sqlite(connection, table, values)
    else:
        _insert_into_postgresql(connection, table, values)


def find_ids(connection: Connection, *wanted: tuple[type[Row], Sequence[str]]) -> list[Ids]:
    """Look up ids by digest in some tables, in one statement of one parameter a table, however many are asked for."""
    parts = []
    parameters: list[object] = []
    is_sqlite = connection.dialect.name == "sqlite"
    condition = "digest IN (SELECT value FROM json_each(?))" if is_sqlite else "digest = ANY(%s)"
    for number, (row_class, digests) in enumerate(wanted):
        table = row_class.__table__
        parts.append(f"SELECT {number}, NULL, max(id) FROM {table.name}")
        if digests:
            parts.append(f"SELECT {number}, digest, id FROM {table.name} WHERE {condition}")
            parameters.append(json.dumps(digests) if is_sqlite else list(digests))
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


def _insert_into_sqlite(connection: Connection, table: Table, rows: Iterator[RowTuple]) -> None:
    columns = ", ".join(column.name for column in table.columns)
    statement = f"INSERT INTO {table.name} ({columns}) VALUES "
    marks = f"({', '.join('?' * len(table.columns))})"
    with _driver_cursor(connection, statement) as cursor:
        while block := list(islice(rows, _ROWS_PER_STATEMENT)):
            if len(block) == _ROWS_PER_STATEMENT:
                cursor.execute(statement + ", ".join([marks] * len(block)), list(chain.from_iterable(block)))
            else:
                cursor.executemany(statement + marks, block)


# A profile of an import on PostgreSQL has 1.4 of its 2.0 s in here, half of that in waiting for the server at the end
# of each COPY: it checks keys while the client is idle, and is idle while the client makes the rows of the next block.
def _insert_into_postgresql(connection: Connection, table: Table, rows: Iterator[RowTuple]) -> None:
    columns = ", ".join(column.name for column in table.columns)
    first = list(islice(rows, _COPY_FROM_ROWS))
    if len(first) < _COPY_FROM_ROWS:
        if first:
            marks = ", ".join([f"({', '.join(['%s'] * len(table.columns))})"] * len(first))
            statement = f"INSERT INTO {table.name} ({columns}) VALUES {marks}"
            connection.exec_driver_sql(statement, tuple(chain.from_iterable(first)))
        return
    statement = f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)"
    with _driver_cursor(connection, statement) as cursor, cursor.copy(statement) as copy:
        copy.set_types([_SENT_AS[column.type.python_type] for column in table.columns])
        for row in chain(first, rows):
            copy.write_row(row)


@contextmanager
def _driver_cursor(connection: Connection, statement: str) -> Iterator[Any]:
    """Lend a cursor of the driver; its errors become those of SQLAlchemy."""
    driver_error = connection.dialect.loaded_dbapi.Error
    try:
        with closing(connection.connection.cursor()) as cursor:
            yield cursor
    except driver_error as error:
        raise DBAPIError.instance(statement, None, error, driver_error, dialect=connection.dialect) from error


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
