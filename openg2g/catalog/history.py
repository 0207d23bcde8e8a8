"""Names and their revisions in the database: appending, and finding by reference."""

import difflib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, func, select
from sqlalchemy.orm import InstrumentedAttribute

from openg2g.catalog.bulk import insert_rows
from openg2g.catalog.content import KEYS_PER_STATEMENT, ContentReader, ContentWriter, chunks
from openg2g.catalog.convert import revision_from_row, revision_to_row
from openg2g.catalog.reference import DigestReference, NameReference, Reference
from openg2g.catalog.tables import ModelSpecRow, NameRow, RevisionRow, WorkloadRow
from openg2g.models.digest import workload_digest
from openg2g.models.errors import AmbiguousReferenceError, WorkloadNotFoundError
from openg2g.models.revision import Revision, RevisionDraft, annotations_to_text, same_annotations

_NAMES_COMPARED = 20_000  # How many names are looked through for one that is close to a mistyped one.
_CANDIDATES_LISTED = 10

_AnyRow = Row[*tuple[Any, ...]]


# Statements are built once: building one costs as much as running it.
_REVISIONS = (
    select(
        NameRow.id.label("name_id"),
        NameRow.name,
        RevisionRow.number,
        RevisionRow.workload_id,
        WorkloadRow.digest,
        RevisionRow.recorded_at,
        RevisionRow.effective_from,
        RevisionRow.author,
        RevisionRow.message,
        RevisionRow.source,
        RevisionRow.annotations,
    )
    .join(RevisionRow, RevisionRow.name_id == NameRow.id)
    .join(WorkloadRow, WorkloadRow.id == RevisionRow.workload_id)
)
_newer = RevisionRow.__table__.alias("newer")
_LATEST_REVISIONS_OF_NAMES = _REVISIONS.where(
    NameRow.name.in_(bindparam("names", expanding=True)),
    RevisionRow.number == select(func.max(_newer.c.number)).where(_newer.c.name_id == NameRow.id).scalar_subquery(),
)
_REVISIONS_OF_NAME = _REVISIONS.where(NameRow.name == bindparam("name")).order_by(RevisionRow.number)
_LATEST_REVISION_OF_NAME = (
    _REVISIONS.where(NameRow.name == bindparam("name")).order_by(RevisionRow.number.desc()).limit(1)
)
_REVISION_BY_NUMBER = _REVISIONS.where(NameRow.name == bindparam("name"), RevisionRow.number == bindparam("number"))
_LAST_REVISION_OF_DIGEST = (
    _REVISIONS.where(WorkloadRow.digest == bindparam("digest"))
    .order_by(RevisionRow.recorded_at.desc(), NameRow.name, RevisionRow.number.desc())
    .limit(1)
)


@dataclass
class _Head:
    """A name and its latest revision, as a row that was read or as what this transaction appended."""

    name_id: int
    latest: Revision | _AnyRow | None = None
    annotations_text: str = "{}"


class RevisionWriter:
    """Appends revisions within one write transaction."""

    def __init__(self, connection: Connection, default_author: str) -> None:
        """Write on a connection that holds the write lock."""
        self._connection = connection
        self._default_author = default_author
        self._content = ContentWriter(connection)

    def append(self, drafts: Sequence[RevisionDraft]) -> list[Revision]:
        """Record drafts, in order; what is already the latest revision of its name makes no new one."""
        digests = [workload_digest(draft.workload) for draft in drafts]
        workloads = {digest: draft.workload for digest, draft in zip(digests, drafts, strict=True)}
        workload_ids = self._content.store(workloads)
        now = datetime.now(UTC)
        heads = self._heads(list({draft.name: None for draft in drafts}), now)
        revisions, rows = [], []
        for digest, draft in zip(digests, drafts, strict=True):
            head = heads[draft.name]
            annotations_text = annotations_to_text(draft.annotations) if draft.annotations else "{}"
            unchanged = _unchanged_revision(head, draft, digest, annotations_text)
            if unchanged is not None:
                revisions.append(unchanged)
                continue
            revision = self._next_revision(head, draft, digest, now)
            rows.append(revision_to_row(revision, head.name_id, workload_ids[digest], annotations_text))
            revisions.append(revision)
            head.latest, head.annotations_text = revision, annotations_text
        insert_rows(self._connection, RevisionRow, rows)
        return revisions

    def _next_revision(self, head: _Head, draft: RevisionDraft, digest: str, now: datetime) -> Revision:
        # The clock of another machine may be ahead; within a name, recorded times never decrease.
        recorded_at = now if head.latest is None else max(now, head.latest.recorded_at)
        return Revision(
            name=draft.name,
            number=1 if head.latest is None else head.latest.number + 1,
            workload=draft.workload,
            digest=digest,
            recorded_at=recorded_at,
            effective_from=draft.effective_from or recorded_at,
            author=self._default_author if draft.author is None else draft.author,
            message=draft.message,
            source=draft.source,
            annotations=draft.annotations,
            is_new=True,
        )

    def _heads(self, names: Sequence[str], now: datetime) -> dict[str, _Head]:
        heads: dict[str, _Head] = {}
        for chunk in chunks(names, KEYS_PER_STATEMENT):
            for row in self._connection.execute(_LATEST_REVISIONS_OF_NAMES, {"names": chunk}):
                heads[row.name] = _Head(row.name_id, row, row.annotations)
        new = [name for name in names if name not in heads]
        if new:
            first_id = (self._connection.scalar(select(func.max(NameRow.id))) or 0) + 1
            heads.update((name, _Head(name_id)) for name_id, name in enumerate(new, first_id))
            insert_rows(self._connection, NameRow, [(heads[name].name_id, name, now) for name in new])
        return heads


