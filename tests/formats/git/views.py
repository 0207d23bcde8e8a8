"""Short ways to read the committed versions of a file."""

from pathlib import Path

from openg2g.formats.document import Document
from openg2g.formats.git.history import CommittedVersion, documents_of_history, read_git_history


def versions_of(path: Path | str) -> list[CommittedVersion]:
    return list(read_git_history(str(path)))


def subjects_of(path: Path | str) -> list[str]:
    return [version.subject for version in versions_of(path)]


def replicas_of(path: Path | str) -> list[int]:
    """Return the replicas of the first model in each version, oldest first; every version must be valid."""
    found = []
    for outcome in documents_of_history(str(path)):
        assert isinstance(outcome, Document), outcome
        found.append(outcome.workload.models[0].num_replicas)
    return found
