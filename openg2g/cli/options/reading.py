"""Options of the commands that read files: how much is read, and after how many problems reading stops."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from openg2g.formats.limits import MAX_PROBLEMS

_Command = TypeVar("_Command", bound=Callable[..., Any])
_SIZE = re.compile(r"([1-9][0-9]{0,15})\s*(B|KiB|MiB|GiB)?", re.IGNORECASE)
_MAX_SIZE = 2**60  # The libraries that read files count bytes with 63 bits.
_BYTES = {"b": 1, "kib": 2**10, "mib": 2**20, "gib": 2**30}


class SizeType(click.ParamType[int]):
    """A number of bytes: `1000`, `64KiB`, `10MiB`, `2GiB`."""

    name = "size"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read a size."""
        if isinstance(value, int):
            return value
        found = _SIZE.fullmatch(value.strip())
        if found is None:
            self.fail(f"{value!r} is no size. Write bytes, or KiB, MiB or GiB: 64MiB.", param, ctx)
        size = int(found[1]) * _BYTES[(found[2] or "B").lower()]
        if size > _MAX_SIZE:
            self.fail(f"{value!r} is more than there can be: at most {_MAX_SIZE // 2**30}GiB.", param, ctx)
        return size


def max_file_size_option(command: _Command) -> _Command:
    """Add `--max-file-size`."""
    return click.option(
        "--max-file-size",
        metavar="SIZE",
        type=SizeType(),
        help="Refuse files that are larger, such as 10MiB. Default: JSON and YAML 256MiB, TOML 8MiB, scripts 512KiB; "
        "none where files stream.",
    )(command)


def max_errors_option(command: _Command) -> _Command:
    """Add `--max-errors`."""
    return click.option(
        "--max-errors",
        type=click.IntRange(min=1),
        metavar="N",
        help=f"Stop reading after so many problems. Default: {MAX_PROBLEMS}.",
    )(command)
