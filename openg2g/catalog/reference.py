"""References: the texts that name a revision or a workload, parsed in one place.

NAME              the latest revision of a name
NAME@3            revision 3 of it
sha256:ab12cd34   the workload with this digest, or any unique prefix of one
"""

import re
from dataclasses import dataclass

from openg2g.models.digest import DIGEST_PREFIX
from openg2g.models.errors import InvalidReferenceError, InvalidRevisionError
from openg2g.models.revision import check_name

_MIN_DIGEST_DIGITS = 4
_DIGEST = re.compile(rf"[0-9a-f]{{{_MIN_DIGEST_DIGITS},64}}")
_NUMBER = re.compile(r"[1-9][0-9]{0,17}")


@dataclass(frozen=True)
class NameReference:
    """A revision of a name; the latest where `number` is None."""

    name: str
    number: int | None = None


@dataclass(frozen=True)
class DigestReference:
    """A workload by the beginning of its digest, `sha256:` included."""

    prefix: str


Reference = NameReference | DigestReference


def parse_reference(text: str) -> Reference:
    """Read a reference.

    Raises:
        InvalidReferenceError: The text is none.

    Example:
        >>> parse_reference("fleet@3")
        NameReference(name='fleet', number=3)
    """
    if text.startswith(DIGEST_PREFIX):
        digits = text.removeprefix(DIGEST_PREFIX).lower()
        if not _DIGEST.fullmatch(digits):
            raise InvalidReferenceError(
                f"{text!r} is no reference: {DIGEST_PREFIX} takes {_MIN_DIGEST_DIGITS} to 64 hexadecimal digits."
            )
        return DigestReference(DIGEST_PREFIX + digits)
    name, at, number = text.partition("@")
    try:
        check_name(name)
    except InvalidRevisionError as error:
        raise InvalidReferenceError(f"{text!r} is no reference: {error}") from None
    if not at:
        return NameReference(name)
    if not _NUMBER.fullmatch(number):
        raise InvalidReferenceError(f"{text!r} is no reference: after {name}@ comes a revision number >= 1.")
    return NameReference(name, int(number))
