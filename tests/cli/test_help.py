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
