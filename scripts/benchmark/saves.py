"""Single saves by many processes on one name, beside the same statements written by hand."""

import itertools
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from typing import Any

from benchmark.data import named_workloads
from benchmark.drivers import Driver, Engine, connect
from benchmark.ratio import ROUNDS, Row
from openg2g.catalog import Catalog, RevisionDraft
from openg2g.models import LLMInferenceWorkload
from openg2g.models.digest import model_spec_digest, workload_digest

_PROCESSES = 8
_SECONDS = 0.6
_READY = 1_000  # Of each process in a round; nobody does as many.
_KNOWN = 10_000  # Enough to have stored every spec that the workloads to be saved are made of.
_MOST = 1 / 0.6  # At least 0.6 times as many a second.
_LONGEST_WAIT_US = 200_000
_ANY_CHECKSUM = 2**31  # As long as most; by hand, nothing is computed.

_OURS, _BY_HAND = "ours", "by-hand"


@dataclass(frozen=True)
class _Ready:
    """A workload, and what is known of it before its transaction."""

    workload: LLMInferenceWorkload
    digest: str
    spec_ids: tuple[int, ...]


@dataclass(frozen=True)
class _Outcome:
    """What the processes did in a round."""

    saves: int
    seconds: float
    longest_s: float

    @property
    def us(self) -> float:
        """What a save took of everybody's time, microseconds."""
        return self.seconds / self.saves * 1e6


def measure_saves(engine: Engine) -> Iterator[Row]:
    """Let processes save on one name as fast as they can, the catalog and the driver in turn.

    Raises:
        AssertionError: Numbers are not 1, 2, 3, … up to the number of saves.
    """
    with engine.catalog() as location:
        with Catalog.open(location) as catalog:
            catalog.save_many(RevisionDraft(name, workload) for name, workload in named_workloads(_KNOWN))
        with _Workers(engine.name, location) as workers:
            outcomes = {way: [] for way in (_OURS, _BY_HAND)}
            for _, way in itertools.product(range(ROUNDS), outcomes):
                outcomes[way].append(workers.save(way))
        for way, found in outcomes.items():
            _check_dense(location, way, sum(outcome.saves for outcome in found))
    ours, by_hand = outcomes[_OURS], outcomes[_BY_HAND]
    job = f"save, {_PROCESSES} processes on one name"
    each = ([outcome.us for outcome in by_hand], [outcome.us for outcome in ours])
    yield Row(job, engine.name, *each, most=_MOST, notes="numbers dense")
    waits = ([outcome.longest_s * 1e6 for outcome in by_hand], [outcome.longest_s * 1e6 for outcome in ours])
    yield Row("  the longest that one of them took", engine.name, *waits, most_us=_LONGEST_WAIT_US)


def _check_dense(location: str, name: str, saves: int) -> None:
    driver = connect(location)
    [numbers] = driver.rows(
        "SELECT count(*), min(r.number), max(r.number) FROM revisions AS r JOIN names AS n ON n.id = r.name_id "
        "WHERE n.name = ?",
        [name],
    )
    driver.close()
    assert numbers == (saves, 1, saves), f"{name}: {saves} saves, count and least and greatest number are {numbers}"


class _Workers:
    """Processes that save when they are told to, and have everything imported and connected before."""

    def __init__(self, engine_name: str, location: str) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipes: list[Connection] = []
        self._processes = []
        for number in range(_PROCESSES):
            here, there = context.Pipe()
            process = context.Process(target=_work, args=(engine_name, location, number, there), daemon=True)
            process.start()
            self._pipes.append(here)
            self._processes.append(process)

    def __enter__(self) -> "_Workers":
        return self

    def __exit__(self, *_: object) -> None:
        for pipe in self._pipes:
            pipe.send(None)
        for process in self._processes:
            process.join()

    def save(self, way: str) -> _Outcome:
        """Let all of them save for a while."""
        self._tell_all(way)  # They make workloads, and say when they are ready.
        started = time.perf_counter()
        outcomes = self._tell_all(started + _SECONDS)
        seconds = time.perf_counter() - started
        return _Outcome(sum(saves for saves, _ in outcomes), seconds, max(longest_s for _, longest_s in outcomes))

    def _tell_all(self, message: object) -> list[Any]:
        for pipe in self._pipes:
            pipe.send(message)
        return [pipe.recv() for pipe in self._pipes]


def _work(engine_name: str, location: str, worker: int, pipe: Connection) -> None:
    driver = connect(location)
    spec_ids = dict(driver.rows("SELECT digest, id FROM model_specs"))
    with Catalog.open(location) as catalog:
        for number in itertools.count():
            way = pipe.recv()
            if way is None:
                break
            first = _KNOWN + _READY * (worker + _PROCESSES * number)
            ready = [_made_ready(workload, spec_ids) for _, workload in named_workloads(_READY, first)]
            pipe.send("ready")
            end = pipe.recv()
            longest_s, saves = 0.0, 0
            for one in ready:
                started = time.perf_counter()
                if started >= end:
                    break
                if way == _OURS:
                    catalog.save(way, one.workload, author="benchmark")
                else:
                    _save_by_hand(driver, engine_name, way, one)
                longest_s = max(longest_s, time.perf_counter() - started)
                saves += 1
            pipe.send((saves, longest_s))
    driver.close()


def _made_ready(workload: LLMInferenceWorkload, spec_ids: dict[str, int]) -> _Ready:
    return _Ready(
        workload, workload_digest(workload), tuple(spec_ids[model_spec_digest(spec)] for spec in workload.models)
    )


def _save_by_hand(driver: Driver, engine_name: str, name: str, ready: _Ready) -> None:
    """Append a revision of a workload that nobody had saved; its specs are there."""
    driver.begin_writing()
    [(workload_id, name_id, number)] = driver.rows(
        "SELECT (SELECT max(id) FROM workloads) + 1, (SELECT id FROM names WHERE name = ?), (SELECT max(r.number) "
        "FROM revisions AS r JOIN names AS n ON n.id = r.name_id WHERE n.name = ?)",
        [name, name],
    )
    now: datetime | str = datetime.now(UTC)
    if engine_name == "sqlite":
        now = now.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if name_id is None:
        [(name_id,)] = driver.rows("SELECT max(id) + 1 FROM names")
        driver.run("INSERT INTO names VALUES (?, ?, ?, ?)", [name_id, name, now, _ANY_CHECKSUM])
    deadlines = [spec.itl_deadline_s for spec in ready.workload.models]
    driver.run(
        "INSERT INTO workloads VALUES (?, ?, ?, ?, ?, ?)",
        [workload_id, ready.digest, len(deadlines), ready.workload.total_gpus, min(deadlines), max(deadlines)],
    )
    models = [
        value
        for position, (spec, spec_id) in enumerate(zip(ready.workload.models, ready.spec_ids, strict=True))
        for value in (workload_id, position, spec_id, spec.model_label)
    ]
    marks = ", ".join(["(?, ?, ?, ?)"] * len(deadlines))
    driver.run(f"INSERT INTO workload_models VALUES {marks}", models)
    driver.run(
        "INSERT INTO revisions VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [name_id, (number or 0) + 1, workload_id, now, now, "benchmark", "", "", "{}", _ANY_CHECKSUM],
    )
    driver.commit()
