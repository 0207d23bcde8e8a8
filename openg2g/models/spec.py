"""The domain: what a datacenter serves, as two immutable values.

An `LLMInferenceWorkload` is an ordered set of `LLMInferenceModelSpec`. Both are values: they validate themselves,
can be compared and hashed, and say nothing about names, revisions, times or storage.

Source: the classes of the same name in OpenG2G 0.0.1 (`openg2g/models/spec.py`). Whatever those accept for a good
reason is accepted here with the same meaning; values that nobody can mean are refused on top.
"""

import math
import numbers
import operator
import reprlib
import unicodedata
from collections.abc import Callable, Iterable, Mapping, Set
from dataclasses import dataclass
from typing import cast

MAX_LABEL_LENGTH = 200
"""Characters in a model label."""

MIN_REPLICAS = 0
"""Lower limit of replicas: a model may be configured and not served."""

MIN_GPUS_PER_REPLICA = 1
"""Lower limit of GPUs per replica."""

MIN_BATCH_SIZE = 1
"""Lower limit of batch sizes, initial and feasible."""

MAX_COUNT = 2**31 - 1
"""Upper limit of replicas, GPUs per replica and batch sizes: their products still fit a 64-bit SQL integer."""

MAX_TOTAL_GPUS = 2**63 - 1
"""Upper limit of a workload's `total_gpus`, a 64-bit SQL integer."""

_UNPRINTABLE_CATEGORIES = frozenset({"Cc", "Cs", "Zl", "Zp"})


def is_unprintable(character: str) -> bool:
    """Whether a character is a control character, a lone surrogate, or a line or paragraph separator."""
    return unicodedata.category(character) in _UNPRINTABLE_CATEGORIES


def _frozen_sequence(value: object) -> tuple[object, ...] | None:
    """Freeze what has an order to a tuple; None for text, sets, mappings and what cannot be iterated."""
    if isinstance(value, list | tuple):
        return tuple(value)
    if isinstance(value, str | bytes | Set | Mapping) or not isinstance(value, Iterable):
        return None
    try:
        return tuple(value)
    except TypeError:  # An array without dimensions says that it can be iterated, and cannot.
        return None


def _checked_label(value: object) -> str:
    if not isinstance(value, str):
        raise ValueError(f"model_label must be a string, got {reprlib.repr(value)}.")
    if not value.strip():
        raise ValueError(f"model_label must not be blank, got {reprlib.repr(value)}.")
    if len(value) > MAX_LABEL_LENGTH:
        raise ValueError(f"model_label must have at most {MAX_LABEL_LENGTH} characters, got {len(value)}.")
    if not value.isprintable() and any(map(is_unprintable, value)):
        raise ValueError(f"model_label must not contain control characters, got {reprlib.repr(value)}.")
    return str.__str__(value)  # Of a subclass, the text itself and not what it prints.


def _checked_integer(field: str, value: object, minimum: int, rule: str) -> int:
    if type(value) is int and minimum <= value <= MAX_COUNT:  # Nearly always; a sweep checks millions.
        return value
    if isinstance(value, bool):
        raise ValueError(f"{field} must be an integer, got {value}.")
    try:
        number = operator.index(value)  # type: ignore[arg-type]  # numpy integers have __index__; the rest raises.
    except TypeError:
        raise ValueError(f"{field} must be an integer, got {reprlib.repr(value)}.") from None
    if number < minimum:
        raise ValueError(f"{field} must be {rule}, got {reprlib.repr(number)}.")
    if number > MAX_COUNT:
        raise ValueError(f"{field} must be <= {MAX_COUNT}, got {reprlib.repr(number)}.")
    return number


def _checked_deadline(value: object) -> float:
    if type(value) is not float and not _is_real_number(value):
        raise ValueError(f"itl_deadline_s must be a number, got {reprlib.repr(value)}.")
    try:
        seconds = float(value)  # type: ignore[arg-type]  # A real number.
    except (OverflowError, ValueError):  # An integer beyond every float; a signalling NaN.
        raise ValueError(f"itl_deadline_s must be finite, got {reprlib.repr(value)}.") from None
    if seconds <= 0:
        raise ValueError(f"itl_deadline_s must be > 0, got {value}.")
    if not math.isfinite(seconds):
        raise ValueError(f"itl_deadline_s must be finite, got {seconds}.")
    return seconds


def _is_real_number(value: object) -> bool:
    if isinstance(value, numbers.Real):
        return not isinstance(value, bool)
    from decimal import Decimal  # Imported late: it takes a tenth of the start of `openg2g --help`.

    return isinstance(value, Decimal)


def _checked_batch_sizes(value: object) -> tuple[int, ...]:
    sizes = _frozen_sequence(value)
    if sizes is None:
        raise ValueError(f"feasible_batch_sizes must be a list of integers, got {reprlib.repr(value)}.")
    if not sizes:
        raise ValueError("feasible_batch_sizes must not be empty.")
    if set(map(type, sizes)) == {int}:  # Nearly always, as above.
        integers = cast("tuple[int, ...]", sizes)
        if min(integers) >= MIN_BATCH_SIZE and max(integers) <= MAX_COUNT:
            return integers
    return tuple(
        _checked_integer(f"feasible_batch_sizes[{i}]", size, MIN_BATCH_SIZE, "> 0") for i, size in enumerate(sizes)
    )


