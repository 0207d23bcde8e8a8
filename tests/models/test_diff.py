import math
from dataclasses import replace
from itertools import combinations
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from openg2g.models.diff import ABSENT, annotation_changes, diff
from openg2g.models.revision import annotations_to_text, same_annotations
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.builders import make_spec, make_workload, published_fleet
from tests.models.evolution import similar_workloads
from tests.strategies import annotations, examples, workloads


def one(**fields: Any) -> LLMInferenceWorkload:
    return LLMInferenceWorkload((make_spec(**fields),))


def labelled(labels: str) -> LLMInferenceWorkload:
    return LLMInferenceWorkload(tuple(make_spec(model_label=label) for label in labels))


def kinds_between(**fields: tuple[object, object]) -> list[str]:
    """Kinds of what follows where one model's fields go from … to …."""
    old, new = ({name: pair[side] for name, pair in fields.items()} for side in (0, 1))
    return [consequence.kind for consequence in diff(one(**old), one(**new)).consequences]


def texts_between(**fields: tuple[object, object]) -> list[str]:
    old, new = ({name: pair[side] for name, pair in fields.items()} for side in (0, 1))
    return [consequence.phrase for consequence in diff(one(**old), one(**new)).consequences]


@examples(150)
@given(similar_workloads(), similar_workloads())
def test_applying_a_diff_to_the_old_workload_gives_the_new_one(
    a: LLMInferenceWorkload, b: LLMInferenceWorkload
) -> None:
    assert diff(a, b).apply(a) == b
    assert diff(a, b).is_empty == (a == b)


@examples(60)
@given(workloads(), workloads())
def test_applying_works_for_whatever_the_domain_accepts(a: LLMInferenceWorkload, b: LLMInferenceWorkload) -> None:
    assert diff(a, b).apply(a) == b


@examples(60)
@given(workloads(), st.floats(0, 1), st.floats(0, 1e9))
def test_a_workload_does_not_differ_from_itself(a: LLMInferenceWorkload, rtol: float, atol: float) -> None:
    same = diff(a, a, rtol=rtol, atol=atol)
    assert same.is_empty and same.consequences == ()


@examples(100)
@given(similar_workloads(), similar_workloads())
def test_a_diff_is_the_reverse_of_the_one_back(a: LLMInferenceWorkload, b: LLMInferenceWorkload) -> None:
    there, back = diff(a, b), diff(b, a)
    assert (there.added, there.removed) == (back.removed, back.added)
    assert len(there.moved) == len(back.moved)
    assert {change.model_label for change in there.changed} == {change.model_label for change in back.changed}


@examples(100)
@given(similar_workloads(), similar_workloads())
def test_a_workload_of_other_models_is_refused(a: LLMInferenceWorkload, b: LLMInferenceWorkload) -> None:
    change = diff(a, b)
    other = LLMInferenceWorkload((*a.models[::-1], make_spec(model_label="another")))
    with pytest.raises(ValueError, match="in this order for this diff to fit"):
        change.apply(other)


@examples(100)
@given(st.permutations("ABCDE"))
def test_as_few_models_as_possible_have_moved(labels: list[str]) -> None:
    longest = max(size for size in range(1, 6) if any(list(run) == sorted(run) for run in combinations(labels, size)))
    assert len(diff(labelled("ABCDE"), labelled("".join(labels))).moved) == 5 - longest


def test_only_what_changed_is_in_a_diff() -> None:
    fleet = published_fleet()
    models = list(fleet.models)
    models[1] = replace(models[1], num_replicas=200)
    change = diff(fleet, LLMInferenceWorkload(tuple(models)))
    assert [(found.field, found.old, found.new) for found in change.changed[0].changes] == [("num_replicas", 180, 200)]
    assert (change.added, change.removed, change.moved, len(change.changed)) == ((), (), (), 1)
    assert list(map(str, change.consequences)) == [
        "Llama-3.1-70B: GPUs 720 → 800 (+80)",
        "total GPUs 4800 → 4880 (+80)",
    ]


def test_a_model_that_came_or_went_keeps_the_others_in_place() -> None:
    change = diff(labelled("ABC"), labelled("BXC"))
    assert [(model.position, model.spec.model_label) for model in change.added] == [(1, "X")]
    assert [(model.position, model.spec.model_label) for model in change.removed] == [(0, "A")]
    assert change.moved == ()


def test_a_model_that_moved_says_from_where_to_where() -> None:
    (move,) = diff(labelled("ABCD"), labelled("DABC")).moved
    assert (move.model_label, move.old_position, move.new_position) == ("D", 3, 0)


