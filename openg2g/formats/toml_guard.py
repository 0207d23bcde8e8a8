"""What a TOML text may not hold if it is to be parsed in bounded time, found by one pass over its tokens.

The parser of the standard library calls itself for each bracket, looks through all parts of a dotted key once for each
of them, and does not say where a number of thousands of digits stands.
"""

import re

from openg2g.formats.limits import MAX_DEPTH
from openg2g.formats.text_files import invalid, line_and_column

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


def check_bounds(text: str, where: str, max_depth: int) -> None:
    """Look through a TOML text before it is parsed.

    Args:
        text: The text.
        where: The file, for messages.
        max_depth: Levels of arrays and tables. A dotted key has at most `MAX_DEPTH` parts.

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
                message = f"has a number of more than {MAX_DIGITS} digits."
                raise invalid(where, message, *line_and_column(text, token.start()))
        if depth > max_depth or token.lastgroup == "long":
            message = f"must not be nested more than {max_depth} levels deep (--max-depth)."
            raise invalid(where, message, *line_and_column(text, token.start()))
