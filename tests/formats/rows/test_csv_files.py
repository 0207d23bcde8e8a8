"""CSV and TSV: everything comes back, spreadsheets run nothing, and what is wrong is named with its line."""

import csv
import io
import itertools
import time
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.formats import limits
from openg2g.formats.document import Document, RevisionData
from openg2g.formats.registry import get_format
from openg2g.formats.rows import csv_records, row_names
from openg2g.formats.rows.model_rows import COLUMNS
from openg2g.models.digest import workload_digest
from openg2g.models.errors import InvalidDocumentError
from tests.builders import make_spec, make_workload, published_fleet
from tests.formats.mutations import fuzz_inputs, mutated
from tests.formats.views import content_of, document_of, documents_of, message_of, outcomes_of, written
from tests.strategies import HOSTILE_TEXTS, documents, examples, storable_texts

HEADER = "name,model_label,num_replicas,gpus_per_replica,initial_batch_size,itl_deadline_s,feasible_batch_sizes"
ROW = "fleet,a,2,4,8,0.1,8 16"
DIGITS_ALONE = "Write a whole number with the digits 0 to 9 alone: 1000"
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HOSTILE_LABELS = (
    *HOSTILE_TEXTS,
    "=1+1",
    "'x",
    "'=x",
    "''",
    "'",
    "+1",
    "-1",
    "＝1",
    '"quoted"',
    '"',
    "a\u00a0",
    ";",
    " ",
)


def sheet(*rows: str, header: str = HEADER) -> str:
    """Lines of a file."""
    return "\n".join([header, *rows, ""])


def with_cells(**cells: str) -> str:
    """A file of one row in which some cells are others; columns that are not in `HEADER` are added."""
    values = dict(zip(HEADER.split(","), ROW.split(","), strict=True)) | cells
    stream = io.StringIO()
    csv.writer(stream, lineterminator="\n").writerows([values.keys(), values.values()])
    return stream.getvalue()


def messages_of(content: str | bytes, format_name: str = "csv") -> list[str]:
    """What a user reads about a file, a line for each problem."""
    errors = [o for o in outcomes_of(content, format_name) if isinstance(o, InvalidDocumentError)]
    return [str(problem) for error in errors for problem in error.problems]


def label_of(content: str) -> str:
    return document_of(content, "csv").workload.models[0].model_label


# What is written.


def test_workloads_are_written_in_this_very_text() -> None:
    document = Document(
        make_workload(2, feasible_batch_sizes=(16, 8), itl_deadline_s=1e-7),
        name="fleet",
        annotations={"note": "a, b"},
        revision=RevisionData(
            number=3, recorded_at=NOON, effective_from=NOON, author="Ada", message='two\n"lines"', source="=x"
        ),
    )
    assert written([document], "csv") == (
        "name,model_label,num_replicas,gpus_per_replica,initial_batch_size,itl_deadline_s,feasible_batch_sizes,"
        "effective_from,author,message,source,number,digest,recorded_at,annotations\n"
        'fleet,model-0,100,4,128,1e-07,16 8,2026-03-01T12:00:00Z,Ada,"two\n""lines""",\'=x,3,,2026-03-01T12:00:00Z,'
        '"{""note"":""a, b""}"\n'
        'fleet,model-1,101,4,128,1e-07,16 8,2026-03-01T12:00:00Z,Ada,"two\n""lines""",\'=x,3,,2026-03-01T12:00:00Z,\n'
    )


def test_a_tsv_has_tabs_where_a_csv_has_commas() -> None:
    document = Document(make_workload(1, model_label="a,b;c"), name="fleet")
    assert written([document], "tsv").splitlines()[1] == (
        'fleet\t"a,b;c"\t100\t4\t128\t0.1\t8 16 32 64 128 256 512\t\t\t\t\t\t\t\t'
    )


def test_no_document_is_written_as_a_header_alone() -> None:
    assert written([], "csv") == ",".join(COLUMNS) + "\n"
    assert documents_of(written([], "csv"), "csv") == []


