"""What a change of a workload means for the datacenter that serves it: GPUs, deadlines, and batch sizes to choose from.

A consequence is no further change. It follows from the fields, and is worked out only where one of them changed.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from openg2g.models.spec import LLMInferenceModelSpec

ConsequenceKind = Literal[
    "total_gpus",
    "deadline_tightened",
    "deadline_loosened",
    "batch_sizes_gained",
    "batch_sizes_lost",
    "batch_sizes_reordered",
    "batch_sizes_repeated",
    "baseline_batch_size",
    "initial_batch_size_became_infeasible",
    "initial_batch_size_became_feasible",
]
"""What may follow from a change, in the order of reporting."""

_COUNTS = frozenset({"num_replicas", "gpus_per_replica"})
_START = frozenset({"initial_batch_size", "feasible_batch_sizes"})


@dataclass(frozen=True)
class Consequence:
    """One thing that follows from a change.

    Attributes:
        kind: What it is.
        model_label: The model; None for the workload as a whole.
        old: The figure before: GPUs, seconds, or a batch size in requests; the batch sizes that were lost, or all that
            were feasible where the list has another order or other repetitions.
        new: The figure after, likewise; the batch sizes that were gained.

    Example:
        >>> print(Consequence("total_gpus", "Llama-3.1-70B", 720, 800))
        Llama-3.1-70B: GPUs 720 → 800 (+80)
    """

    kind: ConsequenceKind
    model_label: str | None
    old: int | float | tuple[int, ...]
    new: int | float | tuple[int, ...]

    @property
    def phrase(self) -> str:
        """What follows, without the model."""
        match self.kind, self.old, self.new:
            case "total_gpus", int(old), int(new):
                return f"{'total ' if self.model_label is None else ''}GPUs {old} → {new} ({new - old:+d})"
            case (("deadline_tightened" | "deadline_loosened"), float(old), float(new)):
                # Decimals, as the deadlines are written: 0.3 - 0.1 in binary would read 0.19999999999999998.
                distance = float(abs(Decimal(repr(old)) - Decimal(repr(new))))
                return f"{self.kind.replace('_', ' ')} by {distance} s"
            case "batch_sizes_gained", _, tuple(sizes):
                return f"gained batch sizes {' '.join(map(str, sizes))}"
            case "batch_sizes_lost", tuple(sizes), _:
                return f"lost batch sizes {' '.join(map(str, sizes))}"
            case "baseline_batch_size", old, new:
                return f"baseline mode uses {new}, was {old}"
            case "initial_batch_size_became_infeasible", old, new:
                return f"initial batch size {new} is {'no longer' if new == old else 'not'} feasible"
            case "initial_batch_size_became_feasible", old, new:
                return f"initial batch size {new} is {'now ' if new == old else ''}feasible"
            case "batch_sizes_repeated", _, _:
                return "batch sizes with other repetitions"
            case _:
                return "batch sizes in another order"

    def __str__(self) -> str:
        """The phrase, after the label of the model."""
        return self.phrase if self.model_label is None else f"{self.model_label}: {self.phrase}"


def consequences_of_change(
    old: LLMInferenceModelSpec, new: LLMInferenceModelSpec, changed: Collection[str]
) -> Iterator[Consequence]:
    """Yield what follows from the changed fields of a model; what differs elsewhere lies within a tolerance."""
    label = old.model_label
    if not _COUNTS.isdisjoint(changed) and old.total_gpus != new.total_gpus:
        yield Consequence("total_gpus", label, old.total_gpus, new.total_gpus)
    if "itl_deadline_s" in changed:
        kind: ConsequenceKind = "deadline_tightened" if new.itl_deadline_s < old.itl_deadline_s else "deadline_loosened"
        yield Consequence(kind, label, old.itl_deadline_s, new.itl_deadline_s)
    if "feasible_batch_sizes" in changed:
        yield from _consequences_of_batch_sizes(label, old.feasible_batch_sizes, new.feasible_batch_sizes)
    if not _START.isdisjoint(changed):
        was_feasible = old.initial_batch_size in old.feasible_batch_sizes
        is_feasible = new.initial_batch_size in new.feasible_batch_sizes
        sizes = old.initial_batch_size, new.initial_batch_size
        if was_feasible and not is_feasible:
            yield Consequence("initial_batch_size_became_infeasible", label, *sizes)
        if is_feasible and not was_feasible:
            yield Consequence("initial_batch_size_became_feasible", label, *sizes)


def _consequences_of_batch_sizes(label: str, old: tuple[int, ...], new: tuple[int, ...]) -> Iterator[Consequence]:
    gained, lost = _only_in(new, old), _only_in(old, new)
    if gained:
        yield Consequence("batch_sizes_gained", label, (), gained)
    if lost:
        yield Consequence("batch_sizes_lost", label, lost, ())
    if _only_in(old, lost) != _only_in(new, gained):
        yield Consequence("batch_sizes_reordered", label, old, new)
    elif not gained and not lost:
        yield Consequence("batch_sizes_repeated", label, old, new)
    if old[0] != new[0]:
        yield Consequence("baseline_batch_size", label, old[0], new[0])


def _only_in(sizes: tuple[int, ...], others: tuple[int, ...]) -> tuple[int, ...]:
    """Sizes that are not among others, each once, in order."""
    return tuple(size for size in dict.fromkeys(sizes) if size not in set(others))
