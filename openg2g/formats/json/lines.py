"""JSON Lines: one document a line, read and written in constant memory."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import BinaryIO, TextIO

from openg2g.formats import limits, native
from openg2g.formats.document import Document
from openg2g.formats.json.native_lines import NativeLines
from openg2g.formats.json.places import place_of
from openg2g.formats.json.text import decode_json, encode_line
from openg2g.formats.limits import size_text
from openg2g.formats.losses import KeepsEverything
from openg2g.formats.places import located_outcomes
from openg2g.formats.shape import documents_from_value
from openg2g.formats.text_files import decoded, invalid
from openg2g.models.errors import InvalidDocumentError
from openg2g.models.spec import LLMInferenceModelSpec

_CACHED_MODELS = 16_384  # About 10 MB.


@dataclass(frozen=True)
class JsonLinesFiles(KeepsEverything):
    """Reads any shape that it recognises, writes the catalog's own."""

    def read(
        self, stream: BinaryIO, where: str, max_bytes: int | None = None
    ) -> Iterator[Document | InvalidDocumentError]:
        """Yield the document of each line, or what is wrong with it, at its column; blank lines are skipped."""
        native_lines = NativeLines()
        max_line_bytes = limits.MAX_LINE_BYTES
        for number in count(1):
            line = stream.readline(max_line_bytes + 1)
            if not line:
                return
            if len(line) > max_line_bytes and not line.endswith(b"\n"):
                message = f"is a line of more than {size_text(max_line_bytes)}; the file was not read further."
                yield invalid(where, message, number)
                return  # The line of a device, or of a pipe, may have no end.
            if line.strip():
                yield from _outcomes(line, where, number, native_lines)

    def write(self, documents: Iterable[Document], stream: TextIO) -> None:
        """Write a line for each document."""
        models = _ModelTexts()
        for document in documents:
            value = native.value_from_document(document, models.text_of)
            value["models"] = f"[{','.join(value['models'])}]"
            members = (f'"{name}":{part if name == "models" else encode_line(part)}' for name, part in value.items())
            stream.write(f"{{{','.join(members)}}}\n")


class _ModelTexts:
    """Models as JSON texts, each of them encoded once: the workloads of a catalog share most of theirs."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[LLMInferenceModelSpec, str]] = {}  # With the spec, so that its id stays its own.

    def text_of(self, spec: LLMInferenceModelSpec) -> str:
        known = self._known.get(id(spec))
        if known is None:
            if len(self._known) >= _CACHED_MODELS:
                self._known.clear()
            known = self._known[id(spec)] = spec, encode_line(native.model_value(spec))
        return known[1]


def _outcomes(
    line: bytes, where: str, number: int, native_lines: NativeLines
) -> Iterator[Document | InvalidDocumentError]:
    """Yield the documents of a line; an error has the line with it."""
    text = None
    try:
        text = decoded(line, where, number).rstrip("\r\n")
        document = native_lines.find_document(text, f"{where}:{number}")
        if document is not None:
            yield replace(document, text=text)
            return
        value = decode_json(text, where, line=number)
    except InvalidDocumentError as error:
        yield InvalidDocumentError(error.problems, text)
        return
    outcomes = documents_from_value(value, f"{where}:{number}", None)
    for outcome in located_outcomes(outcomes, where, partial(place_of, text, number)):
        if isinstance(outcome, InvalidDocumentError):
            yield InvalidDocumentError(outcome.problems, text)
        else:
            yield replace(outcome, text=text)


JSON_LINES = JsonLinesFiles()
