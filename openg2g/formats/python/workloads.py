"""From the calls of OpenG2G's classes in a script to documents, by the rules of the version that they belong to.

The models of an `LLMInferenceWorkload` (0.0.1) are read as a document of the catalog is; lists of `InferenceModelSpec`
(0.1) and of deployments (0.1 and 0.2) as the configuration file of their version, which has the same fields: with its
defaults for what is left out, and with everything beyond the six fields kept in the annotations.
"""

import ast
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from openg2g.formats import native
from openg2g.formats.document import Document
from openg2g.formats.openg2g.config import document_from_list
from openg2g.formats.openg2g.layout import REPLICA_KEYS, recognise_version
from openg2g.formats.openg2g.origin import ORIGIN
from openg2g.formats.python.literals import DEPLOYMENTS, MODEL_SPEC, MODEL_SPEC_0_0_1, RECORDS, SCHEDULE, WORKLOAD
from openg2g.formats.python.search import Found, Schedules
from openg2g.formats.python.values import Argument, Construct, Items, Table, Unknown, Value
from openg2g.models.errors import InvalidDocumentError, Problem

_MODEL_SPECS = (MODEL_SPEC, MODEL_SPEC_0_0_1)
_SAID_BY_DEPLOYMENTS_OF_0_2 = frozenset({*REPLICA_KEYS, "initial_batch_size"})


class OnlySpecsError(Exception):
    """A list holds model specs of OpenG2G 0.2, which say neither replicas nor batch sizes: it is no workload."""


class DependsOnParametersError(Exception):
    """A workload in a function depends on its parameters: whoever calls it says what it is."""


