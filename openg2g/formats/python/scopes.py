"""Which names of a script stand for what, at each place: without running it, and without guessing.

A name has the value of its last assignment where the statements up to there run one after the other. Where that
depends on the run it has none: after a branch or a loop that assigns it, seen from a function if it is assigned more
than once, and for a list or dict if anything in the script changes it in place.
"""

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from openg2g.formats.python.literals import BUILTINS, MISSING, POSITIONAL_PARAMETERS, Missing
from openg2g.formats.python.values import KnownName, Unknown, Value, can_change

_OPENG2G = "openg2g"
_CHANGING_METHODS = frozenset(
    {"append", "extend", "insert", "remove", "pop", "clear", "sort", "reverse", "update", "setdefault", "popitem"}
)
COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)


@dataclass
class Scope:
    """The names of a module, class, function, branch or comprehension."""

    title: str  # Qualified name of the function or class, empty in the module.
    outer: "Scope | None" = None
    is_function: bool = False  # Its statements run later than those around it.
    is_class: bool = False  # Its names are no names in the functions within.
    times: Mapping[str, int] = field(default_factory=dict)  # How often each name is assigned.
    values: dict[str, Value] = field(default_factory=dict)  # What the names stand for so far.
    changes: Mapping[str, int] = field(default_factory=dict)  # Name → line that changes its value in place.

    def find(self, name: str) -> "Value | Missing":
        """Return what a name stands for at this place, `MISSING` if nobody assigns it."""
        scope: Scope | None = self
        runs_later = False
        while scope is not None:
            if name in scope.values:
                value = scope.values[name]
                if runs_later and scope.times.get(name, 1) > 1 and not isinstance(value, Unknown):
                    return Unknown(ast.Name(name), "the name is assigned more than once")
                return value
            runs_later = runs_later or scope.is_function
            scope = scope.outer
        return MISSING

    def with_names(self, names: Mapping[str, Value]) -> "Scope":
        """Return the scope of a place within, where these names come first."""
        return Scope(self.title, self, values=dict(names), changes=self.changes)

    def branch(self) -> "Scope":
        """Return the scope of statements that may run or not."""
        return Scope(self.title, self, is_class=self.is_class, times=self.times, changes=self.changes)

    def assign(self, name: str, value: Value) -> None:
        """Let a name stand for a value from here on."""
        if name in self.changes and can_change(value):
            value = Unknown(ast.Name(name), f"it is changed in line {self.changes[name]}")
        self.values[name] = value

    def forget(self, names: Iterator[str], node: ast.AST, why: str, *, is_parameter: bool = False) -> None:
        """Let names stand for what cannot be told."""
        for name in names:
            self.values[name] = Unknown(node, why, is_parameter)


def outermost(changes: Mapping[str, int], times: Mapping[str, int]) -> Scope:
    """Make the scope of a module, within that of the names which need no assignment."""
    known: dict[str, Value] = {name: KnownName("class", name) for name in POSITIONAL_PARAMETERS}
    known |= {name: KnownName("builtin", name) for name in BUILTINS}
    return Scope("", Scope("", values=known), times=times, changes=changes)


def scope_of_function(function: "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda", around: Scope) -> Scope:
    """Make the scope of a function: its parameters, and its own names before they are assigned."""
    title = around.title
    while around.is_class and around.outer is not None:
        around = around.outer
    scope = Scope(title, around, is_function=True, changes=around.changes)
    if not isinstance(function, ast.Lambda):
        scope.title = joined_title(title, function.name)
        scope.times = Counter(bound_names(function.body))
        scope.forget(iter(scope.times), function, "the name is not assigned yet")
    arguments = function.args
    parameters = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
    parameters += [argument for argument in (arguments.vararg, arguments.kwarg) if argument is not None]
    for parameter in parameters:
        scope.values[parameter.arg] = Unknown(parameter, "it is a parameter", is_parameter=True)
    return scope


def joined_title(title: str, name: str) -> str:
    """Name something within a function or class: `main.fleet`."""
    return f"{title}.{name}" if title else name


