"""What a catalog means, in plain Python: names with lists of revisions, looked through from the beginning each time.

It raises the errors of the catalog, with less to say; whether a text can be stored, the values of the domain check.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime

from openg2g.catalog.reference import (
    END_OF_TIME,
    AliasReference,
    DigestReference,
    NameReference,
    NumberReference,
    Reference,
    TimeReference,
)
from openg2g.models.digest import workload_digest
from openg2g.models.errors import (
    AmbiguousReferenceError,
    InvalidReferenceError,
    InvalidRevisionError,
    NameTakenError,
    RevisionConflictError,
    WorkloadNotFoundError,
)
from openg2g.models.naming import AliasMove, Rename
from openg2g.models.revision import Revision, RevisionDraft, check_alias, check_name
from openg2g.models.spec import LLMInferenceWorkload
from tests.machine.workload_changes import WorkloadChange

AUTHOR = "Ada"
"""Who does everything."""


@dataclass
class PlainName:
    """A name, and everything that belongs to it; the revisions bear what it is called now."""

    called: str
    created_at: datetime
    revisions: list[Revision]
    renames: list[Rename]
    moves: list[AliasMove]
    tags: dict[str, str]

    def called_at(self, time: datetime) -> str:
        """What it was called: what the first change since then took from it."""
        return next((change.old_name for change in self.renames if change.recorded_at > time), self.called)

    def known(self, known_at: datetime) -> list[Revision]:
        return [revision for revision in self.revisions if revision.recorded_at <= known_at]

    def in_force(self, as_of: datetime, known_at: datetime) -> Revision | None:
        """Of what is known and effective, the latest effective one; of several, the highest number."""
        effective = [revision for revision in self.known(known_at) if revision.effective_from <= as_of]
        return max(effective, key=lambda revision: (revision.effective_from, revision.number), default=None)

    def aliases(self, time: datetime) -> dict[str, int]:
        """Where each alias stood: where its last move until then put it."""
        standing = {move.alias: move.revision_number for move in self.moves if move.recorded_at <= time}
        return {alias: number for alias, number in standing.items() if number is not None}

    def rename(self, new: str) -> None:
        self.called = new
        self.revisions = [replace(revision, name=new) for revision in self.revisions]


class PlainCatalog:
    """Names, in the order in which they came."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        """Begin without names, on a clock."""
        self.names: list[PlainName] = []
        self.now = now

    @contextmanager
    def all_or_nothing(self) -> Iterator[None]:
        """Forget what was done in the block if it ends with an error."""
        before = deepcopy(self.names)
        try:
            yield
        except BaseException:
            self.names = before
            raise

    def find(self, called: str) -> PlainName | None:
        return next((name for name in self.names if name.called == called), None)

    def require(self, called: str) -> PlainName:
        found = self.find(check_name(called))
        if found is None:
            raise WorkloadNotFoundError(called, "unknown")
        return found

    def record(self, drafts: Sequence[RevisionDraft]) -> list[Revision]:
        """Let each draft be the next revision of its name, unless it says nothing that the latest one does not say."""
        with self.all_or_nothing():
            return [self._record(draft) for draft in drafts]

    def _record(self, draft: RevisionDraft) -> Revision:
        name = self.find(draft.name)
        if name is None:
            name = PlainName(draft.name, self.now(), [], [], [], {})
            self.names.append(name)
        latest = name.revisions[-1] if name.revisions else None
        if draft.expect is not None and draft.expect != len(name.revisions):
            raise RevisionConflictError(draft.name, draft.expect, len(name.revisions))
        if latest is not None and _says_the_same(draft, latest):
            return latest
        revision = Revision(
            name=draft.name,
            number=len(name.revisions) + 1,
            workload=draft.workload,
            digest="" if draft.workload is None else workload_digest(draft.workload),
            recorded_at=self.now(),
            effective_from=draft.effective_from or self.now(),
            author=draft.author or AUTHOR,
            message=draft.message,
            source=draft.source,
            annotations=draft.annotations,
        )
        name.revisions.append(revision)
        return replace(revision, is_new=True)

    def set(self, reference: Reference, change: WorkloadChange, effective_from: datetime | None) -> None:
        """Derive the next revision from any one."""
        base, workload = self.get(reference), change.of_workload(self.load(reference))
        annotations = change.of_annotations(base.annotations)
        self.record([RevisionDraft(base.name, workload, "derived", AUTHOR, effective_from, annotations=annotations)])

    def retire(self, name: str, effective_from: datetime | None, expect: int | None) -> Revision:
        draft = RevisionDraft(name, None, "no longer", AUTHOR, effective_from, expect=expect, retires=True)
        self.require(name)
        return self.record([draft])[0]

    def restore(self, name: str, effective_from: datetime | None, expect: int | None) -> Revision:
        """Record the last workload again: from now on, or from when the retirement would have begun."""
        *_, latest = self.require(name).revisions
        workloads = [revision for revision in self.require(name).revisions if not revision.is_retirement]
        if not latest.is_retirement or not workloads:
            raise InvalidRevisionError(f"{name} is not retired.")
        if effective_from is None and latest.effective_from > self.now():
            effective_from = latest.effective_from
        last = workloads[-1]
        draft = RevisionDraft(name, last.workload, "again", AUTHOR, effective_from, last.source, last.annotations)
        return self.record([replace(draft, expect=expect)])[0]

    def rename(self, old: str, new: str) -> None:
        check_name(new)
        name = self.require(old)
        if self.find(new) is not None:
            raise NameTakenError(new)
        name.renames.append(Rename(old, self.now(), AUTHOR, "renamed"))
        name.rename(new)

    def set_alias(self, name: str, alias: str, number: int | None) -> AliasMove:
        check_alias(alias)
        found = self.get(NameReference(name) if number is None else NumberReference(name, number))
        return self._move(found.name, AliasMove(alias, found.number, self.now(), AUTHOR, "moved"))

    def remove_alias(self, name: str, alias: str) -> AliasMove:
        found = self.get(AliasReference(name, check_alias(alias)))
        return self._move(found.name, AliasMove(alias, None, self.now(), AUTHOR, "removed"))

    def _move(self, name: str, move: AliasMove) -> AliasMove:
        self.require(name).moves.append(move)
        return move

    def tag(self, name: str, tags: Mapping[str, str | None]) -> dict[str, str]:
        found = self.require(name)
        changed = found.tags | tags
        found.tags = {key: value for key, value in changed.items() if value is not None}
        return found.tags

    def get(self, reference: Reference, as_of: datetime | None = None, known_at: datetime | None = None) -> Revision:
        """Answer a reference: by who was called so then, or, if nobody was, by who is called so now."""
        if as_of is not None and isinstance(reference, NumberReference | TimeReference | DigestReference):
            raise InvalidReferenceError("it says already which revision")
        horizon = known_at or END_OF_TIME
        if isinstance(reference, DigestReference):
            return self._last_of_digest(reference.prefix, horizon)
        then = [name for name in self.names if name.called_at(horizon) == reference.name and name.known(horizon)]
        now = [name for name in self.names if name.called == reference.name]
        found = _answer(name, reference, as_of, horizon) if (name := next(iter(then + now), None)) else None
        if found is None:
            raise WorkloadNotFoundError(str(reference), "nothing")
        return found

    def load(
        self, reference: Reference, as_of: datetime | None = None, known_at: datetime | None = None
    ) -> LLMInferenceWorkload:
        found = self.get(reference, as_of, known_at)
        if found.workload is None:
            raise WorkloadNotFoundError(found.reference, "retired")
        return found.workload

    def _last_of_digest(self, prefix: str, known_at: datetime) -> Revision:
        with_workload = [r for name in self.names for r in name.revisions if r.digest.startswith(prefix)]
        if len({revision.digest for revision in with_workload}) > 1:
            raise AmbiguousReferenceError(prefix, [])
        known = [revision for revision in with_workload if revision.recorded_at <= known_at]
        if not known:
            raise WorkloadNotFoundError(prefix, "nothing")
        return min(sorted(known, key=lambda r: -r.number), key=lambda r: (known_at - r.recorded_at, r.name))

    def history(self, name: str, known_at: datetime | None = None) -> list[Revision]:
        if known_at is not None:
            name = self.get(NameReference(name), known_at=known_at).name
        return self.require(name).known(known_at or END_OF_TIME)

    def alias_log(self, name: str, known_at: datetime | None = None) -> list[AliasMove]:
        present = self.require(self.get(NameReference(name), known_at=known_at).name)
        known = [move for move in present.moves if move.recorded_at <= (known_at or END_OF_TIME)]
        return sorted(known, key=lambda move: (move.recorded_at, move.alias))

    def aliases(self, name: str, known_at: datetime | None = None) -> dict[str, int]:
        present = self.require(self.get(NameReference(name), known_at=known_at).name)
        return present.aliases(known_at or END_OF_TIME)

    def latest(self, as_of: datetime | None, known_at: datetime | None, with_retired: bool) -> list[Revision]:
        horizon = known_at or END_OF_TIME
        found = [_answer(name, NameReference(name.called), as_of, horizon) for name in self._sorted()]
        return [r for r in found if r is not None and (with_retired or not r.is_retirement)]

    def log(self, as_of: datetime | None, known_at: datetime | None, oldest_first: bool) -> list[Revision]:
        known = [revision for name in self.names for revision in name.known(known_at or END_OF_TIME)]
        effective = [revision for revision in known if as_of is None or revision.effective_from <= as_of]
        return sorted(effective, key=lambda r: (r.recorded_at, r.name, r.number), reverse=not oldest_first)

    def _sorted(self) -> list[PlainName]:
        return sorted(self.names, key=lambda name: name.called)


def _says_the_same(draft: RevisionDraft, latest: Revision) -> bool:
    """Whether a draft says nothing that the latest revision does not say; to JSON, 1, 1.0 and true are three values."""
    annotations = (json.dumps(of.annotations, sort_keys=True) for of in (draft, latest))
    is_same_time = draft.effective_from in (None, latest.effective_from)
    return draft.workload == latest.workload and next(annotations) == next(annotations) and is_same_time


def _answer(name: PlainName, reference: Reference, as_of: datetime | None, known_at: datetime) -> Revision | None:
    known = name.known(known_at)
    match reference:
        case TimeReference(_, time):
            return name.in_force(time, known_at)
        case NumberReference(_, number):
            wanted: int | None = number if number > 0 else len(known) + number
        case AliasReference(_, alias):
            wanted = name.aliases(min(known_at, as_of or END_OF_TIME)).get(alias)
        case _:
            if as_of is not None:
                return name.in_force(as_of, known_at)
            wanted = len(known)
    return next((revision for revision in known if revision.number == wanted), None)
