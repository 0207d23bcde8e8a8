"""Changes of a workload, written as text: one workload derived from another without a file between them.

    LABEL.FIELD=VALUE       Llama-3.1-70B.num_replicas=120
    LABEL.FIELD+=VALUE      Llama-3.1-70B.itl_deadline_s+=0.01      Llama-3.1-70B.feasible_batch_sizes+=256,512
    LABEL.FIELD-=VALUE      Llama-3.1-70B.num_replicas-=10          Llama-3.1-70B.feasible_batch_sizes-=8
    LABEL.model_label=NEW   Llama-3.1-70B.model_label=Llama-3.3-70B

Labels contain dots, so the field is what follows the last dot before the operator. Batch sizes stand between commas or
blanks; `+=` appends those that are not there yet, `-=` takes sizes out. Models are added and removed by `AddModel` and
`RemoveModel`. The rules of the values are those of the dataclasses, and theirs only.
"""

import difflib
import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Context
from typing import Any, Literal, cast

from openg2g.models.errors import InvalidChangeError
from openg2g.models.spec import MODEL_SPEC_RULES, LLMInferenceModelSpec, LLMInferenceWorkload

Operator = Literal["=", "+=", "-="]

_FIELDS = tuple(MODEL_SPEC_RULES)
# The first known field wins: a new label may hold anything, `.num_replicas=` included.
_CHANGE = re.compile(rf"(.+?)\.({'|'.join(_FIELDS)})\s*(\+=|-=|=)(.*)", re.DOTALL)
_CHANGE_OF_ANY_FIELD = re.compile(r"(.+?)\.([^\s.=]+?)\s*(\+=|-=|=)(.*)", re.DOTALL)
_INTEGER = re.compile(r"[+-]?[0-9]+")
_DECIMAL = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_EXACT = Context(prec=40)  # Two doubles have 17 digits each; the user's own context may be set to anything.
_SHOWN_CHARACTERS = 60


@dataclass(frozen=True)
class SetField:
    """A field of one model gets another value.

    Attributes:
        label: Label of the model at the time of the change.
        field: One of the six fields.
        operator: `=` sets, `+=` adds or appends, `-=` subtracts or takes out.
        value: The value as text.

    Raises:
        InvalidChangeError: There is no such field.
    """

    label: str
    field: str
    operator: Operator
    value: str

    def __post_init__(self) -> None:
        """Check the field; whether the rest makes sense depends on the workload."""
        if self.field not in MODEL_SPEC_RULES:
            hint = _did_you_mean(self.field, _FIELDS) or f" Fields: {', '.join(_FIELDS)}."
            raise InvalidChangeError([f"{_shown(str(self))}: {self.field} is not a field of a model.{hint}"])

    def __str__(self) -> str:
        """The change as it is written."""
        return f"{self.label}.{self.field}{self.operator}{self.value}"


@dataclass(frozen=True)
class AddModel:
    """A model is added.

    Attributes:
        spec: The model.
        position: Where, counted from 0; None for the end.
    """

    spec: LLMInferenceModelSpec
    position: int | None = None

    def __str__(self) -> str:
        """What is to be done, for messages."""
        return f"add {self.spec.model_label}"


@dataclass(frozen=True)
class RemoveModel:
    """A model is removed.

    Attributes:
        label: Label of the model.
    """

    label: str

    def __str__(self) -> str:
        """What is to be done, for messages."""
        return f"remove {self.label}"


Change = SetField | AddModel | RemoveModel
"""What `edited` does to a workload."""


def parse_change(text: str) -> SetField:
    """Read a change of a field.

    Raises:
        InvalidChangeError: The text is none, or names an unknown field.

    Example:
        >>> parse_change("Llama-3.1-70B.num_replicas += 20")
        SetField(label='Llama-3.1-70B', field='num_replicas', operator='+=', value='20')
    """
    match = _CHANGE.fullmatch(text) or _CHANGE_OF_ANY_FIELD.fullmatch(text)
    if match is None:
        raise InvalidChangeError(
            [f"{_shown(text)}: a change must read LABEL.FIELD=VALUE, += or -=. Fields: {', '.join(_FIELDS)}."]
        )
    label, field, operator, value = match.groups()
    return SetField(label, field, cast(Operator, operator), value if field == "model_label" else value.strip())


def edited(workload: LLMInferenceWorkload, changes: Sequence[Change | str]) -> LLMInferenceWorkload:
    """Make changes to a workload, one after the other; texts are parsed first.

    Raises:
        InvalidChangeError: With everything that is wrong with the changes. A change that cannot be made is left out
            while the others are checked.

    Example:
        >>> workload = LLMInferenceWorkload((LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1),))
        >>> edited(workload, ["Llama-3.1-70B.num_replicas+=20"]).models[0].num_replicas
        200
    """
    specs = list(workload.models)
    problems: list[str] = []
    for item in changes:
        try:
            change = parse_change(item) if isinstance(item, str) else item
            specs = _with_change(specs, change)
        except InvalidChangeError as error:
            problems += error.problems
        except ValueError as error:
            problems.append(f"{_shown(str(item))}: {error}")
    if not problems:
        try:
            return LLMInferenceWorkload(tuple(specs))
        except ValueError as error:
            problems.append(f"the changed workload: {error}")
    raise InvalidChangeError(problems)


