"""The history of a file in git, recorded as revisions."""

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from openg2g.catalog import Catalog, Revision
from openg2g.catalog.documents.git_import import GitNotice, import_git_history, plan_git_import, record_git_import
from openg2g.models.errors import InvalidDocumentError, InvalidRevisionError, SourceError, UnknownFormatError
from openg2g.models.revision import RevisionDraft
from tests.git_repository import BOB, GitRepository, config_0_1, config_0_2, native


@pytest.fixture
def fleet(repository: GitRepository) -> str:
    """Give the path of a file with three versions."""
    for number in (1, 2, 3):
        repository.commit(f"plan {number}", {"fleet.json": native(number)})
    return str(repository.path / "fleet.json")


def replicas(revision: Revision | RevisionDraft) -> int | None:
    return None if revision.workload is None else revision.workload.models[0].num_replicas


def recorded(catalog: Catalog, name: str = "fleet") -> list[int | None]:
    return [replicas(revision) for revision in catalog.history(name)]


def test_every_commit_that_changed_the_workload_is_a_revision(
    catalog: Catalog, repository: GitRepository, fleet: str
) -> None:
    environment = {"GIT_AUTHOR_NAME": BOB[0], "GIT_AUTHOR_EMAIL": BOB[1], "GIT_AUTHOR_DATE": "2026-04-01T01:00+0200"}
    commit = repository.commit("20 more", {"fleet.json": native(20)}, **environment)
    revisions, notices = import_git_history(catalog, fleet)
    assert [(revision.number, replicas(revision)) for revision in revisions] == [(1, 1), (2, 2), (3, 3), (4, 20)]
    assert notices == ()
    last = catalog.get("fleet")
    assert last == revisions[-1]
    assert (last.author, last.message, last.source) == ("Bob <bob@example.org>", "20 more", f"git:{commit}:fleet.json")
    assert last.effective_from == datetime(2026, 3, 31, 23, tzinfo=UTC)
    assert replicas(catalog.get("fleet", as_of=datetime(2026, 3, 2, 13, tzinfo=UTC))) == 2


def test_a_second_run_adds_only_what_is_new(catalog: Catalog, repository: GitRepository, fleet: str) -> None:
    import_git_history(catalog, fleet)
    assert import_git_history(catalog, fleet) == ([], ())
    repository.commit("plan 4", {"fleet.json": native(4)})
    (revision,), _ = import_git_history(catalog, fleet)
    assert (revision.number, revision.message) == (4, "plan 4")
    assert import_git_history(catalog, fleet) == ([], ())


def test_a_commit_is_known_however_the_file_is_called_now(
    catalog: Catalog, repository: GitRepository, fleet: str
) -> None:
    import_git_history(catalog, fleet)
    repository.git("mv", "fleet.json", "plan.json")
    repository.commit("rename")
    repository.commit("plan 4", {"plan.json": native(4)})
    revisions, _ = import_git_history(catalog, str(repository.path / "plan.json"), name="fleet")
    assert [revision.message for revision in revisions] == ["plan 4"]


def test_a_value_that_comes_back_is_a_revision_again(catalog: Catalog, repository: GitRepository, fleet: str) -> None:
    repository.commit("back", {"fleet.json": native(1)})
    import_git_history(catalog, fleet)
    assert recorded(catalog) == [1, 2, 3, 1]
    assert import_git_history(catalog, fleet) == ([], ())


def test_a_commit_that_changed_the_formatting_only_is_no_revision(
    catalog: Catalog, repository: GitRepository, fleet: str
) -> None:
    reordered = {"name": None, **dict(reversed(native(3).items()))}
    repository.commit("format", {"fleet.json": json.dumps(reordered, indent=8)})
    repository.git("mv", "fleet.json", "moved.json")
    repository.commit("move")
    import_git_history(catalog, str(repository.path / "moved.json"))
    assert recorded(catalog, "moved") == [1, 2, 3]


