"""The catalogs of releases: how they are kept, and how they come back."""

import tempfile
from pathlib import Path

from openg2g.catalog import Catalog
from openg2g.catalog.archive.copying import copy_catalog
from openg2g.catalog.schema.metadata import SQLITE_APPLICATION_ID
from tests.catalog.histories import archive_of, record_something_of_everything
from tests.catalog.plain_sql import PlainSql
from tests.postgres import PostgresServer

RELEASES = Path(__file__).parent
"""Has a folder for each release, named by its number."""

ARCHIVE = "archive.jsonl"
"""File of the archive in each folder."""


def kept_releases() -> list[str]:
    """Numbers of the releases that there are catalogs of."""
    return sorted(path.parent.name for path in RELEASES.glob(f"*/{ARCHIVE}"))


def restore(folder: Path, empty_url: str) -> None:
    """Make the catalog that a folder keeps again in an empty database, as the release left it."""
    with PlainSql(empty_url) as sql:
        text = (folder / f"{sql.engine}.sql").read_text(encoding="utf-8")
        if sql.engine == "sqlite":
            sql.connection.executescript(text)
        else:
            sql.connection.execute(text)


def keep(folder: Path, server: PostgresServer) -> None:
    """Make a catalog with something of everything on each engine, and keep both and their archive in a folder."""
    folder.mkdir(exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as directory,
        server.database() as url,
        Catalog.create(Path(directory, "catalog.db")) as on_sqlite,
        Catalog.create(url) as on_postgresql,
    ):
        record_something_of_everything(on_sqlite)
        copy_catalog(on_sqlite, on_postgresql)
        archive = archive_of(on_sqlite)
        assert archive == archive_of(on_postgresql)
        (folder / ARCHIVE).write_bytes(archive)
        for place in (f"sqlite:///{on_sqlite.location}", url):
            engine = place.partition(":")[0]
            (folder / f"{engine}.sql").write_text(kept_text(server, place), encoding="utf-8")


def kept_text(server: PostgresServer, url: str) -> str:
    """Return the text that makes the catalog at a place again."""
    lines = _sqlite_lines(url) if url.startswith("sqlite") else _postgresql_lines(server, url)
    return "\n".join([*lines, ""])


def _sqlite_lines(url: str) -> list[str]:
    with PlainSql(url) as sql:  # The dump has the tables, and not what the header of the file says.
        header = [f"PRAGMA application_id = {SQLITE_APPLICATION_ID};", "PRAGMA foreign_keys = OFF;"]
        return [*header, *sql.connection.iterdump()]


def _postgresql_lines(server: PostgresServer, url: str) -> list[str]:
    lines = server.dump(url, "--inserts").splitlines()
    # Lines with a backslash are for psql, and the versions of the server and of pg_dump are of no interest.
    return [line for line in lines if line.strip("-") and not line.startswith(("\\", "-- "))]
