"""Times as people write them, and as the catalog holds them: in UTC."""

import difflib
import reprlib
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import overload
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError, available_timezones

from openg2g.models.errors import InvalidRevisionError
from openg2g.models.secrets import masked_value

Time = datetime | str
"""A `datetime` with an offset from UTC, or what `parse_instant` reads: `2026-03-01`, `2026-03-01T12:00Z`."""

_SECOND = timedelta(seconds=1)


def parse_instant(text: str, zone: tzinfo | None = None) -> datetime:
    """Read an ISO 8601 time with its offset, or a date, which means its first instant.

    Args:
        text: The time or date.
        zone: Zone of a time without an offset, and of a date; None for UTC dates, and for refusing such a time.

    Returns:
        The instant in UTC.

    Raises:
        ValueError: The text is neither, does not say its zone, names a day that the zone leaves out or a time that it
            leaves out or has twice, or lies outside the years 1 to 9999 in UTC.

    Example:
        >>> parse_instant("2026-03-01").isoformat(), parse_instant("2026-03-01T12:00+01:00").isoformat()
        ('2026-03-01T00:00:00+00:00', '2026-03-01T11:00:00+00:00')
        >>> parse_instant("2026-07-01", parse_zone("Europe/Berlin")).isoformat()
        '2026-06-30T22:00:00+00:00'
    """
    day = _date(text)
    try:
        if day is not None:
            return _first_instant(day, zone or UTC, text)
        return _in_zone(_time(text), zone, text).astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999 in UTC.") from None


def parse_zone(name: str) -> tzinfo:
    """Find a time zone by its IANA name.

    Raises:
        ValueError: There is none of this name.
    """
    if name.upper() in ("UTC", "Z"):
        return UTC
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        close = difflib.get_close_matches(name, available_timezones(), n=3)
        hint = f" Did you mean {' or '.join(close)}?" if close else " Write an IANA name such as Europe/Berlin."
        raise ValueError(f"{masked_value(name)!r} is no time zone.{hint}") from None


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def _time(text: str) -> datetime:
    try:
        return datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{masked_value(text)!r} is no time. Write 2026-03-01 or 2026-03-01T12:00Z.") from None


def _first_instant(day: date, zone: tzinfo, text: str) -> datetime:
    """Return when a day begins in a zone: at midnight, the first of two, or when clocks go forward over midnight."""
    midnight = datetime.combine(day, time())
    first = midnight.replace(tzinfo=zone).astimezone(UTC)
    if not _is_skipped(midnight, zone):
        return first
    # Between the two instants that midnight would be by the clocks before and after, the clocks went forward.
    before = midnight.replace(tzinfo=zone, fold=1).astimezone(UTC) - _SECOND
    while first - before > _SECOND:
        middle = before + (first - before) // 2
        middle -= timedelta(microseconds=middle.microsecond)
        if middle.astimezone(zone).replace(tzinfo=None) < midnight:
            before = middle
        else:
            first = middle
    if first.astimezone(zone).date() != day:
        raise ValueError(f"{text!r} in {zone} does not exist there, the calendar leaves the day out.")
    return first


def _is_skipped(local: datetime, zone: tzinfo) -> bool:
    """Whether clocks go forward over a local time."""
    return local.replace(tzinfo=zone).astimezone(UTC).astimezone(zone).replace(tzinfo=None) != local


def _in_zone(local: datetime, zone: tzinfo | None, text: str) -> datetime:
    """Put a local time into a zone; clocks that go forward skip some, clocks that go back show some twice."""
    if local.utcoffset() is not None:
        return local
    if zone is None:
        raise ValueError(
            f"{text!r} does not say its zone. Write {text}Z for UTC, {text}+01:00 with an offset, or name a zone."
        )
    first, second = local.replace(tzinfo=zone, fold=0), local.replace(tzinfo=zone, fold=1)
    if first.utcoffset() == second.utcoffset():
        return first
    is_skipped = _is_skipped(local, zone)
    why = "does not exist there, the clocks go forward" if is_skipped else "comes twice there, the clocks go back"
    raise ValueError(f"{text!r} in {zone} {why}. Write the offset from UTC.")


def check_time(field_name: str, value: object) -> datetime:
    """Return a `Time` in UTC.

    Raises:
        InvalidRevisionError: It is none, does not say its offset, or lies outside the years 1 to 9999 in UTC.
    """
    if isinstance(value, str):
        try:
            return parse_instant(value)
        except ValueError as error:
            raise InvalidRevisionError(f"{field_name}: {error}") from None
    if not isinstance(value, datetime):
        raise InvalidRevisionError(f"{field_name} must be a datetime or ISO text, got {reprlib.repr(value)}.")
    if value.utcoffset() is None:
        raise InvalidRevisionError(f"{field_name} must say its offset from UTC, got {value.isoformat()}.")
    try:
        return value.astimezone(UTC)
    except OverflowError:
        raise InvalidRevisionError(f"{field_name} must lie between the years 1 and 9999 in UTC, got {value}.") from None


class TimeField:
    """A field of a dataclass that is given a `Time` or None, and holds it in UTC.

    Raises:
        InvalidRevisionError: As `check_time`.

    Example:
        >>> from dataclasses import dataclass
        >>> @dataclass(frozen=True)
        ... class Window:
        ...     since: TimeField = TimeField()
        >>> Window("2026-03-01T12:00+01:00").since
        datetime.datetime(2026, 3, 1, 11, 0, tzinfo=datetime.timezone.utc)
    """

    def __set_name__(self, owner: type, name: str) -> None:
        """Learn what it is called."""
        self._name = name

    @overload
    def __get__(self, instance: None, owner: type) -> None: ...
    @overload
    def __get__(self, instance: object, owner: type) -> datetime | None: ...
    def __get__(self, instance: object | None, owner: type) -> datetime | None:
        """Return the time; of the class the default, None."""
        if instance is None:
            return None
        time: datetime | None = instance.__dict__[self._name]
        return time

    def __set__(self, instance: object, value: Time | None) -> None:
        """Take a time, which the dataclass does once."""
        instance.__dict__[self._name] = None if value is None else check_time(self._name, value)


@lru_cache(maxsize=64)  # What was imported together has most of its times in common.
def time_text(time: datetime) -> str:
    """Write a time in UTC: 2026-03-01T12:00:00Z."""
    return time.astimezone(UTC).isoformat().replace("+00:00", "Z")