def test_a_change_of_the_annotations_is_a_revision(catalog: Catalog, repository: GitRepository) -> None:
    for purpose in (1, 1.0, 1, "test"):
        repository.commit("annotate", {"fleet.json": native(annotations={"purpose": purpose, "x": 0})})
        repository.commit("order", {"fleet.json": native(annotations={"x": 0, "purpose": purpose})})
    import_git_history(catalog, str(repository.path / "fleet.json"))
    assert [revision.annotations["purpose"] for revision in catalog.history("fleet")] == [1, 1.0, 1, "test"]


def test_a_format_that_changed_along_the_way(catalog: Catalog, repository: GitRepository) -> None:
    repository.commit("0.0.1", {"config.json": native(1)})
    repository.commit("0.1", {"config.json": config_0_1(1)})
    repository.commit("more", {"config.json": config_0_1(2)})
    repository.commit("0.2", {"config.json": config_0_2(2)})
    import_git_history(catalog, str(repository.path / "config.json"))
    history = catalog.history("config")
    versions = [revision.annotations.get("openg2g", {}).get("version") for revision in history]
    assert versions == [None, "0.1", "0.1", "0.2"]
    assert recorded(catalog, "config") == [1, 1, 2, 2]
    assert len({revision.digest for revision in history}) == 2


def test_versions_that_cannot_be_read_are_passed_over(catalog: Catalog, repository: GitRepository, fleet: str) -> None:
    two_problems = native(0) | {"models": [native(-1)["models"][0], native(-2, "b")["models"][0]]}
    bad = repository.commit("bad", {"fleet.json": two_problems})
    repository.commit("good", {"fleet.json": native(4)})
    _, notices = import_git_history(catalog, fleet)
    assert recorded(catalog) == [1, 2, 3, 4]
    message = f"fleet.json@{bad[:12]}:5:7: models[0].num_replicas must be >= 0, got -1. (and 1 more)"
    assert notices == (GitNotice("invalid", message),)


def test_or_the_import_fails_with_all_their_problems(catalog: Catalog, repository: GitRepository, fleet: str) -> None:
    bad = [
        repository.commit("bad", {"fleet.json": native(-1)}),
        repository.commit("worse", {"fleet.json": "{"}),
    ]
    repository.commit("good", {"fleet.json": native(4)})
    with pytest.raises(InvalidDocumentError) as caught:
        import_git_history(catalog, fleet, on_bad="fail")
    assert [problem.where.split(":")[0] for problem in caught.value.problems] == [
        f"fleet.json@{commit[:12]}" for commit in bad
    ]
    assert catalog.list_names() == []


def test_many_problems_are_cut(repository: GitRepository) -> None:
    repository.import_many("fleet.json", [native(-number) for number in range(1, 151)])
    with pytest.raises(InvalidDocumentError) as caught:
        plan_git_import(str(repository.path / "fleet.json"), on_bad="fail")
    assert len(caught.value.problems) == 101
    assert str(caught.value.problems[-1]).endswith("fleet.json: has 50 more problems.")


def test_a_file_of_which_no_version_can_be_read_is_an_error(repository: GitRepository) -> None:
    repository.commit("not for us", {"package.json": {"dependencies": {}}})
    with pytest.raises(InvalidDocumentError, match="models is missing"):
        plan_git_import(str(repository.path / "package.json"))


def test_a_deleted_file_retires_its_name_until_it_is_added_again(
    catalog: Catalog, repository: GitRepository, fleet: str
) -> None:
    repository.git("rm", "--quiet", "fleet.json")
    deleted = repository.commit("not needed any more", {"x": ""})
    revisions, notices = import_git_history(catalog, fleet)
    assert (recorded(catalog), notices) == ([1, 2, 3, None], ())
    assert (revisions[-1].message, revisions[-1].source) == ("not needed any more", f"git:{deleted}:fleet.json")
    repository.commit("needed after all", {"fleet.json": native(3)})
    import_git_history(catalog, fleet)
    assert recorded(catalog) == [1, 2, 3, None, 3]
    assert replicas(catalog.get("fleet", as_of=datetime(2026, 3, 4, 13, tzinfo=UTC))) is None


