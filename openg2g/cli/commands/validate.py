"""`openg2g validate`."""

from collections.abc import Iterator
from typing import Any

import click

from openg2g.cli.exit_codes import INVALID
from openg2g.cli.hints import problem_value
from openg2g.cli.options.helps import SectionedCommand
from openg2g.cli.options.reading import max_errors_option, max_file_size_option
from openg2g.cli.options.shared import format_option
from openg2g.cli.output.tables import echo_json, escaped
from openg2g.formats.archive.entries import WorkloadEntry
from openg2g.formats.archive.reader import read_archive
from openg2g.formats.files import SourceFile, open_sources
from openg2g.formats.limits import MAX_PROBLEMS
from openg2g.formats.refusals import ProblemList
from openg2g.formats.registry import FORMAT_NAMES
from openg2g.models.errors import InvalidDocumentError


@click.command("validate", cls=SectionedCommand)
@click.argument("files", nargs=-1, required=True, metavar="FILE...", type=click.Path(allow_dash=True))
@click.option(
    "--input-format", type=click.Choice(FORMAT_NAMES), help="Format of the files. Default: by suffix; JSON for -."
)
@format_option("text", "json")
@max_errors_option
@max_file_size_option
def command(
    files: tuple[str, ...],
    input_format: str | None,
    format_name: str,
    max_errors: int | None,
    max_file_size: int | None,
) -> int:
    """Check files as `openg2g import` would, without a catalog; - is standard input.

    Every problem of every file is reported: file, line and column (the row where a file has no lines), field, rule,
    value, and what helps. Exit code 4 where there is one. An archive of a catalog is checked as `openg2g verify` does.

    \b
    Examples:
      openg2g validate config.json sweep.jsonl fleets.csv
      cat sweep.jsonl | openg2g validate - --input-format jsonl
      openg2g validate plans/*.yaml --format json
      openg2g validate sweep.jsonl --max-errors 5
    """
    problems = ProblemList(max_errors or MAX_PROBLEMS)
    with open_sources(files, input_format, max_file_size) as sources:
        reports = [_checked(source, problems) for source in sources if not problems.is_full]
    if format_name == "json":
        echo_json(reports, "json")
        return INVALID if problems.problems else 0
    for report in reports:
        if not report["problems"]:
            number = report["num_workloads"]
            click.echo(escaped(f"{report['file']}: valid, {number} workload{'' if number == 1 else 's'}"))
    problems.raise_problems()
    return 0


def _checked(source: SourceFile, problems: ProblemList) -> dict[str, Any]:
    """Read a file, and report on it as JSON."""
    before = len(problems.problems)
    number = 0
    for outcome in _archive_outcomes(source) if source.is_archive else source.read():
        if isinstance(outcome, InvalidDocumentError):
            problems.add(outcome, source.label)
            if problems.is_full:
                break
        else:
            number += 1
    return {
        "file": source.label,
        "format": source.format_name,
        "num_workloads": number,
        "problems": [problem_value(problem) for problem in problems.problems[before:]],
    }


def _archive_outcomes(source: SourceFile) -> Iterator[WorkloadEntry | InvalidDocumentError]:
    """Yield the workloads of an archive, and what is wrong with it."""
    try:
        yield from (entry for entry in read_archive(source.stream, source.label) if isinstance(entry, WorkloadEntry))
    except InvalidDocumentError as error:
        yield error
