"""A revision, and what becomes one: the values of a catalog's history, checked before a database sees them."""

import json
import math
import re
import reprlib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from openg2g.models.characters import find_hidden, visible
from openg2g.models.errors import DamagedCatalogError, InvalidRevisionError
from openg2g.models.instant import TimeField
from openg2g.models.notebook import revision_html
from openg2g.models.spec import LLMInferenceWorkload, is_unprintable

MAX_NAME_LENGTH = 200
"""Characters in a name."""

RESERVED_IN_NAMES = frozenset("@:*?[")
"""Characters that no name has: references and patterns give them a meaning."""

_PLAIN_NAME = re.compile("[0-9A-Za-z_./+-]*")  # Of others, each character is looked at.

_ALIAS_START_REFUSED = frozenset("0123456789+")  # It would look like a number or a date.

MAX_JSON_PROBLEMS = 100
"""Problems of one JSON value that are listed: nobody reads more, and a hostile file has millions."""

_MAX_JSON_LEVELS = 101  # The value itself, and a hundred within it.
_INTEGER_DIGITS = 4_000  # Python reads and writes no more than 4,300.
_INTEGER_LIMIT = 10**_INTEGER_DIGITS

# Texts without it hold neither a number out of range nor a NUL or lone surrogate: they need not be looked through.
_MAYBE_NOT_STORABLE = re.compile(r"NaN|Infinity|[eE]\+?[0-9]{3}|[0-9]{300}|\\u(?:0000|[dD][89a-fA-F])")

JsonObject = Mapping[str, Any]
"""A JSON object in Python: string keys; null, booleans, numbers, strings, lists and objects as values."""


@dataclass(frozen=True)
class RevisionRecord:
    """All that is recorded of a revision, its workload named by digest.

    Attributes:
        name: The name.
        number: 1, 2, 3, … within the name, without gaps.
        digest: `sha256:…` of the workload; None where the revision retires the name.
        recorded_at: When the catalog learned it, UTC.
        effective_from: Since when it applies, UTC.
        author: Who recorded it.
        message: Why; empty if not said.
        source: The file it came from; empty if none.
        annotations: What is known beyond the six fields of each model, a JSON object; per model under `"models"`.
    """

    name: str
    number: int
    digest: str | None
    recorded_at: datetime
    effective_from: datetime
    author: str
    message: str = ""
    source: str = ""
    annotations: JsonObject = field(default_factory=dict, hash=False)

    @property
    def is_retirement(self) -> bool:
        """Whether the revision says that the name stands for nothing any more."""
        return self.digest is None

    @property
    def reference(self) -> str:
        """`NAME@NUMBER`, which always means this revision."""
        return f"{self.name}@{self.number}"


@dataclass(frozen=True, kw_only=True)
class Revision(RevisionRecord):
    """What a name stands for since when, as recorded in the catalog.

    Attributes:
        workload: The workload; None where the revision retires the name.
        is_new: Whether the call that returned this revision made it. False means that the revision said already what
            was to be recorded. It takes no part in comparisons.
    """

    workload: LLMInferenceWorkload | None
    is_new: bool = field(default=False, compare=False)

    def _repr_html_(self) -> str:
        return revision_html(self.reference, self.workload, self.effective_from, self.author, self.message)


@dataclass(frozen=True)
class RevisionDraft:
    """A revision to be recorded.

    Attributes:
        name: 1 to 200 characters, without white space, control characters and `@ : * ? [`, not starting with `-`.
            Neither a name that is new to the catalog nor a new model label has characters that nobody sees.
        workload: The workload; None only where the revision retires the name.
        message: Why.
        author: Who; None for the catalog's default author.
        effective_from: Since when it applies, with an offset; None for now, by the clock of who records it.
        source: Where it came from, a file path for instance.
        annotations: What is known beyond the workload, a JSON object.
        expect: The highest number that the name must have (0: the name must be new), None for any: compare and swap,
            so that nobody's work in between goes unnoticed.
        retires: Whether the name stands for nothing from then on.

    Raises:
        InvalidRevisionError: One of them cannot be stored.
    """

    name: str
    workload: LLMInferenceWorkload | None
    message: str = ""
    author: str | None = None
    effective_from: TimeField = TimeField()
    source: str = ""
    annotations: JsonObject = field(default_factory=dict, hash=False)
    expect: int | None = None
    retires: bool = False

    def __post_init__(self) -> None:
        """Check everything."""
        check_name(self.name)
        is_workload = isinstance(self.workload, LLMInferenceWorkload)
        if is_workload if self.retires else not is_workload:
            raise InvalidRevisionError(f"workload must be an LLMInferenceWorkload, got {reprlib.repr(self.workload)}.")
        check_new_message(self.message)
        check_text("source", self.source)
        if self.expect is not None and (isinstance(self.expect, bool) or not isinstance(self.expect, int)):
            raise InvalidRevisionError(f"expect must be the number of a revision, got {self.expect!r}.")
        if self.author is not None:
            object.__setattr__(self, "author", check_author(self.author))
        if self.annotations != {}:  # A copy: the caller may go on to change the original.
            object.__setattr__(self, "annotations", annotations_from_text(annotations_to_text(self.annotations)))


