"""A model in the list of a configuration file: taken apart into the six fields and the rest, and put together again."""

import difflib
from collections.abc import Mapping
from typing import Any

from openg2g.formats.document import Report, checked_object
from openg2g.formats.native import MODEL_FIELDS, model_value
from openg2g.formats.openg2g.layout import FIELD_KEYS, REPLICA_KEYS, Layout
from openg2g.formats.openg2g.origin import object_of
from openg2g.models.spec import LLMInferenceModelSpec

KEPT_AMONG_KEYS = ("deployment", "omitted")
"""What annotations have of a model beside its own keys: those of its deployment, and what it left to its defaults."""

_TYPO_CUTOFF = 0.85


def split_entry(
    entry: object, layout: Layout, path: str, report: Report
) -> tuple[Mapping[str, object] | None, dict[str, Any]]:
    """Take an entry of the list apart: the six fields (None where there are none), and what is kept beside them."""
    outer = checked_object(entry, path, report)
    if outer is None:
        return None, {}
    if layout.list_key == "models":
        return _split_spec(outer, {}, layout, path, report)
    spec = checked_object(outer.get("spec"), f"{path}.spec", report)
    if spec is None:
        return None, {}
    in_deployment = {layout.key_of(field) for field in layout.deployment_fields}
    fields, extras = _split_spec(spec, outer, layout, f"{path}.spec", report)
    deployment = {key: item for key, item in outer.items() if key not in {"spec", *in_deployment}}
    if deployment:
        extras["deployment"] = deployment
    return fields, extras


def joined_entry(spec: LLMInferenceModelSpec, extras: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """Put an entry of the list together, equal to the one that it was taken from."""
    kept = {key: item for key, item in extras.items() if key not in {*KEPT_AMONG_KEYS, *FIELD_KEYS}}
    values = model_value(spec)
    written = dict(values)
    for field, *value in _omitted(extras):
        if written.get(field) == layout.default_of(field, {**values, **kept}):
            del written[field]
            if value and (value[0] is None or value[0] == []):
                written[field] = value[0]
    inner = {layout.key_of(f): v for f, v in written.items() if f not in layout.deployment_fields} | kept
    if layout.list_key == "models":
        return inner
    outer = {layout.key_of(f): v for f, v in written.items() if f in layout.deployment_fields}
    deployment = object_of(extras.get("deployment"))
    return {"spec": inner, **outer, **{k: v for k, v in deployment.items() if k != "spec" and k not in FIELD_KEYS}}


def _split_spec(
    spec: Mapping[str, Any], deployment: Mapping[str, Any], layout: Layout, path: str, report: Report
) -> tuple[Mapping[str, object], dict[str, Any]]:
    fields: dict[str, object] = {}
    omitted = []
    for field in MODEL_FIELDS:
        holder = deployment if field in layout.deployment_fields else spec
        key = layout.key_of(field)
        if key in holder and not _means_default(field, holder[key], layout.version):
            fields[field] = holder[key]
            continue
        default = layout.default_of(field, {**spec, **fields})
        if default is not None:
            fields[field] = default
            omitted.append([field, holder[key]] if key in holder else [field])
        elif field == "feasible_batch_sizes" and layout.version == "0.2":
            report.add(f"{path}.{field}", "is missing, and so is batch_sizes, which it would mean.")
    known = [layout.key_of(field) for field in MODEL_FIELDS if field not in layout.deployment_fields]
    extras = {key: item for key, item in spec.items() if key not in known}
    missing = [key for key in known if key not in spec]
    for key in extras:
        if key in FIELD_KEYS:
            report.add(f"{path}.{key}", _said_elsewhere(key, layout, path))
            continue
        if key in KEPT_AMONG_KEYS:
            report.add(f"{path}.{key}", "cannot be kept: the catalog needs this name for what it keeps itself.")
        close = difflib.get_close_matches(key, missing, n=1, cutoff=_TYPO_CUTOFF)
        if close:
            report.add(f"{path}.{key}", f"is not a field of OpenG2G: did you mean {close[0]}?")
    read = set(map(layout.key_of, layout.deployment_fields))
    for key in deployment:
        if key in FIELD_KEYS and key not in read:
            report.add(f"{path.removesuffix('.spec')}.{key}", _said_elsewhere(key, layout, path))
    if omitted:
        extras["omitted"] = omitted
    return fields, extras


def _said_elsewhere(key: str, layout: Layout, path: str) -> str:
    """Say from where a figure of a model is read that stands in another place, or under another key."""
    field = "num_replicas" if key in REPLICA_KEYS else key
    holder = path.removesuffix(".spec") if field in layout.deployment_fields else path
    return f"is not read here, but from {holder}.{layout.key_of(field)}."


def _means_default(field: str, value: object, version: str) -> bool:
    """Whether a value that is there stands for the default: an empty list in 0.1, null in 0.2."""
    return field == "feasible_batch_sizes" and (value == [] if version == "0.1" else value is None)


def _omitted(extras: Mapping[str, Any]) -> list[list[Any]]:
    omitted = extras.get("omitted", [])
    if not isinstance(omitted, list):
        return []
    return [item for item in omitted if isinstance(item, list) and item and item[0] in MODEL_FIELDS]
