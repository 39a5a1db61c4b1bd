"""Nobody is written to in quiet hours, on days off and holidays, or while they are away."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from bot.clock.fitting import Hours, fit, never, quiet_from, unfit
from storage.protocol import NO_END
from tests.clock.times import (
    DAY,
    holiday_on,
    hours,
    local,
    minutes,
    quiets,
    some_days,
    weekdays,
    zones,
)

LONDON = "Europe/London"
NIGHT = (20 * 60, 8 * 60)


@pytest.mark.parametrize(
    ("at", "expected"),
    [
        ("2026-12-01 19:59", "2026-12-01 19:59"),
        ("2026-12-01 20:00", "2026-12-02 08:00"),
        ("2026-12-01 23:59", "2026-12-02 08:00"),
        ("2026-12-02 00:00", "2026-12-02 08:00"),
        ("2026-12-02 07:59", "2026-12-02 08:00"),
        ("2026-12-02 08:00", "2026-12-02 08:00"),
        # Clocks change in the night: still at eight.
        ("2027-03-27 22:00", "2027-03-28 08:00"),
        ("2027-10-30 22:00", "2027-10-31 08:00"),
    ],
)
def test_quiet_hours_pass_midnight(at: str, expected: str) -> None:
    quiet = hours(quiet=(NIGHT,))
    assert fit(quiet, local(LONDON, at), None) == local(LONDON, expected)


def test_quiet_hours_within_a_day_end_the_same_day() -> None:
    at = local(LONDON, "2026-12-01 12:30")
    assert fit(hours(quiet=((12 * 60, 14 * 60),)), at, None) == local(LONDON, "2026-12-01 14:00")
    assert fit(hours(), at, None) == at


def test_quiet_hours_of_two_are_kept_together() -> None:
    both = hours(quiet=(NIGHT, (7 * 60, 9 * 60 + 30)))
    assert fit(both, local(LONDON, "2026-12-01 21:00"), None) == local(LONDON, "2026-12-02 09:30")


def test_a_day_off_goes_on_at_the_usual_time() -> None:
    off = hours(days_off=frozenset({5, 6}))
    saturday = local(LONDON, "2027-03-27 15:00")
    assert fit(off, saturday, None) == local(LONDON, "2027-03-29 10:00")


def test_holidays_add_to_days_off() -> None:
    """Easter 2027: Friday and Monday are holidays, the days between are off."""
    holiday = holiday_on(date(2027, 3, 26), date(2027, 3, 29))
    off = hours(days_off=frozenset({5, 6}), holiday=holiday)
    assert fit(off, local(LONDON, "2027-03-26 10:00"), None) == local(LONDON, "2027-03-30 10:00")
    assert unfit(off, local(LONDON, "2027-03-26 10:00")) == "holiday"
    assert unfit(off, local(LONDON, "2027-03-27 10:00")) == "day_off"


def test_who_is_away_is_written_to_on_the_day_they_are_back() -> None:
    away = hours(away_until=date(2027, 1, 12))
    at = local(LONDON, "2026-12-20 10:00")
    assert unfit(away, at) == "away"
    assert fit(away, at, None) == local(LONDON, "2027-01-12 10:00")
    assert fit(away, at, local(LONDON, "2027-01-12 10:00")) == "away"
    assert fit(hours(away_until=NO_END), at, None) == "away"
    assert fit(hours(away_until=NO_END), at, at + DAY) == "away"


def test_what_leaves_no_time_says_why() -> None:
    at = local(LONDON, "2027-03-27 15:00")  # A Saturday.
    assert fit(hours(), at, at) == "stale"
    assert fit(hours(days_off=frozenset({5, 6})), at, at + DAY) == "day_off"
    assert fit(hours(holiday=holiday_on(at.date())), at, at + timedelta(hours=8)) == "holiday"
    assert fit(hours(quiet=((15 * 60, 16 * 60),)), at, at + timedelta(hours=1)) == "quiet"
    whole_day = hours(quiet=(NIGHT, (8 * 60, 20 * 60)))
    assert fit(whole_day, at, at + 9 * DAY) == "quiet"
    assert fit(hours(days_off=frozenset(range(7))), at, None) == "day_off"


def test_what_leaves_no_time_at_all_is_known() -> None:
    assert never(hours(quiet=(NIGHT, (8 * 60, 20 * 60))))
    assert never(hours(days_off=frozenset(range(7))))
    assert not never(hours(quiet=(NIGHT, (8 * 60, 19 * 60)), days_off=frozenset(range(6))))
    assert not never(hours())


def test_quiet_time_begins_with_the_next_night_or_day_off() -> None:
    at = local(LONDON, "2027-03-26 10:00")  # A Friday.
    assert quiet_from(hours(quiet=(NIGHT,)), at, None) == local(LONDON, "2027-03-26 20:00")
    off = hours(days_off=frozenset({5}))
    assert quiet_from(off, at, None) == local(LONDON, "2027-03-27 00:00")
    assert quiet_from(off, at, local(LONDON, "2027-03-27 00:00")) is None
    assert quiet_from(hours(quiet=(NIGHT,)), at, at + timedelta(hours=1)) is None
    assert quiet_from(hours(), at, at + 30 * DAY) is None
    assert quiet_from(hours(), at, None) is None


some_hours = st.builds(
    lambda zone, minute, quiet, more, days_off, holidays, away: hours(
        zone,
        minute,
        quiet=tuple(pair for pair in (quiet, more) if pair is not None),
        days_off=frozenset(days_off),
        holiday=holiday_on(*holidays),
        away_until=away,
    ),
    zones,
    minutes,
    quiets,
    quiets,
    weekdays,
    st.lists(some_days, max_size=5),
    st.none() | some_days,
)
instants = st.builds(
    lambda day, minute: (
        datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(minutes=minute)
    ),
    some_days,
    minutes,
)


@settings(deadline=None)
@given(theirs=some_hours, at=instants, days=st.integers(0, 20))
def test_the_instant_that_fits_is_no_quiet_one_and_the_first(
    theirs: Hours, at: datetime, days: int
) -> None:
    until = at + days * DAY
    found = fit(theirs, at, until)
    if isinstance(found, str):
        assert found == "stale" or unfit(theirs, at) is not None
        return
    assert at <= found < until
    assert unfit(theirs, found) is None
    # Nothing to write at was passed over but on a day that began with a reason against it.
    assert found == at or unfit(theirs, at) is not None


@settings(deadline=None)
@given(theirs=some_hours, at=instants, minute=minutes)
def test_with_quiet_hours_alone_later_never_fits_earlier(
    theirs: Hours, at: datetime, minute: int
) -> None:
    quiet = replace(theirs, days_off=frozenset(), holiday=None, away_until=None)
    assume(not never(quiet))
    until = at + 30 * DAY
    earlier, later = (fit(quiet, one, until) for one in (at, at + timedelta(minutes=minute)))
    assert isinstance(earlier, datetime)
    assert isinstance(later, datetime)
    assert earlier <= later


@settings(deadline=None)
@given(theirs=some_hours, at=instants, minute=minutes)
def test_with_days_off_alone_later_never_fits_on_an_earlier_day(
    theirs: Hours, at: datetime, minute: int
) -> None:
    """After a day off it is the usual time; on the day itself one may write before it."""
    off = replace(theirs, quiet=())
    until = at + 30 * DAY
    earlier, later = (fit(off, one, until) for one in (at, at + timedelta(minutes=minute)))
    if isinstance(earlier, datetime) and isinstance(later, datetime):
        days = [one.astimezone(off.zone).date() for one in (earlier, later)]
        assert days == sorted(days)


@settings(deadline=None)
@given(theirs=some_hours, at=instants, share=st.integers(0, 999))
def test_until_quiet_time_begins_one_may_write(theirs: Hours, at: datetime, share: float) -> None:
    until = at + 20 * DAY
    due = fit(theirs, at, until)
    if isinstance(due, str):
        return
    quiet = quiet_from(theirs, due, until)
    ends = until if quiet is None else quiet
    assert due < ends
    assert unfit(theirs, due + (ends - due) * share / 1000) is None
    if quiet is not None:
        assert unfit(theirs, quiet) is not None
