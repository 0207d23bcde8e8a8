r"""The rules of texts as JSON Schema, made of the constants and the questions of the domain itself.

A text that must not hold some characters has the keyword `not`: what `$` means differs between the engines of regular
expressions, and a pattern without it, of `\uXXXX` alone, means the same in all of them.
"""

from collections.abc import Callable
from functools import cache
from typing import Any

from openg2g.models.digest import DIGEST_PATTERN, DIGEST_PREFIX
from openg2g.models.revision import MAX_NAME_LENGTH, RESERVED_IN_NAMES
from openg2g.models.spec import MAX_LABEL_LENGTH, is_unprintable

Schema = dict[str, Any]
"""A JSON Schema, or a part of one."""

# No character beyond U+FFFF is in any class. Halves of surrogate pairs are left out: some engines refuse a pattern that
# names them, and a text that holds one is no Unicode, of which schemas speak.
_CODES = (*range(0xD800), *range(0xE000, 0x10000))
_NAMED_AS_THEY_ARE = frozenset("@:*?")

# Whatever `datetime.fromisoformat` takes, which is more than anybody writes: what matters is that the day is complete
# and the offset is there.
_DAY = "[0-9]{4}-?(?:W[0-9]{2}|[0-9]{2}-?[0-9]{2})"
TIME_PATTERN = rf"^{_DAY}[\s\S]+(?:Z|[+-][0-9]{{2}}[\s\S]*)$"
"""Regular expression of a time with its offset."""

TIME_OR_DAY_PATTERN = rf"{TIME_PATTERN}|^{_DAY}(?:-?[0-9])?$"
"""Regular expression of a time with its offset, or of a day."""


def label_schema() -> Schema:
    """Label of a model."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_LABEL_LENGTH,
        "pattern": f"[^{character_class(str.isspace)}]",
        **_without(is_unprintable),
    }


def name_schema() -> Schema:
    """Name of a workload."""
    return {
        "type": "string",
        "minLength": 1,
        "maxLength": MAX_NAME_LENGTH,
        "pattern": "^[^-]",
        **_without(_is_refused_in_names),
    }


def text_schema() -> Schema:
    """Text that both engines store."""
    return {"type": "string", **_without(_is_nul)}


def digest_schema() -> Schema:
    """Digest of a workload."""
    return {"type": "string", "maxLength": len(DIGEST_PREFIX) + 64, "pattern": f"^{DIGEST_PATTERN}$"}


def time_schema() -> Schema:
    """Time with its offset."""
    return {"type": "string", "pattern": TIME_PATTERN}


def nullable(schema: Schema) -> Schema:
    """Allow null beside values of one type."""
    return schema | {"type": [schema["type"], "null"]}


@cache
def character_class(is_member: Callable[[str], bool]) -> str:
    r"""Write the inside of a class of characters, `\u0000-\u001f\u007f` for instance."""
    spans: list[list[int]] = []
    for code in _CODES:
        if is_member(chr(code)):
            if spans and spans[-1][1] == code - 1:
                spans[-1][1] = code
            else:
                spans.append([code, code])
    return "".join(_written(first) if first == last else f"{_written(first)}-{_written(last)}" for first, last in spans)


def _is_refused_in_names(character: str) -> bool:
    return character in RESERVED_IN_NAMES or character.isspace() or is_unprintable(character)


def _is_nul(character: str) -> bool:
    return character == "\0"


def _written(code: int) -> str:
    return chr(code) if chr(code) in _NAMED_AS_THEY_ARE else f"\\u{code:04x}"


def _without(is_refused: Callable[[str], bool]) -> Schema:
    # With its type: anything but a text fits every pattern, so that `not` alone would refuse null.
    return {"not": {"type": "string", "pattern": f"[{character_class(is_refused)}]"}}
