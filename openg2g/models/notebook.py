"""HTML for notebooks."""

from datetime import datetime
from html import escape

from openg2g.models.characters import visible
from openg2g.models.spec import LLMInferenceWorkload

_HEADERS = ("model", "replicas", "GPUs/replica", "GPUs", "initial batch", "ITL deadline (s)", "feasible batch sizes")


def revision_html(
    reference: str, workload: LLMInferenceWorkload | None, effective_from: datetime, author: str, message: str
) -> str:
    """A caption with what is recorded of a revision, and a row for each model."""
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
        for spec in (workload.models if workload is not None else ())
    )
    total = "retired" if workload is None else f"{workload.total_gpus:,} GPUs"
    caption = (
        f"<b>{_shown(reference)}</b> · {total}"
        f" · effective from {effective_from:%Y-%m-%d %H:%M} UTC"
        f" · {_shown(author)}{': ' if message else ''}{_shown(message)}"
    )
    head = "".join(f"<th>{escape(header)}</th>" for header in _HEADERS)
    return f"<table><caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _shown(text: str) -> str:
    return escape(visible(text))
