"""Configurations with several datacenters: one workload that they share, or a workload for each."""

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.models.errors import InvalidDocumentError
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import published_fleet
from tests.formats.configs import SWEEP, deployment_0_2, entry_0_1, entry_0_2
from tests.formats.openg2g.test_config_properties import configs
from tests.formats.views import config_of, content_of, document_of, documents_of, outcomes_of, problems_of, written
from tests.strategies import examples

RESERVED = "cannot be kept: the catalog needs this name for what it keeps itself."


def sweep(**sites: Any) -> dict[str, Any]:
    """Make a file of two models at the top, and sites."""
    return {"models": [entry_0_1(), entry_0_1(model_label="Llama-3.1-70B")], "dc_sites": sites}


def of_sites(**sites: Any) -> dict[str, Any]:
    """Make a file without models at the top, and sites."""
    return {"ieee_case_dir": "ieee34", "dc_sites": sites, "simulation": {"v_min": 0.95}}


# Models at the top, which sites name.


def test_a_sweep_is_one_workload_of_0_1_whatever_its_sites_serve() -> None:
    document = document_of(SWEEP)
    assert document.workload == published_fleet()
    assert document.annotations["openg2g"] == {"version": "0.1", "list": "models", "replicas": "initial_num_replicas"}
    assert document.annotations["dc_sites"] == SWEEP["dc_sites"]


def test_sites_alone_mark_a_configuration_of_0_1() -> None:
    document = document_of({"models": [entry_0_1(initial_batch_size=64)], "dc_sites": {}})
    assert document.annotations["openg2g"]["version"] == "0.1"
    assert document.workload.models[0].feasible_batch_sizes == (64,)


def test_a_document_of_the_catalog_with_sites_is_no_configuration() -> None:
    problems = problems_of({"format": "openg2g-workload/1", "models": [entry_0_1()], "dc_sites": {}})
    assert [path for path, _ in problems] == ["dc_sites"]


def test_batch_sizes_that_a_sweep_leaves_out_are_the_initial_one_and_are_left_out_again() -> None:
    entry = entry_0_1(model_id="x/y", initial_batch_size=64)
    entry["initial_num_replicas"] = entry.pop("num_replicas")
    config = {"models": [entry], "dc_sites": {"a": {"bus": "8"}}, "data_sources": []}
    document = document_of(config)
    assert document.workload.models[0].feasible_batch_sizes == (64,)
    assert config_of(document, "0.1") == config


def test_a_label_that_no_model_has_is_refused_with_the_one_that_it_resembles() -> None:
    config = sweep(up={"models": ["Llama-3.1-70B", "LLama-3.1-8b"]}, down={"models": ["x", 5, entry_0_1()]})
    assert problems_of(config) == [
        (
            "dc_sites.up.models[1]",
            "is no label of the models of the file, got 'LLama-3.1-8b': did you mean Llama-3.1-8B?",
        ),
        ("dc_sites.down.models[0]", "is no label of the models of the file, got 'x'."),
        ("dc_sites.down.models[1]", "must be the label of one of the models of the file, got 5."),
        ("dc_sites.down.models[2]", "must be the label of one of the models of the file, got an object."),
    ]


def test_a_site_that_names_no_models_serves_all_of_them() -> None:
    config = sweep(up={"bus": "8"}, down={"bus": "23", "models": None}, none={"models": []})
    assert config_of(document_of(config), "0.1") == config


def test_a_label_that_no_deployment_has_is_refused() -> None:
    config = {"deployments": [deployment_0_2()], "dc_sites": {"a": {"models": ["Llama-3.1-8B", "Llama-3.1-9B"]}}}
    message = "is no label of the deployments of the file, got 'Llama-3.1-9B': did you mean Llama-3.1-8B?"
    assert problems_of(config) == [("dc_sites.a.models[1]", message)]


@pytest.mark.parametrize(
    ("sites", "path", "message"),
    [
        ([], "dc_sites", "must be an object, got []."),
        ({"a": "x"}, "dc_sites.a", "must be an object, got 'x'."),
        ({"a": {"models": "x"}}, "dc_sites.a.models", "must be a list, got 'x'."),
    ],
)
def test_sites_of_another_shape_are_refused(sites: Any, path: str, message: str) -> None:
    assert problems_of({"models": [entry_0_1()], "dc_sites": sites}) == [(path, message)]


def test_many_wrong_labels_take_little_time() -> None:
    labels = [f"model-{number}" for number in range(20_000)]
    config = {
        "models": [entry_0_1(model_label=f"{label}-b") for label in labels],
        "dc_sites": {"a": {"models": labels}},
    }
    assert problems_of(config)[-1] == ("", "has more than 100 problems.")


# Models within the sites.


