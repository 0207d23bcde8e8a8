"""JSON Schemas as an independent library understands them, and the rows of a file as values that they speak of."""

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from openg2g.formats.rows.model_rows import COLUMNS
from openg2g.formats.schema.schemas import schema_of
from openg2g.models.instant import time_text

_NUMERIC = {
    "num_replicas",
    "gpus_per_replica",
    "initial_batch_size",
    "itl_deadline_s",
    "number",
    "feasible_batch_sizes",
}
_STRIPPED = _NUMERIC | {"digest", "recorded_at", "effective_from", "annotations"}
_DECIMAL = re.compile(r"-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_JSON_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")


@cache
def validator_of(format_name: str) -> Draft202012Validator:
    """Return the validator of a format."""
    return Draft202012Validator(schema_of(format_name))


def faults_of(value: Any, format_name: str) -> list[str]:
    """Say what the schema of a format finds wrong with a value."""
    return [f"{error.json_path}: {error.message[:200]}" for error in validator_of(format_name).iter_errors(value)]


def row_of_cells(cells: Mapping[str, str]) -> dict[str, Any]:
    """Take the cells of a CSV file for values as a reader does that recognises numbers; an empty cell has none."""
    row: dict[str, Any] = {}
    for column, text in cells.items():
        stripped = text.strip() if column in _STRIPPED else text
        if column == "itl_deadline_s" and _DECIMAL.fullmatch(stripped):
            row[column] = float(stripped)
        elif column in _NUMERIC and _JSON_NUMBER.fullmatch(stripped):
            row[column] = json.loads(stripped)
        elif stripped or column not in COLUMNS:
            row[column] = stripped
    return row


def row_of_values(values: Mapping[str, Any]) -> dict[str, Any]:
    """Take the typed values of a Parquet file for JSON: a timestamp for its text."""
    return {name: time_text(value) if isinstance(value, datetime) else value for name, value in values.items()}
