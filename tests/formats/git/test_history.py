"""The committed versions of a file and the documents in them, read from real repositories."""

import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openg2g.formats.document import Document
from openg2g.formats.git.history import list_git_history
from openg2g.models.errors import InvalidDocumentError, SourceError
from tests.formats.git.views import documents_of_history, replicas_of, subjects_of, versions_of
from tests.git_repository import BOB, GitRepository, config_0_1, config_0_2, native


def test_every_commit_of_the_file_is_a_version_oldest_first(repository: GitRepository) -> None:
    first = repository.commit("first plan", {"fleet.json": native(1)})
    repository.commit("something else", {"other.txt": "1"})
    environment = {"GIT_AUTHOR_NAME": BOB[0], "GIT_AUTHOR_EMAIL": BOB[1]}
    second = repository.commit("more", {"fleet.json": native(2)}, **environment)
    one, two = versions_of(repository.path / "fleet.json")
    assert (one.commit, one.path, one.author, one.subject) == (
        first,
        "fleet.json",
        "Ada Lovelace <ada@example.org>",
        "first plan",
    )
    assert (two.commit, two.author) == (second, "Bob <bob@example.org>")
    assert one.authored_at == datetime(2026, 3, 1, 12, tzinfo=UTC)
    assert (one.kind, one.where) == ("file", f"fleet.json@{first[:12]}")
    assert one.content == (repository.path / "fleet.json").read_bytes().replace(b": 2,", b": 1,")


def test_a_document_carries_its_commit_in_place_of_what_the_file_says(repository: GitRepository) -> None:
    revision = {"author": "Somebody", "message": "exported", "effective_from": "2020-01-01T00:00:00Z", "number": 7}
    commit = repository.commit("why", {"plans/fleet.json": native(revision=revision)})
    (document,) = documents_of_history(str(repository.path / "plans" / "fleet.json"))
    assert isinstance(document, Document)
    assert document.where == f"plans/fleet.json@{commit[:12]}"
    data = document.revision
    assert (data.author, data.message, data.source) == (
        "Ada Lovelace <ada@example.org>",
        "why",
        f"git:{commit}:plans/fleet.json",
    )
    assert (data.effective_from, data.number, data.digest) == (datetime(2026, 3, 1, 12, tzinfo=UTC), None, None)


def test_the_author_date_counts_in_utc_and_not_the_committer_date(repository: GitRepository) -> None:
    dates = {"GIT_AUTHOR_DATE": "2026-03-01T01:30:00+0530", "GIT_COMMITTER_DATE": "2026-05-01T00:00:00-0800"}
    repository.commit("east", {"fleet.json": native(1)}, **dates)
    repository.commit("west", {"fleet.json": native(2)}, GIT_AUTHOR_DATE="2026-03-01T20:00:00-0930")
    east, west = versions_of(repository.path / "fleet.json")
    assert east.authored_at == datetime(2026, 2, 28, 20, tzinfo=UTC)
    assert west.authored_at == datetime(2026, 3, 2, 5, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("message", "subject"),
    [
        (b"say \"more\" & 'less' $(rm) `x` %H \\n", "say \"more\" & 'less' $(rm) `x` %H \\n"),
        (b"two lines\nof a subject\n\nand a body\n", "two lines of a subject"),
        ("größer → 20 %, 容量".encode(), "größer → 20 %, 容量"),
        (b"a tab\tand \x1b[31mred", "a tab\tand \x1b[31mred"),
        (b":100644 looks like a raw entry", ":100644 looks like a raw entry"),
        (b"", ""),
    ],
)
def test_a_subject_of_any_characters(repository: GitRepository, message: bytes, subject: str) -> None:
    repository.commit(message, {"fleet.json": native()})
    repository.commit("next", {"fleet.json": native(2)})
    assert subjects_of(repository.path / "fleet.json") == [subject, "next"]


def test_a_subject_and_an_author_that_are_not_utf_8(repository: GitRepository) -> None:
    repository.commit("first", {"fleet.json": native(1)})
    repository.change_commit((b"first", b"gr\xf6\xdfer"), (b"Ada Lovelace", b"Ada L\xf6velace"))
    (version,) = versions_of(repository.path / "fleet.json")
    assert (version.subject, version.author) == ("gr\ufffd\ufffder", "Ada L\ufffdvelace <ada@example.org>")


def test_a_message_in_another_encoding_is_recoded(repository: GitRepository) -> None:
    repository.git("config", "i18n.commitEncoding", "ISO-8859-1")
    repository.commit("größer".encode("latin-1"), {"fleet.json": native()})
    assert subjects_of(repository.path / "fleet.json") == ["größer"]


