"""HTML for notebooks."""

from html import escape
from typing import TYPE_CHECKING

from openg2g.models.characters import visible

if TYPE_CHECKING:
    from openg2g.models.revision import Revision

_HEADERS = ("model", "replicas", "GPUs/replica", "GPUs", "initial batch", "ITL deadline (s)", "feasible batch sizes")


def revision_html(revision: "Revision") -> str:
    """A caption with the revision and a row for each model."""
    rows = "".join(
        "<tr>"
        + "".join(
            f"<td>{_shown(str(value))}</td>"
            for value in (
                spec.model_label,
                spec.num_replicas,
                spec.gpus_per_replica,
                spec.total_gpus,
                spec.initial_batch_size,
                spec.itl_deadline_s,
                " ".join(map(str, spec.feasible_batch_sizes)),
            )
        )
        + "</tr>"
        for spec in (revision.workload.models if revision.workload is not None else ())
    )
    total = "retired" if revision.workload is None else f"{revision.workload.total_gpus:,} GPUs"
    caption = (
        f"<b>{_shown(revision.reference)}</b> · {total}"
        f" · effective from {revision.effective_from:%Y-%m-%d %H:%M} UTC"
        f" · {_shown(revision.author)}{': ' if revision.message else ''}{_shown(revision.message)}"
    )
    head = "".join(f"<th>{escape(header)}</th>" for header in _HEADERS)
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _shown(text: str) -> str:
    return escape(visible(text))
