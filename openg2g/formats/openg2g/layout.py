"""How OpenG2G's configuration files are laid out: which version they are of, and where they have what.

The versions that people have are 0.1 and 0.2. The files of the development between them are of 0.1 in all that matters
here: `initial_num_replicas` is only another word for `num_replicas` there, a model that leaves out its feasible batch
sizes has the initial one, and what tells 0.2 had not come yet: that a model says itself what was measured of it
(`gpu_model`, `task`, `batch_sizes`).

Source: `openg2g/datacenter/config.py` and the example configurations of OpenG2G 0.1.0 and 0.2.0, and of the
development between them.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from openg2g.formats.native import MODEL_FIELDS

SITES = "dc_sites"
"""Key of a file that describes the datacenters of a sweep: site → its bus, its models, its ramps."""

LIST_KEYS = ("deployments", "models")
"""Keys of the list of models, the first that is there."""

REPLICA_KEYS = ("num_replicas", "initial_num_replicas", "simulated_num_replicas")
"""Keys of the number of replicas."""

FIELD_KEYS = frozenset({*MODEL_FIELDS, *REPLICA_KEYS})
"""Keys of a model that say one of the six fields."""

_DIRECTORY_KEYS = frozenset({"data_dir", "ieee_case_dir", "mlenergy_data_dir", "requests_dir"})
_CONFIG_KEYS = frozenset({*_DIRECTORY_KEYS, "data_sources", "requests", "training_trace_params"})
_MODEL_KEYS_0_1 = frozenset({"model_id", "initial_num_replicas"})
_MODEL_KEYS_0_2 = frozenset(
    {"gpu_model", "task", "batch_sizes", "precision", "tensor_parallel", "expert_parallel", "simulated_num_replicas"}
)
_DEPLOYMENT_KEYS_0_2 = frozenset({*REPLICA_KEYS, "initial_batch_size"})


@dataclass(frozen=True)
class Layout:
    """How a configuration file is laid out.

    Attributes:
        version: `0.1` or `0.2`.
        list_key: `models` or `deployments`.
        replicas_key: Field with the number of replicas.
        site: The site of `dc_sites` in which the list stands; None where it stands at the top of the file.
    """

    version: str
    list_key: str
    replicas_key: str
    site: str | None = None

    @property
    def list_path(self) -> str:
        """Path of the list of models."""
        return self.list_key if self.site is None else f"{SITES}.{self.site}.{self.list_key}"

    @property
    def deployment_fields(self) -> tuple[str, ...]:
        """Those of the six fields that stand in the deployment, beside `spec`."""
        in_deployment = self.list_key == "deployments" and self.version == "0.2"
        return ("num_replicas", "initial_batch_size") if in_deployment else ()

    def path_of(self, position: int, field: str) -> str:
        """Path of one of the six fields of a model in a file."""
        in_spec = self.list_key == "deployments" and field not in self.deployment_fields
        return f"{self.list_path}[{position}].{'spec.' if in_spec else ''}{self.key_of(field)}"

    def key_of(self, field: str) -> str:
        """Key under which a file has one of the six fields, or any other of the spec."""
        return self.replicas_key if field == "num_replicas" else field

    def default_of(self, field: str, entry: Mapping[str, Any]) -> object:
        """Return what a field means where the file leaves it out; None where it must be there."""
        if field == "feasible_batch_sizes":
            if self.version == "0.2":
                return entry.get("batch_sizes")
            initial = entry.get("initial_batch_size")
            return None if initial is None else [initial]
        return 1 if field == "gpus_per_replica" and self.version == "0.2" else None


def recognise_version(value: Mapping[str, Any]) -> str | None:
    """Tell from its keys which OpenG2G's configuration a decoded JSON object is; None where it is none."""
    has_models = isinstance(value.get("models"), list)
    if "deployments" not in value and ("format" in value or not (has_models or SITES in value)):
        return None
    keys: set[str] = set()
    for list_key, entry in _entries_of(value):
        if list_key == "models":
            keys |= entry.keys()
        elif entry.keys() & _DEPLOYMENT_KEYS_0_2:
            return "0.2"
    if keys & _MODEL_KEYS_0_2:
        return "0.2"
    is_0_1 = value.keys() & {"deployments", SITES, *_CONFIG_KEYS} or keys & _MODEL_KEYS_0_1
    return "0.1" if is_0_1 else None


def _entries_of(value: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Yield every model of a file with the key of its list: of the list at the top, or of those of the sites."""
    sites = value.get(SITES)
    holders = [value, *(sites.values() if isinstance(sites, Mapping) else ())]
    for holder in holders:
        for list_key in LIST_KEYS:
            if isinstance(holder, Mapping) and list_key in holder:
                entries = holder[list_key]
                for entry in entries if isinstance(entries, list) else ():
                    if isinstance(entry, Mapping):
                        yield list_key, entry
                break