def test_the_standard_library_reads_every_cell_as_it_was_meant() -> None:
    document = Document(make_workload(1, model_label='a"b,c'), revision=RevisionData(message="x\r\ny"))
    (row,) = csv.DictReader(io.StringIO(written([document], "csv"), newline=""), strict=True)
    assert (row["model_label"], row["message"]) == ('a"b,c', "x\r\ny")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (("a", "b", "a"), "workload 3: a stands there already. Rows of one workload stand together; another"),
        (("a", "a"), "workload 2: a stands there already."),
        ((None, None), "workload 2: a workload without a name stands there already."),
        ((None, "a"), "workload 2: has a name: in a file of rows, every workload has one or none has."),
        (("a", None), "workload 2: has no name: in a file of rows, every workload has one or none has."),
    ],
)
def test_workloads_that_would_be_read_as_one_are_not_written(names: tuple[str | None, ...], message: str) -> None:
    with pytest.raises(InvalidDocumentError) as caught:
        written([Document(make_workload(), name=name) for name in names], "csv")
    assert str(caught.value).startswith(message)


# Everything comes back.


@given(documents(), st.sampled_from(("csv", "tsv")))
@examples(50)
def test_a_document_comes_back_from_its_rows(document: Document, format_name: str) -> None:
    text = written([document], format_name)
    found = document_of(text, format_name)
    assert content_of(found) == content_of(document)
    assert written([found], format_name) == text


@given(st.lists(documents(), max_size=4, unique_by=lambda document: document.name), st.sampled_from(("csv", "tsv")))
@examples(20)
def test_documents_come_back_in_order(given_documents: list[Document], format_name: str) -> None:
    named = [document for document in given_documents if document.name is not None]
    found = documents_of(written(named, format_name), format_name)
    assert list(map(content_of, found)) == list(map(content_of, named))


@pytest.mark.parametrize("label", HOSTILE_LABELS)
@pytest.mark.parametrize("format_name", ["csv", "tsv"])
def test_a_label_comes_back_whatever_it_looks_like(label: str, format_name: str) -> None:
    if not label.strip():
        label = f"{label}x{label}"
    document = Document(make_workload(1, model_label=label), name="fleet")
    assert document_of(written([document], format_name), format_name).workload == document.workload


@given(storable_texts() | st.text(st.sampled_from("'=+-@\t\r\n\" ,;x＝"), max_size=6).filter(bool))
@examples(100)
def test_a_text_comes_back_and_no_cell_begins_with_what_a_spreadsheet_runs(text: str) -> None:
    document = Document(make_workload(1), name="fleet", revision=RevisionData(message=text, author=text or None))
    file = written([document], "csv")
    assert (document_of(file, "csv").revision.message or "") == text
    for row in csv.reader(io.StringIO(file, newline=""), strict=True):
        assert not any(cell.startswith(tuple("=+-@\t\r\n＝＋－＠")) for cell in row)


def test_the_same_workload_has_the_same_digest_in_each_format() -> None:
    document = Document(published_fleet(), name="fleet")
    for format_name in ("json", "jsonl", "csv", "tsv"):
        found = document_of(written([document], format_name), format_name)
        assert workload_digest(found.workload) == workload_digest(document.workload)


def test_revisions_of_one_name_are_told_by_their_numbers() -> None:
    revisions = [
        Document(make_workload(2, num_replicas=number), name="fleet", revision=RevisionData(number=number))
        for number in (1, 2, 3)
    ]
    other = Document(make_workload(), name="other", revision=RevisionData(number=1))
    given_documents = [revisions[0], revisions[1], other, revisions[2]]
    found = documents_of(written(given_documents, "csv"), "csv")
    assert list(map(content_of, found)) == list(map(content_of, given_documents))
    assert [document.where for document in found] == ["f:2", "f:4", "f:6", "f:8"]


# What spreadsheets write.


