"""Everything that is written to the history, within one write transaction."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

from sqlalchemy import Connection, func, select

from openg2g.catalog.engine import clock
from openg2g.catalog.engine.bulk import insert_rows
from openg2g.catalog.engine.clock import SERVER_TIME, Clocks
from openg2g.catalog.engine.database import Database
from openg2g.catalog.history import names as naming
from openg2g.catalog.history import queries, resolve
from openg2g.catalog.history.authorship import default_author
from openg2g.catalog.history.clock_watch import ClockWatch
from openg2g.catalog.history.content import ContentWriter, chunks
from openg2g.catalog.history.heads import HeadRows, find_begun, find_heads
from openg2g.catalog.history.new_texts import refuse_hidden_characters
from openg2g.catalog.history.queries import RevisionRowRead, complete
from openg2g.catalog.history.reference import AliasReference, alias_target
from openg2g.catalog.history.when import NOW
from openg2g.catalog.schema.convert import name_to_row, revision_from_row, revision_to_row
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.models.digest import workload_digest
from openg2g.models.errors import RevisionConflictError
from openg2g.models.instant import Time
from openg2g.models.naming import AliasMove, Rename
from openg2g.models.revision import (
    Revision,
    RevisionDraft,
    annotations_to_text,
    check_alias,
    check_author,
    check_name,
    check_new_message,
    check_new_name,
    check_tags,
    same_annotations,
)
from openg2g.models.timeline import find_ended

DRAFTS_PER_BLOCK = 2_000
"""Drafts appended by one round of statements."""

_Result = TypeVar("_Result")

_LAST_NAME_ID = select(func.max(NameRow.id), naming.LAST_FREED.scalar_subquery(), SERVER_TIME)

_Known = Revision | RevisionRowRead
"""A revision as a row that was read, or as what this transaction appended."""


@dataclass
class _Head:
    """What there is of a name.

    Attributes:
        name_id: Its id.
        now: When a draft without a time takes effect.
        latest: The revision with the highest number.
        in_force: The one in force.
        begun: Time → the revision with the highest number of those that apply from exactly then, as far as asked for.
    """

    name_id: int
    now: datetime
    latest: _Known | None = None
    in_force: _Known | None = None
    begun: dict[datetime, _Known] = field(default_factory=dict)

    @property
    def number(self) -> int:
        """Number of the latest revision; 0 for none."""
        return 0 if self.latest is None else self.latest.number

    def add(self, revision: Revision) -> None:
        """Let a revision be the latest."""
        self.latest = self.begun[revision.effective_from] = revision
        begins_earlier = self.in_force is None or self.in_force.effective_from <= revision.effective_from
        if begins_earlier and revision.effective_from <= self.now:
            self.in_force = revision


class CatalogWriter:
    """Writes within one write transaction.

    Attributes:
        connection: Where.
        default_author: Who records what has no author of its own.
        content: What stores workloads.
        clocks: What notes which clocks disagree.
    """

    def __init__(self, database: Database, connection: Connection, default_author: str) -> None:
        """Write on a connection to a database that holds the write lock."""
        self.naming_damage = database.naming_damage
        self.connection = connection
        self.default_author = default_author
        self.content = ContentWriter(connection)
        self.clocks = ClockWatch(connection)

    def append(self, drafts: Sequence[RevisionDraft]) -> list[Revision]:
        """Record drafts, in order.

        A draft without a time makes no new revision where its content is in force already, one with a time where the
        revision in force then has the same content and applies from the same time.
        """
        with self.naming_damage():
            return [revision for block in chunks(drafts, DRAFTS_PER_BLOCK) for revision in self._append(block)]

    def retire(self, draft: RevisionDraft) -> Revision:
        """Record a draft that retires a name, which must be there."""
        self._name_id(draft.name)
        return self.append([draft])[0]

    def restore(
        self,
        name: str,
        message: str = "",
        author: str | None = None,
        effective_from: Time | None = None,
        expect: int | None = None,
    ) -> Revision:
        """Record again what a name stood for before it was retired; see `Catalog.restore`."""
        ended = find_ended(resolve.revisions_of(self.connection, check_name(name)), clock.now())
        since = ended.effective_from if effective_from is None else effective_from
        draft = replace(ended, message=message, author=author, effective_from=since, expect=expect)
        return self.append([draft])[0]

    def rename(self, old: str, new: str, message: str = "", author: str | None = None) -> None:
        """Change a name; see `Catalog.rename`."""
        check_new_name(new)
        change = Rename(old, clock.now(), self._author(author), check_new_message(message))
        naming.change_name(self.connection, self._name_id(old), change, new)

    def set_alias(
        self, name: str, alias: str, number: int | None = None, message: str = "", author: str | None = None
    ) -> AliasMove:
        """Let an alias stand for a revision; see `Catalog.set_alias`."""
        found = resolve.get_revision(self.connection, alias_target(name, alias, number))
        return self._move_alias(found.name, AliasMove(alias, found.number, clock.now(), self._author(author), message))

    def remove_alias(self, name: str, alias: str, message: str = "", author: str | None = None) -> AliasMove:
        """Let an alias stand for nothing; see `Catalog.remove_alias`."""
        resolve.get_revision(self.connection, AliasReference(check_name(name), check_alias(alias)))
        return self._move_alias(name, AliasMove(alias, None, clock.now(), self._author(author), message))

    def tag(self, name: str, changes: Mapping[str, str | None]) -> dict[str, str]:
        """Set and remove tags of a name, and return what it has then; see `Catalog.tag`."""
        check_tags(changes)
        name_id = self._name_id(name)
        naming.change_tags(self.connection, name_id, changes)
        return naming.tags_of(self.connection, name_id)

    def find_before(self, revision: Revision) -> Revision | None:
        """Return what was in force from when a revision applies before that was recorded; None for nothing."""
        parameters = {
            "name": revision.name,
            "number": revision.number,
            "as_of": revision.effective_from,
            "known_at": NOW.horizon,
        }
        rows = self.connection.execute(queries.BEFORE, parameters).all()
        return next(iter(complete(self.connection, rows)), None)

    def _author(self, author: str | None) -> str:
        return self.default_author if author is None else check_author(author)

    def _name_id(self, name: str) -> int:
        name_id: int = resolve.find_name(self.connection, check_name(name)).id
        return name_id

    def _move_alias(self, name: str, move: AliasMove) -> AliasMove:
        check_new_message(move.message)
        naming.move_alias(self.connection, self._name_id(name), move)
        return move

    def _append(self, drafts: Sequence[RevisionDraft]) -> list[Revision]:
        refuse_hidden_characters(self.connection, drafts)
        digests = [None if draft.workload is None else workload_digest(draft.workload) for draft in drafts]
        workloads = {
            digest: draft.workload
            for digest, draft in zip(digests, drafts, strict=True)
            if digest is not None and draft.workload is not None
        }
        workload_ids: dict[str | None, int | None] = {None: None}
        workload_ids.update(self.content.store(workloads))
        now = clock.now()
        heads = self._heads(drafts, now)
        revisions, rows = [], []
        for digest, draft in zip(digests, drafts, strict=True):
            head = heads[draft.name]
            if draft.expect is not None and draft.expect != head.number:
                raise RevisionConflictError(draft.name, draft.expect, head.number)
            annotations_text = annotations_to_text(draft.annotations) if draft.annotations else "{}"
            unchanged = _unchanged_revision(head, draft, digest, annotations_text)
            if unchanged is not None:
                revisions.append(unchanged)
                continue
            revision = self._next_revision(head, draft, digest, now)
            rows.append(revision_to_row(revision, head.name_id, workload_ids[digest], annotations_text))
            revisions.append(revision)
            head.add(revision)
        insert_rows(self.connection, RevisionRow, rows)
        return revisions

    def _next_revision(self, head: _Head, draft: RevisionDraft, digest: str | None, now: datetime) -> Revision:
        # The clock of another machine may have been ahead; within a name, recorded times never decrease. When a
        # revision applies is not derived from that, or one wrong clock would take all later ones along.
        recorded_at = now if head.latest is None else max(now, head.latest.recorded_at)
        self.clocks.note_recorded(draft.name, recorded_at)
        if draft.effective_from is None and head.now > now:
            self.clocks.note_in_force_from(head.now)
        return Revision(
            name=draft.name,
            number=head.number + 1,
            workload=draft.workload,
            digest=digest,
            recorded_at=recorded_at,
            effective_from=draft.effective_from or head.now,
            author=self.default_author if draft.author is None else draft.author,
            message=draft.message,
            source=draft.source,
            annotations=draft.annotations,
            is_new=True,
        )

    def _heads(self, drafts: Sequence[RevisionDraft], now: datetime) -> dict[str, _Head]:
        names = list({draft.name: None for draft in drafts})
        rows = find_heads(self.connection, names, now, NOW.horizon)
        heads = {name: _head_of_rows(found, now) for name, found in rows.items()}
        server_time = next((found.latest.server_time for found in rows.values()), None)
        new = [name for name in names if name not in heads]
        if new:
            last_id, freed_at, server_time = self.connection.execute(_LAST_NAME_ID, {"names": new}).one()
            is_late = freed_at is not None and freed_at > now
            freed = naming.times_of_freeing(self.connection, new) if is_late else {}
            heads.update((name, _Head(name_id, now)) for name_id, name in enumerate(new, (last_id or 0) + 1))
            rows_of_new = [name_to_row(heads[name].name_id, name, max(now, freed.get(name, now))) for name in new]
            insert_rows(self.connection, NameRow, rows_of_new)
        self.clocks.note_clocks(Clocks(now, server_time))
        self._look_up_times(heads, drafts)
        return heads

    def _look_up_times(self, heads: Mapping[str, _Head], drafts: Sequence[RevisionDraft]) -> None:
        """Look up what there is from exactly the times that drafts say, as far as the heads do not tell."""
        wanted = {
            (draft.name, draft.effective_from): None
            for draft in drafts
            if draft.effective_from is not None
            and heads[draft.name].latest is not None
            and draft.effective_from not in heads[draft.name].begun
        }
        for (name, effective_from), row in find_begun(self.connection, list(wanted)).items():
            heads[name].begun[effective_from] = row


@contextmanager
def writing(database: Database) -> Iterator[CatalogWriter]:
    """Own a write transaction, which is committed when the block ends without an error."""
    author = default_author()  # It may start a process: before the lock is taken, not under it.
    with database.writing() as connection:
        writer = CatalogWriter(database, connection, author)
        yield writer
        writer.clocks.finish()
    writer.clocks.tell()


@contextmanager
def previewing(database: Database) -> Iterator[CatalogWriter]:
    """Own a write transaction that is undone at the end."""
    with suppress(_UndoError), writing(database) as writer:
        yield writer
        raise _UndoError


def write(database: Database, work: Callable[[CatalogWriter], _Result]) -> _Result:
    """Do work in a write transaction, again where the server gives it up: see `Database.write`."""
    author = default_author()

    def attempt(connection: Connection) -> tuple[_Result, ClockWatch]:
        writer = CatalogWriter(database, connection, author)
        result = work(writer)
        writer.clocks.finish()
        return result, writer.clocks

    result, clocks = database.write(attempt)
    clocks.tell()
    return result


# What can never be written is refused at once: nobody waits for the lock to be told so.
def rename(database: Database, old: str, new: str, message: str, author: str | None) -> None:
    """Change a name in a transaction of its own."""
    check_new_name(new)
    check_new_message(message)
    write(database, lambda writer: writer.rename(old, new, message, author))


def set_alias(
    database: Database, name: str, alias: str, number: int | None, message: str, author: str | None
) -> AliasMove:
    """Let an alias stand for a revision in a transaction of its own."""
    alias_target(name, alias, number)
    check_new_message(message)
    return write(database, lambda writer: writer.set_alias(name, alias, number, message, author))


def remove_alias(database: Database, name: str, alias: str, message: str, author: str | None) -> AliasMove:
    """Let an alias stand for nothing in a transaction of its own."""
    check_name(name)
    check_alias(alias)
    check_new_message(message)
    return write(database, lambda writer: writer.remove_alias(name, alias, message, author))


def tag(database: Database, name: str, changes: Mapping[str, str | None]) -> dict[str, str]:
    """Set and remove tags of a name in a transaction of its own."""
    check_tags(changes)
    return write(database, lambda writer: writer.tag(name, changes))


class _UndoError(Exception):
    """Rolls a preview back."""


def _head_of_rows(rows: HeadRows, now: datetime) -> _Head:
    latest, in_force = rows.latest, rows.in_force
    # Where the clock of the writer before was ahead by little, what is recorded now applies from that time, or it would
    # be replaced in a moment. `ClockWatch` waits until it is in force.
    is_near = now < latest.recorded_at <= now + clock.TOLERANCE
    head = _Head(latest.name_id, latest.recorded_at if is_near else now, latest, in_force)
    head.begun = {row.effective_from: row for row in (in_force, latest) if row is not None}
    return head


def _unchanged_revision(
    head: _Head, draft: RevisionDraft, digest: str | None, annotations_text: str
) -> Revision | None:
    """Return the revision that says already what a draft says, if there is one."""
    there = head.in_force if draft.effective_from is None else head.begun.get(draft.effective_from)
    if there is None or there.digest != digest:
        return None
    text = annotations_to_text(there.annotations) if isinstance(there, Revision) else there.annotations
    if not same_annotations(text, annotations_text):
        return None
    revision = there if isinstance(there, Revision) else revision_from_row(there, draft.workload)
    return replace(revision, is_new=False)
