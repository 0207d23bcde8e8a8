"""What schemas refuse, rule by rule, and what they cannot: generated values may miss what is rare."""

from typing import Any

import pytest

from openg2g.formats import native
from openg2g.formats.native import MODEL_FIELDS
from openg2g.models.errors import InvalidDocumentError
from tests.formats.configs import EXAMPLES, deployment_0_2, entry_0_1, entry_0_2, with_other_word
from tests.formats.schema.near_valid import DIGEST
from tests.formats.schema.views import faults_of
from tests.formats.views import config_of, documents_of, model, outcomes_of, problems_of, value

FAULTS: dict[str, Any] = {
    "no models": {},
    "models null": {"models": None},
    "no model": {"models": []},
    "a model that is a list": {"models": [[]]},
    "a field of a document that is not known": value(nmae="a"),
    "a field of a model that is not known": value(model(gpu="H100")),
    "a field of a revision that is not known": value(revision={"autor": "Ada"}),
    "another version": value(format="openg2g-workload/2"),
    "no version": value(format=None),
    "a schema that is no text": value(**{"$schema": 1}),
    "annotations null": value(annotations=None),
    "annotations with NUL": value(annotations={"a": [{"b": "x\0"}]}),
    "annotations with NUL in a key": value(annotations={"a": {"b\0": 1}}),
    "a revision that is null": value(revision=None),
    **{f"no {field}": value({k: v for k, v in model().items() if k != field}) for field in MODEL_FIELDS[:-1]},
    **{f"{field} null": value(model(**{field: None})) for field in MODEL_FIELDS},
    **{
        f"{field} {wrong!r:.30}": value(model(**{field: wrong}))
        for field, wrongs in {
            "model_label": (5, "", " ", "\u3000", "a\n", "\ta", "a\u2028", "a\x85", "\0", "x" * 201),
            "num_replicas": (-1, 2**31, 1.5, True, "2"),
            "gpus_per_replica": (0, 2**31, 1.5, True, "2"),
            "initial_batch_size": (0, 2**31, 1.5, True, "2"),
            "itl_deadline_s": (0, -0.1, True, "0.1", 10**400),
            "feasible_batch_sizes": ([], [0], [2**31], ["8"], [1.5], [True], 8, "8", {}),
        }.items()
        for wrong in wrongs
    },
    **{
        f"name {wrong!r:.30}": value(name=wrong)
        for wrong in (5, "", "-a", "a b", "a@3", "a:b", "a*", "a?", "a[", "a\n", "a\0", "a\u3000", "x" * 201)
    },
    **{
        f"{field} of the revision {wrong!r:.30}": value(revision={field: wrong})
        for field, wrongs in {
            "number": (0, -1, 1.5, True, "3"),
            "digest": (5, "", "sha256:ab", DIGEST.upper(), DIGEST + "0", DIGEST + "\n"),
            "recorded_at": (5, "", "yesterday", "2026-03-01", "2026-03-01T12:00"),
            "effective_from": (5, "", "yesterday", "2026-03-01", "2026-03-01T12:00"),
            "author": (5, "a\0", []),
            "message": (5, "a\0", {}),
            "source": (5, "a\0", True),
        }.items()
        for wrong in wrongs
    },
}


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_refused_by_the_schema_and_by_the_reader(fault: str) -> None:
    assert faults_of(FAULTS[fault], "jsonl")
    with pytest.raises(InvalidDocumentError):
        native.document_from_value(FAULTS[fault], "f")


