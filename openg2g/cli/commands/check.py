"""`openg2g check`."""

from collections.abc import Sequence
from datetime import datetime

import click

from openg2g.catalog.documents.transfer import documents_of
from openg2g.cli.options.shared import (
    complete_names,
    format_option,
    in_force_of,
    on_catalog,
    open_catalog,
    viewpoint_options,
)
from openg2g.cli.output.tables import echo_json, table
from openg2g.formats.export_losses import find_losses
from openg2g.formats.losses import Loss
from openg2g.formats.registry import FORMAT_NAMES

_HEADERS = ("workload", "what happens", "field", "why")


@click.command("check")
@click.argument("references", nargs=-1, required=True, metavar="REF...", shell_complete=complete_names)
@click.option("--target", required=True, type=click.Choice(FORMAT_NAMES), help="Format that it is to be exported to.")
@viewpoint_options
@format_option("table", "json")
@on_catalog
def command(
    context: click.Context,
    references: tuple[str, ...],
    target: str,
    as_of: datetime | None,
    known_at: datetime | None,
    format_name: str,
) -> int:
    """Say what a format would refuse of workloads, understand differently, or leave out; nothing is written.

    The targets openg2g-0.1 and openg2g-0.2 know what these versions of OpenG2G accept. A configuration loses nothing
    in the version that it came from, not even what this version refuses of it, and no workload loses anything in JSON,
    JSON Lines, YAML, CSV, TSV, Parquet and Python. `openg2g export` refuses what this command finds, or writes it with
    --lossy, but for what no file of the format can stand for: a number of more than 64 bits in TOML.

    Exit code 1 where something would be lost.

    \b
    Examples:
      openg2g check fleet --target openg2g-0.2
      openg2g check fleet@2 fleet@production --target toml --format json
    """
    with open_catalog(context) as catalog:
        documents = list(documents_of(catalog, references, in_force_of(as_of, known_at)))
    found = [(document.where, loss) for document in documents for loss in find_losses(document, target)]
    if format_name == "json":
        echo_json((_value(where, loss) for where, loss in found), "json")
    elif found:
        click.echo(table(_HEADERS, [_row(where, loss) for where, loss in found]))
    else:
        click.echo(f"Nothing is lost in {target}.")
    return 1 if found else 0


def _value(where: str, loss: Loss) -> dict[str, str]:
    return {"reference": where, "kind": loss.kind.value, "path": loss.path, "message": loss.message}


def _row(where: str, loss: Loss) -> Sequence[str]:
    return where, loss.kind.value, loss.path, loss.message
