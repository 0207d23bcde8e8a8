"""What a search can begin with: indexes that leave few revisions to look at.

The stored facts that an expression implies, the labels of models that it names, and the time of recording each lead to
some revisions. How many is told by counting, up to a limit: a planner does not know how many workloads have a model
with a short deadline among those with few GPUs, and a wrong guess costs seconds.
"""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, select, true

from openg2g.catalog.expression_sources import Scope, SpecSource
from openg2g.catalog.expression_sql import Compiler
from openg2g.catalog.tables import ModelSpecRow, RevisionRow, WorkloadModelRow, WorkloadRow
from openg2g.expressions.facts import conjuncts, implied_facts, implied_models, is_about_workload
from openg2g.expressions.tree import Aggregate, Compare, Constant, Expression, Field

Statement = Select[*tuple[Any, ...]]

FEW = 1_000
"""So many revisions are looked at one by one, whatever the question."""

_ENOUGH = FEW // 10  # With so few, another count would cost more than it could spare.


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
    """

    candidates: Statement
    condition: ColumnElement[bool]
    index: str
    rest: tuple[Expression, ...]
    looks_inside: bool


def find_leads(scope: Scope, condition: Expression) -> list[Lead]:
    """Return what statements about a condition can begin with, the most general first."""
    parts = conjuncts(condition)
    about_workload = [part for part in parts if is_about_workload(part)]
    rest = tuple(part for part in parts if part not in about_workload)
    leads = []
    facts = implied_facts(condition)
    if facts is not None:
        leads.append(_lead_by_facts(scope, facts, about_workload, rest))
    leads += [_lead_by_model(scope, loop, about_workload, rest) for loop in implied_models(condition)]
    times = [part for part in parts if _is_about_recording(part)]
    if times:
        leads.append(_lead_by_time(scope, times, tuple(parts)))
    return leads


def shortest_lead(connection: Connection, leads: list[Lead]) -> Lead | None:
    """Return the lead to the fewest candidates, None where each leads to many."""
    best, least = None, FEW
    for lead in leads:
        some = lead.candidates.limit(literal_column(str(least))).subquery()
        count = connection.scalar(select(func.count()).select_from(some)) or 0
        if count < least:
            best, least = lead, count
        if least < _ENOUGH:
            break
    return best


def _lead_by_facts(
    scope: Scope, facts: Expression, about_workload: list[Expression], rest: tuple[Expression, ...]
) -> Lead:
    workload = WorkloadRow.__table__.alias()
    compiler = Compiler(Scope(scope.is_sqlite, scope.alias_horizon, workload=workload))
    said = conjuncts(facts)
    candidates: Statement = select(workload.c.id).where(*map(compiler.condition, said))
    conditions = [compiler.condition(part) for part in about_workload if part not in said]
    found = _is_one_of(scope, candidates.where(*conditions))
    return Lead(candidates, found, "ix_revisions_workload_id", rest, looks_inside=bool(conditions))


def _lead_by_model(
    scope: Scope, loop: Aggregate, about_workload: list[Expression], rest: tuple[Expression, ...]
) -> Lead:
    workload, place, spec = (row.__table__.alias() for row in (WorkloadRow, WorkloadModelRow, ModelSpecRow))
    outer = Scope(scope.is_sqlite, scope.alias_horizon, workload=workload)
    inner = Compiler(outer.within(loop.loops[0].variable, SpecSource(spec)))
    candidates: Statement = (
        select(place.c.workload_id)
        .join(spec, spec.c.id == place.c.model_spec_id)
        .where(*(inner.condition(part) for part in conjuncts(loop.element)))
    )
    compiler = Compiler(outer)
    conditions = [compiler.condition(part) for part in about_workload if part != loop]
    found = candidates
    if conditions:
        found = found.join(workload, workload.c.id == place.c.workload_id).where(*conditions)
    is_found = _is_one_of(scope, found)
    return Lead(candidates, is_found, "ix_revisions_workload_id", rest, looks_inside=bool(conditions))


def _lead_by_time(scope: Scope, times: list[Expression], parts: tuple[Expression, ...]) -> Lead:
    revision = RevisionRow.__table__.alias()
    compiler = Compiler(Scope(scope.is_sqlite, scope.alias_horizon, revision=revision))
    candidates: Statement = select(revision.c.number).where(*map(compiler.condition, times))
    return Lead(candidates, true(), "ix_revisions_recorded_at", parts, looks_inside=False)


def _is_one_of(scope: Scope, workload_ids: Statement) -> ColumnElement[bool]:
    column = RevisionRow.__table__.c.workload_id
    if scope.is_sqlite:
        return column.in_(workload_ids)
    # An array is made first and once; a join, the planner might turn around for want of a good guess at its size.
    return column == func.any(func.array(workload_ids.scalar_subquery()))


def _is_about_recording(node: Expression) -> bool:
    match node:
        case Compare(operator="==" | "<" | "<=" | ">" | ">=", left=Field(name="recorded_at"), right=Constant()):
            return True
        case _:
            return False
