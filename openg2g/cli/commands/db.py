"""`openg2g db`: the tables of a catalog."""

from collections.abc import Callable
from contextlib import closing

import click

from openg2g.catalog.catalog import Catalog
from openg2g.catalog.engine import migrate
from openg2g.catalog.engine.commit import note_stored
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.definitions import compare_definitions
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, find_schema_revision, require_schema
from openg2g.catalog.upkeep.backup import back_up, back_up_beside
from openg2g.cli.options.shared import database_given, database_option, format_option, on_catalog
from openg2g.cli.output.tables import echo_json_value, escaped, say
from openg2g.models.errors import CatalogNotFoundError, SchemaError


@click.group("db")
@database_option
def command() -> None:
    """Look after the tables of a catalog."""


@command.command("status")
@format_option("table", "json")
@on_catalog
def status(context: click.Context, format_name: str) -> None:
    """Say where the catalog is, which schema it has, and how much it holds.

    \b
    Example:
      openg2g db status --database fleet.db
    """
    facts: dict[str, str | int | None] = {}
    with closing(_database(context)) as database:
        facts["database"] = str(database.location)
        facts["engine"] = database.engine_version()
        facts["schema"] = find_schema_revision(database)
        facts["newest_schema"] = SCHEMA_HEAD
        if (journal_mode := database.journal_mode()) is not None:
            facts["journal_mode"] = journal_mode
        comparison = database.read(compare_definitions) if facts["schema"] == SCHEMA_HEAD else None
    if comparison is not None:
        facts["differences"] = len(comparison.lines)
        if comparison.differences:
            say("The tables are not those of this release, and were not counted. Run `openg2g db check`.")
        else:
            with Catalog.open(database_given(context)) as catalog:
                facts.update(catalog.count())
    if format_name == "json":
        echo_json_value(facts)
    else:
        for label, value in facts.items():
            shown = "none: no catalog yet" if value is None else str(value)
            click.echo(f"{label.replace('_', ' '):<14} {escaped(shown)}")


@command.command("backup")
@click.argument("file", type=click.Path())
@on_catalog
def backup(context: click.Context, file: str) -> None:
    """Copy a catalog in an SQLite file to a new FILE, while others go on using it, and verify the copy.

    A catalog on a server is backed up with the server's tools, or as an archive (`openg2g export --all --history`).

    \b
    Example:
      openg2g db backup fleet-before-the-move.db --database fleet.db
    """
    with closing(_database(context)) as database:
        _existing_schema(database)
        back_up(database, file)
    click.echo(escaped(f"{database.location}: backed up to {file}"))


@command.command("upgrade")
@click.argument("revision", default="head")
@click.option("--no-backup", is_flag=True, help="Do not copy an SQLite file first.")
@on_catalog
def upgrade(context: click.Context, revision: str, no_backup: bool) -> None:
    """Bring the tables to the schema of this release (or to REVISION); all or nothing.

    An SQLite file that will change is copied first to FILE.SCHEMA.backup, or with a number where that is there. To go
    back, put the copy in its place.

    \b
    Example:
      openg2g db upgrade --database fleet.db
    """
    _migrate(context, migrate.upgrade if no_backup else _upgrade_after_backup, revision)


@command.command("downgrade")
@click.argument("revision")
@on_catalog
def downgrade(context: click.Context, revision: str) -> None:
    """Take the tables back to an older schema REVISION; refused where data would be lost.

    \b
    Example:
      openg2g db downgrade 0001 --database fleet.db
    """
    _migrate(context, migrate.downgrade, revision)


@command.command("check")
@on_catalog
def check(context: click.Context) -> None:
    """Compare the tables with those that this release makes; exit code 6 where they differ.

    Columns, constraints, indexes, views, triggers and functions are compared by their definitions. Tables, views and
    indexes of somebody else are left alone; triggers, rules and unique indexes of theirs on our tables are named.

    \b
    Example:
      openg2g db check --database fleet.db
    """
    with closing(_database(context)) as database:
        require_schema(database)
        differences = database.read(compare_definitions).lines
    if differences:
        raise SchemaError("\n".join(["the tables differ from what this release makes:", *differences]))
    click.echo("The tables are those of this release.")


def _upgrade_after_backup(database: Database, revision: str) -> None:
    """Upgrade, and before its tables change, copy an SQLite file."""

    def back_up(schema: str) -> None:
        copy = back_up_beside(database, schema)
        if copy is not None:
            say(f"Backed up to {copy}.")

    migrate.upgrade(database, revision, before_change=back_up)


def _database(context: click.Context) -> Database:
    return Database(locate(database_given(context)))


def _existing_schema(database: Database) -> str:
    """Return the schema revision of a catalog, which must be there."""
    found = find_schema_revision(database)
    if found is None:
        raise CatalogNotFoundError(str(database.location), "the database has no tables of a catalog")
    return found


def _migrate(context: click.Context, migration: Callable[[Database, str], None], revision: str) -> None:
    """Run a migration on a catalog that exists, and say where it went."""
    with closing(_database(context)) as database:
        before = _existing_schema(database)
        migration(database, revision)
        note_stored()
        after = find_schema_revision(database)
    click.echo(f"schema {before}" if after == before else f"schema {before} → {after or 'none'}")
