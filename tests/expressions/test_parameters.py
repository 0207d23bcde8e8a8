"""Values from outside that an expression names."""

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.expressions.parameters import MAX_ITEMS, parameter_from_text
from openg2g.expressions.predicate import compile_predicate
from openg2g.expressions.read import read_condition, read_spec_condition
from openg2g.models.errors import FilterError
from openg2g.models.revision import Revision
from tests.builders import published_fleet
from tests.expressions.refusals import refusal
from tests.strategies import examples

AT = datetime(2026, 3, 1, tzinfo=UTC)
REVISION = Revision("fleet", 1, "sha256:0", AT, AT, "Ada", workload=published_fleet())


def holds(expression: str, **parameters: object) -> bool:
    return compile_predicate(expression, parameters)(published_fleet(), REVISION)


def test_a_parameter_stands_where_a_literal_could() -> None:
    assert read_condition("total_gpus < limit", {"limit": 7200}) == read_condition("total_gpus < 7200")
    assert read_condition("fnmatch(name, p)", {"p": "sweep/*"}) == read_condition("fnmatch(name, 'sweep/*')")
    assert read_condition("tags[k] == 'v'", {"k": "a"}) == read_condition("tags['a'] == 'v'")
    assert read_condition("models[i].total_gpus > 1", {"i": -1}) == read_condition("models[-1].total_gpus > 1")
    assert read_condition("annotations[k] == 1", {"k": "a"}) == read_condition("annotations['a'] == 1")
    assert read_condition("recorded_at < date(d)", {"d": "2026-03-01"}) == read_condition("recorded_at < '2026-03-01'")
    assert read_condition("name.startswith(s)", {"s": "a"}) == read_condition("name.startswith('a')")
    assert read_condition("s in name", {"s": "a"}) == read_condition("'a' in name")
    assert read_condition("total_gpus in (a, b)", {"a": 1, "b": 2}) == read_condition("total_gpus in (1, 2)")
    assert read_condition("a + b * 2 > total_gpus", {"a": 1, "b": 2}) == read_condition("5 > total_gpus")


def test_a_parameter_that_is_a_list_stands_where_a_list_could() -> None:
    assert read_condition("total_gpus in sizes", {"sizes": [1, 2]}) == read_condition("total_gpus in (1, 2)")
    assert read_condition("model_labels == ls", {"ls": ("a", "b")}) == read_condition("model_labels == ['a', 'b']")
    assert holds("any(size in models[0].feasible_batch_sizes for size in sizes)", sizes=[7, 8])
    assert holds("len(sizes) == 2 and max(sizes) == 8 and sizes[1] == 8", sizes=[7, 8])
    assert holds("total_gpus in sizes", sizes={4800})
    assert holds("total_gpus in sizes", sizes=frozenset({4800.0}))
    assert not holds("total_gpus in sizes", sizes=[])
    assert holds("effective_from in times", times=[AT, date(2026, 4, 1)])


def test_a_parameter_may_be_named_in_an_expression_about_a_model_spec() -> None:
    assert read_spec_condition("total_gpus < limit", {"limit": 1}) == read_spec_condition("total_gpus < 1")


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (np.int64(7200), "7200"),
        (np.int8(7), "7"),
        (np.uint64(2**64 - 1), str(2**64 - 1)),
        (np.float64(0.5), "0.5"),
        (np.float32(0.5), "0.5"),
        (np.array(7200), "7200"),
        (np.array(0.5), "0.5"),
    ],
)
def test_a_number_of_numpy_is_one_of_python(value: object, literal: str) -> None:
    assert read_condition("total_gpus < x", {"x": value}) == read_condition(f"total_gpus < {literal}")
    assert read_condition("total_gpus in x", {"x": [value]}) == read_condition(f"total_gpus in ({literal},)")


def test_a_text_and_a_truth_value_of_numpy_are_those_of_python() -> None:
    assert read_condition("name == x", {"x": np.str_("a")}) == read_condition("name == 'a'")
    assert read_condition("annotations['a'] == x", {"x": np.bool_(True)}) == read_condition("annotations['a'] == True")