def test_a_file_of_a_german_excel_is_read() -> None:
    rows = (
        'sep=;\r\nName;Model_Label;NUM_REPLICAS; gpus_per_replica ;initial_batch_size;itl_deadline_s;"message";'
        "feasible_batch_sizes;;\r\n"
        'fleet;"Llama ""3""; 8B";720;1;128;0.08;"two\r\nlines; ""quoted""";8 16  32;;\r\n'
        ";;;;;;;;;\r\n"
        "fleet;通义;0; 4 ;8;1E-1;\r\n"
    )
    document = document_of(b"\xef\xbb\xbf" + rows.encode(), "csv")
    first, second = document.workload.models
    assert first == make_spec(
        model_label='Llama "3"; 8B',
        num_replicas=720,
        gpus_per_replica=1,
        itl_deadline_s=0.08,
        feasible_batch_sizes=(8, 16, 32),
    )
    assert (second.model_label, second.num_replicas, second.gpus_per_replica) == ("通义", 0, 4)
    assert (second.itl_deadline_s, second.feasible_batch_sizes) == (0.1, (128,))
    assert (document.name, document.revision.message, document.where) == ("fleet", 'two\r\nlines; "quoted"', "f:3")


@pytest.mark.parametrize("delimiter", [",", ";", "\t"])
@pytest.mark.parametrize("format_name", ["csv", "tsv"])
@pytest.mark.parametrize("newline", ["\n", "\r\n"])
@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_the_header_tells_what_stands_between_cells(
    delimiter: str, format_name: str, newline: str, mark: bytes
) -> None:
    text = sheet(ROW).replace(",", delimiter).replace("\n", newline)
    assert document_of(mark + text.encode(), format_name).workload == document_of(sheet(ROW), "csv").workload


def test_a_delimiter_between_quotes_does_not_count() -> None:
    header = ",".join(f'"{column}{";" * 3}"' for column in HEADER.split(","))
    assert messages_of(sheet(ROW, header=header))[0] == "f:1: name;;; is not a known field: did you mean name?"


def test_a_line_that_says_what_stands_between_cells_is_believed() -> None:
    assert label_of("sep=,\n" + sheet(ROW)) == "a"
    assert label_of('"SEP=\t"\n' + sheet(ROW).replace(",", "\t")) == "a"
    assert messages_of("sep=|\n" + sheet(ROW)) == ["f:1: sep= must be a comma, a semicolon or a tab, got '|'."]


@given(st.permutations(HEADER.split(",")))
@examples(20)
def test_the_columns_may_stand_in_any_order(columns: list[str]) -> None:
    cells = dict(zip(HEADER.split(","), ROW.split(","), strict=True))
    text = sheet(",".join(cells[column] for column in columns), header=",".join(columns))
    assert content_of(document_of(text, "csv")) == content_of(document_of(sheet(ROW), "csv"))


def test_columns_that_are_not_needed_may_be_left_out() -> None:
    header = "model_label,num_replicas,gpus_per_replica,initial_batch_size,itl_deadline_s"
    document = document_of(sheet("a,2,4,8,0.1", "b,2,4,8,2", header=header), "csv")
    assert (document.name, document.annotations, document.revision) == (None, {}, RevisionData())
    assert [spec.feasible_batch_sizes for spec in document.workload.models] == [(128,), (128,)]


def test_blank_lines_and_rows_are_passed_over_and_counted() -> None:
    text = f"\n,,\n{HEADER}\n\n{ROW}\n,,,,,,\n \nfleet,b,2,4,8,0.1,8\n\n"
    document = document_of(text, "csv")
    assert (document.where, len(document.workload.models)) == ("f:5", 2)


def test_a_date_means_its_start_in_utc() -> None:
    revision = document_of(
        with_cells(effective_from="2026-03-01", recorded_at="2026-03-01T13:00+01:00"), "csv"
    ).revision
    assert revision.effective_from == datetime(2026, 3, 1, tzinfo=UTC)
    assert revision.recorded_at == NOON


