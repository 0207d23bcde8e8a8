"""`openg2g rename`."""

import click

from openg2g.cli.options.shared import complete_names, on_catalog, open_catalog, record_options
from openg2g.cli.output.tables import escaped


@click.command("rename")
@click.argument("old", shell_complete=complete_names)
@click.argument("new")
@record_options
@on_catalog
def command(context: click.Context, old: str, new: str, message: str, author: str | None) -> None:
    """Change the name OLD to NEW. Revisions, aliases and tags go along.

    The old name is still understood by questions about the past (--known-at).

    \b
    Example:
      openg2g rename fleet fleet-h100 -m "the B200 fleet gets a name of its own"
    """
    with open_catalog(context) as catalog:
        catalog.rename(old, new, message=message, author=author)
    click.echo(escaped(f"{old}: renamed to {new}"))
