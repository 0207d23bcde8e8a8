"""Whatever the text, reading it gives a condition or a `FilterError`, nothing else; and it always ends.

The environment variable OPENG2G_FUZZ_INPUTS says how many texts are read in all: 4,000 without it, 100,000 and more in
a full run.
"""

import ast
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.expressions.predicate import compile_predicate
from openg2g.expressions.syntax import MAX_LENGTH
from openg2g.models.errors import FilterError
from openg2g.models.secrets import MASK
from tests.expressions.catalog_contents import many_subjects
from tests.expressions.generated import conditions, many_conditions
from tests.expressions.syntax_trees import crossed_expression, random_expression
from tests.expressions.test_python_oracle import applied
from tests.strategies import examples

INPUTS = int(os.environ.get("OPENG2G_FUZZ_INPUTS", "4000"))
TREES_AT_ONCE = 20

TOKENS = (
    *("models", "model_labels", "total_gpus", "name", "tags", "annotations", "aliases", "effective_from", "m", "spam"),
    *(" for m in models ", " if ", " else ", " and ", " or ", "not ", " in ", " not in ", " is ", "await ", "lambda: "),
    *("any(", "all(", "sum(", "min(", "max(", "len(", "fnmatch(", "date(", "(", ")", "[", "]", "{", "}", ",", ":"),
    *(".", ".model_label", ".total_gpus", ".feasible_batch_sizes", ".lower()", ".startswith(", ".__class__", "*", "**"),
    *(" < ", " <= ", " == ", " != ", " = ", " := ", "+", "-", "/", "//", "%", "~", "<<", "@", "->", "...", ";", "#"),
    *("0", "1", "0.1", "1e999", "9" * 30, "9" * 400, "0x1f", "1_0", "1j", "01", "'a'", "''", "'", '"', "'''", "b'a'"),
    *("f'{name}'", "'\\N{BULLET}'", "'\\d'", "'\\ud800'", "'2026-03-01'", "'Llama-3.1-70B'", "True", "None", "千"),
    *("\n", "\\", "\0", "\ud800", "\ufeff", "\u00a0", "\u2028", "\x0c", "\t", "é", "µ", "ﬁ", " "),
)


def check(text: str) -> None:
    """Read; what is accepted must be true or false of everything, and what is refused must say where it is wrong."""
    try:
        predicate = compile_predicate(text)
    except FilterError as error:
        assert error.problem and error.problem in str(error)
        assert error.column is None or 1 <= error.column <= len(text) + 1
        assert error.expression == text or MASK in error.expression or len(text) > MAX_LENGTH
        return
    for subject in many_subjects()[:5]:
        assert isinstance(applied(predicate, subject), bool)


@pytest.fixture(scope="module", autouse=True)
def subjects() -> None:
    """Make the subjects before a property begins: one within another is slow."""
    many_subjects()


@pytest.fixture(scope="module")
def trees() -> list[ast.expr]:
    """Parse conditions that the language has."""
    return [ast.parse(condition, mode="eval").body for condition in many_conditions()]


@examples(INPUTS // 5)
@given(st.text(st.characters()))
def test_any_text_is_a_condition_or_refused(text: str) -> None:
    check(text)


@examples(INPUTS // 5)
@given(st.lists(st.sampled_from(TOKENS), max_size=30).map("".join))
def test_any_row_of_tokens_is_a_condition_or_refused(text: str) -> None:
    check(text)


@examples(INPUTS // 10)
@given(conditions(max_depth=2), st.data())
def test_a_condition_with_something_changed_is_a_condition_or_refused(text: str, data: st.DataObject) -> None:
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text)))
        end = min(len(text), start + data.draw(st.sampled_from((0, 1, 2, 5, 20))))
        inserted = data.draw(st.sampled_from((*TOKENS, text[start:end] * 2, "")))
        text = text[:start] + inserted + text[end:]
    check(text)


@examples(INPUTS // 5 // TREES_AT_ONCE)
@given(st.integers(0, 2**64))
def test_any_syntax_tree_is_a_condition_or_refused(seed: int) -> None:
    generator = random.Random(seed)
    for _ in range(TREES_AT_ONCE):
        check(random_expression(generator))


def test_parts_of_conditions_put_together_are_a_condition_or_refused(trees: list[ast.expr]) -> None:
    @examples(INPUTS // 5 // TREES_AT_ONCE)
    @given(st.integers(0, 2**64))
    def check_crossed(seed: int) -> None:
        generator = random.Random(seed)
        for _ in range(TREES_AT_ONCE):
            check(crossed_expression(generator, trees))

    check_crossed()


@pytest.mark.parametrize(
    "text",
    [
        "(" * 4000,
        "(" * 2000 + ")" * 2000,
        "[" * 4000,
        "(1" + ")" * 3000,
        "not " * 999 + "name",
        "not " * 1000,
        "-" * 3000 + "1",
        "~" * 3000 + "1",
        "await " * 600 + "name",
        "lambda:" * 500 + "1",
        "name" + ".a" * 1900,
        "models" + "[0]" * 1300,
        "name" + ".lower()" * 490,
        "annotations" + "['a']" * 700 + " == 1",
        "len(" * 900 + "models" + ")" * 900,
        "annotations[" * 300 + "'a'" + "]" * 300,
        "1+" * 1500 + "1",
        "1+" * 1500 + "1 < total_gpus",
        "1<" * 1500 + "1",
        "1," * 1999 + "1",
        "True or " * 499 + "True",
        "1 if name else " * 250 + "1",
        "9" * 4000,
        "9" * 5000,
        "total_gpus < " + "9" * 3900,
        "total_gpus < 0x" + "f" * 3900,
        "9" * 1900 + "*" + "9" * 1900 + " < total_gpus",
        "1e999 > total_gpus",
        "1e308 * 10 > total_gpus",
        "total_gpus / 1e-308 > 1",
        "name == '\\N{BULLET}'",
        "name == '\\N{NO SUCH}'",
        "name == '\\d'",
        "name == '\\x'",
        "name == '\\ud800'",
        "name == '\\0'",
        "name == '" + "\\" * 3,
        "f'{" * 500,
        "'" * 3999,
        "#" * 3999,
        "\\\n" * 1900,
        "\n" * 3999,
        "\ufefftotal_gpus < 1",
        "\ud800" * 4000,
        "\0" * 4000,
        "a" * 4000,
        "千" * 4000,
    ],
)
def test_a_text_that_is_hard_on_parsers_is_a_condition_or_refused(text: str) -> None:
    check(text)


@pytest.mark.parametrize(
    "around",
    [
        "(1 if 1 < {} < 3 else 2)",
        "(1 if {} not in (1, 2, 0.5) else models[0].num_replicas)",
        "(1 if 1 < {} not in (1, 2) else models[0].num_replicas)",
        "(1 if {} in (1, 2, 3, 4, 5, 6, 7, 8, 0.5) else 2)",
        "max({} for m in models for n in models)",
        "sum({} for m in models)",
        "({} + 1)",
        "({} % -3)",
    ],
)
@pytest.mark.parametrize("levels", [5, 8, 11, 12, 24])
def test_parts_within_each_other_do_not_multiply(around: str, levels: int) -> None:
    text = "total_gpus"
    for _ in range(levels):
        text = around.format(text)
    check(f"{text} > 1")
    check(f"{text} in (1, 2)")
