"""Files on the way in and out: opened before anything else happens, replaced whole or not at all."""

import io
import os
import stat
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, TextIO, cast

from openg2g.formats.archive.entries import SIGNATURE, is_archive
from openg2g.formats.document import Document
from openg2g.formats.limits import size_text
from openg2g.formats.part_files import part_of
from openg2g.formats.registry import format_name_of, get_entry, get_format
from openg2g.formats.text_files import invalid
from openg2g.models.errors import CatalogError, InvalidDocumentError, SourceError

STANDARD_STREAM = "-"
"""The path that means standard input or output."""

_PIPE_BUFFER_BYTES = 2**16


@dataclass(frozen=True)
class SourceFile:
    """An open file to be read.

    Attributes:
        path: As the user wrote it; `-` for standard input.
        stream: Its bytes.
        format_name: Its format.
        is_archive: Whether it begins as the archive of a catalog does.
        max_bytes: Bytes of it that are read; None for what its format can read at a time.
    """

    path: str
    stream: BinaryIO
    format_name: str
    is_archive: bool = False
    max_bytes: int | None = None

    @property
    def label(self) -> str:
        """What messages call it."""
        return _label(self.path)

    @property
    def size(self) -> int | None:
        """Bytes in it; None for a pipe, of which nobody knows."""
        if not self.stream.seekable():
            return None
        position = self.stream.tell()
        size = self.stream.seek(0, os.SEEK_END)
        self.stream.seek(position)
        return size

    def read(self) -> Iterator[Document | InvalidDocumentError]:
        """Yield each document, or what is wrong with it."""
        try:
            if self.max_bytes is not None and (self.size or 0) > self.max_bytes:
                raise invalid(self.label, f"is larger than {size_text(self.max_bytes)}.", setting="file_bytes")
            yield from get_format(self.format_name).read(self.stream, self.label, self.max_bytes)
        except InvalidDocumentError as error:  # Of a pipe, that it is too large turns out as it is read.
            yield error
        except OSError as error:
            raise SourceError(f"{self.label} cannot be read: {error.strerror}.") from error


@contextmanager
def open_sources(
    paths: Sequence[str], format_name: str | None = None, max_bytes: int | None = None
) -> Iterator[list[SourceFile]]:
    """Open files for reading, all of them before the first is read.

    Args:
        paths: Paths; `-` is standard input.
        format_name: Format of all; None to tell it from each suffix (standard input: JSON).
        max_bytes: Bytes of each that are read; None for what its format can read at a time.

    Raises:
        SourceError: A file cannot be opened.
        UnknownFormatError: A suffix means nothing to us.
    """
    with ExitStack() as stack:
        sources = []
        for path in paths:
            if os.path.isdir(path):
                raise SourceError(f"{path} cannot be read: Is a directory.")
            name = format_name or format_name_of_stream(path)
            get_format(name)
            stream = _opened(path, stack, max_bytes)
            try:
                sources.append(SourceFile(path, stream, name, is_archive(stream), max_bytes))
            except OSError as error:
                raise SourceError(f"{path} cannot be read: {error.strerror}.") from error
        yield sources


def format_name_of_stream(path: str) -> str:
    """Tell the format of a file from its suffix; of standard input and output (`-`), it is JSON.

    Raises:
        UnknownFormatError: The suffix means nothing to us.
    """
    return "json" if path == STANDARD_STREAM else format_name_of(path)


def other_names(path: str) -> int:
    """Count the hard links to a file besides this one: they keep the old content where it is replaced."""
    try:
        status = os.stat(path)
    except OSError:
        return 0
    return status.st_nlink - 1 if stat.S_ISREG(status.st_mode) else 0


def write_documents(documents: Iterable[Document], path: str, format_name: str | None, *, replace: bool) -> None:
    """Write documents into a file that appears complete or not at all, or to standard output.

    Args:
        documents: What to write.
        path: Where; `-` is standard output.
        format_name: Format; None to tell it from the suffix (standard output: JSON).
        replace: Whether a file that is there may be replaced. A symbolic link stays; of hard links, see `other_names`.

    Raises:
        SourceError: The file is there already, or cannot be written; what is not text would go to a terminal.
        UnknownFormatError: The suffix means nothing to us.
        InvalidDocumentError: The format cannot express the documents.
    """
    name = format_name or format_name_of_stream(path)
    opened = writing_bytes if get_entry(name).is_binary else writing_text
    with opened(path, replace=replace) as stream:
        get_format(name).write(documents, stream)