def test_gpus_that_only_went_elsewhere_leave_the_total_alone() -> None:
    change = diff(make_workload(2), make_workload(2, num_replicas=100, gpus_per_replica=4))
    assert [c.model_label for c in change.consequences] == ["model-1", None]
    assert kinds_between(num_replicas=(2, 1), gpus_per_replica=(4, 8)) == []


@pytest.mark.parametrize(
    ("fields", "kinds", "texts"),
    [
        (
            {"itl_deadline_s": (0.3, 0.1)},
            ["deadline_tightened"],
            ["deadline tightened by 0.2 s"],
        ),
        ({"itl_deadline_s": (0.1, 0.12)}, ["deadline_loosened"], ["deadline loosened by 0.02 s"]),
        ({"itl_deadline_s": (5e-324, 1e308)}, ["deadline_loosened"], ["deadline loosened by 1e+308 s"]),
        ({"feasible_batch_sizes": ((128, 8), (128, 8, 16, 16))}, ["batch_sizes_gained"], ["gained batch sizes 16"]),
        ({"feasible_batch_sizes": ((128, 8, 16), (128,))}, ["batch_sizes_lost"], ["lost batch sizes 8 16"]),
        (
            {"feasible_batch_sizes": ((8, 16, 128), (16, 8, 128))},
            ["batch_sizes_reordered", "baseline_batch_size"],
            ["batch sizes in another order", "baseline mode uses 16, was 8"],
        ),
        (
            {"feasible_batch_sizes": ((8, 8, 128), (8, 128))},
            ["batch_sizes_repeated"],
            ["batch sizes with other repetitions"],
        ),
        (
            {"feasible_batch_sizes": ((8, 128), (8, 16))},
            ["batch_sizes_gained", "batch_sizes_lost", "initial_batch_size_became_infeasible"],
            ["gained batch sizes 16", "lost batch sizes 128", "initial batch size 128 is no longer feasible"],
        ),
        (
            {"initial_batch_size": (128, 100)},
            ["initial_batch_size_became_infeasible"],
            ["initial batch size 100 is not feasible"],
        ),
        (
            {"initial_batch_size": (100, 128)},
            ["initial_batch_size_became_feasible"],
            ["initial batch size 128 is feasible"],
        ),
        (
            {"initial_batch_size": (4, 4), "feasible_batch_sizes": ((8,), (8, 4))},
            ["batch_sizes_gained", "initial_batch_size_became_feasible"],
            ["gained batch sizes 4", "initial batch size 4 is now feasible"],
        ),
        ({"initial_batch_size": (8, 16)}, [], []),
    ],
)
def test_what_a_change_means(fields: dict[str, tuple[object, object]], kinds: list[str], texts: list[str]) -> None:
    assert kinds_between(**fields) == kinds
    assert texts_between(**fields) == texts


def test_differences_within_the_tolerance_are_left_out() -> None:
    a = one(num_replicas=100, itl_deadline_s=0.1, feasible_batch_sizes=(100, 200))
    b = one(num_replicas=101, itl_deadline_s=0.1000001, feasible_batch_sizes=(100, 202))
    assert diff(a, b, rtol=0.01).is_empty
    assert diff(a, b, rtol=0.01).consequences == ()
    assert diff(a, b, atol=2).is_empty
    assert [found.field for found in diff(a, b, atol=1).changed[0].changes] == ["feasible_batch_sizes"]
    assert [found.field for found in diff(a, b, rtol=1e-5).changed[0].changes] == [
        "num_replicas",
        "feasible_batch_sizes",
    ]


def test_no_tolerance_makes_lists_of_another_length_equal() -> None:
    assert not diff(one(feasible_batch_sizes=(8,)), one(feasible_batch_sizes=(8, 8)), atol=1e9).is_empty


@examples(60)
@given(similar_workloads(), similar_workloads(), st.floats(0, 2), st.floats(0, 20))
def test_a_tolerance_only_leaves_out(
    a: LLMInferenceWorkload, b: LLMInferenceWorkload, rtol: float, atol: float
) -> None:
    exact = {(c.model_label, found) for c in diff(a, b).changed for found in c.changes}
    loose = {(c.model_label, found) for c in diff(a, b, rtol=rtol, atol=atol).changed for found in c.changes}
    assert loose <= exact
    for _, found in exact - loose:
        old, new = (side if isinstance(side, tuple) else (side,) for side in (found.old, found.new))
        assert all(math.isclose(x, y, rel_tol=rtol, abs_tol=atol) for x, y in zip(old, new, strict=True))


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["rtol", "atol"])
def test_a_tolerance_must_be_finite_and_not_negative(name: str, value: float) -> None:
    with pytest.raises(ValueError, match=rf"{name} must be finite and >= 0, got {value}\."):
        diff(one(), one(), **{name: value})


