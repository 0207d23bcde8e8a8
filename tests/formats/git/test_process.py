"""git is run so that it only reads, and what it complains about is one clear line."""

import os
import shutil
from pathlib import Path

import pytest

from openg2g.formats.git.history import list_git_history
from openg2g.models.errors import SourceError
from tests.formats.git.views import replicas_of, subjects_of, versions_of
from tests.git_repository import GitRepository, native


def logged_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, first: str = ":") -> Path:
    """Put a git before git that writes a line for each run, and does something else first."""
    log, directory = tmp_path / "runs", tmp_path / "bin"
    directory.mkdir()
    program = directory / "git"
    program.write_text(f"#!/bin/sh\necho run >> '{log}'\n{first}\nexec '{shutil.which('git')}' \"$@\"\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{directory}{os.pathsep}{os.environ['PATH']}")
    return log


def test_variables_that_name_another_repository_are_not_followed(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = GitRepository(tmp_path / "other")
    other.commit("of another", {"fleet.json": native(9)})
    repository.commit("first", {"fleet.json": native(1)})
    # As in a hook, or as a user may have them.
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))
    monkeypatch.setenv("GIT_GLOB_PATHSPECS", "1")
    monkeypatch.setenv("GIT_TRACE", "1")
    monkeypatch.setenv("GIT_EXTERNAL_DIFF", "false")
    assert replicas_of(repository.path / "fleet.json") == [1]


def test_settings_of_the_repository_change_nothing_and_run_nothing(repository: GitRepository, tmp_path: Path) -> None:
    repository.commit("first", {"old.json": native(1)})
    repository.git("mv", "old.json", "fleet.json")
    repository.commit("rename")
    trap = tmp_path / "ran"
    for key, value in {
        "core.pager": f"touch {trap}",
        "core.fsmonitor": f"touch {trap}",
        "core.quotepath": "true",
        "diff.external": f"touch {trap}",
        "diff.renames": "false",
        "diff.noprefix": "true",
        "diff.trap.textconv": f"touch {trap}",
        "format.pretty": "oneline",
        "gpg.program": f"touch {trap}",
        "log.diffMerges": "off",
        "log.follow": "true",
        "log.showRoot": "false",
        "log.showSignature": "true",
        "color.ui": "always",
    }.items():
        repository.git("config", key, value)
    (repository.path / ".gitattributes").write_text("*.json diff=trap\n")
    assert subjects_of(repository.path / "fleet.json") == ["first", "rename"]
    assert not trap.exists()


def test_what_is_not_committed_is_ignored_and_the_working_tree_is_untouched(repository: GitRepository) -> None:
    repository.commit("first", {"fleet.json": native(1)})
    repository.write("fleet.json", native(2))
    repository.git("add", "fleet.json")
    repository.write("fleet.json", native(3))
    repository.write("untracked", "x")
    index = repository.path / ".git" / "index"
    before = repository.git("status", "--porcelain"), index.read_bytes(), index.stat().st_mtime_ns
    files_before = sorted(repository.path.rglob("*"))
    os.utime(repository.path / "fleet.json", (1, 1))  # git would now like to refresh its index.
    assert replicas_of(repository.path / "fleet.json") == [1]
    assert (index.read_bytes(), index.stat().st_mtime_ns) == before[1:]
    assert sorted(repository.path.rglob("*")) == files_before
    assert repository.git("status", "--porcelain") == before[0]


