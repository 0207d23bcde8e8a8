"""Options that several commands share, and the catalog that they lead to."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import click

if TYPE_CHECKING:
    from openg2g.catalog import Catalog

_Command = TypeVar("_Command", bound=Callable[..., Any])
_KEY = "openg2g.database"


def database_option(command: _Command) -> _Command:
    """Add `--database`, which may stand before and after the name of a command; the one after wins."""
    return click.option(
        "--database",
        metavar="PATH|URL",
        expose_value=False,
        callback=_note_database,
        help="SQLite file or postgresql:// URL. Default: $OPENG2G_DATABASE, else a file in the user's data directory.",
    )(command)


def _note_database(context: click.Context, _: click.Parameter, value: str | None) -> None:
    if value is not None:
        context.meta[_KEY] = value


def database_given(context: click.Context) -> str | None:
    """Return what `--database` says, None where it is not there."""
    given: str | None = context.meta.get(_KEY)
    return given


def open_catalog(context: click.Context) -> "Catalog":
    """Open the catalog of `--database`; it must exist."""
    from openg2g.catalog import Catalog

    return Catalog.open(database_given(context))


def complete_names(context: click.Context, _: click.Parameter, incomplete: str) -> list[str]:
    """Complete a name from the catalog; nothing where that is not possible."""
    from openg2g.catalog import CatalogError

    try:
        with open_catalog(context) as catalog:
            return [name for name in catalog.list_names() if name.startswith(incomplete)]
    except CatalogError:
        return []
