"""Files on the way in and out: replaced whole or not at all."""

import json
import os
import resource
import stat
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from openg2g.formats.document import Document
from openg2g.formats.files import SourceFile, open_sources, write_documents
from openg2g.models.errors import CatalogError, InvalidDocumentError, SourceError, UnknownFormatError
from tests.builders import make_workload, published_fleet
from tests.formats.configs import OFFLINE_0_1
from tests.formats.views import documents_of, value, written

FLEET = Document(published_fleet(), name="fleet")


def read_all(sources: list[SourceFile]) -> list[str]:
    """What was read: the place of each document, or what is wrong with it."""
    return [
        outcome.where if isinstance(outcome, Document) else str(outcome)
        for source in sources
        for outcome in source.read()
    ]


@contextmanager
def no_file_above(size: int) -> Iterator[None]:
    """Let the operating system refuse to make any file larger than this, as a full disk does."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


# Writing.


@pytest.mark.parametrize("suffix", ["json", "jsonl", "ndjson"])
def test_a_file_is_written_in_the_format_of_its_suffix(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"fleet.{suffix}"
    write_documents([FLEET], str(path), None, replace=False)
    assert path.read_bytes().decode() == written([FLEET], "json" if suffix == "json" else "jsonl")
    assert os.listdir(tmp_path) == [path.name]


def test_a_format_that_is_named_wins_over_the_suffix(tmp_path: Path) -> None:
    path = tmp_path / "config.json"
    write_documents([FLEET], str(path), "openg2g-0.1", replace=False)
    assert json.loads(path.read_text())["models"][0]["num_replicas"] == 720
    assert "format" not in json.loads(path.read_text())


def test_text_is_written_in_utf_8_whatever_the_locale_says(tmp_path: Path) -> None:
    document = Document(make_workload(1, model_label="通义 é 🚀"), annotations={"note": "a\r\nb"})
    path = tmp_path / "a.jsonl"
    write_documents([document], str(path), None, replace=False)
    assert "通义 é 🚀".encode() in path.read_bytes()
    assert path.read_bytes().count(b"\n") == 1
    assert b"\r" not in path.read_bytes()


def test_a_file_that_is_there_is_not_replaced_without_being_told(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.write_text("precious")
    with pytest.raises(SourceError) as caught:
        write_documents([FLEET], str(path), None, replace=False)
    assert str(caught.value) == f"{path} exists already."
    assert caught.value.setting == "replace"
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["fleet.json"]


def test_a_file_that_is_there_is_replaced_when_told(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.write_text("x" * 100_000)
    write_documents([FLEET], str(path), None, replace=True)
    assert path.read_text() == written([FLEET])
    assert os.listdir(tmp_path) == ["fleet.json"]


class _StoppedByTheUserError(BaseException):
    """What a KeyboardInterrupt is, without stopping the tests."""


@pytest.mark.parametrize("failure", [ValueError, RuntimeError, SourceError, _StoppedByTheUserError])
@pytest.mark.parametrize("old", ["precious", None])
def test_a_failure_on_the_way_leaves_the_old_file_and_no_other(
    tmp_path: Path, failure: type[BaseException], old: str | None
) -> None:
    path = tmp_path / "sweep.jsonl"
    if old is not None:
        path.write_text(old)

    def failing() -> Iterator[Document]:
        for _ in range(2_000):
            yield FLEET
        raise failure("in the middle")

    with pytest.raises(failure, match="in the middle"):
        write_documents(failing(), str(path), None, replace=True)
    assert os.listdir(tmp_path) == ([] if old is None else ["sweep.jsonl"])
    assert old is None or path.read_text() == old


def test_a_disk_that_is_full_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "sweep.jsonl"
    path.write_text("precious")
    with no_file_above(20_000), pytest.raises(SourceError) as caught:
        write_documents([FLEET] * 1_000, str(path), None, replace=True)
    assert str(caught.value) == f"{path} cannot be written: File too large."
    assert path.read_text() == "precious"
    assert os.listdir(tmp_path) == ["sweep.jsonl"]


def test_documents_that_the_format_cannot_express_leave_no_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidDocumentError, match="holds one workload, got 2"):
        write_documents([FLEET, FLEET], str(tmp_path / "config.json"), "openg2g-0.1", replace=False)
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("replace", [True, False])
def test_a_format_that_is_unknown_leaves_no_file(tmp_path: Path, replace: bool) -> None:
    with pytest.raises(UnknownFormatError, match=r"the suffix '\.txt' means no format"):
        write_documents([FLEET], str(tmp_path / "fleet.txt"), None, replace=replace)
    with pytest.raises(UnknownFormatError, match="unknown format 'pickle'"):
        write_documents([FLEET], str(tmp_path / "fleet.json"), "pickle", replace=replace)
    assert os.listdir(tmp_path) == []


def test_a_directory_that_is_missing_is_named(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "fleet.json"
    with pytest.raises(SourceError) as caught:
        write_documents([FLEET], str(path), None, replace=False)
    assert str(caught.value) == f"{path} cannot be written: No such file or directory."
    assert isinstance(caught.value, CatalogError)
    assert isinstance(caught.value, OSError)


def test_a_directory_is_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.mkdir()
    with pytest.raises(SourceError) as caught:
        write_documents([FLEET], str(path), None, replace=True)
    assert str(caught.value) == f"{path} is a directory. Name a file in it."
    assert path.is_dir()
    assert os.listdir(tmp_path) == ["fleet.json"]


def test_a_path_that_ends_like_a_directory_makes_no_file(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="is a directory"):
        write_documents([FLEET], f"{tmp_path / 'new'}/", "json", replace=False)
    assert os.listdir(tmp_path) == []


def test_a_link_stays_and_what_it_leads_to_is_replaced(tmp_path: Path) -> None:
    path, link = tmp_path / "fleet.json", tmp_path / "latest.json"
    path.write_text("old")
    link.symlink_to("fleet.json")
    with pytest.raises(SourceError, match="exists already"):
        write_documents([FLEET], str(link), None, replace=False)
    assert path.read_text() == "old"
    write_documents([FLEET], str(link), None, replace=True)
    assert link.is_symlink()
    assert path.read_text() == written([FLEET])
    assert sorted(os.listdir(tmp_path)) == ["fleet.json", "latest.json"]


def test_a_pipe_is_written_to_and_not_replaced(tmp_path: Path) -> None:
    path = tmp_path / "pipe.json"
    os.mkfifo(path)
    reading = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_documents([FLEET], str(path), None, replace=False)
        assert os.read(reading, 100_000).decode() == written([FLEET])
    finally:
        os.close(reading)
    assert stat.S_ISFIFO(path.stat().st_mode)
    assert os.listdir(tmp_path) == ["pipe.json"]


def test_a_file_keeps_its_permissions_when_it_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "fleet.json"
    path.write_text("old")
    path.chmod(0o640)
    write_documents([FLEET], str(path), None, replace=True)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_a_path_that_is_too_long_is_refused_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 300}.json"
    with pytest.raises(SourceError) as caught:
        write_documents([FLEET], str(path), None, replace=False)
    assert str(caught.value) == f"{path} cannot be written: File name too long."


def test_a_name_of_the_greatest_length_can_be_written(tmp_path: Path) -> None:
    path = tmp_path / f"{'x' * 250}.json"
    write_documents([FLEET], str(path), None, replace=False)
    assert path.read_text() == written([FLEET])


def test_a_new_file_is_as_readable_as_any_other_new_file(tmp_path: Path) -> None:
    before, path, after = (tmp_path / name for name in ("before", "fleet.json", "after"))
    before.touch()
    write_documents([FLEET], str(path), None, replace=False)
    after.touch()
    assert len({stat.S_IMODE(file.stat().st_mode) for file in (before, path, after)}) == 1


def test_the_same_documents_are_written_as_the_same_bytes(tmp_path: Path) -> None:
    paths = [tmp_path / f"{index}.json" for index in range(2)]
    for path in paths:
        write_documents(documents_of([OFFLINE_0_1, value(name="a")]), str(path), None, replace=False)
    assert paths[0].read_bytes() == paths[1].read_bytes()


@pytest.mark.parametrize("format_name", [None, "json", "jsonl", "openg2g-0.1"])
def test_standard_output_takes_the_same_bytes_as_a_file(
    capsysbinary: pytest.CaptureFixture[bytes], format_name: str | None
) -> None:
    document = Document(make_workload(1, model_label="通义 🚀"))
    print("before", flush=False)
    write_documents([document], "-", format_name, replace=False)
    print("after")
    assert capsysbinary.readouterr().out == f"before\n{written([document], format_name or 'json')}after\n".encode()


# Reading.


def test_files_are_read_in_order_each_in_its_format(tmp_path: Path) -> None:
    array, lines, config = (str(tmp_path / name) for name in ("a.json", "b.jsonl", "c.json"))
    write_documents([FLEET, FLEET], array, None, replace=False)
    write_documents([FLEET], lines, None, replace=False)
    write_documents([FLEET], config, "openg2g-0.1", replace=False)
    with open_sources([array, lines, config]) as sources:
        assert [source.format_name for source in sources] == ["json", "jsonl", "json"]
        assert [source.label for source in sources] == [array, lines, config]
        assert [source.size for source in sources] == [os.path.getsize(path) for path in (array, lines, config)]
        assert read_all(sources) == [f"{array}[0]", f"{array}[1]", f"{lines}:1", config]


def test_a_format_that_is_named_holds_for_all_files(tmp_path: Path) -> None:
    path = tmp_path / "no-suffix"
    path.write_text(written([FLEET], "jsonl") * 2)
    with open_sources([str(path)], "jsonl") as sources:
        assert read_all(sources) == [f"{path}:1", f"{path}:2"]


@pytest.mark.parametrize(("format_name", "places"), [(None, ["standard input"]), ("jsonl", ["standard input:1"])])
def test_standard_input_is_read_as_json_unless_told_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format_name: str | None, places: list[str]
) -> None:
    path = tmp_path / "in"
    path.write_bytes(written([FLEET], "jsonl").encode())
    with path.open() as standard_input:
        monkeypatch.setattr(sys, "stdin", standard_input)
        with open_sources(["-"], format_name) as sources:
            assert sources[0].size == path.stat().st_size
            assert read_all(sources) == places


def test_a_pipe_is_read_like_a_file() -> None:
    """The shell's `<(command)` gives such a path, which can be neither measured nor rewound."""
    reading, writing = os.pipe()
    os.write(writing, written([FLEET], "jsonl").encode())
    os.close(writing)
    with open_sources([f"/dev/fd/{reading}"], "jsonl") as sources:
        os.close(reading)
        assert sources[0].size is None
        assert read_all(sources) == [f"/dev/fd/{reading}:1"]


