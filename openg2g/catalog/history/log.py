"""The log: everything that was recorded, in the order of recording, of one name or of all."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from itertools import islice
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, SQLColumnExpression, func, literal, literal_column, tuple_

from openg2g.catalog.engine.database import Database
from openg2g.catalog.history import resolve
from openg2g.catalog.history.queries import NAMED_REVISIONS, complete
from openg2g.catalog.schema.history_rows import RevisionRow
from openg2g.catalog.schema.indexes import INDEX_OF
from openg2g.catalog.schema.types import UtcTimestamp
from openg2g.models.errors import InvalidRevisionError
from openg2g.models.instant import TimeField
from openg2g.models.revision import Revision, check_name, check_text

_REVISIONS_PER_BLOCK = 500

LogKey = tuple[datetime, int, int]
"""The place of a revision in a log: when it was recorded, the id of its name, its number. It never changes."""


@dataclass(frozen=True)
class LogFilter:
    """Which revisions a log has; None for no limit.

    Attributes:
        name: Of this name.
        since: Recorded at this time or later.
        until: Recorded before this time.
        author: Whose author contains this text; case counts.
        as_of: Effective by this time.
        known_at: Recorded by this time.
        oldest_first: Order: from the first recorded, or from the last.
    """

    name: str | None = None
    since: TimeField = TimeField()
    until: TimeField = TimeField()
    author: str | None = None
    as_of: TimeField = TimeField()
    known_at: TimeField = TimeField()
    oldest_first: bool = False


def iter_log(database: Database, wanted: LogFilter, limit: int | None = None) -> Iterator[Revision]:
    """Yield the revisions of a log, at most `limit`, fetched as they are needed."""
    if limit is not None and limit < 1:
        raise InvalidRevisionError(f"limit must be >= 1, got {limit}.")
    if wanted.author is not None:
        check_text("author", wanted.author)
    name_id = None
    if wanted.name is not None:
        name = check_name(wanted.name)
        name_id = database.read(lambda connection: resolve.find_name(connection, name, wanted.known_at)).id
    return islice(_pages(database, wanted, name_id, min(limit or _REVISIONS_PER_BLOCK, _REVISIONS_PER_BLOCK)), limit)


def _pages(database: Database, wanted: LogFilter, name_id: int | None, size: int) -> Iterator[Revision]:
    read = partial(log_page, wanted=wanted, name_id=name_id, size=size)
    page, last = database.read(partial(read, after=None))
    yield from page
    while last is not None:
        page, last = database.read(partial(read, after=last))
        yield from page


def log_page(
    connection: Connection, wanted: LogFilter, name_id: int | None, after: LogKey | None, size: int
) -> tuple[list[Revision], LogKey | None]:
    """Return the next revisions of a log, at most `size`, that come after a place in it, and the place of the last."""
    rows = connection.execute(log_query(wanted, name_id, after, size)).all()
    last = (rows[-1].recorded_at, rows[-1].name_id, rows[-1].number) if len(rows) == size else None
    return complete(connection, rows), last


def log_query(wanted: LogFilter, name_id: int | None, after: LogKey | None, size: int) -> Select[*tuple[Any, ...]]:
    """Select a page of a log: by recorded time, and what has the same by the ids of the names, which never change.

    Within a name the order is that of the numbers; recorded times never decrease there, so they agree.
    """
    key = tuple_(RevisionRow.recorded_at, RevisionRow.name_id, RevisionRow.number)
    query = NAMED_REVISIONS.where(*_conditions(wanted)).limit(literal_column(str(size)))  # For the reason of `ONE`.
    if after is not None:
        recorded_at, *rest = after
        # The type must be said: a bare time would be written as SQLAlchemy does, not as the column does.
        place = tuple_(literal(recorded_at, UtcTimestamp()), *rest)
        query = query.where(key > place if wanted.oldest_first else key < place)
    order: list[SQLColumnExpression[Any]] = [RevisionRow.recorded_at, RevisionRow.name_id, RevisionRow.number]
    if name_id is not None:
        query, order = query.where(RevisionRow.name_id == name_id), order[2:]
    else:  # With statistics, SQLite would rather sort everything.
        query = query.with_hint(RevisionRow, f"INDEXED BY {INDEX_OF['recorded_at']}", "sqlite")
    return query.order_by(*(column if wanted.oldest_first else column.desc() for column in order))


def _conditions(wanted: LogFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        conditions.append(RevisionRow.recorded_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(RevisionRow.recorded_at < wanted.until)
    if wanted.author is not None:
        # LIKE heeds case on one engine and not on the other; this does on both.
        conditions.append(func.replace(RevisionRow.author, wanted.author, "") != RevisionRow.author)
    if wanted.known_at is not None:
        conditions.append(RevisionRow.recorded_at <= wanted.known_at)
    if wanted.as_of is not None:
        conditions.append(RevisionRow.effective_from <= wanted.as_of)
    return conditions
