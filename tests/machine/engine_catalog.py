"""A catalog on an engine, which is told and answers the times of the plain model."""

import io
import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, redirect_stderr, redirect_stdout
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from openg2g.catalog import Catalog, EveryRevision
from openg2g.catalog.archive.copying import copy_catalog, import_archive, renaming
from openg2g.catalog.archive.source import archive_entries
from openg2g.catalog.archive.target import entry_batches
from openg2g.catalog.history.log import LogFilter
from openg2g.catalog.history.reference import Reference, TimeReference
from openg2g.catalog.history.when import InForce, When
from openg2g.catalog.upkeep.verify import verify_database
from openg2g.cli.main import openg2g
from openg2g.formats.archive.reader import read_archive
from openg2g.models.naming import AliasMove
from openg2g.models.revision import Revision, RevisionDraft
from openg2g.models.spec import LLMInferenceWorkload
from tests.catalog.histories import archive_of
from tests.machine.contents import CatalogContents, contents_of_entries
from tests.machine.plain_catalog import AUTHOR
from tests.machine.step_times import StepTimes
from tests.machine.workload_changes import WorkloadChange

_TIME = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?(?:Z|[+-]\d\d:\d\d)?)?(?: UTC)?")
_Timed = TypeVar("_Timed", Revision, AliasMove)