def test_the_number_of_processes_does_not_grow_with_the_history(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.import_many("fleet.json", [native(number) for number in range(300)])
    log = logged_git(tmp_path, monkeypatch)
    assert replicas_of(repository.path / "fleet.json") == list(range(300))
    assert len(log.read_text().splitlines()) == 5


def test_a_partial_clone_fetches_nothing(repository: GitRepository, tmp_path: Path) -> None:
    repository.git("config", "uploadpack.allowFilter", "true")
    repository.commit("first", {"fleet.json": native(1)})
    repository.commit("second", {"fleet.json": native(2)})
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--filter=blob:none", f"file://{repository.path}", str(clone))
    with pytest.raises(
        SourceError,
        match=r"fleet\.json: the clone is partial and lacks older versions of the file\. Run `git fetch --refetch",
    ):
        versions_of(clone / "fleet.json")


def test_git_that_is_not_installed(repository: GitRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(SourceError, match=r"its history needs git, which is not installed or not in PATH"):
        versions_of(repository.path / "fleet.json")


def test_a_file_outside_every_repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    (tmp_path / "fleet.json").write_text("{}")
    with pytest.raises(SourceError, match=r"fleet\.json: is in no git repository, so it has no history"):
        versions_of(tmp_path / "fleet.json")


def test_a_repository_without_a_commit(repository: GitRepository) -> None:
    repository.write("fleet.json", native())
    with pytest.raises(SourceError, match=r"the repository has no commit yet\. Commit the file"):
        versions_of(repository.path / "fleet.json")


def test_a_file_that_is_in_no_commit(repository: GitRepository) -> None:
    repository.commit("first", {"other.json": native()})
    repository.write("fleet.json", native())
    with pytest.raises(SourceError, match=r"fleet\.json is in no commit on the current branch\. Commit it"):
        versions_of(repository.path / "fleet.json")


def test_a_directory_is_no_file_now_or_then(repository: GitRepository) -> None:
    repository.commit("first", {"plans/fleet.json": native(), "x": ""})
    with pytest.raises(SourceError, match=r"plans is a directory\. Name one file"):
        versions_of(repository.path / "plans")
    repository.git("rm", "--quiet", "-r", "plans")
    repository.commit("delete")
    with pytest.raises(SourceError, match="plans is in no commit"):
        versions_of(repository.path / "plans")


@pytest.mark.parametrize("path", ["", "a\0b"])
def test_what_is_no_path(path: str) -> None:
    with pytest.raises(SourceError, match=r"is no path\. Name one file"):
        list_git_history(path)


def test_a_bare_repository_and_gits_own_directory(repository: GitRepository, tmp_path: Path) -> None:
    repository.commit("first", {"fleet.json": native()})
    repository.git("clone", "--quiet", "--bare", str(repository.path), str(tmp_path / "bare.git"))
    with pytest.raises(SourceError, match=r"is in a bare repository\. Name a file in a working tree"):
        versions_of(tmp_path / "bare.git" / "fleet.json")
    with pytest.raises(SourceError, match="is in the directory where git keeps its own files"):
        versions_of(repository.path / ".git" / "config.json")


def test_a_repository_that_git_does_not_trust(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("first", {"fleet.json": native()})
    logged_git(tmp_path, monkeypatch, "export GIT_TEST_ASSUME_DIFFERENT_OWNER=1")
    with pytest.raises(SourceError) as caught:
        versions_of(repository.path / "fleet.json")
    message = str(caught.value)
    assert "git does not trust the repository" in message
    assert f"`git config --global --add safe.directory {repository.path}`" in message
    assert "\n" not in message


def test_a_failure_of_git_is_its_own_first_line(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("first", {"fleet.json": native()})
    complaint = "printf 'warning: look out\\nfatal: the disk is on fire\\nhint: run\\n' >&2; exit 128"
    logged_git(tmp_path, monkeypatch, complaint)
    with pytest.raises(SourceError, match=r"fleet\.json: git failed: the disk is on fire$"):
        versions_of(repository.path / "fleet.json")


def test_a_content_that_is_damaged(repository: GitRepository) -> None:
    repository.commit("first", {"fleet.json": native()})
    blob = repository.git("rev-parse", "HEAD:fleet.json")
    (repository.path / ".git" / "objects" / blob[:2] / blob[2:]).unlink()
    with pytest.raises(SourceError, match=r"this clone lacks its content in commit [0-9a-f]{12}\. Run `git fetch`"):
        versions_of(repository.path / "fleet.json")


def test_git_that_takes_too_long_is_stopped(
    repository: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit("first", {"fleet.json": native()})
    logged_git(tmp_path, monkeypatch, "exec sleep 60")
    monkeypatch.setattr("openg2g.formats.git.process.TIMEOUT_S", 0.2)
    with pytest.raises(SourceError, match="git took longer than"):
        versions_of(repository.path / "fleet.json")