MODEL_SPEC_RULES: Mapping[str, Callable[[object], object]] = {
    "model_label": _checked_label,
    "feasible_batch_sizes": _checked_batch_sizes,
    "num_replicas": lambda value: _checked_integer("num_replicas", value, MIN_REPLICAS, ">= 0"),
    "gpus_per_replica": lambda value: _checked_integer("gpus_per_replica", value, MIN_GPUS_PER_REPLICA, ">= 1"),
    "initial_batch_size": lambda value: _checked_integer("initial_batch_size", value, MIN_BATCH_SIZE, "> 0"),
    "itl_deadline_s": _checked_deadline,
}
"""Field name → its rule, in the order of checking.

A rule returns the value as the dataclass keeps it, or raises `ValueError`. `LLMInferenceModelSpec` stops at the first
refusal; whoever reports all problems of a document at once calls every rule.
"""


@dataclass(frozen=True)
class LLMInferenceModelSpec:
    """One large language model as a datacenter serves it.

    It says how much of the model is served and within which limits; it is not the model itself (no weights, no power
    curves), and it holds no state of a running simulation.

    Attributes:
        model_label: Human-readable identifier, 1 to 200 printable characters (`"Llama-3.1-70B"`).
        num_replicas: Replicas of this model in the whole datacenter, >= 0. A model with 0 replicas is legal.
        gpus_per_replica: GPUs of each replica, >= 1 (model parallelism and per-replica power).
        initial_batch_size: Batch size in requests that the simulation starts with, > 0. It need not be feasible.
        itl_deadline_s: Inter-token latency deadline of the latency dual in online feedback optimization (OFO),
            seconds, finite and > 0.
        feasible_batch_sizes: Batch sizes in requests that OFO may choose, each > 0, at least one, declaration order
            kept. Baseline mode uses only the first.

    Raises:
        ValueError: A field breaks its rule; the message is field, rule, value.

    Example:
        >>> spec = LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1, feasible_batch_sizes=[64, 128])
        >>> spec.feasible_batch_sizes, spec.total_gpus
        ((64, 128), 720)
    """

    model_label: str
    num_replicas: int
    gpus_per_replica: int
    initial_batch_size: int
    itl_deadline_s: float
    feasible_batch_sizes: tuple[int, ...] = (128,)

    def __post_init__(self) -> None:
        """Replace each field by what its rule makes of it: lists become tuples, numpy numbers Python numbers."""
        for field, checked in MODEL_SPEC_RULES.items():
            object.__setattr__(self, field, checked(getattr(self, field)))

    @property
    def total_gpus(self) -> int:
        """GPUs of all replicas: num_replicas × gpus_per_replica."""
        return self.num_replicas * self.gpus_per_replica


@dataclass(frozen=True)
class LLMInferenceWorkload:
    """The ordered set of models that a datacenter serves.

    Attributes:
        models: Model specs with distinct labels, at least one, declaration order kept.

    Raises:
        ValueError: No model, something that is not a model spec, two models of one label, or more GPUs than a 64-bit
            integer counts.

    Example:
        >>> workload = LLMInferenceWorkload((
        ...     LLMInferenceModelSpec("Llama-3.1-8B", 720, 1, 128, 0.08),
        ...     LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1),
        ... ))
        >>> workload.total_gpus
        1440
    """

    models: tuple[LLMInferenceModelSpec, ...]

    def __post_init__(self) -> None:
        """Freeze the models to a tuple and check them."""
        models = _frozen_sequence(self.models)
        if models is None:
            raise ValueError(f"models must be a list of LLMInferenceModelSpec, got {reprlib.repr(self.models)}.")
        object.__setattr__(self, "models", models)
        if not models:
            raise ValueError("LLMInferenceWorkload requires at least one model.")
        for position, model in enumerate(models):
            if not isinstance(model, LLMInferenceModelSpec):
                raise ValueError(f"models[{position}] must be an LLMInferenceModelSpec, got {reprlib.repr(model)}.")
        labels = self.model_labels
        if len(set(labels)) != len(labels):
            raise ValueError(f"Duplicate model labels: {labels}")
        if self.total_gpus > MAX_TOTAL_GPUS:
            raise ValueError(f"total_gpus must be <= {MAX_TOTAL_GPUS}, got {self.total_gpus}.")

    @property
    def model_labels(self) -> list[str]:
        """Labels of the models, in order."""
        return [model.model_label for model in self.models]

    @property
    def total_gpus(self) -> int:
        """GPUs of all models: the sum of num_replicas × gpus_per_replica."""
        return sum([model.num_replicas * model.gpus_per_replica for model in self.models])

    @property
    def initial_batch_size_by_model(self) -> dict[str, int]:
        """Model label → initial batch size in requests."""
        return {model.model_label: model.initial_batch_size for model in self.models}

    @property
    def itl_deadline_by_model(self) -> dict[str, float]:
        """Model label → inter-token latency deadline in seconds."""
        return {model.model_label: model.itl_deadline_s for model in self.models}

    @property
    def required_measured_gpus(self) -> dict[str, int]:
        """Model label → GPUs that a measurement of one replica needs (`gpus_per_replica`)."""
        return {model.model_label: model.gpus_per_replica for model in self.models}

    @property
    def feasible_batch_sizes_union(self) -> list[int]:
        """Every batch size that is feasible for at least one model, in requests, ascending."""
        return sorted({size for model in self.models for size in model.feasible_batch_sizes})
