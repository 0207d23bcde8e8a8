"""The footer and page headers of a Parquet file, read by ourselves before pyarrow sees them.

They say how much there is, in the compact protocol of Thrift. pyarrow would tell too, but ends the process with
`terminate called` where a damaged footer contradicts itself (26.0: `RowGroupMetaData.column`), and it makes room for
whatever a page claims to hold.

Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

MAGIC = b"PAR1"
"""How a file begins and ends."""

MAX_FOOTER_BYTES = 2**23
"""Bytes of a footer: enough for some thousand row groups."""

_T = TypeVar("_T")

_TAIL_BYTES = 8  # Length of the footer, and the magic bytes once more.
_MAX_HEADER_BYTES = 2**16
_MAX_PAGES = 10**5
_MAX_DEPTH = 12
_MAX_VARINT_BYTES = 10

# Numbers of the fields in parquet.thrift.
_ROWS, _GROUPS = 3, 4
_COLUMNS, _ROWS_OF_GROUP = 1, 3
_CHUNK_METADATA = 3
_PATH, _VALUES, _COMPRESSED, _DATA_OFFSET, _DICTIONARY_OFFSET = 3, 5, 7, 9, 11
_PAGE_UNCOMPRESSED, _PAGE_COMPRESSED, _PAGE_KINDS = 2, 3, (5, 8)
_PAGE_VALUES = 1


class FooterError(ValueError):
    """The footer or a page header is not what it should be."""


@dataclass(frozen=True)
class Chunk:
    """A column of a row group.

    Attributes:
        group: Number of the row group, from 0.
        column: Name of the column, without what is nested in it.
        num_values: Values in it, the members of lists counted one by one; the larger of what footer and pages claim.
        num_bytes: Bytes that its pages claim to have once they are decompressed.
    """

    group: int
    column: str
    num_values: int
    num_bytes: int


@dataclass(frozen=True)
class Footer:
    """What the footer says.

    Attributes:
        num_rows: Rows of the file.
        groups: Row groups as they were decoded.
    """

    num_rows: int
    groups: list[Any]


def read_footer(stream: BinaryIO) -> Footer:
    """Read the footer of a file.

    Raises:
        FooterError: There is none, or it cannot be decoded.
    """
    size = stream.seek(0, 2)
    stream.seek(max(size - _TAIL_BYTES, 0))
    tail = stream.read(_TAIL_BYTES)
    length = int.from_bytes(tail[:4], "little")
    if size < len(MAGIC) + _TAIL_BYTES or tail[4:] != MAGIC or length > size - _TAIL_BYTES - len(MAGIC):
        raise FooterError("it does not end as such a file does; perhaps it is cut off")
    if length > MAX_FOOTER_BYTES:
        raise FooterError(f"its footer has {length} bytes; at most {MAX_FOOTER_BYTES} are read")
    stream.seek(size - _TAIL_BYTES - length)
    footer = _Decoder(stream.read(length)).struct()
    return Footer(_field(footer, _ROWS, int), _field(footer, _GROUPS, list))


def rows_of_group(group: Any) -> int:
    """Return how many rows a row group claims to have.

    Raises:
        FooterError: It does not say.
    """
    return _field(group, _ROWS_OF_GROUP, int)


def iter_chunks(stream: BinaryIO, footer: Footer) -> Iterator[Chunk]:
    """Yield each column of each row group, its pages counted.

    Raises:
        FooterError: A page header cannot be decoded, or the pages do not end where they should.
    """
    for number, group in enumerate(footer.groups):
        for column in _field(group, _COLUMNS, list):
            metadata = _field(column, _CHUNK_METADATA, dict)
            path = _field(metadata, _PATH, list)
            name = path[0].decode(errors="replace") if path and isinstance(path[0], bytes) else ""
            num_values, num_bytes = _count_pages(stream, metadata)
            yield Chunk(number, name, max(num_values, _field(metadata, _VALUES, int)), num_bytes)


def _count_pages(stream: BinaryIO, metadata: dict[int, Any]) -> tuple[int, int]:
    """Return how many values and bytes the pages of a column claim to hold, from one header to the next."""
    position = _field(metadata, _DATA_OFFSET, int)
    dictionary = metadata.get(_DICTIONARY_OFFSET)
    if isinstance(dictionary, int) and 0 < dictionary < position:
        position = dictionary
    end = position + _field(metadata, _COMPRESSED, int)
    num_values = num_bytes = 0
    for _ in range(_MAX_PAGES):
        if position >= end:
            return num_values, num_bytes
        stream.seek(max(position, 0))
        decoder = _Decoder(stream.read(min(_MAX_HEADER_BYTES, end - position)))
        page = decoder.struct()
        kinds = [page[kind] for kind in _PAGE_KINDS if isinstance(page.get(kind), dict)]
        num_values += sum(_field(kind, _PAGE_VALUES, int) for kind in kinds)
        num_bytes += _field(page, _PAGE_UNCOMPRESSED, int)
        position += decoder.position + _field(page, _PAGE_COMPRESSED, int)
    raise FooterError(f"a column has more than {_MAX_PAGES} pages in a row group")


def _field(struct: Any, number: int, type_: type[_T]) -> _T:
    value = struct.get(number) if isinstance(struct, dict) else None
    if not isinstance(value, type_) or (isinstance(value, int) and value < 0):
        raise FooterError("its footer or the header of a page is damaged")
    return value


class _Decoder:
    """Decodes Thrift's compact protocol to dictionaries by field number.

    Every value takes a byte at least, so that a footer of bounded size becomes objects of bounded number.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self.position = 0
        self._readers: dict[int, Callable[[int], Any]] = {
            3: lambda _: self._byte(),
            **dict.fromkeys((4, 5, 6), lambda _: self._integer()),
            7: lambda _: self._bytes(8),
            8: lambda _: self._bytes(self._varint()),
            9: self._list,
            10: self._list,
            12: self.struct,
        }

    def struct(self, depth: int = 0) -> dict[int, Any]:
        """Decode a struct."""
        fields: dict[int, Any] = {}
        number = 0
        while header := self._byte():
            number = number + (header >> 4) if header >> 4 else self._integer()
            kind = header & 15
            fields[number] = kind == 1 if kind in (1, 2) else self._value(kind, depth)
        return fields

    def _list(self, depth: int) -> list[Any]:
        header = self._byte()
        size = header >> 4 if header >> 4 < 15 else self._varint()
        if size > len(self._data) - self.position:
            raise FooterError("its footer or the header of a page is cut off")
        kind = header & 15
        return [self._byte() == 1 if kind in (1, 2) else self._value(kind, depth) for _ in range(size)]

    def _value(self, kind: int, depth: int) -> Any:
        if kind not in self._readers or depth > _MAX_DEPTH:
            raise FooterError("its footer or the header of a page is damaged")
        return self._readers[kind](depth + 1)

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _bytes(self, count: int) -> bytes:
        self.position += count
        if self.position > len(self._data):
            raise FooterError("its footer or the header of a page is cut off")
        return self._data[self.position - count : self.position]

    def _varint(self) -> int:
        value = 0
        for index in range(_MAX_VARINT_BYTES):
            byte = self._byte()
            value |= (byte & 127) << (7 * index)
            if byte < 128:
                return value
        raise FooterError("its footer or the header of a page is damaged")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
