"""The typed tree of an expression: what reading makes, and what becomes SQL or a Python predicate.

Every node has a `type`. Some may have no value: a key that is not there, an index beyond the end, a division by zero, a
number too large to compute with. Whatever is computed from one that has none has none either; a comparison with it is
false, so conditions always have a value.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from openg2g.expressions.types import BOOLEAN, TEXT, Kind, Type, integer

Comparison = Literal["==", "!=", "<", "<=", ">", ">="]
Computation = Literal["+", "-", "*", "/", "//", "%"]
AggregateFunction = Literal["any", "all", "sum", "min", "max", "len"]
Scalar = bool | int | float | str | datetime


class Expression:
    """Any node."""

    type: Type


@dataclass(frozen=True)
class Constant(Expression):
    """A literal or parameter."""

    value: Scalar
    type: Type


@dataclass(frozen=True)
class Constants(Expression):
    """A list, tuple or set of literals of one type, or a parameter that is one."""

    values: tuple[Scalar, ...]
    type: Type
    is_ordered: bool = True


@dataclass(frozen=True)
class Field(Expression):
    """A name of the vocabulary, or a fact that is stored of a workload."""

    name: str
    type: Type


@dataclass(frozen=True)
class Variable(Expression):
    """What a loop is at: a model spec, a batch size, a label. `number` tells variables of one name apart."""

    name: str
    type: Type
    number: int = 0


@dataclass(frozen=True)
class Element(Expression):
    """An item of a sequence by its index; negative ones count from the end. No value beyond either end."""

    sequence: "Sequence"
    index: int
    type: Type


@dataclass(frozen=True)
class SpecField(Expression):
    """A field of a model spec."""

    spec: Variable | Element
    name: str
    type: Type


@dataclass(frozen=True)
class Lookup(Expression):
    """The value of a key in a mapping of the vocabulary; no value where there is no such key."""

    mapping: str
    key: Expression
    type: Type


@dataclass(frozen=True)
class Annotation(Expression):
    """A place in the annotations, read as a number, text or boolean; no value where it is of another kind."""

    path: tuple[str | int, ...]
    type: Type


@dataclass(frozen=True)
class AnnotationContains(Expression):
    """Whether a place in the annotations is an object with a key, a list with a text, or a text with another in it.

    No value where nothing, or something else, is there.
    """

    path: tuple[str | int, ...]
    item: Expression
    type = BOOLEAN


@dataclass(frozen=True)
class Compare(Expression):
    """A comparison of two values of one kind."""

    operator: Comparison
    left: Expression
    right: Expression
    type = BOOLEAN


@dataclass(frozen=True)
class OneOf(Expression):
    """Whether a value is one of some constants of its kind."""

    operand: Expression
    constants: Constants
    type = BOOLEAN


@dataclass(frozen=True)
class Present(Expression):
    """Whether something has a value."""

    operand: Expression
    type = BOOLEAN


@dataclass(frozen=True)
class Logical(Expression):
    """Conditions joined by `and` or `or`."""

    operator: Literal["and", "or"]
    operands: tuple[Expression, ...]
    type = BOOLEAN


@dataclass(frozen=True)
class Not(Expression):
    """A condition negated."""

    operand: Expression
    type = BOOLEAN


@dataclass(frozen=True)
class Compute(Expression):
    """Two numbers of one kind computed with; `//` and `%` meet no negative number, and `/` no whole one."""

    operator: Computation
    left: Expression
    right: Expression
    type: Type


@dataclass(frozen=True)
class AsFloat(Expression):
    """A whole number as a floating-point number."""

    operand: Expression
    type: Type


@dataclass(frozen=True)
class InRange(Expression):
    """A stored number in arithmetic: no value beyond the bounds of the type."""

    operand: Expression
    type: Type


@dataclass(frozen=True)
class Choice(Expression):
    """`then if test else otherwise`, both of one kind."""

    test: Expression
    then: Expression
    otherwise: Expression
    type: Type


@dataclass(frozen=True)
class TextLength(Expression):
    """Characters of a text."""

    operand: Expression
    type = integer(0, 2**31)


@dataclass(frozen=True)
class AnnotationLength(Expression):
    """Items of a list, keys of an object, or characters of a text in the annotations; no value of anything else."""

    path: tuple[str | int, ...]
    type = integer(0, 2**31)


@dataclass(frozen=True)
class TextCase(Expression):
    """A text in lower or upper case, letter by letter."""

    function: Literal["lower", "upper"]
    operand: Expression
    type = TEXT


@dataclass(frozen=True)
class TextTest(Expression):
    """Whether a text begins or ends with a constant text, contains it, or matches it as a pattern."""

    test: Literal["startswith", "endswith", "contains", "fnmatch"]
    operand: Expression
    text: str
    type = BOOLEAN


@dataclass(frozen=True)
class Loop:
    """`for variable in sequence if conditions`."""

    variable: Variable
    sequence: "Sequence"
    conditions: tuple[Expression, ...] = ()


@dataclass(frozen=True)
class Aggregate(Expression):
    """What a function makes of a generator expression; `len` counts its elements.

    `sum`, `min` and `max` pass over elements that have no value; `min` and `max` of nothing have none.
    """

    function: AggregateFunction
    element: Expression
    loops: tuple[Loop, ...]
    type: Type


Sequence = Field | SpecField | Constants
"""What can be looped over."""

TRUE = Constant(True, BOOLEAN)
FALSE = Constant(False, BOOLEAN)


def children(node: object) -> list[object]:
    """Return the nodes right below a node, loops included."""
    flat = [item for value in vars(node).values() for item in (value if isinstance(value, tuple) else (value,))]
    return [item for item in flat if isinstance(item, Expression | Loop)]


def size(node: Expression) -> int:
    """Count the nodes and constants as they come in SQL, where some operands stand several times."""

    def own(part: object) -> int:
        return len(part.values) if isinstance(part, Constants) else 1

    return _folded(node, lambda part, below: own(part) + sum(below) * _COPIES.get(type(part), 1))


def sql_depth(node: Expression) -> int:
    """Return how deep the SQL of a node nests, in entries of SQLite's parser stack; it has 100, and the query some."""
    return _folded(node, lambda part, below: max(below, default=0) + _STACKED.get(type(part), 2))


def _folded(node: object, measure: Callable[[object, list[int]], int]) -> int:
    """Measure a node by the measures of those below it; what stands in several places is measured once."""
    known: dict[int, int] = {}

    def measured(part: object) -> int:
        if id(part) not in known:
            known[id(part)] = measure(part, [measured(child) for child in children(part)])
        return known[id(part)]

    return measured(node)


_COPIES = {InRange: 4, AnnotationContains: 4}
_STACKED = {
    Constant: 0,
    Constants: 0,
    Field: 0,
    Variable: 0,
    Loop: 0,
    Annotation: 6,
    Lookup: 10,
    Element: 10,
    SpecField: 0,
    AnnotationContains: 8,
    Compute: 3,
    AsFloat: 4,
    InRange: 6,
    Choice: 6,
    Aggregate: 10,
}
"""Measured on SQLite's grammar, and rounded up."""


def may_lack_value(node: object) -> bool:
    """Whether a node may have no value."""
    match node:
        case Element() | Lookup() | Annotation() | AnnotationLength() | InRange():
            return True
        case Compute(operator="/" | "//" | "%") | Aggregate(function="min" | "max"):
            return True
        case Aggregate() | Expression(type=Type(kind=Kind.BOOLEAN)):
            return False
        case _:
            return any(may_lack_value(child) for child in children(node))
