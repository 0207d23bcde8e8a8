"""References: the texts that name a revision or a workload, parsed in one place.

NAME                     the revision of a name that is in force now
NAME@latest              the one with the highest number, in force or not
NAME@3                   revision 3 of it
NAME@-1                  the one before the highest number
NAME@production          the revision that an alias stands for
NAME@2026-03-01          the one in force at the start of that day, UTC
NAME@2026-03-01T12:00Z   the one in force at that time
sha256:ab12cd34          the workload with this digest, or any unique prefix of one
"""

import re
import reprlib
from dataclasses import dataclass
from datetime import datetime

from openg2g.models.digest import DIGEST_PREFIX
from openg2g.models.errors import InvalidReferenceError, InvalidRevisionError
from openg2g.models.instant import parse_instant
from openg2g.models.revision import check_alias, check_name, check_new_alias

_MIN_DIGEST_DIGITS = 4
_DIGEST = re.compile(rf"[0-9a-f]{{{_MIN_DIGEST_DIGITS},64}}")
_NUMBER = re.compile(r"-?[1-9][0-9]{0,17}")
_TIME = re.compile(r"[0-9]{4}-")

LATEST = "latest"
"""What stands in place of an alias for the highest number: no new alias is called so."""


@dataclass(frozen=True)
class NameReference:
    """A name: its revision in force, now or when the point of view says."""

    name: str

    def __str__(self) -> str:
        """As it is written."""
        return self.name


@dataclass(frozen=True)
class LatestReference:
    """The revision of a name with the highest number, in force or not."""

    name: str

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.name}@{LATEST}"


@dataclass(frozen=True)
class NumberReference:
    """A revision by its number; negative numbers count back from the highest."""

    name: str
    number: int

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.name}@{self.number}"


@dataclass(frozen=True)
class AliasReference:
    """The revision that an alias of a name stands for."""

    name: str
    alias: str

    def __str__(self) -> str:
        """As it is written."""
        return f"{self.name}@{self.alias}"


@dataclass(frozen=True)
class TimeReference:
    """The revision of a name that was in force at a time."""

    name: str
    time: datetime

    def __str__(self) -> str:
        """As it could be written."""
        return f"{self.name}@{self.time.isoformat().replace('+00:00', 'Z')}"


@dataclass(frozen=True)
class DigestReference:
    """A workload by the beginning of its digest, `sha256:` included."""

    prefix: str

    def __str__(self) -> str:
        """As it is written."""
        return self.prefix


Reference = NameReference | LatestReference | NumberReference | AliasReference | TimeReference | DigestReference


def parse_reference(text: str) -> Reference:
    """Read a reference.

    Example:
        >>> parse_reference("fleet@3")
        NumberReference(name='fleet', number=3)
    """
    if not isinstance(text, str):
        raise InvalidReferenceError(f"a reference must be a string, got {reprlib.repr(text)}.")
    if text.startswith(DIGEST_PREFIX):
        digits = text.removeprefix(DIGEST_PREFIX).lower()
        if not _DIGEST.fullmatch(digits):
            raise InvalidReferenceError(
                f"{text!r} is no reference: {DIGEST_PREFIX} takes {_MIN_DIGEST_DIGITS} to 64 hexadecimal digits."
            )
        return DigestReference(DIGEST_PREFIX + digits)
    name, at, rest = text.partition("@")
    try:
        check_name(name)
        if not at:
            return NameReference(name)
        if rest == LATEST:
            return LatestReference(name)
        if _NUMBER.fullmatch(rest):
            return NumberReference(name, int(rest))
        if _TIME.match(rest):
            return TimeReference(name, parse_instant(rest))
        if rest.isascii() and rest.lstrip("+-").isdecimal():
            raise ValueError(f"a revision is 1, 2, … or, counted back, -1, -2, …, got {rest}.")
        return AliasReference(name, check_alias(rest))
    except ValueError as error:  # Of a name, an alias or a time.
        raise InvalidReferenceError(f"{text!r} is no reference: {error}") from None


def alias_target(name: str, alias: str, revision: int | None) -> Reference:
    """Return what an alias of a name shall stand for: a revision by its number, or the one in force."""
    if check_new_alias(alias) == LATEST:
        raise InvalidRevisionError(
            f"alias {LATEST!r} is reserved: NAME@{LATEST} is the revision with the highest number."
        )
    return parse_reference(check_name(name) if revision is None else f"{check_name(name)}@{revision}")
