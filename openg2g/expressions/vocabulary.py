"""The names of the language, with their types: those of the dataclasses and of a revision."""

import difflib
from collections.abc import Iterable, Mapping

from openg2g.expressions.types import ANNOTATION, FLOAT, SPEC, TEXT, TIME, Type, integer, mapping_to, sequence_of
from openg2g.models.spec import MAX_COUNT, MAX_TOTAL_GPUS

_COUNT = integer(1, MAX_COUNT)

SPEC_FIELDS: Mapping[str, Type] = {
    "model_label": TEXT,
    "num_replicas": integer(0, MAX_COUNT),
    "gpus_per_replica": _COUNT,
    "initial_batch_size": _COUNT,
    "itl_deadline_s": FLOAT,
    "feasible_batch_sizes": sequence_of(_COUNT),
    "total_gpus": integer(0, MAX_COUNT * MAX_COUNT),
}
"""Fields and properties of `LLMInferenceModelSpec`."""

WORKLOAD_FIELDS: Mapping[str, Type] = {
    "models": sequence_of(SPEC),
    "model_labels": sequence_of(TEXT),
    "total_gpus": integer(0, MAX_TOTAL_GPUS),
    "initial_batch_size_by_model": mapping_to(_COUNT),
    "itl_deadline_by_model": mapping_to(FLOAT),
    "required_measured_gpus": mapping_to(_COUNT),
    "feasible_batch_sizes_union": sequence_of(_COUNT),
}
"""Fields and properties of `LLMInferenceWorkload`."""

REVISION_FIELDS: Mapping[str, Type] = {
    "name": TEXT,
    "number": integer(1),
    "digest": TEXT,
    "recorded_at": TIME,
    "effective_from": TIME,
    "author": TEXT,
    "message": TEXT,
    "source": TEXT,
    "annotations": mapping_to(ANNOTATION),
}
"""Fields of `Revision`."""

NAME_FIELDS: Mapping[str, Type] = {
    "tags": mapping_to(TEXT),
    "aliases": sequence_of(TEXT),
}
"""What the catalog knows of the name beside its revisions: its tags, and the aliases that stand for the revision."""

MODEL_MAPPINGS: Mapping[str, str] = {
    "initial_batch_size_by_model": "initial_batch_size",
    "itl_deadline_by_model": "itl_deadline_s",
    "required_measured_gpus": "gpus_per_replica",
}
"""Mapping from model labels → the field of the model spec that it holds."""

DRAFT_NAMES: Mapping[str, Type] = {**WORKLOAD_FIELDS, **REVISION_FIELDS}
"""What a rule about a revision that is being recorded may name."""

WORKLOAD_NAMES: Mapping[str, Type] = {**DRAFT_NAMES, **NAME_FIELDS}
"""What an expression about stored workloads may name."""

MODEL_SPEC_NAMES: Mapping[str, Type] = {**SPEC_FIELDS, "digest": TEXT}
"""What an expression about model specs may name."""


def near(name: str, known: Iterable[str]) -> str:
    """Say which known names are close to an unknown one, or what there is."""
    known = list(known)
    close = difflib.get_close_matches(name, known, n=3)
    return f" Did you mean {' or '.join(close)}?" if close else f" Known here: {', '.join(known)}."
