"""How a catalog comes to be: made once, at head, with what is chosen for a new file."""

from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.faults import is_denied
from openg2g.catalog.engine.location import Location, default_path
from openg2g.catalog.engine.postgresql.ownership import owner_on_server
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, find_schema_revision
from openg2g.catalog.engine.sqlite.files import make_file, require_locks
from openg2g.catalog.engine.sqlite.journal import set_wal
from openg2g.models.errors import CatalogReadOnlyError, LocationError


def make_catalog(location: Location, *, wal: bool = False) -> bool:
    """Make a catalog if there is none; return whether there was none.

    Args:
        location: Where.
        wal: Whether a new SQLite file has a write-ahead log.

    Raises:
        LocationError: A write-ahead log is wanted on a server, or in a catalog that was made without.
        SchemaError: The database belongs to something else.
        CatalogUnavailableError: It cannot be made or reached.
    """
    if location.path is not None:
        if location.path == default_path():
            location.path.parent.mkdir(parents=True, exist_ok=True)  # Any other directory is the user's to make.
        make_file(location.path)
    elif wal:
        raise LocationError(f"{location} is on a server, which keeps a write-ahead log by itself: wal is for files.")
    database = Database(location, may_create=True)
    try:
        if find_schema_revision(database) is not None:
            if wal and database.journal_mode() != "wal":
                raise LocationError(f"{location} was made without a write-ahead log: wal is for new catalogs.")
            return False
        if location.path is not None:
            require_locks(location.path, between_processes=True)
        if wal:
            set_wal(database)
        from openg2g.catalog.engine.migrate import upgrade  # Imported late: Alembic costs as much as everything else.

        upgrade(database, SCHEMA_HEAD)
        return True
    except CatalogReadOnlyError as error:
        if not is_denied(error):
            raise
        raise CatalogReadOnlyError(f"{error} The owner is {database.read(owner_on_server)}.") from error
    finally:
        database.close()