@pytest.mark.parametrize(
    ("value", "literal"),
    [
        (datetime(2026, 3, 1, tzinfo=UTC), "2026-03-01"),
        (datetime(2026, 3, 1, 2, tzinfo=timezone(timedelta(hours=2))), "2026-03-01"),
        (date(2026, 3, 1), "2026-03-01"),
        (np.datetime64("2026-03-01"), "2026-03-01"),
    ],
)
def test_a_time_is_compared_as_an_instant(value: object, literal: str) -> None:
    assert read_condition("recorded_at < t", {"t": value}) == read_condition(f"recorded_at < date('{literal}')")


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("a b", "parameter 'a b' is no name: use letters, digits and _."),
        ("1a", "parameter '1a' is no name"),
        ("", "parameter '' is no name"),
        ("a-b", "parameter 'a-b' is no name"),
        ("total_gpus", "parameter 'total_gpus' has the name of something else in a search. Call it otherwise."),
        ("len", "parameter 'len' has the name of something else in a search."),
        ("tags", "parameter 'tags' has the name of something else in a search."),
        ("ｎａｍｅ", "parameter 'ｎａｍｅ' has the name of something else in a search."),
    ],
)
def test_a_name_that_is_taken_or_none_is_refused(name: str, problem: str) -> None:
    error = refusal("total_gpus > 1", {name: 1})
    assert error.problem.startswith(problem)
    assert error.column is None


@pytest.mark.parametrize("name", ["µ", "ﬁ", "limit", "größe", "_", "名前"])
def test_a_parameter_is_found_however_its_name_is_encoded(name: str) -> None:
    assert holds(f"total_gpus < {name}", **{name: 7200})


@pytest.mark.parametrize(
    ("value", "problem"),
    [
        (None, "parameter 'x': None is nothing that can be compared. Use numbers, texts, times, True or False."),
        (float("nan"), "parameter 'x': a number must be finite."),
        (float("inf"), "parameter 'x': a number must be finite."),
        (np.float64("nan"), "parameter 'x': a number must be finite."),
        (1j, "parameter 'x': 1j is nothing that can be compared."),
        (b"a", "parameter 'x': b'a' is nothing that can be compared."),
        (Decimal("0.1"), "parameter 'x': Decimal('0.1') is nothing that can be compared."),
        ({"a": 1}, "parameter 'x': {'a': 1} is nothing that can be compared."),
        (np.array([1, 2]), "parameter 'x': array([1, 2]) is nothing that can be compared."),
        (timedelta(1), "parameter 'x': datetime.timedelta(days=1) is nothing that can be compared."),
        (AT.time(), "parameter 'x': datetime.time(0, 0) is nothing that can be compared."),
        ("a\0b", "parameter 'x': a text must be valid Unicode without NUL."),
        ("\ud800", "parameter 'x': a text must be valid Unicode without NUL."),
        (datetime(2026, 3, 1), "parameter 'x': a time must say its offset from UTC, got 2026-03-01T00:00:00."),
        (np.datetime64("2026-03-01T00:00"), "parameter 'x': a time must say its offset from UTC"),
        (
            datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
            "parameter 'x': a time must lie between the years 1 and 9999 in UTC",
        ),
        ([1, "a"], "parameter 'x': the items of a list must be of one kind: numbers, texts or times."),
        ([1, True], "parameter 'x': the items of a list must be of one kind"),
        ([1, None], "parameter 'x': None is nothing that can be compared."),
        ([1, [2]], "parameter 'x': [2] is nothing that can be compared."),
        ([1.0, 10**400], "parameter 'x': this number is too large."),
        ([1] * (MAX_ITEMS + 1), "parameter 'x': a list may have at most 10000 items."),
    ],
)
def test_what_cannot_be_compared_is_refused(value: object, problem: str) -> None:
    error = refusal("total_gpus > 1", {"x": value})
    assert error.problem.startswith(problem)
    assert error.column is None


