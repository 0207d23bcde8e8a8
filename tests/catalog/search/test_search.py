"""What a search looks at, in which order its hits come, and how it goes on."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from openg2g.catalog import Catalog, EveryRevision, FilterError, InForce, InvalidRevisionError, Revision, RevisionDraft
from openg2g.catalog.history.when import NOW, When
from openg2g.catalog.search import leads, plan
from openg2g.catalog.search.order import SORT_KEYS, SearchOrder
from openg2g.expressions.predicate import compile_predicate
from tests.builders import make_draft, make_spec, make_workload
from tests.catalog.history.test_statements import count_statements

MARCH, APRIL, MAY = (datetime(2026, month, 1, tzinfo=UTC) for month in (3, 4, 5))


def references(revisions: Any) -> list[str]:
    """Return NAME@NUMBER of each."""
    return [revision.reference for revision in revisions]


def gpus(total: int) -> Any:
    """Make a workload of so many GPUs."""
    return make_workload(1, num_replicas=total, gpus_per_replica=1)


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    """Fill a catalog with a fleet that grows, another that shrinks, and one that was retired."""
    catalog.save("fleet", gpus(100), effective_from=MARCH, author="Ada")
    catalog.save("fleet", gpus(300), effective_from=MAY, author="Bob")
    catalog.save("fleet", gpus(200), effective_from=APRIL, author="Ada", message="a correction")
    catalog.save("other", gpus(500), effective_from=MARCH, author="Eve")
    catalog.save("other", gpus(50), effective_from=APRIL, author="Eve")
    catalog.save("gone", gpus(10), effective_from=MARCH, author="Eve")
    catalog.retire("gone", effective_from=APRIL)
    return catalog


def test_a_search_is_about_what_is_in_force_now(filled: Catalog) -> None:
    assert references(filled.search("total_gpus > 0")) == ["fleet@2", "other@2"]
    assert references(filled.search("total_gpus > 100")) == ["fleet@2"]


def test_what_will_be_in_force_is_not_yet_found(filled: Catalog) -> None:
    filled.save("other", gpus(999), effective_from=datetime.now(UTC) + timedelta(days=1))
    assert references(filled.search("total_gpus == 999")) == []
    later = InForce(as_of=datetime.now(UTC) + timedelta(days=2))
    assert references(filled.search("total_gpus == 999", when=later)) == ["other@3"]


def test_a_search_is_about_what_was_in_force_at_a_time(filled: Catalog) -> None:
    assert references(filled.search("total_gpus > 0", when=InForce(as_of=MARCH))) == ["fleet@1", "gone@1", "other@1"]
    assert references(filled.search("total_gpus > 0", when=InForce(as_of=APRIL))) == ["fleet@3", "other@2"]
    assert references(filled.search("total_gpus > 0", when=InForce(as_of=MARCH - timedelta(days=1)))) == []


def test_a_search_is_answered_from_what_was_known_at_a_time(filled: Catalog) -> None:
    recorded_at = filled.get("fleet@3").recorded_at
    before = InForce(as_of=APRIL, known_at=recorded_at - timedelta(microseconds=1))
    assert references(filled.search("name == 'fleet'", when=before)) == ["fleet@1"]
    assert references(filled.search("name == 'fleet'", when=InForce(as_of=APRIL, known_at=recorded_at))) == ["fleet@3"]
    known = EveryRevision(known_at=recorded_at - timedelta(microseconds=1))
    assert references(filled.search("name == 'fleet'", when=known)) == ["fleet@1", "fleet@2"]


def test_all_revisions_are_those_with_a_workload(filled: Catalog) -> None:
    everything = ["fleet@1", "fleet@2", "fleet@3", "gone@1", "other@1", "other@2"]
    assert references(filled.search("True", when=EveryRevision())) == everything
    assert references(filled.search("False", when=EveryRevision())) == []


def test_times_may_be_iso_text(filled: Catalog) -> None:
    hits = [*filled.search("total_gpus > 0", when=InForce(as_of=APRIL))]
    assert [*filled.search("total_gpus > 0", when=InForce(as_of=APRIL.isoformat()))] == hits
    with pytest.raises(InvalidRevisionError, match="as_of: 'April' is no time"):
        InForce(as_of="April")


def test_hits_are_complete(filled: Catalog) -> None:
    annotated = filled.save("fleet", gpus(7), annotations={"a": [1, {"b": None}]}, source="f.json", author="Ada")
    assert list(filled.search("number == 4")) == [filled.get("fleet@4")]
    assert filled.get("fleet@4").annotations == annotated.annotations


def test_parameters_stand_for_values(filled: Catalog) -> None:
    assert references(filled.search("total_gpus < limit", {"limit": 100})) == ["other@2"]
    assert references(filled.search("author in people", {"people": ["Bob", "Zoe"]})) == ["fleet@2"]
    assert references(filled.search("effective_from >= since", {"since": MAY})) == ["fleet@2"]


def test_a_parameter_that_the_expression_does_not_name_is_refused(filled: Catalog) -> None:
    with pytest.raises(FilterError, match="the parameter 'lmit' is not in the expression"):
        filled.search("total_gpus < 100", {"lmit": 3})
    with pytest.raises(FilterError, match="the parameter 'sort' is not in the expression"):
        filled.count_hits("total_gpus < 100", {"sort": "name"})


def test_a_set_has_no_order_and_is_asked_for_members_only(filled: Catalog) -> None:
    wanted = {"Ada", "Eve", "Zoe"}
    assert references(filled.search("author in people", {"people": wanted})) == ["other@2"]
    first = filled.search_page("author in people", {"people": wanted}, when=EveryRevision(), limit=1)
    again = filled.search_page("author in people", {"people": set(sorted(wanted))}, when=EveryRevision(), limit=1)
    assert first.next_token == again.next_token
    with pytest.raises(FilterError, match="a list has an order, and a set has none"):
        filled.search("model_labels == labels", {"labels": {"model-0"}})


def test_the_length_of_an_annotation_is_that_of_what_it_is(catalog: Catalog) -> None:
    catalog.save(
        "x", gpus(1), annotations={"list": [1, 2], "object": {"a": 1, "b": {}, "c": 3}, "text": "1234", "n": 5}
    )
    for place, count in (("list", 2), ("object", 3), ("text", 4)):
        assert catalog.count_hits(f"len(annotations['{place}']) == {count}") == 1
    assert catalog.count_hits("len(annotations['n']) >= 0 or len(annotations['none']) >= 0") == 0


def test_a_search_that_says_nothing_is_refused_before_it_is_asked_for_hits(filled: Catalog) -> None:
    with pytest.raises(FilterError, match="unknown name 'limit'"):
        filled.search("total_gpus < limit")
    with pytest.raises(FilterError, match="a condition is needed"):
        filled.count_hits("total_gpus")


def test_hits_are_counted(filled: Catalog) -> None:
    assert filled.count_hits("total_gpus > 0") == 2
    assert filled.count_hits("total_gpus > least", {"least": 99}, when=EveryRevision()) == 4
    assert filled.count_hits("any(m.itl_deadline_s > 1 for m in models)") == 0


def test_a_name_is_found_as_it_is_called_now(filled: Catalog) -> None:
    filled.rename("fleet", "fleet-h100")
    assert references(filled.search("name == 'fleet'", when=EveryRevision())) == []
    assert references(filled.search("name.endswith('h100')")) == ["fleet-h100@2"]


def test_aliases_are_those_that_stand_for_the_revision_then(filled: Catalog) -> None:
    everything = EveryRevision()
    filled.set_alias("fleet", "production", 1)
    moved_at = filled.alias_log("fleet")[-1].recorded_at
    filled.set_alias("fleet", "production", 2)
    assert references(filled.search("'production' in aliases", when=everything)) == ["fleet@2"]
    before = EveryRevision(known_at=moved_at)
    assert references(filled.search("'production' in aliases", when=before)) == ["fleet@1"]
    filled.remove_alias("fleet", "production")
    assert references(filled.search("'production' in aliases", when=everything)) == []
    assert references(filled.search("len(aliases) == 0")) == ["fleet@2", "other@2"]


# Order and pages.


@pytest.fixture
def sortable(catalog: Catalog) -> Catalog:
    """Fill a catalog with revisions that agree in some respects and differ in others."""
    drafts = [
        make_draft(
            f"name-{index % 7}",
            workload=make_workload(1 + index % 3, num_replicas=index % 5, itl_deadline_s=0.1 + index % 4),
            author=("Ada", "ada", "Émile", "王")[index % 4],
            message="x" * (index % 3),
            source=("b.json", "B.json")[index % 2],
            effective_from=MARCH + timedelta(days=index % 11),
        )
        for index in range(60)
    ]
    catalog.save_many(drafts)
    return catalog


SORTED_BY: dict[str, Callable[[Revision], Any]] = {
    "name": lambda r: r.name,
    "number": lambda r: r.number,
    "total_gpus": lambda r: r.workload.total_gpus if r.workload else None,
    "num_models": lambda r: len(r.workload.models) if r.workload else None,
    "least_itl_deadline_s": lambda r: min(r.workload.itl_deadline_by_model.values()) if r.workload else None,
    "greatest_itl_deadline_s": lambda r: max(r.workload.itl_deadline_by_model.values()) if r.workload else None,
    "digest": lambda r: r.digest,
    "recorded_at": lambda r: r.recorded_at,
    "effective_from": lambda r: r.effective_from,
    "author": lambda r: r.author,
    "message": lambda r: r.message,
    "source": lambda r: r.source,
}


def test_every_sort_key_is_tried_here() -> None:
    assert set(SORTED_BY) == set(SORT_KEYS)


def everything(catalog: Catalog) -> list[Revision]:
    """Return all revisions, by name and number."""
    return [revision for name in catalog.list_names() for revision in catalog.history(name)]


def everything_sorted(catalog: Catalog, keys: tuple[str, ...]) -> list[str]:
    """Sort all revisions as Python does, by the keys and then by name and number."""
    return references(as_sorted(everything(catalog), keys))


def as_sorted(revisions: list[Revision], keys: tuple[str, ...]) -> list[Revision]:
    """Sort revisions that are in the order of name and number."""
    for key in reversed(keys):
        revisions = sorted(revisions, key=SORTED_BY[key.removeprefix("-")], reverse=key.startswith("-"))
    return revisions


def all_pages(
    catalog: Catalog, expression: str, limit: int, when: When = NOW, sort: Sequence[str] = ()
) -> list[list[str]]:
    """Read every page."""
    pages, token = [], None
    while True:
        page = catalog.search_page(expression, when=when, sort=sort, limit=limit, after=token)
        pages.append(references(page.revisions))
        token = page.next_token
        if token is None:
            return pages


@pytest.mark.parametrize("key", SORTED_BY)
def test_hits_come_in_the_order_that_is_asked_for_page_by_page(sortable: Catalog, key: str) -> None:
    for keys in ((key,), (f"-{key}",), (f"-{key}", "author"), ("message", f"-{key}", "-name")):
        if len({k.removeprefix("-") for k in keys}) < len(keys):
            continue
        expected = everything_sorted(sortable, keys)
        assert references(sortable.search("True", when=EveryRevision(), sort=keys)) == expected
        pages = all_pages(sortable, "True", 7, EveryRevision(), keys)
        assert [reference for page in pages for reference in page] == expected
        assert {len(page) for page in pages[:-1]} == {7}


def test_the_last_page_has_no_token_even_if_it_is_full(sortable: Catalog) -> None:
    assert [len(page) for page in all_pages(sortable, "True", 30, EveryRevision())] == [30, 30]


def test_a_page_goes_on_where_the_last_one_ended_whatever_was_recorded_in_between(sortable: Catalog) -> None:
    first = sortable.search_page("True", limit=3)
    sortable.save("name-0", gpus(1))
    sortable.save("name-4", gpus(2))
    sortable.save("name-11", gpus(3))
    second = sortable.search_page("True", limit=100, after=first.next_token)
    seen = references((*first.revisions, *second.revisions))
    assert [reference.partition("@")[0] for reference in seen] == [f"name-{index}" for index in range(7)]
    assert "name-4" in [r.name for r in second.revisions] and gpus(2) not in [r.workload for r in second.revisions]


def test_an_iterator_fetches_on_demand(catalog: Catalog) -> None:
    catalog.save_many(RevisionDraft(f"n{index:04}", gpus(index)) for index in range(1_200))
    hits = catalog.search("total_gpus >= 0")
    first = next(hits)
    catalog.save("n1199", gpus(5_000), effective_from=MARCH)
    rest = list(hits)
    assert first.name == "n0000" and len(rest) == 1_199
    assert [revision.name for revision in rest] == [f"n{index:04}" for index in range(1, 1_200)]


@pytest.mark.parametrize(
    ("key", "why"),
    [("total_gpu", "Did you mean total_gpus"), ("", "is nothing to sort by"), ("--name", "is nothing to sort by")],
)
def test_an_unknown_sort_key_is_refused(key: str, why: str) -> None:
    with pytest.raises(FilterError, match=why):
        SearchOrder.of((key,))


def test_sort_keys_may_be_written_as_one_text() -> None:
    assert SearchOrder.of("-total_gpus, name") == SearchOrder.of(("-total_gpus", "name"))


def test_a_sort_key_that_comes_twice_is_refused() -> None:
    with pytest.raises(FilterError, match="'name' comes twice"):
        SearchOrder.of(("name", "-name"))


def test_a_token_belongs_to_its_search(sortable: Catalog) -> None:
    token = sortable.search_page("total_gpus > x", {"x": 0}, limit=1).next_token
    assert token is not None
    assert sortable.search_page("total_gpus > x", {"x": 0}, limit=1, after=token).revisions
    for expression, sort, parameters in (
        ("total_gpus >= x", (), {"x": 0}),
        ("total_gpus > x", "-name", {"x": 0}),
        ("total_gpus > x", (), {"x": 1}),
    ):
        with pytest.raises(FilterError, match="belongs to another search"):
            sortable.search_page(expression, parameters, sort=sort, after=token)


@pytest.mark.parametrize("token", ["", "x", "é", "====", "W10", "bnVsbA", "\ud800", "A" * 5000])
def test_a_text_that_is_no_token_is_refused(sortable: Catalog, token: str) -> None:
    with pytest.raises(FilterError, match="no token of a search"):
        sortable.search_page("True", after=token)


def test_a_page_has_at_least_one_hit(sortable: Catalog) -> None:
    with pytest.raises(InvalidRevisionError, match="limit must be >= 1 and <= 1000000000, got 0"):
        sortable.search_page("True", limit=0)


@pytest.mark.parametrize(("few", "walked"), [(0, 9), (30, 9), (3, 16), (1_000, 9), (0, 1_000)])
def test_every_way_of_answering_gives_the_same_pages(
    catalog: Catalog, monkeypatch: pytest.MonkeyPatch, few: int, walked: int
) -> None:
    # With so small numbers, a small catalog has leads that are too long, and walks that end without a full page of 10.
    monkeypatch.setattr(leads, "FEW", few)
    monkeypatch.setattr(plan, "WALKED", walked)
    catalog.save_many(
        RevisionDraft(
            f"n{index % 23:02}",
            make_workload(
                1 + index % 2, num_replicas=index % 7, gpus_per_replica=1, itl_deadline_s=0.1 * (1 + index % 5)
            ),
            author=("Ada", "Bob")[index % 2],
            effective_from=MARCH + timedelta(days=index % 9),
        )
        for index in range(80)
    )
    revisions = everything(catalog)
    in_force = [*catalog.iter_in_force(as_of=datetime.now(UTC))]
    for expression in (
        "True",
        "total_gpus >= 3",
        "total_gpus >= 3 and any(m.itl_deadline_s > 0.35 for m in models)",
        "any(m.itl_deadline_s < 0.25 and m.num_replicas > 2 for m in models)",
        "'model-1' in model_labels and author == 'Bob'",
        "name >= 'n05' and author == 'Ada'",
        "author == 'Bob' and number > 1",
        "total_gpus > 0 and author == 'nobody'",
        "recorded_at > '2026-01-01' and total_gpus < 4",
    ):
        holds = compile_predicate(expression)
        expected = [r for r in revisions if holds(r.workload, r)]
        for keys in (
            (),
            ("-name",),
            ("-total_gpus",),
            ("least_itl_deadline_s",),
            ("-recorded_at",),
            ("author", "-number"),
        ):
            pages = all_pages(catalog, expression, 10, EveryRevision(), keys)
            found = [reference for page in pages for reference in page]
            assert found == references(as_sorted(expected, keys)), (expression, keys)
        found = [reference for page in all_pages(catalog, expression, 10) for reference in page]
        assert found == references(r for r in in_force if holds(r.workload, r)), expression


# Cost.


def test_a_search_takes_as_many_statements_for_many_hits_as_for_one(database_url: str) -> None:
    with Catalog.open(database_url) as catalog:
        catalog.save_many(
            RevisionDraft(f"n{index:04}", make_workload(3, num_replicas=index, gpus_per_replica=1))
            for index in range(450)
        )

    def ask(expression: str, hits: int) -> int:
        def use(catalog: Catalog) -> None:
            assert len(list(catalog.search(expression))) == hits

        return count_statements(database_url, use)

    one, many = ask("total_gpus == 0", 1), ask("total_gpus >= 0", 450)
    assert one == many <= 7


def test_an_explanation_has_the_statement_its_parameters_and_the_plan(filled: Catalog) -> None:
    explanation = filled.explain_search("total_gpus < 7200 and message != 'it''s'")
    assert "total_gpus <" in explanation.statement and "7200" not in explanation.statement
    assert {7200, "its"} <= set(explanation.parameters.values())
    assert any("revisions" in line for line in explanation.plan)


def test_specs_may_be_asked_for_by_their_place(filled: Catalog) -> None:
    filled.save("two", make_workload(2), effective_from=MARCH)
    assert references(filled.search("models[-1].model_label == 'model-1'")) == ["two@1"]
    assert make_spec().model_label not in filled.load("two").model_labels
