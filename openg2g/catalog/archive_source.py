"""A catalog as the entries of an archive, in its order and from one consistent state."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from sqlalchemy import Connection, RowMapping, Table, select

from openg2g.catalog.content import KEYS_PER_STATEMENT, ContentReader, chunks
from openg2g.catalog.convert import annotations_from_row
from openg2g.catalog.database import Database
from openg2g.catalog.revision_queries import NAMED_REVISIONS
from openg2g.catalog.tables import ALIAS_MOVES, NAMES, RENAMES, REVISIONS, TAGS, WORKLOADS
from openg2g.formats.archive import AliasMoveEntry, Entry, NameEntry, RenameEntry, RevisionEntry, WorkloadEntry
from openg2g.models.naming import AliasMove, Rename

ROWS_FETCHED = 2_000
"""Rows read at a time where a whole table is read: memory stays constant."""


def archive_entries(database: Database, names: Sequence[str] | None = None) -> Iterator[Entry]:
    """Yield the entries of a catalog, in constant memory beside the list of names.

    Args:
        database: The catalog.
        names: Only these names and the workloads they stand for; None for all. Unknown names are passed over.
    """
    with database.snapshot() as connection:
        yield from _workload_entries(connection, names)
        chosen = list(connection.scalars(select(NAMES.c.name).order_by(NAMES.c.name)))
        if names is not None:
            wanted = set(names)
            chosen = [name for name in chosen if name in wanted]
        for chunk in chunks(chosen, KEYS_PER_STATEMENT):
            yield from _name_entries(connection, chunk)


def _workload_entries(connection: Connection, names: Sequence[str] | None) -> Iterator[Entry]:
    wanted = None if names is None else _workloads_of(connection, names)
    reader = ContentReader()
    last = ""
    while True:
        page = select(WORKLOADS.c.id, WORKLOADS.c.digest).where(WORKLOADS.c.digest > last)
        rows = connection.execute(page.order_by(WORKLOADS.c.digest).limit(KEYS_PER_STATEMENT)).all()
        if not rows:
            return
        chosen = [row for row in rows if wanted is None or row.id in wanted]
        workloads = reader.read(connection, [row.id for row in chosen])
        yield from (WorkloadEntry(row.digest, workloads[row.id]) for row in chosen)
        last = rows[-1].digest


def _workloads_of(connection: Connection, names: Sequence[str]) -> set[int]:
    found: set[int] = set()
    for chunk in chunks(names, KEYS_PER_STATEMENT):
        query = select(REVISIONS.c.workload_id).join(NAMES, NAMES.c.id == REVISIONS.c.name_id)
        ids = connection.scalars(query.where(NAMES.c.name.in_(chunk)).distinct())
        found.update(workload_id for workload_id in ids if workload_id is not None)
    return found


def _name_entries(connection: Connection, names: Sequence[str]) -> Iterator[Entry]:
    rows = connection.execute(select(NAMES.c.id, NAMES.c.name, NAMES.c.created_at).where(NAMES.c.name.in_(names))).all()
    by_name = {row.name: row for row in rows}
    ids = [row.id for row in rows]
    tags = _grouped(connection, TAGS, ids)
    renames = _grouped(connection, RENAMES, ids)
    moves = _grouped(connection, ALIAS_MOVES, ids)
    revisions = _revision_entries(connection, names)
    following = next(revisions, None)
    for name in names:
        row = by_name[name]
        yield NameEntry(name, row.created_at, {tag["key"]: tag["value"] for tag in tags[row.id]})
        for change in renames[row.id]:
            value = Rename(change["old_name"], change["recorded_at"], change["author"], change["message"])
            yield RenameEntry(name, change["number"], value)
        while following is not None and following.name == name:
            yield following
            following = next(revisions, None)
        for move in moves[row.id]:
            yield AliasMoveEntry(name, move["number"], _alias_move(move))


def _revision_entries(connection: Connection, names: Sequence[str]) -> Iterator[RevisionEntry]:
    query = NAMED_REVISIONS.where(NAMES.c.name.in_(names)).order_by(NAMES.c.name, REVISIONS.c.number)
    with connection.execute(query, execution_options={"yield_per": ROWS_FETCHED}) as rows:
        for row in rows:
            yield RevisionEntry(
                name=row.name,
                number=row.number,
                digest=row.digest,
                recorded_at=row.recorded_at,
                effective_from=row.effective_from,
                author=row.author,
                message=row.message,
                source=row.source,
                annotations=annotations_from_row(row),
            )


def _grouped(connection: Connection, table: Table, name_ids: Sequence[int]) -> dict[int, list[RowMapping]]:
    """Read the rows of a table that belong to some names, by name and in the order of its key."""
    query = select(table).where(table.c.name_id.in_(name_ids)).order_by(*table.primary_key.columns)
    grouped: dict[int, list[RowMapping]] = defaultdict(list)
    for row in connection.execute(query).mappings():
        grouped[row["name_id"]].append(row)
    return grouped


def _alias_move(row: RowMapping) -> AliasMove:
    return AliasMove(row["alias"], row["revision_number"], row["recorded_at"], row["author"], row["message"])
