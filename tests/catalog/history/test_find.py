"""Finding again what was saved: by name, number, digest and pattern, the same on both engines."""

import fnmatch
from itertools import count

import pytest

from openg2g.catalog import (
    AmbiguousReferenceError,
    Catalog,
    DamagedCatalogError,
    InvalidReferenceError,
    InvalidRevisionError,
    WorkloadNotFoundError,
)
from openg2g.catalog.history import listing, log
from openg2g.models.digest import workload_digest
from tests.builders import make_draft, make_workload
from tests.catalog.plain_sql import PlainSql
from tests.catalog.schema.rows import row_of

NAMES = (
    "10",
    "9",
    "A",
    "Z",
    "a",
    "a%b",
    "a-b",
    "a.b",
    "a/b/c",
    "a\\b",
    "aXb",
    "a]b",
    "a_b",
    "axb",
    "e\u0301",
    "z",
    "Ä",
    "ß",
    "ä",
    "é",
    "İ",
    "ı",
    "通义",
    "שלום",
    "\uffee",
    "🚀",
)
PATTERNS = (
    *("*", "", "a", "a*", "A*", "a%b", "a%*", "a_b", "a_*", "a?b", "?", "??", "[a-z]*", "[!a]*", "*b", "*/*", "a["),
    *("a\\*", "ä*", "é", "e*", "通*", "🚀", "*🚀", "'", "a'; --"),
)
NO_REFERENCES = (
    ("", "name must be a non-empty string"),
    ("@3", "name must be a non-empty string"),
    ("a b", "name must not contain white space"),
    ("a*", "name must not contain"),
    ("a\0", "name must not contain"),
    ("x" * 201, "name must have at most 200 characters"),
    ("fleet@", "alias must be a non-empty string"),
    ("fleet@0", "a revision is 1, 2, … or, counted back, -1, -2, …, got 0."),
    ("fleet@01", "a revision is 1, 2, … or, counted back, -1, -2, …, got 01."),
    ("fleet@+1", "a revision is 1, 2, … or, counted back"),
    ("fleet@1.0", "alias must not begin like a number or a date"),
    ("fleet@" + "9" * 19, "a revision is 1, 2, … or, counted back"),
    ("fleet@-0", "a revision is 1, 2, … or, counted back"),
    ("fleet@1@2", "alias must not contain"),
    ("fleet@2026-13-01", "'2026-13-01' is no time"),
    ("fleet@2026-03-01T12:00", "does not say its zone. Write 2026-03-01T12:00Z for UTC"),
    ("sha256:", "takes 4 to 64 hexadecimal digits"),
    ("sha256:abc", "takes 4 to 64 hexadecimal digits"),
    ("sha256:ghij", "takes 4 to 64 hexadecimal digits"),
    ("sha256:" + "a" * 65, "takes 4 to 64 hexadecimal digits"),
    ("sha512:abcd", "name must not contain"),
)


def test_a_name_means_its_latest_revision_and_a_number_means_that_one(catalog: Catalog) -> None:
    for size in range(1, 13):
        catalog.save("fleet", make_workload(size), message=f"plan {size}")
        catalog.save("other", make_workload(1))
    assert catalog.get("fleet").number == 12
    for number in range(1, 13):
        revision = catalog.get(f"fleet@{number}")
        assert (revision.number, revision.message) == (number, f"plan {number}")
        assert catalog.load(f"fleet@{number}") == make_workload(number)


def test_names_that_look_alike_are_different_names(catalog: Catalog) -> None:
    for size, name in enumerate(NAMES, 1):
        catalog.save(name, make_workload(size))
    for size, name in enumerate(NAMES, 1):
        assert catalog.load(name) == make_workload(size)
        assert len(catalog.history(name)) == 1


def test_a_digest_means_its_workload_by_any_unique_prefix(catalog: Catalog) -> None:
    digest = catalog.save("fleet", make_workload(1)).digest
    catalog.save("other", make_workload(2))
    prefixes = [digest[:length] for length in range(len("sha256:") + 4, len(digest) + 1)]
    assert {"0", "f"} <= set(digest[11:])  # Both ends of the range of what may follow a prefix are met.
    assert [catalog.get(prefix).reference for prefix in prefixes] == ["fleet@1"] * 61
    assert catalog.load(digest[:7] + digest[7:].upper()) == make_workload(1)
    assert catalog.load(digest[:7] + digest[7:13].upper()) == make_workload(1)


def test_a_digest_means_the_revision_that_recorded_its_workload_last(catalog: Catalog) -> None:
    for name, size in (("b", 1), ("a", 1), ("b", 2), ("c", 1), ("c", 3)):
        digest = catalog.save(name, make_workload(size)).digest
    digest = workload_digest(make_workload(1))
    assert catalog.get(digest).reference == "c@1"
    catalog.save("b", make_workload(1))
    assert catalog.get(digest).reference == "b@3"


def test_a_digest_prefix_that_fits_two_workloads_is_ambiguous(catalog: Catalog) -> None:
    by_prefix: dict[str, int] = {}
    for size in count(1):
        digest = workload_digest(make_workload(1, initial_batch_size=size))
        other = by_prefix.setdefault(digest[:11], size)
        if other != size:
            break
    drafts = [make_draft(f"fleet-{one}", workload=make_workload(1, initial_batch_size=one)) for one in (other, size)]
    digests = sorted(revision.digest for revision in catalog.save_many(drafts))
    with pytest.raises(
        AmbiguousReferenceError, match=r"fits several workloads; write more of the digest: sha256:"
    ) as caught:
        catalog.load(digests[0][:11])
    assert caught.value.reference == digests[0][:11]
    assert list(caught.value.candidates) == digests
    assert {catalog.get(digest).digest for digest in digests} == set(digests)


