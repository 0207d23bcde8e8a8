"""What commands print: tables for people, JSON for programs, and nothing that steers a terminal."""

import shutil
import sys
from collections.abc import Sequence
from datetime import UTC, datetime

import click

from openg2g.models.spec import is_unprintable

_ELLIPSIS = "…"


def escaped(text: str) -> str:
    r"""Show control characters as `\x1b`: stored text must not steer the reader's terminal."""
    if text.isprintable():
        return text
    return "".join(c.encode("unicode_escape").decode() if is_unprintable(c) else c for c in text)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[str] = ()) -> str:
    """Draw a table; columns named in `right` are aligned to the right."""
    from tabulate import tabulate  # Imported late: only tables for people need it.

    # The headers go in as a row: as headers, they would be padded by two more columns each.
    return tabulate(
        [headers, *([escaped(cell) for cell in row] for row in rows)],
        tablefmt="plain",
        disable_numparse=True,
        preserve_whitespace=True,
        colalign=["right" if header in right else "left" for header in headers],
    )


def fitted(text: str, width: int) -> str:
    """Cut the first line of a text to a width where standard output is a terminal; a pipe gets all of it."""
    line = text.partition("\n")[0]
    if not sys.stdout.isatty():
        return line
    return line if len(line) <= width else line[: max(width - 1, 0)] + _ELLIPSIS


def terminal_width() -> int:
    """Columns of the terminal."""
    return shutil.get_terminal_size().columns


def minutes(time: datetime) -> str:
    """A time in UTC to the minute."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def seconds(time: datetime) -> str:
    """A time in UTC to the second, more where it has more."""
    return f"{time.astimezone(UTC).replace(tzinfo=None).isoformat(sep=' ')} UTC"


def say(text: str) -> None:
    """Tell the user something that is not the result of the command."""
    click.echo(escaped(text), err=True)
