"""Catalogs to measure in: workloads like those of a parameter sweep, the same in every run."""

import itertools
import random
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

from openg2g.catalog import Catalog, RevisionDraft
from openg2g.catalog.engine.database import Database
from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.postgres import PostgresServer

START = datetime(2026, 1, 1, tzinfo=UTC)
RARE_LABEL = "Falcon-180B"
RARE_DEADLINE_S = 0.001
NUM_RARE = 20
"""So many names have the rare label, and so many the rare deadline, however large the catalog is."""

_LISTS = ((8, 16, 32, 64, 128), (8, 16, 32, 64, 128, 256), (8, 32, 128, 256, 512), (64, 128, 256, 512, 1024))
_MODELS = (  # Label, GPUs of a replica, deadlines; the smaller the model the shorter, so that the least says little.
    ("Llama-3.1-8B", 1, (0.02, 0.03, 0.04, 0.06, 0.08)),
    ("Llama-3.1-70B", 4, (0.05, 0.06, 0.08, 0.1, 0.12)),
    ("Llama-3.1-405B", 8, (0.1, 0.12, 0.15, 0.2, 0.25)),
    ("Qwen3-30B-A3B", 2, (0.03, 0.04, 0.06, 0.08, 0.1)),
    ("Qwen3-235B-A22B", 8, (0.08, 0.1, 0.12, 0.15, 0.2)),
)
_DEADLINE_WEIGHTS = (1, 3, 10, 30, 56)
_DRAFTS_PER_BLOCK = 2_000


@dataclass
class Place:
    """Where a catalog is made.

    Attributes:
        location: Path or URL.
        size: Revisions in it.
        fill_us: What each revision took to import, microseconds.
    """

    location: str
    size: int
    fill_us: float = 0.0

    def fill(self) -> None:
        """Make the catalog: one name of 20 revisions, and a sweep."""
        with Catalog.create(self.location) as catalog:
            for day, draft in enumerate(itertools.islice(sweep(1_000), 20)):
                fleet = replace(draft, name="fleet", effective_from=START + timedelta(days=day))
                catalog.save_many([fleet])
            started = time.perf_counter()
            with catalog.writing() as writer:
                block: list[RevisionDraft] = []
                for draft in sweep(self.size):
                    block.append(draft)
                    if len(block) == _DRAFTS_PER_BLOCK:
                        writer.append(block)
                        block.clear()
                writer.append(block)
            self.fill_us = (time.perf_counter() - started) / self.size * 1e6


def sweep(size: int) -> Iterator[RevisionDraft]:
    """Yield revisions of names that have one to five, of five models each, from a pool of 5,000 distinct specs.

    Args:
        size: How many, at least 1,000: fewer have not as many names as are rare.
    """
    choose = random.Random(size)
    pools = _pools(choose, 1_000)
    every = size // 3 // NUM_RARE  # A name has three revisions on the average.
    done = 0
    for number in range(size):
        for day in range(choose.randint(1, 5)):
            specs = [choose.choice(pool) for pool in pools]
            if number // every < NUM_RARE:
                if number % every == every // 2:
                    specs[3] = replace(specs[3], model_label=RARE_LABEL)
                elif number % every == every // 2 + 1:
                    specs[0] = replace(specs[0], itl_deadline_s=RARE_DEADLINE_S)
            workload = LLMInferenceWorkload(tuple(specs))
            yield RevisionDraft(
                f"sweep/{number:07}", workload, author="benchmark", effective_from=START + timedelta(days=day)
            )
            done += 1
            if done == size:
                return


def named_workloads(size: int, first: int = 0) -> Iterator[tuple[str, LLMInferenceWorkload]]:
    """Yield workloads, each under a name of its own, of five models each, from a pool of 2,000 distinct specs.

    Args:
        size: How many.
        first: Number of the first; those of other numbers are other workloads of the same specs.
    """
    pools = _pools(random.Random(0), 400)
    choose = random.Random(first)
    for number in range(first, first + size):
        yield f"sweep/{number:07}", LLMInferenceWorkload(tuple(choose.choice(pool) for pool in pools))


def drawn_specs(choose: random.Random) -> list[LLMInferenceModelSpec]:
    """Draw a spec of each model: some 100,000 distinct ones, were one to go on."""
    specs = [_spec(choose, *model) for model in _MODELS]
    choose.shuffle(specs)
    return specs


def _pools(choose: random.Random, specs_per_label: int) -> list[list[LLMInferenceModelSpec]]:
    return [[_spec(choose, *model) for _ in range(specs_per_label)] for model in _MODELS]


def _spec(
    choose: random.Random, label: str, gpus_per_replica: int, deadlines: tuple[float, ...]
) -> LLMInferenceModelSpec:
    deadline_s = choose.choices(deadlines, _DEADLINE_WEIGHTS)[0]
    batch_sizes = choose.choice(_LISTS)
    return LLMInferenceModelSpec(
        label, choose.randint(1, 1_000), gpus_per_replica, batch_sizes[-1], deadline_s, batch_sizes
    )


def gather_statistics(database: Database) -> None:
    """Tell the planner what is in the tables; on PostgreSQL it does so by itself, sooner or later."""
    connection = database.engine.raw_connection()
    try:
        if database.engine.dialect.name != "sqlite":
            connection.driver_connection.autocommit = True  # type: ignore[union-attr]  # It is connected.
        connection.cursor().execute("ANALYZE" if database.engine.dialect.name == "sqlite" else "VACUUM (ANALYZE)")
    finally:
        connection.invalidate()


@contextmanager
def places(engine: str, sizes: tuple[int, ...]) -> Iterator[list[Place]]:
    """Lend a place for a catalog of each size."""
    if engine == "sqlite":
        with tempfile.TemporaryDirectory() as directory:
            yield [Place(f"{directory}/{size}.db", size) for size in sizes]
    else:
        with PostgresServer.running() as server:
            yield [Place(server.create_database(f"size_{size}"), size) for size in sizes]
