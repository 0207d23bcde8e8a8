"""The records of a CSV file, each with the line in which it begins, in constant memory.

What spreadsheets write is read: UTF-8 with or without a byte order mark, any of comma, semicolon and tab between the
cells, a first line `sep=;` that says which, line ends of Windows, and cells with line breaks between quotes.
"""

import csv
import re
from collections.abc import Iterator
from typing import BinaryIO

from openg2g.formats import limits
from openg2g.formats.limits import size_text

DELIMITERS = (",", ";", "\t")
"""What may stand between cells."""

_CHUNK_BYTES = 2**16
_OF_BLANK_LINES = ' ,;\t\r\n"'
_SEPARATOR_LINE = re.compile(r'"?sep=(.)"?\s*', re.IGNORECASE | re.DOTALL)
_QUOTED = re.compile(r'"[^"]*"?')
_SAVE_AS_UTF_8 = "Save it as CSV UTF-8 (comma delimited), which is one of the types that spreadsheets offer."


class BrokenFileError(Exception):
    """The file cannot be read from some line on."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(line, message)
        self.line = line
        self.message = message


class Records:
    """Iterates over the records of a file; lines without any character between them are passed over.

    Args:
        stream: The file.
        default_delimiter: What stands between cells where the first record does not tell.

    Attributes:
        is_cut_off: Whether the last record that was given ends the file without ending its line.

    Raises:
        BrokenFileError: When it comes to something that is not UTF-8, not CSV, or too long.
    """

    def __init__(self, stream: BinaryIO, default_delimiter: str) -> None:
        self._stream = stream
        self._default_delimiter = default_delimiter
        self._max_record_bytes = limits.MAX_LINE_BYTES
        self._lines_taken = 0
        self._bytes_taken = 0
        self.is_cut_off = False

    def __iter__(self) -> Iterator[tuple[int, list[str]]]:
        """Yield the line in which each record begins, and its cells."""
        lines = self._decoded()
        first = next((line for line in lines if line.strip(_OF_BLANK_LINES)), None)
        if first is None:
            return
        said = _SEPARATOR_LINE.fullmatch(first)
        delimiter = said[1] if said else _delimiter_of(first) or self._default_delimiter
        if delimiter not in DELIMITERS:
            raise BrokenFileError(self._lines_taken, f"sep= must be a comma, a semicolon or a tab, got {delimiter!r}.")
        # The limit of the standard library holds for the process; ours, which is on whole records, is checked first.
        csv.field_size_limit(max(csv.field_size_limit(), self._max_record_bytes))
        waiting = [] if said else [first]
        reader = csv.reader(_emptying(waiting, lines), delimiter=delimiter, strict=True)
        while True:
            begins = self._lines_taken + 1 - len(waiting)
            try:
                record = next(reader, None)
            except csv.Error as error:
                raise BrokenFileError(begins, _explained(error)) from None
            if record is None:
                return
            self._bytes_taken = 0
            if record:
                yield begins, record

    def _decoded(self) -> Iterator[str]:
        """Decode the lines, counting them."""
        for data in self._split():
            self._lines_taken += 1
            self._bytes_taken += len(data)
            if self._bytes_taken > self._max_record_bytes:
                raise BrokenFileError(self._lines_taken, self._too_long())
            self.is_cut_off = not data.endswith(b"\n")
            try:
                yield data.decode("utf-8-sig" if self._lines_taken == 1 else "utf-8")
            except UnicodeDecodeError as error:
                raise BrokenFileError(
                    self._lines_taken, f"is not UTF-8 text (byte {error.start}). {_SAVE_AS_UTF_8}"
                ) from None

    def _split(self) -> Iterator[bytes]:
        """Split the file after each newline; a file without any does not fill the memory."""
        rest = b""
        while chunk := self._stream.read(_CHUNK_BYTES):
            first, *others = chunk.split(b"\n")
            rest += first
            for other in others:
                yield rest + b"\n"
                rest = other
            if len(rest) > self._max_record_bytes:
                raise BrokenFileError(self._lines_taken + 1, self._too_long())
        if rest:
            yield rest

    def _too_long(self) -> str:
        size = size_text(self._max_record_bytes)
        return f"is in a record of more than {size}. Is a quote missing?"


def _emptying(waiting: list[str], lines: Iterator[str]) -> Iterator[str]:
    """Yield the lines that wait, then the others."""
    while waiting:
        yield waiting.pop()
    yield from lines


def _delimiter_of(header: str) -> str | None:
    """Tell the delimiter from the header: no column has one of them in its name."""
    counts = {delimiter: _QUOTED.sub("", header).count(delimiter) for delimiter in DELIMITERS}
    return max(counts, key=counts.__getitem__) if any(counts.values()) else None


def _explained(error: csv.Error) -> str:
    text = str(error)
    if "new-line character" in text:
        return "has a line end of old Macs (CR alone) outside quotes. Save it with line ends of Unix or Windows."
    if "unexpected end of data" in text:
        return "begins a cell with a quote that no other quote ends. Write a quote within a cell twice."
    if "expected after" in text:
        return "has more after the quote that ends a cell. Write a quote within a cell twice."
    return f"is not CSV: {text}."
