import csv
import io

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from openg2g.cli.output.tables import echo_csv, escaped

HEADERS = ("name", "value")


def printed(capsys: pytest.CaptureFixture[str], *rows: tuple[object, ...]) -> str:
    capsys.readouterr()
    echo_csv(HEADERS, rows)
    return capsys.readouterr().out


def test_csv_has_a_line_for_the_headers_and_for_each_row(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, ("fleet", 4800), ("a,b", 0.1), ('say "x"', None)) == (
        'name,value\nfleet,4800\n"a,b",0.1\n"say ""x""",\n'
    )


def test_csv_without_rows_has_its_headers(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys) == "name,value\n"


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "=", "-", "\t=1", "\r=1", "-1 or"])
def test_what_a_spreadsheet_would_run_gets_an_apostrophe(capsys: pytest.CaptureFixture[str], text: str) -> None:
    (_, row) = csv.reader(io.StringIO(printed(capsys, (text, text))))
    assert row == ["'" + escaped(text)] * 2


@pytest.mark.parametrize("value", [-1, -0.5, "-1", "+1", "-1.5", "-1e-07", "1=2", "a@b", "2026-03-01T00:00:00+00:00"])
def test_numbers_and_other_texts_are_left_as_they_are(capsys: pytest.CaptureFixture[str], value: object) -> None:
    assert printed(capsys, (value, 1)) == f"name,value\n{value},1\n"


def test_control_characters_do_not_reach_the_reader(capsys: pytest.CaptureFixture[str]) -> None:
    assert printed(capsys, ("a\x1b[31m", "two\r\nlines\x00\u2028")) == (
        "name,value\na\\x1b[31m,two\\r\\nlines\\x00\\u2028\n"
    )


def test_a_row_is_printed_before_the_next_one_is_asked_for(capsys: pytest.CaptureFixture[str]) -> None:
    def rows():
        yield ("fleet", 1)
        assert capsys.readouterr().out == "name,value\nfleet,1\n"
        yield ("other", 2)

    echo_csv(HEADERS, rows())
    assert capsys.readouterr().out == "other,2\n"


@given(st.lists(st.tuples(st.text(), st.text()), max_size=5))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_every_row_is_one_line_that_reads_back(capsys: pytest.CaptureFixture[str], rows: list[tuple[str, str]]) -> None:
    out = printed(capsys, *rows)
    assert out.count("\n") == len(rows) + 1
    read = list(csv.reader(io.StringIO(out)))[1:]
    assert [tuple(cell.removeprefix("'") for cell in row) for row in read] == [
        tuple(escaped(cell).removeprefix("'") for cell in row) for row in rows
    ]
