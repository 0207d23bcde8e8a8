"""The order of a search's hits, and places in it: a token says where a page ended and the next one goes on."""

import base64
import binascii
import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any, Literal

from sqlalchemy import BigInteger, ColumnElement, Double, Text, and_, literal, or_
from sqlalchemy.types import TypeEngine

from openg2g.catalog.schema.base import Row
from openg2g.catalog.schema.indexes import INDEX_OF
from openg2g.catalog.schema.types import UtcTimestamp
from openg2g.catalog.search.constructs import by_code_points
from openg2g.catalog.search.sources import Scope
from openg2g.models.errors import FilterError
from openg2g.models.revision import Revision


@dataclass(frozen=True)
class SortKey:
    """What hits can be sorted by: a stored column. What is computed is stored first, as `workloads.total_gpus` is.

    Attributes:
        table: The table that holds it, as `Scope` calls it.
        column: Its column there.
        type: Type of its values as parameters.
        of_revision: The same of a revision.
        is_code_points: Whether the column, where it is a text, sorts by code points on both engines.
    """

    table: Literal["name", "revision", "workload"]
    column: str
    type: TypeEngine[Any]
    of_revision: Callable[[Revision], Any]
    is_code_points: bool = True

    @property
    def index(self) -> str | None:
        """Index of the table that sorts by it; None where there is none."""
        return INDEX_OF.get(self.column)

    def in_scope(self, scope: Scope) -> ColumnElement[Any]:
        """Return the column in a statement."""
        table: type[Row] = {"name": scope.name, "revision": scope.revision, "workload": scope.workload}[self.table]
        column: ColumnElement[Any] = getattr(table, self.column)
        return column if self.is_code_points else by_code_points(column)


_KEYS: Mapping[str, SortKey] = {
    "name": SortKey("name", "name", Text(), attrgetter("name")),
    "number": SortKey("revision", "number", BigInteger(), attrgetter("number")),
    "total_gpus": SortKey("workload", "total_gpus", BigInteger(), attrgetter("workload.total_gpus")),
    "num_models": SortKey("workload", "num_models", BigInteger(), lambda revision: len(_deadlines(revision))),
    "least_itl_deadline_s": SortKey(
        "workload", "least_itl_deadline_s", Double(), lambda revision: min(_deadlines(revision))
    ),
    "greatest_itl_deadline_s": SortKey(
        "workload", "greatest_itl_deadline_s", Double(), lambda revision: max(_deadlines(revision))
    ),
    "digest": SortKey("workload", "digest", Text(), attrgetter("digest")),
    "recorded_at": SortKey("revision", "recorded_at", UtcTimestamp(), attrgetter("recorded_at")),
    "effective_from": SortKey("revision", "effective_from", UtcTimestamp(), attrgetter("effective_from")),
    "author": SortKey("revision", "author", Text(), attrgetter("author"), is_code_points=False),
    "message": SortKey("revision", "message", Text(), attrgetter("message"), is_code_points=False),
    "source": SortKey("revision", "source", Text(), attrgetter("source"), is_code_points=False),
}
SORT_KEYS = tuple(_KEYS)
"""What hits can be sorted by."""


