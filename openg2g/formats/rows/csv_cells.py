"""The cells of a CSV file: what is written for a value, and what is read from a text.

Reading never fails: a text that is no number stays a text, which the rule of its field refuses, and a hint says what to
write instead.
"""

import re
from datetime import datetime
from functools import lru_cache
from typing import Any

from openg2g.models.instant import parse_instant, time_text

_INTEGERS = frozenset({"num_replicas", "gpus_per_replica", "initial_batch_size", "number"})
NUMERIC = _INTEGERS | {"itl_deadline_s", "feasible_batch_sizes"}
"""Columns of numbers, for which there are hints."""

_TIMES = frozenset({"effective_from", "recorded_at"})
_TEXTS = frozenset({"name", "model_label", "author", "message", "source"})

_CACHED_LENGTH = 200

_INTEGER = re.compile(r"-?(0|[1-9][0-9]{0,99})")  # Python's int() takes 1_000 and Arabic digits too.
_NUMBER = re.compile(r"-?([0-9]{1,400}(\.[0-9]{0,400})?|\.[0-9]{1,400})([eE][+-]?[0-9]{1,4})?")
_LIKE_A_NUMBER = re.compile(r"[+-]?\d[\d.,'’_\s]*([eE][+-]?\d+)?")
_DECIMAL_COMMA = re.compile(r"[+-]?[0-9]*,[0-9]+([eE][+-]?[0-9]+)?")

# Spreadsheets run what begins with the first seven; East Asian ones take the wide forms for the same characters.
# The apostrophe is here so that a text which has one already can be told from a text that was given one.
_MARKED = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠", "'")


def cell_text(value: object) -> str:
    """Write a value as the text of a cell; None as an empty one."""
    match value:
        case None:
            return ""
        case str():
            return "'" + value if value.startswith(_MARKED) else value
        case datetime():
            return time_text(value)
        case tuple():
            return " ".join(map(str, value))
        case _:
            return repr(value)


def cell_value(column: str, text: str) -> Any:
    """Read the text of a cell as a JSON document would have the value; None for an empty cell."""
    if column in _TEXTS:
        unmarked = text[1:] if text.startswith("'") and text[1:].startswith(_MARKED) else text
        return unmarked or None
    stripped = text.strip()
    if not stripped:
        return None
    if column in _INTEGERS:
        return _integer(stripped)
    if column == "itl_deadline_s":
        return float(stripped) if _NUMBER.fullmatch(stripped) else stripped
    if column == "feasible_batch_sizes":
        return _sizes(stripped) if len(stripped) <= _CACHED_LENGTH else _sizes.__wrapped__(stripped)
    return _time(stripped) if column in _TIMES else stripped


def hint_of(column: str, text: str) -> str | None:
    """Say what to write instead of a text that the rule of its column refuses; None if nothing comes to mind."""
    stripped = text.strip()
    if column == "itl_deadline_s":
        if _DECIMAL_COMMA.fullmatch(stripped):
            return f"Write a decimal point: {stripped.replace(',', '.')}"
    elif column == "feasible_batch_sizes":
        if not all(_INTEGER.fullmatch(size) for size in stripped.split()):
            return "Write the sizes with blanks between them: 8 16 32"
    elif column in _INTEGERS and not _INTEGER.fullmatch(stripped) and _LIKE_A_NUMBER.fullmatch(stripped):
        return "Write a whole number with the digits 0 to 9 alone: 1000"
    return None


def _integer(text: str) -> int | str:
    return int(text) if _INTEGER.fullmatch(text) else text


@lru_cache(maxsize=1024)
def _sizes(text: str) -> list[int | str]:
    """Read batch sizes; the models of a sweep have few different lists."""
    return [_integer(size) for size in text.split()]


def _time(text: str) -> str:
    try:
        return time_text(parse_instant(text))
    except ValueError:
        return text
