"""Where the values of a TOML text stand: found in a second pass, which only a text with problems needs."""

import re
from bisect import bisect_right

import tomli

from openg2g.formats.places import Place

_SPACE = re.compile(r"(?:[ \t\r\n]|#[^\n]*)*+")
_BLANK = re.compile(r"[ \t]*+")
LONG_STRING = r"""\"\"\"(?:[^"\\]++|\\.|"{1,2}(?!"))*+"{3,5} | \'\'\'(?:[^']++|'{1,2}(?!'))*+'{3,5}"""
SHORT_STRING = r""""(?:[^"\\\n]|\\.)*+" | '[^'\n]*+'"""
"""Texts of the four kinds, to be compiled with `re.DOTALL | re.VERBOSE`."""

KEY_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
"""A key, or a part of one that has dots."""

_STRING = re.compile(f"{LONG_STRING} | {SHORT_STRING}", re.DOTALL | re.VERBOSE)
_PLAIN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9][^ \t\r\n,\]}#]*|[^ \t\r\n,\]}#]+")
_KEY_PART = re.compile(KEY_PART)


def places_of(text: str) -> Place:
    r"""Find where everything stands in a text that the parser has accepted.

    Example:
        >>> places_of("[[models]]\nnum_replicas = -1\n").find("models[0].num_replicas")
        Place(line=2, column=1, inner=None)
    """
    return _Scan(text).document()


class _Scan:
    """Passes once over a text."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._index = 0
        self._line_starts = [0, *(found.end() for found in re.finditer("\n", text))]

    def document(self) -> Place:
        root = table = Place(1, 1, {})
        self._skip(_SPACE)
        while self._index < len(self._text):
            if self._text.startswith("[[", self._index):
                table = self._header(root, 2)
            elif self._text[self._index] == "[":
                table = self._header(root, 1)
            else:
                self._pair(table)
            self._skip(_SPACE)
        return root

    def _header(self, root: Place, brackets: int) -> Place:
        """Pass over `[a.b]` or `[[a.b]]`, and return the place of the table that it begins."""
        begins = self._index
        self._index += brackets
        *parents, last = self._key()
        self._index += brackets
        parent = self._table(root, parents, begins)
        assert isinstance(parent.inner, dict)  # What is no table has been refused by the parser.
        if brackets == 1:
            return self._table(parent, [last], begins)
        array = parent.inner.setdefault(last, self._place(begins, []))
        assert isinstance(array.inner, list)
        array.inner.append(self._place(begins, {}))
        return array.inner[-1]

    def _table(self, table: Place, keys: list[str], begins: int) -> Place:
        """Go down to a table, through the last of each array of tables; what is not there yet begins here."""
        for key in keys:
            assert isinstance(table.inner, dict)
            table = table.inner.setdefault(key, self._place(begins, {}))
            if isinstance(table.inner, list):
                table = table.inner[-1]
        return table

    def _pair(self, table: Place) -> None:
        """Pass over `a.b = value`, and put it into its table."""
        begins = self._index
        *parents, last = self._key()
        self._index += 1  # The sign of equality.
        self._skip(_BLANK)
        inner = self._value()
        parent = self._table(table, parents, begins)
        assert isinstance(parent.inner, dict)
        parent.inner[last] = self._place(begins, inner)

    def _key(self) -> list[str]:
        """Pass over a key, and the blanks around it; return its parts."""
        parts = []
        while True:
            self._skip(_BLANK)
            part = self._skip(_KEY_PART)
            parts.append(next(iter(tomli.loads(f"{part} = 0"))) if part[0] in "\"'" else part)
            self._skip(_BLANK)
            if self._text[self._index] != ".":
                return parts
            self._index += 1

    def _value(self) -> dict[str, Place] | list[Place] | None:
        """Pass over a value; return the places of what it holds."""
        match self._text[self._index]:
            case "[":
                return self._array()
            case "{":
                return self._inline_table()
            case '"' | "'":
                self._skip(_STRING)
            case _:
                self._skip(_PLAIN)
        return None

    def _array(self) -> list[Place]:
        places: list[Place] = []
        self._index += 1
        self._skip(_SPACE)
        while self._text[self._index] != "]":
            begins = self._index
            places.append(self._place(begins, self._value()))
            self._skip_comma()
        self._index += 1
        return places

    def _inline_table(self) -> dict[str, Place]:
        table = Place(0, 0, {})
        self._index += 1
        self._skip(_SPACE)
        while self._text[self._index] != "}":
            self._pair(table)
            self._skip_comma()
        self._index += 1
        assert isinstance(table.inner, dict)
        return table.inner

    def _skip_comma(self) -> None:
        self._skip(_SPACE)
        if self._text[self._index] == ",":
            self._index += 1
            self._skip(_SPACE)

    def _skip(self, pattern: re.Pattern[str]) -> str:
        found = pattern.match(self._text, self._index)
        assert found is not None  # The parser has accepted the text.
        self._index = found.end()
        return found[0]

    def _place(self, index: int, inner: dict[str, Place] | list[Place] | None) -> Place:
        line = bisect_right(self._line_starts, index)
        return Place(line, index - self._line_starts[line - 1] + 1, inner)
