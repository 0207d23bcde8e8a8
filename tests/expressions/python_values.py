"""What the names of an expression stand for when Python itself evaluates it.

The values behave like those of the dataclasses. Where the language differs from Python on purpose, they raise
`NotComparedError` instead of giving Python's answer: numbers out of the range of arithmetic, letters that change into
several, annotations of another kind than what they are compared with. Two differences are made up for: lists equal
tuples, and times are compared with texts.
"""

# ruff: noqa: D105  # What an operator does needs no words.

import ast
import operator
from collections.abc import Callable, Iterable, Sized
from fnmatch import fnmatchcase
from types import CodeType, SimpleNamespace
from typing import Any

from openg2g.models.instant import parse_instant
from openg2g.models.spec import LLMInferenceModelSpec
from tests.expressions.catalog_contents import Subject

_LARGEST_STORED = 2**40
_LARGEST_EXACT = 2**53  # Beyond, the language may compute with floating-point numbers.
_MAGNITUDES = (1e-30, 1e30)


class NotComparedError(Exception):
    """Python's answer and the language's differ here on purpose."""


def compiled(expression: str) -> CodeType:
    """Compile an expression; its floating-point literals are made such that they leave arithmetic to `Whole`."""
    tree = _Literals().visit(ast.parse(expression, mode="eval"))
    return compile(ast.fix_missing_locations(tree), "<expression>", "eval")


