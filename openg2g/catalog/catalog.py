"""The catalog: everything a Python user does with stored workloads."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self, TypeVar

from sqlalchemy import Connection

from openg2g.catalog.engine import clock
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.faults import is_denied
from openg2g.catalog.engine.location import Location, default_path, locate
from openg2g.catalog.engine.schema_version import SCHEMA_HEAD, find_schema_revision, require_head
from openg2g.catalog.engine.sqlite.engine import require_locks
from openg2g.catalog.engine.sqlite.files import make_file
from openg2g.catalog.engine.sqlite.journal import journal_mode, set_wal
from openg2g.catalog.engine.sqlite.ownership import owner_on_server
from openg2g.catalog.history import names, resolve
from openg2g.catalog.history.authorship import default_author
from openg2g.catalog.history.clock_watch import ClockWatch
from openg2g.catalog.history.reference import LATEST, AliasReference, parse_reference
from openg2g.catalog.history.writer import RevisionWriter
from openg2g.catalog.reporting import CatalogReporting
from openg2g.models.errors import CatalogReadOnlyError, InvalidRevisionError, LocationError
from openg2g.models.naming import AliasMove, Rename
from openg2g.models.revision import (
    JsonObject,
    Revision,
    RevisionDraft,
    check_alias,
    check_name,
    check_new_alias,
    check_new_message,
    check_new_name,
    check_text,
)
from openg2g.models.spec import LLMInferenceWorkload
from openg2g.models.timeline import find_ended

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_Result = TypeVar("_Result")

DRAFTS_PER_BLOCK = 2_000
"""Drafts appended by one round of statements."""


class Catalog(CatalogReporting):
    """Workloads in one database, under names with numbered revisions. Nothing stored is ever changed or deleted.

    Open it with `Catalog.open` or `Catalog.create`, and use it as a context manager. It may be shared between threads,
    used by forked processes, and pickled for others, which open it again. A transaction stays in the process and the
    thread that began it.

    Example:
        >>> import tempfile
        >>> from openg2g.models import LLMInferenceModelSpec, LLMInferenceWorkload
        >>> fleet = LLMInferenceWorkload((LLMInferenceModelSpec("Llama-3.1-70B", 180, 4, 128, 0.1),))
        >>> with tempfile.TemporaryDirectory() as directory, Catalog.create(f"{directory}/catalog.db") as catalog:
        ...     revision = catalog.save("fleet", fleet, message="first plan", author="Ada")
        ...     print(revision.reference, catalog.load("fleet").total_gpus)
        fleet@1 720
    """

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
    def create(cls, location: str | os.PathLike[str] | None = None, *, wal: bool = False) -> Self:
        """Open a catalog, and make it first if there is none.

        Args:
            location: As for `open`.
            wal: Whether a new SQLite file has a write-ahead log: readers and writers do not wait for each other. It is
                for local disks only, and everybody needs to be allowed to write to the directory.

        Raises:
            SchemaError: Another release made it, or the database belongs to something else.
            CatalogUnavailableError: It cannot be made, reached or opened.
            LocationError: The location is no path or URL that we know; a write-ahead log is wanted on a server, or in
                a catalog that was made without.
        """
        place = locate(location)
        make_catalog(place, wal=wal)
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
        return str(self.database.location)

    def __enter__(self) -> Self:
        """Use the catalog in a `with` block."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle where it is, password included, so that another process opens it again."""
        return _opened_again, (type(self), self.database.location)

    def __repr__(self) -> str:
        """Show where it is, without a password."""
        return f"<Catalog {self.location}>"

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    @contextmanager
    def session(self) -> Iterator["Session"]:
        """Yield a read-only session of SQLAlchemy's ORM on the rows of `openg2g.catalog.schema`, all as of one moment.

        Raises:
            CatalogReadOnlyError: Something would be written, by a flush or by a statement.

        Example:
            >>> from sqlalchemy import select
            >>> from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
            >>> query = select(RevisionRow).join(RevisionRow.named).where(NameRow.name == "fleet")
            >>> # with catalog.session() as session:
            >>> #     numbers = [row.number for row in session.scalars(query)]
        """
        from openg2g.catalog.engine.session import read_only_session  # Imported late: few ask for it.

        with read_only_session(self.database) as session:
            yield session

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
        expect: int | None = None,
    ) -> Revision:
        """Record a workload as the next revision of a name.

        What is in force already (same digest, same annotations) makes no new revision: that which is there comes back,
        with `is_new` False. With an `effective_from`, so does what applies from exactly then and is in force then.

        Args:
            name: The name; a new one begins with revision 1.
            workload: The workload.
            message: Why.
            author: Who; by default the user's git identity or login name.
            effective_from: Since when it applies, with an offset; by default now, by this machine's clock.
            source: Where it came from.
            annotations: What is known beyond the workload, a JSON object.
            expect: The highest number that the name must have (0: the name must be new); by default any.

        Raises:
            RevisionConflictError: The highest number is another than the expected one.
            InvalidRevisionError: The name, a text, the time or an annotation cannot be stored.
            CatalogLockedError: Another writer kept the lock for too long.
            CatalogReadOnlyError: The database may only be read.
        """
        draft = RevisionDraft(
            name, workload, message, author, effective_from, source, {} if annotations is None else annotations, expect
        )
        return self._append(draft)

    def save_many(self, drafts: Iterable[RevisionDraft]) -> list[Revision]:
        """Record many revisions in one transaction: all or none. Errors are those of `save`.

        All drafts are taken before the transaction begins, so that a generator may be slow, and may use the catalog.

        Example:
            >>> def sweep():
            ...     for replicas in range(100, 200, 10):
            ...         spec = LLMInferenceModelSpec("Llama-3.1-70B", replicas, 4, 128, 0.1)
            ...         yield RevisionDraft(f"sweep/{replicas}", LLMInferenceWorkload((spec,)))
            >>> # catalog.save_many(sweep())
        """
        blocks = list(_blocks(drafts))
        return self._write(lambda writer: [revision for block in blocks for revision in writer.append(block)])

    @contextmanager
    def writing(self) -> Iterator[RevisionWriter]:
        """Own a write transaction: what is appended in the block is committed when it ends without an error."""
        author = default_author()  # It may start a process: before the lock is taken, not under it.
        with self.database.writing() as connection:
            writer = RevisionWriter(self.database, connection, author)
            yield writer
            writer.clocks.finish()
        writer.clocks.tell()

    def _write(self, work: Callable[[RevisionWriter], _Result]) -> _Result:
        """Do work that may be done again in a write transaction: see `Database.write`."""
        author = default_author()

        def write(connection: Connection) -> tuple[_Result, ClockWatch]:
            writer = RevisionWriter(self.database, connection, author)
            result = work(writer)
            writer.clocks.finish()
            return result, writer.clocks

        result, clocks = self.database.write(write)
        clocks.tell()
        return result

    def _append(self, draft: RevisionDraft) -> Revision:
        return self._write(lambda writer: writer.append([draft]))[0]

    @contextmanager
    def previewing(self) -> Iterator[RevisionWriter]:
        """Own a write transaction whose revisions are all undone at the end: to see what would be recorded."""
        try:
            with self.writing() as writer:
                yield writer
                raise _UndoError
        except _UndoError:
            pass

    def retire(
        self,
        name: str,
        *,
        message: str = "",
        author: str | None = None,
        effective_from: datetime | None = None,
        expect: int | None = None,
    ) -> Revision:
        """Record that a name stands for nothing from then on: a revision without a workload. Before, nothing ends.

        Raises:
            WorkloadNotFoundError: There is no such name.
            RevisionConflictError: The highest number is another than the expected one.
        """
        draft = RevisionDraft(name, None, message, author, effective_from, expect=expect, retires=True)

        def work(writer: RevisionWriter) -> Revision:
            _require_name(writer, name)
            return writer.append([draft])[0]

        return self._write(work)

    def restore(
        self,
        name: str,
        *,
        message: str = "",
        author: str | None = None,
        effective_from: datetime | None = None,
        expect: int | None = None,
    ) -> Revision:
        """Record again what a name stood for before it was retired, annotations included.

        It applies from now on, or from the time of a retirement that is yet to come.

        Raises:
            WorkloadNotFoundError: There is no such name.
            InvalidRevisionError: The name is not retired, and no retirement is to come.
            RevisionConflictError: The highest number is another than the expected one.
        """
        revisions = self.history(name)
        ended = find_ended(revisions, clock.now())
        draft = RevisionDraft(
            name,
            ended.workload,
            message,
            author,
            effective_from or ended.ends_at,
            source=ended.source,
            annotations=ended.annotations,
            expect=revisions[-1].number if expect is None else expect,
        )
        return self._append(draft)

    def rename(self, old: str, new: str, *, message: str = "", author: str | None = None) -> None:
        """Change a name; revisions, aliases and tags go along, and the old name is still understood in the past.

        Raises:
            WorkloadNotFoundError: There is no such name.
            NameTakenError: The new name is in use.
            InvalidRevisionError: The new name cannot be stored.
        """
        check_new_name(new)
        check_new_message(message)

        def work(writer: RevisionWriter) -> None:
            name_id = _require_name(writer, old)
            change = Rename(old, clock.now(), writer.author_or_default(author), message)
            names.change_name(writer.connection, name_id, change, new)

        self._write(work)

    def set_alias(
        self, name: str, alias: str, revision: int | None = None, *, message: str = "", author: str | None = None
    ) -> AliasMove:
        """Let an alias stand for a revision, by default the one in force; where it stood before is kept.

        Raises:
            WorkloadNotFoundError: There is no such name or revision, or none is in force yet.
            InvalidRevisionError: The alias is `latest`, cannot be told from a number or a date, or cannot be stored.
        """
        if check_new_alias(alias) == LATEST:
            raise InvalidRevisionError(
                f"alias {LATEST!r} is reserved: NAME@{LATEST} is the revision with the highest number."
            )
        reference = parse_reference(f"{check_name(name)}@{revision}" if revision is not None else name)

        def work(writer: RevisionWriter) -> AliasMove:
            found = resolve.get_revision(writer.connection, reference)
            return self._move_alias(writer, found.name, alias, found.number, message, author)

        return self._write(work)

    def remove_alias(self, name: str, alias: str, *, message: str = "", author: str | None = None) -> AliasMove:
        """Let an alias stand for nothing; where it stood before is kept.

        Raises:
            WorkloadNotFoundError: There is no such name or alias.
        """
        reference = AliasReference(check_name(name), check_alias(alias))

        def work(writer: RevisionWriter) -> AliasMove:
            resolve.get_revision(writer.connection, reference)
            return self._move_alias(writer, name, alias, None, message, author)

        return self._write(work)

    def _move_alias(
        self, writer: RevisionWriter, name: str, alias: str, number: int | None, message: str, author: str | None
    ) -> AliasMove:
        author = writer.author_or_default(author)
        move = AliasMove(alias, number, clock.now(), author, check_new_message(message))
        names.move_alias(writer.connection, _require_name(writer, name), move)
        return move

    def tag(self, name: str, tags: Mapping[str, str | None]) -> dict[str, str]:
        """Set tags of a name, remove those given as None, and return what it has then.

        Tags describe a name as it is now (`team`, `status`); unlike everything else they have no history.

        Raises:
            WorkloadNotFoundError: There is no such name.
            InvalidRevisionError: A key or value cannot be stored.
        """
        for key, value in tags.items():
            if value is None:
                check_name(key, "tag")
            else:
                check_text(f"tag {check_new_name(key, 'tag')}", value)

        def work(writer: RevisionWriter) -> dict[str, str]:
            name_id = _require_name(writer, name)
            names.change_tags(writer.connection, name_id, tags)
            return names.tags_of(writer.connection, name_id)

        return self._write(work)


