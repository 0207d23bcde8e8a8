"""What a document loses in another format: what OpenG2G 0.1 and 0.2 refuse, understand differently and ignore."""

import copy
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats.document import Document
from openg2g.formats.export_losses import find_losses, refuse_losses, tell_losses
from openg2g.formats.losses import Loss, LossKind
from openg2g.formats.openg2g.config_losses import losses_of_config
from openg2g.formats.registry import FORMAT_NAMES
from openg2g.models.digest import workload_digest
from openg2g.models.edit import SetField, edited
from openg2g.models.errors import InvalidDocumentError
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_spec, make_workload
from tests.formats.configs import (
    EXAMPLES,
    OFFLINE_0_1,
    OFFLINE_0_2,
    ONLINE_0_1,
    ONLINE_0_2,
    SWEEP,
    deployment_0_2,
    entry_0_1,
    entry_0_2,
)
from tests.formats.openg2g.test_config_properties import configs
from tests.formats.views import config_of, document_of, documents_of, written
from tests.strategies import documents, examples

_REQUIRED = {"model_id": "x/y", "gpu_model": "H100", "task": "gpqa", "batch_sizes": [64, 128]}


def told(document: Document, target: str) -> list[str]:
    return [str(loss) for loss in find_losses(document, target)]


def plain(annotations: dict[str, Any] | None = None, **overrides: Any) -> Document:
    """Make a document of one model `a` that no configuration said."""
    spec = make_spec(**{"model_label": "a", "feasible_batch_sizes": (64, 128)} | overrides)
    return Document(LLMInferenceWorkload((spec,)), annotations=annotations or {})


def with_extras(**extras: Any) -> Document:
    return plain({"models": {"a": _REQUIRED | extras}})


def changed(document: Document, label: str, field: str, value: str) -> Document:
    """Set a field as `openg2g set` does, which leaves the annotations as they are."""
    return replace(document, workload=edited(document.workload, [SetField(label, field, "=", value)]))


# The version that a document came from.


@pytest.mark.parametrize(("version", "config"), EXAMPLES.values(), ids=EXAMPLES)
def test_a_configuration_loses_nothing_in_its_own_version(version: str, config: dict[str, Any]) -> None:
    assert find_losses(document_of(config), f"openg2g-{version}") == []


@given(configs())
@examples(20)
def test_any_configuration_loses_nothing_in_its_own_version(made: tuple[str, Any, dict[str, Any]]) -> None:
    version, _, config = made
    assert losses_of_config(document_of(config, f"openg2g-{version}"), version) == []


def test_what_a_version_refuses_of_its_own_file_is_noted_and_not_held_against_its_way_back() -> None:
    document = document_of(ONLINE_0_1)  # It starts with 128, and 1 to 8 are feasible.
    refused = {"Llama-3.1-8B": ["initial_batch_size"], "Llama-3.1-70B": ["initial_batch_size"]}
    assert document.annotations["openg2g"]["refused"] == refused
    stored = document_of(written([document]))
    assert find_losses(stored, "openg2g-0.1") == []
    assert config_of(stored, "0.1") == ONLINE_0_1


def test_a_file_of_0_2_that_0_2_refuses_comes_back_equal_and_is_not_completed() -> None:
    entry = entry_0_1(feasible_batch_sizes=[128])
    entry["simulated_num_replicas"] = entry.pop("num_replicas")
    source = {"model_label": "Llama-3.1-8B", "task": "gpqa", "gpu": "H100", "batch_sizes": [128]}
    config = {"models": [entry], "data_sources": [source]}
    document = document_of(config)
    assert document.annotations["openg2g"]["refused"] == {"Llama-3.1-8B": [*_REQUIRED]}
    assert find_losses(document, "openg2g-0.2") == []
    assert config_of(document, "0.2") == config


def test_what_a_change_makes_of_a_configuration_is_found_in_its_own_version() -> None:
    document = document_of(OFFLINE_0_1)
    assert told(changed(document, "Llama-3.1-8B", "initial_batch_size", "100"), "openg2g-0.1") == [
        "refused: models[0].initial_batch_size is 100, which feasible_batch_sizes has not: OpenG2G 0.1 refuses it. "
        "Make it feasible, or start with one that is."
    ]
    assert told(changed(document, "Llama-3.1-8B", "num_replicas", "7"), "openg2g-0.1") == []


