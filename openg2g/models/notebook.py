"""How a workload is shown: the cells of tables, and HTML for notebooks."""

from datetime import datetime
from html import escape

from openg2g.models.characters import visible
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

_HEADERS = ("model", "replicas", "GPUs/replica", "GPUs", "initial batch", "ITL deadline (s)", "feasible batch sizes")


def spec_cells(spec: LLMInferenceModelSpec) -> list[str]:
    """Return the cells of a model spec in the order in which people read them, GPUs in all included."""
    return [
        spec.model_label,
        str(spec.num_replicas),
        str(spec.gpus_per_replica),
        str(spec.total_gpus),
        str(spec.initial_batch_size),
        str(spec.itl_deadline_s),
        " ".join(map(str, spec.feasible_batch_sizes)),
    ]


def revision_html(
    reference: str, workload: LLMInferenceWorkload | None, effective_from: datetime, author: str, message: str
) -> str:
    """A caption with what is recorded of a revision, and a row for each model."""
    specs = () if workload is None else workload.models
    rows = "".join(f"<tr>{''.join(f'<td>{_shown(cell)}</td>' for cell in spec_cells(spec))}</tr>" for spec in specs)
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
