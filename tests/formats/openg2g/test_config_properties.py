"""Configurations of every layout, with anything beside the six fields: they come back equal."""

import json
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats.document import Document
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload
from tests.formats.views import config_of, document_of, written
from tests.strategies import examples, json_values, storable_texts, workloads

_REPLICA_KEYS = ("num_replicas", "initial_num_replicas", "simulated_num_replicas")
_MODEL_KEYS = (
    "model_label",
    *_REPLICA_KEYS,
    "gpus_per_replica",
    "initial_batch_size",
    "itl_deadline_s",
    "feasible_batch_sizes",
    "batch_sizes",
    "deployment",
    "omitted",
    "spec",
)

_Config = tuple[str, LLMInferenceWorkload, dict[str, Any]]


def extras(*taken: str) -> st.SearchStrategy[dict[str, Any]]:
    """Keys that a file has beyond those with a meaning."""
    keys = storable_texts() | st.sampled_from(("model_id", "precision", "note", "spec2", "omitted2"))
    return st.dictionaries(keys.filter(lambda key: key not in taken), json_values(), max_size=3)


@st.composite
def configs(draw: st.DrawFn) -> _Config:
    """A version, a workload, and a configuration file of that version that means this workload."""
    version = draw(st.sampled_from(("0.1", "0.2")))
    list_key = draw(st.sampled_from(("models", "deployments")))
    replicas_key = "num_replicas" if version == "0.1" else draw(st.sampled_from(_REPLICA_KEYS))
    drawn = draw(workloads(max_models=3)).models
    # A list that is what 0.1 takes for granted would hardly ever be drawn by chance.
    models = [replace(m, feasible_batch_sizes=(m.initial_batch_size,)) if draw(st.booleans()) else m for m in drawn]
    workload = LLMInferenceWorkload(tuple(models))
    entries = [draw(_entries(spec, version, list_key, replicas_key)) for spec in workload.models]
    return version, workload, {list_key: entries, **draw(extras("models", "deployments", "openg2g", "format"))}


@st.composite
def _entries(
    draw: st.DrawFn, spec: LLMInferenceModelSpec, version: str, list_key: str, replicas_key: str
) -> dict[str, Any]:
    feasible: Any = list(spec.feasible_batch_sizes)
    entry: dict[str, Any] = {
        "model_label": spec.model_label,
        replicas_key: spec.num_replicas,
        "gpus_per_replica": spec.gpus_per_replica,
        "initial_batch_size": spec.initial_batch_size,
        "itl_deadline_s": spec.itl_deadline_s,
        "feasible_batch_sizes": feasible,
        **draw(extras(*_MODEL_KEYS)),
    }
    if version == "0.2":
        measured = draw(st.sampled_from((feasible, [*feasible, 7], [1])))
        entry |= {"model_id": "x/y", "gpu_model": "H100", "task": "gpqa", "batch_sizes": measured}
    default = [spec.initial_batch_size] if version == "0.1" else entry["batch_sizes"]
    if feasible == default:
        entry["feasible_batch_sizes"] = draw(st.sampled_from((feasible, [] if version == "0.1" else None)))
        if draw(st.booleans()):
            del entry["feasible_batch_sizes"]
    if version == "0.2" and spec.gpus_per_replica == 1 and draw(st.booleans()):
        del entry["gpus_per_replica"]
    if list_key == "models":
        return entry
    outside = (replicas_key, "initial_batch_size") if version == "0.2" else ()
    return {
        "spec": {key: value for key, value in entry.items() if key not in outside},
        **{key: entry[key] for key in outside},
        **draw(extras("spec", *_MODEL_KEYS)),
    }


def _text(config: dict[str, Any]) -> str:
    """A configuration as text: equality alone would take 1, 1.0 and true for the same."""
    return json.dumps(config, sort_keys=True)


@given(configs())
@examples(20)
def test_a_configuration_means_its_workload_and_is_given_back_equal(made: _Config) -> None:
    version, workload, config = made
    document = document_of(config, f"openg2g-{version}")
    assert document.workload == workload
    assert _text(config_of(document, version)) == _text(config)


@given(configs(), st.sampled_from(("json", "jsonl")))
@examples(12)
def test_a_configuration_is_given_back_equal_by_way_of_the_catalogs_own_shape(made: _Config, format_name: str) -> None:
    version, workload, config = made
    stored = document_of(written([document_of(config, f"openg2g-{version}")], format_name), format_name)
    assert stored.workload == workload
    assert _text(config_of(stored, version)) == _text(config)


@given(workloads())
@examples(12)
def test_every_workload_can_be_written_as_0_1_and_read_back(workload: LLMInferenceWorkload) -> None:
    config = config_of(Document(workload), "0.1")
    assert document_of(config, "openg2g-0.1").workload == workload