def test_a_file_of_several_workloads_has_a_history_for_each(catalog: Catalog, repository: GitRepository) -> None:
    path = str(repository.path / "fleets.jsonl")
    for documents in (
        [native(1, name="a"), native(1, name="b")],
        [native(2, name="a"), native(1, name="b")],
        [native(1, name="b")],
        [native(5, name="b"), native(2, name="a"), native(7, name="c")],
    ):
        repository.commit("next", {"fleets.jsonl": "".join(json.dumps(document) + "\n" for document in documents)})
    import_git_history(catalog, path)
    assert {name: recorded(catalog, name) for name in catalog.list_names()} == {
        "a": [1, 2, None, 2],
        "b": [1, 5],
        "c": [7],
    }
    assert import_git_history(catalog, path) == ([], ())


def test_one_bad_workload_among_several_retires_none(catalog: Catalog, repository: GitRepository) -> None:
    repository.commit("good", {"fleets.json": [native(1, name="a"), native(1, name="b")]})
    bad = repository.commit("bad", {"fleets.json": [native(2, name="a"), native(-1, name="b")]})
    _, (notice,) = import_git_history(catalog, str(repository.path / "fleets.json"))
    assert (recorded(catalog, "a"), recorded(catalog, "b")) == ([1, 2], [1])
    assert notice.message.startswith(f"fleets.json@{bad[:12]}:22:9: models[0].num_replicas")


@pytest.mark.parametrize(
    ("documents", "name", "message"),
    [
        ([native(1), native(2)], None, r"\[0\]: name is missing: give the document a name"),
        ([native(1, name="a"), native(2, name="a")], None, r"\[1\]: name a stands for two workloads"),
        ([native(1, name="a"), native(2, name="b")], "x", r"\[1\]: name x stands for two workloads"),
    ],
)
def test_workloads_that_cannot_be_told_apart(
    repository: GitRepository, documents: list[object], name: str | None, message: str
) -> None:
    repository.commit("several", {"fleets.json": documents})
    with pytest.raises(InvalidDocumentError, match=message):
        plan_git_import(str(repository.path / "fleets.json"), name=name, on_bad="fail")


def test_the_name_is_the_given_one_else_that_of_the_document_else_of_the_file(repository: GitRepository) -> None:
    repository.commit("named", {"a.json": native(1, name="b"), "c.json": native(1)})
    names = [
        plan_git_import(str(repository.path / file), name=name).drafts[0].name
        for file, name in (("a.json", "x"), ("a.json", None), ("c.json", None))
    ]
    assert names == ["x", "b", "c"]


def test_a_file_whose_name_cannot_name_a_workload(repository: GitRepository) -> None:
    repository.commit("named", {"my fleet.json": native()})
    path = str(repository.path / "my fleet.json")
    with pytest.raises(InvalidRevisionError, match="must not contain white space") as refused:
        plan_git_import(path)
    assert refused.value.setting == "name"
    with pytest.raises(InvalidRevisionError, match="must not start with '-'"):
        plan_git_import(path, name="-x")
    assert plan_git_import(path, name="fleet").drafts[0].name == "fleet"


def test_an_older_commit_that_is_new_does_not_become_the_latest_revision(
    catalog: Catalog, repository: GitRepository, fleet: str
) -> None:
    repository.git("checkout", "--quiet", "-b", "side", "HEAD~1")
    repository.commit("tried on the side", {"fleet.json": native(50)})
    repository.git("checkout", "--quiet", "main")
    import_git_history(catalog, fleet)
    assert recorded(catalog) == [1, 2, 3]
    repository.merge("side", {"fleet.json": native(3)})
    import_git_history(catalog, fleet)
    assert 50 in recorded(catalog)
    assert recorded(catalog)[-1] == 3
    assert import_git_history(catalog, fleet)[0] == []


