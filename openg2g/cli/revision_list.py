"""How commands print many revisions: a table for people, JSON and CSV for programs, names for shell loops."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, TypeVar

import click

from openg2g.cli.output import echo_csv, echo_json, escaped, fitted, minutes, revision_summary, table, terminal_width

if TYPE_CHECKING:
    from openg2g.catalog import Revision

_Command = TypeVar("_Command", bound=Callable[..., Any])

_HEADERS = ("name", "rev", "models", "GPUs", "in force from (UTC)", "author", "message")
_AUTHOR_WIDTH = 20
_AUTHOR_MIN_WIDTH = 8
_MESSAGE_MIN_WIDTH = 12


def list_format_options(command: _Command) -> _Command:
    """Add `--format` and `-0`."""
    for option in (
        click.option("-0", "nul", is_flag=True, help="Names (or references), each ended by NUL: for xargs -0."),
        click.option(
            "--format",
            "format_name",
            type=click.Choice(("table", "json", "jsonl", "csv", "names", "references")),
            default="table",
            help="names are each name once, references NAME@NUMBER. Default: table.",
        ),
    ):
        command = option(command)
    return command


def echo_revisions(
    revisions: "Iterable[Revision]",
    format_name: str,
    *,
    nul: bool,
    nothing: Callable[[], str],
) -> None:
    """Print revisions.

    Args:
        revisions: The revisions; all formats but the table take them one by one.
        format_name: What `--format` was given.
        nul: Whether names are ended by NUL.
        nothing: Says why there is none, for people.
    """
    if nul and format_name not in ("table", "names", "references"):
        raise click.UsageError("-0 is for names and references. Leave it or --format out.")
    if nul or format_name in ("names", "references"):
        texts = (revision.reference if format_name == "references" else revision.name for revision in revisions)
        for text in texts if format_name == "references" else dict.fromkeys(texts):
            click.echo(text + ("\0" if nul else "\n"), nl=False)
    elif format_name == "csv":
        echo_csv(_CSV_HEADERS, (list(revision_summary(revision).values()) for revision in revisions))
    elif format_name != "table":
        echo_json(map(revision_summary, revisions), as_lines=format_name == "jsonl")
    else:
        shown = list(revisions)
        click.echo(_table(shown) if shown else escaped(nothing()))


_CSV_HEADERS = (
    "name",
    "number",
    "digest",
    "num_models",
    "total_gpus",
    "recorded_at",
    "effective_from",
    "author",
    "message",
    "source",
)


def _table(revisions: "list[Revision]") -> str:
    rows = [_cells(revision) for revision in revisions]
    widths = [max(len(header), *(len(row[i]) for row in rows)) for i, header in enumerate(_HEADERS[:-1])]
    room = terminal_width() - sum(widths) - 2 * len(widths)
    author_width = max(_AUTHOR_MIN_WIDTH, widths[-1] - max(_MESSAGE_MIN_WIDTH - room, 0))
    room += widths[-1] - author_width
    for row, revision in zip(rows, revisions, strict=True):
        row[-1] = fitted(row[-1], author_width)
        row.append(fitted(revision.message, max(room, _MESSAGE_MIN_WIDTH)))
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
