"""Plain SQL on either engine, past everything that the package checks and converts."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Any, Self

import psycopg
import pytest

REFUSALS = (sqlite3.Error, psycopg.Error)
"""What either driver raises when its database refuses a statement."""


class PlainSql:
    """A connection of the driver itself, in autocommit mode.

    Attributes:
        engine: `"sqlite"` or `"postgresql"`.
    """

    def __init__(self, url: str) -> None:
        """Connect to a `sqlite:///` or `postgresql://` URL."""
        self.engine = url.partition(":")[0]
        self.connection: Any
        if self.engine == "sqlite":
            self.connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
            self.connection.execute("PRAGMA foreign_keys = ON")
        else:
            self.connection = psycopg.connect(url, autocommit=True)

    def __enter__(self) -> Self:
        """Use the connection in a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it; what was not committed is lost."""
        self.connection.close()

    def run(self, statement: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Run a statement with `?` for its values, and return its rows."""
        if self.engine == "postgresql" and values:
            statement = statement.replace("?", "%s")
        cursor = self.connection.execute(statement, values or ())
        return [tuple(row) for row in cursor] if cursor.description else []

    def insert(self, table: str, **values: object) -> None:
        """Insert a row."""
        marks = ", ".join("?" * len(values))
        self.run(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({marks})", tuple(values.values()))

    @contextmanager
    def refusing(self, match: str) -> Iterator[None]:
        """Expect the database to refuse the block; a transaction around it goes on as if nothing had been said."""
        self.run("SAVEPOINT refusing")
        with pytest.raises(REFUSALS, match=match):
            yield
        self.run("ROLLBACK TO SAVEPOINT refusing")

    @contextmanager
    def unguarded(self, *tables: str) -> Iterator[None]:
        """Let rows of append-only tables be changed in the block."""
        made_by: list[str] = []
        for table in tables:
            if self.engine == "postgresql":
                self.run(f"ALTER TABLE {table} DISABLE TRIGGER {table}_refuse_change")
                made_by.append(f"ALTER TABLE {table} ENABLE TRIGGER {table}_refuse_change")
            else:
                [(statement,)] = self.run("SELECT sql FROM sqlite_master WHERE name = ?", (f"{table}_refuse_update",))
                self.run(f"DROP TRIGGER {table}_refuse_update")
                made_by.append(statement)
        yield
        for statement in made_by:
            self.run(statement)

    def on(self, sqlite: str, postgresql: str) -> str:
        """Choose between two texts by the engine."""
        return sqlite if self.engine == "sqlite" else postgresql

    def count(self, table: str) -> int:
        """Count the rows of a table."""
        [(count,)] = self.run(f"SELECT count(*) FROM {table}")
        return int(count)

    def dump(self, tables: Sequence[str]) -> dict[str, list[tuple[Any, ...]]]:
        """Return every row of some tables, as text, in an order that does not depend on the engine's mood."""
        return {table: sorted(tuple(map(str, row)) for row in self.run(f"SELECT * FROM {table}")) for table in tables}
