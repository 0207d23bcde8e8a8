"""`openg2g show`."""

from datetime import datetime
from typing import Any

import click

from openg2g.catalog import NameStatus, Revision, RevisionContext
from openg2g.catalog.history.clock_watch import clock_warnings
from openg2g.cli.options.shared import complete_names, format_option, on_catalog, open_catalog, viewpoint_options
from openg2g.cli.output.revisions import newer_kind
from openg2g.cli.output.tables import (
    NUMBERS_OF_SPECS,
    SPEC_HEADERS,
    echo_json_value,
    escaped,
    revision_summary,
    say,
    seconds,
    table,
)
from openg2g.formats import native
from openg2g.formats.document import Document
from openg2g.models import LLMInferenceWorkload
from openg2g.models.notebook import spec_cells


@click.command("show")
@click.argument("reference", metavar="REF", shell_complete=complete_names)
@viewpoint_options
@format_option("table", "json")
@on_catalog
def command(
    context: click.Context, reference: str, as_of: datetime | None, known_at: datetime | None, format_name: str
) -> None:
    """Show a workload: the revision, the fields of each model, and what follows from them.

    NAME is what is in force now (or --as-of TIME); where another revision is newer, planned for later or dated back,
    that is said. NAME@latest is the one with the highest number. --known-at leaves out what was recorded later, and
    still asks what is in force now.

    \b
    Examples:
      openg2g show fleet
      openg2g show fleet@2 --format json
      openg2g show fleet@latest
      openg2g show fleet@2026-03-01 --known-at 2026-04-15
      openg2g show sha256:ab12cd34
    """
    with open_catalog(context) as catalog:
        revision, beside = catalog.get_with_context(reference, as_of=as_of, known_at=known_at)
        warnings = clock_warnings(catalog.database, [revision.name])
    for warning in warnings:
        say(warning)
    status = beside.status
    if format_name == "json":
        numbers = {
            "in_force_number": None if status.in_force is None else status.in_force.number,
            "latest_number": status.latest.number,
        }
        echo_json_value(_value(revision) | {"aliases": list(beside.aliases), "tags": beside.tags} | numbers)
        return
    is_in_force = status.in_force is not None and status.in_force.number == revision.number
    facts = [
        ("workload", revision.reference + (" (retires the name)" if revision.is_retirement else "")),
        ("digest", revision.digest),
        ("in force from" if is_in_force else "effective from", seconds(revision.effective_from)),
        ("newer", _newer(status) if is_in_force and as_of is None else ""),
        ("upcoming", _upcoming(beside) if is_in_force and as_of is None else ""),
        ("recorded at", seconds(revision.recorded_at)),
        ("author", revision.author),
        ("message", revision.message),
        ("source", revision.source),
        ("aliases", ", ".join(beside.aliases)),
        ("tags", ", ".join(f"{key}={value}" if value else key for key, value in beside.tags.items())),
        ("annotations", ", ".join(revision.annotations)),
    ]
    for label, value in facts:
        if value:
            click.echo(f"{label:<14} {escaped(value)}")
    if revision.workload is not None:
        click.echo(f"\n{_models_table(revision.workload)}")


def _newer(status: NameStatus) -> str:
    if status.newer is None:
        return ""
    return f"{status.newer.reference}, {newer_kind(status)}, effective from {seconds(status.newer.effective_from)}"


def _upcoming(beside: RevisionContext) -> str:
    if beside.upcoming is None or beside.upcoming == beside.status.newer:
        return ""
    return f"{beside.upcoming.reference}, planned, effective from {seconds(beside.upcoming.effective_from)}"


def _models_table(workload: LLMInferenceWorkload) -> str:
    rows = [spec_cells(spec) for spec in workload.models]
    union = " ".join(map(str, workload.feasible_batch_sizes_union))
    rows.append(["all models", "", "", str(workload.total_gpus), "", "", union])
    return table(SPEC_HEADERS, rows, right=NUMBERS_OF_SPECS)


def _value(revision: Revision) -> dict[str, Any]:
    """Everything about a revision: its document, and what follows from the workload."""
    workload = revision.workload
    if workload is None:
        return {"name": revision.name, "retired": True, "revision": revision_summary(revision)}
    return native.value_from_document(Document.of_revision(revision)) | {
        "derived": {
            "model_labels": workload.model_labels,
            "total_gpus": workload.total_gpus,
            "initial_batch_size_by_model": workload.initial_batch_size_by_model,
            "itl_deadline_by_model": workload.itl_deadline_by_model,
            "required_measured_gpus": workload.required_measured_gpus,
            "feasible_batch_sizes_union": workload.feasible_batch_sizes_union,
        }
    }
