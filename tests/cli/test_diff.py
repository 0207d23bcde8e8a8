"""`openg2g diff` tells what is different between references and files, and what that means."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import SMALL, offline_0_1, small, write, write_lines


def changed_fleet() -> dict[str, Any]:
    """Change the published fleet: a model more, one less, one moved, three changed, and an annotation."""
    value = offline_0_1()
    models = value["models"]
    models[0] |= {"itl_deadline_s": 0.06, "feasible_batch_sizes": [16, 32, 64, 256, 512, 1024]}
    models[1]["num_replicas"] = 200
    models[2]["model_id"] = "another"
    models.insert(0, models.pop())
    models[4] = models[4] | {"model_label": "Qwen3-8B", "num_replicas": 40, "gpus_per_replica": 1}
    return value


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """Fill the catalog with two revisions of a fleet."""
    for value in (offline_0_1(), changed_fleet()):
        assert cli("import", write(tmp_path / "fleet.json", value), "--author", "Ada").exit_code == 0
    return cli


def test_a_difference_reads_well_at_80_columns(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    outcome = filled("diff", "fleet@1", "fleet")
    assert outcome.err == ""
    assert outcome.exit_code == 0
    assert (
        outcome.out
        == """\
fleet@1 → fleet@2
Llama-3.1-8B
  itl_deadline_s        0.08 → 0.06 (tightened by 0.02 s)
  feasible_batch_sizes  8 16 32 64 128 256 512 → 16 32 64 256 512 1024 (gained
                        1024; lost 8 128; baseline mode uses 16, was 8; initial
                        batch size 128 is no longer feasible)
Llama-3.1-70B
  num_replicas          180 → 200
  GPUs                  720 → 800 (+80)
added    Qwen3-8B, models[4]: 40 × 1 = 40 GPUs, initial batch size 128, ITL 0.06
         s, feasible batch sizes 8 16 32 64 128 256 512
removed  Qwen3-30B-A3B, models[3]: 480 × 2 = 960 GPUs, initial batch size 128,
         ITL 0.06 s, feasible batch sizes 8 16 32 64 128 256 512
moved    Qwen3-235B-A22B, models[4] → models[0]
total GPUs 4800 → 3960 (-840)
annotations
  models.Llama-3.1-405B.model_id: "meta-llama/Llama-3.1-405B-Instruct-FP8" →
    "another"
  models.Qwen3-30B-A3B.model_id: removed, was "Qwen/Qwen3-30B-A3B-Thinking-2507"
  models.Qwen3-8B.model_id: added "Qwen/Qwen3-30B-A3B-Thinking-2507"
  openg2g.refused.Llama-3.1-8B: added ["initial_batch_size"]
