"""What questions cost while the catalog grows, and searches beside SQL written by hand.

First, searches, in two catalogs of which one is ten times as large. Beside each stands SQL written by hand with the
same answer, which the catalog should take at most 1.5 times as long as: `SQL compiled` is the catalog's statement sent
by the driver alone, `by the catalog` with all that SQLAlchemy does for it, `ratio` the latter over `by hand` in either
catalog, and `growth` the larger catalog over the smaller one, by hand and by the catalog. `search_page` is all of it:
reading the expression, choosing where to begin, the statement, and complete revisions.

Then, questions about the past of one name of 20 revisions, among names that only make the catalog larger: medians, and
the ratio of the larger catalog to the smaller one. 1.0 means that other names' histories cost nothing.
"""

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime

from benchmark_data import Place, gather_statistics, places
from benchmark_search import Question, Times, measure, print_table, questions

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


def ask_of_the_past(engine: str, small: Place, large: Place) -> None:
    """Measure, and print a table."""
    results = {"import, each": [small.fill_us, large.fill_us]}
    for place in (small, large):
        with Catalog.open(place.location) as catalog:
            for name, question in OF_THE_PAST.items():
                results.setdefault(name, []).append(median_us(question, catalog))
    print(f"\n{engine:<26} {small.size:>12,} {large.size:>12,}   ratio")
    for name, (one, other) in results.items():
        print(f"{name:<26} {one:>9,.0f} µs {other:>9,.0f} µs   {other / one:.2f}", flush=True)


def ask_searches(title: str, small: Place, large: Place, asked: dict[str, list[Question]]) -> None:
    """Measure, and print a table."""
    results: list[list[Times]] = []
    for place in (small, large):
        with Catalog.open(place.location) as catalog:
            if place.location not in asked:
                asked[place.location] = questions(catalog)
            results.append([measure(catalog, question) for question in asked[place.location]])
    titles = [question.title for question in asked[small.location]]
    print_table(title, (small.size, large.size), list(zip(titles, *results, strict=True)))


def measure_growth(engine: str, sizes: tuple[int, int, int]) -> None:
    """Measure in catalogs of three sizes, and print tables."""
    with places(engine, sizes) as (tiny, small, large):
        for place in (tiny, small, large):
            place.fill()
        asked: dict[str, list[Question]] = {}
        if engine == "sqlite":
            # Nobody runs ANALYZE there, so this is what users have.
            ask_searches("sqlite without statistics", small, large, asked)
        for place in (tiny, small, large):
            with Catalog.open(place.location) as catalog:
                gather_statistics(catalog.database)
        ask_searches(f"{engine} with statistics", small, large, asked)
        ask_of_the_past(engine, tiny, large)
