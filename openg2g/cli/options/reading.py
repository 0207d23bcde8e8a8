"""Options of the commands that read files: how much is read, and after how many problems reading stops."""

import re
from collections.abc import Callable
from typing import Any, TypeVar

import click

from openg2g.cli.options.sections import SectionOption
from openg2g.formats.limits import MAX_DEPTH, Limits
from openg2g.formats.refusals import MAX_PROBLEMS

_Command = TypeVar("_Command", bound=Callable[..., Any])
_KEY = "openg2g.limits"
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


_LIMITS: tuple[tuple[str, str, click.ParamType[int], str], ...] = (
    (
        "--max-file-size",
        "file_bytes",
        SizeType(),
        "Of a file, such as 10MiB. Default: JSON and YAML 256MiB, TOML 8MiB, scripts 512KiB; none where files stream.",
    ),
    (
        "--max-line-length",
        "line_bytes",
        SizeType(),
        f"Of a line of JSON Lines, or a record of CSV. Default: {Limits.line_bytes // 2**20}MiB.",
    ),
    (
        "--max-depth",
        "depth",
        click.IntRange(1, MAX_DEPTH),
        f"Lists and objects in each other. Default: {Limits.depth}.",
    ),
    ("--max-models", "models", click.IntRange(min=1), f"Models of a workload. Default: {Limits.models}."),
    (
        "--max-batch-sizes",
        "batch_sizes",
        click.IntRange(min=1),
        f"Feasible batch sizes of a model. Default: {Limits.batch_sizes}.",
    ),
)
"""Option, the limit that it sets, its type and its help."""


def limit_options(command: _Command) -> _Command:
    """Add the options that bound what is read; `limits_given` reads them."""
    for flag, name, kind, help_text in reversed(_LIMITS):
        command = click.option(
            flag,
            cls=SectionOption,
            section="Limits, beyond which a file is refused",
            metavar="SIZE" if isinstance(kind, SizeType) else "N",
            type=kind,
            expose_value=False,
            callback=_note(name),
            help=help_text,
        )(command)
    return command


def limits_given(context: click.Context) -> "Limits":
    """Return what the options say."""
    return Limits(**context.meta.get(_KEY, {}))


def max_errors_option(command: _Command) -> _Command:
    """Add `--max-errors`."""
    return click.option(
        "--max-errors",
        type=click.IntRange(min=1),
        metavar="N",
        help=f"Stop reading after so many problems. Default: {MAX_PROBLEMS}.",
    )(command)


def _note(name: str) -> Callable[[click.Context, click.Parameter, int | None], None]:
    def note(context: click.Context, _: click.Parameter, value: int | None) -> None:
        if value is not None:
            context.meta.setdefault(_KEY, {})[name] = value

    return note
