"""`load` on an open catalog, beside one join written by hand and the dataclasses made of its rows."""

import json
import random
from collections.abc import Iterator
from functools import cache

from benchmark_data import named_workloads
from benchmark_drivers import Driver, Engine, connect
from benchmark_ratio import Row, in_turn, seconds_of

from openg2g.catalog import Catalog, RevisionDraft
from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload

_MOST = {"sqlite": 1.7, "postgresql": 1.3}
_LOADED = 1_000

_LATEST_MODELS = """SELECT s.model_label, s.num_replicas, s.gpus_per_replica, s.initial_batch_size, s.itl_deadline_s,
        l.batch_sizes
    FROM names AS n
    JOIN revisions AS r ON r.name_id = n.id
        AND r.number = (SELECT max(o.number) FROM revisions AS o WHERE o.name_id = n.id)
    JOIN workload_models AS p ON p.workload_id = r.workload_id
    JOIN model_specs AS s ON s.id = p.model_spec_id
    JOIN batch_size_lists AS l ON l.id = s.batch_size_list_id
    WHERE n.name = ? ORDER BY p.position"""


@cache
def _batch_sizes(text: str) -> tuple[int, ...]:
    return tuple(json.loads(text))


def _load_by_hand(driver: Driver, name: str) -> LLMInferenceWorkload:
    rows = driver.rows(_LATEST_MODELS, [name])
    return LLMInferenceWorkload(tuple(LLMInferenceModelSpec(*row[:5], _batch_sizes(row[5])) for row in rows))


def measure_load(engine: Engine, size: int) -> Iterator[Row]:
    """Load names at random, out of so many.

    Raises:
        AssertionError: The two ways give different workloads.
    """
    with engine.catalog() as location, Catalog.open(location) as catalog:
        catalog.save_many(RevisionDraft(name, workload) for name, workload in named_workloads(size))
        names = [f"sweep/{number:07}" for number in random.Random(size).choices(range(size), k=_LOADED)]
        driver = connect(location)
        try:
            assert [catalog.load(name) for name in names[:10]] == [_load_by_hand(driver, name) for name in names[:10]]
            times = in_turn(
                lambda: seconds_of(lambda: [_load_by_hand(driver, name) for name in names]),
                lambda: seconds_of(lambda: [catalog.load(name) for name in names]),
                len(names),
            )
        finally:
            driver.close()
    yield Row(f"load one of {size:,}", engine.name, *times, most=_MOST[engine.name])
