"""Where the fields of a document stand in its file, so that a problem can name line and column."""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from operator import itemgetter
from typing import TYPE_CHECKING, Protocol

from openg2g.formats.limits import MAX_PROBLEMS
from openg2g.models.errors import InvalidDocumentError, Problem

if TYPE_CHECKING:
    from openg2g.formats.document import Document

_KEY_ENDS = re.compile(r"[.\[]")
_MAX_KEY_ENDS = 16  # A key may hold dots and brackets itself; of those that fit, the longest is meant.


class AnyPlace(Protocol):
    """Where a value stands, and what it holds."""

    @property
    def line(self) -> int:
        """Counted from 1."""

    @property
    def column(self) -> int:
        """In characters, counted from 1. A value of an object stands where its key does."""

    def find(self, path: str) -> "AnyPlace":
        """Return the place of a field (`models[2].itl_deadline_s`), or of what comes nearest to holding it."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a value stands.

    Attributes:
        line: Counted from 1.
        column: In characters, counted from 1. A value of an object stands where its key does.
        inner: Places of the members of an object by key, or of a list by index; None for a plain value.
    """

    line: int
    column: int
    inner: "dict[str, Place] | list[Place] | None" = None

    def find(self, path: str) -> "Place":
        """Return the place of a field (`models[2].itl_deadline_s`), or of what comes nearest to holding it."""
        if isinstance(self.inner, dict):
            rest = path.removeprefix(".")
            ends = [found.start() for found in islice(_KEY_ENDS.finditer(rest), _MAX_KEY_ENDS)]
            for end in (len(rest), *reversed(ends)):
                if rest[:end] in self.inner:
                    return self.inner[rest[:end]].find(rest[end:])
        elif isinstance(self.inner, list):
            index = re.match(r"\[([0-9]{1,9})\]", path)
            if index and int(index[1]) < len(self.inner):
                return self.inner[int(index[1])].find(path[index.end() :])
        return self


def located_outcomes(
    outcomes: "Iterable[Document | InvalidDocumentError]", where: str, find_place: Callable[[], AnyPlace]
) -> "Iterator[Document | InvalidDocumentError]":
    """Yield documents, and errors whose problems tell the line and column of their fields."""
    place = None
    for outcome in outcomes:
        if isinstance(outcome, InvalidDocumentError):
            place = place or find_place()
            outcome = located(outcome, where, place)
        yield outcome


def located(error: InvalidDocumentError, where: str, place: AnyPlace) -> InvalidDocumentError:
    """Say of each problem of a document at which line and column of the file its field stands, in that order."""
    found = [(at.line, at.column, p) for p, at in ((p, place.find(p.path)) for p in error.problems)]
    ordered = [*sorted(found[:MAX_PROBLEMS], key=itemgetter(0, 1)), *found[MAX_PROBLEMS:]]  # That there are more: last.
    return InvalidDocumentError([Problem(where, p.path, p.message, line, c) for line, c, p in ordered], error.text)
