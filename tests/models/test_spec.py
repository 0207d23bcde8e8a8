"""The rules of a model spec and of a workload, each with its message."""

import enum
import re
from collections import OrderedDict
from dataclasses import fields, replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload
from openg2g.models.spec import MAX_COUNT, MAX_LABEL_LENGTH, MAX_TOTAL_GPUS
from tests.builders import make_spec
from tests.strategies import HOSTILE_TEXTS, examples, labels

INTEGER_FIELDS = ("num_replicas", "gpus_per_replica", "initial_batch_size")


def says(text: str) -> str:
    """Match a message from its first to its last character."""
    return f"^{re.escape(text)}$"


class Colour(enum.IntEnum):
    RED = 7


# What is accepted, as OpenG2G 0.0.1 accepts it.


def test_the_fields_stand_in_the_order_that_positional_callers_rely_on() -> None:
    spec = LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1, (64, 128))
    assert [field.name for field in fields(spec)] == [
        "model_label",
        "num_replicas",
        "gpus_per_replica",
        "initial_batch_size",
        "itl_deadline_s",
        "feasible_batch_sizes",
    ]
    assert [getattr(spec, field.name) for field in fields(spec)] == ["Llama-3.1-70B", 180, 4, 128, 0.1, (64, 128)]


def test_feasible_batch_sizes_default_to_128_alone() -> None:
    assert LLMInferenceModelSpec("a", 1, 1, 8, 0.1).feasible_batch_sizes == (128,)


def test_the_initial_batch_size_need_not_be_feasible() -> None:
    assert make_spec(initial_batch_size=96, feasible_batch_sizes=(64, 128)).initial_batch_size == 96


def test_a_model_with_zero_replicas_is_legal() -> None:
    spec = make_spec(num_replicas=0)
    assert spec.total_gpus == 0
    assert LLMInferenceWorkload((spec,)).total_gpus == 0


def test_batch_sizes_may_repeat_and_keep_their_order() -> None:
    assert make_spec(feasible_batch_sizes=[512, 8, 8, 64]).feasible_batch_sizes == (512, 8, 8, 64)


@pytest.mark.parametrize(
    "sizes",
    [
        [64, 128],
        np.array([64, 128]),
        np.array([64, 128], dtype=np.uint16),
        range(64, 192, 64),
        (size for size in (64, 128)),
        {"a": 64, "b": 128}.values(),
        [np.int64(64), 128],
    ],
    ids=["list", "array", "uint16 array", "range", "generator", "values", "mixed"],
)
def test_any_sequence_of_batch_sizes_is_frozen_to_a_tuple_of_python_integers(sizes: Any) -> None:
    frozen = make_spec(feasible_batch_sizes=sizes).feasible_batch_sizes
    assert frozen == (64, 128)
    assert type(frozen) is tuple
    assert {type(size) for size in frozen} == {int}


@pytest.mark.parametrize("field", INTEGER_FIELDS)
@pytest.mark.parametrize("number", [np.int8(7), np.int64(7), np.uint32(7), Colour.RED])
def test_integers_of_other_libraries_become_python_integers(field: str, number: Any) -> None:
    value = getattr(make_spec(**{field: number}), field)
    assert value == 7
    assert type(value) is int


def test_the_least_values_are_legal_in_every_type_of_integer() -> None:
    for integer in (int, np.int64):
        spec = make_spec(
            num_replicas=integer(0),
            gpus_per_replica=integer(1),
            initial_batch_size=integer(1),
            feasible_batch_sizes=[integer(1)],
        )
        assert spec == LLMInferenceModelSpec("Llama-3.1-70B", 0, 1, 1, 0.1, (1,))


@pytest.mark.parametrize(
    ("deadline", "seconds"),
    [
        (1, 1.0),
        (np.float64(0.1), 0.1),
        (np.float32(0.5), 0.5),
        (np.int64(2), 2.0),
        (Decimal("0.08"), 0.08),
        (Fraction(1, 8), 0.125),
        (5e-324, 5e-324),
        (1.7976931348623157e308, 1.7976931348623157e308),
    ],
)
def test_a_deadline_of_any_real_type_becomes_a_python_float(deadline: Any, seconds: float) -> None:
    value = make_spec(itl_deadline_s=deadline).itl_deadline_s
    assert value == seconds
    assert type(value) is float


def test_a_label_of_a_string_subclass_becomes_a_python_string() -> None:
    value = make_spec(model_label=np.str_("Llama")).model_label
    assert value == "Llama"
    assert type(value) is str


