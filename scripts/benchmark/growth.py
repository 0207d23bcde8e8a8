"""What questions cost while the catalog grows, and searches beside SQL written by hand.

First, what a revision took to import into an empty catalog until it was as large.

Then, searches, in two catalogs of which one is ten times as large. Beside each stands SQL written by hand with the
same answer, which the catalog should take at most 1.5 times as long as: `SQL compiled` is the catalog's statement sent
by the driver alone, `by the catalog` with all that SQLAlchemy does for it, `ratio` the latter over `by hand` in either
catalog, and `growth` the larger catalog over the smaller one, by hand and by the catalog. `search_page` is all of it:
reading the expression, choosing where to begin, the statement, and complete revisions.

Then, questions about the past of one name of 20 revisions, among names that only make the catalog larger: medians, and
the ratio of the largest catalog to the smallest. 1.0 means that other names' histories cost nothing.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from benchmark.data import Place, gather_statistics, places
from benchmark.search import Times, measure, print_table, questions
from openg2g.catalog import Catalog, LogFilter

ROUNDS = 5
ASKED_PER_ROUND = 200
ROUND_S = 0.1

OF_THE_PAST: dict[str, Callable[[Catalog], object]] = {
    "load NAME": lambda catalog: catalog.load("fleet"),
    "show NAME@T": lambda catalog: catalog.get("fleet@2026-01-11"),
    "show NAME@T --known-at K": lambda catalog: catalog.get("fleet@2026-01-11", known_at=datetime.now(UTC)),
    "log NAME --limit 20": lambda catalog: list(catalog.log(LogFilter(name="fleet"), limit=20)),
    "log --limit 20": lambda catalog: list(catalog.log(limit=20)),
}


@dataclass(frozen=True)
class Cost:
    """What something costs in a catalog of some size.

    Attributes:
        what: What it is, as the tables call it.
        engine: On which engine.
        has_statistics: Whether the planner had been told what is in the tables; None of an import, which fills them.
        size: Revisions in the catalog.
        us: What it took, microseconds: a median of rounds, of an import the mean.
        search: Of a search, what each way to ask took; `us` is all of it.
    """

    what: str
    engine: str
    has_statistics: bool | None
    size: int
    us: float
    search: Times | None = None

    @property
    def is_as_users_have_it(self) -> bool:
        """Whether the planner knew what it knows in life: a server gathers statistics, and for SQLite nobody does."""
        if self.has_statistics is None:
            return True  # An import, of which no planner thinks.
        return self.has_statistics == (self.engine == "postgresql")


def median_us(question: Callable[[Catalog], object], catalog: Catalog) -> float:
    """Return the median time of a question, microseconds."""
    question(catalog)
    started = time.perf_counter()
    question(catalog)
    repeats = max(1, min(ASKED_PER_ROUND, int(ROUND_S / (time.perf_counter() - started))))
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(repeats):
            question(catalog)
        rounds.append((time.perf_counter() - started) / repeats * 1e6)
    return statistics.median(rounds)


def ask_of_the_past(engine: str, has_statistics: bool, filled: Sequence[Place]) -> list[Cost]:
    """Measure in catalogs of each size."""
    costs = []
    for place in filled:
        with Catalog.open(place.location) as catalog:
            for what, question in OF_THE_PAST.items():
                costs.append(Cost(what, engine, has_statistics, place.size, median_us(question, catalog)))
    return costs


def ask_searches(engine: str, has_statistics: bool, filled: Sequence[Place]) -> list[Cost]:
    """Measure in catalogs of each size."""
    costs = []
    for place in filled:
        with Catalog.open(place.location) as catalog:
            for question in questions(catalog):
                times = measure(catalog, question)
                costs.append(Cost(question.title, engine, has_statistics, place.size, times.page_us, times))
    return costs


def print_growth(title: str, costs: Sequence[Cost]) -> None:
    """Print what things cost in catalogs of each size, microseconds."""
    costs_of: dict[str, list[Cost]] = {}
    for cost in costs:
        costs_of.setdefault(cost.what, []).append(cost)
    sizes = dict.fromkeys(cost.size for cost in costs)
    print(f"\n{title:<26}" + "".join(f"{size:>13,}" for size in sizes) + "   ratio")
    for what, row in costs_of.items():
        columns = "".join(f"{cost.us:>10,.0f} µs" for cost in row)
        print(f"{what:<26}{columns}   {row[-1].us / row[0].us:.2f}", flush=True)


def print_searches(title: str, costs: Sequence[Cost]) -> None:
    """Print what searches cost in the two largest catalogs."""
    *_, size, larger_size = sorted({cost.size for cost in costs})
    small, large = ([cost for cost in costs if cost.size == one] for one in (size, larger_size))
    rows = [(one.what, one.search, other.search) for one, other in zip(small, large, strict=True)]
    print_table(title, (size, larger_size), rows)


def measure_growth(engine: str, sizes: tuple[int, ...]) -> list[Cost]:
    """Measure in catalogs of each size, two or more in ascending order, and print tables."""
    with places(engine, sizes) as filled:
        for place in filled:
            place.fill()
        costs = [Cost("import, each", engine, None, place.size, place.fill_us) for place in filled]
        print_growth(engine, costs)
        # On SQLite nobody runs ANALYZE, so what is measured without it is what users have.
        for has_statistics in (False, True) if engine == "sqlite" else (True,):
            if has_statistics:
                for place in filled:
                    with Catalog.open(place.location) as catalog:
                        gather_statistics(catalog.database)
            title = f"{engine} {'with' if has_statistics else 'without'} statistics"
            searches = ask_searches(engine, has_statistics, filled)
            print_searches(title, searches)
            of_the_past = ask_of_the_past(engine, has_statistics, filled)
            print_growth(title, of_the_past)
            costs += searches + of_the_past
    return costs
