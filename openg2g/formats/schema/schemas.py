"""The JSON Schema of each format: a file beside this module, which the tests hold against what the formats read.

Where a file holds one workload or several, `if` tells them apart by what is there: an editor can then say what is wrong
with either, not only that neither fits. An `$id` changes with the version of the shape alone.
"""

import json
from pathlib import Path
from typing import Any

from openg2g.formats.registry import FORMAT_NAMES, get_entry
from openg2g.models.errors import UnknownFormatError

SCHEMA_NAMES = tuple(name for name in FORMAT_NAMES if name != "python")
"""Formats that have a schema, in the order of the registry."""


def schema_text(format_name: str) -> str:
    """Return the JSON Schema of what a file of a format holds: of JSON Lines a line, of CSV and Parquet a row.

    Raises:
        UnknownFormatError: There is no such format, or no schema of it: a Python script has none.
    """
    get_entry(format_name)
    if format_name not in SCHEMA_NAMES:
        raise UnknownFormatError(f"there is no JSON Schema of {format_name}. Known: {', '.join(SCHEMA_NAMES)}.")
    return Path(__file__).with_name(f"{format_name}.json").read_text(encoding="utf-8")


def schema_of(format_name: str) -> dict[str, Any]:
    """Return what `schema_text` does, as a value."""
    schema: dict[str, Any] = json.loads(schema_text(format_name))
    return schema
