"""Entries of an archive added to a catalog: what is there already is compared, and never overwritten."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar

from sqlalchemy import func, select

from openg2g.catalog.engine.bulk import insert_rows
from openg2g.catalog.engine.commit import forget_appended
from openg2g.catalog.history import names as naming
from openg2g.catalog.history.content import KEYS_PER_STATEMENT, chunks
from openg2g.catalog.history.queries import NAMED_REVISIONS, RevisionRowRead
from openg2g.catalog.history.writer import CatalogWriter
from openg2g.catalog.schema.base import Row
from openg2g.catalog.schema.convert import (
    RowTuple,
    alias_move_to_row,
    name_to_row,
    rename_to_row,
    revision_to_row,
    tag_to_row,
)
from openg2g.catalog.schema.history_rows import AliasMoveRow, NameRow, RenameRow, RevisionRow, TagRow
from openg2g.formats.archive.entries import AliasMoveEntry, Entry, NameEntry, RenameEntry, RevisionEntry, WorkloadEntry
from openg2g.models.errors import HistoryConflictError, InvalidRevisionError
from openg2g.models.naming import Rename
from openg2g.models.revision import annotations_to_text, same_annotations

ENTRIES_PER_BATCH = 2_000
"""Entries added by one round of statements, and by one transaction of a copy."""

_Kind = TypeVar("_Kind", bound=Entry)


def entry_batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Cut entries into batches that can be added one by one; a name stays with its changes and first revision."""
    batch: list[Entry] = []
    for entry in entries:
        is_beginning = isinstance(entry, RenameEntry) or (isinstance(entry, RevisionEntry) and entry.number == 1)
        if len(batch) >= ENTRIES_PER_BATCH and not is_beginning:
            yield batch
            batch = []
        batch.append(entry)
    if batch:
        yield batch


