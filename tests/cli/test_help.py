"""Help reads as its user would: every command is described, has an example, and accepts the shared options."""

import re
from pathlib import Path

import click
import pytest

from openg2g.cli.main import _COMMANDS, openg2g, run
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


def test_the_table_of_commands_says_what_each_command_is() -> None:
    context = click.Context(openg2g)
    for name, short_help in _COMMANDS.items():
        command = openg2g.get_command(context, name)
        assert command is not None and command.name == name
        assert short_help.endswith(".")


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
