"""`openg2g db`: the tables of a catalog."""

from typing import TYPE_CHECKING

import click

from openg2g.cli.options import database_given, database_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from openg2g.catalog.database import Database


@click.group("db")
@database_option
def command() -> None:
    """Look after the tables of a catalog."""


@command.command("status")
@click.option("--format", "format_name", type=click.Choice(("table", "json")), default="table")
@database_option
@click.pass_context
def status(context: click.Context, format_name: str) -> None:
    """Say where the catalog is, which schema it has, and how much it holds.

    \b
    Example:
      openg2g db status --database fleet.db
    """
    from openg2g.catalog.catalog import Catalog
    from openg2g.catalog.schema import SCHEMA_HEAD, find_schema_revision

    facts: dict[str, str | int | None] = {}
    database = _database(context)
    try:
        facts["database"] = str(database.location)
        facts["engine"] = database.engine_version()
        facts["schema"] = find_schema_revision(database)
        facts["newest_schema"] = SCHEMA_HEAD
    finally:
        database.close()
    if facts["schema"] == SCHEMA_HEAD:
        with Catalog.open(database_given(context)) as catalog:
            facts.update(catalog.count())
    if format_name == "json":
        from openg2g.formats.json_text import encode_pretty

        click.echo(encode_pretty(facts))
    else:
        for label, value in facts.items():
            click.echo(f"{label.replace('_', ' '):<14} {'none: no catalog yet' if value is None else value}")


@command.command("upgrade")
@click.argument("revision", default="head")
@database_option
@click.pass_context
def upgrade(context: click.Context, revision: str) -> None:
    """Bring the tables to the schema of this release (or to REVISION); all or nothing.

    \b
    Example:
      openg2g db upgrade --database fleet.db
    """
    from openg2g.catalog import migrate

    _migrate(context, migrate.upgrade, revision)


@command.command("downgrade")
@click.argument("revision")
@database_option
@click.pass_context
def downgrade(context: click.Context, revision: str) -> None:
    """Take the tables back to an older schema REVISION; refused where data would be lost.

    \b
    Example:
      openg2g db downgrade 0001 --database fleet.db
    """
    from openg2g.catalog import migrate

    _migrate(context, migrate.downgrade, revision)


@command.command("check")
@database_option
@click.pass_context
def check(context: click.Context) -> None:
    """Compare the tables with those that this release expects; exit code 6 where they differ.

    \b
    Example:
      openg2g db check --database fleet.db
    """
    from openg2g.catalog.migrate import schema_differences
    from openg2g.catalog.schema import require_head
    from openg2g.models.errors import SchemaError

    database = _database(context)
    try:
        require_head(database)
        differences = schema_differences(database)
    finally:
        database.close()
    if differences:
        raise SchemaError("\n".join(["the tables differ from what this release expects:", *differences]))
    click.echo("The tables are those of this release.")


def _database(context: click.Context) -> "Database":
    from openg2g.catalog.database import Database
    from openg2g.catalog.location import locate

    return Database(locate(database_given(context)))


def _migrate(context: click.Context, migration: "Callable[[Database, str], None]", revision: str) -> None:
    """Run a migration on a catalog that exists, and say where it went."""
    from openg2g.catalog.schema import find_schema_revision
    from openg2g.models.errors import CatalogNotFoundError

    database = _database(context)
    try:
        before = find_schema_revision(database)
        if before is None:
            raise CatalogNotFoundError(str(database.location), "the database has no tables of a catalog")
        migration(database, revision)
        after = find_schema_revision(database)
    finally:
        database.close()
    click.echo(f"schema {before}" if after == before else f"schema {before} → {after or 'none'}")
