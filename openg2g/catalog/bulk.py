"""Storing many rows at the speed of the driver, in SQLAlchemy's transaction."""

from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any, cast

from sqlalchemy import Connection, Dialect, Table
from sqlalchemy.exc import DBAPIError

from openg2g.catalog.convert import RowTuple
from openg2g.catalog.tables import Row

_COPY_FROM_ROWS = 50  # Below this, COPY's extra round trip costs more than it saves.


def insert_rows(connection: Connection, row_class: type[Row], rows: Sequence[RowTuple]) -> None:
    """Insert rows, given as tuples in column order, through the driver's own cursor.

    `insert()` with a list of dictionaries would spend a third of the time of a load on its parameters.
    """
    if not rows:
        return
    table = cast(Table, row_class.__table__)
    rows = _with_driver_values(rows, table, connection.dialect)
    columns = ", ".join(column.name for column in table.columns)
    if connection.dialect.name == "postgresql" and len(rows) >= _COPY_FROM_ROWS:
        _copy_rows(connection, f"COPY {table.name} ({columns}) FROM STDIN", rows)
    else:
        mark = "?" if connection.dialect.name == "sqlite" else "%s"
        marks = ", ".join([mark] * len(table.columns))
        connection.exec_driver_sql(f"INSERT INTO {table.name} ({columns}) VALUES ({marks})", list(rows))


def _copy_rows(connection: Connection, statement: str, rows: Sequence[RowTuple]) -> None:
    import psycopg  # Imported late: SQLite needs no driver.

    try:
        with closing(connection.connection.cursor()) as cursor, cursor.copy(statement) as copy:
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
    converted = []
    for row in rows:
        values = list(row)
        for index, convert in converting:
            values[index] = convert(values[index])
        converted.append(tuple(values))
    return converted
