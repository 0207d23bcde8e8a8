"""`openg2g show`."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from openg2g.cli.options import complete_names, database_option, format_option, open_catalog, viewpoint_options
from openg2g.cli.output import escaped, revision_summary, seconds, table

if TYPE_CHECKING:
    from openg2g.catalog import Revision
    from openg2g.models import LLMInferenceWorkload

_HEADERS = ("model", "replicas", "GPUs per\nreplica", "GPUs", "initial\nbatch", "ITL\n(s)", "feasible batch sizes")


@click.command("show")
@click.argument("reference", metavar="REF", shell_complete=complete_names)
@viewpoint_options
@format_option("table", "json")
@database_option
@click.pass_context
def command(
    context: click.Context, reference: str, as_of: datetime | None, known_at: datetime | None, format_name: str
) -> None:
    """Show a workload: the revision, the fields of each model, and what follows from them.

    \b
    Examples:
      openg2g show fleet
      openg2g show fleet@2 --format json
      openg2g show fleet@2026-03-01 --known-at 2026-04-15
      openg2g show sha256:ab12cd34
    """
    with open_catalog(context) as catalog:
        revision = catalog.get(reference, as_of=as_of, known_at=known_at)
        standing = catalog.aliases(revision.name, known_at=known_at)
        aliases = [alias for alias, number in standing.items() if number == revision.number]
        tags = catalog.tags(revision.name) if known_at is None else {}  # Tags have no history.
    if format_name == "json":
        from openg2g.formats.json_text import encode_pretty

        click.echo(encode_pretty(_value(revision) | {"aliases": aliases, "tags": tags}))
        return
    facts = [
        ("workload", revision.reference + (" (retires the name)" if revision.is_retirement else "")),
        ("digest", revision.digest),
        ("in force from", seconds(revision.effective_from)),
        ("recorded at", seconds(revision.recorded_at)),
        ("author", revision.author),
        ("message", revision.message),
        ("source", revision.source),
        ("aliases", ", ".join(aliases)),
        ("tags", ", ".join(f"{key}={value}" if value else key for key, value in tags.items())),
        ("annotations", ", ".join(revision.annotations)),
    ]
    for label, value in facts:
        if value:
            click.echo(f"{label:<14} {escaped(value)}")
    if revision.workload is not None:
        click.echo(f"\n{_models_table(revision.workload)}")


def _models_table(workload: "LLMInferenceWorkload") -> str:
    rows = [
        [
            spec.model_label,
            str(spec.num_replicas),
            str(spec.gpus_per_replica),
            str(spec.total_gpus),
            str(spec.initial_batch_size),
            str(spec.itl_deadline_s),
            " ".join(map(str, spec.feasible_batch_sizes)),
        ]
        for spec in workload.models
    ]
    union = " ".join(map(str, workload.feasible_batch_sizes_union))
    rows.append(["all models", "", "", str(workload.total_gpus), "", "", union])
    return table(_HEADERS, rows, right=_HEADERS[1:6])


def _value(revision: "Revision") -> dict[str, Any]:
    """Everything about a revision: its document, and what follows from the workload."""
    from openg2g.formats import native
    from openg2g.formats.document import Document

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
