import csv
import io
import json
from datetime import UTC, datetime

import pytest

from openg2g.catalog import Catalog
from tests.builders import make_workload, published_fleet
from tests.cli.conftest import Cli, on_each_engine
from tests.cli.test_models import on_terminal


@pytest.fixture
def filled(cli: Cli, database_url: str) -> Cli:
    """Fill the catalog with revisions of two names, by two authors, in two months."""
    march, april = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", make_workload(2, num_replicas=10), author="Ada", effective_from=march)
        catalog.save("fleet", published_fleet(), author="Ada", effective_from=april)
        catalog.save("other", make_workload(1, num_replicas=11), author="Bob", effective_from=april)
    return cli


@on_each_engine
def test_without_groups_there_is_one_row(filled: Cli) -> None:
    assert filled("stats").out == (
        "revisions  workloads  GPUs in all  least  median  most\n"
        "        2          2         4844     44    2422  4800\n"
    )
    assert filled("stats", "--where", "name == 'other'", "--format", "json").json == [
        {
            "num_revisions": 1,
            "num_workloads": 1,
            "total_gpus": 44,
            "min_gpus": 44,
            "median_gpus": 44,
            "max_gpus": 44,
        }
    ]


@on_each_engine
def test_months_are_those_from_which_revisions_apply(filled: Cli) -> None:
    assert filled("stats", "--by", "month", "--all-revisions").out == (
        "month    revisions  workloads  GPUs in all  least  median  most\n"
        "2026-03          1          1           80     80      80    80\n"
        "2026-04          2          2         4844     44    2422  4800\n"
    )


def test_authors_and_models_are_groups_too(filled: Cli) -> None:
    by_author = filled("stats", "--by", "author", "--format", "json").json
    assert [(group["group"], group["total_gpus"]) for group in by_author] == [("Ada", 4800), ("Bob", 44)]
    by_model = filled("stats", "--by", "model", "--where", "total_gpus < limit", "--param", "limit=4800")
    assert by_model.out.splitlines()[1].split() == ["model-0", "1", "1", "44", "44", "44", "44"]


def test_formats_say_the_same(filled: Cli) -> None:
    arguments = ("stats", "--by", "month", "--all-revisions", "--format")
    listed = filled(*arguments, "json").json
    assert listed == [json.loads(line) for line in filled(*arguments, "jsonl").out.splitlines()]
    rows = list(csv.DictReader(io.StringIO(filled(*arguments, "csv").out)))
    assert rows == [{key: str(value) for key, value in group.items()} for group in listed]
    assert filled("stats", "--format", "csv").out == (
        "num_revisions,num_workloads,total_gpus,min_gpus,median_gpus,max_gpus\n2,2,4844,44,2422,4800\n"
    )


def test_nothing_is_counted_as_nothing(filled: Cli) -> None:
    nothing = ("stats", "--where", "False")
    assert filled(*nothing).out.splitlines()[1].split() == ["0", "0", "0"]
    assert filled(*nothing, "--format", "csv").out.splitlines()[1] == "0,0,0,,,"
    assert filled(*nothing, "--format", "json").json[0]["median_gpus"] is None
    assert filled(*nothing, "--by", "author").out == "No workload matches.\n"
    assert filled(*nothing, "--by", "author", "--format", "json").json == []
    assert filled(*nothing, "--by", "author", "--format", "csv").out.count("\n") == 1
    assert filled("stats", "--as-of", "2020-01-01", "--by", "model").out == "No workload matches.\n"


@on_each_engine
def test_what_was_in_force_and_known_at_other_times_is_counted(filled: Cli) -> None:
    assert filled("stats", "--as-of", "2026-03-15", "--format", "json").json[0]["total_gpus"] == 80
    assert filled("stats", "--known-at", "2020-01-01", "--format", "json").json[0]["num_revisions"] == 0


def test_a_long_author_is_cut_on_a_terminal_only(cli: Cli, database_url: str) -> None:
    author = "Ada " * 40
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", make_workload(1), author=author)
    assert max(map(len, on_terminal(80, "stats", "--by", "author"))) <= 80
    assert author in cli("stats", "--by", "author").out


def test_stored_text_neither_steers_a_terminal_nor_runs_in_a_spreadsheet(cli: Cli, database_url: str) -> None:
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", make_workload(1), author="=\x1b[31m")
    assert cli("stats", "--by", "author", "--format", "csv").out.splitlines()[1].startswith("'=\\x1b[31m,")
    assert "\\x1b[31m" in cli("stats", "--by", "author").out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("--where", "total_gpu < 3"),
            "Error: column 1: unknown name 'total_gpu'. Did you mean total_gpus?\n  total_gpu < 3\n  ^^^^^^^^^\n",
        ),
        (("--where", "total_gpus"), "a condition is needed here"),
        (("--where", ""), "the expression is empty"),
        (("--by", "day"), "'day' is not one of 'model', 'month', 'author'"),
        (("--as-of", "2026-01-01", "--all-revisions"), "leave it or --all-revisions out"),
        (("--as-of", "yesterday"), "'yesterday' is no time"),
        (("total_gpus < 3",), "Got unexpected extra argument (total_gpus < 3)"),
    ],
)
def test_wrong_usage_says_what_would_be_right(filled: Cli, arguments: tuple[str, ...], message: str) -> None:
    outcome = filled("stats", *arguments)
    assert (outcome.exit_code, outcome.out) == (2, "")
    assert message in outcome.err
