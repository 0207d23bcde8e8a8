"""Characters that nobody sees, or that change the order in which a text is read."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.catalog.history.reference import AliasReference, NameReference, parse_reference
from openg2g.models.characters import is_hidden, joins, visible, without_hidden
from openg2g.models.errors import CatalogError, InvalidRevisionError
from openg2g.models.revision import (
    check_alias,
    check_name,
    check_new_alias,
    check_new_message,
    check_new_name,
    check_visible,
)
from tests.strategies import examples

HIDDEN = [
    *map(chr, [*range(0x202A, 0x202F), *range(0x2066, 0x206A), *range(0x200B, 0x2010), *range(0x2060, 0x2065)]),
    *map(chr, [0xFEFF, 0x061C, 0x180E, 0xE0001, 0xE0041, 0xE007F, 0x00AD, 0x034F, 0x115F, 0x1160, 0x17B4, 0x180B]),
    *map(chr, [0x2800, 0x3164, 0xFE0F, 0xFFA0, 0xFFF9, 0x1D173, 0xE0100]),
]


@pytest.mark.parametrize("character", HIDDEN, ids=ascii)
def test_a_hidden_character_is_refused_in_names_and_shown_escaped(character: str) -> None:
    text = f"fl{character}eet"
    assert is_hidden(character)
    for check in (check_new_name, check_new_alias):
        with pytest.raises(InvalidRevisionError, match=r"bidirectional .* got 'fl\\.*eet' with U\+") as caught:
            check(text)
        assert character not in str(caught.value)
    assert check_name(text) == check_alias(text) == text  # What is stored can be named.
    assert visible(text) == f"fl{character.encode('unicode_escape').decode()}eet"
    assert parse_reference(f"{text}@{text}") == AliasReference(text, text)


@pytest.mark.parametrize("character", HIDDEN, ids=ascii)
def test_a_message_may_have_joiners_and_selectors_and_no_other_hidden_character(character: str) -> None:
    text = f"می{character}خواهم"
    if joins(character):
        assert check_new_message(text) == visible(text) == without_hidden(text) == text
    else:
        with pytest.raises(InvalidRevisionError, match="message must not contain invisible or bidirectional"):
            check_new_message(text)
        assert without_hidden(text) == "میخواهم"


@pytest.mark.parametrize("text", ["", "fleet", "Flöte-é", "艦隊/東京", "флот", "أسطول", "ぷ", "नमस्ते", "e\u0301", "🚀"])
def test_what_everybody_sees_is_left_alone(text: str) -> None:
    assert check_visible("text", text) == visible(text) == without_hidden(text) == text


@examples(150)
@given(st.text())
def test_what_is_shown_has_no_character_that_steers(text: str) -> None:
    shown = visible(text)
    categories = {unicodedata.category(c) for c in shown if not joins(c)}
    assert categories.isdisjoint({"Cc", "Cf", "Cs", "Zl", "Zp"})
    assert visible(shown) == shown


_NUMBERS = ["-", "+", "1", "١", "２", "²", "Ⅳ", "2026-"]
_PIECES = st.lists(st.sampled_from([*_NUMBERS, "a", "sha256", "latest", "@", ":", "é", "."]))


@examples(250)
@given(st.one_of(st.text(), _PIECES.map("".join)), st.one_of(st.text(), _PIECES.map("".join)))
def test_every_name_and_alias_that_is_accepted_is_read_back_from_a_reference(name: str, alias: str) -> None:
    try:
        check_new_name(name)
        assert parse_reference(name) == NameReference(name)
        check_new_alias(alias)
    except CatalogError:
        return
    if alias != "latest":  # It stands for the highest number.
        assert parse_reference(f"{name}@{alias}") == AliasReference(name, alias)


@pytest.mark.parametrize("alias", ["١", "２x", "²", "Ⅳ", "१", "1", "+1"])
def test_an_alias_that_begins_like_a_number_in_any_script_is_refused(alias: str) -> None:
    with pytest.raises(InvalidRevisionError, match="alias must not begin like a number or a date"):
        check_new_alias(alias)


def test_a_name_that_is_no_text_says_so() -> None:
    with pytest.raises(InvalidRevisionError, match=r"name must be Unicode text, got 'a\\udcff': write it in UTF-8"):
        check_name("a\udcff")
