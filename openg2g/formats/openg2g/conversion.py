"""What a configuration file says of each model beyond the six fields, carried from one version of OpenG2G to another.

In 0.1 a file says under `data_sources` on which GPU a model was measured, for which task and at which batch sizes, by
its label; 0.2 has these in the model itself.
"""

from typing import Any

from openg2g.formats.document import Document
from openg2g.formats.openg2g.origin import Origin, object_of
from openg2g.formats.openg2g.rules import MEASURED_FIELDS
from openg2g.models.revision import JsonObject

_KEYS_OF_SOURCE = {field: "gpu" if field == "gpu_model" else field for field in MEASURED_FIELDS}


def extras_of_models(document: Document, version: str) -> list[dict[str, Any]]:
    """Return what is known of each model beyond the six fields, as a file of a version has it.

    For the version that the document came from, that is what was in the file. For 0.2, what a model does not say of how
    it was measured is taken from the data source of its label.
    """
    of_models = object_of(document.annotations.get("models"))
    found = [dict(object_of(of_models.get(spec.model_label))) for spec in document.workload.models]
    if Origin.noted_in(document.annotations).version == version:
        return found
    sources = sources_by_label(document.annotations)
    for spec, extras in zip(document.workload.models, found, strict=True):
        extras.pop("omitted", None)  # Left out, it would mean something else.
        if version == "0.2":
            for field, value in sources.get(spec.model_label, {}).items():
                extras.setdefault(field, value)
    return found


def sources_by_label(annotations: JsonObject) -> dict[str, dict[str, Any]]:
    """Read the data sources of a file: model label → what they say, under the names that a model of 0.2 has for it."""
    sources = annotations.get("data_sources")
    found = {}
    for source in sources if isinstance(sources, list) else ():
        label = object_of(source).get("model_label")
        if isinstance(label, str):
            found[label] = {field: source[key] for field, key in _KEYS_OF_SOURCE.items() if key in source}
    return found
