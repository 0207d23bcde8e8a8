"""What a configuration file of OpenG2G loses of a document.

A document that came from a file of the same version loses nothing: the file comes back, even what this version refused
of it. Name, message, author and times of a revision are the catalog's, and no file of OpenG2G has them. What
annotations say of a model that is no longer there is no loss either.

One difference between the versions is none. The documentation of 0.0.1 says that baseline mode uses the first of the
feasible batch sizes. Its code starts with the initial one, as those of 0.1 and 0.2 do with every file.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from openg2g.formats.document import Document, shown
from openg2g.formats.losses import Loss, LossKind
from openg2g.formats.openg2g.config import documents_from_value, value_from_document
from openg2g.formats.openg2g.entries import KEPT_AMONG_KEYS
from openg2g.formats.openg2g.layout import SITES
from openg2g.formats.openg2g.origin import ORIGIN, Origin, extras_of_models, object_of, sources_by_label
from openg2g.formats.openg2g.rules import FIELDS_OF_0_2, MEASURED_FIELDS, refusals
from openg2g.models.errors import InvalidDocumentError
from openg2g.models.revision import JsonObject


def losses_of_config(document: Document, version: str) -> list[Loss]:
    """List what a configuration file of a version loses of a document, in the order of the file."""
    origin = Origin.noted_in(document.annotations)
    layout = origin.layout_for(version)
    sources = sources_by_label(document.annotations)
    losses: list[Loss] = []
    for position, (spec, extras) in enumerate(
        zip(document.workload.models, extras_of_models(document, version), strict=True)
    ):
        known = origin.refused.get(spec.model_label, ()) if origin.version == version else ()
        for field, message in refusals(spec, extras, version):
            if field not in known:
                losses.append(Loss(LossKind.REFUSED, layout.path_of(position, field), message))
        if origin.version != version:
            source = sources.get(spec.model_label, {})
            for kind, field, message in _differences(extras, source, version):
                losses.append(Loss(kind, layout.path_of(position, field), message))
    if origin.version != version:
        losses += _ramps_lost(document, version)
    return [*losses, *_not_given_back(document, version)]


def _differences(
    extras: Mapping[str, Any], source: Mapping[str, Any], version: str
) -> Iterator[tuple[LossKind, str, str]]:
    """Yield what another version makes of the keys of a model: kind, field and message."""
    for field in FIELDS_OF_0_2:
        if field not in extras or extras[field] == source.get(field):
            continue
        if field in source:
            said = f"is {shown(extras[field])}, and {shown(source[field])} in data_sources"
            yield LossKind.CHANGED, field, f"{said}: OpenG2G 0.1 goes by data_sources, 0.2 by the model."
        elif version == "0.1":
            place = ", which looks for it in data_sources" if field in MEASURED_FIELDS else ""
            yield LossKind.DROPPED, field, f"is ignored by OpenG2G 0.1{place}."
    name = object_of(extras.get("deployment")).get("model_name")
    if name is not None and name != extras.get("model_id"):
        yield LossKind.DROPPED, "model_name", f"is ignored by OpenG2G {version}, which asks the server for model_id."


def _ramps_lost(document: Document, version: str) -> Iterator[Loss]:
    """Yield the ramps of sites, which are of the development after 0.1."""
    for site, content in object_of(document.annotations.get(SITES)).items():
        if version == "0.2" and object_of(content).get("inference_ramps"):
            message = (
                "are ignored by OpenG2G 0.2: there, a ReplicaSchedule(...) in a script ramps the replicas of a model."
            )
            yield Loss(LossKind.DROPPED, f"{SITES}.{site}.inference_ramps", message)


def _not_given_back(document: Document, version: str) -> Iterator[Loss]:
    """Read the file again that would be written, and yield what it refuses and what it does not give back."""
    outcomes = list(documents_from_value(value_from_document(document, version), document.where, version))
    problems = [p for outcome in outcomes if isinstance(outcome, InvalidDocumentError) for p in outcome.problems]
    for problem in problems:
        yield Loss(LossKind.REFUSED, problem.path, problem.message)
    if problems or not isinstance(outcomes[0], Document):
        return
    labels = document.workload.model_labels
    found = _flat(outcomes[0].annotations, labels)
    for path, value in _flat(document.annotations, labels).items():
        if path not in found or found[path] != value:
            message = f"is not written: a configuration of OpenG2G {version} has no place for it."
            yield Loss(LossKind.DROPPED, path, message)


def _flat(annotations: JsonObject, labels: Sequence[str]) -> dict[str, Any]:
    """List what annotations say, by path; of each model key by key, and without the notes that are ours."""
    flat = {f"annotations.{key}": item for key, item in annotations.items() if key not in ("models", ORIGIN)}
    if ORIGIN in annotations and not Origin.is_note(annotations[ORIGIN]):
        flat[f"annotations.{ORIGIN}"] = annotations[ORIGIN]
    of_models = annotations.get("models", {})
    if not isinstance(of_models, Mapping):
        return flat | {"annotations.models": of_models}
    for label in labels:
        path = f"annotations.models.{label}"
        extras = of_models.get(label, {})
        if not isinstance(extras, Mapping):
            flat[path] = extras
            continue
        flat |= {f"{path}.{key}": item for key, item in extras.items() if key not in KEPT_AMONG_KEYS}
        deployment = extras.get("deployment", {})
        of_deployment = deployment if isinstance(deployment, Mapping) else {"": deployment}
        flat |= {f"{path}.deployment.{key}".rstrip("."): item for key, item in of_deployment.items()}
    return flat
