"""Every committed version of a file, and the documents in them.

The history is that of the commit which is checked out (`HEAD`): every commit on every line of development that was
merged into it. What is not committed is not looked at. `git_log` says how renames are followed.

A merge that has the file of one of its parents says nothing new. It is a version nevertheless where, in the one order
that the versions are put into, another line's version stands right before it: so the last version is always the file
as it is checked out.
"""

import io
import os
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import IO, Literal

from openg2g.formats.document import Document, RevisionData
from openg2g.formats.git.log import FileChange, changes_of_file, tip_of_head
from openg2g.formats.git.process import Git
from openg2g.formats.registry import format_name_of, get_format
from openg2g.models.errors import InvalidDocumentError, Problem, SourceError, UnknownFormatError

SOURCE_PREFIX = "git:"
"""How the source of a revision begins that came from a commit: `git:COMMIT:PATH`."""

_COMMIT_DIGITS_SHOWN = 12

VersionKind = Literal["file", "deleted", "symbolic link", "submodule"]
_KIND_BY_MODE: dict[str, VersionKind] = {"000000": "deleted", "120000": "symbolic link", "160000": "submodule"}


@dataclass(frozen=True)
class CommittedVersion:
    """A file as one commit has it.

    Attributes:
        commit: Id of the commit, hexadecimal.
        path: Path in that commit, from the top of the repository; bytes that are not UTF-8 are replaced.
        author: `Name <email>`.
        authored_at: Author date, UTC; None where the commit has none between the years 1 and 9999.
        subject: First paragraph of the commit's message, on one line.
        is_repetition: Whether this is a merge that only has what a parent and the version before it have.
        kind: What the path is in that commit.
        content: Content of the file; None where it is no file.
    """

    commit: str
    path: str
    author: str
    authored_at: datetime | None
    subject: str
    is_repetition: bool
    kind: VersionKind
    content: bytes | None

    @property
    def where(self) -> str:
        """What messages call it: `PATH@COMMIT`, the commit abbreviated."""
        return f"{self.path}@{self.commit[:_COMMIT_DIGITS_SHOWN]}"

    @property
    def source(self) -> str:
        """`git:COMMIT:PATH`, which tells it from every other version of every file."""
        return f"{SOURCE_PREFIX}{self.commit}:{self.path}"


@dataclass(frozen=True)
class SkippedVersion:
    """A version without a document, which is no fault.

    Attributes:
        version: The version.
        reason: Why, to be read after its place.
    """

    version: CommittedVersion
    reason: str


@dataclass(frozen=True)
class GitHistory:
    """The history of one file, listed but not read.

    Attributes:
        label: The file, as the user wrote it.
        changes: The commits, oldest first.
        is_shallow: Whether the clone is shallow: what is older than its commits is not known here.
    """

    label: str
    changes: Sequence[FileChange]
    is_shallow: bool
    _git: Git

    def __len__(self) -> int:
        """Count the versions."""
        return len(self.changes)

    def versions(self) -> Iterator[CommittedVersion]:
        """Yield each version, oldest first; all contents come from one process and pass through a temporary file.

        Raises:
            SourceError: git fails, or the clone lacks a content.
        """
        with tempfile.TemporaryFile() as contents:
            wanted = "".join(f"{change.blob}\n" for change in self.changes if _kind(change) == "file")
            self._git.write_output_of("cat-file", "--batch", given=wanted.encode("ascii"), stream=contents)
            contents.seek(0)
            previous: FileChange | None = None
            for change in self.changes:
                content = _next_content(contents, change, self.label) if _kind(change) == "file" else None
                is_same = previous is not None and (change.mode, change.blob) == (previous.mode, previous.blob)
                yield _version(change, content, is_repetition=change.takes_a_parents_file and is_same)
                previous = change