def test_a_model_that_sites_name_must_not_get_another_label() -> None:
    document = changed(document_of(SWEEP), "Llama-3.1-70B", "model_label", "Llama-3.3-70B")
    assert told(document, "openg2g-0.1") == [
        "refused: dc_sites.upstream.models[1] is no label of the models of the file, got 'Llama-3.1-70B': "
        "did you mean Llama-3.3-70B?"
    ]


# Refused.


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_both_versions_refuse_an_initial_batch_size_that_is_not_feasible(version: str) -> None:
    document = plain({"models": {"a": _REQUIRED if version == "0.2" else {}}}, initial_batch_size=8)
    ((kind, path, message),) = [(x.kind, x.path, x.message) for x in find_losses(document, f"openg2g-{version}")]
    assert kind is LossKind.REFUSED
    assert path == ("models[0].initial_batch_size" if version == "0.1" else "deployments[0].initial_batch_size")
    assert message.startswith(f"is 8, which feasible_batch_sizes has not: OpenG2G {version} refuses it. ")


@pytest.mark.parametrize("field", _REQUIRED)
def test_0_2_refuses_a_model_of_which_something_is_not_known(field: str) -> None:
    extras = {key: value for key, value in _REQUIRED.items() if key != field}
    assert told(plain({"models": {"a": extras}}), "openg2g-0.2") == [
        f"refused: deployments[0].spec.{field} is not known, and OpenG2G 0.2 requires it. "
        "Say it in annotations.models.a."
    ]
    assert told(plain(), "openg2g-0.1") == []


@pytest.mark.parametrize(
    ("extras", "path", "message"),
    [
        ({"batch_sizes": [128]}, "spec.feasible_batch_sizes", "has 64, which batch_sizes has not"),
        ({"batch_sizes": []}, "spec.batch_sizes", "must not be empty"),
        ({"batch_sizes": 128}, "spec.batch_sizes", "must be a list of integers, got 128"),
        ({"batch_sizes": [64, 128, None]}, "spec.batch_sizes", "must be a list of integers, got [64, 128, None]"),
        ({"batch_sizes": [64, 128, "x"]}, "spec.batch_sizes", "must be a list of integers, got [64, 128, 'x']"),
        ({"fit_exclude_batch_sizes": None}, "spec.fit_exclude_batch_sizes", "must be a list of integers, got null"),
        ({"tensor_parallel": 0}, "spec.tensor_parallel", "must be an integer >= 1, got 0"),
        ({"expert_parallel": 1.5}, "spec.expert_parallel", "must be an integer >= 1, got 1.5"),
        ({"tensor_parallel": 1e22}, "spec.tensor_parallel", "must be an integer >= 1, got 1e+22"),
        ({"tensor_parallel": "٢"}, "spec.tensor_parallel", "must be an integer >= 1, got '٢'"),
        ({"task": None}, "spec.task", "must be a string, got null"),
        ({"gpu_model": 5}, "spec.gpu_model", "must be a string, got 5"),
        ({"precision": 8}, "spec.precision", "must be a string, got 8"),
        ({"model_id": []}, "spec.model_id", "must be a string, got []"),
    ],
)
def test_0_2_refuses_what_breaks_its_rules(extras: dict[str, Any], path: str, message: str) -> None:
    document = with_extras(**extras)
    assert told(document, "openg2g-0.2") == [f"refused: deployments[0].{path} {message}: OpenG2G 0.2 refuses it."]


@pytest.mark.parametrize(
    "extras",
    [
        {"batch_sizes": ["64", 128.0, 128]},
        {"tensor_parallel": "2", "expert_parallel": True},
        {"tensor_parallel": " 2.0 "},
        {"model_id": "", "gpu_model": "", "task": "", "precision": "fp8"},
        {"fit_exclude_batch_sizes": []},
    ],
)
def test_0_2_is_lax_with_what_pydantic_is_lax_with(extras: dict[str, Any]) -> None:
    assert told(with_extras(**extras), "openg2g-0.2") == []


def test_0_1_refuses_an_identifier_that_is_no_text() -> None:
    message = "refused: models[0].model_id must be a string, got null: OpenG2G 0.1 refuses it."
    assert told(plain({"models": {"a": {"model_id": None}}}), "openg2g-0.1") == [message]


def test_of_many_batch_sizes_that_were_not_measured_ten_are_listed() -> None:
    sizes = tuple(range(1, 200))
    (loss,) = find_losses(
        plain({"models": {"a": _REQUIRED}}, feasible_batch_sizes=sizes, initial_batch_size=64), "openg2g-0.2"
    )
    assert loss.message == "has 1 2 3 4 5 6 7 8 9 10 …, which batch_sizes has not: OpenG2G 0.2 refuses it."


