"""Content in the database: model specs and workloads, stored once by digest, and read back in few statements."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain, count
from typing import TypeVar

from sqlalchemy import Connection, select

from openg2g.catalog.engine.bulk import find_ids, insert_rows
from openg2g.catalog.engine.kept import kept_of
from openg2g.catalog.engine.keys import is_among
from openg2g.catalog.schema.content_rows import (
    BatchSizeListRow,
    BatchSizeRow,
    ModelSpecRow,
    WorkloadModelRow,
    WorkloadRow,
)
from openg2g.catalog.schema.convert import (
    batch_sizes_to_rows,
    model_spec_from_row,
    model_spec_to_row,
    workload_from_specs,
    workload_models_to_rows,
    workload_to_row,
)
from openg2g.models.digest import batch_sizes_digest, model_spec_digests
from openg2g.models.errors import DamagedCatalogError
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

KEYS_PER_STATEMENT = 500
"""Keys looked up by one statement."""

_SPECS_PER_STATEMENT = 10_000  # Those of a page of hits are one statement; SQLite takes 32,766 parameters.

_CACHED_SPECS = 100_000  # Of a connection: about 50 MB. A sweep has some thousands.
_CACHED_IDS = 16_384  # Of specs, and of lists of batch sizes; to look up the others of a block takes few statements.

_SPECS = "specs"

_Key = TypeVar("_Key")

# Statements are built once: building one costs as much as running it.
_MODELS_OF_WORKLOADS = (
    select(WorkloadModelRow.workload_id, WorkloadModelRow.model_spec_id)
    .where(is_among(WorkloadModelRow.workload_id, "ids"))
    .order_by(WorkloadModelRow.workload_id, WorkloadModelRow.position)
)
_MODEL_SPECS = (
    select(
        ModelSpecRow.id,
        ModelSpecRow.model_label,
        ModelSpecRow.num_replicas,
        ModelSpecRow.gpus_per_replica,
        ModelSpecRow.initial_batch_size,
        ModelSpecRow.itl_deadline_s,
        BatchSizeListRow.batch_sizes,
    )
    .select_from(ModelSpecRow)
    .join(BatchSizeListRow, BatchSizeListRow.id == ModelSpecRow.batch_size_list_id)
    .where(is_among(ModelSpecRow.id, "ids"))
)


class ContentWriter:
    """Stores content within one write transaction.

    Ids are assigned here, dense and ascending, which the write lock makes safe. They need no round trip, insert in
    key order, and mean the same on engines whose sequences leave gaps.
    """

    def __init__(self, connection: Connection) -> None:
        """Write on a connection that holds the write lock."""
        self._connection = connection
        self._spec_ids: dict[str, int] = {}
        self._list_ids: dict[tuple[int, ...], int] = {}

    def store(self, workloads: Mapping[str, LLMInferenceWorkload]) -> dict[str, int]:
        """Store workloads, given by digest, that are not there yet; return digest → id for all."""
        if not workloads:
            return {}
        if len(self._spec_ids) > _CACHED_IDS:
            self._spec_ids.clear()
        spec_digests = {digest: model_spec_digests(workload) for digest, workload in workloads.items()}
        unknown = {
            spec_digest: spec
            for digest, workload in workloads.items()
            for spec_digest, spec in zip(spec_digests[digest], workload.models, strict=True)
            if spec_digest not in self._spec_ids
        }
        found, found_specs = find_ids(self._connection, (WorkloadRow, list(workloads)), (ModelSpecRow, list(unknown)))
        self._spec_ids.update(found_specs.of_digest)
        self._store_specs(
            {digest: spec for digest, spec in unknown.items() if digest not in self._spec_ids}, found_specs.last + 1
        )
        new = {digest: workload for digest, workload in workloads.items() if digest not in found.of_digest}
        return found.of_digest | self._store_workloads(new, spec_digests, found.last + 1)

    def find(self, digests: Sequence[str]) -> dict[str, int]:
        """Return digest → id of the workloads that are there."""
        [found] = find_ids(self._connection, (WorkloadRow, digests))
        return found.of_digest

    def _store_workloads(
        self, new: Mapping[str, LLMInferenceWorkload], spec_digests: Mapping[str, Sequence[str]], first_id: int
    ) -> dict[str, int]:
        ids = dict(zip(new, count(first_id)))
        rows = (workload_to_row(workload, digest, ids[digest]) for digest, workload in new.items())
        insert_rows(self._connection, WorkloadRow, rows)
        rows_by_workload = (
            workload_models_to_rows(workload, ids[digest], [self._spec_ids[spec] for spec in spec_digests[digest]])
            for digest, workload in new.items()
        )
        insert_rows(self._connection, WorkloadModelRow, chain.from_iterable(rows_by_workload))
        return ids

    def _store_specs(self, new: Mapping[str, LLMInferenceModelSpec], first_id: int) -> None:
        if not new:
            return
        self._store_batch_sizes({spec.feasible_batch_sizes: None for spec in new.values()})
        rows = []
        for spec_id, (digest, spec) in enumerate(new.items(), first_id):
            rows.append(model_spec_to_row(spec, spec_id, self._list_ids[spec.feasible_batch_sizes]))
            self._spec_ids[digest] = spec_id
        insert_rows(self._connection, ModelSpecRow, rows)

    def _store_batch_sizes(self, lists: Mapping[tuple[int, ...], None]) -> None:
        if len(self._list_ids) > _CACHED_IDS:
            self._list_ids.clear()
        unknown = {batch_sizes_digest(sizes): sizes for sizes in lists if sizes not in self._list_ids}
        if not unknown:
            return
        [found] = find_ids(self._connection, (BatchSizeListRow, list(unknown)))
        self._list_ids.update((unknown[digest], list_id) for digest, list_id in found.of_digest.items())
        new = [sizes for sizes in unknown.values() if sizes not in self._list_ids]
        rows, member_rows = [], []
        for list_id, sizes in enumerate(new, found.last + 1):
            row, members = batch_sizes_to_rows(sizes, list_id)
            rows.append(row)
            member_rows += members
            self._list_ids[sizes] = list_id
        insert_rows(self._connection, BatchSizeListRow, rows)
        insert_rows(self._connection, BatchSizeRow, member_rows)


def read_workloads(connection: Connection, workload_ids: Sequence[int]) -> dict[int, LLMInferenceWorkload]:
    """Return id → workload; the number of statements grows with `KEYS_PER_STATEMENT` only."""
    spec_ids: dict[int, list[int]] = {workload_id: [] for workload_id in workload_ids}
    for chunk in chunks(list(spec_ids), KEYS_PER_STATEMENT):
        for workload_id, spec_id in connection.execute(_MODELS_OF_WORKLOADS, {"ids": chunk}).all():
            spec_ids[workload_id].append(spec_id)
    specs = read_specs(connection, {spec_id for ids in spec_ids.values() for spec_id in ids})
    return {
        workload_id: workload_from_specs([specs[spec_id] for spec_id in ids]) for workload_id, ids in spec_ids.items()
    }


def read_workload_of(connection: Connection, spec_ids: Sequence[int]) -> LLMInferenceWorkload:
    """Return the workload of these model specs, in their order."""
    specs = read_specs(connection, spec_ids)
    return workload_from_specs([specs[spec_id] for spec_id in spec_ids])


def read_specs(connection: Connection, spec_ids: Iterable[int]) -> Mapping[int, LLMInferenceModelSpec]:
    """Return id → model spec, for these ids at least. They never change, so those that were read are kept."""
    kept = kept_of(connection)
    specs: dict[int, LLMInferenceModelSpec] = kept.get(_SPECS, {})
    if len(specs) > _CACHED_SPECS:
        specs = {}
    kept[_SPECS] = specs
    unknown = {spec_id for spec_id in spec_ids if spec_id not in specs}
    for chunk in chunks(sorted(unknown), _SPECS_PER_STATEMENT):
        rows = connection.execute(_MODEL_SPECS, {"ids": chunk})
        specs.update((row.id, model_spec_from_row(row)) for row in rows)
    missing = [spec_id for spec_id in unknown if spec_id not in specs]
    if missing:
        raise DamagedCatalogError(f"model specs are missing from the catalog: {sorted(missing)[:5]}.")
    return specs


def chunks(items: Sequence[_Key], size: int) -> Iterator[Sequence[_Key]]:
    """Cut a sequence into slices of at most `size`."""
    for start in range(0, len(items), size):
        yield items[start : start + size]
