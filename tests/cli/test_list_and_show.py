import json
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import SMALL, offline_0_1, small, write


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """Fill the catalog with two names, one of two revisions."""
    options = ("--author", "Ada <ada@example.org>", "--effective-from", "2026-03-01")
    cli("import", write(tmp_path / "fleet.json", offline_0_1()), "-m", "as published", *options)
    cli("import", write(tmp_path / "small.json", SMALL), *options)
    cli("import", write(tmp_path / "small.json", small(num_replicas=20)), "-m", "two more", *options)
    return cli


@on_each_engine
def test_a_list_has_a_row_for_each_name(filled: Cli) -> None:
    assert filled("list").out == (
        "name   rev  models  GPUs  in force from (UTC)  author  message\n"
        "fleet    1       5  4800  2026-03-01 00:00     Ada     as published\n"
        "small    2       1    80  2026-03-01 00:00     Ada     two more\n"
    )


@on_each_engine
def test_a_pattern_narrows_the_list(filled: Cli) -> None:
    assert filled("list", "f*", "--format", "names").out == "fleet\n"
    assert filled("list", "[rs]mal?", "--format", "names").out == "small\n"
    assert filled("list", "F*").out == "No name matches F*.\n"


def test_a_list_as_json_and_as_lines_says_the_same(filled: Cli) -> None:
    listed = filled("list", "--format", "json").json
    assert [entry["name"] for entry in listed] == ["fleet", "small"]
    assert listed[0]["total_gpus"] == 4800
    assert listed == [json.loads(line) for line in filled("list", "--format", "jsonl").out.splitlines()]


def test_an_empty_catalog_says_so(cli: Cli) -> None:
    assert cli("list").out == "The catalog is empty.\n"
    assert cli("list", "--format", "json").json == []


def test_show_has_the_fields_and_what_follows_from_them(filled: Cli) -> None:
    out = filled("show", "fleet").out
    assert re.search(r"^in force from  2026-03-01 00:00:00 UTC$", out, re.MULTILINE)
    assert re.search(r"^author         Ada <ada@example.org>$", out, re.MULTILINE)
    assert re.search(r"^Qwen3-235B-A22B +210 +8 +1680 +128 +0.14 +8 16 32 64 128 256 512$", out, re.MULTILINE)
    assert re.search(r"^all models +4800 +8 16 32 64 128 256 512$", out, re.MULTILINE)


def test_a_shown_table_fits_eighty_columns(filled: Cli) -> None:
    _, _, models = filled("show", "fleet").out.partition("\n\n")
    assert max(map(len, models.splitlines())) <= 80


@on_each_engine
def test_show_as_json_has_every_derived_property(filled: Cli) -> None:
    derived = filled("show", "fleet", "--format", "json").json["derived"]
    assert derived["total_gpus"] == 4800
    assert derived["model_labels"][0] == "Llama-3.1-8B"
    assert derived["initial_batch_size_by_model"]["Qwen3-30B-A3B"] == 128
    assert derived["itl_deadline_by_model"]["Qwen3-235B-A22B"] == 0.14
    assert derived["required_measured_gpus"]["Llama-3.1-405B"] == 8
    assert derived["feasible_batch_sizes_union"] == [8, 16, 32, 64, 128, 256, 512]


@on_each_engine
def test_a_revision_is_shown_by_number_and_by_digest(filled: Cli) -> None:
    first = filled("show", "small@1", "--format", "json").json
    assert first["models"][0]["num_replicas"] == 18
    digest = first["revision"]["digest"]
    assert filled("show", digest[:15], "--format", "json").json == first


def test_stored_text_does_not_steer_the_terminal(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL), "-m", "\x1b[31mred", "--author", "bell\x07")
    for out in (cli("list").out, cli("show", "small").out):
        assert "\x1b" not in out
        assert "\\x1b[31mred" in out
        assert "bell\\x07" in out


def test_rich_markup_and_numbers_in_labels_are_shown_as_they_are(cli: Cli, tmp_path: Path) -> None:
    labels = ["[bold]", "0123", "1e5", "=1+1", "NULL", "true", "模型"]
    models = [{**SMALL["models"][0], "model_label": label} for label in labels]
    cli("import", write(tmp_path / "odd.json", {"models": models}))
    shown = [line.split()[0] for line in cli("show", "odd").out.partition("\n\n")[2].splitlines()[2:-1]]
    assert shown == labels


def test_a_dry_run_shows_control_characters_escaped(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("import", tmp_path / "\x1b[31mnothing.json")
    assert "\x1b" not in outcome.err
    assert "\\x1b[31mnothing.json" in outcome.err
