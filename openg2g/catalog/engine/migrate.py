"""Making and migrating the tables: Alembic on the migrations that ship with the package."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect

from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import compare_definitions, refuse_intruders, require_definitions
from openg2g.catalog.engine.schema_version import SCHEMA_REVISIONS, find_schema_revision_on
from openg2g.catalog.schema.tables import CATALOG_TABLES
from openg2g.models.errors import NotACatalogError, SchemaError, SchemaTooNewError

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

    Args:
        database: Where.
        revision: The schema revision; `head` for that of this release.
        before_change: What is done before tables that are there are changed, with their schema revision; nobody else
            writes meanwhile.

    Raises:
        SchemaTooNewError: A newer release made the tables.
        NotACatalogError: A table that the catalog needs belongs to something else.
        SchemaError: There is no such revision, or what came of it is not what this release makes: nothing was changed.
        CatalogReadOnlyError: A trigger, rule or unique index of somebody else is on a table that would be changed.
    """
    _require_known(revision, "head")
    wanted = SCHEMA_REVISIONS[-1] if revision == "head" else revision
    with migrating(database) as connection:
        current = find_schema_revision_on(connection)
        if current is None:
            _refuse_foreign_tables(connection, str(database.location))
        elif current not in SCHEMA_REVISIONS:
            raise SchemaTooNewError(str(database.location), current, SCHEMA_REVISIONS[-1])
        elif SCHEMA_REVISIONS.index(current) < SCHEMA_REVISIONS.index(wanted):
            refuse_intruders(compare_definitions(connection), str(database.location))
            before_change(current)
        _run(command.upgrade, connection, revision)
        if wanted == SCHEMA_REVISIONS[-1]:
            require_definitions(connection, str(database.location))


def downgrade(database: Database, revision: str) -> None:
    """Take the tables back to an older schema revision; all or nothing.

    Raises:
        SchemaError: There is no such revision, stored data would be lost, or the tables are not those of this release.
        CatalogReadOnlyError: A trigger, rule or unique index of somebody else is on a table that would be changed.
    """
    _require_known(revision, "base")
    with migrating(database) as connection:
        if find_schema_revision_on(connection) == SCHEMA_REVISIONS[-1]:
            location = str(database.location)
            refuse_intruders(require_definitions(connection, location), location)
        _run(command.downgrade, connection, revision)


@contextmanager
def migrating(database: Database) -> Iterator[Connection]:
    """Own the transaction of a migration: the write lock, no foreign keys on SQLite, all keys checked at the end."""
    with database.connected() as connection:
        if not database.is_sqlite:
            database.begin_migrating(connection)
            yield connection
            database.commit(connection)
            return
        # Re-creating a parent table with foreign keys on would empty its children without a word.
        connection.exec_driver_sql("PRAGMA foreign_keys = OFF")
        connection.rollback()
        try:
            database.begin_migrating(connection)
            yield connection
            violations = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
            if violations:
                raise SchemaError(f"{database.location}: the migration would break {len(violations)} foreign keys.")
            database.commit(connection)
        finally:
            connection.invalidate()  # The pool must not lend a connection without foreign keys.


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


def script_revisions() -> tuple[str, ...]:
    """Schema revisions of the migrations, oldest first."""
    script = ScriptDirectory(str(migrations_path()))
    return tuple(reversed([entry.revision for entry in script.walk_revisions()]))


def _refuse_foreign_tables(connection: Connection, location: str) -> None:
    taken = sorted(set(CATALOG_TABLES) & set(inspect(connection).get_table_names()))
    if taken:
        raise NotACatalogError(
            f"{location} already has tables named {', '.join(taken)} that are not a catalog's. "
            "Choose another database or schema."
        )
