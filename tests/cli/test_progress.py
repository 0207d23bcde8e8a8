"""The bar of an import: on a terminal, for large files, and in nobody's way."""

import os
import random
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import TextIO

import pytest

from openg2g.cli.output.progress import progress
from openg2g.formats.document import Document
from openg2g.formats.files import SourceFile, open_sources, write_documents
from openg2g.formats.parquet import files, reader
from tests.builders import make_workload
from tests.formats.views import content_of

FORMATS = ("jsonl", "csv", "parquet")


class Terminal:
    """A terminal as standard error."""

    def __init__(self) -> None:
        self._reader, self._writer = os.openpty()
        os.set_blocking(self._reader, False)
        self.stream = open(self._writer, "w", encoding="utf-8")  # noqa: SIM115  It lives as long as we do.
        self._shown = b""

    def percentages(self) -> list[int]:
        """Return what the bar said, in order."""
        self.stream.flush()
        while True:
            try:
                self._shown += os.read(self._reader, 2**16)
            except BlockingIOError:
                return [int(number) for number in re.findall(rb"(\d+)%", self._shown)]

    def close(self) -> None:
        self.stream.close()
        os.close(self._reader)


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    terminal = Terminal()
    yield terminal
    terminal.close()


@contextmanager
def watched_files(paths: Sequence[Path], stderr: TextIO) -> Iterator[list[SourceFile]]:
    """Open files as an import does whose standard error is this one."""
    with redirect_stderr(stderr), open_sources([str(path) for path in paths]) as sources, progress(sources) as watched:
        yield watched


def large_file(directory: Path, format_name: str, num_bytes: int = 3 * 2**20) -> Path:
    """Write a file that no compression makes small."""
    path = directory / f"sweep.{format_name}"
    choose = random.Random(7)
    documents = [
        Document(make_workload(1 + number % 3), name=f"n{number}", annotations={"noise": choose.randbytes(2**15).hex()})
        for number in range(num_bytes // 2**15)
    ]
    write_documents(documents, str(path), None, replace=False)
    return path


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_large_file_is_read_the_same_beside_a_bar_that_follows(
    tmp_path: Path, format_name: str, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (files, reader):
        monkeypatch.setattr(module, "_ROWS_PER_BATCH", 8)
    monkeypatch.setattr(files, "_ROWS_PER_GROUP", 8)
    path = large_file(tmp_path, format_name)
    with open_sources([str(path)]) as [source]:
        expected = [content_of(outcome) for outcome in source.read() if isinstance(outcome, Document)]
    seen: list[list[int]] = []
    with watched_files([path], terminal.stream) as [watched]:
        found = []
        for outcome in watched.read():
            assert isinstance(outcome, Document)
            found.append(content_of(outcome))
            seen.append(terminal.percentages()[-1:])
    assert found == expected
    while_read = [percentage for shown in seen for percentage in shown]
    assert while_read == sorted(while_read) and while_read[0] < 50 and 90 <= while_read[-1] < 100
    assert terminal.percentages()[-1] == 100


def test_the_bar_goes_over_several_files(tmp_path: Path, terminal: Terminal) -> None:
    paths = [large_file(tmp_path, format_name) for format_name in ("jsonl", "csv")]
    with watched_files(paths, terminal.stream) as watched:
        list(watched[0].read())
        assert 40 < terminal.percentages()[-1] < 60
        list(watched[1].read())
        assert terminal.percentages()[-1] == 99
    assert terminal.percentages()[-1] == 100


def test_a_parquet_file_is_not_copied_for_the_sake_of_the_bar(
    tmp_path: Path, terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = large_file(tmp_path, "parquet")
    with watched_files([path], terminal.stream) as [watched]:
        monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "not there"))
        assert len(list(watched.read())) == 96
        assert not watched.stream.closed


def test_small_files_and_what_is_no_terminal_have_no_bar(tmp_path: Path, terminal: Terminal) -> None:
    small = large_file(tmp_path, "jsonl", num_bytes=2**16)
    with watched_files([small], terminal.stream) as [source]:
        assert len(list(source.read())) == 2
    assert terminal.percentages() == []
    log = tmp_path / "log"
    with open(log, "w", encoding="utf-8") as stderr, watched_files([large_file(tmp_path, "csv")], stderr) as [source]:
        assert len(list(source.read())) == 96
    assert log.read_text() == ""