def test_a_diff_says_why_it_does_not_fit() -> None:
    change = diff(one(num_replicas=180), one(num_replicas=200))
    with pytest.raises(ValueError, match=r"Llama-3\.1-70B\.num_replicas must be 180 for this diff to fit, got 5\."):
        change.apply(one(num_replicas=5))
    removal = diff(labelled("AB"), labelled("A"))
    other = LLMInferenceWorkload((make_spec(model_label="A"), make_spec(model_label="B", num_replicas=1)))
    with pytest.raises(ValueError, match=r"the removed model must be .*num_replicas=180.* for this diff to fit"):
        removal.apply(other)


def test_a_diff_leaves_fields_that_it_does_not_change() -> None:
    change = diff(one(num_replicas=180), one(num_replicas=200))
    assert change.apply(one(itl_deadline_s=0.5)) == one(num_replicas=200, itl_deadline_s=0.5)


def test_a_workload_that_came_from_nothing_is_all_added() -> None:
    change = diff(None, published_fleet())
    assert [model.spec for model in change.added] == list(published_fleet().models)
    assert str(change.consequences[-1]) == "total GPUs 0 → 4800 (+4800)"
    with pytest.raises(ValueError, match="in this order for this diff to fit"):
        change.apply(published_fleet())


def test_a_workload_that_went_is_all_removed_and_cannot_be_made() -> None:
    change = diff(published_fleet(), None)
    assert [model.spec for model in change.removed] == list(published_fleet().models)
    with pytest.raises(ValueError, match="at least one model"):
        change.apply(published_fleet())
    assert diff(None, None).is_empty


def changes_between(old: Any, new: Any) -> list[tuple[str, object, object]]:
    return [(change.path, change.old, change.new) for change in annotation_changes(old, new)]


def test_annotations_are_compared_by_their_paths() -> None:
    old = {"models": {"Llama-3.1-70B": {"model_id": "a", "ports": [{"port": 1}, 2]}}, "seed": None}
    new = {"models": {"Llama-3.1-70B": {"model_id": "b", "ports": [{"port": 9}, 2]}}, "note": {"by": "Ada"}}
    assert changes_between(old, new) == [
        ("models.Llama-3.1-70B.model_id", "a", "b"),
        ("models.Llama-3.1-70B.ports[0].port", 1, 9),
        ("seed", None, ABSENT),
        ("note.by", ABSENT, "Ada"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"a": 1}, {"a": 1.0}, [("a", 1, 1.0)]),
        ({"a": 1}, {"a": True}, [("a", 1, True)]),
        ({"a": {}}, {}, [("a", {}, ABSENT)]),
        ({}, {"a": {"b": {}}}, [("a.b", ABSENT, {})]),
        ({"a": {"b": 1}}, {"a": 1}, [("a", {"b": 1}, 1)]),
        ({"a": {"b": 1}}, {}, [("a.b", 1, ABSENT)]),
        ({"a": [1]}, {"a": [1, 2]}, [("a", [1], [1, 2])]),
        ({"a": 1, "b": {"c": 1, "d": 2}}, {"b": {"d": 2, "c": 1}, "a": 1}, []),
    ],
)
def test_annotations_that_differ(old: object, new: object, changes: list[object]) -> None:
    found = changes_between(old, new)
    assert found == changes
    assert repr(found) == repr(changes)  # 1 == 1.0 == True for Python, not for us.


@examples(100)
@given(annotations(), annotations())
def test_annotations_are_the_same_as_the_catalog_has_it(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert (annotation_changes(old, new) == ()) == same_annotations(annotations_to_text(old), annotations_to_text(new))
    assert annotation_changes(old, old) == ()


@examples(60)
@given(similar_workloads(), similar_workloads())
def test_the_total_follows_from_the_models(a: LLMInferenceWorkload, b: LLMInferenceWorkload) -> None:
    found = diff(a, b).consequences
    of_models = [c for c in found if c.kind == "total_gpus" and c.model_label is not None]
    pairs = [(c.old, c.new) for c in of_models if isinstance(c.old, int) and isinstance(c.new, int)]
    assert sum(new - old for old, new in pairs) == b.total_gpus - a.total_gpus
    totals = [(c.old, c.new) for c in found if c.model_label is None]
    assert totals == ([(a.total_gpus, b.total_gpus)] if a.total_gpus != b.total_gpus else [])


@examples(50)
@given(similar_workloads(), st.randoms(use_true_random=False))
def test_another_order_alone_is_nothing_but_moves(a: LLMInferenceWorkload, random: Any) -> None:
    models: list[LLMInferenceModelSpec] = list(a.models)
    random.shuffle(models)
    assume(tuple(models) != a.models)
    change = diff(a, LLMInferenceWorkload(tuple(models)))
    assert change.moved and not (change.added or change.removed or change.changed)
