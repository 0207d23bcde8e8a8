import csv
import io
import json
from pathlib import Path

import pytest

from openg2g.catalog.search.order import SORT_KEYS
from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import SMALL, offline_0_1, small, write


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """Fill a catalog with a fleet and a small workload of two revisions."""
    options = ("--author", "Ada <ada@example.org>", "--effective-from", "2026-03-01")
    cli("import", write(tmp_path / "fleet.json", offline_0_1()), "-m", "as published", *options)
    cli("import", write(tmp_path / "small.json", SMALL), *options)
    late = ("--author", "Bob", "--effective-from", "2026-04-01")
    cli("import", write(tmp_path / "small.json", small(num_replicas=20)), "-m", "two more", *late)
    return cli


@on_each_engine
def test_a_search_prints_what_a_list_does(filled: Cli) -> None:
    assert filled("search", "total_gpus > 0").out == filled("list").out
    assert filled("search", "total_gpus < 100").out == (
        "name   rev  models  GPUs  in force from (UTC)  author  message\n"
        "small    2       1    80  2026-04-01 00:00     Bob     two more\n"
    )


@on_each_engine
def test_the_question_of_last_spring_is_answered(filled: Cli) -> None:
    question = (
        "total_gpus < 7200 and any(m.model_label == 'Llama-3.1-70B' and m.itl_deadline_s <= 0.1\n"
        "                          and 128 in m.feasible_batch_sizes for m in models)"
    )
    assert filled("search", question, "--as-of", "2026-03-15", "--format", "names").out == "fleet\nsmall\n"
    assert filled("search", question, "--as-of", "2026-02-15", "--format", "names").out == ""


