"""When a rule was broken, held against a replay of the history that looks at every moment in turn."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openg2g.catalog import (
    Catalog,
    FilterError,
    InvalidRevisionError,
    Revision,
    RevisionDraft,
    RevisionMark,
    Violation,
)
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_draft, make_spec, make_workload
from tests.catalog.history.test_statements import Statement, assert_no_full_scan, count_statements, recording

DAYS = 8
START = datetime(2026, 3, 1, tzinfo=UTC)
RULE = "total_gpus <= 100"


def of_size(total_gpus: int, label: str = "Llama-3.1-70B") -> LLMInferenceWorkload:
    return LLMInferenceWorkload((make_spec(model_label=label, num_replicas=total_gpus, gpus_per_replica=1),))


def day(number: float) -> datetime:
    return START + timedelta(days=number)


def save(catalog: Catalog, name: str, *plans: tuple[float, int | None]) -> list[Revision]:
    """Record plans of a name: since which day, how many GPUs; None retires it."""
    return [
        catalog.retire(name, effective_from=day(since), author=f"author {number}")
        if size is None
        else catalog.save(name, of_size(size), effective_from=day(since), author=f"author {number}")
        for number, (since, size) in enumerate(plans, 1)
    ]


def mark(revision: Revision | None) -> RevisionMark | None:
    if revision is None:
        return None
    return RevisionMark(revision.name, revision.number, revision.author, revision.recorded_at, revision.message)


def intervals(violations: Sequence[Violation]) -> list[tuple[Any, ...]]:
    """Shorten violations: name, first day, last day, numbers of the revisions that broke and mended the rule."""
    return [
        (
            found.name,
            (found.from_ - START) / timedelta(days=1),
            None if found.until is None else (found.until - START) / timedelta(days=1),
            found.broken_by.number,
            None if found.mended_by is None else found.mended_by.number,
        )
        for found in violations
    ]


def test_an_interval_has_its_times_and_who_broke_and_mended_the_rule(catalog: Catalog) -> None:
    revisions = [
        catalog.save("fleet", of_size(size), effective_from=day(since), author=author, message=message)
        for since, size, author, message in (
            (0, 50, "Ada", "first"),
            (1, 200, "Bob <bob@example.org>", "more"),
            (3, 60, "Carol", "too many"),
        )
    ]
    assert catalog.audit(RULE) == [
        Violation(
            name="fleet",
            from_=day(1),
            until=day(3),
            broken_by=RevisionMark("fleet", 2, "Bob <bob@example.org>", revisions[1].recorded_at, "more"),
            mended_by=RevisionMark("fleet", 3, "Carol", revisions[2].recorded_at, "too many"),
        )
    ]
    assert catalog.audit(RULE)[0].broken_by.reference == "fleet@2"


def test_a_rule_that_held_has_no_violations(catalog: Catalog) -> None:
    assert catalog.audit("False") == []  # Nothing is stored.
    save(catalog, "fleet", (0, 100))
    assert catalog.audit(RULE) == []
    assert catalog.audit("True") == []


def test_a_rule_that_is_still_broken_has_no_end(catalog: Catalog) -> None:
    save(catalog, "fleet", (0, 100), (2, 101))
    assert intervals(catalog.audit(RULE)) == [("fleet", 2, None, 2, None)]


def test_successive_revisions_that_break_a_rule_are_one_interval(catalog: Catalog) -> None:
    save(catalog, "fleet", (0, 200), (1, 300), (2, 400), (3, 1), (4, 500))
    assert intervals(catalog.audit(RULE)) == [("fleet", 0, 3, 1, 4), ("fleet", 4, None, 5, None)]


def test_a_retirement_ends_an_interval_and_breaks_no_rule(catalog: Catalog) -> None:
    save(catalog, "fleet", (0, 200), (1, None), (2, 300), (4, None))
    assert intervals(catalog.audit(RULE)) == [("fleet", 0, 1, 1, 2), ("fleet", 2, 4, 3, 4)]
    assert intervals(catalog.audit("False")) == [("fleet", 0, 1, 1, 2), ("fleet", 2, 4, 3, 4)]


def test_of_two_revisions_since_the_same_time_the_first_was_never_in_force(catalog: Catalog) -> None:
    save(catalog, "corrected", (0, 200), (0, 10))
    save(catalog, "spoilt", (0, 10), (0, 200), (1, 10))
    assert intervals(catalog.audit(RULE)) == [("spoilt", 0, 1, 2, 3)]


def test_a_correction_that_is_recorded_later_replaces_the_past(catalog: Catalog) -> None:
    _, broken, _ = save(catalog, "fleet", (0, 50), (2, 200), (4, 60))
    corrected = catalog.save("fleet", of_size(70), effective_from=day(2))
    assert catalog.audit(RULE) == []
    assert intervals(catalog.audit(RULE, known_at=broken.recorded_at)) == [("fleet", 2, None, 2, None)]
    catalog.save("fleet", of_size(300), effective_from=day(1))
    assert intervals(catalog.audit(RULE)) == [("fleet", 1, 2, 5, 4)]
    assert catalog.audit(RULE, known_at=corrected.recorded_at) == []


def test_where_a_rule_has_no_value_it_is_broken(catalog: Catalog) -> None:
    catalog.save("fleet", of_size(5, "A"), effective_from=day(0))
    catalog.save("fleet", of_size(5, "B"), effective_from=day(1))
    for rule in ("itl_deadline_by_model['A'] < 1", "itl_deadline_by_model['A'] > 0 and total_gpus < 9"):
        assert intervals(catalog.audit(rule)) == [("fleet", 1, None, 2, None)]
    assert intervals(catalog.audit("not itl_deadline_by_model['A'] < 1")) == [("fleet", 0, 1, 1, 2)]
    assert catalog.audit("total_gpus // (number - 1) == 5 or number == 1") == []


def test_a_rule_may_name_the_revision_and_parameters(catalog: Catalog) -> None:
    save(catalog, "fleet", (0, 50), (1, 60))
    save(catalog, "other", (0, 50))
    rule = "author != somebody or total_gpus == size"
    assert intervals(catalog.audit(rule, {"somebody": "author 1", "size": 60})) == [
        ("fleet", 0, 1, 1, 2),
        ("other", 0, None, 1, None),
    ]


def test_names_come_in_code_point_order_and_under_what_they_are_called_now(catalog: Catalog) -> None:
    names = ["z", "Ä", "a", "Z", "通", "🚀", "\uffee", "10", "9"]
    for name in names:
        save(catalog, name, (0, 200), (1, 10), (2, 200))
    catalog.rename("z", "b")
    expected = sorted({*names, "b"} - {"z"})
    violations = catalog.audit(RULE)
    assert [found.name for found in violations] == [name for name in expected for _ in range(2)]
    assert {found.broken_by.name for found in violations} == set(expected)


@pytest.mark.parametrize(
    ("since", "until", "expected"),
    [
        (None, None, [(1, 3, 2, 3), (5, None, 4, None)]),
        (2, None, [(2, 3, 2, 3), (5, None, 4, None)]),
        (3, None, [(5, None, 4, None)]),
        (6, None, [(6, None, 4, None)]),
        (None, 1, []),
        (None, 2, [(1, None, 2, None)]),
        (None, 3, [(1, None, 2, None)]),
        (None, 4, [(1, 3, 2, 3)]),
        (2, 2.5, [(2, None, 2, None)]),
        (3, 5, []),
        (5, 6, [(5, None, 4, None)]),
    ],
)
def test_intervals_are_cut_to_the_audited_time(
    catalog: Catalog, since: float | None, until: float | None, expected: list[tuple[Any, ...]]
) -> None:
    save(catalog, "fleet", (0, 50), (1, 200), (3, 60), (5, 300))
    violations = catalog.audit(
        RULE, since=None if since is None else day(since), until=None if until is None else day(until)
    )
    assert intervals(violations) == [("fleet", *rest) for rest in expected]


@st.composite
def histories(draw: st.DrawFn) -> list[RevisionDraft]:
    """Plans of a few names in any order of time, with retirements and corrections."""
    drafts = []
    begun: set[str] = set()
    for name, since, size in draw(
        st.lists(
            st.tuples(
                st.sampled_from(("fleet", "other", "third")),
                st.integers(0, DAYS - 1),
                st.sampled_from((None, 50, 100, 101, 200)),
            ),
            min_size=1,
            max_size=14,
        )
    ):
        if size is not None or name in begun:
            workload = None if size is None else of_size(size)
            drafts.append(RevisionDraft(name, workload, "", "Ada", day(since), retires=size is None))
            begun.add(name)
    return drafts


def replayed(revisions: Sequence[Revision], limit: int, since: datetime, until: datetime) -> list[Violation]:
    """Look at every half day of the time of one name, and at which revision was in force then."""
    moments = [day(half / 2) for half in range(-2, 2 * DAYS + 4)]

    def in_force(moment: datetime) -> Revision | None:
        begun = [revision for revision in revisions if revision.effective_from <= moment]
        return max(begun, key=lambda revision: (revision.effective_from, revision.number), default=None)

    def is_broken(revision: Revision | None) -> bool:
        return revision is not None and revision.workload is not None and revision.workload.total_gpus > limit

    found = []
    began = None  # Who broke the rule, and when or since when it is audited.
    for moment in moments:
        revision = in_force(moment)
        if is_broken(revision) and began is None:
            began = (revision, moment)
        elif not is_broken(revision) and began is not None:
            found.append((*began, moment, revision))
            began = None
    if began is not None:
        found.append((*began, datetime.max.replace(tzinfo=UTC), None))
    return [
        Violation(
            name=broken_by.name,
            from_=max(from_, since),
            until=ended if ended < until else None,
            broken_by=mark(broken_by),
            mended_by=mark(mended_by) if ended < until else None,
        )
        for broken_by, from_, ended, mended_by in found
        if max(from_, since) < min(ended, until)
    ]


@given(
    histories().filter(bool),
    st.sampled_from((49, 50, 100, 200)),
    st.tuples(st.integers(-1, 2 * DAYS), st.integers(-1, 2 * DAYS)).filter(lambda pair: pair[0] != pair[1]).map(sorted),
    st.data(),
)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_an_audit_finds_what_a_replay_finds(
    catalog: Catalog, drafts: list[RevisionDraft], limit: int, window: list[int], data: st.DataObject
) -> None:
    recorded = catalog.save_many(drafts)  # On top of what the examples before have left there.
    since, until = day(window[0] / 2), day(window[1] / 2)
    known_at = data.draw(st.none() | st.sampled_from([revision.recorded_at for revision in recorded]))
    histories = {name: catalog.history(name) for name in catalog.list_names()}
    known = {
        name: [revision for revision in revisions if known_at is None or revision.recorded_at <= known_at]
        for name, revisions in histories.items()
    }
    first, last = datetime.min.replace(tzinfo=UTC), datetime.max.replace(tzinfo=UTC)
    rule = "total_gpus <= limit"
    assert catalog.audit(rule, {"limit": limit}, known_at=known_at) == [
        violation for revisions in known.values() for violation in replayed(revisions, limit, first, last)
    ]
    clipped = catalog.audit(rule, {"limit": limit}, since=since, until=until, known_at=known_at)
    assert clipped == [v for revisions in known.values() for v in replayed(revisions, limit, since, until)]


@pytest.mark.parametrize(
    ("rule", "match"),
    [
        ("total_gpu <= 3", r"column 1: unknown name 'total_gpu'\. Did you mean total_gpus\?\n  total_gpu <= 3\n  \^"),
        ("total_gpus", "a condition is needed here"),
        ("", "the expression is empty"),
    ],
)
def test_a_rule_that_cannot_be_searched_by_is_refused(catalog: Catalog, rule: str, match: str) -> None:
    with pytest.raises(FilterError, match=match):
        catalog.audit(rule)


@pytest.mark.parametrize(
    ("times", "match"),
    [
        ({"since": day(1), "until": day(1)}, r"until must be later than since, got 2026-03-02T00:00:00\+00:00"),
        ({"since": day(2), "until": day(1)}, "until must be later than since"),
        ({"since": datetime(2026, 3, 1)}, "since must say its offset from UTC"),
        ({"until": datetime(2026, 3, 1)}, "until must say its offset from UTC"),
        ({"known_at": datetime(2026, 3, 1)}, "known_at must say its offset from UTC"),
    ],
)
def test_times_that_cannot_be_meant_are_refused(catalog: Catalog, times: dict[str, Any], match: str) -> None:
    with pytest.raises(InvalidRevisionError, match=match):
        catalog.audit(RULE, **times)


@pytest.fixture(scope="module")
def filled_url(shared_database_url: str) -> str:
    """Give the place of a catalog with thousands of names that hold to the rule and some that do not."""
    with Catalog.open(shared_database_url) as catalog:
        for gpus in (1, 2):
            catalog.save_many(
                make_draft(f"name-{index:04}", workload=make_workload(1, num_replicas=1 + index, gpus_per_replica=gpus))
                for index in range(5_000)
            )
        catalog.save("small", of_size(0))
        with catalog.database.writing() as connection:
            connection.exec_driver_sql("ANALYZE")
    return shared_database_url


def selections(statements: list[Statement]) -> list[Statement]:
    """Leave out what begins and ends the snapshot, and the bounded counts, which scan what they have found."""
    return [(text, values) for text, values in statements if "SELECT" in text and "count(*)" not in text]


def test_many_broken_names_take_as_many_statements_as_one(filled_url: str) -> None:
    def count(rule: str, found: int) -> int:
        with Catalog.open(filled_url) as catalog:
            assert len(catalog.audit(rule)) == found
        return count_statements(filled_url, lambda catalog: catalog.audit(rule))

    assert count("total_gpus > 0", 1) == count("total_gpus > 250", 251)


def test_only_the_timelines_of_broken_names_are_read_and_no_models(filled_url: str) -> None:
    with Catalog.open(filled_url) as catalog:
        with recording(catalog) as statements:
            assert intervals(catalog.audit("total_gpus > 0"))[0][0] == "small"
        queries = selections(statements)
        assert not any("workload_models" in text or "annotations" in text for text, _ in queries)
        assert "small" in str(queries[-1][1]) and "name-" not in str(queries[-1][1])
        assert_no_full_scan(catalog, queries)


def test_a_rule_of_several_parts_is_answered_from_stored_facts(filled_url: str) -> None:
    rule = "total_gpus > 0 and all(m.itl_deadline_s >= 0.05 for m in models) and not total_gpus > 1_000_000"
    with Catalog.open(filled_url) as catalog:
        with recording(catalog) as statements:
            assert [violation.name for violation in catalog.audit(rule)] == ["small"]
        assert not any("workload_models" in text for text, _ in statements)
        assert_no_full_scan(catalog, selections(statements))
