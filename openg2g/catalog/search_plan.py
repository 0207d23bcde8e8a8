"""How a search is answered: one statement, led by the index that leaves the fewest revisions to look at.

A planner does not know how many workloads have a model with a short deadline among those with few GPUs, and a wrong
guess costs seconds. So the workloads that the stored facts of an expression allow are counted first, up to `FEW`. Where
they are few, the statement begins with them; where they are many, it goes through the names in order, and a page is
full soon.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, func, literal_column, select, true

from openg2g.catalog.expression_sources import Scope, SpecSource
from openg2g.catalog.expression_sql import Compiler
from openg2g.catalog.revision_queries import COLUMNS, is_in_force
from openg2g.catalog.search_order import SearchOrder
from openg2g.catalog.search_scope import ResolvedScope
from openg2g.catalog.tables import ModelSpecRow, NameRow, RevisionRow, WorkloadModelRow, WorkloadRow
from openg2g.expressions.facts import conjuncts, implied_facts, implied_models, is_about_workload
from openg2g.expressions.tree import Aggregate, Compare, Constant, Expression, Field

FEW = 1_000
"""So many workloads are looked at one by one rather than all names in order."""

_ALL = select(*COLUMNS).select_from(NameRow).join(RevisionRow, RevisionRow.name_id == NameRow.id)
_WITH_WORKLOADS: Select[*tuple[Any, ...]] = _ALL.join(WorkloadRow, WorkloadRow.id == RevisionRow.workload_id)


@dataclass(frozen=True)
class Lead:
    """What a statement may begin with.

    Attributes:
        candidates: Selects the revisions' workload ids, or 1 for each revision, that are worth looking at.
        condition: Narrows the statement to them.
        index: Index of `revisions` that finds them.
    """

    candidates: Select[*tuple[Any, ...]]
    condition: ColumnElement[bool]
    index: str


@dataclass(frozen=True)
class SearchPlan:
    """A search that is ready to be asked.

    Attributes:
        condition: The expression, with stored facts in it.
        scope: Which revisions are looked at.
        is_sqlite: Which engine is asked.
        lead: What the statements begin with; None for the names in order.
    """

    condition: Expression
    scope: ResolvedScope
    is_sqlite: bool
    lead: Lead | None = None

    def page(self, order: SearchOrder, after: Sequence[Any] | None, size: int) -> Select[*tuple[Any, ...]]:
        """Select the next hits in an order, at most `size`."""
        query = self._restricted(_WITH_WORKLOADS).order_by(*order.columns(is_sqlite=self.is_sqlite))
        if after is not None:
            query = query.where(order.after(after, is_sqlite=self.is_sqlite))
        if self.lead is None and order.begins_with_name:
            query = query.with_hint(WorkloadRow, "NOT INDEXED", "sqlite")  # Names lead, workloads are found by id.
        return query.limit(literal_column(str(size)))  # A part of the statement, for the reason of `ONE`.

    def count(self) -> Select[*tuple[Any, ...]]:
        """Count the hits."""
        return self._restricted(_WITH_WORKLOADS.with_only_columns(func.count(), maintain_column_froms=True))

    def columns(self, *columns: Any) -> Select[*tuple[Any, ...]]:
        """Select columns of the hits, in no order."""
        return self._restricted(_WITH_WORKLOADS.with_only_columns(*columns, maintain_column_froms=True))

    def _restricted(self, query: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
        scope = self.scope
        if scope.as_of is not None:
            query = query.where(is_in_force(scope.as_of, scope.known_at))
        elif scope.known_at is not None:
            query = query.where(RevisionRow.recorded_at <= scope.known_at)
        parts = conjuncts(self.condition)
        if self.lead is not None:
            query = query.where(self.lead.condition)
            query = query.with_hint(RevisionRow, f"INDEXED BY {self.lead.index}", "sqlite")
            if self.lead.index == _BY_WORKLOAD:
                parts = [part for part in parts if not is_about_workload(part)]  # The lead has seen to them.
        compiler = Compiler(Scope(self.is_sqlite, scope.alias_horizon))
        return query.where(*(compiler.condition(part) for part in parts))


_BY_WORKLOAD = "ix_revisions_workload_id"
_BY_TIME = "ix_revisions_recorded_at"


def choose_lead(connection: Connection, plan: SearchPlan) -> Lead | None:
    """Return what leaves the fewest workloads or revisions to look at, None where each leaves many."""
    best, least = None, FEW
    for lead in _leads(plan):
        some = lead.candidates.limit(literal_column(str(least))).subquery()
        count = connection.scalar(select(func.count()).select_from(some)) or 0
        if count < least:
            best, least = lead, count
        if least < FEW // 10:
            break  # Another count would cost more than it could spare.
    return best


def _leads(plan: SearchPlan) -> list[Lead]:
    parts = conjuncts(plan.condition)
    about_workload = [part for part in parts if is_about_workload(part)]
    leads = []
    facts = implied_facts(plan.condition)
    if facts is not None:
        leads.append(_lead_by_facts(plan, facts, about_workload))
    leads += [_lead_by_model(plan, loop, about_workload) for loop in implied_models(plan.condition)]
    times = [part for part in parts if _is_about_recording(part)]
    if times:
        leads.append(_lead_by_time(plan, times))
    return leads


def _lead_by_facts(plan: SearchPlan, facts: Expression, about_workload: list[Expression]) -> Lead:
    workload = WorkloadRow.__table__.alias()
    compiler = Compiler(Scope(plan.is_sqlite, plan.scope.alias_horizon, workload=workload))
    said = conjuncts(facts)
    candidates: Select[*tuple[Any, ...]] = select(workload.c.id).where(*map(compiler.condition, said))
    rest = [compiler.condition(part) for part in about_workload if part not in said]
    return Lead(candidates, _is_one_of(plan, candidates.where(*rest)), _BY_WORKLOAD)


def _lead_by_model(plan: SearchPlan, loop: Aggregate, about_workload: list[Expression]) -> Lead:
    workload, place, spec = (
        WorkloadRow.__table__.alias(),
        WorkloadModelRow.__table__.alias(),
        ModelSpecRow.__table__.alias(),
    )
    scope = Scope(plan.is_sqlite, plan.scope.alias_horizon, workload=workload)
    inner = Compiler(scope.within(loop.loops[0].variable, SpecSource(spec)))
    candidates: Select[*tuple[Any, ...]] = (
        select(place.c.workload_id)
        .join(spec, spec.c.id == place.c.model_spec_id)
        .where(*(inner.condition(part) for part in conjuncts(loop.element)))
    )
    compiler = Compiler(scope)
    rest = [compiler.condition(part) for part in about_workload if part != loop]
    if not rest:
        return Lead(candidates, _is_one_of(plan, candidates), _BY_WORKLOAD)
    found = candidates.join(workload, workload.c.id == place.c.workload_id).where(*rest)
    return Lead(candidates, _is_one_of(plan, found), _BY_WORKLOAD)


def _lead_by_time(plan: SearchPlan, times: list[Expression]) -> Lead:
    revision = RevisionRow.__table__.alias()
    compiler = Compiler(Scope(plan.is_sqlite, plan.scope.alias_horizon, revision=revision))
    candidates: Select[*tuple[Any, ...]] = (
        select(literal_column("1")).select_from(revision).where(*map(compiler.condition, times))
    )
    return Lead(candidates, true(), _BY_TIME)


def _is_one_of(plan: SearchPlan, workload_ids: Select[*tuple[Any, ...]]) -> ColumnElement[bool]:
    if plan.is_sqlite:
        return RevisionRow.workload_id.in_(workload_ids)
    # An array is made first and once; a join, the planner might turn around for want of a good guess at its size.
    return RevisionRow.workload_id == func.any(func.array(workload_ids.scalar_subquery()))


def _is_about_recording(node: Expression) -> bool:
    match node:
        case Compare(operator="==" | "<" | "<=" | ">" | ">=", left=Field(name="recorded_at"), right=Constant()):
            return True
        case _:
            return False
