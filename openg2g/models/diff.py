"""The difference between two workloads, and between the annotations beside them.

Models are matched by their labels, so that a model which only moved is not reported as another one. A diff holds what
it takes to make the second workload of the first: `diff(a, b).apply(a) == b`.
"""

import json
import math
from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from enum import Enum
from typing import Any

from openg2g.models.consequences import Consequence, consequences_of_change
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

FieldValue = int | float | tuple[int, ...]
"""Value of a field other than the label."""

COMPARED_FIELDS = tuple(field.name for field in fields(LLMInferenceModelSpec) if field.name != "model_label")
"""Fields of a model that a diff compares, in order of declaration; the label is what models are matched by."""


@dataclass(frozen=True)
class FieldChange:
    """A field of a model that has another value.

    Attributes:
        field: Name of the field.
        old: Its value before.
        new: Its value after.
    """

    field: str
    old: FieldValue
    new: FieldValue


@dataclass(frozen=True)
class ModelChange:
    """A model that is in both workloads, with other values.

    Attributes:
        old: The model before.
        new: The model after. Beyond `changes` it may differ from `old` within the tolerance.
        changes: The fields that changed, in order of declaration, at least one.
    """

    old: LLMInferenceModelSpec
    new: LLMInferenceModelSpec
    changes: tuple[FieldChange, ...]

    @property
    def model_label(self) -> str:
        """Label of the model."""
        return self.old.model_label

    @property
    def consequences(self) -> tuple[Consequence, ...]:
        """What follows from the changes."""
        return tuple(consequences_of_change(self.old, self.new, [change.field for change in self.changes]))

    def apply(self, spec: LLMInferenceModelSpec) -> LLMInferenceModelSpec:
        """Make the changes to a model; raise `ValueError` where a field does not have its old value."""
        for change in self.changes:
            found = getattr(spec, change.field)
            if found != change.old:
                raise ValueError(
                    f"{spec.model_label}.{change.field} must be {change.old} for this diff to fit, got {found}."
                )
        values: dict[str, Any] = {change.field: change.new for change in self.changes}
        return replace(spec, **values)


@dataclass(frozen=True)
class PlacedModel:
    """A model that is in one of the two workloads only.

    Attributes:
        position: Where it stands in that workload, counted from 0.
        spec: The model.
    """

    position: int
    spec: LLMInferenceModelSpec


@dataclass(frozen=True)
class ModelMove:
    """A model that stands elsewhere among those that are in both workloads.

    Attributes:
        model_label: Label of the model.
        old_position: Where it stood, counted from 0.
        new_position: Where it stands.
    """

    model_label: str
    old_position: int
    new_position: int


