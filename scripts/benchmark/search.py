"""Searches, each beside SQL that somebody wrote by hand for it."""

import math
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, event

from benchmark import sql as by_hand
from benchmark.data import RARE_DEADLINE_S, RARE_LABEL, gather_statistics, places
from benchmark.ratio import Row
from openg2g.catalog import Catalog, EveryRevision
from openg2g.catalog.engine.unprepared import execute_unprepared
from openg2g.catalog.history.log import LogFilter, log_query
from openg2g.catalog.history.when import NOW, When
from openg2g.catalog.search.order import SearchOrder
from openg2g.catalog.search.plan import SearchPlan, choose_lead
from openg2g.catalog.search.scope import ResolvedScope
from openg2g.catalog.search.search import SearchPage
from openg2g.expressions.facts import with_facts
from openg2g.expressions.read import read_condition

ROUNDS = 5
_ROUND_S = 0.03
_LIMIT = by_hand.LIMIT - 1
_HITS = 20
_MOST = 1.5
_IN_THE_TABLE = ("any deadline, 20 hits", "label, 20 hits", "range of totals, half")

_TOTAL_AND_A_MODEL = (
    "total_gpus < x and any(m.model_label == 'Llama-3.1-70B' and m.itl_deadline_s < y "
    "and 256 in m.feasible_batch_sizes for m in models)"
)


@dataclass(frozen=True)
class Question:
    """A search.

    Attributes:
        title: What the table calls it.
        expression: The expression.
        parameters: Its parameters, also those of the SQL.
        by_hand: The same in SQL, for `benchmark.sql.for_engine`, in one or more ways.
        when: Where it is asked.
        sort: The order of the hits.
    """

    title: str
    expression: str
    by_hand: tuple[str, ...]
    parameters: Mapping[str, Any] = field(default_factory=dict)
    when: When = NOW
    sort: str = "name"

    def first_page(self, catalog: Catalog) -> SearchPage:
        """Ask the catalog."""
        return catalog.search_page(self.expression, self.parameters, when=self.when, sort=self.sort, limit=_LIMIT)


@dataclass(frozen=True)
class Times:
    """Medians, microseconds.

    Attributes:
        hits: How many hits the first page has.
        by_hand_us: SQL written by hand, sent by the driver.
        as_text_us: The SQL that was compiled, sent by the driver: what the statement itself costs.
        compiled_us: The compiled statement, sent by the catalog.
        page_us: `search_page`: choosing the lead, the statement, complete revisions.
    """

    hits: int
    by_hand_us: float
    as_text_us: float
    compiled_us: float
    page_us: float


class Driver:
    """The catalog's own connection, without SQLAlchemy."""

    def __init__(self, catalog: Catalog, connection: Connection) -> None:
        self._options = {} if catalog.database.engine.dialect.name == "sqlite" else {"prepare": False}
        self._connection = connection.connection
        self.engine = connection.dialect.name

    def rows(self, statement: str, parameters: Any) -> list[tuple[Any, ...]]:
        """Send a statement."""
        cursor = self._connection.cursor()
        try:
            cursor.execute(statement, parameters, **self._options)
            return cursor.fetchall()  # type: ignore[return-value]  # Tuples, with either driver.
        finally:
            cursor.close()

    def by_hand(self, statement: str, parameters: Mapping[str, Any]) -> list[tuple[Any, ...]]:
        """Send a statement of `benchmark.sql`."""
        now: datetime | str = datetime.now(UTC)
        if self.engine == "sqlite":
            now = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return self.rows(by_hand.for_engine(statement, self.engine), {**parameters, "now": now})


