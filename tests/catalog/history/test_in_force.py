"""A bare name is what is in force now, whatever asks; its highest number may be planned for later or dated back."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from openg2g.catalog import (
    AmbiguousReferenceError,
    Catalog,
    InForce,
    InvalidReferenceError,
    InvalidRevisionError,
    RevisionConflictError,
    RevisionDraft,
    WorkloadNotFoundError,
)
from openg2g.catalog.archive.copying import copy_catalog
from openg2g.catalog.documents.script_check import ScriptStatus, check_scripts
from openg2g.catalog.documents.transfer import documents_of, documents_of_all
from openg2g.catalog.history.reference import LatestReference, parse_reference
from tests.builders import make_workload
from tests.catalog.histories import add_latest_alias
from tests.places import SqlitePlaces

APRIL, MAY = datetime(2026, 4, 1, tzinfo=UTC), datetime(2026, 5, 1, tzinfo=UTC)
AHEAD = datetime(2999, 1, 1, tzinfo=UTC)
WORKLOADS = [make_workload(1, num_replicas=number) for number in range(8)]


@pytest.fixture
def corrected(catalog: Catalog) -> Catalog:
    """Record @1 from April, @2 from May, and a correction @3 of April."""
    for workload, effective_from in zip(WORKLOADS[1:4], (APRIL, MAY, APRIL), strict=True):
        catalog.save("fleet", workload, effective_from=effective_from)
    return catalog


ASK: dict[str, Callable[[Catalog], object]] = {
    "load": lambda catalog: catalog.load("fleet"),
    "get": lambda catalog: catalog.get("fleet").workload,
    "search": lambda catalog: next(catalog.search("name == 'fleet'")).workload,
    "list": lambda catalog: next(catalog.iter_in_force()).workload,
    "export": lambda catalog: next(documents_of(catalog, ["fleet"])).workload,
    "export all": lambda catalog: next(documents_of_all(catalog)).workload,
    "as of now": lambda catalog: catalog.load("fleet", as_of=datetime.now(UTC)),
    "known now": lambda catalog: catalog.load("fleet", known_at=datetime.now(UTC)),
    "alias": lambda catalog: catalog.load(f"fleet@{catalog.set_alias('fleet', 'here').revision_number}"),
}


@pytest.mark.parametrize("ask", ASK.values(), ids=ASK)
def test_a_bare_name_is_what_is_in_force(corrected: Catalog, ask: Callable[[Catalog], object]) -> None:
    assert ask(corrected) == WORKLOADS[2]
    corrected.save("fleet", WORKLOADS[4], effective_from=AHEAD)
    corrected.retire("fleet", effective_from=AHEAD + timedelta(days=1))
    assert ask(corrected) == WORKLOADS[2]


def test_latest_is_the_highest_number_and_negative_numbers_count_from_it(corrected: Catalog) -> None:
    assert parse_reference("fleet@latest") == LatestReference("fleet")
    assert str(LatestReference("fleet")) == "fleet@latest"
    known_at = corrected.get("fleet@2").recorded_at
    assert corrected.get("fleet@latest").number == 3
    assert corrected.load("fleet@latest") == WORKLOADS[3]
    assert corrected.get("fleet@-1").number == 2
    assert corrected.get("fleet@latest", known_at=known_at).number == 2
    assert [revision.number for revision in corrected.iter_latest()] == [3]
    with pytest.raises(InvalidReferenceError, match="says already which revision"):
        corrected.get("fleet@latest", as_of=APRIL)
    with pytest.raises(WorkloadNotFoundError, match="Did you mean fleet"):
        corrected.get("fleat@latest")


def test_a_time_of_knowing_leaves_the_time_of_asking_alone(corrected: Catalog) -> None:
    first, second = (corrected.get(f"fleet@{number}") for number in (1, 2))
    corrected.save("fleet", WORKLOADS[4])
    for known_at, expected in ((first.recorded_at, first), (second.recorded_at, second)):
        assert corrected.get("fleet", known_at=known_at) == expected
        assert [*corrected.search("True", when=InForce(known_at=known_at))] == [expected]
        assert [*corrected.iter_in_force(known_at=known_at)] == [expected]


def test_a_name_that_lies_ahead_says_from_when_it_applies(catalog: Catalog) -> None:
    catalog.save("plan", WORKLOADS[2], effective_from=AHEAD + timedelta(days=1))
    catalog.save("plan", WORKLOADS[1], effective_from=AHEAD)
    for ask in (catalog.load, catalog.get):
        with pytest.raises(WorkloadNotFoundError, match=r"applies from 2999-01-01 .*; use plan@latest"):
            ask("plan")
    with pytest.raises(WorkloadNotFoundError, match="use plan@latest"):
        catalog.set_alias("plan", "production")
    assert catalog.load("plan@latest") == WORKLOADS[1]
    assert len(catalog.history("plan")) == 2 and catalog.tags("plan") == catalog.aliases("plan") == {}
    assert [*catalog.iter_in_force()] == [*catalog.search("True")] == []
    (status,) = catalog.iter_statuses()
    assert (status.in_force, status.latest.number, status.is_retired) == (None, 2, False)
    assert catalog.save("plan", WORKLOADS[1]).number == 3
    assert catalog.load("plan") == WORKLOADS[1]


def test_a_status_says_what_is_newer(corrected: Catalog) -> None:
    status = corrected.get_status("fleet")
    assert status.in_force is not None and status.newer is not None
    assert (status.in_force.number, status.newer.number) == (2, 3)
    corrected.save("fleet", WORKLOADS[4])
    assert corrected.get_status("fleet").newer is None
    with pytest.raises(WorkloadNotFoundError, match="Did you mean fleet"):
        corrected.get_status("fleat")


SAVES = [
    pytest.param(2, None, 2, id="in force"),
    pytest.param(3, None, None, id="the highest number, not in force"),
    pytest.param(2, MAY, 2, id="in force then, from then"),
    pytest.param(3, APRIL, 3, id="in force then, though replaced since"),
    pytest.param(1, APRIL, None, id="replaced then by a correction"),
    pytest.param(2, MAY + timedelta(days=1), None, id="in force then, but from before"),
    pytest.param(3, MAY, None, id="another is in force then"),
    pytest.param(5, AHEAD, None, id="nothing from then"),
]


@pytest.mark.parametrize(("replicas", "effective_from", "unchanged"), SAVES)
def test_what_is_in_force_then_and_from_then_makes_no_revision(
    corrected: Catalog, replicas: int, effective_from: datetime | None, unchanged: int | None
) -> None:
    saved = corrected.save("fleet", WORKLOADS[replicas], effective_from=effective_from)
    assert (saved.number, saved.is_new) == ((4, True) if unchanged is None else (unchanged, False))
    again = corrected.save("fleet", WORKLOADS[replicas], effective_from=effective_from)
    assert (again, again.is_new) == (saved, False)
    assert corrected.get(saved.reference) == saved


def test_many_drafts_are_unchanged_by_the_same_rule(catalog: Catalog) -> None:
    times = [MAY + timedelta(days=day) for day in range(400)]
    drafts = [RevisionDraft("one", WORKLOADS[day % 2], effective_from=time) for day, time in enumerate(times)]
    drafts += [RevisionDraft(f"n{day}", WORKLOADS[1], effective_from=time) for day, time in enumerate(times)]
    saved = catalog.save_many([*drafts, *drafts])
    assert saved[:800] == saved[800:]
    assert [revision.is_new for revision in saved] == [True] * 800 + [False] * 800
    catalog.save("one", WORKLOADS[5])
    assert [revision.is_new for revision in catalog.save_many(drafts)] == [False] * 800
    later = [RevisionDraft(draft.name, WORKLOADS[6], effective_from=draft.effective_from) for draft in drafts]
    assert all(revision.is_new for revision in catalog.save_many(later))


def test_a_number_that_is_expected_is_the_highest(corrected: Catalog) -> None:
    with pytest.raises(RevisionConflictError, match="expected revision 2"):
        corrected.save("fleet", WORKLOADS[5], expect=2)
    assert corrected.save("fleet", WORKLOADS[5], expect=3).number == 4


def test_a_retirement_that_is_to_come_ends_nothing(corrected: Catalog) -> None:
    corrected.retire("fleet", effective_from=AHEAD)
    assert corrected.load("fleet") == WORKLOADS[2]
    assert [revision.number for revision in corrected.iter_in_force()] == [2]
    assert [revision.number for revision in corrected.iter_latest()] == [4]
    with pytest.raises(WorkloadNotFoundError, match="is to be retired on 2999-01-01"):
        corrected.load("fleet@latest")
    now = corrected.retire("fleet")
    assert (now.number, now.is_new) == (5, True)
    assert [*corrected.iter_in_force()] == [*corrected.iter_latest()] == []
    assert [revision.number for revision in corrected.iter_in_force(with_retired=True)] == [5]


def test_a_restored_name_is_what_the_retirement_ended(corrected: Catalog) -> None:
    corrected.retire("fleet", effective_from=AHEAD)
    restored = corrected.restore("fleet")
    assert (restored.workload, restored.effective_from) == (WORKLOADS[2], AHEAD)
    with pytest.raises(InvalidRevisionError, match="fleet is not retired: fleet@2 is in force"):
        corrected.restore("fleet")
    corrected.retire("fleet")
    assert corrected.restore("fleet").workload == WORKLOADS[2]


def test_no_alias_is_called_latest(corrected: Catalog) -> None:
    for number in (None, 1):
        with pytest.raises(InvalidRevisionError, match="alias 'latest' is reserved"):
            corrected.set_alias("fleet", "latest", number)
    assert corrected.aliases("fleet") == {}


@pytest.mark.parametrize("number", [1, 3])
def test_an_alias_of_an_older_release_is_ambiguous_until_it_is_removed(corrected: Catalog, number: int) -> None:
    add_latest_alias(corrected, "fleet", number)
    for ask in (corrected.load, corrected.get):
        with pytest.raises(AmbiguousReferenceError) as refused:
            ask("fleet@latest")
        assert refused.value.candidates == (f"fleet@{number}", "fleet@3")
        assert f"an alias of revision {number}" in str(refused.value)
        assert "or remove the alias." in str(refused.value)
    assert corrected.load("fleet") == WORKLOADS[2]
    corrected.remove_alias("fleet", "latest")
    assert corrected.get("fleet@latest").number == 3
    with pytest.raises(WorkloadNotFoundError, match="no such alias"):
        corrected.remove_alias("fleet", "latest")


def test_whole_histories_are_copied_whatever_is_in_force(catalog: Catalog, sqlite_places: SqlitePlaces) -> None:
    catalog.save("plan", WORKLOADS[1], effective_from=AHEAD)
    catalog.save("fleet", WORKLOADS[1])
    add_latest_alias(catalog, "fleet", 1)
    with sqlite_places.catalog() as url, Catalog.open(url) as copy:
        assert copy_catalog(catalog, copy, ["plan", "fleet"]) == {"fleet": 1, "plan": 1}
        assert copy.aliases("fleet") == {"latest": 1}


def test_scripts_are_compared_with_what_is_in_force(
    corrected: Catalog, tmp_path_factory: pytest.TempPathFactory
) -> None:
    corrected.save("plan", WORKLOADS[5], effective_from=AHEAD)
    directory = tmp_path_factory.mktemp("scripts")
    asked = (("fleet", 2), ("fleet", 3), ("fleet", 1), ("fleet", 7), ("plan", 5), ("plan", 6))
    for number, (name, replicas) in enumerate(asked):
        (spec,) = WORKLOADS[replicas].models
        text = f"{name} = LLMInferenceWorkload(({spec!r},))\n"
        directory.joinpath(f"{number}.py").write_text(text)
    found = [(finding.status, finding.same_as) for finding in check_scripts(corrected, [str(directory)])]
    assert found == [
        (ScriptStatus.IN_STEP, ("fleet@2",)),
        (ScriptStatus.NEWER, ("fleet@3",)),
        (ScriptStatus.OLDER, ("fleet@1",)),
        (ScriptStatus.DRIFTED, ()),
        (ScriptStatus.NEWER, ("plan@1",)),
        (ScriptStatus.DRIFTED, ()),
    ]


def test_revisions_of_one_name_that_lie_ahead_hide_none_of_the_others(catalog: Catalog) -> None:
    for number in range(3):
        catalog.save(f"n{number}", WORKLOADS[number], effective_from=AHEAD if number == 1 else None)
    assert [revision.name for revision in catalog.iter_in_force()] == ["n0", "n2"]
