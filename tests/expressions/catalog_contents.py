"""Small catalogs whose values collide with each other and with the constants of generated conditions.

The pools are public: whoever writes an expression takes constants from the pool of what they are compared with.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from openg2g.models.digest import workload_digest
from openg2g.models.revision import Revision, RevisionDraft
from openg2g.models.spec import MAX_TOTAL_GPUS, LLMInferenceModelSpec, LLMInferenceWorkload

LARGEST_COUNT = 2**31 - 1

NAMES = ("sweep/1", "fleet", "sweep/2", "Grid-É", "千问", "a%b_c'd")
LABELS = (
    "Qwen3-30B-A3B",
    "Llama-3.1-70B",
    "llama-3.1-70b",
    "Qwen3-235B-A22B",
    "通义千问-72B",
    "Straße ßİıΣς",
    "🚀 a'b\"c\\d%_",
    "e\u0301 é É",
    "[x]*?",
)
REPLICAS = (90, 0, 1, 2, 3, 8, 180, 720, LARGEST_COUNT)
GPUS_PER_REPLICA = (4, 1, 2, 8, LARGEST_COUNT)
BATCH_SIZES = (128, 1, 8, 16, 64, 256, LARGEST_COUNT)
PLAUSIBLE_DEADLINES = (0.1, 0.06, 0.08, 0.12, 0.14, 1.0)
EDGE_DEADLINES = (5e-324, 1e-30, 1e-7, 0.1 + 2**-56, 1e22, 1e30, 1.797e308, 1.7976931348623157e308)
DEADLINES = PLAUSIBLE_DEADLINES + EDGE_DEADLINES
TOTALS = (720, 0, 1, 8, 90, 180, 360, 1440, 2880, LARGEST_COUNT, 2**40, 2**62)
NUMBERS = (2, 1, 3)
TIMES = (
    datetime(2026, 4, 1, tzinfo=UTC),
    datetime(2026, 3, 1, tzinfo=UTC),
    datetime(2026, 3, 1, 12, 30, tzinfo=UTC),
    datetime(2026, 3, 1, 12, 30, 0, 1, tzinfo=UTC),
    datetime(2027, 1, 1, tzinfo=UTC),
    datetime(1970, 1, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)
AUTHORS = ("Grace", "Ada", "ada", "Émile", "O'Brien", "王")
MESSAGES = ("more replicas", "", "More Replicas", "100% _done_ \\ 'x'", "Straße", "line\nbreak\ttab", "🚀")
SOURCES = ("grid/a.json", "", "grid/B.json", "a\\b.yaml")
TAG_KEYS = ("owner", "env", "é-k", "a'b")
TAG_VALUES = ("prod", "Ada", "", "Prod", "ß", "100%", "Llama-3.1-70B", "7200")
ALIASES = ("best", "prod", "Prod", "née", "a%b")
ANNOTATION_TEXTS = ("prod", "Ada", "", "Prod", "x", "3", "ß", "true", "Llama-3.1-70B", "a'b\"c\\")
ANNOTATION_NUMBERS = (1, 0, 3, -1, -7, 0.5, 0.1, -0.0, 2**53 + 1, 2**70, 1e22, 5e-324, 1.797e308, 10**299, 10**300)
ANNOTATION_PATHS: Mapping[str, tuple[tuple[str | int, ...], ...]] = {
    "text": (("owner",), ("tags", 0), ("tags", -1), ("models", "Llama-3.1-70B", "task"), ("deep", 0, "é k")),
    "number": (("score",), ("deep", 1), ("deep", 0, "n"), ("models", "Llama-3.1-70B", "tpm"), ("deep", -1, 0)),
    "boolean": (("ok",), ("deep", 0, "ok"), ("deep", 2)),
    "container": (("tags",), ("models",), ("deep", 0), ("owner",), ("deep",), ("models", "Llama-3.1-70B")),
}
"""Kind → places where the annotations mostly hold something of this kind, and sometimes something else or nothing."""


@dataclass(frozen=True)
class Subject:
    """What an expression is applied to."""

    workload: LLMInferenceWorkload
    revision: Revision
    tags: Mapping[str, str]
    aliases: tuple[str, ...]


@dataclass(frozen=True)
class Contents:
    """What a small catalog holds.

    Attributes:
        drafts: Revisions in the order in which they are recorded. Those of one name have different effective times, so
            that each of them becomes a revision.
        tags: Name → its tags; names without tags are left out.
        aliases: Name → alias → the number of the revision that it stands for.
    """

    drafts: tuple[RevisionDraft, ...]
    tags: Mapping[str, Mapping[str, str]]
    aliases: Mapping[str, Mapping[str, int]]

    def subjects(self) -> Iterator[Subject]:
        """Give every revision as a catalog would, in the order of recording; no database is needed."""
        numbers: dict[str, int] = {}
        for index, draft in enumerate(self.drafts):
            number = numbers[draft.name] = numbers.get(draft.name, 0) + 1
            assert draft.workload is not None and draft.effective_from is not None
            revision = Revision(
                name=draft.name,
                number=number,
                workload=draft.workload,
                digest=workload_digest(draft.workload),
                recorded_at=TIMES[index % len(TIMES)],
                effective_from=draft.effective_from,
                author=draft.author or "Ada",
                message=draft.message,
                source=draft.source,
                annotations=draft.annotations,
            )
            aliases = (alias for alias, stands_for in self.aliases.get(draft.name, {}).items() if stands_for == number)
            yield Subject(draft.workload, revision, self.tags.get(draft.name, {}), tuple(sorted(aliases)))


@cache
def specs() -> st.SearchStrategy[LLMInferenceModelSpec]:
    """Model specs of the pools."""
    return st.builds(
        LLMInferenceModelSpec,
        model_label=st.sampled_from(LABELS[:4]) | st.sampled_from(LABELS),
        num_replicas=st.sampled_from(REPLICAS),
        gpus_per_replica=st.sampled_from(GPUS_PER_REPLICA),
        initial_batch_size=st.sampled_from(BATCH_SIZES),
        itl_deadline_s=st.sampled_from(PLAUSIBLE_DEADLINES) | st.sampled_from(DEADLINES),
        feasible_batch_sizes=st.lists(st.sampled_from(BATCH_SIZES), min_size=1, max_size=4).map(tuple),
    )


@cache
def workloads() -> st.SearchStrategy[LLMInferenceWorkload]:
    """Workloads of one to four such models."""
    models = st.lists(specs(), min_size=1, max_size=4, unique_by=lambda spec: spec.model_label)
    return models.map(_fitting).map(LLMInferenceWorkload)


@cache
def annotations() -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects with something at most of the `ANNOTATION_PATHS`, now and then of an unexpected kind."""
    text, number, boolean = st.sampled_from(ANNOTATION_TEXTS), st.sampled_from(ANNOTATION_NUMBERS), st.booleans()
    scalar = text | number | boolean | st.none()
    texts = st.lists(text | text | text | scalar, max_size=3)
    inner = st.fixed_dictionaries({}, optional={"n": number | scalar, "ok": boolean | scalar, "é k": text | scalar})
    model = st.fixed_dictionaries({"task": text | scalar}, optional={"tpm": number | scalar})
    deep = st.tuples(inner, number | scalar, boolean | scalar, st.lists(number | scalar, max_size=2)).map(list)
    models = st.fixed_dictionaries({}, optional=dict.fromkeys(LABELS[:3], model))
    entries = {
        "owner": text | text | scalar,
        "score": number | number | scalar,
        "ok": boolean | boolean | scalar,
        "tags": texts | texts | scalar | inner,
        "deep": deep | deep | scalar | inner,
        "models": models | models | models | texts | scalar,
    }
    return st.fixed_dictionaries({}, optional=entries) | st.fixed_dictionaries(entries)


