"""Which revisions a search looks at, once its times are known."""

from dataclasses import dataclass
from datetime import datetime

from openg2g.catalog.engine import clock
from openg2g.catalog.history.when import EveryRevision, InForce, When


@dataclass(frozen=True)
class ResolvedScope:
    """The revisions that are looked at.

    Attributes:
        as_of: What was in force then; None for every revision.
        known_at: From what was known then; None for all that is known.
        is_now: Whether `as_of` is the time of asking.
    """

    as_of: datetime | None
    known_at: datetime | None
    is_now: bool = False

    @classmethod
    def of(cls, when: When) -> "ResolvedScope":
        """Say what now means."""
        if isinstance(when, EveryRevision):
            return cls(None, when.known_at)
        return cls(when.as_of or clock.now(), when.known_at, is_now=when.as_of is None)

    @property
    def alias_horizon(self) -> datetime:
        """The time whose aliases count."""
        return InForce(None if self.is_now else self.as_of, self.known_at).alias_horizon
