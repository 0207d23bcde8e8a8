"""Which schema a database has, told without loading the migrations."""

from sqlalchemy import Connection, text

from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import require_definitions
from openg2g.catalog.schema.tables import SQLITE_APPLICATION_ID, VERSION_TABLE
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
    """Return the schema revision of a database, None where there is no catalog yet.

    Raises:
        NotACatalogError: The database belongs to something else.
        CatalogUnavailableError: It cannot be opened or reached.
    """
    path = database.location.path
    try:
        if path is not None and path.is_file() and path.stat().st_size == 0:
            return None
    except OSError as error:  # A directory that may not be looked into, a name that is too long.
        raise CatalogUnavailableError(f"{path} cannot be reached: {error.strerror}.") from error
    return database.read(find_schema_revision_on)


def find_schema_revision_on(connection: Connection) -> str | None:
    """Return the schema revision of the database of a connection, None where there is no catalog yet.

    Raises:
        NotACatalogError: The database belongs to something else, or cannot hold a catalog.
    """
    if connection.dialect.name == "sqlite":
        application_id = connection.exec_driver_sql("PRAGMA application_id").scalar()
        query = "SELECT name, type = 'table' AND rootpage > 0 FROM sqlite_master WHERE type IN ('table', 'view')"
        is_table = {name: bool(answer) for name, answer in connection.execute(text(query))}
        if VERSION_TABLE not in is_table and (
            any(is_table.values()) or application_id not in (0, SQLITE_APPLICATION_ID)
        ):
            raise NotACatalogError(
                f"{connection.engine.url.database} is not a catalog: it is an SQLite file with other tables. "
                "Choose another path."
            )
        if VERSION_TABLE not in is_table:
            return None
        has_version = is_table[VERSION_TABLE]
    else:
        is_utf8 = connection.scalar(
            text("SELECT pg_encoding_to_char(encoding) = 'UTF8' FROM pg_database WHERE datname = current_database()")
        )
        if not is_utf8:
            raise NotACatalogError("a catalog needs a database with the encoding UTF8: createdb --encoding=UTF8 …")
        kind = connection.scalar(
            text("SELECT relkind::text FROM pg_class WHERE oid = to_regclass(:table)"), {"table": VERSION_TABLE}
        )
        if kind is None:
            return None
        has_version = kind == "r"
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
    """Make sure that the database says that it has the schema of this release, whatever its tables are.

    Raises:
        CatalogNotFoundError: There is no catalog yet.
        SchemaOutdatedError: An older release made it.
        SchemaTooNewError: A newer release made it.
        NotACatalogError: The database belongs to something else.
    """
    location = str(database.location)
    path = database.location.path
    try:
        is_missing = path is not None and not path.exists()
    except OSError as error:  # A directory that may not be looked into, a name that is too long.
        raise CatalogUnavailableError(f"{location} cannot be reached: {error.strerror}.") from error
    if is_missing:
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

    Raises:
        SchemaError: As `require_schema`, or an object of the catalog is missing or was replaced.
    """
    require_schema(database)
    location = str(database.location)
    comparison = database.read(lambda connection: require_definitions(connection, location))
    if comparison.intruders:
        database.refuse_writing(f"{location} may only be read: {comparison.intruders[0]}.")
