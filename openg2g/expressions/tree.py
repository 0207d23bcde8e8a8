"""The typed tree of an expression: what reading makes, and what becomes SQL or a Python predicate.

Every node has a `type`. Some may have no value: a key that is not there, an index beyond the end, a division by zero, a
number too large to compute with. Whatever is computed from one that has none has none either; a comparison with it is
false, so conditions always have a value.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Literal

from openg2g.expressions.types import BOOLEAN, TEXT, Kind, Type, integer

Comparison = Literal["==", "!=", "<", "<=", ">", ">="]
Computation = Literal["+", "-", "*", "/", "//", "%"]
AggregateFunction = Literal["any", "all", "sum", "min", "max", "len"]
Scalar = bool | int | float | str | datetime


@dataclass(frozen=True)
class Constant:
    """A literal or parameter."""

    value: Scalar
    type: Type


@dataclass(frozen=True)
class Constants:
    """A list, tuple or set of literals of one type, or a parameter that is one."""

    values: tuple[Scalar, ...]
    type: Type
    is_ordered: bool = True


@dataclass(frozen=True)
class Field:
    """A name of the vocabulary, or a fact that is stored of a workload."""

    name: str
    type: Type


@dataclass(frozen=True)
class Variable:
    """What a loop is at: a model spec, a batch size, a label. `number` tells variables of one name apart."""

    name: str
    type: Type
    number: int = 0


@dataclass(frozen=True)
class Element:
    """An item of a sequence by its index; negative ones count from the end. No value beyond either end."""

    sequence: "Sequence"
    index: int
    type: Type


@dataclass(frozen=True)
class SpecField:
    """A field of a model spec."""

    spec: "Variable | Element"
    name: str
    type: Type


@dataclass(frozen=True)
class Lookup:
    """The value of a key in a mapping of the vocabulary; no value where there is no such key."""

    mapping: str
    key: "Expression"
    type: Type


@dataclass(frozen=True)
class Annotation:
    """A place in the annotations, read as a number, text or boolean; no value where it is of another kind."""

    path: tuple[str | int, ...]
    type: Type


@dataclass(frozen=True)
class AnnotationContains:
    """Whether a place in the annotations is an object with a key, a list with a text, or a text with another in it.

    No value where nothing, or something else, is there.
    """

    path: tuple[str | int, ...]
    item: "Expression"
    type = BOOLEAN


@dataclass(frozen=True)
class Compare:
    """A comparison of two values of one kind."""

    operator: Comparison
    left: "Expression"
    right: "Expression"
    type = BOOLEAN


@dataclass(frozen=True)
class OneOf:
    """Whether a value is one of some constants of its kind."""

    operand: "Expression"
    constants: Constants
    type = BOOLEAN


@dataclass(frozen=True)
class Present:
    """Whether something has a value."""

    operand: "Expression"
    type = BOOLEAN


@dataclass(frozen=True)
class Logical:
    """Conditions joined by `and` or `or`."""

    operator: Literal["and", "or"]
    operands: tuple["Expression", ...]
    type = BOOLEAN


@dataclass(frozen=True)
class Not:
    """A condition negated."""

    operand: "Expression"
    type = BOOLEAN


@dataclass(frozen=True)
class Compute:
    """Two numbers of one kind computed with; `//` and `%` meet no negative number, and `/` no whole one."""

    operator: Computation
    left: "Expression"
    right: "Expression"
    type: Type


@dataclass(frozen=True)
class AsFloat:
    """A whole number as a floating-point number."""

    operand: "Expression"
    type: Type


@dataclass(frozen=True)
class InRange:
    """A stored number in arithmetic: no value beyond the bounds of the type."""

    operand: "Expression"
    type: Type


@dataclass(frozen=True)
class Choice:
    """`then if test else otherwise`, both of one kind."""

    test: "Expression"
    then: "Expression"
    otherwise: "Expression"
    type: Type


@dataclass(frozen=True)
class TextLength:
    """Characters of a text."""

    operand: "Expression"
    type = integer(0, 2**31)


@dataclass(frozen=True)
class AnnotationLength:
    """Items of a list, keys of an object, or characters of a text in the annotations; no value of anything else."""

    path: tuple[str | int, ...]
    type = integer(0, 2**31)


@dataclass(frozen=True)
class TextCase:
    """A text in lower or upper case, letter by letter."""

    function: Literal["lower", "upper"]
    operand: "Expression"
    type = TEXT


@dataclass(frozen=True)
class TextTest:
    """Whether a text begins or ends with a constant text, contains it, or matches it as a pattern."""

    test: Literal["startswith", "endswith", "contains", "fnmatch"]
    operand: "Expression"
    text: str
    type = BOOLEAN


@dataclass(frozen=True)
class Loop:
    """`for variable in sequence if conditions`."""

    variable: Variable
    sequence: "Sequence"
    conditions: tuple["Expression", ...] = ()


@dataclass(frozen=True)
class Aggregate:
    """What a function makes of a generator expression; `len` counts its elements.

    `sum`, `min` and `max` pass over elements that have no value; `min` and `max` of nothing have none.
    """

    function: AggregateFunction
    element: "Expression"
    loops: tuple[Loop, ...]
    type: Type


Sequence = Field | SpecField | Constants
"""What can be looped over."""

Expression = (
    Constant
    | Constants
    | Field
    | Variable
    | Element
    | SpecField
    | Lookup
    | Annotation
    | AnnotationContains
    | Compare
    | OneOf
    | Present
    | Logical
    | Not
    | Compute
    | AsFloat
    | InRange
    | Choice
    | TextLength
    | AnnotationLength
    | TextCase
    | TextTest
    | Aggregate
)
"""Any node."""

TRUE = Constant(True, BOOLEAN)
FALSE = Constant(False, BOOLEAN)


def children(node: object) -> list[object]:
    """Return the nodes right below a node, loops included."""
    values = [getattr(node, field.name) for field in fields(node)]  # type: ignore[arg-type]  # Every node is a dataclass.
    flat = [item for value in values for item in (value if isinstance(value, tuple) else (value,))]
    return [value for value in flat if isinstance(value, Expression | Loop)]


def size(node: object) -> int:
    """Count the nodes and constants as they come in SQL, where some operands stand several times."""
    known: dict[int, int] = {}

    def count(part: object) -> int:
        if id(part) not in known:
            below = sum(map(count, children(part)))
            own = len(part.values) if isinstance(part, Constants) else 1
            known[id(part)] = own + below * _COPIES.get(type(part), 1)
        return known[id(part)]

    return count(node)


def sql_depth(node: object) -> int:
    """Return how deep the SQL of a node nests, in entries of SQLite's parser stack; it has 100, and the query some."""
    known: dict[int, int] = {}

    def depth(part: object) -> int:
        if id(part) not in known:
            below = max(map(depth, children(part)), default=0)
            known[id(part)] = below + _STACKED.get(type(part), 2)
        return known[id(part)]

    return depth(node)


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
        case Compute(operator="/" | "//" | "%"):
            return True
        case Aggregate(function="min" | "max"):
            return True
        case Aggregate() | Field() | Constant() | Constants() | Variable():
            return False
        case Choice(type=Type(kind=Kind.BOOLEAN)) | Compare() | OneOf() | Present() | Logical() | Not():
            return False
        case TextTest() | AnnotationContains():
            return False
        case _:
            return any(may_lack_value(child) for child in children(node))
