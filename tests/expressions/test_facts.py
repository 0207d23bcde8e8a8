"""What an expression says of the facts that are stored of a workload."""

import pytest

from openg2g.expressions.facts import (
    conjuncts,
    implied_facts,
    implied_models,
    is_about_field,
    is_about_workload,
    with_facts,
)
from openg2g.expressions.read import read_condition
from openg2g.expressions.tree import Aggregate, Compare, Constant, Expression, Field, Logical, OneOf, TextTest


def written(node: Expression | None) -> str:
    """Write facts so that they can be read."""
    match node:
        case Compare(operator=operator, left=Field(name=name), right=Constant(value=value)):
            return f"{name} {operator} {value!r}"
        case OneOf(operand=Field(name=name), constants=constants):
            return f"{name} in {constants.values!r}"
        case TextTest(test=test, operand=Field(name=name), text=text):
            return f"{name}.{test}({text!r})"
        case Logical(operator=operator, operands=operands):
            return "(" + f" {operator} ".join(map(written, operands)) + ")"
        case _:
            return str(node)


@pytest.mark.parametrize(
    ("expression", "fact"),
    [
        ("any(m.itl_deadline_s < 0.1 for m in models)", "least_itl_deadline_s < 0.1"),
        ("any(0.1 >= m.itl_deadline_s for m in models)", "least_itl_deadline_s <= 0.1"),
        ("any(m.itl_deadline_s > 0.1 for m in models)", "greatest_itl_deadline_s > 0.1"),
        ("all(m.itl_deadline_s < 0.1 for m in models)", "greatest_itl_deadline_s < 0.1"),
        ("all(m.itl_deadline_s >= 1 for m in models)", "least_itl_deadline_s >= 1.0"),
        ("min(m.itl_deadline_s for m in models) < 0.1", "least_itl_deadline_s < 0.1"),
        ("max(m.itl_deadline_s for m in models) == 0.1", "greatest_itl_deadline_s == 0.1"),
        ("len(models) > 2", "num_models > 2"),
        ("len(model_labels) > 2", "num_models > 2"),
        ("not total_gpus > 2", "total_gpus <= 2"),
        (
            "all(m.itl_deadline_s < 0.1 and m.itl_deadline_s > 0.05 for m in models)",
            "(greatest_itl_deadline_s < 0.1 and least_itl_deadline_s > 0.05)",
        ),
        (
            "any(m.itl_deadline_s < 0.1 or m.itl_deadline_s > 5 for m in models)",
            "(least_itl_deadline_s < 0.1 or greatest_itl_deadline_s > 5.0)",
        ),
    ],
)
def test_a_loop_that_asks_for_a_stored_fact_becomes_the_fact(expression: str, fact: str) -> None:
    assert written(with_facts(read_condition(expression))) == fact


@pytest.mark.parametrize(
    "expression",
    [
        "any(m.itl_deadline_s < 0.1 for m in models if m.num_replicas > 2)",
        "all(m.itl_deadline_s < 0.1 for m in models if m.num_replicas > 2)",
        "any(m.itl_deadline_s == 0.1 for m in models)",
        "any(m.itl_deadline_s < n.itl_deadline_s for m in models for n in models)",
        "any(m.num_replicas < 2 for m in models)",
        "min(m.itl_deadline_s for m in models if m.num_replicas > 1) < 1",
        "not itl_deadline_by_model['X'] < 0.1",
    ],
)
def test_a_loop_that_asks_for_more_stays_a_loop(expression: str) -> None:
    condition = read_condition(expression)
    assert with_facts(condition) == condition


