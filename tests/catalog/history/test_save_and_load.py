"""Saving makes revisions: dense numbers, nothing overwritten, content stored once, all or nothing."""

import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from openg2g.catalog import Catalog, InvalidRevisionError, Revision, RevisionDraft
from openg2g.catalog.history import content
from openg2g.catalog.history.writer import DRAFTS_PER_BLOCK
from openg2g.catalog.schema.metadata import CATALOG_TABLES
from openg2g.models import LLMInferenceWorkload
from openg2g.models.digest import workload_digest
from tests.builders import make_draft, make_spec, make_workload, published_fleet
from tests.catalog.plain_sql import PlainSql

MARCH = datetime(2026, 3, 1, 12, tzinfo=UTC)


NOT_STORABLE: list[tuple[dict[str, Any], str]] = [
    ({"name": ""}, "name must be a non-empty string, got ''"),
    ({"name": "a b"}, "name must not contain white space"),
    ({"name": "a@3"}, r"name must not contain white space, control characters or any of @ : \* \? \["),
    ({"name": "-f"}, "name must not start with '-'"),
    ({"name": "x" * 201}, "name must have at most 200 characters, got 201"),
    ({"workload": "fleet.json"}, "workload must be an LLMInferenceWorkload, got 'fleet.json'"),
    ({"message": 7}, "message must be a string, got 7"),
    ({"author": " "}, "author must not be blank"),
    ({"author": "a\0b"}, "author must be valid Unicode without NUL"),
    ({"source": "\ud800"}, "source must be valid Unicode without NUL"),
    ({"effective_from": "March"}, "effective_from: 'March' is no time"),
    ({"effective_from": datetime(2026, 3, 1)}, "effective_from must say its offset from UTC, got 2026-03-01T00:00"),
    ({"annotations": [1]}, r"annotations must be a JSON object, got \[1\]"),
    ({"annotations": {"a": float("nan")}}, r"annotations\.a must be finite, got nan"),
    ({"annotations": {"a": [{1, 2}]}}, r"annotations\.a\[0\] must be a JSON value"),
    ({"annotations": {"a": {1: 2}}}, r"annotations\.a must have strings as keys, got 1"),
    ({"annotations": {"a": "\0"}}, r"annotations\.a must be valid Unicode without NUL"),
]


def test_a_revision_says_everything_that_was_given(catalog: Catalog) -> None:
    before = datetime.now(UTC)
    revision = catalog.save(
        "fleet",
        published_fleet(),
        message="first plan",
        author="Ada",
        effective_from=MARCH,
        source="fleet.json",
        annotations={"site": "A"},
    )
    assert before <= revision.recorded_at <= datetime.now(UTC)
    assert revision == Revision(
        name="fleet",
        number=1,
        workload=published_fleet(),
        digest=workload_digest(published_fleet()),
        recorded_at=revision.recorded_at,
        effective_from=MARCH,
        author="Ada",
        message="first plan",
        source="fleet.json",
        annotations={"site": "A"},
    )
    assert (revision.is_new, revision.reference) == (True, "fleet@1")
    assert catalog.get("fleet") == revision
    assert catalog.load("fleet") == published_fleet()


def test_what_is_not_given_has_a_default(catalog: Catalog) -> None:
    revision = catalog.save("fleet", make_workload())
    assert revision.effective_from == revision.recorded_at
    assert (revision.message, revision.source, revision.annotations) == ("", "", {})
    assert revision.author == "Test Author <test@example.org>"  # The git identity.
    assert catalog.get("fleet") == revision


