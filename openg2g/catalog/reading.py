"""Everything that can be asked of a catalog without changing it."""

import fnmatch
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from functools import partial
from itertools import islice

from sqlalchemy import Connection

from openg2g.catalog import clock, listing, naming, resolve
from openg2g.catalog.content import chunks
from openg2g.catalog.database import Database
from openg2g.catalog.listing import LogFilter, NameStatus
from openg2g.catalog.reference import Viewpoint, parse_reference
from openg2g.models.errors import InvalidRevisionError, LocationError
from openg2g.models.naming import AliasMove
from openg2g.models.revision import Revision, check_name, check_text
from openg2g.models.spec import LLMInferenceWorkload

_REVISIONS_PER_BLOCK = 500
_NAMES_PER_PAGE = 10_000


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
        """Return the workload that a reference names; see `openg2g.catalog.reference` for the forms.

        Raises:
            WorkloadNotFoundError: There is none, or the name was retired; `close_matches` has similar names.
            AmbiguousReferenceError: The digest prefix fits several workloads.
            InvalidReferenceError: The text is no reference.
        """
        parsed = parse_reference(reference)
        viewpoint = Viewpoint(as_of, known_at)
        workload = self.database.read(lambda connection: resolve.find_workload(connection, parsed, viewpoint))
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
        return self.database.read(lambda connection: resolve.get_revision(connection, parsed, viewpoint))

    def history(self, name: str, *, known_at: datetime | None = None) -> list[Revision]:
        """Return the revisions of a name, first to latest.

        Raises:
            WorkloadNotFoundError: There is no such name.
        """
        viewpoint = Viewpoint(known_at=known_at)

        def read(connection: Connection) -> list[Revision]:
            present_name = check_name(name)
            if known_at is not None:  # It may be called otherwise since.
                present_name = resolve.find_name(connection, name, viewpoint.known_at)
            revisions = listing.where_name(connection, present_name, viewpoint)
            if not revisions:
                raise resolve.unknown_name(connection, name)
            return revisions

        return self.database.read(read)

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
        if wanted.name is not None:
            wanted = replace(wanted, name=self.find_name(wanted.name, known_at=wanted.viewpoint.known_at))
        return islice(self._log(wanted, limit), limit)

    def _log(self, wanted: LogFilter, limit: int | None) -> Iterator[Revision]:
        last = None
        size = min(limit or _REVISIONS_PER_BLOCK, _REVISIONS_PER_BLOCK)
        while True:
            page = self.database.read(partial(listing.log_page, wanted=wanted, after=last, size=size))
            yield from page
            if len(page) < size:
                return
            last = page[-1]

    def list_names(self, pattern: str = "*") -> list[str]:
        """Return the names, in code-point order, that match a pattern of `*`, `?` and `[…]` (case counts)."""
        literal = _beginning(pattern)
        names = self.database.read(lambda connection: listing.names_from(connection, literal))
        return [name for name in names if fnmatch.fnmatchcase(name, pattern)]

    def find_name(self, name: str, *, known_at: datetime | None = None) -> str:
        """Return what a name is called now that was called so then, or is called so now.

        Raises:
            WorkloadNotFoundError: There is no such name; `close_matches` has similar ones.
        """
        checked, horizon = check_name(name), Viewpoint(known_at=known_at).known_at
        return self.database.read(lambda connection: resolve.find_name(connection, checked, horizon))

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
            present_name = resolve.find_name(connection, checked, viewpoint.known_at)
            return listing.statuses_of_names(connection, [present_name], viewpoint)[0]

        return self.database.read(read)

    def status_of(
        self, revision: Revision, *, as_of: datetime | None = None, known_at: datetime | None = None
    ) -> NameStatus:
        """Return the status of the name of a revision that was found, which has the present name."""
        viewpoint = Viewpoint(as_of, known_at)
        return self.database.read(
            lambda connection: listing.statuses_of_names(connection, [revision.name], viewpoint)[0]
        )

    def aliases_of(self, revision: Revision, *, known_at: datetime | None = None) -> list[str]:
        """Return the aliases that stand for a revision that was found."""
        horizon = Viewpoint(known_at=known_at).horizon
        moves = self.database.read(lambda connection: naming.alias_moves(connection, revision.name, horizon))
        return [alias for alias, number in naming.current_aliases(moves).items() if number == revision.number]

    def iter_statuses(
        self, pattern: str = "*", *, as_of: datetime | None = None, known_at: datetime | None = None
    ) -> Iterator[NameStatus]:
        """Yield of each name that matches a pattern what is in force and what was recorded last, in name order."""
        viewpoint = Viewpoint(as_of or clock.now(), known_at)
        for names in self._name_pages(pattern):
            for block in chunks(names, _REVISIONS_PER_BLOCK):
                yield from self.database.read(partial(listing.statuses_of_names, names=block, viewpoint=viewpoint))

    def _name_pages(self, pattern: str) -> Iterator[list[str]]:
        literal = _beginning(pattern)
        last = None
        while True:
            page = self.database.read(partial(listing.names_from, prefix=literal, after=last, limit=_NAMES_PER_PAGE))
            yield [name for name in page if fnmatch.fnmatchcase(name, pattern)]
            if len(page) < _NAMES_PER_PAGE:
                return
            last = page[-1]

    def aliases(self, name: str, *, known_at: datetime | None = None) -> dict[str, int]:
        """Return alias → revision number of a name.

        Raises:
            WorkloadNotFoundError: There is no such name.
        """
        return naming.current_aliases(self.alias_log(name, known_at=known_at))

    def alias_log(self, name: str, *, known_at: datetime | None = None) -> list[AliasMove]:
        """Return every move of the aliases of a name, first to last.

        Raises:
            WorkloadNotFoundError: There is no such name.
        """
        present_name = self.find_name(name, known_at=known_at)
        horizon = Viewpoint(known_at=known_at).horizon
        return self.database.read(lambda connection: naming.alias_moves(connection, present_name, horizon))

    def tags(self, name: str) -> dict[str, str]:
        """Return the tags of a name.

        Raises:
            WorkloadNotFoundError: There is no such name.
        """

        def read(connection: Connection) -> dict[str, str]:
            name_id = naming.find_name_id(connection, check_name(name))
            if name_id is None:
                raise resolve.unknown_name(connection, name)
            return naming.tags_of(connection, name_id)

        return self.database.read(read)

    def count(self) -> dict[str, int]:
        """Count names, revisions, and distinct workloads and model specs."""
        return self.database.read(listing.count_rows)


def _beginning(pattern: str) -> str:
    """Return what every name that matches a pattern begins with."""
    check_text("pattern", pattern)
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0]
