"""What commands say of a name whose highest number is not what is in force: planned for later, or dated back."""

from pathlib import Path

import pytest

from openg2g.catalog import Catalog
from tests.catalog.histories import add_latest_alias
from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import SMALL, small, write

LABEL = SMALL["models"][0]["model_label"]


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """Record @1 from April, @2 from May and @3 from April again, of one name, and a plan of another."""
    for name, replicas, since in (("fleet", 18, "04"), ("fleet", 20, "05"), ("fleet", 19, "04")):
        source = write(tmp_path / "small.json", small(num_replicas=replicas))
        options = ("--name", name, "--author", "Ada", "-m", f"{replicas} replicas")
        assert cli("import", source, *options, "--effective-from", f"2026-{since}-01").exit_code == 0
    source = write(tmp_path / "small.json", small(num_replicas=50))
    cli("import", source, "--name", "plan", "--author", "Ada", "--effective-from", "2999-01-01")
    return cli


@on_each_engine
def test_a_list_shows_what_is_in_force_and_marks_what_is_newer(filled: Cli) -> None:
    listed = filled("list")
    assert listed.out == (
        "name   rev  newer          models  GPUs  in force from (UTC)  author  message\n"
        "fleet    2  @3 back-dated       1    80  2026-05-01 00:00     Ada     20 replicas\n"
    )
    assert listed.err == "Not in force yet: plan. `openg2g list --latest` lists them.\n"
    filled("set", "fleet", f"{LABEL}.num_replicas=30", "-m", "later", "--effective-from", "2999-01-01")
    assert "fleet    2  @4 planned       1    80  2026-05-01 00:00" in filled("list").out


@on_each_engine
def test_a_list_of_the_highest_numbers_says_what_is_in_force(filled: Cli) -> None:
    listed = filled("list", "--latest")
    assert "fleet    3  @2 " in listed.out and "plan     1  nothing yet " in listed.out
    assert listed.err == ""
    assert filled("list", "--latest", "--as-of", "2026-05-01").exit_code == 2


@on_each_engine
def test_programs_get_both_numbers(filled: Cli) -> None:
    keys = ("name", "number", "in_force_number", "latest_number")
    for options, expected in (((), [("fleet", 2, 2, 3)]), (("--latest",), [("fleet", 3, 2, 3), ("plan", 1, None, 1)])):
        listed = filled("list", "--format", "json", *options).json
        assert [tuple(entry[key] for key in keys) for entry in listed] == expected
        header, *rows = filled("list", "--format", "csv", *options).out.splitlines()
        assert header.endswith(",source,in_force_number,latest_number")
        assert [row.rsplit(",", 2)[1:] for row in rows] == [
            ["" if number is None else str(number) for number in entry[2:]] for entry in expected
        ]
    assert filled("list", "--format", "references").out == "fleet@2\n"
    shown = filled("show", "fleet", "--format", "json").json
    assert [shown[key] for key in keys[2:]] == [2, 3]


@on_each_engine
def test_a_list_of_another_time_marks_and_names_nothing(filled: Cli) -> None:
    listed = filled("list", "--as-of", "2026-04-15")
    assert "newer" not in listed.out and listed.out.splitlines()[1].startswith("fleet    3 ")
    assert listed.err == ""


@on_each_engine
def test_a_list_of_nothing_says_why(filled: Cli) -> None:
    listed = filled("list", "plan")
    assert (listed.out, listed.err.count("plan")) == ("Nothing is in force yet.\n", 1)
    filled("retire", "fleet")
    assert filled("list", "fleet").out == "Every name is retired; --retired lists them.\n"
    assert filled("list", "--latest", "fleet").out == "Every name is retired; --retired lists them.\n"
    assert filled("list", "nobody").out == "No name matches nobody.\n"


@on_each_engine
def test_many_names_that_lie_ahead_are_counted(cli: Cli, tmp_path: Path) -> None:
    for number in range(12):
        source = write(tmp_path / f"p{number:02}.json", SMALL | {"name": f"p{number:02}"})
        cli("import", source, "--effective-from", "2999-01-01")
    assert cli("list").err.startswith("Not in force yet: p00, p01, ") and "p09 and 2 more." in cli("list").err


@on_each_engine
def test_an_export_of_all_is_what_is_in_force(filled: Cli) -> None:
    exported = filled("export", "--all", "--format", "jsonl")
    assert '"number":2' in exported.out and len(exported.out.splitlines()) == 1
    assert exported.err == "Not in force yet: plan. `openg2g list --latest` lists them.\n"
    assert filled("export", "fleet", "--format", "jsonl").out == exported.out
    assert '"num_replicas": 50' in filled("export", "plan@latest").out


@on_each_engine
def test_show_says_what_is_newer_and_what_is_not_in_force(filled: Cli) -> None:
    shown = filled("show", "fleet").out
    assert "workload       fleet@2\n" in shown and "in force from  2026-05-01" in shown
    assert "newer          fleet@3, back-dated, effective from 2026-04-01 00:00:00 UTC\n" in shown
    latest = filled("show", "fleet@latest").out
    assert "workload       fleet@3\n" in latest and "effective from 2026-04-01" in latest
    assert "\nnewer " not in latest and "\nin force from" not in latest
    ahead = filled("show", "plan")
    assert ahead.exit_code == 3
    assert "applies from 2999-01-01" in ahead.err and "; use plan@latest" in ahead.err


