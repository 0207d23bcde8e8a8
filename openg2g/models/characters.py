"""Characters that nobody sees, or that let a text be read in another order: refused in what is new, escaped when shown.

They are formatting characters (Unicode category Cf: bidirectional controls, zero-width spaces, byte order marks, tags),
and those that Unicode lets be ignored or that look like nothing (fillers, variation selectors, the blank of braille). A
text with one reads as another. In prose some have their use: joiners in Persian, in scripts of India and in emoji, and
variation selectors in emoji and in Japanese names.
"""

import json
import re
import unicodedata

from openg2g.models.spec import is_unprintable

# Source: Default_Ignorable_Code_Point in https://www.unicode.org/Public/UCD/latest/ucd/DerivedCoreProperties.txt, those
# of category Cf apart; and U+2800, the blank of braille.
_IGNORABLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]"
)
_JOINERS = frozenset("\u200c\u200d")
_FIRST_BEYOND_LATIN = "\u0300"


def is_hidden(character: str) -> bool:
    """Whether nobody sees a character, or it changes the order in which others are read."""
    if character.isascii():
        return False
    return unicodedata.category(character) == "Cf" or _IGNORABLE.match(character) is not None


def joins(character: str) -> bool:
    """Whether a hidden character has its use in prose: a joiner or a variation selector."""
    return character in _JOINERS or "\ufe00" <= character <= "\ufe0f" or "\U000e0100" <= character <= "\U000e01ef"


def find_hidden(text: str, *, is_prose: bool = False) -> str | None:
    """Return the first hidden character of a text, None where there is none; in prose, what joins may stand."""
    if text.isascii():  # Nearly always.
        return None
    return next((c for c in text if is_hidden(c) and not (is_prose and joins(c))), None)


def without_hidden(text: str) -> str:
    """Leave hidden characters out of prose that nobody can correct any more."""
    return text if text.isascii() else "".join(c for c in text if not is_hidden(c) or joins(c))


def visible_json(text: str) -> str:
    """Write what is unprintable or hidden in a JSON text as JSON's own escapes: to a program it means the same."""
    if text.isascii():
        return text
    return "".join(json.dumps(c)[1:-1] if not c.isascii() and (is_unprintable(c) or is_hidden(c)) else c for c in text)


def visible(text: str) -> str:
    r"""Show control characters as `\x1b` and hidden ones as `\u200b`; a joiner only where it joins nothing."""
    if text.isascii() and text.isprintable():  # Nearly always.
        return text
    before = ""
    shown = []
    for character in text:
        is_joining = joins(character) and before >= _FIRST_BEYOND_LATIN
        if is_unprintable(character) or (is_hidden(character) and not is_joining):
            shown.append(character.encode("unicode_escape").decode())
        else:
            shown.append(character)
        before = character
    return "".join(shown)
