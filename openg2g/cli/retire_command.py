"""`openg2g retire`."""

from datetime import datetime

import click

from openg2g.cli.options import INSTANT, complete_names, database_option, open_catalog, record_options, zone_option
from openg2g.cli.output import escaped, outcome_line


@click.command("retire")
@click.argument("name", shell_complete=complete_names)
@record_options
@click.option("--effective-from", type=INSTANT, metavar="TIME", help="Since when. Default: now.")
@zone_option
@click.option("--expect", type=click.IntRange(min=1), metavar="N", help="Refuse if revision N is not the latest.")
@database_option
@click.pass_context
def command(
    context: click.Context,
    name: str,
    message: str,
    author: str | None,
    effective_from: datetime | None,
    expect: int | None,
) -> None:
    """Say that NAME stands for nothing any more. Its history stays, and `restore` brings it back.

    \b
    Example:
      openg2g retire fleet -m "replaced by fleet-2"
    """
    with open_catalog(context) as catalog:
        revision = catalog.retire(name, message=message, author=author, effective_from=effective_from, expect=expect)
    click.echo(escaped(outcome_line(revision)))
