"""CSV and TSV: a row per model, the workload's name first, as a spreadsheet would lay it out.

    name,model_label,num_replicas,gpus_per_replica,initial_batch_size,itl_deadline_s,feasible_batch_sizes,…
    fleet,Llama-3.1-8B,720,1,128,0.08,8 16 32 64 128 256 512,…
    fleet,Llama-3.1-70B,180,4,128,0.1,8 16 32 64 128 256 512,…

Rows that stand together under one name are one workload, in their order. A file without names holds one workload, or
several revisions of one.

Writing streams, so that the columns must be chosen before the rows are known: all columns are written always, and the
files of all exports can be put one below the other. No byte order mark is written, which most programs take for a part
of the first column's name.

A text that a spreadsheet would run is written with an apostrophe before it, and read without.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import BinaryIO, TextIO

from openg2g.formats import limits
from openg2g.formats.document import Document, Report, shown
from openg2g.formats.limits import size_text
from openg2g.formats.losses import KeepsEverything
from openg2g.formats.native import MODEL_FIELDS
from openg2g.formats.rows.csv_cells import NUMERIC, cell_text, cell_value, hint_of
from openg2g.formats.rows.csv_records import BrokenFileError, Records
from openg2g.formats.rows.model_rows import COLUMNS, Row, cells_of, check_columns, document_of_rows
from openg2g.formats.rows.row_names import NamesToWrite, grouped_by_name
from openg2g.formats.text_files import invalid
from openg2g.models.errors import InvalidDocumentError

_CHANGING = (*MODEL_FIELDS, "annotations")  # From row to row of a workload; the other cells repeat.
_REQUIRED = tuple(field for field in MODEL_FIELDS if field != "feasible_batch_sizes")

# Quoting is our own: which cells the standard library quotes differs between versions of Python.
_TO_BE_QUOTED = re.compile(r'[",;\t\r\n]|^\s|\s$')


@dataclass(frozen=True)
class CsvFiles(KeepsEverything):
    """Reads what spreadsheets write, and writes it the same each time."""

    delimiter: str

    def read(
        self, stream: BinaryIO, where: str, max_bytes: int | None = None
    ) -> Iterator[Document | InvalidDocumentError]:
        """Yield the document of each workload, or what is wrong with it; memory holds one of them."""
        records = Records(stream, self.delimiter)
        iterator = iter(records)
        try:
            columns = _columns(iterator, where)
        except InvalidDocumentError as error:
            yield error
            return
        for group in grouped_by_name(_rows(iterator, columns, records)):
            try:
                yield document_of_rows(group, where)
            except InvalidDocumentError as error:
                yield error

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write a row for each model."""
        stream.write(self._line(COLUMNS))
        names = NamesToWrite()
        for document in documents:
            names.check(document)
            first = next(cells_of(document))
            of_workload = {column: cell_text(first[column]) for column in COLUMNS if column not in _CHANGING}
            for cells in cells_of(document):
                texts = of_workload | {column: cell_text(cells[column]) for column in _CHANGING}
                line = self._line([texts[column] for column in COLUMNS])
                if len(line.encode()) > limits.MAX_LINE_BYTES:
                    message = f"takes a row of more than {size_text(limits.MAX_LINE_BYTES)}."
                    raise invalid(document.where or "a workload", message)
                stream.write(line)

    def _line(self, cells: Sequence[str]) -> str:
        quoted = ('"' + c.replace('"', '""') + '"' if _TO_BE_QUOTED.search(c) else c for c in cells)
        return self.delimiter.join(quoted) + "\n"


def _columns(records: Iterator[tuple[int, list[str]]], where: str) -> list[str]:
    """Return the name of each column, empty for one that has none."""
    try:
        line, header = next(records)
    except StopIteration:
        raise invalid(where, "is empty: not even the names of the columns are there.") from None
    except BrokenFileError as error:
        raise invalid(where, error.message, error.line) from None
    columns = [cell.strip().lower() for cell in header]
    report = Report(where)
    check_columns([column for column in columns if column], COLUMNS, _REQUIRED, report)
    if report.problems:
        raise InvalidDocumentError([replace(problem, line=line) for problem in report.problems])
    return columns


def _rows(records: Iterator[tuple[int, list[str]]], columns: Sequence[str], file: Records) -> Iterator[Row]:
    """Read the rows below the header; those without anything in them are passed over."""
    try:
        for line, record in records:
            if any(cell.strip() for cell in record):
                yield _row(line, record, columns, is_cut_off=file.is_cut_off)
    except BrokenFileError as error:
        yield Row.broken(error.line, error.message)


def _row(line: int, record: Sequence[str], columns: Sequence[str], *, is_cut_off: bool) -> Row:
    cells = {}
    hints = {}
    problems = []
    if len(record) < len(columns) and is_cut_off:  # Excel leaves out the empty cells at the end, but ends its lines.
        message = f"has {len(record)} cells of {len(columns)} and no line end: the file seems to be cut off."
        problems.append(("", message))
    for index, text in enumerate(record):
        if not text:
            continue
        column = columns[index] if index < len(columns) else ""
        if not column:
            if text.strip() and not problems:  # The first of them: a row may have millions.
                problems.append(("", f"has {shown(text)} in column {index + 1}, which has no name in the header."))
            continue
        value = cell_value(column, text)
        if value is None:
            continue
        cells[column] = value
        hint = hint_of(column, text) if column in NUMERIC and isinstance(value, str | list) else None
        if hint is not None:
            hints[column] = hint
    return Row(line, cells, hints, tuple(problems))


CSV = CsvFiles(",")
TSV = CsvFiles("\t")
