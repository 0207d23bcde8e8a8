"""`openg2g import-history`, as a user sees it."""

import os
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, on_each_engine
from tests.git_repository import GitRepository, native


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """Make a repository of a file with two versions."""
    repository = GitRepository(tmp_path / "repository")
    repository.commit("first plan", {"fleet.json": native(18)})
    repository.commit("20 more → 38", {"fleet.json": native(38)})
    return repository


@on_each_engine
def test_a_history_is_imported_and_then_only_what_is_new(cli: Cli, repository: GitRepository) -> None:
    first, second = (repository.git("rev-parse", "--short=12", commit) for commit in ("HEAD~1", "HEAD"))
    outcome = cli("import-history", "repository/fleet.json")
    assert outcome.exit_code == 0
    assert outcome.out == (
        f"fleet: new, revision 1  {first} 2026-03-01  first plan\n"
        f"fleet: revision 1 → 2  {second} 2026-03-02  20 more → 38\n"
    )
    assert outcome.err == "2 versions in git, 2 new revisions.\n"
    again = cli("import-history", "repository/fleet.json")
    assert (again.exit_code, again.out, again.err) == (0, "", "2 versions in git, 0 new revisions.\n")


def test_a_name_can_be_given(cli: Cli, repository: GitRepository) -> None:
    assert cli("import-history", "repository/fleet.json", "--name", "lab/fleet").exit_code == 0
    assert cli("list", "--format", "names").out == "lab/fleet\n"


def test_a_dry_run_makes_no_catalog_and_stores_nothing(
    run_cli: Cli, repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENG2G_DATABASE", str(tmp_path / "new.db"))
    outcome = run_cli("import-history", repository.path / "fleet.json", "--dry-run")
    assert outcome.exit_code == 0
    assert len([line for line in outcome.out.splitlines() if not line.startswith(" ")]) == 2
    assert re.search(r"^      num_replicas +\d+ → \d+$", outcome.out, re.MULTILINE)
    assert outcome.err.endswith("Dry run: nothing was stored.\n")
    assert not (tmp_path / "new.db").exists()


def test_what_is_passed_over_is_said(cli: Cli, repository: GitRepository) -> None:
    bad = repository.commit("bad", {"fleet.json": "{"})
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit("good", {"fleet.json": native(50)})
    repository.git("checkout", "--quiet", "main")
    repository.commit("elsewhere", {"x": ""})
    repository.merge("side", strategy=("--strategy=ort",))
    outcome = cli("import-history", "repository/fleet.json")
    assert outcome.exit_code == 0
    assert f"Skipped fleet.json@{bad[:12]}:1:2: is not JSON" in outcome.err
    assert "Skipped 1 merge that took the file from a parent.\n" in outcome.err
    assert outcome.err.endswith("5 versions in git, 3 new revisions.\n")


def test_or_nothing_is_imported(
    run_cli: Cli, repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENG2G_DATABASE", str(tmp_path / "new.db"))
    repository.commit("bad", {"fleet.json": native(-1)})
    outcome = run_cli("import-history", repository.path / "fleet.json", "--bad-versions", "fail")
    assert (outcome.exit_code, outcome.out) == (4, "")
    assert "models[0].num_replicas must be >= 0, got -1." in outcome.err
    assert not (tmp_path / "new.db").exists()


def test_a_subject_does_not_steer_the_terminal(cli: Cli, repository: GitRepository) -> None:
    repository.commit("\x1b[31mred", {"fleet.json": native(1)})
    outcome = cli("import-history", "repository/fleet.json")
    assert "\\x1b[31mred" in outcome.out and "\x1b" not in outcome.out


@pytest.mark.parametrize(
    "option", ["-m", "--author", "--effective-from", "--prefix", "--rename", "--require", "--rejects"]
)
def test_what_a_commit_says_cannot_be_said_otherwise(cli: Cli, option: str) -> None:
    outcome = cli("import-history", "repository/fleet.json", option, "x")
    assert (outcome.exit_code, outcome.out) == (2, "")
    assert f"No such option: {option}" in outcome.err or f"No such option '{option}'" in outcome.err


def test_failures_are_one_line_and_an_exit_code(
    cli: Cli, repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    outside = cli("import-history", "fleet.json")
    assert outside.exit_code == 7
    assert outside.err.startswith("Error: fleet.json: is in no git repository") and outside.err.count("\n") == 1
    unknown = cli("import-history", "repository/other.json")
    assert unknown.exit_code == 7
    assert unknown.err.startswith("Error: repository/other.json is in no commit") and unknown.err.count("\n") == 1
    assert cli("import-history", "repository/fleet.txt").exit_code == 2
    monkeypatch.setenv("PATH", os.devnull)
    assert "needs git, which is not installed" in cli("import-history", "repository/fleet.json").err
