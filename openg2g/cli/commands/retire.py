"""`openg2g retire`."""

from typing import Any

import click

from openg2g.cli.options.shared import complete_names, ending_options, on_catalog, open_catalog
from openg2g.cli.output.tables import escaped, outcome_line, say
from openg2g.models.instant import time_text


@click.command("retire")
@click.argument("name", shell_complete=complete_names)
@ending_options
@on_catalog
def command(context: click.Context, /, name: str, **said: Any) -> None:
    """Retire NAME, now or from --effective-from on; before that nothing ends. Its history stays.

    `openg2g restore` brings it back, and takes back a retirement that is yet to come.

    \b
    Example:
      openg2g retire fleet -m "replaced by fleet-2"
    """
    with open_catalog(context) as catalog:
        revision = catalog.retire(name, **said)
        click.echo(escaped(outcome_line(revision)))  # It is stored, whatever becomes of the question that follows.
        _, context_then = catalog.get_with_context(name, as_of=revision.effective_from)
    if context_then.upcoming is not None:
        when = time_text(context_then.upcoming.effective_from)
        say(
            f"{context_then.upcoming.reference} comes into force at {when}, as planned. To prevent that, run: "
            f"openg2g retire {name} --effective-from {when}"
        )
