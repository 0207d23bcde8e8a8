"""`openg2g set` derives a revision from another by changes that are written on the command line."""

import json
from pathlib import Path
from typing import Any

import pytest

from openg2g.catalog import Catalog
from openg2g.cli.output.differences import Comparison, comparison_lines
from tests.builders import make_workload
from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import offline_0_1, write

QWEN = {
    "model_label": "Qwen3-8B",
    "num_replicas": 40,
    "gpus_per_replica": 1,
    "initial_batch_size": 128,
    "itl_deadline_s": 0.05,
}


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """Fill the catalog with the published fleet."""
    options = ("--author", "Ada", "--effective-from", "2026-03-01")
    assert cli("import", write(tmp_path / "fleet.json", offline_0_1()), *options).exit_code == 0
    return cli


def fleet(cli: Cli, reference: str = "fleet") -> Any:
    return cli("show", reference, "--format", "json").json


@on_each_engine
def test_a_change_makes_the_next_revision_and_shows_the_difference_first(filled: Cli) -> None:
    outcome = filled("set", "fleet", "Llama-3.1-70B.num_replicas=200", "-m", "more", "--author", "Grace")
    assert outcome.exit_code == 0
    assert outcome.out == "fleet: revision 1 → 2\n"
    assert outcome.err.splitlines() == [
        "fleet@1 → next revision of fleet",
        "Llama-3.1-70B",
        "  num_replicas  180 → 200",
        "  GPUs          720 → 800 (+80)",
        "total GPUs 4800 → 4880 (+80)",
    ]
    shown = fleet(filled)
    assert shown["models"][1]["num_replicas"] == 200
    assert (shown["revision"]["author"], shown["revision"]["message"]) == ("Grace", "more")


def test_annotations_go_along(filled: Cli, tmp_path: Path) -> None:
    filled("set", "fleet", "Llama-3.1-70B.num_replicas=200", "-m", "more")
    assert fleet(filled)["annotations"] == fleet(filled, "fleet@1")["annotations"]
    filled("export", "fleet", "--format", "openg2g-0.1", "-o", "again.json")
    expected = offline_0_1()
    expected["models"][1]["num_replicas"] = 200
    assert json.loads((tmp_path / "again.json").read_text(encoding="utf-8")) == expected


def test_annotations_of_a_model_follow_a_new_label_and_go_with_the_model(filled: Cli) -> None:
    of_models = fleet(filled)["annotations"]["models"]
    filled("set", "fleet", "Llama-3.1-70B.model_label=big", "--remove", "Llama-3.1-8B", "-m", "why")
    changed = fleet(filled)["annotations"]["models"]
    assert changed["big"] == of_models["Llama-3.1-70B"]
    assert set(of_models) - set(changed) == {"Llama-3.1-70B", "Llama-3.1-8B"}


def test_models_are_removed_then_changed_then_added(filled: Cli) -> None:
    added = json.dumps(QWEN | {"model_label": "Llama-3.1-8B"})
    outcome = filled(
        "set",
        "fleet",
        "Llama-3.1-70B.feasible_batch_sizes-=8,16",
        "Llama-3.1-70B.feasible_batch_sizes+=1024",
        "--add",
        added,
        "--add",
        json.dumps(QWEN),
        "--remove",
        "Llama-3.1-8B",
        "--remove",
        "Llama-3.1-405B",
        "-m",
        "why",
    )
    assert outcome.exit_code == 0, outcome.err
    models = fleet(filled)["models"]
    assert [model["model_label"] for model in models] == [
        "Llama-3.1-70B",
        "Qwen3-30B-A3B",
        "Qwen3-235B-A22B",
        "Llama-3.1-8B",
        "Qwen3-8B",
    ]
    assert models[0]["feasible_batch_sizes"] == [32, 64, 128, 256, 512, 1024]
    assert models[4]["feasible_batch_sizes"] == [128]


@on_each_engine
def test_a_revision_can_be_derived_from_an_older_one(filled: Cli) -> None:
    filled("set", "fleet", "Llama-3.1-70B.num_replicas=200", "-m", "more")
    outcome = filled("set", "fleet@1", "Llama-3.1-8B.num_replicas=1", "-m", "from the first")
    assert outcome.out == "fleet: revision 2 → 3\n"
    assert [model["num_replicas"] for model in fleet(filled)["models"][:2]] == [1, 180]


@on_each_engine
def test_another_revision_than_the_expected_one_is_a_conflict(filled: Cli) -> None:
    assert filled("set", "fleet@1", "Llama-3.1-8B.num_replicas=1", "-m", "a", "--expect", "1").exit_code == 0
    outcome = filled("set", "fleet@1", "Llama-3.1-8B.num_replicas=2", "-m", "b", "--expect", "1")
    assert outcome.exit_code == 8
    assert "fleet: expected revision 1 to be the latest, but it is 2." in outcome.err
    assert outcome.out == ""
    assert fleet(filled)["revision"]["number"] == 2


