"""Which commits count as the history of a file: renames, deletions, branches and merges."""

from pathlib import Path

import pytest

from openg2g.formats.document import Document
from openg2g.formats.git.history import SkippedVersion
from tests.formats.git.views import documents_of_history, replicas_of, subjects_of, versions_of
from tests.git_repository import GitRepository, native


def test_a_rename_is_followed(repository: GitRepository) -> None:
    repository.commit("first", {"old.json": native(1)})
    repository.commit("second", {"old.json": native(2)})
    repository.git("mv", "old.json", "new name.json")
    repository.commit("rename")
    repository.commit("third", {"new name.json": native(3)})
    versions = versions_of(repository.path / "new name.json")
    assert [version.path for version in versions] == ["old.json", "old.json", "new name.json", "new name.json"]
    assert replicas_of(repository.path / "new name.json") == [1, 2, 2, 3]


def test_several_renames_with_edits_and_into_directories_are_followed(repository: GitRepository) -> None:
    repository.commit("1", {"a.json": native(1)})
    repository.git("mv", "a.json", "b.json")
    repository.commit("2", {"b.json": native(2)})
    repository.write("plans/x", "")
    repository.git("mv", "b.json", "plans/c.json")
    repository.commit("3", {"plans/c.json": native(3)})
    assert replicas_of(repository.path / "plans" / "c.json") == [1, 2, 3]


def test_a_copy_does_not_inherit_the_history_of_its_original(repository: GitRepository) -> None:
    repository.commit("1", {"a.json": native(1)})
    repository.commit("2", {"a.json": native(2)})
    repository.commit("copy", {"b.json": native(2)})
    assert subjects_of(repository.path / "b.json") == ["copy"]


def test_a_renamed_and_edited_file_is_not_mistaken_for_a_more_similar_one_that_stayed(
    repository: GitRepository,
) -> None:
    repository.commit("sibling", {"b.json": native(3), "a.json": native(1, note="x" * 40)})
    repository.git("mv", "a.json", "c.json")
    repository.commit("rename", {"c.json": native(3)})
    assert [version.path for version in versions_of(repository.path / "c.json")] == ["a.json", "c.json"]


def test_what_had_the_path_before_the_rename_was_another_file(repository: GitRepository) -> None:
    repository.commit("another file", {"fleet.json": "x" * 200})
    repository.commit("next plan", {"next.json": native(1)})
    (repository.path / "fleet.json").unlink()
    repository.commit("drop it")
    repository.git("mv", "next.json", "fleet.json")
    repository.commit("rename")
    repository.commit("use the old path again", {"next.json": native(5)})
    assert subjects_of(repository.path / "fleet.json") == ["next plan", "rename"]


def test_a_branch_that_still_has_the_old_path_counts_too(repository: GitRepository) -> None:
    repository.commit("first", {"old.json": native(1)})
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit("on the side", {"old.json": native(2)})
    repository.git("checkout", "--quiet", "main")
    repository.git("mv", "old.json", "new.json")
    repository.commit("rename")
    repository.merge("side", strategy=("--strategy=ort",))
    assert subjects_of(repository.path / "new.json") == ["first", "on the side", "rename", "merge side"]
    assert replicas_of(repository.path / "new.json") == [1, 2, 1, 2]


def test_a_file_that_was_deleted_and_added_again(repository: GitRepository) -> None:
    repository.commit("first", {"fleet.json": native(1)})
    (repository.path / "fleet.json").unlink()
    repository.commit("delete")
    repository.commit("add again", {"fleet.json": native(2)})
    versions = versions_of(repository.path / "fleet.json")
    assert [(version.subject, version.kind) for version in versions] == [
        ("first", "file"),
        ("delete", "deleted"),
        ("add again", "file"),
    ]
    assert versions[1].content is None
    _, skipped, _ = documents_of_history(str(repository.path / "fleet.json"))
    assert isinstance(skipped, SkippedVersion) and skipped.reason == "deletes the file."


def test_a_file_and_a_directory_that_are_gone_still_have_a_history(repository: GitRepository) -> None:
    repository.commit("first", {"plans/2026/fleet.json": native(1), "x": ""})
    repository.git("rm", "--quiet", "-r", "plans")
    repository.commit("delete")
    assert not (repository.path / "plans").exists()
    assert subjects_of(repository.path / "plans" / "2026" / "fleet.json") == ["first", "delete"]


def test_a_repository_of_sha256(tmp_path: Path) -> None:
    repository = GitRepository(tmp_path / "repository", object_format="sha256")
    commit = repository.commit("first", {"old.json": native(1)})
    repository.git("mv", "old.json", "fleet.json")
    repository.commit("rename")
    assert len(commit) == 64
    assert replicas_of(repository.path / "fleet.json") == [1, 1]


def test_a_merge_that_takes_the_file_from_a_parent_is_skipped(repository: GitRepository) -> None:
    repository.commit("first", {"fleet.json": native(1)})
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit("on the side", {"fleet.json": native(2)})
    repository.git("checkout", "--quiet", "main")
    repository.commit("elsewhere", {"x": ""})
    repository.merge("side", strategy=("--strategy=ort",))
    *_, merge = documents_of_history(str(repository.path / "fleet.json"))
    assert isinstance(merge, SkippedVersion)
    assert merge.version.is_repetition
    assert merge.reason == "is a merge that takes the file from a parent."


def test_a_merge_with_a_file_of_its_own_is_a_version(repository: GitRepository) -> None:
    diverge(repository)
    repository.merge("side", {"fleet.json": native(99)})
    assert sorted(replicas_of(repository.path / "fleet.json")[1:-1]) == [2, 3]
    assert replicas_of(repository.path / "fleet.json")[-1] == 99


@pytest.mark.parametrize("taken", [2, 3])
def test_the_last_version_is_what_is_checked_out_whichever_parent_a_merge_took(
    repository: GitRepository, taken: int
) -> None:
    diverge(repository)
    repository.merge("side", {"fleet.json": native(taken)})
    replicas = [
        outcome.workload.models[0].num_replicas
        for outcome in documents_of_history(str(repository.path / "fleet.json"))
        if isinstance(outcome, Document)
    ]
    assert (replicas[0], set(replicas), replicas[-1]) == (1, {1, 2, 3}, taken)


def diverge(repository: GitRepository) -> None:
    """Change the file on two branches."""
    repository.commit("first", {"fleet.json": native(1)})
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit("on the side", {"fleet.json": native(2)})
    repository.git("checkout", "--quiet", "main")
    repository.commit("on main", {"fleet.json": native(3)})
