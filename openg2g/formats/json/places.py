"""Where a value of a JSON text stands: looked for by its path, once somebody has to be told."""

import re
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecoder

_SPACE = re.compile(r"[ \t\n\r,:]*")  # And what stands between values, in a text that the parser has accepted.
_INDEX = re.compile(r"\[([0-9]+)\]")
_LONG = 1_000
_value_at = JSONDecoder().raw_decode

MAX_CHARACTERS = 2**22
"""Characters of a document in which places are looked for; a larger one takes too much time for each."""


class _Text:
    """A text, and where its lines begin."""

    def __init__(self, text: str, first_line: int) -> None:
        self.text = text
        self.first_line = first_line
        self.line_starts = [0, *(found.end() for found in re.finditer("\n", text))]
        self._ends: dict[int, int] = {}
        self._members: dict[int, dict[str, tuple[int, int]]] = {}

    def end_of(self, index: int) -> int:
        """Return where a value ends that begins at an index; of a long one it is looked for once."""
        end = self._ends.get(index)
        if end is None:
            end = _value_at(self.text, index)[1]
            if end - index > _LONG:
                self._ends[index] = end
        return end

    def members_of(self, index: int) -> dict[str, tuple[int, int]]:
        """Return where each key of an object begins, and its value."""
        members = self._members.get(index)
        if members is None:
            members = self._members[index] = {}
            at = _after_space(self.text, index + 1)
            while self.text[at] != "}":
                key, end = _value_at(self.text, at)
                value = _after_space(self.text, end)
                members[key] = at, value
                at = _after_space(self.text, self.end_of(value))
        return members


@dataclass(frozen=True)
class JsonPlace:
    """Where a value stands; a value of an object stands where its key does."""

    source: _Text
    index: int
    value_index: int

    @property
    def line(self) -> int:
        """Counted from 1."""
        return self.source.first_line - 1 + bisect_right(self.source.line_starts, self.index)

    @property
    def column(self) -> int:
        """In characters, counted from 1."""
        return self.index - self.source.line_starts[self.line - self.source.first_line] + 1

    def find(self, path: str) -> "JsonPlace":
        """Return the place of a field (`models[2].itl_deadline_s`), or of what comes nearest to holding it."""
        text, place = self.source.text, self
        if len(text) > MAX_CHARACTERS and self.source.end_of(self.value_index) - self.value_index > MAX_CHARACTERS:
            return self
        while path and (found := place._member(path)):
            place, path = found
        return place

    def _member(self, path: str) -> "tuple[JsonPlace, str] | None":
        """Find the member that a path begins with, and the rest of the path; of keys that fit, the longest is meant."""
        text = self.source.text
        if text[self.value_index] == "{":
            rest = path.removeprefix(".")
            members = self.source.members_of(self.value_index)
            fitting = (k for k in members if rest.startswith(k) and rest[len(k) : len(k) + 1] in ("", ".", "["))
            key = max(fitting, key=len, default=None)
            return None if key is None else (JsonPlace(self.source, *members[key]), rest[len(key) :])
        number = _INDEX.match(path) if text[self.value_index] == "[" else None
        if number is None:
            return None
        index = _after_space(text, self.value_index + 1)
        for _ in range(int(number[1])):
            if text[index] == "]":
                return None
            index = _after_space(text, self.source.end_of(index))
        return None if text[index] == "]" else (JsonPlace(self.source, index, index), path[number.end() :])


def place_of(text: str, first_line: int = 1) -> JsonPlace:
    """Return the place of a text that the parser has accepted, in which others are found.

    Example:
        >>> place = place_of('{"models": [{"num_replicas": -1}]}').find("models[0].num_replicas")
        >>> place.line, place.column
        (1, 14)
    """
    index = _after_space(text, 0)
    return JsonPlace(_Text(text, first_line), index, index)


def places_of_items(text: str) -> Iterator[JsonPlace]:
    """Yield the place of each item of an array that the parser has accepted."""
    source = _Text(text, 1)
    index = _after_space(text, _after_space(text, 0) + 1)
    while text[index] != "]":
        yield JsonPlace(source, index, index)
        index = _after_space(text, _value_at(text, index)[1])


def _after_space(text: str, index: int) -> int:
    found = _SPACE.match(text, index)
    assert found is not None  # It may be empty.
    return found.end()