DEPLOYED = deployment_0_2()
WITHOUT_REPLICAS = {key: part for key, part in entry_0_1(model_label="b").items() if key != "num_replicas"}
WITH_OTHER_WORD = with_other_word(entry_0_1(model_label="b"))
CONFIG_FAULTS: dict[str, tuple[str, Any]] = {
    "no list": ("0.1", {"data_dir": None}),
    "two lists": ("0.1", {"models": [entry_0_1()], "deployments": [{"spec": entry_0_1()}]}),
    "an empty list": ("0.2", {"models": []}),
    "a document of the catalog": ("0.1", {"models": [entry_0_1()], "format": native.FORMAT}),
    "a key of the catalog in the file": ("0.1", {"models": [entry_0_1()], "openg2g": {}}),
    "a key of the catalog in a model": ("0.1", {"models": [entry_0_1(deployment={})]}),
    "another key of the catalog": ("0.1", {"models": [entry_0_1(omitted=[])]}),
    "no spec": ("0.1", {"deployments": [{"x": 1}]}),
    "no replicas": ("0.1", {"models": [WITHOUT_REPLICAS]}),
    "no GPUs in 0.1": ("0.1", {"models": [{k: v for k, v in entry_0_1().items() if k != "gpus_per_replica"}]}),
    "two words for replicas": ("0.2", {"models": [entry_0_2(num_replicas=1)]}),
    "another word in each model": ("0.1", {"models": [entry_0_1(), WITH_OTHER_WORD]}),
    "another word in each spec": ("0.1", {"deployments": [{"spec": entry_0_1()}, {"spec": WITH_OTHER_WORD}]}),
    "null batch sizes in 0.1": ("0.1", {"models": [entry_0_1(feasible_batch_sizes=None)]}),
    "empty batch sizes in 0.2": ("0.2", {"models": [entry_0_2(feasible_batch_sizes=[])]}),
    "no batch sizes in 0.2": ("0.2", {"models": [{k: v for k, v in entry_0_2().items() if k != "batch_sizes"}]}),
    "empty measured batch sizes": ("0.2", {"models": [entry_0_2(batch_sizes=[])]}),
    "a field of the spec beside it": ("0.2", {"deployments": [DEPLOYED | {"itl_deadline_s": 1}]}),
    "a field of the deployment in the spec": (
        "0.2",
        {"deployments": [DEPLOYED | {"spec": DEPLOYED["spec"] | {"initial_batch_size": 8}}]},
    ),
    "replicas beside the spec in 0.1": ("0.1", {"deployments": [{"spec": entry_0_1(), "num_replicas": 1}]}),
    "NUL in what is kept": ("0.1", {"models": [entry_0_1(note={"a": "\0"})]}),
}

OWN_MODELS = {"models": [entry_0_1()]}
SITE_FAULTS: dict[str, Any] = {
    "sites that are a list": {**OWN_MODELS, "dc_sites": []},
    "a site that is a text": {**OWN_MODELS, "dc_sites": {"a": "x"}},
    "a label that is no list": {**OWN_MODELS, "dc_sites": {"a": {"models": "Llama-3.1-8B"}}},
    "a label that is a number": {**OWN_MODELS, "dc_sites": {"a": {"models": [5]}}},
    "models at the top and in a site": {**OWN_MODELS, "dc_sites": {"a": OWN_MODELS}},
    "NUL in a site": {**OWN_MODELS, "dc_sites": {"a": {"bus": "\0"}}},
    "NUL in a site with models": {"dc_sites": {"a": {**OWN_MODELS, "bus": "\0"}}},
    "sites that are null, and no models": {"dc_sites": None},
    "no site, and no models": {"dc_sites": {}},
    "a site that is a list, and no models": {"dc_sites": {"a": []}},
    "a site without models": {"dc_sites": {"a": OWN_MODELS, "b": {"bus": "8"}}},
    "a site with models that are null": {"dc_sites": {"a": {"models": None}}},
    "a site with no model": {"dc_sites": {"a": {"models": []}}},
    "a site with deployments that are null": {"dc_sites": {"a": {"deployments": None, **OWN_MODELS}}},
    "labels of no models": {"dc_sites": {"a": {"models": ["Llama-3.1-8B"]}}},
    "a label among models": {"dc_sites": {"a": {"models": [entry_0_1(), "b"]}}},
    "another word in each model of a site": {"dc_sites": {"a": {"models": [entry_0_1(), WITH_OTHER_WORD]}}},
    "a key of the catalog beside sites": {"dc_sites": {"a": OWN_MODELS}, "openg2g": {}},
    "several sites of which one is no name": {"dc_sites": {"a": OWN_MODELS, "site one": OWN_MODELS}},
    "too many sites": {"dc_sites": {f"z{number}": OWN_MODELS for number in range(101)}},
}
CONFIG_FAULTS |= {fault: ("0.1", content) for fault, content in SITE_FAULTS.items()}


