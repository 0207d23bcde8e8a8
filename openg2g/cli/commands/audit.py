"""`openg2g audit`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from openg2g.catalog import RevisionMark, Violation
from openg2g.cli.options.shared import (
    INSTANT,
    format_option,
    on_catalog,
    open_catalog,
    parameter_option,
    parameters_given,
    zone_option,
)
from openg2g.cli.output.tables import echo_csv, echo_json, escaped, fitted, minutes, say, table, terminal_width
from openg2g.models.columns import columns

_HEADERS = ("name", "from (UTC)", "until (UTC)", "broken by", "mended by")
_CSV_HEADERS = (
    "name",
    "from",
    "until",
    *(f"{end}_by{part}" for end in ("broken", "mended") for part in ("", "_recorded_at", "_author", "_message")),
)
_TIMES_WIDTH = 2 * len("2026-03-01 00:00")
_MARK_MIN_WIDTH = len("broken by")


@click.command("audit")
@click.argument("rule", metavar="EXPR")
@click.option("--since", type=INSTANT, metavar="TIME", help="Beginning of the audited time. Default: of all time.")
@click.option("--until", type=INSTANT, metavar="TIME", help="End of the audited time. Default: of all that is planned.")
@click.option("--known-at", type=INSTANT, metavar="TIME", help="As the catalog knew it at this time.")
@zone_option
@parameter_option
@format_option("table", "json", "jsonl", "csv")
@on_catalog
def command(
    context: click.Context,
    rule: str,
    since: datetime | None,
    until: datetime | None,
    known_at: datetime | None,
    parameters: tuple[str, ...],
    format_name: str,
) -> int:
    """Say when what was in force did not hold to the rule EXPR, and which revisions broke and mended it.

    EXPR is that of `openg2g search`. It is applied to the whole history, to the times since when revisions apply and
    not to those when they were recorded: a correction replaces the past. A retired name breaks no rule. Where "until"
    is empty, the rule is broken up to the end of the audited time. Exit code 1 where it did not always hold.

    \b
    Examples:
      openg2g audit "total_gpus <= 8000"
      openg2g audit "total_gpus <= 8000" --since 2026-01-01 --until 2026-04-01
      openg2g audit "total_gpus <= limit" --param limit=8000 --format csv
      openg2g audit "all(m.num_replicas > 0 for m in models)" --known-at 2026-03-15
    """
    if since is not None and until is not None and until <= since:
        raise click.UsageError("--until must be later than --since.")
    with open_catalog(context) as catalog:
        violations = catalog.audit(rule, parameters_given(parameters), since=since, until=until, known_at=known_at)
    if format_name == "csv":
        echo_csv(_CSV_HEADERS, map(_csv_row, violations))
    elif format_name != "table":
        echo_json(map(_value, violations), format_name)
    elif violations:
        click.echo(_table(violations))
    if not violations:
        say("The rule held.")
    return 1 if violations else 0


def _table(violations: Sequence[Violation]) -> str:
    name_width = max(len("name"), *(columns(escaped(violation.name)) for violation in violations))
    room = (terminal_width() - name_width - _TIMES_WIDTH - 2 * (len(_HEADERS) - 1)) // 2
    rows = [
        [
            violation.name,
            minutes(violation.from_),
            "" if violation.until is None else minutes(violation.until),
            *(
                "" if mark is None else fitted(_shown(mark), max(room, _MARK_MIN_WIDTH))
                for mark in (violation.broken_by, violation.mended_by)
            ),
        ]
        for violation in violations
    ]
    return table(_HEADERS, rows)


def _shown(mark: RevisionMark) -> str:
    """Write a revision without its name, which stands in the row already."""
    return f"@{mark.number} {mark.author.partition(' <')[0]}"


def _value(violation: Violation) -> dict[str, Any]:
    return {
        "name": violation.name,
        "from": violation.from_.isoformat(),
        "until": None if violation.until is None else violation.until.isoformat(),
        "broken_by": _mark_value(violation.broken_by),
        "mended_by": None if violation.mended_by is None else _mark_value(violation.mended_by),
    }


def _mark_value(mark: RevisionMark) -> dict[str, str]:
    return {
        "reference": mark.reference,
        "recorded_at": mark.recorded_at.isoformat(),
        "author": mark.author,
        "message": mark.message,
    }


def _csv_row(violation: Violation) -> list[str | None]:
    value = _value(violation)
    broken_by, mended_by = value["broken_by"], value["mended_by"] or dict.fromkeys(value["broken_by"])
    return [value["name"], value["from"], value["until"], *broken_by.values(), *mended_by.values()]
