"""The configuration file that a document came from, as far as its annotations tell."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from openg2g.formats.openg2g.layout import LIST_KEYS, REPLICA_KEYS, Layout
from openg2g.models.revision import JsonObject

ORIGIN = "openg2g"
"""Key of the annotations under which it stands."""

_NOTED = frozenset({"version", "list", "replicas", "site", "refused"})
_DEFAULT_LAYOUTS = {
    "0.1": Layout("0.1", "models", "num_replicas"),
    "0.2": Layout("0.2", "deployments", "simulated_num_replicas"),
}


@dataclass(frozen=True)
class Origin:
    """What annotations say of the configuration file that a document came from; each part may be absent.

    Attributes:
        version: Version of OpenG2G that the file was for.
        list_key: `models` or `deployments`.
        replicas_key: Field with the number of replicas.
        site: The site of `dc_sites` in which its models stood.
        refused: Model label → fields that this version of OpenG2G refuses, as they stood in the file.
    """

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
