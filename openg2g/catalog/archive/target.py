"""Entries of an archive added to a catalog: what is there already is compared, and never overwritten."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import TypeVar, cast

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
from openg2g.formats.archive.entries import AliasMoveEntry, Entry, NameEntry, RenameEntry, WorkloadEntry
from openg2g.models.errors import HistoryConflictError, InvalidRevisionError
from openg2g.models.naming import Rename
from openg2g.models.revision import RevisionRecord, annotations_to_text, same_annotations

ENTRIES_PER_BATCH = 2_000
"""Entries added by one round of statements, and by one transaction of a copy."""

_Kind = TypeVar("_Kind", bound=Entry)


def entry_batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    """Cut entries into batches that can be added one by one; a name stays with its changes and first revision."""
    batch: list[Entry] = []
    for entry in entries:
        is_beginning = isinstance(entry, RenameEntry) or (isinstance(entry, RevisionRecord) and entry.number == 1)
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
        self._name_here = name_here
        self._here: dict[str, str] = {}  # Incoming name → name here.
        self._renamed: dict[str, int] = {}  # Incoming name → the name here that it is, under another name.
        self.added: dict[str, int] = {}

    def add(self, writer: CatalogWriter, batch: Sequence[Entry]) -> None:
        """Add a batch.

        Raises:
            HistoryConflictError: A name has another history here; nothing of the transaction must be kept.
        """
        writer.content.store({entry.digest: entry.workload for entry in _of_kind(batch, WorkloadEntry)})
        ids = self._ids_of_names(writer, batch)
        self._add_tags(writer, _of_kind(batch, NameEntry), ids)
        self._add_revisions(writer, _of_kind(batch, RevisionRecord), ids)
        self._add_renames(writer, _of_kind(batch, RenameEntry), ids)
        self._add_alias_moves(writer, _of_kind(batch, AliasMoveEntry), ids)
        # Another copy may add the same rows, times included, so none of them tells whether this transaction happened.
        forget_appended(writer.connection)

    def _ids_of_names(self, writer: CatalogWriter, batch: Sequence[Entry]) -> dict[str, int]:
        """Return incoming name → id of the name here, which is made where there is none."""
        here = {}
        for incoming in dict.fromkeys(entry.name for entry in batch if not isinstance(entry, WorkloadEntry)):
            here[incoming] = self._choose_name(incoming)
        ids: dict[str, int] = {}
        for chunk in chunks(list(here.values()), KEYS_PER_STATEMENT):
            found = writer.connection.execute(select(NameRow.name, NameRow.id).where(NameRow.name.in_(chunk)))
            ids.update((name, name_id) for name, name_id in found)
        self._follow_renames(writer, batch, ids)
        ids |= {name: self._renamed[name] for name in here.values() if name in self._renamed}
        new = {
            here[entry.name]: entry.created_at for entry in _of_kind(batch, NameEntry) if here[entry.name] not in ids
        }
        first_id = (writer.connection.scalar(select(func.max(NameRow.id))) or 0) + 1
        ids.update((name, name_id) for name_id, name in enumerate(new, first_id))
        rows = [name_to_row(ids[name], name, created_at) for name, created_at in new.items()]
        insert_rows(writer.connection, NameRow, rows)
        return {incoming: ids[name] for incoming, name in here.items()}

    def _choose_name(self, incoming: str) -> str:
        """Return what an incoming name is called here; no two may be called the same."""
        if incoming not in self._here:
            here = self._name_here(incoming)
            if here in self.added:
                other = next(name for name, taken in self._here.items() if taken == here)
                raise InvalidRevisionError(f"{other} and {incoming} would both be called {here}.")
            self._here[incoming] = here
            self.added[here] = 0
        return self._here[incoming]

    def _follow_renames(self, writer: CatalogWriter, batch: Sequence[Entry], ids: dict[str, int]) -> None:
        """Find the names that are called otherwise here."""
        changes = defaultdict(list)
        for entry in _of_kind(batch, RenameEntry):
            changes[entry.name].append(entry.change)
        first_of = {entry.name: entry for entry in _of_kind(batch, RevisionRecord) if entry.number == 1}
        names = [entry.name for entry in _of_kind(batch, NameEntry) if self._here[entry.name] == entry.name]
        firsts = [first_of[name] for name in names if name in first_of]
        while any(self._follow_rename(writer, first, changes[first.name], ids) for first in firsts):
            pass  # The name that was left may be what yet another one has been renamed to.

    def _follow_rename(
        self, writer: CatalogWriter, first: RevisionRecord, changes: Sequence[Rename], ids: dict[str, int]
    ) -> bool:
        """Find a name, given by its first revision, where it is called otherwise here.

        True: it was called here as another is there, and has left that name to it.
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
        known = _rows_by_key(writer, TagRow, [ids[entry.name] for entry in entries])
        rows = [tag_to_row(ids[entry.name], key, value) for entry in entries for key, value in entry.tags.items()]
        insert_rows(writer.connection, TagRow, [row for row in rows if row[:2] not in known])

    def _add_revisions(self, writer: CatalogWriter, entries: Sequence[RevisionRecord], ids: Mapping[str, int]) -> None:
        if not entries:
            return
        known = _known_revisions(writer, entries, ids)
        workload_ids: dict[str | None, int | None] = {None: None}
        workload_ids.update(writer.content.find([entry.digest for entry in entries if entry.digest is not None]))
        rows = []
        for entry in entries:
            name, name_id = self._here[entry.name], ids[entry.name]
            annotations_text = annotations_to_text(entry.annotations)
            there = known.get((name_id, entry.number))
            if there is not None:
                _refuse_difference(name, entry, annotations_text, there)
                continue
            rows.append(revision_to_row(entry, name_id, workload_ids[entry.digest], annotations_text))
            self.added[name] += 1
            writer.clocks.note_recorded(name, entry.recorded_at)
        insert_rows(writer.connection, RevisionRow, rows)

    def _add_renames(self, writer: CatalogWriter, entries: Sequence[RenameEntry], ids: Mapping[str, int]) -> None:
        rows = {
            rename_to_row(entry.change, ids[entry.name], entry.number): (self._here[entry.name], entry.number, "rename")
            for entry in entries
        }
        changed = {row[0] for row in _insert_new(writer, RenameRow, rows)}
        for incoming in {entry.name: None for entry in entries if ids[entry.name] in changed}:
            naming.set_name(writer.connection, ids[incoming], self._here[incoming])

    def _add_alias_moves(
        self, writer: CatalogWriter, entries: Sequence[AliasMoveEntry], ids: Mapping[str, int]
    ) -> None:
        rows = {}
        for entry in entries:
            row = alias_move_to_row(entry.move, ids[entry.name], entry.number)
            rows[row] = (self._here[entry.name], entry.number, f"the moves of {entry.move.alias}, move")
        _insert_new(writer, AliasMoveRow, rows)


