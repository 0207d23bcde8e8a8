import csv
import io
import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from openg2g.models.digest import model_spec_digest
from openg2g.models.spec import LLMInferenceWorkload
from tests.builders import make_spec, published_fleet
from tests.cli.conftest import Cli, Outcome, on_each_engine

LLAMA = published_fleet().models[1]
DIGEST = model_spec_digest(LLAMA)


@pytest.fixture
def filled(cli: Cli, database_url: str) -> Cli:
    """Fill the catalog with the published fleet, and a dozen names that share one of its models."""
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", published_fleet(), author="Ada")
        for index in range(12):
            catalog.save(f"sweep/{index:02}", LLMInferenceWorkload((LLAMA,)), author="Ada")
        catalog.save("sweep/00", LLMInferenceWorkload((make_spec(num_replicas=90),)), author="Ada")
    return cli


def on_terminal(width: int, *arguments: str, exit_code: int = 0) -> list[str]:
    """Run a command line on a terminal of a width, and return the lines that it shows."""
    ours, theirs = pty.openpty()
    program = "import sys; from openg2g.cli.main import main; main(sys.argv[1:])"
    with os.fdopen(ours, "rb", buffering=0) as screen:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *arguments],
            stdout=theirs,
            env=os.environ | {"COLUMNS": str(width)},
        )
        os.close(theirs)
        shown = b""
        try:
            while chunk := screen.read(65_536):
                shown += chunk
        except OSError:  # The other side was closed.
            pass
        assert process.wait() == exit_code
    return shown.decode().replace("\r\n", "\n").splitlines()


@on_each_engine
def test_a_list_has_a_row_for_each_model_spec(filled: Cli) -> None:
    assert filled("models", "Llama-3.1-70B").out == (
        "model          replicas  GPUs per  GPUs  initial  ITL  feasible batch sizes    digest               used by\n"
        "                          replica          batch  (s)\n"
        "Llama-3.1-70B        90         4   360      128  0.1  8 16 32 64 128 256 512  "
        f"{model_spec_digest(make_spec(num_replicas=90))[:19]}  sweep/00@2\n"
        "Llama-3.1-70B       180         4   720      128  0.1  8 16 32 64 128 256 512  "
        f"{DIGEST[:19]}  fleet@1 {' '.join(f'sweep/{index:02}@1' for index in range(1, 12))}\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [("models",), ("models", "list"), ("models", "*"), ("models", "list", "*"), ("models", "--format", "table")],
)
def test_listing_may_be_named_or_not(filled: Cli, arguments: tuple[str, ...]) -> None:
    outcome = filled(*arguments)
    assert outcome.exit_code == 0
    assert len(outcome.out.splitlines()) == 8
    assert outcome == filled("models")


def test_the_database_may_stand_before_and_after_a_sub_command(run_cli: Cli, tmp_path: Path) -> None:
    database = tmp_path / "catalog.db"
    with Catalog.create(database) as catalog:
        catalog.save("fleet", published_fleet(), author="Ada")
    for arguments in (
        ("--database", database, "models", "show", DIGEST),
        ("models", "--database", database, "show", DIGEST),
        ("models", "show", DIGEST, "--database", database),
    ):
        assert "Llama-3.1-70B" in run_cli(*arguments).out
    for arguments in (
        ("--database", database, "models"),
        ("models", "--database", database),
        ("models", "--database", database, "Llama*"),
        ("models", "Llama*", "--database", database),
        ("models", "--where", "total_gpus > 1", "--database", database),
        ("models", f"--database={database}", "--where=total_gpus > 1"),
        ("models", "list", "--database", database),
    ):
        assert "Llama-3.1-70B" in run_cli(*arguments).out


@on_each_engine
def test_an_expression_and_the_scope_narrow_the_list(filled: Cli) -> None:
    assert _labels(filled("models", "--where", "itl_deadline_s < limit", "--param", "limit=0.1")) == [
        "Llama-3.1-8B",
        "Qwen3-30B-A3B",
    ]
    assert _labels(filled("models", "Qwen*", "--where", "total_gpus > 1000")) == ["Qwen3-235B-A22B"]
    assert filled("models", "--as-of", "2020-01-01").out == "No model spec matches.\n"
    assert filled("models", "--as-of", "2020-01-01", "--format", "json").json == []
    (_, every) = filled("models", "Llama-3.1-70B", "--all-revisions", "--format", "json").json
    assert every["references"][:3] == ["fleet@1", "sweep/00@1", "sweep/01@1"]


def test_a_list_as_json_lines_and_csv_says_the_same(filled: Cli) -> None:
    listed = filled("models", "--format", "json").json
    assert listed[2] == {
        **vars(LLAMA),
        "feasible_batch_sizes": list(LLAMA.feasible_batch_sizes),
        "total_gpus": 720,
        "digest": DIGEST,
        "references": ["fleet@1", *(f"sweep/{index:02}@1" for index in range(1, 12))],
    }
    assert listed == [Outcome(0, line, "").json for line in filled("models", "--format", "jsonl").out.splitlines()]
    rows = list(csv.DictReader(io.StringIO(filled("models", "--format", "csv").out)))
    assert [row["digest"] for row in rows] == [entry["digest"] for entry in listed]
    assert rows[2] == {
        **{key: str(value) for key, value in listed[2].items()},
        "feasible_batch_sizes": "8 16 32 64 128 256 512",
        "references": " ".join(listed[2]["references"]),
    }