@pytest.mark.parametrize("fault", CONFIG_FAULTS)
def test_a_fault_of_a_configuration_is_refused_by_the_schema_and_by_the_reader(fault: str) -> None:
    version, content = CONFIG_FAULTS[fault]
    assert faults_of(content, f"openg2g-{version}")
    assert any(isinstance(outcome, InvalidDocumentError) for outcome in outcomes_of(content, f"openg2g-{version}"))


def nested(levels: int) -> Any:
    return [nested(levels - 1)] if levels else 1


LARGEST = {"num_replicas": 2**31 - 1, "gpus_per_replica": 2**31 - 1}
UNSAID: dict[str, Any] = {
    "two models of one label": value(model(), model()),
    "more GPUs than 64 bits count": value(*(model(model_label=label, **LARGEST) for label in "abc")),
    "a whole number with a decimal point": value(model(num_replicas=1.0)),
    "a day that no calendar has": value(revision={"recorded_at": "2026-02-30T12:00:00Z"}),
    "a time that no clock has": value(revision={"recorded_at": "2026-02-28T12:61:00Z"}),
    "annotations nested too deeply": value(annotations={"a": nested(120)}),
    "annotations with too many digits": value(annotations={"a": 10**4_000}),
    "annotations beyond every double": value(annotations={"a": float("1e999")}),
    "half of a surrogate pair": value(model(model_label="\ud800")),
}


@pytest.mark.parametrize("content", UNSAID.values(), ids=UNSAID)
def test_what_no_schema_can_say_is_left_to_the_reader(content: Any) -> None:
    assert faults_of(content, "jsonl") == []
    with pytest.raises(InvalidDocumentError):
        native.document_from_value(content, "f")


def test_a_slip_in_a_key_of_a_configuration_is_left_to_the_reader() -> None:
    config = {"models": [entry_0_1(feasable_batch_sizes=[8])]}
    assert faults_of(config, "openg2g-0.1") == []
    assert problems_of(config, "openg2g-0.1")


def test_a_label_in_a_site_that_no_model_has_is_left_to_the_reader() -> None:
    config = {"models": [entry_0_1()], "dc_sites": {"a": {"models": ["Llama-3.1-9B"]}}}
    assert faults_of(config, "openg2g-0.1") == []
    assert problems_of(config, "openg2g-0.1")


SITES: dict[str, Any] = {
    "sites that are null": {**OWN_MODELS, "dc_sites": None},
    "no sites": {**OWN_MODELS, "dc_sites": {}},
    "sites that name a model, none, null and nothing": {
        **OWN_MODELS,
        "dc_sites": {"a": {"models": ["Llama-3.1-8B"]}, "b": {"models": []}, "c": {"models": None}, "d d": {}},
    },
    "sites beside deployments": {
        "deployments": [{"spec": entry_0_1()}],
        "dc_sites": {"a": {"models": ["Llama-3.1-8B"]}},
    },
    "a site whose name no workload can have, for it is the only one": {"dc_sites": {"site one": OWN_MODELS}},
    "sites that list models and deployments, each with its own word for replicas": {
        "dc_sites": {
            "a": {"models": [WITH_OTHER_WORD], "bus": "8"},
            "b": {"deployments": [{"spec": entry_0_1(), "x": 1}]},
        }
    },
    "as many sites as may be": {"dc_sites": {f"z{number}": OWN_MODELS for number in range(100)}},
}


@pytest.mark.parametrize("sites", SITES)
def test_sites_are_valid_as_they_are_read_and_as_they_are_written(sites: str) -> None:
    assert faults_of(SITES[sites], "openg2g-0.1") == []
    for document in documents_of(SITES[sites], "openg2g-0.1"):
        assert faults_of(config_of(document, "0.1"), "openg2g-0.1") == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_published_configuration_is_valid(name: str) -> None:
    version, config = EXAMPLES[name]
    assert faults_of(config, f"openg2g-{version}") == []
    assert faults_of([config, config], f"openg2g-{version}") == []


@pytest.mark.parametrize("content", [5, None, "a", True, [5], [[]], [None]])
@pytest.mark.parametrize("format_name", ["json", "yaml", "openg2g-0.1", "openg2g-0.2"])
def test_what_is_no_object_is_refused_in_every_format(format_name: str, content: Any) -> None:
    assert faults_of(content, format_name)
    assert all(isinstance(outcome, InvalidDocumentError) for outcome in outcomes_of([content], format_name))
