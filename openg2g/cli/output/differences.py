"""How a difference between two workloads is shown: as lines for people, as JSON for programs."""

import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from openg2g.catalog.history.writer import CatalogWriter
from openg2g.cli.output.tables import escaped, terminal_width
from openg2g.formats.json.text import encode_line
from openg2g.formats.native import model_value
from openg2g.models.consequences import Consequence
from openg2g.models.diff import (
    ABSENT,
    AnnotationChange,
    ModelChange,
    PlacedModel,
    WorkloadDiff,
    annotation_changes,
    diff,
)
from openg2g.models.revision import JsonObject, Revision
from openg2g.models.spec import LLMInferenceWorkload

_MIN_WIDTH = 40
_VALUE_CHARACTERS = 200  # Of an annotation, which may be a whole file; JSON output has all of it.


@dataclass(frozen=True)
class Side:
    """One of two workloads that are compared.

    Attributes:
        title: What people call it: a reference or a file.
        workload: The workload; None before the first revision of a name, and while it is retired.
        annotations: What is known beyond it.
    """

    title: str
    workload: LLMInferenceWorkload | None
    annotations: JsonObject = field(default_factory=dict, hash=False)

    @classmethod
    def of_revision(cls, revision: Revision) -> "Side":
        """Side of a recorded revision."""
        title = f"{revision.reference}{' (retired)' if revision.is_retirement else ''}"
        return cls(title, revision.workload, revision.annotations)


@dataclass(frozen=True)
class Comparison:
    """Two sides, and all that is different between them.

    Attributes:
        old: The old side.
        new: The new side.
        models: What is different in the workloads.
        annotations: What is different beside them.
    """

    old: Side
    new: Side
    models: WorkloadDiff
    annotations: tuple[AnnotationChange, ...]

    @property
    def is_empty(self) -> bool:
        """Whether nothing is different."""
        return self.models.is_empty and not self.annotations


def compare(old: Side, new: Side, *, rtol: float = 0.0, atol: float = 0.0) -> Comparison:
    """Compare two sides; the tolerances are those of `diff`, and no matter of annotations."""
    models = diff(old.workload, new.workload, rtol=rtol, atol=atol)
    return Comparison(old, new, models, annotation_changes(old.annotations, new.annotations))


def comparison_lines(comparison: Comparison) -> list[str]:
    """Lines for people, with a title; without anything that would steer a terminal."""
    title = escaped(f"{comparison.old.title} → {comparison.new.title}")
    return [f"{title}: no difference"] if comparison.is_empty else [title, *difference_lines(comparison)]


def difference_lines(comparison: Comparison) -> list[str]:
    """Lines for people, wrapped to the terminal; none where nothing is different."""
    lines = []
    models = comparison.models
    width = max((len(name) for change in models.changed for name, _ in _rows(change)), default=0)
    for change in models.changed:
        lines.append(escaped(change.model_label))
        lines += [line for name, text in _rows(change) for line in _wrapped(f"  {name:<{width}}  ", text)]
    for label, placed in (("added", models.added), ("removed", models.removed)):
        lines += [line for model in placed for line in _wrapped(f"{label:<8} ", _description(model))]
    for move in models.moved:
        text = f"{move.model_label}, models[{move.old_position}] → models[{move.new_position}]"
        lines += _wrapped("moved    ", text)
    lines += [found.phrase for found in models.consequences if found.model_label is None]
    if comparison.annotations:
        lines.append("annotations")
        lines += [line for found in comparison.annotations for line in _annotation_lines(found)]
    return lines


def previewed_changes(writer: CatalogWriter, revision: Revision) -> Iterator[str]:
    """Yield lines with what a revision that a dry run would record changes from its time on; none for an old one."""
    before = writer.find_before(revision) if revision.is_new else None
    if before is not None:
        for line in difference_lines(compare(Side.of_revision(before), Side.of_revision(revision))):
            yield f"    {line}"