@dataclass
class WorkloadReader:
    """Reads one workload of a script."""

    found: Found
    schedules: Sequence[Schedules]
    where: str
    place_of: Callable[[ast.AST], tuple[int, int]]
    text_of: Callable[[ast.AST], str]
    problems: list[Problem] = field(default_factory=list)
    places: dict[str, ast.AST] = field(default_factory=dict)  # Path of a field → the node that says it.
    untold: set[str] = field(default_factory=set)  # Paths of what is not known, told already.
    _order: list[tuple[int, int]] = field(default_factory=list)
    _told: set[tuple[str, int]] = field(default_factory=set)

    def read(self) -> Document:
        """Read it."""
        members = self._members()
        entries = [self._entry(member, position) for position, member in enumerate(members)]
        kinds = {entry.kind for entry in entries if entry is not None}
        if len(kinds) > 1:
            self._problem(self.found.node, "models", f"must be of one class, got {' and '.join(sorted(kinds))}.")
            raise self._error()
        values = [{} if entry is None else entry.value for entry in entries]
        try:
            document = self._document(values, kinds, entries)
        except InvalidDocumentError as error:
            for problem in error.problems:
                if not self._is_untold(problem.path):
                    self._add_placed(problem)
            raise self._error() from None
        if self.problems:
            raise self._error()
        return document

    def _error(self) -> InvalidDocumentError:
        """Make an error of all problems, in the order of their places."""
        ordered = sorted(zip(self._order, self.problems, strict=True), key=lambda pair: pair[0])
        return InvalidDocumentError([problem for _, problem in ordered])

    def _document(self, values: list[dict[str, Any]], kinds: set[str], entries: "Sequence[Entry | None]") -> Document:
        specs = [entry.spec for entry in entries if entry is not None]
        where = f"{self.where}:{self.found.node.lineno}"
        if kinds <= {MODEL_SPEC_0_0_1}:
            return native.document_from_value({"models": values}, where)
        if any(spec.kind == MODEL_SPEC_0_0_1 for spec in specs):
            deployed = {
                str(value["spec"].get("model_label")): {"deployment": {k: v for k, v in value.items() if k != "spec"}}
                for value in values
                if value.keys() - {"spec"}
            }
            models = [value.get("spec", {}) for value in values]
            value = {"models": models, "annotations": {"models": deployed}}
            return native.document_from_value(value, where)
        list_key = "models" if kinds == {MODEL_SPEC} else "deployments"
        version = _version_of(list_key, entries)
        document = document_from_list(list_key, values, where, version)
        # Of the layout only the version is kept: a script has none, and a file is to be written in the usual one.
        return Document(document.workload, where, None, {**document.annotations, ORIGIN: {"version": version}})

    def _members(self) -> tuple[Value, ...]:
        value: Value = self.found.value
        if isinstance(value, Construct):
            for fault in value.faults:
                self._untold("models", fault.node, fault)
            argument = value.arguments.get("models")
            for name in value.arguments.keys() - {"models"}:
                self._problem(value.arguments[name].node, name, f"is no argument of {WORKLOAD}.")
            if argument is None:
                if not value.faults:
                    self._problem(self.found.node, "models", "is missing.")
                raise self._error()
            self.places["models"] = argument.node
            value = argument.value
            if isinstance(value, Unknown):
                self._untold("models", argument.node, value)
            elif not isinstance(value, Items):
                self._problem(argument.node, "models", f"must be a tuple of {MODEL_SPEC_0_0_1}.")
            if self.problems:
                raise self._error()
        assert isinstance(value, Items)
        return value.members

    def _entry(self, member: Value, position: int) -> "Entry | None":
        """Read a member of the list: its fields as a configuration file has them."""
        schedule: Value = None
        if isinstance(member, Items) and len(member.members) == 2 and not isinstance(self.found.value, Construct):
            member, schedule = member.members
        allowed = (MODEL_SPEC_0_0_1,) if isinstance(self.found.value, Construct) else None
        if isinstance(member, Unknown):
            self._untold(f"models[{position}]", self.found.node, member)
            self.untold.add(f"deployments[{position}]")
            return None
        if not isinstance(member, Construct) or (allowed is not None and member.kind not in allowed):
            self._problem(self.found.node, f"models[{position}]", f"must be an {MODEL_SPEC_0_0_1}(...).")
            return None
        list_key = "deployments" if member.kind in DEPLOYMENTS else "models"
        path = f"{list_key}[{position}]"
        value = self._fields(member, path)
        if member.kind not in DEPLOYMENTS:
            return Entry(member.kind, member, member, value)
        spec = member.arguments.get("spec")
        if spec is None or not isinstance(spec.value, Construct) or spec.value.kind not in _MODEL_SPECS:
            if f"{path}.spec" not in self.untold:
                node = member.node if spec is None else spec.node
                self._problem(node, f"{path}.spec", f"must be {MODEL_SPEC}(...).")
            return None
        says_replicas = not member.arguments.keys().isdisjoint(REPLICA_KEYS)
        if spec.value.kind == MODEL_SPEC and _is_0_2(spec.value) and not says_replicas:
            self._tell_replicas(value, schedule, member, path)
        return Entry(member.kind, member, spec.value, value)

    def _fields(self, construct: Construct, path: str) -> dict[str, Any]:
        """Give the arguments of a call as a JSON object; note what cannot be told."""
        self.places[path] = construct.node
        for fault in construct.faults:
            self._untold(path, fault.node, fault)
        found = {}
        for name, argument in construct.arguments.items():
            place = f"{path}.{name}"
            self.places[place] = argument.node
            if isinstance(argument.value, Construct) and argument.value.kind in _MODEL_SPECS:
                found[name] = self._fields(argument.value, place)
            elif not self._is_known(argument.value, place, argument.node):
                continue
            else:
                found[name] = _json(argument.value)
        return found

    def _is_known(self, value: Value, path: str, node: ast.AST) -> bool:
        """Whether a value is JSON throughout; note the first part of it that is not."""
        match value:
            case None | bool() | int() | float() | str():
                return True
            case Unknown():
                self._untold(path, node, value)
                return False
            case Items(members=members):
                # All of them, so that every one that is wrong is told.
                places = (path if path.endswith("]") else f"{path}[{i}]" for i in range(len(members)))
                return all([self._is_known(member, place, node) for member, place in zip(members, places, strict=True)])
            case Table(pairs=pairs) if all(isinstance(key, str) for key, _ in pairs):
                return all([self._is_known(member, f"{path}.{key}", node) for key, member in pairs])
            case Construct(kind=kind, arguments=arguments, faults=()) if kind in RECORDS:
                return all([self._is_known(a.value, f"{path}.{name}", a.node) for name, a in arguments.items()])
            case _:
                self.untold.add(path)
                self._problem(node, path, f"must be a plain value, got {self.text_of(node)}.")
                return False

    def _tell_replicas(self, value: dict[str, Any], schedule: Value, member: Construct, path: str) -> None:
        """Find the replicas of a deployment of 0.2: in the schedule beside it, or in the one of its label."""
        path = f"{path}.num_replicas"
        if schedule is not None:
            self._take_schedule(value, Argument(schedule, member.node), path)
            return
        label = value.get("spec", {}).get("model_label")
        told: list[tuple[Argument, object]] = []
        for schedules in self.schedules:
            if schedules.title in ("", self.found.title):
                for key, item in schedules.table.pairs:
                    if key == label and label is not None:
                        told.append((Argument(item, schedules.node), _replicas_of(item)))
        if len({repr(number) for _, number in told}) > 1:
            lines = " and ".join(f"line {getattr(a.node, 'lineno', 0)}" for a, _ in told)
            self._problem(member.node, path, f"is told differently by the schedules of this label ({lines}).")
        elif told:
            self._take_schedule(value, told[0][0], path)
        else:
            self._problem(
                member.node, path, f"is not told: there is no {SCHEDULE}(initial=...) beside it or of its label."
            )
        if "num_replicas" not in value:
            self.untold.add(path)

    def _take_schedule(self, value: dict[str, Any], schedule: Argument, path: str) -> None:
        construct = schedule.value
        if isinstance(construct, Unknown):
            self._untold(path, construct.node if hasattr(construct.node, "lineno") else schedule.node, construct)
            return
        initial = construct.arguments.get("initial") if isinstance(construct, Construct) else None
        if not isinstance(construct, Construct) or construct.kind != SCHEDULE or initial is None:
            self._problem(schedule.node, path, f"must be told by a {SCHEDULE}(initial=...).")
        elif self._is_known(initial.value, path, initial.node):
            self.places[path] = initial.node
            value["num_replicas"] = _json(initial.value)

    def _untold(self, path: str, node: ast.AST, unknown: Unknown) -> None:
        if unknown.is_parameter:
            raise DependsOnParametersError("it depends on the parameters of a function")
        self.untold.add(path)
        told = (re.sub(r"\[[0-9]+\]$", "", path), id(unknown))
        if told in self._told:  # A member that is repeated: once is enough.
            return
        self._told.add(told)
        text = self.text_of(node)
        line = getattr(unknown.node, "lineno", None)
        cause = self.text_of(unknown.node) if isinstance(unknown.node, ast.expr) and line is not None else ""
        if cause and cause != text:
            why = (
                f"{cause} in line {line}: {unknown.why}"
                if line != getattr(node, "lineno", line)
                else f"{cause}: {unknown.why}"
            )
        else:
            why = unknown.why
        self._problem(node, path, f"cannot be known without running the script: {text} ({why}).")

    def _problem(self, node: ast.AST, path: str, message: str) -> None:
        self._add(node, Problem(self.where, path, message, *self.place_of(node)))

    def _add(self, node: ast.AST, problem: Problem) -> None:
        self.problems.append(problem)
        self._order.append((getattr(node, "lineno", 0), getattr(node, "col_offset", 0)))

    def _add_placed(self, problem: Problem) -> None:
        """Add a problem of a field that breaks a rule, at the place that says its value."""
        path = problem.path
        while path and path not in self.places:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        if path:
            self._problem(self.places[path], problem.path, problem.message)
        else:
            self._problem(self.found.node, problem.path, problem.message)

    def _is_untold(self, path: str) -> bool:
        """Whether a field is not known, or a part of it, or the one that it would mean."""
        entry, _, name = path.rpartition(".")
        if name == "feasible_batch_sizes" and f"{entry}.batch_sizes" in self.untold:
            return True
        return any(
            f"{path}.".startswith((f"{known}.", f"{known}[")) or (entry and known.startswith(f"{path}["))
            for known in self.untold
        )


