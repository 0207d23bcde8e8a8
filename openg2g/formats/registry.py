"""The file formats: one line for each, loaded when it is first used.

A format is an object with three methods. `read(stream, where, max_bytes)` yields documents, and in place of one that
cannot be read the error that says why. `write(documents, stream)` writes them, the same bytes for the same documents,
into a text stream, or into a binary one where the line of the format says so. `losses(document)` lists what would be
lost: for most formats nothing (`openg2g.formats.losses.KeepsEverything`).

To add a format, write its module, add its line, and ship its schema as `schema/NAME.json`. It reads and writes one
document and several, and gives back everything but nulls. Tests go through all lines; the README's tables and the help
of `--max-file-size` name the formats, too.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any, BinaryIO, Protocol

from openg2g.formats.document import Document
from openg2g.formats.losses import Loss
from openg2g.models.errors import InvalidDocumentError, UnknownFormatError


class FileFormat(Protocol):
    """Reads and writes files of one format."""

    def read(
        self, stream: BinaryIO, where: str, max_bytes: int | None = None
    ) -> Iterator[Document | InvalidDocumentError]:
        """Yield each document of a file, or what is wrong with it."""

    def losses(self, document: Document) -> Sequence[Loss]:
        """List what the format loses of a document; of what it cannot write, see the errors of `write`."""

    def write(self, documents: Iterable[Document], stream: Any) -> None:
        """Write documents into a text stream, or into a binary one where `RegisteredFormat.is_binary` says so."""


@dataclass(frozen=True)
class RegisteredFormat:
    """A line of the registry.

    Attributes:
        name: What `--format` takes.
        suffixes: File suffixes that mean this format.
        home: `module:attribute` of the object that reads and writes, a `FileFormat`.
        is_binary: Whether it is written into a binary stream.
    """

    name: str
    suffixes: tuple[str, ...]
    home: str
    is_binary: bool = False


FORMATS = (
    RegisteredFormat("json", (".json",), "openg2g.formats.json.files:JSON"),
    RegisteredFormat("jsonl", (".jsonl", ".ndjson"), "openg2g.formats.json.lines:JSON_LINES"),
    RegisteredFormat("yaml", (".yaml", ".yml"), "openg2g.formats.yaml.files:YAML"),
    RegisteredFormat("toml", (".toml",), "openg2g.formats.toml.files:TOML"),
    RegisteredFormat("python", (".py",), "openg2g.formats.python.files:PYTHON"),
    RegisteredFormat("csv", (".csv",), "openg2g.formats.rows.csv_files:CSV"),
    RegisteredFormat("tsv", (".tsv",), "openg2g.formats.rows.csv_files:TSV"),
    RegisteredFormat("parquet", (".parquet",), "openg2g.formats.parquet.files:PARQUET", is_binary=True),
    RegisteredFormat("openg2g-0.1", (), "openg2g.formats.json.files:OPENG2G_0_1"),
    RegisteredFormat("openg2g-0.2", (), "openg2g.formats.json.files:OPENG2G_0_2"),
)

FORMAT_NAMES = tuple(entry.name for entry in FORMATS)
"""What `--format` takes."""


def get_format(name: str) -> FileFormat:
    """Return the format of a name.

    Raises:
        UnknownFormatError: There is none.
    """
    module, _, attribute = get_entry(name).home.partition(":")
    found: FileFormat = getattr(import_module(module), attribute)
    return found


def get_entry(name: str) -> RegisteredFormat:
    """Return the line of a format.

    Raises:
        UnknownFormatError: There is none.
    """
    for entry in FORMATS:
        if entry.name == name:
            return entry
    raise UnknownFormatError(f"unknown format {name!r}. Known: {', '.join(FORMAT_NAMES)}.")


def format_name_of(path: str | os.PathLike[str]) -> str:
    """Tell the format of a file from its suffix.

    Raises:
        UnknownFormatError: The suffix means nothing to us.
    """
    suffix = os.path.splitext(os.fspath(path))[1].lower()
    for entry in FORMATS:
        if suffix in entry.suffixes:
            return entry.name
    known = ", ".join(suffix for entry in FORMATS for suffix in entry.suffixes)
    message = f"{os.fspath(path)}: the suffix {suffix!r} means no format (known: {known})."
    raise UnknownFormatError(message, setting="format_name")
