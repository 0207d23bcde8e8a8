"""`openg2g export`."""

import click

from openg2g.cli.options import complete_names, database_option, open_catalog
from openg2g.formats.registry import FORMAT_NAMES


@click.command("export")
@click.argument("references", nargs=-1, metavar="[REF]...", shell_complete=complete_names)
@click.option("--all", "export_all", is_flag=True, help="The latest revision of every name.")
@click.option("-o", "--output", default="-", metavar="FILE", type=click.Path(allow_dash=True), help="Default: -.")
@click.option("--format", "format_name", type=click.Choice(FORMAT_NAMES), help="Default: by suffix; JSON for -.")
@click.option("--force", is_flag=True, help="Replace the file if it is there.")
@database_option
@click.pass_context
def command(
    context: click.Context,
    references: tuple[str, ...],
    export_all: bool,
    output: str,
    format_name: str | None,
    force: bool,
) -> None:
    """Write workloads to a file or to standard output; the same workloads, the same bytes.

    The file appears complete or not at all. An OpenG2G configuration that was imported comes back equal with
    --format openg2g-0.1 or openg2g-0.2.

    \b
    Examples:
      openg2g export fleet -o fleet.json
      openg2g export fleet@2 --format openg2g-0.1 -o config.json
      openg2g export --all --format jsonl > catalog.jsonl
    """
    from openg2g.catalog.transfer import documents_of, documents_of_all
    from openg2g.formats.files import write_documents

    if bool(references) == export_all:
        raise click.UsageError("Name what to export, or use --all (not both).")
    with open_catalog(context) as catalog:
        documents = documents_of_all(catalog) if export_all else documents_of(catalog, references)
        write_documents(documents, output, format_name, replace=force)
