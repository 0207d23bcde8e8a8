"""Times as people write them."""

from datetime import UTC, date, datetime, time


def parse_instant(text: str) -> datetime:
    """Read an ISO 8601 time with its offset, or a date, which means its start in UTC.

    Raises:
        ValueError: The text is neither, or lies outside the years 1 to 9999 in UTC.

    Example:
        >>> parse_instant("2026-03-01").isoformat(), parse_instant("2026-03-01T12:00+01:00").isoformat()
        ('2026-03-01T00:00:00+00:00', '2026-03-01T11:00:00+00:00')
    """
    try:
        return datetime.combine(date.fromisoformat(text), time(), UTC)
    except ValueError:
        pass
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is no time. Write 2026-03-01 or 2026-03-01T12:00Z.") from None
    if instant.utcoffset() is None:
        raise ValueError(f"{text!r} does not say its zone. Write {text}Z for UTC, or an offset such as {text}+01:00.")
    try:
        return instant.astimezone(UTC)
    except OverflowError:
        raise ValueError(f"{text!r} lies outside the years 1 to 9999 in UTC.") from None
