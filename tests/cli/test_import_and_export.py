import json
import os
from pathlib import Path

import pytest

from tests.cli.conftest import Cli, on_each_engine
from tests.cli.documents import ONLINE_0_1, ONLINE_0_2, SMALL, offline_0_1, small, write, write_lines


@pytest.mark.parametrize(
    ("configuration", "format_name"),
    [(offline_0_1(), "openg2g-0.1"), (ONLINE_0_1, "openg2g-0.1"), (ONLINE_0_2, "openg2g-0.2")],
    ids=["offline 0.1", "online 0.1", "online 0.2"],
)
def test_a_configuration_of_openg2g_comes_back_equal(
    cli: Cli, tmp_path: Path, configuration: dict[str, object], format_name: str
) -> None:
    source = write(tmp_path / "config.json", configuration)
    assert cli("import", source, "--name", "fleet").out == "fleet: new, revision 1\n"
    exported = cli("export", "fleet", "--format", format_name)
    assert exported.exit_code == 0
    assert exported.json == configuration


def test_each_datacenter_of_a_configuration_gets_a_name_of_its_own(cli: Cli, tmp_path: Path) -> None:
    models = offline_0_1()["models"]
    sites = {"upstream": {"bus": "850", "models": models[:2]}, "downstream": {"bus": "834", "models": models[2:]}}
    source = write(tmp_path / "sweep.json", {"dc_sites": sites, "source_pu": 1.09})
    assert cli("import", source).out == "upstream: new, revision 1\ndownstream: new, revision 1\n"
    exported = cli("export", "downstream", "--format", "openg2g-0.1").json
    assert exported == {"dc_sites": {"downstream": sites["downstream"]}, "source_pu": 1.09}
    outcome = cli("import", write(source, {"models": models, "dc_sites": {"a": {"models": ["Llama3.1-8B"]}}}))
    message = "is no label of the models of the file, got 'Llama3.1-8B': did you mean Llama-3.1-8B?"
    assert (outcome.exit_code, outcome.err) == (4, f"Error: {source}:1:1218: dc_sites.a.models[0] {message}\n")


@on_each_engine
def test_an_import_tells_new_changed_and_unchanged_apart(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "small.json", SMALL)
    assert cli("import", source).out == "small: new, revision 1\n"
    assert cli("import", source).out == "small: unchanged, revision 1\n"
    write(source, small(num_replicas=20))
    assert cli("import", source).out == "small: revision 1 → 2\n"


def test_the_name_of_a_file_names_its_only_document(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "april.json", offline_0_1())
    assert cli("import", source).out == "april: new, revision 1\n"


def test_what_the_user_says_is_recorded(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "small.json", SMALL)
    options = ("--name", "renamed", "-m", "why", "--author", "Ada", "--effective-from", "2026-03-01T12:00+01:00")
    assert cli("import", source, *options).exit_code == 0
    revision = cli("show", "renamed", "--format", "json").json["revision"]
    assert revision["message"] == "why"
    assert revision["author"] == "Ada"
    assert revision["effective_from"] == "2026-03-01T11:00:00Z"
    assert revision["source"] == str(source)


def test_the_author_is_the_git_identity_by_default(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL))
    assert cli("show", "small", "--format", "json").json["revision"]["author"] == "Test Author <test@example.org>"


@on_each_engine
def test_all_files_of_a_command_are_stored_or_none(cli: Cli, tmp_path: Path) -> None:
    good = write(tmp_path / "good.json", SMALL)
    bad = write(tmp_path / "bad.json", small(num_replicas=-1, itl_deadline_s=0))
    worse = write(tmp_path / "worse.json", small(gpus_per_replica="4"))
    outcome = cli("import", good, bad, worse)
    assert outcome.exit_code == 4
    assert outcome.out == ""
    assert outcome.err == (
        f"Error: {bad}:1:63: models[0].num_replicas must be >= 0, got -1.\n"
        f"Error: {bad}:1:133: models[0].itl_deadline_s must be > 0, got 0.\n"
        f"Error: {worse}:1:83: models[0].gpus_per_replica must be an integer, got '4'.\n"
    )
    assert cli("list", "--format", "names").out == ""


