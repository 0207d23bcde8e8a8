"""Looking into annotations: the JSON of a revision, read by a path and as one kind of value."""

from typing import Any

from openg2g.expressions.types import Kind

MISSING = object()
"""Stands for a place that is not there; None is JSON's null."""

_MAX_DIGITS = 300  # A whole number of more digits is beyond every double, and no number in a search.


def at_path(annotations: Any, path: tuple[str | int, ...]) -> Any:
    """Return what is at a place, `MISSING` where nothing is: texts name members of objects, numbers items of lists."""
    value = annotations
    for key in path:
        if isinstance(key, str):
            value = value.get(key, MISSING) if isinstance(value, dict) else MISSING
        elif isinstance(value, list | tuple) and -len(value) <= key < len(value):
            value = value[key]
        else:
            value = MISSING
        if value is MISSING:
            break
    return value


def as_kind(value: Any, kind: Kind) -> str | float | bool | None:
    """Return a JSON value as a text, number or boolean; None where it is of another kind."""
    match kind, value:
        case Kind.TEXT, str():
            return value
        case Kind.BOOLEAN, bool():
            return value
        case Kind.FLOAT, bool():
            return None
        case Kind.FLOAT, int():
            return float(value) if abs(value) < 10**_MAX_DIGITS else None
        case Kind.FLOAT, float():
            return value
        case _:
            return None


def length(value: Any) -> int | None:
    """Return how many items, keys or characters a JSON value has; None where it has none of these."""
    return len(value) if isinstance(value, dict | list | tuple | str) else None


def holds(value: Any, item: str) -> bool | None:
    """Whether a JSON value is an object with a key, a list with a text, or a text that contains another.

    None where it is something else.
    """
    match value:
        case dict() | str():
            return item in value
        case list() | tuple():
            return any(isinstance(member, str) and member == item for member in value)
        case _:
            return None