def test_any_row_of_a_workload_may_say_what_holds_for_all() -> None:
    header = f"{HEADER},author,number,annotations"
    rows = [
        f"{ROW},,,",
        'fleet,b,2,4,8,0.1,8,Ada,,"{""a"": 1}"',
        "fleet,c,2,4,8,0.1,8,,3,",
        "fleet,d,2,4,8,0.1,8,Ada,3,",
    ]
    document = document_of(sheet(*rows, header=header), "csv")
    assert (document.revision, document.annotations) == (RevisionData(author="Ada", number=3), {"a": 1})
    assert len(document.workload.models) == 4


@pytest.mark.parametrize(
    ("cell", "label"), [("'=1", "=1"), ("''x", "'x"), ("'x", "'x"), ("=1", "=1"), ("'", "'"), ("x'", "x'")]
)
def test_an_apostrophe_is_taken_off_only_where_it_was_needed(cell: str, label: str) -> None:
    assert label_of(with_cells(model_label=cell)) == label


# What is refused, and where.


@pytest.mark.parametrize(
    ("cells", "message"),
    [
        ({"num_replicas": ""}, "num_replicas is missing."),
        ({"num_replicas": "-1"}, "num_replicas must be >= 0, got -1."),
        ({"num_replicas": "1.5"}, f"num_replicas must be an integer, got '1.5'. {DIGITS_ALONE}"),
        ({"num_replicas": "180.0"}, f"num_replicas must be an integer, got '180.0'. {DIGITS_ALONE}"),
        ({"num_replicas": "1_000"}, f"num_replicas must be an integer, got '1_000'. {DIGITS_ALONE}"),
        ({"num_replicas": "1,000"}, f"num_replicas must be an integer, got '1,000'. {DIGITS_ALONE}"),
        ({"num_replicas": "1e5"}, f"num_replicas must be an integer, got '1e5'. {DIGITS_ALONE}"),
        ({"num_replicas": "0123"}, f"num_replicas must be an integer, got '0123'. {DIGITS_ALONE}"),
        ({"num_replicas": "١٢"}, f"num_replicas must be an integer, got '١٢'. {DIGITS_ALONE}"),
        ({"num_replicas": "many"}, "num_replicas must be an integer, got 'many'."),
        ({"num_replicas": "TRUE"}, "num_replicas must be an integer, got 'TRUE'."),
        ({"num_replicas": "9" * 90}, f"num_replicas must be <= 2147483647, got {'9' * 18}...{'9' * 19}."),
        ({"gpus_per_replica": "0"}, "gpus_per_replica must be >= 1, got 0."),
        ({"initial_batch_size": "0"}, "initial_batch_size must be > 0, got 0."),
        ({"itl_deadline_s": "0,1"}, "itl_deadline_s must be a number, got '0,1'. Write a decimal point: 0.1"),
        ({"itl_deadline_s": "80 ms"}, "itl_deadline_s must be a number, got '80 ms'."),
        ({"itl_deadline_s": "nan"}, "itl_deadline_s must be a number, got 'nan'."),
        ({"itl_deadline_s": "1e999"}, "itl_deadline_s must be finite, got inf."),
        ({"itl_deadline_s": "1_0.5"}, "itl_deadline_s must be a number, got '1_0.5'."),
        ({"itl_deadline_s": "-0.1"}, "itl_deadline_s must be > 0, got -0.1."),
        ({"model_label": "  "}, "model_label must not be blank, got '  '."),
        ({"model_label": "a\nb"}, "model_label must not contain control characters, got 'a\\nb'."),
        (
            {"feasible_batch_sizes": "8,16"},
            "feasible_batch_sizes[0] must be an integer, got '8,16'. Write the sizes with blanks between them: 8 16 32",
        ),
        ({"feasible_batch_sizes": "8 0"}, "feasible_batch_sizes[1] must be > 0, got 0."),
        (
            {"effective_from": "01.03.2026"},
            "effective_from must be a time with its offset (2026-03-01T12:00:00Z), got '01.03.2026'.",
        ),
        (
            {"recorded_at": "2026-03-01T12:00"},
            "recorded_at must be a time with its offset (2026-03-01T12:00:00Z), got '2026-03-01T12:00'.",
        ),
        ({"number": "0"}, "number must be an integer >= 1, got 0."),
        ({"digest": "abc"}, "digest must be sha256: and 64 hexadecimal digits, got 'abc'."),
        ({"author": "a\0b"}, "author must be valid Unicode without NUL, got 'a\\x00b'."),
        (
            {"name": "my fleet"},
            "name must not contain white space, control characters or any of @ : * ? [, got 'my fleet'.",
        ),
        ({"annotations": "[1]"}, "annotations must be an object, got [1]."),
        (
            {"annotations": "{"},
            "annotations is not JSON: expecting property name enclosed in double quotes (character 2).",
        ),
        ({"annotations": '{"a": 1, "a": 2}'}, "annotations.a stands more than once (character 10)."),
        ({"annotations": '{"a": "\\ud800"}'}, "annotations.a must be valid Unicode without NUL, got '\\ud800'."),
    ],
)
def test_a_cell_that_breaks_a_rule_is_named_by_line_and_column(cells: dict[str, str], message: str) -> None:
    assert messages_of(with_cells(**cells)) == [f"f:2: {message}"]