def test_a_dry_run_says_what_would_happen_and_stores_nothing(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "small.json", SMALL)
    outcome = cli("import", source, "--dry-run")
    assert (outcome.exit_code, outcome.out) == (0, "small: new, revision 1\n")
    assert "nothing was stored" in outcome.err
    assert cli("list", "--format", "names").out == ""


def test_a_dry_run_makes_no_catalog(run_cli: Cli, tmp_path: Path) -> None:
    database = tmp_path / "new.db"
    source = write(tmp_path / "small.json", SMALL)
    assert run_cli("import", source, "--dry-run", "--database", database).out == "small: new, revision 1\n"
    assert not database.exists()


def test_an_import_makes_a_sqlite_catalog_and_says_so(run_cli: Cli, tmp_path: Path) -> None:
    database = tmp_path / "new.db"
    outcome = run_cli("import", write(tmp_path / "small.json", SMALL), "--database", database)
    assert (outcome.exit_code, outcome.err) == (0, f"Made the catalog {database}.\n")
    assert run_cli("--database", database, "list", "--format", "names").out == "small\n"


def test_a_missing_file_makes_no_catalog(run_cli: Cli, tmp_path: Path) -> None:
    database = tmp_path / "new.db"
    outcome = run_cli("import", tmp_path / "nothing.json", "--database", database)
    assert outcome.exit_code == 7
    assert outcome.err == f"Error: {tmp_path}/nothing.json cannot be read: No such file or directory.\n"
    assert not database.exists()


@on_each_engine
def test_json_lines_go_both_ways(cli: Cli, tmp_path: Path) -> None:
    documents = [{**small(num_replicas=i), "name": f"sweep-{i}"} for i in range(1, 30)]
    source = write_lines(tmp_path / "sweep.jsonl", [*documents])
    outcome = cli("import", source)
    assert outcome.out.splitlines()[:2] == ["sweep-1: new, revision 1", "sweep-2: new, revision 1"]
    assert len(outcome.out.splitlines()) == 29
    exported = [json.loads(line) for line in cli("export", "--all", "--format", "jsonl").out.splitlines()]
    by_name = {document["name"]: document["models"] for document in exported}
    assert by_name == {document["name"]: document["models"] for document in documents}


def test_a_bad_line_is_named_by_its_number(cli: Cli, tmp_path: Path) -> None:
    source = tmp_path / "sweep.jsonl"
    source.write_text(f"{json.dumps(SMALL)}\n\n{{not json\n{json.dumps(small(num_replicas=None))}\n")
    outcome = cli("import", source)
    assert outcome.exit_code == 4
    assert outcome.err == (
        f"Error: {source}:3:2: is not JSON: expecting property name enclosed in double quotes.\n"
        f"Error: {source}:4:30: models[0].num_replicas is missing.\n"
    )


def test_standard_input_and_output_are_a_dash(cli: Cli) -> None:
    assert cli("import", "-", stdin=json.dumps(SMALL).encode()).out == "small: new, revision 1\n"
    assert cli("export", "small", "-o", "-").json["models"] == SMALL["models"]


def test_a_document_without_a_name_on_standard_input_needs_one(cli: Cli) -> None:
    outcome = cli("import", "-", stdin=json.dumps({"models": SMALL["models"]}).encode())
    assert outcome.exit_code == 4
    assert "standard input: name is missing" in outcome.err
    assert "--name" in outcome.err


def test_one_name_for_documents_of_several_names_is_refused(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "two.json", [{**SMALL, "name": "a"}, {**SMALL, "name": "b"}])
    outcome = cli("import", source, "--name", "c")
    assert outcome.exit_code == 4
    assert "would mix up different workloads" in outcome.err


def test_json_lines_with_the_suffix_of_json_get_a_hint(cli: Cli, tmp_path: Path) -> None:
    source = tmp_path / "sweep.json"
    source.write_text(f"{json.dumps(SMALL)}\n{json.dumps(SMALL)}\n")
    assert "its format is jsonl" in cli("import", source).err


@on_each_engine
def test_an_export_imported_elsewhere_keeps_author_message_and_time(cli: Cli, tmp_path: Path) -> None:
    source = write(tmp_path / "small.json", SMALL)
    cli("import", source, "-m", "why", "--author", "Ada", "--effective-from", "2026-03-01")
    cli("export", "small", "-o", tmp_path / "out.json")
    elsewhere = tmp_path / "elsewhere.db"
    assert cli("import", tmp_path / "out.json", "--database", elsewhere).exit_code == 0
    revision = cli("show", "small", "--database", elsewhere, "--format", "json").json["revision"]
    assert (revision["message"], revision["author"], revision["effective_from"], revision["source"]) == (
        "why",
        "Ada",
        "2026-03-01T00:00:00Z",
        str(source),
    )


