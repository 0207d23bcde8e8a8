"""Where in a script workloads stand, and what is said of them there: the way through its statements."""

import ast
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from openg2g.formats.python.literals import (
    DEPLOYMENTS,
    MODEL_SPEC,
    MODEL_SPEC_0_0_1,
    RAMPS,
    SCHEDULE,
    WORKLOAD,
    Evaluator,
)
from openg2g.formats.python.scopes import (
    COMPREHENSIONS,
    Scope,
    assigned_from_within,
    bound_names,
    changes_in_place,
    imported_names,
    joined_title,
    names_of_comprehension,
    outermost,
    scope_of_function,
)
from openg2g.formats.python.values import (
    Construct,
    Items,
    KnownName,
    Table,
    Unknown,
    UntellableError,
    Value,
    operated,
)

_OTHER, _UNTOLD = "other", "untold"


@dataclass(frozen=True, eq=False)
class Found:
    """A workload, or a list of models, as it stands in a script."""

    name: str | None
    value: "Construct | Items"
    node: ast.expr
    statement: ast.stmt
    title: str


@dataclass(frozen=True, eq=False)
class Schedules:
    """A dict of replica schedules by model label."""

    table: Table
    node: ast.expr
    title: str


class ScriptSearch:
    """Goes through the statements of a script, in order, and notes the workloads."""

    def __init__(self, module: ast.Module) -> None:
        self.found: list[Found] = []
        self.schedules: list[Schedules] = []
        self.evaluator = Evaluator()
        self._seen: set[int] = set()
        self._from_within = assigned_from_within(module)
        self._later: list[tuple[Sequence[ast.stmt], Scope]] = []
        scope = outermost(changes_in_place(module), Counter(bound_names(module.body)))
        self._block(module.body, scope)
        while self._later:  # A function runs when the module is complete.
            body, scope = self._later.pop()
            self._block(body, scope)
        self.found.sort(key=lambda found: (found.node.lineno, found.node.col_offset))

    def _block(self, statements: Sequence[ast.stmt], scope: Scope) -> None:
        for statement in statements:
            self._statement(statement, scope)

    def _statement(self, statement: ast.stmt, scope: Scope) -> None:
        match statement:
            case ast.Assign(targets=targets, value=node) if all(isinstance(target, ast.Name) for target in targets):
                self._assign([target.id for target in targets if isinstance(target, ast.Name)], node, statement, scope)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as node):
                self._assign([name], node, statement, scope)
            case ast.AugAssign(target=ast.Name(id=name), op=kind, value=node):
                self._set(scope, name, self._augmented(name, kind, node, scope))
            case ast.Import() | ast.ImportFrom():
                for name, value in imported_names(statement):
                    self._set(scope, name, value)
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                self._set(scope, statement.name, Unknown(statement, "it is a function"))
                self._later.append((statement.body, scope_of_function(statement, scope)))
            case ast.ClassDef(name=name, body=body):
                title = joined_title(scope.title, name)
                within = Scope(title, scope, times=Counter(bound_names(body)), is_class=True, changes=scope.changes)
                self._block(body, within)
                self._set(scope, name, Unknown(statement, "it is a class"))
            case ast.With() | ast.AsyncWith():
                self._look_through(statement, scope)
                scope.forget(bound_names(statement.items), statement, "a with statement assigns it")
                self._block(statement.body, scope)
            case _:
                self._other(statement, scope)
                return
        if not isinstance(statement, ast.With | ast.AsyncWith | ast.ClassDef):
            self._look_through(statement, scope)

    def _assign(self, names: Sequence[str], node: ast.expr, statement: ast.stmt, scope: Scope) -> None:
        value = self.evaluator.value_of(node, scope)
        full_name = joined_title(scope.title, names[0])
        if isinstance(value, Construct):
            is_found = value.kind == WORKLOAD and value.node is node
        else:  # Another name for the same list is no second workload.
            is_found = (
                isinstance(value, Items) and not isinstance(node, ast.Name | ast.Attribute) and _are_models(value)
            )
        if is_found and isinstance(value, Construct | Items):
            self._note(Found(full_name, value, node, statement, scope.title))
        for name in names:
            self._set(scope, name, value)

    def _set(self, scope: Scope, name: str, value: Value) -> None:
        if name in self._from_within:
            value = Unknown(ast.Name(name), f"line {self._from_within[name]} lets a function assign it")
        scope.assign(name, value)

    def _augmented(self, name: str, kind: ast.operator, node: ast.expr, scope: Scope) -> Value:
        values = [
            self.evaluator.value_of(operand, scope) for operand in (ast.copy_location(ast.Name(name), node), node)
        ]
        for value in values:
            if isinstance(value, Unknown):
                return value
        try:
            return operated(type(kind), *values)
        except UntellableError as error:
            return Unknown(node, str(error))

    def _other(self, statement: ast.stmt, scope: Scope) -> None:
        """Go into the branches of a statement; what they assign is not told from there on."""
        self._look_through(statement, scope)
        names = list(bound_names([statement]))
        why = f"line {statement.lineno} assigns it, in a way that depends on the run"
        if isinstance(statement, ast.For | ast.AsyncFor | ast.While):  # What a round assigns, the next one sees.
            scope.forget(iter(names), statement, why)
        classes: dict[str, Value] = {}
        for block in _blocks_of(statement):
            branch = scope.branch()
            self._block(block, branch)
            # A branch that imports a class does so to be able to run at all.
            classes |= {name: value for name, value in branch.values.items() if isinstance(value, KnownName)}
        scope.forget(iter(names), statement, why)
        scope.values |= classes

    def _look_through(self, statement: ast.stmt, scope: Scope) -> None:
        """Note workloads and schedules anywhere in the expressions of a statement."""
        waiting: list[tuple[ast.AST, Scope]] = [(statement, scope)]
        while waiting:
            node, around = waiting.pop()
            if isinstance(node, ast.stmt | ast.excepthandler | ast.match_case) and node is not statement:
                continue
            if isinstance(node, ast.Lambda):
                around = scope_of_function(node, around)
            elif isinstance(node, COMPREHENSIONS):
                around = around.with_names({})
                around.forget(names_of_comprehension(node), ast.Name("_"), "it is different in each round of the loop")
            elif isinstance(node, ast.Call) and id(node) not in self._seen and self._is_workload(node.func, around):
                value = self.evaluator.value_of(node, around)
                if isinstance(value, Construct):
                    self._note(Found(None, value, node, statement, scope.title))
            elif isinstance(node, ast.NamedExpr):
                scope.forget(bound_names([node.target]), node, "an expression assigns it")
            elif isinstance(node, ast.Dict) and any(isinstance(value, ast.Call) for value in node.values):
                table = self.evaluator.value_of(node, around)
                if isinstance(table, Table) and _are_schedules(table):
                    self.schedules.append(Schedules(table, node, scope.title))
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            waiting += [(child, around) for child in ast.iter_child_nodes(node)]

    def _is_workload(self, function: ast.expr, scope: Scope) -> bool:
        if isinstance(function, ast.Attribute) and function.attr != WORKLOAD:
            return False
        if not isinstance(function, ast.Name | ast.Attribute):
            return False
        value = self.evaluator.value_of(function, scope)
        return isinstance(value, KnownName) and value.kind == "class" and value.name == WORKLOAD

    def _note(self, found: Found) -> None:
        self._seen.add(id(found.node))
        self.found.append(found)


