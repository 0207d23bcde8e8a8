"""The machine: steps that are taken in the plain model, on SQLite and on PostgreSQL, and must come to the same."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from openg2g.catalog import CatalogError, EveryRevision, InForce, RevisionDraft
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
from openg2g.models.revision import Revision
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.machine.engine_catalog import EngineCatalog
from tests.machine.plain_catalog import AUTHOR
from tests.machine.plain_model import PlainModel
from tests.machine.step_times import GIVEN_TIMES, JUST_BEFORE, StepClock, StepTimes
from tests.machine.workload_changes import LABELS, WORKLOAD_CHANGES, WorkloadChange
from tests.places import Places

NAMES = ("fleet", "fleet-2", "Zürich", "Fleet_%")
ALIASES = ("production", "Best")
WORKLOADS = tuple(
    LLMInferenceWorkload(tuple(LLMInferenceModelSpec(label, replicas, 2, 128, 0.1, (64, 128)) for label in labels))
    for labels in (LABELS, LABELS[::-1], LABELS[:1])
    for replicas in (1, 2)
)
ANNOTATIONS: Sequence[dict[str, Any]] = (
    {},
    {},
    {"n": 1},
    {"n": 1.0},
    {"n": True},
    {"models": {LABELS[0]: {"tpm": 1}}, "owner": "Zoë"},
)
EXPRESSIONS = (
    "True",
    "total_gpus >= 4",
    "any(m.num_replicas > 1 and 64 in m.feasible_batch_sizes for m in models)",
    f"itl_deadline_by_model['{LABELS[1]}'] < 0.1",
    "name.startswith('fleet') or number == 2",
    "'production' in aliases",
    "'Best' not in aliases and len(models) == 2",
    "tags['team'] == 'grid'",
    "annotations['n'] >= 1",
    "message in ('why', 'again') and effective_from < '2010-01-02'",
    "recorded_at == effective_from",
)
SORTS = ((), (), ("-total_gpus",), ("recorded_at",), ("-effective_from",), ("message",))

CHANGES_PER_DUMP = 5
"""Changes at least between two archives, which cost as much as ten other steps."""

When = tuple[str, int]
"""A time of a kind, and which of them; which there are is known when the step is taken."""


def times() -> st.SearchStrategy[When]:
    """A time long ago or far ahead, that of an earlier step, or just before that."""
    return st.tuples(st.sampled_from(["given", "step", "step", "before"]), st.integers(0, 40))


maybe_times = st.none() | times()
places = st.sampled_from(["main", "main", "main", "other"])
new_names = st.sampled_from(NAMES)
names = st.integers(0, 9)
"""Which of the names that there are when the step is taken, those with most in them first; 7 to 9 mean any at all."""

expectations = st.sampled_from([None, None, None, "latest", "latest", "next", "new"])
"""Which revision is expected to be the latest: any, the one that is, the next one, or none."""


@st.composite
def drafts(draw: st.DrawFn) -> RevisionDraft:
    """What may be recorded; the time, and what is expected, are filled in when the step is taken."""
    return RevisionDraft(
        name=draw(new_names),
        workload=draw(st.sampled_from(WORKLOADS)),
        message=draw(st.sampled_from(["why", "Why", "über"])),
        author=AUTHOR,
        source="a.json",
        annotations=draw(st.sampled_from(ANNOTATIONS)),
    )


@dataclass(frozen=True)
class _Failure:
    """An error: its class, and what it says where that is to be compared."""

    kind: type[CatalogError]
    message: str = ""


class CatalogMachine(RuleBasedStateMachine):
    """Two catalogs, three times: in the model; `main` on SQLite and `other` on PostgreSQL; and the other way round.

    So every step is taken on both engines, and every copy goes from one engine to the other.
    """

    def __init__(self, sqlite_places: Places, postgres_places: Places) -> None:
        """Begin with empty catalogs."""
        super().__init__()
        self._stack = ExitStack()
        self._clock = StepClock()
        now = lambda: self._clock.now  # noqa: E731
        self._model = {"main": PlainModel(now), "other": PlainModel(now)}
        self._num_changes = 0
        kinds = sqlite_places.catalog, postgres_places.catalog
        self._engines: list[dict[str, EngineCatalog]] = []
        self._times = [StepTimes(self._clock), StepTimes(self._clock)]
        for step_times, (main, other) in zip(self._times, (kinds, kinds[::-1]), strict=True):
            pair = {
                place: EngineCatalog(self._stack.enter_context(kind()), step_times, kind)
                for place, kind in (("main", main), ("other", other))
            }
            self._engines.append(pair)
            for catalog in pair.values():
                self._stack.callback(catalog.close)

    def teardown(self) -> None:
        """See that every catalog is sound, and give it back."""
        with self._stack:
            assert [catalog.problems() for pair in self._engines for catalog in pair.values()] == [[], [], [], []]

    @initialize(
        sent=st.lists(st.tuples(drafts(), maybe_times, st.booleans()), min_size=2, max_size=5),
        is_copied=st.booleans(),
    )
    def begin(self, sent: list[tuple[RevisionDraft, When | None, bool]], is_copied: bool) -> None:
        """Begin with some revisions, some of them with an alias, perhaps in both catalogs."""
        for draft, since, has_alias in sent:
            dated = [replace(draft, effective_from=self._time(since))]
            self._change("main", lambda pair, dated=dated: pair["main"].record(dated))
            if has_alias:
                self._change("main", lambda pair, name=draft.name: pair["main"].set_alias(name, ALIASES[0], None))
        if is_copied:
            self._change("other", lambda pair: pair["main"].copy_to(pair["other"], None, {}))

    @rule(
        place=places,
        sent=st.lists(st.tuples(drafts(), maybe_times, expectations, st.booleans()), min_size=1, max_size=3),
    )
    def save(self, place: str, sent: list[tuple[RevisionDraft, When | None, str | None, bool]]) -> None:
        """Record one revision or several, some of the workload that is there already."""
        ready = []
        for draft, since, expectation, is_again in sent:
            expected = self._expected(place, draft.name, expectation)
            found = self._model[place].find(draft.name)
            there = found.revisions[-1].workload if found is not None and is_again else None
            workload = there or draft.workload
            ready.append(replace(draft, workload=workload, effective_from=self._time(since), expect=expected))
        self._change(place, lambda pair: pair[place].record(ready))

    @rule(place=places, name=names, form=st.integers(0, 4), change=st.sampled_from(WORKLOAD_CHANGES), since=maybe_times)
    def derive(self, place: str, name: int, form: int, change: WorkloadChange, since: When | None) -> None:
        called = self._name(place, name)
        reference = [NameReference(called), LatestReference(called), NumberReference(called, form - 1)][min(form, 2)]
        effective_from = self._time(since)
        self._change(place, lambda pair: pair[place].set(reference, change, effective_from))

    @rule(place=places, name=names, since=maybe_times, expectation=expectations, is_restored=st.booleans())
    def end(self, place: str, name: int, since: When | None, expectation: str | None, is_restored: bool) -> None:
        """Retire a name, or bring it back."""
        called, effective_from = self._name(place, name), self._time(since)
        expected = self._expected(place, called, expectation)
        if is_restored:
            self._change(place, lambda pair: pair[place].restore(called, effective_from, expected))
        else:
            self._change(place, lambda pair: pair[place].retire(called, effective_from, expected))

    @rule(place=places, old=names, new=st.sampled_from([*NAMES, *NAMES, "no name"]))
    def rename(self, place: str, old: int, new: str) -> None:
        called = self._name(place, old)
        self._change(place, lambda pair: pair[place].rename(called, new))

    @rule(
        place=places,
        name=names,
        alias=st.sampled_from([*ALIASES, *ALIASES, LATEST]),
        number=st.sampled_from([None, None, 1, 2, 3, -1]),
        is_removed=st.booleans(),
    )
    def move_alias(self, place: str, name: int, alias: str, number: int | None, is_removed: bool) -> None:
        """Set an alias, or remove it where it stands."""
        called = self._name(place, name)
        if is_removed:
            held = [(n.called, there) for n in self._model[place].names for there in n.aliases(END_OF_TIME)]
            if held and name < 7:
                called, alias = held[name % len(held)]
            self._change(place, lambda pair: pair[place].remove_alias(called, alias))
        else:
            self._change(place, lambda pair: pair[place].set_alias(called, alias, number))

    @rule(place=places, name=names, key=st.sampled_from(["team", "état"]), value=st.sampled_from(["grid", "", None]))
    def tag(self, place: str, name: int, key: str, value: str | None) -> None:
        called = self._name(place, name)
        self._change(place, lambda pair: pair[place].tag(called, {key: value}))

    @rule(
        source=places,
        chosen=st.none() | st.none() | st.lists(names, min_size=1, max_size=2),
        renames=st.just({}) | st.dictionaries(new_names, new_names, max_size=1),
    )
    def copy(self, source: str, chosen: list[int] | None, renames: dict[str, str]) -> None:
        target = "other" if source == "main" else "main"
        references = None if chosen is None else [NameReference(self._name(source, name)) for name in chosen]
        self._change(target, lambda pair: pair[source].copy_to(pair[target], references, renames))

    @precondition(lambda self: self._num_changes >= CHANGES_PER_DUMP)
    @rule(place=places)
    def dump(self, place: str) -> None:
        self._num_changes = 0
        self._agree(lambda pair: pair[place].dump())

    @rule(
        place=places,
        as_of=maybe_times,
        known_at=maybe_times,
        expressions=st.lists(st.sampled_from(EXPRESSIONS), max_size=2, unique=True),
        sort=st.sampled_from(SORTS),
        flag=st.booleans(),
    )
    def ask_for_all(
        self,
        place: str,
        as_of: When | None,
        known_at: When | None,
        expressions: list[str],
        sort: tuple[str, ...],
        flag: bool,
    ) -> None:
        """Ask what all names stood for, what was recorded, and where expressions hold."""
        effective, known = self._time(as_of), self._time(known_at)
        self._agree(lambda pair: pair[place].in_force(effective, known, flag))
        self._agree(lambda pair: pair[place].latest(known, flag))
        self._agree(lambda pair: pair[place].log(effective, known, flag))
        when = EveryRevision(known) if flag else InForce(effective, known)
        for expression in ["True", *expressions]:
            self._agree(lambda pair, asked=expression: pair[place].search(asked, when, sort))

    @rule(place=places, name=names, number=st.integers(-2, 4).filter(bool), as_of=maybe_times, known_at=maybe_times)
    def ask_for_one(self, place: str, name: int, number: int, as_of: When | None, known_at: When | None) -> None:
        """Ask for revisions by each kind of reference, and for what belongs to a name."""
        called, effective, known = self._name(place, name), self._time(as_of), self._time(known_at)
        references: list[Reference] = [NameReference(called), LatestReference(called), NumberReference(called, number)]
        references += [AliasReference(called, alias) for alias in ALIASES]
        for reference in references:
            self._look_up(place, reference, effective, known)
        for time in sorted(self._edges(place, called))[number % 2 :: 2]:  # Half of them, either half.
            self._look_up(place, TimeReference(called, time), None, known)
            self._look_up(place, AliasReference(called, ALIASES[0]), time, known)
        for digest in self._model[place].contents().digests[:3]:
            self._look_up(place, DigestReference(digest[:15]), None, known)
        self._agree(lambda pair: pair[place].history(called, known))
        self._agree(lambda pair: pair[place].alias_log(called, known))
        self._agree(lambda pair: pair[place].aliases(called, known))

    def _look_up(self, place: str, reference: Reference, as_of: datetime | None, known_at: datetime | None) -> None:
        self._agree(lambda pair: pair[place].get(reference, as_of, known_at))
        self._agree(lambda pair: pair[place].load(reference, as_of, known_at))

    def _edges(self, place: str, called: str) -> set[datetime]:
        """Return the times at which something begins for a name, and those just before."""
        found = self._model[place].find(called)
        if found is None:
            return set()
        times = {r.effective_from for r in found.revisions} | {move.recorded_at for move in found.moves}
        exact = times & {*GIVEN_TIMES, *self._times[0].recorded}
        return times | {time + JUST_BEFORE for time in exact}

    def _name(self, place: str, index: int) -> str:
        held = sorted(self._model[place].names, key=lambda name: -len(name.revisions) - len(name.moves))
        return held[index // 2 % len(held)].called if held and index < 7 else NAMES[index % len(NAMES)]

    def _expected(self, place: str, name: str, expectation: str | None) -> int | None:
        found = self._model[place].find(name)
        latest = 0 if found is None else len(found.revisions)
        return {None: None, "latest": latest, "next": latest + 1, "new": 0}[expectation]

    def _time(self, when: When | None) -> datetime | None:
        """Return the time that is meant, in the model; without a step yet, a given one."""
        if when is None:
            return None
        kind, index = when
        steps = self._times[0].recorded
        if kind == "given" or not steps:
            return GIVEN_TIMES[index % len(GIVEN_TIMES)]
        step = steps[-1 - index % len(steps)]
        return step if kind == "step" else step + JUST_BEFORE

    def _change(self, place: str, act: Callable[[Any], object]) -> None:
        """Take a step everywhere; then everything that is stored is the same, whether it succeeded or not."""
        self._clock.tick()
        self._num_changes += 1
        self._agree(act)
        self._agree(lambda pair: pair[place].contents())
        assert self._times[0].recorded == self._times[1].recorded

    def _agree(self, act: Callable[[Any], object]) -> None:
        """Do something everywhere, and see that it comes to the same: the same answer, or the same error."""
        expected = _outcome(lambda: act(self._model))
        said = set()
        for pair in self._engines:
            found = _outcome(lambda pair=pair: act(pair), pair)
            if isinstance(found, _Failure):
                said.add(found.message)
                found = replace(found, message="")
            assert found == expected, f"found {found}, expected {expected}"
        assert len(said) < 2, f"the engines say different things: {said}"


def _outcome(act: Callable[[], object], pair: dict[str, EngineCatalog] | None = None) -> object:
    """Return what came of it, and of revisions whether they are new."""
    try:
        value = act()
    except CatalogError as error:
        messages = [] if pair is None else [catalog.message_of(error) for catalog in pair.values()]
        return _Failure(type(error), min(messages, key=len, default=""))
    revisions = value if isinstance(value, list) else [value]
    return value, [revision.is_new for revision in revisions if isinstance(revision, Revision)]