def check_name(name: object, what: str = "name") -> str:
    """Return a name that can be stored and referred to; raise `InvalidRevisionError` as all checks below do."""
    if not isinstance(name, str) or not name:
        raise InvalidRevisionError(f"{what} must be a non-empty string, got {reprlib.repr(name)}.")
    if len(name) > MAX_NAME_LENGTH:
        raise InvalidRevisionError(f"{what} must have at most {MAX_NAME_LENGTH} characters, got {len(name)}.")
    if name.startswith("-"):
        raise InvalidRevisionError(f"{what} must not start with '-', got {name!r}.")
    if _PLAIN_NAME.fullmatch(name):  # Nearly always; a sweep checks millions.
        return name
    for character in name:
        if "\ud800" <= character <= "\udfff":
            raise InvalidRevisionError(f"{what} must be Unicode text, got {name!r}: write it in UTF-8.")
        if character in RESERVED_IN_NAMES or character.isspace() or is_unprintable(character):
            raise InvalidRevisionError(
                f"{what} must not contain white space, control characters or any of @ : * ? [, got {name!r}."
                + (" A name is wanted here, not a reference." if "@" in name else "")
            )
    return name


def check_alias(alias: object) -> str:
    """Return an alias that can be stored and told from a number and a date."""
    checked = check_name(alias, "alias")
    if checked[0] in _ALIAS_START_REFUSED:
        raise InvalidRevisionError(f"alias must not begin like a number or a date, got {checked!r}.")
    return checked


def check_new_name(name: object, what: str = "name") -> str:
    """Return a name that can be read as what it is, too. Names that are there already need not be."""
    return check_visible(what, check_name(name, what))


def check_new_alias(alias: object) -> str:
    """Return an alias that whoever reads it can tell from a number and a date, too."""
    checked = check_visible("alias", check_alias(alias))
    if checked[0].isnumeric():  # Digits of other scripts look like a revision's number to those who write them.
        raise InvalidRevisionError(f"alias must not begin like a number or a date, got {checked!r}.")
    return checked


def check_new_message(message: object) -> str:
    """Return a message that can be stored, and read as what it is."""
    return check_visible("message", check_text("message", message), is_prose=True)


def check_tags(changes: Mapping[str, str | None]) -> None:
    """Make sure that tags can be set, and those with None removed.

    Raises:
        InvalidRevisionError: A key or value cannot be stored.
    """
    for key, value in changes.items():
        if value is None:
            check_name(key, "tag")
        else:
            check_text(f"tag {check_new_name(key, 'tag')}", value)


def check_visible(what: str, text: str, *, is_prose: bool = False) -> str:
    """Return a new text in which every character is seen; in prose, joiners and variation selectors may stand."""
    hidden = find_hidden(text, is_prose=is_prose)
    if hidden is not None:
        name = unicodedata.name(hidden, "a hidden character")
        raise InvalidRevisionError(
            f"{what} must not contain invisible or bidirectional characters, got '{visible(text)}' with "
            f"U+{ord(hidden):04X} ({name})."
        )
    return text


def check_text(field_name: str, value: object) -> str:
    """Return a text that both engines store: without NUL and lone surrogates."""
    if type(value) is str and value.isascii() and "\0" not in value:  # Nearly always.
        return value
    if not isinstance(value, str):
        raise InvalidRevisionError(f"{field_name} must be a string, got {reprlib.repr(value)}.")
    if not _is_storable(value):
        raise InvalidRevisionError(f"{field_name} must be valid Unicode without NUL, got {reprlib.repr(value)}.")
    return value