def comparison_value(comparison: Comparison) -> dict[str, Any]:
    """Everything as a JSON value; an annotation without `old` or `new` was not there."""
    models = comparison.models
    return {
        "old": comparison.old.title,
        "new": comparison.new.title,
        "is_empty": comparison.is_empty,
        "added": [_placed_value(model) for model in models.added],
        "removed": [_placed_value(model) for model in models.removed],
        "moved": [vars(move) for move in models.moved],
        "changed": [
            {"model_label": change.model_label, "fields": [vars(found) for found in change.changes]}
            for change in models.changed
        ],
        "consequences": [vars(found) | {"text": str(found)} for found in models.consequences],
        "total_gpus": {"old": models.old_total_gpus, "new": models.new_total_gpus},
        "annotations": [
            {"path": found.path}
            | {name: value for name, value in (("old", found.old), ("new", found.new)) if value is not ABSENT}
            for found in comparison.annotations
        ],
    }


def shown_value(value: object) -> str:
    """A field's value as people write it: batch sizes between blanks."""
    return " ".join(map(str, value)) if isinstance(value, tuple) else str(value)


def _rows(change: ModelChange) -> Iterator[tuple[str, str]]:
    """Yield each field that changed with old → new and what follows from it, and the GPUs after the counts."""
    gpus = [found for found in change.consequences if found.kind == "total_gpus"]
    for found in change.changes:
        if gpus and found.field not in ("num_replicas", "gpus_per_replica"):
            yield "GPUs", gpus.pop().phrase.removeprefix("GPUs ")
        beside = [c.phrase for c in change.consequences if _field_of(c, change) == found.field]
        phrases = [phrase.replace("batch sizes ", "").replace("deadline ", "") for phrase in beside]  # Named already.
        told = f" ({'; '.join(phrases)})" if phrases else ""
        yield found.field, f"{shown_value(found.old)} → {shown_value(found.new)}{told}"
    if gpus:
        yield "GPUs", gpus.pop().phrase.removeprefix("GPUs ")


def _field_of(consequence: Consequence, change: ModelChange) -> str | None:
    """The changed field beside which a consequence is told; None for GPUs, which have a row of their own."""
    if consequence.kind == "total_gpus":
        return None
    if consequence.kind.startswith("deadline_"):
        return "itl_deadline_s"
    is_start = consequence.kind.startswith("initial_") and any(c.field == "initial_batch_size" for c in change.changes)
    return "initial_batch_size" if is_start else "feasible_batch_sizes"


def _description(model: PlacedModel) -> str:
    spec = model.spec
    return (
        f"{spec.model_label}, models[{model.position}]: {spec.num_replicas} × {spec.gpus_per_replica} = "
        f"{spec.total_gpus} GPUs, initial batch size {spec.initial_batch_size}, ITL {spec.itl_deadline_s} s, "
        f"feasible batch sizes {shown_value(spec.feasible_batch_sizes)}"
    )


def _annotation_lines(change: AnnotationChange) -> Sequence[str]:
    if change.old is ABSENT:
        text = f"added {_json(change.new)}"
    elif change.new is ABSENT:
        text = f"removed, was {_json(change.old)}"
    else:
        text = f"{_json(change.old)} → {_json(change.new)}"
    return _wrapped("  ", f"{change.path}: {text}", further="    ")


def _json(value: object) -> str:
    text = encode_line(value)
    return text if len(text) <= _VALUE_CHARACTERS else text[: _VALUE_CHARACTERS - 1] + "…"


def _placed_value(model: PlacedModel) -> dict[str, Any]:
    return {"position": model.position, "model": model_value(model.spec)}


def _wrapped(start: str, text: str, further: str | None = None) -> list[str]:
    """Break a text into lines that begin as the first does, with blanks in place of its words."""
    return textwrap.wrap(
        escaped(text),
        max(terminal_width(), _MIN_WIDTH),
        initial_indent=start,
        subsequent_indent=" " * len(start) if further is None else further,
        break_long_words=False,
        break_on_hyphens=False,
    )
