"""Lists: names, what each stands for, and the log of everything recorded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, Select, func, literal, literal_column, select, tuple_

from openg2g.catalog import clock
from openg2g.catalog import revision_queries as queries
from openg2g.catalog.heads import find_heads
from openg2g.catalog.indexes import INDEX_OF
from openg2g.catalog.reference import NOW, Viewpoint
from openg2g.catalog.revision_queries import NAMED_REVISIONS, complete, is_of_name
from openg2g.catalog.tables import MODEL_SPECS, NAMES, REVISIONS, WORKLOADS, UtcTimestamp
from openg2g.models.revision import Revision


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


def names_from(
    connection: Connection, prefix: str, after: str | None = None, limit: int | None = None
) -> Sequence[str]:
    """Return the names that begin with a prefix, in code-point order; names behind all of these may be among them.

    Args:
        connection: Where.
        prefix: What they begin with; empty for all names.
        after: Only names behind this one.
        limit: At most so many.
    """
    query = select(NAMES.c.name).order_by(NAMES.c.name)
    if after is not None:
        query = query.where(NAMES.c.name > after)
    if limit is not None:
        query = query.limit(literal_column(str(limit)))  # For the reason of `ONE`.
    if prefix:
        query = query.where(NAMES.c.name >= prefix)
        if ord(prefix[-1]) < 0xD7FF:  # The next character begins what is after all names with the prefix.
            query = query.where(NAMES.c.name < prefix[:-1] + chr(ord(prefix[-1]) + 1))
    return connection.scalars(query).all()


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


def statuses_of_names(connection: Connection, names: Sequence[str], viewpoint: Viewpoint) -> list[NameStatus]:
    """Return the status of each name, in the given order; names without a revision that is known are left out."""
    as_of = viewpoint.as_of or clock.now()
    heads = find_heads(connection, names, as_of, viewpoint.horizon)
    found = [heads[name] for name in names if name in heads]
    latest = complete(connection, [head.latest for head in found])
    others = [head.in_force for head in found if head.in_force is not None and head.in_force is not head.latest]
    in_force = {revision.name: revision for revision in complete(connection, others)}
    return [
        NameStatus(
            revision.name,
            in_force.get(revision.name) if head.in_force is not head.latest else revision,
            revision,
            as_of,
        )
        for head, revision in zip(found, latest, strict=True)
    ]


def where_name(connection: Connection, name: str, viewpoint: Viewpoint) -> list[Revision]:
    """Return the revisions of a name, first to latest; none for an unknown name."""
    parameters = {"name": name, "known_at": viewpoint.horizon}
    return complete(connection, connection.execute(queries.REVISIONS_OF_NAME, parameters).all())


def log_page(connection: Connection, wanted: LogFilter, after: Revision | None, size: int) -> list[Revision]:
    """Return the next revisions of a log, at most `size`, that come after a revision of it."""
    return complete(connection, connection.execute(log_query(wanted, after, size)).all())


def log_query(wanted: LogFilter, after: Revision | None, size: int) -> Select[*tuple[Any, ...]]:
    """Select a page of a log.

    Within a name the order is that of the numbers; recorded times never decrease there, so they agree.
    """
    key = tuple_(REVISIONS.c.recorded_at, NAMES.c.name, REVISIONS.c.number)
    query = NAMED_REVISIONS.where(*_conditions(wanted)).limit(literal_column(str(size)))  # For the reason of `ONE`.
    if after is not None:
        # The type must be said: a bare time would be written as SQLAlchemy does, not as the column does.
        place = tuple_(literal(after.recorded_at, UtcTimestamp()), after.name, after.number)
        query = query.where(key > place if wanted.oldest_first else key < place)
    if wanted.name is None:  # With statistics, SQLite would rather sort everything.
        query = query.with_hint(REVISIONS, f"INDEXED BY {INDEX_OF['recorded_at']}", "sqlite")
    number: list[Column[Any]] = [REVISIONS.c.number]
    order: list[Column[Any]] = number if wanted.name is not None else [REVISIONS.c.recorded_at, NAMES.c.name, *number]
    return query.order_by(*(column if wanted.oldest_first else column.desc() for column in order))


def count_rows(connection: Connection) -> dict[str, int]:
    """Count names, revisions and distinct workloads and model specs."""
    columns: dict[str, Column[int]] = {
        "names": NAMES.c.id,
        "revisions": REVISIONS.c.number,
        "workloads": WORKLOADS.c.id,
        "model_specs": MODEL_SPECS.c.id,
    }
    return {table: connection.scalar(select(func.count(column))) or 0 for table, column in columns.items()}


def _conditions(wanted: LogFilter) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.name is not None:
        conditions.append(is_of_name(wanted.name))
    if wanted.since is not None:
        conditions.append(REVISIONS.c.recorded_at >= wanted.since)
    if wanted.until is not None:
        conditions.append(REVISIONS.c.recorded_at < wanted.until)
    if wanted.author is not None:
        # LIKE heeds case on one engine and not on the other; this does on both.
        conditions.append(func.replace(REVISIONS.c.author, wanted.author, "") != REVISIONS.c.author)
    if wanted.viewpoint.known_at is not None:
        conditions.append(REVISIONS.c.recorded_at <= wanted.viewpoint.known_at)
    if wanted.viewpoint.as_of is not None:
        conditions.append(REVISIONS.c.effective_from <= wanted.viewpoint.as_of)
    return conditions