@dataclass(frozen=True)
class WorkloadDiff:
    """What makes one workload of another.

    It says nothing about who changed it, or when: revisions do.

    Attributes:
        added: Models of the new workload only, in its order.
        removed: Models of the old workload only, in its order.
        moved: The fewest models that have to move to bring the others into the new order.
        changed: Models with other values, in the order of the new workload.
        old_labels: Labels of the old workload, in order.
        new_labels: Labels of the new workload, in order.
        old_total_gpus: GPUs of the old workload.
        new_total_gpus: GPUs of the new workload.
    """

    added: tuple[PlacedModel, ...]
    removed: tuple[PlacedModel, ...]
    moved: tuple[ModelMove, ...]
    changed: tuple[ModelChange, ...]
    old_labels: tuple[str, ...]
    new_labels: tuple[str, ...]
    old_total_gpus: int
    new_total_gpus: int

    @property
    def is_empty(self) -> bool:
        """Whether there is no difference, or none beyond the tolerance."""
        return not (self.added or self.removed or self.moved or self.changed)

    @property
    def consequences(self) -> tuple[Consequence, ...]:
        """What follows from the differences: model by model, those that came and went, and the whole at the end."""
        found = [consequence for change in self.changed for consequence in change.consequences]
        found += [Consequence("total_gpus", model.spec.model_label, 0, model.spec.total_gpus) for model in self.added]
        found += [Consequence("total_gpus", model.spec.model_label, model.spec.total_gpus, 0) for model in self.removed]
        count_gpus = any(consequence.kind == "total_gpus" for consequence in found)
        if count_gpus and self.old_total_gpus != self.new_total_gpus:
            found.append(Consequence("total_gpus", None, self.old_total_gpus, self.new_total_gpus))
        return tuple(found)

    def apply(self, workload: LLMInferenceWorkload) -> LLMInferenceWorkload:
        """Make the new workload of the old one.

        The workload need not be the very one that was compared: fields that the diff does not change are its own.

        Raises:
            ValueError: The workload has other models or another order than the old one, a model that is to be changed
                or removed has other values, or nothing is left.
        """
        if tuple(workload.model_labels) != self.old_labels:
            raise ValueError(
                f"models must be {list(self.old_labels)} in this order for this diff to fit, "
                f"got {workload.model_labels}."
            )
        specs = {spec.model_label: spec for spec in workload.models}
        for model in self.removed:
            found = specs.pop(model.spec.model_label)
            if found != model.spec:
                raise ValueError(f"the removed model must be {model.spec} for this diff to fit, got {found}.")
        for change in self.changed:
            specs[change.model_label] = change.apply(specs[change.model_label])
        specs |= {model.spec.model_label: model.spec for model in self.added}
        return LLMInferenceWorkload(tuple(specs[label] for label in self.new_labels))


def diff(
    a: LLMInferenceWorkload | None, b: LLMInferenceWorkload | None, *, rtol: float = 0.0, atol: float = 0.0
) -> WorkloadDiff:
    r"""Compare two workloads.

    Args:
        a: The old workload; None where there was none, before a name's first revision or while it is retired.
        b: The new workload; None likewise.
        rtol: Relative tolerance of the numbers of a field: two count as equal where they differ by at most `rtol`
            times the larger. Lists of batch sizes count as equal where they are as long and all their members do.
        atol: Absolute tolerance likewise, in the unit of the field.

    Raises:
        ValueError: A tolerance is negative or not finite.

    Example:
        >>> a = LLMInferenceWorkload((LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1),))
        >>> b = LLMInferenceWorkload((LLMInferenceModelSpec("Llama-3.1-70B", 200, 4, 128, 0.1),))
        >>> diff(a, b).changed[0].changes
        (FieldChange(field='num_replicas', old=180, new=200),)
        >>> print(*diff(a, b).consequences, sep="\n")
        Llama-3.1-70B: GPUs 720 → 800 (+80)
        total GPUs 720 → 800 (+80)
        >>> diff(a, b).apply(a) == b
        True
    """
    for name, tolerance in (("rtol", rtol), ("atol", atol)):
        if not 0 <= tolerance < math.inf:  # Neither comparison holds for NaN.
            raise ValueError(f"{name} must be finite and >= 0, got {tolerance}.")
    old_models, new_models = (() if workload is None else workload.models for workload in (a, b))
    old_specs = {spec.model_label: spec for spec in old_models}
    new_specs = {spec.model_label: spec for spec in new_models}
    changes = (
        _model_change(old_specs[label], spec, rtol, atol) for label, spec in new_specs.items() if label in old_specs
    )
    return WorkloadDiff(
        added=tuple(PlacedModel(i, spec) for i, spec in enumerate(new_models) if spec.model_label not in old_specs),
        removed=tuple(PlacedModel(i, spec) for i, spec in enumerate(old_models) if spec.model_label not in new_specs),
        moved=_moves(tuple(old_specs), tuple(new_specs)),
        changed=tuple(change for change in changes if change.changes),
        old_labels=tuple(old_specs),
        new_labels=tuple(new_specs),
        old_total_gpus=0 if a is None else a.total_gpus,
        new_total_gpus=0 if b is None else b.total_gpus,
    )


