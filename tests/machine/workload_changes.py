"""Changes of a workload: as `openg2g set` is told them, and as Python makes them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from openg2g.models.errors import InvalidChangeError
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

LABELS = ("Llama-3.1-8B", "Qwen3-30B-A3B")

_Specs = dict[str, LLMInferenceModelSpec]


@dataclass(frozen=True)
class WorkloadChange:
    """A change.

    Attributes:
        arguments: What `openg2g set` is told.
        make: Changes specs by label, in place; raises `LookupError` or `ValueError` where it cannot be made.
        forgets: Label of the model whose annotations go.
    """

    arguments: tuple[str, ...]
    make: Callable[[_Specs], object]
    forgets: str | None = None

    def of_workload(self, workload: LLMInferenceWorkload) -> LLMInferenceWorkload:
        specs = {spec.model_label: spec for spec in workload.models}
        try:
            self.make(specs)
            return LLMInferenceWorkload(tuple(specs.values()))
        except (LookupError, ValueError) as error:
            raise InvalidChangeError([str(error)]) from error

    def of_annotations(self, annotations: Mapping[str, Any]) -> dict[str, Any]:
        models = annotations.get("models")
        if not isinstance(models, dict):
            return dict(annotations)
        return {**annotations, "models": {key: value for key, value in models.items() if key != self.forgets}}


def _replicas(label: str, more: int) -> WorkloadChange:
    def make(specs: _Specs) -> None:
        specs[label] = replace(specs[label], num_replicas=specs[label].num_replicas + more)

    return WorkloadChange((f"{label}.num_replicas{'+' if more > 0 else '-'}={abs(more)}",), make)


def _deadline(label: str, seconds: float) -> WorkloadChange:
    def make(specs: _Specs) -> None:
        specs[label] = replace(specs[label], itl_deadline_s=seconds)

    return WorkloadChange((f"{label}.itl_deadline_s={seconds}",), make)


def _removal(label: str) -> WorkloadChange:
    return WorkloadChange(("--remove", label), lambda specs: specs.pop(label), forgets=label)


WORKLOAD_CHANGES = (
    *(_replicas(label, more) for label in LABELS for more in (1, 1, -1)),
    *(_deadline(label, seconds) for label in LABELS for seconds in (0.05, 0.1)),
    *map(_removal, LABELS),
)