@dataclass(frozen=True, eq=False)
class Entry:
    """A member of a list of models."""

    kind: str
    call: Construct
    spec: Construct
    value: dict[str, Any]


def specs_of(found: Found) -> Iterable[Construct]:
    """Return the calls that make the model specs of a workload or list."""
    value: Value = found.value
    if isinstance(value, Construct):
        argument = value.arguments.get("models")
        value = None if argument is None else argument.value
    for member in value.members if isinstance(value, Items) else ():
        if isinstance(member, Construct) and "spec" in member.arguments:
            member = member.arguments["spec"].value
        if isinstance(member, Construct):
            yield member


def _is_0_2(spec: Construct) -> bool:
    return recognise_version({"models": [dict.fromkeys(spec.arguments)]}) == "0.2"


def _version_of(list_key: str, entries: "Sequence[Entry | None]") -> str:
    """Tell the version of OpenG2G by the arguments that are given, known or not."""
    known = [entry for entry in entries if entry is not None]
    if list_key == "deployments":
        is_0_2 = any(
            _is_0_2(entry.spec) or entry.call.arguments.keys() & _SAID_BY_DEPLOYMENTS_OF_0_2 for entry in known
        )
        return "0.2" if is_0_2 else "0.1"
    if not any(_is_0_2(entry.spec) for entry in known):
        return "0.1"
    if not any(entry.spec.arguments.keys() & _SAID_BY_DEPLOYMENTS_OF_0_2 for entry in known):
        raise OnlySpecsError("model specs of OpenG2G 0.2 without replicas, which a ModelDeployment(...) adds")
    return "0.2"


def _replicas_of(schedule: Value) -> object:
    initial = schedule.arguments.get("initial") if isinstance(schedule, Construct) else None
    return schedule if initial is None else initial.value


def _json(value: Value) -> Any:
    """Give a known value as JSON."""
    match value:
        case Items(members=members):
            return [_json(member) for member in members]
        case Table(pairs=pairs):
            return {key: _json(member) for key, member in pairs}
        case Construct(arguments=arguments):
            return {name: _json(argument.value) for name, argument in arguments.items()}
        case _:
            return value