def check_author(author: object) -> str:
    """Return an author that can be stored: somebody."""
    if not check_text("author", author).strip():
        raise InvalidRevisionError("author must not be blank.")
    return str.__str__(author)


def annotations_to_text(annotations: JsonObject) -> str:
    """Write a JSON object as the text that is stored; `annotations_from_text` gives an equal object back."""
    if not isinstance(annotations, Mapping):
        raise InvalidRevisionError(f"annotations must be a JSON object, got {reprlib.repr(annotations)}.")
    annotations = dict(annotations)
    for path, rule in json_problems(annotations, "annotations"):
        raise InvalidRevisionError(f"{path} {rule}")
    return json.dumps(annotations, ensure_ascii=False, separators=(",", ":"))


def annotations_from_text(text: str) -> dict[str, Any]:
    """Read annotations as stored.

    Raises:
        DamagedCatalogError: `annotations_to_text` did not write them: nothing could be done with them.
    """
    if text == "{}":  # Nearly always.
        return {}
    try:
        annotations = json.loads(text)
    except (ValueError, TypeError, RecursionError) as error:
        raise DamagedCatalogError(f"stored annotations are not JSON that can be read: {error}.") from error
    if not isinstance(annotations, dict):
        raise DamagedCatalogError(f"stored annotations must be a JSON object, got {reprlib.repr(annotations)}.")
    if text.count("{") + text.count("[") > _MAX_JSON_LEVELS or _MAYBE_NOT_STORABLE.search(text):
        for path, rule in json_problems(annotations, "annotations"):
            raise DamagedCatalogError(f"stored {path} {rule}")
    return annotations


def same_annotations(a: str, b: str) -> bool:
    """Whether two stored texts mean the same: key order apart, but 1, 1.0 and true told from each other."""
    return a == b or _sorted_text(a) == _sorted_text(b)


def json_problems(value: object, path: str) -> list[tuple[str, str]]:
    """List path and rule of what in a value is not JSON that a database stores, the first `MAX_JSON_PROBLEMS` of it.

    Example:
        >>> json_problems({"a": [1, float("inf")]}, "annotations")
        [('annotations.a[1]', 'must be finite, got inf.')]
    """
    found: list[tuple[str, str]] = []
    _look_through(value, [path], found)
    return found


def _look_through(value: object, path: list[str], found: list[tuple[str, str]]) -> None:
    """Note what is wrong with a value. Its path is put together for a problem only: a key may be megabytes long."""
    if len(path) > _MAX_JSON_LEVELS:
        found.append(("".join(path), f"must not be nested more than {_MAX_JSON_LEVELS - 1} levels deep."))
    elif isinstance(value, dict | list | tuple):
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if len(found) == MAX_JSON_PROBLEMS:
                return
            is_index = not isinstance(value, dict)
            if is_index or (isinstance(key, str) and _is_storable(key)):
                path.append(f"[{key}]" if is_index else f".{key}")
                _look_through(item, path, found)
                path.pop()
            else:
                found.append(("".join(path), f"must have strings as keys, got {reprlib.repr(key)}."))
    elif (rule := _broken_rule(value)) is not None:
        found.append(("".join(path), rule))


def _broken_rule(value: object) -> str | None:
    """Say what keeps a value that holds no others from being stored."""
    match value:
        case None | bool():
            return None
        case int():
            return None if abs(value) < _INTEGER_LIMIT else f"must have fewer than {_INTEGER_DIGITS} digits."
        case float():
            return None if math.isfinite(value) else f"must be finite, got {value}."
        case str():
            return None if _is_storable(value) else f"must be valid Unicode without NUL, got {reprlib.repr(value)}."
        case _:
            return f"must be a JSON value, got {reprlib.repr(value)}."


def _sorted_text(text: str) -> str:
    return json.dumps(annotations_from_text(text), sort_keys=True)


def _is_storable(text: str) -> bool:
    """Postgres stores no NUL; neither engine stores a lone surrogate."""
    return (text.isascii() and "\0" not in text) or not any(c == "\0" or "\ud800" <= c <= "\udfff" for c in text)
