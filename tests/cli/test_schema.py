"""`openg2g schema`."""

import json
from pathlib import Path

import pytest

from openg2g.formats.schema.schemas import SCHEMA_NAMES, schema_of
from tests.cli.conftest import Cli


def test_the_schema_of_json_is_printed_where_no_format_is_named(run_cli: Cli) -> None:
    outcome = run_cli("schema")
    assert (outcome.exit_code, outcome.err) == (0, "")
    assert outcome.json == schema_of("json")
    assert outcome.out.endswith("}\n")


@pytest.mark.parametrize("name", SCHEMA_NAMES)
def test_the_schema_of_each_format_is_printed_in_characters_that_every_terminal_has(run_cli: Cli, name: str) -> None:
    """Where a locale has no place for a character, standard output has an escape that is not JSON."""
    outcome = run_cli("schema", "--format", name)
    assert outcome.json == schema_of(name)
    assert outcome.out.isascii()
    assert outcome.out.replace("\n", "").isprintable()


@pytest.mark.parametrize("name", ["python", "xml"])
def test_a_format_without_a_schema_is_wrong_usage(run_cli: Cli, name: str) -> None:
    outcome = run_cli("schema", "--format", name)
    assert (outcome.exit_code, outcome.out) == (2, "")
    assert f"'{name}' is not one of 'json', 'jsonl', 'yaml', 'toml'" in outcome.err


def test_no_catalog_is_needed_and_none_is_made(run_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENG2G_DATABASE", str(tmp_path / "none.db"))
    assert run_cli("schema").exit_code == 0
    assert not list(tmp_path.iterdir())


def test_a_document_that_tells_its_schema_is_imported(cli: Cli, tmp_path: Path) -> None:
    spec = {"model_label": "a", "num_replicas": 1, "gpus_per_replica": 1, "initial_batch_size": 8, "itl_deadline_s": 1}
    content = {"$schema": "./workload.schema.json", "name": "small", "models": [spec]}
    (tmp_path / "small.json").write_text(json.dumps(content), encoding="utf-8")
    assert cli("import", tmp_path / "small.json").exit_code == 0
    assert "$schema" not in cli("export", "small").json
