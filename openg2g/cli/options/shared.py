"""Options that several commands share, and the catalog that they lead to."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

import click

from openg2g.cli.options.helps import SectionOption

if TYPE_CHECKING:
    from openg2g.catalog import Catalog
    from openg2g.catalog.history.when import InForce, When

_Command = TypeVar("_Command", bound=Callable[..., Any])
_P = ParamSpec("_P")
_R = TypeVar("_R")
_KEY = "openg2g.database"
_ZONE_KEY = "openg2g.zone"


def database_option(command: _Command) -> _Command:
    """Add `--database`, which may stand before and after the name of a command; the one after wins."""
    return click.option(
        "--database",
        metavar="PATH|URL",
        expose_value=False,
        callback=_note_database,
        help="SQLite file or postgresql:// URL. Default: $OPENG2G_DATABASE, else a file in the user's data directory.",
    )(command)


def on_catalog(command: Callable[Concatenate[click.Context, _P], _R]) -> Callable[_P, _R]:
    """Let a command run on the catalog of `--database`: pass the context, which `open_catalog` takes."""
    return database_option(click.pass_context(command))


def _note_database(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_KEY] = value


def database_given(context: click.Context) -> str | None:
    """Return what `--database` says, None where it is not there."""
    given: str | None = context.meta.get(_KEY)
    return given


@contextmanager
def open_catalog(context: click.Context) -> "Iterator[Catalog]":
    """Open the catalog of `--database`, which must exist, for a block."""
    from openg2g.catalog import Catalog

    with Catalog.open(database_given(context)) as catalog, catalog.database.naming_damage():
        yield catalog


def format_option(*names: str) -> Callable[[_Command], _Command]:
    """Add `--format`, the format of what a command prints; the first is the default."""
    help_text = f"Of what is printed. Default: {names[0]}."
    return click.option("--format", "format_name", type=click.Choice(names), default=names[0], help=help_text)


def complete_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Complete a name from the catalog; nothing where that is not possible."""
    from openg2g.catalog import CatalogError

    try:
        with open_catalog(context) as catalog:
            return [name for name in catalog.list_names() if name.startswith(incomplete)]
    except CatalogError:
        return []


class InstantType(click.ParamType[datetime]):
    """An ISO 8601 time, or a date, which means its start; where no zone is said, that of `--tz`."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read a time."""
        from openg2g.models.instant import parse_instant

        try:
            zone = ctx.meta.get(_ZONE_KEY) if ctx is not None else None
            return value if isinstance(value, datetime) else parse_instant(value, zone)
        except ValueError as error:
            hint = " Use --tz." if "zone" in str(error) else ""
            self.fail(f"{error}{hint}", param, ctx)


INSTANT = InstantType()


def zone_option(command: _Command) -> _Command:
    """Add `--tz`, which is read before every time."""
    return click.option(
        "--tz",
        metavar="ZONE",
        is_eager=True,
        expose_value=False,
        callback=_note_zone,
        help="Zone of times and dates that say none (Europe/Berlin). Default: dates are UTC, times must say it.",
    )(command)


def _note_zone(context: click.Context, parameter: click.Parameter, value: str | None) -> None:
    from openg2g.models.instant import parse_zone

    if value is not None:
        try:
            context.meta[_ZONE_KEY] = parse_zone(value)
        except ValueError as error:
            raise click.BadParameter(str(error), context, parameter) from None


def viewpoint_options(command: _Command) -> _Command:
    """Add `--as-of`, `--known-at` and `--tz`."""
    known_at = "As the catalog knew it at this time. It does not imply --as-of."
    command = click.option("--known-at", type=INSTANT, metavar="TIME", help=known_at)(zone_option(command))
    return click.option("--as-of", type=INSTANT, metavar="TIME", help="In force at this time.")(command)


def effective_from_option(command: _Command) -> _Command:
    """Add `--effective-from` and `--tz`, for a workload that is recorded."""
    help_text = "Since when it applies: 2026-03-01 (its start in UTC) or 2026-03-01T12:00+01:00. Default: now."
    return click.option("--effective-from", type=INSTANT, metavar="TIME", help=help_text)(zone_option(command))


def in_force_of(as_of: datetime | None, known_at: datetime | None) -> "InForce":
    """Say what was in force when, by the two options."""
    from openg2g.catalog.history.when import InForce

    return InForce(as_of, known_at)


def parameter_option(command: _Command) -> _Command:
    """Add `--param`."""
    return click.option(
        "--param",
        "parameters",
        multiple=True,
        metavar="NAME=VALUE",
        help="Value of a name in the expression: a number, true, false, or text. May be given several times.",
    )(command)


def scope_options(command: _Command) -> _Command:
    """Add the options of what is searched: `--as-of`, `--known-at`, `--tz`, `--all-revisions` and `--param`."""
    all_revisions = click.option("--all-revisions", is_flag=True, help="Every revision, in force or not.")
    return viewpoint_options(all_revisions(parameter_option(command)))


def when_of(as_of: datetime | None, known_at: datetime | None, all_revisions: bool) -> "When":
    """Say which revisions the options mean."""
    from openg2g.catalog.history.when import EveryRevision

    if all_revisions and as_of is not None:
        raise click.UsageError("--as-of asks what was in force at one time: leave it or --all-revisions out.")
    return EveryRevision(known_at) if all_revisions else in_force_of(as_of, known_at)


def pairs_given(flag: str, texts: tuple[str, ...], form: str = "OLD=NEW") -> dict[str, str]:
    """Read what an option was given that takes pairs."""
    pairs: dict[str, str] = {}
    for text in texts:
        key, equals, value = text.partition("=")
        if not key or not equals or key in pairs:
            raise click.UsageError(f"{flag} {text!r}: write {form}, once for each name.")
        pairs[key] = value
    return pairs


def parameters_given(texts: tuple[str, ...]) -> dict[str, object]:
    """Read what `--param` was given."""
    from openg2g.expressions.parameters import parameter_from_text

    return {name: parameter_from_text(text) for name, text in pairs_given("--param", texts, "NAME=VALUE").items()}


def record_options(command: _Command) -> _Command:
    """Add `--message` and `--author`, for whatever is recorded."""
    command = click.option("--author", help="Who. Default: your git identity or login name.")(command)
    return click.option("-m", "--message", default="", help="Why, for the record.")(command)


def ending_options(command: _Command) -> _Command:
    """Add the options of a revision that ends a name or brings it back."""
    expect = click.option(
        "--expect", type=click.IntRange(min=1), metavar="N", help="Refuse if the highest number is not N."
    )
    since = click.option("--effective-from", type=INSTANT, metavar="TIME", help="Since when. Default: now.")
    return record_options(since(zone_option(expect(command))))


def rename_options(command: _Command) -> _Command:
    """Add `--rename` and `--prefix`, for histories that come from another catalog."""
    of_archives = partial(click.option, cls=SectionOption, section="Archives")
    prefix = of_archives("--prefix", default="", help="Begin every name with it that has no --rename.")
    called = "Call NEW here what is called OLD there. May be given several times."
    return of_archives("--rename", "renames", multiple=True, metavar="OLD=NEW", help=called)(prefix(command))