def test_all_problems_of_all_rows_are_told_in_their_order() -> None:
    rows = (
        "fleet,a,-1,0,8,0.1,8",
        "fleet,b,2,4,8,0.1,8",
        "fleet,a,2,4,0,x,8",
        "good,a,2,4,8,0.1,8",
        "bad,,2,4,8,0.1,0",
    )
    outcomes = outcomes_of(sheet(*rows), "csv")
    assert [getattr(outcome, "name", None) for outcome in outcomes] == [None, "good", None]
    assert messages_of(sheet(*rows)) == [
        "f:2: num_replicas must be >= 0, got -1.",
        "f:2: gpus_per_replica must be >= 1, got 0.",
        "f:4: model_label must be another in each row of a workload, got 'a', as in row 2.",
        "f:4: initial_batch_size must be > 0, got 0.",
        "f:4: itl_deadline_s must be a number, got 'x'.",
        "f:6: model_label is missing.",
        "f:6: feasible_batch_sizes[0] must be > 0, got 0.",
    ]


def test_a_workload_with_too_many_gpus_is_refused_at_its_first_row() -> None:
    rows = [f"fleet,m{index},2147483647,2147483647,8,0.1,8" for index in range(3)]
    (message,) = messages_of(sheet(*rows))
    assert message.startswith("f:2: total_gpus must be <= 9223372036854775807, got ")


def test_rows_that_contradict_each_other_are_refused() -> None:
    header = f"{HEADER},author"
    assert messages_of(sheet(f"{ROW},Ada", "fleet,b,2,4,8,0.1,8,Bob", header=header)) == [
        "f:3: author must be the same in all rows of a workload, got 'Bob'; row 2 has 'Ada'."
    ]


@pytest.mark.parametrize(("number", "later"), [("", ""), ("1", "1"), ("1", ""), ("", "1")])
def test_a_name_that_comes_back_without_another_number_is_refused_with_both_rows(number: str, later: str) -> None:
    rows = (f"{ROW},{number}", f"other,b,2,4,8,0.1,8,{number}", f"fleet,c,2,4,8,0.1,8,{later}")
    assert messages_of(sheet(*rows, header=f"{HEADER},number")) == [
        "f:4: name comes back, got 'fleet', as in row 2. "
        "Rows of one workload stand together; another revision of it has another number."
    ]


@pytest.mark.parametrize(("first", "second", "has"), [("fleet", "", "one"), ("", "fleet", "none")])
def test_a_name_stands_in_every_row_or_in_none(first: str, second: str, has: str) -> None:
    rows = (f"{first},a,2,4,8,0.1,8", f"{second},b,2,4,8,0.1,8")
    assert messages_of(sheet(*rows)) == [f"f:3: name must be in every row or in none: row 2 has {has}."]


