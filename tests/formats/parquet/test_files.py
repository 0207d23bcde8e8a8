"""Parquet: typed rows for every engine, nothing trusted, and files that are damaged or made to harm are refused."""

import io
import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pandas
import polars
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats import limits
from openg2g.formats.document import Document, RevisionData
from openg2g.formats.files import open_sources, write_documents
from openg2g.formats.parquet import files, reader
from openg2g.formats.parquet.columns import ALL_COLUMNS
from openg2g.formats.registry import get_format
from openg2g.models.digest import workload_digest
from openg2g.models.errors import InvalidDocumentError, SourceError
from tests.builders import make_workload, published_fleet
from tests.formats.mutations import fuzz_inputs
from tests.formats.test_files import no_file_above
from tests.formats.views import content_of, document_of, documents_of, message_of, outcomes_of, written_bytes
from tests.strategies import HOSTILE_TEXTS, documents, examples

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
FLEET = Document(published_fleet(), name="fleet", annotations={"a": [1, None]}, revision=RevisionData(number=2))


def in_force(month: int, workload: Any) -> Document:
    return Document(
        workload, name=f"m{month}", revision=RevisionData(effective_from=datetime(2026, month, 1, tzinfo=UTC))
    )


def columns(**overrides: Any) -> dict[str, Any]:
    """Two rows of one valid workload, as another program would write them; None leaves a column out."""
    values: dict[str, Any] = {
        "name": ["fleet", "fleet"],
        "model_label": ["a", "b"],
        "num_replicas": [2, 3],
        "gpus_per_replica": [4, 4],
        "initial_batch_size": [8, 8],
        "itl_deadline_s": [0.1, 0.2],
        "feasible_batch_sizes": [[8, 16], [8]],
    } | overrides
    return {column: value for column, value in values.items() if value is not None}


def parquet(table: dict[str, Any] | pyarrow.Table, **options: Any) -> bytes:
    """Write a table as pyarrow does without our help."""
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pyarrow.table(table) if isinstance(table, dict) else table, stream, **options)
    return stream.getvalue()


def messages_of(content: bytes) -> list[str]:
    """What a user reads about a file, a line for each problem."""
    errors = [o for o in outcomes_of(content, "parquet") if isinstance(o, InvalidDocumentError)]
    return [str(problem) for error in errors for problem in error.problems]


# Everything comes back.


@given(st.lists(documents(), max_size=4))
@examples(25)
def test_documents_come_back_in_order_and_are_written_as_the_same_bytes_again(
    given_documents: list[Document],
) -> None:
    data = written_bytes(given_documents, "parquet")
    found = documents_of(data, "parquet")
    assert list(map(content_of, found)) == list(map(content_of, given_documents))
    assert written_bytes(found, "parquet") == data


@pytest.mark.parametrize("label", [*HOSTILE_TEXTS, "'x", "'=x", "a\u00a0"])
def test_a_label_comes_back_whatever_it_looks_like(label: str) -> None:
    document = Document(make_workload(1, model_label=label), name="fleet")
    assert document_of(written_bytes([document], "parquet"), "parquet").workload == document.workload


def test_the_same_workload_has_the_same_digest_in_each_format() -> None:
    digests = {
        workload_digest(document_of(written_bytes([FLEET], format_name), format_name).workload)
        for format_name in ("json", "jsonl", "csv", "tsv", "parquet")
    }
    assert digests == {workload_digest(FLEET.workload)}


