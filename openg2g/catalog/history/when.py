"""When a question is asked about: what was in force at one time or every revision, as known now or earlier."""

from dataclasses import dataclass
from datetime import UTC, datetime

from openg2g.models.instant import TimeField

END_OF_TIME = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True)
class InForce:
    """What was in force at one time: of each name one revision at most.

    Attributes:
        as_of: In force at this time; None for now.
        known_at: From what the catalog knew at this time; None for all it knows.

    Raises:
        InvalidRevisionError: A time is none, or does not say its offset from UTC.
    """

    as_of: TimeField = TimeField()
    known_at: TimeField = TimeField()

    @property
    def horizon(self) -> datetime:
        """The time after which nothing is known."""
        return self.known_at or END_OF_TIME

    @property
    def alias_horizon(self) -> datetime:
        """The time whose aliases count: aliases have one time only, that of being moved.

        Now hides none, not even one that was moved by a clock that is ahead.
        """
        return min(self.horizon, self.as_of or END_OF_TIME)


@dataclass(frozen=True)
class EveryRevision:
    """Every revision that has a workload.

    Attributes:
        known_at: As far as the catalog knew it at this time; None for all it knows.

    Raises:
        InvalidRevisionError: The time is none, or does not say its offset from UTC.
    """

    known_at: TimeField = TimeField()


When = InForce | EveryRevision

NOW = InForce()
"""What is in force now, from all that is known."""
