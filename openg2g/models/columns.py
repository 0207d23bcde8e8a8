"""How many columns of a terminal a text takes."""

import unicodedata

_ZERO_WIDTH_JOINER = "\u200d"
_EMOJI_SELECTOR = "\ufe0f"
_SKIN_TONES = ("\U0001f3fb", "\U0001f3ff")
_MEDIAL_AND_FINAL_JAMO = ("\u1160", "\u11ff")  # Drawn into the syllable before.
_ELLIPSIS = "…"


def columns(text: str) -> int:
    """Count the columns that a terminal takes for a text: letters of East Asia and emoji take two, accents none."""
    return len(text) if text.isascii() else sum(_widths(text))


def cut(text: str, width: int) -> str:
    """Cut a text to a number of columns, with an ellipsis where something is left out."""
    if columns(text) <= width:
        return text
    room = width - 1
    for end, taken in enumerate(_widths(text)):
        room -= taken
        if room < 0:
            return text[:end] + _ELLIPSIS
    return text


def _widths(text: str) -> list[int]:
    """Return the columns that each character adds to those before it."""
    widths: list[int] = []
    before, last = "", 0  # The character before, and the width of the last one that is not drawn into another.
    for character in text:
        is_wide = unicodedata.east_asian_width(character) in "WF"
        if character == _EMOJI_SELECTOR:
            width, last = (1, 2) if last == 1 else (0, last)  # A heart of text becomes one of emoji.
        elif _is_drawn_into_another(character) or (last == 2 and _joins_the_emoji_before(character, before)):
            width = 0
        else:
            width = last = 2 if is_wide else 1
        widths.append(width)
        before = character
    return widths


def _is_drawn_into_another(character: str) -> bool:
    is_jamo = _MEDIAL_AND_FINAL_JAMO[0] <= character <= _MEDIAL_AND_FINAL_JAMO[1]
    return is_jamo or unicodedata.category(character) in ("Mn", "Me", "Cf")


def _joins_the_emoji_before(character: str, before: str) -> bool:
    is_skin_tone = _SKIN_TONES[0] <= character <= _SKIN_TONES[1]
    return is_skin_tone or (before == _ZERO_WIDTH_JOINER and unicodedata.category(character) == "So")
