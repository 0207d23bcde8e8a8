"""Parquet: a row per model in typed columns, for DuckDB, pandas, polars and Spark, without a word of advice.

    SELECT date_trunc('month', effective_from) AS month, SUM(num_replicas * gpus_per_replica) AS gpus
    FROM 'fleets.parquet' GROUP BY month ORDER BY month

The rows of a workload stand together. Those that `workload_index` gives one number are one workload, in the order of
`position`; a file from elsewhere may have neither column, and is then told apart by names as a CSV file is. Annotations
are JSON text in the first row of a workload.

Files of other programs are read where nothing in them must be guessed or changed: a time names its zone, or is one of
Spark, which writes times in 96 bits and in UTC.

Every page has a checksum, which is verified when it is read. The metadata of the file tell the version of its columns
and the package that wrote it. The same documents are written as the same bytes by one version of pyarrow.
"""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from typing import Any, BinaryIO

from openg2g.formats.document import Document
from openg2g.formats.losses import KeepsEverything
from openg2g.formats.parquet.columns import ALL_COLUMNS, FORMAT, FORMAT_KEY, KINDS, load_library, written_schema
from openg2g.formats.parquet.reader import MAX_CELL_CHARACTERS, read_parquet
from openg2g.formats.rows.model_rows import cells_of
from openg2g.models.errors import InvalidDocumentError, Problem

_PACKAGE = "openg2g-catalog"
_GREATEST_NUMBER = 2**63 - 1

# Rows wait as Python values for a batch, and batches as Arrow's for a row group; both by number and by size.
_ROWS_PER_BATCH = 2**11
_CHARACTERS_PER_BATCH = 2**24
_ROWS_PER_GROUP = 2**15
_BYTES_PER_GROUP = 2**24

# Engines skip row groups by the least and the greatest of these; of long texts, they would only swell the footer.
_SEARCHED = tuple(c for c in ALL_COLUMNS if c not in ("author", "message", "source", "digest", "annotations"))

_TEXTS = tuple(column for column, kind in KINDS.items() if kind == "text")


@dataclass(frozen=True)
class ParquetFiles(KeepsEverything):
    """Reads Parquet in batches, and writes it in row groups."""

    def read(
        self, stream: BinaryIO, where: str, max_bytes: int | None = None
    ) -> Iterator[Document | InvalidDocumentError]:
        """Yield the document of each workload, or what is wrong with it."""
        return read_parquet(stream, where)

    def write(self, documents: Iterable[Document], stream: BinaryIO) -> None:
        """Write a row for each model."""
        arrow, parquet = load_library()
        sink = _Sink(stream)
        # Snappy is the compression that every reader has; Arrow's own schema would only repeat what Parquet's says.
        writer = parquet.ParquetWriter(
            sink,
            written_schema(arrow),
            compression="snappy",
            write_page_checksum=True,
            write_statistics=list(_SEARCHED),
            store_schema=False,
        )
        try:
            writer.add_key_value_metadata({FORMAT_KEY: FORMAT.encode(), b"openg2g.package": _package().encode()})
            for group in _row_groups(arrow, documents):
                writer.write_table(group, row_group_size=group.num_rows)
        except BaseException:
            # Closing writes the footer, with which the part that is there would pass for a whole file in a pipe.
            sink.is_abandoned = True
            with suppress(OSError, arrow.ArrowException):
                writer.close()
            raise
        writer.close()


class _Sink:
    """A stream that can be abandoned: from then on, nothing is written to it."""

    closed = False

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self.is_abandoned = False

    def write(self, data: bytes) -> int:
        return len(data) if self.is_abandoned else self._stream.write(data)

    def flush(self) -> None:
        """Leave flushing to the owner of the stream."""

    def close(self) -> None:
        """Leave closing to the owner of the stream."""


def _row_groups(arrow: Any, documents: Iterable[Document]) -> Iterator[Any]:
    """Gather batches to tables, each of which becomes a row group."""
    schema = written_schema(arrow)
    batches: list[Any] = []
    num_rows = num_bytes = 0
    for rows in _batches(documents):
        batches.append(arrow.RecordBatch.from_pylist(rows, schema=schema))
        num_rows += batches[-1].num_rows
        num_bytes += batches[-1].nbytes
        if num_rows >= _ROWS_PER_GROUP or num_bytes >= _BYTES_PER_GROUP:
            yield arrow.Table.from_batches(batches, schema)
            batches.clear()
            num_rows = num_bytes = 0
    if batches:
        yield arrow.Table.from_batches(batches, schema)


def _batches(documents: Iterable[Document]) -> Iterator[list[dict[str, Any]]]:
    """Gather the rows of documents to lists of bounded size."""
    rows: list[dict[str, Any]] = []
    characters = 0
    for index, document in enumerate(documents):
        for position, cells in enumerate(cells_of(document)):
            row = {"workload_index": index, "position": position, **cells}
            characters += _checked_size(document, row)
            rows.append(row)
            if len(rows) >= _ROWS_PER_BATCH or characters >= _CHARACTERS_PER_BATCH:
                yield rows
                rows, characters = [], 0
    if rows:
        yield rows


def _checked_size(document: Document, row: Mapping[str, Any]) -> int:
    """Return the number of characters in a row, if it can be read again."""
    sizes = {column: len(row[column] or "") for column in _TEXTS}
    problems = [
        Problem(document.where or "a workload", column, f"must have at most {MAX_CELL_CHARACTERS} characters.")
        for column, size in sizes.items()
        if size > MAX_CELL_CHARACTERS
    ]
    if (row["number"] or 0) > _GREATEST_NUMBER:
        problems.append(Problem(document.where or "a workload", "number", f"must be <= {_GREATEST_NUMBER}."))
    if problems:
        raise InvalidDocumentError(problems)
    return sum(sizes.values())


def _package() -> str:
    try:
        return f"{_PACKAGE} {version(_PACKAGE)}"
    except PackageNotFoundError:  # Run from a checkout that was never installed.
        return _PACKAGE


PARQUET = ParquetFiles()
