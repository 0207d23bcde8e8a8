"""Short ways to read the committed versions of a file."""

from collections.abc import Iterator
from pathlib import Path

from openg2g.formats.document import Document
from openg2g.formats.git.history import CommittedVersion, SkippedVersion, documents_of_version, list_git_history
from openg2g.models.errors import InvalidDocumentError


def versions_of(path: Path | str) -> list[CommittedVersion]:
    return list(list_git_history(str(path)).versions())


def documents_of_history(
    path: str, format_name: str | None = None
) -> Iterator[Document | InvalidDocumentError | SkippedVersion]:
    """Yield what every committed version of a file holds, oldest first."""
    for version in list_git_history(path).versions():
        yield from documents_of_version(version, format_name)


def subjects_of(path: Path | str) -> list[str]:
    return [version.subject for version in versions_of(path)]


def replicas_of(path: Path | str) -> list[int]:
    """Return the replicas of the first model in each version, oldest first; every version must be valid."""
    found = []
    for outcome in documents_of_history(str(path)):
        assert isinstance(outcome, Document), outcome
        found.append(outcome.workload.models[0].num_replicas)
    return found
