"""From an expression of a script to its value: an evaluator with an allow-list, which calls nothing.

What it understands: constants, names assigned before, tuples, lists and dicts (with `*` inside), `+ - * / // % **`,
`tuple()`, `list()` and `range()`, a member or an argument of what is known, one plain `for` in a list, and the calls of
OpenG2G's classes, whose arguments are kept and not used. Everything else is an `Unknown` that says where and why.

Source: the signatures of OpenG2G 0.0.1 (`openg2g/models/spec.py`, `datacenter/online.py`), 0.1 and 0.2
(`openg2g/datacenter/config.py`, `online.py`).
"""

import ast
from collections.abc import Mapping
from typing import Protocol

from openg2g.formats.native import MODEL_FIELDS
from openg2g.formats.python.values import (
    TOO_LARGE,
    Argument,
    Construct,
    Items,
    KnownName,
    Table,
    Unknown,
    UntellableError,
    Value,
    checked_number,
    items_of,
    negated,
    operated,
    range_of,
    table_of,
    weight_of,
)

MAX_DEPTH = 60
"""Levels of nesting of one expression."""

MAX_TOTAL_WEIGHT = 2_000_000
"""Plain values in everything that a script computes, one thing after the other."""

WORKLOAD = "LLMInferenceWorkload"
MODEL_SPEC_0_0_1 = "LLMInferenceModelSpec"
MODEL_SPEC = "InferenceModelSpec"
DEPLOYMENTS = ("ModelDeployment", "VLLMDeployment", "OnlineModelDeployment")
SCHEDULE = "ReplicaSchedule"
RECORDS = ("GPUEndpointMapping",)

POSITIONAL_PARAMETERS: Mapping[str, tuple[str, ...]] = {
    WORKLOAD: ("models",),
    MODEL_SPEC_0_0_1: MODEL_FIELDS,
    MODEL_SPEC: (),
    "ModelDeployment": ("spec", "initial_batch_size"),
    "VLLMDeployment": (),
    "OnlineModelDeployment": ("spec", "vllm_base_url", "model_name", "gpu_endpoints"),
    SCHEDULE: (),
    "GPUEndpointMapping": ("host", "port", "gpu_indices"),
}
"""Class → the parameters that it takes by position; all others are taken by name only."""

BUILTINS = ("tuple", "list", "range")
"""Functions that are understood."""

RAMPS = "a schedule that ramps is no one number of replicas"
"""Why a schedule has no value."""

_CALL = "a call is not run"
_KINDS_OF_EXPRESSIONS: Mapping[type[ast.expr], str] = {
    ast.JoinedStr: "an f-string is not evaluated",
    ast.IfExp: "a condition is not evaluated",
    ast.BoolOp: "a condition is not evaluated",
    ast.Compare: "a condition is not evaluated",
    ast.Lambda: "a function is no value",
    ast.Await: _CALL,
}


class Names(Protocol):
    """What the names of a place in the script stand for."""

    def find(self, name: str) -> "Value | Missing":
        """Return what a name stands for there, `MISSING` if nobody assigns it."""

    def with_names(self, names: Mapping[str, Value]) -> "Names":
        """Return the names of a place within, where these come first."""


class Missing:
    """The type of `MISSING`."""


MISSING = Missing()
"""No value: None is one."""


