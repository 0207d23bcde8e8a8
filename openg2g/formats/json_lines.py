"""JSON Lines: one document a line, read and written in constant memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import BinaryIO, TextIO

from openg2g.formats import native
from openg2g.formats.document import Document
from openg2g.formats.json_places import places_of
from openg2g.formats.json_text import decode_json, encode_line
from openg2g.formats.limits import DEFAULT_LIMITS, Limits, size_text
from openg2g.formats.losses import KeepsEverything
from openg2g.formats.places import located_outcomes
from openg2g.formats.shape import documents_from_value
from openg2g.formats.text_files import decoded, invalid
from openg2g.models.errors import InvalidDocumentError


@dataclass(frozen=True)
class JsonLinesFiles(KeepsEverything):
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
                yield from _outcomes(line, where, number, limits)

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write a line for each document."""
        for document in documents:
            stream.write(encode_line(native.value_from_document(document)) + "\n")


def _outcomes(line: bytes, where: str, number: int, limits: Limits) -> Iterator[Document | InvalidDocumentError]:
    """Yield the documents of a line; an error has the line with it."""
    text = None
    try:
        text = decoded(line, where, number).rstrip("\r\n")
        value = decode_json(text, where, line=number, limits=limits)
    except InvalidDocumentError as error:
        yield InvalidDocumentError(error.problems, text)
        return
    outcomes = documents_from_value(value, f"{where}:{number}", None, limits)
    for outcome in located_outcomes(outcomes, where, partial(places_of, text, number)):
        if isinstance(outcome, InvalidDocumentError):
            yield InvalidDocumentError(outcome.problems, text)
        else:
            yield replace(outcome, text=text)


def _skip_line(stream: BinaryIO, chunk_bytes: int) -> None:
    """Read on to the end of a line that is too long to be kept in memory."""
    while (chunk := stream.readline(chunk_bytes)) and not chunk.endswith(b"\n"):
        pass


JSON_LINES = JsonLinesFiles()
