"""`openg2g diff`."""

import math
import os
from datetime import datetime

import click

from openg2g.cli.options.shared import complete_names, format_option, on_catalog, open_catalog, viewpoint_options
from openg2g.cli.output.differences import Side, compare, comparison_lines, comparison_value
from openg2g.cli.output.tables import echo_json_value, say
from openg2g.formats.document import Document
from openg2g.formats.files import open_sources
from openg2g.formats.registry import format_name_of
from openg2g.models.errors import CatalogError, InvalidDocumentError, Problem, UnknownFormatError
from openg2g.models.secrets import masked_value

_STANDARD_INPUT = "-"
_PATH_PREFIXES = ("/", "./", "../")


def _checked_tolerance(_: click.Context, __: click.Parameter, value: float) -> float:
    """Refuse what `click.FloatRange` lets pass: NaN and infinity."""
    if not 0 <= value < math.inf:
        raise click.BadParameter(f"must be finite and >= 0, got {value}.")
    return value


@click.command("diff")
@click.argument("old", metavar="A", shell_complete=complete_names)
@click.argument("new", metavar="B", shell_complete=complete_names)
@viewpoint_options
@format_option("table", "json")
@click.option("--rtol", type=float, default=0.0, callback=_checked_tolerance, help="Relative tolerance of numbers.")
@click.option("--atol", type=float, default=0.0, callback=_checked_tolerance, help="Absolute tolerance of numbers.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 where something is different. Default: always 0.")
@on_catalog
def command(
    context: click.Context,
    old: str,
    new: str,
    as_of: datetime | None,
    known_at: datetime | None,
    format_name: str,
    rtol: float,
    atol: float,
    exit_code: bool,
) -> int:
    """Compare two workloads: models that were added, removed, moved or changed, and what that means.

    A and B are references, or files of one workload each; - is standard input. A file is meant where there is one of
    that path and it has a suffix of a known format, or its path begins with ./ ../ or /. Models are matched by label.
    Where nothing is different, "no difference" is printed. Numbers of model fields within --rtol times the larger,
    or within --atol, count as equal.

    \b
    Examples:
      openg2g diff fleet@1 fleet
      openg2g diff fleet@2026-03-01 fleet@2026-06-01 --known-at 2026-04-15
      openg2g diff fleet plan.json --exit-code
      ssh cluster cat config.json | openg2g diff fleet - --format json
    """
    if old == new == _STANDARD_INPUT:
        raise click.UsageError("Only one of A and B can be standard input.")
    sides = (_side(context, text, as_of, known_at) for text in (old, new))
    comparison = compare(*sides, rtol=rtol, atol=atol)
    if format_name == "json":
        echo_json_value(comparison_value(comparison))
    else:
        click.echo("\n".join(comparison_lines(comparison)))
    return 1 if exit_code and not comparison.is_empty else 0


def _side(context: click.Context, text: str, as_of: datetime | None, known_at: datetime | None) -> Side:
    file_format = _format_of_path(text)
    if file_format is not None and (text == _STANDARD_INPUT or (os.path.exists(text) and not os.path.isdir(text))):
        document = _only_document(text, file_format)
        label = "standard input" if text == _STANDARD_INPUT else text
        return Side(label, document.workload, document.annotations)
    try:
        with open_catalog(context) as catalog:
            return Side.of_revision(catalog.get(text, as_of=as_of, known_at=known_at))
    except CatalogError:
        if file_format is not None:
            say(f"There is no file {masked_value(text)}, so it is taken for a reference.")
        raise


def _format_of_path(text: str) -> str | None:
    """Format of what may be the path of a file; None for what can only be a reference."""
    if text == _STANDARD_INPUT:
        return "json"
    try:
        return format_name_of(text)
    except UnknownFormatError:
        return "json" if text.startswith(_PATH_PREFIXES) else None


def _only_document(path: str, format_name: str) -> Document:
    """Read a file of one workload."""
    found = None
    with open_sources([path], format_name) as (source,):
        for outcome in source.read():
            if isinstance(outcome, InvalidDocumentError):
                raise outcome
            if found is not None:
                raise InvalidDocumentError([Problem(source.label, "", "has several workloads; diff compares one.")])
            found = outcome
        if found is None:
            raise InvalidDocumentError([Problem(source.label, "", "has no workload.")])
    return found
