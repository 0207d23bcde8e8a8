"""Reading Parquet: in batches, with checksums, and nothing trusted before it is checked.

A small file can claim to hold a billion rows, a text a million times, or a list of any length. So the numbers in the
footer are held to limits before anything else is read, texts stay in the dictionaries in which they were stored, and
only what is in reach of a batch becomes Python values.
"""

import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, BinaryIO

from openg2g.formats import limits
from openg2g.formats.document import Document, Report, shown
from openg2g.formats.native import MODEL_FIELDS
from openg2g.formats.parquet.columns import (
    FORMAT,
    FORMAT_KEY,
    KINDS,
    PLACE_COLUMNS,
    check_schema,
    load_library,
)
from openg2g.formats.parquet.footer import MAGIC, MAX_FOOTER_BYTES, read_footer
from openg2g.formats.rows.model_rows import Row, document_of_rows, grouped
from openg2g.formats.rows.row_names import grouped_by_name
from openg2g.formats.temporary import temporary_errors, temporary_file
from openg2g.formats.text_files import read_at_most
from openg2g.models.errors import InvalidDocumentError, Problem
from openg2g.models.instant import time_text

MAX_ROWS = 10**8
"""Rows of a file."""

MAX_CHUNK_BYTES = 2**28
"""Bytes that a column of a row group may take once it is decompressed."""

MAX_GROUP_BYTES = 2**29
"""Bytes that all columns of a row group may take."""

MAX_CHUNK_VALUES = 2**24
"""Values that a column of a row group may have, the members of lists counted one by one."""

MAX_CELL_CHARACTERS = 2**24
"""Characters of a text."""

_ROWS_PER_BATCH = 2**10
_BYTES_PER_BATCH = 2**24  # A batch may reach over many row groups, each as large as one may be.
_BUFFER_BYTES = 2**16
_MAX_FOOTER_LIST = 10**6
_EXACT = 2**53  # From here on, not every whole number has a double of its own.
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_TICKS_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


def read_parquet(stream: BinaryIO, where: str) -> Iterator[Document | InvalidDocumentError]:
    """Yield the document of each workload, or what is wrong with it; memory holds a batch of rows and one workload."""
    arrow, parquet = load_library()
    with _rewindable(stream) as source:
        try:
            file, rows_per_batch = _opened(arrow, parquet, source, where)
        except InvalidDocumentError as error:
            yield error
            return
        with file:
            rows = _rows(arrow, file, rows_per_batch)
            has_places = PLACE_COLUMNS[0] in file.schema_arrow.names
            groups = grouped(_checked_places(rows), _has_same_index) if has_places else grouped_by_name(rows)
            for group in groups:
                try:
                    yield document_of_rows(group, where)
                except InvalidDocumentError as error:
                    yield error


def _opened(arrow: Any, parquet: Any, source: BinaryIO, where: str) -> tuple[Any, int]:
    """Open a file, check its footer, and say how many rows of it are to be read at a time."""

    def opened(**options: Any) -> Any:
        source.seek(0)
        return parquet.ParquetFile(
            source,
            buffer_size=_BUFFER_BYTES,
            pre_buffer=False,
            page_checksum_verification=True,
            coerce_int96_timestamp_unit="us",  # Else as nanoseconds, in which the year 1500 becomes 2084.
            thrift_string_size_limit=MAX_FOOTER_BYTES,
            thrift_container_size_limit=_MAX_FOOTER_LIST,
            **options,
        )

    report = Report(where)
    try:
        rows_per_batch = _check_sizes(source, report)
        report.raise_problems()
        with opened() as file:
            _check_version(file.metadata, report)
            report.raise_problems()
            check_schema(arrow, file, report)
            report.raise_problems()
            texts = [field.name for field in file.schema_arrow if KINDS[field.name] == "text"]
        return opened(read_dictionary=texts), rows_per_batch
    except (arrow.ArrowException, OSError, ValueError, LookupError) as error:
        if isinstance(error, InvalidDocumentError):
            raise
        raise InvalidDocumentError([Problem(where, "", _explained(error))]) from None


