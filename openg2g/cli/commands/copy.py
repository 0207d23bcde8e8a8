"""`openg2g copy`."""

import click

from openg2g.catalog import Catalog
from openg2g.catalog.archive.copying import copy_catalog, renaming
from openg2g.cli.options.shared import pairs_given, rename_options
from openg2g.cli.output.tables import added_lines, escaped


@click.command("copy")
@click.argument("source", metavar="SRC")
@click.argument("target", metavar="DST")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@rename_options
def command(source: str, target: str, names: tuple[str, ...], renames: tuple[str, ...], prefix: str) -> None:
    """Copy NAMEs (default: all) with their whole histories from the catalog SRC to DST, which is made if needed.

    Revisions keep their numbers and both times; aliases with their moves, tags and annotations go along. What is there
    already is compared and left as it is, so a copy that was broken off goes on when it is run again. Where a name has
    another history in DST, nothing is overwritten: use --rename or --prefix. Tags are added where DST has none of that
    key.

    \b
    Examples:
      openg2g copy fleet.db postgresql://alice@db.example/fleet
      openg2g copy fleet.db team.db fleet --rename fleet=alices-fleet
    """
    name_here = renaming(pairs_given("--rename", renames), prefix)
    with (
        Catalog.open(source) as source_catalog,
        source_catalog.database.naming_damage(),
        Catalog.create(target) as target_catalog,
    ):
        try:
            added = copy_catalog(source_catalog, target_catalog, list(names) or None, name_here)
        except KeyboardInterrupt as error:
            error.add_note("What was copied until then is stored; run the same command again for the rest.")
            raise
    for line in added_lines(added):
        click.echo(escaped(line))