class ArchiveTarget:
    """Adds batches within write transactions; adding the same again adds nothing.

    Attributes:
        added: Name (as it is here) → how many revisions were added.
    """

    def __init__(self, name_here: Callable[[str], str] = str) -> None:
        """Take what each incoming name is to be called here."""
        self._given = name_here
        self._incoming: dict[str, str] = {}  # Name here → the incoming name that took it.
        self._renamed: dict[str, int] = {}  # Incoming name → the name here that it is, under another name.
        self.added: dict[str, int] = {}

    def _name_here(self, incoming: str) -> str:
        here = self._given(incoming)
        if self._incoming.setdefault(here, incoming) != incoming:
            raise InvalidRevisionError(f"{self._incoming[here]} and {incoming} would both be called {here}.")
        return here

    def add(self, writer: CatalogWriter, batch: Sequence[Entry]) -> None:
        """Add a batch.

        Raises:
            HistoryConflictError: A name has another history here; nothing of the transaction must be kept.
        """
        writer.content.store({entry.digest: entry.workload for entry in _of_kind(batch, WorkloadEntry)})
        names = list({self._name_here(entry.name): None for entry in batch if not isinstance(entry, WorkloadEntry)})
        ids = self._names(writer, batch, names)
        self._add_revisions(writer, _of_kind(batch, RevisionEntry), ids)
        self._add_renames(writer, _of_kind(batch, RenameEntry), ids)
        self._add_alias_moves(writer, _of_kind(batch, AliasMoveEntry), ids)
        # Another copy may add the same rows, times included, so none of them tells whether this transaction happened.
        forget_appended(writer.connection)

    def _names(self, writer: CatalogWriter, batch: Sequence[Entry], names: Sequence[str]) -> dict[str, int]:
        ids: dict[str, int] = {}
        for chunk in chunks(names, KEYS_PER_STATEMENT):
            found = writer.connection.execute(select(NameRow.name, NameRow.id).where(NameRow.name.in_(chunk)))
            ids.update((name, name_id) for name, name_id in found)
        self._follow_renames(writer, batch, ids)
        ids.update((name, name_id) for name, name_id in self._renamed.items() if name in names)
        new = {self._name_here(entry.name): entry for entry in _of_kind(batch, NameEntry)}
        new = {name: entry for name, entry in new.items() if name not in ids}
        first_id = (writer.connection.scalar(select(func.max(NameRow.id))) or 0) + 1
        ids.update((name, name_id) for name_id, name in enumerate(new, first_id))
        rows = [name_to_row(ids[name], name, entry.created_at) for name, entry in new.items()]
        insert_rows(writer.connection, NameRow, rows)
        self._add_tags(writer, _of_kind(batch, NameEntry), ids)
        for name in names:
            self.added.setdefault(name, 0)
        return ids

    def _follow_renames(self, writer: CatalogWriter, batch: Sequence[Entry], ids: dict[str, int]) -> None:
        """Find the names that are called otherwise here.

        Raises:
            HistoryConflictError: One has been renamed here to what another is called there.
        """
        changes = defaultdict(list)
        for entry in _of_kind(batch, RenameEntry):
            changes[entry.name].append(entry.change)
        first_of = {entry.name: entry for entry in _of_kind(batch, RevisionEntry) if entry.number == 1}
        names = [entry.name for entry in _of_kind(batch, NameEntry) if self._name_here(entry.name) == entry.name]
        firsts = [first_of[name] for name in names if name in first_of]
        while any(self._follow_rename(writer, first, changes[first.name], ids) for first in firsts):
            pass  # The name that was left may be what yet another one has been renamed to.

    def _follow_rename(
        self, writer: CatalogWriter, first: RevisionEntry, changes: Sequence[Rename], ids: dict[str, int]
    ) -> bool:
        """Find a name, given by its first revision, where it is called otherwise here.

        Returns:
            Whether it was called here as another is there, and has left that name to it.
        """
        name = first.name
        if name in ids or name in self._renamed:
            return False
        same = naming.find_renamed(writer.connection, name, changes)
        if same is None or not _begins_with(writer, same, first):
            return False
        self._renamed[name] = same
        called = next((other for other, name_id in ids.items() if name_id == same), None)
        if called is None:
            return False
        if len(naming.renames_of(writer.connection, same)) > len(changes):
            details = f"here it is what {name} there has been renamed to"
            raise HistoryConflictError(called, len(changes) + 1, "rename", details)
        naming.set_name(writer.connection, same, name)
        ids[name] = ids.pop(called)
        return True

    def _add_tags(self, writer: CatalogWriter, entries: Sequence[NameEntry], ids: Mapping[str, int]) -> None:
        """Add the tags whose keys a name does not have here; those it has stay as they are."""
        name_ids = [ids[self._name_here(entry.name)] for entry in entries]
        known = _rows_by_key(writer, TagRow, name_ids)
        rows = [
            tag_to_row(name_id, key, value)
            for name_id, entry in zip(name_ids, entries, strict=True)
            for key, value in entry.tags.items()
            if (name_id, key) not in known
        ]
        insert_rows(writer.connection, TagRow, rows)

    def _add_revisions(self, writer: CatalogWriter, entries: Sequence[RevisionEntry], ids: Mapping[str, int]) -> None:
        if not entries:
            return
        known = self._known_revisions(writer, entries, ids)
        workload_ids: dict[str | None, int | None] = {None: None}
        workload_ids.update(writer.content.find([entry.digest for entry in entries if entry.digest is not None]))
        rows = []
        for entry in entries:
            name = self._name_here(entry.name)
            annotations_text = annotations_to_text(entry.annotations)
            there = known.get((ids[name], entry.number))
            if there is not None:
                _refuse_difference(name, entry, annotations_text, there)
                continue
            rows.append(revision_to_row(entry, ids[name], workload_ids[entry.digest], annotations_text))
            self.added[name] += 1
            writer.clocks.note_recorded(name, entry.recorded_at)
        insert_rows(writer.connection, RevisionRow, rows)

    def _known_revisions(
        self, writer: CatalogWriter, entries: Sequence[RevisionEntry], ids: Mapping[str, int]
    ) -> dict[tuple[int, int], RevisionRowRead]:
        numbers = [entry.number for entry in entries]
        name_ids = list({ids[self._name_here(entry.name)]: None for entry in entries})
        known: dict[tuple[int, int], RevisionRowRead] = {}
        for chunk in chunks(name_ids, KEYS_PER_STATEMENT):
            query = NAMED_REVISIONS.where(
                RevisionRow.name_id.in_(chunk), RevisionRow.number >= min(numbers), RevisionRow.number <= max(numbers)
            )
            known.update(((row.name_id, row.number), row) for row in writer.connection.execute(query))
        return known

    def _add_renames(self, writer: CatalogWriter, entries: Sequence[RenameEntry], ids: Mapping[str, int]) -> None:
        known = _rows_by_key(writer, RenameRow, [ids[self._name_here(entry.name)] for entry in entries])
        rows = []
        for entry in entries:
            name = self._name_here(entry.name)
            row = rename_to_row(entry.change, ids[name], entry.number)
            rows += _unless_there(known, row, 2, name, entry.number, "rename")
        insert_rows(writer.connection, RenameRow, rows)
        for entry in entries:
            if any(row[0] == ids[self._name_here(entry.name)] for row in rows):  # It was changed there since.
                name = self._name_here(entry.name)
                naming.set_name(writer.connection, ids[name], name)

    def _add_alias_moves(
        self, writer: CatalogWriter, entries: Sequence[AliasMoveEntry], ids: Mapping[str, int]
    ) -> None:
        known = _rows_by_key(writer, AliasMoveRow, [ids[self._name_here(entry.name)] for entry in entries])
        rows = []
        for entry in entries:
            name = self._name_here(entry.name)
            row = alias_move_to_row(entry.move, ids[name], entry.number)
            rows += _unless_there(known, row, 3, name, entry.number, f"the moves of {entry.move.alias}, move")
        insert_rows(writer.connection, AliasMoveRow, rows)


