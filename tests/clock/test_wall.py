"""Local times and days, held against cron as cronsim reads it, in every zone there is."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, available_timezones

import pytest
from cronsim import CronSim

from bot.clock.wall import (
    day_before,
    days_of,
    instant,
    local_minute,
    minute_of,
    newest_day,
    next_day,
    next_due,
)

DAY = timedelta(days=1)
#: Zones of the field notes, and those whose clocks do something unusual.
ZONES = [
    "US/Pacific",
    "America/New_York",
    "Australia/Sydney",
    "Europe/London",
    "Australia/Lord_Howe",
    "Pacific/Apia",
    "Africa/Casablanca",
    "Africa/Cairo",
    "Asia/Beirut",
    "America/Havana",
    "America/Santiago",
    "Asia/Kolkata",
    "Pacific/Kiritimati",
]


def changes(zone: ZoneInfo, year: int = 2027) -> Iterator[date]:
    """Give the local days on which a zone's clocks change."""
    day = date(year, 1, 1)
    while day.year == year:
        begins, ends = (datetime.combine(one, time(), zone) for one in (day, day + DAY))
        if begins.utcoffset() != ends.utcoffset():
            yield day
        day += DAY


@pytest.mark.parametrize("name", sorted(available_timezones()))
def test_the_instant_of_a_local_time_is_that_of_cron(name: str) -> None:
    zone = ZoneInfo(name)
    for change in changes(zone):
        noon_before = datetime.combine(change - DAY, time(12), zone)
        for minute in range(0, 24 * 60, 30):
            line = CronSim(f"{minute % 60} {minute // 60} * * *", noon_before)
            by_cron = [next(line).astimezone(UTC) for _ in range(4)]
            ours = [instant(change + n * DAY, minute, zone) for n in range(-1, 4)]
            assert [at for at in ours if at > noon_before][:4] == by_cron


@pytest.mark.parametrize("name", ZONES)
def test_each_day_has_one_instant_and_they_are_in_order(name: str) -> None:
    zone = ZoneInfo(name)
    for minute in (0, 30, 60, 90, 120, 150, 180, 540):
        days = [date(2027, 1, 1) + n * DAY for n in range(365)]
        instants = [instant(day, minute, zone) for day in days]
        assert instants == sorted(set(instants))
        assert [at.astimezone(zone).date() for at in instants] == days


def test_a_time_that_comes_twice_has_two_instants() -> None:
    london = ZoneInfo("Europe/London")
    first = instant(date(2027, 10, 31), 90, london)
    last = instant(date(2027, 10, 31), 90, london, last=True)
    assert last - first == timedelta(hours=1)
    assert local_minute(first, london) == local_minute(last, london) == 90
    plain = date(2027, 6, 1)
    assert instant(plain, 90, london) == instant(plain, 90, london, last=True)


def test_a_time_that_is_left_out_is_the_first_after_it() -> None:
    for last in (False, True):
        at = instant(date(2027, 3, 28), 90, ZoneInfo("Europe/London"), last=last)
        assert at == datetime(2027, 3, 28, 1, 0, tzinfo=UTC)
    half = instant(date(2027, 10, 3), 135, ZoneInfo("Australia/Lord_Howe"))
    assert half.astimezone(ZoneInfo("Australia/Lord_Howe")).time() == time(2, 30)


def test_a_whole_day_that_is_left_out_ends_with_the_next() -> None:
    """Samoa went from 29 to 31 December 2011."""
    apia = ZoneInfo("Pacific/Apia")
    assert instant(date(2011, 12, 30), 540, apia) == instant(date(2011, 12, 31), 0, apia)


@pytest.mark.parametrize(
    ("cron", "days"),
    [
        ("0 10 1 * *", ["2027-01-01", "2027-02-01", "2027-03-01"]),
        ("30 9 * * MON", [f"2027-01-{day:02}" for day in (4, 11, 18, 25)] + ["2027-02-01"]),
        ("0 8 L * *", ["2027-01-31", "2027-02-28", "2027-03-31"]),
        ("0 8 * * 1#2", ["2027-01-11", "2027-02-08", "2027-03-08"]),
        ("0 8 29 2 *", ["2028-02-29"]),
    ],
)
def test_a_line_names_days(cron: str, days: list[str]) -> None:
    expected = [date.fromisoformat(day) for day in days]
    found = list(days_of(cron, date(2027, 1, 1), expected[-1]))
    assert found == expected
    assert list(days_of(cron, expected[0], expected[0])) == expected[:1]
    assert next_day(cron, expected[0] - DAY) == expected[0]
    assert newest_day(cron, expected[-1]) == expected[-1]
    assert newest_day(cron, expected[-1] + DAY) == expected[-1]
    before = day_before(cron, expected[-1])
    assert before == (expected[-2] if len(expected) > 1 else date(2024, 2, 29))


def test_a_stretch_without_such_a_day_has_none() -> None:
    assert list(days_of("0 8 1 * *", date(2027, 1, 2), date(2027, 1, 31))) == []


def test_the_minute_of_a_line() -> None:
    assert minute_of("30 9 * * 1-5") == 9 * 60 + 30
    assert minute_of("0 0 1 * *") == 0


@pytest.mark.parametrize("name", ZONES)
@pytest.mark.parametrize("cron", ["0 0 * * *", "30 1 * * *", "30 2 * * *", "0 9 * * 1"])
def test_what_comes_next_is_what_cron_says(name: str, cron: str) -> None:
    zone = ZoneInfo(name)
    at = datetime(2027, 1, 1, 12, 0, tzinfo=UTC)
    line = CronSim(cron, at.astimezone(zone))
    while at < datetime(2028, 1, 1, tzinfo=UTC):
        at = next_due(cron, zone, at)
        assert at == next(line).astimezone(UTC)
