"""JSON as text: decoded without silent losses, written for people and for `diff`."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NoReturn

from openg2g.formats.document import Report
from openg2g.formats.json.places import place_of
from openg2g.formats.limits import MAX_DEPTH
from openg2g.formats.places import located
from openg2g.formats.text_files import invalid, line_and_column
from openg2g.models.errors import InvalidDocumentError

_INDENT = "  "
# A string that does not end is passed over too: else the search would begin anew at each quote that is escaped in it.
_BRACKET = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[\]{}]', re.DOTALL)
_DEPTH_CHANGE = {"[": 1, "{": 1, "]": -1, "}": -1}


class _Repeating(dict[str, Any]):
    """A JSON object in which keys stand more than once, which the standard library would not tell."""

    repeated: list[str]


def decode_json(text: str, where: str, *, line: int | None = None) -> object:
    """Decode a file without its byte order mark, or one line of it; a key that repeats in an object is refused."""
    first_line = line or 1
    try:
        _check_depth(text, where, first_line)
        try:
            return _DECODER.decode(text)
        except _RepeatedKeyError:
            return _decode_repeating(text, where, first_line)
    except json.JSONDecodeError as error:
        if not text.strip():
            raise invalid(where, "is empty.", line) from None
        hint = " Is it JSON Lines? Then its format is jsonl." if error.msg == "Extra data" and line is None else ""
        why = f"is not JSON: {error.msg[0].lower()}{error.msg[1:]}.{hint}"
        raise invalid(where, why, first_line - 1 + error.lineno, error.colno) from None
    except RecursionError:
        raise invalid(where, "is nested too deeply.", line) from None
    except ValueError as error:
        if isinstance(error, InvalidDocumentError):
            raise
        raise invalid(where, f"is not JSON that we read: {error}.", line) from None  # Thousands of digits.


class _RepeatedKeyError(Exception):
    """Ends the decoding of a text with keys that repeat, which are then looked for."""


def _object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise _RepeatedKeyError
    return value


_DECODER = json.JSONDecoder(object_pairs_hook=_object_of)  # One for all: to make one takes as long as to read a model.


def _decode_repeating(text: str, where: str, first_line: int) -> NoReturn:
    """Raise the error that tells every key that repeats, and where, or what else is wrong with the text."""

    def object_of(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        value = dict(pairs)
        if len(value) == len(pairs):
            return value
        keys = [key for key, _ in pairs]
        marked = _Repeating(value)
        marked.repeated = sorted(key for key, count in Counter(keys).items() if count > 1)
        return marked

    report = Report(where)
    for path in _repeated(json.loads(text, object_pairs_hook=object_of)):
        report.add(path, "stands more than once.")
    raise located(InvalidDocumentError(report.problems), where, place_of(text, first_line)) from None


def _check_depth(text: str, where: str, first_line: int) -> None:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return
    depth = 0
    for token in _BRACKET.finditer(text):
        depth += _DEPTH_CHANGE.get(token[0], 0)
        if depth > MAX_DEPTH:
            line, column = line_and_column(text, token.start())
            message = f"must not be nested more than {MAX_DEPTH} levels deep."
            raise invalid(where, message, first_line - 1 + line, column)


_LINE_ENCODER = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def encode_line(value: object) -> str:
    """Write a JSON value on one line, without white space that nobody reads."""
    return _LINE_ENCODER.encode(value)


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


def _repeated(value: object, path: Sequence[str] = ()) -> Iterator[str]:
    """Yield the path of every repeated key; it is put together for those only, for a key may be megabytes long."""
    if isinstance(value, dict):
        if isinstance(value, _Repeating):
            yield from ("".join([*path, f".{key}"]).removeprefix(".") for key in value.repeated)
        for key, item in value.items():
            if isinstance(item, dict | list):
                yield from _repeated(item, (*path, f".{key}"))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            if isinstance(item, dict | list):
                yield from _repeated(item, (*path, f"[{index}]"))