@pytest.mark.parametrize("label", HOSTILE_TEXTS)
def test_a_label_that_looks_like_something_else_is_kept_as_it_is(label: str) -> None:
    assert make_spec(model_label=label).model_label == label


@given(labels())
@examples(200)
def test_every_label_without_control_characters_is_kept_as_it_is(label: str) -> None:
    assert make_spec(model_label=label).model_label == label


def test_the_largest_values_are_legal() -> None:
    spec = LLMInferenceModelSpec("x" * MAX_LABEL_LENGTH, *[2**31 - 1] * 3, 1.7976931348623157e308, [2**31 - 1])
    assert (MAX_COUNT, MAX_LABEL_LENGTH, MAX_TOTAL_GPUS) == (2**31 - 1, 200, 2**63 - 1)
    assert spec == replace(spec, num_replicas=np.int64(2**31 - 1), feasible_batch_sizes=[np.uint32(2**31 - 1)])
    assert spec.total_gpus == (2**31 - 1) ** 2


# The five rules of OpenG2G 0.0.1, and their order.


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        ({"feasible_batch_sizes": ()}, "feasible_batch_sizes must not be empty."),
        ({"feasible_batch_sizes": []}, "feasible_batch_sizes must not be empty."),
        ({"feasible_batch_sizes": np.array([])}, "feasible_batch_sizes must not be empty."),
        ({"num_replicas": -1}, "num_replicas must be >= 0, got -1."),
        ({"gpus_per_replica": 0}, "gpus_per_replica must be >= 1, got 0."),
        ({"gpus_per_replica": -8}, "gpus_per_replica must be >= 1, got -8."),
        ({"initial_batch_size": 0}, "initial_batch_size must be > 0, got 0."),
        ({"initial_batch_size": -128}, "initial_batch_size must be > 0, got -128."),
        ({"itl_deadline_s": 0}, "itl_deadline_s must be > 0, got 0."),
        ({"itl_deadline_s": 0.0}, "itl_deadline_s must be > 0, got 0.0."),
        ({"itl_deadline_s": -0.0}, "itl_deadline_s must be > 0, got -0.0."),
        ({"itl_deadline_s": -0.1}, "itl_deadline_s must be > 0, got -0.1."),
        ({"itl_deadline_s": -5e-324}, "itl_deadline_s must be > 0, got -5e-324."),
    ],
)
def test_what_openg2g_refuses_is_refused_with_its_words(overrides: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=says(message)):
        make_spec(**overrides)


def test_rules_are_checked_in_the_order_of_openg2g() -> None:
    broken: dict[str, Any] = {
        "feasible_batch_sizes": (),
        "num_replicas": -1,
        "gpus_per_replica": 0,
        "initial_batch_size": 0,
        "itl_deadline_s": 0,
    }
    while broken:
        first = next(iter(broken))
        with pytest.raises(ValueError, match=f"^{first} must "):
            make_spec(**broken)
        del broken[first]


# What nobody can mean.


@pytest.mark.parametrize(
    ("deadline", "message"),
    [
        (float("nan"), "itl_deadline_s must be finite, got nan."),
        (float("inf"), "itl_deadline_s must be finite, got inf."),
        (np.float64("nan"), "itl_deadline_s must be finite, got nan."),
        (float("-inf"), "itl_deadline_s must be > 0, got -inf."),
        (Decimal("sNaN"), "itl_deadline_s must be finite, got Decimal('sNaN')."),
        (Decimal("1e-400"), "itl_deadline_s must be > 0, got 1E-400."),
        (True, "itl_deadline_s must be a number, got True."),
        (np.True_, "itl_deadline_s must be a number, got np.True_."),
        ("0.08", "itl_deadline_s must be a number, got '0.08'."),
        (None, "itl_deadline_s must be a number, got None."),
        (0.1 + 0j, "itl_deadline_s must be a number, got (0.1+0j)."),
        ([0.1], "itl_deadline_s must be a number, got [0.1]."),
    ],
)
def test_a_deadline_that_is_no_finite_number_is_refused(deadline: Any, message: str) -> None:
    with pytest.raises(ValueError, match=says(message)):
        make_spec(itl_deadline_s=deadline)


def test_a_deadline_beyond_every_float_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^itl_deadline_s must be finite, got 1000+\.\.\.0+\.$"):
        make_spec(itl_deadline_s=10**400)


