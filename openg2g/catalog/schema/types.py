"""The column types: one kind of value each, the same on both engines."""

from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import REAL, BigInteger, ColumnElement, DateTime, Dialect, Double, Integer, Text, cast
from sqlalchemy.types import TypeDecorator, TypeEngine, UserDefinedType

from openg2g.models.errors import DamagedCatalogError

BIG_INTEGER = BigInteger().with_variant(Integer(), "sqlite")
"""64 bits. STRICT tables know INTEGER only, which has them."""

DOUBLE: TypeEngine[float] = Double().with_variant(REAL(), "sqlite")
"""An IEEE double."""

CODE_POINT_TEXT = Text().with_variant(Text(collation="C"), "postgresql")
"""Text that sorts by code points on both engines."""


class UtcTimestamp(TypeDecorator[datetime]):
    """An instant in UTC with microseconds; text of fixed width on SQLite, which keeps no offset and sorts text."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """Text on SQLite."""
        return Text() if dialect.name == "sqlite" else DateTime(timezone=True)

    @property
    def python_type(self) -> type[datetime]:
        """What values are."""
        return datetime

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        """Convert to UTC; refuse a time without an offset, which SQLite would store as something else."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without an offset cannot be stored: {value}")
        utc = value.astimezone(UTC)
        return utc.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z" if dialect.name == "sqlite" else utc

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:
        """Return an aware datetime in UTC."""
        if value is None:
            return None
        return _time_of_text(value) if isinstance(value, str) else value.astimezone(UTC)


@lru_cache(maxsize=64)  # What was imported together has most of its times in common.
def _time_of_text(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except ValueError:
        raise DamagedCatalogError(f"a stored time is no time: {text!r}.", doubts=["content"]) from None


class JsonText(TypeDecorator[str]):
    """JSON as its exact text. Postgres' JSONB would reorder keys and turn 1e22 into an integer."""

    impl = Text()
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """JSON on Postgres, so that `->>` works there in plain SQL."""
        return _PostgresJson() if dialect.name == "postgresql" else Text()

    @property
    def python_type(self) -> type[str]:
        """What values are."""
        return str

    def column_expression(self, column: ColumnElement[Any]) -> ColumnElement[Any]:
        """Select the text itself: the driver would parse a JSON column."""
        return cast(column, Text)


class _PostgresJson(UserDefinedType[str]):
    """Postgres' JSON without SQLAlchemy's conversion: values are JSON text already."""

    cache_ok = True

    def get_col_spec(self, **_: Any) -> str:
        """Name of the type."""
        return "JSON"