@on_each_engine
def test_what_was_recorded_in_between_is_never_undone(filled: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def record_meanwhile(comparison: Comparison) -> list[str]:
        with Catalog.open() as catalog:  # Somebody else, after the workload was read and before it is recorded.
            catalog.save("fleet", make_workload())
        return comparison_lines(comparison)

    monkeypatch.setattr("openg2g.cli.commands.set.comparison_lines", record_meanwhile)
    outcome = filled("set", "fleet", "Llama-3.1-8B.num_replicas=1", "-m", "a")
    assert outcome.exit_code == 8
    assert "fleet: expected revision 1 to be the latest, but it is 2." in outcome.err
    assert len(fleet(filled)["models"]) == 2


def test_nothing_is_derived_from_a_retired_name(filled: Cli) -> None:
    filled("retire", "fleet")
    outcome = filled("set", "fleet", "Llama-3.1-8B.num_replicas=1", "-m", "a")
    assert outcome.exit_code == 3
    assert "the name was retired" in outcome.err
    assert filled("set", "fleet@1", "Llama-3.1-8B.num_replicas=1", "-m", "a").out == "fleet: revision 2 → 3\n"


def test_a_dry_run_stores_nothing(filled: Cli) -> None:
    outcome = filled("set", "fleet", "Llama-3.1-70B.num_replicas=200", "-m", "more", "--dry-run")
    assert outcome.out == "fleet: revision 1 → 2\n"
    assert "num_replicas  180 → 200" in outcome.err
    assert outcome.err.endswith("Dry run: nothing was stored.\n")
    assert fleet(filled)["revision"]["number"] == 1


def test_what_changes_nothing_makes_no_revision(filled: Cli) -> None:
    outcome = filled("set", "fleet", "Llama-3.1-70B.num_replicas=180", "-m", "same")
    assert outcome.out == "fleet: unchanged, revision 1\n"
    assert outcome.err == "fleet@1 → next revision of fleet: no difference\n"


def test_another_time_alone_makes_a_revision(filled: Cli) -> None:
    change = "Llama-3.1-70B.num_replicas=180"
    outcome = filled("set", "fleet", change, "-m", "earlier", "--effective-from", "2026-01-01")
    assert outcome.out == "fleet: revision 1 → 2\n"
    assert fleet(filled, "fleet@latest")["revision"]["effective_from"] == "2026-01-01T00:00:00Z"


def test_all_problems_are_named_at_once_and_nothing_is_stored(filled: Cli) -> None:
    outcome = filled(
        "set", "fleet", "Llama-3.1-7B.num_replicas=1", "Llama-3.1-8B.replicas=1", "--remove", "nobody", "-m", "why"
    )
    assert outcome.exit_code == 2
    lines = outcome.err.splitlines()
    assert [line.partition(": ")[2].partition(":")[0] for line in lines] == [
        "remove nobody",
        "Llama-3.1-7B.num_replicas=1",
        "Llama-3.1-8B.replicas=1",
    ]
    assert "Did you mean Llama-3.1-" in lines[1]
    assert "Did you mean num_replicas" in lines[2]
    assert outcome.out == ""
    assert fleet(filled)["revision"]["number"] == 1


def test_an_added_model_that_is_not_valid_is_named(filled: Cli) -> None:
    bad = json.dumps(QWEN | {"num_replicas": -1, "replicas": 1})
    outcome = filled("set", "fleet", "--add", bad, "--add", "5", "--add", "{", "-m", "why")
    assert outcome.exit_code == 4
    assert [line.removeprefix("Error: --add number ")[:40] for line in outcome.err.splitlines()] == [
        "1: model.replicas is not a known field. ",
        "1: model.num_replicas must be >= 0, got ",
        "2: model must be an object, got 5.",
        "3:1:2: is not JSON: expecting property n",
    ]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["fleet", "-m", "why"], "Say what to change: LABEL.FIELD=VALUE, --add or --remove."),
        (["fleet", "Llama-3.1-70B.num_replicas=1"], "Missing option '-m' / '--message'."),
        (["fleet", "x.num_replicas=1", "-m", "x", "--effective-from", "soon"], "'soon' is no time."),
    ],
)
def test_wrong_usage(filled: Cli, arguments: list[str], message: str) -> None:
    outcome = filled("set", *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.err


def test_an_unknown_reference_is_named(filled: Cli) -> None:
    outcome = filled("set", "fleat", "Llama-3.1-70B.num_replicas=1", "-m", "why")
    assert outcome.exit_code == 3
    assert "Did you mean fleet?" in outcome.err


def test_no_argument_steers_the_terminal(filled: Cli) -> None:
    outcome = filled("set", "fleet", "\x1b[31m.num_replicas=1", "-m", "why")
    assert "\x1b" not in outcome.err and "\\x1b[31m" in outcome.err
