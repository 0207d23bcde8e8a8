"""What reading and saving costs: so many statements, whatever the size, and no table read from end to end."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import event

from openg2g.catalog import Catalog
from tests.builders import make_draft, make_workload
from tests.catalog.plain_sql import PlainSql

Statement = tuple[str, Any]

EXPLAIN = {"sqlite": "EXPLAIN QUERY PLAN ", "postgresql": "EXPLAIN "}
"""What an engine's plan is asked for with."""

PAST = datetime(2026, 1, 1, tzinfo=UTC)


@contextmanager
def recording(catalog: Catalog) -> Iterator[list[Statement]]:
    """Note every statement that the catalog sends, with its values."""
    statements: list[Statement] = []

    def note(connection: object, cursor: object, statement: str, values: object, *_: object) -> None:
        statements.append((statement, values))

    engine = catalog.database.engine
    event.listen(engine, "before_cursor_execute", note)
    yield statements
    event.remove(engine, "before_cursor_execute", note)


def count_statements(database_url: str, use: Callable[[Catalog], object]) -> int:
    """Count the statements of one use of a catalog that was opened for it: nothing is in its memory yet."""
    with Catalog.open(database_url) as catalog, recording(catalog) as statements:
        use(catalog)
    return len(statements)


def engine_of(database_url: str) -> str:
    return "postgresql" if database_url.startswith("postgresql") else "sqlite"


@pytest.fixture(scope="module")
def filled_url(shared_database_url: str) -> str:
    """Give the place of a catalog with thousands of names, workloads and specs, and one long history."""
    with Catalog.open(shared_database_url) as catalog:
        catalog.save_many(
            make_draft(f"name-{index:05}", workload=make_workload(1, feasible_batch_sizes=(1 + index, 2)))
            for index in range(3_000)
        )
        catalog.save_many(
            make_draft("long", workload=make_workload(1 + index % 2, num_replicas=index)) for index in range(1_000)
        )
        catalog.save("small", make_workload(1))
        catalog.save("large", make_workload(40))
        catalog.save("short", make_workload(1))
        for index in range(40):
            catalog.save("some", make_workload(1, num_replicas=index))
    with PlainSql(shared_database_url) as sql:
        sql.run("ANALYZE")
    return shared_database_url


@pytest.mark.parametrize(("find", "count"), [(Catalog.load, 2), (Catalog.get, 3), (Catalog.history, 3)])
def test_a_workload_of_many_models_takes_as_many_statements_as_one_of_one(
    filled_url: str, find: Callable[[Catalog, str], object], count: int
) -> None:
    small, large = (count_statements(filled_url, lambda c, name=name: find(c, name)) for name in ("small", "large"))
    assert (small, large) == (count, count)


def test_a_long_history_takes_as_many_statements_as_a_short_one(filled_url: str) -> None:
    short, some = (count_statements(filled_url, lambda c, name=name: c.history(name)) for name in ("short", "some"))
    assert (short, some) == (3, 3)
    assert count_statements(filled_url, lambda c: c.load("long")) == count_statements(
        filled_url, lambda c: c.load("short")
    )


def test_the_latest_of_many_names_take_as_many_statements_as_that_of_one(filled_url: str) -> None:
    one, many = (count_statements(filled_url, lambda c, p=p: list(c.iter_in_force(p))) for p in ("long", "name-000*"))
    assert (one, many) == (4, 4)


def test_a_bare_name_is_one_question_as_a_number_is(filled_url: str) -> None:
    bare, numbered = (count_statements(filled_url, lambda c, r=r: c.load(r)) for r in ("long", "long@700"))
    assert bare == numbered == 2  # The ids of its models, and these.


def test_a_save_with_a_time_takes_one_statement_more_at_the_most(database_url: str) -> None:
    def save(number: int, effective_from: datetime | None) -> int:
        workload = make_workload(1, num_replicas=number)
        return count_statements(database_url, lambda c: c.save("one", workload, effective_from=effective_from))

    new = save(1, None)
    without, again, past = save(2, None), save(2, None), save(3, PAST)
    counted = {"sqlite": (6, 5, 4, 6), "postgresql": (13, 9, 4, 10)}
    assert (new, without, again, past) == counted[engine_of(database_url)]


