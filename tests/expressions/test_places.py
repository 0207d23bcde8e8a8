"""Where a refusal points, and what line breaks and comments mean."""

import unicodedata
from itertools import accumulate

import pytest

from openg2g.expressions.read import read_condition
from tests.expressions.refusals import refusal


def marked(text: str) -> str:
    """Return as many characters as there are carets, from the one above the first."""
    message, shown, carets = str(refusal(text)).split("\n")
    assert message.startswith("column ")
    assert set(carets) == {" ", "^"}
    widths = (2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in shown)
    start = list(accumulate(widths, initial=0)).index(carets.index("^"))
    return shown[start : start + carets.count("^")]


def test_messages_are_one_line_of_text_and_a_place() -> None:
    error = refusal("total_gpu < 7200")
    assert str(error) == (
        "column 1: unknown name 'total_gpu'. Did you mean total_gpus?\n  total_gpu < 7200\n  ^^^^^^^^^"
    )


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("total_gpu < 1", "total_gpu"),
        ("total_gpus < totl_gpus and name == 'a'", "totl_gpus"),
        ("   total_gpus < totl_gpus", "totl_gpus"),
        ("\n\ttotal_gpus < totl_gpus", "totl_gpus"),
        ("total_gpus\n<\r\n  totl_gpus", "totl_gpus"),
        ("name == '千问' and totl_gpus > 1", "totl_gpus"),
        ("'千问千问' < totl_gpus", "totl_gpus"),
        ("tags['é🚀'] == totl_gpus", "totl_gpus"),
        ("name == 'é' and 3", "3"),
        ("'千问' < 3", "'千问' < 3"),
        ("name in ('a', 1)", "('a', 1)"),
        ("any(m.x > 1 for m in models)", "m.x"),
        (f"{'number > 1 or ' * 20}totl_gpus > 1", "totl_gpus"),
        (f"{'number > 1 or ' * 20}totl_gpus > 1{' or number > 1' * 20}", "totl_gpus"),
        (f"totl_gpus > 1{' or number > 1' * 20}", "totl_gpus"),
    ],
)
def test_the_carets_stand_below_what_is_wrong(text: str, part: str) -> None:
    assert marked(text) == part


def test_of_a_long_expression_the_part_around_the_place_is_shown() -> None:
    before, after = "number > 1 or " * 20, " or number > 1" * 20
    error = refusal(f"{before}totl_gpus > 1{after}")
    _, shown, _ = str(error).split("\n")
    assert error.column == len(before) + 1
    assert shown.startswith("  …") and shown.endswith("…") and len(shown) == 80
    assert not str(refusal(f"totl_gpus > 1{after}")).split("\n")[1].startswith("  …")
    assert not str(refusal(f"{before}totl_gpus > 1")).split("\n")[1].endswith("…")


def test_what_is_wrong_to_the_end_of_the_window_is_underlined_as_far_as_it_is_shown() -> None:
    _, shown, carets = str(refusal(f"sum({'m.x + ' * 100}1 for m in models)")).split("\n")
    assert len(carets) <= len(shown)


@pytest.mark.parametrize(
    ("text", "column"),
    [("  totl_gpus > 1", 3), ("\n\n totl_gpus > 1", 4), ("number > 1\nand totl_gpus > 1", 16), ("'千' < 1", 1)],
)
def test_columns_count_characters_from_the_first(text: str, column: int) -> None:
    assert refusal(text).column == column
    assert text[column - 1 :].startswith(("totl_gpus", "'千'"))


def test_line_breaks_are_blanks() -> None:
    spread = "\n  total_gpus < 7200\n  and\r\n\tname == 'fleet'\n"
    assert read_condition(spread) == read_condition("total_gpus < 7200 and name == 'fleet'")
    assert read_condition("\n\n   name == 'a'\n  'b'") == read_condition("name == 'ab'")


@pytest.mark.parametrize("literal", ["'a\nb'", "'''a\nb'''", '"""a\r\nb"""', "'a\\\nb'", "'x' '''a\nb'''"])
def test_a_text_over_several_lines_is_refused(literal: str) -> None:
    error = refusal(f"name == {literal}")
    assert error.problem == "a text must not go over several lines. Write \\n for a line break."
    assert error.column == 9
    assert refusal(f"  \n name == {literal}").column == 13


def test_nothing_that_follows_a_comment_goes_unread() -> None:
    assert read_condition("total_gpus < 7200 # the limit\n") == read_condition("total_gpus < 7200")
    assert read_condition("name == '#'\nand number > 1") == read_condition("name == '#' and number > 1")
    error = refusal("total_gpus < 7200 # the limit\nand name == 'fleet'")
    assert error.problem == "what follows on the next line would belong to this comment."
    assert error.column == 19