@pytest.mark.parametrize(
    ("expression", "fact"),
    [
        ("total_gpus < 7200", "total_gpus < 7200"),
        ("7200 > total_gpus >= 10", "(total_gpus < 7200 and total_gpus >= 10)"),
        ("total_gpus in (1, 2)", "total_gpus in (1, 2)"),
        ("digest.startswith('sha256:ab')", "digest.startswith('sha256:ab')"),
        ("itl_deadline_by_model['X'] < 0.1", "least_itl_deadline_s < 0.1"),
        ("models[0].itl_deadline_s >= 0.1", "greatest_itl_deadline_s >= 0.1"),
        (
            "itl_deadline_by_model['X'] == 0.1",
            "(least_itl_deadline_s <= 0.1 and greatest_itl_deadline_s >= 0.1)",
        ),
        ("any(m.itl_deadline_s < 0.1 and m.num_replicas > 9 for m in models)", "least_itl_deadline_s < 0.1"),
        ("any(m.num_replicas > 9 for m in models if m.itl_deadline_s < 0.1)", "least_itl_deadline_s < 0.1"),
        (
            "total_gpus < 10 and name == 'x' or total_gpus > 90 and author == 'Ada'",
            "(total_gpus < 10 or total_gpus > 90)",
        ),
    ],
)
def test_a_condition_implies_facts(expression: str, fact: str) -> None:
    assert written(implied_facts(with_facts(read_condition(expression)))) == fact


@pytest.mark.parametrize(
    "expression",
    [
        "name == 'x'",
        "total_gpus < 10 or name == 'x'",
        "not itl_deadline_by_model['X'] < 0.1",
        "all(m.itl_deadline_s < 0.1 for m in models if m.num_replicas > 2)",
        "total_gpus != 10",
        "total_gpus * 2 < 10",
        "sum(m.num_replicas for m in models if m.itl_deadline_s < 0.1) > 3",
    ],
)
def test_a_condition_that_implies_no_fact_says_so(expression: str) -> None:
    assert implied_facts(with_facts(read_condition(expression))) is None


@pytest.mark.parametrize(
    ("expression", "count"),
    [
        ("any(m.model_label == 'X' and m.itl_deadline_s < 0.1 for m in models)", 2),
        ("any(m.itl_deadline_s < 0.1 for m in models if m.model_label in ('X', 'Y'))", 2),
        ("any(m.model_label.startswith('Qwen') and m.num_replicas > total_gpus for m in models)", 1),
        ("'X' in model_labels", 1),
        ("itl_deadline_by_model['X'] < 0.1", 1),
    ],
)
def test_a_condition_on_a_label_leads_to_its_model_specs(expression: str, count: int) -> None:
    [loop] = implied_models(with_facts(read_condition(f"{expression} and number > 0")))
    assert isinstance(loop, Aggregate)
    assert len(conjuncts(loop.element)) == count


@pytest.mark.parametrize(
    "expression",
    [
        "any(m.num_replicas > 3 for m in models)",
        "'X' in model_labels or total_gpus > 3",
        "not 'X' in model_labels",
        "all(m.model_label == 'X' for m in models)",
        "any(m.model_label != 'X' for m in models)",
        "any(m.model_label == name for m in models)",
    ],
)
def test_a_condition_that_names_no_label_leads_to_none(expression: str) -> None:
    assert implied_models(with_facts(read_condition(expression))) == []


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("total_gpus > 2 and any(m.num_replicas > total_gpus for m in models)", True),
        ("itl_deadline_by_model['X'] < 3", True),
        ("digest == 'x'", True),
        ("len(models) == 2", True),
        ("any(m.model_label == name for m in models)", False),
        ("tags['x'] == 'y'", False),
        ("annotations['x']", False),
        ("'x' in annotations", False),
        ("len(aliases) > 0", False),
        ("number > 1", False),
    ],
)
def test_a_condition_is_about_the_workload_alone_or_not(expression: str, expected: bool) -> None:
    assert is_about_workload(with_facts(read_condition(expression))) is expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("name.startswith('x')", True),
        ("name == 'x' or fnmatch(name, 'y*')", True),
        ("name == author", False),
        ("name in annotations", False),
        ("any(m.model_label == name for m in models)", False),
        ("number > 1", False),
    ],
)
def test_a_condition_is_about_one_field_alone_or_not(expression: str, expected: bool) -> None:
    assert is_about_field(read_condition(expression), "name") is expected
