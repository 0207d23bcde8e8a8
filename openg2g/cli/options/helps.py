"""Helps of commands: with options in sections, and where Python was told to leave docstrings out."""

import ast
import inspect
import sys
import textwrap
from typing import Any

import click

_OTHERS = "Options"


def with_help(command: click.Command) -> click.Command:
    """Return a command with the help in the source of its function, which `PYTHONOPTIMIZE=2` leaves out."""
    if sys.flags.optimize >= 2 and command.callback is not None:
        [function] = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(command.callback)))).body
        assert isinstance(function, ast.FunctionDef)
        command.help = ast.get_docstring(function)
        for below in getattr(command, "commands", {}).values():
            with_help(below)
    return command


class SectionOption(click.Option):
    """An option that stands in a section of its command's help.

    Args:
        section: Title of the section.
    """

    def __init__(self, *args: Any, section: str, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.section = section


class SectionedCommand(click.Command):
    """A command whose help has the options of no section first, then each section in the order of its first option."""

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        sections: dict[str, list[tuple[str, str]]] = {_OTHERS: []}
        for option in self.get_params(ctx):
            record = option.get_help_record(ctx) if isinstance(option, click.Option) else None
            if record is not None:
                title = option.section if isinstance(option, SectionOption) else _OTHERS
                sections.setdefault(title, []).append(record)
        for title, records in sections.items():
            with formatter.section(title):
                formatter.write_dl(records)