def test_a_site_with_models_of_its_own_is_a_datacenter_with_its_workload() -> None:
    config = of_sites(
        z1={"bus": "8", "models": [entry_0_1(num_replicas=5)], "seed": 1},
        z2={"models": [entry_0_1(num_replicas=6), entry_0_1(model_label="b", note="kept")], "bus": "23"},
    )
    first, second = documents_of(config)
    assert [(d.name, d.where) for d in (first, second)] == [("z1", "f[dc_sites.z1]"), ("z2", "f[dc_sites.z2]")]
    assert [[m.num_replicas for m in d.workload.models] for d in (first, second)] == [[5], [6, 720]]
    assert second.annotations == {
        "ieee_case_dir": "ieee34",
        "dc_sites": {"z2": {"bus": "23"}},
        "simulation": {"v_min": 0.95},
        "models": {
            "Llama-3.1-8B": {"omitted": [["feasible_batch_sizes"]]},
            "b": {"note": "kept", "omitted": [["feasible_batch_sizes"]]},
        },
        "openg2g": {"version": "0.1", "list": "models", "replicas": "num_replicas", "site": "z2"},
    }
    for document in (first, second):
        alone = copy.deepcopy(config) | {"dc_sites": {document.name: config["dc_sites"][document.name]}}
        assert config_of(document, "0.1") == alone


@pytest.mark.parametrize("format_name", ["json", "jsonl", "yaml", "toml"])
def test_a_file_of_one_such_site_is_one_document_and_comes_back_equal(format_name: str) -> None:
    config = of_sites(default={"bus": "671", "models": [entry_0_1(feasible_batch_sizes=[8, 128])]})
    document = document_of(config)
    assert (document.name, document.where) == (None, "f")
    assert config_of(document, "0.1") == config
    stored = document_of(written([document], format_name), format_name)
    assert content_of(stored)[0] == content_of(document)[0]
    assert config_of(stored, "0.1") == config


def test_deployments_within_sites_are_of_0_2_and_come_back_equal() -> None:
    config = of_sites(a={"deployments": [deployment_0_2() | {"vllm_base_url": "http://node1:8000"}], "bus": "8"})
    document = document_of(config)
    assert document.annotations["openg2g"]["version"] == "0.2"
    assert config_of(document, "0.2") == config


def test_models_within_sites_tell_the_version_as_those_at_the_top_do() -> None:
    document = document_of(of_sites(a={"models": [entry_0_2()]}))
    assert document.annotations["openg2g"]["version"] == "0.2"
    assert document.workload.models[0].feasible_batch_sizes == (8, 64, 128)


def test_every_format_that_reads_configurations_yields_each_site() -> None:
    config = of_sites(z1={"models": [entry_0_1()]}, z2={"models": [entry_0_1(num_replicas=1)]})
    text = json.dumps(config)
    places = {name: [d.where for d in documents_of(text, name)] for name in ("json", "jsonl", "yaml")}
    assert places == {
        "json": ["f[dc_sites.z1]", "f[dc_sites.z2]"],
        "jsonl": ["f:1[dc_sites.z1]", "f:1[dc_sites.z2]"],
        "yaml": ["f[dc_sites.z1]", "f[dc_sites.z2]"],
    }
    toml = "[[dc_sites.z1.models]]\n{}\n[[dc_sites.z2.models]]\n{}\n".replace(
        "{}", "\n".join(f"{key} = {json.dumps(item)}" for key, item in entry_0_1().items())
    )
    assert [d.name for d in documents_of(toml, "toml")] == ["z1", "z2"]


def test_problems_of_all_sites_are_told_at_once_with_their_paths() -> None:
    config = of_sites(
        z1={"models": [entry_0_1(num_replicas=-1, itl_deadline_s=0)]},
        z2={"models": [entry_0_1()]},
        z3={"models": [entry_0_1(), entry_0_1(gpu_per_replica=1)]},
        z4={"models": ["Llama-3.1-8B"]},
        z5={"bus": "8"},
    )
    (error,) = outcomes_of(config | {"openg2g": 1})
    assert isinstance(error, InvalidDocumentError)
    assert [f"{problem.path} {problem.message}" for problem in error.problems] == [
        "dc_sites.z1.models[0].num_replicas must be >= 0, got -1.",
        "dc_sites.z1.models[0].itl_deadline_s must be > 0, got 0.",
        "dc_sites.z3.models has duplicate model labels: ['Llama-3.1-8B', 'Llama-3.1-8B'].",
        "dc_sites.z4.models holds labels, and the file has no models at the top that they could be of.",
        "dc_sites.z5.models is missing: the file has no models at the top, so each site must say its own.",
        f"openg2g {RESERVED}",
    ]


