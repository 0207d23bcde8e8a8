"""`openg2g import --keep-going --rejects`: the good documents are stored, the others come back with reasons."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import SMALL


def named(name: str, **fields: object) -> dict[str, object]:
    return {**SMALL, "name": name, **fields}


def write(name: str, *lines: object) -> str:
    texts = [line if isinstance(line, str) else json.dumps(line) for line in lines]
    Path(name).write_text("\n".join(texts) + "\n", encoding="utf-8")
    return name


def rejected(path: str = "rejects.jsonl") -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(path).read_text(encoding="utf-8").splitlines()]


KEEP_GOING = ("--keep-going", "--rejects", "rejects.jsonl")


@on_each_engine
def test_good_lines_are_stored_and_bad_ones_are_written_with_their_reasons(cli: Cli) -> None:
    bad = [json.dumps(named("b", models=[])), '{"name": "c",', '{"name": "d", "name": "e", "models": []}']
    path = write("sweep.jsonl", named("a"), bad[0], bad[1], named("f"), bad[2], named("two words"))
    outcome = cli("import", path, *KEEP_GOING)
    assert outcome.exit_code == 4
    assert outcome.out.splitlines() == ["a: new, revision 1", "f: new, revision 1"]
    assert outcome.err.endswith("4 of the documents are refused: see rejects.jsonl.\n")
    first, second, third, fourth = rejected()
    assert [line["document"] for line in (first, second, third)] == bad
    assert first["problems"] == [
        {
            "where": "sweep.jsonl",
            "path": "models",
            "message": "LLMInferenceWorkload requires at least one model.",
            "line": 2,
            "column": 15,
        }
    ]
    assert "is not JSON" in str(second["problems"])
    assert "stands more than once" in str(third["problems"])
    assert json.loads(str(fourth["document"]))["name"] == "two words"
    assert cli("list", "--format", "names").out == "a\nf\n"


def test_a_document_that_only_the_import_refuses_is_written_too(cli: Cli) -> None:
    nameless = json.dumps({"models": SMALL["models"]})
    cli("import", write("sweep.jsonl", nameless, named("a")), *KEEP_GOING)
    (line,) = rejected()
    assert line["document"] == nameless
    assert "is missing in the document. Give one with --name." in str(line["problems"])


def test_a_second_name_is_refused_and_the_first_one_goes_on(cli: Cli) -> None:
    path = write("sweep.jsonl", named("a"), named("b"), named("a", models=[{**SMALL["models"][0], "num_replicas": 1}]))
    outcome = cli("import", path, "--name", "fleet", *KEEP_GOING)
    assert outcome.out.splitlines() == ["fleet: new, revision 1", "fleet: revision 1 → 2"]
    (line,) = rejected()
    assert json.loads(str(line["document"]))["name"] == "b"


def test_what_was_mended_is_imported_in_a_second_run(cli: Cli) -> None:
    path = write("sweep.jsonl", named("a"), named("b", models=5))
    assert cli("import", path, *KEEP_GOING).exit_code == 4
    mended = str(rejected()[0]["document"]).replace('"models": 5', '"models": ' + json.dumps(SMALL["models"]))
    outcome = cli("import", write("mended.jsonl", mended))
    assert (outcome.exit_code, outcome.out) == (0, "b: new, revision 1\n")


def test_the_bad_documents_of_every_format_are_passed_over(cli: Cli) -> None:
    Path("fleets.csv").write_text(
        "name,model_label,num_replicas,gpus_per_replica,initial_batch_size,itl_deadline_s\n"
        "a,m,1,1,1,1\nb,m,-1,1,1,1\nc,m,1,1,1,1\n"
    )
    outcome = cli("import", "fleets.csv", write("one.json", named("d", models=[])), *KEEP_GOING)
    assert outcome.out.splitlines() == ["a: new, revision 1", "c: new, revision 1"]
    assert [(line["document"], line["problems"][0]["line"]) for line in rejected()] == [(None, 3), (None, 1)]  # type: ignore[index]


def test_nothing_refused_is_exit_code_0_and_an_empty_file(cli: Cli) -> None:
    outcome = cli("import", write("sweep.jsonl", named("a")), *KEEP_GOING)
    assert (outcome.exit_code, rejected()) == (0, [])


def test_a_dry_run_tells_what_would_be_refused_and_stores_nothing(cli: Cli) -> None:
    outcome = cli("import", write("sweep.jsonl", named("a"), 5), *KEEP_GOING, "--dry-run")
    assert (outcome.exit_code, len(rejected())) == (4, 1)
    assert cli("list", "--format", "names").out == ""


@on_each_engine
def test_more_rejects_than_allowed_store_nothing_and_leave_no_file(cli: Cli) -> None:
    path = write("sweep.jsonl", named("a"), 5, 6, named("b"))
    outcome = cli("import", path, *KEEP_GOING, "--max-errors", "1")
    assert (outcome.exit_code, outcome.out) == (4, "")
    assert outcome.err.splitlines()[-2:] == [
        "Error: sweep.jsonl:3:1: a workload must be an object, got 6.",
        "Error: sweep.jsonl: was not read further, and nothing is imported: more than one document is refused. "
        "Raise the limit with --max-errors.",
    ]
    assert not Path("rejects.jsonl").exists()
    assert cli("list", "--format", "names").out == ""
    assert cli("import", path, *KEEP_GOING, "--max-errors", "2").exit_code == 4
    assert cli("list", "--format", "names").out == "a\nb\n"


def test_no_file_is_overwritten_not_even_the_source(cli: Cli) -> None:
    path = write("sweep.jsonl", named("a"), 5)
    before = Path(path).read_text()
    outcome = cli("import", path, "--keep-going", "--rejects", path)
    assert (outcome.exit_code, Path(path).read_text()) == (2, before)
    assert "it exists already" in outcome.err
    assert cli("list", "--format", "names").out == ""


@pytest.mark.parametrize(
    "options",
    [
        ("--keep-going",),
        ("--rejects", "r.jsonl"),
        ("--keep-going", "--rejects", "r.jsonl", "--require", "total_gpus > 0"),
    ],
)
def test_options_that_do_not_go_together_are_refused(cli: Cli, options: tuple[str, ...]) -> None:
    outcome = cli("import", write("sweep.jsonl", named("a")), *options)
    assert outcome.exit_code == 2
    assert "--keep-going goes with --rejects FILE, and without --require." in outcome.err


def test_an_archive_is_all_or_nothing(cli: Cli) -> None:
    cli("import", write("a.json", named("a")))
    cli("export", "--all", "--history", "-o", "archive.jsonl")
    outcome = cli("import", "archive.jsonl", *KEEP_GOING)
    assert (outcome.exit_code, Path("rejects.jsonl").exists()) == (2, False)


def test_an_import_stops_after_so_many_errors(cli: Cli) -> None:
    outcome = cli("import", write("sweep.jsonl", *range(200)), "--max-errors", "3")
    assert outcome.exit_code == 4
    assert len(outcome.err.splitlines()) == 4
    assert outcome.err.endswith(
        "sweep.jsonl: was not read further: 3 problems are enough. Raise the limit with --max-errors.\n"
    )
    assert len(cli("import", "sweep.jsonl").err.splitlines()) == 101


def test_an_import_holds_to_the_limits(cli: Cli) -> None:
    path = write("sweep.jsonl", named("a"))
    outcome = cli("import", path, "--max-file-size", "100")
    assert (outcome.exit_code, "is larger than 100 bytes" in outcome.err) == (4, True)
    assert cli("import", path, "--max-file-size", "1KiB").exit_code == 0