@pytest.mark.parametrize("sizes", [(512, 64, 128), (128, 64, 128, 64)], ids=["order", "repeated"])
def test_order_and_repetition_of_batch_sizes_are_kept_and_mean_nothing_else(sizes: tuple[int, ...]) -> None:
    document = plain({"models": {"a": _REQUIRED | {"batch_sizes": [64, 128, 512]}}}, feasible_batch_sizes=sizes)
    assert find_losses(document, "openg2g-0.2") == []
    assert config_of(document, "0.2")["deployments"][0]["spec"]["feasible_batch_sizes"] == list(sizes)


# Changed.


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_a_model_and_its_data_source_that_differ_mean_different_things_in_the_versions(version: str) -> None:
    source = {"model_label": "a", "gpu": "A100", "task": "gpqa", "batch_sizes": [64, 128]}
    document = plain({"models": {"a": _REQUIRED}, "data_sources": [source]})
    path = "models[0].gpu_model" if version == "0.1" else "deployments[0].spec.gpu_model"
    assert told(document, f"openg2g-{version}") == [
        f"changes meaning: {path} is 'H100', and 'A100' in data_sources: "
        "OpenG2G 0.1 goes by data_sources, 0.2 by the model."
    ]


# Not expressed.


def test_0_1_ignores_what_0_2_says_of_a_model() -> None:
    document = document_of({"deployments": [deployment_0_2(tensor_parallel=4, fit_exclude_batch_sizes=[8])]})
    in_data_sources = "is ignored by OpenG2G 0.1, which looks for it in data_sources."
    assert told(document, "openg2g-0.1") == [
        f"not expressed: deployments[0].spec.gpu_model {in_data_sources}",
        f"not expressed: deployments[0].spec.task {in_data_sources}",
        f"not expressed: deployments[0].spec.batch_sizes {in_data_sources}",
        f"not expressed: deployments[0].spec.fit_exclude_batch_sizes {in_data_sources}",
        "not expressed: deployments[0].spec.tensor_parallel is ignored by OpenG2G 0.1.",
    ]
    assert told(document, "openg2g-0.2") == []


def test_what_data_sources_say_as_well_is_not_lost_in_0_1() -> None:
    entry = entry_0_2()
    source = {key: entry[key] for key in ("model_label", "task", "batch_sizes")} | {"gpu": entry["gpu_model"]}
    assert told(document_of({"models": [entry], "data_sources": [source]}), "openg2g-0.1") == []


def test_0_2_ignores_the_ramps_of_sites() -> None:
    assert told(document_of(SWEEP), "openg2g-0.2") == [
        "not expressed: dc_sites.upstream.inference_ramps are ignored by OpenG2G 0.2: there, a ReplicaSchedule(...) in "
        "a script ramps the replicas of a model."
    ]


def test_the_name_for_requests_of_0_0_1_is_ignored_unless_it_is_the_identifier() -> None:
    extras = {"model_id": "x/y", "deployment": {"model_name": "x/z", "vllm_base_url": "http://node1:8000"}}
    (loss,) = find_losses(plain({"models": {"a": extras}}), "openg2g-0.1")
    assert (loss.kind, loss.path) == (LossKind.DROPPED, "deployments[0].spec.model_name")
    extras["deployment"] = {"model_name": "x/y"}
    assert find_losses(plain({"models": {"a": extras}}), "openg2g-0.1") == []


def test_deployments_of_a_script_are_written_as_deployments() -> None:
    spec = 'InferenceModelSpec(model_label="a", model_id="x/y", num_replicas=1, gpus_per_replica=1, '
    script = f'd = [VLLMDeployment(spec={spec}initial_batch_size=8, itl_deadline_s=0.1), vllm_base_url="u")]\n'
    document = document_of(script, "python")
    assert find_losses(document, "openg2g-0.1") == []
    assert config_of(document, "0.1")["deployments"][0]["vllm_base_url"] == "u"


