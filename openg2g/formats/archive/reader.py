"""Reading an archive: each record strictly, then what the records say of each other.

An archive was written by a program and may have been damaged since, so reading stops at the first thing that is wrong.
"""

import hashlib
from collections.abc import Iterator, Mapping
from datetime import datetime
from functools import partial
from typing import Any, BinaryIO

from openg2g.formats.archive.entries import (
    COUNTED,
    FORMAT,
    AliasMoveEntry,
    Entry,
    NameEntry,
    RenameEntry,
    WorkloadEntry,
)
from openg2g.formats.document import Report
from openg2g.formats.json.text import decode_json, encode_line
from openg2g.formats.limits import size_text
from openg2g.formats.native import read_workload
from openg2g.formats.text_files import decoded
from openg2g.models.digest import DIGEST_PREFIX, workload_digest
from openg2g.models.errors import InvalidDocumentError, InvalidRevisionError, Problem
from openg2g.models.instant import parse_instant
from openg2g.models.naming import AliasMove, Rename
from openg2g.models.revision import RevisionRecord, annotations_to_text, check_alias, check_name, check_text

MAX_LINE_BYTES = 2**30
"""Bytes of a line: more than what either engine stores of a revision."""


def read_archive(stream: BinaryIO, where: str) -> Iterator[Entry]:
    """Yield the entries of an archive, each checked by itself and against those before it.

    Raises:
        InvalidDocumentError: It is cut off, damaged, of a newer release, or contradicts itself. What came before the
            error must not be kept.
    """
    checker = EntryChecker()
    for place, entry in _read_records(stream, where):
        problem = checker.problem_of(entry)
        if problem:
            raise _invalid(place, problem)
        yield entry
    if checker.has_bare_name:
        raise _invalid(where, "the last name has no revision.")


class EntryChecker:
    """Knows what the entries so far allow the next one to be: order, digests, numbers and times fit each other."""

    def __init__(self) -> None:
        self._digests: set[bytes] = set()
        self._last_digest = ""
        self._name = ""
        self._number = 0
        self._recorded_at: datetime | None = None
        self._rename = 0
        self._alias = ("", 0)

    @property
    def has_bare_name(self) -> bool:
        """Whether the last name has no revision so far."""
        return bool(self._name) and self._number == 0

    def problem_of(self, entry: Entry) -> str:
        """Say what is wrong with the next entry; nothing if it fits."""
        match entry:
            case WorkloadEntry():
                return self._workload_problem(entry)
            case NameEntry(name):
                is_next, self._name = name > self._name and not self.has_bare_name, name
                self._number, self._rename, self._alias, self._recorded_at = 0, 0, ("", 0), None
                return "" if is_next else f"the name {name} is not after the one before it, or that has no revision."
            case RenameEntry(_, number):
                self._rename += 1
                return "" if number == self._rename else f"rename {number} of {self._name} must be {self._rename}."
            case RevisionRecord():
                return self._revision_problem(entry)
            case AliasMoveEntry(_, number, move):
                alias, last = self._alias
                expected = (move.alias, last + 1 if move.alias == alias else 1)
                self._alias = expected
                if move.alias < alias or number != expected[1]:
                    return f"move {number} of {self._name}@{move.alias} is out of order."
                if move.revision_number is not None and not 1 <= move.revision_number <= self._number:
                    return f"{self._name}@{move.alias} stands for revision {move.revision_number}, which is not there."
                return ""

    def _workload_problem(self, entry: WorkloadEntry) -> str:
        actual = workload_digest(entry.workload)
        if actual != entry.digest:
            return f"the workload does not fit its digest {entry.digest}: it is {actual}."
        if entry.digest <= self._last_digest:
            return f"the workload {entry.digest} is not after the one before it."
        self._last_digest = entry.digest
        self._digests.add(_compact(entry.digest))
        return ""

    def _revision_problem(self, entry: RevisionRecord) -> str:
        self._number += 1
        if entry.number != self._number:
            return f"revision {entry.number} of {self._name} must be {self._number}: numbers have no gaps."
        if entry.digest is not None and _compact(entry.digest) not in self._digests:
            return f"{self._name}@{entry.number} stands for the workload {entry.digest}, which is not there."
        if self._recorded_at is not None and entry.recorded_at < self._recorded_at:
            return f"{self._name}@{entry.number} was recorded before the revision that precedes it."
        self._recorded_at = entry.recorded_at
        return ""


def _compact(digest: str) -> bytes:
    """Halve what a million digests take; a text that is none is simply not among them."""
    try:
        return bytes.fromhex(digest.removeprefix(DIGEST_PREFIX))
    except ValueError:
        return b""


def _read_records(stream: BinaryIO, where: str) -> Iterator[tuple[str, Entry]]:
    """Read the lines between header and closing record, each with its place, and check both."""
    digest = hashlib.sha256()
    counts = dict.fromkeys(COUNTED, 0)
    name = ""
    has_ended = False
    number = 0
    for number, line in enumerate(iter(partial(stream.readline, MAX_LINE_BYTES + 1), b""), 1):
        place = f"{where}:{number}"
        if len(line) > MAX_LINE_BYTES:
            raise _invalid(place, f"is a line of more than {size_text(MAX_LINE_BYTES)}, which no archive has.")
        if has_ended:
            raise _invalid(place, "stands after the closing record.")
        record = _Record(line, where, number)
        kind = record.kind
        if number == 1:
            _check_header(record)
        elif kind == "end":
            _check_end(record, DIGEST_PREFIX + digest.hexdigest(), counts)
            if line != record.canonical_line:  # The digest covers what is before this line.
                raise _invalid(place, "the closing record is not as it was written: the archive was changed.")
            has_ended = True
        else:
            name = record.text("name") if kind == "name" else name
            if kind not in _ENTRIES or (kind != "workload" and not name):
                raise _invalid(place, f"a record {kind!r} cannot stand here.")
            if kind in counts:
                counts[kind] += 1
            yield place, record.entry(name)
        digest.update(line)
    if not has_ended:
        raise _invalid(f"{where}:{number}", "the archive is cut off: its closing record is missing.")


