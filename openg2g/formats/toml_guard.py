"""What a TOML text may not hold if it is to be parsed in bounded time, found by one pass over its tokens.

The parser of the standard library calls itself for each bracket, looks through all parts of a dotted key once for each
of them, and does not say where a number of thousands of digits stands.
"""

import re

from openg2g.formats.text_files import invalid, place

MAX_DEPTH = 128
"""Levels of arrays and tables, and parts of a dotted key: what the catalog stores has at most 103."""

MAX_DIGITS = 4_000
"""Digits of a number."""

_PART = r"""(?:[A-Za-z0-9_-]++|"(?:[^"\\\n]|\\.)*+"|'[^'\n]*+')"""
_DOT = r"[ \t]*+\.[ \t]*+"
_TOKEN = re.compile(
    rf"""
      (?:\"\"\"(?:[^"\\]++|\\.|"{{1,2}}(?!"))*+"{{3,5}} | '''(?:[^']++|'{{1,2}}(?!'))*+'{{3,5}})
    | (?P<endless>\"\"\"|''')
    | (?P<number>-?[0-9][0-9_]{{{MAX_DIGITS},}}+)
    | (?P<long>{_PART}(?:{_DOT}{_PART}){{{MAX_DEPTH},}}+)
    | {_PART}(?:{_DOT}{_PART})*+
    | (?P<unclosed>["'])
    | \#[^\n]*+
    | (?P<opening>[\[{{]) | (?P<closing>[\]}}])
    | [^\[\]{{}}"'#A-Za-z0-9_-]++
    """,
    re.DOTALL | re.VERBOSE,
)


def check_bounds(text: str, where: str) -> None:
    """Look through a TOML text before it is parsed.

    Raises:
        InvalidDocumentError: It is nested too deeply or has a number that is too long, at the line and column.
    """
    depth = 0
    for token in _TOKEN.finditer(text):
        match token.lastgroup:
            case None:
                continue
            case "opening":
                depth += 1
            case "closing":
                depth -= 1
            case "endless" | "unclosed":
                return  # The parser gets no further either, and says why.
            case "number":
                raise invalid(place(where, text, token.start()), f"has a number of more than {MAX_DIGITS} digits.")
        if depth > MAX_DEPTH or token.lastgroup == "long":
            message = f"must not be nested more than {MAX_DEPTH} levels deep."
            raise invalid(place(where, text, token.start()), message)
