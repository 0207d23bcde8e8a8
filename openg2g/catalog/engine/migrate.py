"""Making and migrating the tables: Alembic on the migrations that ship with the package."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from openg2g.catalog.engine.commit import forget_appended
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import Comparison, compare_definitions, require_definitions
from openg2g.catalog.engine.engines import engine_of
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, SCHEMA_REVISIONS, find_schema_revision_on
from openg2g.catalog.schema.metadata import CATALOG_TABLES
from openg2g.models.errors import CatalogReadOnlyError, NotACatalogError, SchemaError, SchemaTooNewError

_ALEMBIC_LOCK = threading.Lock()  # Alembic keeps its context in module globals.


def migrations_path() -> Path:
    """Directory of the migrations: inside the installed package, else at the top of the checkout."""
    package = Path(__file__).parents[1]
    packaged = package / "migrations"
    return packaged if packaged.is_dir() else package.parents[1] / "migrations"


def upgrade(
    database: Database, revision: str = "head", before_change: Callable[[str], None] = lambda schema: None
) -> None:
    """Make the tables, or bring them to a newer schema revision; all or nothing. Several at once wait in turn.

    Before tables that are there are changed, `before_change` is called with their schema revision; nobody else writes
    meanwhile.
    """
    _require_known(revision, "head")
    wanted = SCHEMA_HEAD if revision == "head" else revision
    location = str(database.location)
    with migrating(database) as connection:
        current = find_schema_revision_on(connection)
        if current is None:
            _refuse_foreign_tables(connection, location)
        elif current not in SCHEMA_REVISIONS:
            raise SchemaTooNewError(location, current, SCHEMA_HEAD)
        elif SCHEMA_REVISIONS.index(current) < SCHEMA_REVISIONS.index(wanted):
            _refuse_intruders(compare_definitions(connection), location)
            before_change(current)
        _run(command.upgrade, connection, revision)
        if wanted == SCHEMA_HEAD:
            require_definitions(connection, location)


def downgrade(database: Database, revision: str) -> None:
    """Take the tables back to an older schema revision, unless stored data would be lost; all or nothing."""
    _require_known(revision, "base")
    with migrating(database) as connection:
        if find_schema_revision_on(connection) == SCHEMA_HEAD:
            location = str(database.location)
            _refuse_intruders(require_definitions(connection, location), location)
        _run(command.downgrade, connection, revision)


@contextmanager
def migrating(database: Database) -> Iterator[Connection]:
    """Own the transaction of a migration: nobody else writes, and all foreign keys are whole at the end."""
    with database.connected() as connection:
        engine = engine_of(connection)
        try:
            forget_appended(connection)
            engine.begin_migrating(connection)
            yield connection
            broken = list(engine.broken_references(connection))
            if broken:
                raise SchemaError(f"{database.location}: the migration would break {len(broken)} foreign keys.")
            database.commit(connection)
        finally:
            engine.end_migrating(connection)


def _require_known(revision: str, extreme: str) -> None:
    known = (*SCHEMA_REVISIONS, extreme)
    if revision not in known:
        raise SchemaError(f"{revision!r} is no schema revision. Known: {', '.join(known)}.")


def _run(alembic_command: object, connection: Connection, revision: str) -> None:
    config = Config()
    config.set_main_option("script_location", str(migrations_path()).replace("%", "%%"))
    config.attributes["connection"] = connection
    with _ALEMBIC_LOCK:
        try:
            alembic_command(config, revision)  # type: ignore[operator]
        except CommandError as error:
            raise SchemaError(f"schema revision {revision}: {error}.") from None  # Of a downgrade: what it would lose.


def _refuse_intruders(comparison: Comparison, location: str) -> None:
    why = comparison.why_not_written(location)
    if why is not None:
        raise CatalogReadOnlyError(why)


def _refuse_foreign_tables(connection: Connection, location: str) -> None:
    taken = sorted(set(CATALOG_TABLES) & set(inspect(connection).get_table_names()))
    if taken:
        raise NotACatalogError(
            f"{location} already has tables named {', '.join(taken)} that are not a catalog's. "
            "Choose another database or schema."
        )
