"""The datacenters of a configuration file, and where the models that they serve are listed.

The sweeps of OpenG2G describe several datacenters on one grid, by site:

    {"models": [{"model_label": "Llama-3.1-8B", …}, {"model_label": "Llama-3.1-70B", …}],
     "dc_sites": {"upstream": {"bus": "850", "models": ["Llama-3.1-8B"]},
                  "downstream": {"bus": "834"}}}

Here the models stand at the top, and a site names those that it serves, or serves all: the file is one workload. Where
there is no such list, each site says its models itself, and is a workload of its own:

    {"dc_sites": {"upstream": {"bus": "850", "models": [{"model_label": "Llama-3.1-8B", …}]}, …}}
"""

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from openg2g.formats.document import Report, checked_list, checked_object, shown
from openg2g.formats.openg2g.layout import LIST_KEYS, SITES
from openg2g.formats.openg2g.origin import object_of
from openg2g.models.spec import MAX_LABEL_LENGTH

MAX_SITES = 100
"""Sites that may list models of their own: each becomes a workload that keeps all that the file says beside them."""

_MAX_LABEL_HINTS = 10  # Labels are longer than the words of a format, and a file has more of them.
_MAX_LABELS_COMPARED = 200


@dataclass(frozen=True)
class ModelList:
    """The list of models of one workload, as it stands in a file."""

    key: str
    entries: Sequence[Any]
    site: str | None = None


def find_lists(value: Mapping[str, Any], report: Report) -> list[ModelList]:
    """Find the list of models of each workload in a file; what is wrong with where they stand is noted."""
    key = _list_key_of(value)
    if key is not None:
        if not isinstance(value[key], list):
            checked_list(value[key], key, report)
            return []
        check_labels_of_sites(value, [_label_of(entry, key) for entry in value[key]], key, report)
        return [ModelList(key, value[key])]
    sites = checked_object(value[SITES], SITES, report) if SITES in value else {}
    if sites == {}:
        report.add("models", "is missing: an OpenG2G configuration has models or deployments.")
    if sites is not None and len(sites) > MAX_SITES:
        hint = "List the models at the top, or split the file."
        report.add(SITES, f"has {len(sites)} sites; at most {MAX_SITES} may list their own models. {hint}")
        return []
    lists = [_list_of_site(site, content, report) for site, content in (sites or {}).items()]
    return [found for found in lists if found is not None]


def check_labels_of_sites(value: Mapping[str, Any], labels: Sequence[object], list_key: str, report: Report) -> None:
    """Note every model that a site names and the file has not."""
    known = dict.fromkeys(label for label in labels if isinstance(label, str))
    sites = value.get(SITES)
    for site, content in ({} if sites is None else checked_object(sites, SITES, report) or {}).items():
        fields = checked_object(content, f"{SITES}.{site}", report) or {}
        named = fields.get("models")
        path = f"{SITES}.{site}.models"
        for position, label in enumerate([] if named is None else checked_list(named, path, report)):
            if not isinstance(label, str):
                message = f"must be the label of one of the {list_key} of the file, got {shown(label)}."
                report.add(f"{path}[{position}]", message)
            elif label not in known:
                hint = _hint(label, known) if len(report.problems) < _MAX_LABEL_HINTS else "."
                report.add(f"{path}[{position}]", f"is no label of the {list_key} of the file, got {label!r}{hint}")


def _hint(label: str, known: Iterable[str]) -> str:
    """Say which label one resembles. Texts that are too long for one are not compared, for that takes minutes."""
    if len(label) > MAX_LABEL_LENGTH:
        return "."
    comparable = [other for other in islice(known, _MAX_LABELS_COMPARED) if len(other) <= MAX_LABEL_LENGTH]
    close = difflib.get_close_matches(label, comparable, n=1)
    return f": did you mean {close[0]}?" if close else "."


def _list_of_site(site: str, content: object, report: Report) -> ModelList | None:
    fields = checked_object(content, f"{SITES}.{site}", report)
    if fields is None:
        return None
    key = _list_key_of(fields) or "models"
    path = f"{SITES}.{site}.{key}"
    if len(fields.keys() & set(LIST_KEYS)) > 1:
        report.add(path, f"stands beside another list: a site has one of {' and '.join(LIST_KEYS)}.")
        return None
    if fields.get(key) is None:
        report.add(path, "is missing: the file has no models at the top, so each site must say its own.")
        return None
    if not isinstance(fields[key], list):
        checked_list(fields[key], path, report)
        return None
    if any(isinstance(entry, str) for entry in fields[key]):
        report.add(path, "holds labels, and the file has no models at the top that they could be of.")
        return None
    return ModelList(key, fields[key], site)


def _list_key_of(value: Mapping[str, Any]) -> str | None:
    return next((key for key in LIST_KEYS if key in value), None)


def _label_of(entry: object, list_key: str) -> object:
    """Label of an entry, which may be anything."""
    spec = object_of(entry).get("spec") if list_key == "deployments" else entry
    return object_of(spec).get("model_label")
