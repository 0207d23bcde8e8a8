"""Who was called how at a time: names change, and the old one may be somebody else's by now."""

from datetime import datetime

from sqlalchemy import Connection, Exists, Row, and_, bindparam, exists, func, or_, select, union_all
from sqlalchemy.orm import aliased

from openg2g.catalog.history import queries
from openg2g.catalog.schema.history_rows import NameRow, RenameRow, RevisionRow

_change = aliased(RenameRow, name="change")
_known = aliased(RenameRow, name="known")
_present = aliased(NameRow, name="present")
_successor = aliased(NameRow, name="successor")
_first = aliased(RevisionRow, name="first_of_revisions")

_last_known = (
    select(_known.number)
    .where(_known.name_id == NameRow.id, _known.recorded_at <= bindparam("known_at"))
    .order_by(_known.number.desc())
    .limit(queries.ONE)
    .correlate(NameRow)
    .scalar_subquery()
)
_is_next_change = (_change.name_id == NameRow.id, _change.number == func.coalesce(_last_known, 0) + 1)
_called_then = func.coalesce(  # What the change after the last known one took from it, else what it is called now.
    select(_change.old_name).where(*_is_next_change).scalar_subquery(), NameRow.name
)
_ever_called = union_all(  # Two look-ups in indexes; `or` would have every name read.
    select(_present.id).where(_present.name == bindparam("name")),
    select(RenameRow.name_id).where(RenameRow.old_name == bindparam("name")),
)


def _is_known(names: type[NameRow]) -> Exists:
    first = (_first.name_id == names.id, _first.number == queries.ONE)
    return exists().where(*first, _first.recorded_at <= bindparam("known_at"))


_is_succeeded = (
    exists()
    .where(  # A change that a clock dated ahead had been made when its successor was first used.
        _successor.id.in_(_ever_called),
        _successor.id != NameRow.id,
        _successor.created_at
        >= select(_change.recorded_at).where(*_is_next_change).correlate(NameRow).scalar_subquery(),
        _is_known(_successor),
    )
    .correlate(NameRow)
)
_is_called_so = and_(_called_then == bindparam("name"), ~_is_succeeded)

PRESENT_NAME = (
    select(NameRow.id, NameRow.name)
    .where(NameRow.id.in_(_ever_called), _is_known(NameRow))
    .where(or_(_called_then == bindparam("name"), NameRow.name == bindparam("name")))
    # A copy may have brought another name that was called so then, elsewhere: who was here first goes on to answer.
    .order_by(_is_called_so.desc(), NameRow.id)
    .limit(queries.ONE)
)
"""Id and present name of who was called `name` at `known_at`, or of who is called so now, where nobody was."""


def find_present_name(connection: Connection, name: str, known_at: datetime) -> Row[int, str] | None:
    """Return id and present name of who was called so then, or is called so now; None where none was known then."""
    return connection.execute(PRESENT_NAME, {"name": name, "known_at": known_at}).first()
