"""What a catalog means, in plain Python: names with lists of revisions, looked through from the beginning each time.

It raises the errors of the catalog, with less to say; whether a text can be stored, the values of the domain check.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime

from openg2g.catalog.history.reference import (
    LATEST,
    AliasReference,
    DigestReference,
    LatestReference,
    NameReference,
    NumberReference,
    Reference,
    TimeReference,
)
from openg2g.catalog.history.when import END_OF_TIME
from openg2g.models.digest import workload_digest
from openg2g.models.errors import (
    AliasNotFoundError,
    AmbiguousReferenceError,
    InvalidReferenceError,
    InvalidRevisionError,
    NameTakenError,
    RetiredError,
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
        return max(effective, key=_place, default=None)

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
        """Let each draft be the next revision of its name, unless what is in force then says the same."""
        with self.all_or_nothing():
            return [self._record(draft) for draft in drafts]

    def _record(self, draft: RevisionDraft) -> Revision:
        name = self.find(draft.name)
        if name is None:
            name = PlainName(draft.name, self.now(), [], [], [], {})
            self.names.append(name)
        there = name.in_force(draft.effective_from or self.now(), END_OF_TIME)
        if draft.expect is not None and draft.expect != len(name.revisions):
            raise RevisionConflictError(draft.name, draft.expect, len(name.revisions))
        if there is not None and _says_the_same(draft, there):
            return there
        revision = Revision(
            name=draft.name,
            number=len(name.revisions) + 1,
            workload=draft.workload,
            digest=None if draft.workload is None else workload_digest(draft.workload),
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
        """Record again what the present retirement, or else the next, has ended: from now on, or from when it would."""
        found = self.require(name)
        times = sorted({r.effective_from for r in found.revisions if r.effective_from > self.now()})
        then = [found.in_force(time, END_OF_TIME) for time in (self.now(), *times)]
        retired = [revision for revision in then if revision is not None and revision.is_retirement]
        if not retired:
            raise InvalidRevisionError(f"{name} is not retired.")
        before = [r for r in found.revisions if not r.is_retirement and _place(r) < _place(retired[0])]
        if not before:
            raise InvalidRevisionError(f"{name} has never had a workload.")
        if effective_from is None and retired[0].effective_from > self.now():
            effective_from = retired[0].effective_from
        last = max(before, key=_place)
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
        if check_alias(alias) == LATEST:
            raise InvalidRevisionError("reserved")
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
        is_said = isinstance(reference, LatestReference | NumberReference | TimeReference | DigestReference)
        if as_of is not None and is_said:
            raise InvalidReferenceError("it says already which revision")
        horizon = known_at or END_OF_TIME
        if isinstance(reference, DigestReference):
            return self._last_of_digest(reference.prefix, horizon)
        name = self._called(reference.name, horizon)
        found = None if name is None else _answer(name, reference, as_of, horizon, self.now())
        if found is None:
            if isinstance(reference, AliasReference) and name is not None and name.known(horizon):
                raise AliasNotFoundError(str(reference), [])
            raise WorkloadNotFoundError(str(reference), "nothing")
        return found

    def _called(self, called: str, time: datetime) -> PlainName | None:
        """Who was known and called so then, or else who is called so now."""
        then = [name for name in self.names if name.called_at(time) == called and name.known(time)]
        now = [name for name in self.names if name.called == called]
        return next(iter(then + now), None)

    def _require_known(self, called: str, known_at: datetime | None) -> PlainName:
        found = self._called(check_name(called), known_at or END_OF_TIME)
        if found is None or not found.known(known_at or END_OF_TIME):
            raise WorkloadNotFoundError(called, "unknown")
        return found

    def load(
        self, reference: Reference, as_of: datetime | None = None, known_at: datetime | None = None
    ) -> LLMInferenceWorkload:
        found = self.get(reference, as_of, known_at)
        if found.workload is None:
            raise RetiredError(found.reference, found.name, "retired")
        return found.workload

    def _last_of_digest(self, prefix: str, known_at: datetime) -> Revision:
        with_workload = [r for name in self.names for r in name.revisions if r.digest and r.digest.startswith(prefix)]
        if len({revision.digest for revision in with_workload}) > 1:
            raise AmbiguousReferenceError(prefix, [])
        known = [revision for revision in with_workload if revision.recorded_at <= known_at]
        if not known:
            raise WorkloadNotFoundError(prefix, "nothing")
        return min(sorted(known, key=lambda r: -r.number), key=lambda r: (known_at - r.recorded_at, r.name))

    def history(self, name: str, known_at: datetime | None = None) -> list[Revision]:
        return self._require_known(name, known_at).known(known_at or END_OF_TIME)

    def alias_log(self, name: str, known_at: datetime | None = None) -> list[AliasMove]:
        present = self._require_known(name, known_at)
        known = [move for move in present.moves if move.recorded_at <= (known_at or END_OF_TIME)]
        return sorted(known, key=lambda move: (move.recorded_at, move.alias))

    def aliases(self, name: str, known_at: datetime | None = None) -> dict[str, int]:
        return self._require_known(name, known_at).aliases(known_at or END_OF_TIME)

    def in_force(self, as_of: datetime | None, known_at: datetime | None, with_retired: bool) -> list[Revision]:
        found = [name.in_force(as_of or self.now(), known_at or END_OF_TIME) for name in self._sorted()]
        return [r for r in found if r is not None and (with_retired or not r.is_retirement)]

    def latest(self, known_at: datetime | None, with_retired: bool) -> list[Revision]:
        horizon = known_at or END_OF_TIME
        found = [(name.known(horizon), name.in_force(self.now(), horizon)) for name in self._sorted()]
        return [
            known[-1]
            for known, in_force in found
            if known and (with_retired or in_force is None or not in_force.is_retirement)
        ]

    def log(self, as_of: datetime | None, known_at: datetime | None, oldest_first: bool) -> list[Revision]:
        known = [revision for name in self.names for revision in name.known(known_at or END_OF_TIME)]
        effective = [revision for revision in known if as_of is None or revision.effective_from <= as_of]
        return sorted(effective, key=lambda r: (r.recorded_at, r.name, r.number), reverse=not oldest_first)

    def _sorted(self) -> list[PlainName]:
        return sorted(self.names, key=lambda name: name.called)


def _place(revision: Revision) -> tuple[datetime, int]:
    return revision.effective_from, revision.number


def _says_the_same(draft: RevisionDraft, there: Revision) -> bool:
    """Whether a draft says nothing that a revision does not say; to JSON, 1, 1.0 and true are three values."""
    annotations = (json.dumps(of.annotations, sort_keys=True) for of in (draft, there))
    is_same_time = draft.effective_from in (None, there.effective_from)
    return draft.workload == there.workload and next(annotations) == next(annotations) and is_same_time


def _answer(
    name: PlainName, reference: Reference, as_of: datetime | None, known_at: datetime, now: datetime
) -> Revision | None:
    known = name.known(known_at)
    match reference:
        case NameReference():
            return name.in_force(as_of or now, known_at)
        case TimeReference(_, time):
            return name.in_force(time, known_at)
        case NumberReference(_, number):
            wanted: int | None = number if number > 0 else len(known) + number
        case AliasReference(_, alias):
            wanted = name.aliases(min(known_at, as_of or END_OF_TIME)).get(alias)
        case _:
            wanted = len(known)
    return next((revision for revision in known if revision.number == wanted), None)