@pytest.mark.parametrize(
    ("annotations", "path"),
    [
        ({"deployments": [1]}, "annotations.deployments"),
        ({"format": "x"}, "annotations.format"),
        ({"openg2g": {"note": 1}}, "annotations.openg2g"),
        ({"openg2g": "x"}, "annotations.openg2g"),
        ({"models": [1]}, "annotations.models"),
        ({"models": {"a": 1}}, "annotations.models.a"),
        ({"models": {"a": {"num_replicas": 1}}}, "annotations.models.a.num_replicas"),
        ({"models": {"a": {"deployment": 5}}}, "annotations.models.a.deployment"),
        ({"models": {"a": {"deployment": {"spec": 5}}}}, "annotations.models.a.deployment.spec"),
        (
            {"models": {"a": {"deployment": {"vllm_base_url": 5}}}, "openg2g": {"list": "models"}},
            "annotations.models.a.deployment.vllm_base_url",
        ),
    ],
)
def test_annotations_that_a_configuration_has_no_place_for_are_told(annotations: dict[str, Any], path: str) -> None:
    message = "is not written: a configuration of OpenG2G 0.1 has no place for it."
    assert find_losses(plain(annotations), "openg2g-0.1") == [Loss(LossKind.DROPPED, path, message)]


def test_annotations_that_would_make_a_file_that_is_refused_are_told() -> None:
    (loss,) = find_losses(plain({"dc_sites": {"x": {"models": ["b"]}}}), "openg2g-0.1")
    assert (loss.kind, loss.path) == (LossKind.REFUSED, "dc_sites.x.models[0]")


def test_annotations_of_a_model_that_is_gone_are_no_loss() -> None:
    assert find_losses(plain({"models": {"b": {"model_id": "x"}}, "note": None}), "openg2g-0.1") == []


# From 0.1 to 0.2.


def test_the_published_configuration_of_0_1_becomes_one_of_0_2_by_its_data_sources() -> None:
    document = document_of(OFFLINE_0_1)
    assert find_losses(document, "openg2g-0.2") == []
    expected = copy.deepcopy(OFFLINE_0_1)
    for entry, source in zip(expected["models"], expected["data_sources"], strict=True):
        entry["simulated_num_replicas"] = entry.pop("num_replicas")
        entry |= {"gpu_model": source["gpu"], "task": source["task"], "batch_sizes": source["batch_sizes"]}
    as_0_2 = config_of(document, "0.2")
    assert as_0_2 == expected
    again = document_of(as_0_2)
    assert again.annotations["openg2g"]["version"] == "0.2"
    assert again.workload == document.workload
    assert find_losses(again, "openg2g-0.1") == []


def test_what_a_model_says_itself_is_not_taken_from_its_data_source() -> None:
    source = {"model_label": "a", "gpu": "A100", "task": "gpqa", "batch_sizes": [64, 128]}
    source["fit_exclude_batch_sizes"] = [64]
    document = plain({"models": {"a": {"model_id": "x/y", "gpu_model": "H100"}}, "data_sources": [source]})
    spec = config_of(document, "0.2")["deployments"][0]["spec"]
    taken = [spec[field] for field in ("gpu_model", "task", "batch_sizes", "fit_exclude_batch_sizes")]
    assert taken == ["H100", "gpqa", [64, 128], [64]]


def test_feasible_batch_sizes_must_lie_among_those_of_the_data_source() -> None:
    document = document_of(ONLINE_0_1)
    paths = [loss.path for loss in find_losses(document, "openg2g-0.2")]
    assert paths == [
        f"deployments[{position}].{field}"
        for position in range(2)
        for field in ("initial_batch_size", "spec.feasible_batch_sizes")
    ]


@pytest.mark.parametrize("sources", [None, {}, [None, 5, {}, {"model_label": 5}, {"model_label": "b", "gpu": "x"}]])
def test_data_sources_of_another_shape_do_not_get_in_the_way(sources: Any) -> None:
    document = plain({"models": {"a": _REQUIRED}, "data_sources": sources})
    assert find_losses(document, "openg2g-0.2") == []


def test_within_a_site_a_loss_has_the_path_of_the_site() -> None:
    document = document_of({"dc_sites": {"z1": {"models": [entry_0_2(tensor_parallel=2)]}}})
    paths = [loss.path for loss in find_losses(document, "openg2g-0.1")]
    assert paths[-1] == "dc_sites.z1.models[0].tensor_parallel"


# Other formats.


@pytest.mark.parametrize("format_name", [name for name in FORMAT_NAMES if not name.startswith("openg2g-")])
def test_every_other_format_gives_everything_back(format_name: str) -> None:
    without_null = {key: item for key, item in ONLINE_0_2.items() if item is not None}
    document = replace(document_of(without_null), name="a")
    assert find_losses(document, format_name) == []


def test_what_toml_cannot_write_is_told() -> None:
    document = plain({"note": {"a": None}, "large": 2**64})
    assert [(loss.kind, loss.path) for loss in find_losses(document, "toml")] == [
        (LossKind.DROPPED, "annotations.note.a"),
        (LossKind.REFUSED, "annotations.large"),
    ]
    assert find_losses(document, "json") == []


