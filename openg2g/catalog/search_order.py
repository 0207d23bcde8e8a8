"""The order of a search's hits, and places in it: a token says where a page ended and the next one goes on."""

import base64
import binascii
import difflib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from operator import attrgetter
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Double, Text, and_, literal, or_
from sqlalchemy.orm import InstrumentedAttribute
from sqlalchemy.types import TypeEngine

from openg2g.catalog.tables import NameRow, RevisionRow, UtcTimestamp, WorkloadRow
from openg2g.models.errors import FilterError
from openg2g.models.revision import Revision


@dataclass(frozen=True)
class _Key:
    """What hits can be sorted by.

    Attributes:
        column: Where it is stored.
        type: Type of its values as parameters.
        of_revision: The same of a revision.
        is_code_points: Whether the column is a text that sorts by code points on both engines.
    """

    column: InstrumentedAttribute[Any]
    type: TypeEngine[Any]
    of_revision: Callable[[Revision], Any]
    is_code_points: bool = True


_KEYS: Mapping[str, _Key] = {
    "name": _Key(NameRow.name, Text(), attrgetter("name")),
    "number": _Key(RevisionRow.number, BigInteger(), attrgetter("number")),
    "total_gpus": _Key(WorkloadRow.total_gpus, BigInteger(), attrgetter("workload.total_gpus")),
    "num_models": _Key(WorkloadRow.num_models, BigInteger(), lambda revision: len(_deadlines(revision))),
    "least_itl_deadline_s": _Key(
        WorkloadRow.least_itl_deadline_s, Double(), lambda revision: min(_deadlines(revision))
    ),
    "greatest_itl_deadline_s": _Key(
        WorkloadRow.greatest_itl_deadline_s, Double(), lambda revision: max(_deadlines(revision))
    ),
    "digest": _Key(WorkloadRow.digest, Text(), attrgetter("digest")),
    "recorded_at": _Key(RevisionRow.recorded_at, UtcTimestamp(), attrgetter("recorded_at")),
    "effective_from": _Key(RevisionRow.effective_from, UtcTimestamp(), attrgetter("effective_from")),
    "author": _Key(RevisionRow.author, Text(), attrgetter("author"), is_code_points=False),
    "message": _Key(RevisionRow.message, Text(), attrgetter("message"), is_code_points=False),
    "source": _Key(RevisionRow.source, Text(), attrgetter("source"), is_code_points=False),
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
            if name not in _KEYS or names.count(name) > 1:
                why = "comes twice" if name in _KEYS else "is nothing to sort by"
                close = difflib.get_close_matches(name, SORT_KEYS, n=3)
                hint = f"Did you mean {' or '.join(close)}?" if close and why != "comes twice" else ""
                raise FilterError(
                    ",".join(self.keys), f"{key!r} {why}. {hint or 'Sort by ' + ', '.join(SORT_KEYS) + '.'}"
                )
        object.__setattr__(self, "keys", (*self.keys, *(name for name in ("name", "number") if name not in names)))

    @property
    def begins_with_name(self) -> bool:
        """Whether the names of the catalog, read in order, give the hits in order."""
        return self.keys[0].endswith("name")

    def columns(self, *, is_sqlite: bool) -> list[ColumnElement[Any]]:
        """Return what to order by."""
        return [
            column.desc() if is_descending else column.asc()
            for column, _, is_descending in self._sorted(is_sqlite=is_sqlite)
        ]

    def after(self, values: Sequence[Any], *, is_sqlite: bool) -> ColumnElement[bool]:
        """Condition: comes after the place of a revision that has these values."""
        beyond: list[ColumnElement[bool]] = []
        tied: list[ColumnElement[bool]] = []
        for (column, kind, is_descending), value in zip(self._sorted(is_sqlite=is_sqlite), values, strict=True):
            place = literal(value, kind)
            beyond.append(and_(*tied, column < place if is_descending else column > place))
            tied.append(column == place)
        first, kind, is_descending = self._sorted(is_sqlite=is_sqlite)[0]
        place = literal(values[0], kind)
        # Said once more of the first key alone, as a range that an index can begin at.
        return and_(first <= place if is_descending else first >= place, or_(*beyond))

    def values_of(self, revision: Revision) -> list[Any]:
        """Return the place of a revision."""
        return [_KEYS[key.removeprefix("-")].of_revision(revision) for key in self.keys]

    def _sorted(self, *, is_sqlite: bool) -> list[tuple[ColumnElement[Any], TypeEngine[Any], bool]]:
        found = []
        for name in self.keys:
            key = _KEYS[name.removeprefix("-")]
            column: ColumnElement[Any] = key.column.expression
            if not key.is_code_points and not is_sqlite:
                column = column.collate("C")
            found.append((column, key.type, name.startswith("-")))
        return found


@dataclass(frozen=True)
class Place:
    """Where a page ended.

    Attributes:
        question: What was asked, shortened: a token is of no use for another question.
        as_of: The time that the first page was asked about; None where all revisions were.
        values: Place of the last revision of the page.
    """

    question: str
    as_of: datetime | None
    values: tuple[Any, ...]

    def token(self) -> str:
        """Write the place as text."""
        value = [self.question, None if self.as_of is None else self.as_of.isoformat(), list(map(_plain, self.values))]
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"))
        return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def place_from_token(token: str, question: str, order: SearchOrder) -> Place:
    """Read a place.

    Raises:
        FilterError: The text is no token, or one of another search.
    """
    try:
        padded = token.encode("ascii") + b"=" * (-len(token) % 4)
        asked, as_of, values = json.loads(base64.b64decode(padded, altchars=b"-_", validate=True))
        if asked != question:
            raise FilterError(token, "this token belongs to another search: repeat expression, times and order.")
        kinds = [_KEYS[key.removeprefix("-")].type for key in order.keys]
        read = tuple(_typed(value, kind) for value, kind in zip(values, kinds, strict=True))
        return Place(asked, None if as_of is None else _time(as_of), read)
    except (ValueError, TypeError, binascii.Error, RecursionError) as error:
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
