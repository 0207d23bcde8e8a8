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
    """Read all blocks to the end, then yield an iterator over them: some in memory, the others in a temporary file.

    Args:
        blocks: Where from; none of them is empty. What they hold is written by `pickle`, into a file without a name
            that only this process can open.

    Raises:
        SourceError: The directory for temporary files has no room for them.
    """
    kept: deque[Sequence[_Item]] = deque()
    num_bytes = num_written = 0
    with ExitStack() as stack:
        file: BinaryIO | None = None
        for block in blocks:
            num_bytes += _weight(block)
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


def _weight(block: Sequence[object]) -> int:
    """Estimate the bytes of a block by those of some of it."""
    some = block[::_WEIGHED_ONE_IN]
    return len(pickle.dumps(some, pickle.HIGHEST_PROTOCOL)) * len(block) // len(some)


def _again(kept: deque[Sequence[_Item]], file: BinaryIO | None, num_written: int) -> Iterator[Sequence[_Item]]:
    while kept:
        yield kept.popleft()  # Whoever has taken a block may drop it.
    if file is not None:
        for _ in range(num_written):
            yield pickle.load(file)
