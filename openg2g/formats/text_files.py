"""Text files that are read whole: up to a size, in UTF-8, and where in a text something stands."""

from typing import BinaryIO

from openg2g.models.errors import InvalidDocumentError, Problem

_BYTE_ORDER_MARKS_16 = (b"\xff\xfe", b"\xfe\xff")


def read_text(stream: BinaryIO, where: str, max_bytes: int) -> str:
    """Read a file as text, without its byte order mark.

    Args:
        stream: The file.
        where: What messages call it.
        max_bytes: The largest file that is read, a whole number of MiB.

    Raises:
        InvalidDocumentError: It is larger, not UTF-8, or blank.
    """
    data = stream.read(max_bytes + 1)
    if len(data) > max_bytes:
        limit = f"must have at most {max_bytes // 2**20} MiB"
        raise invalid(where, f"{limit}. Split it, or use JSON Lines, which is read in constant memory.")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        hint = " It looks like UTF-16: save it as UTF-8." if data[:2] in _BYTE_ORDER_MARKS_16 else ""
        before = error.object[: error.start].decode()
        raise invalid(place(where, before, len(before)), f"is not UTF-8 text (byte {error.start}).{hint}") from None
    if not text.strip():
        raise invalid(where, "is empty.")
    return text


def place(where: str, text: str, offset: int) -> str:
    """Write a place in a text as `file:line:column`, both counted from 1, columns in characters."""
    line = text.count("\n", 0, offset) + 1
    return f"{where}:{line}:{offset - text.rfind(chr(10), 0, offset)}"


def invalid(where: str, message: str) -> InvalidDocumentError:
    """Make the error of a file that is wrong as a whole."""
    return InvalidDocumentError([Problem(where, "", message)])
