"""How a search is answered: which statements, begun with which index.

Where a lead leaves few revisions to look at, the statement begins with it. Otherwise the hits may be many, and then a
page is full after a short walk along the index that sorts them. If the walk ends without a full page, they are not so
many after all, and all of them are found, begun with a lead that may find few of many, and sorted. So neither a broad
question nor a narrow one reads the catalog from end to end, unless no index knows anything of it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import ColumnElement, Connection, literal, literal_column, select

from openg2g.catalog.engine.unprepared import execute_unprepared
from openg2g.catalog.history.queries import ONE
from openg2g.catalog.schema.history_rows import RevisionRow
from openg2g.catalog.schema.types import UtcTimestamp
from openg2g.catalog.search import leads as search_leads
from openg2g.catalog.search.compiler import Compiler
from openg2g.catalog.search.constructs import in_force_of_names, is_in_force_walked
from openg2g.catalog.search.leads import Lead, Statement, find_leads, shortest_lead
from openg2g.catalog.search.order import SearchOrder
from openg2g.catalog.search.scope import ResolvedScope
from openg2g.catalog.search.sources import Scope
from openg2g.expressions.facts import conjuncts, is_about_field
from openg2g.expressions.tree import Expression

MANY = 20_000
"""So many candidates of a lead are counted to compare it with others, when the hits are neither few nor many."""

WALKED = 1_000
"""Steps along the index that sorts the hits, before all of them are found and sorted."""


@dataclass(frozen=True)
class Answer:
    """The hits of a page.

    Attributes:
        statement: The statement that found them.
        rows: Rows of `Scope.revision_columns`.
    """

    statement: Statement
    rows: Sequence[Any]


@dataclass(frozen=True)
class SearchPlan:
    """A search that is ready to be asked.

    Attributes:
        condition: The expression, with stored facts in it.
        scope: Which revisions are looked at.
        lead: What statements about all hits begin with; None for what the database thinks best.
    """

    condition: Expression
    scope: ResolvedScope
    lead: Lead | None = None

    def answer(self, connection: Connection, order: SearchOrder, after: Sequence[Any] | None, size: int) -> Answer:
        """Find the next hits in an order, at most `size`."""
        if self.lead is not None:
            return _asked(connection, self.led_page(self.lead, order, after, size))
        if order.first.index is not None:
            limit = self._end_of_walk(connection, order, after)
            answer = _asked(connection, self.walked_page(order, after, size, limit))
            if limit is None or len(answer.rows) == size:
                return answer
        leads = [lead for lead in find_leads(self.tables, self.condition) if lead.looks_inside]
        if leads:
            # What a model leads to is looked at by columns, what a fact leads to by loops, which take longer.
            by_model = [lead for lead in leads if lead.is_by_model]
            lead = shortest_lead(connection, by_model, MANY) or shortest_lead(connection, leads, MANY) or leads[0]
            return _asked(connection, self.led_page(lead, order, after, size))
        return _asked(connection, self.sorted_page(order, after, size))

    def columns(self, *columns: Any) -> Statement:
        """Select columns of all hits, in no order."""
        if self.lead is not None:
            return self._led(self.lead, columns)
        return self._from_all(columns)

    def keys(self, order: SearchOrder, after: Sequence[Any] | None) -> Statement:
        """Select the keys of all hits, in an order, that come after a place in it."""
        query = self.columns(RevisionRow.name_id, RevisionRow.number)
        if after is not None:
            query = query.where(order.after(self.tables, after))
        return query.order_by(*order.columns(self.tables))

    def led_page(self, lead: Lead, order: SearchOrder, after: Sequence[Any] | None, size: int) -> Statement:
        """Select a page, beginning with the revisions that a lead finds."""
        return self._page(self._led(lead, self.tables.revision_columns()), self.tables, order, after, size)

    def sorted_page(self, order: SearchOrder, after: Sequence[Any] | None, size: int) -> Statement:
        """Select a page of all hits, found among all revisions and sorted."""
        query = self._from_all(self.tables.revision_columns())
        query = query.with_hint(self.tables.workload, "NOT INDEXED", "sqlite")
        if not any(is_about_field(part, "name") for part in conjuncts(self.condition)):
            query = query.with_hint(self.tables.name, "NOT INDEXED", "sqlite")  # Found by id, and not walked along.
        return self._page(query, self.tables, order, after, size)

    def walked_page(
        self, order: SearchOrder, after: Sequence[Any] | None, size: int, limit: Any | None = None
    ) -> Statement:
        """Select a page along the index of the first sort key, which has one, up to a value of that key."""
        key = order.first
        if key.table == "name":
            query, scope = self._by_name()
            # Names lead, workloads are found by id.
            query = query.with_hint(scope.workload, "NOT INDEXED", "sqlite")
        else:
            scope = self.tables
            query = self._from_revisions(scope.revision_columns()).where(*self._in_force(scope))
            table = scope.workload if key.table == "workload" else scope.revision
            query = query.with_hint(table, f"INDEXED BY {key.index}", "sqlite")
        query = query.where(*self._conditions(scope, conjuncts(self.condition)))
        if limit is not None:
            query = query.where(order.until_first(key.in_scope(scope), limit))
        return self._page(query, scope, order, after, size)

    @property
    def tables(self) -> Scope:
        """The tables of statements about all hits."""
        return Scope(self.scope.alias_horizon)

    def _led(self, lead: Lead, columns: Sequence[Any]) -> Statement:
        scope = self.tables
        query = self._from_revisions(columns).where(lead.condition, *self._conditions(scope, lead.rest))
        query = query.where(*self._in_force(scope))
        return query.with_hint(scope.revision, f"INDEXED BY {lead.index}", "sqlite")

    def _from_all(self, columns: Sequence[Any]) -> Statement:
        query = self._from_revisions(columns).where(*self._conditions(self.tables, conjuncts(self.condition)))
        return query.where(*self._in_force(self.tables))  # Last, since SQLite tests in this order, and it costs most.

    def _from_revisions(self, columns: Sequence[Any]) -> Statement:
        scope = self.tables
        return (
            select(*columns)
            .select_from(scope.revision)
            .join(scope.workload, scope.workload.id == scope.revision.workload_id)
            .join(scope.name, scope.name.id == scope.revision.name_id)
        )

    def _by_name(self) -> tuple[Statement, Scope]:
        """Select from the names, and of each the revisions that are looked at."""
        scope = self.tables
        revisions: Any = scope.revision
        is_found: ColumnElement[bool] = scope.revision.name_id == scope.name.id
        if self.scope.as_of is not None:
            revisions, is_found = in_force_of_names(scope.name, self.scope.as_of, self.scope.known_at)
            scope = replace(scope, revision=revisions.c)
        query: Statement = select(*scope.revision_columns()).select_from(scope.name).join(revisions, is_found)
        query = query.join(scope.workload, scope.workload.id == scope.revision.workload_id)
        return query if self.scope.as_of is not None else query.where(*self._in_force(scope)), scope

    def _in_force(self, scope: Scope) -> list[Any]:
        if self.scope.as_of is not None:
            return [is_in_force_walked(self.scope.as_of, self.scope.known_at, scope.revision)]
        if self.scope.known_at is not None:
            return [scope.revision.recorded_at <= literal(self.scope.known_at, UtcTimestamp())]
        return []

    def _conditions(self, scope: Scope, parts: Sequence[Expression]) -> list[Any]:
        compiler = Compiler(scope)
        return [compiler.condition(part) for part in parts]

    def _page(
        self, query: Statement, scope: Scope, order: SearchOrder, after: Sequence[Any] | None, size: int
    ) -> Statement:
        if after is not None:
            query = query.where(order.after(scope, after))
        # The limit is a part of the statement, for the reason of `ONE`.
        return query.order_by(*order.columns(scope)).limit(literal_column(str(size)))

    def _end_of_walk(self, connection: Connection, order: SearchOrder, after: Sequence[Any] | None) -> Any | None:
        """Return the value of the first sort key at which a walk ends; None where the walk goes through everything."""
        key = order.first
        column = key.in_scope(self.tables)
        query = select(column).order_by(column.desc() if order.is_descending else column.asc())
        if after is not None:
            query = query.where(order.from_first(column, after[0]))
        own = [part for part in conjuncts(self.condition) if is_about_field(part, key.column)]
        query = query.where(*self._conditions(self.tables, own))
        query = query.limit(ONE).offset(literal_column(str(WALKED)))
        return execute_unprepared(connection, query).scalar()


def _asked(connection: Connection, statement: Statement) -> Answer:
    return Answer(statement, execute_unprepared(connection, statement).all())


def choose_lead(connection: Connection, plan: SearchPlan) -> Lead | None:
    """Return the lead that leaves the fewest revisions to look at, None where each leaves many."""
    return shortest_lead(connection, find_leads(plan.tables, plan.condition), search_leads.FEW)