def imported_names(statement: "ast.Import | ast.ImportFrom") -> Iterator[tuple[str, Value]]:
    """Yield the names that an import assigns, with what they stand for."""
    for alias in statement.names:
        if isinstance(statement, ast.Import):
            name = alias.asname or alias.name.partition(".")[0]
            is_ours = alias.name.partition(".")[0] == _OPENG2G
            yield name, KnownName("module", alias.name) if is_ours else Unknown(statement, "it is imported")
            continue
        if alias.name == "*":
            continue
        is_ours = statement.level > 0 or (statement.module or "").partition(".")[0] == _OPENG2G
        value: Value = Unknown(statement, "it is imported")
        if is_ours and alias.name in POSITIONAL_PARAMETERS:
            value = KnownName("class", alias.name)
        elif is_ours and statement.level == 0:
            value = KnownName("module", alias.name)
        yield alias.asname or alias.name, value


def bound_names(nodes: Sequence[ast.AST]) -> Iterator[str]:
    """Yield every name that statements assign in their own scope, once for each time; without recursion."""
    waiting: list[ast.AST] = list(reversed(nodes))
    while waiting:
        node = waiting.pop()
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
                continue
            case ast.Import() | ast.ImportFrom():
                yield from (name for name, _ in imported_names(node))
            case ast.ExceptHandler(name=str(name)) | ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)):
                yield name
            case ast.MatchMapping(rest=str(name)):
                yield name
            case ast.Lambda():
                continue
            case ast.comprehension():  # Its target is a name of its own.
                waiting += [node.iter, *node.ifs]
                continue
        waiting += ast.iter_child_nodes(node)


def names_of_comprehension(node: ast.AST) -> Iterator[str]:
    """Yield the names that a comprehension assigns within."""
    assert isinstance(node, COMPREHENSIONS)
    for loop in node.generators:
        yield from bound_names([loop.target])


def changes_in_place(module: ast.Module) -> dict[str, int]:
    """Return each name through which a list or dict is changed, or which a function assigns from within, with a line.

    A name that is only another one for the same thing is taken along, in both directions, and with a name through whose
    members something is changed (`settings["sizes"].append(8)`) those that were put into it.
    """
    changes: dict[str, int] = {}
    within: dict[str, int] = {}
    same: dict[str, set[str]] = {}
    members: dict[str, set[str]] = {}
    for node in ast.walk(module):
        match node:
            case ast.Attribute(value=changed, attr=method) if method in _CHANGING_METHODS:
                _note_change(changed, node.lineno, changes, within)
            case ast.Subscript(value=changed, ctx=ast.Store() | ast.Del()):
                _note_change(changed, node.lineno, changes, within)
            case ast.AugAssign(target=ast.Name(id=name)):
                changes.setdefault(name, node.lineno)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.Name(id=other)):
                same.setdefault(name, set()).add(other)
                same.setdefault(other, set()).add(name)
            case ast.Assign(targets=[ast.Name(id=name)], value=ast.List() | ast.Tuple() | ast.Dict() as display):
                members.setdefault(name, set()).update(_names_in(display))
    _take_along(within, same, members)
    changes = within | changes
    _take_along(changes, same, {})
    return changes


def _note_change(changed: ast.expr, line: int, changes: dict[str, int], within: dict[str, int]) -> None:
    """Note the name that a change goes through, if it goes through one."""
    noted = changes
    while isinstance(changed, ast.Subscript):
        changed, noted = changed.value, within
    if isinstance(changed, ast.Name):
        noted.setdefault(changed.id, line)


def _take_along(changes: dict[str, int], same: Mapping[str, set[str]], members: Mapping[str, set[str]]) -> None:
    waiting = list(changes)
    while waiting:
        name = waiting.pop()
        for other in (same.get(name, set()) | members.get(name, set())) - changes.keys():
            changes[other] = changes[name]
            waiting.append(other)


def _names_in(display: ast.expr) -> Iterator[str]:
    """Yield the names of which lists, tuples and dicts in each other are made; a call makes something of its own."""
    waiting: list[ast.AST] = [display]
    while waiting:
        match waiting.pop():
            case ast.Name(id=name):
                yield name
            case ast.List(elts=elements) | ast.Tuple(elts=elements):
                waiting += elements
            case ast.Dict(values=values):
                waiting += values


def assigned_from_within(module: ast.Module) -> dict[str, int]:
    """Return each name that a function declares as one of a scope around it, with the line."""
    return {
        name: node.lineno
        for node in ast.walk(module)
        if isinstance(node, ast.Global | ast.Nonlocal)
        for name in node.names
    }
