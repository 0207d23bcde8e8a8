"""Empty catalogs on both engines, for one run of steps each."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from tests.postgres import PostgresServer, memory_directory


@dataclass(frozen=True)
class Places:
    """Lends catalogs.

    Attributes:
        sqlite_file: A migrated file, to be copied.
        server: A server.
        template: A migrated database of the server, to be copied.
    """

    sqlite_file: Path
    server: PostgresServer
    template: str

    @contextmanager
    def sqlite(self) -> Iterator[str]:
        """Lend an empty SQLite catalog; in memory, where there is room: what a disk costs is nothing to us."""
        with tempfile.TemporaryDirectory(dir=memory_directory()) as directory:
            path = Path(directory, "catalog.db")
            shutil.copyfile(self.sqlite_file, path)
            yield f"sqlite:///{path}"

    @contextmanager
    def postgres(self) -> Iterator[str]:
        """Lend an empty catalog on PostgreSQL."""
        with self.server.database(template=self.template) as url:
            yield url
