"""The commands about names and their past."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import SMALL, small, write


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """Record three revisions that apply from March, April and May."""
    for replicas, month in ((18, "03"), (20, "04"), (22, "05")):
        source = write(tmp_path / "small.json", small(num_replicas=replicas))
        cli("import", source, "--author", "Ada", "-m", f"plan of {month}", "--effective-from", f"2026-{month}-01")
    return cli


def replicas(cli: Cli, *arguments: str) -> int:
    """Return the replicas of what a command shows."""
    shown = cli("show", *arguments, "--format", "json").json
    count: int = shown["models"][0]["num_replicas"]
    return count


@on_each_engine
def test_a_workload_is_shown_as_of_any_time(filled: Cli) -> None:
    assert replicas(filled, "small@2026-04-15") == 20
    assert replicas(filled, "small", "--as-of", "2026-03-31T23:59:59Z") == 18
    assert replicas(filled, "small", "--as-of", "2026-05-01T01:00", "--tz", "Europe/Berlin") == 20
    assert replicas(filled, "small@-1") == 20
    outcome = filled("show", "small@2026-02-28")
    assert outcome.exit_code == 3
    assert "the first revision applies from 2026-03-01" in outcome.err


def test_list_export_and_diff_take_times(filled: Cli) -> None:
    assert "72  2026-03-01" in filled("list", "--as-of", "2026-03-15").out
    assert filled("list", "--as-of", "2026-02-01").out == "Nothing was in force then.\n"
    assert filled("export", "small", "--as-of", "2026-04-15").json["models"][0]["num_replicas"] == 20
    assert filled("export", "--all", "--as-of", "2026-04-15").json["models"][0]["num_replicas"] == 20
    assert "18 → 20" in filled("diff", "small@2026-03-15", "small@2026-04-15").out


@on_each_engine
def test_what_was_known_is_asked_by_the_time_of_recording(filled: Cli, tmp_path: Path) -> None:
    recorded_at = filled("show", "small", "--format", "json").json["revision"]["recorded_at"]
    write(tmp_path / "small.json", small(num_replicas=99))
    filled("import", tmp_path / "small.json", "--effective-from", "2026-04-01")
    assert replicas(filled, "small@2026-04-15") == 99
    assert replicas(filled, "small@2026-04-15", "--known-at", recorded_at) == 20
    assert filled("log", "small", "--known-at", recorded_at, "--format", "json").json[0]["number"] == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--as-of", "2026-03-01T12:00"), "does not say its zone"),
        (("--as-of", "2026-03-01T12:00", "--tz", "Europe/Berln"), "Did you mean Europe/Berlin"),
        (("--as-of", "2026-03-29T02:30", "--tz", "Europe/Berlin"), "the clocks go forward"),
        (("--as-of", "2026-10-25T02:30", "--tz", "Europe/Berlin"), "the clocks go back"),
        (("--known-at", "0000-01-01"), "is no time"),
    ],
)
def test_a_time_that_cannot_be_meant_is_refused(filled: Cli, arguments: tuple[str, ...], message: str) -> None:
    outcome = filled("show", "small", *arguments)
    assert outcome.exit_code == 2
    assert message in outcome.err


@on_each_engine
def test_a_log_has_a_line_for_each_revision_latest_first(filled: Cli) -> None:
    lines = filled("log", "small").out.splitlines()
    assert [line.split()[2] for line in lines] == ["small@3", "small@2", "small@1"]
    assert lines[0].endswith("88 GPUs from 2026-05-01 00:00  Ada  plan of 05")
    assert filled("log", "--reverse", "--limit", "1").out.split()[2] == "small@1"
    assert filled("log", "--author", "Bob").out == ""
    assert [json.loads(line)["number"] for line in filled("log", "--format", "jsonl").out.splitlines()] == [3, 2, 1]


@on_each_engine
def test_a_log_with_patches_shows_what_changed(filled: Cli) -> None:
    out = filled("log", "small", "--patch").out
    assert "      num_replicas  20 → 22\n" in out
    assert "added    Llama-3.1-70B" in out


def test_a_log_of_a_time_that_ends_before_it_starts_is_refused(filled: Cli) -> None:
    outcome = filled("log", "--since", "2026-05-01", "--until", "2026-04-01")
    assert outcome.exit_code == 2
    assert "--until must be later than --since." in outcome.err


def test_patches_are_for_a_table(filled: Cli) -> None:
    outcome = filled("log", "small", "--patch", "--format", "json")
    assert outcome.exit_code == 2
    assert "Use `openg2g diff A B --format json`." in outcome.err


@pytest.mark.parametrize("renames", [("small",), ("small=a", "small=b")])
def test_a_rename_that_says_no_new_name_or_two_is_refused(
    filled: Cli, tmp_path: Path, renames: tuple[str, ...]
) -> None:
    archive = tmp_path / "catalog.jsonl"
    filled("export", "--all", "--history", "-o", archive)
    options = [part for rename in renames for part in ("--rename", rename)]
    outcome = filled("import", archive, *options)
    assert outcome.exit_code == 2
    assert f"--rename {renames[-1]!r}: write OLD=NEW, once for each name." in outcome.err


def test_an_archive_is_whole_and_documents_are_named_otherwise(filled: Cli, tmp_path: Path) -> None:
    archive = tmp_path / "catalog.jsonl"
    filled("export", "--all", "--history", "-o", archive)
    for arguments, message in (
        ((archive, "--keep-going", "--rejects", tmp_path / "rejects.jsonl"), "--keep-going is for documents."),
        ((tmp_path / "small.json", "--prefix", "paper/"), "--rename and --prefix are for archives."),
    ):
        outcome = filled("import", *arguments)
        assert outcome.exit_code == 2
        assert message in outcome.err


@on_each_engine
def test_a_name_is_retired_and_restored(filled: Cli) -> None:
    assert filled("retire", "small", "-m", "done").out == "small: revision 3 → 4, retired\n"
    assert filled("list").out == "Every name is retired; --retired lists them.\n"
    assert "retired" in filled("list", "--retired").out
    assert "small@4 (retires the name)" in filled("show", "small").out
    shown = filled("show", "small@4", "--format", "json").json
    assert (shown["name"], shown["retired"], shown["revision"]["number"]) == ("small", True, 4)
    outcome = filled("export", "small")
    assert outcome.exit_code == 3
    assert "`openg2g restore small` brings it back" in outcome.err
    assert filled("restore", "small").out == "small: revision 4 → 5\n"
    assert replicas(filled, "small") == 22
    assert filled("retire", "nothing").exit_code == 3


@on_each_engine
def test_compare_and_swap_has_an_exit_code_of_its_own(filled: Cli) -> None:
    outcome = filled("retire", "small", "--expect", "2")
    assert outcome.exit_code == 8
    assert "expected revision 2 to be the latest, but it is 3" in outcome.err


@on_each_engine
def test_a_renamed_name_is_explained(filled: Cli) -> None:
    assert filled("rename", "small", "tiny").out == "small: renamed to tiny\n"
    assert replicas(filled, "tiny@1") == 18
    outcome = filled("show", "small")
    assert outcome.exit_code == 3
    assert "changed to tiny on" in outcome.err
    assert filled("rename", "tiny", "tiny").exit_code == 2


@on_each_engine
def test_aliases_move_and_every_move_is_listed(filled: Cli) -> None:
    assert filled("alias", "set", "small@production", "1", "-m", "approved").out == "small@production: revision 1\n"
    assert filled("alias", "set", "small@production").out == "small@production: revision 3\n"
    assert replicas(filled, "small@production") == 22
    assert filled("alias", "list", "small").out == "alias       rev\nproduction    3\n"
    assert filled("alias", "list", "small", "--format", "json").json == {"production": 3}
    assert filled("alias", "remove", "small@production").exit_code == 0
    moves = filled("alias", "log", "small", "--format", "json").json
    assert [move["revision_number"] for move in moves] == [1, 3, None]
    assert filled("show", "small@production").exit_code == 3
    assert filled("alias", "set", "small@2026-01-01").exit_code == 2
    assert filled("alias", "set", "small").exit_code == 2
    assert filled("alias", "set", "small@production", "9").exit_code == 3


@on_each_engine
def test_tags_are_set_shown_and_removed(filled: Cli) -> None:
    assert filled("tag", "small", "team=grid", "draft").out == "draft\nteam=grid\n"
    assert "tags           draft, team=grid\n" in filled("show", "small").out
    assert filled("tag", "small", "--remove", "draft").out == "team=grid\n"
    assert filled("tag", "small", "a=1", "a=2").exit_code == 2


@on_each_engine
def test_an_archive_travels_by_files(filled: Cli, tmp_path: Path) -> None:
    archive, elsewhere = tmp_path / "catalog.jsonl", tmp_path / "elsewhere.db"
    assert filled("export", "--all", "--history", "-o", archive).exit_code == 0
    assert filled("verify", archive).out == f"{archive}: sound, 7 entries\n"
    assert filled("import", archive, "--database", elsewhere).out == "small: 3 revisions added\n"
    assert filled("import", archive, "--database", elsewhere).out == "small: unchanged\n"
    assert (
        filled("import", archive, "--prefix", "paper/", "--database", elsewhere).out
        == "paper/small: 3 revisions added\n"
    )
    again = tmp_path / "again.jsonl"
    filled("export", "--all", "--history", "-o", again)
    assert again.read_bytes() == archive.read_bytes()
    archive.write_bytes(archive.read_bytes().replace(b"plan of 04", b"plan of 05"))
    outcome = filled("import", archive, "--database", elsewhere)
    assert outcome.exit_code == 4
    assert "the archive was changed" in outcome.err


@on_each_engine
def test_a_catalog_is_copied_and_verified(filled: Cli, database_url: str, tmp_path: Path) -> None:
    target = tmp_path / "copy.db"
    assert filled("copy", database_url, target).out == "small: 3 revisions added\n"
    assert filled("copy", database_url, target, "small").out == "small: unchanged\n"
    assert filled("verify", "--database", target).out == f"{target}: sound, names: 1, revisions: 3\n"
    write(tmp_path / "small.json", SMALL)
    filled("import", tmp_path / "small.json", "--database", target)
    write(tmp_path / "small.json", small(num_replicas=5))
    filled("import", tmp_path / "small.json")
    outcome = filled("copy", database_url, target)
    assert outcome.exit_code == 8
    assert "part at revision 4" in outcome.err
    assert filled("copy", database_url, target, "--rename", "small=theirs").out == "theirs: 4 revisions added\n"


@pytest.mark.parametrize("options", [(), ("small",), ("--all", "--format", "json"), ("--all", "--as-of", "2026-01-01")])
def test_history_is_exported_of_the_whole_catalog_only(filled: Cli, options: tuple[str, ...]) -> None:
    assert filled("export", "--history", *options).exit_code == 2


def test_an_export_onto_the_catalog_itself_is_refused(run_cli: Cli, tmp_path: Path) -> None:
    database = tmp_path / "catalog.json"
    run_cli("import", write(tmp_path / "small.json", SMALL), "--database", database)
    outcome = run_cli("export", "small", "-o", database, "--force", "--database", database)
    assert outcome.exit_code == 2
    assert "is the catalog itself" in outcome.err
    assert run_cli("list", "--format", "names", "--database", database).out == "small\n"
