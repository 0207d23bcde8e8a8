"""`load` on an open catalog, of the latest and as of a time, beside a join by hand and the dataclasses of its rows."""

import json
import random
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache

from benchmark.data import named_workloads
from benchmark.drivers import Driver, Engine, connect
from benchmark.ratio import Row, in_turn, seconds_of
from openg2g.catalog import Catalog, RevisionDraft
from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload

_MOST = {"sqlite": 1.7, "postgresql": 1.3}
_MOST_AS_OF = 1.5
_LOADED = 1_000

_LATEST = "SELECT max(o.number) FROM revisions AS o WHERE o.name_id = n.id"
_IN_FORCE = """SELECT o.number FROM revisions AS o WHERE o.name_id = n.id AND o.effective_from <= ?
            ORDER BY o.effective_from DESC, o.number DESC LIMIT 1"""
_MODELS = """SELECT s.model_label, s.num_replicas, s.gpus_per_replica, s.initial_batch_size, s.itl_deadline_s,
        l.batch_sizes
    FROM names AS n
    JOIN revisions AS r ON r.name_id = n.id
        AND r.number = ({})
    JOIN workload_models AS p ON p.workload_id = r.workload_id
    JOIN model_specs AS s ON s.id = p.model_spec_id
    JOIN batch_size_lists AS l ON l.id = s.batch_size_list_id
    WHERE n.name = ? ORDER BY p.position"""

_Load = Callable[[str], LLMInferenceWorkload]


@cache
def _batch_sizes(text: str) -> tuple[int, ...]:
    return tuple(json.loads(text))


def _load_by_hand(driver: Driver, number: str, *parameters: object) -> LLMInferenceWorkload:
    rows = driver.rows(_MODELS.format(number), parameters)
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
            as_of = datetime.now(UTC)
            time = as_of.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if engine.name == "sqlite" else as_of
            times = _times(names, lambda name: _load_by_hand(driver, _LATEST, name), catalog.load)
            yield Row(f"load one of {size:,}", engine.name, *times, most=_MOST[engine.name])
            times = _times(
                names,
                lambda name: _load_by_hand(driver, _IN_FORCE, time, name),
                lambda name: catalog.load(name, as_of=as_of),
            )
            yield Row(f"load one of {size:,} as of a time", engine.name, *times, most=_MOST_AS_OF)
        finally:
            driver.close()


def _times(names: list[str], by_hand: _Load, ours: _Load) -> tuple[list[float], list[float]]:
    assert list(map(ours, names[:10])) == list(map(by_hand, names[:10]))
    return in_turn(
        lambda: seconds_of(lambda: list(map(by_hand, names))),
        lambda: seconds_of(lambda: list(map(ours, names))),
        len(names),
    )
