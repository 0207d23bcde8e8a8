"""The shapes of OpenG2G's own configuration files, versions 0.1 and 0.2.

A file lists its models under `models` (offline), or under `deployments` with the model's fields in `spec` (online), at
the top or in each site of `dc_sites` (see `openg2g.formats.openg2g.sites`). What it holds beyond the six fields is kept
in the annotations, so that the file can be given back equal:

- keys of the file as they are (`data_sources`, `ieee_case_dir`, `dc_sites`, …);
- keys of a model under `models.LABEL` (`model_id`, …), those of its deployment under `models.LABEL.deployment`;
- how the file was laid out under `openg2g`, with what its version itself refuses of it; and under
  `models.LABEL.omitted` which fields it left to their defaults.

What a field means where it is left out differs: `feasible_batch_sizes` is the initial batch size alone in 0.1 and
`batch_sizes` in 0.2; `gpus_per_replica` is 1 in 0.2. The catalog always stores the explicit value.

Source: `openg2g/datacenter/config.py` and the example configurations of OpenG2G 0.1.0 and 0.2.0.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openg2g.formats.document import Document, Report, checked_annotations, checked_workload
from openg2g.formats.openg2g.entries import joined_entry, split_entry
from openg2g.formats.openg2g.layout import LIST_KEYS, REPLICA_KEYS, SITES, Layout
from openg2g.formats.openg2g.origin import ORIGIN, Origin, extras_of_models, object_of
from openg2g.formats.openg2g.rules import refusals
from openg2g.formats.openg2g.sites import ModelList, find_lists
from openg2g.models.errors import InvalidDocumentError, InvalidRevisionError
from openg2g.models.revision import check_name
from openg2g.models.spec import LLMInferenceWorkload

_NEVER_KEPT = frozenset({*LIST_KEYS, ORIGIN, "format"})  # At the top of a file, these say something else.


def documents_from_value(
    value: Mapping[str, Any], where: str, version: str
) -> Iterator[Document | InvalidDocumentError]:
    """Yield the document of each workload in the decoded JSON object of a configuration file, or what is wrong with it.

    There is one, unless several sites list their own models: then a document is named like its site. Where something is
    wrong with what they share, everything that is wrong with the file is one error.
    """
    of_file = Report(where)
    if "format" in value:
        of_file.add("format", "marks a document of the catalog: its format is json or jsonl.")
    lists = find_lists(value, of_file)
    outcomes = [_outcome(found, value, where, version, is_only=len(lists) == 1) for found in lists]
    for key in ("models", ORIGIN):
        if key in value and (key, None) not in [(found.key, found.site) for found in lists]:
            of_file.add(key, "cannot be kept: the catalog needs this name for what it keeps itself.")
    # What the workloads share is looked at once. The lists are checked where they are read.
    checked_annotations({key: item for key, item in value.items() if key not in {SITES, *LIST_KEYS}}, of_file)
    if of_file.problems:
        problems = [p for outcome in outcomes if isinstance(outcome, InvalidDocumentError) for p in outcome.problems]
        yield InvalidDocumentError([*problems, *of_file.problems])
    else:
        yield from outcomes


def document_from_list(list_key: str, entries: Sequence[Any], where: str, version: str) -> Document:
    """Read a document from a list of models or deployments, as a configuration file would have it."""
    return _document(ModelList(list_key, entries), {}, where, version, is_only=True)


def value_from_document(document: Document, version: str) -> dict[str, Any]:
    """Write a document as the JSON object of a configuration file; equal to the one it was read from.

    What the version cannot say is left out; `openg2g.formats.openg2g.config_losses` tells what that is.
    """
    layout = Origin.noted_in(document.annotations).layout_for(version)
    models = zip(document.workload.models, extras_of_models(document, version), strict=True)
    entries = [joined_entry(spec, extras, layout) for spec, extras in models]
    rest = {key: item for key, item in document.annotations.items() if key not in _NEVER_KEPT}
    if layout.site is None:
        return {layout.list_key: entries, **rest}
    sites = object_of(rest.get(SITES))
    site = {key: item for key, item in object_of(sites.get(layout.site)).items() if key not in LIST_KEYS}
    return {**rest, SITES: {**sites, layout.site: {layout.list_key: entries, **site}}}


def _outcome(
    found: ModelList, value: Mapping[str, Any], where: str, version: str, *, is_only: bool
) -> Document | InvalidDocumentError:
    try:
        return _document(found, value, where, version, is_only=is_only)
    except InvalidDocumentError as error:
        return error


def _document(found: ModelList, value: Mapping[str, Any], where: str, version: str, *, is_only: bool) -> Document:
    """Read one workload of a file; the name of an only one is left to whoever imports the file."""
    report = Report(where)
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
    checked_annotations({key: annotations[key] for key in ("models", SITES) if key in annotations}, report)
    refused = {} if workload is None else _refused(workload, kept, version)
    annotations[ORIGIN] = Origin.of_file(layout, refused).note()
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


def _refused(workload: LLMInferenceWorkload, kept: Mapping[str, Any], version: str) -> dict[str, list[str]]:
    """List by label what the version itself refuses of the file, so that it is not held against its way back."""
    found = {m.model_label: [f for f, _ in refusals(m, kept.get(m.model_label, {}), version)] for m in workload.models}
    return {label: fields for label, fields in found.items() if fields}


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
