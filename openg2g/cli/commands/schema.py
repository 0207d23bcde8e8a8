"""`openg2g schema`."""

import click

from openg2g.formats.schema.schemas import SCHEMA_NAMES, schema_text


@click.command("schema")
@click.option("--format", "format_name", type=click.Choice(SCHEMA_NAMES), default="json", help="Default: json.")
def command(format_name: str) -> None:
    """Print the JSON Schema of a file format, by which editors complete and check.

    Of JSON Lines it is the schema of a line, of CSV and Parquet that of a row. A Python script has none. Import checks
    more: distinct labels for instance, which no schema can ask for.

    \b
    Examples:
      openg2g schema > workload.schema.json
      openg2g schema --format openg2g-0.2 > config.schema.json

    \b
    Editors find it by their settings, or by the first line of a file:
      {"$schema": "./workload.schema.json",                    in JSON; import reads it over
      # yaml-language-server: $schema=workload.schema.json     in YAML
      #:schema ./workload.schema.json                          in TOML
    """
    click.echo(schema_text(format_name), nl=False)
