"""YAML files: a workload, a list of workloads, or several of either separated by `---`.

Only reading takes PyYAML.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, TextIO

from openg2g.formats import native
from openg2g.formats.document import Document
from openg2g.formats.losses import KeepsEverything
from openg2g.formats.places import Place, located
from openg2g.formats.shape import documents_from_value
from openg2g.formats.text_files import invalid, read_text
from openg2g.formats.yaml.encoder import encode_yaml
from openg2g.models.errors import InvalidDocumentError

if TYPE_CHECKING:
    from openg2g.formats.yaml.decoder import YamlDocument

MAX_BYTES = 256 * 2**20
"""The largest file that is read, unless somebody asks for more."""


@dataclass(frozen=True)
class YamlFiles(KeepsEverything):
    """Reads any shape that it recognises, writes the catalog's own."""

    def read(
        self, stream: BinaryIO, where: str, max_bytes: int | None = None
    ) -> Iterator[Document | InvalidDocumentError]:
        """Yield each workload of a file, or what is wrong with it, at the line and column of the field."""
        from openg2g.formats.yaml.decoder import decode_yaml

        try:
            decoded = decode_yaml(read_text(stream, where, max_bytes or MAX_BYTES), where)
        except InvalidDocumentError as error:
            yield error
            return
        first, second = next(decoded, None), next(decoded, None)
        if first is None:
            yield invalid(where, "is empty.")
            return
        is_alone = second is None and (isinstance(first, InvalidDocumentError) or not isinstance(first.value, list))
        outcomes = chain([first], [] if second is None else [second], decoded)
        for index, item in enumerate(item for outcome in outcomes for item in _items_of(outcome)):
            if isinstance(item, InvalidDocumentError):
                yield item
                continue
            value, place = item
            for found in documents_from_value(value, where if is_alone else f"{where}[{index}]", None):
                yield located(found, where, place) if isinstance(found, InvalidDocumentError) else found

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write a YAML document for each document."""
        separator = ""
        for document in documents:
            stream.write(f"{separator}{encode_yaml(native.value_from_document(document))}\n")
            separator = "---\n"
        if not separator:
            stream.write("[]\n")


def _items_of(
    outcome: "YamlDocument | InvalidDocumentError",
) -> Iterator[tuple[object, Place] | InvalidDocumentError]:
    """Take a list apart into the workloads that it should hold."""
    if isinstance(outcome, InvalidDocumentError):
        yield outcome
    elif isinstance(outcome.value, list) and isinstance(outcome.place.inner, list):
        yield from zip(outcome.value, outcome.place.inner, strict=True)
    else:
        yield outcome.value, outcome.place


YAML = YamlFiles()
