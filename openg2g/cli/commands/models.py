"""`openg2g models`."""

import sys
from collections.abc import Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import click

from openg2g.catalog import ModelUse
from openg2g.cli.options.shared import (
    format_option,
    on_catalog,
    open_catalog,
    parameters_given,
    scope_options,
    when_of,
)
from openg2g.cli.output.tables import (
    NUMBERS_OF_SPECS,
    SPEC_HEADERS,
    echo_csv,
    echo_json,
    echo_json_value,
    escaped,
    fitted,
    table,
    terminal_width,
)
from openg2g.models.columns import columns
from openg2g.models.notebook import spec_cells
from openg2g.models.spec import LLMInferenceModelSpec

_USE_HEADERS = ("digest", "used by")
_CSV_FIELDS = (*(field.name for field in fields(LLMInferenceModelSpec)), "total_gpus", "digest", "references")
_DIGEST_WIDTH = len("sha256:") + 12
_BATCH_SIZES_WIDTH = 24
_USED_BY_MIN_WIDTH = 16
_INDENT = "  "


class _ListsByDefault(click.Group):
    """A group that lists where no sub-command is named, and whose help is that of listing."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Take what is no sub-command for the arguments of `list`."""
        return super().resolve_command(ctx, args if args[0] in self.commands else [list_models.name or "", *args])

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write both forms."""
        formatter.write_usage(ctx.command_path, "[OPTIONS] [GLOB]")
        formatter.write_usage(ctx.command_path, "show [OPTIONS] DIGEST", prefix=" " * len("Usage: "))

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the text of listing."""
        list_models.format_help_text(ctx, formatter)

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options of listing, then the sub-commands."""
        list_models.format_options(ctx, formatter)
        self.format_commands(ctx, formatter)


@click.group(
    "models",
    cls=_ListsByDefault,
    invoke_without_command=True,
    context_settings={"ignore_unknown_options": True},  # They are those of listing.
)
@on_catalog
def command(context: click.Context) -> None:
    """List model specs with the workloads that use them."""
    if context.invoked_subcommand is None:
        context.invoke(list_models)


@command.command("list", short_help="List, as `openg2g models` does.")
@click.argument("pattern", default="*", metavar="[GLOB]")
@click.option(
    "--where",
    "expression",
    default="True",
    metavar="EXPR",
    help="Only model specs for which this Python expression holds.",
)
@scope_options
@format_option("table", "json", "jsonl", "csv")
@on_catalog
def list_models(
    context: click.Context,
    pattern: str,
    expression: str,
    as_of: datetime | None,
    known_at: datetime | None,
    all_revisions: bool,
    parameters: tuple[str, ...],
    format_name: str,
) -> None:
    """List the model specs whose label matches GLOB (* ? [...], case counts), with the workloads that use each.

    Only those that a workload in force now (or --as-of TIME) uses. EXPR may name model_label, num_replicas,
    gpus_per_replica, initial_batch_size, itl_deadline_s, feasible_batch_sizes, total_gpus and digest.

    \b
    Examples:
      openg2g models
      openg2g models 'Llama-3.1-*' --all-revisions
      openg2g models list --where "itl_deadline_s < 0.1" --as-of 2026-03-01
      openg2g models --where "256 in feasible_batch_sizes" --format csv
      openg2g models show sha256:ab12cd34
    """
    when = when_of(as_of, known_at, all_revisions)
    with open_catalog(context) as catalog:
        uses = catalog.iter_models(pattern, expression, parameters_given(parameters), when=when)
        if format_name == "csv":
            echo_csv(_CSV_FIELDS, map(_csv_row, uses))
        elif format_name != "table":
            echo_json(map(_value, uses), format_name)
        else:
            shown = list(uses)
            click.echo(_table(shown) if shown else "No model spec matches.")


@command.command("show")
@click.argument("digest")
@format_option("table", "json")
@on_catalog
def show_model(context: click.Context, digest: str, format_name: str) -> None:
    """Show a model spec and every revision that has ever used it. Any unique beginning of DIGEST will do.

    \b
    Examples:
      openg2g models show sha256:ab12cd34
      openg2g models show sha256:ab12cd34 --format json
    """
    with open_catalog(context) as catalog:
        use = catalog.get_model(digest)
    if format_name == "json":
        echo_json_value(_value(use))
        return
    spec = use.spec
    for label, value in (
        ("model", spec.model_label),
        ("digest", use.digest),
        ("replicas", spec.num_replicas),
        ("GPUs per replica", spec.gpus_per_replica),
        ("GPUs", spec.total_gpus),
        ("initial batch", spec.initial_batch_size),
        ("ITL deadline", f"{spec.itl_deadline_s} s"),
        ("feasible batch sizes", _batch_sizes(use)),
    ):
        click.echo(f"{label:<22}{escaped(str(value))}")
    for index, reference in enumerate(use.references):
        click.echo(f"{'' if index else 'used by':<22}{escaped(reference)}")


def _table(uses: Sequence[ModelUse]) -> str:
    """Draw a row for each model spec; where a terminal is too narrow, digest and uses come in a line below it."""
    rows = [_cells(use) for use in uses]
    digests = [use.digest[:_DIGEST_WIDTH] for use in uses]
    lines_of_columns = ["\n".join(cells).split("\n") for cells in zip(SPEC_HEADERS, *rows, strict=True)]
    widths = [max(map(columns, lines)) for lines in lines_of_columns]
    room = terminal_width() - sum(widths) - 2 * len(widths) - _DIGEST_WIDTH - 2
    if not sys.stdout.isatty() or room >= _USED_BY_MIN_WIDTH:
        full = [[*row, digest, _used_by(use, room)] for row, digest, use in zip(rows, digests, uses, strict=True)]
        return table([*SPEC_HEADERS, *_USE_HEADERS], full, right=NUMBERS_OF_SPECS)
    drawn = table(SPEC_HEADERS, rows, right=NUMBERS_OF_SPECS).split("\n")
    lines = drawn[: -len(rows)]
    lines.append(f"{_INDENT}{_USE_HEADERS[0]:<{_DIGEST_WIDTH}}  {_USE_HEADERS[1]}")
    room = terminal_width() - len(_INDENT) - _DIGEST_WIDTH - 2
    for line, digest, use in zip(drawn[-len(rows) :], digests, uses, strict=True):
        lines += [line, escaped(f"{_INDENT}{digest}  {_used_by(use, room)}")]
    return "\n".join(lines)


def _cells(use: ModelUse) -> list[str]:
    *cells, batch_sizes = spec_cells(use.spec)
    return [*map(escaped, cells), fitted(batch_sizes, _BATCH_SIZES_WIDTH)]


def _used_by(use: ModelUse, width: int) -> str:
    """Name as many of the uses as there is room for, at least one, and say how many others there are."""
    everything = " ".join(map(escaped, use.references))
    if not sys.stdout.isatty() or columns(everything) <= width:
        return everything
    shown = 1
    while columns(_abridged(use, shown + 1)) <= width:
        shown += 1
    others = _abridged(use, shown).removeprefix(escaped(use.references[0]))
    return fitted(use.references[0], width - len(others)) + others


def _abridged(use: ModelUse, shown: int) -> str:
    num_others = len(use.references) - shown
    return " ".join([*map(escaped, use.references[:shown]), *([f"+{num_others}"] if num_others else [])])


def _batch_sizes(use: ModelUse) -> str:
    return " ".join(map(str, use.spec.feasible_batch_sizes))


def _value(use: ModelUse) -> dict[str, Any]:
    return {
        **vars(use.spec),
        "total_gpus": use.spec.total_gpus,
        "digest": use.digest,
        "references": use.references,
    }


def _csv_row(use: ModelUse) -> list[Any]:
    value = _value(use) | {"feasible_batch_sizes": _batch_sizes(use), "references": " ".join(use.references)}
    return [value[header] for header in _CSV_FIELDS]
