"""From text to Python's syntax tree: bounded in size and depth, and errors that point at a column."""

import ast
import re
import threading
import warnings
from collections.abc import Iterator

from openg2g.models.errors import FilterError

MAX_LENGTH = 4_000
"""Characters of an expression."""

MAX_DEPTH = 25
"""Levels of nesting. Databases and Python both give up somewhat above it."""

MAX_NODES = 1_000
"""Nodes of the syntax tree."""

MAX_SIZE = 20_000
"""Nodes and constants of the typed tree, counted as they come in SQL. SQLite takes 32,766 parameters."""

MAX_SQL_DEPTH = 60
"""Entries of SQLite's parser stack, of 100, that the SQL of an expression may need."""


_WARNINGS_LOCK = threading.Lock()  # Two threads that catch warnings at once may leave them ignored for good.
_LINE_BREAKS = frozenset("\n\r\f")


_HINTS = (
    (r"&&|\bAND\b", " Conditions are joined by and."),
    (r"\|\||\bOR\b", " Conditions are joined by or."),
    (r"<>|!(?!=)|\bNOT\b", " Write != for not equal, and not before a condition."),
    (r"(?i)\blike\b", " Write fnmatch(name, 'sweep/*') or name.startswith('sweep/')."),
    (r"(?i)\bbetween\b", " Write 10 <= total_gpus <= 20."),
    (r"[\u2018-\u201f]", " Quote texts with ' or \"."),
    (r"^(?!.*\b(any|all|sum|min|max|len)\().*\bfor\b", " A loop stands inside any(…), all(…), sum(…), min(…), max(…)."),
    (r"(?<![=<>!])=(?!=)", " Write == to compare."),
)
"""What people write who come from SQL or C, and what to write instead."""


class RefusalError(Exception):
    """What is wrong with a part of an expression, raised where its place is not known; the reader adds that."""


class Source:
    """The text of an expression and its syntax tree.

    Attributes:
        text: The expression as given.
        tree: Its syntax tree.

    Raises:
        FilterError: The text is no Python expression, or too large.
    """

    def __init__(self, text: str) -> None:
        if not isinstance(text, str):
            raise FilterError(repr(text), "an expression is a string.")
        self.text = text
        if not text.strip():
            raise FilterError(text, "the expression is empty. Write a condition, for instance: total_gpus < 7200")
        if len(text) > MAX_LENGTH:
            raise FilterError(text[:40] + "…", f"the expression is longer than {MAX_LENGTH} characters.")
        self._lead = len(text) - len(text.lstrip())
        # Line breaks are blanks, so that a long expression may be written over several lines without parentheses.
        self._line = "".join(" " if character in _LINE_BREAKS else character for character in text[self._lead :])
        self.tree = self._parsed()
        self._check_size()
        self._check_line_breaks()

    def _parsed(self) -> ast.expr:
        try:
            return _parse(self._line)
        except SyntaxError as error:
            end = len(self._line) + 1
            column = min(error.offset or end, end) + self._lead  # Of some errors, Python counts bytes.
            problem = f"this is no Python expression: {error.msg}.{self._hint()}"
            raise FilterError(self.text, problem, column) from None
        except (RecursionError, MemoryError):
            raise FilterError(self.text, f"the expression is nested more than {MAX_DEPTH} levels deep.") from None
        except ValueError as error:  # NUL in the text, a number of thousands of digits, a lone surrogate.
            raise FilterError(self.text, f"this is no Python expression: {error}.") from None

    def _hint(self) -> str:
        """Say what was probably meant, of a text that is no Python."""
        return next((hint for pattern, hint in _HINTS if re.search(pattern, self._line)), "")

    def error(self, node: ast.AST, problem: str) -> FilterError:
        """Make an error that points at a node."""
        start = getattr(node, "col_offset", 0)
        end = getattr(node, "end_col_offset", None) or start + 1
        encoded = self._line.encode("utf-8", "surrogatepass")
        column = len(encoded[:start].decode("utf-8", "replace"))
        width = len(encoded[start:end].decode("utf-8", "replace"))
        return FilterError(self.text, problem, column + self._lead + 1, width)

    def _check_size(self) -> None:
        for count, (node, depth) in enumerate(_nodes(self.tree), 1):
            if depth > MAX_DEPTH:
                raise self.error(node, f"the expression is nested more than {MAX_DEPTH} levels deep here.")
            if count > MAX_NODES:
                raise self.error(node, f"the expression has more than {MAX_NODES} parts.")

    def _check_line_breaks(self) -> None:
        """Refuse line breaks where a blank would mean something else: in a literal, and after a comment."""
        for node, _ in _nodes(self.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and not self._means_the_same(node):
                raise self.error(node, "a text must not go over several lines. Write \\n for a line break.")
        rest = self._line.encode()[self.tree.end_col_offset :].decode()
        comment = self.text[len(self.text) - len(rest) + rest.find("#") :].strip() if "#" in rest else ""
        if any(character in _LINE_BREAKS for character in comment):
            column = len(self.text) - len(rest) + rest.find("#") + 1
            raise FilterError(self.text, "what follows on the next line would belong to this comment.", column)

    def _means_the_same(self, node: ast.Constant) -> bool:
        """Whether a text, or several side by side, is what Python reads with the line breaks in it."""
        encoded = self._line.encode()
        start, end = (len(encoded[:offset].decode()) + self._lead for offset in (node.col_offset, node.end_col_offset))
        literal = self.text[start:end]
        if not any(character in _LINE_BREAKS for character in literal):
            return True
        try:
            return getattr(_parse(f"({literal})"), "value", None) == node.value
        except SyntaxError:
            return False


def _parse(text: str) -> ast.expr:
    with _WARNINGS_LOCK, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Python warns of `1 is 1` and of "\d"; the reader refuses or takes it.
        return ast.parse(text, mode="eval").body


def _nodes(tree: ast.expr) -> Iterator[tuple[ast.AST, int]]:
    """Yield every node with a place, and how deep it lies; without recursion."""
    waiting: list[tuple[ast.AST, int]] = [(tree, 1)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        below = depth + isinstance(node, ast.expr)
        waiting += [(child, below) for child in ast.iter_child_nodes(node)]
