"""What the literals of a script stand for, and arithmetic on them: within bounds, and nothing is ever run.

A value of a script is a plain value of Python (None, a boolean, a number, a string), `Items` for a tuple or list,
`Table` for a dict, `Construct` for a call of one of OpenG2G's classes, or `Unknown` for whatever cannot be told.
"""

import ast
import operator
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

MAX_WEIGHT = 100_000
"""Plain values in one value: of `(0,) * 10**9` nobody can mean all members."""

_MAX_INTEGER = 2**64
_CHARACTERS_PER_WEIGHT = 8
TOO_LARGE = "it is too large"
_NO_SUCH_ARITHMETIC = "it is no arithmetic on constants"

_OPERATORS: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}


@dataclass(frozen=True, eq=False)
class Unknown:
    """What cannot be known without running the script."""

    node: ast.AST
    why: str
    is_parameter: bool = False


@dataclass(frozen=True, eq=False)
class Items:
    """A tuple, or a list."""

    members: "tuple[Value, ...]"
    is_list: bool
    weight: int  # Plain values in it.
    can_change: bool  # It is a list, or holds a list or dict.


@dataclass(frozen=True, eq=False)
class Table:
    """A dict: its keys and values in order."""

    pairs: "tuple[tuple[Value, Value], ...]"
    weight: int


@dataclass(frozen=True, eq=False)
class Argument:
    """An argument of a call: its value, and the expression it was given by."""

    value: "Value"
    node: ast.AST


@dataclass(frozen=True, eq=False)
class Construct:
    """A call of one of OpenG2G's classes."""

    kind: str
    node: ast.Call
    arguments: Mapping[str, Argument]  # By parameter, also those given by position.
    faults: tuple[Unknown, ...]  # Arguments that no parameter can be told of.
    weight: int  # Plain values in it.


@dataclass(frozen=True, eq=False)
class KnownName:
    """Something that a name of the script stands for, without being a value of a model."""

    kind: str
    name: str


Value = None | bool | int | float | str | Unknown | Items | Table | Construct | KnownName


class UntellableError(Exception):
    """Says why an operation has no value that can be told."""


def weight_of(value: Value) -> int:
    """Count the plain values in a value; a long string counts for several."""
    match value:
        case str():
            return 1 + len(value) // _CHARACTERS_PER_WEIGHT
        case Items() | Table() | Construct():
            return value.weight
        case _:
            return 1


def can_change(value: Value) -> bool:
    """Whether a value is a list or dict, or holds one."""
    return isinstance(value, Table) or (isinstance(value, Items) and value.can_change)


def items_of(members: "list[Value] | tuple[Value, ...]", *, is_list: bool) -> Items:
    """Make a tuple or a list."""
    weight = _checked_weight(1 + sum(map(weight_of, members)))
    return Items(tuple(members), is_list, weight, is_list or any(map(can_change, members)))


def table_of(pairs: "list[tuple[Value, Value]]") -> Table:
    """Make a dict."""
    return Table(tuple(pairs), _checked_weight(1 + sum(weight_of(key) + weight_of(value) for key, value in pairs)))


def range_of(arguments: "list[Value]") -> Items:
    """Make the members of a range."""
    if not 1 <= len(arguments) <= 3 or not all(type(argument) is int for argument in arguments):
        raise UntellableError("the arguments of range must be one to three integers that can be told")
    integers = [argument for argument in arguments if isinstance(argument, int)]
    if len(integers) == 3 and integers[2] == 0:
        raise UntellableError("the step of a range must not be 0")
    found = range(*integers)
    _checked_weight(max(0, (found.stop - found.start) // found.step))
    return items_of(list(found), is_list=False)


def operated(kind: type[ast.operator], left: Value, right: Value) -> Value:
    """Do arithmetic on numbers, and concatenate and repeat texts, tuples and lists."""
    if isinstance(left, int) and isinstance(right, str | Items) and not isinstance(left, bool):
        left, right = (right, left) if kind is ast.Mult else (left, right)
    if isinstance(left, str | Items):
        return _joined(kind, left, right)
    numbers = (int, float)
    if kind not in _OPERATORS or type(left) not in numbers or type(right) not in numbers:
        raise UntellableError(_NO_SUCH_ARITHMETIC)
    assert isinstance(left, int | float) and isinstance(right, int | float)
    if kind is ast.Pow and isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > 64:
        raise UntellableError(TOO_LARGE)
    try:
        result = _OPERATORS[kind](left, right)
    except (ZeroDivisionError, OverflowError) as error:
        raise UntellableError(f"it has no value ({error})") from None
    if isinstance(result, complex):
        raise UntellableError("it is a complex number")
    return checked_number(result)


def negated(kind: type[ast.unaryop], value: Value) -> Value:
    """Apply a sign to a number."""
    if type(value) in (int, float) and isinstance(value, int | float):
        if kind is ast.USub:
            return -value
        if kind is ast.UAdd:
            return value
    raise UntellableError(_NO_SUCH_ARITHMETIC)


def checked_number(value: "int | float") -> "int | float":
    """Return a number, if it is an integer only one that has a meaning anywhere."""
    if isinstance(value, int) and abs(value) >= _MAX_INTEGER:
        raise UntellableError(TOO_LARGE)
    return value


def _joined(kind: type[ast.operator], left: "str | Items", right: Value) -> "str | Items":
    if kind is ast.Mult and type(right) is int:
        _checked_weight(1 + (weight_of(left) - isinstance(left, Items)) * max(right, 0))
        return left * right if isinstance(left, str) else items_of(left.members * right, is_list=left.is_list)
    if kind is ast.Add and isinstance(left, str) and isinstance(right, str):
        _checked_weight(weight_of(left) + weight_of(right))
        return left + right
    if kind is ast.Add and isinstance(left, Items) and isinstance(right, Items) and left.is_list == right.is_list:
        return items_of(left.members + right.members, is_list=left.is_list)
    raise UntellableError("texts, tuples and lists are only joined with their like, and repeated")


def _checked_weight(weight: int) -> int:
    if weight > MAX_WEIGHT:
        raise UntellableError(TOO_LARGE)
    return weight