@contextmanager
def writing_text(path: str, *, replace: bool) -> Iterator[TextIO]:
    """Lend a text stream into a file that appears complete or not at all, or into standard output (`-`).

    Raises:
        SourceError: The file is there already and may not be replaced, or cannot be written.
    """
    if path == STANDARD_STREAM:
        with _utf8_standard_output() as stream:
            yield stream
        return
    try:
        target = Path(os.path.realpath(path))  # A link stays; what it leads to is replaced.
        if target.is_dir() or path.endswith(os.sep):
            raise SourceError(f"{path} is a directory. Name a file in it.")
        if target.exists() and not target.is_file():
            with open(target, "w", encoding="utf-8", newline="\n") as stream:  # A device or a pipe is written to.
                yield stream
            return
        if os.path.lexists(target) and not replace:
            raise SourceError(f"{path} exists already.", setting="replace")
        with _replacing(target) as stream:
            yield stream
    except CatalogError:
        raise
    except OSError as error:
        raise SourceError(f"{path} cannot be written: {error.strerror or error}.") from error


@contextmanager
def writing_bytes(path: str, *, replace: bool) -> Iterator[BinaryIO]:
    """Lend a binary stream as `writing_text` lends one for text.

    Raises:
        SourceError: In addition, standard output is a terminal, which must not be sent bytes that are no text.
    """
    if path == STANDARD_STREAM and sys.stdout.isatty():
        raise SourceError("standard output is a terminal, and this format is not text. Name a file.")
    with writing_text(path, replace=replace) as stream:
        yield stream.buffer


@contextmanager
def _replacing(target: Path) -> Iterator[TextIO]:
    """Write a new file beside the target, and put it in place when the block ends without an error."""
    if target.exists() and not os.access(target, os.W_OK):
        raise SourceError(f"{target} may only be read. Change its permissions, or choose another file.")
    with part_of(target) as part:
        with open(part, "x", encoding="utf-8", newline="\n") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        if target.exists():
            _take_over_permissions(target, part)
        os.replace(part, target)


def _take_over_permissions(target: Path, part: Path) -> None:
    """Give a file the group and the permissions of the one that it replaces; a new file has those of the umask."""
    status = target.stat()
    if part.stat().st_gid != status.st_gid:
        with suppress(OSError):  # Only members of a group can give a file to it.
            os.chown(part, -1, status.st_gid)
    os.chmod(part, stat.S_IMODE(status.st_mode))


@contextmanager
def _utf8_standard_output() -> Iterator[TextIO]:
    """Standard output as UTF-8 with plain newlines, whatever the locale says: the same input, the same bytes."""
    sys.stdout.flush()
    stream = io.TextIOWrapper(sys.stdout.buffer, encoding="utf-8", newline="\n", write_through=False)
    try:
        yield stream
        stream.flush()
    finally:
        stream.detach()


def _opened(path: str, stack: ExitStack, max_bytes: int | None) -> BinaryIO:
    """Open a file, which the stack closes; a pipe is read as its writer writes, since nothing waits for it."""
    if path == STANDARD_STREAM:
        if sys.stdin is None:  # Closed by whoever started us.
            raise SourceError("standard input cannot be read: it is closed.")
        stream: BinaryIO = sys.stdin.buffer
    else:
        try:
            stream = stack.enter_context(open(path, "rb"))  # noqa: SIM115  That is one.
        except (OSError, ValueError) as error:  # ValueError: a NUL in the path.
            raise SourceError(f"{path} cannot be read: {getattr(error, 'strerror', None) or error}.") from error
    if stream.seekable():
        return stream
    return cast(BinaryIO, io.BufferedReader(_Pipe(stream, _label(path), max_bytes), _PIPE_BUFFER_BYTES))


class _Pipe(io.RawIOBase):
    """A pipe that is read as it is written, but at first as far as the signature of an archive.

    Reading raises `InvalidDocumentError` as soon as there are more than `max_bytes`. Closing it leaves the stream open.
    """

    def __init__(self, stream: BinaryIO, where: str, max_bytes: int | None) -> None:
        self._stream = cast(io.BufferedReader, stream)
        self._where = where
        self._max_bytes = max_bytes
        self._bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader gives a view.
        is_first = self._bytes_read == 0
        data = self._stream.read(len(SIGNATURE)) if is_first else self._stream.read1(len(buffer))
        self._bytes_read += len(data)
        if self._max_bytes is not None and self._bytes_read > self._max_bytes:
            raise invalid(self._where, f"is larger than {size_text(self._max_bytes)}.", setting="file_bytes")
        buffer[: len(data)] = data
        return len(data)


def _label(path: str) -> str:
    return "standard input" if path == STANDARD_STREAM else path
