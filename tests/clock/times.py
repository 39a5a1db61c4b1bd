"""People's hours and waves for tests, and strategies that make them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from bot.clock.fitting import Hours
from storage.protocol import NO_END, Rhythm, Timing, Wave
from tests.clock.test_wall import ZONES

DAY = timedelta(days=1)
MONDAY = date(2027, 3, 22)


def local(zone: str, text: str) -> datetime:
    """Give the instant of a local time, such as ``2027-03-22 10:00``."""
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def hours(zone: str = "Europe/London", minute: int = 600, **given: object) -> Hours:
    return Hours(zone=ZoneInfo(zone), minute=minute, **given)  # type: ignore[arg-type]


def wave(
    opens_on: date = MONDAY,
    *,
    minute: int = 600,
    timezone: str = "Europe/London",
    days: int | None = 10,
    quiet: tuple[int, int] | None = None,
    opens_at: datetime | None = None,
    **rhythm: object,
) -> Wave:
    """Make a wave that is open for some days."""
    at = opens_at or datetime(
        opens_on.year, opens_on.month, opens_on.day, minute // 60, minute % 60,
        tzinfo=ZoneInfo(timezone),
    ).astimezone(UTC)  # fmt: skip
    return Wave(
        wave_id=f"pulse-place-{opens_on}",
        pulse="pulse",
        cohort="place",
        survey_id="small",
        revision="r",
        roles=("citizen",),
        questions_per_person=None,
        timezone=timezone,
        quiet_hours=quiet,
        state="open",
        opens_at=at,
        closes_at=None if days is None else at + days * DAY,
        rhythm=Rhythm(opens_on=opens_on, minute=minute, **rhythm),  # type: ignore[arg-type]
    )


zones = st.sampled_from(ZONES)
minutes = st.integers(0, 24 * 60 - 1)
quiets = st.none() | st.tuples(minutes, minutes).filter(lambda pair: pair[0] != pair[1])
weekdays = st.sets(st.integers(0, 6), max_size=4).map(lambda days: tuple(sorted(days)))
days_2027 = st.dates(date(2027, 1, 1), date(2027, 12, 31))
near_changes = st.builds(
    lambda day, shift: day + shift * DAY,
    st.sampled_from(
        [date(2027, 3, 14), date(2027, 3, 28), date(2027, 4, 4), date(2027, 10, 3),
         date(2027, 10, 31), date(2027, 11, 7)]
    ),
    st.integers(-3, 3),
)  # fmt: skip
some_days = days_2027 | near_changes
timings = st.builds(
    Timing,
    timezone=st.none() | zones,
    told_timezone=st.none() | zones,
    minute=st.none() | minutes,
    quiet=quiets,
    days_off=st.none() | weekdays,
    paused_until=st.none() | st.just(NO_END) | some_days,
)


def holiday_on(*days: date) -> Callable[[date], bool]:
    return frozenset(days).__contains__
