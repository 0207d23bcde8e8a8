"""Storing and finding many rows at the speed of the driver, in SQLAlchemy's transaction."""

import json
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
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
    else:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        marks = ", ".join([mark] * len(table.columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", list(rows))


def find_ids(connection: Connection, table: Table, digests: Sequence[str]) -> dict[str, int]:
    """Return digest → id of the rows that are there, in one statement of one parameter, however many are asked for."""
    if not digests:
        return {}
    parameter: object
    if connection.dialect.name == "sqlite":
        condition, parameter = "digest IN (SELECT value FROM json_each(?))", json.dumps(digests)
    else:
        condition, parameter = "digest = ANY(%s)", list(digests)
    statement = f"SELECT digest, id FROM {table.name} WHERE {condition}"
    return {digest: row_id for digest, row_id in connection.exec_driver_sql(statement, (parameter,))}


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
