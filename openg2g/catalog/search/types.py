"""The SQL types of the language's kinds of values, and constants as bound parameters of them."""

from collections.abc import Mapping
from typing import Any

from sqlalchemy import BigInteger, Boolean, ColumnElement, Double, Text, false, literal, true

from openg2g.catalog.schema.types import UtcTimestamp
from openg2g.expressions.tree import Constant
from openg2g.expressions.types import Kind

SQL_TYPES: Mapping[Kind, Any] = {
    Kind.BOOLEAN: Boolean(),
    Kind.INTEGER: BigInteger(),
    Kind.FLOAT: Double(),
    Kind.TEXT: Text(),
    Kind.TIME: UtcTimestamp(),
}


def bound(constant: Constant) -> ColumnElement[Any]:
    """Return a constant as a bound parameter of its type."""
    if constant.type.kind is Kind.BOOLEAN:
        return true() if constant.value else false()
    return literal(constant.value, SQL_TYPES[constant.type.kind])
