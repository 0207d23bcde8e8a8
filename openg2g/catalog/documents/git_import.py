"""From the commits that changed a file to revisions: planned without a catalog, then recorded in one transaction.

A version makes a revision where it differs from the version before it in workload or annotations, so a commit that
only changed the formatting makes none. A version without a workload that the one before it had, as when the file was
deleted, retires its name. Which commits are known already is told from the sources of the name's revisions.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import PurePath
from typing import Literal

from sqlalchemy import select

from openg2g.catalog.catalog import Catalog
from openg2g.catalog.engine import clock
from openg2g.catalog.history.content import KEYS_PER_STATEMENT, chunks
from openg2g.catalog.history.writer import DRAFTS_PER_BLOCK, CatalogWriter
from openg2g.catalog.schema.history_rows import NameRow, RevisionRow
from openg2g.formats.document import Document
from openg2g.formats.git.history import (
    SOURCE_PREFIX,
    CommittedVersion,
    documents_of_version,
    list_git_history,
)
from openg2g.formats.limits import MAX_PROBLEMS
from openg2g.formats.registry import format_name_of, get_format
from openg2g.models.characters import without_hidden
from openg2g.models.digest import workload_digest
from openg2g.models.errors import InvalidDocumentError, InvalidRevisionError, Problem
from openg2g.models.revision import Revision, RevisionDraft, annotations_to_text, check_name, same_annotations

BadVersions = Literal["skip", "fail"]
"""What becomes of an import when a version cannot be read."""


@dataclass(frozen=True)
class GitNotice:
    """Something in the history that made no revision, which the user should know.

    Attributes:
        kind: `invalid`: a version that cannot be read; `merge`: a merge that takes the file from a parent; `shallow`:
            the clone does not have the whole history.
        message: The place, and what is with it.
    """

    kind: Literal["invalid", "merge", "shallow"]
    message: str


@dataclass(frozen=True)
class GitImportPlan:
    """What the history of a file has to say, before a catalog is asked what it knows.

    Attributes:
        num_versions: Versions of the file.
        drafts: A draft for every real change, oldest first; the source of each names its commit.
        notices: What was passed over.
    """

    num_versions: int
    drafts: tuple[RevisionDraft, ...]
    notices: tuple[GitNotice, ...]


def plan_git_import(
    path: str, *, name: str | None = None, format_name: str | None = None, on_bad: BadVersions = "skip"
) -> GitImportPlan:
    """Read every committed version of a file, following renames, and say which revisions they make.

    Author, author date, subject and commit become author, `effective_from`, message and source (`git:COMMIT:PATH`).
    A version never applies before the one that it follows, as an author date after a rebase may say, nor later than
    now: what the file has now is what is in force.
    A merge that takes the file from a parent is passed over with a notice; one that has a file of its own is a version
    like any other.

    Args:
        path: The file; it need not exist any more.
        name: Name of the workload; by default what each document says, else the stem of the file's name.
        format_name: Format of all versions; None to tell it from the suffix that each has.
        on_bad: Whether a version that cannot be read is passed over with a notice, or makes the import fail.

    Raises:
        SourceError: git is not installed or fails, the path lies in no repository, or no commit has it.
        UnknownFormatError: The suffix means nothing to us.
        InvalidRevisionError: The name cannot be stored.
        InvalidDocumentError: With `fail`, a version cannot be read; with `skip`, none can.
    """
    get_format(format_name or format_name_of(path))
    if name is not None:
        check_name(name)
    history = list_git_history(path)
    planner = _Planner(PurePath(path).stem, name, format_name)
    if history.is_shallow:
        message = f"{path}: the clone is shallow, so older versions are not here. Run `git fetch --unshallow`."
        planner.notices.append(GitNotice("shallow", message))
    for version in history.versions():
        planner.add(version)
    if planner.problems and (on_bad == "fail" or not planner.drafts):
        more = len(planner.problems) - MAX_PROBLEMS
        rest = [Problem(path, "", f"has {more} more problems.")] if more > 0 else []
        raise InvalidDocumentError(planner.problems[:MAX_PROBLEMS] + rest)
    return GitImportPlan(len(history), tuple(planner.drafts), tuple(planner.notices))


def record_git_import(writer: CatalogWriter, plan: GitImportPlan) -> Iterator[Revision]:
    """Append what the catalog does not know yet, and yield what became of it.

    Usually that is what was committed since the last import. Where an older commit is new, as after a merge or in a
    clone that was shallow, the newest version is recorded once more unless it is in force from its time: a name stands
    for what the file has now.

    Example:
        plan = plan_git_import("config.json", name="fleet")
        with catalog.previewing() as writer:
            print(list(record_git_import(writer, plan)))
    """
    known = _known_sources(writer, list({draft.name: None for draft in plan.drafts}))
    names_with_news = {draft.name for draft in plan.drafts if (draft.name, draft.source) not in known}
    newest = {draft.name: draft for draft in plan.drafts}
    chosen = [
        draft
        for draft in plan.drafts
        if (draft.name, draft.source) not in known or (draft.name in names_with_news and draft is newest[draft.name])
    ]
    for start in range(0, len(chosen), DRAFTS_PER_BLOCK):
        yield from writer.append(chosen[start : start + DRAFTS_PER_BLOCK])


def import_git_history(
    catalog: Catalog,
    path: str,
    *,
    name: str | None = None,
    format_name: str | None = None,
    on_bad: BadVersions = "skip",
) -> tuple[list[Revision], tuple[GitNotice, ...]]:
    """Record every committed version of a file that changed a workload, all or none; arguments as `plan_git_import`.

    Returns:
        The revisions that were added, oldest commit first, and what was passed over.
    """
    plan = plan_git_import(path, name=name, format_name=format_name, on_bad=on_bad)
    with catalog.writing() as writer:
        return [revision for revision in record_git_import(writer, plan) if revision.is_new], plan.notices


@dataclass
class _Planner:
    """Goes through the versions, and remembers what each name stood for in the one before.

    Attributes:
        stem: Name of a workload that has none.
        states: Name → digest and annotations, of what is in the file.
        since: Name → since when that applies.
    """

    stem: str
    name: str | None
    format_name: str | None
    states: dict[str, tuple[str, str]] = field(default_factory=dict)
    since: dict[str, datetime] = field(default_factory=dict)
    now: datetime = field(default_factory=clock.now)
    drafts: list[RevisionDraft] = field(default_factory=list)
    notices: list[GitNotice] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def add(self, version: CommittedVersion) -> None:
        """Draft what a version changes."""
        present: set[str] = set()
        problems: list[Problem] = []
        for outcome in documents_of_version(version, self.format_name):
            if isinstance(outcome, InvalidDocumentError):
                problems += outcome.problems
            elif isinstance(outcome, Document):
                try:
                    self._add_document(outcome, version, present)
                except InvalidDocumentError as error:
                    problems += error.problems
            elif outcome.version.kind != "deleted" or outcome.version.is_repetition:
                self.notices.append(GitNotice("merge", f"{outcome.version.where}: {outcome.reason}"))
                return  # A deletion is a version that has no workload.
        if not problems:
            self._retire(self.states.keys() - present, version)
            return
        # A name that is not there may be that of a document which cannot be read.
        self.problems += problems
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        self.notices.append(GitNotice("invalid", f"{problems[0]}{more}"))

    def _add_document(self, document: Document, version: CommittedVersion, present: set[str]) -> None:
        name = self._name_of(document, version)
        if name in present:
            message = f"{name} stands for two workloads in this version: give each a name of its own."
            raise InvalidDocumentError([Problem(document.where, "name", message)])
        present.add(name)
        digest, annotations_text = workload_digest(document.workload), annotations_to_text(document.annotations)
        before_digest, before_annotations_text = self.states.get(name, ("", "{}"))
        if digest == before_digest and same_annotations(annotations_text, before_annotations_text):
            return
        self.drafts.append(
            RevisionDraft(
                name=name,
                workload=document.workload,
                message=without_hidden(version.subject),
                author=version.author,
                effective_from=self._since(name, version),
                source=version.source,
                annotations=document.annotations,
            )
        )
        self.states[name] = digest, annotations_text

    def _name_of(self, document: Document, version: CommittedVersion) -> str:
        if self.name is not None or document.name is not None:
            return self.name or document.name or ""
        if document.where != version.where:
            message = "is missing: give the document a name. One name for all takes a file of one workload."
            raise InvalidDocumentError([Problem(document.where, "name", message)])
        try:
            return check_name(self.stem)
        except InvalidRevisionError as error:
            raise InvalidRevisionError(str(error), setting="name") from error

    def _retire(self, names: set[str], version: CommittedVersion) -> None:
        for name in sorted(names):
            del self.states[name]
            message, author, time = without_hidden(version.subject), version.author, self._since(name, version)
            self.drafts.append(RevisionDraft(name, None, message, author, time, version.source, retires=True))

    def _since(self, name: str, version: CommittedVersion) -> datetime:
        """Return since when a version applies: its author's clock may have been wrong, the order of commits is not."""
        authored_at = min(version.authored_at or self.now, self.now)
        self.since[name] = max(authored_at, self.since.get(name, authored_at))
        return self.since[name]


def _known_sources(writer: CatalogWriter, names: list[str]) -> set[tuple[str, str]]:
    """Find name and source of every revision of some names that came from a commit."""
    known: set[tuple[str, str]] = set()
    for chunk in chunks(names, KEYS_PER_STATEMENT):
        query = (
            select(NameRow.name, RevisionRow.source)
            .select_from(NameRow)
            .join(RevisionRow, RevisionRow.name_id == NameRow.id)
            .where(NameRow.name.in_(chunk), RevisionRow.source.startswith(SOURCE_PREFIX))
        )
        known |= {(name, source) for name, source in writer.connection.execute(query)}
    return known
