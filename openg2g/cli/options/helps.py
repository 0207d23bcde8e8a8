"""Helps of commands where Python was told to leave docstrings out (`PYTHONOPTIMIZE=2`): they are in the source."""

import ast
import inspect
import sys
import textwrap

import click


def with_help(command: click.Command) -> click.Command:
    """Return a command with the help that its function says, and so for the commands below it."""
    if sys.flags.optimize >= 2 and command.callback is not None:
        [function] = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(command.callback)))).body
        assert isinstance(function, ast.FunctionDef)
        command.help = ast.get_docstring(function)
        for below in getattr(command, "commands", {}).values():
            with_help(below)
    return command
