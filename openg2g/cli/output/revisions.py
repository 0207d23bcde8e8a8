"""How commands print many revisions: a table for people, JSON and CSV for programs, names for shell loops."""

import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import click

from openg2g.catalog import NameStatus, Revision
from openg2g.cli.output.tables import (
    SUMMARY_FIELDS,
    echo_csv,
    echo_json,
    escaped,
    fitted,
    minutes,
    revision_summary,
    say,
    table,
    terminal_width,
)
from openg2g.models.columns import columns

_Command = TypeVar("_Command", bound=Callable[..., Any])

IN_FORCE_FROM = "in force from (UTC)"
EFFECTIVE_FROM = "effective from (UTC)"
"""Header of the time since when a revision applies, where it need not be the one that is in force."""

_AUTHOR_WIDTH = 20
_AUTHOR_MIN_WIDTH = 8
_MESSAGE_MIN_WIDTH = 12
_NAMES_SAID = 10


def list_format_options(command: _Command) -> _Command:
    """Add `--format` and `-0`."""
    command = click.option("-0", "nul", is_flag=True, help="Names (or references), each ended by NUL: for xargs -0.")(
        command
    )
    return click.option(
        "--format",
        "format_name",
        type=click.Choice(("table", "json", "jsonl", "csv", "names", "references")),
        default="table",
        help="names are each name once, references NAME@NUMBER. Default: table.",
    )(command)


@dataclass(frozen=True)
class Listed:
    """A line of a list.

    Attributes:
        revision: The revision.
        facts: What JSON and CSV say beside it, in the order of the layout.
        note: What a table for people says beside its number.
    """

    revision: Revision
    facts: tuple[object, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Layout:
    """What the columns of a list are called.

    Attributes:
        time: Header of the time since when revisions apply.
        note: Header of the notes; a list without notes does not have the column.
        facts: Keys of the facts.
    """

    time: str = IN_FORCE_FROM
    note: str = ""
    facts: tuple[str, ...] = ()


def newer_kind(status: NameStatus) -> str:
    """Say of the newer revision of a name how it comes that it is not in force."""
    return "planned" if status.latest.effective_from > status.as_of else "back-dated"


def say_waiting(names: Sequence[str]) -> None:
    """Name on standard error what is not in force yet: lists of what is in force leave it out."""
    if names:
        more = f" and {len(names) - _NAMES_SAID} more" if len(names) > _NAMES_SAID else ""
        say(f"Not in force yet: {', '.join(names[:_NAMES_SAID])}{more}. `openg2g list --latest` lists them.")


def echo_listed(
    listed: Iterable[Listed], format_name: str, *, nul: bool, nothing: Callable[[], str], layout: Layout
) -> None:
    """Print a list of revisions, one by one but for the table; `nothing` says, for people, why there is none."""
    if nul and format_name not in ("table", "names", "references"):
        raise click.UsageError("-0 is for names and references. Leave it or --format out.")
    if nul or format_name in ("names", "references"):
        texts = (line.revision.reference if format_name == "references" else line.revision.name for line in listed)
        for text in texts if format_name == "references" else dict.fromkeys(texts):
            # Programs get names as they are; a person reads them on a terminal.
            text = escaped(text) if sys.stdout.isatty() and not nul else text
            click.echo(text + ("\0" if nul else "\n"), nl=False)
    elif format_name == "csv":
        rows = ([*revision_summary(line.revision).values(), *line.facts] for line in listed)
        echo_csv((*SUMMARY_FIELDS, *layout.facts), rows)
    elif format_name != "table":
        values = (revision_summary(line.revision) | dict(zip(layout.facts, line.facts, strict=True)) for line in listed)
        echo_json(values, format_name)
    else:
        shown = list(listed)
        click.echo(_table(shown, layout) if shown else escaped(nothing()))


def _table(listed: list[Listed], layout: Layout) -> str:
    has_notes = any(line.note for line in listed)
    note_header = [layout.note] if has_notes else []
    headers = ["name", "rev", *note_header, "models", "GPUs", layout.time, "author", "message"]
    rows = [_cells(line, has_notes=has_notes) for line in listed]
    widths = [max(len(header), *(columns(escaped(row[i])) for row in rows)) for i, header in enumerate(headers[:-1])]
    room = terminal_width() - sum(widths) - 2 * len(widths)
    author_width = max(_AUTHOR_MIN_WIDTH, widths[-1] - max(_MESSAGE_MIN_WIDTH - room, 0))
    room += widths[-1] - author_width
    for row, line in zip(rows, listed, strict=True):
        row[-1] = fitted(row[-1], author_width)
        row.append(fitted(line.revision.message, max(room, _MESSAGE_MIN_WIDTH)))
    return table(headers, rows, right=("rev", "models", "GPUs"))


def _cells(line: Listed, *, has_notes: bool) -> list[str]:
    revision, workload = line.revision, line.revision.workload
    return [
        revision.name,
        str(revision.number),
        *([line.note] if has_notes else []),
        "retired" if workload is None else str(len(workload.models)),
        "" if workload is None else str(workload.total_gpus),
        minutes(revision.effective_from),
        fitted(revision.author.partition(" <")[0], _AUTHOR_WIDTH),
    ]
