"""Reading ahead: everything that comes from elsewhere is there before the write lock is taken.

A pipe, a script or somebody's generator may be slow, or never end; whoever waits for it must not keep others waiting.
"""

import pickle
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import BinaryIO, TypeVar

from openg2g.formats.temporary import temporary_errors, temporary_file

_BYTES_IN_MEMORY = 32 * 2**20  # As they are written; in memory they take some three times as much.
_WEIGHED_ONE_IN = 64

_Item = TypeVar("_Item")


@contextmanager
def read_ahead(blocks: Iterable[Sequence[_Item]]) -> Iterator[Iterator[Sequence[_Item]]]:
    """Read all blocks, none of them empty, to the end, then yield an iterator over them.

    Some are kept in memory, the others are written by `pickle` into a file without a name that only this process can
    open.
    """
    kept: deque[Sequence[_Item]] = deque()
    num_bytes = num_written = 0
    with ExitStack() as stack:
        file: BinaryIO | None = None
        for block in blocks:
            some = block[::_WEIGHED_ONE_IN]
            num_bytes += len(pickle.dumps(some, pickle.HIGHEST_PROTOCOL)) * len(block) // len(some)
            if num_bytes <= _BYTES_IN_MEMORY:
                kept.append(block)
                continue
            file = file or stack.enter_context(temporary_file())
            with temporary_errors():
                pickle.dump(block, file, pickle.HIGHEST_PROTOCOL)
            num_written += 1
        if file is not None:
            with temporary_errors():
                file.seek(0)
        yield _again(kept, file, num_written)


def _again(kept: deque[Sequence[_Item]], file: BinaryIO | None, num_written: int) -> Iterator[Sequence[_Item]]:
    while kept:
        yield kept.popleft()  # Whoever has taken a block may drop it.
    if file is not None:
        for _ in range(num_written):
            yield pickle.load(file)
