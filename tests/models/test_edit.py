from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.models.diff import diff
from openg2g.models.edit import (
    AddModel,
    Change,
    RemoveModel,
    SetField,
    edited,
    edited_annotations,
    parse_change,
)
from openg2g.models.errors import CatalogError, InvalidChangeError
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.builders import make_spec, published_fleet
from tests.models.evolution import similar_workloads
from tests.strategies import deadlines, examples, labels, workloads

LABEL = "Llama-3.1-70B"


def changed(*changes: Change | str, **fields: Any) -> LLMInferenceModelSpec:
    """Change the only model of a workload."""
    return edited(LLMInferenceWorkload((make_spec(**fields),)), changes).models[0]


def problems_of(*changes: Change | str) -> tuple[str, ...]:
    with pytest.raises(InvalidChangeError) as caught:
        edited(published_fleet(), changes)
    assert str(caught.value) == "\n".join(caught.value.problems)
    return caught.value.problems


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("Llama-3.1-70B.num_replicas=120", SetField(LABEL, "num_replicas", "=", "120")),
        ("Llama-3.1-70B.num_replicas += 120 ", SetField(LABEL, "num_replicas", "+=", "120")),
        ("Llama-3.1-70B.num_replicas-=-3", SetField(LABEL, "num_replicas", "-=", "-3")),
        ("=1+1.itl_deadline_s=1e-3", SetField("=1+1", "itl_deadline_s", "=", "1e-3")),
        ("a.x=1.gpus_per_replica=2", SetField("a.x=1", "gpus_per_replica", "=", "2")),
        ("a b .feasible_batch_sizes=8, 16", SetField("a b ", "feasible_batch_sizes", "=", "8, 16")),
        ("A.model_label=B.num_replicas=3", SetField("A", "model_label", "=", "B.num_replicas=3")),
        ("A.model_label= B ", SetField("A", "model_label", "=", " B ")),
    ],
)
def test_a_change_is_read(text: str, change: SetField) -> None:
    assert parse_change(text) == change


@examples(100)
@given(
    labels(),
    st.sampled_from(["num_replicas", "itl_deadline_s", "feasible_batch_sizes"]),
    st.sampled_from(["=", "+=", "-="]),
    st.text("0123456789.,+-eE"),
)
def test_a_change_is_read_as_it_is_written(label: str, field: str, operator: Any, value: str) -> None:
    change = SetField(label, field, operator, value)
    assert parse_change(str(change)) == change


@examples(200)
@given(st.text() | st.text("Ab.=+-_ numreplicas08,"))
def test_any_text_is_a_change_or_refused(text: str) -> None:
    try:
        edited(published_fleet(), [text])
    except InvalidChangeError as error:
        assert error.problems


@pytest.mark.parametrize(
    ("text", "field", "value"),
    [
        ("num_replicas=0", "num_replicas", 0),
        ("num_replicas=+007", "num_replicas", 7),
        ("num_replicas+=20", "num_replicas", 200),
        ("num_replicas-=20", "num_replicas", 160),
        ("gpus_per_replica=8", "gpus_per_replica", 8),
        ("initial_batch_size=7", "initial_batch_size", 7),
        ("itl_deadline_s=.5", "itl_deadline_s", 0.5),
        ("itl_deadline_s=5.", "itl_deadline_s", 5.0),
        ("itl_deadline_s=1e-3", "itl_deadline_s", 0.001),
        ("itl_deadline_s+=0.02", "itl_deadline_s", 0.12),
        ("itl_deadline_s-=0.07", "itl_deadline_s", 0.03),
        ("itl_deadline_s+=1e308", "itl_deadline_s", 1e308),
        ("feasible_batch_sizes=64,8,64", "feasible_batch_sizes", (64, 8, 64)),
        ("feasible_batch_sizes= 64 8 , 64", "feasible_batch_sizes", (64, 8, 64)),
        ("feasible_batch_sizes+=8,1024,1024", "feasible_batch_sizes", (8, 16, 32, 64, 128, 256, 512, 1024)),
        ("feasible_batch_sizes-=8 512,8", "feasible_batch_sizes", (16, 32, 64, 128, 256)),
        ("model_label=Llama-3.3-70B", "model_label", "Llama-3.3-70B"),
        ("model_label=Llama-3.1-70B", "model_label", "Llama-3.1-70B"),
    ],
)
def test_a_field_gets_its_value(text: str, field: str, value: object) -> None:
    spec = changed(f"{LABEL}.{text}")
    assert getattr(spec, field) == value
    assert spec == make_spec(**{field: value})


