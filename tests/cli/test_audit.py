import csv
import io
import json
from datetime import UTC, datetime

import pytest

from openg2g.catalog import Catalog
from tests.builders import make_workload
from tests.cli.conftest import Cli, on_each_engine
from tests.cli.test_models import on_terminal


@pytest.fixture
def filled(cli: Cli, database_url: str) -> Cli:
    """Fill the catalog with a name that broke a limit of 100 GPUs for a month, and one that still does."""
    with Catalog.open(database_url) as catalog:
        for name, month, replicas, author, message in (
            ("fleet", 3, 10, "Ada", "first"),
            ("fleet", 4, 50, "Bob <bob@example.org>", "more"),
            ("fleet", 5, 20, "Carol", "too many"),
            ("other", 4, 90, "Ada", "large"),
        ):
            when = datetime(2026, month, 1, tzinfo=UTC)
            workload = make_workload(1, num_replicas=replicas)
            catalog.save(name, workload, author=author, message=message, effective_from=when)
    return cli


@on_each_engine
def test_an_audit_says_when_a_rule_was_broken_and_by_whom(filled: Cli) -> None:
    outcome = filled("audit", "total_gpus <= 100")
    assert outcome.exit_code == 1
    assert outcome.err == ""
    assert outcome.out == (
        "name   from (UTC)        until (UTC)       broken by  mended by\n"
        "fleet  2026-04-01 00:00  2026-05-01 00:00  @2 Bob     @3 Carol\n"
        "other  2026-04-01 00:00                    @1 Ada\n"
    )


def test_a_rule_that_held_is_reported_beside_the_result(filled: Cli) -> None:
    outcome = filled("audit", "total_gpus <= limit", "--param", "limit=1000")
    assert (outcome.exit_code, outcome.out, outcome.err) == (0, "", "The rule held.\n")
    outcome = filled("audit", "True", "--format", "json")
    assert (outcome.exit_code, outcome.json, outcome.err) == (0, [], "The rule held.\n")
    assert filled("audit", "True", "--format", "jsonl").out == ""
    assert filled("audit", "True", "--format", "csv").out.count("\n") == 1


@on_each_engine
def test_the_audited_time_may_be_limited(filled: Cli) -> None:
    april = filled("audit", "total_gpus <= 100", "--since", "2026-04-10", "--until", "2026-04-20", "--format", "json")
    assert april.exit_code == 1
    assert [(entry["name"], entry["from"], entry["until"], entry["mended_by"]) for entry in april.json] == [
        ("fleet", "2026-04-10T00:00:00+00:00", None, None),
        ("other", "2026-04-10T00:00:00+00:00", None, None),
    ]
    assert filled("audit", "total_gpus <= 100", "--until", "2026-04-01").exit_code == 0
    in_berlin = filled(
        "audit", "total_gpus <= 100", "--since", "2026-04-10", "--tz", "Europe/Berlin", "--format", "json"
    )
    assert in_berlin.json[0]["from"] == "2026-04-09T22:00:00+00:00"
    assert filled("audit", "False", "--known-at", "2020-01-01").exit_code == 0


def test_formats_say_the_same(filled: Cli) -> None:
    listed = filled("audit", "total_gpus <= 100", "--format", "json").json
    assert (listed[0]["broken_by"]["reference"], listed[0]["broken_by"]["author"]) == (
        "fleet@2",
        "Bob <bob@example.org>",
    )
    assert (listed[0]["mended_by"]["message"], listed[1]["mended_by"]) == ("too many", None)
    lines = filled("audit", "total_gpus <= 100", "--format", "jsonl").out.splitlines()
    assert [json.loads(line) for line in lines] == listed
    outcome = filled("audit", "total_gpus <= 100", "--format", "csv")
    assert outcome.exit_code == 1
    rows = list(csv.DictReader(io.StringIO(outcome.out)))
    assert rows[0] == {
        "name": "fleet",
        "from": "2026-04-01T00:00:00+00:00",
        "until": "2026-05-01T00:00:00+00:00",
        **{
            f"{end}{suffix}": listed[0][end][key]
            for end in ("broken_by", "mended_by")
            for suffix, key in (
                ("", "reference"),
                ("_recorded_at", "recorded_at"),
                ("_author", "author"),
                ("_message", "message"),
            )
        },
    }
    assert [rows[1][f"mended_by{suffix}"] for suffix in ("", "_recorded_at", "_author", "_message")] == [""] * 4


@pytest.mark.parametrize("width", [80, 120])
def test_long_authors_are_cut_on_a_terminal_only(cli: Cli, database_url: str, width: int) -> None:
    with Catalog.open(database_url) as catalog:
        for month, replicas in ((3, 90), (4, 1)):
            when = datetime(2026, month, 1, tzinfo=UTC)
            workload = make_workload(1, num_replicas=replicas)
            catalog.save("fleet", workload, author="Maximiliana Mustermann the Third", effective_from=when)
    lines = on_terminal(width, "audit", "total_gpus <= 100", exit_code=1)
    assert max(map(len, lines)) <= width
    assert lines[1].count("Maximiliana") == 2
    assert cli("audit", "total_gpus <= 100").out.count("Maximiliana Mustermann the Third") == 2


def test_stored_text_neither_steers_a_terminal_nor_runs_in_a_spreadsheet(cli: Cli, database_url: str) -> None:
    with Catalog.open(database_url) as catalog:
        catalog.save("fleet", make_workload(1), author="\x1b[31mAda", message="=1+1")
    assert "\\x1b[31mAda" in cli("audit", "False").out
    (row,) = csv.DictReader(io.StringIO(cli("audit", "False", "--format", "csv").out))
    assert (row["broken_by_author"], row["broken_by_message"]) == ("\\x1b[31mAda", "'=1+1")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ("total_gpu <= 3",),
            "Error: column 1: unknown name 'total_gpu'. Did you mean total_gpus?\n  total_gpu <= 3\n  ^^^^^^^^^\n",
        ),
        (("total_gpus",), "a condition is needed here"),
        (("",), "the expression is empty"),
        ((), "Missing argument 'EXPR'"),
        (("True", "--since", "2026-03-01", "--until", "2026-03-01"), "--until must be later than --since."),
        (("True", "--since", "2026-03-01T12:00"), "does not say its zone"),
        (("True", "--as-of", "2026-03-01"), "No such option '--as-of'"),
        (("total_gpus < limit", "--param", "limit"), "--param 'limit': write NAME=VALUE"),
    ],
)
def test_wrong_usage_says_what_would_be_right(filled: Cli, arguments: tuple[str, ...], message: str) -> None:
    outcome = filled("audit", *arguments)
    assert (outcome.exit_code, outcome.out) == (2, "")
    assert message in outcome.err
