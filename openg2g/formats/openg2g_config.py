"""The shapes of OpenG2G's own configuration files, versions 0.1 and 0.2.

A file lists its models under `models` (offline), or under `deployments` with the model's fields in `spec` (online).
What it holds beyond the six fields is kept in the annotations, so that the file can be given back equal:

- keys of the file as they are (`data_sources`, `ieee_case_dir`, …);
- keys of a model under `models.LABEL` (`model_id`, …), those of its deployment under `models.LABEL.deployment`;
- how the file was laid out under `openg2g`, and under `models.LABEL.omitted` which fields it left to their defaults.

What a field means where it is left out differs: `feasible_batch_sizes` is the initial batch size alone in 0.1 and
`batch_sizes` in 0.2; `gpus_per_replica` is 1 in 0.2. The catalog always stores the explicit value.

Source: `openg2g/datacenter/config.py` and the example configurations of OpenG2G 0.1.0 and 0.2.0.
"""

import difflib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from openg2g.formats.document import (
    Document,
    Report,
    checked_annotations,
    checked_list,
    checked_object,
    checked_workload,
)
from openg2g.formats.limits import DEFAULT_LIMITS, Limits
from openg2g.formats.native import MODEL_FIELDS, model_value
from openg2g.models.spec import LLMInferenceModelSpec

_REPLICA_KEYS = ("num_replicas", "initial_num_replicas", "simulated_num_replicas")
_CONFIG_KEYS = frozenset(
    {
        "data_sources",
        "training_trace_params",
        "data_dir",
        "ieee_case_dir",
        "mlenergy_data_dir",
        "requests",
        "requests_dir",
    }
)
_MODEL_KEYS_0_2 = frozenset({"gpu_model", "task", "batch_sizes", "precision", "tensor_parallel", "expert_parallel"})
_BOOKKEEPING = frozenset({"models", "deployments", "openg2g"})  # At the top, these are never what was kept.
_FIELD_KEYS = frozenset({*MODEL_FIELDS, *_REPLICA_KEYS})  # In a model, neither are these: the workload says them.
_REQUIRED_0_2 = ("model_id", "gpu_model", "task", "batch_sizes")
_TYPO_CUTOFF = 0.85


@dataclass(frozen=True)
class Layout:
    """How a configuration file is laid out.

    Attributes:
        version: `0.1` or `0.2`.
        list_key: `models` or `deployments`.
        replicas_key: Field with the number of replicas.
    """

    version: str
    list_key: str
    replicas_key: str

    @property
    def deployment_fields(self) -> tuple[str, ...]:
        """Those of the six fields that stand in the deployment, beside `spec`."""
        in_deployment = self.list_key == "deployments" and self.version == "0.2"
        return ("num_replicas", "initial_batch_size") if in_deployment else ()

    def path_of(self, position: int, field: str) -> str:
        """Path of one of the six fields of a model in a file."""
        in_spec = self.list_key == "deployments" and field not in self.deployment_fields
        return f"{self.list_key}[{position}].{'spec.' if in_spec else ''}{self.key_of(field)}"

    def key_of(self, field: str) -> str:
        """Key under which a file has one of the six fields."""
        return self.replicas_key if field == "num_replicas" else field

    def default_of(self, field: str, entry: Mapping[str, Any]) -> object:
        """Return what a field means where the file leaves it out; None where it must be there.

        Args:
            field: One of the six fields.
            entry: Keys of the model, those beyond the six fields included.
        """
        if field == "feasible_batch_sizes":
            if self.version == "0.2":
                return entry.get("batch_sizes")
            initial = entry.get("initial_batch_size")
            return None if initial is None else [initial]
        return 1 if field == "gpus_per_replica" and self.version == "0.2" else None


def recognise_version(value: Mapping[str, Any]) -> str | None:
    """Tell from its keys which OpenG2G's configuration a decoded JSON object is; None where it is none."""
    if "deployments" in value:
        entries = value["deployments"] if isinstance(value["deployments"], list) else []
        is_0_2 = any(isinstance(e, Mapping) and e.keys() & {*_REPLICA_KEYS, "initial_batch_size"} for e in entries)
        return "0.2" if is_0_2 else "0.1"
    if "format" in value or not isinstance(value.get("models"), list):
        return None
    keys = {key for model in value["models"] if isinstance(model, Mapping) for key in model}
    if keys & (_MODEL_KEYS_0_2 | set(_REPLICA_KEYS[1:])):
        return "0.2"
    return "0.1" if "model_id" in keys or value.keys() & _CONFIG_KEYS else None


