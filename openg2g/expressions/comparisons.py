"""Comparisons and membership: two typed nodes become a condition, or a refusal that says why not."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, cast

from openg2g.expressions import tree
from openg2g.expressions.arithmetic import as_float, as_number, constant_number, same_kind
from openg2g.expressions.syntax import RefusalError
from openg2g.expressions.tree import Comparison, Expression, Sequence, may_lack_value
from openg2g.expressions.types import BOOLEAN, COUNT, MAX_INTEGER, MIN_INTEGER, TEXT, TIME, Kind, Type, integer
from openg2g.expressions.vocabulary import MODEL_MAPPINGS, WORKLOAD_FIELDS
from openg2g.models.instant import parse_instant

COMPARISONS: Mapping[type[ast.cmpop], Comparison] = {
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
}

COMPARISON_FUNCTIONS: Mapping[Comparison, Callable[[Any, Any], Any]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}

_MAX_COMPARED = 100  # Items of a list; each is a condition.
_NUMBERS = frozenset({Kind.INTEGER, Kind.FLOAT})
_MIRRORED: Mapping[Comparison, Comparison] = {"==": "==", "!=": "!=", "<": ">", "<=": ">=", ">": "<", ">=": "<="}


def compare(symbol: Comparison, left: Expression, right: Expression) -> Expression:
    """Compare two values."""
    left, right = _known_kind(left, right), _known_kind(right, left)
    kinds = {left.type.kind, right.type.kind}
    if isinstance(left, tree.Constant) and isinstance(right, tree.Constant) and (len(kinds) == 1 or kinds <= _NUMBERS):
        return tree.TRUE if COMPARISON_FUNCTIONS[symbol](left.value, right.value) else tree.FALSE
    if kinds <= _NUMBERS:
        return _compare_numbers(symbol, left, right)
    if kinds == {Kind.TEXT, Kind.TIME}:
        return tree.Compare(symbol, _as_time(left), _as_time(right))
    if kinds in ({Kind.TEXT}, {Kind.TIME}):
        return tree.Compare(symbol, left, right)
    if kinds == {Kind.SEQUENCE} and symbol in ("==", "!="):
        return _compare_sequences(symbol, left, right)
    if kinds == {Kind.BOOLEAN}:
        if isinstance(left, tree.Constant):
            left, right = right, left
        if isinstance(left, tree.Annotation) and isinstance(right, tree.Constant) and symbol in ("==", "!="):
            return tree.Compare(symbol, left, right)
        raise RefusalError("conditions cannot be compared. Join them with and, or, not.")
    if kinds & {Kind.SPEC, Kind.MAPPING}:
        kind = left.type if left.type.kind in (Kind.SPEC, Kind.MAPPING) else right.type
        raise RefusalError(f"{kind} cannot be compared. Compare one of its fields.")
    raise RefusalError(f"{left.type} cannot be compared with {right.type} by {symbol}.")


def contains(container: Expression, item: Expression) -> Expression:
    """Ask whether an item is in a container: a value in a list, a key in a mapping, a text in a text."""
    if isinstance(container, tree.Constants):
        return _one_of(item, container)
    if isinstance(container, tree.Annotation):
        return tree.AnnotationContains(container.path, _as_text(item, "an annotation"))
    if isinstance(container, tree.Field) and container.type.kind is Kind.MAPPING:
        if container.name == "annotations":
            return tree.AnnotationContains((), _as_text(item, "annotations"))
        if container.name == "tags":
            return tree.Present(tree.Lookup("tags", _as_text(item, "tags"), TEXT))
        container = keys_of(container)
    if container.type.kind is Kind.SEQUENCE:
        assert isinstance(container, Sequence) and container.type.item is not None
        if container.type.item.kind is Kind.SPEC:
            raise RefusalError("models holds model specs. Ask for a label in model_labels, or any(… for m in models).")
        variable = tree.Variable("item", container.type.item, -1)
        return tree.Aggregate("any", compare("==", variable, item), (tree.Loop(variable, container),), BOOLEAN)
    if container.type.kind is Kind.TEXT:
        if not isinstance(item, tree.Constant) or not isinstance(item.value, str):
            raise RefusalError("in a text, only a text written out (or a parameter) can be looked for.")
        return tree.TextTest("contains", container, item.value)
    raise RefusalError(f"nothing is in {container.type}: in and not in want a list, a mapping or a text.")


def contains_not(container: Expression, item: Expression) -> Expression:
    """Ask whether an item is not in a container. Like every comparison, it is false of what has no value."""
    found = contains(container, item)
    if isinstance(found, tree.AnnotationContains):
        return tree.Logical("and", (tree.Present(found), tree.Not(found)))
    held = container.type.item if container.type.kind is Kind.SEQUENCE else TEXT
    assert held is not None
    item = _known_kind(item, tree.Variable("item", held))
    present = (*_present(item), *_present(container))
    return tree.Logical("and", (*present, tree.Not(found))) if present else tree.Not(found)


def _present(node: Expression) -> list[Expression]:
    """Return what must hold for a node to have a value; nothing where it always has one."""
    if not may_lack_value(node):
        return []
    if isinstance(node, tree.SpecField) and node.type.kind is Kind.SEQUENCE:
        node = tree.SpecField(node.spec, "model_label", TEXT)  # A model that is there has a list.
    return [tree.Present(node)]


def keys_of(mapping: tree.Field) -> tree.Field:
    """Return the keys of a mapping from models, in order."""
    if mapping.name not in MODEL_MAPPINGS:
        raise RefusalError(f"the keys of {mapping.name} cannot be listed. Ask for one: 'key' in {mapping.name}.")
    return tree.Field("model_labels", WORKLOAD_FIELDS["model_labels"])


def element(sequence: Expression, index: int) -> Expression:
    """Return an item of a sequence by its index."""
    if sequence.type.kind is not Kind.SEQUENCE:
        raise RefusalError(f"{sequence.type} has no items by number.")
    if abs(index) > 10**6:
        raise RefusalError("an index must lie between -1000000 and 1000000.")
    if isinstance(sequence, tree.Constants):
        if not -len(sequence.values) <= index < len(sequence.values):
            raise RefusalError(f"there is no item {index} in this list.")
        return constant(sequence.values[index])
    assert isinstance(sequence, tree.Field | tree.SpecField) and sequence.type.item is not None
    return tree.Element(sequence, index, sequence.type.item)


def constant(value: object) -> tree.Constant:
    """Make a constant of a scalar."""
    match value:
        case bool():
            return tree.Constant(value, BOOLEAN)
        case int() | float():
            return constant_number(value)
        case str():
            if any(c == "\0" or "\ud800" <= c <= "\udfff" for c in value):
                raise RefusalError("a text must be valid Unicode without NUL.")
            return tree.Constant(str.__str__(value), TEXT)
        case datetime():
            return tree.Constant(value, TIME)
        case _:
            hint = " 'key' in annotations asks whether a key is there." if value is None else ""
            raise RefusalError(
                f"{value!r} is nothing that can be compared. Use numbers, texts, times, True or False.{hint}"
            )


def constants(values: list[tree.Constant], *, is_ordered: bool = True) -> tree.Constants:
    """Make a list of constants of one kind."""
    kinds = {Kind.FLOAT if value.type.is_number else value.type.kind for value in values}
    if len(kinds) > 1:
        raise RefusalError("the items of a list must be of one kind: numbers, texts or times.")
    item = values[0].type if values else TEXT
    if item.is_number:
        if any(value.type.kind is Kind.FLOAT for value in values):
            values = [cast(tree.Constant, as_float(value)) for value in values]
            item = values[0].type
        else:
            item = integer(min(value.type.low for value in values), max(value.type.high for value in values))
    found = [value.value for value in values]
    if not is_ordered:
        found.sort()  # A set has another order in every process.
    return tree.Constants(tuple(found), Type(Kind.SEQUENCE, item=item), is_ordered)


def _known_kind(node: Expression, other: Expression) -> Expression:
    """Read an annotation as what it is compared with."""
    if not isinstance(node, tree.Annotation) or node.type.kind is not Kind.ANNOTATION:
        return node
    if other.type.kind in (Kind.TEXT, Kind.BOOLEAN):
        return tree.Annotation(node.path, other.type)
    if other.type.is_number:
        return as_number(node)
    if other.type.kind is Kind.ANNOTATION:
        raise RefusalError("two annotations cannot be compared: it is not known of which kind they are.")
    raise RefusalError(f"an annotation cannot be compared with {other.type}.")


def _compare_numbers(symbol: Comparison, left: Expression, right: Expression) -> Expression:
    if isinstance(left, tree.Constant) and not isinstance(right, tree.Constant):
        return _compare_numbers(_MIRRORED[symbol], right, left)
    if isinstance(right, tree.Constant) and left.type.kind is Kind.INTEGER:
        return _compare_whole(symbol, left, cast(float, right.value))
    return tree.Compare(symbol, *same_kind(left, right))


def _compare_whole(symbol: Comparison, left: Expression, number: float) -> Expression:
    """Compare a whole number with a constant that may have a fraction or lie beyond 64 bits, exactly."""
    if symbol in ("==", "!="):
        if number == math.floor(number) and MIN_INTEGER <= number <= MAX_INTEGER:
            return tree.Compare(symbol, left, constant_number(math.floor(number)))
        return tree.FALSE if symbol == "==" else tree.Present(left)
    bound = math.ceil(number) if symbol in ("<", ">=") else math.floor(number)
    is_upper = symbol in ("<", "<=")
    if bound > MAX_INTEGER:
        return tree.Present(left) if is_upper else tree.FALSE
    if bound < MIN_INTEGER:
        return tree.FALSE if is_upper else tree.Present(left)
    return tree.Compare(symbol, left, constant_number(bound))


def _as_time(node: Expression) -> Expression:
    if node.type.kind is Kind.TIME:
        return node
    if not isinstance(node, tree.Constant):
        raise RefusalError("a time can be compared with a time written out, not with a text of the catalog.")
    return time_constant(cast(str, node.value))


def time_constant(text: str) -> tree.Constant:
    """Make a constant of an ISO 8601 date, which means its start in UTC, or time with an offset."""
    try:
        return tree.Constant(parse_instant(text), TIME)
    except ValueError:
        raise RefusalError(f"{text!r} is no time. Write 2026-03-01 (its start in UTC) or 2026-03-01T12:00Z.") from None


def _compare_sequences(symbol: Comparison, left: Expression, right: Expression) -> Expression:
    """Compare a list of the catalog with one that is written out: as long, and the same items in the same order."""
    if isinstance(left, tree.Constants):
        left, right = right, left
    if not isinstance(right, tree.Constants) or not isinstance(left, tree.Field | tree.SpecField):
        raise RefusalError("a list can be compared with a list written out only.")
    if len(right.values) > _MAX_COMPARED:
        raise RefusalError(f"a list can be compared with at most {_MAX_COMPARED} items.")
    if not right.is_ordered:
        raise RefusalError("a list has an order, and a set has none. Compare it with a list or tuple.")
    assert left.type.item is not None
    if left.type.item.kind is Kind.SPEC:
        raise RefusalError("models holds model specs, which cannot be compared. Compare model_labels, or fields.")
    variable = tree.Variable("item", left.type.item, -1)
    count = tree.Aggregate("len", variable, (tree.Loop(variable, left),), COUNT)
    same: list[Expression] = [tree.Compare("==", count, constant_number(len(right.values)))]
    for index, value in enumerate(right.values):
        same.append(compare("==", tree.Element(left, index, left.type.item), constant(value)))
    equal = tree.Logical("and", tuple(same))
    return tree.Logical("and", (*_present(left), equal if symbol == "==" else tree.Not(equal)))


def _one_of(item: Expression, among: tree.Constants) -> Expression:
    if not among.values:
        return tree.FALSE
    conditions = [compare("==", item, constant(value)) for value in among.values]
    if tree.TRUE in conditions:
        return tree.TRUE
    equalities = [condition for condition in conditions if isinstance(condition, tree.Compare)]  # The others are false.
    if not equalities:
        return tree.FALSE
    values = tuple(cast(tree.Constant, equality.right).value for equality in equalities)
    return tree.OneOf(equalities[0].left, tree.Constants(values, Type(Kind.SEQUENCE, item=equalities[0].right.type)))


def _as_text(node: Expression, where: str) -> Expression:
    if node.type.kind is Kind.ANNOTATION:
        assert isinstance(node, tree.Annotation)
        return tree.Annotation(node.path, TEXT)
    if node.type.kind is not Kind.TEXT:
        raise RefusalError(f"the keys of {where} are texts, this is {node.type}.")
    return node
