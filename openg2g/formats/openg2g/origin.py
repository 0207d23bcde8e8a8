"""The configuration file that a document came from, as far as its annotations tell.

In 0.1 a file says under `data_sources` on which GPU a model was measured, for which task and at which batch sizes, by
its label; 0.2 has these in the model itself.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from openg2g.formats.document import Document
from openg2g.formats.openg2g.layout import LIST_KEYS, REPLICA_KEYS, Layout
from openg2g.formats.openg2g.rules import MEASURED_FIELDS
from openg2g.models.revision import JsonObject

ORIGIN = "openg2g"
"""Key of the annotations under which it stands."""

_KEYS_OF_SOURCE = {field: "gpu" if field == "gpu_model" else field for field in MEASURED_FIELDS}
_NOTED = frozenset({"version", "list", "replicas", "site", "refused"})
_DEFAULT_LAYOUTS = {
    "0.1": Layout("0.1", "models", "num_replicas"),
    "0.2": Layout("0.2", "deployments", "simulated_num_replicas"),
}


@dataclass(frozen=True)
class Origin:
    """What annotations say of the configuration file that a document came from; each part may be absent."""

    version: str | None = None
    list_key: str | None = None
    replicas_key: str | None = None
    site: str | None = None
    refused: Mapping[str, Sequence[str]] = field(default_factory=dict, hash=False)

    @classmethod
    def noted_in(cls, annotations: JsonObject) -> "Origin":
        """Read what annotations note; whatever has another shape was not noted by us."""
        noted = object_of(annotations.get(ORIGIN))
        list_key = noted["list"] if noted.get("list") in LIST_KEYS else None
        if list_key is None and _has_deployments(annotations):  # Of a script: only such a list has a place for them.
            list_key = "deployments"
        refused = {
            label: [name for name in names if isinstance(name, str)]
            for label, names in object_of(noted.get("refused")).items()
            if isinstance(names, list)
        }
        return cls(
            version=noted["version"] if noted.get("version") in tuple(_DEFAULT_LAYOUTS) else None,
            list_key=list_key,
            replicas_key=noted["replicas"] if noted.get("replicas") in REPLICA_KEYS else None,
            site=noted["site"] if isinstance(noted.get("site"), str) else None,
            refused=refused,
        )

    @classmethod
    def of_file(cls, layout: Layout, refused: Mapping[str, Sequence[str]]) -> "Origin":
        """Make one of the file that is read."""
        return cls(layout.version, layout.list_key, layout.replicas_key, layout.site, refused)

    @staticmethod
    def is_note(value: object) -> bool:
        """Whether a value may be what `note` wrote."""
        return isinstance(value, Mapping) and value.keys() <= _NOTED

    def note(self) -> dict[str, Any]:
        """Write it as it stands in the annotations."""
        noted = {"version": self.version, "list": self.list_key, "replicas": self.replicas_key}
        if self.site is not None:
            noted["site"] = self.site
        return {**noted, "refused": self.refused} if self.refused else noted

    def layout_for(self, version: str) -> Layout:
        """Return the layout of a file of a version: that of the file it came from, as far as the version has it."""
        layout = replace(_DEFAULT_LAYOUTS[version], site=self.site)
        if self.list_key is not None:
            layout = replace(layout, list_key=self.list_key)
        if self.version == version and self.replicas_key is not None:
            layout = replace(layout, replicas_key=self.replicas_key)
        return layout


def _has_deployments(annotations: JsonObject) -> bool:
    return any(object_of(extras).get("deployment") for extras in object_of(annotations.get("models")).values())


def object_of(value: object) -> Mapping[str, Any]:
    """Return a JSON object; an empty one for anything else."""
    return value if isinstance(value, Mapping) else {}


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
