"""Arithmetic: what `+ - * / // %` make of two typed nodes, so that both databases and Python agree on every result.

Whole numbers are computed with exactly as long as the result is sure to fit 64 bits, and as floating-point numbers
beyond. `//` and `%` round towards minus infinity as in Python, while SQL's round towards zero: where the dividend may
be negative, a multiple of the divisor is added first, and taken off again.
"""

import ast
import functools
import math
import operator
from collections.abc import Callable, Iterable, Mapping

from openg2g.expressions import tree
from openg2g.expressions.syntax import RefusalError
from openg2g.expressions.tree import Computation, Expression
from openg2g.expressions.types import (
    FLOAT,
    FLOAT_RANGE,
    LARGEST_IN_ARITHMETIC,
    MAX_INTEGER,
    MIN_INTEGER,
    Kind,
    Type,
    floating,
    integer,
)

OPERATORS: Mapping[type[ast.operator], Computation] = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.Div: "/",
    ast.FloorDiv: "//",
    ast.Mod: "%",
}

FUNCTIONS: Mapping[Computation, Callable[..., int | float]] = {
    "+": operator.add,
    "-": operator.sub,
    "*": operator.mul,
    "/": operator.truediv,
    "//": operator.floordiv,
    "%": operator.mod,
}

_MAX_ELEMENTS = 2**20  # Of a sum. A workload of a million models has a document of some hundred megabytes.
_MAGNITUDES = (1e-290, 1e290)  # Beyond these, a double may soon be infinite or vanish.
_CANCELLATION = 2.0**-60  # What a difference of two doubles keeps of the smaller one at the least, if it is not 0.


def constant_number(value: int | float) -> tree.Constant:
    """Make a constant of a number; a whole one may lie beyond 64 bits, which only comparisons take."""
    if isinstance(value, int):
        return tree.Constant(value, integer(value, value))
    if not math.isfinite(value):
        raise RefusalError("a number must be finite.")
    return tree.Constant(value, floating(abs(value) or 1.0, abs(value)))


def fitting(node: Expression) -> Expression:
    """Return a node whose value goes somewhere else than into a comparison."""
    values = node.values if isinstance(node, tree.Constants) else (getattr(node, "value", None),)
    if any(isinstance(value, int) and not MIN_INTEGER <= value <= MAX_INTEGER for value in values):
        raise RefusalError("a whole number beyond 64 bits can be compared with only.")
    return node


def as_number(node: Expression) -> Expression:
    """Return a node as a number; an annotation is read as one."""
    if node.type.kind is Kind.ANNOTATION:
        assert isinstance(node, tree.Annotation)
        return tree.Annotation(node.path, FLOAT)
    if not node.type.is_number:
        hint = " Count conditions with (1 if … else 0)." if node.type.kind is Kind.BOOLEAN else ""
        raise RefusalError(f"a number is needed here, this is {node.type}.{hint}")
    return node


def as_float(node: Expression) -> Expression:
    """Return a number as a floating-point number."""
    if node.type.kind is Kind.FLOAT:
        return node
    if isinstance(node, tree.Constant):
        try:
            return constant_number(float(node.value))  # type: ignore[arg-type]  # A whole number.
        except OverflowError:
            raise RefusalError("this number is too large.") from None
    return tree.AsFloat(node, floating(1.0, float(max(abs(node.type.low), abs(node.type.high), 1))))


def same_kind(left: Expression, right: Expression) -> tuple[Expression, Expression]:
    """Return two numbers as numbers of one kind: floating-point if one of them is."""
    if left.type.kind is right.type.kind:
        return left, right
    return as_float(left), as_float(right)


def compute(symbol: Computation, left: Expression, right: Expression) -> Expression:
    """Compute with two numbers."""
    left, right = as_number(left), as_number(right)
    if isinstance(left, tree.Constant) and isinstance(right, tree.Constant):
        return _folded(symbol, left, right)
    left, right = _in_arithmetic(left), _in_arithmetic(right)
    if symbol in ("//", "%"):
        return _whole_division(symbol, left, right)
    if symbol != "/" and left.type.kind is right.type.kind is Kind.INTEGER:
        low, high = _bounds(symbol, left.type, right.type)
        if low >= MIN_INTEGER and high <= MAX_INTEGER:
            return tree.Compute(symbol, fitting(left), fitting(right), integer(low, high))
    left, right = as_float(left), as_float(right)
    if symbol == "/" and isinstance(right, tree.Constant) and right.value == 0:
        raise RefusalError("this divides by zero.")
    return tree.Compute(symbol, left, right, _float_type(symbol, left.type, right.type))


def sum_of(values: Iterable[float]) -> float:
    """Add from first to last: Python's own `sum` compensates for rounding in some releases, SQL's does not."""
    return functools.reduce(operator.add, values, 0)