def edited_annotations(annotations: Mapping[str, Any], changes: Iterable[Change | str]) -> dict[str, Any]:
    """Take the annotations of a workload along through changes that `edited` has made.

    What stands under `models.LABEL` follows a model that is renamed, and goes with one that is removed: it would
    describe another model that gets the label later. Everything else stays as it is.
    """
    of_models = annotations.get("models")
    if not isinstance(of_models, Mapping):
        return dict(annotations)
    kept = dict(of_models)
    for item in changes:
        match parse_change(item) if isinstance(item, str) else item:
            case SetField(label, "model_label", _, new):
                kept = {new if key == label else key: value for key, value in kept.items()}
            case RemoveModel(label):
                kept.pop(label, None)
    return {**annotations, "models": kept}


def _with_change(specs: list[LLMInferenceModelSpec], change: Change) -> list[LLMInferenceModelSpec]:
    """Return the models after one change; raise `ValueError` with field, rule and value where it cannot be made."""
    labels = [spec.model_label for spec in specs]
    match change:
        case AddModel(spec, position):
            _check_free(spec.model_label, labels)
            index = len(specs) if position is None else position
            if not 0 <= index <= len(specs):
                raise ValueError(f"position must lie between 0 and {len(specs)}, got {index}.")
            return [*specs[:index], spec, *specs[index:]]
        case RemoveModel(label):
            index = _index_of(label, labels)
            return specs[:index] + specs[index + 1 :]
        case SetField(label, field, operator, text):
            index = _index_of(label, labels)
            value = _PARSERS[field](field, operator, text, getattr(specs[index], field))
            if field == "model_label" and value != label:
                _check_free(str(value), labels)
            changes: dict[str, Any] = {field: value}
            return [*specs[:index], replace(specs[index], **changes), *specs[index + 1 :]]


def _index_of(label: str, labels: Sequence[str]) -> int:
    if label not in labels:
        hint = _did_you_mean(label, labels) or f" Models: {', '.join(labels) or 'none'}."
        raise ValueError(f"no model has the label {_shown(label)!r}.{hint}")
    return labels.index(label)


def _check_free(label: str, labels: Sequence[str]) -> None:
    if label in labels:
        raise ValueError(f"model_label must be new, {_shown(label)!r} is there already.")


def _new_label(field: str, operator: Operator, text: str, _: object) -> str:
    if operator != "=":
        raise ValueError(f"{field} must be set with =, got {operator}.")
    return text


def _new_integer(field: str, operator: Operator, text: str, old: int) -> int:
    number = _integer(field, text)
    return number if operator == "=" else old + number if operator == "+=" else old - number


def _new_deadline(field: str, operator: Operator, text: str, old: float) -> float:
    if not _DECIMAL.fullmatch(text):
        raise ValueError(f"{field} must be a decimal number, got {_shown(text)!r}.")
    number = float(text)
    if operator == "=" or not math.isfinite(number):
        return number
    # Decimals, as the deadlines are written: 0.1 + 0.02 in binary would read 0.12000000000000001.
    a, b = _EXACT.create_decimal(repr(old)), _EXACT.create_decimal(repr(number))
    return float(_EXACT.add(a, b) if operator == "+=" else _EXACT.subtract(a, b))


def _new_batch_sizes(field: str, operator: Operator, text: str, old: tuple[int, ...]) -> tuple[int, ...]:
    words = re.split(r"\s*,\s*|\s+", text) if text else []
    if "" in words:
        raise ValueError(f"{field} must be integers between commas or blanks, got {_shown(text)!r}.")
    sizes = tuple(_integer(f"{field}[{index}]", word) for index, word in enumerate(words))
    if operator == "=":
        return sizes
    if not sizes:
        raise ValueError(f"{field}{operator} must be followed by a batch size.")
    if operator == "+=":
        return old + tuple(size for size in dict.fromkeys(sizes) if size not in old)
    missing = [size for size in sizes if size not in old]
    if missing:
        raise ValueError(
            f"{field} must contain what is taken out, {missing[0]} is not among {' '.join(map(str, old))}."
        )
    return tuple(size for size in old if size not in sizes)


def _integer(field: str, text: str) -> int:
    """Read an integer in ASCII digits; `int` would take underscores and the digits of other scripts, too."""
    if not _INTEGER.fullmatch(text):
        raise ValueError(f"{field} must be an integer written in the digits 0 to 9, got {_shown(text)!r}.")
    try:
        return int(text)
    except ValueError:  # Python reads no more than some thousands of digits.
        raise ValueError(f"{field} must have fewer digits, got {len(text)}.") from None


_PARSERS: Mapping[str, Callable[[str, Operator, str, Any], int | float | str | tuple[int, ...]]] = {
    "model_label": _new_label,
    "num_replicas": _new_integer,
    "gpus_per_replica": _new_integer,
    "initial_batch_size": _new_integer,
    "itl_deadline_s": _new_deadline,
    "feasible_batch_sizes": _new_batch_sizes,
}


def _did_you_mean(text: str, candidates: Sequence[str]) -> str:
    close = difflib.get_close_matches(text, candidates, n=3)
    return f" Did you mean {' or '.join(close)}?" if close else ""


def _shown(text: str) -> str:
    return text if len(text) <= _SHOWN_CHARACTERS else text[: _SHOWN_CHARACTERS - 1] + "…"
