"""Reading an expression: from Python's syntax tree to the typed tree, by an allow-list, and nothing is evaluated."""

import ast
from collections.abc import Callable, Mapping
from typing import Any

from openg2g.expressions import arithmetic, calls, comparisons, tree
from openg2g.expressions.arithmetic import OPERATORS
from openg2g.expressions.comparisons import COMPARISONS
from openg2g.expressions.parameters import constants_of_parameters
from openg2g.expressions.reader import Reader
from openg2g.expressions.syntax import MAX_SIZE, MAX_SQL_DEPTH, RefusalError, Source
from openg2g.expressions.tree import Expression, size, sql_depth
from openg2g.expressions.types import ANNOTATION, BOOLEAN, SPEC, Kind, Type, floating, integer
from openg2g.expressions.vocabulary import MODEL_SPEC_NAMES, SPEC_FIELDS, WORKLOAD_NAMES, near
from openg2g.models.errors import FilterError

ROOT_SPEC = tree.Variable("spec", SPEC)
"""What the names of an expression about model specs belong to."""


def read_condition(
    text: str, parameters: Mapping[str, object] | None = None, names: Mapping[str, Type] = WORKLOAD_NAMES
) -> Expression:
    """Read an expression about a workload and its revision.

    Args:
        text: The expression.
        parameters: Name → value of what the expression names beside the vocabulary.
        names: The vocabulary.

    Raises:
        FilterError: The expression says nothing that can be searched by; the message points at the place.

    Example:
        >>> read_condition("total_gpus < 7200").type.kind.value
        'condition'
    """
    return _read(text, {name: tree.Field(name, kind) for name, kind in names.items()}, parameters or {})


def read_spec_condition(text: str, parameters: Mapping[str, object] | None = None) -> Expression:
    """Read an expression about a model spec, whose fields are names of their own: `itl_deadline_s < 0.1`.

    Raises:
        FilterError: As `read_condition`.
    """
    fields = {name: tree.SpecField(ROOT_SPEC, name, kind) for name, kind in MODEL_SPEC_NAMES.items()}
    return _read(text, fields, parameters or {})


def _read(text: str, fields: Mapping[str, Expression], parameters: Mapping[str, object]) -> Expression:
    source = Source(text)
    try:
        values = constants_of_parameters(parameters, {*fields, *calls.FUNCTIONS})
    except RefusalError as refusal:
        raise FilterError(text, str(refusal)) from None
    condition = _TreeReader(source, {**fields, **values}).condition(source.tree)
    named = {node.id for node in ast.walk(source.tree) if isinstance(node, ast.Name)}
    for name in values:
        if name not in named:
            raise FilterError(text, f"the parameter {name!r} is not in the expression.")
    if size(condition) > MAX_SIZE:
        raise FilterError(text, f"the expression has more than {MAX_SIZE} parts. {_REPEATED}")
    if sql_depth(condition) > MAX_SQL_DEPTH:
        raise FilterError(text, f"the expression is nested too deeply for SQL: {_NESTED}")
    return condition


