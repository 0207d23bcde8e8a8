"""Between dataclasses and rows: the one module that sees both.

Converters come in pairs: `model_spec_to_row` and `model_spec_from_row`, `revision_to_row` and `revision_from_row`.
Rows to be stored are tuples in the column order of their table, without a checksum; rows that were read have attributes
named after the columns.
"""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import repeat
from typing import Any

from openg2g.catalog.schema.content_rows import WorkloadRow
from openg2g.models.digest import batch_sizes_digest, model_spec_digest
from openg2g.models.errors import DamagedCatalogError
from openg2g.models.naming import AliasMove, Rename
from openg2g.models.revision import Revision, RevisionRecord, annotations_from_text
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

RowTuple = tuple[object, ...]


def batch_sizes_to_rows(batch_sizes: tuple[int, ...], list_id: int) -> tuple[RowTuple, list[RowTuple]]:
    """Rows of a list of batch sizes: its own, and one for each member."""
    own = (list_id, batch_sizes_digest(batch_sizes), json.dumps(batch_sizes, separators=(",", ":")), len(batch_sizes))
    return own, [(list_id, position, size) for position, size in enumerate(batch_sizes)]


def model_spec_to_row(spec: LLMInferenceModelSpec, spec_id: int, list_id: int) -> RowTuple:
    """Row of a model spec whose batch sizes are stored as `list_id`."""
    return (
        spec_id,
        model_spec_digest(spec),
        spec.model_label,
        spec.num_replicas,
        spec.gpus_per_replica,
        spec.initial_batch_size,
        spec.itl_deadline_s,
        list_id,
        spec.total_gpus,
    )


def model_spec_from_row(row: Any) -> LLMInferenceModelSpec:
    """Model spec of a row joined with its list of batch sizes."""
    return _spec(row, row.batch_sizes)


def _spec(row: Any, batch_sizes: str) -> LLMInferenceModelSpec:
    try:
        return LLMInferenceModelSpec(
            model_label=row.model_label,
            num_replicas=row.num_replicas,
            gpus_per_replica=row.gpus_per_replica,
            initial_batch_size=row.initial_batch_size,
            itl_deadline_s=row.itl_deadline_s,
            feasible_batch_sizes=tuple(json.loads(batch_sizes)),
        )
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedCatalogError(f"a stored model spec is not valid: {error}") from error


def workload_to_row(workload: LLMInferenceWorkload, digest: str, workload_id: int) -> RowTuple:
    """Row of a workload, without its models."""
    deadlines = [spec.itl_deadline_s for spec in workload.models]
    return workload_id, digest, len(workload.models), workload.total_gpus, min(deadlines), max(deadlines)


def workload_models_to_rows(
    workload: LLMInferenceWorkload, workload_id: int, spec_ids: Sequence[int]
) -> Iterator[RowTuple]:
    """Rows of the models of a workload whose specs are stored as `spec_ids`."""
    num_models = len(spec_ids)
    return zip(repeat(workload_id, num_models), range(num_models), spec_ids, workload.model_labels, strict=True)


def workload_from_specs(specs: Sequence[LLMInferenceModelSpec]) -> LLMInferenceWorkload:
    """Workload of model specs that were read in the order of their positions."""
    try:
        return LLMInferenceWorkload(tuple(specs))
    except ValueError as error:
        raise DamagedCatalogError(f"a stored workload is not valid: {error}") from error


def workload_from_row(row: WorkloadRow) -> LLMInferenceWorkload:
    """Workload of a row and of the rows that belong to it, as a session loads them.

    Raises:
        DamagedCatalogError: It is not valid.
    """
    return workload_from_specs([_spec(place.spec, place.spec.batch_size_list.batch_sizes) for place in row.models])


def revision_to_row(revision: RevisionRecord, name_id: int, workload_id: int | None, annotations_text: str) -> RowTuple:
    """Row of a revision; the text of its annotations is at hand wherever one is written."""
    return (
        name_id,
        revision.number,
        workload_id,
        revision.recorded_at,
        revision.effective_from,
        revision.author,
        revision.message,
        revision.source,
        annotations_text,
    )


def record_from_row(row: Any) -> RevisionRecord:
    """All of a row of `openg2g.catalog.history.queries.NAMED_REVISIONS`, its workload by digest.

    Raises:
        DamagedCatalogError: Its annotations are not what the catalog writes.
    """
    return RevisionRecord(*_record(row))


def revision_from_row(row: Any, workload: LLMInferenceWorkload | None) -> Revision:
    """Revision of such a row and its workload."""
    return Revision(*_record(row), workload=workload)


def _record(row: Any) -> tuple[Any, ...]:
    annotations = annotations_from_row(row)
    times = row.recorded_at, row.effective_from
    return row.name, row.number, row.digest, *times, row.author, row.message, row.source, annotations


def annotations_from_row(row: Any) -> dict[str, Any]:
    """Annotations of a row of `openg2g.catalog.history.queries.NAMED_REVISIONS`.

    Raises:
        DamagedCatalogError: They are not what the catalog writes.
    """
    try:
        return annotations_from_text(row.annotations)
    except DamagedCatalogError as error:
        raise DamagedCatalogError(f"{row.name}@{row.number}: {error}") from error


def name_to_row(name_id: int, name: str, created_at: datetime) -> RowTuple:
    """Row of a name."""
    return name_id, name, created_at


def tag_to_row(name_id: int, key: str, value: str) -> RowTuple:
    """Row of a tag."""
    return name_id, key, value


def rename_to_row(change: Rename, name_id: int, number: int) -> RowTuple:
    """Row of the change of a name that is its `number`-th."""
    return name_id, number, change.old_name, change.recorded_at, change.author, change.message


def rename_from_row(row: Any) -> Rename:
    """Change of a name, of a row with these columns."""
    return Rename(row.old_name, row.recorded_at, row.author, row.message)


def alias_move_to_row(move: AliasMove, name_id: int, number: int) -> RowTuple:
    """Row of the move of an alias that is its `number`-th."""
    return name_id, move.alias, number, move.revision_number, move.recorded_at, move.author, move.message


def alias_move_from_row(row: Any) -> AliasMove:
    """Move of an alias, of a row with these columns."""
    return AliasMove(row.alias, row.revision_number, row.recorded_at, row.author, row.message)
