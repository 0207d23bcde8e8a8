"""YAML files: a workload, a list of workloads, or several of either separated by `---`.

Only reading takes PyYAML.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import TYPE_CHECKING, BinaryIO, TextIO

from openg2g.formats import native
from openg2g.formats.document import Document
from openg2g.formats.shape import document_from_value
from openg2g.formats.text_files import invalid, read_text
from openg2g.formats.yaml_encoder import MAX_DEPTH, encode_yaml
from openg2g.models.errors import InvalidDocumentError, Problem

if TYPE_CHECKING:
    from openg2g.formats.yaml_decoder import Place, YamlDocument

MAX_BYTES = 256 * 2**20
"""The largest file that is read."""


@dataclass(frozen=True)
class YamlFiles:
    """Reads any shape that it recognises, writes the catalog's own."""

    def read(self, stream: BinaryIO, where: str) -> Iterator[Document | InvalidDocumentError]:
        """Yield each workload of a file, or what is wrong with it, at the line and column of the field.

        Raises:
            MissingLibraryError: PyYAML is not installed.
        """
        from openg2g.formats.yaml_decoder import decode_yaml

        try:
            decoded = decode_yaml(read_text(stream, where, MAX_BYTES), where)
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
            try:
                yield document_from_value(value, where if is_alone else f"{where}[{index}]")
            except InvalidDocumentError as error:
                yield _with_places(error, where, place)

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write a YAML document for each document.

        Raises:
            InvalidDocumentError: Annotations are nested deeper than would be read again.
        """
        separator = ""
        for document in documents:
            value = native.value_from_document(document)
            too_deep = _paths_below(value, "", MAX_DEPTH)
            if too_deep:
                message = f"is nested more than {MAX_DEPTH} levels deep, more than a YAML file may be. Use JSON."
                raise InvalidDocumentError([Problem(document.where, path, message) for path in too_deep])
            stream.write(f"{separator}{encode_yaml(value)}\n")
            separator = "---\n"
        if not separator:
            stream.write("[]\n")


def _items_of(
    outcome: "YamlDocument | InvalidDocumentError",
) -> "Iterator[tuple[object, Place] | InvalidDocumentError]":
    """Take a list apart into the workloads that it should hold."""
    if isinstance(outcome, InvalidDocumentError):
        yield outcome
    elif isinstance(outcome.value, list) and isinstance(outcome.place.inner, list):
        yield from zip(outcome.value, outcome.place.inner, strict=True)
    else:
        yield outcome.value, outcome.place


def _with_places(error: InvalidDocumentError, where: str, place: "Place") -> InvalidDocumentError:
    """Say of each problem of a document at which line and column its field stands."""
    problems = []
    for problem in error.problems:
        found = place.find(problem.path)
        problems.append(Problem(f"{where}:{found.line}:{found.column}", problem.path, problem.message))
    return InvalidDocumentError(problems)


def _paths_below(value: object, path: str, levels: int) -> list[str]:
    """List the paths of the lists and objects that lie deeper than so many levels, the first of each branch."""
    if not isinstance(value, dict | list | tuple):
        return []
    if levels == 0:
        return [path]
    if isinstance(value, dict):
        members = [(f"{path}.{key}" if path else key, item) for key, item in value.items()]
    else:
        members = [(f"{path}[{index}]", item) for index, item in enumerate(value)]
    return [found for inner, item in members for found in _paths_below(item, inner, levels - 1)]


YAML = YamlFiles()