def test_a_clone_that_was_shallow_gets_its_past_later(
    catalog: Catalog, repository: GitRepository, fleet: str, tmp_path: Path
) -> None:
    clone = tmp_path / "clone"
    repository.git("clone", "--quiet", "--depth=1", f"file://{repository.path}", str(clone))
    _, (notice,) = import_git_history(catalog, str(clone / "fleet.json"))
    assert notice.kind == "shallow"
    assert notice.message.endswith("Run `git fetch --unshallow`.")
    repository.git("-C", str(clone), "fetch", "--quiet", "--unshallow")
    import_git_history(catalog, str(clone / "fleet.json"))
    assert recorded(catalog) == [3, 1, 2]
    assert replicas(catalog.get("fleet")) == 3
    assert replicas(catalog.get("fleet", as_of=datetime(2026, 3, 2, 13, tzinfo=UTC))) == 2
    assert import_git_history(catalog, str(clone / "fleet.json"))[0] == []


def test_merges(catalog: Catalog, repository: GitRepository, fleet: str) -> None:
    repository.git("checkout", "--quiet", "-b", "side")
    repository.commit("on the side", {"fleet.json": native(4)})
    repository.git("checkout", "--quiet", "main")
    repository.commit("elsewhere", {"x": ""})
    merge = repository.merge("side", strategy=("--strategy=ort",))
    repository.git("checkout", "--quiet", "-b", "other")
    repository.commit("on the other side", {"fleet.json": native(5)})
    repository.git("checkout", "--quiet", "main")
    repository.commit("on main", {"fleet.json": native(6)})
    resolved = repository.merge("other", {"fleet.json": native(11)})
    revisions, notices = import_git_history(catalog, fleet)
    assert sorted(recorded(catalog)[:-1], key=str) == [1, 2, 3, 4, 5, 6]
    assert (replicas(revisions[-1]), revisions[-1].source) == (11, f"git:{resolved}:fleet.json")
    message = f"fleet.json@{merge[:12]}: is a merge that takes the file from a parent."
    assert notices == (GitNotice("merge", message),)


def test_a_history_joins_revisions_that_were_recorded_by_hand(catalog: Catalog, fleet: str) -> None:
    workload = plan_git_import(fleet).drafts[-1].workload
    assert workload is not None
    catalog.save("fleet", workload, message="by hand")
    import_git_history(catalog, fleet)
    assert recorded(catalog) == [3, 1, 2, 3]
    assert replicas(catalog.get("fleet")) == 3
    assert import_git_history(catalog, fleet) == ([], ())


def test_an_author_whose_clock_was_wrong_decides_nothing(
    catalog: Catalog, repository: GitRepository, fleet: str
) -> None:
    for number, date in ((4, "2026-03-01T00:00+0000"), (5, "2099-01-01T00:00+0000"), (6, "2026-03-02T00:00+0000")):
        repository.commit(f"plan {number}", {"fleet.json": native(number)}, GIT_AUTHOR_DATE=date)
        revisions, _ = import_git_history(catalog, fleet)
        assert replicas(catalog.get("fleet")) == number, "what the file has is in force"
        assert revisions[-1].effective_from <= datetime.now(UTC)
    assert recorded(catalog) == [1, 2, 3, 4, 5, 6]
    times = [revision.effective_from for revision in catalog.history("fleet")]
    assert times == sorted(times)
    assert import_git_history(catalog, fleet) == ([], ())


def test_a_preview_stores_nothing(catalog: Catalog, fleet: str) -> None:
    with catalog.previewing() as writer:
        previewed = list(record_git_import(writer, plan_git_import(fleet)))
    assert [revision.number for revision in previewed] == [1, 2, 3]
    assert catalog.list_names() == []


def test_a_plan_needs_a_file_in_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    with pytest.raises(SourceError, match="is in no git repository"):
        plan_git_import(str(tmp_path / "fleet.json"))
    with pytest.raises(UnknownFormatError, match="means no format"):
        plan_git_import(str(tmp_path / "fleet.txt"))
