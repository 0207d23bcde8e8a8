"""Checksums of rows of the history, so that a damaged file cannot say something else than was stored, in silence.

Content is told from damage by its digests. Of the history no such digest is known: a bit that flips in a message or a
time would leave one that is as good as any. Each of its rows therefore has the CRC-32 of its other values.
"""

import zlib
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def row_checksum(values: Iterable[object]) -> int:
    """Return the CRC-32 of the values of a row, as they are stored and as they are read, in the order of the columns.

    Times are counted in microseconds since 1970, everything else is its text; between two values is a NUL, which no
    stored text contains.

    Example:
        >>> row_checksum((1, "status", "in use"))
        3067445813
    """
    return zlib.crc32("\0".join([value if type(value) is str else _text(value) for value in values]).encode())


def _text(value: object) -> str:
    if isinstance(value, datetime):
        return _time_text(value)
    return value if isinstance(value, str) else str(value)


@lru_cache(maxsize=64)  # What was imported together has most of its times in common.
def _time_text(time: datetime) -> str:
    return str((time - _EPOCH) // _MICROSECOND)
