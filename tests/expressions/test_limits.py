"""How large an expression may be."""

import pytest

from openg2g.expressions.calls import MAX_LOOPS
from openg2g.expressions.patterns import MAX_PATTERN
from openg2g.expressions.read import read_condition
from openg2g.expressions.syntax import MAX_DEPTH, MAX_LENGTH, MAX_NODES, MAX_SIZE
from tests.expressions.refusals import refusal


def test_the_length_is_limited() -> None:
    text = "name == '{}'"
    longest = text.format("x" * (MAX_LENGTH - len(text) + 2))
    assert len(longest) == MAX_LENGTH
    assert read_condition(longest)
    error = refusal(longest + " ")
    assert error.problem == "the expression is longer than 4000 characters."
    assert len(str(error)) < 200 and error.column is None


def test_the_depth_is_limited() -> None:
    assert read_condition("not " * (MAX_DEPTH - 1) + "True")
    error = refusal("not " * MAX_DEPTH + "True")
    assert error.problem == "the expression is nested more than 25 levels deep here."
    assert error.column == len("not " * MAX_DEPTH) + 1


@pytest.mark.parametrize("text", ["-" * 3000 + "1", "(" * 150 + "-" * 1200 + "1" + ")" * 150])
def test_what_pythons_own_parser_finds_too_deep_is_refused(text: str) -> None:
    assert "nested" in refusal(text).problem


def test_the_number_of_parts_is_limited() -> None:
    around = len(["compare", "name", "load", "in", "tuple", "load"])
    most = ",".join(["''"] * (MAX_NODES - around))
    assert read_condition(f"name in ({most})")
    error = refusal(f"name in ({most},'')")
    assert error.problem == "the expression has more than 1000 parts."
    assert error.column is not None


def test_the_number_of_loops_is_limited() -> None:
    loops = " ".join(f"for x{index} in models" for index in range(MAX_LOOPS))
    assert read_condition(f"any(True {loops})")
    error = refusal(f"any(True {loops} for y in models)")
    assert error.problem == "at most 4 loops may stand within each other."


def test_loops_within_each_other_are_limited() -> None:
    text = "True"
    for _ in range(MAX_LOOPS):
        text = f"any({text} for m in models)"
    assert read_condition(text)
    error = refusal(f"any({text} for m in models)")
    assert error.problem == "at most 4 loops may stand within each other."
    assert error.column == len("any(" * MAX_LOOPS) + 4


def test_a_pattern_is_limited() -> None:
    assert read_condition(f"fnmatch(name, '{'a' * MAX_PATTERN}')")
    error = refusal(f"fnmatch(name, '{'a' * (MAX_PATTERN + 1)}')")
    assert (error.problem, error.column) == ("a pattern may have at most 200 characters.", 15)


def test_what_chains_of_comparisons_repeat_is_limited() -> None:
    text = "models[0].num_replicas"
    for _ in range(10):
        text = f"(1 if 1 < {text} not in (1, 2) else models[0].num_replicas)"
    error = refusal(f"{text} > 1")
    assert error.problem.startswith(f"the expression has more than {MAX_SIZE} parts.")
    assert error.column is None


def test_a_list_compared_with_a_long_one_is_limited() -> None:
    assert read_condition("model_labels == labels", {"labels": ["a"] * 100})
    error = refusal("model_labels == labels", {"labels": ["a"] * 101})
    assert error.problem == "a list can be compared with at most 100 items."


def test_a_loop_over_a_long_list_is_limited() -> None:
    assert read_condition("any(x == number for x in numbers)", {"numbers": [1] * 200})
    error = refusal("any(x == number for x in numbers)", {"numbers": [1] * 201})
    assert error.problem == "a loop goes over at most 200 constants. Use in for longer lists."


def test_the_constants_of_all_lists_together_are_limited() -> None:
    numbers = {"numbers": list(range(10_000))}
    assert read_condition("number in numbers", numbers)
    error = refusal("number in numbers or total_gpus in numbers", numbers)
    assert error.problem.startswith(f"the expression has more than {MAX_SIZE} parts.")
