"""Revisions as a data frame of pandas or polars: a row for each model."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from importlib import import_module
from typing import Any

from sqlalchemy import Connection, Select

from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.unprepared import execute_unprepared
from openg2g.catalog.history.content import KEYS_PER_STATEMENT, chunks, read_workloads
from openg2g.catalog.schema.content_rows import WorkloadRow
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.catalog.search.order import SearchOrder
from openg2g.catalog.search.plan import SearchPlan
from openg2g.catalog.search.search import Search
from openg2g.models.errors import InvalidRevisionError, MissingLibraryError
from openg2g.models.spec import LLMInferenceWorkload

_COLUMNS: Mapping[str, str] = {
    "name": "text",
    "number": "integer",
    "digest": "text",
    "recorded_at": "time",
    "effective_from": "time",
    "author": "text",
    "message": "text",
    "source": "text",
    "position": "integer",
    "model_label": "text",
    "num_replicas": "integer",
    "gpus_per_replica": "integer",
    "initial_batch_size": "integer",
    "itl_deadline_s": "float",
    "feasible_batch_sizes": "integers",
    "total_gpus": "integer",
}
"""Column → kind of its values, which is the same for a frame without rows."""

_OF_REVISION = (
    NameRow.name,
    RevisionRow.number,
    WorkloadRow.digest,
    RevisionRow.recorded_at,
    RevisionRow.effective_from,
    RevisionRow.author,
    RevisionRow.message,
    RevisionRow.source,
)

Hit = tuple[tuple[Any, ...], LLMInferenceWorkload]
"""The columns of a revision, and its workload."""


def to_dataframe(database: Database, search: Search, library: str | None) -> Any:
    """Make a data frame of the hits of a search."""
    maker = FrameMaker(library)

    def read(connection: Connection) -> Any:
        return maker.frame(read_hits(connection, hits_query(search.plan(connection), search.order)))

    return database.read(read)


def hits_query(plan: SearchPlan, order: SearchOrder) -> Select[*tuple[Any, ...]]:
    """Select the hits of a search in an order: the columns of each, and last the id of its workload."""
    columns = order.columns(plan.tables)
    return plan.columns(*_OF_REVISION, RevisionRow.workload_id).order_by(*columns)


def read_hits(connection: Connection, query: Select[*tuple[Any, ...]]) -> Iterator[Hit]:
    """Yield the hits of `hits_query`; annotations, which may be large, are not read."""
    rows = execute_unprepared(connection, query).all()
    for block in chunks(rows, KEYS_PER_STATEMENT):
        workloads = read_workloads(connection, [row.workload_id for row in block])
        yield from ((tuple(row[:-1]), workloads[row.workload_id]) for row in block)


class FrameMaker:
    """Makes data frames with one library.

    Args:
        library: `pandas` or `polars`; None for whichever is installed, pandas first.

    Raises:
        MissingLibraryError: It is not installed.
        InvalidRevisionError: There is no such choice.
    """

    def __init__(self, library: str | None = None) -> None:
        if library is not None and library not in _MAKERS:
            raise InvalidRevisionError(f"library must be {' or '.join(map(repr, _MAKERS))}, got {library!r}.")
        wanted = tuple(_MAKERS) if library is None else (library,)
        for name in wanted:
            module = _find_module(name)
            if module is not None:
                self._module, self._make = module, _MAKERS[name]
                return
        raise MissingLibraryError("a data frame", library=" or ".join(wanted), extra=wanted[0])

    def frame(self, hits: Iterable[Hit]) -> Any:
        """Make a frame of hits, a row for each model."""
        return self._make(self._module, _columns(hits))


def _find_module(name: str) -> Any:
    """Import a library; None where it is not installed, but an error where it is and does not work."""
    try:
        return import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        return None


def _columns(hits: Iterable[Hit]) -> dict[str, list[Any]]:
    columns: dict[str, list[Any]] = {name: [] for name in _COLUMNS}
    add = [values.append for values in columns.values()]
    for of_revision, workload in hits:
        for position, spec in enumerate(workload.models):
            of_model = (
                position,
                spec.model_label,
                spec.num_replicas,
                spec.gpus_per_replica,
                spec.initial_batch_size,
                spec.itl_deadline_s,
                list(spec.feasible_batch_sizes),
                spec.total_gpus,
            )
            for append, value in zip(add, of_revision + of_model, strict=True):
                append(value)
    return columns


def _pandas_frame(pandas: Any, columns: Mapping[str, list[Any]]) -> Any:
    types = {
        "text": "str",
        "integer": "int64",
        "float": "float64",
        "time": "datetime64[us, UTC]",  # Nanoseconds would end in the year 2262.
        "integers": "object",
    }
    return pandas.DataFrame(
        {name: pandas.Series(values, dtype=types[_COLUMNS[name]]) for name, values in columns.items()}
    )


def _polars_frame(polars: Any, columns: Mapping[str, list[Any]]) -> Any:
    types = {
        "text": polars.String,
        "integer": polars.Int64,
        "float": polars.Float64,
        "time": polars.Datetime("us", "UTC"),
        "integers": polars.List(polars.Int64),
    }
    return polars.DataFrame(columns, schema={name: types[kind] for name, kind in _COLUMNS.items()})


_MAKERS: Mapping[str, Callable[[Any, Mapping[str, list[Any]]], Any]] = {
    "pandas": _pandas_frame,
    "polars": _polars_frame,
}