def _check_header(record: "_Record") -> None:
    if record.kind != "header":
        raise _invalid(record.place, "an archive begins with its header.")
    if record.text("format") != FORMAT:
        raise _invalid(
            record.place, f"the format {record.text('format')!r} is not {FORMAT!r}. A newer release may read it."
        )


def _check_end(record: "_Record", digest: str, counts: Mapping[str, int]) -> None:
    if record.text("digest") != digest:
        raise _invalid(record.place, f"the archive was changed: the digest over it is {digest}.")
    for kind, field in COUNTED.items():
        if record.integer(field) != counts[kind]:
            raise _invalid(record.place, f"counts {record.integer(field)} {field}, but there are {counts[kind]}.")


class _Record:
    """A line of an archive, whose fields are asked for by type."""

    def __init__(self, line: bytes, where: str, number: int) -> None:
        place = f"{where}:{number}"
        value = decode_json(decoded(line, where, number), where, line=number)
        if not isinstance(value, dict) or not isinstance(value.get("record"), str):
            raise _invalid(place, "is no record of an archive.")
        self.place = place
        self.kind: str = value["record"]
        self.fields: dict[str, Any] = value

    @property
    def canonical_line(self) -> bytes:
        """The line as an archive is written."""
        return (encode_line(self.fields) + "\n").encode()

    def entry(self, name: str) -> Entry:
        """Make the entry of a record that belongs to a name."""
        try:
            return _ENTRIES[self.kind](self, name)
        except InvalidRevisionError as error:
            raise _invalid(self.place, str(error)) from None

    def text(self, field: str) -> str:
        """Return a field that is text."""
        try:
            return check_text(field, self._field(field, str))
        except InvalidRevisionError as error:
            raise _invalid(self.place, str(error)) from None

    def integer(self, field: str) -> int:
        """Return a field that counts."""
        value: int = self._field(field, int)
        if isinstance(value, bool) or value < 0:
            raise _invalid(self.place, f"{field} must be an integer >= 0, got {value}.")
        return value

    def time(self, field: str) -> datetime:
        """Return a field that is a time."""
        try:
            return parse_instant(self.text(field))
        except ValueError as error:
            raise _invalid(self.place, f"{field}: {error}") from None

    def optional(self, field: str) -> bool:
        """Whether a field that may be null is not."""
        if field not in self.fields:
            raise _invalid(self.place, f"{field} is missing.")
        return self.fields[field] is not None

    def object(self, field: str) -> Mapping[str, Any]:
        """Return a field that is an object."""
        value: Mapping[str, Any] = self._field(field, dict)
        annotations_to_text(value)
        return value

    def _field(self, field: str, kind: type) -> Any:
        value = self.fields.get(field)
        if not isinstance(value, kind):
            raise _invalid(self.place, f"{field} must be of type {kind.__name__}, got {value!r}.")
        return value


def _workload_entry(record: _Record, _: str) -> Entry:
    report = Report(record.place)
    workload = read_workload(record.fields, report)
    report.raise_problems()
    assert workload is not None  # Whatever kept it from being made has been raised.
    return WorkloadEntry(record.text("digest"), workload)


def _name_entry(record: _Record, name: str) -> Entry:
    tags = {check_name(key, "tag"): check_text(f"tag {key}", value) for key, value in record.object("tags").items()}
    return NameEntry(check_name(name), record.time("created_at"), tags)


def _rename_entry(record: _Record, name: str) -> Entry:
    old_name = check_name(record.text("old_name"), "old_name")
    change = Rename(old_name, record.time("recorded_at"), record.text("author"), record.text("message"))
    return RenameEntry(name, record.integer("number"), change)


def _revision_entry(record: _Record, name: str) -> Entry:
    return RevisionRecord(
        name=name,
        number=record.integer("number"),
        digest=record.text("digest") if record.optional("digest") else None,
        recorded_at=record.time("recorded_at"),
        effective_from=record.time("effective_from"),
        author=record.text("author"),
        message=record.text("message"),
        source=record.text("source"),
        annotations=record.object("annotations"),
    )


def _alias_move_entry(record: _Record, name: str) -> Entry:
    move = AliasMove(
        alias=check_alias(record.text("alias")),
        revision_number=record.integer("revision") if record.optional("revision") else None,
        recorded_at=record.time("recorded_at"),
        author=record.text("author"),
        message=record.text("message"),
    )
    return AliasMoveEntry(name, record.integer("number"), move)


_ENTRIES = {
    "workload": _workload_entry,
    "name": _name_entry,
    "rename": _rename_entry,
    "revision": _revision_entry,
    "alias_move": _alias_move_entry,
}


def _invalid(place: str, message: str) -> InvalidDocumentError:
    return InvalidDocumentError([Problem(place, "", message)])