@pytest.mark.parametrize("field", INTEGER_FIELDS)
@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (True, "True"),
        (False, "False"),
        (np.True_, "np.True_"),
        (1.0, "1.0"),
        (np.float64(4), "np.float64(4.0)"),
        ("4", "'4'"),
        (b"4", "b'4'"),
        (None, "None"),
        ([4], "[4]"),
        (np.array([4, 8]), "array([4, 8])"),
        (Decimal(4), "Decimal('4')"),
    ],
)
def test_what_is_no_integer_is_refused_where_integers_belong(field: str, value: Any, shown: str) -> None:
    with pytest.raises(ValueError, match=says(f"{field} must be an integer, got {shown}.")):
        make_spec(**{field: value})
    with pytest.raises(ValueError, match=says(f"feasible_batch_sizes[1] must be an integer, got {shown}.")):
        make_spec(feasible_batch_sizes=[8, value])


@pytest.mark.parametrize("field", INTEGER_FIELDS)
def test_integers_beyond_31_bits_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match=says(f"{field} must be <= 2147483647, got 2147483648.")):
        make_spec(**{field: 2**31})
    with pytest.raises(ValueError, match=rf"^{field} must be <= 2147483647, got 1000+\.\.\.0+\.$"):
        make_spec(**{field: 10**400})


@pytest.mark.parametrize(
    ("sizes", "message"),
    [
        ([8, 0], "feasible_batch_sizes[1] must be > 0, got 0."),
        ([-8], "feasible_batch_sizes[0] must be > 0, got -8."),
        ([2**31], "feasible_batch_sizes[0] must be <= 2147483647, got 2147483648."),
        ([[8, 16]], "feasible_batch_sizes[0] must be an integer, got [8, 16]."),
        (np.array([[8, 16]]), "feasible_batch_sizes[0] must be an integer, got array([ 8, 16])."),
        (np.array([8.0]), "feasible_batch_sizes[0] must be an integer, got np.float64(8.0)."),
        (128, "feasible_batch_sizes must be a list of integers, got 128."),
        (None, "feasible_batch_sizes must be a list of integers, got None."),
        ("128", "feasible_batch_sizes must be a list of integers, got '128'."),
        ("", "feasible_batch_sizes must be a list of integers, got ''."),
        (b"\x08\x10", "feasible_batch_sizes must be a list of integers, got b'\\x08\\x10'."),
        ({128}, "feasible_batch_sizes must be a list of integers, got {128}."),
        (frozenset({128}), "feasible_batch_sizes must be a list of integers, got frozenset({128})."),
        ({128: 1}, "feasible_batch_sizes must be a list of integers, got {128: 1}."),
        (np.array(128), "feasible_batch_sizes must be a list of integers, got array(128)."),
    ],
)
def test_batch_sizes_that_are_no_list_of_positive_integers_are_refused(sizes: Any, message: str) -> None:
    with pytest.raises(ValueError, match=says(message)):
        make_spec(feasible_batch_sizes=sizes)


@pytest.mark.parametrize("keys", [{8: 0, 16: 0}.keys(), OrderedDict({8: 0})])
def test_batch_sizes_whose_order_means_nothing_are_refused(keys: Any) -> None:
    """Baseline mode uses the first batch size, and a set or a mapping has no first."""
    with pytest.raises(ValueError, match=r"^feasible_batch_sizes must be a list of integers, got "):
        make_spec(feasible_batch_sizes=keys)


@pytest.mark.parametrize("label", ["", " ", "\t\n", "\u00a0", "\u2003\u3000", "\u2028", "\x1c\x85"])
def test_a_blank_label_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match=says(f"model_label must not be blank, got {label!r}.")):
        make_spec(model_label=label)


@pytest.mark.parametrize(
    "character",
    ["\0", "\n", "\r", "\t", "\x1b", "\x7f", "\x85", "\x9f", "\u2028", "\u2029", "\ud800", "\udfff"],
)
@pytest.mark.parametrize("frame", ["{}Llama", "Lla{}ma", "Llama{}"])
def test_a_label_with_control_characters_is_refused(character: str, frame: str) -> None:
    label = frame.format(character)
    with pytest.raises(ValueError, match=says(f"model_label must not contain control characters, got {label!r}.")):
        make_spec(model_label=label)


@pytest.mark.parametrize("label", ["x" * 201, "🚀" * 201])
def test_a_label_of_201_characters_is_refused(label: str) -> None:
    with pytest.raises(ValueError, match=says("model_label must have at most 200 characters, got 201.")):
        make_spec(model_label=label)


@pytest.mark.parametrize(
    ("label", "shown"), [(None, "None"), (8, "8"), (b"Llama", "b'Llama'"), (["Llama"], "['Llama']"), (True, "True")]
)
def test_a_label_that_is_no_string_is_refused(label: Any, shown: str) -> None:
    with pytest.raises(ValueError, match=says(f"model_label must be a string, got {shown}.")):
        make_spec(model_label=label)
