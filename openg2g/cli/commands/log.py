"""`openg2g log`."""

from datetime import datetime

import click

from openg2g.catalog import Catalog, LogFilter, Revision
from openg2g.cli.options.shared import (
    INSTANT,
    complete_names,
    format_option,
    on_catalog,
    open_catalog,
    viewpoint_options,
)
from openg2g.cli.output.differences import Side, compare, difference_lines
from openg2g.cli.output.tables import echo_json, escaped, fitted, minutes, revision_summary, terminal_width
from openg2g.models.columns import columns


@click.command("log")
@click.argument("name", required=False, shell_complete=complete_names)
@click.option("--since", type=INSTANT, metavar="TIME", help="Recorded at this time or later.")
@click.option("--until", type=INSTANT, metavar="TIME", help="Recorded before this time.")
@click.option("--author", help="Whose author contains this text; case counts.")
@click.option("--limit", type=click.IntRange(min=1), metavar="N", help="At most N revisions.")
@click.option("--reverse", "oldest_first", is_flag=True, help="Oldest first.")
@click.option("--patch", is_flag=True, help="With what each revision changed.")
@viewpoint_options
@format_option("table", "json", "jsonl")
@on_catalog
def command(
    context: click.Context,
    name: str | None,
    since: datetime | None,
    until: datetime | None,
    author: str | None,
    limit: int | None,
    oldest_first: bool,
    patch: bool,
    as_of: datetime | None,
    known_at: datetime | None,
    format_name: str,
) -> None:
    """List what was recorded, latest first: a line for each revision, of NAME or of every name.

    \b
    Examples:
      openg2g log fleet --patch
      openg2g log --since 2026-03-01 --author Ada --limit 20
    """
    if since is not None and until is not None and until <= since:
        raise click.UsageError("--until must be later than --since.")
    if patch and format_name != "table":
        raise click.UsageError("--patch is for the table. Use `openg2g diff A B --format json`.")
    wanted = LogFilter(name, since, until, author, as_of, known_at, oldest_first)
    with open_catalog(context) as catalog:
        revisions = catalog.log(wanted, limit)
        if format_name != "table":
            echo_json(map(revision_summary, revisions), format_name)
            return
        for revision in revisions:
            click.echo(_line(revision))
            if patch:
                click.echo(_patch(catalog, revision))


def _line(revision: Revision) -> str:
    what = "retired" if revision.workload is None else f"{revision.workload.total_gpus} GPUs"
    since = "" if revision.effective_from == revision.recorded_at else f" from {minutes(revision.effective_from)}"
    author = revision.author.partition(" <")[0]
    line = escaped(f"{minutes(revision.recorded_at)}  {revision.reference}  {what}{since}  {author}  ")
    return line + escaped(fitted(revision.message, max(terminal_width() - columns(line), 12)))


def _patch(catalog: Catalog, revision: Revision) -> str:
    first = revision.number == 1
    before = Side("nothing", None) if first else Side.of_revision(catalog.get(f"{revision.name}@{revision.number - 1}"))
    return "".join(f"    {line}\n" for line in difference_lines(compare(before, Side.of_revision(revision))))
