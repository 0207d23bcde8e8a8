"""Hypothesis strategies: whatever the domain accepts, with a bias towards what breaks files and databases."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from openg2g.formats.document import Document, RevisionData
from openg2g.models.characters import find_hidden
from openg2g.models.spec import MAX_COUNT, MAX_LABEL_LENGTH, MAX_TOTAL_GPUS, LLMInferenceModelSpec, LLMInferenceWorkload

HOSTILE_TEXTS = (
    "=1+1",
    "@SUM(A1)",
    "-1",
    "[bold]red[/bold]",
    "NULL",
    "null",
    "NaN",
    "0123",
    "1e5",
    "true",
    "None",
    "a'b\"c`d",
    "'; DROP TABLE names; --",
    "back\\slash",
    "100%",
    "%s %(name)s {0} {name} $HOME",
    "a,b;c|d",
    "a.b[0].c",
    "../../etc/passwd",
    "<script>alert(1)</script>",
    "  led and trailed by blanks  ",
    "no\u00a0break",
    "שלום עולם",
    "\u202egnirts desrever\u202c",
    "e\u0301 is not é",
    "通义千问-72B",
    "🚀👩‍👩‍👧‍👦🇫🇷",
    "İıßﬁ",
    "x" * MAX_LABEL_LENGTH,
    "🚀" * MAX_LABEL_LENGTH,
)
"""Texts that a careless reader takes for something else; each of them is a legal label."""

_HOSTILE_NAMES = (
    "=1+1",
    "NULL",
    "0123",
    "1e5",
    "true",
    "a'b\"c",
    "100%",
    "%s",
    "a.b",
    "../up",
    "a\\b",
    "שלום",
    "通义",
    "🚀",
)


def examples(count: int) -> Callable[[Any], Any]:
    """Run a property on so many examples, without a time limit: a busy machine is no bug."""
    return settings(max_examples=count, deadline=None, suppress_health_check=[HealthCheck.too_slow])


def labels() -> st.SearchStrategy[str]:
    """Model labels."""
    alphabet = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp"))
    return st.sampled_from(HOSTILE_TEXTS) | st.text(alphabet, min_size=1, max_size=MAX_LABEL_LENGTH).filter(_is_visible)


def names() -> st.SearchStrategy[str]:
    """Names that a new workload can be stored under."""
    alphabet = st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp", "Zs"), exclude_characters="@:*?[")
    texts = st.text(alphabet, min_size=1, max_size=200).filter(_is_visible)
    texts = texts.filter(lambda name: name[0] != "-" and find_hidden(name) is None)
    return st.sampled_from(_HOSTILE_NAMES) | texts


def counts(minimum: int) -> st.SearchStrategy[int]:
    """Integers of a field, most of them small."""
    return st.integers(minimum, 1000) | st.integers(minimum, MAX_COUNT)


def deadlines() -> st.SearchStrategy[float]:
    """Deadlines in seconds: every positive double, most of them plausible."""
    edges = (0.08, 0.1, 1e-7, 1e-6, 1.0, 100.0, 1e21, 1e22, 5e-324, 1.7976931348623157e308)
    anything = st.floats(min_value=0, exclude_min=True, allow_nan=False, allow_infinity=False)
    return st.sampled_from(edges) | anything


def batch_sizes() -> st.SearchStrategy[tuple[int, ...]]:
    """Lists of batch sizes in any order, perhaps with repetitions."""
    return st.lists(counts(1), min_size=1, max_size=6).map(tuple)


def specs() -> st.SearchStrategy[LLMInferenceModelSpec]:
    """Model specs."""
    return st.builds(
        LLMInferenceModelSpec,
        model_label=labels(),
        num_replicas=counts(0),
        gpus_per_replica=counts(1),
        initial_batch_size=counts(1),
        itl_deadline_s=deadlines(),
        feasible_batch_sizes=batch_sizes(),
    )


def workloads(min_models: int = 1, max_models: int = 4) -> st.SearchStrategy[LLMInferenceWorkload]:
    """Workloads."""
    models = st.lists(specs(), min_size=min_models, max_size=max_models, unique_by=lambda spec: spec.model_label)
    return models.map(tuple).filter(_fits).map(LLMInferenceWorkload)


def new_workloads() -> st.SearchStrategy[LLMInferenceWorkload]:
    """Workloads whose labels no catalog need know yet: nothing in them is hidden."""
    return workloads().filter(lambda workload: not any(map(find_hidden, workload.model_labels)))


def messages() -> st.SearchStrategy[str]:
    """Messages of new revisions."""
    return storable_texts().filter(lambda text: find_hidden(text, is_prose=True) is None)


def storable_texts(max_size: int = 20) -> st.SearchStrategy[str]:
    """Texts that both databases store: anything but NUL and lone surrogates."""
    alphabet = st.characters(exclude_categories=("Cs",), exclude_characters="\0")
    return st.sampled_from((*HOSTILE_TEXTS, "")) | st.text(alphabet, max_size=max_size)


def json_values() -> st.SearchStrategy[Any]:
    """JSON values as a parser gives them."""
    scalars = (
        st.none()
        | st.booleans()
        | st.integers(-(2**70), 2**70)
        | st.floats(allow_nan=False, allow_infinity=False)
        | storable_texts()
    )
    return st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(storable_texts(), inner, max_size=3),
        max_leaves=8,
    )


def annotations() -> st.SearchStrategy[dict[str, Any]]:
    """JSON objects."""
    return st.dictionaries(storable_texts(), json_values(), max_size=4)


def instants() -> st.SearchStrategy[datetime]:
    """Times in UTC."""
    return st.datetimes(timezones=st.just(UTC))


def revision_data() -> st.SearchStrategy[RevisionData]:
    """What a document may say of its revision; an empty text is written like an absent one, so there is none."""
    texts = st.none() | storable_texts().filter(bool)
    return st.builds(
        RevisionData,
        digest=st.none() | st.from_regex(r"sha256:[0-9a-f]{64}", fullmatch=True),
        number=st.none() | st.integers(1, 2**63 - 1),
        recorded_at=st.none() | instants(),
        effective_from=st.none() | instants(),
        author=texts,
        message=texts,
        source=texts,
    )


def documents() -> st.SearchStrategy[Document]:
    """Documents as they come out of a catalog."""
    return st.builds(
        Document,
        workload=workloads(),
        where=st.just(""),
        name=st.none() | names(),
        annotations=annotations(),
        revision=revision_data(),
    )


def _is_visible(text: str) -> bool:
    """Whether a text shows anything at all; whether an invisible one counts as blank is no property's business."""
    return any(character.isprintable() and not character.isspace() for character in text)


def _fits(models: tuple[LLMInferenceModelSpec, ...]) -> bool:
    """Whether a workload may have so many GPUs; three of the largest models already have too many."""
    return sum(spec.total_gpus for spec in models) <= MAX_TOTAL_GPUS
