"""TOML files: one workload with its `[[models]]`, or several as `[[workloads]]`, each with its `[[workloads.models]]`.

TOML has no null and counts with 64 bits: what does not fit is refused, not changed. A date or time becomes its ISO 8601
text, which is what other formats have.
"""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from itertools import chain
from typing import Any, BinaryIO, TextIO

import tomli_w

from openg2g.formats import native
from openg2g.formats.document import Document, Report, check_fields, checked_list
from openg2g.formats.shape import document_from_value
from openg2g.formats.text_files import invalid, place, read_text
from openg2g.formats.toml_guard import MAX_DEPTH, check_bounds
from openg2g.models.errors import InvalidDocumentError

MAX_BYTES = 8 * 2**20
"""The largest file that is read; the parser is written in Python."""

_LIST = "workloads"
_INTEGERS = range(-(2**63), 2**63)
_PLACE = re.compile(r" \(at (?:line (?P<line>\d+), column (?P<column>\d+)|end of document)\)$")


@dataclass(frozen=True)
class TomlFiles:
    """Reads any shape that it recognises, writes the catalog's own."""

    def read(self, stream: BinaryIO, where: str) -> Iterator[Document | InvalidDocumentError]:
        """Yield each workload of a file, or what is wrong with it."""
        try:
            root = _decode(read_text(stream, where, MAX_BYTES), where)
            items = _items_of(root, where)
        except InvalidDocumentError as error:
            yield error
            return
        for index, item in enumerate(items):
            place_of_item = f"{where}[{index}]" if _LIST in root else where
            report = Report(place_of_item)
            value = _json_value(item, "", report)
            try:
                report.raise_problems()
                yield document_from_value(value, place_of_item)
            except InvalidDocumentError as error:
                yield error

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write one document at the top, several as tables of `workloads`.

        Raises:
            InvalidDocumentError: Annotations hold what TOML cannot express.
        """
        values = map(_value_of, documents)
        first, second = next(values, None), next(values, None)
        if first is None:
            stream.write(f"{_LIST} = []\n")
        elif second is None:
            stream.write(tomli_w.dumps(first))
        else:
            separator = ""
            for value in chain([first, second], values):
                stream.write(separator + tomli_w.dumps({_LIST: [value]}))
                separator = "\n"


def _decode(text: str, where: str) -> dict[str, Any]:
    check_bounds(text, where)
    try:
        return tomllib.loads(text)
    except ValueError as error:  # TOMLDecodeError is one.
        raise _syntax_error(str(error), text, where) from None
    except RecursionError:  # Whoever called us has left no room.
        raise invalid(where, "is nested too deeply.") from None


def _syntax_error(message: str, text: str, where: str) -> InvalidDocumentError:
    """Move the place out of a message of the parser to where editors look for it."""
    found = _PLACE.search(message)
    position = place(where, text, len(text))
    if found and found["line"]:
        position = f"{where}:{found['line']}:{found['column']}"
    why = _PLACE.sub("", message)
    return invalid(position, f"is not TOML: {why[:1].lower()}{why[1:]}.")


def _items_of(root: Mapping[str, Any], where: str) -> list[Any]:
    """List the workloads of a file, each still as the parser made it."""
    if _LIST not in root:
        return [root]
    report = Report(where)
    check_fields(root, (_LIST,), "", report)
    items = list(checked_list(root[_LIST], _LIST, report))
    report.raise_problems()
    return items


def _value_of(document: Document) -> Mapping[str, Any]:
    report = Report(document.where)
    value: Mapping[str, Any] = _json_value(native.value_from_document(document), "", report)
    report.raise_problems()
    return value


def _json_value(value: Any, path: str, report: Report, depth: int = 0) -> Any:
    """Turn dates and times into text; note what only one of TOML and the catalog can express."""
    match value:
        case None:
            report.add(path, "is null, which TOML cannot express. Use JSON or YAML, or leave it out.")
        case bool():
            pass
        case int() if value not in _INTEGERS:
            report.add(
                path, "must fit into 64 bits: TOML has no larger integers. Use JSON or YAML, or write it as a string."
            )
        case datetime():
            return value.isoformat().replace("+00:00", "Z")
        case date() | time():
            return value.isoformat()
        case Mapping() | list() | tuple() if depth >= MAX_DEPTH:
            report.add(path, f"must not be nested more than {MAX_DEPTH} levels deep.")
        case Mapping():
            return {
                key: _json_value(item, f"{path}.{key}" if path else key, report, depth + 1)
                for key, item in value.items()
            }
        case list() | tuple():
            return [_json_value(item, f"{path}[{index}]", report, depth + 1) for index, item in enumerate(value)]
    return value


TOML = TomlFiles()
