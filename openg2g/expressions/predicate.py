"""An expression as a Python predicate: closures over the typed tree, and no code is evaluated.

It says what a search means, without a database: tests hold the compiled SQL against it on both engines, and a rule can
be applied to what has not been stored yet.
"""

import operator
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from types import MappingProxyType
from typing import Any, cast

from openg2g.expressions import tree
from openg2g.expressions.annotations import as_kind, at_path, holds, length
from openg2g.expressions.arithmetic import FUNCTIONS, sum_of
from openg2g.expressions.comparisons import COMPARISON_FUNCTIONS
from openg2g.expressions.patterns import in_case, matches
from openg2g.expressions.read import ROOT_SPEC, read_condition, read_spec_condition
from openg2g.expressions.types import Kind, Type
from openg2g.expressions.vocabulary import MODEL_MAPPINGS, NAME_FIELDS, WORKLOAD_FIELDS, WORKLOAD_NAMES
from openg2g.models.digest import model_spec_digest
from openg2g.models.revision import Revision
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

_NO_TAGS: Mapping[str, str] = MappingProxyType({})

WorkloadPredicate = Callable[..., bool]
"""`predicate(workload, revision, tags={}, aliases=())`."""


@dataclass(frozen=True)
class _Subject:
    """What an expression is about, and what the loops around are at."""

    workload: LLMInferenceWorkload | None = None
    revision: Revision | None = None
    tags: Mapping[str, str] = field(default_factory=lambda: _NO_TAGS)
    aliases: Collection[str] = ()
    variables: Mapping[tree.Variable, Any] = field(default_factory=dict)

    def with_variable(self, variable: tree.Variable, value: object) -> "_Subject":
        return _Subject(self.workload, self.revision, self.tags, self.aliases, {**self.variables, variable: value})


_Evaluate = Callable[[_Subject], Any]
"""Gives the value of a node, None where it has none."""


def compile_predicate(
    expression: str, parameters: Mapping[str, object] | None = None, names: Mapping[str, Type] = WORKLOAD_NAMES
) -> WorkloadPredicate:
    """Make a predicate of an expression about a workload and its revision.

    Args:
        expression: The expression.
        parameters: Name → value of what the expression names beside the vocabulary.
        names: The vocabulary.

    Returns:
        A function of a workload, its revision and, by name, `tags` and `aliases` that says whether the expression
        holds. It is safe to share between threads.

    Raises:
        FilterError: The expression says nothing that can be searched by.

    Example:
        >>> from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload
        >>> fleet = LLMInferenceWorkload((LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1),))
        >>> compile_predicate("total_gpus <= limit", {"limit": 720})(fleet, None)
        True
    """
    evaluate = _compiled(read_condition(expression, parameters, names))

    def predicate(
        workload: LLMInferenceWorkload,
        revision: Revision | None,
        tags: Mapping[str, str] = _NO_TAGS,
        aliases: Iterable[str] = (),
    ) -> bool:
        return bool(evaluate(_Subject(workload, revision, tags, sorted(aliases))))

    return predicate


def compile_spec_predicate(
    expression: str, parameters: Mapping[str, object] | None = None
) -> Callable[[LLMInferenceModelSpec], bool]:
    """Make a predicate of an expression about a model spec.

    Raises:
        FilterError: The expression says nothing that can be searched by.
    """
    evaluate = _compiled(read_spec_condition(expression, parameters))
    return lambda spec: bool(evaluate(_Subject(variables={ROOT_SPEC: spec})))


def _compiled(node: tree.Expression) -> _Evaluate:
    return _COMPILERS[type(node)](node)


def _of_value(operand: tree.Expression, function: Callable[[Any], Any]) -> _Evaluate:
    """Apply a function to a value; what has none gives none."""
    evaluate_operand = _compiled(operand)

    def evaluate(subject: _Subject) -> Any:
        value = evaluate_operand(subject)
        return None if value is None else function(value)

    return evaluate


def _constant(node: tree.Constant) -> _Evaluate:
    return lambda subject: node.value


def _constants(node: tree.Constants) -> _Evaluate:
    return lambda subject: node.values


def _field(node: tree.Field) -> _Evaluate:
    if node.name in NAME_FIELDS:
        return operator.attrgetter(node.name)
    return operator.attrgetter(f"{'workload' if node.name in WORKLOAD_FIELDS else 'revision'}.{node.name}")


def _variable(node: tree.Variable) -> _Evaluate:
    return lambda subject: subject.variables[node]


def _element(node: tree.Element) -> _Evaluate:
    sequence = _compiled(node.sequence)

    def evaluate(subject: _Subject) -> Any:
        items = sequence(subject) or ()  # None for the list of a model that is not there.
        return items[node.index] if -len(items) <= node.index < len(items) else None

    return evaluate


def _spec_field(node: tree.SpecField) -> _Evaluate:
    return _of_value(node.spec, model_spec_digest if node.name == "digest" else operator.attrgetter(node.name))


def _lookup(node: tree.Lookup) -> _Evaluate:
    key = _compiled(node.key)
    if node.mapping in MODEL_MAPPINGS:
        return lambda subject: getattr(subject.workload, node.mapping).get(key(subject))
    return lambda subject: subject.tags.get(key(subject))


def _at(path: tuple[str | int, ...]) -> _Evaluate:
    return lambda subject: at_path(cast(Revision, subject.revision).annotations, path)