@on_each_engine
def test_set_starts_from_what_show_shows_and_says_what_is_newer(filled: Cli) -> None:
    outcome = filled("set", "fleet", f"{LABEL}.num_replicas=21", "-m", "one more")
    assert outcome.out == "fleet: revision 3 → 4\n"
    assert outcome.err.splitlines()[:2] == [
        "fleet@3 is newer, but back-dated: starting from fleet@2.",
        "fleet@2 → next revision of fleet",
    ]
    assert "num_replicas  20 → 21" in outcome.err
    outcome = filled("set", "fleet@latest", f"{LABEL}.num_replicas=22", "-m", "one more", "--dry-run")
    assert outcome.err.startswith("fleet@4 → next revision of fleet\n")
    assert filled("set", "plan", f"{LABEL}.num_replicas=22", "-m", "why").exit_code == 3
    assert filled("set", "plan@latest", f"{LABEL}.num_replicas=22", "-m", "why").out == "plan: revision 1 → 2\n"


@on_each_engine
def test_a_dry_run_shows_what_changes_from_then_on(filled: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "new.json", small(num_replicas=25))
    now = filled("import", source, "--name", "fleet", "--dry-run").out
    assert "num_replicas  20 → 25" in now
    then = filled("import", source, "--name", "fleet", "--dry-run", "--effective-from", "2026-04-15").out
    assert "num_replicas  19 → 25" in then
    before = filled("import", source, "--name", "fleet", "--dry-run", "--effective-from", "2026-01-01").out
    assert before == "fleet: revision 3 → 4\n"


@on_each_engine
def test_every_other_command_means_what_is_in_force(filled: Cli) -> None:
    assert filled("diff", "fleet", "fleet@2").out == "fleet@2 → fleet@2: no difference\n"
    assert filled("diff", "fleet@latest", "fleet").out.startswith("fleet@3 → fleet@2\n")
    assert filled("blame", "fleet").out.startswith("fleet@2\n")
    assert filled("alias", "set", "fleet@production").out == "fleet@production: revision 2\n"
    assert filled("check", "fleet", "--target", "json").exit_code == 0
    assert filled("check", "plan", "--target", "json").exit_code == 3
    assert len(filled("log", "plan", "--format", "jsonl").out.splitlines()) == 1


@on_each_engine
def test_latest_is_no_alias(filled: Cli) -> None:
    refused = filled("alias", "set", "fleet@latest", "1")
    assert refused.exit_code == 2
    assert refused.err == "Error: alias 'latest' is reserved: NAME@latest is the revision with the highest number.\n"


@on_each_engine
def test_an_alias_that_was_called_latest_can_be_removed(filled: Cli) -> None:
    with Catalog.open() as catalog:
        add_latest_alias(catalog, "fleet", 1)
    refused = filled("show", "fleet@latest")
    assert refused.exit_code == 3
    assert refused.err == (
        "Error: fleet@latest is an alias of revision 1, and means the highest number, 3. Write fleet@1 or fleet@3, or "
        "remove the alias. `openg2g alias remove fleet@latest` removes it.\n"
    )
    assert filled("alias", "remove", "fleet@latest").exit_code == 0
    assert filled("show", "fleet@latest").out.startswith("workload       fleet@3\n")


@on_each_engine
def test_show_says_what_was_known_of_a_name_that_is_another_now(filled: Cli) -> None:
    filled("alias", "set", "fleet@production")
    with Catalog.open() as catalog:
        known_at = catalog.alias_log("fleet")[-1].recorded_at.isoformat()
    filled("rename", "fleet", "old")
    filled("rename", "plan", "fleet")
    shown = filled("show", "fleet", "--known-at", known_at).out
    assert shown.startswith("workload       old@2\n")
    assert "aliases        production\n" in shown and "newer          old@3, back-dated" in shown


@on_each_engine
def test_a_planned_retirement_is_no_retirement_yet(filled: Cli) -> None:
    assert filled("retire", "fleet", "--effective-from", "2999-01-01").out == "fleet: revision 3 → 4, retired\n"
    assert "fleet    2  @4 planned" in filled("list").out
    assert "fleet    4  @2 " in filled("list", "--latest").out
    assert filled("restore", "fleet").out == "fleet: revision 4 → 5\n"
    assert filled("export", "fleet", "--as-of", "2999-01-02").exit_code == 0


def test_a_plan_that_ends_a_retirement_is_told(filled: Cli, tmp_path: Path) -> None:
    filled("set", "fleet", f"{LABEL}.num_replicas=30", "-m", "plan", "--effective-from", "2999-01-01")
    source = write(tmp_path / "small.json", small(num_replicas=21))
    filled("import", source, "--name", "fleet", "--author", "Ada")
    shown = filled("show", "fleet")
    assert "upcoming       fleet@4, planned, effective from 2999-01-01 00:00:00 UTC\n" in shown.out
    retired = filled("retire", "fleet")
    assert retired.err == (
        "fleet@4 comes into force at 2999-01-01T00:00:00Z, as planned. To prevent that, run: "
        "openg2g retire fleet --effective-from 2999-01-01T00:00:00Z\n"
    )
    prevented = filled(*retired.err.rpartition("run: openg2g ")[2].split())
    assert (prevented.exit_code, prevented.err) == (0, "")
    assert "upcoming" not in filled("show", "fleet@latest").out
