"""How many columns of a terminal a text takes."""

import pytest

from openg2g.models.columns import columns, cut


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", 0),
        ("fleet", 5),
        ("e\u0301", 1),
        ("é", 1),
        ("艦隊", 4),
        ("ﾊﾝｶｸ", 4),
        ("ＡＢ", 4),
        ("한글", 4),
        ("\u1112\u1161\u11ab", 2),
        ("नमस्ते", 4),
        ("🚀", 2),
        ("❤", 1),
        ("❤\ufe0f", 2),
        ("1\ufe0f\u20e3", 2),
        ("👍🏽", 2),
        ("👨\u200d👩\u200d👧", 2),
        ("👩🏽\u200d🚀", 2),
        ("🇩🇪", 2),
        ("می\u200cخواهم", 7),
        ("…", 1),
    ],
)
def test_a_text_takes_the_columns_that_a_terminal_gives_it(text: str, expected: int) -> None:
    assert columns(text) == expected
    assert columns(f"a{text}b") == expected + 2
    assert cut(text, max(expected, 1)) == text


@pytest.mark.parametrize(
    "text",
    ["fleet of 2026", "艦隊東京大阪", "e\u0301e\u0301e\u0301e\u0301", "👨\u200d👩\u200d👧👨\u200d👩\u200d👧 a"],
)
def test_a_text_is_cut_to_columns(text: str) -> None:
    for width in range(1, columns(text)):
        shown = cut(text, width)
        assert columns(shown) <= width
        assert shown.endswith("…")
        assert text.startswith(shown[:-1])
