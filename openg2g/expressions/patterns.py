"""Texts as the language sees them: letter by letter in lower and upper case, and patterns of `fnmatch`."""

import re
import sys
from collections.abc import Mapping
from fnmatch import translate
from functools import cache, lru_cache

from openg2g.expressions.syntax import RefusalError

MAX_PATTERN = 200
"""Characters of a pattern."""

_PLAIN = frozenset("-_/ ,:;@=<>")  # Not letters, yet themselves in a regular expression, outside of sets.


@cache
def case_table(function: str) -> Mapping[int, str]:
    """Return code point → the one letter that it becomes in lower or upper case, for those that change.

    Letters that become several (ß, İ) stay: the databases would differ about them.
    """
    changed = ((code, getattr(chr(code), function)()) for code in range(sys.maxunicode + 1))
    return {code: letter for code, letter in changed if len(letter) == 1 and letter != chr(code)}


def in_case(function: str, text: str) -> str:
    """Return a text in lower or upper case.

    Example:
        >>> in_case("lower", "Llama-É"), in_case("upper", "straße")
        ('llama-é', 'STRAßE')
    """
    return getattr(text, function)() if text.isascii() else text.translate(case_table(function))


def check_pattern(pattern: str) -> None:
    """Make sure that a pattern is one."""
    if len(pattern) > MAX_PATTERN:
        raise RefusalError(f"a pattern may have at most {MAX_PATTERN} characters.")


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(translate(pattern))


def matches(text: str, pattern: str) -> bool:
    """Whether a text matches a pattern of `*`, `?`, `[seq]` and `[!seq]`; case counts."""
    return _compiled(pattern).match(text) is not None


def literal_prefix(pattern: str) -> str:
    """Return the text that everything matching a pattern begins with."""
    return re.split(r"[*?\[]", pattern, maxsplit=1)[0]


def postgres_pattern(pattern: str) -> str:
    """Write a pattern as a regular expression of PostgreSQL that matches the same texts.

    Example:
        >>> postgres_pattern("Qwen?-[!a-c]*")
        '^(?:Qwen.-[^a-c].*)$'
    """
    parts: list[str] = []
    index = 0
    while index < len(pattern):
        character = pattern[index]
        index += 1
        if character == "*":
            parts.append("" if parts and parts[-1] == ".*" else ".*")
        elif character == "?":
            parts.append(".")
        elif character == "[" and (end := _end_of_set(pattern, index)) >= 0:
            parts.append(_postgres_set(pattern[index:end]))
            index = end + 1
        else:
            parts.append(character if character in _PLAIN else _postgres_literal(character))
    return f"^(?:{''.join(parts)})$"


def _end_of_set(pattern: str, start: int) -> int:
    """Find the bracket that closes a set; -1 where none does, and the opening one is a character like any other."""
    search_from = start + (pattern[start : start + 1] == "!")
    return pattern.find("]", search_from + 1)


def _postgres_set(text: str) -> str:
    is_negated = text.startswith("!")
    members = _ranges(text[is_negated:])
    if not is_negated and text[:1] != "!" and members and members[0][0] == "!":
        # A range that runs backwards stood before it, and `fnmatch` looks for ! when that is gone.
        is_negated = True
        members = ([("-", "-"), (members[0][1],) * 2] if members[0][1] != "!" else []) + members[1:]
    if not members:
        return "." if is_negated else "(?!)"
    inside = "".join(
        _postgres_literal(low) if low == high else f"{_postgres_literal(low)}-{_postgres_literal(high)}"
        for low, high in members
    )
    return f"[{'^' if is_negated else ''}{inside}]"


def _ranges(text: str) -> list[tuple[str, str]]:
    """Read the members of a set as `fnmatch` does: ranges that run backwards have none."""
    members, index = [], 0
    while index < len(text):
        if index + 2 < len(text) and text[index + 1] == "-":
            low, high = text[index], text[index + 2]
            if low <= high:
                members.append((low, high))
            index += 3
        else:
            members.append((text[index], text[index]))
            index += 1
    return members


def _postgres_literal(character: str) -> str:
    return character if character.isalnum() and character.isascii() else f"\\U{ord(character):08X}"
