"""What is refused of OpenG2G's configuration files."""

from typing import Any

import pytest

from tests.formats.configs import OFFLINE_0_1, deployment_0_2, entry_0_1, entry_0_2
from tests.formats.views import documents_of, problems_of

RESERVED = "cannot be kept: the catalog needs this name for what it keeps itself."


def test_all_problems_of_a_configuration_are_reported_at_once_each_with_its_path() -> None:
    config = {
        **OFFLINE_0_1,
        "models": [
            entry_0_1(num_replicas=-1, itl_deadline_s=0),
            5,
            entry_0_1(model_label="", feasible_batch_sizes=[8, "16"]),
            {"model_label": "c", "gpus_per_replica": True},
        ],
        "openg2g": 1,
    }
    assert problems_of(config) == [
        ("models[0].num_replicas", "must be >= 0, got -1."),
        ("models[0].itl_deadline_s", "must be > 0, got 0."),
        ("models[1]", "must be an object, got 5."),
        ("models[2].model_label", "must not be blank, got ''."),
        ("models[2].feasible_batch_sizes[1]", "must be an integer, got '16'."),
        ("models[3].num_replicas", "is missing."),
        ("models[3].initial_batch_size", "is missing."),
        ("models[3].itl_deadline_s", "is missing."),
        ("models[3].gpus_per_replica", "must be an integer, got True."),
        ("openg2g", RESERVED),
    ]


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_a_configuration_without_a_list_of_models_is_refused(version: str) -> None:
    message = "is missing: an OpenG2G configuration has models or deployments."
    assert problems_of({"data_dir": None}, f"openg2g-{version}") == [("models", message)]


@pytest.mark.parametrize("list_key", ["models", "deployments"])
@pytest.mark.parametrize(
    ("entries", "shown"), [(None, "null"), ({}, "an object"), ("a", "'a'"), (5, "5"), (True, "true")]
)
def test_models_that_are_no_list_are_refused(list_key: str, entries: Any, shown: str) -> None:
    problems = problems_of({list_key: entries}, "openg2g-0.1")
    assert problems[0] == (list_key, f"must be a list, got {shown}.")


@pytest.mark.parametrize("list_key", ["models", "deployments"])
def test_an_empty_list_of_models_is_refused(list_key: str) -> None:
    message = "LLMInferenceWorkload requires at least one model."
    assert problems_of({list_key: []}, "openg2g-0.1") == [(list_key, message)]


def test_deployments_that_are_no_objects_are_refused() -> None:
    assert problems_of({"deployments": [5, {"spec": [1]}, {"spec": "x"}, []]}) == [
        ("deployments[0]", "must be an object, got 5."),
        ("deployments[1].spec", "must be an object, got [1]."),
        ("deployments[2].spec", "must be an object, got 'x'."),
        ("deployments[3]", "must be an object, got []."),
    ]


def test_a_deployment_without_a_spec_is_refused() -> None:
    ((path, _),) = problems_of({"deployments": [{"spec": entry_0_1()}, {"gpu_endpoints": []}]})
    assert path == "deployments[1].spec"


@pytest.mark.parametrize("list_key", ["models", "deployments"])
def test_two_models_of_one_label_are_refused(list_key: str) -> None:
    entries = [entry_0_1() if list_key == "models" else {"spec": entry_0_1()}] * 2
    message = "has duplicate model labels: ['Llama-3.1-8B', 'Llama-3.1-8B']."
    assert problems_of({list_key: entries}, "openg2g-0.1") == [(list_key, message)]


def test_keys_that_the_catalog_needs_itself_are_refused() -> None:
    config = {
        "deployments": [{"spec": entry_0_1(omitted=[], deployment=1)}],
        "models": [entry_0_1()],
        "openg2g": {},
    }
    assert sorted(problems_of(config)) == [
        ("deployments[0].spec.deployment", RESERVED),
        ("deployments[0].spec.omitted", RESERVED),
        ("models", RESERVED),
        ("openg2g", RESERVED),
    ]


@pytest.mark.parametrize(
    ("version", "entry", "field"),
    [
        ("0.1", entry_0_1(feasable_batch_sizes=[8]), "feasible_batch_sizes"),
        ("0.1", entry_0_1(feasible_batch_size=[8]), "feasible_batch_sizes"),
        ("0.1", entry_0_1(feasible_batchsizes=[8]), "feasible_batch_sizes"),
        ("0.2", entry_0_2(feasable_batch_sizes=[8]), "feasible_batch_sizes"),
        ("0.2", entry_0_2(gpu_per_replica=8), "gpus_per_replica"),
        ("0.2", entry_0_2(gpus_per_replicas=8), "gpus_per_replica"),
    ],
)
def test_a_mistyped_optional_field_is_refused_and_not_silently_kept(
    version: str, entry: dict[str, Any], field: str
) -> None:
    (typo,) = entry.keys() - entry_0_1().keys() - entry_0_2().keys()
    assert problems_of({"models": [entry]}, f"openg2g-{version}") == [
        (f"models[0].{typo}", f"is not a field of OpenG2G: did you mean {field}?")
    ]


