"""Workloads that resemble each other as the revisions of a name do: few labels, few values."""

from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from openg2g.models.digest import workload_digest
from openg2g.models.revision import Revision
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

_LABELS = ("Llama-3.1-70B", "a.b[0].c", "=1+1", "no\u00a0break", "通义千问-72B", "-1")


def similar_specs() -> st.SearchStrategy[LLMInferenceModelSpec]:
    """Model specs with few labels and few values of each field."""
    sizes = st.sampled_from((8, 16, 32))
    return st.builds(
        LLMInferenceModelSpec,
        model_label=st.sampled_from(_LABELS),
        num_replicas=st.sampled_from((0, 1, 2**31 - 1)),
        gpus_per_replica=st.sampled_from((1, 8)),
        initial_batch_size=sizes,
        itl_deadline_s=st.sampled_from((0.06, 0.08, 5e-324, 1.7976931348623157e308)),
        feasible_batch_sizes=st.lists(sizes, min_size=1, max_size=4).map(tuple),
    )


def similar_workloads() -> st.SearchStrategy[LLMInferenceWorkload]:
    """Workloads of such models, in any order."""
    models = st.lists(similar_specs(), min_size=1, max_size=len(_LABELS), unique_by=lambda spec: spec.model_label)
    return models.map(tuple).map(LLMInferenceWorkload)


def make_history(*workloads: LLMInferenceWorkload) -> list[Revision]:
    """Make revisions 1, 2, 3, … of a name."""
    first = datetime(2026, 3, 1, tzinfo=UTC)
    return [
        Revision(
            "fleet", number, workload_digest(workload), at := first + timedelta(number), at, "Ada", workload=workload
        )
        for number, workload in enumerate(workloads, 1)
    ]