def _model_change(old: LLMInferenceModelSpec, new: LLMInferenceModelSpec, rtol: float, atol: float) -> ModelChange:
    pairs = ((name, getattr(old, name), getattr(new, name)) for name in COMPARED_FIELDS)
    return ModelChange(
        old, new, tuple(FieldChange(name, x, y) for name, x, y in pairs if not _are_close(x, y, rtol, atol))
    )


def _are_close(x: FieldValue, y: FieldValue, rtol: float, atol: float) -> bool:
    if isinstance(x, tuple) and isinstance(y, tuple):
        return len(x) == len(y) and all(_are_close(p, q, rtol, atol) for p, q in zip(x, y, strict=True))
    assert not isinstance(x, tuple) and not isinstance(y, tuple)  # The same field of two specs.
    return math.isclose(x, y, rel_tol=rtol, abs_tol=atol)


def _moves(old_labels: Sequence[str], new_labels: Sequence[str]) -> tuple[ModelMove, ...]:
    """Find what moved: the labels on both sides beside a longest run that kept its order."""
    old_positions = {label: position for position, label in enumerate(old_labels)}
    common = [(label, position) for position, label in enumerate(new_labels) if label in old_positions]
    kept = _longest_increasing([old_positions[label] for label, _ in common])
    return tuple(
        ModelMove(label, old_positions[label], position)
        for label, position in common
        if old_positions[label] not in kept
    )


def _longest_increasing(numbers: Sequence[int]) -> set[int]:
    """Return a longest increasing subsequence of distinct numbers, by patience sorting."""
    tops: list[int] = []
    previous: dict[int, int | None] = {}
    for number in numbers:
        pile = bisect_left(tops, number)
        previous[number] = tops[pile - 1] if pile else None
        tops[pile : pile + 1] = [number]
    members = set()
    last = tops[-1] if tops else None
    while last is not None:
        members.add(last)
        last = previous[last]
    return members


class Absent(Enum):
    """The type of `ABSENT`."""

    ABSENT = "absent"


ABSENT = Absent.ABSENT
"""The value of an annotation that is not there; `None` is the annotation `null`."""


@dataclass(frozen=True)
class AnnotationChange:
    """An annotation that has another value on the two sides.

    Attributes:
        keys: The way to it: keys of objects, indexes of lists.
        old: Its JSON value before, `ABSENT` if it was not there.
        new: Its JSON value after, `ABSENT` if it is not there.
    """

    keys: tuple[str | int, ...]
    old: Any
    new: Any

    @property
    def path(self) -> str:
        """The way to it as people write it: `models.Llama-3.1-70B.gpu_endpoints[0].port`."""
        text = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in self.keys)
        return text.removeprefix(".")


def annotation_changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> tuple[AnnotationChange, ...]:
    """Compare annotations: 1, 1.0 and true are different, the order of keys is not.

    Objects are compared key by key, lists of one length index by index; anything else that differs is one change.

    Example:
        >>> [(change.path, change.old, change.new) for change in annotation_changes({"a": {"b": 1}}, {"a": {"b": 2}})]
        [('a.b', 1, 2)]
    """
    return tuple(_annotation_changes((), old, new))


def _annotation_changes(keys: tuple[str | int, ...], old: Any, new: Any) -> Iterator[AnnotationChange]:
    # An empty object has no key that could tell that it came or went, so it counts as a plain value then.
    x = {} if old is ABSENT and isinstance(new, Mapping) and new else old
    y = {} if new is ABSENT and isinstance(old, Mapping) and old else new
    if isinstance(x, Mapping) and isinstance(y, Mapping):
        for key in {**x, **y}:
            yield from _annotation_changes((*keys, key), x.get(key, ABSENT), y.get(key, ABSENT))
    elif isinstance(old, list | tuple) and isinstance(new, list | tuple) and len(old) == len(new):
        for index, (x, y) in enumerate(zip(old, new, strict=True)):
            yield from _annotation_changes((*keys, index), x, y)
    elif old is ABSENT or new is ABSENT or json.dumps(old, sort_keys=True) != json.dumps(new, sort_keys=True):
        yield AnnotationChange(keys, old, new)
