"""What a TOML text may not hold if it is to be parsed in bounded time, found by one pass over its tokens.

The parser of the standard library calls itself for each bracket, looks through all parts of a dotted key once for each
of them, and does not say where a number of thousands of digits stands.
"""

import re

from openg2g.formats.limits import MAX_DEPTH
from openg2g.formats.text_files import invalid, line_and_column

MAX_DIGITS = 4_000
"""Digits of a number."""

MAX_KEY_STEPS = 40_000_000
"""Steps that the parts of keys may take, beside one for each character of the text."""

_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_DOT = r"[ \t]*+\.[ \t]*+"
_TOKEN = re.compile(
    rf"""
      (?:\"\"\"(?:[^"\\]++|\\.|"{{1,2}}(?!"))*+"{{3,5}} | '''(?:[^']++|'{{1,2}}(?!'))*+'{{3,5}})
    | (?P<endless>\"\"\"|''')
    | (?P<number>-?[0-9][0-9_]{{{MAX_DIGITS},}}+)
    | (?P<long>{_PART}(?:{_DOT}{_PART}){{{MAX_DEPTH},}}+)
    | (?P<dotted>{_PART}(?:{_DOT}{_PART}){{2,}}+)
    | {_PART}(?:{_DOT}{_PART})?+
    | (?P<unclosed>["'])
    | \#[^\n]*+
    | (?P<opening>[\[{{]) | (?P<closing>[\]}}])
    | [^\[\]{{}}"'#A-Za-z0-9_-]++
    """,
    re.DOTALL | re.VERBOSE,
)


def check_bounds(text: str, where: str, max_depth: int) -> None:
    """Look through a TOML text before it is parsed.

    Args:
        text: The text.
        where: The file, for messages.
        max_depth: Levels of arrays and tables. A dotted key has at most `MAX_DEPTH` parts.

    Raises:
        InvalidDocumentError: It is nested too deeply, or has a number that is too long or too many dotted keys, at the
            line and column.
    """
    depth = 0
    keys = _KeySteps(len(text))
    for token in _TOKEN.finditer(text):
        if keys.are_too_many(token, depth):
            message = "has more keys of many parts than are read. Write fewer dots, or use JSON."
            raise invalid(where, message, *line_and_column(text, token.start()))
        match token.lastgroup:
            case "opening":
                depth += 1
            case "closing":
                depth -= 1
            case "endless" | "unclosed":
                return  # The parser gets no further either, and says why.
            case "number":
                message = f"has a number of more than {MAX_DIGITS} digits."
                raise invalid(where, message, *line_and_column(text, token.start()))
        if depth > max_depth or token.lastgroup == "long":
            message = f"must not be nested more than {max_depth} levels deep (--max-depth)."
            raise invalid(where, message, *line_and_column(text, token.start()))


class _KeySteps:
    """Counts what the parser takes for the parts of keys: for each part of a key, all of it and of the header above."""

    def __init__(self, num_characters: int) -> None:
        self._left = MAX_KEY_STEPS + num_characters
        self._header = 0  # Parts of the header of the present table, where there are three at least.
        self._is_header = False
        self._begins_line = True

    def are_too_many(self, token: re.Match[str], depth: int) -> bool:
        """Take the next token, at its depth of brackets; whether the steps so far are too many."""
        if token.lastgroup == "opening" and depth == 0 and self._begins_line:
            self._header, self._is_header = 0, True
        elif token.lastgroup == "closing":
            self._is_header = False
        elif token.lastgroup == "dotted":
            parts = min(token[0].count(".") + 1, MAX_DEPTH)  # There may be more dots, within quotes.
            self._header = parts if self._is_header else self._header
            self._left -= parts * (parts + self._header)
        elif token.lastgroup is None:
            self._left -= self._header
        if token.lastgroup is None:
            _, newline, rest = token[0].rpartition("\n")
            self._begins_line = bool(newline) and not rest.strip()
        else:
            self._begins_line = False
        return self._left < 0
