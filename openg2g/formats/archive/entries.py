"""The archive: a whole catalog, history included, as text that can be cited, checked and imported anywhere.

JSON Lines in UTF-8, in this order, the same bytes for the same catalog on every engine:

    {"record":"header","format":"openg2g-archive/1"}
    {"record":"workload","digest":"sha256:…","models":[…]}           each workload once, by digest
    {"record":"name","name":"fleet","created_at":"…","tags":{…}}     each name, in code-point order, then its
    {"record":"rename","number":1,"old_name":"…",…}                  changes of the name, first to last
    {"record":"revision","number":1,"digest":"sha256:…",…}           revisions 1, 2, 3, …; digest null: retired
    {"record":"alias_move","alias":"…","number":1,"revision":2,…}    moves of aliases, by alias and number
    {"record":"end","workloads":2,"names":1,"revisions":3,"digest":"sha256:…"}

The digest of the closing record is SHA-256 over every byte before it. A model is written as in a document
(`openg2g.formats.native`), a time as 2026-03-01T12:00:00Z.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from io import BufferedReader
from itertools import chain
from typing import Any, BinaryIO, TextIO, cast

from openg2g.formats.json.text import encode_line
from openg2g.formats.native import model_value
from openg2g.models.digest import DIGEST_PREFIX
from openg2g.models.instant import time_text
from openg2g.models.naming import AliasMove, Rename
from openg2g.models.revision import RevisionRecord
from openg2g.models.spec import LLMInferenceWorkload

FORMAT = "openg2g-archive/1"
"""The version of this shape."""

SIGNATURE = b'{"record":"header"'
"""How every archive begins."""

COUNTED = {"workload": "workloads", "name": "names", "revision": "revisions"}
"""Kind of record → field of the closing record that counts it."""


@dataclass(frozen=True)
class WorkloadEntry:
    """A distinct workload and its digest."""

    digest: str
    workload: LLMInferenceWorkload


@dataclass(frozen=True)
class NameEntry:
    """A name and its tags."""

    name: str
    created_at: datetime
    tags: Mapping[str, str]


@dataclass(frozen=True)
class RenameEntry:
    """A change of a name."""

    name: str
    number: int
    change: Rename


@dataclass(frozen=True)
class AliasMoveEntry:
    """A move of an alias; numbers count the moves of one alias."""

    name: str
    number: int
    move: AliasMove


Entry = WorkloadEntry | NameEntry | RenameEntry | RevisionRecord | AliasMoveEntry


def is_archive(stream: BinaryIO) -> bool:
    """Whether a file that can be rewound, or peeked into, begins as an archive does."""
    if not stream.seekable():
        return cast(BufferedReader, stream).peek(len(SIGNATURE)).startswith(SIGNATURE)
    position = stream.tell()
    beginning = stream.read(len(SIGNATURE))
    stream.seek(position)
    return beginning == SIGNATURE


def write_archive(entries: Iterable[Entry], stream: TextIO) -> None:
    """Write entries, which come in the order of an archive."""
    counts = dict.fromkeys(COUNTED.values(), 0)
    digest = hashlib.sha256()
    values: Iterator[dict[str, Any]] = map(_value_of, entries)
    for value in chain([{"record": "header", "format": FORMAT}], values):
        line = encode_line(value) + "\n"
        digest.update(line.encode())
        stream.write(line)
        if value["record"] in COUNTED:
            counts[COUNTED[value["record"]]] += 1
    stream.write(encode_line({"record": "end", **counts, "digest": DIGEST_PREFIX + digest.hexdigest()}) + "\n")


def _value_of(entry: Entry) -> dict[str, Any]:
    match entry:
        case WorkloadEntry(digest, workload):
            return {"record": "workload", "digest": digest, "models": [model_value(spec) for spec in workload.models]}
        case NameEntry(name, created_at, tags):
            return {"record": "name", "name": name, "created_at": time_text(created_at), "tags": dict(tags)}
        case RenameEntry(_, number, change):
            return {
                "record": "rename",
                "number": number,
                "old_name": change.old_name,
                "recorded_at": time_text(change.recorded_at),
                "author": change.author,
                "message": change.message,
            }
        case RevisionRecord():
            return {
                "record": "revision",
                "number": entry.number,
                "digest": entry.digest,
                "recorded_at": time_text(entry.recorded_at),
                "effective_from": time_text(entry.effective_from),
                "author": entry.author,
                "message": entry.message,
                "source": entry.source,
                "annotations": entry.annotations,
            }
        case AliasMoveEntry(_, number, move):
            return {
                "record": "alias_move",
                "alias": move.alias,
                "number": number,
                "revision": move.revision_number,
                "recorded_at": time_text(move.recorded_at),
                "author": move.author,
                "message": move.message,
            }
