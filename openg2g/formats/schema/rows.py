"""The rows of CSV and Parquet files as JSON Schema: column → value.

A schema looks at one row. That the rows of a workload stand together and do not contradict each other, it cannot say.
"""

from openg2g.formats.document import Document
from openg2g.formats.native import MODEL_FIELDS
from openg2g.formats.parquet.columns import ALL_COLUMNS, PLACE_COLUMNS
from openg2g.formats.rows.model_rows import COLUMNS
from openg2g.formats.schema.document import (
    JSON_VALUE,
    count_schema,
    described,
    json_definitions,
    model_field_schemas,
    required_model_fields,
    revision_field_schemas,
)
from openg2g.formats.schema.texts import TIME_OR_DAY_PATTERN, Schema, name_schema
from openg2g.models.spec import MIN_BATCH_SIZE

ROW: Schema = {"$ref": "#/$defs/row"}
"""A row; `csv_row_definitions` or `parquet_row_definitions` are needed beside it."""

_SIZES_PATTERN = r"^[1-9][0-9]*(?:\s+[1-9][0-9]*)*$"
_NOTHING: Schema = {"enum": [None, ""]}


def csv_row_definitions() -> dict[str, Schema]:
    """Make what `ROW` refers to for a CSV file.

    An empty cell has no value, blanks around numbers and times do not count, and a text is as it stands in its cell: it
    may have an apostrophe before it.
    """
    columns = _column_schemas()
    for name in ("name", "model_label"):
        columns[name]["maxLength"] += 1
    for name in ("recorded_at", "effective_from"):
        columns[name]["pattern"] = TIME_OR_DAY_PATTERN
    sizes = columns["feasible_batch_sizes"]
    columns["feasible_batch_sizes"] = {
        "description": f"{sizes.get('description', '')} Written with blanks between them: 8 16 32.".lstrip(),
        **count_schema(MIN_BATCH_SIZE),
        "type": ["string", "integer"],
        "pattern": _SIZES_PATTERN,
        "default": " ".join(map(str, sizes["default"])),
    }
    row = {
        "description": "The model of a row, and the workload that it belongs to. An empty cell has no value.",
        "type": "object",
        "properties": {name: columns[name] for name in COLUMNS},
        "required": required_model_fields(),
        "additionalProperties": False,
    }
    return {"row": row, **json_definitions()}


def parquet_row_definitions() -> dict[str, Schema]:
    """Make what `ROW` refers to for a Parquet file; times stand for timestamps."""
    columns = _column_schemas()
    del columns["feasible_batch_sizes"]["default"]
    of_workload = {name: _or_nothing(schema) for name, schema in columns.items() if name not in MODEL_FIELDS}
    places = {
        "workload_index": "Which workload of the file the row belongs to, counted from 0.",
        "position": "Which model of the workload the row is, counted from 0.",
    }
    of_place = {name: {"description": places[name], "type": "integer", "minimum": 0} for name in PLACE_COLUMNS}
    schemas = columns | of_workload | of_place
    row = {
        "description": "The model of a row, and the workload that it belongs to.",
        "type": "object",
        "properties": {name: schemas[name] for name in ALL_COLUMNS},
        "required": list(MODEL_FIELDS),
        "dependentRequired": {name: list(PLACE_COLUMNS) for name in PLACE_COLUMNS},
        "additionalProperties": False,
    }
    return {"row": row, **json_definitions()}


def _column_schemas() -> dict[str, Schema]:
    """Make the schemas of the columns that both have."""
    json_text = {
        "type": "string",
        "contentMediaType": "application/json",
        "contentSchema": {"type": "object"} | JSON_VALUE,
    }
    of_document = described(Document, {"name": name_schema(), "annotations": json_text})
    return {**model_field_schemas(), **revision_field_schemas(), **of_document}


def _or_nothing(schema: Schema) -> Schema:
    """Allow what stands for no value; the description stays where editors look for it."""
    rule = {key: part for key, part in schema.items() if key != "description"}
    return {key: part for key, part in schema.items() if key == "description"} | {"anyOf": [_NOTHING, rule]}
