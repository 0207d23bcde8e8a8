"""Fresh databases on either engine, as many as a test wants."""

import itertools
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from tests.postgres import PostgresServer


class Places(Protocol):
    """Where databases of one engine are made.

    Attributes:
        engine: `"sqlite"` or `"postgresql"`.
    """

    engine: str

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Lend the URL of a database without tables."""

    @contextmanager
    def catalog(self) -> Iterator[str]:
        """Lend the URL of an empty catalog."""


class SqlitePlaces:
    """Files in a directory."""

    engine = "sqlite"

    def __init__(self, directory: Path, template: Path) -> None:
        """Make files in a directory, catalogs as copies of a template."""
        self._directory = directory
        self._numbers = itertools.count(1)
        self._template = template

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Lend the URL of a file that does not exist yet."""
        path = self._directory / f"{next(self._numbers)}.db"
        yield f"sqlite:///{path}"
        path.unlink(missing_ok=True)

    @contextmanager
    def catalog(self) -> Iterator[str]:
        """Lend the URL of an empty catalog."""
        with self.empty() as url:
            shutil.copyfile(self._template, path_of(url))
            yield url


class PostgresPlaces:
    """Databases on a server."""

    engine = "postgresql"

    def __init__(self, server: PostgresServer, template: str) -> None:
        """Make databases on a server, catalogs from a template."""
        self._server = server
        self._template = template

    @contextmanager
    def empty(self) -> Iterator[str]:
        """Lend the URL of a database without tables."""
        with self._server.database() as url:
            yield url

    @contextmanager
    def catalog(self) -> Iterator[str]:
        """Lend the URL of an empty catalog."""
        with self._server.database(template=self._template) as url:
            yield url


def path_of(url: str) -> Path:
    """Path of a SQLite file."""
    return Path(url.removeprefix("sqlite:///"))