class _TreeReader(Reader):
    """Reads whatever the language has."""

    def condition(self, node: ast.expr) -> Expression:
        """Read a node that must be a condition."""
        read = self.read(node)
        if read.type.kind is Kind.ANNOTATION and isinstance(read, tree.Annotation):
            return tree.Annotation(read.path, BOOLEAN)
        if read.type.kind is not Kind.BOOLEAN:
            self.refuse(node, f"a condition is needed here, this is {read.type}. Compare it with something.")
        return read

    def read(self, node: ast.expr) -> Expression:
        """Read any node."""
        read = _READERS.get(type(node))
        if read is None:
            described = _DESCRIBED.get(type(node), f"{type(node).__name__} is")
            self.refuse(node, f"{described} not allowed in a search. {_ALLOWED}")
        return read(self, node)

    def within(self, names: Mapping[str, Expression]) -> Reader:
        """Read further in, where a loop gives names a meaning."""
        return _TreeReader(self.source, {**self.names, **names}, self.depth + 1)

    def _constant(self, node: ast.Constant) -> Expression:
        return self.attempt(node, comparisons.constant, node.value)

    def _name(self, node: ast.Name) -> Expression:
        found = self.names.get(node.id)
        if found is None:
            if node.id in calls.FUNCTIONS:
                self.refuse(node, f"{node.id} is a function: call it, {calls.FUNCTIONS[node.id]}.")
            hint = _WRITTEN_OTHERWISE.get(node.id) or near(node.id, list(self.names))
            self.refuse(node, f"unknown name {node.id!r}.{hint}")
        return found

    def _attribute(self, node: ast.Attribute) -> Expression:
        owner = self.read(node.value)
        if owner.type.kind is not Kind.SPEC or not isinstance(owner, tree.Variable | tree.Element):
            allowed = f" Texts have {calls.METHODS_SHOWN}." if owner.type.kind is Kind.TEXT else ""
            self.refuse(node, f"{owner.type} has no field {node.attr!r}.{allowed}")
        if node.attr not in SPEC_FIELDS:
            self.refuse(node, f"a model spec has no field {node.attr!r}.{near(node.attr, SPEC_FIELDS)}")
        return tree.SpecField(owner, node.attr, SPEC_FIELDS[node.attr])

    def _subscript(self, node: ast.Subscript) -> Expression:
        container = self.read(node.value)
        if isinstance(node.slice, ast.Slice):
            self.refuse(node, "slices are not allowed in a search. Loop over all items, or name one by its index.")
        if container.type.kind is Kind.ANNOTATION and isinstance(container, tree.Annotation):
            return tree.Annotation((*container.path, self._annotation_key(node.slice)), ANNOTATION)
        key = self.read(node.slice)
        if isinstance(container, tree.Field) and container.name == "annotations":
            return tree.Annotation((self._annotation_key(node.slice),), ANNOTATION)
        if isinstance(container, tree.Field) and container.type.kind is Kind.MAPPING:
            if key.type.kind is not Kind.TEXT:
                self.refuse(node.slice, f"the keys of {container.name} are texts, this is {key.type}.")
            assert container.type.item is not None
            return tree.Lookup(container.name, key, container.type.item)
        if not isinstance(key, tree.Constant) or key.type.kind is not Kind.INTEGER:
            self.refuse(node.slice, "an index is a whole number written out.")
        return self.attempt(node, comparisons.element, container, key.value)

    def _annotation_key(self, node: ast.expr) -> str | int:
        key = self.read(node)
        if not isinstance(key, tree.Constant) or key.type.kind not in (Kind.TEXT, Kind.INTEGER):
            self.refuse(node, "a place in the annotations is a text or a whole number written out.")
        if isinstance(key.value, int) and abs(key.value) > 10**6:
            self.refuse(node, "an index must lie between -1000000 and 1000000.")
        assert isinstance(key.value, str | int)
        return key.value

    def _logical(self, node: ast.BoolOp) -> Expression:
        operands = tuple(self.condition(value) for value in node.values)
        return tree.Logical("and" if isinstance(node.op, ast.And) else "or", operands)

    def _unary(self, node: ast.UnaryOp) -> Expression:
        if isinstance(node.op, ast.Not):
            return tree.Not(self.condition(node.operand))
        operand = self.read(node.operand)
        if isinstance(node.op, ast.USub):
            return self.attempt(node, arithmetic.negated, operand)
        if isinstance(node.op, ast.UAdd):
            return self.attempt(node, arithmetic.as_number, operand)
        self.refuse(node, f"~ is not allowed in a search. {_ALLOWED}")

    def _binary(self, node: ast.BinOp) -> Expression:
        symbol = OPERATORS.get(type(node.op))
        if symbol is None:
            self.refuse(node, f"this operator is not allowed in a search. Operators: {' '.join(OPERATORS.values())}")
        left, right = self.read(node.left), self.read(node.right)
        return self.attempt(node, arithmetic.compute, symbol, left, right)

    def _compare(self, node: ast.Compare) -> Expression:
        if any(isinstance(operator, ast.Is | ast.IsNot) for operator in node.ops):
            self.refuse(node, "is and is not are not allowed in a search. Use == and !=; 'key' in … asks for a key.")
        operands = [self.read(operand) for operand in (node.left, *node.comparators)]
        compared = zip(node.ops, operands, operands[1:], strict=False)
        pairs = tuple(self._compare_pair(node, operator, left, right) for operator, left, right in compared)
        return pairs[0] if len(pairs) == 1 else tree.Logical("and", pairs)

    def _compare_pair(self, node: ast.Compare, operator: ast.cmpop, left: Expression, right: Expression) -> Expression:
        symbol = COMPARISONS.get(type(operator))
        if symbol is not None:
            return self.attempt(node, comparisons.compare, symbol, left, right)
        make = comparisons.contains if isinstance(operator, ast.In) else comparisons.contains_not
        return self.attempt(node, make, right, left)

    def _choice(self, node: ast.IfExp) -> Expression:
        test = self.condition(node.test)
        then, otherwise = self.read(node.body), self.read(node.orelse)
        return self.attempt(node, _choice_of, test, then, otherwise)

    def _list(self, node: ast.Tuple | ast.List | ast.Set) -> Expression:
        items = []
        for item_node in node.elts:
            item = self.read(item_node)
            if not isinstance(item, tree.Constant):
                self.refuse(item_node, "a list holds numbers, texts or times written out, or parameters.")
            items.append(item)
        is_ordered = not isinstance(node, ast.Set)
        return self.attempt(node, lambda: comparisons.constants(items, is_ordered=is_ordered))

    def _generator(self, node: ast.GeneratorExp | ast.ListComp) -> Expression:
        self.refuse(node, "a loop stands inside any(), all(), sum(), min(), max() or len().")


