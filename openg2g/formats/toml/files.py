"""TOML files: one workload with its `[[models]]`, or several as `[[workloads]]`, each with its `[[workloads.models]]`.

TOML has no null and counts with 64 bits: what does not fit is refused, not changed. A key of annotations that is null
is left out, which is a loss to be told. A date or time becomes its ISO 8601 text, which is what other formats have.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from functools import cache, partial
from itertools import chain
from typing import Any, BinaryIO, TextIO

import tomli
import tomli_w

from openg2g.formats import native
from openg2g.formats.document import Document, Report, check_fields, checked_list
from openg2g.formats.limits import MAX_DEPTH
from openg2g.formats.losses import Loss, LossKind
from openg2g.formats.places import located, located_outcomes
from openg2g.formats.shape import documents_from_value
from openg2g.formats.text_files import invalid, line_and_column, read_text
from openg2g.formats.toml.places import KEY_PART, LONG_STRING, SHORT_STRING, places_of
from openg2g.models.errors import InvalidDocumentError

MAX_BYTES = 8 * 2**20
"""The largest file that is read, unless somebody asks for more; the parser is written in Python."""

LIST_KEY = "workloads"
"""Key of the list of several workloads."""

_INTEGERS = range(-(2**63), 2**63)
_MAX_KEY_STEPS = 40_000_000  # The parser walks through the whole path of a key for each of its parts.
_STRING_OR_COMMENT = re.compile(  # What has no end goes as far as it can: the parser gets no further either.
    rf"""{LONG_STRING} | (?:\"\"\"|\'\'\').* | {SHORT_STRING} | ["'\#][^\n]*""", re.DOTALL | re.VERBOSE
)
_KEY = re.compile(r"(?P<header>^[ \t]*\[{1,2}[ \t]*)?[\w-]++(?P<more>(?:[ \t]*+\.[ \t]*+[\w-]++)*+)", re.MULTILINE)
_LONG_NUMBER = re.compile(r"(?<![\w\"'])[-+]?[0-9][0-9_]{4000}")
_DEEP = re.compile(rf"(?:[\[{{][^\[\]{{}}\"'#]*+){{{MAX_DEPTH + 1}}}|(?:{KEY_PART}[ \t]*\.[ \t]*){{{MAX_DEPTH}}}")