def test_an_author_without_a_git_identity_is_the_login_name(database_url: str) -> None:
    program = (
        "import sys; from openg2g.catalog import Catalog; from tests.builders import make_workload\n"
        "with Catalog.open(sys.argv[1]) as catalog: print(catalog.save('fleet', make_workload()).author)"
    )
    result = subprocess.run(
        [sys.executable, "-c", program, database_url],
        env={"PATH": "/nowhere", "LOGNAME": "ada"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("ada\n", "")


def test_a_time_with_another_offset_is_kept_as_the_same_instant(catalog: Catalog) -> None:
    revision = catalog.save("fleet", make_workload(), effective_from=MARCH.astimezone(timezone(timedelta(hours=9))))
    assert revision.effective_from == catalog.get("fleet").effective_from == MARCH
    assert catalog.get("fleet").effective_from.utcoffset() == timedelta(0)
    assert catalog.get("fleet").recorded_at.utcoffset() == timedelta(0)


@pytest.mark.parametrize("instant", [datetime.min, datetime.max])
def test_the_first_and_the_last_instant_that_there_is_can_be_stored(catalog: Catalog, instant: datetime) -> None:
    effective_from = instant.replace(tzinfo=UTC)
    catalog.save("fleet", make_workload(), effective_from=effective_from)
    assert catalog.get("fleet@latest").effective_from == effective_from


def test_saving_what_is_in_force_already_makes_no_revision(catalog: Catalog) -> None:
    first = catalog.save("fleet", make_workload(), message="first", author="Ada", annotations={"a": 1, "b": [1.5]})
    again = catalog.save("fleet", make_workload(), message="again", author="Bob", annotations={"b": [1.5], "a": 1})
    assert (again, again.is_new) == (first, False)
    assert (again.message, again.author, again.recorded_at) == ("first", "Ada", first.recorded_at)
    assert catalog.history("fleet") == [first]


def test_only_the_latest_revision_counts_as_already_saved(catalog: Catalog) -> None:
    for workload in (make_workload(1), make_workload(2), make_workload(1)):
        assert catalog.save("fleet", workload).is_new
    assert [revision.workload for revision in catalog.history("fleet")] == [
        make_workload(1),
        make_workload(2),
        make_workload(1),
    ]


def test_other_annotations_make_a_new_revision(catalog: Catalog) -> None:
    # Python takes 1, 1.0 and True for equal; a JSON file does not.
    variants: list[dict[str, Any]] = [{}, {"a": 1}, {"a": 1.0}, {"a": True}, {"a": "1"}, {"a": None}, {"a": [1]}, {}]
    numbers = [catalog.save("fleet", make_workload(), annotations=about).number for about in variants]
    assert numbers == list(range(1, 9))
    stored = [revision.annotations for revision in catalog.history("fleet")]
    assert [repr(about) for about in stored] == [repr(about) for about in variants]


def test_another_time_that_was_given_makes_a_new_revision(catalog: Catalog) -> None:
    first = catalog.save("fleet", make_workload(), effective_from=MARCH)
    assert not catalog.save("fleet", make_workload(), effective_from=MARCH).is_new
    assert not catalog.save("fleet", make_workload()).is_new  # No time was stated, so there is no other one.
    second = catalog.save("fleet", make_workload(), effective_from=MARCH - timedelta(microseconds=1))
    assert (first.number, second.number, second.is_new) == (1, 2, True)
    assert catalog.get("fleet@2").effective_from == MARCH - timedelta(microseconds=1)


def test_the_order_of_models_and_of_batch_sizes_makes_another_workload(catalog: Catalog) -> None:
    forwards = make_workload(2)
    backwards = LLMInferenceWorkload(forwards.models[::-1])
    assert catalog.save("fleet", forwards).digest != catalog.save("fleet", backwards).digest
    catalog.save("sizes", make_workload(1, feasible_batch_sizes=(8, 16)))
    assert catalog.save("sizes", make_workload(1, feasible_batch_sizes=(16, 8))).is_new
    assert catalog.load("fleet@1") == forwards and catalog.load("fleet@2") == backwards
    assert catalog.load("sizes").models[0].feasible_batch_sizes == (16, 8)


def test_numbers_are_dense_within_each_name(catalog: Catalog) -> None:
    for index in range(1, 7):
        for name in ("fleet", "other")[: 1 + index % 2]:
            catalog.save(name, make_workload(index))
    assert [revision.number for revision in catalog.history("fleet")] == [1, 2, 3, 4, 5, 6]
    assert [revision.number for revision in catalog.history("other")] == [1, 2, 3]


def test_content_is_stored_once(catalog: Catalog, plain_sql: PlainSql) -> None:
    shared = make_spec(model_label="shared", feasible_batch_sizes=(8, 16))
    for index in range(5):
        other = make_spec(model_label="other", num_replicas=index % 2, feasible_batch_sizes=(8, 16))
        workload = LLMInferenceWorkload((shared, other))
        catalog.save(f"name-{index}", workload)
        catalog.save("same", workload)
    assert catalog.count() == {"names": 6, "revisions": 10, "workloads": 2, "model_specs": 3}
    tables = ("batch_size_lists", "batch_sizes", "model_specs", "workloads", "workload_models", "names", "revisions")
    assert [plain_sql.count(table) for table in tables] == [1, 2, 3, 2, 4, 6, 10]


def test_save_many_returns_a_revision_for_each_draft_in_order(catalog: Catalog) -> None:
    catalog.save("b", make_workload(1))
    drafts = [make_draft(name, workload=make_workload(1)) for name in ("c", "b", "a")]
    assert [(entry.reference, entry.is_new) for entry in catalog.save_many(drafts)] == [
        ("c@1", True),
        ("b@1", False),
        ("a@1", True),
    ]
    assert catalog.save_many([]) == []


def test_several_drafts_of_one_name_in_one_call_become_its_next_revisions(catalog: Catalog) -> None:
    catalog.save("fleet", make_workload(1))
    sizes = [1, 2, 2, 3, 1, 1]
    saved = catalog.save_many(make_draft("fleet", workload=make_workload(size)) for size in sizes)
    assert [(entry.number, entry.is_new) for entry in saved] == [
        (1, False),
        (2, True),
        (2, False),
        (3, True),
        (4, True),
        (4, False),
    ]
    assert [len(entry.workload.models) for entry in catalog.history("fleet")] == [1, 2, 3, 1]


def sweep(count: int) -> Iterator[RevisionDraft]:
    """Drafts of which every tenth is about one name, and whose model specs repeat."""
    for index in range(count):
        name = "often" if index % 10 == 0 else f"sweep/{index:05}"
        specs = [make_spec(model_label=f"m{i}", num_replicas=index // 7**i % 7) for i in range(5)]
        yield RevisionDraft(name, LLMInferenceWorkload(tuple(specs)), annotations={"index": index})


def test_a_sweep_of_thousands_is_saved_in_blocks_and_comes_back(catalog: Catalog, plain_sql: PlainSql) -> None:
    count = 2 * DRAFTS_PER_BLOCK + 1_000
    saved = catalog.save_many(sweep(count))
    assert all(revision.is_new for revision in saved)
    specs = {spec for revision in saved for spec in revision.workload.models}
    assert catalog.count() == {
        "names": 1 + count * 9 // 10,
        "revisions": count,
        "workloads": count,
        "model_specs": len(specs),
    }
    assert [revision.number for revision in saved[::10]] == list(range(1, count // 10 + 1))
    latest = {revision.name: revision for revision in catalog.iter_in_force()}
    expected = {revision.name: revision for revision in saved}
    assert latest == expected
    assert catalog.history("often") == saved[::10]
    # Ids are dense and ascend in the order of saving, across blocks.
    for table in ("batch_size_lists", "model_specs", "workloads", "names"):
        assert plain_sql.run(f"SELECT min(id), max(id) - count(*) FROM {table}") == [(1, 0)]


def test_content_that_is_no_longer_remembered_is_found_again(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(content, "_CACHED_IDS", 3)
    monkeypatch.setattr(content, "_CACHED_SPECS", 3)
    workloads = [
        LLMInferenceWorkload((make_spec(feasible_batch_sizes=(1 + index % 20, 64)), make_spec(model_label=f"m{index}")))
        for index in range(40)
    ]
    with catalog.writing() as writer:
        for index, workload in enumerate(workloads):
            writer.append([make_draft(f"n{index:02}", workload=workload)])
    assert [revision.workload for revision in catalog.iter_in_force()] == workloads
    assert catalog.count()["model_specs"] == len({spec for workload in workloads for spec in workload.models}) == 60


@pytest.mark.parametrize("position", [0, 10, DRAFTS_PER_BLOCK + 10])
def test_save_many_saves_nothing_where_one_draft_is_invalid(
    catalog: Catalog, plain_sql: PlainSql, position: int
) -> None:
    catalog.save("fleet", make_workload())
    before = plain_sql.dump(CATALOG_TABLES)

    def drafts() -> Iterator[RevisionDraft]:
        for index, draft in enumerate(sweep(DRAFTS_PER_BLOCK + 20)):
            yield draft if index != position else RevisionDraft("not a name", draft.workload)

    with pytest.raises(InvalidRevisionError, match="name must not contain white space"):
        catalog.save_many(drafts())
    assert plain_sql.dump(CATALOG_TABLES) == before
    assert catalog.save("fleet", make_workload(3)).number == 2  # The lock is free again, and no id is lost.


def test_a_preview_shows_what_would_be_recorded_and_records_nothing(catalog: Catalog, plain_sql: PlainSql) -> None:
    catalog.save("fleet", make_workload(1))
    before = plain_sql.dump(CATALOG_TABLES)
    with catalog.previewing() as writer:
        entries = writer.append([make_draft("fleet", workload=make_workload(2)), make_draft("new")])
        assert [entry.reference for entry in entries] == ["fleet@2", "new@1"]
    assert plain_sql.dump(CATALOG_TABLES) == before


def test_what_cannot_be_stored_is_refused_before_the_database_sees_it(catalog: Catalog) -> None:
    for overrides, message in NOT_STORABLE:
        given: dict[str, Any] = {"name": "fleet", "workload": make_workload()} | overrides
        with pytest.raises(InvalidRevisionError, match=message):
            catalog.save(**given)
    assert catalog.list_names() == []


def test_a_revision_in_a_notebook_shows_hostile_text_as_text(catalog: Catalog) -> None:
    hostile = "<script>alert('\"&')</script>"
    workload = make_workload(1, model_label=hostile)
    catalog.save(hostile.replace(" ", ""), workload, author=hostile, message=hostile)
    revision = catalog.get(hostile)
    page = revision._repr_html_()
    assert "<script" not in page
    assert page.count("&lt;script&gt;alert(&#x27;&quot;&amp;&#x27;)&lt;/script&gt;") == 4
    assert "<b>&lt;script&gt;" in page and "400 GPUs" in page
    assert repr(hostile) in repr(revision)
