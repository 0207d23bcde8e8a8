"""What belongs to a name beside its revisions: changes of the name, aliases and their moves, tags."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy import Connection, bindparam, delete, func, select, update

from openg2g.catalog.engine.bulk import insert_rows
from openg2g.catalog.engine.keys import is_among
from openg2g.catalog.schema.checksum import row_checksum
from openg2g.catalog.schema.convert import (
    alias_move_from_row,
    alias_move_to_row,
    name_to_row,
    rename_from_row,
    rename_to_row,
    tag_to_row,
)
from openg2g.catalog.schema.history_rows import AliasMoveRow, NameRow, RenameRow, TagRow
from openg2g.models.errors import InvalidRevisionError, NameTakenError
from openg2g.models.naming import AliasMove, Rename

_ALIAS_MOVES = (
    select(
        AliasMoveRow.alias,
        AliasMoveRow.revision_number,
        AliasMoveRow.recorded_at,
        AliasMoveRow.author,
        AliasMoveRow.message,
    )
    .where(AliasMoveRow.name_id == bindparam("name_id"), AliasMoveRow.recorded_at <= bindparam("known_at"))
    .order_by(AliasMoveRow.alias, AliasMoveRow.number)
)

LAST_FREED = select(func.max(RenameRow.recorded_at)).where(is_among(RenameRow.old_name, "names"))
"""When the last of `names` ceased to be the name of something else."""

_FREED = (
    select(RenameRow.old_name, func.max(RenameRow.recorded_at))
    .where(is_among(RenameRow.old_name, "names"))
    .group_by(RenameRow.old_name)
)


def times_of_freeing(connection: Connection, names: Sequence[str]) -> dict[str, datetime]:
    """Return name → when it ceased to be the name of something else; names that never were are left out.

    Whatever is called so next was first used no earlier, whatever clocks say: that tells which of the two is meant.
    """
    return {name: freed_at for name, freed_at in connection.execute(_FREED, {"names": names})}


def find_name_id(connection: Connection, name: str) -> int | None:
    """Return the id of a name, None for an unknown one."""
    return connection.scalar(select(NameRow.id).where(NameRow.name == name))


def change_name(connection: Connection, name_id: int, change: Rename, new: str) -> None:
    """Change a name; its history goes along."""
    if find_name_id(connection, new) is not None:
        raise NameTakenError(new)
    freed_at = times_of_freeing(connection, [new]).get(new, change.recorded_at)
    if freed_at > change.recorded_at:
        raise InvalidRevisionError(
            f"name {new!r} was another's until {freed_at}, which lies ahead of the clock: choose another, or wait."
        )
    number = (connection.scalar(select(func.max(RenameRow.number)).where(RenameRow.name_id == name_id)) or 0) + 1
    insert_rows(connection, RenameRow, [rename_to_row(change, name_id, number)])
    set_name(connection, name_id, new)


def set_name(connection: Connection, name_id: int, name: str) -> None:
    """Let a name be called otherwise from now on."""
    created_at = connection.execute(select(NameRow.created_at).where(NameRow.id == name_id)).scalar_one()
    checksum = row_checksum(name_to_row(name_id, name, created_at))
    connection.execute(update(NameRow).where(NameRow.id == name_id).values(name=name, checksum=checksum))


def find_renamed(connection: Connection, name: str, changes: Sequence[Rename]) -> int | None:
    """Find the name that another catalog knows as `name` after some changes, while one of the two has gone on.

    Either it is still called here what it was called there before, or it has been changed here since.
    """
    candidates = [find_name_id(connection, change.old_name) for change in reversed(changes)]
    candidates += connection.scalars(select(RenameRow.name_id).where(RenameRow.old_name == name))
    for name_id in candidates:
        if name_id is not None:
            here = renames_of(connection, name_id)
            called = connection.scalar(select(NameRow.name).where(NameRow.id == name_id)) or ""
            if _goes_on(changes, name, here) or _goes_on(here, called, changes):
                return name_id
    return None


def _goes_on(shorter: Sequence[Rename], called: str, longer: Sequence[Rename]) -> bool:
    """Whether the longer history of a name is what became of the shorter one, which ends with what it is called."""
    length = len(shorter)
    return length < len(longer) and list(longer[:length]) == list(shorter) and longer[length].old_name == called


def renames_of(connection: Connection, name_id: int) -> list[Rename]:
    """Return every change of a name, first to last."""
    query = (
        select(RenameRow.old_name, RenameRow.recorded_at, RenameRow.author, RenameRow.message)
        .where(RenameRow.name_id == name_id)
        .order_by(RenameRow.number)
    )
    return [rename_from_row(row) for row in connection.execute(query)]


def move_alias(connection: Connection, name_id: int, move: AliasMove) -> None:
    """Record where an alias stands from now on."""
    last = select(func.max(AliasMoveRow.number)).where(
        AliasMoveRow.name_id == name_id, AliasMoveRow.alias == move.alias
    )
    number = (connection.scalar(last) or 0) + 1  # Which move counts is told by numbers: clocks may disagree.
    insert_rows(connection, AliasMoveRow, [alias_move_to_row(move, name_id, number)])


def alias_moves(connection: Connection, name_id: int, known_at: datetime) -> list[AliasMove]:
    """Return every move of the aliases of a name, first to last; those of one alias in the order of their numbers."""
    rows = connection.execute(_ALIAS_MOVES, {"name_id": name_id, "known_at": known_at})
    moves = [alias_move_from_row(row) for row in rows]
    passed: dict[str, datetime] = {}  # A move of a clock that was ahead comes before those that follow it.
    keys = []
    for move in moves:
        passed[move.alias] = max(move.recorded_at, passed.get(move.alias, move.recorded_at))
        keys.append((passed[move.alias], move.alias))
    return [move for _, move in sorted(zip(keys, moves, strict=True), key=lambda pair: pair[0])]


def current_aliases(moves: list[AliasMove]) -> dict[str, int]:
    """Return alias → revision number after some moves, aliases in order; removed ones are left out."""
    standing = {move.alias: move.revision_number for move in moves}
    return {alias: number for alias, number in sorted(standing.items()) if number is not None}


def change_tags(connection: Connection, name_id: int, changes: Mapping[str, str | None]) -> None:
    """Set tags, and remove those whose value is None."""
    connection.execute(delete(TagRow).where(TagRow.name_id == name_id, TagRow.key.in_(changes)))
    rows = [tag_to_row(name_id, key, value) for key, value in changes.items() if value is not None]
    insert_rows(connection, TagRow, rows)


def tags_of(connection: Connection, name_id: int) -> dict[str, str]:
    """Return the tags of a name, keys in order."""
    query = select(TagRow.key, TagRow.value).where(TagRow.name_id == name_id).order_by(TagRow.key)
    return {key: value for key, value in connection.execute(query)}
