"""The JSON Schemas: of the dataclasses, valid themselves, and true of whatever the formats write."""

import csv
import io
import json
import re
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import pyarrow.parquet
import pytest
import yaml
from hypothesis import assume, given
from jsonschema import Draft202012Validator

from openg2g.formats import native
from openg2g.formats.document import Document, RevisionData
from openg2g.formats.parquet.columns import ALL_COLUMNS
from openg2g.formats.registry import FORMAT_NAMES
from openg2g.formats.rows.model_rows import COLUMNS
from openg2g.formats.schema.schemas import SCHEMA_NAMES, schema_of
from openg2g.models.errors import InvalidDocumentError, UnknownFormatError
from openg2g.models.spec import LLMInferenceModelSpec, is_unprintable
from tests.builders import make_workload
from tests.formats.configs import EXAMPLES, OFFLINE_0_2, ONLINE_0_2
from tests.formats.schema.views import faults_of, row_of_cells, row_of_values
from tests.formats.views import config_of, content_of, document_of, model, problems_of, value, written, written_bytes
from tests.strategies import documents, examples


def parts_of(schema: Any) -> Iterator[dict[str, Any]]:
    """Yield a schema and every schema in it."""
    if isinstance(schema, dict):
        yield schema
        for part in schema.values():
            yield from parts_of(part)
    elif isinstance(schema, list):
        for part in schema:
            yield from parts_of(part)


# What the schemas are.


def test_every_format_but_scripts_has_a_schema() -> None:
    assert tuple(name for name in FORMAT_NAMES if name != "python") == SCHEMA_NAMES
    with pytest.raises(UnknownFormatError, match=r"^there is no JSON Schema of python\. Known: json, jsonl, "):
        schema_of("python")
    with pytest.raises(UnknownFormatError, match=r"^unknown format 'xml'\."):
        schema_of("xml")


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_a_schema_is_a_schema_and_says_which(name: str) -> None:
    schema = schema_of(name)
    Draft202012Validator.check_schema(schema)
    assert schema["$schema"] == Draft202012Validator.META_SCHEMA["$id"]
    assert name in schema["title"]
    assert json.loads(json.dumps(schema)) == schema


def test_every_schema_has_an_identifier_of_its_own_that_never_changes() -> None:
    assert [schema_of(name)["$id"] for name in SCHEMA_NAMES] == [
        "urn:openg2g-workload:1:json",
        "urn:openg2g-workload:1:jsonl",
        "urn:openg2g-workload:1:yaml",
        "urn:openg2g-workload:1:toml",
        "urn:openg2g-rows:1:csv",
        "urn:openg2g-rows:1:tsv",
        "urn:openg2g-rows:1:parquet",
        "urn:openg2g-config:openg2g-0.1",
        "urn:openg2g-config:openg2g-0.2",
    ]


def test_the_fields_are_those_of_the_dataclasses() -> None:
    definitions = schema_of("json")["$defs"]
    of_model = definitions["model"]
    assert set(of_model["properties"]) == {field.name for field in fields(LLMInferenceModelSpec)}
    assert set(definitions["revision"]["properties"]) == {field.name for field in fields(RevisionData)}
    assert list(definitions["document"]["properties"]) == ["$schema", *native.FIELDS]
    assert list(schema_of("csv")["$defs"]["row"]["properties"]) == list(COLUMNS)
    assert list(schema_of("parquet")["$defs"]["row"]["properties"]) == list(ALL_COLUMNS)
    spec = LLMInferenceModelSpec(**{name: model()[name] for name in of_model["required"]})
    for name, schema in of_model["properties"].items():
        assert ("default" in schema) == (name not in of_model["required"])
        if "default" in schema:
            assert tuple(schema["default"]) == getattr(spec, name)


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_every_field_is_described(name: str) -> None:
    definitions = schema_of(name)["$defs"]
    described = [part for part in ("document", "model", "revision", "row", "config") if part in definitions]
    for part in described:
        assert definitions[part]["description"]
        for field, schema in definitions[part]["properties"].items():
            assert schema is False or schema["description"].endswith("."), field


@pytest.mark.parametrize("version", ["0.1", "0.2"])
def test_every_field_of_a_configuration_is_described(version: str) -> None:
    definitions = schema_of(f"openg2g-{version}")["$defs"]
    deployment = definitions["deployments"]["items"]["properties"]
    for entry in (definitions["models"]["items"]["properties"], deployment, deployment["spec"]["properties"]):
        for field, schema in entry.items():
            assert schema is False or schema["description"].endswith("."), field


