"""What each version of OpenG2G refuses of a model, and which of its keys it ignores.

Both versions are lax with numbers (`"2"`, 2.0 and true pass for integers) and drop keys that they do not know. The
order of the feasible batch sizes, and one that is repeated, mean nothing to either: controllers go by the sorted set.

Source: `InferenceModelSpec` and `ModelDeployment` in `openg2g/datacenter/config.py` of OpenG2G 0.1.0 and 0.2.0.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from openg2g.formats.document import shown
from openg2g.models.spec import LLMInferenceModelSpec

MEASURED_FIELDS = ("gpu_model", "task", "batch_sizes", "fit_exclude_batch_sizes")
"""What 0.2 says in a model of how it was measured, and 0.1 in the `data_sources` of a file."""

FIELDS_OF_0_2 = (*MEASURED_FIELDS, "precision", "tensor_parallel", "expert_parallel")
"""Fields of a model that only 0.2 has."""

_REQUIRED_0_2 = ("model_id", "gpu_model", "task", "batch_sizes")
_TEXTS = {"0.1": ("model_id",), "0.2": ("model_id", "gpu_model", "task", "precision")}
_SIZES_LISTED = 10
_INTEGER = re.compile(r"\s*[+-]?[0-9](_?[0-9]){0,4000}(\.0*)?\s*")
_FLOAT_LIMIT = 2**63
_COUNTS_0_2 = ("tensor_parallel", "expert_parallel")


def refusals(spec: LLMInferenceModelSpec, extras: Mapping[str, Any], version: str) -> Iterator[tuple[str, str]]:
    """Yield field and message of everything that a version refuses of a model."""
    refuses = f"OpenG2G {version} refuses it."
    if spec.initial_batch_size not in spec.feasible_batch_sizes:
        message = f"is {spec.initial_batch_size}, which feasible_batch_sizes has not: {refuses}"
        yield "initial_batch_size", f"{message} Make it feasible, or start with one that is."
    for field in _TEXTS[version]:
        if field in extras and not isinstance(extras[field], str):
            yield field, f"must be a string, got {shown(extras[field])}: {refuses}"
    if version == "0.2":
        yield from _refusals_of_0_2(spec, extras, refuses)


def _refusals_of_0_2(spec: LLMInferenceModelSpec, extras: Mapping[str, Any], refuses: str) -> Iterator[tuple[str, str]]:
    for field in _REQUIRED_0_2:
        if field not in extras:
            hint = f"Say it in annotations.models.{spec.model_label}."
            yield field, f"is not known, and OpenG2G 0.2 requires it. {hint}"
    for field in _COUNTS_0_2:
        number = _integer(extras.get(field, 1))
        if number is None or number < 1:
            yield field, f"must be an integer >= 1, got {shown(extras[field])}: {refuses}"
    for field in ("batch_sizes", "fit_exclude_batch_sizes"):
        if field in extras and _integers(extras[field]) is None:
            yield field, f"must be a list of integers, got {shown(extras[field])}: {refuses}"
    measured = _integers(extras.get("batch_sizes"))
    if measured == []:
        yield "batch_sizes", f"must not be empty: {refuses}"
    elif measured is not None:
        known = set(measured)
        missing = [size for size in dict.fromkeys(spec.feasible_batch_sizes) if size not in known]
        if missing:
            listed = " ".join(map(str, missing[:_SIZES_LISTED])) + (" …" if len(missing) > _SIZES_LISTED else "")
            yield "feasible_batch_sizes", f"has {listed}, which batch_sizes has not: {refuses}"


def _integers(value: object) -> list[int] | None:
    """Read a list of integers as pydantic does; None where it refuses it."""
    if not isinstance(value, list | tuple):
        return None
    numbers = [_integer(item) for item in value]
    known = [number for number in numbers if number is not None]
    return known if len(known) == len(numbers) else None


def _integer(value: object) -> int | None:
    """Read an integer as pydantic does, which takes `"2"` and 2.0 for one; None where it refuses it."""
    match value:
        case int():
            return int(value)
        case float() if value.is_integer() and abs(value) < _FLOAT_LIMIT:
            return int(value)
        case str() if _INTEGER.fullmatch(value):
            return int(value.partition(".")[0])
        case _:
            return None
