"""The catalog's own document as JSON Schema, made of the dataclasses, their docstrings and their limits.

Whatever the schema refuses, reading refuses too. The other way round, a schema cannot say

- that the labels of a workload must be distinct, and how many GPUs all its models may have;
- that a whole number must not be written `1.0`: to JSON Schema, that is the same number;
- which times no calendar or clock has;
- how deep annotations may be nested, how many digits their integers may have, and that `1e999` is beyond every double;
- that half of a surrogate pair is no character.
"""

import sys
from dataclasses import MISSING, fields
from typing import Any

from openg2g.formats.document import Document, RevisionData
from openg2g.formats.native import FIELDS, FORMAT, MODEL_FIELDS, SCHEMA_FIELD
from openg2g.formats.schema.docstrings import attribute_descriptions, summary_of
from openg2g.formats.schema.texts import (
    Schema,
    digest_schema,
    label_schema,
    name_schema,
    nullable,
    text_schema,
    time_schema,
)
from openg2g.models.spec import (
    MAX_COUNT,
    MIN_BATCH_SIZE,
    MIN_GPUS_PER_REPLICA,
    MIN_REPLICAS,
    LLMInferenceModelSpec,
    LLMInferenceWorkload,
)

DOCUMENT: Schema = {"$ref": "#/$defs/document"}
"""A document; `document_definitions` are needed beside it."""

JSON_VALUE: Schema = {"$ref": "#/$defs/json_value"}
"""Any JSON value that a database stores; `json_definitions` are needed beside it."""


def document_definitions() -> dict[str, Schema]:
    """Make what `DOCUMENT` refers to."""
    return {
        "document": _document_schema(),
        "model": _model_schema(),
        "revision": _revision_schema(),
        **json_definitions(),
    }


def json_definitions() -> dict[str, Schema]:
    """Make what `JSON_VALUE` refers to."""
    text = text_schema()
    return {
        "json_value": {
            "not": text["not"],
            "items": JSON_VALUE,
            "propertyNames": {"not": text["not"]},
            "additionalProperties": JSON_VALUE,
        }
    }


def model_field_schemas() -> dict[str, Schema]:
    """Make the schema of each of the six fields, with its description and its default, in the order of writing."""
    rules = {
        "model_label": label_schema(),
        "num_replicas": count_schema(MIN_REPLICAS),
        "gpus_per_replica": count_schema(MIN_GPUS_PER_REPLICA),
        "initial_batch_size": count_schema(MIN_BATCH_SIZE),
        "itl_deadline_s": {"type": "number", "exclusiveMinimum": 0, "maximum": sys.float_info.max},
        "feasible_batch_sizes": {"type": "array", "items": count_schema(MIN_BATCH_SIZE), "minItems": 1},
    }
    defaults = {f.name: f.default for f in fields(LLMInferenceModelSpec) if f.default is not MISSING}
    schemas = described(LLMInferenceModelSpec, {name: rules[name] for name in MODEL_FIELDS})
    for name, default in defaults.items():
        schemas[name]["default"] = list(default) if isinstance(default, tuple) else default
    return schemas


def required_model_fields() -> list[str]:
    """List the fields of a model that have no default."""
    return [f.name for f in fields(LLMInferenceModelSpec) if f.default is MISSING]


def revision_field_schemas() -> dict[str, Schema]:
    """Make the schema of each thing that a document says of its revision, if it says it, with its description."""
    rules = {
        "number": {"type": "integer", "minimum": 1},
        "digest": digest_schema(),
        "recorded_at": time_schema(),
        "effective_from": time_schema(),
        "author": text_schema(),
        "message": text_schema(),
        "source": text_schema(),
    }
    return described(RevisionData, {f.name: rules[f.name] for f in fields(RevisionData)})


def count_schema(minimum: int) -> Schema:
    """Whole number from a minimum on."""
    return {"type": "integer", "minimum": minimum, "maximum": MAX_COUNT}


def described(cls: type[Any], schemas: dict[str, Schema]) -> dict[str, Schema]:
    """Put before the schemas of attributes what the docstring of their class says of them."""
    descriptions = attribute_descriptions(cls)
    return {name: _description(descriptions.get(name, "")) | schema for name, schema in schemas.items()}


def described_class(cls: type[Any]) -> Schema:
    """Say what the docstring of a class says of it."""
    return _description(summary_of(cls))


def _description(text: str) -> Schema:
    return {"description": text} if text else {}


def _document_schema() -> Schema:
    models = {"type": "array", "items": {"$ref": "#/$defs/model"}, "minItems": 1}
    schemas = {
        "format": {"description": "Version of this shape.", "const": FORMAT},
        **described(LLMInferenceWorkload, {"models": models}),
        **described(
            Document,
            {
                "name": nullable(name_schema()),
                "annotations": {"type": "object", **JSON_VALUE},
                "revision": {"$ref": "#/$defs/revision"},
            },
        ),
    }
    of_editor = {"description": "Where an editor finds this schema. It is not kept.", "type": "string"}
    return {
        **described_class(Document),
        "type": "object",
        "properties": {SCHEMA_FIELD: of_editor, **{name: schemas[name] for name in FIELDS}},
        "required": ["models"],
        "additionalProperties": False,
    }


def _model_schema() -> Schema:
    return {
        **described_class(LLMInferenceModelSpec),
        "type": "object",
        "properties": model_field_schemas(),
        "required": required_model_fields(),
        "additionalProperties": False,
    }


def _revision_schema() -> Schema:
    return {
        **described_class(RevisionData),
        "type": "object",
        "properties": {name: nullable(schema) for name, schema in revision_field_schemas().items()},
        "additionalProperties": False,
    }