def test_a_column_that_is_not_known_is_refused_with_the_one_it_resembles() -> None:
    header = HEADER.replace("num_replicas", "num replica") + ",color,author,Author"
    assert messages_of(sheet(ROW, header=header)) == [
        "f:1: num replica is not a known field: did you mean num_replicas?",
        f"f:1: color is not a known field. Known fields: {', '.join(COLUMNS)}.",
        "f:1: author stands more than once.",
        "f:1: num_replicas is missing.",
    ]


def test_a_file_with_too_many_columns_is_refused() -> None:
    assert messages_of("a," * 200_000 + "a\n") == ["f:1: has 200001 columns; at most 100 are read."]


def test_a_row_longer_than_the_header_is_refused_unless_the_rest_is_empty() -> None:
    assert label_of(sheet(ROW + ",,")) == "a"
    assert messages_of(sheet(ROW + ",,x")) == ["f:2: has 'x' in column 9, which has no name in the header."]
    assert messages_of(sheet(ROW + ",x", header=HEADER + ",")) == [
        "f:2: has 'x' in column 8, which has no name in the header."
    ]


def test_a_row_that_ends_early_is_read_unless_the_file_ends_there_too() -> None:
    header = HEADER + ",author,message"
    assert label_of(sheet(ROW, header=header)) == "a"
    assert label_of(sheet(ROW + ",,", header=header).rstrip("\n")) == "a"
    assert messages_of(sheet(ROW, header=header).rstrip("\n")) == [
        "f:2: has 7 cells of 9 and no line end: the file seems to be cut off."
    ]


@pytest.mark.parametrize("content", ["", "\n\n", "\ufeff", "sep=;\n", ";;;\n"])
def test_a_file_without_a_header_is_refused(content: str) -> None:
    assert messages_of(content) == ["f: is empty: not even the names of the columns are there."]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        ('fleet,"a,2', "begins a cell with a quote that no other quote ends. Write a quote within a cell twice."),
        ('fleet,"a"b,2', "has more after the quote that ends a cell. Write a quote within a cell twice."),
        (
            "fleet,a\rb",
            "has a line end of old Macs (CR alone) outside quotes. Save it with line ends of Unix or Windows.",
        ),
        (b"fleet,\xe4", f"is not UTF-8 text (byte 6). {csv_records._SAVE_AS_UTF_8}"),
    ],
)
def test_a_row_that_is_no_csv_ends_the_reading_and_its_workload_is_not_taken_for_complete(
    row: str | bytes, message: str
) -> None:
    data = row.encode() if isinstance(row, str) else row
    content = sheet("first,a,2,4,8,0.1,8", ROW).encode() + data + b"\nlater,a,2,4,8,0.1,8\n"
    first, second = outcomes_of(content, "csv")
    assert isinstance(first, Document) and first.name == "first"
    assert str(second) == f"f:4: {message}"


def test_a_header_that_cannot_be_read_is_refused() -> None:
    utf_16 = sheet(ROW).encode("utf-16")
    assert messages_of(utf_16) == [f"f:1: is not UTF-8 text (byte 0). {csv_records._SAVE_AS_UTF_8}"]
    assert messages_of(sheet(ROW).replace("\n", "\r"))[0].startswith("f:1: has a line end of old Macs")


# Size.


def test_names_are_remembered_with_their_numbers() -> None:
    seen = row_names.SeenNames()
    assert [seen.add((f"n{index}", index % 3 or None), index + 2) for index in range(1_000)] == [None] * 1_000
    assert seen.add(("n3", None), 5_000) == 5
    assert seen.add(("n3", 4), 5_001) == 5
    assert seen.add(("n4", 1), 5_002) == 6
    assert seen.add(("n4", None), 5_002) == 6
    assert seen.add(("n4", 2), 5_003) is None


