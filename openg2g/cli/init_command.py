"""`openg2g init`."""

import click

from openg2g.cli.options import database_given, database_option
from openg2g.cli.output import escaped, say


@click.command("init")
@database_option
@click.pass_context
def command(context: click.Context) -> None:
    """Make a catalog; one that exists already is left as it is.

    \b
    Examples:
      openg2g init --database fleet.db
      openg2g init --database postgresql://alice@db.example/fleet
    """
    from openg2g.catalog.catalog import Catalog, make_catalog
    from openg2g.catalog.location import locate
    from openg2g.catalog.ownership import owner_if_read_only

    location = locate(database_given(context))
    is_new = make_catalog(location)
    with Catalog.open(database_given(context)) as catalog:
        click.echo(escaped(f"{'Made' if is_new else 'Found'} the catalog {catalog.location}."))
        owner = catalog.database.read(lambda connection: owner_if_read_only(connection, location.path))
    if owner is not None:
        say(f"It belongs to {owner}, and you may only read it.")
