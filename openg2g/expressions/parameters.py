"""Named parameters of an expression: values from outside, which stand where a literal could."""

import unicodedata
from collections.abc import Collection, Mapping
from datetime import UTC, date, datetime, time

from openg2g.expressions import comparisons
from openg2g.expressions.syntax import RefusalError
from openg2g.expressions.tree import Constant, Constants
from openg2g.models.errors import InvalidRevisionError
from openg2g.models.instant import check_time

MAX_ITEMS = 10_000
"""Items of a parameter that is a list."""


def constants_of_parameters(
    parameters: Mapping[str, object], taken: Collection[str]
) -> dict[str, Constant | Constants]:
    """Make constants of parameters.

    Args:
        parameters: Name → number, text, boolean, time, or a list or tuple of these.
        taken: Names that mean something already.
    """
    found: dict[str, Constant | Constants] = {}
    for name, value in parameters.items():
        if not isinstance(name, str) or not name.isidentifier():
            raise RefusalError(f"parameter {name!r} is no name: use letters, digits and _.")
        as_read = unicodedata.normalize("NFKC", name)  # What Python makes of a name in an expression: µ has two codes.
        if as_read in taken or as_read in found:
            raise RefusalError(f"parameter {name!r} has the name of something else in a search. Call it otherwise.")
        try:
            found[as_read] = _constants(value)
        except RefusalError as refusal:
            raise RefusalError(f"parameter {name!r}: {refusal}") from None
    return found


def parameter_from_text(text: str) -> int | float | bool | str:
    """Read the value of a parameter from the command line: a number, true, false, a text in quotes, or a text.

    Example:
        >>> [parameter_from_text(text) for text in ("7200", "0.1", "true", "Llama-3.1-70B", "'7200'")]
        [7200, 0.1, True, 'Llama-3.1-70B', '7200']
    """
    if len(text) >= 2 and text[0] == text[-1] and text[0] in "'\"":
        return text[1:-1]
    if text in ("true", "True", "false", "False"):
        return text in ("true", "True")
    if text.isascii() and "_" not in text and len(text) <= 400:
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                pass
    return text


def _constants(value: object) -> Constant | Constants:
    if isinstance(value, list | tuple | set | frozenset):
        if len(value) > MAX_ITEMS:
            raise RefusalError(f"a list may have at most {MAX_ITEMS} items.")
        return comparisons.constants([_constant(item) for item in value], is_ordered=isinstance(value, list | tuple))
    return _constant(value)


def _constant(value: object) -> Constant:
    value = _plain(value)
    if isinstance(value, datetime):
        try:
            return comparisons.constant(check_time("a time", value))
        except InvalidRevisionError as error:
            raise RefusalError(str(error)) from None
    if isinstance(value, date):
        return comparisons.constant(datetime.combine(value, time(), UTC))
    return comparisons.constant(value)


def _plain(value: object) -> object:
    """Make a Python number or time of numpy's, which sweeps are full of."""
    item = getattr(value, "item", None)
    return item() if callable(item) and getattr(value, "ndim", None) == 0 else value