def test_json_and_lines_and_csv_say_the_same(filled: Cli) -> None:
    listed = filled("search", "total_gpus > 0", "--format", "json").json
    assert [(entry["name"], entry["total_gpus"]) for entry in listed] == [("fleet", 4800), ("small", 80)]
    lines = filled("search", "total_gpus > 0", "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == listed
    rows = list(csv.DictReader(io.StringIO(filled("search", "total_gpus > 0", "--format", "csv").out)))
    assert rows == [{key: str(value) for key, value in entry.items()} for entry in listed]


def test_names_are_for_shell_loops(filled: Cli) -> None:
    assert filled("search", "total_gpus > 0", "--format", "names").out == "fleet\nsmall\n"
    assert filled("search", "total_gpus > 0", "-0").out == "fleet\0small\0"
    assert filled("list", "-0").out == "fleet\0small\0"
    outcome = filled("search", "total_gpus > 0", "-0", "--format", "csv")
    assert outcome.exit_code == 2 and "-0 is for names and references" in outcome.err


def test_references_say_which_revision(filled: Cli) -> None:
    out = filled("search", "total_gpus < 100", "--all-revisions", "--format", "references").out
    assert out == "small@1\nsmall@2\n"
    assert filled("show", out.splitlines()[0]).exit_code == 0
    assert (
        filled("search", "total_gpus < 100", "--as-of", "2026-03-15", "--format", "references", "-0").out == "small@1\0"
    )
    assert filled("list", "--format", "references").out == "fleet@1\nsmall@2\n"


def test_names_come_once_however_many_revisions_match(filled: Cli) -> None:
    assert filled("search", "total_gpus < 100", "--all-revisions", "--format", "names").out == "small\n"


@on_each_engine
def test_hits_are_sorted_limited_and_continued(filled: Cli) -> None:
    arguments = ("search", "True", "--all-revisions", "--sort", "-total_gpus,name", "--format", "references")
    arguments += ("--limit", "2")
    first = filled(*arguments)
    assert first.out == "fleet@1\nsmall@2\n"
    token = first.err.removeprefix("There are more: --after ").strip()
    second = filled(*arguments, "--after", token)
    assert (second.out, second.err) == ("small@1\n", "")
    rest = filled(*arguments[:-2], "--after", token)
    assert rest.out == "small@1\n"


def test_a_token_of_another_search_is_refused(filled: Cli) -> None:
    token = filled("search", "True", "--limit", "1").err.split()[-1]
    outcome = filled("search", "not False", "--limit", "1", "--after", token)
    assert outcome.exit_code == 2 and "belongs to another search" in outcome.err


@on_each_engine
def test_hits_are_counted(filled: Cli) -> None:
    assert filled("search", "total_gpus > 0", "--count").out == "2\n"
    assert filled("search", "total_gpus > 0", "--count", "--all-revisions").out == "3\n"
    assert filled("search", "total_gpus > 0", "--count", "--limit", "3").exit_code == 2
    assert filled("search", "total_gpus > 0", "--count", "--format", "json").exit_code == 2
    assert filled("search", "total_gpus > 0", "--explain", "-0").exit_code == 2


@pytest.mark.parametrize(
    ("expression", "parameter", "found"),
    [
        ("total_gpus < x", "x=100", "small\n"),
        ("total_gpus * x < 50", "x=0.5", "small\n"),
        ("author == x", "x=Bob", "small\n"),
        ("name == x", "x='small'", "small\n"),
        ("total_gpus < 100 if x == True else False", "x=true", "small\n"),
    ],
)
def test_parameters_are_numbers_and_texts(filled: Cli, expression: str, parameter: str, found: str) -> None:
    assert filled("search", expression, "--param", parameter, "--format", "names").out == found


def test_nothing_found_is_no_failure(filled: Cli) -> None:
    outcome = filled("search", "total_gpus > 99999")
    assert (outcome.exit_code, outcome.out) == (0, "No workload matches.\n")
    assert filled("search", "total_gpus > 99999", "--format", "json").json == []
    assert filled("search", "total_gpus > 99999", "--format", "csv").out.count("\n") == 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("total_gpu < 3",), "Error: column 1: unknown name 'total_gpu'. Did you mean total_gpus?\n"),
        (("name == 'é' and 'a' < 3",), "  name == 'é' and 'a' < 3\n                  ^^^^^^^\n"),
        (("total_gpus <",), "this is no Python expression"),
        (("__import__('os').system('true')",), "there is no such method in a search"),
        (("eval('1')",), "there is no function 'eval' in a search"),
        (("total_gpus > 0", "--sort", "size"), "'size' is nothing to sort by. Sort by name, number,"),
        (("total_gpus > 0", "--param", "x"), "--param 'x': write NAME=VALUE"),
        (("total_gpus > x", "--param", "x=1", "--param", "x=2"), "--param 'x=2': write NAME=VALUE, once"),
        (("total_gpus > 0", "--param", "total_gpus=1"), "has the name of something else"),
        (("total_gpus < limit", "--param", "limit=1", "--param", "lmit=2"), "'lmit' is not in the expression"),
        (("total_gpus > 0", "--sort", ""), "'' is nothing to sort by"),
        (("total_gpus = 3",), "Write == to compare."),
        (("total_gpus > 3 && number > 1",), "Conditions are joined by and."),
        (("total_gpus <> 3",), "Write != for not equal"),
        (("name like 'x'",), "Write fnmatch(name, 'sweep/*')"),
        (("total_gpus between 1 and 2",), "Write 10 <= total_gpus <= 20."),
        (("m.num_replicas > 1 for m in models",), "A loop stands inside any(…)"),
        (("itl_deadline_s < 0.1",), "It is a field of a model: any(m.itl_deadline_s … for m in models)"),
        (("num_models > 1",), "Write len(models)."),
        (("author is None",), "is and is not are not allowed"),
        (("annotations['x'] == None",), "'key' in annotations asks whether a key is there."),
        (("total_gpus > 0", "--as-of", "2026-01-01", "--all-revisions"), "--as-of asks what was in force"),
        (("total_gpus > 0", "--limit", "0"), "'--limit'"),
        (("total_gpus > 0", "--explain", "--after", "x"), "--explain shows the first page"),
        ((), "Missing argument 'EXPR'"),
    ],
)
def test_wrong_input_is_explained(filled: Cli, arguments: tuple[str, ...], message: str) -> None:
    outcome = filled("search", *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.err
    assert outcome.out == ""


@on_each_engine
def test_an_explanation_shows_the_sql_and_the_plan(filled: Cli, database_url: str) -> None:
    out = filled("search", "total_gpus < 7200", "--explain").out
    assert out.startswith("SELECT ")
    assert "= 7200\n" in out
    assert ("SEARCH" if database_url.startswith("sqlite") else "Index Scan") in out


def test_what_matches_is_exported(filled: Cli, tmp_path: Path) -> None:
    exported = filled("export", "--where", "total_gpus < limit", "--param", "limit=100").json
    assert exported == filled("export", "small", "--format", "json").json
    lines = filled("export", "--where", "total_gpus > 0", "--format", "jsonl", "--as-of", "2026-03-15").out.splitlines()
    assert [json.loads(line)["revision"]["number"] for line in lines] == [1, 1]
    nothing = filled("export", "--where", "total_gpus > 99999", "--format", "jsonl")
    assert (nothing.exit_code, nothing.out) == (0, "")


@pytest.mark.parametrize(
    "arguments", [("--where", "True", "--all"), ("fleet", "--where", "True"), ("fleet", "--param", "x=1")]
)
def test_an_export_of_what_matches_goes_with_nothing_else(filled: Cli, arguments: tuple[str, ...]) -> None:
    assert filled("export", *arguments).exit_code == 2


# Rules of an import.


@on_each_engine
def test_an_import_that_breaks_a_rule_stores_nothing(cli: Cli, tmp_path: Path) -> None:
    good = write(tmp_path / "good.json", SMALL)
    large = write(tmp_path / "large.json", offline_0_1())
    outcome = cli("import", good, large, "--require", "total_gpus <= limit", "--param", "limit=4000")
    assert outcome.exit_code == 4
    assert outcome.err == f"Error: {large}: large breaks the rule total_gpus <= limit (total_gpus is 4800).\n"
    assert outcome.out == ""
    assert cli("list").out == "The catalog is empty.\n"


def test_every_rule_that_is_broken_is_named(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "small.json", [SMALL, small(num_replicas=900) | {"name": "other"}])
    rules = ("--require", "author == 'Ada'", "--require", "all(m.num_replicas < 100 for m in models)")
    outcome = cli("import", source, *rules, "--author", "Bob")
    assert outcome.exit_code == 4
    assert "small breaks the rule author == 'Ada' (author is Bob)." in outcome.err
    assert "other breaks the rule all(m.num_replicas < 100 for m in models)." in outcome.err
    assert "small breaks the rule all(" not in outcome.err


def test_an_import_that_holds_to_its_rules_is_stored(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "small.json", SMALL)
    outcome = cli("import", source, "--require", "total_gpus <= 100 and name == 'small' and number == 1")
    assert outcome.out == "small: new, revision 1\n"


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ("total_gpu < 3", "Did you mean total_gpus?"),
        ("'x' in tags", "unknown name 'tags'"),
        ("aliases", "unknown name"),
    ],
)
def test_a_rule_that_says_nothing_is_refused_before_anything_is_read(cli: Cli, rule: str, message: str) -> None:
    outcome = cli("import", "not-there.json", "--require", rule)
    assert outcome.exit_code == 2
    assert message in outcome.err


def test_a_rule_is_not_for_whole_histories(filled: Cli, tmp_path: Path) -> None:
    filled("export", "--all", "--history", "-o", "archive.jsonl")
    outcome = filled("import", "archive.jsonl", "--require", "True")
    assert outcome.exit_code == 2 and "takes no rules" in outcome.err
    assert filled("import", "fleet.json", "--param", "x=1").exit_code == 2


def test_the_help_names_every_sort_key(run_cli: Cli) -> None:
    keys = run_cli("search", "--help").out.partition("Sort keys:")[2].partition("Examples:")[0].split()
    assert sorted(keys) == sorted(SORT_KEYS)
