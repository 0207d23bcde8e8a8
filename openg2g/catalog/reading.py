"""Everything that can be asked of a catalog without changing it."""

from array import array
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from itertools import islice
from typing import TypeVar

from sqlalchemy import Connection, Row

from openg2g.catalog.engine import clock
from openg2g.catalog.engine.database import Database
from openg2g.catalog.history import listing, names, resolve
from openg2g.catalog.history.content import chunks
from openg2g.catalog.history.listing import LogFilter, NameStatus, RevisionContext
from openg2g.catalog.history.reference import Reference, Viewpoint, parse_reference
from openg2g.models.errors import InvalidRevisionError, LocationError
from openg2g.models.naming import AliasMove
from openg2g.models.revision import Revision, check_name, check_text
from openg2g.models.spec import LLMInferenceWorkload

_REVISIONS_PER_BLOCK = 500
_Result = TypeVar("_Result")


class CatalogReading:
    """The questions; `openg2g.catalog.Catalog` adds opening and recording.

    Two times can be given with most of them, independently. `as_of`: what was in force then, instead of now.
    `known_at`: as the catalog knew it then, without what was recorded later; what is in force is still asked for
    `as_of`, or now. Both need an offset from UTC.

    Attributes:
        database: The open database, for the modules beside this one.
    """

    def __init__(self, database: Database) -> None:
        """Ask an open database whose schema has been checked."""
        if not isinstance(database, Database):
            raise LocationError(f"use Catalog.open({database!r}) to open a catalog.")
        self.database = database

    def load(
        self, reference: str, *, as_of: datetime | None = None, known_at: datetime | None = None
    ) -> LLMInferenceWorkload:
        """Return the workload that a reference names; see `openg2g.catalog.history.reference` for the forms.

        Raises:
            WorkloadNotFoundError: There is none, or the name was retired; `close_matches` has similar names.
            AmbiguousReferenceError: The digest prefix fits several workloads.
            InvalidReferenceError: The text is no reference.
        """
        parsed = parse_reference(reference)
        viewpoint = Viewpoint(as_of, known_at)
        workload = self._resolved(resolve.find_workload, parsed, viewpoint)
        if workload is not None:
            return workload
        revision = resolve.require_workload(self.get(reference, as_of=as_of, known_at=known_at))
        assert revision.workload is not None  # require_workload has refused the others.
        return revision.workload  # Recorded just now, by somebody else; or damaged, which `get` has said.

    def get(self, reference: str, *, as_of: datetime | None = None, known_at: datetime | None = None) -> Revision:
        """Return the revision that a reference names; for a digest, the one that recorded its workload last.

        Raises:
            WorkloadNotFoundError: There is none; `close_matches` has similar names.
            AmbiguousReferenceError: The digest prefix fits several workloads.
            InvalidReferenceError: The text is no reference.
        """
        parsed = parse_reference(reference)
        viewpoint = Viewpoint(as_of, known_at)
        return self._resolved(resolve.get_revision, parsed, viewpoint)

    def _resolved(
        self, work: Callable[[Connection, Reference, Viewpoint], _Result], reference: Reference, viewpoint: Viewpoint
    ) -> _Result:
        is_one = resolve.takes_one_statement(reference, viewpoint)
        read = self.database.read if is_one else self.database.read_at_once  # A name may change in between.
        return read(lambda connection: work(connection, reference, viewpoint))

    def history(self, name: str, *, known_at: datetime | None = None) -> list[Revision]:
        """Return the revisions of a name, first to latest.

        Raises:
            WorkloadNotFoundError: There is no such name.
        """
        checked, viewpoint = check_name(name), Viewpoint(known_at=known_at)

        def read(connection: Connection) -> list[Revision]:
            present_name = checked
            if known_at is not None:  # It may be called otherwise since.
                present_name = resolve.find_name(connection, checked, viewpoint.known_at).name
            revisions = listing.where_name(connection, present_name, viewpoint)
            if not revisions:
                raise resolve.unknown_name(connection, checked)
            return revisions

        return self.database.read(read) if known_at is None else self.database.read_at_once(read)

    def log(self, wanted: LogFilter | None = None, limit: int | None = None) -> Iterator[Revision]:
        """Yield what was recorded, last first unless the filter says otherwise, fetched as it is needed.

        Raises:
            WorkloadNotFoundError: The filter names an unknown name.
            InvalidRevisionError: The author is no text that could be stored, or the limit is < 1.
        """
        wanted = wanted or LogFilter()
        if limit is not None and limit < 1:
            raise InvalidRevisionError(f"limit must be >= 1, got {limit}.")
        if wanted.author is not None:
            check_text("author", wanted.author)
        name_id = None if wanted.name is None else self._find_name(wanted.name, wanted.viewpoint.known_at).id
        return islice(self._log(wanted, name_id, limit), limit)

    def _log(self, wanted: LogFilter, name_id: int | None, limit: int | None) -> Iterator[Revision]:
        size = min(limit or _REVISIONS_PER_BLOCK, _REVISIONS_PER_BLOCK)
        read = partial(listing.log_page, wanted=wanted, name_id=name_id, size=size)
        page, last = self.database.read(partial(read, after=None))
        yield from page
        while last is not None:
            page, last = self.database.read(partial(read, after=last))
            yield from page

    def list_names(self, pattern: str = "*") -> list[str]:
        """Return the names, in code-point order, that match a pattern of `*`, `?` and `[…]` (case counts)."""
        check_text("pattern", pattern)
        return self.database.read(lambda connection: [name for _, name in listing.names_like(connection, pattern)])

    def find_name(self, name: str, *, known_at: datetime | None = None) -> str:
        """Return what a name is called now that was called so then, or is called so now.

        Raises:
            WorkloadNotFoundError: There is no such name; `close_matches` has similar ones.
        """
        found: str = self._find_name(name, Viewpoint(known_at=known_at).known_at).name
        return found

    def _find_name(self, name: str, known_at: datetime | None) -> Row[int, str]:
        checked = check_name(name)
        return self.database.read(lambda connection: resolve.find_name(connection, checked, known_at))

    def iter_in_force(
        self,
        pattern: str = "*",
        *,
        as_of: datetime | None = None,
        known_at: datetime | None = None,
        with_retired: bool = False,
    ) -> Iterator[Revision]:
        """Yield what each name that matches a pattern stands for, in name order and constant memory.

        Names of which nothing is in force (yet) are left out, and retired ones unless `with_retired`.
        """
        for status in self.iter_statuses(pattern, as_of=as_of, known_at=known_at):
            if status.in_force is not None and (with_retired or not status.is_retired):
                yield status.in_force

    def iter_latest(
        self, pattern: str = "*", *, known_at: datetime | None = None, with_retired: bool = False
    ) -> Iterator[Revision]:
        """Yield the revision with the highest number of each name that matches a pattern, in force or not.

        Names of which a retirement is in force are left out unless `with_retired`.
        """
        for status in self.iter_statuses(pattern, known_at=known_at):
            if with_retired or not status.is_retired:
                yield status.latest

    def get_status(self, name: str, *, as_of: datetime | None = None, known_at: datetime | None = None) -> NameStatus:
        """Return what is in force of a name, and what was recorded last.

        Raises:
            WorkloadNotFoundError: There is no such name.
        """
        checked, viewpoint = check_name(name), Viewpoint(as_of, known_at)

        def read(connection: Connection) -> NameStatus:
            found = resolve.find_name(connection, checked, viewpoint.known_at)
            return listing.statuses_of(connection, [found.id], viewpoint)[0]

        return self.database.read(read)

    def get_with_context(
        self, reference: str, *, as_of: datetime | None = None, known_at: datetime | None = None
    ) -> tuple[Revision, RevisionContext]:
        """Return the revision that a reference names, and what belongs to it. Errors are those of `get`."""
        parsed, viewpoint = parse_reference(reference), Viewpoint(as_of, known_at)

        def read(connection: Connection) -> tuple[Revision, RevisionContext]:
            revision = resolve.get_revision(connection, parsed, viewpoint)
            return revision, listing.context_of(connection, revision, viewpoint)

        return self.database.read_at_once(read)

    def iter_statuses(
        self, pattern: str = "*", *, as_of: datetime | None = None, known_at: datetime | None = None
    ) -> Iterator[NameStatus]:
        """Yield of each name that matches a pattern what is in force and what was recorded last, in name order."""
        viewpoint = Viewpoint(as_of or clock.now(), known_at)
        check_text("pattern", pattern)
        # All names are looked up first, by what never changes of them: eight bytes each.
        name_ids = self.database.read(
            lambda connection: array("q", (name_id for name_id, _ in listing.names_like(connection, pattern)))
        )
        for block in chunks(name_ids, _REVISIONS_PER_BLOCK):
            yield from self.database.read(partial(listing.statuses_of, name_ids=list(block), viewpoint=viewpoint))

    def aliases(self, name: str, *, known_at: datetime | None = None) -> dict[str, int]:
        """Return alias → revision number of a name.

        Raises:
            WorkloadNotFoundError: There is no such name.
        """
        return names.current_aliases(self.alias_log(name, known_at=known_at))

    def alias_log(self, name: str, *, known_at: datetime | None = None) -> list[AliasMove]:
        """Return every move of the aliases of a name, first to last.

        Raises:
            WorkloadNotFoundError: There is no such name.
        """
        checked, viewpoint = check_name(name), Viewpoint(known_at=known_at)

        def read(connection: Connection) -> list[AliasMove]:
            found = resolve.find_name(connection, checked, viewpoint.known_at)
            return names.alias_moves(connection, found.id, viewpoint.horizon)

        return self.database.read(read)

    def tags(self, name: str) -> dict[str, str]:
        """Return the tags of a name.

        Raises:
            WorkloadNotFoundError: There is no such name.
        """

        def read(connection: Connection) -> dict[str, str]:
            name_id = names.find_name_id(connection, check_name(name))
            if name_id is None:
                raise resolve.unknown_name(connection, name)
            return names.tags_of(connection, name_id)

        return self.database.read(read)

    def count(self) -> dict[str, int]:
        """Count names, revisions, and distinct workloads and model specs."""
        return self.database.read(listing.count_rows)
