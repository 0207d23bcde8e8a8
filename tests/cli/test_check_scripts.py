"""`openg2g check-scripts` says which scripts drifted from which revision, and how."""

import os
from pathlib import Path

import pytest

from openg2g.catalog import Catalog, InvalidRevisionError
from openg2g.catalog.documents.script_check import ScriptStatus, check_scripts, name_in_catalog
from openg2g.formats.python.writing import MAX_BYTES
from tests.cli.conftest import Cli, Outcome, on_each_engine


def workload(replicas: int | str = 18, label: str = "Llama-3.1-70B") -> str:
    spec = f'LLMInferenceModelSpec("{label}", {replicas}, 4, 128, 0.1, feasible_batch_sizes=(64, 128))'
    return f"LLMInferenceWorkload(({spec},))"


def write(path: Path, *lines: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def filled(cli: Cli, tmp_path: Path) -> Cli:
    """Fill the catalog with three revisions of a fleet, with 16, 17 and 18 replicas."""
    for replicas in (16, 17, 18):
        script = write(tmp_path / "plans" / "fleet.py", f"fleet = {workload(replicas)}")
        assert cli("import", script, "--author", "Ada").exit_code == 0
    return cli


def check(cli: Cli, *lines: str, options: tuple[str, ...] = ()) -> Outcome:
    """Check a tree that holds one script of some lines."""
    write(Path("tree") / "run.py", *lines)
    return cli("check-scripts", "tree", *options)


def test_a_script_is_imported_and_exported_by_its_suffix(filled: Cli, tmp_path: Path) -> None:
    assert filled("export", "fleet", "-o", "out.py").exit_code == 0
    assert filled("import", "out.py").out == "fleet: unchanged, revision 3\n"
    assert filled("export", "fleet", "--format", "python").out == Path("out.py").read_text(encoding="utf-8")
    assert filled("diff", "fleet@1", "out.py").out.startswith("fleet@1 → out.py\n")


def test_a_script_in_step_passes(filled: Cli) -> None:
    outcome = check(filled, f"fleet = {workload()}")
    assert (outcome.exit_code, outcome.out) == (0, "tree/run.py:1: fleet: in step with fleet@3\n")
    assert outcome.err == "Workloads: 1 (1 in step)\n"


@on_each_engine
def test_a_script_that_has_an_older_revision_fails_and_names_it(filled: Cli) -> None:
    outcome = check(filled, f"fleet = {workload(16)}")
    assert outcome.exit_code == 1
    assert outcome.out == (
        "tree/run.py:1: fleet: older, equal to fleet@1; in force is fleet@3\n"
        "    Llama-3.1-70B\n"
        "      num_replicas  18 → 16\n"
        "      GPUs          72 → 64 (-8)\n"
        "    total GPUs 72 → 64 (-8)\n"
    )


def test_a_script_that_drifted_fails_with_its_differences(filled: Cli) -> None:
    outcome = check(filled, "", "BATCH = (128,)", f"fleet = {workload(99)}".replace("(64, 128)", "BATCH * 2"))
    assert outcome.exit_code == 1
    assert outcome.out.startswith("tree/run.py:3: fleet: drifted from fleet@3\n    Llama-3.1-70B\n")
    assert "      num_replicas          18 → 99\n" in outcome.out
    assert "      feasible_batch_sizes  64 128 → 128 128" in outcome.out


def test_values_that_cannot_be_known_fail_with_their_line(filled: Cli) -> None:
    outcome = check(filled, f"fleet = {workload('count()')}", f"other = {workload(0)}")
    assert outcome.exit_code == 1
    assert outcome.out.startswith(
        "tree/run.py:1:70: unreadable\n"
        "    tree/run.py:1:70: models[0].num_replicas cannot be known without running the script: "
        "count() (a call is not run).\ntree/run.py:2: other: unknown to the catalog"
    )


@pytest.mark.parametrize(
    ("line", "phrase"),
    [
        (f"flet = {workload(1)}", "flet: unknown to the catalog; did you mean fleet?"),
        (f"zzz = {workload(1)}", "zzz: unknown to the catalog"),
        (f"zzz = {workload(17)}", "zzz: unknown to the catalog; the same as fleet@2"),
        (f"run({workload(1)})", "a workload without a name: unknown to the catalog"),
    ],
)
def test_unknown_workloads_are_listed_and_fail_only_when_strict(filled: Cli, line: str, phrase: str) -> None:
    outcome = check(filled, line)
    assert (outcome.exit_code, outcome.out) == (0, f"tree/run.py:1: {phrase}\n")
    assert check(filled, line, options=("--strict",)).exit_code == 1


@on_each_engine
def test_a_workload_without_a_name_is_looked_up_by_what_it_is(filled: Cli) -> None:
    outcome = check(filled, f"run({workload(17)})", options=("--strict",))
    assert (outcome.exit_code, outcome.out) == (0, "tree/run.py:1: a workload without a name: in step with fleet@2\n")


def test_the_names_of_scripts_are_mapped_to_those_of_the_catalog(filled: Cli) -> None:
    write(Path("tree") / "a" / "run.py", f"MODELS = {workload(18)}")
    write(Path("tree") / "b" / "run.py", f"MODELS = {workload(18)}")
    outcome = filled("check-scripts", "tree", "--name-map", "MODELS=other", "--name-map", "b/run.py:MODELS=fleet")
    assert outcome.out == (
        "tree/a/run.py:1: other: unknown to the catalog; the same as fleet@3\n"
        "tree/b/run.py:1: fleet: in step with fleet@3\n"
    )
    names = {"f": "1", "run.py:f": "2", "b/run.py:f": "3"}
    paths = ("x.py", "a/run.py", "b/run.py", "xb/run.py")
    assert [name_in_catalog(names, path, "f") for path in paths] == ["1", "2", "3", "2"]


@pytest.mark.parametrize("text", ["MODELS", "=fleet", "MODELS=", "MODELS=a b"])
def test_a_name_map_that_is_wrong_is_refused(filled: Cli, text: str) -> None:
    assert check(filled, "", options=("--name-map", text)).exit_code == 2


def test_a_comment_names_the_workload(filled: Cli) -> None:
    assert check(filled, "# name: fleet", f"x = {workload()}").out == "tree/run.py:2: fleet: in step with fleet@3\n"


def test_a_retired_name_is_no_revision_to_be_in_step_with(filled: Cli) -> None:
    filled("retire", "fleet")
    outcome = check(filled, f"fleet = {workload()}")
    assert outcome.exit_code == 1
    assert "fleet: older, equal to fleet@3; in force is fleet@4 (retired)\n    added    Llama-3.1-70B" in outcome.out


def test_json_has_everything(filled: Cli) -> None:
    outcome = check(filled, f"fleet = {workload(16)}", f"bad = {workload(-1)}", options=("--format", "json"))
    older, bad = outcome.json
    assert outcome.exit_code == 1
    assert (older["status"], older["name"], older["where"], older["compared_to"]) == (
        "older",
        "fleet",
        "tree/run.py:1",
        "fleet@3",
    )
    assert older["same_as"] == ["fleet@1"]
    assert older["difference"]["changed"][0]["fields"] == [{"field": "num_replicas", "old": 18, "new": 16}]
    assert (bad["status"], bad["name"], bad["difference"]) == ("unreadable", None, None)
    assert bad["problems"] == [
        {
            "where": "tree/run.py",
            "path": "models[0].num_replicas",
            "message": "must be >= 0, got -1.",
            "line": 2,
            "column": 68,
        }
    ]


def test_a_tree_is_searched_in_order_without_what_is_not_its_own(filled: Cli, tmp_path: Path) -> None:
    line = f"fleet = {workload()}"
    for path in (
        "z.py",
        "a/b/c.py",
        "a/x.py",
        "notes.txt",
        ".git/x.py",
        ".venv/x.py",
        "a/__pycache__/x.py",
        "venv/x.py",
    ):
        write(Path("tree") / path, line)
    write(Path("tree") / "nothing.py", "print('hello')")
    write(Path("tree") / "broken.py", "print 'of Python 2'")
    outside = write(tmp_path / "outside" / "x.py", line)
    Path("tree/linked.py").symlink_to(outside)
    Path("tree/linked").symlink_to(outside.parent, target_is_directory=True)
    Path("tree/loop").symlink_to(tmp_path / "tree", target_is_directory=True)
    os.mkfifo("tree/pipe.py")
    outcome = filled("check-scripts", "tree", "--format", "json")
    assert [finding["path"] for finding in outcome.json] == ["tree/z.py", "tree/a/x.py", "tree/a/b/c.py"]
    assert [f["path"] for f in filled("check-scripts", "tree/z.py", "tree/a/b", "--format", "json").json] == [
        "tree/z.py",
        "tree/a/b/c.py",
    ]


def test_a_script_with_a_workload_that_is_no_python_or_too_large_is_unreadable(filled: Cli) -> None:
    outcome = check(filled, f"fleet = {workload()}", "print 'of Python 2'")
    assert outcome.exit_code == 1
    assert "tree/run.py:2:1: unreadable\n    tree/run.py:2:1: is no Python that we read" in outcome.out
    outcome = check(filled, "#" * MAX_BYTES, f"fleet = {workload()}")
    assert outcome.exit_code == 1
    assert (
        "is larger than 512 KiB: that is no script that we read. Raise the limit with --max-file-size." in outcome.out
    )
    outcome = check(filled, "#" * (3 * MAX_BYTES))
    assert (outcome.exit_code, outcome.err) == (0, "No workload stands in these scripts.\n")


def test_the_marker_of_a_workload_is_seen_across_blocks(filled: Cli) -> None:
    assert check(filled, "#" * (MAX_BYTES - 5), "LLMInferenceWorkload(())").exit_code == 1


def test_a_name_that_the_catalog_cannot_store_is_unreadable(filled: Cli) -> None:
    outcome = check(filled, f"{'x' * 201} = {workload()}")
    assert outcome.exit_code == 1
    assert "name must have at most 200 characters" in outcome.out


def test_a_directory_that_is_not_there_is_refused(filled: Cli) -> None:
    assert filled("check-scripts", "missing").exit_code == 2
    assert filled("check-scripts").exit_code == 2


def test_control_characters_of_a_script_do_not_reach_the_terminal(filled: Cli) -> None:
    outcome = check(filled, f"fleet = {workload(label='a')}".replace('"a"', '"\\x1b[31m"'))
    assert "\x1b" not in outcome.out
    outcome = check(filled, f"fleet = {workload('f(chr(27), ' + repr(chr(155)) + ')')}")
    assert "\x9b" not in outcome.out


def test_nothing_of_a_tree_is_run(filled: Cli) -> None:
    assert check(filled, "open('ran', 'w')", f"fleet = {workload()}").exit_code == 0
    assert not Path("ran").exists()


@on_each_engine
def test_python_users_get_the_findings(catalog: Catalog, tmp_path: Path) -> None:
    write(tmp_path / "run.py", f"fleet = {workload()}", f"other = {workload(1)}")
    first, second = check_scripts(catalog, [str(tmp_path)])
    assert (first.status, first.name, first.compared, first.is_drift) == (ScriptStatus.UNKNOWN, "fleet", None, False)
    assert first.workload is not None
    catalog.save("fleet", first.workload, author="Ada")
    first, second = check_scripts(catalog, [str(tmp_path)], {"other": "fleet"})
    assert (first.status, second.status) == (ScriptStatus.IN_STEP, ScriptStatus.DRIFTED)
    assert second.difference is not None and second.difference.apply(first.workload) == second.workload
    with pytest.raises(InvalidRevisionError, match="name must not contain white space"):
        check_scripts(catalog, [str(tmp_path)], {"other": "a b"})
