"""What commands print: tables for people, JSON for programs, and nothing that steers a terminal."""

import csv
import re
import shutil
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import Any

import click

from openg2g.models.characters import visible, visible_json
from openg2g.models.columns import columns, cut
from openg2g.models.revision import Revision

SUMMARY_FIELDS = (
    *("name", "number", "digest", "num_models", "total_gpus"),
    *("recorded_at", "effective_from", "author", "message", "source"),
)
"""Keys of `revision_summary`."""

SPEC_HEADERS = ("model", "replicas", "GPUs per\nreplica", "GPUs", "initial\nbatch", "ITL\n(s)", "feasible batch sizes")
NUMBERS_OF_SPECS = SPEC_HEADERS[1:6]

_RUN_BY_SPREADSHEETS = ("=", "+", "-", "@", "\t", "\r")
_NUMBER = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def escaped(text: str) -> str:
    r"""Show control characters as `\x1b`, hidden ones as `\u200b`: stored text must not steer the reader's terminal."""
    return visible(text)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Draw a table; columns named in `right` are aligned to the right. A header may have several lines."""
    lines: list[Sequence[str]] = [*zip_longest(*(header.split("\n") for header in headers), fillvalue="")]
    lines += [[escaped(cell) for cell in row] for row in rows]
    widths = [max(map(columns, cells)) for cells in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(
            " " * (width - columns(cell)) + cell if header in right else cell + " " * (width - columns(cell))
            for header, cell, width in zip(headers, line, widths, strict=True)
        ).rstrip()
        for line in lines
    )


def fitted(text: str, width: int) -> str:
    """Cut the first line of a text to a width where standard output is a terminal; a pipe gets all of it."""
    line = escaped(text.partition("\n")[0])
    return cut(line, max(width, 1)) if sys.stdout.isatty() else line


def terminal_width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size().columns


def minutes(time: datetime) -> str:
    """A time in UTC to the minute."""
    return time.astimezone(UTC).replace(tzinfo=None).isoformat(sep=" ", timespec="minutes")


def seconds(time: datetime) -> str:
    """A time in UTC to the second, more where it has more."""
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')} UTC"


def say(text: str) -> None:
    """Tell the user something that is not the result of the command."""
    click.echo(escaped(text), err=True)


def outcome_line(revision: Revision) -> str:
    """What became of something that was recorded."""
    if not revision.is_new:
        what = f"unchanged, revision {revision.number}"
    elif revision.number == 1:
        what = "new, revision 1"
    else:
        what = f"revision {revision.number - 1} → {revision.number}"
    return f"{revision.name}: {what}{', retired' if revision.is_retirement else ''}"


def added_lines(added: Mapping[str, int]) -> Iterator[str]:
    """What a history from elsewhere added to each name."""
    for name, count in added.items():
        if count:
            yield f"{name}: {count} revision{'s' if count > 1 else ''} added"
        else:
            yield f"{name}: unchanged"


def revision_summary(revision: Revision) -> dict[str, Any]:
    """A revision as JSON without its models."""
    workload = revision.workload
    return {
        "name": revision.name,
        "number": revision.number,
        "digest": revision.digest,
        "num_models": None if workload is None else len(workload.models),
        "total_gpus": None if workload is None else workload.total_gpus,
        "recorded_at": revision.recorded_at.isoformat(),
        "effective_from": revision.effective_from.isoformat(),
        "author": revision.author,
        "message": revision.message,
        "source": revision.source,
    }


def echo_json(values: Iterable[Any], format_name: str) -> None:
    """Print values as a JSON array, or as JSON Lines, one by one as they come."""
    if format_name == "jsonl":
        from openg2g.formats.json.text import encode_line

        for value in values:
            click.echo(visible_json(encode_line(value)))
    else:
        echo_json_value(list(values))


def echo_json_value(value: Any) -> None:
    """Print a value as JSON."""
    from openg2g.formats.json.text import encode_pretty

    click.echo(visible_json(encode_pretty(value)))


def echo_csv(headers: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    r"""Print rows as CSV, each as it comes and on one line.

    None is an empty cell. Control characters are shown as `\x1b`. A text that a spreadsheet would run as a formula gets
    an apostrophe before it.
    """
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(headers)
    for row in rows:
        writer.writerow([_csv_cell(value) for value in row])


def _csv_cell(value: object) -> object:
    if not isinstance(value, str):
        return value
    is_formula = value.startswith(_RUN_BY_SPREADSHEETS) and not _NUMBER.fullmatch(value)
    return ("'" if is_formula else "") + escaped(value)
