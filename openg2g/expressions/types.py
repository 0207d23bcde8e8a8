"""The types of the language: what an expression gives, known before anything is looked up.

Numbers know their bounds. They tell beforehand whether arithmetic stays within what both databases compute alike: whole
numbers within 64 bits, and doubles that neither overflow nor vanish (PostgreSQL refuses either, SQLite does not).
"""

import sys
from dataclasses import dataclass
from enum import Enum

MIN_INTEGER = -(2**63)
MAX_INTEGER = 2**63 - 1
"""Bounds of the whole numbers that SQL computes with."""

LARGEST_IN_ARITHMETIC = 2**40
"""A stored whole number beyond this (10^12) has no value in arithmetic: products of plausible ones stay exact."""

FLOAT_RANGE = (1e-30, 1e30)
"""Magnitudes that a stored floating-point number other than 0 may have in arithmetic; others have no value there."""


class Kind(Enum):
    """What sort of value; the value of each member is how messages call it."""

    BOOLEAN = "condition"
    INTEGER = "whole number"
    FLOAT = "number"
    TEXT = "text"
    TIME = "time"
    ANNOTATION = "annotation"
    SPEC = "model spec"
    SEQUENCE = "list"
    MAPPING = "mapping"


@dataclass(frozen=True)
class Type:
    """A type.

    Attributes:
        kind: What sort of value.
        low: Least value of a whole number.
        high: Greatest value of a whole number.
        smallest: Least magnitude of a floating-point number other than 0.
        largest: Greatest magnitude of a floating-point number.
        item: Type of the items of a list, and of the values of a mapping.
    """

    kind: Kind
    low: int = MIN_INTEGER
    high: int = MAX_INTEGER
    smallest: float = 5e-324
    largest: float = sys.float_info.max
    item: "Type | None" = None

    @property
    def is_number(self) -> bool:
        """Whether it can be computed with."""
        return self.kind in (Kind.INTEGER, Kind.FLOAT)

    def __str__(self) -> str:
        """How messages call it."""
        article = "an" if self.kind is Kind.ANNOTATION else "a"
        of_items = f" of {self.item.kind.value}s" if self.item is not None and self.kind is Kind.SEQUENCE else ""
        return f"{article} {self.kind.value}{of_items}"


BOOLEAN = Type(Kind.BOOLEAN)
FLOAT = Type(Kind.FLOAT)
TEXT = Type(Kind.TEXT)
TIME = Type(Kind.TIME)
ANNOTATION = Type(Kind.ANNOTATION)
SPEC = Type(Kind.SPEC)


def integer(low: int = MIN_INTEGER, high: int = MAX_INTEGER) -> Type:
    """Type of whole numbers within bounds."""
    return Type(Kind.INTEGER, low, high)


def floating(smallest: float, largest: float) -> Type:
    """Type of floating-point numbers that are 0 or have a magnitude within bounds."""
    return Type(Kind.FLOAT, smallest=smallest, largest=largest)


COUNT = integer(0, 2**32)
"""Type of what `len` counts."""


def sequence_of(item: Type) -> Type:
    """Type of lists and tuples."""
    return Type(Kind.SEQUENCE, item=item)


def mapping_to(value: Type) -> Type:
    """Type of mappings from text to a type."""
    return Type(Kind.MAPPING, item=value)
