"""Times of steps: in the plain model a step takes a second of its own; when it was in a catalog, the catalog says."""

from datetime import UTC, datetime, timedelta, timezone

BEGINNING = datetime(2020, 1, 1, tzinfo=UTC)
"""When the plain model's time begins. Its year lies between the times that are given, as the real one does."""

GIVEN_TIMES = (
    datetime(2001, 2, 3, tzinfo=UTC),
    datetime(2010, 1, 1, 12, 30, 0, 1, tzinfo=UTC),
    datetime(2010, 1, 1, 13, 30, 0, 2, tzinfo=timezone(timedelta(hours=1))),
    datetime(2090, 6, 1, tzinfo=UTC),
    datetime(9999, 12, 31, 23, 59, 59, 999999, tzinfo=UTC),
)
"""Long before and long after every step: the same times in the model and in the catalogs."""

JUST_BEFORE = timedelta(microseconds=-1)


class StepClock:
    """The clock of the plain model, which goes on by a second with each step."""

    def __init__(self) -> None:
        """Begin before the first step."""
        self.now = BEGINNING

    def tick(self) -> None:
        self.now += timedelta(seconds=1)


class StepTimes:
    """Between the times of the plain model and those of two catalogs that are changed step by step together."""

    def __init__(self, clock: StepClock) -> None:
        """Know the given times only."""
        self._clock = clock
        self._real_of: dict[datetime, datetime] = {}
        self._plain_of: dict[datetime, datetime] = {time: time for time in GIVEN_TIMES}

    @property
    def recorded(self) -> list[datetime]:
        """The steps that recorded something, in the model's time."""
        return list(self._real_of)

    def real(self, plain: datetime) -> datetime:
        """Return when something is in the catalogs: a given time, that of a step, or just before one of these."""
        is_exact = plain in self._real_of or plain in GIVEN_TIMES
        known = plain if is_exact else plain - JUST_BEFORE
        real = known if known in GIVEN_TIMES else self._real_of[known]
        real += plain - known
        self._plain_of[real] = plain
        return real

    def plain(self, real: datetime) -> datetime:
        """Return when something is in the model; a time that was never seen is that of the present step."""
        if real not in self._plain_of:
            assert self._clock.now not in self._real_of, f"a step has two times, {real} is the second"
            assert not self._real_of or real > max(self._real_of.values()), "time goes on with every step"
            assert real <= datetime.now(UTC), "nothing is recorded in the future"
            self._real_of[self._clock.now] = real
            self._plain_of[real] = self._clock.now
        return self._plain_of[real]
