"""The shape of the catalog's own documents.

    {"format": "openg2g-workload/1",
     "name": "fleet",
     "models": [{"model_label": "Llama-3.1-70B", "num_replicas": 180, "gpus_per_replica": 4,
                 "initial_batch_size": 128, "itl_deadline_s": 0.1, "feasible_batch_sizes": [64, 128]}],
     "annotations": {"models": {"Llama-3.1-70B": {"model_id": "meta-llama/Llama-3.1-70B-Instruct"}}},
     "revision": {"number": 3, "digest": "sha256:…", "recorded_at": "2026-03-01T12:00:00Z",
                  "effective_from": "2026-03-01T00:00:00Z", "author": "Ada", "message": "why", "source": "fleet.json"}}

Only `models` is needed. `feasible_batch_sizes` is (128,) where it is left out. A field that is not known is refused:
what is to be kept beside the workload goes into `annotations`. Only `$schema`, by which editors find the JSON Schema of
a document, may stand at its top, and is not kept. `openg2g schema` prints it.
"""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from openg2g.formats.document import (
    Document,
    Report,
    RevisionData,
    check_fields,
    checked_annotations,
    checked_list,
    checked_name,
    checked_object,
    checked_workload,
    shown,
)
from openg2g.models.digest import DIGEST_PREFIX, is_digest
from openg2g.models.errors import InvalidRevisionError
from openg2g.models.instant import time_text
from openg2g.models.revision import check_text
from openg2g.models.spec import LLMInferenceModelSpec, LLMInferenceWorkload

FORMAT = "openg2g-workload/1"
"""Value of the field `format`: the version of this shape."""

SCHEMA_FIELD = "$schema"
"""Field in which an editor is told the JSON Schema of a document: read over, and not written."""

FIELDS = ("format", "name", "models", "annotations", "revision")
"""Fields of a document, in the order of writing."""

MODEL_FIELDS = (
    "model_label",
    "num_replicas",
    "gpus_per_replica",
    "initial_batch_size",
    "itl_deadline_s",
    "feasible_batch_sizes",
)
"""Fields of a model, in the order of writing."""

_REVISION_FIELDS = ("number", "digest", "recorded_at", "effective_from", "author", "message", "source")
_NO_REVISION = RevisionData()


def document_from_value(value: Mapping[str, Any], where: str, workload: LLMInferenceWorkload | None = None) -> Document:
    """Read a document from a decoded JSON object.

    Args:
        value: The object.
        where: The file, and the place in it.
        workload: What its models are, where they were read before.

    Raises:
        InvalidDocumentError: With everything that is wrong with it.
    """
    report = Report(where)
    if SCHEMA_FIELD in value:
        if not isinstance(value[SCHEMA_FIELD], str):
            report.add(SCHEMA_FIELD, f"must be a string, got {shown(value[SCHEMA_FIELD])}.")
        value = {name: part for name, part in value.items() if name != SCHEMA_FIELD}
    check_fields(value, FIELDS, "", report)
    if value.get("format", FORMAT) != FORMAT:
        report.add("format", f"must be {FORMAT!r}, got {shown(value['format'])}. A newer release may read it.")
    name = checked_name(value["name"], report) if value.get("name") is not None else None
    if workload is None:
        workload = read_workload(value, report)
    annotations = checked_annotations(value.get("annotations", {}), report)
    revision = _revision_data(value["revision"], report) if "revision" in value else _NO_REVISION
    report.raise_problems()
    assert workload is not None  # Whatever kept it from being made has been raised.
    return Document(workload, where, name, annotations, revision)


def read_workload(value: Mapping[str, Any], report: Report) -> LLMInferenceWorkload | None:
    """Read the field `models`; what is wrong with it is noted."""
    if "models" not in value:
        report.add("models", "is missing.")
        return None
    models: list[Mapping[str, object] | None] = []
    for position, model in enumerate(checked_list(value["models"], "models", report)):
        path = f"models[{position}]"
        fields = checked_object(model, path, report)
        if fields is not None:
            check_fields(fields, MODEL_FIELDS, path, report)
        models.append(fields)
    return checked_workload(models, "models", report) if isinstance(value["models"], list) else None


def value_from_document(
    document: Document, model_written: Callable[[LLMInferenceModelSpec], object] | None = None
) -> dict[str, Any]:
    """Write a document as a JSON object; what is absent or empty is left out.

    Args:
        document: The document.
        model_written: How each model is written, by default as a JSON object too.
    """
    value: dict[str, Any] = {"format": FORMAT}
    if document.name is not None:
        value["name"] = document.name
    value["models"] = list(map(model_written or model_value, document.workload.models))
    if document.annotations:
        value["annotations"] = document.annotations
    revision = {
        name: time_text(part) if isinstance(part, datetime) else part
        for name in _REVISION_FIELDS
        if (part := getattr(document.revision, name)) not in (None, "")
    }
    if revision:
        value["revision"] = revision
    return value


def model_value(spec: LLMInferenceModelSpec) -> dict[str, Any]:
    """Write a model as a JSON object."""
    return {
        name: list(spec.feasible_batch_sizes) if name == "feasible_batch_sizes" else getattr(spec, name)
        for name in MODEL_FIELDS
    }


def _revision_data(value: object, report: Report) -> RevisionData:
    fields = checked_object(value, "revision", report)
    if fields is None:
        return RevisionData()
    check_fields(fields, _REVISION_FIELDS, "revision", report)
    number = fields.get("number")
    if number is not None and (isinstance(number, bool) or not isinstance(number, int) or number < 1):
        report.add("revision.number", f"must be an integer >= 1, got {shown(number)}.")
    digest = _text(fields, "digest", report)
    if digest is not None and not is_digest(digest):
        report.add("revision.digest", f"must be {DIGEST_PREFIX} and 64 hexadecimal digits, got {shown(digest)}.")
    return RevisionData(
        number=number,
        digest=digest,
        recorded_at=_time(fields, "recorded_at", report),
        effective_from=_time(fields, "effective_from", report),
        author=_text(fields, "author", report),
        message=_text(fields, "message", report),
        source=_text(fields, "source", report),
    )


def _text(fields: Mapping[str, Any], name: str, report: Report) -> str | None:
    value = fields.get(name)
    if value is None:
        return None
    try:
        return check_text(name, value)
    except InvalidRevisionError as error:
        report.add_rule("revision", str(error))
        return None


def _time(fields: Mapping[str, Any], name: str, report: Report) -> datetime | None:
    value = fields.get(name)
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value)
        if time.tzinfo is not None:
            return time.astimezone(UTC)
    except (TypeError, ValueError, OverflowError):
        pass
    report.add(f"revision.{name}", f"must be a time with its offset (2026-03-01T12:00:00Z), got {shown(value)}.")
    return None
