"""Times and zones as people write them."""

import re
from datetime import UTC, date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openg2g.models.instant import parse_instant, parse_zone
from openg2g.models.secrets import without_secrets
from tests.strategies import examples


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-03-01", datetime(2026, 3, 1, tzinfo=UTC)),
        ("2024-02-29", datetime(2024, 2, 29, tzinfo=UTC)),
        ("0001-01-01", datetime(1, 1, 1, tzinfo=UTC)),
        ("9999-12-31", datetime(9999, 12, 31, tzinfo=UTC)),
        ("2026-03-01T12:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01 12:00Z", datetime(2026, 3, 1, 12, tzinfo=UTC)),
        ("2026-03-01T12:00:01.5Z", datetime(2026, 3, 1, 12, 0, 1, 500_000, tzinfo=UTC)),
        ("2026-03-01T00:30+01:00", datetime(2026, 2, 28, 23, 30, tzinfo=UTC)),
        ("2026-03-01T23:30-05:30", datetime(2026, 3, 2, 5, 0, tzinfo=UTC)),
        ("2026-03-01T12:00:00.123456+00:00", datetime(2026, 3, 1, 12, 0, 0, 123_456, tzinfo=UTC)),
        ("9999-12-31T23:59:59.999999Z", datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)),
    ],
)
def test_a_date_or_a_time_with_its_offset_becomes_a_time_in_utc(text: str, instant: datetime) -> None:
    found = parse_instant(text)
    assert found == instant
    assert found.tzinfo is UTC


@pytest.mark.parametrize("text", ["2026-03-01T12:00", "2026-03-01 12:00:00", "2026-03-01T12:00:00.5"])
def test_a_time_without_an_offset_is_refused_with_what_to_write(text: str) -> None:
    message = f"{text!r} does not say its zone. Write {text}Z for UTC, {text}+01:00 with an offset, or name a zone."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_instant(text)
    assert parse_instant(f"{text}Z") - parse_instant(f"{text}+01:00") == timedelta(hours=1)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "now",
        "yesterday",
        "1",
        "1772366400",
        "2026",
        "2026-03",
        "2026-3-1",
        "2026-02-29",
        "2026-13-01",
        "0000-01-01",
        "10000-01-01",
        "01/03/2026",
        "2026-03-01T25:00Z",
        "2026-03-01T12:00 UTC",
        "2026-03-01T12:00+24:00",
        " 2026-03-01",
        "2026-03-01\n",
        "２０２６-03-01",
        "\ud800",
        "\0",
    ],
)
def test_what_is_no_time_is_refused_with_what_to_write(text: str) -> None:
    with pytest.raises(
        ValueError, match=f"^{re.escape(f'{text!r} is no time. Write 2026-03-01 or 2026-03-01T12:00Z.')}$"
    ):
        parse_instant(text)


@pytest.mark.parametrize("text", ["0001-01-01T00:00+01:00", "9999-12-31T23:59:59-00:01"])
def test_a_time_that_leaves_the_calendar_in_utc_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(repr(text))} lies outside the years 1 to 9999 in UTC\.$"):
        parse_instant(text)


_OFFSETS = st.integers(-23 * 60 - 59, 23 * 60 + 59).map(lambda minutes: timezone(timedelta(minutes=minutes)))


@given(st.datetimes(datetime(2, 1, 1), datetime(9998, 12, 31), timezones=_OFFSETS))
@examples(100)
def test_every_time_with_an_offset_is_read_as_the_same_instant(instant: datetime) -> None:
    assert parse_instant(instant.isoformat()) == instant
    assert parse_instant(instant.isoformat()).utcoffset() == timedelta()


@given(st.text(max_size=30) | st.from_regex(r"[0-9]{4}-?[W0-9]{1,3}-?[0-9]{0,2}[T ]?[0-9:.]{0,15}[Z+-]?[0-9:]{0,6}"))
@examples(150)
def test_any_text_is_a_time_in_utc_or_a_value_error(text: str) -> None:
    try:
        found = parse_instant(text)
    except ValueError as error:
        assert str(error).startswith(repr(without_secrets(text)))
    else:
        assert found.tzinfo is UTC


# In a zone that the user names.


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2026-07-01", "Europe/Berlin", datetime(2026, 6, 30, 22, tzinfo=UTC)),
        ("2026-01-01", "America/New_York", datetime(2026, 1, 1, 5, tzinfo=UTC)),
        ("2026-07-01T12:00", "Asia/Kolkata", datetime(2026, 7, 1, 6, 30, tzinfo=UTC)),
        ("2026-03-29T01:59:59", "Europe/Berlin", datetime(2026, 3, 29, 0, 59, 59, tzinfo=UTC)),
        ("2026-03-29T03:00", "Europe/Berlin", datetime(2026, 3, 29, 1, tzinfo=UTC)),
        ("2026-10-25T03:00", "Europe/Berlin", datetime(2026, 10, 25, 2, tzinfo=UTC)),
        ("2026-07-01T12:00", "UTC", datetime(2026, 7, 1, 12, tzinfo=UTC)),
    ],
)
def test_a_date_or_a_time_without_an_offset_means_the_named_zone(text: str, zone: str, instant: datetime) -> None:
    found = parse_instant(text, parse_zone(zone))
    assert found == instant
    assert found.tzinfo is UTC


