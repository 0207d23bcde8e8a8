"""How revisions are selected: the one join that all questions share, and complete revisions out of its rows.

Statements are built once, since building one costs as much as running it. Every statement that looks at a name takes
`known_at` (and those that ask what was in force `as_of`); whoever wants all that is known gives the end of time.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import (
    BindParameter,
    ColumnElement,
    Connection,
    Row,
    Select,
    SQLColumnExpression,
    bindparam,
    literal,
    literal_column,
    select,
)
from sqlalchemy.orm import aliased

from openg2g.catalog.engine.clock import SERVER_TIME
from openg2g.catalog.engine.keys import are_among, is_among
from openg2g.catalog.history.content import read_workloads
from openg2g.catalog.schema.content_rows import WorkloadModelRow, WorkloadRow
from openg2g.catalog.schema.convert import revision_from_row
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.catalog.schema.types import UtcTimestamp
from openg2g.models.revision import Revision

RevisionRowRead = Row[*tuple[Any, ...]]
"""A row of `NAMED_REVISIONS`."""


def revision_columns(
    name: type[NameRow] = NameRow,
    revision: type[RevisionRow] = RevisionRow,
    workload: type[WorkloadRow] = WorkloadRow,
) -> list[SQLColumnExpression[Any]]:
    """Return what `complete` makes a revision of, from the tables of a statement or their aliases."""
    return [
        name.id.label("name_id"),
        name.name,
        revision.number,
        revision.workload_id,
        workload.digest,
        revision.recorded_at,
        revision.effective_from,
        revision.author,
        revision.message,
        revision.source,
        revision.annotations,
    ]


NAMED_REVISIONS: Select[*tuple[Any, ...]] = (
    select(*revision_columns())
    .select_from(NameRow)
    .join(RevisionRow, RevisionRow.name_id == NameRow.id)
    .outerjoin(WorkloadRow, WorkloadRow.id == RevisionRow.workload_id)
)
"""Every revision with its name and the digest of its workload."""


def is_of_name(name: str | BindParameter[str]) -> ColumnElement[bool]:
    """Condition: a revision of this name.

    A sub-query, so that Postgres' planner knows that there is one name, and reads its revisions in the order of a key.
    """
    named = aliased(NameRow, name="named")
    return RevisionRow.name_id == select(named.id).where(named.name == name).scalar_subquery()


ONE: ColumnElement[int] = literal_column("1")
"""A limit that is part of the statement: as a parameter it hides from Postgres' planner, which then plans for many."""

_is_known = RevisionRow.recorded_at <= bindparam("known_at")
_is_effective = RevisionRow.effective_from <= bindparam("as_of")
_of_name = NAMED_REVISIONS.where(is_of_name(bindparam("name")), _is_known)

REVISIONS_OF_NAME = _of_name.order_by(RevisionRow.number)


@dataclass(frozen=True)
class Questions:
    """The statements that find one revision, whatever they tell of it.

    Attributes:
        latest: That of `name` with the highest number.
        in_force: That of `name` which was in force at `as_of`.
        number: Revision `number` of `name`.
        last_of_digest: The one that recorded the workload of `digest` last.
    """

    latest: Select[*tuple[Any, ...]]
    in_force: Select[*tuple[Any, ...]]
    number: Select[*tuple[Any, ...]]
    last_of_digest: Select[*tuple[Any, ...]]

    def models(self) -> "Questions":
        """Return the statements that tell the ids of its models instead, a row for each; none where it has none."""
        return Questions(*(_models_of(getattr(self, field.name)) for field in fields(self)))


