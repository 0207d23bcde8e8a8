"""JSON Lines: one document a line, read and written in constant memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from openg2g.formats import native
from openg2g.formats.document import Document
from openg2g.formats.json_text import decode_json, encode_line
from openg2g.formats.shape import document_from_value
from openg2g.models.errors import InvalidDocumentError


@dataclass(frozen=True)
class JsonLinesFiles:
    """Reads any shape that it recognises, writes the catalog's own."""

    def read(self, stream: BinaryIO, where: str) -> Iterator[Document | InvalidDocumentError]:
        """Yield the document of each line, or what is wrong with it; blank lines are passed over."""
        for number, line in enumerate(stream, 1):
            if not line.strip():
                continue
            place = f"{where}:{number}"
            try:
                yield document_from_value(decode_json(line, place, is_line=True), place)
            except InvalidDocumentError as error:
                yield error

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write a line for each document."""
        for document in documents:
            stream.write(encode_line(native.value_from_document(document)) + "\n")


JSON_LINES = JsonLinesFiles()
