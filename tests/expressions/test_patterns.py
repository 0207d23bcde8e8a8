"""Patterns and letters: the same texts match everywhere, and letters change one by one."""

import re
import sys
from fnmatch import fnmatchcase

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.expressions.patterns import case_table, in_case, literal_prefix, matches, postgres_pattern
from tests.strategies import examples

_TEXTS = st.text("abBcz-]![^*?\\.é千🚀\n ", max_size=6)
_PATTERNS = st.text("abBc-]![^*?\\.é千🚀\n ", max_size=10)


@examples(1000)
@given(_TEXTS, _PATTERNS)
def test_a_pattern_matches_what_fnmatch_does(text: str, pattern: str) -> None:
    expected = fnmatchcase(text, pattern)
    assert matches(text, pattern) is expected
    # What is written for PostgreSQL means the same to Python, but for its ends, and for full stops and line breaks.
    assert bool(re.fullmatch(postgres_pattern(pattern)[1:-1], text, re.DOTALL)) is expected


@examples(250)
@given(_TEXTS, _PATTERNS)
def test_what_matches_begins_with_the_literal_prefix(text: str, pattern: str) -> None:
    prefix = literal_prefix(pattern)
    assert pattern.startswith(prefix) and not set(prefix) & set("*?[")
    assert not matches(text, pattern) or text.startswith(prefix)


@pytest.mark.parametrize(
    ("pattern", "expression"),
    [
        ("sweep/*", "^(?:sweep/.*)$"),
        ("a**b", "^(?:a.*b)$"),
        ("?", "^(?:.)$"),
        ("[!a]", "^(?:[^a])$"),
        ("[]a-c]", "^(?:[\\U0000005Da-c])$"),
        ("[z-a]", "^(?:(?!))$"),
        ("[!z-a]", "^(?:.)$"),
        ("[a", "^(?:\\U0000005Ba)$"),
        ("a.é", "^(?:a\\U0000002E\\U000000E9)$"),
    ],
)
def test_a_pattern_is_written_as_a_regular_expression(pattern: str, expression: str) -> None:
    assert postgres_pattern(pattern) == expression


@pytest.mark.parametrize("function", ["lower", "upper"])
def test_letters_change_one_by_one(function: str) -> None:
    letters = [chr(code) for code in (*range(0xD800), *range(0xE000, sys.maxunicode + 1))]
    changed = [getattr(letter, function)() for letter in letters]
    alone = [new if len(new) == 1 else letter for letter, new in zip(letters, changed, strict=True)]
    assert case_table(function) == {ord(old): new for old, new in zip(letters, alone, strict=True) if old != new}
    for between in ("", "a", "é"):
        is_same = in_case(function, between.join(letters)) == in_case(function, between).join(alone)
        assert is_same, f"a letter before or after {between!r} changes otherwise than alone"


def test_a_letter_that_would_become_several_stays() -> None:
    assert in_case("upper", "straße ŉ ﬁ") == "STRAßE ŉ ﬁ"
    assert in_case("lower", "İSTANBUL ΑΣ") == "İstanbul ασ"


@given(st.text())
def test_ascii_texts_change_as_in_python(text: str) -> None:
    ascii_text = text.encode("ascii", "ignore").decode()
    assert in_case("lower", ascii_text) == ascii_text.lower()
    assert in_case("upper", ascii_text) == ascii_text.upper()
