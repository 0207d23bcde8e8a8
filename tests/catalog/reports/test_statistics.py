"""Counts and GPU totals, held against Python's own `statistics` module."""

import statistics
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from fractions import Fraction
from typing import Any, Literal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openg2g.catalog import Catalog, EveryRevision, FilterError, GroupStatistics, Revision
from openg2g.catalog.history.when import NOW
from openg2g.catalog.reports.statistics import GROUPINGS, median
from openg2g.models.spec import MAX_TOTAL_GPUS, LLMInferenceWorkload
from tests.builders import make_draft, make_spec, make_workload
from tests.catalog.history.test_statements import count_statements
from tests.expressions.catalog_contents import Contents, contents

ALL = EveryRevision()
Item = tuple[str | None, str, int]


def of_size(total_gpus: int) -> LLMInferenceWorkload:
    return LLMInferenceWorkload((make_spec(num_replicas=total_gpus, gpus_per_replica=1),))


ITEMS: dict[Literal["model", "month", "author"] | None, Callable[[Revision, LLMInferenceWorkload], list[Item]]] = {
    None: lambda revision, workload: [(None, revision.digest, workload.total_gpus)],
    "model": lambda revision, workload: [
        (spec.model_label, revision.digest, spec.total_gpus) for spec in workload.models
    ],
    "month": lambda revision, workload: [
        (f"{revision.effective_from.year:04}-{revision.effective_from.month:02}", revision.digest, workload.total_gpus)
    ],
    "author": lambda revision, workload: [(revision.author, revision.digest, workload.total_gpus)],
}


def counted(revisions: Iterable[Revision], by: Any) -> list[GroupStatistics]:
    """Count in plain Python."""
    items = [item for revision in revisions if revision.workload for item in ITEMS[by](revision, revision.workload)]
    found = []
    for group in sorted({group for group, _, _ in items}, key=str):
        gpus = [size for other, _, size in items if other == group]
        digests = {digest for other, digest, _ in items if other == group}
        middle = statistics.median(map(Fraction, gpus))
        exact = int(middle) if middle.denominator == 1 else float(middle)
        found.append(GroupStatistics(group, len(gpus), len(digests), sum(gpus), min(gpus), exact, max(gpus)))
    return found


def test_statistics_count_what_is_in_force_now(catalog: Catalog) -> None:
    for name, sizes in (("a", (5, 10)), ("b", (20,)), ("c", (20,)), ("d", (1,)), ("gone", (7,))):
        for size in sizes:
            catalog.save(name, of_size(size))
    catalog.retire("gone")
    assert catalog.statistics() == [GroupStatistics(None, 4, 3, 51, 1, 15, 20)]
    assert catalog.statistics(when=ALL) == [GroupStatistics(None, 6, 5, 63, 1, 8.5, 20)]
    assert catalog.statistics("total_gpus < limit", {"limit": 20}) == [GroupStatistics(None, 2, 2, 11, 1, 5.5, 10)]


def test_nothing_is_one_row_without_numbers_and_no_group(catalog: Catalog) -> None:
    catalog.save("fleet", make_workload())
    assert catalog.statistics("False") == [GroupStatistics(None, 0, 0, 0, None, None, None)]
    assert all(catalog.statistics("False", by=by) == [] for by in GROUPINGS)


def test_the_gpus_of_a_model_are_its_own(catalog: Catalog) -> None:
    large, small = make_spec(model_label="large", num_replicas=9), make_spec(model_label="small", num_replicas=1)
    catalog.save("both", LLMInferenceWorkload((large, small)))
    catalog.save("one", LLMInferenceWorkload((small,)))
    catalog.save("same", LLMInferenceWorkload((small,)))
    assert catalog.statistics(by="model") == [
        GroupStatistics("large", 1, 1, 36, 36, 36, 36),
        GroupStatistics("small", 3, 2, 12, 4, 4, 4),
    ]
    assert [group.group for group in catalog.statistics("name != 'both'", by="model")] == ["small"]


