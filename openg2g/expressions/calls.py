"""Functions, methods and loops of the language."""

import ast
from collections.abc import Mapping
from typing import cast

from openg2g.expressions import arithmetic, comparisons, tree
from openg2g.expressions.patterns import check_pattern
from openg2g.expressions.reader import Reader
from openg2g.expressions.syntax import RefusalError
from openg2g.expressions.tree import AggregateFunction, Expression, Sequence
from openg2g.expressions.types import ANNOTATION, BOOLEAN, COUNT, TEXT, Kind
from openg2g.expressions.vocabulary import near

FUNCTIONS: Mapping[str, str] = {
    "any": "any(m.itl_deadline_s < 0.1 for m in models)",
    "all": "all(m.num_replicas > 0 for m in models)",
    "sum": "sum(m.num_replicas for m in models)",
    "min": "min(m.itl_deadline_s for m in models)",
    "max": "max(m.itl_deadline_s for m in models)",
    "len": "len(models)",
    "fnmatch": "fnmatch(name, 'sweep/*')",
    "date": "date('2026-03-01')",
}
"""Function → an example of its use."""

METHODS_SHOWN = ".startswith('…'), .endswith('…'), .lower() and .upper()"

MAX_LOOPS = 4
"""Loops within each other."""

MAX_LOOPED_CONSTANTS = 200
"""Constants that a loop goes over; each is a query of its own, and SQLite joins 500."""


def read_call(reader: Reader, node: ast.Call) -> Expression:
    """Read a call of a function or of a method of a text."""
    if node.keywords:
        reader.refuse(node.keywords[0].value, "functions of a search take no named arguments.")
    if isinstance(node.func, ast.Attribute):
        return _method(reader, node, node.func)
    if not isinstance(node.func, ast.Name):
        reader.refuse(node, f"this cannot be called. Functions: {', '.join(FUNCTIONS)}.")
    name = node.func.id
    if name not in FUNCTIONS:
        reader.refuse(node, f"there is no function {name!r} in a search.{near(name, FUNCTIONS)}")
    if len(node.args) != (2 if name == "fnmatch" else 1):
        reader.refuse(node, f"write {FUNCTIONS[name]}")
    if name == "fnmatch":
        return _fnmatch(reader, node)
    if name == "date":
        return reader.attempt(node, comparisons.time_constant, _written_text(reader, node.args[0]))
    return _aggregate(reader, cast(AggregateFunction, name), node.args[0])


def _fnmatch(reader: Reader, node: ast.Call) -> Expression:
    operand, pattern = _text(reader, node.args[0]), _written_text(reader, node.args[1])
    reader.attempt(node.args[1], check_pattern, pattern)
    return tree.TextTest("fnmatch", operand, pattern)


def _method(reader: Reader, node: ast.Call, method: ast.Attribute) -> Expression:
    match method.attr, node.args:
        case "lower" | "upper" as function, []:
            return tree.TextCase(function, _text(reader, method.value))
        case "startswith" | "endswith" as test, [argument]:
            return tree.TextTest(test, _text(reader, method.value), _written_text(reader, argument))
    reader.refuse(node, f"there is no such method in a search. Texts have {METHODS_SHOWN}.")


def _text(reader: Reader, node: ast.expr) -> Expression:
    read = reader.read(node)
    if read.type.kind is Kind.ANNOTATION and isinstance(read, tree.Annotation):
        return tree.Annotation(read.path, TEXT)
    if read.type.kind is not Kind.TEXT:
        reader.refuse(node, f"a text is needed here, this is {read.type}.")
    return read


def _written_text(reader: Reader, node: ast.expr) -> str:
    read = reader.read(node)
    if not isinstance(read, tree.Constant) or not isinstance(read.value, str):
        reader.refuse(node, "a text written out, or a parameter, is needed here.")
    return read.value


