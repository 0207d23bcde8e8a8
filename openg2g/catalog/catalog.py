"""The catalog: everything a Python user does with stored workloads."""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager
from typing import Any, Self, TypeVar

from sqlalchemy.orm import Session

from openg2g.catalog.engine.creation import make_catalog
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.location import Location, locate
from openg2g.catalog.engine.schema_version import require_head
from openg2g.catalog.engine.session import read_only_session
from openg2g.catalog.history import listing, log, names, resolve, writer
from openg2g.catalog.history.listing import NameStatus, RevisionContext
from openg2g.catalog.history.log import LogFilter
from openg2g.catalog.history.reference import parse_reference
from openg2g.catalog.history.when import NOW, InForce, When
from openg2g.catalog.history.writer import CatalogWriter
from openg2g.catalog.reports import audit, dataframes, model_uses, statistics
from openg2g.catalog.reports.audit import AuditWindow, Violation
from openg2g.catalog.reports.model_uses import ModelUse
from openg2g.catalog.reports.statistics import Grouping, GroupStatistics
from openg2g.catalog.search.explain import Explanation
from openg2g.catalog.search.search import Parameters, Search, SearchPage, Sort
from openg2g.models.errors import LocationError
from openg2g.models.instant import Time
from openg2g.models.naming import AliasMove
from openg2g.models.revision import JsonObject, Revision, RevisionDraft
from openg2g.models.spec import LLMInferenceWorkload

_Result = TypeVar("_Result")


