"""The list of formats."""

import io
import itertools
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from openg2g.formats.document import Document
from openg2g.formats.registry import FORMAT_NAMES, FORMATS, format_name_of, get_format
from openg2g.models.errors import CatalogError, UnknownFormatError
from tests.builders import make_workload
from tests.formats.configs import OFFLINE_0_2
from tests.formats.views import document_of, written_bytes


@pytest.mark.parametrize("name", FORMAT_NAMES)
def test_every_format_reads_what_it_writes(name: str) -> None:
    document = document_of(OFFLINE_0_2)  # The other examples hold null, which TOML has not.
    assert document_of(written_bytes([document], name), name).workload == document.workload


@pytest.mark.parametrize("name", [entry.name for entry in FORMATS if not entry.is_binary and entry.suffixes])
def test_documents_are_written_as_they_arrive(name: str) -> None:
    stream = io.StringIO()
    written_before: list[int] = []

    def arriving() -> Iterator[Document]:
        for index in range(10):
            written_before.append(stream.tell())
            yield Document(make_workload(), name=f"n{index}")

    get_format(name).write(arriving(), stream)
    # Whether there is a second one decides how a file begins; from then on, nothing waits for what comes after it.
    assert all(before < after for before, after in itertools.pairwise(written_before[2:]))


def test_names_and_suffixes_mean_one_format_each() -> None:
    suffixes = [suffix for entry in FORMATS for suffix in entry.suffixes]
    assert len(set(FORMAT_NAMES)) == len(FORMAT_NAMES) == len(FORMATS)
    assert len(set(suffixes)) == len(suffixes)
    assert all(suffix.startswith(".") and suffix == suffix.lower() for suffix in suffixes)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("fleet.json", "json"),
        ("sweep.jsonl", "jsonl"),
        ("sweep.ndjson", "jsonl"),
        ("FLEET.JSON", "json"),
        ("fleet.yaml", "yaml"),
        ("fleet.YML", "yaml"),
        ("fleet.toml", "toml"),
        ("fleet.csv", "csv"),
        ("fleet.TSV", "tsv"),
        ("fleet.parquet", "parquet"),
        ("a.jsonl/b.json", "json"),
        ("a.b.c.jsonl", "jsonl"),
        (Path("sub") / "fleet.json", "json"),
    ],
)
def test_a_suffix_tells_the_format(path: str | Path, name: str) -> None:
    assert format_name_of(path) == name


@pytest.mark.parametrize(
    ("path", "suffix"),
    [("fleet", ""), ("fleet.txt", ".txt"), ("a.json/fleet", ""), ("fleet.json.gz", ".gz"), (".json", "")],
)
def test_a_suffix_that_means_nothing_is_refused_with_what_to_do(path: str, suffix: str) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        format_name_of(path)
    assert str(caught.value).startswith(f"{path}: the suffix {suffix!r} means no format (known: .json, .jsonl, .ndjson")
    assert str(caught.value).endswith(").")
    assert caught.value.setting == "format_name"


@pytest.mark.parametrize("name", ["", "JSON", "pickle", "openg2g"])
def test_an_unknown_format_is_refused_with_those_that_are_known(name: str) -> None:
    with pytest.raises(UnknownFormatError) as caught:
        get_format(name)
    assert str(caught.value) == f"unknown format {name!r}. Known: {', '.join(FORMAT_NAMES)}."
    assert isinstance(caught.value, CatalogError)
    assert isinstance(caught.value, ValueError)


def test_a_format_is_loaded_when_it_is_first_used_and_none_loads_a_database() -> None:
    program = """
import sys
from openg2g.formats import registry
homes = {entry.home.partition(":")[0] for entry in registry.FORMATS}
assert not homes & sys.modules.keys(), homes & sys.modules.keys()
for name in registry.FORMAT_NAMES:
    registry.get_format(name)
assert homes <= sys.modules.keys()
assert not {"sqlalchemy", "alembic", "openg2g.catalog"} & sys.modules.keys()
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
