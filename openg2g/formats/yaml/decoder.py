"""Reading YAML: what the core schema of YAML 1.2 says, and nothing that a reader could take for something else.

Many readers still follow YAML 1.1, in which `on` is true, `8:30` is 510, `1e-1` is a string and `0123` is 83. Here they
mean what YAML 1.2 says: `"on"`, `"8:30"`, 0.1 and 123. Anchors, aliases, merges and tags are refused: a workload needs
none of them, and an alias can make gigabytes out of one line.

Source: YAML 1.2.2, section 10.3 (core schema).
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from openg2g.formats.document import shown
from openg2g.formats.limits import MAX_DEPTH, MAX_PROBLEMS
from openg2g.formats.places import Place
from openg2g.formats.text_files import invalid, line_and_column
from openg2g.formats.yaml.encoder import ESCAPED_ONLY
from openg2g.models.errors import InvalidDocumentError, MissingLibraryError, Problem

try:
    import yaml
except ModuleNotFoundError as error:
    raise MissingLibraryError("reading YAML", library="PyYAML", extra="yaml") from error

MAX_NODES = 1_000_000
"""Keys, values, lists and objects in a document."""

_MAX_NUMBER_LENGTH = 4_001  # A sign and 4,000 digits.
_INTEGER_LIMIT = 10**4_000  # Python writes little more, in messages too.

# The parser in C is ten times as fast and absent from some installations. What both read they read alike; the one in
# Python refuses a little more, tabs in text without quotes for instance.
_DEFAULT_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)

_DIRECTIVE = re.compile(r"(?:\A|(?<=[\r\n]))%(?!YAML[ \t]+1\.[12][ \t]*(?:[\r\n#]|\Z))[^\r\n]*")
_SURROGATE = re.compile("[\ud800-\udfff]")

_NAMED_VALUES = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_NUMBER_STARTS = frozenset("0123456789+-.")
_INTEGER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"(?P<sign>[-+]?)\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)")

_TAG_PREFIX = "tag:yaml.org,2002:"  # What the parser makes of !!.


@dataclass(frozen=True)
class YamlDocument:
    """A document of a YAML file."""

    value: object
    place: Place


def decode_yaml(text: str, where: str, loader: Any = _DEFAULT_LOADER) -> Iterator[YamlDocument | InvalidDocumentError]:
    """Yield each document of a YAML text, or what is wrong with it; empty ones are passed over.

    After an error that leaves open how to go on (it is not YAML, or nested too deeply) nothing follows.
    """
    try:
        _check_characters(text, where)
        yield from _Composer(text, where, loader).documents()
    except InvalidDocumentError as error:
        yield error
    except yaml.MarkedYAMLError as error:
        yield _translation(error, where)
    except (yaml.YAMLError, ValueError, OverflowError) as error:  # The parser in Python and an escape like \UFFFFFFFF.
        yield invalid(where, f"is not YAML: {error}.")


def resolve_plain(text: str) -> bool | int | float | str | None:
    """Return what a scalar without quotes means in the core schema of YAML 1.2."""
    if text in _NAMED_VALUES:
        return _NAMED_VALUES[text]
    if text[0] not in _NUMBER_STARTS:
        return text
    if _INTEGER.fullmatch(text):
        base = {"0o": 8, "0x": 16}.get(text[:2], 10)
        number = int(_of_bounded_length(text)[0 if base == 10 else 2 :], base)
        if abs(number) >= _INTEGER_LIMIT:
            raise ValueError("must have at most 4,000 digits.")
        return number
    if _FLOAT.fullmatch(text):
        return float(_of_bounded_length(text))
    if found := _NOT_FINITE.fullmatch(text):
        return float("nan" if found["sign"] is None else f"{found['sign']}inf")
    return text


class _Composer:
    """Makes values of the events of a parser, in one pass."""

    def __init__(self, text: str, where: str, loader: Any) -> None:
        self._where = where
        self._events: Iterator[Any] = yaml.parse(text, Loader=loader)
        self._path: list[str | int] = []
        self._problems: list[Problem] = []
        self._nodes = 0
        self._depth = 0

    def documents(self) -> Iterator[YamlDocument | InvalidDocumentError]:
        for event in self._events:
            if not isinstance(event, yaml.DocumentStartEvent):
                continue
            self._path, self._problems, self._nodes, self._depth = [], [], 0, 0
            root = next(self._events)
            value, found = self._value(root)
            if self._problems:
                yield InvalidDocumentError(self._problems)
            elif not (isinstance(root, yaml.ScalarEvent) and root.implicit[0] and root.value == ""):
                yield YamlDocument(value, found)

    def _value(self, event: Any) -> tuple[object, Place]:
        """Make the value that begins with an event, and its place; None in place of what is refused."""
        self._nodes += 1
        if self._nodes > MAX_NODES:
            self._abort(event, f"has more than {MAX_NODES:,} values. Split it, or use JSON Lines.")
        line, column = event.start_mark.line + 1, event.start_mark.column + 1
        if isinstance(event, yaml.AliasEvent):
            self._refuse(event, f"is the alias *{event.anchor}: aliases are not read, write the value out.")
            return None, Place(line, column)
        if event.anchor is not None:
            self._refuse(event, f"has the anchor &{event.anchor}: anchors are not read, leave it out.")
        if event.tag is not None:
            tag = event.tag.replace(_TAG_PREFIX, "!!", 1)
            self._refuse(event, f"has the tag {shown(tag)}: tags are not read, leave it out.")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event), Place(line, column)
        if self._depth == MAX_DEPTH:  # A collection may be a key: the path says less.
            self._abort(event, f"must not be nested more than {MAX_DEPTH} levels deep.")
        self._depth += 1
        is_list = isinstance(event, yaml.SequenceStartEvent)
        members, places = self._list() if is_list else self._object()
        self._depth -= 1
        return members, Place(line, column, places)

    def _list(self) -> tuple[list[object], list[Place]]:
        items: list[object] = []
        places: list[Place] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            self._path.append(len(items))
            item, found = self._value(event)
            self._path.pop()
            items.append(item)
            places.append(found)
        return items, places

    def _object(self) -> tuple[dict[str, object], dict[str, Place]]:
        members: dict[str, object] = {}
        places: dict[str, Place] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            before = len(self._problems)
            key, found = self._value(event)
            if not isinstance(key, str):
                if len(self._problems) == before:
                    what = "a list" if isinstance(key, list) else shown(key)
                    self._refuse(event, f"must have strings as keys, got {what}. Write a key like that in quotes.")
                key = "?"  # What stands below it is looked through nevertheless.
            elif key == "<<" and event.implicit[0]:
                self._refuse(event, "must not merge other objects (<<): merges are not read, write the fields out.")
            self._path.append(key)
            if key in members and len(self._problems) == before:
                self._refuse(event, "stands more than once.")
            members[key], inner = self._value(next(self._events))
            self._path.pop()
            places[key] = Place(found.line, found.column, inner.inner)
        return members, places

    def _scalar(self, event: Any) -> object:
        text: str = event.value
        if not text.isascii() and _SURROGATE.search(text):  # The parser in C refuses such an escape by itself.
            self._refuse(event, "must be valid Unicode: it holds half of a surrogate pair.")
        if not event.implicit[0]:
            return text
        try:
            return resolve_plain(text)
        except ValueError as error:
            self._refuse(event, str(error))
            return None

    def _refuse(self, event: Any, message: str) -> None:
        mark = event.start_mark
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in self._path).removeprefix(".")
        self._problems.append(Problem(self._where, path, message, mark.line + 1, mark.column + 1))
        if len(self._problems) >= MAX_PROBLEMS:
            raise InvalidDocumentError(self._problems)

    def _abort(self, event: Any, message: str) -> None:
        self._path.clear()  # The document as a whole is what is wrong.
        self._refuse(event, message)
        raise InvalidDocumentError(self._problems)


def _translation(error: Any, where: str) -> InvalidDocumentError:
    """Say what PyYAML says in the words of its two parsers: where, what, and since which line it was waiting for it."""
    begun, mark = error.context_mark, error.problem_mark or error.context_mark
    since = f" (begun in line {begun.line + 1})" if begun and begun.line != mark.line else ""
    context = f"{error.context}{since}, " if error.context else ""
    return invalid(where, f"is not YAML: {context}{error.problem}.", mark.line + 1, mark.column + 1)


def _check_characters(text: str, where: str) -> None:
    """Refuse what the two parsers, or the two versions of YAML, take for different things."""
    if found := ESCAPED_ONLY.search(text):
        code = f"{ord(found[0]):04X}"
        message = f'is not YAML that we read: write the character U+{code} as "\\u{code}" in double quotes.'
        raise invalid(where, message, *line_and_column(text, found.start()))
    if found := _DIRECTIVE.search(text):
        message = f"is not YAML that we read: the directive {shown(found[0])}. Only %YAML 1.2 may stand there."
        raise invalid(where, message, *line_and_column(text, found.start()))


def _of_bounded_length(text: str) -> str:
    if len(text) > _MAX_NUMBER_LENGTH:  # Converting takes time that grows with the square of the length.
        raise ValueError("must have at most 4,000 digits.")
    return text
