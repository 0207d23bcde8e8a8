"""Facts that are stored of a whole workload, and what an expression says about them.

A workload's row holds its total GPUs and its least and greatest deadline, with indexes. Often a loop over the models
asks for nothing else (`any(m.itl_deadline_s < 0.1 for m in models)` is `least_itl_deadline_s < 0.1`), and otherwise a
fact may still narrow down which workloads need to be looked into.
"""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any, Literal, cast

from openg2g.expressions.tree import (
    Aggregate,
    Annotation,
    AnnotationContains,
    AnnotationLength,
    Compare,
    Comparison,
    Constant,
    Element,
    Expression,
    Field,
    Logical,
    Lookup,
    Loop,
    Not,
    OneOf,
    SpecField,
    TextTest,
    Variable,
    children,
    may_lack_value,
)
from openg2g.expressions.types import BOOLEAN, COUNT, FLOAT, SPEC
from openg2g.expressions.vocabulary import MODEL_MAPPINGS, SPEC_FIELDS, WORKLOAD_FIELDS

LEAST_DEADLINE = Field("least_itl_deadline_s", FLOAT)
GREATEST_DEADLINE = Field("greatest_itl_deadline_s", FLOAT)
NUM_MODELS = Field("num_models", COUNT)

INDEXED_FACTS = ("digest", "total_gpus", "least_itl_deadline_s", "greatest_itl_deadline_s")
"""Facts that an index knows."""
_OPPOSITE: dict[Comparison, Comparison] = {"==": "!=", "!=": "==", "<": ">=", ">=": "<", ">": "<=", "<=": ">"}


def with_facts(node: Expression) -> Expression:
    """Return an expression of the same meaning that asks stored facts instead of loops where they say the same."""
    changed = {name: _inside(value) for name, value in vars(node).items()}
    return _as_fact(replace(node, **changed))  # type: ignore[type-var]  # Every node is a dataclass.


def _inside(value: Any) -> Any:
    match value:
        case tuple():
            return tuple(map(_inside, value))
        case Loop():
            return replace(value, conditions=_inside(value.conditions))
        case Expression():
            return with_facts(value)
        case _:
            return value


def conjuncts(node: Expression) -> list[Expression]:
    """Return the conditions that must all hold."""
    if isinstance(node, Logical) and node.operator == "and":
        return [part for operand in node.operands for part in conjuncts(operand)]
    return [node]


def implied_facts(node: Expression) -> Expression | None:
    """Return what must hold of the indexed facts of every workload for which a condition holds; None for nothing.

    Example:
        >>> from openg2g.expressions.read import read_condition
        >>> fact = implied_facts(read_condition("any(m.itl_deadline_s < 0.1 and m.num_replicas > 9 for m in models)"))
        >>> fact.left.name, fact.operator
        ('least_itl_deadline_s', '<')
    """
    match node:
        case Compare(operator=operator, left=left, right=Constant() as right):
            return _implied_by_comparison(operator, left, right)
        case OneOf(operand=Field(name=name)) if name in INDEXED_FACTS:
            return node
        case TextTest(test="startswith", operand=Field(name="digest")):
            return node
        case Logical(operator="and"):
            return _all_implied(node.operands)
        case Logical(operator="or"):
            facts = [implied_facts(part) for part in node.operands]
            return None if None in facts else _joined("or", cast(list[Expression], facts))
        case Aggregate(function="any"):
            return _all_implied([node.element, *(condition for loop in node.loops for condition in loop.conditions)])
        case _:
            return None


def implied_models(node: Expression) -> list[Aggregate]:
    """Return loops over the models, each of which finds a model by its label, that must hold if a condition does.

    Their elements say nothing but of that model, so that workloads can be found from the model specs.
    """
    found = []
    for part in conjuncts(node):
        match part:
            case Aggregate(function="any", loops=(Loop(variable=variable, sequence=Field(name="models")) as loop,)):
                said = [c for condition in (*loop.conditions, part.element) for c in conjuncts(condition)]
                own = [condition for condition in said if _is_about(condition, variable)]
                if any(_names_label(condition, variable) for condition in own):
                    found.append(_some_model(variable, own))
            case Aggregate(
                function="any",
                element=Compare(operator="==", left=Variable() as variable, right=Constant() as label),
                loops=(Loop(sequence=Field(name="model_labels"), conditions=()) as loop,),
            ) if variable == loop.variable:
                found.append(_model_of_label(label))
            case Compare(left=Lookup(mapping=mapping, key=Constant() as label)) if mapping in MODEL_MAPPINGS:
                found.append(_model_of_label(label))
            case _:
                pass
    return found


def is_about_workload(node: object) -> bool:
    """Whether a condition asks about the workload alone, and not about its revision or name."""
    match node:
        case Field(name=name) if name not in WORKLOAD_FIELDS and name not in INDEXED_FACTS and name != NUM_MODELS.name:
            return False
        case Lookup(mapping=mapping) if mapping not in MODEL_MAPPINGS:
            return False
        case Annotation() | AnnotationContains() | AnnotationLength():
            return False
        case _:
            return all(is_about_workload(child) for child in children(node))