@dataclass(frozen=True)
class SearchOrder:
    """An order in which every revision has a place of its own.

    Attributes:
        keys: Sort keys, `-` before those that go from the greatest; `name` and `number` come last in any case.

    Raises:
        FilterError: There is no such key.
    """

    keys: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the keys, and complete them so that no two revisions have the same place."""
        names = [key.removeprefix("-") for key in self.keys]
        for key, name in zip(self.keys, names, strict=True):
            if name not in _KEYS:
                close = difflib.get_close_matches(name, SORT_KEYS, n=3)
                hint = f"Did you mean {' or '.join(close)}?" if close else f"Sort by {', '.join(SORT_KEYS)}."
                raise FilterError(",".join(self.keys), f"{key!r} is nothing to sort by. {hint}")
            if names.count(name) > 1:
                raise FilterError(",".join(self.keys), f"{name!r} comes twice in the sort keys.")
        object.__setattr__(self, "keys", (*self.keys, *(name for name in ("name", "number") if name not in names)))

    @classmethod
    def of(cls, sort: str | Sequence[str]) -> "SearchOrder":
        """Read sort keys, which may be one text with commas.

        Raises:
            FilterError: There is no such sort key.
        """
        keys = (key.strip() for key in sort.split(",")) if isinstance(sort, str) else map(str, sort)
        return cls(tuple(keys))

    @property
    def first(self) -> SortKey:
        """The first sort key."""
        return _KEYS[self.keys[0].removeprefix("-")]

    @property
    def is_descending(self) -> bool:
        """Whether the first key goes from the greatest."""
        return self.keys[0].startswith("-")

    def columns(self, scope: Scope) -> list[ColumnElement[Any]]:
        """Return what to order by."""
        return [column.desc() if descends else column.asc() for column, _, descends in self._sorted(scope)]

    def after(self, scope: Scope, values: Sequence[Any]) -> ColumnElement[bool]:
        """Condition: comes after the place of a revision that has these values."""
        beyond: list[ColumnElement[bool]] = []
        tied: list[ColumnElement[bool]] = []
        for (column, kind, descends), value in zip(self._sorted(scope), values, strict=True):
            place = literal(value, kind)
            beyond.append(and_(*tied, column < place if descends else column > place))
            tied.append(column == place)
        # Said once more of the first key alone, as a range that an index can begin at.
        return and_(self.from_first(self.first.in_scope(scope), values[0]), or_(*beyond))

    def from_first(self, column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
        """Condition: does not come before a value of the first key."""
        place = literal(value, self.first.type)
        return column <= place if self.is_descending else column >= place

    def until_first(self, column: ColumnElement[Any], value: Any) -> ColumnElement[bool]:
        """Condition: does not come after a value of the first key."""
        place = literal(value, self.first.type)
        return column >= place if self.is_descending else column <= place

    def values_of(self, revision: Revision) -> tuple[Any, ...]:
        """Return the place of a revision."""
        return tuple(_KEYS[key.removeprefix("-")].of_revision(revision) for key in self.keys)

    def _sorted(self, scope: Scope) -> list[tuple[ColumnElement[Any], TypeEngine[Any], bool]]:
        keys = [(_KEYS[name.removeprefix("-")], name.startswith("-")) for name in self.keys]
        return [(key.in_scope(scope), key.type, descends) for key, descends in keys]


@dataclass(frozen=True)
class Place:
    """Where a page ended.

    Attributes:
        question: What was asked, shortened: a token is of no use for another question.
        as_of: The time that the first page was asked about; None where all revisions were.
        num_renames: How many changes of names there had been: where there are more, hits may have changed places.
        values: Place of the last revision of the page.
    """

    question: str
    as_of: datetime | None
    num_renames: int
    values: tuple[Any, ...]

    def token(self) -> str:
        """Write the place as text."""
        as_of = None if self.as_of is None else self.as_of.isoformat()
        value = [self.question, as_of, self.num_renames, list(map(_plain, self.values))]
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_from_token(token: str, question: str, order: SearchOrder) -> Place:
    """Read a place.

    Raises:
        FilterError: The text is no token, or one of another search.
    """
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        asked, as_of, num_renames, values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if asked != question:
            raise FilterError(token, "this token belongs to another search: repeat expression, times and order.")
        kinds = [_KEYS[key.removeprefix("-")].type for key in order.keys]
        read = tuple(_typed(value, kind) for value, kind in zip(values, kinds, strict=True))
        return Place(asked, None if as_of is None else _time(as_of), _typed(num_renames, BigInteger()), read)
    except (ValueError, TypeError, AttributeError, OverflowError, binascii.Error, RecursionError) as error:
        if isinstance(error, FilterError):
            raise
        raise FilterError(token, "this is no token of a search: take it from the page before.") from None


def _deadlines(revision: Revision) -> list[float]:
    assert revision.workload is not None
    return [spec.itl_deadline_s for spec in revision.workload.models]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def _typed(value: object, kind: TypeEngine[Any]) -> Any:
    if isinstance(kind, UtcTimestamp):
        return _time(value)
    expected: type = str if isinstance(kind, Text) else float if isinstance(kind, Double) else int
    if type(value) is not expected or (expected is int and not 0 <= value < 2**63):  # type: ignore[operator]
        raise ValueError
    if isinstance(value, str):
        value.encode()  # A lone surrogate is an UnicodeEncodeError, a ValueError.
        if "\0" in value:
            raise ValueError
    return value


def _time(value: object) -> datetime:
    if not isinstance(value, str):
        raise ValueError
    time = datetime.fromisoformat(value)
    if time.tzinfo is None:
        raise ValueError
    return time.astimezone(UTC)
