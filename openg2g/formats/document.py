"""The document: what every file format reads to and writes from, and how its parts are checked.

A document is a workload, perhaps with a name, annotations, and the data of the revision that it came from. Whoever
reads one reports everything that is wrong with it, not only the first thing.
"""

import difflib
import reprlib
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from operator import itemgetter
from typing import Any

from openg2g.formats import limits
from openg2g.models.errors import InvalidDocumentError, InvalidRevisionError, Problem
from openg2g.models.revision import JsonObject, Revision, check_name, json_problems
from openg2g.models.spec import MODEL_SPEC_RULES, LLMInferenceModelSpec, LLMInferenceWorkload

_CACHED_SPECS = 16_384  # The workloads of a file share most of their specs; these take some 20 MB.
_MAX_CACHED_SIZES = 64
_VALUES_OF = itemgetter(
    "model_label", "num_replicas", "gpus_per_replica", "initial_batch_size", "itl_deadline_s", "feasible_batch_sizes"
)
_USUAL_TYPES = [str, int, int, int, float]
_specs: dict[Hashable, LLMInferenceModelSpec] = {}

_OPTIONAL_FIELDS = frozenset({"feasible_batch_sizes"})


@dataclass(frozen=True)
class RevisionData:
    """What a document says of the revision it came from; every part may be absent.

    Attributes:
        digest: Digest of the workload of that revision. Where it differs from the document's workload, the document
            was edited since, and the rest no longer describes it.
        number: Number of that revision.
        recorded_at: When that catalog learned it.
        effective_from: Since when it applies.
        author: Who recorded it.
        message: Why.
        source: The file it came from.
    """

    digest: str | None = None
    number: int | None = None
    recorded_at: datetime | None = None
    effective_from: datetime | None = None
    author: str | None = None
    message: str | None = None
    source: str | None = None


@dataclass(frozen=True)
class Document:
    """A workload as a file holds it.

    Attributes:
        workload: The workload.
        where: The file and place it was read from, for messages; empty for a document that was never in a file.
        name: Name, 1 to 200 characters without white space, control characters and `@ : * ? [`, not starting with
            `-`. Not every file gives one.
        annotations: What the file holds beyond the six fields of each model; per model under `"models"`.
        revision: What the file says of a revision.
        text: The document as its file has it, where that is one line; None else.
    """

    workload: LLMInferenceWorkload
    where: str = ""
    name: str | None = None
    annotations: JsonObject = field(default_factory=dict, hash=False)
    revision: RevisionData = RevisionData()
    text: str | None = field(default=None, compare=False, repr=False)

    @classmethod
    def of_revision(cls, revision: Revision) -> "Document":
        """Document of a revision that has a workload, complete."""
        if revision.workload is None:
            raise ValueError(f"{revision.reference} retires its name: it has no document.")
        data = RevisionData(
            digest=revision.digest,
            number=revision.number,
            recorded_at=revision.recorded_at,
            effective_from=revision.effective_from,
            author=revision.author,
            message=revision.message,
            source=revision.source,
        )
        return cls(revision.workload, revision.reference, revision.name, revision.annotations, data)


class Report:
    """Collects what is wrong with one document.

    Attributes:
        where: Where the document stands.
        problems: What was noted.
    """

    def __init__(self, where: str) -> None:
        self.where = where
        self.problems: list[Problem] = []

    def add(self, path: str, message: str) -> None:
        """Note a problem of a field; beyond `limits.MAX_PROBLEMS`, only that there are more."""
        if len(self.problems) < limits.MAX_PROBLEMS:
            self.problems.append(Problem(self.where, path, message))
        elif len(self.problems) == limits.MAX_PROBLEMS:
            self.problems.append(Problem(self.where, "", f"has more than {limits.MAX_PROBLEMS} problems."))

    def add_rule(self, parent: str, rule: str) -> None:
        """Note a message of the form `field rule`, whose field lies below `parent`."""
        name, _, message = rule.partition(" ")
        self.add(f"{parent}.{name}" if parent else name, message)

    def raise_problems(self) -> None:
        """Raise everything noted, if anything."""
        if self.problems:
            raise InvalidDocumentError(self.problems)


def checked_object(value: object, path: str, report: Report) -> Mapping[str, Any] | None:
    """Return a JSON object; note a problem for anything else."""
    if type(value) is dict or isinstance(value, Mapping):  # A dictionary nearly always, and the latter takes longer.
        return value
    report.add(path, f"must be an object, got {shown(value)}.")
    return None


def checked_list(value: object, path: str, report: Report) -> Sequence[Any]:
    """Return a JSON list; note a problem for anything else."""
    if isinstance(value, list):
        return value
    report.add(path, f"must be a list, got {shown(value)}.")
    return []