def test_a_month_is_that_of_the_effective_time_in_utc(catalog: Catalog) -> None:
    times = (
        "2026-04-01T00:30:00+01:00",
        "2026-04-01T00:00:00+00:00",
        "0001-01-01T00:00:00+00:00",
        "9999-12-31T23:59:59+00:00",
    )
    for time in times:
        catalog.save("fleet", make_workload(1), effective_from=datetime.fromisoformat(time))
    groups = catalog.statistics(when=ALL, by="month")
    assert [group.group for group in groups] == ["0001-01", "2026-03", "2026-04", "9999-12"]
    assert {group.num_revisions for group in groups} == {1}


def test_groups_come_in_code_point_order(catalog: Catalog) -> None:
    authors = ["z", "Ä", "a", "Z", "通", "É", "é", "🚀", "\uffee", "10", "9"]
    for author in authors:
        catalog.save("fleet", make_workload(1), author=author, effective_from=datetime(2026, 1, 1, tzinfo=UTC))
        catalog.save("fleet", make_workload(2), author=author, effective_from=datetime(2026, 1, 1, tzinfo=UTC))
    assert [group.group for group in catalog.statistics(when=ALL, by="author")] == sorted(authors)


def test_totals_beyond_what_sql_counts_are_exact(catalog: Catalog) -> None:
    huge = make_spec(num_replicas=2**31 - 1, gpus_per_replica=2**31 - 1)
    odd = make_spec(num_replicas=2**31 - 1, gpus_per_replica=2**31 - 3)
    for index, spec in enumerate((huge, huge, odd, odd)):
        catalog.save(f"name-{index}", LLMInferenceWorkload((spec,)))
    (everything,) = catalog.statistics()
    assert everything.total_gpus == 2 * huge.total_gpus + 2 * odd.total_gpus > MAX_TOTAL_GPUS
    assert everything.median_gpus == (huge.total_gpus + odd.total_gpus) // 2
    assert type(everything.median_gpus) is int


@given(contents())
@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_statistics_are_those_of_plain_python(catalog: Catalog, drawn: Contents) -> None:
    catalog.save_many(drawn.drafts)  # On top of what the examples before have left there.
    for when, condition in ((NOW, "True"), (ALL, "True"), (ALL, "total_gpus > 360 and num_models < 3")):
        condition = condition.replace("num_models", "len(models)")
        hits = list(catalog.search(condition, when=when))
        for by in (None, *GROUPINGS):
            nothing = [GroupStatistics(None, 0, 0, 0, None, None, None)] if by is None else []
            assert catalog.statistics(condition, when=when, by=by) == (counted(hits, by) or nothing)


@given(st.lists(st.integers(0, 2**50), min_size=1).map(sorted))
def test_the_median_is_that_of_the_statistics_module(values: list[int]) -> None:
    assert median(values) == statistics.median(values)


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ({"expression": "total_gpu > 3"}, r"column 1: unknown name 'total_gpu'\. Did you mean total_gpus\?"),
        ({"expression": "total_gpus"}, "a condition is needed here"),
        ({"by": "day"}, r"'day' is nothing to group by\. Group by model, month, author\."),
        ({"by": ""}, "is nothing to group by"),
    ],
)
def test_what_cannot_be_counted_is_refused(catalog: Catalog, arguments: dict[str, Any], match: str) -> None:
    with pytest.raises(FilterError, match=match):
        catalog.statistics(**arguments)


@pytest.mark.parametrize("by", [None, *GROUPINGS])
def test_many_workloads_take_as_many_statements_as_one(database_url: str, by: Any) -> None:
    def count(condition: str, found: int) -> int:
        with Catalog.open(database_url) as catalog:
            assert sum(group.num_revisions for group in catalog.statistics(condition, by=by)) == found
        return count_statements(database_url, lambda catalog: catalog.statistics(condition, by=by))

    with Catalog.open(database_url) as catalog:
        catalog.save("one", of_size(1))
        catalog.save_many(make_draft(f"name-{size}", workload=of_size(size)) for size in range(100, 700))
    assert count("name == 'one'", 1) == count("name != 'one'", 600) <= 3
