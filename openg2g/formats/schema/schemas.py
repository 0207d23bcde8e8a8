"""The JSON Schema of each format: what editors complete and check by, made anew each time.

Where a file holds one workload or several, `if` tells them apart by what is there: an editor can then say what is wrong
with either, not only that neither fits.
"""

from collections.abc import Callable, Mapping
from copy import deepcopy
from dataclasses import dataclass
from functools import partial

from openg2g.formats.native import FORMAT
from openg2g.formats.parquet.columns import FORMAT as FORMAT_OF_ROWS
from openg2g.formats.registry import get_entry
from openg2g.formats.schema.config import CONFIG, config_definitions
from openg2g.formats.schema.document import DOCUMENT, document_definitions
from openg2g.formats.schema.rows import ROW, csv_row_definitions, parquet_row_definitions
from openg2g.formats.schema.texts import Schema
from openg2g.formats.toml.files import LIST_KEY
from openg2g.models.errors import UnknownFormatError

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""Version of JSON Schema."""


@dataclass(frozen=True)
class _Shape:
    """What a file of some formats holds.

    Attributes:
        urn: What `$id` begins with, which changes with the version of the shape alone.
        root: Schema of the whole.
        definitions: Makes what the root refers to.
    """

    urn: str
    root: Schema
    definitions: Callable[[], dict[str, Schema]]


def schema_of(format_name: str) -> Schema:
    """Make the JSON Schema of what a file of a format holds: of JSON Lines a line, of CSV and Parquet a row.

    Raises:
        UnknownFormatError: There is no such format, or no schema of it: a Python script has none.
    """
    get_entry(format_name)
    if format_name not in _SHAPES:
        raise UnknownFormatError(f"there is no JSON Schema of {format_name}. Known: {', '.join(SCHEMA_NAMES)}.")
    shape = _SHAPES[format_name]
    schema = {
        "$schema": DIALECT,
        "$id": f"{shape.urn}:{format_name}",
        "title": f"OpenG2G workload catalog, format {format_name}",
        **shape.root,
        "$defs": shape.definitions(),
    }
    return deepcopy(schema)  # Parts of it are shared: who changes theirs must not change everybody's.


def _one_or_several(schema: Schema) -> Schema:
    return {"if": {"type": "array"}, "then": {"items": schema}, "else": schema}


def _one_or_several_tables(schema: Schema) -> Schema:
    """Schema of a file that is one workload, or has a table for each; no table is without a name."""
    tables = {"description": "Several workloads.", "type": "array", "items": schema}
    several = {"properties": {LIST_KEY: tables}, "additionalProperties": False}
    return {"type": "object", "if": {"required": [LIST_KEY]}, "then": several, "else": schema}


def _urn(version: str) -> str:
    return f"urn:{version.replace('/', ':')}"


_DOCUMENTS = _Shape(_urn(FORMAT), _one_or_several(DOCUMENT), document_definitions)
_CSV_ROW = _Shape(_urn(FORMAT_OF_ROWS), ROW, csv_row_definitions)

_SHAPES: Mapping[str, _Shape] = {
    "json": _DOCUMENTS,
    "jsonl": _Shape(_urn(FORMAT), DOCUMENT, document_definitions),
    "yaml": _DOCUMENTS,
    "toml": _Shape(_urn(FORMAT), _one_or_several_tables(DOCUMENT), document_definitions),
    "csv": _CSV_ROW,
    "tsv": _CSV_ROW,
    "parquet": _Shape(_urn(FORMAT_OF_ROWS), ROW, parquet_row_definitions),
    "openg2g-0.1": _Shape("urn:openg2g-config", _one_or_several(CONFIG), partial(config_definitions, "0.1")),
    "openg2g-0.2": _Shape("urn:openg2g-config", _one_or_several(CONFIG), partial(config_definitions, "0.2")),
}

SCHEMA_NAMES = tuple(_SHAPES)
"""Formats that have a schema, in the order of the registry."""
