"""Helps of commands where Python was told to leave docstrings out (`PYTHONOPTIMIZE=2`)."""

import sys

import click


def with_help(command: click.Command) -> click.Command:
    """Return a command with the help that its function says, and so for the commands below it."""
    if sys.flags.optimize >= 2 and command.callback is not None:
        from openg2g.formats.schema.docstrings import docstring_of

        command.help = docstring_of(command.callback)
        for below in getattr(command, "commands", {}).values():
            with_help(below)
    return command