def test_a_site_that_can_be_read_is_a_document_beside_one_that_cannot() -> None:
    outcomes = outcomes_of(of_sites(z1={"models": [entry_0_1()]}, z2={"models": []}))
    assert [type(outcome).__name__ for outcome in outcomes] == ["Document", "InvalidDocumentError"]
    assert str(outcomes[1]) == "f:1:197: dc_sites.z2.models LLMInferenceWorkload requires at least one model."


def test_what_the_sites_share_is_complained_of_once() -> None:
    text = json.dumps(of_sites(z1={"models": [entry_0_1()]}, z2={"models": [entry_0_1()]}) | {"x": 0})
    (error,) = outcomes_of(text.replace('"x": 0', '"x": 1e999'))
    assert str(error) == "f:1:1: annotations.x must be finite, got inf."


def test_each_site_is_told_of_a_number_that_no_database_stores() -> None:
    config = of_sites(z1={"models": [entry_0_1(note=0)], "x": 0}, z2={"models": [entry_0_1()]})
    text = json.dumps(config).replace('"note": 0', '"note": 1e999').replace('"x": 0', '"x": NaN')
    error, document = outcomes_of(text)
    assert str(error).splitlines() == [
        "f:1:1: annotations.models.Llama-3.1-8B.note must be finite, got inf.",
        "f:1:1: annotations.dc_sites.z1.x must be finite, got nan.",
    ]
    assert not isinstance(document, InvalidDocumentError)


def test_there_is_an_end_to_how_many_workloads_a_file_makes() -> None:
    sites = {f"z{number}": {"models": [entry_0_1()]} for number in range(101)}
    message = "has 101 sites; at most 100 may list their own models. List the models at the top, or split the file."
    assert problems_of({"dc_sites": sites}) == [("dc_sites", message)]
    del sites["z7"]
    assert len(documents_of({"dc_sites": sites})) == 100
    assert len(documents_of({"models": [entry_0_1()], "dc_sites": {str(number): {} for number in range(101)}})) == 1


def test_problems_of_a_site_have_their_line_in_yaml() -> None:
    text = "dc_sites:\n  z.1:\n    models:\n    - model_label: a\n      num_replicas: -1\n"
    (error,) = outcomes_of(text, "yaml")
    assert "f:5:7: dc_sites.z.1.models[0].num_replicas must be >= 0, got -1." in str(error).splitlines()


def test_a_site_whose_name_cannot_be_stored_is_refused_unless_it_is_the_only_one() -> None:
    site = {"models": [entry_0_1()]}
    assert document_of(of_sites(**{"site one": site})).name is None
    outcomes = outcomes_of(of_sites(**{"site one": site, "b": site}))
    message = "must not contain white space, control characters or any of @ : * ? [, got 'site one'."
    assert str(outcomes[0]) == f"f:1:42: dc_sites.site one names a workload: name {message}"


@pytest.mark.parametrize("sites", [None, {}, []])
def test_a_file_without_models_anywhere_is_refused(sites: Any) -> None:
    ((path, _),) = problems_of({"dc_sites": sites})
    assert path in ("models", "dc_sites")


def test_a_site_that_lost_its_annotation_is_written_with_its_models_alone() -> None:
    document = document_of(of_sites(a={"models": [entry_0_1()], "bus": "8"}))
    annotations = {key: item for key, item in document.annotations.items() if key != "dc_sites"}
    stored = json.loads(written([document])) | {"annotations": annotations}
    config = config_of(document_of(stored), "0.1")
    assert config["dc_sites"] == {"a": {"models": [entry_0_1()]}}


@given(configs(), st.sampled_from(("z1", "a.b", "models", "0")))
@examples(20)
def test_any_configuration_within_a_site_means_its_workload_and_is_given_back_equal(
    made: tuple[str, LLMInferenceWorkload, dict[str, Any]], site: str
) -> None:
    version, workload, config = made
    list_key = "models" if "models" in config else "deployments"
    rest = {key: item for key, item in config.items() if key not in (list_key, "dc_sites")}
    within = {**rest, "dc_sites": {site: {list_key: config[list_key], "bus": "8"}}}
    document = document_of(within, f"openg2g-{version}")
    assert document.workload == workload
    assert json.dumps(config_of(document, version), sort_keys=True) == json.dumps(within, sort_keys=True)


def test_a_site_with_two_lists_is_refused() -> None:
    site = {"models": [entry_0_1()], "deployments": [{"spec": entry_0_1()}]}
    message = "stands beside another list: a site has one of deployments and models."
    assert problems_of({"dc_sites": {"z1": site}}) == [("dc_sites.z1.deployments", message)]


def test_the_label_of_a_model_is_its_own_and_not_that_of_something_kept_in_it() -> None:
    entry = entry_0_1(spec={"model_label": "other"})
    document = document_of({"models": [entry], "dc_sites": {"z1": {"models": [entry["model_label"]]}}})
    assert document.workload.model_labels == [entry["model_label"]]
