"""The shapes of OpenG2G's own configuration files, versions 0.1 and 0.2.

A file lists its models under `models` (offline), or under `deployments` with the model's fields in `spec` (online), at
the top or in each site of `dc_sites` (see `openg2g.formats.openg2g_sites`). What it holds beyond the six fields is kept
in the annotations, so that the file can be given back equal:

- keys of the file as they are (`data_sources`, `ieee_case_dir`, `dc_sites`, …);
- keys of a model under `models.LABEL` (`model_id`, …), those of its deployment under `models.LABEL.deployment`;
- how the file was laid out under `openg2g`, and under `models.LABEL.omitted` which fields it left to their defaults.

What a field means where it is left out differs: `feasible_batch_sizes` is the initial batch size alone in 0.1 and
`batch_sizes` in 0.2; `gpus_per_replica` is 1 in 0.2. The catalog always stores the explicit value.

Source: `openg2g/datacenter/config.py` and the example configurations of OpenG2G 0.1.0 and 0.2.0.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from openg2g.formats.document import Document, Report, checked_annotations, checked_workload
from openg2g.formats.limits import DEFAULT_LIMITS, Limits
from openg2g.formats.openg2g_entries import joined_entry, object_of, split_entry
from openg2g.formats.openg2g_layout import LIST_KEYS, REPLICA_KEYS, SITES, Layout
from openg2g.formats.openg2g_sites import ModelList, find_lists
from openg2g.models.errors import InvalidDocumentError, InvalidRevisionError
from openg2g.models.revision import check_name

_BOOKKEEPING = frozenset({*LIST_KEYS, "openg2g"})  # At the top, these are never what was kept.
_REQUIRED_0_2 = ("model_id", "gpu_model", "task", "batch_sizes")


def documents_from_value(
    value: Mapping[str, Any], where: str, version: str, limits: Limits = DEFAULT_LIMITS
) -> Iterator[Document | InvalidDocumentError]:
    """Yield the document of each workload in the decoded JSON object of a configuration file, or what is wrong with it.

    There is one, unless several sites list their own models: then a document is named like its site. Where none can be
    read, everything that is wrong with the file is one error.
    """
    of_file = Report(where)
    if "format" in value:
        of_file.add("format", "marks a document of the catalog: import it with --format json or jsonl.")
    lists = find_lists(value, of_file)
    outcomes = [_outcome(found, value, where, version, limits, is_only=len(lists) == 1) for found in lists]
    for key in ("models", "openg2g"):
        if key in value and (key, None) not in [(found.key, found.site) for found in lists]:
            of_file.add(key, "cannot be kept: the catalog needs this name for what it keeps itself.")
    problems = [p for outcome in outcomes if isinstance(outcome, InvalidDocumentError) for p in outcome.problems]
    if of_file.problems or all(isinstance(outcome, InvalidDocumentError) for outcome in outcomes):
        # Of what the workloads share, each has told the same.
        yield InvalidDocumentError(list(dict.fromkeys([*problems, *of_file.problems])))
    else:
        yield from outcomes


def document_from_list(list_key: str, entries: Sequence[Any], where: str, version: str, limits: Limits) -> Document:
    """Read a document from a list of models or deployments, as a configuration file would have it.

    Raises:
        InvalidDocumentError: With everything that is wrong with it.
    """
    return _document(ModelList(list_key, entries), {}, where, version, limits, is_only=True)


def value_from_document(document: Document, version: str) -> dict[str, Any]:
    """Write a document as the JSON object of a configuration file; equal to the one it was read from.

    Raises:
        InvalidDocumentError: The version requires fields that nobody gave.
    """
    layout = _layout_noted(document, version)
    noted = object_of(document.annotations.get("openg2g"))
    of_models = object_of(document.annotations.get("models"))
    entries = []
    report = Report(document.where)
    for position, spec in enumerate(document.workload.models):
        extras = dict(object_of(of_models.get(spec.model_label)))
        if noted.get("version") != version:
            extras.pop("omitted", None)
        if version == "0.2":
            for field in _REQUIRED_0_2:
                if field not in extras:
                    report.add(f"{layout.list_path}[{position}].{field}", "is not known, and OpenG2G 0.2 requires it.")
        entries.append(joined_entry(spec, extras, layout))
    report.raise_problems()
    rest = {key: item for key, item in document.annotations.items() if key not in _BOOKKEEPING}
    if layout.site is None:
        return {layout.list_key: entries, **rest}
    sites = object_of(rest.get(SITES))
    site = {key: item for key, item in object_of(sites.get(layout.site)).items() if key not in LIST_KEYS}
    return {**rest, SITES: {**sites, layout.site: {layout.list_key: entries, **site}}}


_DEFAULT_LAYOUTS = {
    "0.1": Layout("0.1", "models", "num_replicas"),
    "0.2": Layout("0.2", "deployments", "simulated_num_replicas"),
}


def _layout_noted(document: Document, version: str) -> Layout:
    """Return the layout of the file that a document came from, as far as the version has it."""
    noted = object_of(document.annotations.get("openg2g"))
    layout = _DEFAULT_LAYOUTS[version]
    if noted.get("list") in LIST_KEYS:
        layout = replace(layout, list_key=noted["list"])
    if noted.get("version") == version and noted.get("replicas") in REPLICA_KEYS:
        layout = replace(layout, replicas_key=noted["replicas"])
    return replace(layout, site=noted["site"]) if isinstance(noted.get("site"), str) else layout


def _outcome(
    found: ModelList, value: Mapping[str, Any], where: str, version: str, limits: Limits, *, is_only: bool
) -> Document | InvalidDocumentError:
    try:
        return _document(found, value, where, version, limits, is_only=is_only)
    except InvalidDocumentError as error:
        return error


def _document(
    found: ModelList, value: Mapping[str, Any], where: str, version: str, limits: Limits, *, is_only: bool
) -> Document:
    """Read one workload of a file.

    Args:
        found: Its models.
        value: The file.
        where: What messages call the file.
        version: Of OpenG2G.
        limits: How many models and batch sizes it may have.
        is_only: Whether it is the only workload of the file, which leaves its name to whoever imports the file.
    """
    report = Report(where, limits)
    layout = Layout(version, found.key, _replicas_key(found.entries), found.site)
    fields: list[Mapping[str, object] | None] = []
    kept: dict[str, Any] = {}
    for position, entry in enumerate(found.entries):
        model, extras = split_entry(entry, layout, f"{layout.list_path}[{position}]", report)
        fields.append(model)
        if extras and model is not None and isinstance(model.get("model_label"), str):
            kept[str(model["model_label"])] = extras
    workload = checked_workload(fields, layout.list_path, report, layout.path_of)
    annotations = _beside(value, found)
    if kept:
        annotations["models"] = kept
    annotations["openg2g"] = _noted(layout)
    checked_annotations(annotations, report)
    name = None if is_only else _checked_site(found.site, report)
    report.raise_problems()
    assert workload is not None  # Whatever kept it from being made has been raised.
    return Document(workload, where if is_only else f"{where}[{SITES}.{found.site}]", name, annotations)


def _beside(value: Mapping[str, Any], found: ModelList) -> dict[str, Any]:
    """Return what a file says of a workload beside its models; of the sites that list their own, its own alone."""
    if found.site is None:
        return {key: item for key, item in value.items() if key != found.key}
    site = {key: item for key, item in value[SITES][found.site].items() if key != found.key}
    return {**value, SITES: {found.site: site}}


def _noted(layout: Layout) -> dict[str, str]:
    noted = {"version": layout.version, "list": layout.list_key, "replicas": layout.replicas_key}
    return noted if layout.site is None else {**noted, "site": layout.site}


def _checked_site(site: str | None, report: Report) -> str | None:
    """Return the name of a site if the catalog can store a workload under it."""
    try:
        return check_name(site)
    except InvalidRevisionError as error:
        report.add(f"{SITES}.{site}", f"names a workload: {error}")
        return None


def _replicas_key(entries: Sequence[Any]) -> str:
    """Find the key that the first entry uses; the others are held to it."""
    for entry in entries[:1]:
        for part in (entry, object_of(entry).get("spec")):
            for key in REPLICA_KEYS:
                if key in object_of(part):
                    return key
    return REPLICA_KEYS[0]
