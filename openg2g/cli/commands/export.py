"""`openg2g export`."""

import os
from collections.abc import Iterator
from datetime import datetime

import click

from openg2g.catalog.archive.copying import export_archive
from openg2g.catalog.documents.transfer import documents_of, documents_of_all
from openg2g.cli.options.shared import (
    complete_names,
    in_force_of,
    on_catalog,
    open_catalog,
    parameter_option,
    parameters_given,
    viewpoint_options,
)
from openg2g.cli.output.revisions import say_waiting
from openg2g.cli.output.tables import say
from openg2g.formats.document import Document
from openg2g.formats.export_losses import refuse_losses, tell_losses
from openg2g.formats.files import format_name_of_stream, other_names, write_documents, writing_text
from openg2g.formats.losses import Loss
from openg2g.formats.registry import FORMAT_NAMES


@click.command("export")
@click.argument("references", nargs=-1, metavar="[REF]...", shell_complete=complete_names)
@viewpoint_options
@click.option("--all", "export_all", is_flag=True, help="What is in force of every name.")
@click.option(
    "--where", "expression", metavar="EXPR", help="What `openg2g search EXPR` finds, in force now or --as-of."
)
@parameter_option
@click.option("--history", is_flag=True, help="With --all: the whole catalog as an archive (JSON Lines).")
@click.option("-o", "--output", default="-", metavar="FILE", type=click.Path(allow_dash=True), help="Default: -.")
@click.option("--format", "format_name", type=click.Choice(FORMAT_NAMES), help="Default: by suffix; JSON for -.")
@click.option("--lossy", is_flag=True, help="Write what the format cannot say all of, and tell what is lost.")
@click.option("--force", is_flag=True, help="Replace the file if it is there; other hard links keep the old content.")
@on_catalog
def command(
    context: click.Context,
    references: tuple[str, ...],
    as_of: datetime | None,
    known_at: datetime | None,
    export_all: bool,
    expression: str | None,
    parameters: tuple[str, ...],
    history: bool,
    output: str,
    format_name: str | None,
    lossy: bool,
    force: bool,
) -> None:
    """Write workloads to a file or to standard output; the same workloads, the same bytes.

    The file appears complete or not at all. An OpenG2G configuration that was imported comes back equal with
    --format openg2g-0.1 or openg2g-0.2. What another version would refuse, understand differently or ignore is not
    written without --lossy; `openg2g check` tells it before.

    --all --history writes the archive of the catalog: every revision, alias and tag, with a digest over all.
    `openg2g import` reads it, and `openg2g verify` checks it.

    \b
    Examples:
      openg2g export fleet -o fleet.json
      openg2g export fleet@2 --format openg2g-0.1 -o config.json
      openg2g export fleet --format openg2g-0.2 --lossy > config.json
      openg2g export fleet@latest -o plan.json
      openg2g export --all --format jsonl > in-force.jsonl
      openg2g export --where "total_gpus < 7200" --format jsonl > small.jsonl
      openg2g export --all --history -o catalog.jsonl
    """
    if history and not (export_all and as_of is known_at is None and format_name in (None, "jsonl")):
        raise click.UsageError("--history goes with --all, and with no times and no other format.")
    if [bool(references), export_all, expression is not None].count(True) != 1:
        raise click.UsageError("Name what to export, or use --all or --where (one of them).")
    if parameters and expression is None:
        raise click.UsageError("--param goes with --where.")
    when = in_force_of(as_of, known_at)
    waiting: list[str] = []
    with open_catalog(context) as catalog:
        if output != "-" and os.path.realpath(output) == catalog.location:
            raise click.UsageError(f"{output} is the catalog itself. Choose another file.")
        num_links = other_names(output)
        if history:
            with writing_text(output, replace=force) as stream:
                export_archive(catalog, stream)
            _say_links(output, num_links)
            return
        if expression is not None:
            hits = catalog.search(expression, parameters_given(parameters), when=when)
            documents: Iterator[Document] = map(Document.of_revision, hits)
        elif export_all:
            documents = documents_of_all(catalog, when, lambda status: waiting.append(status.name))
        else:
            documents = documents_of(catalog, references, when)
        target = format_name or format_name_of_stream(output)
        documents = tell_losses(documents, target, _say_loss) if lossy else refuse_losses(documents, target)
        write_documents(documents, output, target, replace=force)
        _say_links(output, num_links)
    if as_of is None:
        say_waiting(waiting)


def _say_links(output: str, number: int) -> None:
    """Tell that a file is no longer what its other names lead to."""
    if number:
        names = "1 other name (hard link) keeps" if number == 1 else f"{number} other names (hard links) keep"
        say(f"{output} was replaced; its {names} the old content.")


def _say_loss(document: Document, loss: Loss) -> None:
    say(f"{document.where}: {loss}")