def list_git_history(path: str) -> GitHistory:
    """List the commits that changed a file, following renames. The working tree is neither read nor changed.

    Args:
        path: The file, which need not exist any more.

    Raises:
        SourceError: git is not installed or fails, the path lies in no repository, or no commit has it.
    """
    if not path or "\0" in path:
        raise SourceError(f"{path!r} is no path. Name one file to import its history.")
    if os.path.isdir(path):
        raise SourceError(f"{path} is a directory. Name one file to import its history.")
    directory, rest = _split_at_existing_directory(path)
    git = Git.in_directory(directory, path)
    answers = git.output_of(
        "rev-parse", "--is-inside-work-tree", "--is-bare-repository", "--is-shallow-repository", "--show-prefix"
    )
    is_inside, is_bare, is_shallow, prefix = answers.split(b"\n", 3)
    if is_inside != b"true":
        what = "in a bare repository" if is_bare == b"true" else "in the directory where git keeps its own files"
        raise SourceError(f"{path} is {what}. Name a file in a working tree.")
    changes = changes_of_file(git, tip_of_head(git), prefix.removesuffix(b"\n") + rest)
    if not changes:
        raise SourceError(f"{path} is in no commit on the current branch. Commit it, then import its history.")
    return GitHistory(path, changes, is_shallow == b"true", git)


def commit_of_source(source: str) -> str:
    """Return the commit id in the source of a revision; empty for one that came from no commit.

    Example:
        >>> commit_of_source("git:4f2a9c0d:config.json"), commit_of_source("config.json")
        ('4f2a9c0d', '')
    """
    return source.split(":", 2)[1] if source.startswith(SOURCE_PREFIX) else ""


def documents_of_version(
    version: CommittedVersion, format_name: str | None = None
) -> Iterator[Document | InvalidDocumentError | SkippedVersion]:
    """Yield the documents of one version, or why there are none.

    A document's `where` is `PATH@COMMIT`, and its revision data are author, author date, subject and source of the
    commit, in place of what the file says of a revision.
    """
    if version.is_repetition:
        yield SkippedVersion(version, "is a merge that takes the file from a parent.")
    elif version.authored_at is None:
        yield _invalid(version, "has no author date between the years 1 and 9999.")
    elif version.kind == "deleted":
        yield SkippedVersion(version, "deletes the file.")
    elif version.content is None:
        yield _invalid(version, f"is a {version.kind} in this commit, no file.")
    else:
        yield from _documents_in(version, version.content, format_name)


def _documents_in(
    version: CommittedVersion, content: bytes, format_name: str | None
) -> Iterator[Document | InvalidDocumentError]:
    try:
        file_format = get_format(format_name or format_name_of(version.path))
    except UnknownFormatError as error:  # The file had another suffix once.
        yield _invalid(version, str(error))
        return
    data = RevisionData(
        effective_from=version.authored_at, author=version.author, message=version.subject, source=version.source
    )
    for outcome in file_format.read(io.BytesIO(content), version.where):
        yield outcome if isinstance(outcome, InvalidDocumentError) else replace(outcome, revision=data)


def _invalid(version: CommittedVersion, message: str) -> InvalidDocumentError:
    return InvalidDocumentError([Problem(version.where, "", message)])


def _split_at_existing_directory(path: str) -> tuple[str, bytes]:
    """Split a path after its last directory that exists: git cannot run in one that was deleted since."""
    directory = os.path.realpath(os.path.dirname(path))
    rest = os.path.basename(path)
    while not os.path.isdir(directory):
        directory, name = os.path.split(directory)
        rest = f"{name}/{rest}"
    return directory, os.fsencode(rest)


def _kind(change: FileChange) -> VersionKind:
    return _KIND_BY_MODE.get(change.mode, "file")


def _version(change: FileChange, content: bytes | None, *, is_repetition: bool) -> CommittedVersion:
    return CommittedVersion(
        commit=change.commit,
        path=change.path.decode(errors="replace"),
        author=change.author,
        authored_at=change.authored_at,
        subject=change.subject,
        is_repetition=is_repetition,
        kind=_kind(change),
        content=content,
    )


def _next_content(contents: IO[bytes], change: FileChange, label: str) -> bytes:
    """Read the next answer of `git cat-file --batch`: a line with id, type and size; the content; a newline."""
    _, kind, *size = contents.readline().decode("ascii").split()
    if kind != "blob":
        raise SourceError(
            f"{label}: this clone lacks its content in commit {change.commit[:_COMMIT_DIGITS_SHOWN]}. "
            "Run `git fetch`, or clone the whole repository."
        )
    content = contents.read(int(size[0]))
    contents.read(1)
    return content
