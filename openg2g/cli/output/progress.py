"""The bar that shows how far the files of an import have been read."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, BinaryIO, cast

import click

from openg2g.formats.files import SourceFile

_FROM_BYTES = 2**20  # Smaller files are imported before a bar could be read.
_STEP_BYTES = 2**16  # To draw the bar takes as long as to read some lines.


@contextmanager
def progress(sources: list[SourceFile]) -> Iterator[list[SourceFile]]:
    """Yield the files, and show a bar on standard error where that is a terminal and the work is long.

    The bar follows how far each file has been read, and begins again where the reader does: what a Parquet file says of
    itself, at its end and before each page, is read first.
    """
    sizes = [source.size for source in sources]
    total = sum(size for size in sizes if size is not None)
    if total < _FROM_BYTES or None in sizes or not sys.stderr.isatty():
        yield sources
        return
    with click.progressbar(length=total, label="Reading", file=sys.stderr) as bar:

        def show(position: int) -> None:
            bar.make_step(min(position, total - 1) - bar.pos)  # Once at its end, a bar stays there.
            bar.render_progress()

        yield list(_watched(sources, show))
        bar.make_step(total - bar.pos)
        bar.render_progress()


def _watched(sources: list[SourceFile], show: Callable[[int], None]) -> Iterator[SourceFile]:
    before = 0
    for source in sources:
        yield replace(source, stream=cast(BinaryIO, _Watched(source.stream, before, show)))
        before += source.size or 0


class _Watched:
    """A binary file that shows how far it and the files before it, of so many bytes, have been read."""

    def __init__(self, stream: BinaryIO, before: int, show: Callable[[int], None]) -> None:
        self._stream = stream
        self._before = before
        self._show = show
        self._shown = 0

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)

    def read(self, size: int = -1) -> bytes:
        data = self._stream.read(size)
        self._follow(len(data))
        return data

    def readline(self, size: int = -1) -> bytes:
        line = self._stream.readline(size)
        self._follow(len(line))
        return line

    def __iter__(self) -> Iterator[bytes]:
        return iter(self.readline, b"")

    def _follow(self, num_bytes: int) -> None:
        """Show the position after reading so many bytes, if it is further on than before, or the reader began again."""
        position = self._stream.tell()
        begins_again = position - num_bytes < _STEP_BYTES <= self._shown
        if begins_again or position >= self._shown + _STEP_BYTES:
            self._shown = position
            self._show(self._before + position)
