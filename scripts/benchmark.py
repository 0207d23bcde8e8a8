#!/usr/bin/env python3
"""Measure what questions about the past cost, on SQLite and on a real PostgreSQL, while the catalog grows.

    scripts/benchmark.py              1,000 and 20,000 revisions, about two minutes
    scripts/benchmark.py --full       1,000 and 1,000,000 revisions, about fifteen minutes

Each question is about one name of 20 revisions among names that only make the catalog larger. It prints medians and the
ratio of the larger catalog to the smaller one: 1.0 means that the histories of other names cost nothing. It needs the
environment of `scripts/test`.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from openg2g.catalog import Catalog, LogFilter, RevisionDraft
from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.postgres import PostgresServer

START = datetime(2026, 1, 1, tzinfo=UTC)
BATCH_SIZES = (8, 16, 32, 64, 128, 256, 512)
LABELS = ("Llama-3.1-8B", "Llama-3.1-70B", "Llama-3.1-405B", "Qwen3-30B-A3B", "Qwen3-235B-A22B")
ROUNDS = 5
ASKED_PER_ROUND = 200

QUESTIONS: dict[str, Callable[[Catalog], object]] = {
    "load NAME": lambda catalog: catalog.load("fleet"),
    "show NAME@T": lambda catalog: catalog.get("fleet@2026-01-11"),
    "show NAME@T --known-at K": lambda catalog: catalog.get("fleet@2026-01-11", known_at=datetime.now(UTC)),
    "log NAME --limit 20": lambda catalog: list(catalog.log(LogFilter(name="fleet"), limit=20)),
    "log --limit 20": lambda catalog: list(catalog.log(limit=20)),
}


def sweep(size: int) -> Iterator[RevisionDraft]:
    """Yield workloads of five models, replicas varying from a pool of some thousand distinct specs."""
    choose = random.Random(size)
    pools = [
        [LLMInferenceModelSpec(label, replicas, 4, 128, 0.1, BATCH_SIZES) for replicas in range(1, 1001)]
        for label in LABELS
    ]
    for number in range(size):
        workload = LLMInferenceWorkload(tuple(choose.choice(pool) for pool in pools))
        yield RevisionDraft(f"sweep/{number // 5}", workload, author="benchmark")


def fill(catalog: Catalog, size: int) -> float:
    """Fill a catalog, and return what each revision took, microseconds."""
    drafts = list(sweep(20))
    for day, draft in enumerate(drafts):
        catalog.save_many([replace(draft, name="fleet", effective_from=START + timedelta(days=day))])
    started = time.perf_counter()
    with catalog.writing() as writer:
        block: list[RevisionDraft] = []
        for draft in sweep(size):
            block.append(draft)
            if len(block) == 2_000:
                writer.append(block)
                block.clear()
        writer.append(block)
    return (time.perf_counter() - started) / size * 1e6


def median_us(question: Callable[[Catalog], object], catalog: Catalog) -> float:
    """Return the median time of a question, microseconds."""
    question(catalog)
    rounds = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        for _ in range(ASKED_PER_ROUND):
            question(catalog)
        rounds.append((time.perf_counter() - started) / ASKED_PER_ROUND * 1e6)
    return statistics.median(rounds)


@contextmanager
def places(engine: str) -> Iterator[Callable[[int], str]]:
    """Lend a place for a catalog of each size."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory() as directory:
            yield lambda size: f"{directory}/{size}.db"
    else:
        with PostgresServer.running() as server:
            yield lambda size: server.create_database(f"size_{size}")


def main() -> None:
    """Measure, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--full", action="store_true", help="up to 1,000,000 revisions instead of 20,000")
    parser.add_argument("--engine", choices=("sqlite", "postgresql"), action="append")
    arguments = parser.parse_args()
    sizes = (1_000, 1_000_000 if arguments.full else 20_000)
    for engine in arguments.engine or ("sqlite", "postgresql"):
        results: dict[str, list[float]] = {question: [] for question in ("import, each", *QUESTIONS)}
        with places(engine) as place_of:
            for size in sizes:
                with Catalog.create(place_of(size)) as catalog:
                    results["import, each"].append(fill(catalog, size))
                    for name, question in QUESTIONS.items():
                        results[name].append(median_us(question, catalog))
        print(f"\n{engine:<26} {sizes[0]:>12,} {sizes[1]:>12,}   ratio")
        for name, (small, large) in results.items():
            print(f"{name:<26} {small:>9,.0f} µs {large:>9,.0f} µs   {large / small:.2f}")


if __name__ == "__main__":
    main()
