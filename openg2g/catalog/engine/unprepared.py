"""Statements that PostgreSQL plans for their values: a plan made without them may take 1,000 times as long."""

from typing import Any

from sqlalchemy import Connection, CursorResult
from sqlalchemy.sql.base import Executable

UNPREPARED = "catalog_unprepared"
"""Execution option of these statements."""


def execute_unprepared(connection: Connection, statement: Executable) -> CursorResult[*tuple[Any, ...]]:
    """Execute a statement, which is not prepared however often it comes."""
    return connection.execute(statement, execution_options={UNPREPARED: True})