class Evaluator:
    """Tells the values of expressions, and keeps account of what that costs."""

    def __init__(self) -> None:
        self._left = MAX_TOTAL_WEIGHT

    def value_of(self, node: ast.expr, names: Names, depth: int = 0) -> Value:
        """Return the value of an expression, `Unknown` where it cannot be told."""
        if depth > MAX_DEPTH:
            return Unknown(node, f"it is nested more than {MAX_DEPTH} levels deep")
        try:
            value = self._told(node, names, depth + 1)
        except UntellableError as error:
            return Unknown(node, str(error))
        if isinstance(value, Items | Table | Construct | str) and not isinstance(node, ast.Name):
            self._left -= weight_of(value)
        if self._left < 0:
            return Unknown(node, "the script computes too much")
        return value

    @property
    def is_exhausted(self) -> bool:
        """Whether it has given up, and tells no more values."""
        return self._left < 0

    def charge(self, weight: int) -> bool:
        """Take account of something else that costs; return whether so much is left."""
        self._left -= weight
        return self._left >= 0

    def _told(self, node: ast.expr, names: Names, depth: int) -> Value:
        match node:
            case ast.Constant(value=None | bool() | str() as constant):
                return constant
            case ast.Constant(value=int() | float() as number):
                return checked_number(number)
            case ast.Name(id=name):
                return self._named(node, names.find(name))
            case ast.Tuple(elts=elements) | ast.List(elts=elements):
                return self._display(elements, names, depth, is_list=isinstance(node, ast.List))
            case ast.Dict():
                return self._dict(node, names, depth)
            case ast.BinOp(left=left, op=kind, right=right):
                values = [self.value_of(operand, names, depth) for operand in (left, right)]
                unknown = next((value for value in values if isinstance(value, Unknown)), None)
                return unknown or operated(type(kind), *values)
            case ast.UnaryOp(op=sign, operand=operand):
                value = self.value_of(operand, names, depth)
                return value if isinstance(value, Unknown) else negated(type(sign), value)
            case ast.Attribute() | ast.Subscript():
                return self._part(node, names, depth)
            case ast.GeneratorExp() | ast.ListComp():
                return self._comprehension(node, names, depth)
            case ast.Call():
                return self._call(node, names, depth)
            case _:
                return Unknown(node, _KINDS_OF_EXPRESSIONS.get(type(node), "this is no literal"))

    def _named(self, node: ast.expr, found: "Value | Missing") -> Value:
        return Unknown(node, "the name is not assigned in this script") if isinstance(found, Missing) else found

    def _display(self, elements: list[ast.expr], names: Names, depth: int, *, is_list: bool) -> Value:
        members: list[Value] = []
        for element in elements:
            value = self.value_of(element.value if isinstance(element, ast.Starred) else element, names, depth)
            if not self.charge(1):
                raise UntellableError(TOO_LARGE)
            if not isinstance(element, ast.Starred):
                members.append(value)
            elif isinstance(value, Items):
                members += value.members
            else:
                return value if isinstance(value, Unknown) else Unknown(element, "it is no tuple or list")
        return items_of(members, is_list=is_list)

    def _dict(self, node: ast.Dict, names: Names, depth: int) -> Value:
        pairs: list[tuple[Value, Value]] = []
        for key, item in zip(node.keys, node.values, strict=True):
            value = self.value_of(item, names, depth)
            if key is not None:
                pairs.append((self.value_of(key, names, depth), value))
            elif isinstance(value, Table):
                pairs += value.pairs
            else:
                return value if isinstance(value, Unknown) else Unknown(item, "it is no dict")
        return table_of(pairs)

    def _part(self, node: "ast.Attribute | ast.Subscript", names: Names, depth: int) -> Value:
        """Find an argument of a call by its name, or a member of what is known."""
        whole = self.value_of(node.value, names, depth)
        if isinstance(whole, Unknown):
            return whole
        if isinstance(node, ast.Attribute):
            if isinstance(whole, Construct) and node.attr in whole.arguments:
                return whole.arguments[node.attr].value
            if isinstance(whole, KnownName) and whole.kind == "module":
                return KnownName("class", node.attr) if node.attr in POSITIONAL_PARAMETERS else whole
            return Unknown(node, "an attribute is not looked up")
        index = self.value_of(node.slice, names, depth)
        if isinstance(index, Unknown):
            return index
        if isinstance(whole, Items) and type(index) is int and -len(whole.members) <= index < len(whole.members):
            return whole.members[index]
        if isinstance(whole, Table) and isinstance(index, str):
            for key, value in reversed(whole.pairs):
                if isinstance(key, Unknown):
                    break
                if key == index:
                    return value
        return Unknown(node, "there is no such member that can be told")

    def _comprehension(self, node: "ast.GeneratorExp | ast.ListComp", names: Names, depth: int) -> Value:
        """Apply one plain `for` to what is known; no conditions, no `for` within."""
        (loop, *more) = node.generators
        if more or loop.ifs or loop.is_async or not isinstance(loop.target, ast.Name):
            return Unknown(node, "only one plain for is understood")
        members = self.value_of(loop.iter, names, depth)
        if not isinstance(members, Items):
            return members if isinstance(members, Unknown) else Unknown(loop.iter, "it is no tuple or list")
        found = []
        for member in members.members:
            if not self.charge(1):
                raise UntellableError(TOO_LARGE)
            found.append(self.value_of(node.elt, names.with_names({loop.target.id: member}), depth))
        return items_of(found, is_list=isinstance(node, ast.ListComp))

    def _call(self, node: ast.Call, names: Names, depth: int) -> Value:
        if isinstance(node.func, ast.Attribute):
            base = self.value_of(node.func.value, names, depth)
            ramps = isinstance(base, Unknown) and base.why == RAMPS
            if ramps or (isinstance(base, Construct) and base.kind == SCHEDULE):
                return Unknown(node, RAMPS)
        match self.value_of(node.func, names, depth):
            case KnownName(kind="class", name=name):
                return self._construct(name, node, names, depth)
            case KnownName(kind="builtin", name=name):
                return self._builtin(name, node, names, depth)
            case Unknown(is_parameter=True) as unknown:
                return unknown
            case _:
                return Unknown(node, _CALL)

    def _builtin(self, name: str, node: ast.Call, names: Names, depth: int) -> Value:
        values = [self.value_of(argument, names, depth) for argument in node.args]
        unknown = next((value for value in values if isinstance(value, Unknown)), None)
        if unknown is not None or node.keywords:
            return unknown or Unknown(node, _CALL)
        if name == "range":
            return range_of(values)
        if not values:
            return items_of([], is_list=name == "list")
        if len(values) > 1 or not isinstance(values[0], Items):
            return Unknown(node, _CALL)
        return items_of(values[0].members, is_list=name == "list")

    def _construct(self, kind: str, node: ast.Call, names: Names, depth: int) -> Construct:
        arguments: dict[str, Argument] = {}
        faults: list[Unknown] = []
        parameters = POSITIONAL_PARAMETERS[kind]
        for position, given in enumerate(node.args):
            if isinstance(given, ast.Starred):
                faults.append(Unknown(given, "which arguments these are is not told"))
                break
            if position >= len(parameters):
                faults.append(Unknown(given, f"{kind} takes {len(parameters) or 'no'} arguments by position"))
                break
            arguments[parameters[position]] = Argument(self.value_of(given, names, depth), given)
        for keyword in node.keywords:
            if keyword.arg is None:
                faults.append(Unknown(keyword.value, "which arguments these are is not told"))
            elif keyword.arg in arguments:
                faults.append(Unknown(keyword.value, f"{keyword.arg} is given twice"))
            else:
                arguments[keyword.arg] = Argument(self.value_of(keyword.value, names, depth), keyword.value)
        weight = 1 + sum(weight_of(argument.value) for argument in arguments.values())
        return Construct(kind, node, arguments, tuple(faults), weight)
