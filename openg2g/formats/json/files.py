"""JSON files: one document or an array of them, in the catalog's shape or in OpenG2G's."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, TextIO

from openg2g.formats import native
from openg2g.formats.document import Document
from openg2g.formats.json.places import JsonPlace, place_of, places_of_items
from openg2g.formats.json.text import decode_json, encode_pretty
from openg2g.formats.losses import KeepsEverything, Loss
from openg2g.formats.openg2g import config
from openg2g.formats.openg2g.config_losses import losses_of_config
from openg2g.formats.places import located_outcomes
from openg2g.formats.shape import documents_from_value
from openg2g.formats.text_files import read_text
from openg2g.models.errors import InvalidDocumentError, Problem

MAX_BYTES = 256 * 2**20
"""The largest file that is read, unless somebody asks for more; JSON Lines has no such limit."""


@dataclass(frozen=True)
class JsonFiles(KeepsEverything):
    """Reads any shape that it recognises, writes the catalog's own."""

    def read(
        self, stream: BinaryIO, where: str, max_bytes: int | None = None
    ) -> Iterator[Document | InvalidDocumentError]:
        """Yield each document of a file, or what is wrong with it, at the line and column of the field."""
        return read_array(stream, where, None, max_bytes)

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

    def read(
        self, stream: BinaryIO, where: str, max_bytes: int | None = None
    ) -> Iterator[Document | InvalidDocumentError]:
        """Yield each document of a file, or what is wrong with it, at the line and column of the field."""
        return read_array(stream, where, self.version, max_bytes)

    def losses(self, document: Document) -> Sequence[Loss]:
        """List what the version refuses, understands differently, or cannot say."""
        return losses_of_config(document, self.version)

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write the one document that such a file holds; what the version cannot say is left out."""
        found = list(documents)
        if len(found) != 1:
            message = f"holds one workload, got {len(found)}. Export each into a file of its own."
            raise InvalidDocumentError([Problem(f"a configuration of OpenG2G {self.version}", "", message)])
        stream.write(encode_pretty(config.value_from_document(found[0], self.version)) + "\n")


def read_array(
    stream: BinaryIO, where: str, config_version: str | None, max_bytes: int | None
) -> Iterator[Document | InvalidDocumentError]:
    """Yield the documents of a JSON text that is one, or an array of them."""
    try:
        text = read_text(stream, where, max_bytes or MAX_BYTES)
        value = decode_json(text, where)
    except InvalidDocumentError as error:
        yield error
        return
    if not isinstance(value, list):
        outcomes = documents_from_value(value, where, config_version)
        yield from located_outcomes(outcomes, where, partial(place_of, text))
        return
    places = enumerate(places_of_items(text))
    for index, item in enumerate(value):
        outcomes = documents_from_value(item, f"{where}[{index}]", config_version)
        yield from located_outcomes(outcomes, where, partial(_place_of_item, places, index))


def _place_of_item(places: Iterator[tuple[int, JsonPlace]], index: int) -> JsonPlace:
    """Go on to the place of an item; they are asked for in ascending order."""
    return next(place for number, place in places if number == index)


JSON = JsonFiles()
OPENG2G_0_1 = OpenG2GConfigFiles("0.1")
OPENG2G_0_2 = OpenG2GConfigFiles("0.2")
