"""Which revision gave each field of a workload its present value."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

from openg2g.models.revision import Revision
from openg2g.models.spec import LLMInferenceModelSpec

POSITION = "position"
"""What stands beside the six fields: where the model stands in the workload, counted from 0."""

BLAMED_FIELDS = (*(field.name for field in fields(LLMInferenceModelSpec)), POSITION)
"""What is blamed of each model, in order."""

_Values = Mapping[tuple[str, str], object]


@dataclass(frozen=True)
class FieldBlame:
    """A field of a model, and the revision that it has had its present value since.

    Attributes:
        model_label: Label of the model.
        field: One of `BLAMED_FIELDS`. For `model_label`, it is the revision that the model has been there since.
        value: The present value.
        revision: The first revision of the unbroken run up to the last one in which the model has this value.
    """

    model_label: str
    field: str
    value: object
    revision: Revision


def blame(revisions: Sequence[Revision]) -> tuple[FieldBlame, ...]:
    """Say for every field of the last revision's workload which revision gave it its value.

    A value that was changed and changed back is the later revision's, and a model that was removed and added again
    begins anew; so does one under a new label. A revision without a workload, which retires a name, removes all models.

    Args:
        revisions: Revisions of one name, oldest first, at least one.

    Returns:
        Model by model in the order of the workload, `BLAMED_FIELDS` of each.

    Raises:
        ValueError: There is no revision.
    """
    if not revisions:
        raise ValueError("revisions must not be empty.")
    present = _values(revisions[-1])
    since = dict.fromkeys(present, revisions[-1])
    unbroken = set(present)
    for revision in reversed(revisions[:-1]):
        earlier = _values(revision)
        unbroken = {key for key in unbroken if key in earlier and earlier[key] == present[key]}
        if not unbroken:
            break
        since.update(dict.fromkeys(unbroken, revision))
    return tuple(FieldBlame(label, field, value, since[label, field]) for (label, field), value in present.items())


def _values(revision: Revision) -> _Values:
    """Return (label, field) → value for every field of a revision's workload."""
    models = () if revision.workload is None else revision.workload.models
    return {
        (spec.model_label, field): position if field == POSITION else getattr(spec, field)
        for position, spec in enumerate(models)
        for field in BLAMED_FIELDS
    }
