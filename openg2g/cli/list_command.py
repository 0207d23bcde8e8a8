"""`openg2g list`."""

from datetime import datetime
from typing import TYPE_CHECKING

import click

from openg2g.cli.options import database_option, open_catalog, viewpoint_options
from openg2g.cli.output import echo_json, fitted, minutes, revision_summary, table, terminal_width

if TYPE_CHECKING:
    from openg2g.catalog import Revision

_HEADERS = ("name", "rev", "models", "GPUs", "in force from (UTC)", "author", "message")
_AUTHOR_WIDTH = 20
_MESSAGE_MIN_WIDTH = 12


@click.command("list")
@click.argument("pattern", default="*", metavar="[GLOB]")
@viewpoint_options
@click.option("--retired", "with_retired", is_flag=True, help="Retired names too.")
@click.option("--format", "format_name", type=click.Choice(("table", "json", "jsonl", "names")), default="table")
@database_option
@click.pass_context
def command(
    context: click.Context,
    pattern: str,
    as_of: datetime | None,
    known_at: datetime | None,
    with_retired: bool,
    format_name: str,
) -> None:
    """List the names that match GLOB (* ? [...], case counts), with their latest revisions.

    \b
    Examples:
      openg2g list
      openg2g list 'sweep/*' --format names
      openg2g list --as-of 2026-03-01
    """
    with open_catalog(context) as catalog:
        revisions = catalog.iter_latest(pattern, as_of=as_of, known_at=known_at, with_retired=with_retired)
        if format_name == "names":
            for revision in revisions:
                click.echo(revision.name)
        elif format_name == "table":
            shown = list(revisions)
            click.echo(
                _table(shown) if shown else _nothing(bool(catalog.list_names(pattern)), pattern, as_of, known_at)
            )
        else:
            echo_json(map(revision_summary, revisions), as_lines=format_name == "jsonl")


def _nothing(has_names: bool, pattern: str, as_of: datetime | None, known_at: datetime | None) -> str:
    if has_names:
        return "Nothing was in force then." if as_of or known_at else "Every name is retired; --retired lists them."
    return "The catalog is empty." if pattern == "*" else f"No name matches {pattern}."


def _table(revisions: "list[Revision]") -> str:
    rows = [_cells(revision) for revision in revisions]
    widths = [max(len(header), *(len(row[i]) for row in rows)) for i, header in enumerate(_HEADERS[:-1])]
    room = max(terminal_width() - sum(widths) - 2 * len(widths), _MESSAGE_MIN_WIDTH)
    for row, revision in zip(rows, revisions, strict=True):
        row.append(fitted(revision.message, room))
    return table(_HEADERS, rows, right=("rev", "models", "GPUs"))


def _cells(revision: "Revision") -> list[str]:
    workload = revision.workload
    return [
        revision.name,
        str(revision.number),
        "retired" if workload is None else str(len(workload.models)),
        "" if workload is None else str(workload.total_gpus),
        minutes(revision.effective_from),
        fitted(revision.author.partition(" <")[0], _AUTHOR_WIDTH),
    ]
