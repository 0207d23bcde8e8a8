"""Appending to the history within one write transaction."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select

from openg2g.catalog import revision_queries as queries
from openg2g.catalog.bulk import insert_rows
from openg2g.catalog.content import KEYS_PER_STATEMENT, ContentReader, ContentWriter, chunks
from openg2g.catalog.convert import revision_from_row, revision_to_row
from openg2g.catalog.reference import NOW, NumberReference
from openg2g.catalog.resolve import get_revision
from openg2g.catalog.revision_queries import RevisionRowRead
from openg2g.catalog.tables import NAMES, REVISIONS
from openg2g.models.digest import workload_digest
from openg2g.models.errors import RevisionConflictError
from openg2g.models.revision import Revision, RevisionDraft, annotations_to_text, check_author, same_annotations


@dataclass
class _Head:
    """A name and its latest revision, as a row that was read or as what this transaction appended."""

    name_id: int
    latest: Revision | RevisionRowRead | None = None
    annotations_text: str = "{}"

    @property
    def number(self) -> int:
        """Number of the latest revision; 0 for none."""
        return 0 if self.latest is None else self.latest.number


class RevisionWriter:
    """Appends revisions within one write transaction."""

    def __init__(self, connection: Connection, default_author: str) -> None:
        """Write on a connection that holds the write lock."""
        self.connection = connection
        self.default_author = default_author
        self.content = ContentWriter(connection)
        self._reader = ContentReader()  # Of its own: what this transaction adds may yet be undone.

    # A profile of a sweep on SQLite, 49 µs a workload: the driver 22, checking a draft 2, its digest 2, a revision 2,
    # rows and their checksums 8, looking up what is there 3, garbage collection 1; the rest is here.
    # Of a single save on PostgreSQL, what SQLAlchemy adds to each of six statements is in the way, 60 to 90 µs of one
    # that the driver alone does in 70 to 130, and where others wait, asking for the lock twice.
    def append(self, drafts: Sequence[RevisionDraft]) -> list[Revision]:
        """Record drafts, in order; what is already the latest revision of its name makes no new one.

        Raises:
            RevisionConflictError: The latest revision of a name is not the one that its draft expects.
        """
        digests = ["" if draft.workload is None else workload_digest(draft.workload) for draft in drafts]
        workload_ids: dict[str, int | None] = {"": None}
        workload_ids |= self.content.store(
            {
                digest: draft.workload
                for digest, draft in zip(digests, drafts, strict=True)
                if draft.workload is not None
            }
        )
        now = datetime.now(UTC)
        heads = self._heads(list({draft.name: None for draft in drafts}), now)
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
            head.latest, head.annotations_text = revision, annotations_text
        insert_rows(self.connection, REVISIONS, rows)
        return revisions

    def get(self, name: str, number: int) -> Revision:
        """Return a revision, those of this transaction included.

        Raises:
            WorkloadNotFoundError: There is none.
        """
        return get_revision(self.connection, self._reader, NumberReference(name, number))

    def author_or_default(self, author: str | None) -> str:
        """Return who records it."""
        return self.default_author if author is None else check_author(author)

    def _next_revision(self, head: _Head, draft: RevisionDraft, digest: str, now: datetime) -> Revision:
        # The clock of another machine may be ahead; within a name, recorded times never decrease.
        recorded_at = now if head.latest is None else max(now, head.latest.recorded_at)
        return Revision(
            name=draft.name,
            number=head.number + 1,
            workload=draft.workload,
            digest=digest,
            recorded_at=recorded_at,
            effective_from=draft.effective_from or recorded_at,
            author=self.default_author if draft.author is None else draft.author,
            message=draft.message,
            source=draft.source,
            annotations=draft.annotations,
            is_new=True,
        )

    def _heads(self, names: Sequence[str], now: datetime) -> dict[str, _Head]:
        heads: dict[str, _Head] = {}
        for chunk in chunks(names, KEYS_PER_STATEMENT):
            parameters = {"names": chunk, "known_at": NOW.horizon}
            for row in self.connection.execute(queries.LATEST_OF_NAMES, parameters):
                heads[row.name] = _Head(row.name_id, row, row.annotations)
        new = [name for name in names if name not in heads]
        if new:
            first_id = (self.connection.scalar(select(func.max(NAMES.c.id))) or 0) + 1
            heads.update((name, _Head(name_id)) for name_id, name in enumerate(new, first_id))
            insert_rows(self.connection, NAMES, [(heads[name].name_id, name, now) for name in new])
        return heads


def _unchanged_revision(head: _Head, draft: RevisionDraft, digest: str, annotations_text: str) -> Revision | None:
    """Return the latest revision if the draft says nothing that it does not say."""
    latest = head.latest
    if latest is None or (latest.digest or "") != digest:
        return None
    if not same_annotations(head.annotations_text, annotations_text):
        return None
    if draft.effective_from is not None and draft.effective_from != latest.effective_from:
        return None  # A time that was given is a statement of its own.
    revision = latest if isinstance(latest, Revision) else revision_from_row(latest, draft.workload)
    return replace(revision, is_new=False)
