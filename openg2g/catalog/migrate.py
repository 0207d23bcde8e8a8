"""Making and migrating the tables: Alembic on the migrations that ship with the package."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, inspect, text

from openg2g.catalog.database import Database
from openg2g.catalog.schema import SCHEMA_REVISIONS, find_schema_revision_on
from openg2g.catalog.tables import APPEND_ONLY_TABLES, CATALOG_TABLES, CATALOG_VIEWS, METADATA, VERSION_TABLE
from openg2g.models.errors import NotACatalogError, SchemaError, SchemaTooNewError

_ALEMBIC_LOCK = threading.Lock()  # Alembic keeps its context in module globals.


def migrations_path() -> Path:
    """Directory of the migrations: inside the installed package, else at the top of the checkout."""
    packaged = Path(__file__).with_name("migrations")
    return packaged if packaged.is_dir() else Path(__file__).parents[2] / "migrations"


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
        SchemaError: There is no such revision.
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
            before_change(current)
        _run(command.upgrade, connection, revision)


def downgrade(database: Database, revision: str) -> None:
    """Take the tables back to an older schema revision; all or nothing.

    Raises:
        SchemaError: There is no such revision, or stored data would be lost.
    """
    _require_known(revision, "base")
    with migrating(database) as connection:
        _run(command.downgrade, connection, revision)


def schema_differences(database: Database) -> list[str]:
    """Compare the tables of a database with those that this release expects; one line for each difference."""

    def read(connection: Connection) -> list[str]:
        context = MigrationContext.configure(
            connection,
            opts={"version_table": VERSION_TABLE, "include_name": _is_ours, "compare_server_default": True},
        )
        differences = [repr(difference) for difference in compare_metadata(context, METADATA)]
        inspector = inspect(connection)
        for table in METADATA.sorted_tables:
            found = {str(check["name"]) for check in inspector.get_check_constraints(table.name)}
            expected = {str(check.name) for check in table.constraints if str(check.name).startswith("ck_")}
            differences += [f"CHECK {name} of {table.name} is missing" for name in sorted(expected - found)]
            differences += [f"CHECK {name} of {table.name} is unknown" for name in sorted(found - expected)]
        missing_triggers = _expected_triggers(database) - _triggers(connection)
        missing_views = CATALOG_VIEWS - set(inspector.get_view_names())
        differences += [f"the trigger {name} is missing" for name in sorted(missing_triggers)]
        return differences + [f"the view {name} is missing" for name in sorted(missing_views)]

    return database.read(read)


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


def _expected_triggers(database: Database) -> set[str]:
    verbs = ("update", "delete") if database.is_sqlite else ("change",)
    return {f"{table}_refuse_{verb}" for table in APPEND_ONLY_TABLES for verb in verbs} | {"revisions_refuse_gap"}


def _triggers(connection: Connection) -> set[str]:
    if connection.dialect.name == "sqlite":
        query = "SELECT name FROM sqlite_master WHERE type = 'trigger'"
    else:
        query = "SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgenabled <> 'D'"
    return set(connection.scalars(text(query)))


def _is_ours(name: str | None, type_: str, _: object) -> bool:
    return type_ != "table" or name in CATALOG_TABLES
