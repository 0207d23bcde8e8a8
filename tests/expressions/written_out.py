"""A workload and its revision, written out, for expressions to be about."""

from datetime import UTC, datetime
from typing import Any

from openg2g.expressions.predicate import compile_predicate
from openg2g.models.digest import workload_digest
from openg2g.models.revision import Revision
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_spec

ANNOTATIONS: dict[str, Any] = {
    "owner": "Ada",
    "score": 3,
    "ratio": 0.5,
    "ok": True,
    "bad": False,
    "nothing": None,
    "huge": 2**70,
    "beyond": 10**300,
    "tags": ["a", "b", 3, None, "true"],
    "models": {"Llama-3.1-70B": {"task": "chat", "tpm": [1, 2.5, {"x": "y"}]}},
    "": "empty",
    "0": "zero",
}
WORKLOAD = LLMInferenceWorkload(
    (
        make_spec(
            model_label="Llama-3.1-70B",
            num_replicas=180,
            gpus_per_replica=4,
            initial_batch_size=128,
            itl_deadline_s=0.1,
            feasible_batch_sizes=(64, 128, 256, 64),
        ),
        make_spec(
            model_label="Qwen3-30B-A3B",
            num_replicas=0,
            gpus_per_replica=2,
            initial_batch_size=8,
            itl_deadline_s=0.06,
            feasible_batch_sizes=(8,),
        ),
        make_spec(
            model_label="Straße İ",
            num_replicas=7,
            gpus_per_replica=1,
            initial_batch_size=16,
            itl_deadline_s=1e40,
            feasible_batch_sizes=(512, 16),
        ),
    )
)
REVISION = Revision(
    name="sweep/fleet",
    number=3,
    workload=WORKLOAD,
    digest=workload_digest(WORKLOAD),
    recorded_at=datetime(2026, 3, 2, 12, 30, tzinfo=UTC),
    effective_from=datetime(2026, 3, 1, tzinfo=UTC),
    author="Ada",
    message="More replicas\nfor spring",
    source="grid/a.json",
    annotations=ANNOTATIONS,
)
TAGS = {"owner": "Grace", "limit": "7200", "é": "ß"}
ALIASES = ("prod", "best")


def holds(expression: str, workload: LLMInferenceWorkload = WORKLOAD, revision: Revision = REVISION) -> bool:
    """Say whether a condition holds."""
    answer = compile_predicate(expression)(workload, revision, tags=TAGS, aliases=ALIASES)
    assert isinstance(answer, bool)
    return answer