# The exporter.


def test_an_export_that_loses_something_is_refused_with_everything_that_is_lost() -> None:
    document = replace(document_of(OFFLINE_0_1 | {"data_sources": []}), where="fleet@1")
    with pytest.raises(InvalidDocumentError) as caught:
        list(refuse_losses([document, plain()], "openg2g-0.2"))
    lines = str(caught.value).splitlines()
    assert [line.partition(" is not known")[0] for line in lines[:-5]] == [
        f"fleet@1: models[{position}].{field}"
        for position in range(5)
        for field in ("gpu_model", "task", "batch_sizes")
    ]
    assert lines[-2].startswith("a workload: deployments[0].spec.batch_sizes is not known")
    assert lines[-1] == "openg2g-0.2: would lose this."


def test_documents_that_lose_nothing_are_handed_on_one_by_one() -> None:
    def arriving() -> Any:
        yield plain()
        raise AssertionError("nobody asked for the second")

    assert next(refuse_losses(arriving(), "openg2g-0.1")) == plain()


def test_an_export_of_a_whole_catalog_into_the_wrong_format_is_not_looked_at_to_its_end() -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        list(refuse_losses((plain() for _ in range(10**9)), "openg2g-0.2"))
    assert 100 <= len(caught.value.problems) < 110
    assert "the rest was not looked at" in str(caught.value)


def test_losses_are_told_while_the_documents_are_handed_on() -> None:
    losses: list[Loss] = []
    found = list(tell_losses([plain(), plain()], "openg2g-0.2", lambda _, loss: losses.append(loss)))
    assert found == [plain(), plain()]
    assert len(losses) == 8


# Properties.


@given(documents(), st.sampled_from(("0.1", "0.2")))
@examples(50)
def test_where_nothing_is_lost_the_file_has_the_same_workload_and_annotations(document: Document, version: str) -> None:
    if version == "0.2":
        of_models = {spec.model_label: _required_of(spec.feasible_batch_sizes) for spec in document.workload.models}
        document = replace(document, annotations={**document.annotations, "models": of_models})
    losses = losses_of_config(document, version)
    if any(loss.kind is LossKind.REFUSED for loss in losses):
        feasible = [replace(m, initial_batch_size=m.feasible_batch_sizes[-1]) for m in document.workload.models]
        document = replace(document, workload=LLMInferenceWorkload(tuple(feasible)))
        losses = losses_of_config(document, version)
    (found,) = documents_of(written([document], f"openg2g-{version}"), f"openg2g-{version}")
    assert workload_digest(found.workload) == workload_digest(document.workload)
    if not losses:
        kept = {key: item for key, item in found.annotations.items() if key != "openg2g"}
        assert json.dumps(kept, sort_keys=True) == json.dumps(document.annotations, sort_keys=True)


def _required_of(sizes: tuple[int, ...]) -> dict[str, Any]:
    return {"model_id": "x/y", "gpu_model": "H100", "task": "gpqa", "batch_sizes": list(sizes)}


@given(configs())
@examples(25)
def test_a_configuration_that_loses_nothing_in_the_other_version_has_the_same_digest_there(
    made: tuple[str, LLMInferenceWorkload, dict[str, Any]],
) -> None:
    version, workload, config = made
    other = "0.1" if version == "0.2" else "0.2"
    document = document_of(config, f"openg2g-{version}")
    found = documents_of(written([document], f"openg2g-{other}"), f"openg2g-{other}")
    if not any(loss.kind is LossKind.REFUSED for loss in losses_of_config(document, other)):
        assert [workload_digest(d.workload) for d in found] == [workload_digest(workload)]


def test_the_offline_example_of_0_2_loses_in_0_1_what_only_a_model_can_say() -> None:
    kinds = {loss.kind for loss in find_losses(document_of(OFFLINE_0_2), "openg2g-0.1")}
    assert kinds == {LossKind.DROPPED}
    assert find_losses(Document(make_workload()), "openg2g-0.1") == []


@pytest.mark.parametrize("part", [{}, [], {"a": [1]}, 0.1, None])
@pytest.mark.parametrize("key", ["version", "list", "replicas", "site", "refused"])
def test_a_note_that_somebody_else_made_is_no_note_of_ours(key: str, part: object) -> None:
    document = plain({"openg2g": {key: part}, "models": {"a": _REQUIRED}}, initial_batch_size=64)
    assert document_of(written([document], "openg2g-0.1"), "openg2g-0.1").workload == document.workload
    assert isinstance(told(document, "openg2g-0.2"), list)