def _of_kind(batch: Sequence[Entry], kind: type[_Kind]) -> list[_Kind]:
    return [entry for entry in batch if isinstance(entry, kind)]


def _begins_with(writer: CatalogWriter, name_id: int, first: RevisionRecord) -> bool:
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


def _insert_new(
    writer: CatalogWriter, row_class: type[Row], rows: Mapping[RowTuple, tuple[str, int, str]]
) -> list[RowTuple]:
    """Insert those of some rows that are not there, and return them.

    Each comes with the name, the number and the kind of change that an error names where another row is there.
    """
    width = len(row_class.__table__.primary_key.columns)
    known = _rows_by_key(writer, row_class, [cast(int, row[0]) for row in rows])
    for row, about in rows.items():
        if known.get(row[:width], row) != row:
            raise HistoryConflictError(*about, "they say different things")
    new = [row for row in rows if row[:width] not in known]
    insert_rows(writer.connection, row_class, new)
    return new


def _known_revisions(
    writer: CatalogWriter, entries: Sequence[RevisionRecord], ids: Mapping[str, int]
) -> dict[tuple[int, int], RevisionRowRead]:
    numbers = [entry.number for entry in entries]
    known: dict[tuple[int, int], RevisionRowRead] = {}
    for chunk in chunks(list({ids[entry.name]: None for entry in entries}), KEYS_PER_STATEMENT):
        query = NAMED_REVISIONS.where(
            RevisionRow.name_id.in_(chunk), RevisionRow.number >= min(numbers), RevisionRow.number <= max(numbers)
        )
        known.update(((row.name_id, row.number), row) for row in writer.connection.execute(query))
    return known


def _refuse_difference(name: str, entry: RevisionRecord, annotations_text: str, there: RevisionRowRead) -> None:
    fields = ("digest", "recorded_at", "effective_from", "author", "message", "source")
    for field in fields:
        here, incoming = getattr(there, field), getattr(entry, field)
        if here != incoming:
            raise HistoryConflictError(name, entry.number, "revision", f"{field} {here} here, {incoming} incoming")
    if not same_annotations(there.annotations, annotations_text):
        raise HistoryConflictError(name, entry.number, "revision", "the annotations differ")