def test_all_files_are_opened_before_the_first_is_read(tmp_path: Path) -> None:
    good, missing = tmp_path / "good.json", tmp_path / "missing.json"
    good.write_text(written([FLEET]))
    with pytest.raises(SourceError) as caught, open_sources([str(good), str(missing)]):
        raise AssertionError("nothing may be read")
    assert str(caught.value) == f"{missing} cannot be read: No such file or directory."


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("directory.json", "Is a directory"),
        ("x" * 300 + ".json", "File name too long"),
        ("file.json/x.json", "Not a directory"),
        ("a\0b.json", "embedded null byte"),
    ],
)
def test_what_cannot_be_opened_is_named_with_the_reason(tmp_path: Path, name: str, reason: str) -> None:
    (tmp_path / "directory.json").mkdir()
    (tmp_path / "file.json").touch()
    path = str(tmp_path / name)
    with pytest.raises(SourceError) as caught, open_sources([path]):
        raise AssertionError("nothing may be read")
    assert str(caught.value) == f"{path} cannot be read: {reason}."


def test_a_file_whose_suffix_means_nothing_is_refused_before_it_is_opened(tmp_path: Path) -> None:
    with pytest.raises(UnknownFormatError, match="means no format"), open_sources([str(tmp_path / "missing.txt")]):
        raise AssertionError("nothing may be read")


@pytest.mark.parametrize(
    ("content", "is_archive"),
    [
        (b'{"record":"header","format":"openg2g-archive/1"}\n', True),
        (b'{"record": "header"}\n', False),
        (b'{"format":"openg2g-workload/1","models":[]}\n', False),
        (b"", False),
    ],
)
def test_an_archive_is_told_from_documents_by_its_first_bytes(tmp_path: Path, content: bytes, is_archive: bool) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes(content)
    with open_sources([str(path)]) as sources:
        assert sources[0].is_archive is is_archive
        assert sources[0].stream.read() == content


def test_files_are_closed_afterwards(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text(written([FLEET]))
    with open_sources([str(path)]) as sources:
        assert not sources[0].stream.closed
    assert sources[0].stream.closed
