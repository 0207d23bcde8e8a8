"""`openg2g stats`."""

from collections.abc import Sequence
from datetime import datetime

import click

from openg2g.catalog import GroupStatistics
from openg2g.catalog.reports.statistics import Grouping
from openg2g.cli.options.shared import (
    format_option,
    on_catalog,
    open_catalog,
    parameters_given,
    scope_options,
    when_of,
)
from openg2g.cli.output.tables import echo_csv, echo_json, fitted, table, terminal_width

_HEADERS = ("revisions", "workloads", "GPUs in all", "least", "median", "most")
_GROUP_MIN_WIDTH = 12
_FIELDS = ("group", "num_revisions", "num_workloads", "total_gpus", "min_gpus", "median_gpus", "max_gpus")


@click.command("stats")
@click.option("--where", metavar="EXPR", default="True", help="Only workloads for which this Python expression holds.")
@click.option("--by", type=click.Choice(("model", "month", "author")), help="A row for each. Default: one row.")
@scope_options
@format_option("table", "json", "jsonl", "csv")
@on_catalog
def command(
    context: click.Context,
    where: str,
    by: Grouping | None,
    as_of: datetime | None,
    known_at: datetime | None,
    all_revisions: bool,
    parameters: tuple[str, ...],
    format_name: str,
) -> None:
    """Count workloads and their GPUs: in all, the least, the median and the most, of those in force now.

    EXPR is that of `openg2g search`. By model, the GPUs are those of the model alone; by month, a revision counts in
    the month (UTC) from which it applies.

    \b
    Examples:
      openg2g stats
      openg2g stats --by model --where "name.startswith('sweep/')"
      openg2g stats --by month --all-revisions --format csv
    """
    when = when_of(as_of, known_at, all_revisions)
    with open_catalog(context) as catalog:
        groups = catalog.statistics(where, parameters_given(parameters), when=when, by=by)
    fields = _FIELDS if by is not None else _FIELDS[1:]
    if format_name == "csv":
        echo_csv(fields, ([getattr(group, field) for field in fields] for group in groups))
    elif format_name != "table":
        echo_json(({field: getattr(group, field) for field in fields} for group in groups), format_name)
    else:
        click.echo(_table(groups, by) if groups else "No workload matches.")


def _table(groups: Sequence[GroupStatistics], by: str | None) -> str:
    values = [[getattr(group, field) for field in _FIELDS[1:]] for group in groups]
    rows = [["" if value is None else str(value) for value in row] for row in values]
    if by is None:
        return table(_HEADERS, rows, right=_HEADERS)
    widths = [max(len(header), *(len(row[i]) for row in rows)) for i, header in enumerate(_HEADERS)]
    room = max(terminal_width() - sum(widths) - 2 * len(widths), _GROUP_MIN_WIDTH)
    named = [[fitted(group.group or "", room), *row] for group, row in zip(groups, rows, strict=True)]
    return table((by, *_HEADERS), named, right=_HEADERS)
