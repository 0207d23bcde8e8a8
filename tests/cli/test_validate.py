"""`openg2g validate`: every problem of every file, without a catalog."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli
from tests.cli.documents import ONLINE_0_1, SMALL

BAD = {**SMALL, "models": [{**SMALL["models"][0], "num_replica": 1, "itl_deadline_s": 0}]}


@pytest.fixture
def here(run_cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run a command line in an empty directory, with a database that nobody can open."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENG2G_DATABASE", "postgresql://nobody@localhost:1/none")
    return run_cli


def write(name: str, *lines: object) -> str:
    Path(name).write_text("\n".join(map(json.dumps, lines)), encoding="utf-8")
    return name


def test_valid_files_of_several_formats_are_counted(here: Cli) -> None:
    write("one.json", SMALL)
    write("two.jsonl", SMALL, ONLINE_0_1)
    Path("fleets.csv").write_text(
        "name,model_label,num_replicas,gpus_per_replica,initial_batch_size,itl_deadline_s\na,m,1,1,1,1\n"
    )
    outcome = here("validate", "one.json", "two.jsonl", "fleets.csv")
    assert (outcome.exit_code, outcome.err) == (0, "")
    assert outcome.out.splitlines() == [
        "one.json: valid, 1 workload",
        "two.jsonl: valid, 2 workloads",
        "fleets.csv: valid, 1 workload",
    ]
    assert not list(Path().glob("*.db"))


def test_every_problem_of_every_file_is_told_with_its_place_and_what_helps(here: Cli) -> None:
    outcome = here("validate", write("a.json", BAD), write("good.json", SMALL), write("b.jsonl", SMALL, BAD, 5))
    assert (outcome.exit_code, outcome.out) == (4, "good.json: valid, 1 workload\n")
    hint = "models[0].num_replica is not a known field. Known fields: model_label, "
    told = outcome.err.splitlines()
    assert told[0] == "Error: a.json:1:133: models[0].itl_deadline_s must be > 0, got 0."
    assert told[1].startswith(f"Error: a.json:1:189: {hint}")
    assert told[3].startswith(f"Error: b.jsonl:2:189: {hint}")
    assert told[4] == "Error: b.jsonl:3:1: a workload must be an object, got 5."
    assert len(told) == 5


def test_a_misspelt_field_is_told_with_the_right_one(here: Cli) -> None:
    model = {**SMALL["models"][0], "num_replica": 18}
    del model["num_replicas"]
    outcome = here("validate", write("a.json", {"models": [model]}))
    assert "models[0].num_replica is not a known field: did you mean num_replicas?" in outcome.err


def test_json_has_everything_for_programs(here: Cli) -> None:
    outcome = here("validate", write("a.json", BAD), write("good.json", SMALL), "--format", "json")
    assert (outcome.exit_code, outcome.err) == (4, "")
    bad, good = outcome.json
    assert good == {"file": "good.json", "format": "json", "num_workloads": 1, "problems": []}
    assert (bad["file"], bad["num_workloads"]) == ("a.json", 0)
    assert bad["problems"][0] == {
        "where": "a.json",
        "path": "models[0].itl_deadline_s",
        "message": "must be > 0, got 0.",
        "line": 1,
        "column": 133,
    }
    assert here("validate", "good.json", "--format", "json").exit_code == 0


@pytest.mark.parametrize("number", [1, 2, 3])
def test_reading_stops_after_so_many_errors(here: Cli, number: int) -> None:
    write("a.jsonl", *[BAD] * 50)
    outcome = here("validate", "a.jsonl", write("never-read.json", BAD), "--max-errors", number)
    told = outcome.err.splitlines()
    assert len(told) == number + 1
    enough = "one problem is" if number == 1 else f"{number} problems are"
    assert told[-1] == f"Error: a.jsonl: was not read further: {enough} enough. Raise the limit with --max-errors."


def test_standard_input_is_read_in_the_format_that_is_named(here: Cli) -> None:
    line = json.dumps(SMALL).encode()
    assert here("validate", "-", stdin=line).out == "standard input: valid, 1 workload\n"
    outcome = here("validate", "-", "--input-format", "jsonl", stdin=line + b"\n" + line)
    assert outcome.out == "standard input: valid, 2 workloads\n"


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("100", "is larger than 100 bytes. Raise the limit with --max-file-size."),
        ("1KiB", "is larger than 1 KiB. Raise the limit with --max-file-size."),
    ],
)
def test_the_size_of_a_file_can_be_chosen(here: Cli, limit: str, message: str) -> None:
    first = SMALL["models"][0]
    models = [first, {**first, "model_label": "b"}]
    path = write("a.jsonl", {**SMALL, "models": models, "annotations": {"note": "x" * 2000, "a": [[1]]}})
    assert here("validate", path).exit_code == 0
    outcome = here("validate", path, "--max-file-size", limit)
    assert outcome.exit_code == 4
    assert message in outcome.err


@pytest.mark.parametrize("size", ["", "0", "-1", "1.5MiB", "10 parsecs", "x"])
def test_what_is_no_size_is_refused(here: Cli, size: str) -> None:
    outcome = here("validate", write("a.json", SMALL), "--max-file-size", size)
    assert outcome.exit_code == 2
    assert f"{size!r} is no size. Write bytes, or KiB, MiB or GiB: 64MiB." in outcome.err


def test_a_size_beyond_any_file_is_refused(here: Cli) -> None:
    outcome = here("validate", write("a.json", SMALL), "--max-file-size", "9999999999999999GiB")
    assert outcome.exit_code == 2
    assert "'9999999999999999GiB' is more than there can be: at most 1073741824GiB." in outcome.err


@pytest.mark.parametrize("name", ["a.json", "a.jsonl", "a.yaml"])
def test_no_memory_is_taken_for_the_size_that_a_file_might_have(here: Cli, name: str) -> None:
    assert here("validate", write(name, SMALL), "--max-file-size", "1000000GiB").exit_code == 0


def test_no_memory_is_taken_for_the_size_that_a_script_might_have(here: Cli) -> None:
    Path("a.py").write_text("fleet = LLMInferenceWorkload((LLMInferenceModelSpec('a', 1, 1, 1, 1.0),))\n")
    assert here("validate", "a.py", "--max-file-size", "1000000GiB").exit_code == 0


def test_an_archive_is_checked_as_such(cli: Cli) -> None:
    cli("import", write("a.json", SMALL))
    assert cli("export", "--all", "--history", "-o", "archive.jsonl").exit_code == 0
    assert cli("validate", "archive.jsonl").out == "archive.jsonl: valid, 1 workload\n"
    text = Path("archive.jsonl").read_text(encoding="utf-8")
    Path("archive.jsonl").write_text(text.replace('"num_replicas":18', '"num_replicas":19'), encoding="utf-8")
    outcome = cli("validate", "archive.jsonl")
    assert (outcome.exit_code, outcome.err[:24]) == (4, "Error: archive.jsonl:2: ")


def test_a_file_that_is_not_there_is_no_invalid_document(here: Cli) -> None:
    outcome = here("validate", "missing.json")
    assert (outcome.exit_code, outcome.err) == (7, "Error: missing.json cannot be read: No such file or directory.\n")
    assert here("validate").exit_code == 2
