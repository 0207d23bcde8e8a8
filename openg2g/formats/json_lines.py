"""JSON Lines: one document a line, read and written in constant memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import count
from typing import BinaryIO, TextIO

from openg2g.formats import native
from openg2g.formats.document import Document
from openg2g.formats.json_places import places_of
from openg2g.formats.json_text import decode_json, encode_line
from openg2g.formats.limits import DEFAULT_LIMITS, Limits, size_text
from openg2g.formats.places import located
from openg2g.formats.shape import document_from_value
from openg2g.formats.text_files import decoded, invalid
from openg2g.models.errors import InvalidDocumentError


@dataclass(frozen=True)
class JsonLinesFiles:
    """Reads any shape that it recognises, writes the catalog's own."""

    def read(
        self, stream: BinaryIO, where: str, limits: Limits = DEFAULT_LIMITS
    ) -> Iterator[Document | InvalidDocumentError]:
        """Yield the document of each line, or what is wrong with it, at its column; blank lines are passed over."""
        for number in count(1):
            line = stream.readline(limits.line_bytes + 1)
            if not line:
                return
            if len(line) > limits.line_bytes and not line.endswith(b"\n"):
                size = size_text(limits.line_bytes)
                yield invalid(where, f"is a line of more than {size} (--max-line-length).", number)
                _skip_line(stream, limits.line_bytes)
            elif line.strip():
                try:
                    yield _document(decoded(line, where, number).rstrip("\r\n"), where, number, limits)
                except InvalidDocumentError as error:
                    yield error

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write a line for each document."""
        for document in documents:
            stream.write(encode_line(native.value_from_document(document)) + "\n")


def _document(text: str, where: str, number: int, limits: Limits) -> Document:
    try:
        value = decode_json(text, where, line=number, limits=limits)
    except InvalidDocumentError as error:
        raise InvalidDocumentError(error.problems, text) from None
    try:
        return document_from_value(value, f"{where}:{number}", None, limits)
    except InvalidDocumentError as error:
        raise located(InvalidDocumentError(error.problems, text), where, places_of(text, number)) from None


def _skip_line(stream: BinaryIO, chunk_bytes: int) -> None:
    """Read on to the end of a line that is too long to be kept in memory."""
    while (chunk := stream.readline(chunk_bytes)) and not chunk.endswith(b"\n"):
        pass


JSON_LINES = JsonLinesFiles()