def test_taking_out_a_batch_size_takes_out_its_repetitions() -> None:
    sizes = changed(f"{LABEL}.feasible_batch_sizes-=8", feasible_batch_sizes=(8, 16, 8)).feasible_batch_sizes
    assert sizes == (16,)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("num_replicas=-1", "num_replicas must be >= 0, got -1."),
        ("num_replicas-=181", "num_replicas must be >= 0, got -1."),
        ("num_replicas=1_000", "num_replicas must be an integer written in the digits 0 to 9, got '1_000'."),
        ("num_replicas=١٢", "num_replicas must be an integer written in the digits 0 to 9, got '١٢'."),
        ("num_replicas=1.0", "num_replicas must be an integer written in the digits 0 to 9, got '1.0'."),
        ("num_replicas=", "num_replicas must be an integer written in the digits 0 to 9, got ''."),
        ("num_replicas=true", "num_replicas must be an integer written in the digits 0 to 9, got 'true'."),
        ("num_replicas=3000000000", "num_replicas must be <= 2147483647, got 3000000000."),
        (f"num_replicas={'9' * 5000}", "num_replicas must have fewer digits, got 5000."),
        ("gpus_per_replica=0", "gpus_per_replica must be >= 1, got 0."),
        ("initial_batch_size=0", "initial_batch_size must be > 0, got 0."),
        ("itl_deadline_s=nan", "itl_deadline_s must be a decimal number, got 'nan'."),
        ("itl_deadline_s=inf", "itl_deadline_s must be a decimal number, got 'inf'."),
        ("itl_deadline_s=0x1", "itl_deadline_s must be a decimal number, got '0x1'."),
        ("itl_deadline_s=1_0", "itl_deadline_s must be a decimal number, got '1_0'."),
        ("itl_deadline_s=٠.١", "itl_deadline_s must be a decimal number, got '٠.١'."),
        ("itl_deadline_s=1e999", "itl_deadline_s must be finite, got inf."),
        ("itl_deadline_s+=1e999", "itl_deadline_s must be finite, got inf."),
        ("itl_deadline_s-=0.1", "itl_deadline_s must be > 0, got 0.0."),
        ("itl_deadline_s=1e-999999999999999999999", "itl_deadline_s must be > 0, got 0.0."),
        ("feasible_batch_sizes=", "feasible_batch_sizes must not be empty."),
        ("feasible_batch_sizes+=", "feasible_batch_sizes+= must be followed by a batch size."),
        ("feasible_batch_sizes=8,,16", "feasible_batch_sizes must be integers between commas or blanks, got '8,,16'."),
        ("feasible_batch_sizes=8,", "feasible_batch_sizes must be integers between commas or blanks, got '8,'."),
        ("feasible_batch_sizes=8,x", "feasible_batch_sizes[1] must be an integer written in the digits 0 to 9"),
        ("feasible_batch_sizes=8,0", "feasible_batch_sizes[1] must be > 0, got 0."),
        ("feasible_batch_sizes-=9", "feasible_batch_sizes must contain what is taken out, 9 is not among 8 16 32"),
        ("feasible_batch_sizes-=8,16,32,64,128,256,512", "feasible_batch_sizes must not be empty."),
        ("model_label+=x", "model_label must be set with =, got +=."),
        ("model_label= ", "model_label must not be blank, got ' '."),
        ("model_label=Llama-3.1-8B", "model_label must be new, 'Llama-3.1-8B' is there already."),
        ("num_replica=1", "num_replica is not a field of a model. Did you mean num_replicas"),
        ("num-replicas=1", "num-replicas is not a field of a model. Did you mean num_replicas"),
        ("zzz=1", "zzz is not a field of a model. Fields: model_label,"),
        ("num_replicas", "a change must read LABEL.FIELD=VALUE, += or -=."),
    ],
)
def test_a_change_that_cannot_be_made(text: str, message: str) -> None:
    (problem,) = problems_of(f"{LABEL}.{text}")
    assert problem.startswith(f"{LABEL}.{text[:20]}")
    assert f": {message}" in problem
    assert len(problem) < 300


def test_a_long_value_is_cut_in_the_message() -> None:
    (problem,) = problems_of(f"{LABEL}.num_replicas={'x' * 5000}")
    assert len(problem) < 300


def test_an_unknown_label_names_the_close_ones() -> None:
    (problem,) = problems_of("Llama-3.1-7B.num_replicas=1")
    assert problem.startswith("Llama-3.1-7B.num_replicas=1: no model has the label 'Llama-3.1-7B'. Did you mean Llama-")
    assert "Models: Llama-3.1-8B, Llama-3.1-70B," in problems_of("zzz.num_replicas=1")[0]