def is_about_field(node: object, name: str) -> bool:
    """Whether a condition asks about one field alone."""
    match node:
        case Field():
            return node.name == name
        case Lookup() | Element() | Annotation() | AnnotationContains() | AnnotationLength() | Variable():
            return False
        case _:
            return all(is_about_field(child, name) for child in children(node))


def _as_fact(node: Expression) -> Expression:
    match node:
        case Not(operand=Compare(operator=operator, left=left, right=right)):
            is_certain = not may_lack_value(left) and not may_lack_value(right)
            return Compare(_OPPOSITE[operator], left, right) if is_certain else node
        case Aggregate(function="len", loops=(Loop(sequence=Field(name="models" | "model_labels"), conditions=()),)):
            return NUM_MODELS
        case Aggregate(
            function="min" | "max",
            element=SpecField(spec=spec, name="itl_deadline_s"),
            loops=(Loop(variable=variable, sequence=Field(name="models"), conditions=()),),
        ) if spec == variable:
            return LEAST_DEADLINE if node.function == "min" else GREATEST_DEADLINE
        case Aggregate(
            function="any" | "all",
            element=element,
            loops=(Loop(variable=variable, sequence=Field(name="models"), conditions=()),),
        ):
            return _quantified_fact(node, element, variable)
        case _:
            return node


def _quantified_fact(node: Aggregate, element: Expression, variable: Variable) -> Expression:
    """`any` is true of a disjunction if it is of a part, `all` of a conjunction if it is of every part."""
    splits_at = "or" if node.function == "any" else "and"
    if isinstance(element, Logical) and element.operator == splits_at:
        return Logical(element.operator, tuple(_as_fact(replace(node, element=part)) for part in element.operands))
    match element:
        case Compare(
            operator="<" | "<=" | ">" | ">=" as operator,
            left=SpecField(spec=spec, name="itl_deadline_s"),
            right=Constant() as right,
        ) if spec == variable:
            is_least = (operator in ("<", "<=")) == (node.function == "any")
            return Compare(operator, LEAST_DEADLINE if is_least else GREATEST_DEADLINE, right)
        case _:
            return node


def _implied_by_comparison(operator: Comparison, left: Expression, right: Constant) -> Expression | None:
    match left:
        case Field(name=name) if name in INDEXED_FACTS and operator != "!=":
            return Compare(operator, left, right)
        case Lookup(mapping="itl_deadline_by_model") | SpecField(name="itl_deadline_s"):
            # It is the deadline of one of the models, whichever.
            if operator in ("<", "<="):
                return Compare(operator, LEAST_DEADLINE, right)
            if operator in (">", ">="):
                return Compare(operator, GREATEST_DEADLINE, right)
            if operator == "==":
                return Logical("and", (Compare("<=", LEAST_DEADLINE, right), Compare(">=", GREATEST_DEADLINE, right)))
    return None


def _all_implied(parts: Iterable[Expression]) -> Expression | None:
    facts = [fact for part in parts if (fact := implied_facts(part)) is not None]
    return _joined("and", facts) if facts else None


def _joined(operator: Literal["and", "or"], parts: list[Expression]) -> Expression:
    return parts[0] if len(parts) == 1 else Logical(operator, tuple(parts))


def _is_about(node: object, variable: Variable) -> bool:
    """Whether a node names nothing outside of itself but a variable."""
    return not any(_outside(node, frozenset({variable})))


def _outside(node: object, known: frozenset[Variable]) -> list[object]:
    match node:
        case Field() | Element() | Lookup() | Annotation() | AnnotationContains() | AnnotationLength():
            return [node]
        case Variable():
            return [] if node in known else [node]
        case Aggregate():
            known = known | {loop.variable for loop in node.loops}
    return [name for child in children(node) for name in _outside(child, known)]


def _names_label(node: Expression, variable: Variable) -> bool:
    label = SpecField(variable, "model_label", SPEC_FIELDS["model_label"])
    match node:
        case Compare(operator="==", left=left, right=Constant()):
            return left == label
        case OneOf(operand=operand):
            return operand == label
        case TextTest(test="startswith", operand=operand, text=text):
            return operand == label and bool(text)
        case _:
            return False


def _some_model(variable: Variable, conditions: list[Expression]) -> Aggregate:
    loop = Loop(variable, Field("models", WORKLOAD_FIELDS["models"]))
    return Aggregate("any", _joined("and", conditions), (loop,), BOOLEAN)


def _model_of_label(label: Constant) -> Aggregate:
    variable = Variable("model", SPEC, -2)
    return _some_model(variable, [Compare("==", SpecField(variable, "model_label", label.type), label)])
