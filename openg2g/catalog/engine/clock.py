"""What time it is: the one place that asks this machine's clock, and what asks the server's."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Any

from sqlalchemy import Connection, Label, select, type_coerce
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.functions import FunctionElement

from openg2g.catalog.schema.types import UtcTimestamp

TOLERANCE = timedelta(minutes=1)
"""By how much the clocks of machines may differ before anybody is told."""


def now() -> datetime:
    """Return the time by this machine's clock, UTC."""
    return datetime.now(UTC)


class _ServerTime(FunctionElement[datetime]):
    inherit_cache = True


@compiles(_ServerTime, "sqlite")
def _no_time(element: _ServerTime, compiler: SQLCompiler, **options: Any) -> str:
    return "NULL"


@compiles(_ServerTime, "postgresql")
def _clock_timestamp(element: _ServerTime, compiler: SQLCompiler, **options: Any) -> str:
    return "clock_timestamp()"


SERVER_TIME: Label[datetime] = type_coerce(_ServerTime(), UtcTimestamp()).label("server_time")
"""The time by the server's clock when the row is made; NULL on SQLite, which has no server."""


@dataclass(frozen=True)
class Clocks:
    """What this machine's clock and the server's, if there is one, said at one moment."""

    own: datetime
    server: datetime | None = None

    @property
    def earlier(self) -> datetime:
        """The time that is now for whoever has the slower of the two clocks."""
        return self.own if self.server is None else min(self.own, self.server)

    @cached_property
    def limit(self) -> datetime:
        """The latest time that a right clock can have given to anything by now."""
        return self.earlier + min(TOLERANCE, datetime.max.replace(tzinfo=UTC) - self.earlier)

    @property
    def is_own_wrong(self) -> bool:
        """Whether this machine's clock is not the server's."""
        return self.server is not None and abs(self.own - self.server) > TOLERANCE


def read_clocks(connection: Connection) -> Clocks:
    """Read this machine's clock and the server's."""
    server = connection.scalar(select(SERVER_TIME))
    return Clocks(now(), server)