@on_each_engine
def test_a_model_spec_is_shown_with_every_revision_that_used_it(filled: Cli) -> None:
    assert filled("models", "show", DIGEST[:15]).out == (
        "model                 Llama-3.1-70B\n"
        f"digest                {DIGEST}\n"
        "replicas              180\n"
        "GPUs per replica      4\n"
        "GPUs                  720\n"
        "initial batch         128\n"
        "ITL deadline          0.1 s\n"
        "feasible batch sizes  8 16 32 64 128 256 512\n"
        "used by               fleet@1\n" + "".join(f"{'':22}sweep/{index:02}@1\n" for index in range(12))
    )
    shown = filled("models", "show", DIGEST, "--format", "json").json
    assert shown["digest"] == DIGEST
    assert len(shown["references"]) == 13


def test_a_wide_terminal_shows_some_of_the_uses(filled: Cli, database_url: str) -> None:
    lines = on_terminal(120, "models")
    assert max(map(len, lines)) <= 120
    assert lines[4].endswith(f"{DIGEST[:19]}  fleet@1 +11")
    wider = on_terminal(140, "models")
    assert wider[4].endswith("  fleet@1 sweep/01@1 sweep/02@1 +9")


def test_a_narrow_terminal_has_the_uses_in_a_line_below(filled: Cli) -> None:
    lines = on_terminal(80, "models", "Llama*")
    assert max(map(len, lines)) <= 80
    assert lines[:2] == [
        "model           replicas  GPUs per  GPUs  initial   ITL  feasible batch sizes",
        "                           replica          batch   (s)",
    ]
    assert lines[2] == "  digest               used by"
    assert lines[7:9] == [
        "Llama-3.1-70B        180         4   720      128   0.1  8 16 32 64 128 256 512",
        f"  {DIGEST[:19]}  fleet@1 sweep/01@1 sweep/02@1 sweep/03@1 sweep/04@1 +7",
    ]


def test_a_long_name_and_many_batch_sizes_are_cut_on_a_terminal(cli: Cli, database_url: str) -> None:
    spec = make_spec(feasible_batch_sizes=tuple(range(1, 100)))
    with Catalog.open(database_url) as catalog:
        for name in ("a" * 200, "b" * 200):
            catalog.save(name, LLMInferenceWorkload((spec,)))
    for width in (80, 120):
        lines = on_terminal(width, "models")
        assert max(map(len, lines)) <= width
        assert "a… +1" in lines[-1]
        assert " 1 2 3 4 5 6 7 8 9 10 11…" in "\n".join(lines)
    assert f"{'a' * 200}@1 {'b' * 200}@1" in cli("models").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--where", "itl_deadline < 1"),
            "Error: column 1: unknown name 'itl_deadline'. Did you mean itl_deadline_s?\n"
            "  itl_deadline < 1\n"
            "  ^^^^^^^^^^^^\n",
        ),
        (("--where", "name == 'fleet'"), "unknown name 'name'. Known here: model_label, num_replicas,"),
        (("--where", "total_gpus <"), "this is no Python expression"),
        (("--where", ""), "the expression is empty"),
        (("--where", "total_gpus < limit", "--param", "limit"), "--param 'limit': write NAME=VALUE"),
        (("--as-of", "2026-01-01", "--all-revisions"), "leave it or --all-revisions out"),
        (("x" * 201,), "a pattern may have at most 200 characters"),
        (("Llama*", "Qwen*"), "Got unexpected extra argument (Qwen*)"),
        (("--wher", "True"), "No such option '--wher'"),
        (("--format", "yaml"), "'yaml' is not one of"),
        (("show",), "Missing argument 'DIGEST'"),
        (("show", "fleet"), "'fleet' names no model spec: write its digest"),
        (("show", "sha256:abc"), "sha256: takes 4 to 64 hexadecimal digits"),
        (("show", "sha256:abcd", "--format", "csv"), "'csv' is not one of"),
    ],
)
def test_wrong_usage_says_what_would_be_right(filled: Cli, arguments: tuple[str, ...], message: str) -> None:
    outcome = filled("models", *arguments)
    assert (outcome.exit_code, outcome.out) == (2, "")
    assert message in outcome.err


def test_a_digest_that_nothing_has_is_not_found(filled: Cli) -> None:
    outcome = filled("models", "show", "sha256:" + "0" * 64)
    assert outcome.exit_code == 3
    assert outcome.err == f"Error: sha256:{'0' * 64}: no model spec has a digest that begins so.\n"


def test_help_describes_both_forms(run_cli: Cli) -> None:
    for arguments in (("models", "-h"), ("models", "--where", "--help")):
        out = run_cli(*arguments).out
        assert out.startswith(
            "Usage: openg2g models [OPTIONS] [GLOB]\n"
            "       openg2g models show [OPTIONS] DIGEST\n\n"
            "  List the model specs"
        )
        assert "--where EXPR" in out
        assert "  show  Show a model spec" in out


def test_stored_text_does_not_steer_the_terminal(cli: Cli, database_url: str) -> None:
    with Catalog.open(database_url) as catalog:
        catalog.save("=1+1", LLMInferenceWorkload((make_spec(model_label="@SUM(1)"),)))
    (row,) = csv.DictReader(io.StringIO(cli("models", "--format", "csv").out))
    assert (row["model_label"], row["references"]) == ("'@SUM(1)", "'=1+1@1")


def _labels(outcome: Outcome) -> list[str]:
    return [line.split()[0] for line in outcome.out.splitlines()[2:]]
