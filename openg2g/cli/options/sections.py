"""Help whose options stand in sections, for commands that have many of them."""

from typing import Any

import click

_OTHERS = "Options"


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
