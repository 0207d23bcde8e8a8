"""Between documents and revisions: what an import records, and what an export writes."""

import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePath

from openg2g.catalog.catalog import Catalog
from openg2g.catalog.documents.read_ahead import read_ahead
from openg2g.catalog.documents.rules import Rule
from openg2g.catalog.history.listing import NameStatus
from openg2g.catalog.history.resolve import require_workload
from openg2g.catalog.history.when import NOW, InForce
from openg2g.catalog.history.writer import DRAFTS_PER_BLOCK, CatalogWriter
from openg2g.formats.document import Document, RevisionData
from openg2g.formats.files import STANDARD_STREAM, SourceFile, open_sources
from openg2g.formats.refusals import ProblemList, Refusals
from openg2g.models.digest import workload_digest
from openg2g.models.errors import InvalidDocumentError, InvalidRevisionError, Problem
from openg2g.models.instant import TimeField
from openg2g.models.revision import Revision, RevisionDraft, check_author, check_name, check_new_message


@dataclass(frozen=True)
class ImportSettings:
    """What the user says of everything that is imported; None leaves it to each document.

    Attributes:
        name: Name of the workload.
        message: Why.
        author: Who.
        effective_from: Since when it applies, with an offset.
        rules: What every workload must hold to.

    Raises:
        InvalidRevisionError: One of them cannot be stored.
    """

    name: str | None = None
    message: str | None = None
    author: str | None = None
    effective_from: TimeField = TimeField()
    rules: tuple[Rule, ...] = ()

    def __post_init__(self) -> None:
        """Check what is given, once and before any file is read."""
        if self.name is not None:
            check_name(self.name)  # One that is there already may be any.
        if self.message is not None:
            check_new_message(self.message)
        if self.author is not None:
            check_author(self.author)


def import_files(
    catalog: Catalog,
    paths: Sequence[str],
    settings: ImportSettings | None = None,
    format_name: str | None = None,
    max_bytes: int | None = None,
) -> list[Revision]:
    """Record every workload of some files in one transaction: all or none.

    What is in force already makes no new revision (`CatalogWriter.append` says when); `Revision.is_new` tells.

    Args:
        catalog: Where to.
        paths: Files; `-` is standard input.
        settings: What holds for all of them.
        format_name: Format of all; None to tell it from each suffix.
        max_bytes: Bytes of each file that are read; None for what its format can read at a time.

    Raises:
        InvalidDocumentError: With every problem of every file.
        SourceError: A file cannot be read.
        UnknownFormatError: A suffix means nothing to us.
    """
    settings = settings or ImportSettings()
    problems = ProblemList()
    with (
        open_sources(paths, format_name, max_bytes) as sources,
        read_ahead(read_drafts(sources, settings, problems)) as drafts,
    ):
        problems.raise_problems()
        with catalog.writing() as writer:
            revisions = list(append_drafts(writer, drafts, settings.rules, problems))
            problems.raise_problems()
            return revisions


@dataclass(frozen=True)
class PlacedDraft:
    """A draft, and the place in a file that it was read from."""

    where: str
    draft: RevisionDraft


def read_drafts(
    sources: Iterable[SourceFile], settings: ImportSettings, refusals: Refusals
) -> Iterator[list[PlacedDraft]]:
    """Yield a draft for every document of open files, in order and in blocks; none once an import is to fail."""
    block: list[PlacedDraft] = []
    names: set[str] = set()
    for source in sources:
        for outcome in source.read():
            try:
                if isinstance(outcome, InvalidDocumentError):
                    raise outcome
                block.append(PlacedDraft(outcome.where, _draft(outcome, source, settings, names)))
            except InvalidDocumentError as error:
                refusals.add(InvalidDocumentError(error.problems, outcome.text), source.label)
                if refusals.is_full:
                    return
            if not refusals.keep_the_rest:
                block.clear()
            if len(block) >= DRAFTS_PER_BLOCK:
                yield block
                block = []
    if block:
        yield block


def append_drafts(
    writer: CatalogWriter, blocks: Iterable[Sequence[PlacedDraft]], rules: Sequence[Rule], refusals: Refusals
) -> Iterator[Revision]:
    """Append drafts, and yield what became of each; refuse those that break a rule."""
    for block in blocks:
        revisions = writer.append([placed.draft for placed in block])
        for placed, revision in zip(block, revisions, strict=True):
            broken = [problem for rule in rules if (problem := rule.problem_of(revision)) is not None]
            if broken:
                problems = [Problem(placed.where, "", problem) for problem in broken]
                refusals.add(InvalidDocumentError(problems), placed.where)
                if refusals.is_full:
                    return
        if refusals.keep_the_rest:
            yield from revisions


def documents_of(catalog: Catalog, references: Sequence[str], when: InForce = NOW) -> Iterator[Document]:
    """Yield the document of each reference; all are looked up before the first is yielded.

    Raises:
        WorkloadNotFoundError: A reference names nothing, or a retired name.
    """
    found = [catalog.get(text, as_of=when.as_of, known_at=when.known_at) for text in references]
    return map(Document.of_revision, [require_workload(revision) for revision in found])


def documents_of_all(
    catalog: Catalog, when: InForce = NOW, note_waiting: Callable[[NameStatus], None] = lambda _: None
) -> Iterator[Document]:
    """Yield the document of what is in force of every name, in constant memory; retired names are left out.

    `note_waiting` takes the names of which nothing is in force yet.
    """
    for status in catalog.iter_statuses(as_of=when.as_of, known_at=when.known_at):
        if status.in_force is None:
            note_waiting(status)
        elif not status.is_retired:
            yield Document.of_revision(status.in_force)


def _draft(document: Document, source: SourceFile, settings: ImportSettings, names: set[str]) -> RevisionDraft:
    name = settings.name if settings.name is not None else document.name or _name_of_file(document, source)
    if settings.name is not None and document.name is not None:
        if not names <= {document.name}:
            message = f"is the second name of this import: the name {settings.name} would mix up different workloads."
            raise InvalidDocumentError([Problem(document.where, f"name {document.name!r}", message)])
        names.add(document.name)
    data = document.revision
    if data.digest is not None and data.digest != workload_digest(document.workload):
        data = RevisionData()  # The document was edited after its export: the rest is about another workload.
    try:
        return RevisionDraft(
            name=name,
            workload=document.workload,
            message=settings.message if settings.message is not None else data.message or "",
            author=settings.author if settings.author is not None else data.author,
            effective_from=settings.effective_from or data.effective_from,
            source=data.source or _source_text(source),
            annotations=document.annotations,
        )
    except InvalidRevisionError as error:
        raise InvalidDocumentError([Problem(document.where, "", str(error))]) from error


def _name_of_file(document: Document, source: SourceFile) -> str:
    """Take the name of a file for its only document."""
    if document.where != source.path:
        raise InvalidDocumentError([Problem(document.where, "name", "is missing in the document.", setting="name")])
    name = PurePath(source.path).stem
    try:
        return check_name(name)
    except InvalidRevisionError as error:
        raise InvalidDocumentError([Problem(document.where, "", str(error), setting="name")]) from error


def _source_text(source: SourceFile) -> str:
    """Path of a file as text that can be stored; a path may be any bytes."""
    return "" if source.path == STANDARD_STREAM else os.fsencode(source.path).decode(errors="backslashreplace")
