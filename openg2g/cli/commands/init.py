"""`openg2g init`."""

import click

from openg2g.catalog.catalog import Catalog
from openg2g.catalog.engine.commit import note_stored
from openg2g.catalog.engine.creation import make_catalog
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.sqlite.journal import wal_warning
from openg2g.cli.options.shared import database_given, on_catalog
from openg2g.cli.output.tables import escaped, say


@click.command("init")
@click.option(
    "--wal",
    is_flag=True,
    help="With a write-ahead log, for an SQLite file on a local disk: readers and writers do not wait for each other.",
)
@on_catalog
def command(context: click.Context, wal: bool) -> None:
    """Make a catalog; one that exists already is left as it is.

    \b
    Examples:
      openg2g init --database fleet.db
      openg2g init --wal --database fleet.db
      openg2g init --database postgresql://alice@db.example/fleet
    """
    location = locate(database_given(context))
    is_new = make_catalog(location, wal=wal)
    note_stored()
    with Catalog.open(database_given(context)) as catalog:
        click.echo(escaped(f"{'Made' if is_new else 'Found'} the catalog {catalog.location}."))
        why = catalog.database.why_read_only()
    warning = wal_warning() if wal else None
    if warning is not None:
        say(warning)
    if why is not None:
        say(f"You may only read it: {why}.")
