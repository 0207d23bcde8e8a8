"""The catalog that an import fills: made where there is none."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

import click

from openg2g.catalog import Catalog
from openg2g.catalog.engine.creation import make_catalog
from openg2g.catalog.engine.location import locate
from openg2g.cli.options.shared import database_given
from openg2g.cli.output.tables import say
from openg2g.formats.temporary import temporary_directory


@contextmanager
def catalog_to_fill(context: click.Context, *, dry_run: bool) -> Iterator[Catalog]:
    """Open the catalog, or make it; a dry run makes a catalog that does not exist in a temporary directory."""
    location = locate(database_given(context))
    with ExitStack() as stack:
        if location.path is None or (location.path.exists() and location.path.stat().st_size):
            yield stack.enter_context(Catalog.open(database_given(context)))
        elif dry_run:
            yield stack.enter_context(Catalog.create(stack.enter_context(temporary_directory()) / "catalog.db"))
        else:
            if make_catalog(location):
                say(f"Made the catalog {location}.")
            yield stack.enter_context(Catalog.open(database_given(context)))
