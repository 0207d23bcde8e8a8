"""Where the values of a JSON text stand: found in a second pass, which only a text with problems needs."""

import re
from bisect import bisect_right
from json import JSONDecoder

from openg2g.formats.places import Place

_SPACE = re.compile(r"[ \t\n\r]*")
_PLAIN = re.compile(r"[^ \t\n\r,\]}]+")
_value_at = JSONDecoder().raw_decode


MAX_CHARACTERS = 2**22
"""Characters of a document in which places are looked for; of a larger one, they would take more memory than itself."""


def places_of(text: str, first_line: int = 1) -> Place:
    """Find where everything stands in a text that the parser has accepted.

    Args:
        text: The text.
        first_line: The line of the file in which it begins.

    Returns:
        The place of the text, with those of what it holds unless it is larger than `MAX_CHARACTERS`.

    Example:
        >>> places_of('{"models": [{"num_replicas": -1}]}').find("models[0].num_replicas")
        Place(line=1, column=14, inner=None)
    """
    return _Scan(text, first_line).value(_after_space(text, 0))


class ItemPlaces:
    """Finds where the items of a JSON array stand, each when it is asked for.

    Args:
        text: The array, which the parser has accepted.
    """

    def __init__(self, text: str) -> None:
        self._text = text
        self._scan = _Scan(text, 1)
        self._next_item = 0
        self._index = _after_space(text, _after_space(text, 0) + 1)

    def of(self, item: int) -> Place:
        """Return where an item stands, with what it holds; items are asked for in ascending order."""
        while True:
            begins = self._index
            _, end = _value_at(self._text, begins)
            self._index = _after_space(self._text, _after_space(self._text, end) + 1)
            self._next_item += 1
            if self._next_item > item:
                return self._scan.value(begins)


def _after_space(text: str, index: int) -> int:
    found = _SPACE.match(text, index)
    assert found is not None  # It may be empty.
    return found.end()


class _Scan:
    """Passes once over a text."""

    def __init__(self, text: str, first_line: int) -> None:
        self._text = text
        self._first_line = first_line
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def value(self, index: int) -> Place:
        """Return the place of a value that begins at an index."""
        text = self._text
        if text[index] in "{[" and len(text) > MAX_CHARACTERS and _value_at(text, index)[1] - index > MAX_CHARACTERS:
            return self._place(index, None)
        return self._place(index, self._inner(index)[0])

    def _place(self, index: int, inner: "dict[str, Place] | list[Place] | None") -> Place:
        line = bisect_right(self._line_starts, index)
        return Place(self._first_line - 1 + line, index - self._line_starts[line - 1] + 1, inner)

    def _inner(self, index: int) -> "tuple[dict[str, Place] | list[Place] | None, int]":
        """Pass over a value: return the places of what it holds, and the index of what comes after it."""
        match self._text[index]:
            case "{":
                return self._object(index + 1)
            case "[":
                return self._list(index + 1)
            case '"':
                return None, _value_at(self._text, index)[1]
            case _:
                found = _PLAIN.match(self._text, index)
                assert found is not None  # The parser has accepted the text.
                return None, found.end()

    def _object(self, index: int) -> tuple[dict[str, Place], int]:
        places: dict[str, Place] = {}
        index = _after_space(self._text, index)
        while self._text[index] != "}":
            if self._text[index] == ",":
                index = _after_space(self._text, index + 1)
            key, end = _value_at(self._text, index)
            colon = _after_space(self._text, end)
            inner, end = self._inner(_after_space(self._text, colon + 1))
            places[key] = self._place(index, inner)
            index = _after_space(self._text, end)
        return places, index + 1

    def _list(self, index: int) -> tuple[list[Place], int]:
        places: list[Place] = []
        index = _after_space(self._text, index)
        while self._text[index] != "]":
            if self._text[index] == ",":
                index = _after_space(self._text, index + 1)
            inner, end = self._inner(index)
            places.append(self._place(index, inner))
            index = _after_space(self._text, end)
        return places, index + 1
