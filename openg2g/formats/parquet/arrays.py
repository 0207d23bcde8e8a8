"""Arrow's arrays out of Python values, laid out by ourselves.

`pyarrow.array` imports pandas wherever it is installed, to see whether it was given something of its own: a third of a
second and some 45 MB for every file that is written.

Source: https://arrow.apache.org/docs/format/Columnar.html
"""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import accumulate, chain
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def arrow_array(arrow: Any, type_: Any, values: Sequence[Any]) -> Any:
    """Make an array of texts, 64-bit numbers, times in microseconds, or lists of integers; None is null.

    Args:
        arrow: The library.
        type_: Its type of the values.
        values: The values; lists hold no None.
    """
    is_null = None in values
    validity = _bitmap(arrow, values) if is_null else None
    if arrow.types.is_string(type_):
        texts = [b"" if value is None else value.encode() for value in values]
        buffers = [validity, _offsets(arrow, texts), arrow.py_buffer(b"".join(texts))]
        return arrow.Array.from_buffers(type_, len(values), buffers)
    if arrow.types.is_list(type_):
        lists = [() if value is None else value for value in values]
        members = array("q", chain.from_iterable(lists))
        child = arrow.Array.from_buffers(type_.value_type, len(members), [None, arrow.py_buffer(members)])
        return arrow.Array.from_buffers(type_, len(values), [validity, _offsets(arrow, lists)], children=[child])
    if arrow.types.is_timestamp(type_):
        values = [None if value is None else (value - _EPOCH) // _MICROSECOND for value in values]
    numbers = [0 if value is None else value for value in values] if is_null else values
    data = array("d" if arrow.types.is_floating(type_) else "q", numbers)
    return arrow.Array.from_buffers(type_, len(values), [validity, arrow.py_buffer(data)])


def _offsets(arrow: Any, values: Sequence[Any]) -> Any:
    """Lay out where each value begins, and where the last one ends."""
    return arrow.py_buffer(array("i", accumulate(map(len, values), initial=0)))


def _bitmap(arrow: Any, values: Sequence[Any]) -> Any:
    """Lay out a bit for each value, the first in the lowest bit of the first byte, that says whether it is there."""
    bits = "".join("0" if value is None else "1" for value in reversed(values))
    return arrow.py_buffer(int(bits, 2).to_bytes((len(values) + 7) // 8, "little"))