def questions(catalog: Catalog) -> list[Question]:
    """Return the questions, with values that give about 20 hits where a question is selective, in any catalog."""
    with catalog.database.reading() as connection:
        driver = Driver(catalog, connection)
        facts, facts_of_all = (
            driver.by_hand(f"{by_hand.FACTS} AND {scope}", {}) for scope in (by_hand.IS_IN_FORCE, by_hand.ALWAYS)
        )
    totals = sorted(total for total, _, _ in facts)
    low, high, middle = totals[-2 * _HITS], totals[-_HITS], totals[len(totals) // 2]
    least = sorted(total for total, least_s, _ in facts if least_s < 0.03)[_HITS]
    balanced, of_all, loose = _limits(facts), _limits(facts_of_all), _limits(facts, (0.1,))
    everything = EveryRevision()
    any_label = "any(m.model_label == label for m in models)"
    return [
        Question("total and a model", _TOTAL_AND_A_MODEL, by_hand.selective(), balanced),
        Question("  of all revisions", _TOTAL_AND_A_MODEL, by_hand.selective(by_hand.ALWAYS), of_all, everything),
        Question("  deadline < 0.1 s", _TOTAL_AND_A_MODEL, by_hand.selective(), loose),
        Question(
            "total and any deadline",
            "total_gpus < x and any(m.itl_deadline_s < 0.03 for m in models)",
            (
                by_hand.by_workload("w.total_gpus < :x AND +w.least_itl_deadline_s < 0.03"),
                by_hand.by_workload("+w.total_gpus < :x AND w.least_itl_deadline_s < 0.03"),
            ),
            {"x": least},
        ),
        Question(
            "any deadline, 20 hits",
            "any(m.itl_deadline_s < y for m in models)",
            (by_hand.by_workload("w.least_itl_deadline_s < :y"),),
            {"y": RARE_DEADLINE_S * 1.5},
        ),
        Question("label, 20 hits", any_label, (by_hand.BY_RARE_LABEL,), {"label": RARE_LABEL}),
        Question("label of every workload", any_label, (by_hand.BY_COMMON_LABEL,), {"label": "Llama-3.1-8B"}),
        Question(
            "range of totals, 20 hits",
            "low < total_gpus <= high",
            (by_hand.by_workload("w.total_gpus > :low AND w.total_gpus <= :high"),),
            {"low": low, "high": high},
        ),
        Question("range of totals, half", "total_gpus > x", (by_hand.by_name("w.total_gpus > :x"),), {"x": middle}),
        Question(
            "name by prefix",
            "name.startswith('sweep/00001')",
            (by_hand.by_name("n.name >= 'sweep/00001' AND n.name < 'sweep/00002'"),),
        ),
        Question("everything", "total_gpus > x", (by_hand.by_name("w.total_gpus > :x"),), {"x": 0}),
        Question(
            "everything, by -total_gpus",
            "total_gpus > x",
            (by_hand.by_workload("w.total_gpus > :x", order="w.total_gpus DESC, n.name, r.number"),),
            {"x": 0},
            sort="-total_gpus",
        ),
    ]


def _limits(facts: list[Any], deadlines: tuple[float, ...] = (0.055, 0.07, 0.09, 0.11)) -> dict[str, float]:
    """Return limits of total and deadline that leave 20 hits, so that each of them alone leaves about as many."""

    def totals(y: float) -> list[int]:
        return sorted(total for total, _, deadline_s in facts if deadline_s is not None and deadline_s < y)

    # n hits of the one and n of the other leave 20 = n * n / len(facts).
    aim = math.sqrt(_HITS * len(facts))
    deadline = min(deadlines, key=lambda y: abs(math.log(max(len(totals(y)), 1) / aim)))
    return {"x": totals(deadline)[_HITS], "y": deadline}


def measure(catalog: Catalog, question: Question) -> Times:
    """Ask a question in each way, in turn.

    Raises:
        AssertionError: The ways give different answers.
    """
    with catalog.database.reading() as connection:
        driver = Driver(catalog, connection)
        query = _statement(catalog, connection, question)
        text, values = _sent(connection, query)
        statement = min(question.by_hand, key=lambda one: _seconds(lambda: driver.by_hand(one, question.parameters)))
        ways: dict[str, Callable[[], Any]] = {
            "by_hand_us": lambda: driver.by_hand(statement, question.parameters),
            "as_text_us": lambda: driver.rows(text, values),
            "compiled_us": lambda: execute_unprepared(connection, query).all(),
            "page_us": lambda: catalog.search_page(
                question.expression, question.parameters, when=question.when, sort=question.sort, limit=_LIMIT
            ),
        }
        expected = [(row.name, row.number) for row in ways["compiled_us"]()]
        found = [tuple(row[1:3]) for row in ways["by_hand_us"]()]
        assert found == expected, f"{question.title}: {len(found)} hits by hand, {len(expected)} by the catalog"
        assert [(hit.name, hit.number) for hit in ways["page_us"]().revisions] == expected[:_LIMIT]
        medians = _medians(ways)
    return Times(min(len(expected), _LIMIT), **medians)


def measure_searches(engine: str, size: int) -> Iterator[Row]:
    """Ask some of the questions, and for the log, in a catalog of so many revisions; a server has statistics of it."""
    with places(engine, (size,)) as (place,):
        place.fill()
        with Catalog.open(place.location) as catalog:
            if engine == "postgresql":
                gather_statistics(catalog.database)
            for question in questions(catalog):
                if question.title in _IN_THE_TABLE:
                    times = measure(catalog, question)
                    yield Row(f"search: {question.title}", engine, [times.by_hand_us], [times.compiled_us], most=_MOST)
            yield _log_row(catalog, engine)


def _log_row(catalog: Catalog, engine: str) -> Row:
    query = log_query(LogFilter(), None, None, 20)
    with catalog.database.reading() as connection:
        driver = Driver(catalog, connection)
        ways: dict[str, Callable[[], Any]] = {
            "by_hand": lambda: driver.by_hand(by_hand.LOG, {}),
            "ours": lambda: connection.execute(query).all(),
        }
        by_hand_found, found = ([tuple(row[1:3]) for row in ask()] for ask in ways.values())
        assert by_hand_found == found, "the log by hand is another"
        medians = _medians(ways)
    return Row("log, the last 20", engine, [medians["by_hand"]], [medians["ours"]], most=_MOST)


def _statement(catalog: Catalog, connection: Connection, question: Question) -> Select[Any]:
    """Return the statement that finds the hits of a first page, as `search_page` does."""
    condition = with_facts(read_condition(question.expression, question.parameters))
    plan = SearchPlan(condition, ResolvedScope.of(question.when))
    plan = replace(plan, lead=choose_lead(connection, plan))
    return plan.answer(connection, SearchOrder.of(question.sort), None, _LIMIT + 1).statement


def _sent(connection: Connection, query: Select[Any]) -> tuple[str, Any]:
    """Return what the driver is sent."""
    sent: list[tuple[str, Any]] = []

    def remember(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        sent.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", remember)
    try:
        execute_unprepared(connection, query).all()
    finally:
        event.remove(connection, "before_cursor_execute", remember)
    return sent[0]


def _seconds(ask: Callable[[], Any]) -> float:
    """Return how long it takes when it is asked a second time."""
    ask()
    started = time.perf_counter()
    ask()
    return time.perf_counter() - started


def _medians(ways: Mapping[str, Callable[[], Any]]) -> dict[str, float]:
    repeats = {name: max(1, min(100, int(_ROUND_S / _seconds(ask)))) for name, ask in ways.items()}
    rounds: dict[str, list[float]] = {name: [] for name in ways}
    for _ in range(ROUNDS):
        for name, ask in ways.items():
            started = time.perf_counter()
            for _ in range(repeats[name]):
                ask()
            rounds[name].append((time.perf_counter() - started) / repeats[name] * 1e6)
    return {name: statistics.median(times) for name, times in rounds.items()}


def print_table(title: str, sizes: tuple[int, int], results: list[tuple[str, Times, Times]]) -> None:
    """Print what was measured in the smaller and the larger catalog, milliseconds."""
    print(f"\n{title}; milliseconds, {sizes[0]:,} and {sizes[1]:,} revisions")
    ways = ("by hand", "SQL compiled", "by the catalog", "search_page")
    print(f"{'':<27} hits" + "".join(f"{way:>17}" for way in ways) + f"{'ratio':>14}{'growth':>11}")
    for name, small, large in results:
        columns = [
            f"{getattr(small, way) / 1e3:7.2f} {getattr(large, way) / 1e3:7.2f}"
            for way in ("by_hand_us", "as_text_us", "compiled_us", "page_us")
        ]
        ratios = f"{small.compiled_us / small.by_hand_us:5.1f} {large.compiled_us / large.by_hand_us:5.1f}"
        growth = f"{large.by_hand_us / small.by_hand_us:4.1f} {large.compiled_us / small.compiled_us:5.1f}"
        print(f"{name:<27} {large.hits:>4}  {'  '.join(columns)}   {ratios} {growth}", flush=True)