def _annotation(node: tree.Annotation) -> _Evaluate:
    found, kind = _at(node.path), node.type.kind
    return lambda subject: as_kind(found(subject), kind)


def _annotation_length(node: tree.AnnotationLength) -> _Evaluate:
    found = _at(node.path)
    return lambda subject: length(found(subject))


def _annotation_contains(node: tree.AnnotationContains) -> _Evaluate:
    item, found = _compiled(node.item), _at(node.path)

    def evaluate(subject: _Subject) -> bool | None:
        wanted = item(subject)
        return None if wanted is None else holds(found(subject), wanted)

    return evaluate


def _compare(node: tree.Compare) -> _Evaluate:
    left, right, holds_for = _compiled(node.left), _compiled(node.right), COMPARISON_FUNCTIONS[node.operator]

    def evaluate(subject: _Subject) -> bool:
        a, b = left(subject), right(subject)
        return a is not None and b is not None and holds_for(a, b)

    return evaluate


def _one_of(node: tree.OneOf) -> _Evaluate:
    operand, values = _compiled(node.operand), frozenset(node.constants.values)
    return lambda subject: operand(subject) in values  # None, which stands for no value, is never a constant.


def _present(node: tree.Present) -> _Evaluate:
    operand = _compiled(node.operand)
    return lambda subject: operand(subject) is not None


def _logical(node: tree.Logical) -> _Evaluate:
    operands = [_compiled(operand) for operand in node.operands]
    decide = all if node.operator == "and" else any
    return lambda subject: decide(operand(subject) for operand in operands)


def _not(node: tree.Not) -> _Evaluate:
    operand = _compiled(node.operand)
    return lambda subject: not operand(subject)


def _compute(node: tree.Compute) -> _Evaluate:
    left, right, function = _compiled(node.left), _compiled(node.right), FUNCTIONS[node.operator]
    divides = node.operator in ("/", "//", "%")

    def evaluate(subject: _Subject) -> Any:
        a, b = left(subject), right(subject)
        return None if a is None or b is None or (divides and b == 0) else function(a, b)

    return evaluate


def _as_float(node: tree.AsFloat) -> _Evaluate:
    return _of_value(node.operand, float)


def _in_range(node: tree.InRange) -> _Evaluate:
    kind = node.type
    if kind.kind is Kind.INTEGER:
        return _of_value(node.operand, lambda value: value if kind.low <= value <= kind.high else None)
    return _of_value(
        node.operand, lambda value: value if value == 0 or kind.smallest <= abs(value) <= kind.largest else None
    )


def _choice(node: tree.Choice) -> _Evaluate:
    test, then, otherwise = _compiled(node.test), _compiled(node.then), _compiled(node.otherwise)
    return lambda subject: then(subject) if test(subject) else otherwise(subject)


def _text_length(node: tree.TextLength) -> _Evaluate:
    return _of_value(node.operand, len)


def _text_case(node: tree.TextCase) -> _Evaluate:
    return _of_value(node.operand, partial(in_case, node.function))


_TEXT_TESTS: Mapping[str, Callable[[str, str], bool]] = {
    "startswith": str.startswith,
    "endswith": str.endswith,
    "contains": operator.contains,
    "fnmatch": matches,
}


def _text_test(node: tree.TextTest) -> _Evaluate:
    holds_for = _TEXT_TESTS[node.test]
    return _of_value(node.operand, lambda text: holds_for(text, node.text))


def _aggregate(node: tree.Aggregate) -> _Evaluate:
    element = _compiled(node.element)
    loops = [(loop.variable, _compiled(loop.sequence), [_compiled(c) for c in loop.conditions]) for loop in node.loops]

    def subjects(subject: _Subject, level: int) -> Iterator[_Subject]:
        if level == len(loops):
            yield subject
            return
        variable, sequence, conditions = loops[level]
        for item in sequence(subject) or ():
            inner = subject.with_variable(variable, item)
            if all(condition(inner) for condition in conditions):
                yield from subjects(inner, level + 1)

    def elements(subject: _Subject) -> Iterator[Any]:
        return (element(inner) for inner in subjects(subject, 0))

    if node.function in ("any", "all"):
        decide = any if node.function == "any" else all
        return lambda subject: decide(elements(subject))
    if node.function == "len":
        return lambda subject: sum(1 for _ in subjects(subject, 0))
    function: Callable[[Iterable[Any]], Any] = sum_of
    if node.function != "sum":
        function = partial(min if node.function == "min" else max, default=None)
    return lambda subject: function(value for value in elements(subject) if value is not None)


_COMPILERS: Mapping[type, Callable[[Any], _Evaluate]] = {
    tree.Constant: _constant,
    tree.Constants: _constants,
    tree.Field: _field,
    tree.Variable: _variable,
    tree.Element: _element,
    tree.SpecField: _spec_field,
    tree.Lookup: _lookup,
    tree.Annotation: _annotation,
    tree.AnnotationContains: _annotation_contains,
    tree.AnnotationLength: _annotation_length,
    tree.Compare: _compare,
    tree.OneOf: _one_of,
    tree.Present: _present,
    tree.Logical: _logical,
    tree.Not: _not,
    tree.Compute: _compute,
    tree.AsFloat: _as_float,
    tree.InRange: _in_range,
    tree.Choice: _choice,
    tree.TextLength: _text_length,
    tree.TextCase: _text_case,
    tree.TextTest: _text_test,
    tree.Aggregate: _aggregate,
}