def _check_sizes(source: BinaryIO, report: Report) -> int:
    """Note what the footer claims to hold beyond our limits; return how many rows fit into a batch."""
    footer = read_footer(source)
    if footer.num_rows > MAX_ROWS:
        report.add("", f"has {footer.num_rows} rows; at most {MAX_ROWS} are read.")
    for number, group in enumerate(footer.groups):
        for chunk in group.chunks:
            if chunk.num_values > MAX_CHUNK_VALUES or chunk.num_bytes > MAX_CHUNK_BYTES:
                size = f"{chunk.num_values} values, {chunk.num_bytes} bytes"
                report.add(chunk.column[:80], f"is too large in row group {number}: {size}. Write smaller row groups.")
        if group.num_bytes > MAX_GROUP_BYTES:
            message = f"row group {number} has more than {MAX_GROUP_BYTES} bytes. Write smaller row groups."
            report.add("", message)
    bytes_per_row = max((group.num_bytes // max(group.num_rows, 1) for group in footer.groups), default=0)
    return max(1, min(_ROWS_PER_BATCH, _BYTES_PER_BATCH // max(bytes_per_row, 1)))


def _check_version(metadata: Any, report: Report) -> None:
    version = (metadata.metadata or {}).get(FORMAT_KEY, FORMAT.encode())
    if version != FORMAT.encode():
        got = shown(version.decode(errors="replace"))
        report.add("", f"has the format {got}, not {FORMAT!r}. A newer release may read it.")


def _rows(arrow: Any, file: Any, rows_per_batch: int) -> Iterator[Row]:
    """Read the rows, counted from 1; where that fails, the last one says why."""
    if file.metadata.num_row_groups == 0:  # pyarrow 18 fails where there is no batch at all.
        return
    number = 0
    try:
        for batch in file.iter_batches(batch_size=rows_per_batch, use_threads=False):
            columns = {name: _values(arrow, batch.column(name), KINDS[name]) for name in batch.schema.names}
            for values in zip(*columns.values(), strict=True):
                number += 1
                yield _row(number, dict(zip(columns, values, strict=True)))
    except (arrow.ArrowException, OSError, ValueError, LookupError) as error:
        yield Row.broken(number + 1, _explained(error))


def _row(number: int, values: dict[str, Any]) -> Row:
    """Make a row; an empty text stands for an absent one, but a null of a model for nothing that could be guessed."""
    cells = {c: value for c, value in values.items() if c in MODEL_FIELDS or value not in (None, "")}
    problems = []
    for column, value in values.items():
        if isinstance(value, _TooLarge):
            problems.append((column, value.message))
            del cells[column]
    return Row(number, cells, problems=tuple(problems))


class _TooLarge:
    """Stands for a value that is beyond a limit."""

    def __init__(self, size: int, limit: int, unit: str) -> None:
        self.message = f"has {size} {unit}; at most {limit} are read."


def _values(arrow: Any, column: Any, kind: str) -> list[Any]:
    """Return the values of a column as a JSON document would have them."""
    if arrow.types.is_null(column.type):
        return [None] * len(column)
    match kind:
        case "text":
            return _texts(column)
        case "integers":
            sizes = column.value_lengths().to_pylist()
            if max((size or 0 for size in sizes), default=0) <= limits.MAX_BATCH_SIZES:
                values: list[Any] = column.to_pylist()
                return values
            return [
                column[index].as_py()
                if (size or 0) <= limits.MAX_BATCH_SIZES
                else _TooLarge(size, limits.MAX_BATCH_SIZES, "batch sizes")
                for index, size in enumerate(sizes)
            ]
        case "time":
            ticks = _TICKS_PER_SECOND[column.type.unit]
            return [None if value is None else _time(value, ticks) for value in column.cast(arrow.int64()).to_pylist()]
        case "integer" if arrow.types.is_floating(column.type):
            return [int(v) if v is not None and v.is_integer() and abs(v) < _EXACT else v for v in column.to_pylist()]
        case _:
            plain: list[Any] = column.to_pylist()
            return plain


def _texts(column: Any) -> list[Any]:
    """Return texts, each that repeats once: a dictionary of one long text must not become a thousand of them."""
    encoded = column if hasattr(column, "dictionary") else column.dictionary_encode()
    used = encoded.indices.drop_null().unique()
    by_index: dict[int | None, Any] = dict(
        zip(used.to_pylist(), encoded.dictionary.take(used).to_pylist(), strict=True)
    )
    for index, text in by_index.items():
        if text is not None and len(text) > MAX_CELL_CHARACTERS:
            by_index[index] = _TooLarge(len(text), MAX_CELL_CHARACTERS, "characters")
    by_index[None] = None
    return [by_index[index] for index in encoded.indices.to_pylist()]


def _time(value: int, ticks_per_second: int) -> str:
    """Write a time as text; one that has none stays a number, which is refused."""
    microseconds, rest = divmod(value * 10**6, ticks_per_second)
    try:
        return str(value) if rest else time_text(_EPOCH + timedelta(microseconds=microseconds))
    except OverflowError:
        return str(value)


def _checked_places(rows: Iterable[Row]) -> Iterator[Row]:
    """Add a problem to every row that does not follow the one before it: rows that were dropped or moved show."""
    index, position = -1, -1
    for row in rows:
        if row.is_broken:
            yield row
            continue
        problems = list(row.problems)
        got_index, got_position = row.cells.get("workload_index"), row.cells.get("position")
        if not isinstance(got_index, int) or got_index < max(index, 0):
            problems.append(("workload_index", f"must be >= {max(index, 0)}, got {shown(got_index)}."))
            got_index = got_index if isinstance(got_index, int) else index
        position = position + 1 if got_index == index else 0
        index = got_index
        if got_position != position:
            message = f"must be {position}, got {shown(got_position)}: rows of the workload are missing or moved."
            problems.append(("position", message))
            position = got_position if isinstance(got_position, int) else position
        yield replace(row, cells={**row.cells, "workload_index": index}, problems=tuple(problems))


def _has_same_index(before: Row, row: Row) -> bool:
    return bool(row.cells["workload_index"] == before.cells["workload_index"])


@contextmanager
def _rewindable(stream: BinaryIO) -> Iterator[BinaryIO]:
    """Lend a stream in which one can go back, for the footer is at the end: a copy, where the stream only reads."""
    if hasattr(stream, "seekable") and stream.seekable():
        yield stream
        return
    with temporary_file() as copy:
        beginning = read_at_most(stream, len(MAGIC))
        with temporary_errors():
            copy.write(beginning)
            if beginning == MAGIC:  # Of anything else, the beginning is enough to refuse it.
                shutil.copyfileobj(stream, copy)
        yield copy


_WRITE_VERSION_1 = "Write version 1, as nearly every program does unless told otherwise."


def _explained(error: Exception) -> str:
    """Say what Arrow found; an error of the operating system, which has a number, is no matter of the content."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error
    text = str(error).partition("\n")[0].strip()[:200]
    if "checksum" in text:
        return "is damaged: a checksum does not fit. Fetch or write the file again."
    if "DictAccumulator for Delta" in text:  # Without dictionaries, one long text that repeats could fill the memory.
        return f"has texts in an encoding of version 2 of Parquet, which is not read. {_WRITE_VERSION_1}"
    return f"cannot be read as Parquet: {text.rstrip('.')}."