def _require_name(writer: RevisionWriter, name: str) -> int:
    name_id = names.find_name_id(writer.connection, check_name(name))
    if name_id is None:
        raise resolve.unknown_name(writer.connection, name)
    return name_id


def _opened_again(kind: type[Catalog], location: Location) -> Catalog:
    return kind._opened(Database(location))


class _UndoError(Exception):
    """Rolls a preview back."""


def make_catalog(location: Location, *, wal: bool = False) -> bool:
    """Make a catalog if there is none; return whether there was none.

    Args:
        location: Where.
        wal: Whether a new SQLite file has a write-ahead log.

    Raises:
        LocationError: A write-ahead log is wanted on a server, or in a catalog that was made without.
        SchemaError: The database belongs to something else.
        CatalogUnavailableError: It cannot be made or reached.
    """
    if location.path is not None and location.path == default_path():
        location.path.parent.mkdir(parents=True, exist_ok=True)  # Any other directory is the user's to make.
    if location.path is not None:
        make_file(location.path)
    elif wal:
        raise LocationError(f"{location} is on a server, which keeps a write-ahead log by itself: --wal is for files.")
    database = Database(location, may_create=True)
    try:
        if find_schema_revision(database) is not None:
            if wal and journal_mode(database) != "wal":
                raise LocationError(f"{location} was made without a write-ahead log: --wal is for new catalogs.")
            return False
        if location.path is not None:
            require_locks(location.path, between_processes=True)
        if wal:
            set_wal(database)
        from openg2g.catalog.engine.migrate import upgrade  # Imported late: Alembic costs as much as everything else.

        upgrade(database, SCHEMA_HEAD)
        return True
    except CatalogReadOnlyError as error:
        if not is_denied(error):
            raise
        raise CatalogReadOnlyError(f"{error} The owner is {database.read(owner_on_server)}.") from error
    finally:
        database.close()


def _blocks(drafts: Iterable[RevisionDraft]) -> Iterator[list[RevisionDraft]]:
    iterator = iter(drafts)
    while block := list(islice(iterator, DRAFTS_PER_BLOCK)):
        yield block
