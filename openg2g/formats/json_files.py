"""JSON files: one document or an array of them, in the catalog's shape or in OpenG2G's."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import BinaryIO, TextIO

from openg2g.formats import native, openg2g_config
from openg2g.formats.document import Document
from openg2g.formats.json_text import decode_json, encode_pretty
from openg2g.formats.shape import document_from_value
from openg2g.models.errors import InvalidDocumentError, Problem


@dataclass(frozen=True)
class JsonFiles:
    """Reads any shape that it recognises, writes the catalog's own."""

    def read(self, stream: BinaryIO, where: str) -> Iterator[Document | InvalidDocumentError]:
        """Yield each document of a file, or what is wrong with it."""
        yield from read_array(stream, where, None)

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write one document as an object, several as an array."""
        values = (native.value_from_document(document) for document in documents)
        first, second = next(values, None), next(values, None)
        if first is not None and second is None:
            stream.write(encode_pretty(first) + "\n")
            return
        stream.write("[")
        separator = "\n"
        for value in (value for group in ((first, second), values) for value in group if value is not None):
            stream.write(f"{separator}  {encode_pretty(value, '  ')}")
            separator = ",\n"
        stream.write("\n]\n" if first is not None else "]\n")


@dataclass(frozen=True)
class OpenG2GConfigFiles:
    """Reads and writes the configuration file of one OpenG2G version."""

    version: str

    def read(self, stream: BinaryIO, where: str) -> Iterator[Document | InvalidDocumentError]:
        """Yield each document of a file, or what is wrong with it."""
        yield from read_array(stream, where, self.version)

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write the one document that such a file holds.

        Raises:
            InvalidDocumentError: There is not exactly one, or the version requires fields that nobody gave.
        """
        found = list(documents)
        if len(found) != 1:
            message = f"holds one workload, got {len(found)}. Export each into a file of its own."
            raise InvalidDocumentError([Problem(f"a configuration of OpenG2G {self.version}", "", message)])
        stream.write(encode_pretty(openg2g_config.value_from_document(found[0], self.version)) + "\n")


def read_array(stream: BinaryIO, where: str, config_version: str | None) -> Iterator[Document | InvalidDocumentError]:
    """Yield the documents of a JSON text that is one, or an array of them."""
    try:
        value = decode_json(stream.read(), where)
    except InvalidDocumentError as error:
        yield error
        return
    is_array = isinstance(value, list)
    for index, item in enumerate(value if isinstance(value, list) else [value]):
        try:
            yield document_from_value(item, f"{where}[{index}]" if is_array else where, config_version)
        except InvalidDocumentError as error:
            yield error


JSON = JsonFiles()
OPENG2G_0_1 = OpenG2GConfigFiles("0.1")
OPENG2G_0_2 = OpenG2GConfigFiles("0.2")