def _unchanged_revision(head: _Head, draft: RevisionDraft, digest: str, annotations_text: str) -> Revision | None:
    """Return the latest revision if the draft says nothing that it does not say."""
    latest = head.latest
    if latest is None or latest.digest != digest or not same_annotations(head.annotations_text, annotations_text):
        return None
    if draft.effective_from is not None and draft.effective_from != latest.effective_from:
        return None  # A time that was given is a statement of its own.
    revision = latest if isinstance(latest, Revision) else revision_from_row(latest, draft.workload)
    return replace(revision, is_new=False)


def find_revision(connection: Connection, reader: ContentReader, reference: Reference) -> Revision | None:
    """Return the revision that a reference names; for a digest, the one that recorded its workload last.

    Raises:
        AmbiguousReferenceError: A digest prefix fits several workloads.
    """
    match reference:
        case NameReference(name, None):
            rows = connection.execute(_LATEST_REVISION_OF_NAME, {"name": name}).all()
        case NameReference(name, number):
            rows = connection.execute(_REVISION_BY_NUMBER, {"name": name, "number": number}).all()
        case DigestReference(prefix):
            digest = _find_digest(connection, prefix)
            rows = connection.execute(_LAST_REVISION_OF_DIGEST, {"digest": digest}).all()
    return next(_complete(connection, reader, rows), None)


def get_revision(connection: Connection, reader: ContentReader, reference: Reference) -> Revision:
    """Return the revision that a reference names.

    Raises:
        WorkloadNotFoundError: There is none; the error says what is near.
        AmbiguousReferenceError: A digest prefix fits several workloads.
    """
    revision = find_revision(connection, reader, reference)
    if revision is not None:
        return revision
    if isinstance(reference, DigestReference):
        raise WorkloadNotFoundError(reference.prefix, "no workload has a digest that begins so")
    latest = find_revision(connection, reader, NameReference(reference.name))
    if latest is not None:
        raise WorkloadNotFoundError(
            f"{reference.name}@{reference.number}", f"the name has revisions 1 to {latest.number}"
        )
    names = connection.scalars(select(NameRow.name).order_by(NameRow.id.desc()).limit(_NAMES_COMPARED)).all()
    raise WorkloadNotFoundError(
        reference.name, "no workload has this name", difflib.get_close_matches(reference.name, names, n=3)
    )


def where_name(connection: Connection, reader: ContentReader, name: str) -> list[Revision]:
    """Return the revisions of a name, first to latest; none for an unknown name."""
    rows = connection.execute(_REVISIONS_OF_NAME, {"name": name}).all()
    return list(_complete(connection, reader, rows))


def latest_of_names(connection: Connection, reader: ContentReader, names: Sequence[str]) -> Iterator[Revision]:
    """Yield the latest revision of each name, in the given order; unknown names are left out."""
    for chunk in chunks(names, KEYS_PER_STATEMENT):
        rows = {row.name: row for row in connection.execute(_LATEST_REVISIONS_OF_NAMES, {"names": chunk})}
        yield from _complete(connection, reader, [rows[name] for name in chunk if name in rows])


def names_from(connection: Connection, prefix: str) -> list[str]:
    """Return the names that begin with a prefix, in code-point order."""
    query = select(NameRow.name).order_by(NameRow.name)
    if prefix:
        query = query.where(NameRow.name >= prefix, NameRow.name < prefix + chr(0x10FFFF))
    return list(connection.scalars(query))


def count_rows(connection: Connection) -> dict[str, int]:
    """Count names, revisions and distinct workloads and model specs."""
    columns: dict[str, InstrumentedAttribute[int]] = {
        "names": NameRow.id,
        "revisions": RevisionRow.number,
        "workloads": WorkloadRow.id,
        "model_specs": ModelSpecRow.id,
    }
    return {table: connection.scalar(select(func.count(column))) or 0 for table, column in columns.items()}


def _complete(connection: Connection, reader: ContentReader, rows: Sequence[_AnyRow]) -> Iterator[Revision]:
    workloads = reader.read(connection, [row.workload_id for row in rows])
    return (revision_from_row(row, workloads[row.workload_id]) for row in rows)


def _find_digest(connection: Connection, prefix: str) -> str | None:
    query = (
        select(WorkloadRow.digest)
        .where(WorkloadRow.digest >= prefix, WorkloadRow.digest < prefix + "g")  # g follows the last digit, f.
        .order_by(WorkloadRow.digest)
        .limit(_CANDIDATES_LISTED)
    )
    digests = list(connection.scalars(query))
    if len(digests) > 1:
        raise AmbiguousReferenceError(prefix, digests)
    return digests[0] if digests else None
