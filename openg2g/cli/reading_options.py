"""Options of the commands that read files: how much is read, and after how many errors reading stops."""

import re
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from openg2g.formats.limits import Limits

_Command = TypeVar("_Command", bound=Callable[..., Any])
_KEY = "openg2g.limits"
_MAX_DEPTH = 128
_SIZE = re.compile(r"([1-9][0-9]{0,15})\s*(B|KiB|MiB|GiB)?", re.IGNORECASE)
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
        return int(found[1]) * _BYTES[(found[2] or "B").lower()]


def limit_options(command: _Command) -> _Command:
    """Add the options that bound what is read; `limits_given` reads them."""
    for name, metavar, kind, help_text in (
        ("batch_sizes", "N", click.IntRange(min=1), "Feasible batch sizes of a model. Default: 65536."),
        ("models", "N", click.IntRange(min=1), "Models of a workload. Default: 65536."),
        ("depth", "N", click.IntRange(1, _MAX_DEPTH), f"Lists and objects within each other. Default: {_MAX_DEPTH}."),
        ("line_bytes", "SIZE", SizeType(), "Length of a line of JSON Lines or a record of CSV. Default: 16MiB."),
        (
            "file_bytes",
            "SIZE",
            SizeType(),
            "Size of a file. Default: JSON and YAML 256MiB, TOML 8MiB, scripts 512KiB, no limit where files stream.",
        ),
    ):
        flag = {"line_bytes": "--max-line-length", "file_bytes": "--max-file-size"}.get(
            name, f"--max-{name.replace('_', '-')}"
        )
        command = click.option(
            flag,
            f"max_{name}",
            metavar=metavar,
            type=kind,
            expose_value=False,
            callback=_note(name),
            help=f"Refuse more: {help_text[0].lower()}{help_text[1:]}",
        )(command)
    return command


def limits_given(context: click.Context) -> "Limits":
    """Return what the options say."""
    from openg2g.formats.limits import Limits

    return Limits(**context.meta.get(_KEY, {}))


def max_errors_option(command: _Command) -> _Command:
    """Add `--max-errors`."""
    return click.option(
        "--max-errors",
        type=click.IntRange(min=1),
        metavar="N",
        help="Stop reading after so many errors. Default: 100.",
    )(command)


def _note(name: str) -> Callable[[click.Context, click.Parameter, int | None], None]:
    def note(context: click.Context, _: click.Parameter, value: int | None) -> None:
        if value is not None:
            context.meta.setdefault(_KEY, {})[name] = value

    return note
