"""Pipes to be read as they are written: looked into once, and never read beyond a size."""

import io
from typing import BinaryIO, cast

from openg2g.formats.limits import size_text
from openg2g.formats.text_files import invalid

_BUFFER_BYTES = 2**16


def peekable(stream: BinaryIO, where: str, peeked_bytes: int, max_bytes: int | None) -> BinaryIO:
    """Return a stream that reads a pipe, and whose `peek` shows so many bytes of its beginning, if there are.

    Reading raises `InvalidDocumentError` as soon as there are more than `max_bytes`.
    """
    return cast(BinaryIO, io.BufferedReader(_Pipe(stream, where, peeked_bytes, max_bytes), _BUFFER_BYTES))


class _Pipe(io.RawIOBase):
    """Reads what is there, but at first as much as is peeked at. Closing it leaves the stream open."""

    def __init__(self, stream: BinaryIO, where: str, peeked_bytes: int, max_bytes: int | None) -> None:
        self._stream = cast(io.BufferedReader, stream)
        self._where = where
        self._peeked_bytes = peeked_bytes
        self._max_bytes = max_bytes
        self._bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # BufferedReader gives a view.
        is_first = self._bytes_read == 0
        data = self._stream.read(self._peeked_bytes) if is_first else self._stream.read1(len(buffer))
        self._bytes_read += len(data)
        if self._max_bytes is not None and self._bytes_read > self._max_bytes:
            raise invalid(self._where, f"is larger than {size_text(self._max_bytes)}.", setting="file_bytes")
        buffer[: len(data)] = data
        return len(data)
