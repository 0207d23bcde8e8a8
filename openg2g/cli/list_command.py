"""`openg2g list`."""

from datetime import datetime

import click

from openg2g.cli.options import database_option, open_catalog, viewpoint_options
from openg2g.cli.revision_list import echo_revisions, list_format_options


@click.command("list")
@click.argument("pattern", default="*", metavar="[GLOB]")
@viewpoint_options
@click.option("--retired", "with_retired", is_flag=True, help="Retired names too.")
@list_format_options
@database_option
@click.pass_context
def command(
    context: click.Context,
    pattern: str,
    as_of: datetime | None,
    known_at: datetime | None,
    with_retired: bool,
    format_name: str,
    nul: bool,
) -> None:
    """List the names that match GLOB (* ? [...], case counts), with their latest revisions.

    `openg2g search` finds workloads by what they mean.

    \b
    Examples:
      openg2g list
      openg2g list 'sweep/*' --format names
      openg2g list --as-of 2026-03-01
    """
    with open_catalog(context) as catalog:
        echo_revisions(
            catalog.iter_latest(pattern, as_of=as_of, known_at=known_at, with_retired=with_retired),
            format_name,
            nul=nul,
            nothing=lambda: _nothing(bool(catalog.list_names(pattern)), pattern, as_of, known_at),
        )


def _nothing(has_names: bool, pattern: str, as_of: datetime | None, known_at: datetime | None) -> str:
    if has_names:
        return "Nothing was in force then." if as_of or known_at else "Every name is retired; --retired lists them."
    return "The catalog is empty." if pattern == "*" else f"No name matches {pattern}."