@pytest.mark.parametrize(
    "path",
    [
        "two words.json",
        "a*.json",
        "-rf.json",
        "--help.json",
        ":(glob)x.json",
        ":!x.json",
        "[a].json",
        "größe → 容量.json",
        'quote".json',
        "new\nline.json",
        "deep/er/a b/-x.json",
    ],
)
def test_a_path_of_any_characters_is_no_option_and_no_pattern(
    repository: GitRepository, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoys = {"ab.json": native(7), "a.json": native(8), "x.json": native(9), "deep/er/other.json": native(6)}
    commit = repository.commit("first", {path: native(1), **decoys})
    repository.commit("decoys", {name: native(5) for name in decoys})
    repository.commit("second", {path: native(2)})
    monkeypatch.chdir(repository.path)
    assert replicas_of(path) == [1, 2]
    assert versions_of(path)[0].source == f"git:{commit}:{path}"


def test_a_path_that_is_not_utf_8(repository: GitRepository) -> None:
    name = os.fsdecode(b"gr\xf6\xdfe.json")
    repository.commit("first", {name: native(1)})
    (version,) = versions_of(repository.path / name)
    assert version.path == "gr\ufffd\ufffde.json"


def test_a_path_is_found_from_anywhere(
    repository: GitRepository, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    repository.commit("first", {"plans/2026/fleet.json": native(1), "plans/x": "", "a/fleet.json": native(9)})
    (tmp_path / "link").symlink_to(repository.path / "plans")
    for directory, path in [
        (tmp_path, "repository/plans/2026/fleet.json"),
        (repository.path, "plans/2026/fleet.json"),
        (repository.path / "plans", "2026/fleet.json"),
        (repository.path / "plans" / "2026", "fleet.json"),
        (repository.path / "a", "../plans/2026/fleet.json"),
        (tmp_path, "link/2026/fleet.json"),
    ]:
        monkeypatch.chdir(directory)
        assert [version.path for version in versions_of(path)] == ["plans/2026/fleet.json"]


def test_a_format_that_changed_along_the_way(repository: GitRepository) -> None:
    repository.commit("0.0.1", {"config.json": native(1)})
    repository.commit("0.1", {"config.json": config_0_1(2)})
    repository.commit("0.2", {"config.json": config_0_2(3)})
    assert replicas_of(repository.path / "config.json") == [1, 2, 3]


def test_a_suffix_that_changed_along_the_way(repository: GitRepository) -> None:
    repository.commit("no format of ours", {"fleet.txt": json.dumps(native(1))})
    repository.git("mv", "fleet.txt", "fleet.jsonl")
    repository.commit("lines")
    repository.git("mv", "fleet.jsonl", "fleet.json")
    repository.commit("json")
    bad, *good = documents_of_history(str(repository.path / "fleet.json"))
    assert isinstance(bad, InvalidDocumentError) and "the suffix '.txt' means no format" in str(bad)
    assert [type(outcome) for outcome in good] == [Document, Document]
    named = documents_of_history(str(repository.path / "fleet.json"), "json")
    assert [type(outcome) for outcome in named] == [Document] * 3


def test_a_version_that_cannot_be_read_is_reported_in_its_place(repository: GitRepository) -> None:
    repository.commit("good", {"fleet.json": native(1)})
    commit = repository.commit("conflict markers", {"fleet.json": "<<<<<<< HEAD\n{}"})
    repository.commit("good again", {"fleet.json": native(2)})
    _, bad, _ = documents_of_history(str(repository.path / "fleet.json"))
    assert isinstance(bad, InvalidDocumentError)
    assert bad.problems[0].place == f"fleet.json@{commit[:12]}:1:1"


def test_a_symbolic_link_is_no_file(repository: GitRepository) -> None:
    repository.write("real.json", native())
    (repository.path / "fleet.json").symlink_to("real.json")
    repository.commit("a link")
    (outcome,) = documents_of_history(str(repository.path / "fleet.json"))
    assert isinstance(outcome, InvalidDocumentError)
    assert "is a symbolic link in this commit, no file." in str(outcome)


def test_an_author_date_that_no_calendar_has(repository: GitRepository) -> None:
    repository.commit("first", {"fleet.json": native(1)})
    repository.change_commit((b"ada@example.org> 1772366400", b"ada@example.org> 999999999999999"))
    (outcome,) = documents_of_history(str(repository.path / "fleet.json"))
    assert isinstance(outcome, InvalidDocumentError)
    assert "has no author date between the years 1 and 9999." in str(outcome)


def test_a_shallow_clone_says_so(repository: GitRepository, tmp_path: Path) -> None:
    repository.commit("first", {"fleet.json": native(1)})
    repository.commit("second", {"fleet.json": native(2)})
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.path}", str(tmp_path / "clone"))
    history = list_git_history(str(tmp_path / "clone" / "fleet.json"))
    assert (history.is_shallow, [version.subject for version in history.versions()]) == (True, ["second"])
    assert not list_git_history(str(repository.path / "fleet.json")).is_shallow


@pytest.mark.parametrize("kept", ["blob:none", "tree:0"])
def test_a_partial_clone_says_what_gets_its_versions_and_that_helps(
    repository: GitRepository, tmp_path: Path, kept: str
) -> None:
    for replicas in (1, 2, 3):
        repository.commit(f"with {replicas}", {"fleet.json": native(replicas)})
    repository.git("config", "uploadpack.allowFilter", "true")
    clone = tmp_path / "partial"
    repository.git("clone", "--quiet", f"--filter={kept}", f"file://{repository.path}", str(clone))
    with pytest.raises(SourceError, match=r"the clone is partial .*Run `git (fetch --refetch --no-filter)`") as caught:
        list(list_git_history(str(clone / "fleet.json")).versions())
    assert "\n" not in str(caught.value)
    repository.git("-C", str(clone), "fetch", "--quiet", "--refetch", "--no-filter")
    assert replicas_of(clone / "fleet.json") == [1, 2, 3]