class EngineCatalog:
    """Translates times both ways; everything else is the catalog's own."""

    def __init__(self, url: str, times: StepTimes, fresh: Callable[[], AbstractContextManager[str]]) -> None:
        """Open a catalog.

        Args:
            url: Where it is.
            times: What its times are in the plain model.
            fresh: Lends the place of another catalog, an empty one.
        """
        self.url = url
        self.catalog = Catalog.open(url)
        self._times = times
        self._fresh = fresh

    def close(self) -> None:
        self.catalog.close()

    def message_of(self, error: Exception) -> str:
        """What an error says, apart from the place and the times."""
        return _TIME.sub("TIME", str(error).replace(self.catalog.location, "LOCATION"))

    def contents(self) -> CatalogContents:
        return contents_of_entries(archive_entries(self.catalog.database), self._times)

    def problems(self) -> list[str]:
        return verify_database(self.catalog.database)

    def record(self, drafts: Sequence[RevisionDraft]) -> list[Revision]:
        drafts = [replace(draft, effective_from=self._real(draft.effective_from)) for draft in drafts]
        if len(drafts) > 1:
            return self._plain_all(self.catalog.save_many(drafts))
        draft = drafts[0]
        assert draft.workload is not None
        revision = self.catalog.save(
            draft.name,
            draft.workload,
            message=draft.message,
            author=draft.author,
            effective_from=draft.effective_from,
            source=draft.source,
            annotations=draft.annotations,
            expect=draft.expect,
        )
        return [self._plain(revision)]

    def set(self, reference: Reference, change: WorkloadChange, effective_from: datetime | None) -> None:
        """Change a workload on the command line, whose errors are not caught here."""
        arguments = ["set", self._text(reference), *change.arguments, "-m", "derived", "--author", AUTHOR]
        if effective_from is not None:
            arguments += ["--effective-from", self._times.real(effective_from).isoformat()]
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            openg2g.main([*arguments, "--database", self.url], prog_name="openg2g", standalone_mode=False)

    def retire(self, name: str, effective_from: datetime | None, expect: int | None) -> Revision:
        since = self._real(effective_from)
        retired = self.catalog.retire(name, message="no longer", author=AUTHOR, effective_from=since, expect=expect)
        return self._plain(retired)

    def restore(self, name: str, effective_from: datetime | None, expect: int | None) -> Revision:
        since = self._real(effective_from)
        restored = self.catalog.restore(name, message="again", author=AUTHOR, effective_from=since, expect=expect)
        return self._plain(restored)

    def rename(self, old: str, new: str) -> None:
        self.catalog.rename(old, new, message="renamed", author=AUTHOR)

    def set_alias(self, name: str, alias: str, number: int | None) -> AliasMove:
        return self._plain(self.catalog.set_alias(name, alias, number, message="moved", author=AUTHOR))

    def remove_alias(self, name: str, alias: str) -> AliasMove:
        return self._plain(self.catalog.remove_alias(name, alias, message="removed", author=AUTHOR))

    def tag(self, name: str, tags: dict[str, str | None]) -> dict[str, str]:
        return self.catalog.tag(name, tags)

    def copy_to(
        self, target: "EngineCatalog", references: Sequence[Reference] | None, renames: dict[str, str]
    ) -> dict[str, int]:
        texts = None if references is None else [self._text(reference) for reference in references]
        return copy_catalog(self.catalog, target.catalog, texts, renaming(renames))

    def dump(self) -> CatalogContents:
        """Write an archive, read it into an empty catalog, and return what is there then."""
        archive = archive_of(self.catalog)
        with self._fresh() as url, Catalog.open(url) as copy:
            with copy.writing() as writer:
                import_archive(writer, entry_batches(read_archive(io.BytesIO(archive), "archive.jsonl")))
            assert archive_of(copy) == archive, "an archive of what an archive was read into is the same"
            return contents_of_entries(archive_entries(copy.database), self._times)

    def get(self, reference: Reference, as_of: datetime | None = None, known_at: datetime | None = None) -> Revision:
        found = self.catalog.get(self._text(reference), as_of=self._real(as_of), known_at=self._real(known_at))
        return self._plain(found)

    def load(
        self, reference: Reference, as_of: datetime | None = None, known_at: datetime | None = None
    ) -> LLMInferenceWorkload:
        return self.catalog.load(self._text(reference), as_of=self._real(as_of), known_at=self._real(known_at))

    def history(self, name: str, known_at: datetime | None = None) -> list[Revision]:
        return self._plain_all(self.catalog.history(name, known_at=self._real(known_at)))

    def alias_log(self, name: str, known_at: datetime | None = None) -> list[AliasMove]:
        return [self._plain(move) for move in self.catalog.alias_log(name, known_at=self._real(known_at))]

    def aliases(self, name: str, known_at: datetime | None = None) -> dict[str, int]:
        return self.catalog.aliases(name, known_at=self._real(known_at))

    def in_force(self, as_of: datetime | None, known_at: datetime | None, with_retired: bool) -> list[Revision]:
        """List what is in force, which is also what a search finds and what every name stands for."""
        as_of, known_at = self._real(as_of), self._real(known_at)
        listed = list(self.catalog.iter_in_force(as_of=as_of, known_at=known_at, with_retired=with_retired))
        with_workload = [revision for revision in listed if revision.workload is not None]
        assert list(self.catalog.search("True", when=InForce(as_of=as_of, known_at=known_at))) == with_workload
        if known_at is None:  # Then a name may have been another's.
            assert [self.catalog.get(revision.name, as_of=as_of) for revision in listed] == listed
            assert [self.catalog.load(r.name, as_of=as_of) for r in with_workload] == [
                r.workload for r in with_workload
            ]
        return self._plain_all(listed)

    def latest(self, known_at: datetime | None, with_retired: bool) -> list[Revision]:
        known_at = self._real(known_at)
        return self._plain_all(self.catalog.iter_latest(known_at=known_at, with_retired=with_retired))

    def log(self, as_of: datetime | None, known_at: datetime | None, oldest_first: bool) -> list[Revision]:
        wanted = LogFilter(as_of=self._real(as_of), known_at=self._real(known_at), oldest_first=oldest_first)
        return self._plain_all(self.catalog.log(wanted))

    def search(self, expression: str, when: When, sort: Sequence[str]) -> list[Revision]:
        known_at = self._real(when.known_at)
        when = EveryRevision(known_at) if isinstance(when, EveryRevision) else InForce(self._real(when.as_of), known_at)
        hits = list(self.catalog.search(expression, when=when, sort=sort))
        assert self.catalog.count_hits(expression, when=when) == len(hits)
        return self._plain_all(hits)

    def _real(self, plain: datetime | None) -> datetime | None:
        return None if plain is None else self._times.real(plain)

    def _text(self, reference: Reference) -> str:
        if isinstance(reference, TimeReference):
            return str(replace(reference, time=self._times.real(reference.time)))
        return str(reference)

    def _plain(self, value: _Timed) -> _Timed:
        value = replace(value, recorded_at=self._times.plain(value.recorded_at))
        if isinstance(value, Revision):
            return replace(value, effective_from=self._times.plain(value.effective_from))
        return value

    def _plain_all(self, revisions: Iterable[Revision]) -> list[Revision]:
        return [self._plain(revision) for revision in revisions]
