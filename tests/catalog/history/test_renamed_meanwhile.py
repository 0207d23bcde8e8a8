"""Names that are changed while somebody reads: nothing is lost, nothing comes twice, and nobody gets another's."""

from collections.abc import Callable, Iterable
from functools import partial

import pytest
from sqlalchemy import event

from openg2g.catalog import Catalog, EveryRevision, FilterError, LogFilter, Revision, RevisionDraft
from openg2g.catalog.history import listing, log
from openg2g.catalog.search import search as searching
from tests.builders import make_workload
from tests.places import PostgresPlaces

NAMES = [f"n{index:02}" for index in range(12)]
READ: dict[str, Callable[[Catalog], Iterable[Revision]]] = {
    "in force": lambda catalog: catalog.iter_in_force(),
    "latest": lambda catalog: catalog.iter_latest(),
    "search": lambda catalog: catalog.search("True"),
    "search of one total": lambda catalog: catalog.search("total_gpus > 0", sort="num_models"),
    "search of a lead": lambda catalog: catalog.search("total_gpus < 100000 and len(models) == 1"),
    "search of all revisions": lambda catalog: catalog.search("True", when=EveryRevision()),
    "log": lambda catalog: catalog.log(),
    "log from the first": lambda catalog: catalog.log(LogFilter(oldest_first=True)),
}


@pytest.fixture(autouse=True)
def small_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read in pages of few."""
    monkeypatch.setattr(listing, "_NAMES_PER_BLOCK", 3)
    monkeypatch.setattr(log, "_REVISIONS_PER_BLOCK", 3)
    monkeypatch.setattr(searching, "HITS_PER_BLOCK", 3)


@pytest.fixture
def filled(catalog: Catalog) -> Catalog:
    """Record all names in one transaction, so that their times are the same."""
    catalog.save_many(RevisionDraft(name, make_workload(1, num_replicas=1 + index)) for index, name in enumerate(NAMES))
    return catalog


@pytest.mark.parametrize("read", READ.values(), ids=READ)
@pytest.mark.parametrize(("old", "new"), [("n10", "a10"), ("n00", "z00"), ("n05", "n055"), ("n01", "zz")])
def test_a_name_that_is_changed_meanwhile_is_read_once(
    filled: Catalog, read: Callable[[Catalog], Iterable[Revision]], old: str, new: str
) -> None:
    revisions = iter(read(filled))
    first = next(revisions)
    filled.rename(old, new)
    found = [first, *revisions]
    assert sorted(r.digest for r in found) == sorted(r.digest for r in filled.iter_in_force())
    assert {r.name for r in found} <= {*NAMES, new}


def test_the_log_of_a_name_goes_on_when_it_is_changed(catalog: Catalog) -> None:
    for size in range(1, 8):
        catalog.save("old", make_workload(size))
    revisions = catalog.log(LogFilter(name="old"))
    first = next(revisions)
    catalog.rename("old", "new")
    catalog.save("old", make_workload(20))
    assert [r.number for r in (first, *revisions)] == [7, 6, 5, 4, 3, 2, 1]


def test_a_page_of_a_search_does_not_go_on_after_a_name_was_changed(filled: Catalog) -> None:
    page = filled.search_page("True", limit=5)
    assert len(filled.search_page("True", limit=5, after=page.next_token).revisions) == 5
    filled.rename("n10", "a10")
    for ask in (filled.search_page, filled.search):
        with pytest.raises(FilterError, match="a name was changed since the page before: search again"):
            ask("True", after=page.next_token)


@pytest.mark.parametrize("reference", ["f@production", "f@latest", "f@-1"])
def test_a_reference_that_takes_two_looks_is_not_answered_by_whoever_is_called_so_in_between(
    postgres_places: PostgresPlaces, reference: str
) -> None:
    with postgres_places.catalog() as url, Catalog.open(url) as catalog, Catalog.open(url) as other:
        for size in (1, 2):
            catalog.save("f", make_workload(size))
        catalog.set_alias("f", "production", 2)
        catalog.load("f")
        changes = [partial(other.save, "f", make_workload(30 + size)) for size in range(4)]
        changes = [partial(other.rename, "f", "g"), *changes]

        def change(connection: object, cursor: object, statement: str, *_: object) -> None:
            if statement.startswith("SELECT"):
                for work in changes:
                    work()
                changes.clear()

        event.listen(catalog.database.engine, "after_cursor_execute", change)
        assert catalog.load(reference) in (make_workload(1), make_workload(2))
        assert changes == [] and other.load("f") == make_workload(33)


def test_a_revision_is_shown_with_what_belongs_to_it(filled: Catalog) -> None:
    filled.tag("n03", {"team": "grid"})
    filled.set_alias("n03", "production", 1)
    revision, beside = filled.get_with_context("n03")
    assert (revision.reference, beside.aliases, beside.tags) == ("n03@1", ("production",), {"team": "grid"})
    assert (beside.status.in_force, beside.status.latest, beside.upcoming) == (revision, revision, None)