def negated(node: Expression) -> Expression:
    """Return `-node`."""
    return compute("-", constant_number(0), node)


def summed(node: Expression) -> tuple[Expression, Type]:
    """Return what a sum adds up, and the type of the sum."""
    if node.type.kind is Kind.BOOLEAN:
        node = tree.Choice(node, constant_number(1), constant_number(0), integer(0, 1))
    node = _in_arithmetic(as_number(node))
    if node.type.kind is Kind.INTEGER:
        low, high = min(node.type.low, 0) * _MAX_ELEMENTS, max(node.type.high, 0) * _MAX_ELEMENTS
        if low >= MIN_INTEGER and high <= MAX_INTEGER:
            return node, integer(low, high)
        node = as_float(node)
    return node, floating(node.type.smallest * _CANCELLATION, node.type.largest * _MAX_ELEMENTS)


def _folded(symbol: Computation, left: tree.Constant, right: tree.Constant) -> tree.Constant:
    try:
        return constant_number(FUNCTIONS[symbol](left.value, right.value))
    except ZeroDivisionError:
        raise RefusalError("this divides by zero.") from None
    except OverflowError:
        raise RefusalError("the result is too large.") from None


def _in_arithmetic(node: Expression) -> Expression:
    """Bound what is stored, so that what is computed from it is bounded too."""
    match node:
        case tree.Compute() | tree.Constant() | tree.AsFloat() | tree.Aggregate(function="sum" | "len"):
            return node
    if node.type.kind is Kind.FLOAT and node.type.largest > FLOAT_RANGE[1]:
        return tree.InRange(node, floating(*FLOAT_RANGE))
    if node.type.kind is Kind.INTEGER and node.type.high > LARGEST_IN_ARITHMETIC:
        return tree.InRange(node, integer(max(node.type.low, -LARGEST_IN_ARITHMETIC), LARGEST_IN_ARITHMETIC))
    return node


def _bounds(symbol: Computation, left: Type, right: Type) -> tuple[int, int]:
    function = FUNCTIONS[symbol]
    corners = [int(function(a, b)) for a in (left.low, left.high) for b in (right.low, right.high)]
    return min(corners), max(corners)


def _float_type(symbol: Computation, left: Type, right: Type) -> Type:
    if symbol in ("+", "-"):
        smallest, largest = min(left.smallest, right.smallest) * _CANCELLATION, left.largest + right.largest
    elif symbol == "*":
        smallest, largest = left.smallest * right.smallest, left.largest * right.largest
    else:
        smallest, largest = left.smallest / right.largest, left.largest / right.smallest
    if smallest < _MAGNITUDES[0] or largest > _MAGNITUDES[1]:
        raise RefusalError("the result could become too large or too small to compute with.")
    return floating(smallest, largest)


def _whole_division(symbol: Computation, left: Expression, right: Expression) -> Expression:
    if not left.type.kind is right.type.kind is Kind.INTEGER:
        raise RefusalError(f"{symbol} is for whole numbers that stay within 64 bits. Use / for others.")
    fitting(left)
    if isinstance(right, tree.Constant):
        divisor = int(right.value)  # type: ignore[arg-type]  # A whole number.
        if divisor == 0:
            raise RefusalError("this divides by zero.")
        if divisor < 0:
            positive = _whole_division(symbol, negated(left), constant_number(-divisor))
            return positive if symbol == "//" else negated(positive)
        if left.type.low < 0:
            return _shifted_division(symbol, left, divisor)
        if divisor > MAX_INTEGER:
            raise RefusalError("a whole number in arithmetic must fit 64 bits.")
    elif right.type.low < 0 or left.type.low < 0:
        raise RefusalError(f"{symbol} of numbers that may be negative needs a number as divisor, not an expression.")
    return tree.Compute(symbol, left, right, _quotient_type(symbol, left.type, right.type))


def _quotient_type(symbol: Computation, left: Type, right: Type) -> Type:
    if symbol == "//":
        return integer(left.low // max(right.high, 1), left.high // max(right.low, 1))
    return integer(0, max(min(right.high - 1, left.high), 0))


def _shifted_division(symbol: Computation, left: Expression, divisor: int) -> Expression:
    """Divide what may be negative: a multiple of the divisor is added, so that SQL's rounding and Python's agree."""
    multiples = -(left.type.low // divisor)
    shifted = compute("+", left, constant_number(multiples * divisor))
    if shifted.type.kind is not Kind.INTEGER:
        raise RefusalError(f"{symbol} is for whole numbers that stay within 64 bits. Use / for others.")
    quotient = _whole_division(symbol, shifted, constant_number(divisor))
    return quotient if symbol == "%" else compute("-", quotient, constant_number(multiples))
