"""`openg2g restore`."""

from typing import Any

import click

from openg2g.cli.options.shared import complete_names, ending_options, on_catalog, open_catalog
from openg2g.cli.output.tables import escaped, outcome_line


@click.command("restore")
@click.argument("name", shell_complete=complete_names)
@ending_options
@on_catalog
def command(context: click.Context, /, name: str, **said: Any) -> None:
    """Bring a retired NAME back: record again, as a new revision, what it stood for before.

    Where the retirement is yet to come, the new revision applies from then, so that nothing ends.

    \b
    Example:
      openg2g restore fleet -m "still needed"
    """
    with open_catalog(context) as catalog:
        revision = catalog.restore(name, **said)
    click.echo(escaped(outcome_line(revision)))
