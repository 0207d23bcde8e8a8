"""`openg2g alias`."""

from datetime import datetime

import click

from openg2g.cli.options.shared import (
    INSTANT,
    complete_names,
    database_option,
    format_option,
    on_catalog,
    open_catalog,
    record_options,
    zone_option,
)
from openg2g.cli.output.tables import echo_json, escaped, minutes, table


@click.group("alias")
@database_option
def command() -> None:
    """Let names such as NAME@production stand for revisions. They move, and every move is kept."""


@command.command("set")
@click.argument("reference", metavar="NAME@ALIAS", shell_complete=complete_names)
@click.argument("number", required=False, type=click.IntRange(min=1), metavar="[NUMBER]")
@record_options
@on_catalog
def set_alias(context: click.Context, reference: str, number: int | None, message: str, author: str | None) -> None:
    """Let ALIAS of NAME stand for revision NUMBER, by default the one that is in force now.

    \b
    Example:
      openg2g alias set fleet@production 2 -m "approved"
    """
    name, alias = _split(reference)
    with open_catalog(context) as catalog:
        move = catalog.set_alias(name, alias, number, message=message, author=author)
    click.echo(escaped(f"{name}@{alias}: revision {move.revision_number}"))


@command.command("remove")
@click.argument("reference", metavar="NAME@ALIAS", shell_complete=complete_names)
@record_options
@on_catalog
def remove_alias(context: click.Context, reference: str, message: str, author: str | None) -> None:
    """Let ALIAS of NAME stand for nothing; where it stood is kept.

    \b
    Example:
      openg2g alias remove fleet@production
    """
    name, alias = _split(reference)
    with open_catalog(context) as catalog:
        catalog.remove_alias(name, alias, message=message, author=author)
    click.echo(escaped(f"{name}@{alias}: removed"))


@command.command("list")
@click.argument("name", shell_complete=complete_names)
@click.option("--known-at", type=INSTANT, metavar="TIME", help="As they stood at this time.")
@zone_option
@format_option("table", "json")
@on_catalog
def list_aliases(context: click.Context, name: str, known_at: datetime | None, format_name: str) -> None:
    """List the aliases of NAME and the revisions they stand for.

    \b
    Example:
      openg2g alias list fleet
    """
    with open_catalog(context) as catalog:
        aliases = catalog.aliases(name, known_at=known_at)
    if format_name == "json":
        echo_json([aliases], "jsonl")
    elif aliases:
        rows = [[alias, str(number)] for alias, number in aliases.items()]
        click.echo(table(("alias", "rev"), rows, right=("rev",)))
    else:
        click.echo(escaped(f"{name} has no aliases."))


@command.command("log")
@click.argument("name", shell_complete=complete_names)
@format_option("table", "json", "jsonl")
@on_catalog
def log_aliases(context: click.Context, name: str, format_name: str) -> None:
    """List every move of the aliases of NAME, first to last.

    \b
    Example:
      openg2g alias log fleet
    """
    with open_catalog(context) as catalog:
        moves = catalog.alias_log(name)
    if format_name == "table":
        rows = [
            [minutes(move.recorded_at), move.alias, str(move.revision_number or "removed"), move.author, move.message]
            for move in moves
        ]
        click.echo(table(("moved at (UTC)", "alias", "rev", "author", "message"), rows, right=("rev",)))
        return
    values = ({**vars(move), "recorded_at": move.recorded_at.isoformat()} for move in moves)
    echo_json(values, format_name)


def _split(reference: str) -> tuple[str, str]:
    name, at, alias = reference.partition("@")
    if not at or ":" in name:  # A URL is not cut where nobody would know it for one any more.
        raise click.UsageError(f"{reference!r} names no alias: write NAME@ALIAS.")
    return name, alias
