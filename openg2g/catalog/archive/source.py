"""A catalog as the entries of an archive: in its order, from one consistent state, and without a long transaction.

What is stored is never changed or deleted, but for the names themselves and their tags. So one short transaction notes
those and how far everything else goes; the rest is read page by page, and what was added meanwhile is left out. Whoever
takes the entries may be slow: between two pages no transaction is open, and nobody waits.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from sqlalchemy import Connection, func, select

from openg2g.catalog.engine.database import Database
from openg2g.catalog.history.content import KEYS_PER_STATEMENT, read_workloads
from openg2g.catalog.history.queries import NAMED_REVISIONS, RevisionRowRead
from openg2g.catalog.schema.base import Row
from openg2g.catalog.schema.content_rows import WorkloadRow
from openg2g.catalog.schema.convert import alias_move_from_row, record_from_row, rename_from_row
from openg2g.catalog.schema.history_rows import AliasMoveRow, NameRow, RenameRow, RevisionRow, TagRow
from openg2g.formats.archive.entries import AliasMoveEntry, Entry, NameEntry, RenameEntry, WorkloadEntry

_REVISIONS_PER_PAGE = 2_000

_LAST_NUMBER = (
    select(func.max(RevisionRow.number)).where(RevisionRow.name_id == NameRow.id).correlate(NameRow).scalar_subquery()
)


@dataclass(frozen=True, slots=True)
class _Name:
    """A name as it was called at the moment, and the number of its last revision then."""

    id: int
    name: str
    last_number: int


@dataclass(frozen=True)
class _Moment:
    """How far a catalog went at one moment.

    Attributes:
        last_workload_id: Ids are given in the order of the commits.
        names: The names, in code-point order.
        tags: Id of a name → its tags.
        renames: Id of a name → how often it had been changed.
        alias_moves: Id of a name, and alias → how often it had been moved.
    """

    last_workload_id: int
    names: list[_Name]
    tags: dict[int, dict[str, str]]
    renames: dict[int, int]
    alias_moves: dict[tuple[int, str], int]


_Page = tuple[list[_Name], int]
"""Names whose revisions are read at a time, and the number of the first that is read of each."""


def archive_entries(database: Database, names: Sequence[str] | None = None) -> Iterator[Entry]:
    """Yield the entries of a catalog, or of some of its names, in constant memory but for the names and their tags."""
    moment = database.read_at_once(partial(_moment_of, wanted=None if names is None else set(names)))
    wanted = None if names is None else _workloads_of(database, moment.names)
    yield from _workload_entries(database, moment.last_workload_id, wanted)
    for page in _pages(moment.names):
        yield from database.read(partial(_page_entries, page=page, moment=moment))


def _moment_of(connection: Connection, wanted: set[str] | None) -> _Moment:
    query = select(NameRow.id, NameRow.name, func.coalesce(_LAST_NUMBER, 0)).order_by(NameRow.name)
    names = [_Name(*row) for row in connection.execute(query) if wanted is None or row.name in wanted]
    tags: dict[int, dict[str, str]] = defaultdict(dict)
    for row in connection.execute(select(TagRow.__table__).order_by(TagRow.name_id, TagRow.key)):
        tags[row.name_id][row.key] = row.value
    renames = select(RenameRow.name_id, func.max(RenameRow.number)).group_by(RenameRow.name_id)
    alias = (AliasMoveRow.name_id, AliasMoveRow.alias)
    moves = connection.execute(select(*alias, func.max(AliasMoveRow.number)).group_by(*alias))
    return _Moment(
        connection.scalar(select(func.max(WorkloadRow.id))) or 0,
        names,
        tags,
        {name_id: number for name_id, number in connection.execute(renames)},
        {(name_id, alias): number for name_id, alias, number in moves},
    )


def _workload_entries(database: Database, last_id: int, wanted: set[int] | None) -> Iterator[WorkloadEntry]:
    def page(connection: Connection) -> tuple[str | None, list[WorkloadEntry]]:
        query = select(WorkloadRow.id, WorkloadRow.digest).where(WorkloadRow.digest > last)
        rows = connection.execute(query.order_by(WorkloadRow.digest).limit(KEYS_PER_STATEMENT)).all()
        chosen = [row for row in rows if row.id <= last_id and (wanted is None or row.id in wanted)]
        workloads = read_workloads(connection, [row.id for row in chosen])
        return rows[-1].digest if rows else None, [WorkloadEntry(row.digest, workloads[row.id]) for row in chosen]

    last: str | None = ""
    while last is not None:
        last, entries = database.read(page)
        yield from entries


def _workloads_of(database: Database, names: Sequence[_Name]) -> set[int]:
    rows = (row for page in _pages(names) for row in database.read(partial(_revision_rows, page=page)))
    return {row.workload_id for row in rows if row.workload_id is not None}


def _pages(names: Sequence[_Name]) -> Iterator[_Page]:
    """Cut names into pages of so many revisions; a name that has more comes in several, which follow each other."""
    groups: list[list[_Name]] = []
    room = 0
    for name in names:
        if not groups or name.last_number > room or len(groups[-1]) >= KEYS_PER_STATEMENT:
            groups.append([])
            room = _REVISIONS_PER_PAGE
        groups[-1].append(name)
        room -= name.last_number
    for group in groups:
        for first in range(1, max(1, *(name.last_number for name in group)) + 1, _REVISIONS_PER_PAGE):
            yield group, first


def _page_entries(connection: Connection, page: _Page, moment: _Moment) -> list[Entry]:
    """Read a page; what comes before the revisions of a name with the first of them, and after them with the last."""
    names, first = page
    ids = [name.id for name in names]
    made = connection.execute(select(NameRow.id, NameRow.created_at).where(NameRow.id.in_(ids)))
    created_at = {row.id: row.created_at for row in made}
    renames = _grouped(connection, RenameRow, ids)
    moves = _grouped(connection, AliasMoveRow, ids)
    revisions: dict[int, list[RevisionRowRead]] = defaultdict(list)
    for row in _revision_rows(connection, page):
        revisions[row.name_id].append(row)
    entries: list[Entry] = []
    for name in names:
        if first == 1:
            entries.append(NameEntry(name.name, created_at[name.id], moment.tags.get(name.id, {})))
            entries += [
                RenameEntry(name.name, row.number, rename_from_row(row))
                for row in renames[name.id]
                if row.number <= moment.renames.get(name.id, 0)
            ]
        entries += [replace(record_from_row(row), name=name.name) for row in revisions[name.id]]
        if first + _REVISIONS_PER_PAGE > name.last_number:
            entries += [
                AliasMoveEntry(name.name, row.number, alias_move_from_row(row))
                for row in moves[name.id]
                if row.number <= moment.alias_moves.get((name.id, row.alias), 0)
            ]
    return entries


def _revision_rows(connection: Connection, page: _Page) -> list[RevisionRowRead]:
    """Read the revisions of a page, by name and number, without those that are newer than the moment."""
    names, first = page
    last_numbers = {name.id: name.last_number for name in names}
    query = NAMED_REVISIONS.where(
        RevisionRow.name_id.in_(last_numbers),
        RevisionRow.number.between(first, first + _REVISIONS_PER_PAGE - 1),
    )
    rows = connection.execute(query.order_by(RevisionRow.name_id, RevisionRow.number)).all()
    return [row for row in rows if row.number <= last_numbers[row.name_id]]


def _grouped(connection: Connection, row_class: type[Row], name_ids: Sequence[int]) -> dict[int, list[Any]]:
    """Read the rows of a table that belong to some names, by name and in the order of its key."""
    table = row_class.__table__
    query = select(table).where(table.c.name_id.in_(name_ids)).order_by(*table.primary_key.columns)
    grouped: dict[int, list[Any]] = defaultdict(list)
    for row in connection.execute(query):
        grouped[row.name_id].append(row)
    return grouped
