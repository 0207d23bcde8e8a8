"""What is imported may come slowly, or never end: others write meanwhile, and what never ends is refused."""

import json
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openg2g.catalog import Catalog, InvalidDocumentError, RevisionDraft
from openg2g.catalog.archive.copying import import_archive_files
from openg2g.catalog.documents import read_ahead as read_ahead_module
from openg2g.catalog.documents.read_ahead import read_ahead
from openg2g.catalog.documents.transfer import import_files
from openg2g.formats.files import open_sources
from openg2g.models.errors import SourceError
from tests.builders import make_draft, make_workload
from tests.catalog.documents.test_transfer import MODEL
from tests.catalog.histories import archive_of

FORMATS = ("json", "jsonl", "csv", "tsv", "yaml", "toml", "python", "parquet")


@contextmanager
def fifo(path: Path, first: bytes, rest: bytes, going_on: threading.Event) -> Iterator[str]:
    """Make a pipe whose writer waits between two parts."""
    os.mkfifo(path)

    def write() -> None:
        with path.open("wb", buffering=0) as stream:
            stream.write(first)
            going_on.wait(60)
            stream.write(rest)

    writer = threading.Thread(target=write)
    writer.start()
    yield str(path)
    writer.join(60)


def line(name: str) -> bytes:
    return json.dumps({"name": name, "models": [MODEL]}).encode() + b"\n"


def test_others_write_while_an_import_waits_for_its_input(catalog: Catalog, database_url: str, tmp_path: Path) -> None:
    going_on = threading.Event()
    with fifo(tmp_path / "sweep.jsonl", line("a"), line("b"), going_on) as path, Catalog.open(database_url) as other:
        imported = threading.Thread(target=import_files, args=(catalog, [path]))
        imported.start()
        other.save("fleet", make_workload())
        assert other.list_names() == ["fleet"]
        going_on.set()
        imported.join(60)
        assert other.list_names() == ["a", "b", "fleet"]


def test_others_write_while_an_archive_comes_in(catalog: Catalog, database_url: str, tmp_path: Path) -> None:
    going_on = threading.Event()
    with Catalog.create(tmp_path / "source.db") as source:
        source.save("site", make_workload(), author="Ada")
        archive = archive_of(source)
    with (
        fifo(tmp_path / "a.jsonl", archive[:500], archive[500:], going_on) as path,
        Catalog.open(database_url) as other,
    ):
        imported = threading.Thread(target=import_archive_files, args=(catalog, [path]))
        imported.start()
        other.save("fleet", make_workload())
        going_on.set()
        imported.join(60)
        assert other.list_names() == ["fleet", "site"]


def test_a_generator_that_is_saved_may_use_the_catalog(catalog: Catalog, database_url: str) -> None:
    with Catalog.open(database_url) as other:

        def drafts() -> Iterator[RevisionDraft]:
            yield make_draft("a")
            catalog.save("from-within", make_workload())
            other.save("from-elsewhere", make_workload())
            yield make_draft("b")

        assert [revision.name for revision in catalog.save_many(drafts())] == ["a", "b"]
        assert catalog.list_names() == ["a", "b", "from-elsewhere", "from-within"]


def error_of(path: str, format_name: str) -> str:
    with open_sources([path], format_name) as (source,):
        (outcome,) = source.read()
    assert isinstance(outcome, InvalidDocumentError)
    return str(outcome)


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_file_without_an_end_is_refused(format_name: str) -> None:
    assert error_of("/dev/zero", format_name).startswith("/dev/zero")


@pytest.mark.parametrize("format_name", FORMATS)
def test_a_pipe_without_an_end_is_refused(format_name: str) -> None:
    reading, writing = os.pipe()

    def write() -> None:
        try:
            while True:
                os.write(writing, b"x" * 65_536)
        except BrokenPipeError:
            os.close(writing)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        assert error_of(f"/dev/fd/{reading}", format_name).startswith(f"/dev/fd/{reading}")
    finally:
        os.close(reading)
        writer.join(60)


def test_what_does_not_fit_into_memory_comes_back_from_a_file_in_order(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead_module, "_BYTES_IN_MEMORY", 2_000)
    blocks = [[make_draft(f"{block}/{number}") for number in range(3)] for block in range(40)]
    with read_ahead(iter(blocks)) as again:
        assert list(again) == blocks


def test_a_full_temporary_directory_is_named(catalog: Catalog, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read_ahead_module, "_BYTES_IN_MEMORY", 0)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "missing"))
    path = tmp_path / "a.jsonl"
    path.write_bytes(line("a"))
    with pytest.raises(SourceError) as caught:
        import_files(catalog, [str(path)])
    assert str(caught.value) == (
        f"the temporary directory {tmp_path / 'missing'} cannot be used: No such file or directory. "
        "Set TMPDIR to a directory with more room."
    )
