"""Values to test with: a spec, a workload, and the fleet that OpenG2G publishes its examples with."""

from typing import Any

from openg2g.models.revision import RevisionDraft
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

PUBLISHED_BATCH_SIZES = (8, 16, 32, 64, 128, 256, 512)


def make_spec(**overrides: Any) -> LLMInferenceModelSpec:
    """Make a valid model spec; name only what the test is about."""
    fields: dict[str, Any] = {
        "model_label": "Llama-3.1-70B",
        "num_replicas": 180,
        "gpus_per_replica": 4,
        "initial_batch_size": 128,
        "itl_deadline_s": 0.1,
        "feasible_batch_sizes": PUBLISHED_BATCH_SIZES,
    }
    return LLMInferenceModelSpec(**(fields | overrides))


def make_workload(num_models: int = 2, **overrides: Any) -> LLMInferenceWorkload:
    """Make a workload of models labelled `model-0`, `model-1`, …; overrides hold for each of them."""
    return LLMInferenceWorkload(
        tuple(
            make_spec(**({"model_label": f"model-{index}", "num_replicas": 100 + index} | overrides))
            for index in range(num_models)
        )
    )


def make_draft(name: str = "fleet", **overrides: Any) -> RevisionDraft:
    """Make a valid revision draft; name only what the test is about."""
    return RevisionDraft(**({"name": name, "workload": make_workload()} | overrides))


def published_fleet() -> LLMInferenceWorkload:
    """Make the five-model fleet of OpenG2G's example configuration: 4,800 GPUs."""
    figures = (
        ("Llama-3.1-8B", 720, 1, 0.08),
        ("Llama-3.1-70B", 180, 4, 0.10),
        ("Llama-3.1-405B", 90, 8, 0.12),
        ("Qwen3-30B-A3B", 480, 2, 0.06),
        ("Qwen3-235B-A22B", 210, 8, 0.14),
    )
    return LLMInferenceWorkload(
        tuple(
            LLMInferenceModelSpec(label, replicas, gpus, 128, deadline, PUBLISHED_BATCH_SIZES)
            for label, replicas, gpus, deadline in figures
        )
    )
