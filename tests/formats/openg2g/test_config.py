"""The configuration files of OpenG2G 0.1 and 0.2: what they mean, and that they are given back equal."""

import copy
from dataclasses import replace
from typing import Any

import pytest

from openg2g.formats.document import Document
from openg2g.models.errors import InvalidDocumentError
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_spec, make_workload, published_fleet
from tests.formats.configs import (
    EXAMPLES,
    OFFLINE_0_1,
    OFFLINE_0_2,
    ONLINE_0_1,
    ONLINE_0_2,
    deployment_0_2,
    entry_0_1,
    entry_0_2,
)
from tests.formats.views import config_of, content_of, document_of, problems_of, written

# What a file means.


@pytest.mark.parametrize(("version", "config"), EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_is_recognised_without_being_told_its_version(version: str, config: dict[str, Any]) -> None:
    recognised, told = document_of(config), document_of(config, f"openg2g-{version}")
    assert content_of(recognised) == content_of(told)
    assert recognised.annotations["openg2g"]["version"] == version


@pytest.mark.parametrize("config", [OFFLINE_0_1, OFFLINE_0_2], ids=["0.1", "0.2"])
def test_the_offline_examples_are_the_published_fleet(config: dict[str, Any]) -> None:
    assert document_of(config).workload == published_fleet()


@pytest.mark.parametrize("config", [ONLINE_0_1, ONLINE_0_2], ids=["0.1", "0.2"])
def test_the_online_examples_serve_the_first_two_models_of_the_fleet(config: dict[str, Any]) -> None:
    sizes = config["deployments"][0]["spec"]["feasible_batch_sizes"]
    models = published_fleet().models[:2]
    assert document_of(config).workload.models == tuple(replace(m, feasible_batch_sizes=sizes) for m in models)


@pytest.mark.parametrize(
    "key",
    [
        *("data_sources", "training_trace_params", "data_dir", "ieee_case_dir", "mlenergy_data_dir"),
        *("requests", "requests_dir"),
    ],
)
def test_a_key_that_only_a_configuration_has_marks_0_1(key: str) -> None:
    document = document_of({"models": [entry_0_1()], key: None})
    assert document.annotations["openg2g"]["version"] == "0.1"
    assert config_of(document, "0.1") == {"models": [entry_0_1()], key: None}


def test_a_model_id_marks_0_1() -> None:
    assert document_of({"models": [entry_0_1(model_id="x")]}).annotations["openg2g"]["version"] == "0.1"


@pytest.mark.parametrize("key", ["gpu_model", "task", "batch_sizes", "precision", "tensor_parallel", "expert_parallel"])
def test_a_key_that_only_0_2_has_marks_0_2(key: str) -> None:
    document = document_of({"models": [entry_0_1(feasible_batch_sizes=[8], **{key: [8]})]})
    assert document.annotations["openg2g"]["version"] == "0.2"


@pytest.mark.parametrize(("key", "version"), [("initial_num_replicas", "0.1"), ("simulated_num_replicas", "0.2")])
def test_another_word_for_the_number_of_replicas_marks_a_configuration(key: str, version: str) -> None:
    entry = entry_0_1(feasible_batch_sizes=[128])
    entry[key] = entry.pop("num_replicas")
    document = document_of({"models": [entry]})
    noted = document.annotations["openg2g"]
    assert (noted["version"], noted["list"], noted["replicas"]) == (version, "models", key)
    assert document.workload.models[0].num_replicas == 720
    assert config_of(document, "0.1")["models"][0].get(key) == (720 if version == "0.1" else None)


def test_what_only_0_2_has_marks_0_2_whatever_the_replicas_are_called() -> None:
    entry = entry_0_2()
    entry["initial_num_replicas"] = entry.pop("simulated_num_replicas")
    assert document_of({"models": [entry], "dc_sites": {}}).annotations["openg2g"]["version"] == "0.2"


@pytest.mark.parametrize(
    "key", ["num_replicas", "initial_num_replicas", "simulated_num_replicas", "initial_batch_size"]
)
def test_a_figure_beside_the_spec_of_a_deployment_marks_0_2(key: str) -> None:
    """The other of the two figures is missing then, and only 0.2 looks for it beside the spec."""
    spec = {"model_label": "a", "gpus_per_replica": 1, "itl_deadline_s": 0.1, "feasible_batch_sizes": [8]}
    missing = "num_replicas" if key == "initial_batch_size" else "initial_batch_size"
    ((path, message),) = problems_of({"deployments": [{"spec": spec, key: 8}]})
    assert path.endswith(missing)
    assert message == "is missing."


def test_what_a_file_holds_beyond_the_six_fields_becomes_annotations() -> None:
    config = {
        "deployments": [deployment_0_2(model_label="a.b [1]") | {"vllm_base_url": "http://node1:8000"}],
        "requests": {"seed": 0},
        "data_dir": None,
    }
    document = document_of(config)
    assert document.name is None
    assert document.annotations == {
        "requests": {"seed": 0},
        "data_dir": None,
        "models": {
            "a.b [1]": {
                "model_id": "meta-llama/Llama-3.1-8B-Instruct",
                "gpu_model": "H100",
                "task": "lm-arena-chat",
                "batch_sizes": [8, 64, 128],
                "omitted": [["gpus_per_replica"], ["feasible_batch_sizes"]],
                "deployment": {"vllm_base_url": "http://node1:8000"},
            }
        },
        "openg2g": {"version": "0.2", "list": "deployments", "replicas": "simulated_num_replicas"},
    }


def test_a_file_that_holds_nothing_more_leaves_only_its_layout() -> None:
    document = document_of({"models": [entry_0_1(feasible_batch_sizes=[128])]}, "openg2g-0.1")
    assert document.annotations == {"openg2g": {"version": "0.1", "list": "models", "replicas": "num_replicas"}}


@pytest.mark.parametrize(
    ("version", "entry", "feasible"),
    [
        ("0.1", entry_0_1(initial_batch_size=64), (64,)),
        ("0.1", entry_0_1(initial_batch_size=64, feasible_batch_sizes=[]), (64,)),
        ("0.1", entry_0_1(initial_batch_size=64, feasible_batch_sizes=[8, 64]), (8, 64)),
        ("0.2", entry_0_2(batch_sizes=[8, 256, 64]), (8, 256, 64)),
        ("0.2", entry_0_2(batch_sizes=[8, 256, 64], feasible_batch_sizes=None), (8, 256, 64)),
        ("0.2", entry_0_2(batch_sizes=[8, 256, 64], feasible_batch_sizes=[64]), (64,)),
    ],
)
def test_what_omitted_batch_sizes_mean_depends_on_the_version(
    version: str, entry: dict[str, Any], feasible: tuple[int, ...]
) -> None:
    document = document_of({"models": [entry]}, f"openg2g-{version}")
    assert document.workload.models[0].feasible_batch_sizes == feasible
    assert config_of(document, version) == {"models": [entry]}


def test_omitted_gpus_per_replica_are_1_in_0_2_and_a_problem_in_0_1() -> None:
    assert document_of({"models": [entry_0_2()]}, "openg2g-0.2").workload.models[0].gpus_per_replica == 1
    entry = entry_0_1()
    del entry["gpus_per_replica"]
    assert problems_of({"models": [entry]}, "openg2g-0.1") == [("models[0].gpus_per_replica", "is missing.")]


@pytest.mark.parametrize("key", ["num_replicas", "initial_num_replicas", "simulated_num_replicas"])
@pytest.mark.parametrize("list_key", ["models", "deployments"])
def test_0_2_has_three_words_for_the_number_of_replicas(key: str, list_key: str) -> None:
    entry = entry_0_2() if list_key == "models" else deployment_0_2()
    entry[key] = entry.pop("simulated_num_replicas")
    document = document_of({list_key: [entry]}, "openg2g-0.2")
    assert document.workload.models[0].num_replicas == 720
    assert config_of(document, "0.2") == {list_key: [entry]}


def test_a_document_of_the_catalog_is_not_taken_for_a_configuration() -> None:
    document = document_of({"models": [entry_0_1(initial_batch_size=64)]})
    assert document.annotations == {}
    assert document.workload.models[0].feasible_batch_sizes == (128,)


# What is written.


def test_a_workload_without_annotations_is_written_as_a_plain_0_1_file() -> None:
    document = Document(LLMInferenceWorkload((make_spec(feasible_batch_sizes=(64, 128)),)))
    assert written([document], "openg2g-0.1") == (
        "{\n"
        '  "models": [\n'
        "    {\n"
        '      "model_label": "Llama-3.1-70B",\n'
        '      "num_replicas": 180,\n'
        '      "gpus_per_replica": 4,\n'
        '      "initial_batch_size": 128,\n'
        '      "itl_deadline_s": 0.1,\n'
        '      "feasible_batch_sizes": [64, 128]\n'
        "    }\n"
        "  ]\n"
        "}\n"
    )


def test_a_workload_with_what_0_2_requires_is_written_with_deployments() -> None:
    required = {"model_id": "x/y", "gpu_model": "H100", "task": "gpqa", "batch_sizes": [64, 128]}
    spec = make_spec(model_label="a", feasible_batch_sizes=(64, 128))
    document = Document(LLMInferenceWorkload((spec,)), annotations={"models": {"a": required}, "data_dir": "d"})
    assert config_of(document, "0.2") == {
        "deployments": [
            {
                "spec": {
                    "model_label": "a",
                    "gpus_per_replica": 4,
                    "itl_deadline_s": 0.1,
                    "feasible_batch_sizes": [64, 128],
                    **required,
                },
                "simulated_num_replicas": 180,
                "initial_batch_size": 128,
            }
        ],
        "data_dir": "d",
    }


@pytest.mark.parametrize("config", [ONLINE_0_2, OFFLINE_0_2], ids=["online", "offline"])
def test_a_0_2_file_written_as_0_1_says_the_same_workload_and_keeps_its_layout(config: dict[str, Any]) -> None:
    document = document_of(config)
    as_0_1 = config_of(document, "0.1")
    found = document_of(as_0_1, "openg2g-0.1")
    assert found.workload == document.workload
    assert as_0_1.keys() == config.keys()
    assert "num_replicas" in (as_0_1["deployments"][0]["spec"] if "deployments" in as_0_1 else as_0_1["models"][0])


@pytest.mark.parametrize("feasible", [{}, {"feasible_batch_sizes": []}], ids=["left out", "empty"])
def test_what_0_1_left_out_is_written_out_in_0_2(feasible: dict[str, Any]) -> None:
    """In 0.2 an empty list means nothing, and one that is left out means another."""
    entry = entry_0_1(model_id="x/y", gpu_model="H100", task="gpqa", batch_sizes=[128], **feasible)
    document = document_of({"models": [entry]}, "openg2g-0.1")
    as_0_2 = config_of(document, "0.2")
    assert as_0_2["models"][0]["feasible_batch_sizes"] == [128]
    assert document_of(as_0_2, "openg2g-0.2").workload == document.workload


@pytest.mark.parametrize("count", [0, 2])
def test_a_configuration_holds_exactly_one_workload(count: int) -> None:
    message = (
        rf"^a configuration of OpenG2G 0\.1: holds one workload, got {count}\. Export each into a file of its own\.$"
    )
    with pytest.raises(InvalidDocumentError, match=message):
        written([Document(make_workload())] * count, "openg2g-0.1")


@pytest.mark.parametrize(
    "models",
    [
        [1],
        {"model-0": 5},
        {"model-0": {"omitted": 5, "deployment": 5}},
        {"model-0": {"omitted": [5, [], ["nonsense"], [["feasible_batch_sizes"]], ["feasible_batch_sizes", 7]]}},
        {"another": {"num_replicas": 1}},
    ],
)
def test_annotations_of_another_shape_do_not_get_in_the_way(models: Any) -> None:
    annotations = {"models": models, "openg2g": {"version": "0.1", "list": 5, "replicas": []}, "note": "x"}
    config = config_of(Document(make_workload(1), annotations=annotations), "0.1")
    assert config["note"] == "x"
    assert document_of(config, "openg2g-0.1").workload == make_workload(1)


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_the_workload_wins_over_annotations_that_say_otherwise(version: str) -> None:
    spec = make_spec(model_label="a", feasible_batch_sizes=(64, 128))
    figures = {"num_replicas": 1, "simulated_num_replicas": 2, "initial_batch_size": 3, "itl_deadline_s": 4}
    deployment = {"spec": 1, "vllm_base_url": "http://node1:8000", **figures}
    kept = {"model_id": "x", "gpu_model": "H100", "task": "t", "batch_sizes": [64], "model_label": "b", **figures}
    annotations = {"models": {"a": {**kept, "deployment": deployment}}, "deployments": [1], "openg2g": {}}
    document = Document(LLMInferenceWorkload((spec,)), annotations=annotations)
    assert document_of(config_of(document, version), f"openg2g-{version}").workload == document.workload


# That what came in comes out.


@pytest.mark.parametrize(("version", "config"), EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_is_given_back_equal(version: str, config: dict[str, Any]) -> None:
    untouched = copy.deepcopy(config)
    assert config_of(document_of(config), version) == untouched


@pytest.mark.parametrize(("version", "config"), EXAMPLES.values(), ids=EXAMPLES)
@pytest.mark.parametrize("format_name", ["json", "jsonl"])
def test_an_example_is_given_back_equal_by_way_of_the_catalogs_own_shape(
    version: str, config: dict[str, Any], format_name: str
) -> None:
    document = document_of(written([document_of(config)], format_name), format_name)
    assert config_of(document, version) == config


def test_extra_keys_at_every_level_are_given_back() -> None:
    config = {
        "deployments": [
            {
                "spec": entry_0_1(note={"a": [1, {"b": None}]}, **{"": 0, "a.b": 1, "=1+1": "[bold]"}),
                "spec2": 1,
                "omitted": "a key of the deployment, not ours",
                "gpu_endpoints": [],
            }
        ],
        "": {},
        "name": "kept",
        "revision": 5,
        "annotations": {"a": 1},
        "spec": None,
    }
    assert config_of(document_of(config), "0.1") == config


def test_a_field_that_is_no_longer_the_default_is_written_though_it_was_omitted() -> None:
    document = document_of({"models": [entry_0_1()]}, "openg2g-0.1")
    changed = LLMInferenceWorkload((replace(document.workload.models[0], feasible_batch_sizes=(8, 16)),))
    assert config_of(replace(document, workload=changed), "0.1") == {
        "models": [entry_0_1(feasible_batch_sizes=[8, 16])]
    }


def test_what_was_omitted_is_written_once_the_default_means_something_else() -> None:
    document = document_of({"models": [entry_0_1()]}, "openg2g-0.1")
    changed = LLMInferenceWorkload((replace(document.workload.models[0], initial_batch_size=64),))
    config = config_of(replace(document, workload=changed), "0.1")
    # Left out, the list would now mean (64,) and no longer (128,).
    assert config == {"models": [entry_0_1(initial_batch_size=64, feasible_batch_sizes=[128])]}
    assert document_of(config, "openg2g-0.1").workload == changed


def test_changed_figures_are_written_into_the_layout_of_the_file() -> None:
    document = document_of(ONLINE_0_2)
    first, second = document.workload.models
    changed = LLMInferenceWorkload((second, replace(first, num_replicas=5, initial_batch_size=64)))
    expected = copy.deepcopy(ONLINE_0_2)
    expected["deployments"].reverse()
    expected["deployments"][1] |= {"simulated_num_replicas": 5, "initial_batch_size": 64}
    assert config_of(replace(document, workload=changed), "0.2") == expected
