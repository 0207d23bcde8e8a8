"""Domain values of the catalog: model specs and workloads, their digests, and the errors of the whole package."""

from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

__all__ = ["LLMInferenceModelSpec", "LLMInferenceWorkload"]
