"""Which schema a database has, told without loading the migrations."""

from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, text

from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import require_definitions
from openg2g.catalog.engine.engines import engine_of
from openg2g.catalog.schema.metadata import VERSION_TABLE
from openg2g.models.errors import (
    CatalogNotFoundError,
    CatalogUnavailableError,
    NotACatalogError,
    SchemaOutdatedError,
    SchemaTooNewError,
)

SCHEMA_REVISIONS = ("0001", "0002")
"""Schema revisions that this release knows, oldest first; a test holds them against the migrations."""

SCHEMA_HEAD = SCHEMA_REVISIONS[-1]
"""Schema revision that this release works with."""

_MAX_SHOWN = 32


def find_schema_revision(database: Database) -> str | None:
    """Return the schema revision of a database, None where there is no catalog yet."""
    is_empty = _is_file(database, lambda path: path.is_file() and path.stat().st_size == 0)
    return None if is_empty else database.read(find_schema_revision_on)


def _is_file(database: Database, is_such: Callable[[Path], bool]) -> bool:
    """Whether a database is a file, and such a one."""
    path = database.location.path
    try:
        return path is not None and is_such(path)
    except OSError as error:  # A directory that may not be looked into, a name that is too long.
        raise CatalogUnavailableError(f"{path} cannot be reached: {error.strerror}.") from error


def find_schema_revision_on(connection: Connection) -> str | None:
    """Return the schema revision of the database of a connection, None where there is no catalog yet."""
    has_version = engine_of(connection).find_version_table(connection)
    if has_version is None:
        return None
    if not has_version:  # A view may never answer.
        raise NotACatalogError(f"{VERSION_TABLE} is not a table: this is not a catalog. Choose another database.")
    revisions = list(connection.scalars(text(f"SELECT version_num FROM {VERSION_TABLE}")))
    if len(revisions) > 1:
        raise NotACatalogError(f"{VERSION_TABLE} has {len(revisions)} rows instead of one: restore it from a backup.")
    if not revisions:  # It stays when the tables are taken back.
        return None
    revision = " ".join(str(revisions[0]).split())  # A stranger's may be anything.
    return revision if len(revision) <= _MAX_SHOWN else f"{revision[:_MAX_SHOWN]}…"


def require_schema(database: Database) -> None:
    """Make sure that the database says that it has the schema of this release, whatever its tables are."""
    location = str(database.location)
    if _is_file(database, lambda path: not path.exists()):
        raise CatalogNotFoundError(location, "the file does not exist")
    current = find_schema_revision(database)
    if current is None:
        raise CatalogNotFoundError(location, "the database has no tables of a catalog")
    if current != SCHEMA_HEAD:
        newer = current not in SCHEMA_REVISIONS
        raise (SchemaTooNewError if newer else SchemaOutdatedError)(location, current, SCHEMA_HEAD)


def require_head(database: Database) -> None:
    """Make sure that the database holds a catalog as this release makes it, before anything else is asked of it.

    Where a trigger, rule or unique index of somebody else is on its tables, nothing is written from then on.
    """
    require_schema(database)
    location = str(database.location)
    comparison = database.read(lambda connection: require_definitions(connection, location))
    database.why_not_written = comparison.why_not_written(location)
