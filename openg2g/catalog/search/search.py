"""A search by a Python expression: read once, then asked for hits, pages, their number or the database's plan."""

import hashlib
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection, func, select

from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.unprepared import execute_unprepared
from openg2g.catalog.history.content import chunks
from openg2g.catalog.history.queries import complete, find_by_keys
from openg2g.catalog.history.when import NOW, When
from openg2g.catalog.schema.history_rows import RenameRow
from openg2g.catalog.search.explain import Explanation, explain
from openg2g.catalog.search.order import Place, SearchOrder, place_from_token
from openg2g.catalog.search.plan import SearchPlan, choose_lead
from openg2g.catalog.search.scope import ResolvedScope
from openg2g.expressions.facts import with_facts
from openg2g.expressions.read import read_condition
from openg2g.expressions.tree import Expression
from openg2g.models.errors import FilterError, InvalidRevisionError
from openg2g.models.revision import Revision

Parameters = Mapping[str, object] | None
"""Name → value of what an expression names beside the vocabulary."""

Sort = str | Sequence[str]
"""Keys to sort by, also as one text with commas."""

MAX_HITS_PER_PAGE = 10**9
"""Hits of a page at most."""

HITS_PER_BLOCK = 500
"""Hits that are fetched at once."""

_NUM_RENAMES = select(func.count()).select_from(RenameRow)


@dataclass(frozen=True)
class SearchPage:
    """Some hits of a search, in order.

    Attributes:
        revisions: The hits, complete.
        next_token: Where the next page begins; None after the last.
    """

    revisions: tuple[Revision, ...]
    next_token: str | None


@dataclass(frozen=True)
class Search:
    """What is searched for.

    Attributes:
        condition: What holds for every hit.
        when: Which revisions are looked at.
        order: The order of the hits.
    """

    condition: Expression
    when: When
    order: SearchOrder

    @classmethod
    def of(cls, expression: str, parameters: Parameters = None, when: When = NOW, sort: Sort = ()) -> "Search":
        """Read an expression."""
        return cls(read_condition(expression, parameters), when, SearchOrder.of(sort))

    def hits(self, database: Database, after: str | None = None) -> Iterator[Revision]:
        """Yield the hits that come after a token, fetched as they are needed. Which they are is decided at once."""
        place = self._place(after)

        def read(connection: Connection) -> "tuple[array[int], array[int]]":
            query = self._plan_after(connection, place, after).keys(self.order, None if place is None else place.values)
            name_ids, numbers = array("q"), array("q")
            for name_id, number in execute_unprepared(connection, query):
                name_ids.append(name_id)
                numbers.append(number)
            return name_ids, numbers

        return _revisions(database, *database.read_at_once(read))

    def page(self, database: Database, limit: int, after: str | None = None) -> SearchPage:
        """Return at most `limit` hits that come after a token."""
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_HITS_PER_PAGE:
            raise InvalidRevisionError(f"limit must be >= 1 and <= {MAX_HITS_PER_PAGE}, got {limit!r}.")
        place = self._place(after)

        def read(connection: Connection) -> SearchPage:
            plan = self._plan_after(connection, place, after)
            rows = plan.answer(connection, self.order, None if place is None else place.values, limit + 1).rows
            revisions = complete(connection, rows[:limit])
            if len(rows) <= limit:
                return SearchPage(tuple(revisions), None)
            values = self.order.values_of(revisions[-1])
            last = Place(self._shortened(), plan.scope.as_of, _count_renames(connection), values)
            return SearchPage(tuple(revisions), last.token())

        return database.read_at_once(read)

    def count(self, database: Database) -> int:
        """Count the hits."""

        def read(connection: Connection) -> int:
            query = self.plan(connection).columns(func.count())
            return int(execute_unprepared(connection, query).scalar_one())

        return database.read(read)

    def explain(self, database: Database, limit: int) -> Explanation:
        """Find a first page, and return the statement that found it with the database's plan for it."""

        def read(connection: Connection) -> Explanation:
            return explain(connection, self.plan(connection).answer(connection, self.order, None, limit + 1).statement)

        return database.read(read)

    def plan(self, connection: Connection, place: Place | None = None) -> SearchPlan:
        """Choose how the search is answered; the hits after a place are those as of the time of its page."""
        scope = ResolvedScope.of(self.when)
        if place is not None:
            scope = replace(scope, as_of=place.as_of)
        plan = SearchPlan(with_facts(self.condition), scope)
        return replace(plan, lead=choose_lead(connection, plan))

    def _plan_after(self, connection: Connection, place: Place | None, token: str | None) -> SearchPlan:
        """Choose a plan, if names are what they were when the page ended: an order by names is that of its time."""
        if place is not None and place.num_renames != _count_renames(connection):
            raise FilterError(
                token or "", "a name was changed since the page before: search again, from the first page."
            )
        return self.plan(connection, place)

    def _place(self, token: str | None) -> Place | None:
        return None if token is None else place_from_token(token, self._shortened(), self.order)

    def _shortened(self) -> str:
        """Name the question in few characters."""
        return hashlib.sha256(repr(self).encode("utf-8", "backslashreplace")).hexdigest()[:12]


def _revisions(database: Database, name_ids: "array[int]", numbers: "array[int]") -> Iterator[Revision]:
    """Yield the revisions with these keys, which never change, whatever becomes of names, aliases and tags."""
    for ids, of_names in zip(chunks(name_ids, HITS_PER_BLOCK), chunks(numbers, HITS_PER_BLOCK), strict=True):
        keys = list(zip(ids, of_names, strict=True))
        yield from database.read(partial(find_by_keys, keys=keys))


def _count_renames(connection: Connection) -> int:
    return connection.scalar(_NUM_RENAMES) or 0
