"""`openg2g list`."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import click

from openg2g.cli.options import database_option, open_catalog

if TYPE_CHECKING:
    from openg2g.catalog import Revision

_HEADERS = ("name", "rev", "models", "GPUs", "in force from (UTC)", "author", "message")
_TIME_WIDTH = 19
_MESSAGE_MIN_WIDTH = 12


@click.command("list")
@click.argument("pattern", default="*", metavar="[GLOB]")
@click.option("--format", "format_name", type=click.Choice(("table", "json", "jsonl", "names")), default="table")
@database_option
@click.pass_context
def command(context: click.Context, pattern: str, format_name: str) -> None:
    """List the names that match GLOB (* ? [...], case counts), with their latest revisions.

    \b
    Examples:
      openg2g list
      openg2g list 'sweep/*' --format names
    """
    with open_catalog(context) as catalog:
        names = catalog.list_names(pattern)
        if format_name == "names":
            for name in names:
                click.echo(name)
            return
        revisions = catalog.iter_latest(names)
        if format_name == "table":
            click.echo(_table(list(revisions), pattern))
        else:
            _echo_json((_summary(revision) for revision in revisions), as_lines=format_name == "jsonl")


def _table(revisions: "list[Revision]", pattern: str) -> str:
    from openg2g.cli.output import fitted, minutes, table, terminal_width

    if not revisions:
        return "The catalog is empty." if pattern == "*" else f"No name matches {pattern}."
    rows = [
        [
            revision.name,
            str(revision.number),
            str(len(revision.workload.models)),
            str(revision.workload.total_gpus),
            minutes(revision.effective_from),
            fitted(revision.author.partition(" <")[0], 20),
        ]
        for revision in revisions
    ]
    widths = [max(len(header), *(len(row[i]) for row in rows)) for i, header in enumerate(_HEADERS[:-1])]
    room = max(terminal_width() - sum(widths) - 2 * len(widths), _MESSAGE_MIN_WIDTH)
    for row, revision in zip(rows, revisions, strict=True):
        row.append(fitted(revision.message, room))
    return table(_HEADERS, rows, right=("rev", "models", "GPUs"))


def _summary(revision: "Revision") -> dict[str, Any]:
    return {
        "name": revision.name,
        "number": revision.number,
        "digest": revision.digest,
        "num_models": len(revision.workload.models),
        "total_gpus": revision.workload.total_gpus,
        "recorded_at": revision.recorded_at.isoformat(),
        "effective_from": revision.effective_from.isoformat(),
        "author": revision.author,
        "message": revision.message,
        "source": revision.source,
    }


def _echo_json(values: Iterator[dict[str, Any]], *, as_lines: bool) -> None:
    from openg2g.formats.json_text import encode_line, encode_pretty

    if as_lines:
        for value in values:
            click.echo(encode_line(value))
    else:
        click.echo(encode_pretty(list(values)))