def test_many_workloads_come_back_over_many_batches_and_row_groups(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_ROWS_PER_BATCH", 7)
    monkeypatch.setattr(files, "_ROWS_PER_GROUP", 20)
    monkeypatch.setattr(reader, "_ROWS_PER_BATCH", 3)
    given_documents = [Document(make_workload(1 + index % 4), name=f"n{index}") for index in range(50)]
    data = written_bytes(given_documents, "parquet")
    assert pyarrow.parquet.ParquetFile(io.BytesIO(data)).num_row_groups == 6
    found = documents_of(data, "parquet")
    assert list(map(content_of, found)) == list(map(content_of, given_documents))
    assert [document.where for document in found[:4]] == ["f:1", "f:2", "f:4", "f:7"]


def test_large_batches_and_row_groups_are_split_by_size(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_CHARACTERS_PER_BATCH", 1_000)
    monkeypatch.setattr(files, "_BYTES_PER_GROUP", 3_000)
    given_documents = [Document(make_workload(1), annotations={"note": "x" * 900}) for _ in range(10)]
    data = written_bytes(given_documents, "parquet")
    assert pyarrow.parquet.ParquetFile(io.BytesIO(data)).num_row_groups > 2
    assert len(documents_of(data, "parquet")) == 10


def test_documents_are_written_as_they_arrive(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_ROWS_PER_BATCH", 2)
    monkeypatch.setattr(files, "_ROWS_PER_GROUP", 2)
    stream = io.BytesIO()
    written_before = []

    def arriving() -> Iterator[Document]:
        for _ in range(10):
            written_before.append(stream.tell())
            yield FLEET

    files.PARQUET.write(arriving(), stream)
    assert written_before[-1] > written_before[4] > 0


# What other programs read.


def test_the_columns_have_types_and_the_metadata_say_the_version() -> None:
    file = pyarrow.parquet.ParquetFile(io.BytesIO(written_bytes([FLEET], "parquet")))
    types = {field.name: (str(field.type), field.nullable) for field in file.schema_arrow}
    assert tuple(types) == ALL_COLUMNS
    assert types["num_replicas"] == ("int64", False)
    assert types["itl_deadline_s"] == ("double", False)
    assert types["feasible_batch_sizes"] == ("list<element: int64 not null>", False)
    assert types["effective_from"] == ("timestamp[us, tz=UTC]", True)
    assert types["annotations"] == ("string", True)
    assert file.metadata.metadata[b"openg2g.format"] == b"openg2g-rows/1"
    assert file.metadata.metadata[b"openg2g.package"].startswith(b"openg2g-catalog")


def test_duckdb_sums_gpus_by_month(tmp_path: Path) -> None:
    path = tmp_path / "fleets.parquet"
    fleets = [in_force(1, published_fleet()), in_force(3, make_workload(2)), in_force(3, make_workload(1))]
    write_documents([*fleets[:2], in_force(3, fleets[2].workload)], str(path), None, replace=False)
    found = duckdb.sql(
        f"""SELECT month(effective_from AT TIME ZONE 'UTC') AS month, SUM(num_replicas * gpus_per_replica) AS gpus
        FROM '{path}' GROUP BY month ORDER BY month"""
    ).fetchall()
    three = sum(document.workload.total_gpus for document in fleets[1:])
    assert found == [(1, published_fleet().total_gpus), (3, three)]
    lists = duckdb.sql(
        f"SELECT DISTINCT feasible_batch_sizes FROM '{path}' WHERE list_contains(feasible_batch_sizes, 256)"
    )
    assert lists.fetchall() == [([8, 16, 32, 64, 128, 256, 512],)]


def test_pandas_and_polars_read_the_same(tmp_path: Path) -> None:
    path = tmp_path / "fleets.parquet"
    write_documents([FLEET, in_force(3, make_workload(2))], str(path), None, replace=False)
    frame = pandas.read_parquet(path)
    assert (frame["num_replicas"] * frame["gpus_per_replica"]).groupby(frame["name"]).sum().to_dict() == {
        "fleet": published_fleet().total_gpus,
        "m3": make_workload(2).total_gpus,
    }
    assert str(frame["effective_from"].dtype) == "datetime64[us, UTC]"
    other = polars.read_parquet(path)
    assert other["model_label"].to_list() == list(frame["model_label"])
    assert other["feasible_batch_sizes"].to_list()[0] == [8, 16, 32, 64, 128, 256, 512]
    assert other.schema["effective_from"] == polars.Datetime("us", "UTC")


def test_what_pandas_polars_and_duckdb_write_is_read(tmp_path: Path) -> None:
    path, copy = tmp_path / "a.parquet", tmp_path / "b.parquet"
    write_documents([FLEET, in_force(3, make_workload(2))], str(path), None, replace=False)
    expected = list(map(content_of, documents_of(path.read_bytes(), "parquet")))
    pandas.read_parquet(path).to_parquet(copy, index=False)
    assert list(map(content_of, documents_of(copy.read_bytes(), "parquet"))) == expected
    polars.read_parquet(path).write_parquet(copy)
    assert list(map(content_of, documents_of(copy.read_bytes(), "parquet"))) == expected
    duckdb.sql(f"COPY (SELECT * FROM '{path}') TO '{copy}' (FORMAT parquet)")
    assert list(map(content_of, documents_of(copy.read_bytes(), "parquet"))) == expected


# Files from elsewhere.

SAME_LABEL = "f:2: model_label must be another in each row of a workload, got 'a', as in row 1."
NO_NAME = "f:1: name must not contain white space, control characters or any of @ : * ? [, got 'x y'."


def test_a_file_without_places_is_told_apart_by_names() -> None:
    table = columns(name=["a", "b"], number=[1.0, None], color=None)
    assert [(d.name, d.where) for d in documents_of(parquet(table), "parquet")] == [("a", "f:1"), ("b", "f:2")]
    assert len(document_of(parquet(columns(name=None)), "parquet").workload.models) == 2


@pytest.mark.parametrize(
    "type_",
    [pyarrow.large_string(), pyarrow.string_view(), pyarrow.dictionary(pyarrow.int8(), pyarrow.string())],
    ids=str,
)
def test_texts_may_have_any_type_of_text(type_: Any) -> None:
    label = pyarrow.array(["a", "ü"]).cast(type_)
    assert document_of(parquet(columns(model_label=label)), "parquet").workload.model_labels == ["a", "ü"]


@pytest.mark.parametrize("type_", [pyarrow.int8(), pyarrow.int32(), pyarrow.uint64()], ids=str)
@pytest.mark.parametrize("list_of", [pyarrow.list_, pyarrow.large_list, lambda type_: pyarrow.list_(type_, 2)])
def test_whole_numbers_may_have_any_size(type_: Any, list_of: Any) -> None:
    sizes = pyarrow.array([[8, 16], [1, 2]], list_of(type_))
    table = columns(num_replicas=pyarrow.array([2, 3], type_), feasible_batch_sizes=sizes)
    assert [s.feasible_batch_sizes for s in document_of(parquet(table), "parquet").workload.models] == [(8, 16), (1, 2)]


def test_deadlines_may_be_whole_or_decimal_numbers() -> None:
    assert document_of(parquet(columns(itl_deadline_s=[1, 2])), "parquet").workload.models[1].itl_deadline_s == 2.0
    decimals = [Decimal("0.1"), Decimal("0.25")]
    assert document_of(parquet(columns(itl_deadline_s=decimals)), "parquet").workload.models[0].itl_deadline_s == 0.1


@pytest.mark.parametrize("unit", ["s", "ms", "us", "ns"])
def test_times_may_have_any_unit_and_zone(unit: str) -> None:
    times = pyarrow.array([NOON, None], pyarrow.timestamp(unit, "Europe/Berlin"))
    assert document_of(parquet(columns(effective_from=times)), "parquet").revision.effective_from == NOON


def times_in_96_bits(metadata: dict[str, str]) -> bytes:
    """A file as Spark writes one: times in 96 bits without a zone, and nothing that may not be null."""
    times = pyarrow.array([datetime(1500, 1, 1), None], pyarrow.timestamp("us"))
    table = pyarrow.table(columns(effective_from=times))
    stream = io.BytesIO()
    options = {"use_deprecated_int96_timestamps": True, "store_schema": False}
    with pyarrow.parquet.ParquetWriter(stream, table.schema, **options) as writer:
        writer.add_key_value_metadata(metadata)
        writer.write_table(table)
    return stream.getvalue()


def test_times_of_spark_are_instants() -> None:
    document = document_of(times_in_96_bits({"org.apache.spark.version": "4.3.0"}), "parquet")
    assert document.revision.effective_from == datetime(1500, 1, 1, tzinfo=UTC)


def test_times_in_96_bits_of_others_name_no_zone_and_are_refused() -> None:
    expected = ["f: effective_from must be a column of timestamps with a time zone, got timestamp[us]."]
    assert messages_of(times_in_96_bits({"writer": "Impala"})) == expected


def test_other_times_of_spark_without_a_zone_are_refused() -> None:
    table = pyarrow.table(columns(effective_from=[datetime(2026, 3, 1), None]))
    expected = ["f: effective_from must be a column of timestamps with a time zone, got timestamp[us]."]
    assert messages_of(parquet(table.replace_schema_metadata({"org.apache.spark.version": "4.3.0"}))) == expected


@pytest.mark.parametrize(
    ("overrides", "messages"),
    [
        ({"num_replicas": [1.5, 2.0]}, ["f:1: num_replicas must be an integer, got 1.5."]),
        ({"num_replicas": [float("nan"), 2.0]}, ["f:1: num_replicas must be an integer, got nan."]),
        ({"number": [2.0**53, None]}, ["f:1: number must be an integer >= 1, got 9007199254740992.0."]),
        ({"workload_index": [0, 1.5], "position": [0, 1]}, ["f:2: workload_index must be >= 0, got 1.5."]),
        ({"num_replicas": ["1", "2"]}, ["f: num_replicas must be a column of whole numbers, got string."]),
        ({"num_replicas": [True, False]}, ["f: num_replicas must be a column of whole numbers, got bool."]),
        (
            {"itl_deadline_s": pyarrow.array([0.1, 0.2], pyarrow.float32())},
            ["f: itl_deadline_s must be a column of doubles, got float."],
        ),
        ({"model_label": [1, 2]}, ["f: model_label must be a column of strings, got int64."]),
        ({"model_label": [b"a", b"b"]}, ["f: model_label must be a column of strings, got binary."]),
        (
            {"feasible_batch_sizes": ["8 16", "8"]},
            ["f: feasible_batch_sizes must be a column of lists of integers, got string."],
        ),
        (
            {"feasible_batch_sizes": [[8.5], [1.0]]},
            ["f: feasible_batch_sizes must be a column of lists of integers, got list<element: double>."],
        ),
        (
            {"effective_from": [datetime(2026, 3, 1), None]},
            ["f: effective_from must be a column of timestamps with a time zone, got timestamp[us]."],
        ),
        ({"annotations": [{"a": 1}] * 2}, ["f: annotations must be a column of strings, got struct<a: int64>."]),
        (
            {"num_replicas": None, "num_replica": [1, 2]},
            ["f: num_replica is not a known field: did you mean num_replicas?", "f: num_replicas is missing."],
        ),
        ({"feasible_batch_sizes": None}, ["f: feasible_batch_sizes is missing."]),
        ({"position": [0, 1]}, ["f: workload_index is missing."]),
        (
            {"feasible_batch_sizes": [None, None]},
            ["f: feasible_batch_sizes must be a column of lists of integers, got null."],
        ),
        ({"feasible_batch_sizes": [[8], None]}, ["f:2: feasible_batch_sizes must be a list of integers, got None."]),
        ({"feasible_batch_sizes": [[8], [8, None]]}, ["f:2: feasible_batch_sizes[1] must be an integer, got None."]),
        ({"feasible_batch_sizes": [[], [8]]}, ["f:1: feasible_batch_sizes must not be empty."]),
        (
            {"num_replicas": [None, -1]},
            ["f:1: num_replicas must be an integer, got None.", "f:2: num_replicas must be >= 0, got -1."],
        ),
        (
            {"itl_deadline_s": [float("nan"), float("inf")]},
            ["f:1: itl_deadline_s must be finite, got nan.", "f:2: itl_deadline_s must be finite, got inf."],
        ),
        ({"model_label": ["a", None]}, ["f:2: model_label must be a string, got None."]),
        ({"model_label": ["a", "a"]}, [SAME_LABEL]),
        ({"name": ["x y", "x y"]}, [NO_NAME]),
        ({"number": [0, None]}, ["f:1: number must be an integer >= 1, got 0."]),
        ({"annotations": ["[]", None]}, ["f:1: annotations must be an object, got []."]),
        ({"author": ["A", "B"]}, ["f:2: author must be the same in all rows of a workload, got 'B'; row 1 has 'A'."]),
        ({"author": ["A\0", None]}, ["f:1: author must be valid Unicode without NUL, got 'A\\x00'."]),
        (
            {"recorded_at": pyarrow.array([10**18, None], pyarrow.timestamp("us", "UTC"))},
            ["f:1: recorded_at must be a time with its offset (2026-03-01T12:00:00Z), got '1000000000000000000'."],
        ),
        (
            {"recorded_at": pyarrow.array([1, None], pyarrow.timestamp("ns", "UTC"))},
            ["f:1: recorded_at must be a time with its offset (2026-03-01T12:00:00Z), got '1'."],
        ),
        (
            {"workload_index": [0, 0], "position": [0, 2]},
            ["f:2: position must be 1, got 2: rows of the workload are missing or moved."],
        ),
        ({"workload_index": [5, 3], "position": [0, 0]}, ["f:2: workload_index must be >= 5, got 3."]),
        ({"workload_index": [-1, 0], "position": [0, 0]}, ["f:1: workload_index must be >= 0, got -1."]),
        (
            {"workload_index": [0, None], "position": [0, 1]},
            ["f:2: workload_index must be >= 0, got null."],
        ),
        (
            {"workload_index": [0, 1], "position": [0, 1]},
            ["f:2: position must be 0, got 1: rows of the workload are missing or moved."],
        ),
    ],
)
def test_what_could_only_be_read_by_changing_it_is_refused_with_its_place(
    overrides: dict[str, Any], messages: list[str]
) -> None:
    assert messages_of(parquet(columns(**overrides))) == messages


def test_good_workloads_are_read_beside_bad_ones() -> None:
    table = columns(workload_index=[4, 7], position=[0, 0], num_replicas=[-1, 1], name=[None, "good"])
    bad, good = outcomes_of(parquet(table), "parquet")
    assert isinstance(bad, InvalidDocumentError) and isinstance(good, Document)
    assert (good.name, good.where) == ("good", "f:2")


def test_a_newer_version_of_the_columns_is_refused() -> None:
    table = pyarrow.table(columns()).replace_schema_metadata({"openg2g.format": "openg2g-rows/2"})
    assert messages_of(parquet(table)) == [
        "f: has the format 'openg2g-rows/2', not 'openg2g-rows/1'. A newer release may read it."
    ]


def of_one_workload(messages: list[str]) -> dict[str, Any]:
    """Make columns of one workload with a message in each row."""
    rows = len(messages)
    same = {c: v[:1] * rows for c, v in columns().items()}
    return {**same, "model_label": [f"m{row}" for row in range(rows)], "message": messages}


def test_a_small_file_whose_rows_contradict_each_other_at_length_does_not_fill_the_memory() -> None:
    content = parquet(of_one_workload(["x" * 2**20 + str(row) for row in range(130)]), compression="zstd")
    assert len(content) < 2**16
    assert messages_of(content)[-1].endswith("brings the texts of one workload to more than 134217728 characters.")


def test_a_long_text_that_repeats_from_row_to_row_counts_once() -> None:
    content = parquet(of_one_workload(["x" * 2**20] * 200), compression="zstd", row_group_size=10)
    assert document_of(content, "parquet").revision.message == "x" * 2**20


def test_rows_of_many_row_groups_are_read_in_batches_of_bounded_size() -> None:
    messages = ["x" * 2**20 + str(row) for row in range(100)]
    table = {**of_one_workload(messages), "name": [f"fleet-{row}" for row in range(100)]}
    content = parquet(table, compression="zstd", row_group_size=10)
    _, rows_per_batch = reader._opened(pyarrow, pyarrow.parquet, io.BytesIO(content), "f")
    assert rows_per_batch == 15
    assert len(outcomes_of(content, "parquet")) == 100


def test_columns_that_repeat_and_too_many_columns_are_refused() -> None:
    doubled = pyarrow.table([pyarrow.array(["a"])] * 2, names=["name", "name"])
    assert "f: name stands more than once." in messages_of(parquet(doubled))
    many = pyarrow.table({f"c{index}": [1] for index in range(200)})
    assert messages_of(parquet(many)) == ["f: has 200 columns; at most 100 are read."]


@pytest.mark.parametrize("encoding", ["DELTA_BYTE_ARRAY", "DELTA_LENGTH_BYTE_ARRAY"])
def test_texts_that_arrow_cannot_keep_in_dictionaries_are_refused_with_advice(encoding: str) -> None:
    encodings = dict.fromkeys(("name", "model_label"), encoding)
    assert messages_of(parquet(columns(), use_dictionary=False, column_encoding=encodings)) == [
        "f:1: has texts in an encoding of version 2 of Parquet, which is not read. "
        "Write version 1, as nearly every program does unless told otherwise."
    ]


def test_texts_outside_dictionaries_are_read() -> None:
    plain = document_of(parquet(columns(), use_dictionary=False), "parquet")
    assert content_of(plain) == content_of(document_of(parquet(columns()), "parquet"))


@pytest.mark.parametrize("content", [b"", b"PAR1", b"PAR1PAR1", b"name,model_label\n", b"\0" * 1_000])
def test_what_is_no_parquet_is_refused(content: bytes) -> None:
    (message,) = messages_of(content)
    assert message.startswith("f: cannot be read as Parquet: ")
    assert "\n" not in message


# Damage and malice.


def test_a_page_that_is_damaged_is_noticed() -> None:
    label = "a label that stands in the file as it is"
    data = written_bytes([Document(make_workload(1, model_label=label), name="fleet")], "parquet")
    damaged = data.replace(label.encode(), label.replace("label", "babel").encode(), 1)
    assert damaged != data
    assert messages_of(damaged) == ["f:1: is damaged: a checksum does not fit. Fetch or write the file again."]


def test_a_file_that_is_cut_off_is_refused() -> None:
    data = written_bytes([FLEET] * 20, "parquet")
    for length in range(0, len(data), 97):
        assert all(isinstance(outcome, InvalidDocumentError) for outcome in outcomes_of(data[:length], "parquet"))


def test_limits_hold_before_anything_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    data = written_bytes([FLEET], "parquet")
    with monkeypatch.context() as patch:
        patch.setattr(reader, "MAX_ROWS", 4)
        assert messages_of(data) == ["f: has 5 rows; at most 4 are read."]
    with monkeypatch.context() as patch:
        patch.setattr(reader, "MAX_CHUNK_VALUES", 34)
        (message,) = messages_of(data)
        assert message.startswith("f: feasible_batch_sizes is too large in row group 0: 35 values, ")
    with monkeypatch.context() as patch:
        patch.setattr(reader, "MAX_CHUNK_BYTES", 10)
        assert messages_of(data)[0].startswith("f: workload_index is too large in row group 0: 5 values, ")
    message = "f:1: feasible_batch_sizes has 7 batch sizes; at most 6 are read."
    with monkeypatch.context() as patch:
        patch.setattr(limits, "MAX_BATCH_SIZES", 6)
        assert message_of(data, "parquet").splitlines()[0] == message
    with monkeypatch.context() as patch:
        patch.setattr(reader, "MAX_CELL_CHARACTERS", 4)
        assert "f:1: name has 5 characters; at most 4 are read." in messages_of(data)
    message = "f:5: is row 5 of one workload: no more are read."
    monkeypatch.setattr(limits, "MAX_MODELS", 4)
    assert message_of(data, "parquet") == message


def test_what_could_not_be_read_again_is_not_written(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(InvalidDocumentError, match=r"^a workload: number must be <= 9223372036854775807\.$"):
        written_bytes([Document(make_workload(), revision=RevisionData(number=2**63))], "parquet")
    monkeypatch.setattr(files, "MAX_CELL_CHARACTERS", 100)
    with pytest.raises(InvalidDocumentError, match=r"^fleet@2: message must have at most 100 characters\.$"):
        written_bytes([Document(make_workload(), "fleet@2", revision=RevisionData(message="x" * 101))], "parquet")


def run_limited(program: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run a program that may not take more than 3 GB of addresses, so that it fails where it would fill the memory."""
    prelude = "import resource; resource.setrlimit(resource.RLIMIT_AS, (3 * 2**30, 3 * 2**30))\n"
    environment = os.environ | {"PYTHONPATH": str(Path(__file__).parents[3]), "PYTHONFAULTHANDLER": "1"}
    command = [sys.executable, "-c", prelude + program, *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)


_READ_AND_MEASURE = """
import sys
import pyarrow
from openg2g.formats.registry import get_format
with open(sys.argv[1], "rb") as stream:
    outcomes = sum(1 for _ in get_format("parquet").read(stream, "f"))
print(outcomes, pyarrow.default_memory_pool().max_memory() // 2**20)
"""


def test_a_text_that_stands_many_times_does_not_fill_the_memory(tmp_path: Path) -> None:
    path = tmp_path / "bomb.parquet"
    count = 20_000
    text = pyarrow.DictionaryArray.from_arrays([0] * count, ["x" * 500_000])
    table = pyarrow.table(
        {
            "workload_index": list(range(count)),
            "position": [0] * count,
            "model_label": ["a"] * count,
            "num_replicas": [1] * count,
            "gpus_per_replica": [1] * count,
            "initial_batch_size": [1] * count,
            "itl_deadline_s": [0.1] * count,
            "feasible_batch_sizes": [[1]] * count,
            "message": text,  # 10 GB, if each were a text of its own.
        }
    )
    path.write_bytes(parquet(table, store_schema=False))
    assert path.stat().st_size < 2_000_000
    done = run_limited(_READ_AND_MEASURE, str(path))
    assert done.returncode == 0, done.stderr
    outcomes, megabytes = map(int, done.stdout.split())
    assert outcomes == count
    assert megabytes < 200


_FUZZ = """
import sys, time
from openg2g.formats.document import Document
from openg2g.models.errors import InvalidDocumentError
from tests.formats.mutations import mutated
from tests.formats.parquet.test_files import SEEDS, TOKENS
from tests.formats.views import content_of, document_of, outcomes_of, written_bytes

for number, content in enumerate(mutated(SEEDS(), TOKENS, int(sys.argv[1]))):
    print(number, file=sys.stderr, flush=True)
    began = time.process_time()
    for outcome in outcomes_of(content, "parquet"):
        if isinstance(outcome, Document):
            again = document_of(written_bytes([outcome], "parquet"), "parquet")
            assert content_of(again)[:3] == content_of(outcome)[:3]
        else:
            assert isinstance(outcome, InvalidDocumentError) and outcome.problems
            assert all(problem.message and problem.where.startswith("f") for problem in outcome.problems)
    assert time.process_time() - began < 10
"""

TOKENS = (
    b"\0",
    b"\xff",
    b"\x7f",
    b"\x80",
    b"PAR1",
    b"\xff\xff\xff\xff\x07",
    b"\xff" * 9 + b"\x7f",
    b"\x15\x00",
    b"\x19",
)


def SEEDS() -> tuple[bytes, ...]:  # noqa: N802  Made when it is used, as a constant would be.
    """Files of several writers, with and without compression and checksums."""
    data = written_bytes([FLEET, in_force(3, make_workload(2))], "parquet")
    table = pyarrow.parquet.read_table(io.BytesIO(data))
    return (
        data,
        data,
        parquet(columns(), compression="none"),
        parquet(table, compression="zstd", data_page_version="2.0"),
        parquet(table, compression="none", use_dictionary=False),
        parquet(table, compression="gzip", data_page_size=1, row_group_size=2),
    )


def test_a_damaged_file_is_read_or_refused_and_the_interpreter_survives() -> None:
    count = fuzz_inputs(30)
    done = run_limited(_FUZZ, str(count))
    assert done.returncode == 0, done.stderr[-3_000:]
    assert done.stderr.split() == [str(number) for number in range(count)]


# Files, streams, and no library.


def test_a_file_is_written_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "fleet.parquet"

    def failing() -> Iterator[Document]:
        yield FLEET
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        write_documents(failing(), str(path), None, replace=True)
    assert os.listdir(tmp_path) == []
    with no_file_above(500), pytest.raises(SourceError) as caught:
        write_documents([FLEET], str(path), None, replace=True)
    assert str(caught.value) == f"{path} cannot be written: File too large."
    assert os.listdir(tmp_path) == []
    write_documents([FLEET], str(path), None, replace=False)
    with open_sources([str(path)]) as sources:
        assert [content_of(outcome) for outcome in sources[0].read()] == [content_of(FLEET)]  # type: ignore[arg-type]


def test_a_failure_leaves_no_stream_that_passes_for_a_whole_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(files, "_ROWS_PER_BATCH", 1)
    monkeypatch.setattr(files, "_ROWS_PER_GROUP", 1)
    stream = io.BytesIO()

    def failing() -> Iterator[Document]:
        yield FLEET
        raise RuntimeError("in the middle")

    with pytest.raises(RuntimeError, match="in the middle"):
        files.PARQUET.write(failing(), stream)
    assert stream.getvalue().startswith(b"PAR1")
    assert not stream.getvalue().endswith(b"PAR1")


def test_standard_output_takes_the_same_bytes_as_a_file(capsysbinary: pytest.CaptureFixture[bytes]) -> None:
    write_documents([FLEET], "-", "parquet", replace=False)
    assert capsysbinary.readouterr().out == written_bytes([FLEET], "parquet")


def test_a_terminal_is_not_sent_bytes_that_are_no_text(
    capsysbinary: pytest.CaptureFixture[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    with pytest.raises(SourceError) as caught:
        write_documents([FLEET], "-", "parquet", replace=False)
    assert str(caught.value) == ("standard output is a terminal, and this format is not text. Name a file.")
    assert capsysbinary.readouterr().out == b""


def test_a_pipe_and_a_stream_that_only_reads_are_read() -> None:
    reading, writing = os.pipe()
    os.write(writing, written_bytes([FLEET], "parquet"))
    os.close(writing)
    with open_sources([f"/dev/fd/{reading}"], "parquet") as sources:
        os.close(reading)
        assert len(list(sources[0].read())) == 1

    class OnlyReads:
        read = io.BytesIO(written_bytes([FLEET], "parquet")).read

    (outcome,) = get_format("parquet").read(OnlyReads(), "f")  # type: ignore[arg-type]
    assert isinstance(outcome, Document)


def test_an_error_of_the_operating_system_is_not_taken_for_one_of_the_content() -> None:
    class Failing(io.BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        list(get_format("parquet").read(Failing(b"PAR1" * 100), "f"))


def test_without_pyarrow_every_other_format_works_and_parquet_says_what_to_install() -> None:
    program = """
import io, sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == "pyarrow":
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)
sys.meta_path.insert(0, Blocked())
from openg2g.formats.registry import get_format
from openg2g.models.errors import MissingLibraryError
assert list(get_format("jsonl").read(io.BytesIO(b""), "f")) == []
for use in (lambda f: list(f.read(io.BytesIO(b""), "f")), lambda f: f.write([], io.BytesIO())):
    try:
        use(get_format("parquet"))
    except MissingLibraryError as error:
        print(error)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == 2 * (
        "reading and writing Parquet takes pyarrow, which is not installed. "
        "Run `pip install 'openg2g-catalog[parquet]'`.\n"
    )