def _of_kind(batch: Sequence[Entry], kind: type[_Kind]) -> list[_Kind]:
    return [entry for entry in batch if isinstance(entry, kind)]


def _begins_with(writer: CatalogWriter, name_id: int, first: RevisionEntry) -> bool:
    """Whether a name here has the first revision of an incoming one: whether it is the same name."""
    query = NAMED_REVISIONS.where(RevisionRow.name_id == name_id, RevisionRow.number == 1)
    there = writer.connection.execute(query).one()
    return (there.digest, there.recorded_at) == (first.digest, first.recorded_at)


def _rows_by_key(writer: CatalogWriter, row_class: type[Row], name_ids: Sequence[int]) -> dict[RowTuple, RowTuple]:
    """Read the rows of some names, by primary key and without their checksums."""
    table = row_class.__table__
    columns = [column for column in table.columns if column.name != "checksum"]
    width = len(table.primary_key.columns)
    rows: dict[RowTuple, RowTuple] = {}
    for chunk in chunks(sorted(set(name_ids)), KEYS_PER_STATEMENT):
        found = writer.connection.execute(select(*columns).where(table.c.name_id.in_(chunk)))
        rows.update((tuple(row)[:width], tuple(row)) for row in found)
    return rows


def _unless_there(
    known: Mapping[RowTuple, RowTuple],
    row: RowTuple,
    width: int,
    name: str,
    number: int,
    what: str,
) -> list[RowTuple]:
    """Return a row to be inserted, or nothing where the same one is there."""
    there = known.get(row[:width])
    if there is None:
        return [row]
    if there != row:
        raise HistoryConflictError(name, number, what, "they say different things")
    return []


def _refuse_difference(name: str, entry: RevisionEntry, annotations_text: str, there: RevisionRowRead) -> None:
    fields = ("digest", "recorded_at", "effective_from", "author", "message", "source")
    for field in fields:
        here, incoming = getattr(there, field), getattr(entry, field)
        if here != incoming:
            raise HistoryConflictError(name, entry.number, "revision", f"{field} {here} here, {incoming} incoming")
    if not same_annotations(there.annotations, annotations_text):
        raise HistoryConflictError(name, entry.number, "revision", "the annotations differ")