def test_descriptions_are_those_of_the_docstrings() -> None:
    properties = schema_of("json")["$defs"]["model"]["properties"]
    assert properties["feasible_batch_sizes"]["description"] == (
        "Batch sizes in requests that OFO may choose, each > 0, at least one, declaration order kept. "
        "Baseline mode uses only the first."
    )


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_every_pattern_means_the_same_in_every_engine(name: str) -> None:
    patterns = [part["pattern"] for part in parts_of(schema_of(name)) if isinstance(part.get("pattern"), str)]
    assert patterns
    for pattern in patterns:
        re.compile(pattern)
        # Neither what looks around, nor classes that hold more in one engine than in another, nor surrogates.
        assert pattern.isascii() and pattern.isprintable()
        assert not re.search(r"\(\?[^:]|\\[dDwWbBpP]|\\ud[89a-f]", pattern)


def test_no_character_beyond_the_basic_plane_is_refused_that_a_pattern_would_have_to_name() -> None:
    beyond = map(chr, range(0x10000, sys.maxunicode + 1))
    assert not any(character.isspace() or is_unprintable(character) for character in beyond)


# What the formats write is valid.


@given(documents())
@examples(25)
def test_a_document_is_written_as_its_schemas_ask(document: Document) -> None:
    assert faults_of(json.loads(written([document])), "json") == []
    assert faults_of(json.loads(written([document, document])), "json") == []
    assert faults_of(json.loads(written([document], "jsonl")), "jsonl") == []


@given(documents())
@examples(20)
def test_yaml_is_written_as_its_schema_asks(document: Document) -> None:
    (content,) = yaml.safe_load_all(written([document], "yaml"))
    assert faults_of(content, "yaml") == []


@given(documents())
@examples(20)
def test_toml_is_written_as_its_schema_asks(document: Document) -> None:
    try:
        texts = [written(found, "toml") for found in ([], [document], [document, document])]
    except InvalidDocumentError:  # Null, or an integer beyond 64 bits.
        assume(False)
    assert [faults_of(tomllib.loads(text), "toml") for text in texts] == [[], [], []]


@given(documents())
@examples(20)
def test_csv_is_written_as_its_schema_asks(document: Document) -> None:
    for name, delimiter in (("csv", ","), ("tsv", "\t")):
        rows = csv.DictReader(io.StringIO(written([document], name), newline=""), delimiter=delimiter)
        assert [fault for row in rows for fault in faults_of(row_of_cells(row), name)] == []


@given(documents())
@examples(20)
def test_parquet_is_written_as_its_schema_asks(document: Document) -> None:
    table = pyarrow.parquet.read_table(io.BytesIO(written_bytes([document], "parquet")))
    assert [fault for row in table.to_pylist() for fault in faults_of(row_of_values(row), "parquet")] == []


@given(documents())
@examples(20)
def test_a_configuration_of_0_1_is_written_as_its_schema_asks(document: Document) -> None:
    assert faults_of(config_of(Document(document.workload), "0.1"), "openg2g-0.1") == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_configuration_comes_back_as_its_schema_asks(name: str) -> None:
    version, config = EXAMPLES[name]
    assert faults_of(config_of(document_of(config), version), f"openg2g-{version}") == []


@pytest.mark.parametrize("config", [OFFLINE_0_2, ONLINE_0_2])
def test_a_configuration_of_0_2_written_as_0_1_is_what_its_schema_asks(config: Any) -> None:
    assert faults_of(config_of(document_of(config), "0.1"), "openg2g-0.1") == []


# `$schema` in a file.


@pytest.mark.parametrize("format_name", ["json", "jsonl", "yaml"])
def test_a_file_may_tell_editors_its_schema_which_is_not_kept(format_name: str) -> None:
    content = {"$schema": "./workload.schema.json", **value(model(), name="fleet")}
    document = document_of(content, format_name)
    assert content_of(document) == content_of(document_of(value(model(), name="fleet")))
    assert "$schema" not in written([document])
    assert faults_of(content, "json") == []


def test_a_toml_file_may_tell_its_schema_by_a_key_or_a_comment() -> None:
    text = written([Document(make_workload())], "toml")
    for line in ('"$schema" = "./workload.schema.json"\n', "#:schema ./workload.schema.json\n"):
        assert document_of(line + text, "toml").workload == make_workload()


@pytest.mark.parametrize(("wrong", "shown"), [(1, "1"), (None, "null"), (["a"], "['a']")])
def test_a_schema_that_is_no_text_is_refused(wrong: Any, shown: str) -> None:
    assert problems_of(value(**{"$schema": wrong})) == [("$schema", f"must be a string, got {shown}.")]


def test_only_the_top_of_a_document_may_tell_its_schema() -> None:
    (problem,) = problems_of(value(model(**{"$schema": "x"})))
    assert problem[0] == "models[0].$schema"


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_configuration_gives_back_the_schema_that_it_tells(name: str) -> None:
    version, config = EXAMPLES[name]
    told = {"$schema": "./config.schema.json", **config}
    assert config_of(document_of(told), version) == told
    assert faults_of(told, f"openg2g-{version}") == []
