"""Help reads as its user would: every command is described, has an example, and accepts the shared options."""

import re
import subprocess
import sys
from pathlib import Path

import click
import pytest

from openg2g.cli.main import _COMMANDS, openg2g, run
from openg2g.formats.json import files as json_files
from openg2g.formats.limits import size_text
from openg2g.formats.python import writing
from openg2g.formats.toml import files as toml_files
from openg2g.formats.yaml import files as yaml_files
from tests.cli.conftest import Cli
from tests.cli.documents import SMALL, write

README = Path(__file__).parents[2] / "README.md"


def leaf_commands() -> dict[str, click.Command]:
    """Return every command that does something, by its full name."""
    found: dict[str, click.Command] = {}
    context = click.Context(openg2g)
    for name in openg2g.list_commands(context):
        command = openg2g.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            found |= {f"{name} {sub_name}": sub for sub_name, sub in command.commands.items()}
        else:
            found[name] = command
    return found


@pytest.mark.parametrize("name", leaf_commands())
def test_a_command_has_examples_that_name_it(run_cli: Cli, name: str) -> None:
    outcome = run_cli(*name.split(), "-h")
    assert outcome.exit_code == 0
    assert re.search(r"Examples?:\n(    .*\n)*?    .*openg2g " + name, outcome.out)


@pytest.mark.parametrize("name", leaf_commands())
def test_a_help_has_no_control_characters(run_cli: Cli, name: str) -> None:
    assert "".join(run_cli(*name.split(), "--help").out.splitlines()).isprintable()


@pytest.mark.parametrize(
    "name", [name for name in leaf_commands() if name not in ("completion", "copy", "schema", "validate")]
)
def test_a_command_takes_the_database_after_its_name(name: str) -> None:
    assert "--database" in {option for parameter in leaf_commands()[name].params for option in parameter.opts}


def test_helps_and_schemas_are_the_same_without_docstrings() -> None:
    program = """
import click
from openg2g.cli.main import openg2g, run
from openg2g.formats.schema.schemas import SCHEMA_NAMES
run(["--help"])
context = click.Context(openg2g)
for name in openg2g.list_commands(context):
    run([name, "--help"])
    for below in getattr(openg2g.get_command(context, name), "commands", {}):
        run([name, below, "--help"])
for name in SCHEMA_NAMES:
    run(["schema", "--format", name])
"""
    shown = [
        subprocess.run([sys.executable, *option, "-c", program], capture_output=True, check=True, text=True).stdout
        for option in ([], ["-OO"])
    ]
    assert shown[0] == shown[1]
    assert "Make a catalog; one that exists already is left as it is." in shown[1]


FIRST_SENTENCES = {
    "init": "Make a catalog; one that exists already is left as it is.",
    "import": "Record the workloads of files; - is standard input.",
    "import-history": "Record every version of the file PATH that git has",
    "validate": "Check files as `openg2g import` would, without a catalog; - is standard input.",
    "export": "Write workloads to a file or to standard output; the same workloads, the same bytes.",
    "check": "Say what a format would refuse of workloads, understand differently, or leave out",
    "schema": "Print the JSON Schema of a file format, by which editors complete and check.",
    "check-scripts": "Compare the workloads that stand in the Python scripts of a source tree with the catalog",
    "list": "List the names that match GLOB (* ? [...], case counts), with what is in force of each.",
    "search": "Find the workloads for which a Python expression holds, among those in force now (or --as-of TIME).",
    "models list": "List the model specs whose label matches GLOB (* ? [...], case counts), with the workloads",
    "models show": "Show a model spec and every revision that has ever used it.",
    "stats": "Count workloads and their GPUs: in all, the least, the median and the most, of those in force now.",
    "audit": "Say when what was in force did not hold to the rule EXPR, and which revisions broke and mended it.",
    "show": "Show a workload: the revision, the fields of each model, and what follows from them.",
    "diff": "Compare two workloads: models that were added, removed, moved or changed, and what that means.",
    "set": "Record the next revision of a name, derived from REF by changes.",
    "blame": "Say for every field of a workload which revision gave it its present value.",
    "log": "List what was recorded, latest first: a line for each revision, of NAME or of every name.",
    "retire": "Retire NAME, now or from --effective-from on; before that nothing ends.",
    "restore": "Bring a retired NAME back: record again, as a new revision, what it stood for before.",
    "rename": "Change the name OLD to NEW.",
    "tag": "Set and remove tags of NAME, and print what it has then.",
    "alias set": "Let ALIAS of NAME stand for revision NUMBER, by default the one that is in force now.",
    "alias remove": "Let ALIAS of NAME stand for nothing; where it stood is kept.",
    "alias list": "List the aliases of NAME and the revisions they stand for.",
    "alias log": "List every move of the aliases of NAME, first to last.",
    "copy": "Copy NAMEs (default: all) with their whole histories from the catalog SRC to DST",
    "verify": "Prove that archives, or without FILE the catalog, are sound",
    "db status": "Say where the catalog is, which schema it has, and how much it holds.",
    "db backup": "Copy a catalog in an SQLite file to a new FILE, while others go on using it, and verify the copy.",
    "db upgrade": "Bring the tables to the schema of this release (or to REVISION); all or nothing.",
    "db downgrade": "Take the tables back to an older schema REVISION; refused where data would be lost.",
    "db check": "Compare the tables with those that this release makes; exit code 6 where they differ.",
    "completion": "Print the set-up of shell completion, which completes commands, options and names of workloads.",
}
"""Command → what its help says first: whoever changes it says so here, too."""


