"""Searching a catalog by Python expressions, which are compiled to SQL."""

import hashlib
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from sqlalchemy import Connection, func, select

from openg2g.catalog.engine.unprepared import execute_unprepared
from openg2g.catalog.history.content import chunks
from openg2g.catalog.history.queries import complete, find_by_keys
from openg2g.catalog.reading import CatalogReading
from openg2g.catalog.schema.history_rows import RenameRow
from openg2g.catalog.search.explain import Explanation, explain
from openg2g.catalog.search.order import Place, place_from_token
from openg2g.catalog.search.plan import SearchPlan, choose_lead
from openg2g.catalog.search.scope import EVERYTHING_IN_FORCE, SearchScope
from openg2g.expressions.facts import with_facts
from openg2g.expressions.read import read_condition
from openg2g.expressions.tree import Expression
from openg2g.models.errors import FilterError, InvalidRevisionError
from openg2g.models.revision import Revision

MAX_HITS_PER_PAGE = 10**9
"""Hits of a page at most."""

_HITS_PER_BLOCK = 500
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


class CatalogSearching(CatalogReading):
    """The questions by expression; the language is documented in `openg2g.expressions` and the README."""

    def search(
        self, expression: str, scope: SearchScope = EVERYTHING_IN_FORCE, /, **parameters: object
    ) -> Iterator[Revision]:
        """Yield the revisions for which an expression holds, in the order of the scope.

        Which they are is decided at once; they are fetched as they are needed.

        Args:
            expression: A condition such as `total_gpus < limit and 'Llama-3.1-70B' in model_labels`.
            scope: Which revisions are looked at, and their order.
            parameters: Values of the names in the expression that are none of the vocabulary (`limit=7200`).

        Raises:
            FilterError: The expression says nothing that can be searched by.
        """
        return self.iter_hits(expression, scope, parameters)

    def iter_hits(
        self,
        expression: str,
        scope: SearchScope = EVERYTHING_IN_FORCE,
        parameters: Mapping[str, object] | None = None,
        *,
        after: str | None = None,
    ) -> Iterator[Revision]:
        """Yield what `search` does, from the token of a page on.

        Raises:
            FilterError: The expression says nothing that can be searched by, or the token is of another search.
        """
        order = scope.order
        condition = read_condition(expression, parameters)
        place = None if after is None else place_from_token(after, _shortened(condition, scope), order)

        def read(connection: Connection) -> "tuple[array[int], array[int]]":
            _require_names_of(connection, place, after)
            query = self._plan(connection, condition, scope, place).keys(order, None if place is None else place.values)
            name_ids, numbers = array("q"), array("q")
            for name_id, number in execute_unprepared(connection, query):
                name_ids.append(name_id)
                numbers.append(number)
            return name_ids, numbers

        return self._of_keys(*self.database.read_at_once(read))

    def _of_keys(self, name_ids: "array[int]", numbers: "array[int]") -> Iterator[Revision]:
        """Yield the revisions with these keys, which never change, whatever becomes of names, aliases and tags."""
        for ids, of_names in zip(chunks(name_ids, _HITS_PER_BLOCK), chunks(numbers, _HITS_PER_BLOCK), strict=True):
            keys = list(zip(ids, of_names, strict=True))
            yield from self.database.read(partial(find_by_keys, keys=keys))

    def search_page(
        self,
        expression: str,
        scope: SearchScope = EVERYTHING_IN_FORCE,
        parameters: Mapping[str, object] | None = None,
        *,
        limit: int = 100,
        after: str | None = None,
    ) -> SearchPage:
        """Return some hits, and a token for the next ones.

        The next page goes on after the last hit of this one, whatever was recorded in between, and asks about the same
        time.

        Args:
            expression: The condition.
            scope: Which revisions are looked at, and their order.
            parameters: Name → value of what the expression names beside the vocabulary.
            limit: Hits at most.
            after: `next_token` of the page before, of the same search; None for the first page.

        Raises:
            FilterError: The expression says nothing that can be searched by, or the token is of another search.
            InvalidRevisionError: `limit` is less than 1.
        """
        if isinstance(limit, bool) or not isinstance(limit, int) or not 1 <= limit <= MAX_HITS_PER_PAGE:
            raise InvalidRevisionError(f"limit must be >= 1 and <= {MAX_HITS_PER_PAGE}, got {limit!r}.")
        order = scope.order
        condition = read_condition(expression, parameters)
        question = _shortened(condition, scope)
        place = None if after is None else place_from_token(after, question, order)

        def read(connection: Connection) -> SearchPage:
            _require_names_of(connection, place, after)
            plan = self._plan(connection, condition, scope, place)
            rows = plan.answer(connection, order, None if place is None else place.values, limit + 1).rows
            revisions = complete(connection, rows[:limit])
            token = None
            if len(rows) > limit:
                token = Place(
                    question, plan.scope.as_of, _count_renames(connection), order.values_of(revisions[-1])
                ).token()
            return SearchPage(tuple(revisions), token)

        return self.database.read_at_once(read)

    def count_hits(self, expression: str, scope: SearchScope = EVERYTHING_IN_FORCE, /, **parameters: object) -> int:
        """Count the revisions for which an expression holds.

        Raises:
            FilterError: The expression says nothing that can be searched by.
        """
        condition = read_condition(expression, parameters)

        def read(connection: Connection) -> int:
            plan = self._plan(connection, condition, scope)
            return int(execute_unprepared(connection, plan.columns(func.count())).scalar_one())

        return self.database.read(read)

    def explain_search(
        self,
        expression: str,
        scope: SearchScope = EVERYTHING_IN_FORCE,
        parameters: Mapping[str, object] | None = None,
        *,
        limit: int = 100,
    ) -> Explanation:
        """Find a first page, and return the statement that found it with the database's plan for it.

        Raises:
            FilterError: The expression says nothing that can be searched by.
        """
        condition = read_condition(expression, parameters)

        def read(connection: Connection) -> Explanation:
            plan = self._plan(connection, condition, scope)
            return explain(connection, plan.answer(connection, scope.order, None, limit + 1).statement)

        return self.database.read(read)

    def _plan(
        self,
        connection: Connection,
        condition: Expression,
        scope: SearchScope,
        place: Place | None = None,
    ) -> SearchPlan:
        resolved = scope.resolved()
        if place is not None:
            resolved = replace(resolved, as_of=place.as_of)
        plan = SearchPlan(with_facts(condition), resolved, self.database.is_sqlite)
        return replace(plan, lead=choose_lead(connection, plan))


def _count_renames(connection: Connection) -> int:
    """Count the changes of names: a place in an order by names is one among the names of its time."""
    return connection.scalar(_NUM_RENAMES) or 0


def _require_names_of(connection: Connection, place: Place | None, token: str | None) -> None:
    """Make sure that names are what they were when a page ended.

    Raises:
        FilterError: A name was changed since.
    """
    if place is not None and place.num_renames != _count_renames(connection):
        raise FilterError(token or "", "a name was changed since the page before: search again, from the first page.")


def _shortened(condition: Expression, scope: SearchScope) -> str:
    """Name a question in few characters."""
    asked = repr((condition, scope))
    return hashlib.sha256(asked.encode("utf-8", "backslashreplace")).hexdigest()[:12]
