"""Catalogs to measure in on either engine, and the driver alone: what any program could do at best."""

import itertools
import os
import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol

import psycopg
from psycopg.conninfo import conninfo_to_dict

from openg2g.catalog import Catalog
from openg2g.catalog.schema.metadata import CATALOG_TABLES
from tests.postgres import PostgresServer

Tables = Mapping[str, Sequence[tuple[Any, ...]]]
"""Table → rows as the driver takes them, parents first."""

FILLED_TABLES = tuple(table for table in CATALOG_TABLES if table != "catalog_info")


class Driver(Protocol):
    """A connection of the driver, with the settings of the catalog."""

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a statement finds; `?` stands for a parameter."""

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement that finds nothing."""

    def begin_writing(self) -> None:
        """Begin a transaction that no other writer can come into."""

    def commit(self) -> None:
        """End it."""

    def tables(self) -> Tables:
        """Return every row, in the order of the primary keys."""

    def insert(self, tables: Tables) -> None:
        """Insert every row, in one transaction."""

    def close(self) -> None:
        """Close the connection."""


class Engine(Protocol):
    """Makes catalogs in a moment."""

    name: str

    @contextmanager
    def catalog(self, template: str | None = None) -> Iterator[str]:
        """Lend a catalog: a copy of another one that nobody is using, or an empty one."""


class SqliteDriver:
    """The driver `sqlite3`."""

    def __init__(self, path: str) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, timeout=60)
        for setting in ("foreign_keys = ON", "synchronous = FULL", "cache_size = -65536"):
            self._connection.execute(f"PRAGMA {setting}")

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a statement finds."""
        return self._connection.execute(statement, parameters).fetchall()

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement that finds nothing."""
        self._connection.execute(statement, parameters)

    def begin_writing(self) -> None:
        """Begin, and keep other writers out."""
        self._connection.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        """Commit."""
        self._connection.execute("COMMIT")

    def tables(self) -> Tables:
        """Return every row."""
        return {table: self.rows(f"SELECT * FROM {table} ORDER BY 1, 2") for table in FILLED_TABLES}

    def insert(self, tables: Tables) -> None:
        """Insert every row."""
        self.begin_writing()
        for table, rows in tables.items():
            if rows:
                marks = ", ".join("?" * len(rows[0]))
                self._connection.executemany(f"INSERT INTO {table} VALUES ({marks})", rows)
        self.commit()

    def close(self) -> None:
        """Close it."""
        self._connection.close()


class PostgresqlDriver:
    """The driver `psycopg`."""

    _SENT_AS: Mapping[str, str] = {"json": "text"}  # Both are sent as the text itself, and it is text already.

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self._connection.execute("SET TimeZone = 'UTC'")

    def rows(self, statement: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """Return what a statement finds."""
        return self._connection.execute(statement.replace("?", "%s"), parameters).fetchall()

    def run(self, statement: str, parameters: Sequence[Any] = ()) -> None:
        """Execute a statement that finds nothing."""
        self._connection.execute(statement.replace("?", "%s"), parameters)

    def begin_writing(self) -> None:
        """Begin, and keep other writers out."""
        self._connection.execute("BEGIN")
        self._connection.execute("SELECT id FROM catalog_info FOR UPDATE")

    def commit(self) -> None:
        """Commit."""
        self._connection.execute("COMMIT")

    def tables(self) -> Tables:
        """Return every row."""
        found = {}
        for table in FILLED_TABLES:
            columns = ", ".join(f"{name}::text" if kind == "json" else name for name, kind in self._columns(table))
            found[table] = self.rows(f"SELECT {columns} FROM {table} ORDER BY 1, 2")
        return found

    def insert(self, tables: Tables) -> None:
        """Insert every row."""
        self.begin_writing()
        for table, rows in tables.items():
            if rows:
                types = [self._SENT_AS.get(kind, kind) for _, kind in self._columns(table)]
                statement = f"COPY {table} FROM STDIN (FORMAT BINARY)".encode()
                with self._connection.cursor().copy(statement) as copy:
                    copy.set_types(types)
                    for row in rows:
                        copy.write_row(row)
        self.commit()

    def _columns(self, table: str) -> list[tuple[Any, ...]]:
        return self.rows(
            "SELECT column_name, udt_name FROM information_schema.columns WHERE table_name = ? "
            "AND table_schema = current_schema() ORDER BY ordinal_position",
            [table],
        )

    def close(self) -> None:
        """Close it."""
        self._connection.close()


class SqliteEngine:
    """Files in a directory."""

    name = "sqlite"

    def __init__(self, directory: str) -> None:
        self._directory = directory
        self._numbers = itertools.count()

    @contextmanager
    def catalog(self, template: str | None = None) -> Iterator[str]:
        """Lend a copy of a catalog, or an empty one."""
        path = os.path.join(self._directory, f"{next(self._numbers)}.db")
        if template is None:
            Catalog.create(path).close()
        else:
            shutil.copyfile(template, path)
        yield path
        os.unlink(path)


class PostgresqlEngine:
    """Databases of a server."""

    name = "postgresql"

    def __init__(self, server: PostgresServer) -> None:
        self._server = server

    @contextmanager
    def catalog(self, template: str | None = None) -> Iterator[str]:
        """Lend a copy of a catalog, or an empty one."""
        database = None if template is None else str(conninfo_to_dict(template)["dbname"])
        with self._server.database(database) as url:
            if template is None:
                Catalog.create(url).close()
            yield url


def connect(location: str) -> Driver:
    """Connect the driver to a catalog."""
    return PostgresqlDriver(location) if location.startswith("postgresql:") else SqliteDriver(location)


@contextmanager
def running_engine(name: str) -> Iterator[Engine]:
    """Lend an engine. The server of PostgreSQL is that of the tests, without durability, for either side."""
    if name == "sqlite":
        with tempfile.TemporaryDirectory() as directory:
            yield SqliteEngine(directory)
    else:
        with PostgresServer.running() as server:
            yield PostgresqlEngine(server)