def test_all_problems_are_named_at_once() -> None:
    problems = problems_of(
        f"{LABEL}.num_replicas=-1",
        "nothing",
        RemoveModel("nobody"),
        AddModel(make_spec()),
        AddModel(make_spec(model_label="new"), position=6),
        f"{LABEL}.itl_deadline_s=0.2",
        f"{LABEL}.gpus_per_replica=0",
    )
    assert [problem.partition(":")[0] for problem in problems] == [
        f"{LABEL}.num_replicas=-1",
        "nothing",
        "remove nobody",
        f"add {LABEL}",
        "add new",
        f"{LABEL}.gpus_per_replica=0",
    ]
    assert problems[4] == "add new: position must lie between 0 and 5, got 6."


def test_an_error_is_a_value_error_of_the_catalog() -> None:
    assert issubclass(InvalidChangeError, CatalogError) and issubclass(InvalidChangeError, ValueError)


def test_a_field_that_does_not_exist_cannot_be_set_from_python_either() -> None:
    with pytest.raises(InvalidChangeError, match="replicas is not a field of a model"):
        SetField(LABEL, "replicas", "=", "1")


def test_changes_are_made_in_order() -> None:
    fleet = edited(
        published_fleet(),
        [
            "Llama-3.1-8B.model_label=small",
            "small.num_replicas=1",
            RemoveModel("Llama-3.1-70B"),
            AddModel(make_spec(num_replicas=3), position=0),
            f"{LABEL}.num_replicas+=1",
        ],
    )
    assert fleet.model_labels == [LABEL, "small", "Llama-3.1-405B", "Qwen3-30B-A3B", "Qwen3-235B-A22B"]
    assert [spec.num_replicas for spec in fleet.models[:2]] == [4, 1]


def test_a_workload_without_models_or_with_too_many_gpus_is_refused() -> None:
    removals = [RemoveModel(label) for label in published_fleet().model_labels]
    assert problems_of(*removals) == ("the changed workload: LLMInferenceWorkload requires at least one model.",)
    huge = [
        AddModel(make_spec(model_label=label, num_replicas=2**31 - 1, gpus_per_replica=2**31 - 1)) for label in "abc"
    ]
    assert "the changed workload: total_gpus must be <= 9223372036854775807" in problems_of(*huge)[0]


def test_no_change_gives_an_equal_workload() -> None:
    assert edited(published_fleet(), []) == published_fleet()


@examples(150)
@given(similar_workloads(), similar_workloads())
def test_a_difference_written_as_changes_makes_the_new_workload(
    a: LLMInferenceWorkload, b: LLMInferenceWorkload
) -> None:
    difference = diff(a, b)
    changes: list[Change | str] = [RemoveModel(model.spec.model_label) for model in difference.removed]
    for change in difference.changed:
        for found in change.changes:
            value = ",".join(map(str, found.new)) if isinstance(found.new, tuple) else repr(found.new)
            changes.append(f"{change.model_label}.{found.field}={value}")
    changes += [AddModel(model.spec, model.position) for model in difference.added]
    made = edited(a, changes)
    assert set(made.models) == set(b.models)
    assert made == b or difference.moved


@examples(100)
@given(workloads(), st.data())
def test_a_change_of_one_field_is_the_only_difference(workload: LLMInferenceWorkload, data: st.DataObject) -> None:
    spec = data.draw(st.sampled_from(workload.models))
    deadline = data.draw(deadlines())
    difference = diff(workload, edited(workload, [f"{spec.model_label}.itl_deadline_s={deadline!r}"]))
    found = [(c.model_label, f.field, f.old, f.new) for c in difference.changed for f in c.changes]
    expected = (spec.model_label, "itl_deadline_s", spec.itl_deadline_s, deadline)
    assert found == ([] if deadline == spec.itl_deadline_s else [expected])
    assert not (difference.added or difference.removed or difference.moved)


def test_annotations_of_a_model_follow_its_label_and_go_with_it() -> None:
    annotations = {"purpose": "test", "models": {"a": {"id": 1}, "b": {"id": 2}, "c": {"id": 3}}}
    changes: list[Change | str] = ["a.model_label=x", "x.num_replicas=1", RemoveModel("b"), AddModel(make_spec())]
    assert edited_annotations(annotations, changes) == {
        "purpose": "test",
        "models": {"x": {"id": 1}, "c": {"id": 3}},
    }
    assert list(annotations["models"]) == ["a", "b", "c"]  # The ones given are left alone.


@pytest.mark.parametrize("annotations", [{}, {"models": None}, {"models": ["a"]}, {"seed": 1}])
def test_annotations_of_another_shape_are_left_as_they_are(annotations: dict[str, Any]) -> None:
    assert edited_annotations(annotations, [RemoveModel("a"), "a.model_label=b"]) == annotations
