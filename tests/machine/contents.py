"""Everything that a catalog holds, as one value that can be compared: of an engine, and of the plain model."""

import json
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Any

from openg2g.formats.archive.entries import AliasMoveEntry, Entry, NameEntry, RenameEntry, WorkloadEntry
from openg2g.models.digest import workload_digest
from openg2g.models.naming import AliasMove, Rename
from openg2g.models.revision import Revision, RevisionRecord
from tests.machine.plain_catalog import PlainCatalog
from tests.machine.step_times import StepTimes


@dataclass
class NameContents:
    """A name; its revisions and changes first to last, and the moves of each alias first to last."""

    created_at: Any
    tags: dict[str, str]
    renames: list[Rename] = field(default_factory=list)
    revisions: list[tuple[Any, ...]] = field(default_factory=list)
    moves: dict[str, list[AliasMove]] = field(default_factory=dict)


@dataclass
class CatalogContents:
    """Digests of all workloads, and the names in order."""

    digests: list[str] = field(default_factory=list)
    names: dict[str, NameContents] = field(default_factory=dict)


def contents_of_entries(entries: Iterable[Entry], times: StepTimes) -> CatalogContents:
    """Put the entries of an archive together, with times as the plain model has them."""
    contents = CatalogContents()
    for entry in entries:
        match entry:
            case WorkloadEntry(digest, workload):
                assert digest == workload_digest(workload)
                contents.digests.append(digest)
            case NameEntry(name, created_at, tags):
                contents.names[name] = NameContents(times.plain(created_at), dict(tags))
            case RenameEntry(name, number, change):
                renames = contents.names[name].renames
                renames.append(replace(change, recorded_at=times.plain(change.recorded_at)))
                assert number == len(renames)
            case RevisionRecord():
                recorded_at, effective_from = times.plain(entry.recorded_at), times.plain(entry.effective_from)
                entry = replace(entry, recorded_at=recorded_at, effective_from=effective_from)
                contents.names[entry.name].revisions.append(_revision_value(entry, entry.digest))
            case AliasMoveEntry(name, number, move):
                moves = contents.names[name].moves.setdefault(move.alias, [])
                moves.append(replace(move, recorded_at=times.plain(move.recorded_at)))
                assert number == len(moves)
    return contents


def contents_of_plain(catalog: PlainCatalog) -> CatalogContents:
    """Put together what the plain model holds."""
    digests = {r.digest for name in catalog.names for r in name.revisions if r.digest is not None}
    contents = CatalogContents(sorted(digests))
    for name in sorted(catalog.names, key=lambda name: name.called):
        revisions = [_revision_value(revision, revision.digest) for revision in name.revisions]
        moves = {move.alias: [other for other in name.moves if other.alias == move.alias] for move in name.moves}
        contents.names[name.called] = NameContents(name.created_at, name.tags, name.renames, revisions, moves)
    return contents


def _revision_value(of: Revision | RevisionRecord, digest: str) -> tuple[Any, ...]:
    annotations = json.dumps(of.annotations, sort_keys=True)  # Python takes 1, 1.0 and true for the same.
    return of.name, of.number, digest, of.recorded_at, of.effective_from, of.author, of.message, of.source, annotations
