"""`openg2g tag`."""

import click

from openg2g.cli.options.shared import complete_names, on_catalog, open_catalog
from openg2g.cli.output.tables import escaped


@click.command("tag")
@click.argument("name", shell_complete=complete_names)
@click.argument("tags", nargs=-1, metavar="[KEY[=VALUE]]...")
@click.option("--remove", "removed", multiple=True, metavar="KEY", help="Remove a tag; may be given several times.")
@on_catalog
def command(context: click.Context, name: str, tags: tuple[str, ...], removed: tuple[str, ...]) -> None:
    """Set and remove tags of NAME, and print what it has then.

    Tags describe a name as it is now; unlike everything else they have no history.

    \b
    Examples:
      openg2g tag fleet team=grid status=published
      openg2g tag fleet --remove status
    """
    changes: dict[str, str | None] = dict.fromkeys(removed)
    for text in tags:
        key, _, value = text.partition("=")
        if key in changes:
            raise click.UsageError(f"The tag {key!r} is given more than once.")
        changes[key] = value
    with open_catalog(context) as catalog:
        for key, value in (catalog.tag(name, changes) if changes else catalog.tags(name)).items():
            click.echo(escaped(f"{key}={value}" if value else key))
