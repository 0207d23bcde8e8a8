"""`openg2g blame`."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import click

from openg2g.catalog.history.resolve import require_workload
from openg2g.cli.options.shared import complete_names, format_option, on_catalog, open_catalog, viewpoint_options
from openg2g.cli.output.differences import shown_value
from openg2g.cli.output.tables import echo_json_value, escaped, fitted, minutes, revision_summary, table
from openg2g.models.blame import FieldBlame, blame

_HEADERS = ("", "value", "rev", "since (UTC)", "author")
_AUTHOR_WIDTH = 20
_SHOWN_OF_REVISION = ("number", "recorded_at", "effective_from", "author", "message")


@click.command("blame")
@click.argument("reference", metavar="REF", shell_complete=complete_names)
@viewpoint_options
@format_option("table", "json")
@on_catalog
def command(
    context: click.Context, reference: str, as_of: datetime | None, known_at: datetime | None, format_name: str
) -> None:
    """Say for every field of a workload which revision gave it its present value.

    The line of a model says since when it has been there, its position where it stands, counted from 0. A value that
    was changed and changed back is the later revision's. Revisions count in the order of recording, and "since" is
    the time from which that revision applies.

    \b
    Examples:
      openg2g blame fleet
      openg2g blame fleet@2 --format json
    """
    with open_catalog(context) as catalog:
        revision = require_workload(catalog.get(reference, as_of=as_of, known_at=known_at))
        revisions = catalog.history(revision.name)
    blamed = blame([earlier for earlier in revisions if earlier.number <= revision.number])
    if format_name == "json":
        echo_json_value({"reference": revision.reference, "fields": [_value(found) for found in blamed]})
    else:
        click.echo(f"{escaped(revision.reference)}\n\n{_table(blamed)}")


def _table(blamed: Sequence[FieldBlame]) -> str:
    rows = []
    for found in blamed:
        is_model = found.field == "model_label"
        rows.append(
            [
                found.model_label if is_model else f"  {found.field}",
                "" if is_model else shown_value(found.value),
                str(found.revision.number),
                minutes(found.revision.effective_from),
                fitted(found.revision.author.partition(" <")[0], _AUTHOR_WIDTH),
            ]
        )
    return table(_HEADERS, rows, right=("rev",))


def _value(found: FieldBlame) -> dict[str, Any]:
    summary = revision_summary(found.revision)
    return {
        "model_label": found.model_label,
        "field": found.field,
        "value": found.value,
        "revision": {key: summary[key] for key in _SHOWN_OF_REVISION},
    }