class _Literals(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.Call(ast.Name("_literal", ast.Load()), [node], []) if isinstance(node.value, float) else node


def evaluate(code: CodeType, subject: Subject) -> bool:
    """Say what Python says of an expression that was compiled.

    Raises:
        NotComparedError: It says nothing, or what the language does not mean to say.
    """
    try:
        return bool(eval(code, namespace_of(subject)))
    except (LookupError, ArithmeticError, ValueError, TypeError, AttributeError, NameError) as error:
        raise NotComparedError from error


def namespace_of(subject: Subject) -> dict[str, Any]:
    """Return what the names of the language stand for."""
    workload, revision = subject.workload, subject.revision
    return {
        "models": Items(map(_spec, workload.models)),
        "model_labels": Items(map(Text, workload.model_labels)),
        "total_gpus": Whole(workload.total_gpus),
        "initial_batch_size_by_model": {Text(k): Whole(v) for k, v in workload.initial_batch_size_by_model.items()},
        "itl_deadline_by_model": {Text(k): Real(v) for k, v in workload.itl_deadline_by_model.items()},
        "required_measured_gpus": {Text(k): Whole(v) for k, v in workload.required_measured_gpus.items()},
        "feasible_batch_sizes_union": Items(map(Whole, workload.feasible_batch_sizes_union)),
        **{name: Text(getattr(revision, name)) for name in ("name", "digest", "author", "message", "source")},
        "number": Whole(revision.number),
        "recorded_at": Time(revision.recorded_at),
        "effective_from": Time(revision.effective_from),
        "annotations": Json(revision.annotations),
        "tags": {Text(key): Text(value) for key, value in subject.tags.items()},
        "aliases": Items(map(Text, subject.aliases)),
        "_literal": Literal,
        "sum": _sum,
        "len": _len,
        "fnmatch": _fnmatch,
        "date": lambda text: Time(parse_instant(text)),
    }


def _spec(spec: LLMInferenceModelSpec) -> SimpleNamespace:
    return SimpleNamespace(
        model_label=Text(spec.model_label),
        num_replicas=Whole(spec.num_replicas),
        gpus_per_replica=Whole(spec.gpus_per_replica),
        initial_batch_size=Whole(spec.initial_batch_size),
        itl_deadline_s=Real(spec.itl_deadline_s),
        feasible_batch_sizes=Items(map(Whole, spec.feasible_batch_sizes)),
        total_gpus=Whole(spec.total_gpus),
    )


def _in_range(value: object) -> Any:
    """Return a number as Python's own."""
    if isinstance(value, Json):
        value = value.number()
    is_small = not isinstance(value, Whole) or abs(value) <= _LARGEST_STORED
    is_middling = not isinstance(value, Real) or value == 0.0 or _MAGNITUDES[0] <= abs(value) <= _MAGNITUDES[1]
    if not is_small or not is_middling:
        raise NotComparedError
    return float(value) if isinstance(value, float) else int(value) if isinstance(value, Whole) else value


def _result(value: Any) -> Any:
    if isinstance(value, float):
        return Real(value)
    if abs(value) > _LARGEST_EXACT:
        raise NotComparedError
    return Whole(value)


def _forward(function: Callable[[Any, Any], Any]) -> Any:
    return lambda self, other: _result(function(_in_range(self), _in_range(other)))


def _reflected(function: Callable[[Any, Any], Any]) -> Any:
    return lambda self, other: _result(function(_in_range(other), _in_range(self)))


class Arithmetic:
    """Computes as Python does, within the range of the language."""

    __add__, __radd__ = _forward(operator.add), _reflected(operator.add)
    __sub__, __rsub__ = _forward(operator.sub), _reflected(operator.sub)
    __mul__, __rmul__ = _forward(operator.mul), _reflected(operator.mul)
    __truediv__, __rtruediv__ = _forward(operator.truediv), _reflected(operator.truediv)
    __floordiv__, __rfloordiv__ = _forward(operator.floordiv), _reflected(operator.floordiv)
    __mod__, __rmod__ = _forward(operator.mod), _reflected(operator.mod)

    def __neg__(self) -> Any:
        return _result(-_in_range(self))

    def __pos__(self) -> Any:
        return self  # Python's own would be a plain number, whose range nobody looks at.


class Whole(Arithmetic, int):
    """A whole number."""


class Literal(Arithmetic, float):
    """A floating-point number that is written out: of any size. Python's own would divide by a `Whole` by itself."""


def _as_floats(function: Callable[[float, float], bool]) -> Any:
    return lambda self, other: function(float(self), float(other)) if isinstance(other, int | float) else NotImplemented


class Real(Arithmetic, float):
    """A floating-point number; the language compares it with others of its kind only."""

    __lt__, __le__ = _as_floats(operator.lt), _as_floats(operator.le)
    __gt__, __ge__ = _as_floats(operator.gt), _as_floats(operator.ge)
    __eq__, __ne__ = _as_floats(operator.eq), _as_floats(operator.ne)
    __hash__ = float.__hash__


class Text(str):
    """A text; where a letter would become several, nothing is said."""

    def lower(self) -> "Text":
        return _letter_by_letter(self, str.lower)

    def upper(self) -> "Text":
        return _letter_by_letter(self, str.upper)


def _letter_by_letter(text: str, function: Callable[[str], str]) -> Text:
    if any(len(function(letter)) > 1 for letter in text) or "".join(map(function, text)) != function(str(text)):
        raise NotComparedError
    return Text(function(str(text)))


class Items(list[Any]):
    """A list that equals a tuple of the same items."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, list | tuple) and list(self) == list(other)

    def __ne__(self, other: object) -> bool:
        return not self == other


class Time:
    """A time that can be compared with a text."""

    def __init__(self, at: Any) -> None:
        self.at = at

    def __eq__(self, other: object) -> bool:
        return bool(self.at == _instant(other))

    def __lt__(self, other: object) -> bool:
        return bool(self.at < _instant(other))

    def __le__(self, other: object) -> bool:
        return bool(self.at <= _instant(other))

    def __gt__(self, other: object) -> bool:
        return bool(self.at > _instant(other))

    def __ge__(self, other: object) -> bool:
        return bool(self.at >= _instant(other))


def _instant(value: object) -> Any:
    return value.at if isinstance(value, Time) else parse_instant(str(value))


def _compared(function: Callable[[Any, Any], Any]) -> Any:
    def compare(self: "Json", other: object) -> bool:
        if isinstance(other, str):
            return bool(function(self.text(), other))
        if isinstance(other, bool):
            return bool(function(self.boolean(), other))
        return bool(function(self.number(), other.number() if isinstance(other, Json) else other))

    return compare


class Json(Arithmetic):
    """A place in the annotations; it is taken for what it is compared with, and says nothing if it is another kind."""

    __lt__, __le__ = _compared(operator.lt), _compared(operator.le)
    __gt__, __ge__ = _compared(operator.gt), _compared(operator.ge)
    __eq__, __ne__ = _compared(operator.eq), _compared(operator.ne)

    def __init__(self, value: Any) -> None:
        self.value = value

    def __getitem__(self, key: Any) -> "Json":
        if not isinstance(self.value, dict if isinstance(key, str) else list):
            raise NotComparedError
        return Json(self.value[key])

    def __contains__(self, item: object) -> bool:
        return (item.text() if isinstance(item, Json) else item) in self.container()

    def __bool__(self) -> bool:
        return self.boolean()

    def __pos__(self) -> Real:
        return self.number()

    def container(self) -> Any:
        if not isinstance(self.value, dict | list | str):
            raise NotComparedError
        return self.value

    def text(self) -> Text:
        if not isinstance(self.value, str):
            raise NotComparedError
        return Text(self.value)

    def boolean(self) -> bool:
        if not isinstance(self.value, bool):
            raise NotComparedError
        return self.value

    def number(self) -> Real:
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or abs(self.value) >= 10**300:
            raise NotComparedError
        return Real(self.value)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.text(), name)


def _sum(items: Iterable[Any]) -> Any:
    total: Any = Whole(0)
    for item in items:  # Python's own compensates for rounding in some releases.
        total = total + item
    return total


def _len(items: Any) -> Whole:
    if isinstance(items, Json):
        items = items.container()
    return Whole(len(items) if isinstance(items, Sized) else sum(1 for _ in items))


def _fnmatch(text: Any, pattern: str) -> bool:
    return fnmatchcase(text.text() if isinstance(text, Json) else text, pattern)
