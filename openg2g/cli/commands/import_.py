"""`openg2g import`."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from datetime import datetime
from typing import IO

import click

from openg2g.catalog.archive.copying import archive_read_ahead, import_archive, renaming
from openg2g.catalog.documents.read_ahead import read_ahead
from openg2g.catalog.documents.rules import Rule
from openg2g.catalog.documents.transfer import ImportSettings, PlacedDraft, append_drafts, read_drafts
from openg2g.cli.exit_codes import INVALID
from openg2g.cli.options.filling import catalog_to_fill
from openg2g.cli.options.helps import SectionedCommand
from openg2g.cli.options.reading import max_errors_option, max_file_size_option
from openg2g.cli.options.shared import (
    effective_from_option,
    on_catalog,
    pairs_given,
    parameter_option,
    parameters_given,
    rename_options,
)
from openg2g.cli.output.differences import previewed_changes
from openg2g.cli.output.progress import progress
from openg2g.cli.output.rejects import rejects_file
from openg2g.cli.output.tables import added_lines, escaped, outcome_line, say
from openg2g.formats.archive.entries import Entry
from openg2g.formats.files import SourceFile, open_sources
from openg2g.formats.limits import MAX_PROBLEMS
from openg2g.formats.refusals import ProblemList, Refusals
from openg2g.formats.registry import FORMAT_NAMES

_REPORT_BYTES_IN_MEMORY = 2**22


@click.command("import", cls=SectionedCommand)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(allow_dash=True))
@click.option("--name", help="Name of the workload. Default: what the document says, else the name of the file.")
@click.option("--format", "format_name", type=click.Choice(FORMAT_NAMES), help="Default: by suffix; JSON for -.")
@click.option("-m", "--message", help="Why, for the record.")
@click.option("--author", help="Who. Default: what the document says, else your git identity or login name.")
@effective_from_option
@click.option("--dry-run", is_flag=True, help="Check everything and show what would change; store nothing.")
@click.option(
    "--require",
    "rules",
    multiple=True,
    metavar="EXPR",
    help="Import nothing unless this holds for every workload (as in `openg2g search`). May be given several times.",
)
@parameter_option
@click.option(
    "--keep-going",
    is_flag=True,
    help="Import the documents that are valid, and put the others into --rejects: all, or at most --max-errors.",
)
@click.option("--rejects", metavar="FILE", type=click.Path(), help="With --keep-going: a new file for the others.")
@max_errors_option
@max_file_size_option
@rename_options
@on_catalog
def command(
    context: click.Context,
    files: tuple[str, ...],
    name: str | None,
    format_name: str | None,
    message: str | None,
    author: str | None,
    effective_from: datetime | None,
    renames: tuple[str, ...],
    prefix: str,
    rules: tuple[str, ...],
    parameters: tuple[str, ...],
    max_errors: int | None,
    max_file_size: int | None,
    keep_going: bool,
    rejects: str | None,
    dry_run: bool,
) -> int:
    """Record the workloads of files; - is standard input. All of them, or none.

    Files may be JSON, JSON Lines, YAML, TOML, CSV, TSV, Parquet, Python scripts (read, never run), in any mixture, or
    configurations of OpenG2G 0.1 and 0.2, which are recognised. What they hold beyond the workload is kept as
    annotations. A SQLite catalog that does not exist yet is made. One line is printed for each workload: "unchanged"
    where it is in force already or, if a time is given, where the same is in force then and applies from that time.

    All problems of all files are reported, with line and column. --keep-going imports the documents that have none, in
    one transaction, and ends with exit code 4 where others were refused. Each line of --rejects has the problems and,
    of JSON Lines, the document: `jq -r .document REJECTS` gives the lines back, to be mended.

    An archive (export --all --history) is recognised too, and adds whole histories: what is there already is compared
    and left as it is, and where a name has another history here nothing is overwritten.

    \b
    Examples:
      openg2g import config.json --name fleet -m "first plan"
      openg2g import march.json --name fleet --effective-from 2026-03-01
      cat sweep.jsonl | openg2g import - --format jsonl --dry-run
      openg2g import sweep.jsonl --require "total_gpus <= 8000"
      openg2g import sweep.jsonl --keep-going --rejects rejects.jsonl
      openg2g import catalog.jsonl --prefix paper/
    """
    settings = ImportSettings(name, message, author, effective_from, _rules(rules, parameters))
    name_here = renaming(pairs_given("--rename", renames), prefix)
    if keep_going != (rejects is not None) or (keep_going and rules):
        raise click.UsageError("--keep-going goes with --rejects FILE, and without --require.")
    refusing: AbstractContextManager[Refusals] = nullcontext(ProblemList(max_errors or MAX_PROBLEMS))
    if rejects is not None:
        refusing = rejects_file(rejects, max_errors)
    with (
        open_sources(files, format_name, max_file_size) as sources,
        tempfile.SpooledTemporaryFile(_REPORT_BYTES_IN_MEMORY, "w+", encoding="utf-8") as report,
    ):
        _check_kinds(sources, settings, has_renames=bool(renames or prefix), keep_going=keep_going)
        with (
            catalog_to_fill(context, dry_run=dry_run) as catalog,
            refusing as refusals,
            _read_ahead(sources, settings, refusals) as (archives, drafts),
            catalog.previewing() if dry_run else catalog.writing() as writer,
        ):
            for batches in archives:
                report.writelines(f"{line}\n" for line in added_lines(import_archive(writer, batches, name_here)))
            for revision in append_drafts(writer, drafts, settings.rules, refusals):
                report.write(outcome_line(revision) + "\n")
                if dry_run:
                    report.writelines(f"{line}\n" for line in previewed_changes(writer, revision))
            refusals.raise_problems()  # Rules ask for numbers and times that only the transaction knows.
        _print(report, dry_run=dry_run)  # Only now: before the commit it would not be true.
    if dry_run:
        say("Dry run: nothing was stored.")
    if refusals.count:
        say(f"{refusals.count} of the documents {'is' if refusals.count == 1 else 'are'} refused: see {rejects}.")
        return INVALID
    return 0


def _rules(expressions: tuple[str, ...], parameters: tuple[str, ...]) -> tuple[Rule, ...]:
    if parameters and not expressions:
        raise click.UsageError("--param goes with --require.")
    values = parameters_given(parameters)
    return tuple(Rule(expression, values) for expression in expressions)


def _check_kinds(sources: list[SourceFile], settings: ImportSettings, *, has_renames: bool, keep_going: bool) -> None:
    """Refuse options that mean nothing for the files."""
    archives = [source.label for source in sources if source.is_archive]
    if archives and settings != ImportSettings():
        raise click.UsageError(
            f"{archives[0]} is an archive: it says its own names, messages, authors and times, and takes no rules."
        )
    if archives and keep_going:
        raise click.UsageError(f"{archives[0]} is an archive, which is sound or not: --keep-going is for documents.")
    if has_renames and len(archives) < len(sources):
        raise click.UsageError("--rename and --prefix are for archives. Name a document with --name.")


@contextmanager
def _read_ahead(
    sources: list[SourceFile], settings: ImportSettings, refusals: Refusals
) -> Iterator[tuple[list[Iterator[Sequence[Entry]]], Iterator[Sequence[PlacedDraft]]]]:
    """Read and check all files, however slow they are, before others have to wait for the catalog."""
    with ExitStack() as stack:
        with progress(sources) as watched:
            archives = [
                stack.enter_context(archive_read_ahead(source.stream, source.label))
                for source in watched
                if source.is_archive
            ]
            documents = [source for source in watched if not source.is_archive]
            drafts = stack.enter_context(read_ahead(read_drafts(documents, settings, refusals)))
        refusals.raise_problems()
        yield archives, drafts


def _print(report: IO[str], *, dry_run: bool) -> None:
    """Print what was recorded; whoever cannot read all of it must know that it was."""
    report.seek(0)
    try:
        for line in report:
            click.echo(escaped(line.rstrip("\n")))
        sys.stdout.flush()
    except OSError:
        if not dry_run:
            say("Everything was stored before the output broke off.")
        raise
