"""What becomes of documents that are refused while files are read."""

from typing import Protocol

from openg2g.formats.limits import MAX_PROBLEMS
from openg2g.models.errors import InvalidDocumentError, Problem


class Refusals(Protocol):
    """Takes what is wrong with documents.

    Attributes:
        count: Documents that were refused.
    """

    count: int

    @property
    def keep_the_rest(self) -> bool:
        """Whether the documents that are not refused still count."""

    @property
    def is_full(self) -> bool:
        """Whether there are so many that reading further makes no sense."""

    def add(self, error: InvalidDocumentError, label: str) -> None:
        """Take what is wrong with a document of a file."""

    def raise_problems(self) -> None:
        """Raise what was taken, where any of it means that nothing is imported."""


class ProblemList:
    """Collects every problem; with the first one, no document counts any more.

    Args:
        max_problems: So many are enough.

    Attributes:
        problems: Those so far; when they are enough, the last one says so.
        count: Documents that were refused.
    """

    def __init__(self, max_problems: int = MAX_PROBLEMS) -> None:
        self.problems: list[Problem] = []
        self.count = 0
        self._max_problems = max_problems

    @property
    def keep_the_rest(self) -> bool:
        """Whether there is no problem yet."""
        return not self.problems

    @property
    def is_full(self) -> bool:
        """Whether there are so many problems that nobody would read more."""
        return len(self.problems) > self._max_problems

    def add(self, error: InvalidDocumentError, label: str) -> None:
        """Note the problems of a document."""
        self.count += 1
        self.problems += error.problems
        if len(self.problems) >= self._max_problems:
            number = "one problem is" if self._max_problems == 1 else f"{self._max_problems} problems are"
            unread = Problem(label, "", f"was not read further: {number} enough.", setting="max_problems")
            self.problems = [*self.problems[: self._max_problems], unread]

    def raise_problems(self) -> None:
        """Raise everything noted, if anything."""
        if self.problems:
            raise InvalidDocumentError(self.problems)