@st.composite
def contents(draw: st.DrawFn, max_names: int = 3, max_revisions: int = 3) -> Contents:
    """Small catalogs: a few names with a few revisions each, in any order of time, with tags and aliases."""
    drafts: list[RevisionDraft] = []
    tags: dict[str, dict[str, str]] = {}
    aliases: dict[str, dict[str, int]] = {}
    for name in draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=max_names, unique=True)):
        times = draw(st.lists(st.sampled_from(TIMES), min_size=1, max_size=max_revisions, unique=True))
        drafts += [RevisionDraft(name=name, effective_from=at, **draw(_what_is_recorded())) for at in times]
        tags[name] = draw(st.dictionaries(st.sampled_from(TAG_KEYS), st.sampled_from(TAG_VALUES), max_size=3))
        standing = st.integers(1, len(times))
        aliases[name] = draw(st.dictionaries(st.sampled_from(ALIASES), standing, max_size=3))
    return Contents(
        tuple(draw(st.permutations(drafts))),  # Names are mixed; a name's revisions may come in any order of time.
        {name: found for name, found in tags.items() if found},
        {name: found for name, found in aliases.items() if found},
    )


@cache
def many_subjects() -> tuple[Subject, ...]:
    """Give two hundred revisions of such catalogs, the same in every run: to apply one condition to all of them."""
    found: list[Subject] = []

    @settings(max_examples=50, derandomize=True, database=None, deadline=None, phases=[Phase.generate])
    @given(contents())
    def collect(held: Contents) -> None:
        found.extend(held.subjects())

    collect()
    return tuple(found)


@cache
def _what_is_recorded() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {
            "workload": workloads(),
            "message": st.sampled_from(MESSAGES),
            "author": st.sampled_from(AUTHORS),
            "source": st.sampled_from(SOURCES),
            "annotations": annotations(),
        }
    )


def _fitting(models: list[LLMInferenceModelSpec]) -> tuple[LLMInferenceModelSpec, ...]:
    """Give no replicas to the last models where a workload would have more GPUs than one may have."""
    fitting: list[LLMInferenceModelSpec] = []
    for model in models:
        total = sum(spec.total_gpus for spec in fitting)
        fits = total + model.total_gpus <= MAX_TOTAL_GPUS
        fitting.append(model if fits else replace(model, num_replicas=0))
    return tuple(fitting)