def _blocks_of(statement: ast.stmt) -> Iterator[Sequence[ast.stmt]]:
    """Yield the branches of a statement; those of a long `elif` one after the other."""
    while True:
        yield getattr(statement, "body", [])
        for part in [*getattr(statement, "handlers", []), *getattr(statement, "cases", [])]:
            yield part.body
        yield getattr(statement, "finalbody", [])
        further: Sequence[ast.stmt] = getattr(statement, "orelse", [])
        if not (isinstance(statement, ast.If) and len(further) == 1 and isinstance(further[0], ast.If)):
            yield further
            return
        statement = further[0]


def _are_models(items: Items) -> bool:
    """Whether members are models, deployments or pairs of a deployment and a schedule, at least one that is told."""
    kinds = {_kind_of(member) for member in items.members}
    return _OTHER not in kinds and bool(kinds - {_UNTOLD})


def _kind_of(member: Value) -> str:
    match member:
        case Unknown():
            return _UNTOLD
        case Construct(kind=kind) if kind in (MODEL_SPEC, MODEL_SPEC_0_0_1, *DEPLOYMENTS):
            return kind
        case Items(members=(Construct(kind=kind), Unknown() | Construct(kind="ReplicaSchedule"))) if (
            kind in DEPLOYMENTS
        ):
            return kind
        case _:
            return _OTHER


def _are_schedules(table: Table) -> bool:
    """Whether every value is a schedule, or something unknown beside one."""
    values = [value for _, value in table.pairs]
    are_schedules = [isinstance(value, Construct) and value.kind == SCHEDULE for value in values]
    ramping = [isinstance(value, Unknown) and value.why == RAMPS for value in values]
    others = [isinstance(value, Unknown | KnownName) for value in values]
    return any([*are_schedules, *ramping]) and all(a or b for a, b in zip(are_schedules, others, strict=True))