def _models_of(revision: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    workload_id = revision.with_only_columns(RevisionRow.workload_id).scalar_subquery()
    models = select(WorkloadModelRow.model_spec_id).where(WorkloadModelRow.workload_id == workload_id)
    return models.order_by(WorkloadModelRow.position)


REVISION = Questions(
    latest=_of_name.order_by(RevisionRow.number.desc()).limit(ONE),
    in_force=_of_name.where(_is_effective)
    .order_by(RevisionRow.effective_from.desc(), RevisionRow.number.desc())
    .limit(ONE),
    number=_of_name.where(RevisionRow.number == bindparam("number")),
    last_of_digest=NAMED_REVISIONS.where(WorkloadRow.digest == bindparam("digest"), _is_known)
    .order_by(RevisionRow.recorded_at.desc(), NameRow.name, RevisionRow.number.desc())
    .limit(ONE),
)
"""Everything that is known of the revision: what `complete` takes."""

BEFORE = _of_name.where(_is_effective, RevisionRow.number < bindparam("number"))
BEFORE = BEFORE.order_by(RevisionRow.effective_from.desc(), RevisionRow.number.desc()).limit(ONE)
"""The revision of `name` that was in force at `as_of` before `number` was recorded."""

NEXT = _of_name.where(RevisionRow.effective_from > bindparam("as_of"))
NEXT = NEXT.order_by(RevisionRow.effective_from, RevisionRow.number.desc()).limit(ONE)
"""The revision of `name` that comes into force next after `as_of`."""

MODELS = REVISION.models()
"""The ids of its models."""

_other = aliased(RevisionRow, name="other")
_known_numbers = select(_other.number).where(_other.name_id == NameRow.id, _other.recorded_at <= bindparam("known_at"))
_named = NAMED_REVISIONS.where(is_among(NameRow.name, "names"))
_of_ids = NAMED_REVISIONS.where(is_among(NameRow.id, "ids"))

_highest_number = _known_numbers.order_by(_other.number.desc()).limit(ONE).scalar_subquery()
_number_in_force = (
    _known_numbers.where(_other.effective_from <= bindparam("as_of"))
    .order_by(_other.effective_from.desc(), _other.number.desc())
    .limit(ONE)
    .scalar_subquery()
)


def _latest(revisions: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    latest = revisions.where(RevisionRow.number == _highest_number)
    return latest.add_columns(_number_in_force.label("number_in_force"), SERVER_TIME)


LATEST_OF_NAMES = _latest(_named)
"""The revision of each of `names` with the highest number, and the number of the one that is in force."""

LATEST_OF_IDS = _latest(_of_ids)
"""The same of the names with these `ids`."""

IN_FORCE_OF_IDS = _of_ids.where(RevisionRow.number == _number_in_force)

WITH_KEYS = NAMED_REVISIONS.where(are_among(RevisionRow.name_id, RevisionRow.number, "keys"))
"""The revisions of `keys`, a list in JSON of pairs of the id of a name and a number."""

BEGUN_OF_NAMES = _named.where(is_among(RevisionRow.effective_from, "times")).order_by(RevisionRow.number)
"""The revisions of each of `names` that apply from one of `times`."""


def is_in_force(
    as_of: datetime,
    known_at: datetime | None,
    number: SQLColumnExpression[int] = RevisionRow.number,
    name_id: SQLColumnExpression[int] = RevisionRow.name_id,
) -> ColumnElement[bool]:
    """Condition: it is the number of the revision of a name that was in force at a time, as known at another.

    Whose revision it is may also be said by a column of a table that comes first, so that the number is looked up.
    """
    return number == in_force_of(_other, _other.number, name_id, as_of, known_at).scalar_subquery()


def in_force_of(
    revision: type[RevisionRow],
    told: Any,
    name_id: SQLColumnExpression[int],
    as_of: datetime,
    known_at: datetime | None,
) -> Select[*tuple[Any, ...]]:
    """Select what is told of the revision of a name of the statement around that was in force at a time."""
    query: Select[*tuple[Any, ...]] = select(told).where(
        revision.name_id == name_id, revision.effective_from <= literal(as_of, UtcTimestamp())
    )
    if known_at is not None:
        query = query.where(revision.recorded_at <= literal(known_at, UtcTimestamp()))
    order = revision.effective_from.desc(), revision.number.desc()
    return query.order_by(*order).limit(ONE).correlate_except(revision)


def find_by_keys(connection: Connection, keys: Sequence[tuple[int, int]]) -> list[Revision]:
    """Return the revisions with these ids of names and numbers, in their order."""
    rows = connection.execute(WITH_KEYS, {"keys": json.dumps(keys)}).all()
    found = {(row.name_id, row.number): row for row in rows}
    return complete(connection, [found[key] for key in keys])


def complete(connection: Connection, rows: Sequence[RevisionRowRead]) -> list[Revision]:
    """Make revisions of rows of `NAMED_REVISIONS`, with their workloads, in few statements."""
    workloads = read_workloads(connection, [row.workload_id for row in rows if row.workload_id is not None])
    return [revision_from_row(row, workloads.get(row.workload_id)) for row in rows]
