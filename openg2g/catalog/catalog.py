"""The catalog: everything a Python user does with stored workloads."""

import fnmatch
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import Self

from openg2g.catalog import history
from openg2g.catalog.authorship import default_author
from openg2g.catalog.content import ContentReader
from openg2g.catalog.database import Database
from openg2g.catalog.location import Location, locate
from openg2g.catalog.reference import parse_reference
from openg2g.catalog.schema import SCHEMA_HEAD, find_schema_revision, require_head
from openg2g.models.errors import WorkloadNotFoundError
from openg2g.models.revision import JsonObject, Revision, RevisionDraft, check_name
from openg2g.models.spec import LLMInferenceWorkload

DRAFTS_PER_BLOCK = 2_000
"""Drafts appended by one round of statements: memory stays constant however long a sweep is."""

_REVISIONS_PER_BLOCK = 500


class Catalog:
    """Workloads in one database, under names with numbered revisions. Nothing stored is ever changed or deleted.

    Open it with `Catalog.open` or `Catalog.create`, and use it as a context manager. It may be shared between threads;
    after a fork, open it anew.

    Example:
        >>> import tempfile
        >>> from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload
        >>> fleet = LLMInferenceWorkload((LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1),))
        >>> with tempfile.TemporaryDirectory() as directory, Catalog.create(f"{directory}/catalog.db") as catalog:
        ...     revision = catalog.save("fleet", fleet, message="first plan", author="Ada")
        ...     print(revision.reference, catalog.load("fleet").total_gpus)
        fleet@1 720
    """

    def __init__(self, database: Database) -> None:
        """Use an open database whose schema has been checked; callers want `Catalog.open`."""
        self._database = database
        self._reader = ContentReader()

    @classmethod
    def open(cls, location: str | os.PathLike[str] | None = None) -> Self:
        """Open an existing catalog.

        Args:
            location: A path, a `sqlite:///` URL or a `postgresql://` URL. By default the environment variable
                `OPENG2G_DATABASE`, else `catalog.db` in the user's data directory.

        Raises:
            CatalogNotFoundError: There is none.
            SchemaError: Another release made it, or the database belongs to something else.
            CatalogUnavailableError: It cannot be reached or opened.
            LocationError: The location is no path or URL that we know.
        """
        return cls._opened(Database(locate(location)))

    @classmethod
    def create(cls, location: str | os.PathLike[str] | None = None) -> Self:
        """Open a catalog, and make it first if there is none.

        Raises:
            SchemaError: Another release made it, or the database belongs to something else.
            CatalogUnavailableError: It cannot be made, reached or opened.
            LocationError: The location is no path or URL that we know.
        """
        place = locate(location)
        make_catalog(place)
        return cls._opened(Database(place))

    @classmethod
    def _opened(cls, database: Database) -> Self:
        try:
            require_head(database)
        except BaseException:
            database.close()
            raise
        return cls(database)

    @property
    def location(self) -> str:
        """Path or URL, without a password."""
        return str(self._database.location)

    def __enter__(self) -> Self:
        """Use the catalog in a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __repr__(self) -> str:
        """Show where it is, without a password."""
        return f"<Catalog {self.location}>"

    def close(self) -> None:
        """Close every connection."""
        self._database.close()

    def save(
        self,
        name: str,
        workload: LLMInferenceWorkload,
        *,
        message: str = "",
        author: str | None = None,
        effective_from: datetime | None = None,
        source: str = "",
        annotations: JsonObject | None = None,
    ) -> Revision:
        """Record a workload as the next revision of a name.

        What is already the latest revision (same digest, same annotations, and no other `effective_from` given) makes
        no new one: that revision comes back, with `is_new` False.

        Args:
            name: The name; a new one begins with revision 1.
            workload: The workload.
            message: Why.
            author: Who; by default the user's git identity or login name.
            effective_from: Since when it applies, with an offset; by default the time of recording.
            source: Where it came from.
            annotations: What is known beyond the workload, a JSON object.

        Raises:
            InvalidRevisionError: The name, a text, the time or an annotation cannot be stored.
            CatalogLockedError: Another writer kept the lock for too long.
            CatalogReadOnlyError: The database may only be read.
        """
        draft = RevisionDraft(name, workload, message, author, effective_from, source, annotations or {})
        return self.save_many([draft])[0]

    def save_many(self, drafts: Iterable[RevisionDraft]) -> list[Revision]:
        """Record many revisions in one transaction: all or none. Errors are those of `save`.

        Example:
            >>> def sweep():
            ...     for replicas in range(100, 200, 10):
            ...         spec = LLMInferenceModelSpec("Llama-3.1-70B", replicas, 4, 128, 0.1)
            ...         yield RevisionDraft(f"sweep/{replicas}", LLMInferenceWorkload((spec,)))
            >>> # catalog.save_many(sweep())
        """
        with self.writing() as writer:
            return [revision for block in _blocks(drafts) for revision in writer.append(block)]

    @contextmanager
    def writing(self) -> Iterator[history.RevisionWriter]:
        """Own a write transaction: what is appended in the block is committed when it ends without an error."""
        author = default_author()  # It may start a process: before the lock is taken, not under it.
        with self._database.writing() as connection:
            yield history.RevisionWriter(connection, author)

    @contextmanager
    def previewing(self) -> Iterator[history.RevisionWriter]:
        """Own a write transaction whose revisions are all undone at the end: to see what would be recorded."""
        try:
            with self.writing() as writer:
                yield writer
                raise _UndoError
        except _UndoError:
            pass

    def load(self, reference: str) -> LLMInferenceWorkload:
        """Return the workload that a reference names: `NAME`, `NAME@3` or `sha256:PREFIX`.

        Raises:
            WorkloadNotFoundError: There is none; `close_matches` has names that look like it.
            AmbiguousReferenceError: The digest prefix fits several workloads.
            InvalidReferenceError: The text is no reference.
        """
        return self.get(reference).workload

    def get(self, reference: str) -> Revision:
        """Return the revision that a reference names; for a digest, the one that recorded its workload last.

        Raises:
            WorkloadNotFoundError: There is none; `close_matches` has names that look like it.
            AmbiguousReferenceError: The digest prefix fits several workloads.
            InvalidReferenceError: The text is no reference.
        """
        parsed = parse_reference(reference)
        with self._database.reading() as connection:
            return history.get_revision(connection, self._reader, parsed)

    def history(self, name: str) -> list[Revision]:
        """Return the revisions of a name, first to latest.

        Raises:
            WorkloadNotFoundError: There is no such name.
        """
        check_name(name)
        with self._database.reading() as connection:
            revisions = history.where_name(connection, self._reader, name)
            if not revisions:
                history.get_revision(connection, self._reader, parse_reference(name))
            return revisions

    def list_names(self, pattern: str = "*") -> list[str]:
        """Return the names, in code-point order, that match a pattern of `*`, `?` and `[…]` (case counts)."""
        literal = re.split(r"[*?\[]", pattern, maxsplit=1)[0]
        with self._database.reading() as connection:
            names = history.names_from(connection, literal)
        return names if pattern == "*" else fnmatch.filter(names, pattern)

    def iter_latest(self, names: Sequence[str]) -> Iterator[Revision]:
        """Yield the latest revision of each name, in constant memory.

        Raises:
            WorkloadNotFoundError: There is no such name.
        """
        for start in range(0, len(names), _REVISIONS_PER_BLOCK):
            block = names[start : start + _REVISIONS_PER_BLOCK]
            with self._database.reading() as connection:
                revisions = list(history.latest_of_names(connection, self._reader, block))
                if len(revisions) < len(block):
                    missing = next(name for name in block if name not in {found.name for found in revisions})
                    raise WorkloadNotFoundError(missing, "no workload has this name")
            yield from revisions

    def count(self) -> dict[str, int]:
        """Count names, revisions, and distinct workloads and model specs."""
        with self._database.reading() as connection:
            return history.count_rows(connection)


class _UndoError(Exception):
    """Rolls a preview back."""


def make_catalog(location: Location) -> bool:
    """Make a catalog if there is none; return whether there was none.

    Raises:
        SchemaError: The database belongs to something else.
        CatalogUnavailableError: It cannot be made or reached.
    """
    path = location.path
    if path is not None and not path.exists() and locate() == location:
        path.parent.mkdir(parents=True, exist_ok=True)  # The default directory; any other is the user's to make.
    database = Database(location, may_create_file=True)
    try:
        if find_schema_revision(database) is not None:
            return False
        from openg2g.catalog.migrate import upgrade  # Imported late: Alembic costs as much as everything else.

        upgrade(database, SCHEMA_HEAD)
        return True
    finally:
        database.close()


def _blocks(drafts: Iterable[RevisionDraft]) -> Iterator[list[RevisionDraft]]:
    iterator = iter(drafts)
    while block := list(islice(iterator, DRAFTS_PER_BLOCK)):
        yield block