@pytest.mark.parametrize("name", leaf_commands())
def test_a_help_begins_with_what_the_command_does(name: str) -> None:
    text = " ".join((leaf_commands()[name].help or "").split())
    assert text.startswith(FIRST_SENTENCES[name])


def test_the_readme_lists_every_command() -> None:
    rows = re.findall(r"^\| (`openg2g .*?) \| [a-z].* \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    listed = set()
    for row in rows:
        for command, below, others in re.findall(r"`openg2g ([a-z-]+)(?: ([a-z]+))?([^`]*`(?:, `[a-z]+`)*)", row):
            names = [below, *re.findall(r"`([a-z]+)`", others)] if below else []
            listed |= {f"{command} {name}" for name in names} or {command}
    assert listed == {"models" if name == "models list" else name for name in leaf_commands()}


def test_the_table_of_commands_says_what_each_command_is() -> None:
    context = click.Context(openg2g)
    for name, short_help in _COMMANDS.items():
        command = openg2g.get_command(context, name)
        assert command is not None and command.name == name
        assert short_help.endswith(".")


def test_the_help_of_import_has_each_option_in_one_section(run_cli: Cli) -> None:
    text = run_cli("import", "--help").out
    options = [option for parameter in leaf_commands()["import"].params for option in parameter.opts]
    flags = {option for option in options if option.startswith("--")}
    listed = re.findall(r"^  (?:-\w, )?(--[a-z-]+)", text, re.MULTILINE)
    assert sorted(listed) == sorted(flags | {"--help"})
    titles = re.findall(r"^(\S.*):$", text.partition("\nOptions:")[2], re.MULTILINE)
    assert titles == ["Archives"]
    assert "FILE..." not in text.partition("\nOptions:")[2]


@pytest.mark.parametrize("name", ["import", "validate"])
def test_help_tells_the_sizes_that_hold(run_cli: Cli, name: str) -> None:
    text = " ".join(run_cli(name, "--help").out.split())
    assert json_files.MAX_BYTES == yaml_files.MAX_BYTES
    sizes = [size_text(module.MAX_BYTES).replace(" ", "") for module in (json_files, toml_files, writing)]
    assert "Default: JSON and YAML {}, TOML {}, scripts {}; none where files stream.".format(*sizes) in text


def test_help_documents_the_exit_codes(run_cli: Cli) -> None:
    assert "Exit codes:" in run_cli("--help").out


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_prints_a_script(run_cli: Cli, shell: str) -> None:
    assert "_OPENG2G_COMPLETE" in run_cli("completion", shell).out


def test_names_are_completed_from_the_catalog(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    cli("import", write(tmp_path / "fleet.json", SMALL), "--name", "fleet")
    cli("import", write(tmp_path / "other.json", SMALL), "--name", "other")
    monkeypatch.setenv("_OPENG2G_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "openg2g show fl")
    monkeypatch.setenv("COMP_CWORD", "2")
    with pytest.raises(SystemExit):  # Click prints the completions and leaves by itself.
        run([])
    assert capfd.readouterr().out == "plain,fleet\n"


def test_where_there_is_no_catalog_no_name_is_completed(
    run_cli: Cli, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENG2G_DATABASE", str(tmp_path / "missing.db"))
    monkeypatch.setenv("_OPENG2G_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "openg2g show fl")
    monkeypatch.setenv("COMP_CWORD", "2")
    with pytest.raises(SystemExit):
        run([])
    assert capfd.readouterr() == ("\n", "")
    assert not (tmp_path / "missing.db").exists()


def test_a_command_that_there_is_not_is_refused(run_cli: Cli) -> None:
    outcome = run_cli("shwo")
    assert outcome.exit_code == 2
    assert "No such command 'shwo'" in outcome.err
