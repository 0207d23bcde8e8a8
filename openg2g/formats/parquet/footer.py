"""The footer of a Parquet file, read by ourselves before pyarrow sees it.

It says how much there is, in the compact protocol of Thrift. pyarrow would tell too, but ends the process with
`terminate called` where a damaged footer contradicts itself (26.0: `RowGroupMetaData.column`), and makes room for
whatever is claimed.

Source: https://github.com/apache/parquet-format/blob/master/src/main/thrift/parquet.thrift
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, BinaryIO, TypeVar

MAGIC = b"PAR1"
"""How a file begins and ends."""

MAX_FOOTER_BYTES = 2**23
"""Bytes of a footer: enough for some thousand row groups."""

_T = TypeVar("_T")

_TAIL_BYTES = 8  # Length of the footer, and the magic bytes once more.
_MAX_DEPTH = 12
_MAX_VARINT_BYTES = 10

# Numbers of the fields in parquet.thrift.
_ROWS, _GROUPS = 3, 4
_COLUMNS, _ROWS_OF_GROUP = 1, 3
_CHUNK_METADATA = 3
_PATH, _VALUES, _UNCOMPRESSED = 3, 5, 6


class FooterError(ValueError):
    """The footer is not what it should be."""


@dataclass(frozen=True)
class Chunk:
    """A column of a row group: its name, without what is nested in it, its values and its bytes, decompressed."""

    column: str
    num_values: int
    num_bytes: int


@dataclass(frozen=True)
class RowGroup:
    """A row group."""

    num_rows: int
    chunks: tuple[Chunk, ...]

    @property
    def num_bytes(self) -> int:
        """Bytes of all columns, decompressed."""
        return sum(chunk.num_bytes for chunk in self.chunks)


@dataclass(frozen=True)
class Footer:
    """What the footer says."""

    num_rows: int
    groups: tuple[RowGroup, ...]


def read_footer(stream: BinaryIO) -> Footer:
    """Read the footer of a file."""
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
    return Footer(_field(footer, _ROWS, int), tuple(map(_row_group, _field(footer, _GROUPS, list))))


def _row_group(group: Any) -> RowGroup:
    return RowGroup(_field(group, _ROWS_OF_GROUP, int), tuple(map(_chunk, _field(group, _COLUMNS, list))))


def _chunk(column: Any) -> Chunk:
    metadata = _field(column, _CHUNK_METADATA, dict)
    path = _field(metadata, _PATH, list)
    name = path[0].decode(errors="replace") if path and isinstance(path[0], bytes) else ""
    return Chunk(name, _field(metadata, _VALUES, int), _field(metadata, _UNCOMPRESSED, int))


def _field(struct: Any, number: int, type_: type[_T]) -> _T:
    value = struct.get(number) if isinstance(struct, dict) else None
    if not isinstance(value, type_) or (isinstance(value, int) and value < 0):
        raise FooterError("its footer is damaged")
    return value


class _Decoder:
    """Decodes Thrift's compact protocol to dictionaries by field number.

    Every value takes a byte at least, so that a footer of bounded size becomes objects of bounded number.
    """

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._position = 0
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
        if size > len(self._data) - self._position:
            raise FooterError("its footer is cut off")
        kind = header & 15
        return [self._byte() == 1 if kind in (1, 2) else self._value(kind, depth) for _ in range(size)]

    def _value(self, kind: int, depth: int) -> Any:
        if kind not in self._readers or depth > _MAX_DEPTH:
            raise FooterError("its footer is damaged")
        return self._readers[kind](depth + 1)

    def _byte(self) -> int:
        return self._bytes(1)[0]

    def _bytes(self, count: int) -> bytes:
        self._position += count
        if self._position > len(self._data):
            raise FooterError("its footer is cut off")
        return self._data[self._position - count : self._position]

    def _varint(self) -> int:
        value = 0
        for index in range(_MAX_VARINT_BYTES):
            byte = self._byte()
            value |= (byte & 127) << (7 * index)
            if byte < 128:
                return value
        raise FooterError("its footer is damaged")

    def _integer(self) -> int:
        value = self._varint()
        return (value >> 1) ^ -(value & 1)