def test_rows_are_read_as_they_arrive() -> None:
    lines = itertools.chain([f"{HEADER}\n"], (f"n{number},a,2,4,8,0.1,8\n" for number in itertools.count()))

    class Endless(io.RawIOBase):
        taken = 0

        def read(self, size: int = -1) -> bytes:
            self.taken += 1
            return "".join(itertools.islice(lines, 100)).encode()

    stream = Endless()
    outcomes = get_format("csv").read(stream, "f")  # type: ignore[arg-type]
    assert [outcome.where for outcome in itertools.islice(outcomes, 50)] == [f"f:{line}" for line in range(2, 52)]  # type: ignore[union-attr]
    assert stream.taken == 1


@pytest.mark.parametrize("filling", [b"x", b'"', b",", b"x\n"])
def test_a_record_without_an_end_does_not_fill_the_memory(filling: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "MAX_LINE_BYTES", 10_000)
    taken = 0

    class Endless(io.RawIOBase):
        def read(self, size: int = -1) -> bytes:
            nonlocal taken
            taken += 1
            return filling * 5_000 if taken > 1 else sheet(ROW).encode() + b'fleet,"'

    (error,) = get_format("csv").read(Endless(), "f")  # type: ignore[arg-type]
    assert "is in a record of more than" in str(error)
    assert taken < 10


def test_a_workload_of_too_many_rows_is_refused_both_ways(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document(make_workload(4), name="fleet")
    text = written([document], "csv")
    monkeypatch.setattr(limits, "MAX_MODELS", 3)
    assert message_of(text, "csv") == "f:5: is row 4 of one workload: no more are read."
    with pytest.raises(InvalidDocumentError, match="fleet@1: has 4 models; at most 3 can stand in rows"):
        written([replace(document, where="fleet@1")], "csv")


def test_large_annotations_come_back_and_larger_ones_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document(make_workload(), "fleet@1", "fleet", {"note": "x" * 300_000})
    assert document_of(written([document], "csv"), "csv").annotations == document.annotations
    monkeypatch.setattr(limits, "MAX_LINE_BYTES", 10_000)
    with pytest.raises(InvalidDocumentError, match=r"^fleet@1: takes a row of more than 10000 bytes"):
        written([document], "csv")


# Malice.

_SEEDS = tuple(
    text.encode()
    for text in (
        sheet(ROW, "fleet,b,1,1,1,1e-3,1"),
        sheet(ROW, "g,b,1,1,1,2,1").replace(",", ";").replace("\n", "\r\n"),
        "sep=;\n" + sheet(ROW).replace(",", ";"),
        written([Document(published_fleet(), name="fleet", annotations={"a": {"b": [1, None]}})], "tsv"),
        with_cells(effective_from="2026-03-01", number="3", message='a "b"\nc', annotations='{"a": [1]}'),
    )
)
_TOKENS = (
    *(b'"', b'""', b",", b";", b"\t", b"\n", b"\r", b"\r\n", b"'", b"=", b"\0", b"\xff", b"\xef\xbb\xbf", b"sep=;\n"),
    *(b"-", b"1e999", b"9" * 200, b"1_0", b"\xd9\xa1", b"nan", b"{", b"[" * 500, b"fleet", b",,,,,", b" ", b'{"a":'),
    *(b"name", b"number", b"2026-W09", b"9999-12-31T23:00-02:00", b"0001-01-01", b"\xed\xa0\x80", b"\xe2\x80\xa8"),
)


def test_a_damaged_file_is_read_or_refused() -> None:
    for number, content in enumerate(mutated(_SEEDS, _TOKENS, fuzz_inputs(300))):
        began = time.process_time()
        for outcome in outcomes_of(content, "tsv" if number % 2 else "csv"):
            if isinstance(outcome, Document):
                again = document_of(written([outcome], "csv"), "csv")
                assert content_of(again)[:3] == content_of(outcome)[:3]
            else:
                assert outcome.problems
                assert all(problem.message and problem.where.startswith("f") for problem in outcome.problems)
        assert time.process_time() - began < 10, content
