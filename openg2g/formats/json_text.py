"""JSON as text: decoded without silent losses, written for people and for `diff`."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from openg2g.models.errors import InvalidDocumentError, Problem

_INDENT = "  "
_BYTE_ORDER_MARKS_16 = (b"\xff\xfe", b"\xfe\xff")


class _Repeating(dict[str, Any]):
    """A JSON object in which keys stand more than once, which the standard library would not tell."""

    repeated: list[str]


def decode_json(data: bytes, where: str, *, is_line: bool = False) -> object:
    """Decode one JSON text in UTF-8, with or without a byte order mark.

    Args:
        data: The text.
        where: The file, and the line where the text is one of many.
        is_line: Whether it is one of many lines: a place in it is a column.

    Raises:
        InvalidDocumentError: It is not UTF-8, not JSON, nested too deeply, or has keys that repeat in an object.
    """
    repeating: list[_Repeating] = []

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) == len(pairs):
            return value
        keys = [key for key, _ in pairs]
        marked = _Repeating(value)
        marked.repeated = sorted(key for key, count in Counter(keys).items() if count > 1)
        repeating.append(marked)
        return marked

    try:
        value: object = json.loads(data.decode("utf-8-sig"), object_pairs_hook=object_of)
        paths = _repeated(value, "") if repeating else []
    except UnicodeDecodeError as error:
        hint = " It looks like UTF-16: save it as UTF-8." if data[:2] in _BYTE_ORDER_MARKS_16 else ""
        raise _invalid(where, f"is not UTF-8 text (byte {error.start}).{hint}") from None
    except json.JSONDecodeError as error:
        if not data.strip():
            raise _invalid(where, "is empty.") from None
        hint = " Is it JSON Lines? Then use --format jsonl." if error.msg == "Extra data" and not is_line else ""
        place = f"{where}:{error.colno}" if is_line else f"{where}:{error.lineno}:{error.colno}"
        raise _invalid(place, f"is not JSON: {error.msg[0].lower()}{error.msg[1:]}.{hint}") from None
    except RecursionError:
        raise _invalid(where, "is nested too deeply.") from None
    except ValueError as error:  # An integer with thousands of digits.
        raise _invalid(where, f"is not JSON that we read: {error}.") from None
    if paths:
        raise InvalidDocumentError([Problem(where, path, "stands more than once.") for path in paths])
    return value


def encode_line(value: object) -> str:
    """Write a JSON value on one line, without white space that nobody reads."""
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode_pretty(value: object, margin: str = "") -> str:
    """Write a JSON value indented by two, lists of plain values on one line."""
    inner = margin + _INDENT
    if isinstance(value, Mapping) and value:
        members = (f"{inner}{_scalar(key)}: {encode_pretty(item, inner)}" for key, item in value.items())
        return "{\n" + ",\n".join(members) + f"\n{margin}}}"
    if isinstance(value, Sequence) and not isinstance(value, str) and value:
        if any(
            isinstance(item, Mapping) or (isinstance(item, Sequence) and not isinstance(item, str)) for item in value
        ):
            return "[\n" + ",\n".join(inner + encode_pretty(item, inner) for item in value) + f"\n{margin}]"
        return f"[{', '.join(map(_scalar, value))}]"
    return _scalar(value)


def _scalar(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False)


def _repeated(value: object, path: str) -> list[str]:
    """Find the path of every repeated key."""
    found: list[str] = []
    if isinstance(value, dict):
        if isinstance(value, _Repeating):
            found += [f"{path}.{key}" if path else key for key in value.repeated]
        for key, item in value.items():
            found += _repeated(item, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found += _repeated(item, f"{path}[{index}]")
    return found


def _invalid(where: str, message: str) -> InvalidDocumentError:
    return InvalidDocumentError([Problem(where, "", message)])
