"""How many workloads there are and how large they are, counted by model, month or author."""

from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Select, null

from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.unprepared import execute_unprepared
from openg2g.catalog.schema.content_rows import ModelSpecRow, WorkloadModelRow, WorkloadRow
from openg2g.catalog.schema.history_rows import RevisionRow
from openg2g.catalog.search.plan import SearchPlan
from openg2g.catalog.search.search import Search
from openg2g.models.errors import FilterError

Grouping = Literal["model", "month", "author"]
GROUPINGS: tuple[Grouping, ...] = ("model", "month", "author")
"""What hits can be grouped by."""


@dataclass(frozen=True)
class GroupStatistics:
    """What some revisions have in common, and how many GPUs they have. Everything is exact.

    Attributes:
        group: A model label, a month (`2026-03`, in UTC) or an author; None where nothing is grouped.
        num_revisions: How many revisions.
        num_workloads: How many distinct workloads they have.
        total_gpus: Sum of the GPUs of every revision: of this model where models are the groups, else of all models.
        min_gpus: Fewest of a revision; None where there is none.
        median_gpus: The middle, or the mean of the two in the middle; None where there is none.
        max_gpus: Most of a revision; None where there is none.
    """

    group: str | None
    num_revisions: int
    num_workloads: int
    total_gpus: int
    min_gpus: int | None
    median_gpus: int | float | None
    max_gpus: int | None


@dataclass
class _Tally:
    """What is remembered of the revisions of a group: some bytes of each."""

    gpus: "array[int]" = field(default_factory=lambda: array("q"))
    workload_ids: set[int] = field(default_factory=set)

    def statistics(self, group: str | None) -> GroupStatistics:
        gpus = sorted(self.gpus)
        return GroupStatistics(
            group=group,
            num_revisions=len(gpus),
            num_workloads=len(self.workload_ids),
            total_gpus=sum(gpus),
            min_gpus=gpus[0] if gpus else None,
            median_gpus=median(gpus) if gpus else None,
            max_gpus=gpus[-1] if gpus else None,
        )


def count_groups(database: Database, search: Search, by: Grouping | None) -> list[GroupStatistics]:
    """Count the hits of a search by group."""
    if by is not None and by not in GROUPINGS:
        raise FilterError(str(by), f"{by!r} is nothing to group by. Group by {', '.join(GROUPINGS)}.")

    def read(connection: Connection) -> list[GroupStatistics]:
        rows = execute_unprepared(connection, tallied_columns(search.plan(connection), by))
        return tallied(rows, by)

    return database.read(read)


def tallied_columns(plan: SearchPlan, by: Grouping | None) -> Select[*tuple[Any, ...]]:
    """Select group, workload id and GPUs of every hit; where models are the groups, of every model of it."""
    match by:
        case "model":
            query = plan.columns(WorkloadModelRow.model_label, WorkloadRow.id, ModelSpecRow.total_gpus)
            query = query.join(WorkloadModelRow, WorkloadModelRow.workload_id == WorkloadRow.id)
            return query.join(ModelSpecRow, ModelSpecRow.id == WorkloadModelRow.model_spec_id)
        case "month":
            return plan.columns(RevisionRow.effective_from, WorkloadRow.id, WorkloadRow.total_gpus)
        case "author":
            return plan.columns(RevisionRow.author, WorkloadRow.id, WorkloadRow.total_gpus)
        case None:
            return plan.columns(null(), WorkloadRow.id, WorkloadRow.total_gpus)


def tallied(rows: Iterable[Sequence[Any]], by: Grouping | None) -> list[GroupStatistics]:
    """Count rows of `tallied_columns`, taken one by one."""
    tallies: dict[str | None, _Tally] = {} if by is not None else {None: _Tally()}
    for key, workload_id, gpus in rows:
        group = _month(key) if by == "month" else key
        tally = tallies.get(group)
        if tally is None:
            tally = tallies[group] = _Tally()
        tally.gpus.append(gpus)
        tally.workload_ids.add(workload_id)
    return [tallies[group].statistics(group) for group in sorted(tallies, key=lambda group: group or "")]


def median(values: Sequence[int]) -> int | float:
    """Return the median of whole numbers in ascending order, a whole number wherever it is one.

    Example:
        >>> median([1, 2, 9]), median([1, 3]), median([1, 2])
        (2, 2, 1.5)
    """
    middle = len(values) // 2
    if len(values) % 2:
        return values[middle]
    total = values[middle - 1] + values[middle]
    return total // 2 if total % 2 == 0 else total / 2


def _month(time: datetime) -> str:
    return time.isoformat()[:7]  # strftime would write the year 1 as it likes.
