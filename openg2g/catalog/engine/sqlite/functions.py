"""What SQLite does not know how to compute and searches need, registered as functions on each connection.

They call what the Python predicate calls. PostgreSQL has means of its own for all of it.
"""

import json
import sqlite3
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any

from openg2g.expressions.annotations import as_kind, at_path, holds, length
from openg2g.expressions.patterns import in_case, matches
from openg2g.expressions.types import Kind
from openg2g.models.revision import annotations_from_text

_read_annotations = lru_cache(maxsize=256)(annotations_from_text)  # Every condition on a row's asks for them.


@lru_cache(maxsize=256)
def _read_path(text: str) -> tuple[str | int, ...]:
    return tuple(json.loads(text))


def _at(annotations: str, path: str) -> Any:
    return at_path(_read_annotations(annotations), _read_path(path))


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "openg2g_lower": lambda text: None if text is None else in_case("lower", text),
    "openg2g_upper": lambda text: None if text is None else in_case("upper", text),
    "openg2g_fnmatch": lambda text, pattern: None if text is None else matches(text, pattern),
    "openg2g_annotation_number": lambda annotations, path: as_kind(_at(annotations, path), Kind.FLOAT),
    "openg2g_annotation_text": lambda annotations, path: as_kind(_at(annotations, path), Kind.TEXT),
    "openg2g_annotation_boolean": lambda annotations, path: as_kind(_at(annotations, path), Kind.BOOLEAN),
    "openg2g_annotation_length": lambda annotations, path: length(_at(annotations, path)),
    "openg2g_annotation_holds": lambda annotations, path, item: (
        None if item is None else holds(_at(annotations, path), item)
    ),
}


def register_functions(connection: sqlite3.Connection) -> None:
    """Make the functions known to a connection."""
    for name, function in _FUNCTIONS.items():
        connection.create_function(name, function.__code__.co_argcount, function, deterministic=True)
    connection.create_aggregate("openg2g_sum", -1, _OrderedSum)  # type: ignore[arg-type]  # typeshed wants fixed arity.


class _OrderedSum:
    """Adds doubles in the order of their places: SQLite's own sum compensates for rounding in some releases.

    `openg2g_sum(value, place, …)`; a value of NULL is passed over.
    """

    def __init__(self) -> None:
        self._items: list[tuple[tuple[Any, ...], float]] = []

    def step(self, value: float | None, *place: Any) -> None:
        """Take a row."""
        if value is not None:
            self._items.append((place, value))

    def finalize(self) -> float | None:
        """Return the sum; NULL for none, as SQL's own."""
        total = None
        for _, value in sorted(self._items):
            total = value if total is None else total + value
        return total