def checked_workload(
    models: Sequence[Mapping[str, object] | None],
    list_path: str,
    report: Report,
    path_of: Callable[[int, str], str] | None = None,
) -> LLMInferenceWorkload | None:
    """Make a workload of the six fields of each model; None where something was noted now or before.

    Args:
        models: Fields of each model; None where they could not be found, which has been noted.
        list_path: Where the list of models stands in the document.
        report: Where problems go.
        path_of: Where a field of a model stands in the document, by position and name; by default in the model.
    """
    if len(models) > limits.MAX_MODELS:
        report.add(list_path, f"has {len(models)} models; at most {limits.MAX_MODELS} are read.")
        return None
    path_of = path_of or (lambda position, field: f"{list_path}[{position}].{field}")
    specs = [
        None if fields is None else checked_model_spec(fields, partial(path_of, position), report)
        for position, fields in enumerate(models)
    ]
    labels = [fields["model_label"] for fields in models if fields is not None and "model_label" in fields]
    if len({str(label) for label in labels}) != len(labels):
        report.add(list_path, f"has duplicate model labels: {shown(labels)}.")
    elif None not in specs:
        try:
            workload = LLMInferenceWorkload(tuple(spec for spec in specs if spec is not None))
        except ValueError as error:
            report.add(list_path, str(error))
        else:
            return None if report.problems else workload
    return None


def checked_model_spec(
    fields: Mapping[str, object], path_of: Callable[[str], str], report: Report
) -> LLMInferenceModelSpec | None:
    """Make a model spec of its fields by name; note every field that breaks its rule or is missing."""
    sizes = fields.get("feasible_batch_sizes")
    if isinstance(sizes, list) and len(sizes) > limits.MAX_BATCH_SIZES:
        message = f"has {len(sizes)} batch sizes; at most {limits.MAX_BATCH_SIZES} are read."
        report.add(path_of("feasible_batch_sizes"), message)
        return None
    key = _key_of(fields)
    spec = _specs.get(key)
    if spec is None:
        spec = _newly_checked_model_spec(fields, path_of, report)
        if spec is not None and key is not None:
            if len(_specs) >= _CACHED_SPECS:
                _specs.clear()
            _specs[key] = spec
    return spec


def _key_of(fields: Mapping[str, object]) -> Hashable | None:
    """What specs that were checked are known by; None where a type is unusual, for 1 equals 1.0 and True."""
    try:
        *values, sizes = _VALUES_OF(fields)
    except KeyError:
        return None
    if type(sizes) is not list or len(sizes) > _MAX_CACHED_SIZES or set(map(type, sizes)) != {int}:
        return None
    return (*values, *sizes) if list(map(type, values)) == _USUAL_TYPES else None


def _newly_checked_model_spec(
    fields: Mapping[str, object], path_of: Callable[[str], str], report: Report
) -> LLMInferenceModelSpec | None:
    values: dict[str, Any] = {name: fields[name] for name in MODEL_SPEC_RULES if name in fields}
    try:
        return LLMInferenceModelSpec(**values)
    except (ValueError, TypeError):  # TypeError: a field is missing.
        pass
    for name, rule in MODEL_SPEC_RULES.items():
        if name in fields:
            try:
                rule(fields[name])
            except ValueError as error:
                told, _, message = str(error).partition(" ")  # The field, or a member of it: field[3].
                report.add(path_of(name) + told.removeprefix(name), message)
        elif name not in _OPTIONAL_FIELDS:
            report.add(path_of(name), "is missing.")
    return None


def check_fields(value: Mapping[str, object], known: Sequence[str], path: str, report: Report) -> None:
    """Note every field that is not known, with the known one that it resembles."""
    if all(map(known.__contains__, value)):
        return
    missing = [field for field in known if field not in value]
    for name in value:
        if len(report.problems) > limits.MAX_PROBLEMS:  # To look for what resembles a word takes time.
            return
        if name in known:
            continue
        close = difflib.get_close_matches(name, missing, n=1)
        hint = f": did you mean {close[0]}?" if close else f". Known fields: {', '.join(known)}."
        report.add(f"{path}.{name}" if path else name, f"is not a known field{hint}")


def checked_name(value: object, report: Report) -> str | None:
    """Return a name that the catalog can store."""
    try:
        return check_name(value)
    except InvalidRevisionError as error:
        report.add_rule("", str(error))
        return None


def checked_annotations(value: object, report: Report) -> Mapping[str, Any]:
    """Return annotations that the catalog can store."""
    annotations = checked_object(value, "annotations", report)
    if annotations is None:
        return {}
    for path, rule in json_problems(annotations, "annotations"):
        report.add(path, rule)
    return annotations


def shown(value: object) -> str:
    """A value in a message, cut where it is long."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, Mapping):
        return "an object"
    return reprlib.repr(value)
