"""`openg2g import`."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from typing import IO, TYPE_CHECKING, Any, BinaryIO, cast

import click

from openg2g.cli.options import database_given, database_option
from openg2g.cli.output import escaped, say
from openg2g.formats.registry import FORMAT_NAMES

if TYPE_CHECKING:
    from openg2g.catalog import Catalog, Revision
    from openg2g.formats.files import SourceFile

_PROGRESS_FROM_BYTES = 2**20  # Smaller files are imported before a bar could be read.
_REPORT_BYTES_IN_MEMORY = 2**22


class _InstantType(click.ParamType[datetime]):
    """An ISO 8601 time with its offset, or a date, which means its start in UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        from openg2g.models.instant import parse_instant

        try:
            return value if isinstance(value, datetime) else parse_instant(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


@click.command("import")
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(allow_dash=True))
@click.option("--name", help="Name of the workload. Default: what the document says, else the name of the file.")
@click.option("--format", "format_name", type=click.Choice(FORMAT_NAMES), help="Default: by suffix; JSON for -.")
@click.option("-m", "--message", help="Why, for the record.")
@click.option("--author", help="Who. Default: what the document says, else your git identity or login name.")
@click.option(
    "--effective-from",
    type=_InstantType(),
    metavar="TIME",
    help="Since when it applies: 2026-03-01 (its start in UTC) or 2026-03-01T12:00+01:00. Default: now.",
)
@click.option("--dry-run", is_flag=True, help="Check everything and say what would happen; store nothing.")
@database_option
@click.pass_context
def command(
    context: click.Context,
    files: tuple[str, ...],
    name: str | None,
    format_name: str | None,
    message: str | None,
    author: str | None,
    effective_from: datetime | None,
    dry_run: bool,
) -> None:
    """Record the workloads of files; - is standard input. All of them, or none.

    Files may be JSON (one workload or an array), JSON Lines, or configurations of OpenG2G 0.1 and 0.2, which are
    recognised. What they hold beyond the workload is kept as annotations. A SQLite catalog that does not exist yet is
    made. One line is printed for each workload.

    \b
    Examples:
      openg2g import config.json --name fleet -m "first plan"
      openg2g import march.json --name fleet --effective-from 2026-03-01
      cat sweep.jsonl | openg2g import - --format jsonl --dry-run
    """
    from openg2g.catalog.transfer import ImportSettings, import_sources
    from openg2g.formats.files import open_sources

    settings = ImportSettings(name, message, author, effective_from)
    with (
        open_sources(files, format_name) as sources,
        _catalog_for(context, dry_run=dry_run) as catalog,
        tempfile.SpooledTemporaryFile(_REPORT_BYTES_IN_MEMORY, "w+", encoding="utf-8") as report,
    ):
        with (
            catalog.previewing() if dry_run else catalog.writing() as writer,
            _progress(sources) as watched,
        ):
            for revision in import_sources(writer, watched, settings):
                report.write(_outcome(revision) + "\n")
        _print(report)  # Only now: before the commit it would not be true.
    if dry_run:
        say("Dry run: nothing was stored.")


@contextmanager
def _catalog_for(context: click.Context, *, dry_run: bool) -> "Iterator[Catalog]":
    """Open the catalog, or make it; a dry run makes a catalog that does not exist in a temporary directory."""
    from openg2g.catalog import Catalog
    from openg2g.catalog.catalog import make_catalog
    from openg2g.catalog.location import locate

    location = locate(database_given(context))
    with ExitStack() as stack:
        if location.path is None or (location.path.exists() and location.path.stat().st_size):
            yield stack.enter_context(Catalog.open(database_given(context)))
        elif dry_run:
            directory = stack.enter_context(tempfile.TemporaryDirectory())
            yield stack.enter_context(Catalog.create(os.path.join(directory, "catalog.db")))
        else:
            if make_catalog(location):
                say(f"Made the catalog {location}.")
            yield stack.enter_context(Catalog.open(database_given(context)))


def _outcome(revision: "Revision") -> str:
    if not revision.is_new:
        what = f"unchanged, revision {revision.number}"
    elif revision.number == 1:
        what = "new, revision 1"
    else:
        what = f"revision {revision.number - 1} → {revision.number}"
    return f"{revision.name}: {what}"


def _print(report: IO[str]) -> None:
    report.seek(0)
    for line in report:
        click.echo(escaped(line.rstrip("\n")))


@contextmanager
def _progress(sources: "list[SourceFile]") -> "Iterator[list[SourceFile]]":
    """Show a bar on standard error where that is a terminal and the work is long."""
    from dataclasses import replace

    total = sum(source.size for source in sources)
    if total < _PROGRESS_FROM_BYTES or not sys.stderr.isatty():
        yield sources
        return
    with click.progressbar(length=total, label="Importing", file=sys.stderr) as bar:
        yield [replace(source, stream=cast(BinaryIO, _Watched(source.stream, bar.update))) for source in sources]


class _Watched:
    """A binary file that tells how much of it has been read."""

    def __init__(self, stream: BinaryIO, tell: Any) -> None:
        self._stream = stream
        self._tell = tell

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._tell(len(data))
        return data

    def __iter__(self) -> Iterator[bytes]:
        for line in self._stream:
            self._tell(len(line))
            yield line
