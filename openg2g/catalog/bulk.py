"""Storing and finding many rows at the speed of the driver, in SQLAlchemy's transaction."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError

from openg2g.catalog.checksum import row_checksum
from openg2g.catalog.convert import RowTuple
from openg2g.catalog.outcome import note_appended
from openg2g.catalog.tables import APPEND_ONLY_TABLES, CHECKSUMMED_TABLES

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


def insert_rows(connection: Connection, table: Table, rows: Sequence[RowTuple]) -> None:
    """Insert rows, given as tuples in column order and without a checksum, through the driver's own cursor.

    `insert()` with a list of dictionaries would spend a third of the time of a load on its parameters.
    """
    if not rows:
        return
    if table in CHECKSUMMED_TABLES:
        rows = [(*row, row_checksum(row)) for row in rows]
        if table.name in APPEND_ONLY_TABLES:
            note_appended(connection, table, rows[-1])
    rows = _with_driver_values(rows, table, connection.dialect)
    columns = ", ".join(column.name for column in table.columns)
    if connection.dialect.name == "postgresql" and len(rows) >= _COPY_FROM_ROWS:
        types = [_SENT_AS[column.type.python_type] for column in table.columns]
        _copy_rows(connection, f"COPY {table.name} ({columns}) FROM STDIN (FORMAT BINARY)", rows, types)
    elif connection.dialect.name == "postgresql":
        marks = ", ".join([f"({', '.join(['%s'] * len(table.columns))})"] * len(rows))
        values = tuple(value for row in rows for value in row)
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES {marks}", values)
    else:
        marks = ", ".join("?" * len(table.columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", list(rows))


def find_ids(connection: Connection, *wanted: tuple[Table, Sequence[str]]) -> list[Ids]:
    """Look up ids by digest in some tables, in one statement of one parameter a table, however many are asked for."""
    parts = []
    parameters: list[object] = []
    is_sqlite = connection.dialect.name == "sqlite"
    condition = "digest IN (SELECT value FROM json_each(?))" if is_sqlite else "digest = ANY(%s)"
    for number, (table, digests) in enumerate(wanted):
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


def _copy_rows(connection: Connection, statement: str, rows: Sequence[RowTuple], types: Sequence[str]) -> None:
    import psycopg  # Imported late: SQLite needs no driver.

    try:
        with closing(connection.connection.cursor()) as cursor, cursor.copy(statement) as copy:
            copy.set_types(types)
            for row in rows:
                copy.write_row(row)
    except psycopg.Error as error:
        raise DBAPIError.instance(statement, None, error, psycopg.Error, dialect=connection.dialect) from error


def _with_driver_values(rows: Sequence[RowTuple], table: Table, dialect: Dialect) -> Sequence[RowTuple]:
    """Apply the column types that convert (times on SQLite); most tables have none."""
    processors = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]
    converting: list[tuple[int, Callable[[Any], Any]]] = [(i, f) for i, f in enumerate(processors) if f is not None]
    if not converting:
        return rows
    columns: list[Iterable[object]] = list(zip(*rows, strict=True))
    for index, convert in converting:
        columns[index] = map(cache(convert), columns[index])  # The rows of an import have most times in common.
    return list(zip(*columns, strict=True))
