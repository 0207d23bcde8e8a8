"""Who was called how at a time: names change, and the old one may be somebody else's by now."""

from datetime import datetime

from sqlalchemy import Connection, Exists, FromClause, Row, and_, bindparam, exists, func, or_, select, union_all

from openg2g.catalog.history import queries
from openg2g.catalog.schema.tables import NAMES, RENAMES, REVISIONS

_change = RENAMES.alias("change")
_known = RENAMES.alias("known")
_present = NAMES.alias("present")
_successor = NAMES.alias("successor")
_first = REVISIONS.alias("first_of_revisions")

_last_known = (
    select(_known.c.number)
    .where(_known.c.name_id == NAMES.c.id, _known.c.recorded_at <= bindparam("known_at"))
    .order_by(_known.c.number.desc())
    .limit(queries.ONE)
    .correlate(NAMES)
    .scalar_subquery()
)
_is_next_change = (_change.c.name_id == NAMES.c.id, _change.c.number == func.coalesce(_last_known, 0) + 1)
_called_then = func.coalesce(  # What the change after the last known one took from it, else what it is called now.
    select(_change.c.old_name).where(*_is_next_change).scalar_subquery(), NAMES.c.name
)
_ever_called = union_all(  # Two look-ups in indexes; `or` would have every name read.
    select(_present.c.id).where(_present.c.name == bindparam("name")),
    select(RENAMES.c.name_id).where(RENAMES.c.old_name == bindparam("name")),
)


def _is_known(names: FromClause) -> Exists:
    first = (_first.c.name_id == names.c.id, _first.c.number == queries.ONE)
    return exists().where(*first, _first.c.recorded_at <= bindparam("known_at"))


_is_succeeded = (
    exists()
    .where(  # A change that a clock dated ahead had been made when its successor was first used.
        _successor.c.id.in_(_ever_called),
        _successor.c.id != NAMES.c.id,
        _successor.c.created_at
        >= select(_change.c.recorded_at).where(*_is_next_change).correlate(NAMES).scalar_subquery(),
        _is_known(_successor),
    )
    .correlate(NAMES)
)
_is_called_so = and_(_called_then == bindparam("name"), ~_is_succeeded)

PRESENT_NAME = (
    select(NAMES.c.id, NAMES.c.name)
    .where(NAMES.c.id.in_(_ever_called), _is_known(NAMES))
    .where(or_(_called_then == bindparam("name"), NAMES.c.name == bindparam("name")))
    # A copy may have brought another name that was called so then, elsewhere: who was here first goes on to answer.
    .order_by(_is_called_so.desc(), NAMES.c.id)
    .limit(queries.ONE)
)
"""Id and present name of who was called `name` at `known_at`, or of who is called so now, where nobody was."""


def find_present_name(connection: Connection, name: str, known_at: datetime) -> Row[int, str] | None:
    """Return id and present name of who was called so then, or is called so now; None where none was known then."""
    return connection.execute(PRESENT_NAME, {"name": name, "known_at": known_at}).first()
