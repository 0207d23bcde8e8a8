"""Which revisions a search looks at, and in which order the hits come."""

from dataclasses import dataclass
from datetime import datetime

from openg2g.catalog.engine import clock
from openg2g.catalog.history.reference import Viewpoint
from openg2g.catalog.search.order import SearchOrder
from openg2g.models.errors import InvalidRevisionError


@dataclass(frozen=True)
class SearchScope:
    """What is searched: by default what is in force now, sorted by name.

    Attributes:
        as_of: What was in force at this time; None for now.
        known_at: From what the catalog knew at this time; None for all it knows.
        all_revisions: Every revision instead of what was in force at one time; those that retire a name have no
            workload and are no hits.
        sort: Keys of `openg2g.catalog.search.order.SORT_KEYS`, `-` before those that go from the greatest; also as one
            text, `"-total_gpus,name"`.

    Raises:
        InvalidRevisionError: A time has no offset, or `as_of` is given with `all_revisions`.
        FilterError: There is no such sort key.
    """

    as_of: datetime | None = None
    known_at: datetime | None = None
    all_revisions: bool = False
    sort: tuple[str, ...] | str = ()

    def __post_init__(self) -> None:
        """Check everything, and convert the times to UTC."""
        viewpoint = Viewpoint(self.as_of, self.known_at)
        object.__setattr__(self, "as_of", viewpoint.as_of)
        object.__setattr__(self, "known_at", viewpoint.known_at)
        keys = (
            (key.strip() for key in self.sort.split(",")) if isinstance(self.sort, str) else map(str, self.sort or ())
        )
        object.__setattr__(self, "sort", tuple(keys))
        if self.all_revisions and self.as_of is not None:
            raise InvalidRevisionError("as_of asks what was in force at one time: leave it out, or all_revisions.")
        _ = self.order

    @property
    def order(self) -> SearchOrder:
        """The order of the hits."""
        return SearchOrder(tuple(self.sort))

    def resolved(self) -> "ResolvedScope":
        """Say what now means."""
        if self.all_revisions:
            return ResolvedScope(None, self.known_at)
        return ResolvedScope(self.as_of or clock.now(), self.known_at, is_now=self.as_of is None)


EVERYTHING_IN_FORCE = SearchScope()
"""What is in force now, sorted by name."""


@dataclass(frozen=True)
class ResolvedScope:
    """A scope whose times are known.

    Attributes:
        as_of: What was in force then; None for every revision.
        known_at: From what was known then; None for all that is known.
        is_now: Whether `as_of` is the time of asking.
    """

    as_of: datetime | None
    known_at: datetime | None
    is_now: bool = False

    @property
    def alias_horizon(self) -> datetime:
        """The time whose aliases count."""
        return Viewpoint(None if self.is_now else self.as_of, self.known_at).alias_horizon
