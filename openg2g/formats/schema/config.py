"""The configuration files of OpenG2G 0.1 and 0.2 as JSON Schema: what the catalog reads of them.

They may hold any other key, which is kept as an annotation. Beside what no schema of a document can say (see
`openg2g.formats.schema.document`), a schema cannot say

- that a key resembles a field that is missing, which reading takes for a slip and refuses;
- that a label in `dc_sites` must be that of a model in the file.
"""

from collections.abc import Collection, Mapping

from openg2g.formats.native import MODEL_FIELDS
from openg2g.formats.openg2g.entries import KEPT_AMONG_KEYS
from openg2g.formats.openg2g.layout import FIELD_KEYS, LIST_KEYS, REPLICA_KEYS, SITES, Layout
from openg2g.formats.openg2g.origin import ORIGIN
from openg2g.formats.openg2g.sites import MAX_SITES
from openg2g.formats.schema.document import (
    JSON_VALUE,
    described,
    described_class,
    json_definitions,
    model_field_schemas,
)
from openg2g.formats.schema.texts import Schema, name_schema
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

CONFIG: Schema = {"$ref": "#/$defs/config"}
"""A configuration; `config_definitions` are needed beside it."""

_OMITTED_BATCH_SIZES: Mapping[str, Schema] = {"0.1": {"minItems": 0}, "0.2": {"type": ["array", "null"]}}
"""Version → which value of `feasible_batch_sizes` means the same as none."""


def config_definitions(version: str) -> dict[str, Schema]:
    """Make what `CONFIG` refers to, for version `0.1` or `0.2`."""
    lists = {list_key: _list_schema(Layout(version, list_key, REPLICA_KEYS[0])) for list_key in LIST_KEYS}
    config = {
        "description": f"Configuration of OpenG2G {version}. Whatever has no meaning here is kept as annotations.",
        "type": "object",
        "properties": {
            **_references_to_lists(),
            SITES: {"description": "Datacenters on one grid, by site."},
            "format": False,
            ORIGIN: False,
        },
        "allOf": [JSON_VALUE],
        "if": {"required": [SITES], "not": {"anyOf": [{"required": [key]} for key in LIST_KEYS]}},
        "then": {"properties": {SITES: _sites_that_list_models()}},
        "else": {"properties": {SITES: _sites_that_name_models()}, **_exactly_one(LIST_KEYS)},
    }
    return {"config": config, **lists, **json_definitions()}


def _references_to_lists() -> dict[str, Schema]:
    """Refer to the list of models under either key."""
    description = described(LLMInferenceWorkload, {"models": {}})["models"]
    return {list_key: {**description, "$ref": f"#/$defs/{list_key}"} for list_key in LIST_KEYS}


def _sites_that_name_models() -> Schema:
    """Schema of the sites of a file that lists its models at the top."""
    labels = {
        "description": "Labels of the models that the site serves: all models of the file where it is not said.",
        "type": ["array", "null"],
        "items": {"type": "string"},
    }
    site = {"type": "object", "properties": {"models": labels}}
    return {"type": ["object", "null"], "additionalProperties": site}


def _sites_that_list_models() -> Schema:
    """Schema of the sites of a file that lists no models at the top: each of several is a workload of its name."""
    site = {"type": "object", "properties": _references_to_lists(), **_exactly_one(LIST_KEYS)}
    return {
        "type": "object",
        "additionalProperties": site,
        "minProperties": 1,
        "maxProperties": MAX_SITES,
        "if": {"minProperties": 2},
        "then": {"propertyNames": name_schema()},
    }


def _list_schema(layout: Layout) -> Schema:
    """Schema of a list of models, all of which have the number of replicas under the same key."""
    entry = _spec_schema(layout) if layout.list_key == "models" else _deployment_schema(layout)
    is_in_spec = layout.list_key == "deployments" and "num_replicas" not in layout.deployment_fields
    uniform = []
    for key in REPLICA_KEYS:
        has_key: Schema = {"type": "object", "required": [key]}
        if is_in_spec:
            has_key = {"type": "object", "required": ["spec"], "properties": {"spec": has_key}}
        uniform.append({"if": {"contains": has_key}, "then": {"items": has_key}})
    return {"type": "array", "items": entry, "minItems": 1, "allOf": uniform}


def _deployment_schema(layout: Layout) -> Schema:
    """Schema of an entry of `deployments`."""
    said = _fields_schema(layout, layout.deployment_fields)
    refused = sorted(FIELD_KEYS - said["properties"].keys())
    properties = {"spec": _spec_schema(layout), **said["properties"], **dict.fromkeys(refused, False)}
    return {**said, "properties": properties, "required": ["spec", *said["required"]]}


def _spec_schema(layout: Layout) -> Schema:
    """Schema of what describes a model: an entry of `models`, or the `spec` of a deployment."""
    said = _fields_schema(layout, [field for field in MODEL_FIELDS if field not in layout.deployment_fields])
    refused = sorted(FIELD_KEYS - said["properties"].keys())
    properties = {**said["properties"], **dict.fromkeys([*refused, *KEPT_AMONG_KEYS], False)}
    return {
        **described_class(LLMInferenceModelSpec),
        **said,
        "properties": properties,
        **_BATCH_SIZES_NEEDED[layout.version](),
    }


def _fields_schema(layout: Layout, names: Collection[str]) -> Schema:
    """Schema of an object that has some of the six fields."""
    schemas = {name: schema for name, schema in model_field_schemas().items() if name in names}
    properties: dict[str, Schema] = {}
    required = []
    one_of: Schema = {}
    for name, schema in schemas.items():
        schema.pop("default", None)
        if name == "num_replicas":
            properties |= dict.fromkeys(REPLICA_KEYS, schema)
            one_of = _exactly_one(REPLICA_KEYS)
        elif name == "feasible_batch_sizes":
            properties[name] = schema | _OMITTED_BATCH_SIZES[layout.version]
        elif (default := layout.default_of(name, {})) is not None:
            properties[name] = schema | {"default": default}
        else:
            properties[name] = schema
            required.append(name)
    return {"type": "object", "properties": properties, "required": required, **one_of}


def _no_batch_sizes_needed() -> Schema:
    """Say that a model of 0.1 always has batch sizes: at least the initial one."""
    return {}


def _measured_batch_sizes_needed() -> Schema:
    """Say that a model of 0.2 has the batch sizes that were measured, unless it says which of them are feasible."""
    sizes = model_field_schemas()["feasible_batch_sizes"]
    del sizes["default"]
    sizes["description"] = "Batch sizes in requests that were measured: those that are feasible where it is not said."
    says_feasible = {
        "required": ["feasible_batch_sizes"],
        "properties": {"feasible_batch_sizes": {"not": {"type": "null"}}},
    }
    return {"if": says_feasible, "else": {"required": ["batch_sizes"], "properties": {"batch_sizes": sizes}}}


_BATCH_SIZES_NEEDED = {"0.1": _no_batch_sizes_needed, "0.2": _measured_batch_sizes_needed}


def _exactly_one(keys: Collection[str]) -> Schema:
    return {"oneOf": [{"required": [key]} for key in keys]}
