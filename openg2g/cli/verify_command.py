"""`openg2g verify`."""

import click

from openg2g.cli.options import database_given, database_option, open_catalog
from openg2g.cli.output import escaped


@click.command("verify")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path())
@database_option
@click.pass_context
def command(context: click.Context, files: tuple[str, ...]) -> None:
    """Prove that archives, or without FILE the catalog, are sound; damage is named and ends with an exit code.

    Every table, trigger and view is as this release makes it, every digest fits its content, the numbers of every name
    have no gaps, every reference leads somewhere, and every total is right. A damaged archive ends with exit code 4, a
    damaged catalog with 6.

    \b
    Examples:
      openg2g verify --database fleet.db
      openg2g verify catalog.jsonl
    """
    from openg2g.catalog.database import Database
    from openg2g.catalog.location import locate
    from openg2g.catalog.schema import require_schema
    from openg2g.catalog.verify import verify_database
    from openg2g.formats.archive_reader import read_archive
    from openg2g.formats.files import open_sources
    from openg2g.models.errors import DamagedCatalogError

    if files:
        with open_sources(files, "jsonl") as sources:
            for source in sources:
                count = sum(1 for _ in read_archive(source.stream, source.label))
                click.echo(escaped(f"{source.label}: sound, {count} entries"))
        return
    database = Database(locate(database_given(context)))
    try:
        require_schema(database)
        problems = verify_database(database)
    finally:
        database.close()
    if problems:
        raise DamagedCatalogError("\n".join([f"{database.location} is damaged:", *problems]))
    with open_catalog(context) as catalog:
        counts = catalog.count()
    click.echo(escaped(f"{catalog.location}: sound, names: {counts['names']}, revisions: {counts['revisions']}"))