def test_a_number_of_any_size_can_be_compared_with() -> None:
    assert holds("total_gpus < x and -x < number and x > 1.5 and x == x", x=10**5000)
    assert holds("total_gpus in x", x=[10**5000, 4800])
    assert not holds("number in x", x=[10**5000])


@pytest.mark.parametrize("expression", ["total_gpus + x > 1", "total_gpus * x > 1", "x / 2 > number", "x % 2.5 > 1"])
def test_a_number_beyond_every_double_cannot_be_computed_with(expression: str) -> None:
    assert "too large" in refusal(expression, {"x": 10**5000}).problem


def test_an_index_must_be_plausible() -> None:
    for expression in ("models[x].total_gpus > 1", "(1, 2)[x] == 1", "annotations['a'][x] == 1"):
        assert refusal(expression, {"x": 10**5000}).problem == "an index must lie between -1000000 and 1000000."


def test_the_kind_of_a_parameter_is_checked() -> None:
    assert refusal("total_gpus < x", {"x": "7200"}).problem == "a whole number cannot be compared with a text by <."
    assert refusal("x", {"x": 1}).problem.startswith("a condition is needed here, this is a whole number.")
    assert refusal("x and True", {"x": "a"}).column == 1
    assert read_condition("x", {"x": True}) == read_condition("True")


def test_an_unknown_name_is_compared_with_the_parameters_too() -> None:
    assert refusal("total_gpus < limits", {"limit": 1}).problem == "unknown name 'limits'. Did you mean limit?"


def test_a_parameter_that_the_expression_does_not_name_is_refused() -> None:
    error = refusal("total_gpus > 1", {"limit": 1})
    assert error.problem.startswith("the parameter 'limit' is not in the expression.")
    assert error.column is None


def test_a_set_has_the_same_order_in_every_process() -> None:
    text = "any(size == total_gpus for size in sizes)"
    first, second = (read_condition(text, {"sizes": sizes}) for sizes in ({400, 1, 30, 2}, frozenset((2, 30, 1, 400))))
    assert first == second
    assert "values=(1, 2, 30, 400)" in repr(first)


def test_the_value_of_a_parameter_is_checked_first() -> None:
    with pytest.raises(FilterError, match="parameter 'x': None is nothing that can be compared"):
        read_condition("total_gpus > 1", {"x": None})


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7200", 7200),
        ("-3", -3),
        ("+3", 3),
        ("0.1", 0.1),
        ("1e-3", 1e-3),
        ("-1E5", -1e5),
        (".5", 0.5),
        ("true", True),
        ("True", True),
        ("false", False),
        ("False", False),
        ("Llama-3.1-70B", "Llama-3.1-70B"),
        ("'7200'", "7200"),
        ('"true"', "true"),
        ("''", ""),
        ("'", "'"),
        ("'a", "'a"),
        ("'a\"", "'a\""),
        ("'it''s'", "it''s"),
        ("", ""),
        (" ", " "),
        ("2026-03-01", "2026-03-01"),
        ("1_000", "1_000"),
        ("0x10", "0x10"),
        ("١٢", "١٢"),
        ("TRUE", "TRUE"),
        ("None", "None"),
        ("9" * 401, "9" * 401),
    ],
)
def test_a_parameter_from_the_command_line_is_a_number_a_truth_value_or_a_text(text: str, value: object) -> None:
    read = parameter_from_text(text)
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("text", ["nan", "inf", "-Infinity", "1e999"])
def test_a_number_from_the_command_line_must_be_finite(text: str) -> None:
    assert (
        refusal("total_gpus < x", {"x": parameter_from_text(text)}).problem == "parameter 'x': a number must be finite."
    )


@examples(300)
@given(st.text() | st.text("0123456789.eE+-_'\"truefals "))
def test_any_text_from_the_command_line_is_a_parameter(text: str) -> None:
    value: Any = parameter_from_text(text)
    assert isinstance(value, bool | int | float | str)
    assert parameter_from_text(f"'{text}'") == text


@examples(300)
@given(st.integers(-(10**300), 10**300) | st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_read_from_the_command_line_as_it_is_written(number: float) -> None:
    assert parameter_from_text(repr(number)) == number
