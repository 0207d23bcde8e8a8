from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.models.blame import BLAMED_FIELDS, POSITION, blame
from openg2g.models.revision import Revision
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_spec
from tests.models.evolution import make_history, similar_workloads
from tests.strategies import examples


def numbers_of(revisions: list[Revision]) -> dict[tuple[str, str], int]:
    return {(found.model_label, found.field): found.revision.number for found in blame(revisions)}


def replayed(revisions: list[Revision]) -> dict[tuple[str, str], tuple[object, int]]:
    """Replay a history from its beginning, noting where each value came up."""
    state: dict[tuple[str, str], tuple[object, int]] = {}
    for revision in revisions:
        before, state = state, {}
        for position, spec in enumerate(revision.workload.models if revision.workload is not None else ()):
            for name in BLAMED_FIELDS:
                key, value = (spec.model_label, name), position if name == POSITION else getattr(spec, name)
                state[key] = before[key] if key in before and before[key][0] == value else (value, revision.number)
    return state


def retired(revision: Revision) -> Revision:
    """Make the revision one without a workload, as that of a retired name."""
    object.__setattr__(revision, "workload", None)
    return revision


@examples(100)
@given(st.lists(similar_workloads(), min_size=1, max_size=6), st.sets(st.integers(0, 5)))
def test_blame_equals_a_replay_of_the_history(workloads: list[LLMInferenceWorkload], without: set[int]) -> None:
    revisions = [
        retired(revision) if index in without else revision for index, revision in enumerate(make_history(*workloads))
    ]
    found = {(b.model_label, b.field): (b.value, b.revision.number) for b in blame(revisions)}
    assert found == replayed(revisions)


@examples(60)
@given(st.lists(similar_workloads(), min_size=1, max_size=4))
def test_every_field_of_the_last_workload_is_blamed_in_order(workloads: list[LLMInferenceWorkload]) -> None:
    blamed = blame(make_history(*workloads))
    assert [(b.model_label, b.field) for b in blamed] == [
        (spec.model_label, name) for spec in workloads[-1].models for name in BLAMED_FIELDS
    ]
    for found, spec in zip(blamed[:: len(BLAMED_FIELDS)], workloads[-1].models, strict=True):
        assert found.value == spec.model_label


def test_a_value_that_came_back_is_the_later_revisions() -> None:
    a, b = (LLMInferenceWorkload((make_spec(num_replicas=replicas),)) for replicas in (1, 2))
    numbers = numbers_of(make_history(a, b, a, a))
    assert numbers["Llama-3.1-70B", "num_replicas"] == 3
    assert numbers["Llama-3.1-70B", "gpus_per_replica"] == 1


def test_a_model_that_came_back_begins_anew() -> None:
    spec, other = make_spec(), make_spec(model_label="other")
    both, alone = LLMInferenceWorkload((spec, other)), LLMInferenceWorkload((spec,))
    numbers = numbers_of(make_history(both, alone, both))
    assert {numbers["other", name] for name in BLAMED_FIELDS} == {3}
    assert {numbers["Llama-3.1-70B", name] for name in BLAMED_FIELDS} == {1}


def test_a_retired_name_begins_anew_and_has_nothing_to_blame_while_it_is_retired() -> None:
    workload = LLMInferenceWorkload((make_spec(),))
    first, second, third = make_history(workload, workload, workload)
    assert set(numbers_of([first, retired(second), third]).values()) == {3}
    assert blame([first, second]) == ()


def test_another_place_is_blamed_and_nothing_else() -> None:
    models = make_spec(), make_spec(model_label="other")
    numbers = numbers_of(make_history(LLMInferenceWorkload(models), LLMInferenceWorkload(models[::-1])))
    assert {key for key, number in numbers.items() if number == 2} == {
        ("Llama-3.1-70B", "position"),
        ("other", "position"),
    }


def test_the_given_revisions_are_all_there_is() -> None:
    (revision,) = make_history(LLMInferenceWorkload((make_spec(),)))
    later = replace(revision, number=7)
    assert {found.revision for found in blame([later])} == {later}


def test_nothing_cannot_be_blamed() -> None:
    with pytest.raises(ValueError, match=r"revisions must not be empty\."):
        blame([])