"""
    )


def test_json_holds_everything(filled: Cli) -> None:
    value = filled("diff", "fleet@1", "fleet@2", "--format", "json").json
    assert (value["old"], value["new"], value["is_empty"]) == ("fleet@1", "fleet@2", False)
    assert value["changed"][1] == {
        "model_label": "Llama-3.1-70B",
        "fields": [{"field": "num_replicas", "old": 180, "new": 200}],
    }
    assert value["added"][0]["position"] == 4
    assert value["added"][0]["model"] == {
        "model_label": "Qwen3-8B",
        "num_replicas": 40,
        "gpus_per_replica": 1,
        "initial_batch_size": 128,
        "itl_deadline_s": 0.06,
        "feasible_batch_sizes": [8, 16, 32, 64, 128, 256, 512],
    }
    assert [model["model"]["model_label"] for model in value["removed"]] == ["Qwen3-30B-A3B"]
    assert value["moved"] == [{"model_label": "Qwen3-235B-A22B", "old_position": 4, "new_position": 0}]
    assert value["total_gpus"] == {"old": 4800, "new": 3960}
    assert value["consequences"][-1] == {
        "kind": "total_gpus",
        "model_label": None,
        "old": 4800,
        "new": 3960,
        "text": "total GPUs 4800 → 3960 (-840)",
    }
    assert value["annotations"][1] == {
        "path": "models.Qwen3-30B-A3B.model_id",
        "old": "Qwen/Qwen3-30B-A3B-Thinking-2507",
    }


@on_each_engine
def test_a_file_compares_with_a_reference_and_with_standard_input(filled: Cli, tmp_path: Path) -> None:
    write(tmp_path / "plan.json", changed_fleet())
    assert filled("diff", "fleet", "plan.json").out == "fleet@2 → plan.json: no difference\n"
    stdin = json.dumps(changed_fleet()).encode()
    assert filled("diff", "-", "plan.json", stdin=stdin).out == "standard input → plan.json: no difference\n"
    assert filled("diff", "fleet@1", "-", "--exit-code", stdin=stdin).exit_code == 1


def test_two_files_need_no_catalog(run_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENG2G_DATABASE", str(tmp_path / "none.db"))
    a, b = write(tmp_path / "a.json", SMALL), write_lines(tmp_path / "b.jsonl", [small(num_replicas=20)])
    outcome = run_cli("diff", a, b)
    assert (outcome.exit_code, outcome.err) == (0, "")
    assert "num_replicas  18 → 20" in outcome.out
    assert not (tmp_path / "none.db").exists()


@pytest.mark.parametrize(("new", "exit_code"), [("fleet@1", 0), ("fleet@2", 1)])
def test_the_exit_code_tells_a_difference_only_when_asked(filled: Cli, new: str, exit_code: int) -> None:
    assert filled("diff", "fleet@1", new).exit_code == 0
    for format_name in ("table", "json"):
        assert filled("diff", "fleet@1", new, "--exit-code", "--format", format_name).exit_code == exit_code


def test_another_annotation_alone_is_a_difference(cli: Cli, tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.json", SMALL), write(tmp_path / "b.json", {**SMALL, "annotations": {"seed": 1}})
    outcome = cli("diff", a, b, "--exit-code")
    assert outcome.exit_code == 1
    assert outcome.out.splitlines()[1:] == ["annotations", '  purpose: removed, was "smoke test"', "  seed: added 1"]


def test_numbers_within_the_tolerance_are_no_difference(cli: Cli, tmp_path: Path) -> None:
    a, b = write(tmp_path / "a.json", SMALL), write(tmp_path / "b.json", small(num_replicas=19, itl_deadline_s=0.101))
    assert cli("diff", a, b, "--rtol", "0.1", "--exit-code").exit_code == 0
    assert cli("diff", a, b, "--atol", "1", "--exit-code").exit_code == 0
    assert "num_replicas" not in cli("diff", a, b, "--atol", "1").out
    outcome = cli("diff", a, b, "--atol", "0.01", "--exit-code")
    assert outcome.exit_code == 1
    assert "itl_deadline_s" not in outcome.out


@pytest.mark.parametrize("value", ["nan", "inf", "-1", "-inf"])
@pytest.mark.parametrize("option", ["--rtol", "--atol"])
def test_a_tolerance_must_be_finite_and_not_negative(cli: Cli, option: str, value: str) -> None:
    outcome = cli("diff", "a", "b", f"{option}={value}")
    assert outcome.exit_code == 2
    assert f"Invalid value for '{option}': must be finite and >= 0, got {float(value)}." in outcome.err


def test_a_path_is_a_file_only_where_there_is_one(filled: Cli, tmp_path: Path) -> None:
    write(tmp_path / "fleet", small())  # No suffix: this is the name.
    assert filled("diff", "fleet", "fleet@2").out == "fleet@2 → fleet@2: no difference\n"
    assert filled("diff", "fleet@2", "./fleet", "--exit-code").exit_code == 1
    (tmp_path / "sub.json").mkdir()
    for missing in ("none.json", "./none", "sub.json"):
        outcome = filled("diff", "fleet", missing)
        assert outcome.exit_code == 3
        assert outcome.err.startswith(f"There is no file {missing}, so it is taken for a reference.\nError: {missing}")


def test_a_name_that_looks_like_a_path_is_found(filled: Cli, tmp_path: Path) -> None:
    filled("import", write(tmp_path / "a.json", SMALL), "--name", "plan.json")
    assert filled("diff", "plan.json", "fleet").out.startswith("plan.json@1 → fleet@2\n")


def test_a_pipe_is_a_file(cli: Cli, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    writer = threading.Thread(target=lambda: (tmp_path / "pipe").write_text(json.dumps(SMALL)))
    writer.start()
    outcome = cli("diff", tmp_path / "pipe", write(tmp_path / "a.json", SMALL))
    writer.join()
    assert outcome.out.endswith(": no difference\n")


@pytest.mark.parametrize(
    ("value", "message"),
    [([SMALL, SMALL], "has several workloads; diff compares one."), ([], "has no workload.")],
)
def test_a_file_holds_one_workload(cli: Cli, tmp_path: Path, value: list[object], message: str) -> None:
    outcome = cli("diff", write(tmp_path / "a.json", value), write(tmp_path / "b.json", SMALL))
    assert outcome.exit_code == 4
    assert message in outcome.err


def test_a_file_that_is_no_document_is_refused(cli: Cli, tmp_path: Path) -> None:
    outcome = cli("diff", write(tmp_path / "a.json", small(num_replicas=-1)), tmp_path / "a.json")
    assert outcome.exit_code == 4
    assert "models[0].num_replicas must be >= 0, got -1." in outcome.err


def test_both_sides_cannot_be_standard_input(cli: Cli) -> None:
    outcome = cli("diff", "-", "-", stdin=json.dumps(SMALL).encode())
    assert outcome.exit_code == 2
    assert "Only one of A and B can be standard input." in outcome.err


@on_each_engine
def test_sides_are_seen_from_a_point_in_time(filled: Cli, tmp_path: Path) -> None:
    for number, since in ((1, "2026-03-01"), (2, "2026-04-01")):
        write(tmp_path / "a.json", small(num_replicas=number))
        filled("import", tmp_path / "a.json", "--name", "small", "--effective-from", since)
    assert "num_replicas  1 → 2" in filled("diff", "small@2026-03-01", "small@2026-04-01").out
    assert filled("diff", "small", "a.json", "--as-of", "2026-03-15").out.startswith("small@1 → a.json\n")
    assert filled("diff", "small", "a.json", "--known-at", "2020-01-01").exit_code == 3


def test_a_retirement_takes_everything_away(filled: Cli) -> None:
    filled("retire", "fleet")
    lines = filled("diff", "fleet@2", "fleet").out.splitlines()
    assert lines[0] == "fleet@2 → fleet@3 (retired)"
    assert sum(line.startswith("removed  ") for line in lines) == 5
    assert "total GPUs 3960 → 0 (-3960)" in lines
    assert filled("diff", "fleet", "fleet@1", "--format", "json").json["total_gpus"] == {"old": 0, "new": 4800}


def test_an_unknown_reference_names_close_ones(filled: Cli) -> None:
    outcome = filled("diff", "fleet", "fleat")
    assert outcome.exit_code == 3
    assert outcome.err == "Error: fleat: no workload has this name. Did you mean fleet?\n"


def test_what_is_stored_does_not_steer_the_terminal(cli: Cli, tmp_path: Path) -> None:
    a = write(tmp_path / "a.json", {**SMALL, "annotations": {"k\x1b[31m": "v\x1b[31m\u2028"}})
    out = cli("diff", a, write(tmp_path / "b.json", SMALL)).out
    assert "\x1b" not in out and "\u2028" not in out
    assert "\\x1b[31m" in out


def test_a_long_annotation_is_cut_for_people_and_whole_in_json(cli: Cli, tmp_path: Path) -> None:
    a = write(tmp_path / "a.json", {**SMALL, "annotations": {"long": "x" * 10_000}})
    b = write(tmp_path / "b.json", SMALL)
    assert len(cli("diff", a, b).out) < 1000
    assert cli("diff", a, b, "--format", "json").json["annotations"][0]["old"] == "x" * 10_000