@pytest.mark.parametrize("place", ["spec", "deployment"])
def test_a_figure_that_a_deployment_says_twice_is_refused(place: str) -> None:
    """Whichever of the two is kept, a reader may have meant the other."""
    deployment = deployment_0_2()
    if place == "spec":
        deployment["spec"]["initial_batch_size"] = 64
    else:
        deployment["itl_deadline_s"] = 0.5
    told, read = {
        "spec": ("deployments[0].spec.initial_batch_size", "deployments[0].initial_batch_size"),
        "deployment": ("deployments[0].itl_deadline_s", "deployments[0].spec.itl_deadline_s"),
    }[place]
    assert problems_of({"deployments": [deployment]}) == [(told, f"is not read here, but from {read}.")]


def test_two_words_for_the_number_of_replicas_are_refused() -> None:
    assert problems_of({"models": [entry_0_2(num_replicas=1)]}, "openg2g-0.2") == [
        ("models[0].simulated_num_replicas", "is not read here, but from models[0].num_replicas.")
    ]


def test_0_2_without_any_batch_sizes_is_refused_instead_of_meaning_128() -> None:
    entry = entry_0_2()
    del entry["batch_sizes"]
    message = "is missing, and so is batch_sizes, which it would mean."
    assert problems_of({"models": [entry]}, "openg2g-0.2") == [("models[0].feasible_batch_sizes", message)]


def test_a_document_of_the_catalog_is_no_configuration() -> None:
    content = {"format": "openg2g-workload/1", "models": [entry_0_1()]}
    message = "marks a document of the catalog: its format is json or jsonl."
    assert problems_of(content, "openg2g-0.1") == [("format", message)]


def test_a_mistyped_field_of_a_deployments_spec_is_refused_with_its_path() -> None:
    deployment = deployment_0_2(gpu_per_replica=8)
    assert problems_of({"deployments": [deployment]}) == [
        ("deployments[0].spec.gpu_per_replica", "is not a field of OpenG2G: did you mean gpus_per_replica?")
    ]


def test_a_key_that_only_resembles_a_field_that_is_there_is_kept() -> None:
    entry = entry_0_1(feasible_batch_sizes=[8], feasible_batch_size=8, num_replicas_max=9)
    (document,) = documents_of({"models": [entry]}, "openg2g-0.1")
    kept = document.annotations["models"]["Llama-3.1-8B"]
    assert kept == {"feasible_batch_size": 8, "num_replicas_max": 9}


@pytest.mark.parametrize(
    ("version", "entry", "message"),
    [
        ("0.2", entry_0_2(feasible_batch_sizes=[]), "must not be empty."),
        ("0.1", entry_0_1(feasible_batch_sizes=None), "must be a list of integers, got None."),
        ("0.1", entry_0_1(feasible_batch_sizes={}), "must be a list of integers, got {}."),
        ("0.2", entry_0_2(feasible_batch_sizes="8"), "must be a list of integers, got '8'."),
    ],
)
def test_batch_sizes_that_mean_nothing_in_a_version_are_refused(
    version: str, entry: dict[str, Any], message: str
) -> None:
    problem = ("models[0].feasible_batch_sizes", message)
    assert problems_of({"models": [entry]}, f"openg2g-{version}") == [problem]


@pytest.mark.parametrize("place", ["file", "model", "deployment"])
@pytest.mark.parametrize("text", ["NaN", "1e999", "-Infinity"])
def test_a_number_that_no_database_stores_is_refused_wherever_it_stands(place: str, text: str) -> None:
    marks = {"file": "0", "model": "0", "deployment": "0"} | {place: text}
    fields = ", ".join(
        f'"{name}": "a"' if name == "model_label" else f'"{name}": {field}' for name, field in entry_0_1().items()
    )
    content = (
        f'{{"deployments": [{{"spec": {{{fields}, "x": {marks["model"]}}}, "y": {marks["deployment"]}}}], '
        f'"z": {marks["file"]}}}'
    )
    ((_, message),) = problems_of(content)
    assert message.startswith("must be finite, got ")


def test_a_file_of_one_version_read_as_another_says_what_is_missing() -> None:
    problems = problems_of({"models": [entry_0_2()]}, "openg2g-0.1")
    assert ("models[0].gpus_per_replica", "is missing.") in problems
