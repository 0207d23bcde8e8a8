"""A row per model: what CSV and Parquet files share.

The columns of a row are the workload's name, the six fields of the model, and what the file says of the workload as a
whole. Whoever writes repeats the latter in every row, so that rows can be filtered and summed by them; annotations,
which may be long, stand in the first row alone. Whoever reads takes them from any row of the workload, and refuses rows
that contradict each other. Everything else is checked where every document is: in `openg2g.formats.native`.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from openg2g.formats import limits, native
from openg2g.formats.document import Document, Report, check_fields, shown
from openg2g.formats.json.text import decode_json, encode_line
from openg2g.formats.native import MODEL_FIELDS
from openg2g.models.errors import InvalidDocumentError, Problem

REVISION_COLUMNS = ("effective_from", "author", "message", "source", "number", "digest", "recorded_at")
"""Columns of the revision that a workload came from."""

COLUMNS = ("name", *MODEL_FIELDS, *REVISION_COLUMNS, "annotations")
"""Columns, in the order of writing."""

MAX_COLUMNS = 100
"""Columns that a file may have, those without a name included."""

MAX_CHARACTERS = 2**27
"""Characters that the long texts of one workload may have, those that repeat from row to row counted once."""

_LONG = 1_000  # Shorter ones are not worth the count.
_OF_WORKLOAD = ("name", *REVISION_COLUMNS, "annotations")
_MODEL_PATH = re.compile(r"models\[([0-9]+)\]\.?(.*)", re.DOTALL)


@dataclass(frozen=True)
class Row:
    """A row as it was read.

    Attributes:
        number: The line in which it begins, or its position in the file; counted from 1.
        cells: Column → value as a JSON document has it (times and annotations as text); empty cells are left out.
        hints: Column → what helps if the value is refused.
        problems: Path and message of what is wrong with the row already.
        is_broken: Whether its cells could not be read, so that nothing can be said of them.
    """

    number: int
    cells: dict[str, Any]
    hints: Mapping[str, str] = field(default_factory=dict)
    problems: tuple[tuple[str, str], ...] = ()
    is_broken: bool = False

    @classmethod
    def broken(cls, number: int, message: str) -> "Row":
        """Make a row that could not be read."""
        return cls(number, {}, problems=(("", message),), is_broken=True)


def cells_of(document: Document) -> Iterator[dict[str, Any]]:
    """Yield the cells of each model of a document; what is absent or empty is None."""
    if len(document.workload.models) > limits.MAX_MODELS:
        message = f"has {len(document.workload.models)} models; at most {limits.MAX_MODELS} can stand in rows."
        raise InvalidDocumentError([Problem(document.where or "a workload", "", message)])
    of_workload = {column: getattr(document.revision, column) or None for column in REVISION_COLUMNS}
    annotations = encode_line(document.annotations) if document.annotations else None
    for position, spec in enumerate(document.workload.models):
        yield {
            "name": document.name,
            **{name: getattr(spec, name) for name in MODEL_FIELDS},
            **of_workload,
            "annotations": annotations if position == 0 else None,
        }


def check_columns(columns: Sequence[str], known: Sequence[str], required: Sequence[str], report: Report) -> None:
    """Note every column that is not known, stands twice or is missing."""
    if len(columns) > MAX_COLUMNS:
        report.add("", f"has {len(columns)} columns; at most {MAX_COLUMNS} are read.")
        return
    check_fields(dict.fromkeys(columns), known, "", report)
    for column in dict.fromkeys(columns):
        if columns.count(column) > 1:
            report.add(column, "stands more than once.")
    for column in required:
        if column not in columns:
            report.add(column, "is missing.")


def grouped(rows: Iterable[Row], is_next: Callable[[Row, Row], bool]) -> Iterator[list[Row]]:
    """Gather the rows of each workload."""
    group: list[Row] = []
    num_characters = 0
    for row in rows:
        if group and not row.is_broken and not is_next(group[-1], row):
            yield group
            group = []
            num_characters = 0
        num_characters += _added_characters(row, group[-1] if group else None)
        message = ""
        if len(group) == limits.MAX_MODELS:
            message = f"is row {limits.MAX_MODELS + 1} of one workload: no more are read."
        elif num_characters > MAX_CHARACTERS:
            message = f"brings the texts of one workload to more than {MAX_CHARACTERS} characters."
        group.append(Row.broken(row.number, message) if message else row)
        if message:
            break
    if group:
        yield group


def _added_characters(row: Row, before: Row | None) -> int:
    """Count the characters of long texts that do not repeat from the row before; keep those that do only once."""
    added = 0
    for column, text in row.cells.items():
        if isinstance(text, str) and len(text) > _LONG:
            if before is not None and before.cells.get(column) == text:
                row.cells[column] = before.cells[column]
            else:
                added += len(text)
    return added


def document_of_rows(rows: Sequence[Row], where: str) -> Document:
    """Read a document from its rows."""
    reading = _Reading(rows, where)
    document = reading.document()
    if reading.problems or document is None:
        raise InvalidDocumentError(sorted(reading.problems, key=lambda problem: problem.line or 0))
    return document


class _Reading:
    """Reads one workload, and notes what is wrong with it."""

    def __init__(self, rows: Sequence[Row], where: str) -> None:
        self._where = where
        self._first = rows[0]
        self._rows = [row for row in rows if not row.is_broken]
        self.problems = [self._problem(row, path, message) for row in rows for path, message in row.problems]
        self._said: dict[str, Row] = {}  # Column → the row that says it.

    def document(self) -> Document | None:
        """Return the document, or None where something was noted."""
        self._gather()
        self._check_labels()
        value = self._value()
        try:
            place = f"{self._where}:{self._first.number}"
            return native.document_from_value(value, place) if self._rows else None
        except InvalidDocumentError as error:
            self._translate(error.problems)
            return None

    def _problem(self, row: Row, path: str, message: str) -> Problem:
        return Problem(self._where, path, message, row.number)

    def _gather(self) -> None:
        """Find the row that says each thing of the workload; the others may leave it out, not contradict it."""
        for row in self._rows:
            for column in _OF_WORKLOAD:
                if column not in row.cells:
                    continue
                first = self._said.setdefault(column, row)
                if row.cells[column] != first.cells[column]:
                    message = (
                        f"must be the same in all rows of a workload, got {shown(row.cells[column])}; "
                        f"row {first.number} has {shown(first.cells[column])}."
                    )
                    self.problems.append(self._problem(row, column, message))

    def _check_labels(self) -> None:
        seen: dict[str, Row] = {}
        for row in self._rows:
            label = row.cells.get("model_label")
            if isinstance(label, str) and seen.setdefault(label, row) is not row:
                message = f"must be another in each row of a workload, got {shown(label)}, as in row"
                self.problems.append(self._problem(row, "model_label", f"{message} {seen[label].number}."))

    def _value(self) -> dict[str, Any]:
        """Write the rows as the JSON object of a document."""
        said = {column: row.cells[column] for column, row in self._said.items()}
        value: dict[str, Any] = {
            "models": [{name: row.cells[name] for name in MODEL_FIELDS if name in row.cells} for row in self._rows],
            "revision": {column: said[column] for column in REVISION_COLUMNS if column in said},
        }
        if "name" in said:
            value["name"] = said["name"]
        if "annotations" in said:
            value["annotations"] = self._annotations(said["annotations"])
        return value

    def _annotations(self, text: str) -> object:
        try:
            return decode_json(text, "", line=1)
        except InvalidDocumentError as error:
            for problem in error.problems:
                path = f"annotations.{problem.path}" if problem.path else "annotations"
                place = f" (character {problem.column})" if problem.column else ""
                message = f"{problem.message.removesuffix('.')}{place}."
                self.problems.append(self._problem(self._said["annotations"], path, message))
            return {}

    def _translate(self, problems: Sequence[Problem]) -> None:
        """Say what is wrong with a document in the terms of its rows."""
        of_list = []
        for problem in problems:
            in_model = _MODEL_PATH.fullmatch(problem.path)
            if problem.path == "models":
                of_list.append(self._problem(self._first, "", problem.message))
                continue
            path = in_model[2] if in_model else problem.path.removeprefix("revision.")
            column = re.split(r"[.\[]", path, maxsplit=1)[0]
            row = self._rows[int(in_model[1])] if in_model else self._said.get(column, self._first)
            hint = row.hints.get(column)
            self.problems.append(self._problem(row, path, f"{problem.message} {hint}" if hint else problem.message))
        if not self.problems:  # Else they follow from what has been said: a label that stands twice, for instance.
            self.problems += of_list