def test_an_offset_wins_over_the_named_zone() -> None:
    assert parse_instant("2026-07-01T12:00Z", parse_zone("Europe/Berlin")) == datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "zone", "instant"),
    [
        ("2026-09-06", "America/Santiago", datetime(2026, 9, 6, 4, tzinfo=UTC)),  # Clocks go forward at midnight.
        ("2018-11-04", "America/Sao_Paulo", datetime(2018, 11, 4, 3, tzinfo=UTC)),
        ("1919-03-31", "America/Toronto", datetime(1919, 3, 31, 4, 30, tzinfo=UTC)),  # At half past eleven, to 00:30.
        ("2025-11-02", "America/Havana", datetime(2025, 11, 2, 4, tzinfo=UTC)),  # Midnight comes twice.
        ("2011-12-31", "Pacific/Apia", datetime(2011, 12, 30, 10, tzinfo=UTC)),  # The day after one that was left out.
    ],
)
def test_a_date_means_its_first_instant_where_midnight_is_missing_or_comes_twice(
    text: str, zone: str, instant: datetime
) -> None:
    assert parse_instant(text, parse_zone(zone)) == instant
    if instant.astimezone(parse_zone(zone)).hour:
        with pytest.raises(ValueError, match="does not exist there, the clocks go forward"):
            parse_instant(f"{text}T00:00", parse_zone(zone))


@pytest.mark.parametrize(("text", "zone"), [("2011-12-30", "Pacific/Apia"), ("1993-08-21", "Pacific/Kwajalein")])
def test_a_day_that_the_calendar_leaves_out_is_refused(text: str, zone: str) -> None:
    with pytest.raises(ValueError, match=f"'{text}' in {zone} does not exist there, the calendar leaves the day out"):
        parse_instant(text, parse_zone(zone))


@examples(200)
@given(
    st.dates(datetime(1900, 1, 1).date(), datetime(2037, 12, 31).date()),
    st.sampled_from(
        ["America/Santiago", "America/Havana", "Africa/Cairo", "Asia/Beirut", "Europe/Berlin", "Asia/Tehran"]
    ),
)
def test_the_second_before_the_first_instant_of_a_date_is_of_another_date(day: date, zone: str) -> None:
    first = parse_instant(day.isoformat(), parse_zone(zone))
    assert first.astimezone(ZoneInfo(zone)).date() == day
    assert (first - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date() < day


def test_a_local_time_that_the_clocks_skip_is_refused() -> None:
    message = (
        "'2026-03-29T02:30' in Europe/Berlin does not exist there, the clocks go forward. Write the offset from UTC."
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_instant("2026-03-29T02:30", parse_zone("Europe/Berlin"))


def test_a_local_time_that_the_clocks_show_twice_is_refused() -> None:
    message = "'2026-10-25T02:30' in Europe/Berlin comes twice there, the clocks go back. Write the offset from UTC."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_instant("2026-10-25T02:30", parse_zone("Europe/Berlin"))


@pytest.mark.parametrize(("text", "zone"), [("0001-01-01", "Asia/Tokyo"), ("9999-12-31T23:59", "America/New_York")])
def test_a_local_time_that_leaves_the_calendar_in_utc_is_refused(text: str, zone: str) -> None:
    with pytest.raises(ValueError, match=rf"^{re.escape(repr(text))} lies outside the years 1 to 9999 in UTC\.$"):
        parse_instant(text, parse_zone(zone))


@given(st.datetimes(datetime(1900, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC)))
@examples(100)
def test_a_local_time_is_the_instant_it_was_written_for_or_refused(instant: datetime) -> None:
    zone = ZoneInfo("Europe/Berlin")
    local = instant.astimezone(zone)
    is_ambiguous = local.replace(fold=0).utcoffset() != local.replace(fold=1).utcoffset()
    try:
        assert parse_instant(local.replace(tzinfo=None, fold=0).isoformat(), zone) == instant
    except ValueError:
        assert is_ambiguous


@pytest.mark.parametrize("name", ["UTC", "utc", "Z", "z"])
def test_utc_needs_no_time_zone_database(name: str) -> None:
    assert parse_zone(name) is UTC


def test_an_unknown_zone_is_refused_with_close_matches() -> None:
    with pytest.raises(ValueError, match=r"^'Europe/Berlni' is no time zone\. Did you mean Europe/Berlin"):
        parse_zone("Europe/Berlni")


@pytest.mark.parametrize("name", ["", "?", "../../etc/passwd", "/etc/localtime", "Europe", "\0", "\ud800", "x" * 5000])
def test_what_is_no_zone_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"{name!r} is no time zone.")):
        parse_zone(name)


def test_a_zone_that_resembles_none_is_refused_with_an_example() -> None:
    message = "'?' is no time zone. Write an IANA name such as Europe/Berlin."
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        parse_zone("?")