def test_an_unknown_name_comes_with_names_that_look_like_it(catalog: Catalog) -> None:
    catalog.save_many([make_draft(name) for name in ("fleet", "fleet-2026", "unlike")])
    for find in (catalog.load, catalog.get, catalog.history):
        with pytest.raises(WorkloadNotFoundError, match=r"flet: no workload has this name\.") as caught:
            find("flet")
        assert caught.value.reference == "flet"
    with pytest.raises(WorkloadNotFoundError, match=r"Did you mean fleet\?") as caught:
        catalog.load("flet")
    assert caught.value.close_matches == ("fleet",)
    with pytest.raises(WorkloadNotFoundError, match=r"zzz: no workload has this name\.$") as caught:
        catalog.load("zzz")
    assert caught.value.close_matches == ()
    assert issubclass(WorkloadNotFoundError, LookupError)


def test_an_unknown_number_comes_with_those_that_there_are(catalog: Catalog) -> None:
    catalog.save("fleet", make_workload(1))
    catalog.save("fleet", make_workload(2))
    for number in (3, 10**17):
        with pytest.raises(WorkloadNotFoundError, match=rf"^fleet@{number}: the name has revisions 1 to 2\.$"):
            catalog.load(f"fleet@{number}")
    with pytest.raises(WorkloadNotFoundError, match=r"^flet@1: no workload has this name\. Did you mean fleet\?$"):
        catalog.load("flet@1")


def test_an_unknown_digest_is_not_found(catalog: Catalog) -> None:
    catalog.save("fleet", make_workload())
    with pytest.raises(WorkloadNotFoundError, match="no workload has a digest that begins so"):
        catalog.load("sha256:" + "0" * 64)


def test_a_text_that_is_no_reference_is_refused_with_the_rule(catalog: Catalog) -> None:
    for text, message in NO_REFERENCES:
        for find in (catalog.load, catalog.get):
            with pytest.raises(InvalidReferenceError, match=message):
                find(text)


def test_the_history_of_a_name_begins_with_its_first_revision(catalog: Catalog) -> None:
    saved = [catalog.save("fleet", make_workload(size)) for size in range(1, 6)]
    catalog.save("other", make_workload(7))
    assert catalog.history("fleet") == saved
    assert [revision.is_new for revision in catalog.history("fleet")] == [False] * 5
    with pytest.raises(InvalidRevisionError, match="name must not contain"):
        catalog.history("fleet@1")


def test_names_are_listed_in_code_point_order(catalog: Catalog) -> None:
    catalog.save_many([make_draft(name) for name in reversed(NAMES)])
    assert catalog.list_names() == sorted(NAMES)


def test_a_pattern_lists_the_names_that_a_shell_would(catalog: Catalog) -> None:
    catalog.save_many([make_draft(name) for name in NAMES])
    listed = {pattern: catalog.list_names(pattern) for pattern in PATTERNS}
    assert listed == {pattern: fnmatch.filter(sorted(NAMES), pattern) for pattern in PATTERNS}
    assert (listed["a_b"], listed["a%*"]) == (["a_b"], ["a%b"])  # They mean nothing to a shell, but much to SQL.


def test_an_empty_catalog_lists_nothing(catalog: Catalog) -> None:
    assert (catalog.list_names(), list(catalog.iter_in_force())) == ([], [])
    assert catalog.count() == {"names": 0, "revisions": 0, "workloads": 0, "model_specs": 0}


def test_the_latest_revisions_come_in_the_order_of_the_names(catalog: Catalog) -> None:
    names = [f"name-{index:04}" for index in range(1_100)]  # More than two rounds of statements.
    catalog.save_many([make_draft(name, workload=make_workload(1)) for name in reversed(names)])
    catalog.save_many([make_draft(name, workload=make_workload(2)) for name in names[::3]])
    latest = list(catalog.iter_in_force())
    assert [revision.name for revision in latest] == names
    assert [revision.number for revision in latest] == [2 if index % 3 == 0 else 1 for index in range(1_100)]
    assert [len(revision.workload.models) for revision in latest if revision.workload] == [
        revision.number for revision in latest
    ]
    assert list(catalog.iter_in_force("name-10*")) == latest[1_000:]
    assert list(catalog.iter_in_force("nobody")) == []


def test_names_that_are_read_in_pages_come_all_and_once(catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_NAMES_PER_BLOCK", 2)
    monkeypatch.setattr(log, "_REVISIONS_PER_BLOCK", 2)
    catalog.save_many([make_draft(name) for name in NAMES])
    found = {pattern: [revision.name for revision in catalog.iter_in_force(pattern)] for pattern in PATTERNS}
    assert found == {pattern: fnmatch.filter(sorted(NAMES), pattern) for pattern in PATTERNS}


def test_a_catalog_that_is_open_sees_what_another_one_saves(catalog: Catalog, database_url: str) -> None:
    with Catalog.open(database_url) as other:
        assert other.list_names() == []
        for size in (1, 2):
            catalog.save("fleet", make_workload(size))
            assert other.get("fleet").number == size
            assert other.load("fleet") == make_workload(size)


def test_a_workload_without_its_models_is_reported_as_damage(catalog: Catalog, plain_sql: PlainSql) -> None:
    when = "2026-03-01T12:00:00.000000Z"
    plain_sql.insert("workloads", **row_of("workloads", id=1))
    plain_sql.insert("names", id=1, name="fleet", created_at=when, checksum=0)
    plain_sql.run(f"INSERT INTO revisions VALUES (1, 1, 1, '{when}', '{when}', '', '', '', '{{}}', 0)")
    with pytest.raises(
        DamagedCatalogError, match="a stored workload is not valid: LLMInferenceWorkload requires at least"
    ):
        catalog.load("fleet")
