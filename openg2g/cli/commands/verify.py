"""`openg2g verify`."""

from contextlib import closing

import click

from openg2g.catalog.engine import clock
from openg2g.catalog.engine.database import Database
from openg2g.catalog.engine.location import locate
from openg2g.catalog.engine.schema_version import require_schema
from openg2g.catalog.history.clock_watch import all_clock_warnings
from openg2g.catalog.upkeep.verify import verify_database
from openg2g.cli.options.shared import database_given, on_catalog, open_catalog
from openg2g.cli.output.tables import escaped, say, seconds
from openg2g.formats.archive.reader import read_archive
from openg2g.formats.files import SourceFile, open_sources
from openg2g.models.errors import DamagedCatalogError
from openg2g.models.revision import RevisionRecord


@click.command("verify")
@click.argument("files", nargs=-1, metavar="[FILE]...", type=click.Path())
@on_catalog
def command(context: click.Context, files: tuple[str, ...]) -> None:
    """Prove that archives, or without FILE the catalog, are sound; damage is named and ends with an exit code.

    Every table, trigger and view is as this release makes it, every digest fits its content, the numbers of every name
    have no gaps, every reference leads somewhere, and every total is right. A damaged archive ends with exit code 4, a
    damaged catalog with 6. Times that lie ahead of the clock are no damage, and told on standard error.

    Nobody waits for it: of an SQLite file, a copy among the temporary files is checked (TMPDIR says where).

    \b
    Examples:
      openg2g verify --database fleet.db
      openg2g verify catalog.jsonl
    """
    if files:
        with open_sources(files, "jsonl") as sources:
            for source in sources:
                _verify_archive(source)
        return
    with closing(Database(locate(database_given(context)))) as database:
        require_schema(database)
        problems = verify_database(database)
    if problems:
        raise DamagedCatalogError("\n".join([f"{database.location} is damaged:", *problems]))
    with open_catalog(context) as catalog:
        counts = catalog.count()
        warnings = all_clock_warnings(catalog.database)
    click.echo(escaped(f"{catalog.location}: sound, names: {counts['names']}, revisions: {counts['revisions']}"))
    for warning in warnings:
        say(warning)


def _verify_archive(source: SourceFile) -> None:
    limit = clock.Clocks(clock.now()).limit
    late: dict[str, RevisionRecord] = {}
    count = 0
    for entry in read_archive(source.stream, source.label):
        count += 1
        if isinstance(entry, RevisionRecord) and entry.recorded_at > limit:
            late[entry.name] = entry
    click.echo(escaped(f"{source.label}: sound, {count} entries"))
    for entry in late.values():
        recorded = f"{entry.name}@{entry.number} is recorded at {seconds(entry.recorded_at)}"
        say(f"{source.label}: {recorded}, which is still to come.")
