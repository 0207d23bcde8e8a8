"""Text files that are read whole: up to a size, in UTF-8, and where in a text something stands."""

from codecs import BOM_UTF8
from typing import BinaryIO

from openg2g.formats.limits import size_text
from openg2g.models.errors import InvalidDocumentError, Problem, Setting

_CHUNK_BYTES = 2**26  # Of nearly every file there is one chunk, which is not copied.
_BYTE_ORDER_MARKS_16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(stream: BinaryIO, where: str, max_bytes: int) -> str:
    """Read a file as text, without its byte order mark."""
    data = read_at_most(stream, max_bytes + 1)
    if len(data) > max_bytes:
        limit = f"must have at most {size_text(max_bytes)} to be read at a time"
        raise invalid(where, f"{limit}. Split it, or use JSON Lines, which streams.", setting="file_bytes")
    text = decoded(data, where)
    if not text.strip():
        raise invalid(where, "is empty.")
    return text


def read_at_most(stream: BinaryIO, num_bytes: int) -> bytes:
    """Read so many bytes if there are, with memory for those that are there: `read` makes room for all beforehand."""
    chunks = []
    while num_bytes > 0 and (chunk := stream.read(min(num_bytes, _CHUNK_BYTES))):
        chunks.append(chunk)
        num_bytes -= len(chunk)
    return b"".join(chunks)


def decoded(data: bytes, where: str, first_line: int = 1) -> str:
    """Decode UTF-8, without its byte order mark."""
    try:
        return data.removeprefix(BOM_UTF8).decode()  # The codec utf-8-sig does the same, in Python.
    except UnicodeDecodeError as error:
        hint = " It looks like UTF-16: save it as UTF-8." if data[:2] in _BYTE_ORDER_MARKS_16 else ""
        before = error.object[: error.start].decode()
        line, column = line_and_column(before, len(before))
        message = f"is not UTF-8 text (byte {error.start}).{hint}"
        raise invalid(where, message, first_line - 1 + line, column) from None


def line_and_column(text: str, offset: int) -> tuple[int, int]:
    """Return line and column of a place in a text, both counted from 1, columns in characters."""
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def invalid(
    where: str, message: str, line: int | None = None, column: int | None = None, *, setting: Setting | None = None
) -> InvalidDocumentError:
    """Make the error of a file that is wrong as a whole."""
    return InvalidDocumentError([Problem(where, "", message, line, column, setting)])