def test_listing_takes_one_statement(filled_url: str) -> None:
    for pattern, found in (("*", 3_005), ("name-000*", 100), ("zzz*", 0)):
        with Catalog.open(filled_url) as catalog, recording(catalog) as statements:
            assert len(catalog.list_names(pattern)) == found
        assert len(statements) == 1


def test_a_pattern_with_a_beginning_reads_only_the_names_that_begin_so(filled_url: str) -> None:
    with Catalog.open(filled_url) as catalog, recording(catalog) as statements:
        catalog.list_names("name-000*")
        assert_no_full_scan(catalog, statements)


def test_saving_takes_as_many_statements_for_many_models_and_for_a_long_history(database_url: str) -> None:
    def save(name: str, num_models: int, first: int) -> int:
        workload = make_workload(num_models, initial_batch_size=first)
        return count_statements(database_url, lambda catalog: catalog.save(name, workload))

    save("first", 1, 999)  # The list of batch sizes is there from now on.
    new = [save("one", 1, 1), save("many", 40, 2)]
    for size in range(3, 40):
        save("long", 1, size)
    later = [save("one", 1, 50), save("many", 40, 51), save("long", 1, 52)]
    counted = {"sqlite": (6, 5), "postgresql": (11, 9)}
    for_new, for_later = counted[engine_of(database_url)]
    assert (new, later) == ([for_new] * 2, [for_later] * 3)


def test_saving_many_takes_no_more_statements_than_saving_one(database_url: str) -> None:
    one = count_statements(database_url, lambda catalog: catalog.save("one", make_workload()))
    drafts = [make_draft(f"name-{i}", workload=make_workload(1, feasible_batch_sizes=(1 + i,))) for i in range(400)]
    counted = {"sqlite": (6, 6), "postgresql": (13, 6)}
    many = count_statements(database_url, lambda catalog: catalog.save_many(drafts))
    assert (one, many) == counted[engine_of(database_url)]


@pytest.mark.parametrize(
    "use",
    [
        pytest.param(lambda catalog: catalog.load("name-00299"), id="name"),
        pytest.param(lambda catalog: catalog.load("long"), id="name with a long history"),
        pytest.param(lambda catalog: catalog.load("long@700"), id="number"),
        pytest.param(lambda catalog: catalog.load(catalog.get("name-00299").digest), id="digest"),
        pytest.param(lambda catalog: catalog.load(catalog.get("name-00299").digest[:15]), id="digest prefix"),
        pytest.param(lambda catalog: catalog.history("name-00299"), id="history"),
        pytest.param(lambda catalog: list(catalog.iter_in_force("name-0000?")), id="in force"),
        pytest.param(lambda catalog: list(catalog.iter_latest("name-0000?")), id="latest"),
        pytest.param(lambda catalog: list(catalog.iter_in_force("some", as_of=PAST)), id="in force then"),
        pytest.param(
            lambda catalog: catalog.save("some", make_workload(1, num_replicas=5), effective_from=PAST), id="save then"
        ),
        pytest.param(lambda catalog: catalog.save("long", make_workload(2, num_replicas=999)), id="save unchanged"),
        pytest.param(
            lambda catalog: catalog.save("some", make_workload(3, feasible_batch_sizes=(7, 7))), id="save new"
        ),
    ],
)
def test_nothing_reads_a_whole_table_to_find_one_row(filled_url: str, use: Callable[[Catalog], object]) -> None:
    with Catalog.open(filled_url) as catalog:
        with recording(catalog) as statements:
            use(catalog)
        assert_no_full_scan(catalog, statements)


def assert_no_full_scan(catalog: Catalog, statements: list[Statement]) -> None:
    queries = [(text, values) for text, values in statements if text.lstrip().startswith("SELECT")]
    assert queries
    for text, values in queries:
        with catalog.database.reading() as connection:
            explained = EXPLAIN[connection.dialect.name] + text
            plan = "\n".join(str(row[-1]) for row in connection.exec_driver_sql(explained, values))
        # The row that writers lock is the only one of its table, which is read as a whole; json_each is a parameter.
        scans = re.findall(r"^ *SCAN (?!CONSTANT ROW|json_each)|Seq Scan on (?!catalog_info)", plan, re.MULTILINE)
        assert not scans, f"{text}\n{plan}"
