"""Model specs and workloads as values: immutable, comparable, hashable; and what a workload derives of its models."""

import copy
import pickle
import re
from dataclasses import FrozenInstanceError, fields, replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given

from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.builders import PUBLISHED_BATCH_SIZES, make_spec, make_workload, published_fleet
from tests.strategies import examples, specs, workloads


def test_a_spec_cannot_be_changed() -> None:
    spec = make_spec()
    for field in fields(spec):
        with pytest.raises(FrozenInstanceError, match=f"cannot assign to field '{field.name}'"):
            setattr(spec, field.name, getattr(spec, field.name))
    with pytest.raises(FrozenInstanceError, match="cannot delete field 'model_label'"):
        del spec.model_label  # type: ignore[misc]


def test_a_workload_cannot_be_changed() -> None:
    workload = make_workload()
    with pytest.raises(FrozenInstanceError, match="cannot assign to field 'models'"):
        workload.models = ()  # type: ignore[misc]


def test_what_a_value_was_made_of_may_change_without_changing_the_value() -> None:
    sizes, models = [64, 128], [make_spec(model_label="a")]
    spec = make_spec(feasible_batch_sizes=sizes)
    workload = LLMInferenceWorkload(models)  # type: ignore[arg-type]
    sizes.append(256)
    models.append(spec)
    assert spec.feasible_batch_sizes == (64, 128)
    assert workload.model_labels == ["a"]


def test_what_a_property_returns_may_change_without_changing_the_workload() -> None:
    workload = published_fleet()
    workload.model_labels.clear()
    workload.initial_batch_size_by_model.clear()
    workload.feasible_batch_sizes_union.clear()
    assert workload == published_fleet()
    assert workload.model_labels[0] == "Llama-3.1-8B"


def test_equal_values_are_equal_however_they_were_written() -> None:
    written_otherwise = make_spec(
        num_replicas=np.int64(180),
        gpus_per_replica=np.uint8(4),
        itl_deadline_s=np.float64(0.1),
        feasible_batch_sizes=np.array(PUBLISHED_BATCH_SIZES),
    )
    assert written_otherwise == make_spec()
    assert hash(written_otherwise) == hash(make_spec())
    workloads_of_both = {LLMInferenceWorkload((make_spec(),)), LLMInferenceWorkload([written_otherwise])}  # type: ignore[arg-type]
    assert len(workloads_of_both) == 1


@pytest.mark.parametrize(
    "overrides",
    [
        {"model_label": "llama-3.1-70B"},
        {"num_replicas": 181},
        {"gpus_per_replica": 8},
        {"initial_batch_size": 64},
        {"itl_deadline_s": 0.10000000000000002},
        {"feasible_batch_sizes": PUBLISHED_BATCH_SIZES[::-1]},
    ],
)
def test_specs_that_differ_in_one_field_are_not_equal(overrides: dict[str, Any]) -> None:
    assert make_spec(**overrides) != make_spec()


def test_the_order_of_models_is_part_of_a_workload() -> None:
    fleet = published_fleet()
    assert LLMInferenceWorkload(fleet.models[::-1]) != fleet


@given(specs(), workloads())
@examples(50)
def test_every_value_survives_pickling_copying_and_replacing(
    spec: LLMInferenceModelSpec, workload: LLMInferenceWorkload
) -> None:
    for value in (spec, workload):
        for same in (pickle.loads(pickle.dumps(value)), copy.copy(value), copy.deepcopy(value), replace(value)):
            assert same == value
            assert hash(same) == hash(value)
            assert repr(same) == repr(value)


@given(workloads())
@examples(30)
def test_the_repr_of_a_workload_is_the_expression_that_makes_it(workload: LLMInferenceWorkload) -> None:
    assert eval(repr(workload)) == workload


def test_replacing_a_field_checks_it() -> None:
    assert replace(make_spec(), num_replicas=0).num_replicas == 0
    with pytest.raises(ValueError, match=r"^num_replicas must be >= 0, got -1\.$"):
        replace(make_spec(), num_replicas=-1)


# The rules of a workload.


@pytest.mark.parametrize("models", [(), [], iter(())])
def test_a_workload_without_models_is_refused(models: Any) -> None:
    with pytest.raises(ValueError, match=r"^LLMInferenceWorkload requires at least one model\.$"):
        LLMInferenceWorkload(models)


def test_two_models_of_one_label_are_refused_with_the_list_of_labels() -> None:
    models = tuple(make_spec(model_label=label) for label in ("a", "b", "a"))
    with pytest.raises(ValueError, match=re.escape("Duplicate model labels: ['a', 'b', 'a']") + "$"):
        LLMInferenceWorkload(models)


def test_labels_that_differ_in_case_or_in_blanks_are_not_duplicates() -> None:
    labels = ["llama", "Llama", "llama ", "ﬂama", "flama"]
    workload = LLMInferenceWorkload(tuple(make_spec(model_label=label) for label in labels))
    assert workload.model_labels == labels


