"""Lists: names, what each stands for, and the log of everything recorded."""

import fnmatch
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    SQLColumnExpression,
    func,
    literal,
    literal_column,
    select,
    tuple_,
)

from openg2g.catalog.engine import clock
from openg2g.catalog.history import names, queries
from openg2g.catalog.history.heads import find_heads_of_ids
from openg2g.catalog.history.queries import NAMED_REVISIONS, complete
from openg2g.catalog.history.reference import NOW, Viewpoint
from openg2g.catalog.schema.content_rows import ModelSpecRow, WorkloadRow
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.catalog.schema.indexes import INDEX_OF
from openg2g.catalog.schema.types import UtcTimestamp
from openg2g.models.revision import Revision

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
        viewpoint: Recorded and effective by these times; None does not mean now here.
        oldest_first: Order: from the first recorded, or from the last.
    """

    name: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    author: str | None = None
    viewpoint: Viewpoint = NOW
    oldest_first: bool = False


def names_like(connection: Connection, pattern: str) -> Iterator[tuple[int, str]]:
    """Yield id and name of each name that matches a pattern of `*`, `?` and `[…]`, in code-point order."""
    beginning = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
    query = select(NameRow.id, NameRow.name).order_by(NameRow.name)
    if beginning:
        query = query.where(NameRow.name >= beginning)
        if ord(beginning[-1]) < 0xD7FF:  # The next character begins what is after all names that begin so.
            query = query.where(NameRow.name < beginning[:-1] + chr(ord(beginning[-1]) + 1))
    for name_id, name in connection.execute(query):
        if fnmatch.fnmatchcase(name, pattern):
            yield name_id, name


@dataclass(frozen=True)
class NameStatus:
    """What a name stands for, and what else there is of it.

    Attributes:
        name: The name.
        in_force: The revision in force; None where all lie ahead.
        latest: The revision with the highest number.
        as_of: The time that was asked about.
    """

    name: str
    in_force: Revision | None
    latest: Revision
    as_of: datetime

    @property
    def is_retired(self) -> bool:
        """Whether a retirement is in force."""
        return self.in_force is not None and self.in_force.is_retirement

    @property
    def newer(self) -> Revision | None:
        """The revision with the highest number, where another one is in force."""
        return None if self.in_force is None or self.in_force.number == self.latest.number else self.latest


@dataclass(frozen=True)
class RevisionContext:
    """What belongs to a revision beside itself, all at one moment.

    Attributes:
        status: What its name stands for.
        upcoming: The revision that comes into force next; None where nothing is to come.
        aliases: The aliases that stand for the revision.
        tags: The tags of its name.
    """

    status: NameStatus
    upcoming: Revision | None
    aliases: tuple[str, ...]
    tags: Mapping[str, str]


def context_of(connection: Connection, revision: Revision, viewpoint: Viewpoint) -> RevisionContext:
    """Return the context of a revision, on a connection on which every statement sees the same state."""
    name_id = names.find_name_id(connection, revision.name)
    assert name_id is not None  # It was found by this connection.
    status = statuses_of(connection, [name_id], viewpoint)[0]
    parameters = {"name": revision.name, "as_of": status.as_of, "known_at": viewpoint.horizon}
    upcoming = complete(connection, connection.execute(queries.NEXT, parameters).all())
    aliases = names.current_aliases(names.alias_moves(connection, name_id, viewpoint.horizon))
    return RevisionContext(
        status,
        upcoming[0] if upcoming else None,
        tuple(alias for alias, number in aliases.items() if number == revision.number),
        names.tags_of(connection, name_id) if viewpoint.known_at is None else {},  # Tags have no history.
    )


def statuses_of(connection: Connection, name_ids: Sequence[int], viewpoint: Viewpoint) -> list[NameStatus]:
    """Return the status of each name, in the given order; names without a revision that is known are left out."""
    as_of = viewpoint.as_of or clock.now()
    heads = find_heads_of_ids(connection, name_ids, as_of, viewpoint.horizon)
    found = [heads[name_id] for name_id in name_ids if name_id in heads]
    others = [head.in_force for head in found if head.in_force is not None and head.in_force is not head.latest]
    revisions = complete(connection, [*(head.latest for head in found), *others])
    of_others = iter(revisions[len(found) :])
    return [
        NameStatus(
            latest.name,
            latest if head.in_force is head.latest else None if head.in_force is None else next(of_others),
            latest,
            as_of,
        )
        for head, latest in zip(found, revisions, strict=False)
    ]


def where_name(connection: Connection, name: str, viewpoint: Viewpoint) -> list[Revision]:
    """Return the revisions of a name, first to latest; none for an unknown name."""
    parameters = {"name": name, "known_at": viewpoint.horizon}
    return complete(connection, connection.execute(queries.REVISIONS_OF_NAME, parameters).all())


def log_page(
    connection: Connection, wanted: LogFilter, name_id: int | None, after: LogKey | None, size: int
) -> tuple[list[Revision], LogKey | None]:
    """Return the next revisions of a log, at most `size`, that come after a place in it, and the place of the last.

    Args:
        connection: Where.
        wanted: Which; its name is of no account.
        name_id: Of the name with this id; None for all names.
        after: A place; None for the beginning.
        size: How many at most.
    """
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


def count_rows(connection: Connection) -> dict[str, int]:
    """Count names, revisions and distinct workloads and model specs."""
    columns: dict[str, SQLColumnExpression[int]] = {
        "names": NameRow.id,
        "revisions": RevisionRow.number,
        "workloads": WorkloadRow.id,
        "model_specs": ModelSpecRow.id,
    }
    return {table: connection.scalar(select(func.count(column))) or 0 for table, column in columns.items()}


def _conditions(wanted: LogFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.since is not None:
        conditions.append(RevisionRow.recorded_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(RevisionRow.recorded_at < wanted.until)
    if wanted.author is not None:
        # LIKE heeds case on one engine and not on the other; this does on both.
        conditions.append(func.replace(RevisionRow.author, wanted.author, "") != RevisionRow.author)
    if wanted.viewpoint.known_at is not None:
        conditions.append(RevisionRow.recorded_at <= wanted.viewpoint.known_at)
    if wanted.viewpoint.as_of is not None:
        conditions.append(RevisionRow.effective_from <= wanted.viewpoint.as_of)
    return conditions