@dataclass(frozen=True)
class TomlFiles:
    """Reads any shape that it recognises, writes the catalog's own."""

    def read(
        self, stream: BinaryIO, where: str, max_bytes: int | None = None
    ) -> Iterator[Document | InvalidDocumentError]:
        """Yield each workload of a file, or what is wrong with it."""
        try:
            text = read_text(stream, where, max_bytes or MAX_BYTES)
            root = _decode(text, where)
        except InvalidDocumentError as error:
            yield error
            return
        find_root = cache(partial(places_of, text))
        if LIST_KEY not in root:
            yield from located_outcomes(_outcomes(root, where), where, find_root)
            return
        try:
            items = _items_of(root, where)
        except InvalidDocumentError as error:
            yield located(error, where, find_root())
            return
        for index, item in enumerate(items):
            for outcome in _outcomes(item, f"{where}[{index}]"):
                if isinstance(outcome, InvalidDocumentError):
                    yield located(outcome, where, find_root().find(f"{LIST_KEY}[{index}]"))
                else:
                    yield outcome

    def losses(self, document: Document) -> Sequence[Loss]:
        """List the keys of annotations that are null, and so left out."""
        message = "is null, which TOML cannot express: the key is left out. JSON and YAML have it."
        paths = _null_members(document.annotations, ("annotations",))
        return [Loss(LossKind.DROPPED, _path_text(path), message) for path in paths]

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write one document at the top, several as tables of `workloads`."""
        values = map(_value_of, documents)
        first, second = next(values, None), next(values, None)
        if first is None:
            stream.write(f"{LIST_KEY} = []\n")
        elif second is None:
            stream.write(tomli_w.dumps(first))
        else:
            separator = ""
            for value in chain([first, second], values):
                stream.write(separator + tomli_w.dumps({LIST_KEY: [value]}))
                separator = "\n"


def _decode(text: str, where: str) -> dict[str, Any]:
    _check_keys(text, where)
    try:
        return tomli.loads(text)
    except tomli.TOMLDecodeError as error:
        message = f"is not TOML: {error.msg[:1].lower()}{error.msg[1:]}."
        raise invalid(where, message, error.lineno, error.colno) from None
    except ValueError:  # Python makes no integer of more than 4,300 decimal digits.
        raise _found(_LONG_NUMBER, text, where, "has a number of more than 4000 digits.") from None
    except RecursionError:
        raise _found(_DEEP, text, where, f"must not be nested more than {MAX_DEPTH} levels deep.") from None


def _check_keys(text: str, where: str) -> None:
    """Refuse keys of so many parts, under headers of so many, that the parser would take minutes with them."""
    left = _MAX_KEY_STEPS + len(text)
    header = 1
    for key in _KEY.finditer(_STRING_OR_COMMENT.sub("s", text)):  # And every plain value.
        parts = 1 + key["more"].count(".")
        header = parts if key["header"] else header
        left -= parts * (parts + header)
        if left < 0:
            raise invalid(where, "has more keys of many parts than are read. Write fewer dots, or use JSON.")


def _found(pattern: re.Pattern[str], text: str, where: str, message: str) -> InvalidDocumentError:
    """Make the error of what the parser refuses without saying where it stands."""
    found = pattern.search(text)
    return invalid(where, message, *(line_and_column(text, found.start()) if found else ()))


def _items_of(root: Mapping[str, Any], where: str) -> list[Any]:
    """List the workloads of a file that has several, each still as the parser made it."""
    report = Report(where)
    check_fields(root, (LIST_KEY,), "", report)
    items = list(checked_list(root[LIST_KEY], LIST_KEY, report))
    report.raise_problems()
    return items


def _outcomes(value: object, where: str) -> Iterator[Document | InvalidDocumentError]:
    """Yield the documents of a workload as the parser made it."""
    report = Report(where)
    value = _json_value(value, report)
    if report.problems:
        yield InvalidDocumentError(report.problems)
    else:
        yield from documents_from_value(value, where, None)


def _value_of(document: Document) -> Mapping[str, Any]:
    report = Report(document.where)
    value: dict[str, Any] = _json_value(native.value_from_document(document), report)
    report.raise_problems()
    if not value.get("annotations"):  # All of them were null.
        value.pop("annotations", None)
    return value


def _null_members(value: object, path: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """Yield the path of every key of an object that is null."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if item is None:
                yield (*path, f".{key}")
            else:
                yield from _null_members(item, (*path, f".{key}"))
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            yield from _null_members(item, (*path, f"[{index}]"))


def _json_value(value: Any, report: Report, path: tuple[str, ...] = ()) -> Any:
    """Turn dates and times into text; note what only one of TOML and the catalog can express."""
    match value:
        case None:
            message = "is null, which TOML cannot express. Use JSON or YAML, or leave it out."
            report.add(_path_text(path), message)
        case bool():
            pass
        case int() if value not in _INTEGERS:
            message = "must fit into 64 bits: TOML has no larger integers. Use JSON or YAML, or write it as a string."
            report.add(_path_text(path), message)
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case Mapping() | list() | tuple() if len(path) >= MAX_DEPTH:
            message = f"must not be nested more than {MAX_DEPTH} levels deep."
            report.add(_path_text(path), message)
        case Mapping():
            # A key that is null is left out; one of a list stays and is refused, for the others would move up.
            members = ((key, item) for key, item in value.items() if item is not None)
            return {key: _json_value(item, report, (*path, f".{key}")) for key, item in members}
        case list() | tuple():
            return [_json_value(item, report, (*path, f"[{index}]")) for index, item in enumerate(value)]
    return value


def _path_text(path: tuple[str, ...]) -> str:
    return "".join(path).removeprefix(".")


TOML = TomlFiles()
