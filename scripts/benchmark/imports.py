"""Imports, beside the same rows as tuples with their digests ready, given to the driver in one transaction."""

import os
import tempfile
from collections.abc import Callable, Iterator

from benchmark.data import named_workloads
from benchmark.drivers import Engine, Tables, connect
from benchmark.ratio import Row, in_turn, seconds_of
from openg2g.catalog import Catalog, RevisionDraft
from openg2g.catalog.documents.transfer import import_files
from openg2g.formats.document import Document
from openg2g.formats.files import write_documents
from openg2g.models.digest import forget_digests

_MOST_OF_DATACLASSES = {"sqlite": 1.43, "postgresql": 1.3}
_MOST_OF_JSON_LINES = 2.5
_MOST_INTO_FILLED = 2.0


def measure_imports(engine: Engine, size: int) -> Iterator[Row]:
    """Measure imports of so many workloads."""
    with engine.catalog() as empty, engine.catalog(empty) as filled:
        _save(filled, size)
        driver = connect(filled)
        tables = driver.tables()
        driver.close()

        def limit() -> float:
            return _seconds_of_driver(engine, empty, tables)

        def ours() -> float:
            return _seconds_in(engine, empty, lambda location: _save(location, size))

        times = in_turn(limit, ours, size)
        yield Row(f"import {size:,} dataclasses", engine.name, *times, most=_MOST_OF_DATACLASSES[engine.name])
        if engine.name == "sqlite":
            yield _of_json_lines(engine, empty, limit, size)
        times = in_turn(ours, lambda: _seconds_in(engine, filled, lambda location: _save(location, size, size)), size)
        job = f"import {size:,} more (limit: the first)"
        yield Row(job, engine.name, *times, most=_MOST_INTO_FILLED)


def _of_json_lines(engine: Engine, empty: str, limit: Callable[[], float], size: int) -> Row:
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "sweep.jsonl")
        documents = (Document(workload, name=name) for name, workload in named_workloads(size))
        write_documents(documents, path, None, replace=False)

        def import_file(location: str) -> float:
            forget_digests()
            with Catalog.open(location) as catalog:
                return seconds_of(lambda: import_files(catalog, [path]))

        times = in_turn(limit, lambda: _seconds_in(engine, empty, import_file), size)
    return Row(f"import {size:,} of JSON Lines", engine.name, *times, most=_MOST_OF_JSON_LINES)


def _save(location: str, size: int, first: int = 0) -> float:
    """Save workloads that were made before, and return the seconds; nothing is known of them."""
    workloads = list(named_workloads(size, first))
    forget_digests()
    with Catalog.open(location) as catalog:
        drafts = (RevisionDraft(name, workload, author="benchmark") for name, workload in workloads)
        return seconds_of(lambda: catalog.save_many(drafts))


def _seconds_in(engine: Engine, template: str, work: Callable[[str], float]) -> float:
    with engine.catalog(template) as location:
        return work(location)


def _seconds_of_driver(engine: Engine, empty: str, tables: Tables) -> float:
    with engine.catalog(empty) as location:
        driver = connect(location)
        try:
            return seconds_of(lambda: driver.insert(tables))
        finally:
            driver.close()