@pytest.mark.parametrize(
    ("models", "message"),
    [
        (None, "models must be a list of LLMInferenceModelSpec, got None."),
        ("models", "models must be a list of LLMInferenceModelSpec, got 'models'."),
        ({"a": 1}, "models must be a list of LLMInferenceModelSpec, got {'a': 1}."),
        (5, "models must be a list of LLMInferenceModelSpec, got 5."),
        ([make_spec(), "a"], "models[1] must be an LLMInferenceModelSpec, got 'a'."),
        ([{"model_label": "a"}], "models[0] must be an LLMInferenceModelSpec, got {'model_label': 'a'}."),
        ([None], "models[0] must be an LLMInferenceModelSpec, got None."),
    ],
)
def test_models_that_are_no_list_of_specs_are_refused(models: Any, message: str) -> None:
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        LLMInferenceWorkload(models)


@pytest.mark.parametrize("models", [make_spec(), {make_spec()}])
def test_a_single_spec_or_a_set_of_specs_is_no_list_of_specs(models: Any) -> None:
    """A set has no order, and the order of models is part of the value."""
    with pytest.raises(ValueError, match=r"^models must be a list of LLMInferenceModelSpec, got "):
        LLMInferenceWorkload(models)


def test_more_gpus_than_a_64_bit_integer_counts_are_refused() -> None:
    largest = {"num_replicas": 2**31 - 1, "gpus_per_replica": 2**31 - 1}
    assert make_workload(2, **largest).total_gpus == 2 * (2**31 - 1) ** 2
    with pytest.raises(ValueError, match=rf"^total_gpus must be <= {2**63 - 1}, got {3 * (2**31 - 1) ** 2}\.$"):
        make_workload(3, **largest)


def test_as_many_gpus_as_a_64_bit_integer_counts_are_legal() -> None:
    figures = [(2**31 - 1, 2**31 - 1), (2**31 - 1, 2**31 - 1), (2**31 - 1, 4), (1, 1)]
    models = [
        make_spec(model_label=f"model-{index}", num_replicas=replicas, gpus_per_replica=gpus)
        for index, (replicas, gpus) in enumerate(figures)
    ]
    assert LLMInferenceWorkload(tuple(models)).total_gpus == 2**63 - 1
    one_more = make_spec(model_label="one more", num_replicas=1, gpus_per_replica=1)
    with pytest.raises(ValueError, match=rf"^total_gpus must be <= {2**63 - 1}, got {2**63}\.$"):
        LLMInferenceWorkload((*models, one_more))


@pytest.mark.parametrize("models", [[make_spec()], iter([make_spec()])], ids=["list", "iterator"])
def test_models_are_frozen_to_a_tuple(models: Any) -> None:
    assert LLMInferenceWorkload(models).models == (make_spec(),)


# What follows from the fields.


def test_a_model_has_the_gpus_of_all_its_replicas() -> None:
    assert make_spec(num_replicas=90, gpus_per_replica=8).total_gpus == 720


def test_the_published_fleet_has_4800_gpus() -> None:
    assert published_fleet().total_gpus == 4800


def test_the_labels_are_a_list_in_the_order_of_the_models() -> None:
    assert published_fleet().model_labels == [
        "Llama-3.1-8B",
        "Llama-3.1-70B",
        "Llama-3.1-405B",
        "Qwen3-30B-A3B",
        "Qwen3-235B-A22B",
    ]


def test_the_mappings_hold_each_model_under_its_label_in_order() -> None:
    workload = LLMInferenceWorkload(
        (
            make_spec(model_label="z", initial_batch_size=64, itl_deadline_s=0.2, gpus_per_replica=2),
            make_spec(model_label="a", initial_batch_size=32, itl_deadline_s=0.1, gpus_per_replica=1),
        )
    )
    assert list(workload.initial_batch_size_by_model.items()) == [("z", 64), ("a", 32)]
    assert list(workload.itl_deadline_by_model.items()) == [("z", 0.2), ("a", 0.1)]
    assert list(workload.required_measured_gpus.items()) == [("z", 2), ("a", 1)]


def test_the_union_of_batch_sizes_is_an_ascending_list_without_repetitions() -> None:
    workload = LLMInferenceWorkload(
        (
            make_spec(model_label="a", feasible_batch_sizes=(512, 8, 8)),
            make_spec(model_label="b", feasible_batch_sizes=(1024, 64, 8)),
        )
    )
    assert workload.feasible_batch_sizes_union == [8, 64, 512, 1024]


def test_models_without_replicas_count_in_every_property_but_the_gpus() -> None:
    workload = LLMInferenceWorkload((make_spec(model_label="a", num_replicas=0, feasible_batch_sizes=(3,)),))
    assert workload.total_gpus == 0
    assert workload.model_labels == ["a"]
    assert workload.feasible_batch_sizes_union == [3]
    assert workload.required_measured_gpus == {"a": 4}