def document_from_value(
    value: Mapping[str, Any], where: str, version: str, limits: Limits = DEFAULT_LIMITS
) -> Document:
    """Read a document from the decoded JSON object of a configuration file.

    Raises:
        InvalidDocumentError: With everything that is wrong with it.
    """
    report = Report(where, limits)
    list_key = "deployments" if "deployments" in value else "models"
    if "format" in value:
        report.add("format", "marks a document of the catalog: import it with --format json or jsonl.")
    if list_key not in value:
        report.add("models", "is missing: an OpenG2G configuration has models or deployments.")
    entries = checked_list(value.get(list_key, []), list_key, report)
    layout = Layout(version, list_key, _replicas_key(entries))
    fields: list[Mapping[str, object] | None] = []
    kept: dict[str, Any] = {}
    for position, entry in enumerate(entries):
        model, extras = _split_entry(entry, layout, f"{list_key}[{position}]", report)
        fields.append(model)
        if extras and model is not None and isinstance(model.get("model_label"), str):
            kept[str(model["model_label"])] = extras
    workload = checked_workload(fields, list_key, report, layout.path_of) if list_key in value else None
    annotations = {key: item for key, item in value.items() if key != list_key}
    for key in ("models", "openg2g"):
        if key in annotations:
            report.add(key, "cannot be kept: the catalog needs this name for what it keeps itself.")
    if kept:
        annotations["models"] = kept
    annotations["openg2g"] = {"version": version, "list": list_key, "replicas": layout.replicas_key}
    checked_annotations(annotations, report)
    report.raise_problems()
    assert workload is not None  # Whatever kept it from being made has been raised.
    return Document(workload, where, None, annotations)


def value_from_document(document: Document, version: str) -> dict[str, Any]:
    """Write a document as the JSON object of a configuration file; equal to the one it was read from.

    Raises:
        InvalidDocumentError: The version requires fields that nobody gave.
    """
    noted = _object(document.annotations.get("openg2g"))
    layout = _DEFAULT_LAYOUTS[version]
    list_key = noted.get("list")
    if list_key in ("models", "deployments"):
        layout = Layout(version, list_key, layout.replicas_key)
    if noted.get("version") == version and noted.get("replicas") in _REPLICA_KEYS:
        layout = Layout(version, layout.list_key, str(noted["replicas"]))
    of_models = _object(document.annotations.get("models"))
    entries = []
    report = Report(document.where)
    for position, spec in enumerate(document.workload.models):
        extras = dict(_object(of_models.get(spec.model_label)))
        if noted.get("version") != version:
            extras.pop("omitted", None)
        if version == "0.2":
            for field in _REQUIRED_0_2:
                if field not in extras:
                    report.add(f"{layout.list_key}[{position}].{field}", "is not known, and OpenG2G 0.2 requires it.")
        entries.append(_joined_entry(spec, extras, layout))
    report.raise_problems()
    rest = {key: item for key, item in document.annotations.items() if key not in _BOOKKEEPING}
    return {layout.list_key: entries, **rest}


_DEFAULT_LAYOUTS = {
    "0.1": Layout("0.1", "models", "num_replicas"),
    "0.2": Layout("0.2", "deployments", "simulated_num_replicas"),
}


def _replicas_key(entries: Any) -> str:
    """Find the key that the first entry uses; the others are held to it."""
    for entry in entries[:1]:
        for part in (entry, _object(entry).get("spec")):
            for key in _REPLICA_KEYS:
                if key in _object(part):
                    return key
    return _REPLICA_KEYS[0]


def _split_entry(
    entry: object, layout: Layout, path: str, report: Report
) -> tuple[Mapping[str, object] | None, dict[str, Any]]:
    """Take an entry of the list apart: the six fields, and what is kept beside them."""
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
    for key in [*extras, *(deployment.keys() & _FIELD_KEYS - set(map(layout.key_of, layout.deployment_fields)))]:
        if key in ("deployment", "omitted"):
            report.add(f"{path}.{key}", "cannot be kept: the catalog needs this name for what it keeps itself.")
        if key in _FIELD_KEYS:
            report.add(f"{path}.{key}", f"is said a second time: {', '.join(map(layout.key_of, MODEL_FIELDS))} say it.")
        close = difflib.get_close_matches(key, missing, n=1, cutoff=_TYPO_CUTOFF)
        if close and key not in _FIELD_KEYS:
            report.add(f"{path}.{key}", f"is not a field of OpenG2G: did you mean {close[0]}?")
    if omitted:
        extras["omitted"] = omitted
    return fields, extras


def _means_default(field: str, value: object, version: str) -> bool:
    """Whether a value that is there stands for the default: an empty list in 0.1, null in 0.2."""
    return field == "feasible_batch_sizes" and (value == [] if version == "0.1" else value is None)


def _joined_entry(spec: LLMInferenceModelSpec, extras: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    kept = {key: item for key, item in extras.items() if key not in {"deployment", "omitted", *_FIELD_KEYS}}
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
    deployment = _object(extras.get("deployment"))
    return {"spec": inner, **outer, **{k: v for k, v in deployment.items() if k != "spec" and k not in _FIELD_KEYS}}


def _omitted(extras: Mapping[str, Any]) -> list[list[Any]]:
    omitted = extras.get("omitted", [])
    if not isinstance(omitted, list):
        return []
    return [item for item in omitted if isinstance(item, list) and item and item[0] in MODEL_FIELDS]


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
