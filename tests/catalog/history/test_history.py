"""What was in force when, as known when: the answers of the database against a replay of the revisions in Python."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openg2g.catalog import (
    Catalog,
    InvalidReferenceError,
    InvalidRevisionError,
    LogFilter,
    NameTakenError,
    Revision,
    RevisionConflictError,
    RevisionDraft,
    WorkloadNotFoundError,
)
from tests.builders import make_workload

START = datetime(2026, 1, 1, tzinfo=UTC)
WORKLOADS = [make_workload(1, num_replicas=replicas) for replicas in range(4)]
days = st.integers(0, 20).map(lambda day: START + timedelta(days=day))
names = (f"name-{number}" for number in count())

# A step is a workload (or None: retire) and since when it applies (or None: from then on).
steps = st.lists(st.tuples(st.none() | st.sampled_from(WORKLOADS), st.none() | days), min_size=1, max_size=8)


def record(catalog: Catalog, name: str, history: Sequence[tuple[object, datetime | None]]) -> list[Revision]:
    """Record a random history, one transaction a step."""
    catalog.save(name, WORKLOADS[0], effective_from=START)
    for workload, effective_from in history:
        if workload is None:
            catalog.retire(name, effective_from=effective_from)
        else:
            catalog.save(name, workload, effective_from=effective_from)  # type: ignore[arg-type]
    return catalog.history(name)


def in_force(revisions: Sequence[Revision], as_of: datetime, known_at: datetime) -> Revision | None:
    """Answer by the words of the definition."""
    candidates = [r for r in revisions if r.recorded_at <= known_at and r.effective_from <= as_of]
    return max(candidates, key=lambda r: (r.effective_from, r.number), default=None)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(history=steps, as_of=days, data=st.data())
def test_answers_about_the_past_equal_a_replay(
    catalog: Catalog, history: list[tuple[object, datetime | None]], as_of: datetime, data: st.DataObject
) -> None:
    name = next(names)
    revisions = record(catalog, name, history)
    moments = [r.recorded_at + timedelta(microseconds=shift) for r in revisions for shift in (-1, 0, 1)]
    known_at = data.draw(st.sampled_from(moments))
    as_of = data.draw(st.sampled_from([as_of, *(r.effective_from for r in revisions)]))
    expected = in_force(revisions, as_of, known_at)
    listed = list(catalog.iter_in_force(name, as_of=as_of, known_at=known_at, with_retired=True))
    assert listed == ([] if expected is None else [expected])
    if expected is None:
        with pytest.raises(WorkloadNotFoundError):
            catalog.get(name, as_of=as_of, known_at=known_at)
    else:
        assert catalog.get(name, as_of=as_of, known_at=known_at) == expected
        assert catalog.get(f"{name}@{as_of.isoformat().replace('+00:00', 'Z')}", known_at=known_at) == expected
    known = [r for r in revisions if r.recorded_at <= known_at]
    assert catalog.history(name, known_at=known_at) == known if known else True
    assert [r.number for r in revisions] == list(range(1, len(revisions) + 1))
    assert revisions == sorted(revisions, key=lambda r: r.recorded_at)


def test_a_back_dated_correction_leaves_earlier_answers_as_they_were(catalog: Catalog) -> None:
    first = catalog.save("fleet", WORKLOADS[1], effective_from=START)
    asked_at = first.recorded_at
    correction = catalog.save("fleet", WORKLOADS[2], effective_from=START)
    assert catalog.get("fleet@2026-01-01") == correction
    assert catalog.get("fleet@2026-01-01", known_at=asked_at) == first


def test_references_count_back_from_the_latest(catalog: Catalog) -> None:
    for workload in WORKLOADS:
        catalog.save("fleet", workload)
    assert catalog.get("fleet@-1").number == 3
    assert catalog.get("fleet@-3").number == 1
    with pytest.raises(WorkloadNotFoundError, match="revisions 1 to 4"):
        catalog.get("fleet@-4")


@pytest.mark.parametrize("reference", ["fleet@1", "fleet@2026-01-01"])
def test_a_reference_that_says_which_revision_takes_no_time(catalog: Catalog, reference: str) -> None:
    catalog.save("fleet", WORKLOADS[0])
    with pytest.raises(InvalidReferenceError, match="says already which revision"):
        catalog.get(reference, as_of=START)


def test_a_time_before_the_first_revision_says_when_that_applies(catalog: Catalog) -> None:
    catalog.save("fleet", WORKLOADS[0], effective_from=START)
    with pytest.raises(WorkloadNotFoundError, match="the first revision applies from 2026-01-01"):
        catalog.get("fleet@2025-12-31")


def test_a_retired_name_has_no_workload_but_a_history(catalog: Catalog) -> None:
    catalog.save("fleet", WORKLOADS[1], effective_from=START)
    retired = catalog.retire("fleet", message="replaced", effective_from=START + timedelta(days=10))
    assert retired.is_retirement and retired.digest is None and retired.number == 2
    with pytest.raises(WorkloadNotFoundError, match="retired on 2026-01-11"):
        catalog.load("fleet")
    assert catalog.load("fleet@2026-01-10") == WORKLOADS[1]
    assert list(catalog.iter_in_force()) == list(catalog.iter_latest()) == []
    assert catalog.retire("fleet").is_new is False


def test_a_restored_name_stands_for_its_last_workload_and_annotations(catalog: Catalog) -> None:
    catalog.save("fleet", WORKLOADS[1], annotations={"a": 1})
    catalog.retire("fleet")
    restored = catalog.restore("fleet", message="still needed")
    assert (restored.number, restored.workload, restored.annotations) == (3, WORKLOADS[1], {"a": 1})
    with pytest.raises(InvalidRevisionError, match="fleet is not retired"):
        catalog.restore("fleet")


@pytest.mark.parametrize("act", [Catalog.retire, Catalog.restore, Catalog.tags], ids=["retire", "restore", "tags"])
def test_an_unknown_name_is_refused_and_nothing_is_made(catalog: Catalog, act: object) -> None:
    catalog.save("fleet", WORKLOADS[0])
    with pytest.raises(WorkloadNotFoundError, match="Did you mean fleet"):
        act(catalog, "flet")  # type: ignore[operator]
    assert catalog.list_names() == ["fleet"]


def test_compare_and_swap_refuses_when_somebody_was_faster(catalog: Catalog) -> None:
    catalog.save("fleet", WORKLOADS[0], expect=0)
    catalog.save("fleet", WORKLOADS[1], expect=1)
    with pytest.raises(RevisionConflictError, match="expected revision 1 to be the latest, but it is 2") as refused:
        catalog.save("fleet", WORKLOADS[2], expect=1)
    assert (refused.value.expected, refused.value.current) == (1, 2)
    with pytest.raises(RevisionConflictError):
        catalog.save_many([RevisionDraft("other", WORKLOADS[0]), RevisionDraft("fleet", WORKLOADS[0], expect=0)])
    assert catalog.list_names() == ["fleet"]


def test_a_renamed_name_keeps_its_history_and_is_found_in_the_past(catalog: Catalog) -> None:
    first = catalog.save("fleet", WORKLOADS[0])
    catalog.save("other", WORKLOADS[1])
    catalog.tag("fleet", {"team": "grid"})
    catalog.set_alias("fleet", "production")
    catalog.rename("fleet", "fleet-h100", message="a better name")
    assert [r.reference for r in catalog.history("fleet-h100")] == ["fleet-h100@1"]
    assert catalog.tags("fleet-h100") == {"team": "grid"}
    assert catalog.get("fleet-h100@production").number == 1
    with pytest.raises(WorkloadNotFoundError, match="changed to fleet-h100 on"):
        catalog.get("fleet")
    assert catalog.get("fleet", known_at=first.recorded_at).digest == first.digest
    with pytest.raises(NameTakenError, match="other exists already"):
        catalog.rename("fleet-h100", "other")
    assert catalog.save("fleet", WORKLOADS[2]).number == 1


def test_an_alias_moves_and_every_move_is_kept(catalog: Catalog) -> None:
    for workload in WORKLOADS[:3]:
        catalog.save("fleet", workload)
    first = catalog.set_alias("fleet", "production", 1, message="approved", author="Ada")
    second = catalog.set_alias("fleet", "production")
    assert catalog.get("fleet@production").number == 3
    assert catalog.get("fleet@production", known_at=first.recorded_at).number == 1
    assert catalog.get("fleet@production", as_of=first.recorded_at).number == 1
    removed = catalog.remove_alias("fleet", "production")
    with pytest.raises(WorkloadNotFoundError, match="no such alias"):
        catalog.get("fleet@production")
    assert catalog.get("fleet@production", known_at=second.recorded_at).number == 3
    assert catalog.alias_log("fleet") == [first, second, removed]
    assert catalog.aliases("fleet") == {}
    assert catalog.aliases("fleet", known_at=second.recorded_at) == {"production": 3}


@pytest.mark.parametrize("alias", ["3", "2026-03-01", "-1", "+x", "a b", "", "a@b"])
def test_an_alias_that_looks_like_something_else_is_refused(catalog: Catalog, alias: str) -> None:
    catalog.save("fleet", WORKLOADS[0])
    with pytest.raises(InvalidRevisionError, match="alias must"):
        catalog.set_alias("fleet", alias)


def test_tags_are_set_and_removed(catalog: Catalog) -> None:
    catalog.save("fleet", WORKLOADS[0])
    assert catalog.tag("fleet", {"team": "grid", "draft": ""}) == {"draft": "", "team": "grid"}
    assert catalog.tag("fleet", {"draft": None, "team": "power"}) == {"team": "power"}


def test_a_log_comes_last_first_and_is_filtered(catalog: Catalog) -> None:
    for number, workload in enumerate(WORKLOADS):
        catalog.save("a", workload, author=f"Ada {number}")
        catalog.save("b", workload, author="Bob")
    everything = list(catalog.log())
    assert [r.reference for r in everything][:3] == ["b@4", "a@4", "b@3"]
    assert list(catalog.log(LogFilter(oldest_first=True))) == everything[::-1]
    assert [r.number for r in catalog.log(LogFilter(name="a"), limit=2)] == [4, 3]
    assert [r.reference for r in catalog.log(LogFilter(author="Ada 2"))] == ["a@3"]
    assert list(catalog.log(LogFilter(author="ada"))) == []
    third = catalog.get("a@3")
    assert [r.reference for r in catalog.log(LogFilter(since=third.recorded_at))] == ["b@4", "a@4", "b@3", "a@3"]
    assert [r.reference for r in catalog.log(LogFilter(name="a", until=third.recorded_at))] == ["a@2", "a@1"]
    with pytest.raises(WorkloadNotFoundError):
        catalog.log(LogFilter(name="c"))


def test_a_long_log_is_read_in_pages_without_gap_or_repetition(catalog: Catalog) -> None:
    catalog.save_many(RevisionDraft(f"name-{i % 7}", WORKLOADS[i % 4], message=str(i)) for i in range(1300))
    everything = [revision.reference for revision in catalog.log()]
    assert len(everything) == len(set(everything)) == catalog.count()["revisions"]
    assert [revision.reference for revision in catalog.log(LogFilter(oldest_first=True))] == everything[::-1]


def test_a_name_that_was_reused_since_is_what_it_was_then(catalog: Catalog) -> None:
    first = catalog.save("a", WORKLOADS[1])
    second = catalog.save("b", WORKLOADS[2])
    then = second.recorded_at
    catalog.rename("a", "c")
    catalog.rename("b", "a")
    assert catalog.get("a", known_at=then).digest == first.digest
    assert catalog.get("b", known_at=then).digest == second.digest
    assert [revision.digest for revision in catalog.history("a", known_at=then)] == [first.digest]
    assert catalog.get("a").digest == second.digest


def test_who_was_called_otherwise_then_does_not_answer_for_a_name(catalog: Catalog) -> None:
    catalog.save("a", WORKLOADS[0])
    catalog.save("b", WORKLOADS[0])
    then = catalog.save("b", WORKLOADS[1]).recorded_at
    catalog.rename("a", "c")
    catalog.rename("b", "a")
    with pytest.raises(WorkloadNotFoundError, match="a@2: the name has revisions 1 to 1"):
        catalog.get("a@2", known_at=then)
    catalog.rename("a", "d")
    assert catalog.get("a", known_at=then).reference == "c@1"
    catalog.rename("c", "e")
    with pytest.raises(WorkloadNotFoundError, match="c: the name was changed to e"):
        catalog.get("c", known_at=then)


def test_a_retirement_to_come_can_be_taken_back(catalog: Catalog) -> None:
    catalog.save("fleet", WORKLOADS[1])
    later = datetime.now(UTC) + timedelta(days=1000)
    catalog.retire("fleet", effective_from=later)
    catalog.restore("fleet")
    assert catalog.load("fleet", as_of=later + timedelta(days=1)) == WORKLOADS[1]


@pytest.mark.parametrize(
    "change",
    [
        lambda catalog: catalog.rename("fleet", "a b"),
        lambda catalog: catalog.rename("fleet", "other", message="\0"),
        lambda catalog: catalog.set_alias("fleet", "latest"),
        lambda catalog: catalog.remove_alias("fleet", "1"),
        lambda catalog: catalog.tag("fleet", {"team": "\0"}),
    ],
)
def test_what_can_never_be_written_is_refused_before_the_lock(
    catalog: Catalog, change: Callable[[Catalog], Any]
) -> None:
    catalog.save("fleet", make_workload())
    catalog.database.why_not_written = "nothing may be written"
    with pytest.raises(InvalidRevisionError):
        change(catalog)
