"""A clock that is wrong decides for nobody else, and is told of."""

import json
import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import pytest

from openg2g.catalog import Catalog, EveryRevision, InForce, InvalidRevisionError, WorkloadNotFoundError
from openg2g.catalog.archive.copying import copy_catalog
from openg2g.catalog.engine import clock
from openg2g.catalog.engine.clock import Clocks
from openg2g.catalog.history.clock_watch import all_clock_warnings, clock_warnings
from openg2g.catalog.upkeep.verify import verify_database
from tests.builders import make_draft, make_spec, make_workload
from tests.catalog.histories import archive_of
from tests.catalog.history.clocks import run_at
from tests.places import SqlitePlaces

HOUR = timedelta(hours=1)
YEARS = timedelta(days=26_000)
WORKLOADS = [make_workload(1, num_replicas=number) for number in range(6)]
SET = ("set", "fleet", "-m", "why", "--author", "Ada")


@contextmanager
def clock_ahead(by: timedelta) -> Iterator[None]:
    """Let this process have another clock for a while."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(clock, "now", lambda: datetime.now(UTC) + by)
        yield


@pytest.fixture
def warnings() -> Iterator[list[str]]:
    """Collect what is logged."""
    lines: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: lines.append(record.getMessage())  # type: ignore[method-assign]
    logger = logging.getLogger("openg2g.catalog")
    logger.addHandler(handler)
    yield lines
    logger.removeHandler(handler)


@pytest.mark.parametrize("ahead", [timedelta(minutes=2), HOUR, YEARS])
def test_what_is_saved_after_a_clock_that_was_ahead_is_in_force_at_once(catalog: Catalog, ahead: timedelta) -> None:
    catalog.save("fleet", WORKLOADS[1])
    with clock_ahead(ahead):
        wrong = catalog.save("fleet", WORKLOADS[2])
    before = datetime.now(UTC)
    right = catalog.save("fleet", WORKLOADS[3])
    after = datetime.now(UTC)
    assert wrong.recorded_at == wrong.effective_from > after
    assert right.recorded_at == wrong.recorded_at, "recorded times never decrease within a name"
    assert before <= right.effective_from <= after
    assert catalog.get("fleet") == catalog.get("fleet", as_of=after) == right
    assert [*catalog.iter_in_force()] == [*catalog.search("True")] == [right]
    assert [*catalog.search("True", when=InForce(as_of=after))] == [right]
    retired = catalog.retire("fleet")
    assert catalog.get("fleet") == retired
    catalog.restore("fleet")
    assert catalog.load("fleet") == WORKLOADS[3]


def test_a_clock_that_is_ahead_by_little_is_waited_for_so_that_nothing_is_replaced(
    catalog: Catalog, warnings: list[str]
) -> None:
    with clock_ahead(timedelta(seconds=0.4)):
        first = catalog.save("fleet", WORKLOADS[1])
    second = catalog.save("fleet", WORKLOADS[2])
    assert second.effective_from == first.effective_from <= datetime.now(UTC)
    assert catalog.get("fleet") == second
    assert catalog.get("fleet", as_of=datetime.now(UTC) + HOUR) == second
    assert warnings == []


@pytest.mark.parametrize("ahead", [HOUR, YEARS])
def test_each_save_names_what_comes_into_force_and_the_command_that_prevents_it(
    database_url: str, ahead: timedelta
) -> None:
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", WORKLOADS[1])
    label = WORKLOADS[1].models[0].model_label
    run_at(ahead, database_url, *SET, f"{label}.num_replicas=2")
    for number in (3, 4):
        said = run_at(timedelta(0), database_url, *SET, f"{label}.num_replicas={number + 10}")
        assert said.exit_code == 0
        assert "fleet@2 comes into force at 20" in said.err and f"in place of fleet@{number}." in said.err
    for command in (("show", "fleet"), ("verify",)):
        assert (
            "in place of fleet@4. To keep fleet@4 then, run: openg2g export fleet@4 | "
            in run_at(timedelta(0), database_url, *command).err
        )
    prevented = re.search(r"run: openg2g (export \S+) \| openg2g (import - --effective-from (\S+))", said.err)
    assert prevented is not None
    exported = run_at(timedelta(0), database_url, *prevented[1].split())
    imported = run_at(timedelta(0), database_url, *prevented[2].split(), stdin=exported.out)
    assert imported.out == "fleet: revision 4 → 5\n"
    assert "ahead of the clock" in imported.err and "comes into force" not in imported.err
    with Catalog.open(database_url) as catalog:
        then = datetime.fromisoformat(prevented[3])
        assert catalog.load("fleet", as_of=then) == catalog.load("fleet@4") == catalog.load("fleet")
        assert catalog.load("fleet", as_of=then - timedelta(microseconds=1)) == catalog.load("fleet@4")
    said = run_at(timedelta(0), database_url, *SET, f"{label}.num_replicas=99")
    assert "fleet@5 comes into force at 20" in said.err, "what was to be kept is not what is in force by now"


def test_a_wrong_time_at_which_a_retirement_is_to_be_kept(catalog: Catalog, warnings: list[str]) -> None:
    catalog.save("fleet", WORKLOADS[1])
    with clock_ahead(HOUR):
        wrong = catalog.save("fleet", WORKLOADS[2])
    catalog.retire("fleet")
    when = wrong.effective_from
    assert f"run: openg2g retire fleet --effective-from {when.isoformat().replace('+00:00', 'Z')}" in warnings[-1]
    catalog.retire("fleet", effective_from=when)
    assert "comes into force" not in warnings[-1]
    with pytest.raises(WorkloadNotFoundError, match="retired"):
        catalog.load("fleet", as_of=when)


def test_the_first_revision_of_a_name_by_a_clock_that_is_ahead(catalog: Catalog, warnings: list[str]) -> None:
    with clock_ahead(HOUR):
        catalog.save("fleet", WORKLOADS[1])
    with pytest.raises(WorkloadNotFoundError, match=r"applies from .*; use fleet@latest"):
        catalog.load("fleet")
    (line,) = [line for line in clock_warnings(catalog.database, ["fleet"]) if line.startswith("fleet@1")]
    assert "fleet@1 comes into force at" in line and "To have it in force now, run: openg2g export fleet@1 |" in line


def test_a_plan_for_later_is_no_wrong_clock(catalog: Catalog, warnings: list[str]) -> None:
    catalog.save("fleet", WORKLOADS[1])
    catalog.save("fleet", WORKLOADS[2], effective_from=datetime.now(UTC) + YEARS)
    catalog.retire("fleet", effective_from=datetime.now(UTC) + YEARS + HOUR)
    catalog.save("fleet", WORKLOADS[3])
    assert warnings == clock_warnings(catalog.database, ["fleet"]) == all_clock_warnings(catalog.database) == []
    assert catalog.load("fleet") == WORKLOADS[3]


def test_a_plan_among_wrong_times_is_not_named(catalog: Catalog, warnings: list[str]) -> None:
    catalog.save("fleet", WORKLOADS[1])
    with clock_ahead(YEARS):
        catalog.save("fleet", WORKLOADS[2])
    catalog.save("fleet", WORKLOADS[3], effective_from=datetime.now(UTC) + HOUR)
    assert "fleet@2 comes into force" in warnings[-1]


def test_what_is_recorded_ahead_hides_nothing_but_from_questions_about_what_was_known(catalog: Catalog) -> None:
    with clock_ahead(YEARS):
        catalog.save("fleet", WORKLOADS[1], effective_from=datetime(2026, 1, 1, tzinfo=UTC))
    assert catalog.load("fleet") == catalog.load("fleet", as_of=datetime.now(UTC)) == WORKLOADS[1]
    with pytest.raises(WorkloadNotFoundError, match="nothing was known of this name"):
        catalog.load("fleet", known_at=datetime.now(UTC))


def test_an_alias_moves_at_the_time_of_who_moves_it(catalog: Catalog) -> None:
    catalog.save_many(make_draft("fleet", workload=workload) for workload in WORKLOADS)
    with clock_ahead(YEARS):
        wrong = catalog.set_alias("fleet", "production", 2)
    assert catalog.get("fleet@production").number == 2
    assert [r.number for r in catalog.search("'production' in aliases", when=EveryRevision())] == [2]
    right = catalog.set_alias("fleet", "production", 6)
    assert right.recorded_at <= datetime.now(UTC) < wrong.recorded_at
    assert catalog.get("fleet@production").number == 6
    assert catalog.get("fleet@production", as_of=datetime.now(UTC)).number == 6
    assert [r.number for r in catalog.search("'production' in aliases")] == [6]
    assert catalog.aliases("fleet") == {"production": 6}
    assert catalog.alias_log("fleet") == [wrong, right]
    assert "Moves of aliases recorded ahead of the clock: 1." in all_clock_warnings(catalog.database)[-1]


def test_a_name_is_changed_at_the_time_of_who_changes_it(catalog: Catalog) -> None:
    catalog.save("a", WORKLOADS[1])
    with clock_ahead(YEARS):
        catalog.rename("a", "b")
    catalog.rename("b", "c")
    for name, workload in (("a", WORKLOADS[2]), ("b", WORKLOADS[3])):
        catalog.save(name, workload)
    soon = datetime.now(UTC)
    assert [catalog.load(name, known_at=soon) for name in "abc"] == [WORKLOADS[2], WORKLOADS[3], WORKLOADS[1]]
    assert "Renames recorded ahead of the clock: 1." in all_clock_warnings(catalog.database)[-1]


@pytest.mark.parametrize("ahead", [HOUR, -HOUR])
def test_a_server_tells_whose_clock_is_wrong(database_url: str, ahead: timedelta, warnings: list[str]) -> None:
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", WORKLOADS[1])
        with clock_ahead(ahead):
            saved = catalog.save("fleet", WORKLOADS[2])
            seen_there = clock_warnings(catalog.database, ["fleet"])
        seen_here = clock_warnings(catalog.database, ["fleet"])
        has_server = catalog.database.engine.dialect.name != "sqlite"
    own = f"This machine's clock is {'1:00:00 ahead of' if ahead > timedelta(0) else '1:00:00 behind'} the server's"
    assert any(line.startswith(own) for line in warnings) == has_server
    assert [line[: len(own)] for line in seen_there if line.startswith("This")] == ([own] if has_server else [])
    assert not any(line.startswith("This machine") for line in seen_here)
    if ahead > timedelta(0):
        assert "the clock of an earlier writer was ahead" in seen_here[-1] or not has_server
        assert "fleet@2 comes into force" in seen_here[-1]
    else:
        assert seen_here == []
        assert "fleet@1 comes into force at" in seen_there[-1] and f"in place of {saved.reference}" in seen_there[-1]
        assert ("this machine's clock is behind." in seen_there[-1]) == has_server


@pytest.mark.parametrize("by", [0.0, 59.0, -59.0])
def test_clocks_that_differ_by_less_than_a_minute_are_none_of_our_business(by: float) -> None:
    own = datetime(2026, 1, 1, tzinfo=UTC)
    clocks = Clocks(own, own + timedelta(seconds=by))
    assert not clocks.is_own_wrong
    assert clocks.limit == min(own, own + timedelta(seconds=by)) + timedelta(minutes=1)


def test_clocks_at_the_end_of_time_have_a_limit() -> None:
    end = datetime.max.replace(tzinfo=UTC)
    assert Clocks(end).limit == end


def test_copies_and_archives_with_times_that_lie_ahead_are_told_of(
    database_url: str, sqlite_places: SqlitePlaces, warnings: list[str], tmp_path_factory: pytest.TempPathFactory
) -> None:
    with Catalog.open(database_url) as catalog, sqlite_places.catalog() as url, Catalog.open(url) as copy:
        for number in range(7):
            with clock_ahead(YEARS):
                catalog.save(f"n{number}", make_workload(1))
        warnings.clear()
        copy_catalog(catalog, copy)
        assert [line[:2] for line in warnings] == ["n0", "n1", "n2", "n3", "n4", "Mo"]
        archive = tmp_path_factory.mktemp("archive") / "archive.jsonl"
        archive.write_bytes(archive_of(catalog))
        assert [line[:2] for line in all_clock_warnings(copy.database)] == [f"n{number}" for number in range(7)]
    said = run_at(timedelta(0), database_url, "verify", str(archive))
    assert said.exit_code == 0 and len(said.err.splitlines()) == 7
    assert "n6@1 is recorded at " in said.err


def test_saving_to_a_frozen_name_of_an_older_release(database_url: str) -> None:
    """There, whatever was saved after a wrong clock got its time, twice."""
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", WORKLOADS[1])
        with clock_ahead(YEARS):
            wrong = catalog.save("fleet", WORKLOADS[2])
            catalog.save("fleet", WORKLOADS[3], effective_from=wrong.effective_from)
        assert catalog.load("fleet") == WORKLOADS[1]
        catalog.save("fleet", WORKLOADS[4])
        assert catalog.load("fleet") == WORKLOADS[4]
        (line,) = clock_warnings(catalog.database, ["fleet"])
        assert "fleet@3 comes into force" in line and "in place of fleet@4" in line


def test_json_stays_json_where_something_is_told(database_url: str) -> None:
    with Catalog.open(database_url) as catalog, clock_ahead(HOUR):
        catalog.save("fleet", make_workload(1, model_label=make_spec().model_label))
    said = run_at(timedelta(0), database_url, "show", "fleet@latest", "--format", "json")
    assert json.loads(said.out)["in_force_number"] is None
    assert "comes into force" in said.err


@pytest.mark.parametrize("ahead", [timedelta(seconds=8), HOUR, YEARS])
def test_a_name_that_was_changed_ahead_of_time_is_that_of_who_took_it_then(catalog: Catalog, ahead: timedelta) -> None:
    catalog.save("a", WORKLOADS[1])
    before = datetime.now(UTC)
    with clock_ahead(ahead):
        catalog.rename("a", "b")
    catalog.save("a", WORKLOADS[2])
    with pytest.MonkeyPatch.context() as patch:
        for later in (timedelta(0), ahead / 2, ahead * 1.01):  # Also when its time has come.
            patch.setattr(clock, "now", lambda later=later: datetime.now(UTC) + later)
            assert catalog.load("a", known_at=clock.now()) == WORKLOADS[2]
            assert catalog.load("b", known_at=clock.now()) == WORKLOADS[1]
    assert catalog.load("a", known_at=before) == WORKLOADS[1]
    assert catalog.load("a") == WORKLOADS[2]
    assert verify_database(catalog.database) == []


def test_a_name_that_another_had_until_a_time_ahead_is_not_given_by_a_change(catalog: Catalog) -> None:
    catalog.save("a", WORKLOADS[1])
    catalog.save("c", WORKLOADS[2])
    with clock_ahead(HOUR):
        catalog.rename("a", "b")
    with pytest.raises(InvalidRevisionError, match=r"name 'a' was another's until .* ahead of the clock"):
        catalog.rename("c", "a")
    assert catalog.list_names() == ["b", "c"]