class Catalog:
    """Workloads in one database, under names with numbered revisions. Nothing stored is ever changed or deleted.

    Open it with `Catalog.open` or `Catalog.create`, and use it as a context manager. It may be shared between threads,
    used by forked processes, and pickled for others, which open it again. A transaction stays in the process and the
    thread that began it.

    What the methods have in common:

    - Times are `datetime` with an offset from UTC, or text: `2026-03-01`, `2026-03-01T12:00Z`.
    - `as_of`: what was in force then, by default now. `known_at`: as the catalog knew it then, without what was
      recorded later. `when`: an `InForce` with these two, or `EveryRevision`.
    - `reference`: `NAME`, `NAME@3`, `NAME@-1`, `NAME@latest`, `NAME@ALIAS`, `NAME@2026-03-01` or `sha256:PREFIX`.
    - `expression`: a condition such as `total_gpus < limit and 'Llama-3.1-70B' in model_labels`; `parameters` maps the
      names in it that are none of the vocabulary to values: `{"limit": 7200}`.
    - `message`: why. `author`: who, by default the git identity or login name. `expect`: the highest number that the
      name must have (0: the name must be new); by default any.

    Whatever is no name, reference, time or expression raises `InvalidRevisionError`, `InvalidReferenceError` or
    `FilterError`; what is not there `WorkloadNotFoundError`, whose `close_matches` has similar names; a digest that
    fits several workloads `AmbiguousReferenceError`. Writing raises `CatalogLockedError` where another writer kept the
    lock for too long, `CatalogReadOnlyError` where the database may only be read; everything `CatalogUnavailableError`
    where the server does not come back.

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
        """Use an open database whose schema has been checked."""
        if not isinstance(database, Database):
            raise LocationError(f"use Catalog.open({database!r}) to open a catalog.")
        self.database = database

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
        return cls._opened(locate(location))

    @classmethod
    def create(cls, location: str | os.PathLike[str] | None = None, *, wal: bool = False) -> Self:
        """Open a catalog, and make it first if there is none. Errors are those of `open`, if it cannot be made too.

        Args:
            location: As for `open`.
            wal: Whether a new SQLite file has a write-ahead log: readers and writers do not wait for each other. It is
                for local disks only, and everybody needs to be allowed to write to the directory.
        """
        place = locate(location)
        make_catalog(place, wal=wal)
        return cls._opened(place)

    @classmethod
    def _opened(cls, location: Location) -> Self:
        database = Database(location)
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
        """Use it in a `with` block."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle where it is, password included, so that another process opens it again."""
        return type(self)._opened, (self.database.location,)

    def __repr__(self) -> str:
        """Show where it is, without a password."""
        return f"<Catalog {self.location}>"

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    def session(self) -> AbstractContextManager[Session]:
        """Yield a read-only session of SQLAlchemy's ORM on the rows of `openg2g.catalog.schema`, all as of one moment.

        Raises:
            CatalogReadOnlyError: Something would be written, by a flush or by a statement.
        """
        return read_only_session(self.database)

    def save(
        self,
        name: str,
        workload: LLMInferenceWorkload,
        *,
        message: str = "",
        author: str | None = None,
        effective_from: Time | None = None,
        source: str = "",
        annotations: JsonObject | None = None,
        expect: int | None = None,
    ) -> Revision:
        """Record a workload as the next revision of a name.

        What is in force already (same digest, same annotations) makes no new revision: that which is there comes back,
        with `is_new` False. With an `effective_from`, so does what applies from exactly then and is in force then.

        A new name begins with revision 1. `effective_from`: since when it applies, by default now, by this machine's
        clock. `source`: where it came from. `annotations`: what is known beyond the workload, a JSON object.

        Raises:
            RevisionConflictError: The highest number is another than the expected one.
        """
        known = {} if annotations is None else annotations
        draft = RevisionDraft(name, workload, message, author, effective_from, source, known, expect)
        return self._write(lambda writer: writer.append([draft])[0])

    def save_many(self, drafts: Iterable[RevisionDraft]) -> list[Revision]:
        """Record many revisions in one transaction: all or none. Errors are those of `save`.

        All drafts are taken before the transaction begins, so that a generator may be slow, and may use the catalog.
        """
        taken = list(drafts)
        return self._write(lambda writer: writer.append(taken))

    def writing(self) -> AbstractContextManager[CatalogWriter]:
        """Own a write transaction: what is written in the block is committed when it ends without an error."""
        return writer.writing(self.database)

    def previewing(self) -> AbstractContextManager[CatalogWriter]:
        """Own a write transaction that is undone at the end: to see what would be recorded."""
        return writer.previewing(self.database)

    def _write(self, work: Callable[[CatalogWriter], _Result]) -> _Result:
        return writer.write(self.database, work)

    def retire(
        self,
        name: str,
        *,
        message: str = "",
        author: str | None = None,
        effective_from: Time | None = None,
        expect: int | None = None,
    ) -> Revision:
        """Record that a name stands for nothing from then on: a revision without a workload. Before, nothing ends.

        Raises:
            RevisionConflictError: The highest number is another than the expected one.
        """
        draft = RevisionDraft(name, None, message, author, effective_from, expect=expect, retires=True)
        return self._write(lambda writer: writer.retire(draft))

    def restore(
        self,
        name: str,
        *,
        message: str = "",
        author: str | None = None,
        effective_from: Time | None = None,
        expect: int | None = None,
    ) -> Revision:
        """Record again what a name stood for before it was retired, annotations included.

        It applies from now on, or from the time of a retirement that is yet to come.

        Raises:
            InvalidRevisionError: The name is not retired, and no retirement is to come.
            RevisionConflictError: The highest number is another than the expected one.
        """
        return self._write(lambda writer: writer.restore(name, message, author, effective_from, expect))

    def rename(self, old: str, new: str, *, message: str = "", author: str | None = None) -> None:
        """Change a name; revisions, aliases and tags go along, and the old name is still understood in the past.

        Raises:
            NameTakenError: The new name is in use.
        """
        writer.rename(self.database, old, new, message, author)

    def set_alias(
        self, name: str, alias: str, revision: int | None = None, *, message: str = "", author: str | None = None
    ) -> AliasMove:
        """Let an alias stand for a revision, by default the one in force; where it stood before is kept.

        Raises:
            InvalidRevisionError: The alias is `latest`, cannot be told from a number or a date, or cannot be stored.
        """
        return writer.set_alias(self.database, name, alias, revision, message, author)

    def remove_alias(self, name: str, alias: str, *, message: str = "", author: str | None = None) -> AliasMove:
        """Let an alias stand for nothing; where it stood before is kept."""
        return writer.remove_alias(self.database, name, alias, message, author)

    def tag(self, name: str, tags: Mapping[str, str | None]) -> dict[str, str]:
        """Set tags of a name, remove those given as None, and return what it has then.

        Tags describe a name as it is now (`team`, `status`); unlike everything else they have no history.
        """
        return writer.tag(self.database, name, tags)

    def load(self, reference: str, *, as_of: Time | None = None, known_at: Time | None = None) -> LLMInferenceWorkload:
        """Return the workload that a reference names.

        Raises:
            WorkloadNotFoundError: There is none, or the name was retired.
        """
        return resolve.load(self.database, parse_reference(reference), InForce(as_of, known_at))

    def get(self, reference: str, *, as_of: Time | None = None, known_at: Time | None = None) -> Revision:
        """Return the revision that a reference names; for a digest, the one that recorded its workload last."""
        return resolve.get(self.database, parse_reference(reference), InForce(as_of, known_at))

    def get_with_context(
        self, reference: str, *, as_of: Time | None = None, known_at: Time | None = None
    ) -> tuple[Revision, RevisionContext]:
        """Return the revision that a reference names, and what belongs to it. Errors are those of `get`."""
        return listing.get_with_context(self.database, parse_reference(reference), InForce(as_of, known_at))

    def get_status(self, name: str, *, as_of: Time | None = None, known_at: Time | None = None) -> NameStatus:
        """Return what is in force of a name, and what was recorded last."""
        return listing.get_status(self.database, name, InForce(as_of, known_at))

    def history(self, name: str, *, known_at: Time | None = None) -> list[Revision]:
        """Return the revisions of a name, first to latest."""
        return listing.history(self.database, name, InForce(known_at=known_at))

    def log(self, wanted: LogFilter | None = None, limit: int | None = None) -> Iterator[Revision]:
        """Yield what was recorded, last first unless the filter says otherwise, fetched as it is needed."""
        return log.iter_log(self.database, wanted or LogFilter(), limit)

    def find_name(self, name: str, *, known_at: Time | None = None) -> str:
        """Return what a name is called now that was called so then, or is called so now."""
        return listing.find_name(self.database, name, InForce(known_at=known_at))

    def list_names(self, pattern: str = "*") -> list[str]:
        """Return the names, in code-point order, that match a pattern of `*`, `?` and `[…]` (case counts)."""
        return listing.list_names(self.database, pattern)

    def iter_statuses(
        self, pattern: str = "*", *, as_of: Time | None = None, known_at: Time | None = None
    ) -> Iterator[NameStatus]:
        """Yield of each name that matches a pattern what is in force and what was recorded last, in name order."""
        return listing.iter_statuses(self.database, pattern, InForce(as_of, known_at))

    def iter_in_force(
        self, pattern: str = "*", *, as_of: Time | None = None, known_at: Time | None = None, with_retired: bool = False
    ) -> Iterator[Revision]:
        """Yield what each name that matches a pattern stands for, in name order and constant memory.

        Names of which nothing is in force (yet) are left out, and retired ones unless `with_retired`.
        """
        for status in self.iter_statuses(pattern, as_of=as_of, known_at=known_at):
            if status.in_force is not None and (with_retired or not status.is_retired):
                yield status.in_force

    def iter_latest(
        self, pattern: str = "*", *, known_at: Time | None = None, with_retired: bool = False
    ) -> Iterator[Revision]:
        """Yield the revision with the highest number of each name that matches a pattern, in force or not.

        Names of which a retirement is in force are left out unless `with_retired`.
        """
        for status in self.iter_statuses(pattern, known_at=known_at):
            if with_retired or not status.is_retired:
                yield status.latest

    def aliases(self, name: str, *, known_at: Time | None = None) -> dict[str, int]:
        """Return alias → revision number of a name."""
        return names.current_aliases(self.alias_log(name, known_at=known_at))

    def alias_log(self, name: str, *, known_at: Time | None = None) -> list[AliasMove]:
        """Return every move of the aliases of a name, first to last."""
        return listing.alias_log(self.database, name, InForce(known_at=known_at))

    def tags(self, name: str) -> dict[str, str]:
        """Return the tags of a name."""
        return listing.tags(self.database, name)

    def count(self) -> dict[str, int]:
        """Count names, revisions, and distinct workloads and model specs."""
        return self.database.read(listing.count_rows)

    def search(
        self,
        expression: str,
        parameters: Parameters = None,
        *,
        when: When = NOW,
        sort: Sort = (),
        after: str | None = None,
    ) -> Iterator[Revision]:
        """Yield the revisions for which an expression holds. Which they are is decided at once.

        `sort`: keys of `openg2g.catalog.search.order.SORT_KEYS`, `-` before those that go from the greatest; also as
        one text, `"-total_gpus,name"`. `after`: `next_token` of a page of the same search.
        """
        return Search.of(expression, parameters, when, sort).hits(self.database, after)

    def search_page(
        self,
        expression: str,
        parameters: Parameters = None,
        *,
        when: When = NOW,
        sort: Sort = (),
        limit: int = 100,
        after: str | None = None,
    ) -> SearchPage:
        """Return at most `limit` hits, and a token for the next ones; see `search`.

        The next page goes on after the last hit of this one, whatever was recorded in between, and asks about the same
        time.
        """
        return Search.of(expression, parameters, when, sort).page(self.database, limit, after)

    def count_hits(self, expression: str, parameters: Parameters = None, *, when: When = NOW) -> int:
        """Count the revisions for which an expression holds."""
        return Search.of(expression, parameters, when).count(self.database)

    def explain_search(
        self, expression: str, parameters: Parameters = None, *, when: When = NOW, sort: Sort = (), limit: int = 100
    ) -> Explanation:
        """Find a first page, and return the statement that found it with the database's plan for it."""
        return Search.of(expression, parameters, when, sort).explain(self.database, limit)

    def iter_models(
        self, pattern: str = "*", expression: str = "True", parameters: Parameters = None, *, when: When = NOW
    ) -> Iterator[ModelUse]:
        """Yield the model specs that workloads use, by label, replicas and digest.

        `pattern`: which labels, by `*`, `?` and `[…]`. `expression`: which model specs, such as `itl_deadline_s < 0.1
        and 256 in feasible_batch_sizes`; it may name the fields of a model spec, `total_gpus` and `digest`.
        """
        return model_uses.iter_models(self.database, pattern, expression, parameters, when)

    def get_model(self, digest: str) -> ModelUse:
        """Return a model spec by its digest, or any unique beginning of it, and every revision that ever used it.

        Raises:
            AmbiguousReferenceError: The beginning fits several model specs.
        """
        return model_uses.get_model(self.database, digest)

    def statistics(
        self, expression: str = "True", parameters: Parameters = None, *, when: When = NOW, by: Grouping | None = None
    ) -> list[GroupStatistics]:
        """Count the revisions for which an expression holds, their workloads and their GPUs, by group in order.

        `by`: a row for each `"model"` label, with the GPUs of that model; for each `"month"` of `effective_from` in
        UTC; or for each `"author"`. None for one row of everything.
        """
        return statistics.count_groups(self.database, Search.of(expression, parameters, when), by)

    def audit(
        self,
        expression: str,
        parameters: Parameters = None,
        *,
        since: Time | None = None,
        until: Time | None = None,
        known_at: Time | None = None,
    ) -> list[Violation]:
        """Return when what was in force broke a rule, over the whole history: by name, then time.

        A retired name breaks no rule. Where the rule has no value (the deadline of a model that is not served), it is
        broken. A correction that was recorded later replaces the past: `known_at` asks what was known before. Tags
        and aliases in a rule are those of now, or of `known_at`.

        `expression`: the rule to which every workload should hold, such as `total_gpus <= 8000`. `since` and `until`:
        the audited time, itself without its end; by default all, what is planned included.
        """
        return audit.audit(self.database, expression, parameters, AuditWindow(since, until, known_at))

    def to_dataframe(
        self,
        expression: str = "True",
        parameters: Parameters = None,
        *,
        when: When = NOW,
        sort: Sort = (),
        library: str | None = None,
    ) -> Any:
        """Return the revisions for which an expression holds as a data frame with a row for each model; see `search`.

        Columns: those of a revision (`name`, `number`, `digest` of the workload, `recorded_at`, `effective_from`,
        `author`, `message`, `source`), the model's `position` from 0, the fields of its spec, with
        `feasible_batch_sizes` as lists, and the model's `total_gpus`. Times are in UTC. A frame without rows has the
        same types. `library`: `"pandas"` or `"polars"`; by default whichever is installed, pandas first;
        `MissingLibraryError` where none is.
        """
        return dataframes.to_dataframe(self.database, Search.of(expression, parameters, when, sort), library)
