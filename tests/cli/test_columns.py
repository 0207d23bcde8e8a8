"""Tables keep their columns in line whatever letters are in them."""

import sys
from pathlib import Path

import pytest

from openg2g.cli.output.tables import fitted, table
from openg2g.models.columns import columns
from openg2g.models.errors import FilterError
from tests.cli.conftest import Cli
from tests.cli.documents import small, write

NAMES = ("fleet", "艦隊", "e\u0301te\u0301", "🚀🇫🇷", "한글")


def test_a_table_keeps_its_columns_in_line() -> None:
    headers = ("name", "GPUs\nin all", "last")
    lines = table(headers, [[name, "7", "x"] for name in NAMES], right=headers[1:2]).split("\n")
    assert lines[:3] == ["name     GPUs  last", "       in all", "fleet       7  x"]
    assert {columns(line.rpartition("7")[0]) for line in lines[2:]} == {12}
    assert {columns(line) for line in lines[2:]} == {16}


def test_the_list_keeps_its_columns_in_line(cli: Cli, tmp_path: Path) -> None:
    for name in NAMES:
        cli("import", write(tmp_path / "x.json", small()), "--name", name, "--author", name)
    lines = cli("list").out.splitlines()
    assert len({columns(line.partition(" UTC")[0].partition("20")[0]) for line in lines[1:]}) == 1


def test_a_text_is_cut_by_columns_on_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    assert fitted("艦隊東京\nb", 4) == "艦隊東京"
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    assert fitted("艦隊東京\nb", 4) == "艦…"
    assert fitted("e\u0301e\u0301e\u0301", 2) == "e\u0301…"


def test_carets_stand_below_what_they_point_at() -> None:
    for text, carets in (("'艦隊' == nam", 10), ("'e\u0301' == nam", 7), ("'🚀' == nam", 8), ("'\u200b' == nam", 12)):
        picture, marks = str(FilterError(text, "unknown", text.index("nam") + 1, 3)).split("\n")[1:]
        assert columns(picture.rpartition("nam")[0]) == carets + 2 == columns(marks.partition("^")[0])