_READERS: dict[type[ast.expr], Callable[[_TreeReader, Any], Expression]] = {
    ast.Constant: _TreeReader._constant,
    ast.Name: _TreeReader._name,
    ast.Attribute: _TreeReader._attribute,
    ast.Subscript: _TreeReader._subscript,
    ast.BoolOp: _TreeReader._logical,
    ast.UnaryOp: _TreeReader._unary,
    ast.BinOp: _TreeReader._binary,
    ast.Compare: _TreeReader._compare,
    ast.IfExp: _TreeReader._choice,
    ast.Tuple: _TreeReader._list,
    ast.List: _TreeReader._list,
    ast.Set: _TreeReader._list,
    ast.Call: calls.read_call,
    ast.GeneratorExp: _TreeReader._generator,
    ast.ListComp: _TreeReader._generator,
}

_NESTED = "choices, look-ups and loops in each other."
_REPEATED = "What stands between two comparisons counts twice, a list compared by == item by item."
_WRITTEN_OTHERWISE = {
    **{
        name: f" It is a field of a model: any(m.{name} … for m in models), or models[0].{name}."
        for name in SPEC_FIELDS
        if name not in WORKLOAD_NAMES
    },
    "num_models": " Write len(models).",
    "least_itl_deadline_s": " Write min(m.itl_deadline_s for m in models).",
    "greatest_itl_deadline_s": " Write max(m.itl_deadline_s for m in models).",
}

_DESCRIBED: dict[type[ast.expr], str] = {
    ast.Lambda: "lambda is",
    ast.JoinedStr: "an f-string is",
    ast.Dict: "a dictionary is",
    ast.NamedExpr: ":= is",
    ast.Await: "await is",
    ast.Yield: "yield is",
    ast.YieldFrom: "yield is",
    ast.Starred: "* is",
    ast.SetComp: "a set comprehension is",
    ast.DictComp: "a dictionary comprehension is",
    ast.Slice: "a slice is",
}
_ALLOWED = "Allowed: comparisons, and/or/not, in, arithmetic, any/all/sum/min/max/len with loops, x if c else y."


def _choice_of(test: Expression, then: Expression, otherwise: Expression) -> Expression:
    if then.type.is_number and otherwise.type.is_number:
        then, otherwise = arithmetic.same_kind(arithmetic.fitting(then), arithmetic.fitting(otherwise))
        return tree.Choice(test, then, otherwise, _either(then.type, otherwise.type))
    if then.type.kind is not otherwise.type.kind or then.type.kind not in (Kind.BOOLEAN, Kind.TEXT, Kind.TIME):
        raise RefusalError(f"both sides of a choice must be of one kind, these are {then.type} and {otherwise.type}.")
    return tree.Choice(test, then, otherwise, then.type)


def _either(a: Type, b: Type) -> Type:
    if a.kind is Kind.INTEGER:
        return integer(min(a.low, b.low), max(a.high, b.high))
    return floating(min(a.smallest, b.smallest), max(a.largest, b.largest))