def _aggregate(reader: Reader, function: AggregateFunction, argument: ast.expr) -> Expression:
    if isinstance(argument, ast.GeneratorExp | ast.ListComp):
        return _loop(reader, function, argument)
    sequence = reader.read(argument)
    if function == "len" and isinstance(sequence, tree.Annotation):
        return tree.AnnotationLength(sequence.path)
    if function == "len" and sequence.type.kind is Kind.TEXT:
        return tree.TextLength(sequence)
    if function in ("any", "all"):
        reader.refuse(argument, f"{function}() wants a loop: {FUNCTIONS[function]}")
    if isinstance(sequence, tree.Constants):
        return reader.attempt(argument, _of_constants, function, sequence)
    found = _as_sequence(reader, argument, sequence)
    assert found.type.item is not None
    variable = tree.Variable("item", found.type.item, -1)
    return reader.attempt(argument, _aggregate_of, function, variable, (tree.Loop(variable, found),))


def _of_constants(function: AggregateFunction, sequence: tree.Constants) -> Expression:
    """Make a constant of `max((1, 2))`."""
    if function == "len":
        return arithmetic.constant_number(len(sequence.values))
    if not sequence.values or sequence.type.item is None or not sequence.type.item.is_number:
        raise RefusalError(f"{function}() of a list written out wants numbers.")
    functions = {"sum": arithmetic.sum_of, "min": min, "max": max}
    return arithmetic.constant_number(functions[function](sequence.values))  # type: ignore[operator]  # Numbers.


def _loop(reader: Reader, function: AggregateFunction, node: ast.GeneratorExp | ast.ListComp) -> Expression:
    if reader.depth + len(node.generators) > MAX_LOOPS:
        reader.refuse(node, f"at most {MAX_LOOPS} loops may stand within each other.")
    inner = reader
    loops: list[tree.Loop] = []
    for comprehension in node.generators:
        if comprehension.is_async or not isinstance(comprehension.target, ast.Name):
            reader.refuse(comprehension.target, "a loop has one variable: for m in models.")
        sequence = _as_sequence(inner, comprehension.iter, inner.read(comprehension.iter))
        assert sequence.type.item is not None
        variable = tree.Variable(comprehension.target.id, sequence.type.item, inner.depth)
        inner = inner.within({variable.name: variable})
        loops.append(tree.Loop(variable, sequence, tuple(inner.condition(test) for test in comprehension.ifs)))
    element = inner.condition(node.elt) if function in ("any", "all") else inner.read(node.elt)
    return reader.attempt(node.elt, _aggregate_of, function, element, tuple(loops))


def _as_sequence(reader: Reader, node: ast.expr, read: Expression) -> Sequence:
    """Return what can be looped over; a mapping from models gives its keys."""
    if isinstance(read, tree.Field) and read.type.kind is Kind.MAPPING:
        return reader.attempt(node, comparisons.keys_of, read)
    if not isinstance(read, Sequence) or read.type.kind is not Kind.SEQUENCE:
        reader.refuse(node, f"a list is needed here, this is {read.type}. Lists: models, model_labels, aliases, …")
    if isinstance(read, tree.Constants) and len(read.values) > MAX_LOOPED_CONSTANTS:
        reader.refuse(node, f"a loop goes over at most {MAX_LOOPED_CONSTANTS} constants. Use in for longer lists.")
    return cast(Sequence, reader.attempt(node, arithmetic.fitting, read))


def _aggregate_of(function: AggregateFunction, element: Expression, loops: tuple[tree.Loop, ...]) -> Expression:
    """Make the node, with the type of its result."""
    for node in (element, *(loop.sequence for loop in loops)):
        arithmetic.fitting(node)
    if function in ("any", "all"):
        return tree.Aggregate(function, element, loops, BOOLEAN)
    if function == "len":
        return tree.Aggregate(function, element, loops, COUNT)
    if function == "sum":
        summand, total = arithmetic.summed(element)
        return tree.Aggregate(function, summand, loops, total)
    if element.type == ANNOTATION:
        element = arithmetic.as_number(element)
    if not element.type.is_number and element.type.kind is not Kind.TEXT:
        raise RefusalError(f"{function}() wants numbers or texts, this is {element.type}.")
    return tree.Aggregate(function, element, loops, element.type)
