"""What a search can begin with: indexes that leave few revisions to look at.

The stored facts that an expression implies, the labels of models that it names, and the time of recording each lead to
some revisions. How many is told by counting, up to a limit: a planner does not know how many workloads have a model
with a short deadline among those with few GPUs, and a wrong guess costs seconds.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, select, true
from sqlalchemy.orm import aliased

from openg2g.catalog.engine.unprepared import execute_unprepared
from openg2g.catalog.schema.content_rows import ModelSpecRow, WorkloadModelRow, WorkloadRow
from openg2g.catalog.schema.history_rows import RevisionRow
from openg2g.catalog.schema.indexes import INDEX_OF
from openg2g.catalog.search.compiler import Compiler
from openg2g.catalog.search.constructs import is_among
from openg2g.catalog.search.sources import Scope, SpecSource
from openg2g.expressions.facts import (
    INDEXED_FACTS,
    conjuncts,
    implied_facts,
    implied_models,
    is_about_field,
    is_about_workload,
)
from openg2g.expressions.tree import Aggregate, Compare, Constant, Expression, Field

Statement = Select[*tuple[Any, ...]]

FEW = 1_000
"""So many revisions are looked at one by one, whatever the question."""


@dataclass(frozen=True)
class Lead:
    """What a statement can begin with.

    Attributes:
        candidates: Selects a row for each workload or revision that is worth looking at.
        condition: Narrows a statement on `revisions` to them.
        index: Index of `revisions` that finds them.
        rest: What is still to be asked of them.
        looks_inside: Whether the condition asks more of the candidates than the index knows, so that it may find few
            of many.
        is_by_model: Whether it was found by the label of a model.
    """

    candidates: Statement
    condition: ColumnElement[bool]
    index: str
    rest: tuple[Expression, ...]
    looks_inside: bool
    is_by_model: bool = False


def find_leads(scope: Scope, condition: Expression) -> list[Lead]:
    """Return what statements about a condition can begin with, the most general first."""
    parts = conjuncts(condition)
    about_workload = [part for part in parts if is_about_workload(part)]
    rest = tuple(part for part in parts if part not in about_workload)
    leads = []
    facts = implied_facts(condition)
    if facts is not None:
        said = conjuncts(facts)
        leads += [_lead_by_facts(scope, column, said, about_workload, rest) for column in _columns_of(said)]
    leads += [_lead_by_model(scope, loop, about_workload, rest) for loop in implied_models(condition)]
    times = [part for part in parts if _is_about_recording(part)]
    if times:
        leads.append(_lead_by_time(scope, times, tuple(parts)))
    return leads


def shortest_lead(connection: Connection, leads: list[Lead], limit: int) -> Lead | None:
    """Return the lead to the fewest candidates, None where each leads to as many as the limit."""
    best, least = None, limit
    for lead in leads:
        some = lead.candidates.limit(literal_column(str(least))).subquery()
        counted = select(func.count()).select_from(some)
        count = execute_unprepared(connection, counted).scalar() or 0
        if count < least:
            best, least = lead, count
        if least < FEW // 10:  # Another count would cost more than it could spare.
            break
    return best


def _columns_of(facts: list[Expression]) -> list[str | None]:
    """Return the columns that facts are about, one by one; None where none is about one column alone."""
    columns = [name for name in INDEXED_FACTS if any(is_about_field(fact, name) for fact in facts)]
    return [*columns] or [None]


def _lead_by_facts(
    scope: Scope,
    column: str | None,
    facts: list[Expression],
    about_workload: list[Expression],
    rest: tuple[Expression, ...],
) -> Lead:
    """Lead by the index of one column: how much of it is to be read is what counts, not how much is left in the end."""
    workload = aliased(WorkloadRow)
    compiler = Compiler(Scope(scope.alias_horizon, workload=workload))
    own = [fact for fact in facts if column is None or is_about_field(fact, column)]
    others = [part for part in [*facts, *about_workload] if part not in own]
    candidates: Statement = select(workload.id).where(*map(compiler.condition, own))
    if column is not None:
        candidates = candidates.with_hint(workload, f"INDEXED BY {INDEX_OF[column]}", "sqlite")
    found = candidates.where(*map(compiler.condition, dict.fromkeys(others)))
    return Lead(
        candidates,
        is_among(scope.revision.workload_id, found),
        INDEX_OF["workload_id"],
        rest,
        looks_inside=bool(others),
    )


def _lead_by_model(
    scope: Scope, loop: Aggregate, about_workload: list[Expression], rest: tuple[Expression, ...]
) -> Lead:
    workload, place, spec = aliased(WorkloadRow), aliased(WorkloadModelRow), aliased(ModelSpecRow)
    outer = Scope(scope.alias_horizon, workload=workload)
    inner = Compiler(outer.within(loop.loops[0].variable, SpecSource(spec)))
    specs: Statement = select(spec.id).where(*map(inner.condition, conjuncts(loop.element)))
    candidates: Statement = select(place.workload_id).where(is_among(place.model_spec_id, specs))
    candidates = candidates.with_hint(place, f"INDEXED BY {INDEX_OF['model_spec_id']}", "sqlite")
    compiler = Compiler(outer)
    conditions = [compiler.condition(part) for part in about_workload if part != loop]
    found = candidates
    if conditions:
        found = found.join(workload, workload.id == place.workload_id).where(*conditions)
    is_found = is_among(scope.revision.workload_id, found)
    return Lead(candidates, is_found, INDEX_OF["workload_id"], rest, looks_inside=bool(conditions), is_by_model=True)


def _lead_by_time(scope: Scope, times: list[Expression], parts: tuple[Expression, ...]) -> Lead:
    revision = aliased(RevisionRow)
    compiler = Compiler(Scope(scope.alias_horizon, revision=revision))
    candidates: Statement = select(revision.number).where(*map(compiler.condition, times))
    return Lead(candidates, true(), INDEX_OF["recorded_at"], parts, looks_inside=False)


def _is_about_recording(node: Expression) -> bool:
    match node:
        case Compare(operator="==" | "<" | "<=" | ">" | ">=", left=Field(name="recorded_at"), right=Constant()):
            return True
        case _:
            return False