def test_an_edited_export_is_recorded_as_the_importers_own(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL), "-m", "why", "--author", "Ada")
    cli("export", "small", "-o", tmp_path / "out.json")
    document = json.loads((tmp_path / "out.json").read_text())
    document["models"][0]["num_replicas"] = 19
    write(tmp_path / "out.json", document)
    assert cli("import", tmp_path / "out.json").out == "small: revision 1 → 2\n"
    revision = cli("show", "small", "--format", "json").json["revision"]
    assert revision["author"] == "Test Author <test@example.org>"
    assert "message" not in revision


@on_each_engine
def test_the_same_catalog_exports_the_same_bytes(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "b.json", offline_0_1()), write(tmp_path / "a.json", SMALL), "--author", "Ä")
    first, second = tmp_path / "first.json", tmp_path / "second.json"
    assert cli("export", "--all", "-o", first).exit_code == 0
    assert cli("export", "--all", "-o", second).exit_code == 0
    assert first.read_bytes() == second.read_bytes()
    assert [document["name"] for document in json.loads(first.read_text(encoding="utf-8"))] == ["b", "small"]


def test_an_export_replaces_a_file_only_when_forced(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL))
    target = tmp_path / "out.json"
    target.write_text("precious")
    outcome = cli("export", "small", "-o", target)
    assert outcome.exit_code == 7
    assert outcome.err == f"Error: {target} exists already. Use --force to replace it.\n"
    assert target.read_text() == "precious"
    assert cli("export", "small", "-o", target, "--force").exit_code == 0
    assert json.loads(target.read_text())["name"] == "small"
    assert sorted(os.listdir(tmp_path))[-2:] == ["out.json", "small.json"]


def test_a_failed_export_leaves_no_file(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL))
    outcome = cli("export", "small", "nothing", "-o", tmp_path / "out.json")
    assert outcome.exit_code == 3
    outcome = cli("export", "small", "--format", "openg2g-0.2", "-o", tmp_path / "out.json")
    assert outcome.exit_code == 4
    assert "deployments[0].spec.gpu_model is not known, and OpenG2G 0.2 requires it." in outcome.err
    assert not list(tmp_path.glob("*out.json*"))


def test_an_empty_catalog_exports_as_an_empty_array(cli: Cli) -> None:
    assert cli("export", "--all").json == []
    assert cli("export", "--all", "--format", "jsonl").out == ""


@pytest.mark.parametrize("arguments", [("export",), ("export", "a", "--all")])
def test_an_export_names_references_or_all(cli: Cli, arguments: tuple[str, ...]) -> None:
    outcome = cli(*arguments)
    assert outcome.exit_code == 2
    assert "Name what to export, or use --all or --where (one of them)." in outcome.err


def test_a_file_with_several_names_is_replaced_under_one_of_them_which_is_said(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL))
    Path("out.json").write_text("old")
    os.link("out.json", "other.json")
    outcome = cli("export", "small", "--force", "-o", "out.json")
    told = "out.json was replaced; its 1 other name (hard link) keeps the old content.\n"
    assert (outcome.exit_code, outcome.err, Path("other.json").read_text()) == (0, told, "old")
    os.link("other.json", "third.json")
    outcome = cli("export", "--all", "--history", "--force", "-o", "other.json")
    assert outcome.err == "other.json was replaced; its 1 other name (hard link) keeps the old content.\n"
    assert cli("export", "small", "--force", "-o", "out.json").err == ""


def test_a_symbolic_link_stays_and_its_file_is_replaced(cli: Cli, tmp_path: Path) -> None:
    cli("import", write(tmp_path / "small.json", SMALL))
    Path("out.json").write_text("old")
    Path("link.json").symlink_to("out.json")
    outcome = cli("export", "small", "--force", "-o", "link.json")
    assert (outcome.exit_code, outcome.err) == (0, "")
    assert Path("link.json").is_symlink() and "models" in Path("out.json").read_text()
