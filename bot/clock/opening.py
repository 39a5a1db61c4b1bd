"""Opening: which wave of a pulse and cohort is due, and what it will be.

What lives here: days of a pulse made into waves, as pure functions. What must not: opening
one (``bot/waves.py``).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.clock.wall import day_before, instant, minute_of, newest_day, next_day, shifted
from bot.house import CohortPlan, PulsePlan
from dialogues.survey import Survey
from storage.protocol import Rhythm, Wave

__all__ = ["by_hand", "due_day", "first_instant", "scheduled"]

_DAY = timedelta(days=1)

#: Nowhere is it a later day than this much after UTC.
_FURTHEST_EAST = timedelta(hours=14)

Moments = Iterable[tuple[str | None, int | None]]


def first_instant(day: date, minute: int, timezone: str, moments: Moments) -> datetime:
    """Give the first instant at which a day's wave reaches anybody.

    Args:
        day: The wave's.
        minute: The pulse's time of the day, in minutes after midnight.
        timezone: The cohort's.
        moments: Time zones and times of the day that members have of their own.
    """
    instants = [instant(day, minute, ZoneInfo(timezone))]
    for name, own in moments:
        try:
            zone = ZoneInfo(name or timezone)
        except (OSError, ValueError, KeyError):
            continue
        instants.append(instant(day, minute if own is None else own, zone))
    return min(instants)


def due_day(cron: str, timezone: str, moments: Moments, now: datetime) -> date | None:
    """Give the newest day of a pulse whose wave has reached somebody by ``now``."""
    minute, own = minute_of(cron), list(moments)
    day = newest_day(cron, (now.astimezone(UTC) + _FURTHEST_EAST).date())
    while day is not None and first_instant(day, minute, timezone, own) > now:
        day = day_before(cron, day)
    return day


def scheduled(
    pulse: PulsePlan, cohort: CohortPlan, survey: Survey, day: date, *, seed: str | None
) -> Wave:
    """Give the wave of a pulse and cohort on a day of its schedule; nothing is kept."""
    minute = minute_of(pulse.cron)
    opens_at = instant(day, minute, ZoneInfo(cohort.timezone))
    rhythm = Rhythm(opens_on=day, minute=minute)
    return _wave(pulse, cohort, survey, opens_at, rhythm, seed)


def by_hand(
    pulse: PulsePlan, cohort: CohortPlan, survey: Survey, opens_at: datetime, *, seed: str | None
) -> Wave:
    """Give the wave of a pulse and cohort that opens at an instant; nothing is kept.

    A day has one wave: opened by hand it stands for the one that is due later that day.
    """
    local = opens_at.astimezone(ZoneInfo(cohort.timezone))
    minute = local.hour * 60 + local.minute
    rhythm = Rhythm(opens_on=local.date(), minute=minute, at_once=True)
    return _wave(pulse, cohort, survey, opens_at, rhythm, seed)


def _wave(
    pulse: PulsePlan,
    cohort: CohortPlan,
    survey: Survey,
    opens_at: datetime,
    rhythm: Rhythm,
    seed: str | None,
) -> Wave:
    zone, day = ZoneInfo(cohort.timezone), rhythm.opens_on
    next_on = next_day(pulse.cron, day)
    ends = []
    if next_on is not None:
        ends.append(instant(next_on, minute_of(pulse.cron), zone))
    if pulse.close_after is not None:
        ends.append(shifted(opens_at, pulse.close_after, zone))
    closes_at = min(ends, default=None)
    daily = _is_daily(pulse.cron, day)
    return Wave(
        wave_id=f"{pulse.name}-{cohort.name}-{day}",
        pulse=pulse.name,
        cohort=cohort.name,
        survey_id=survey.survey_id,
        revision=survey.revision,
        roles=pulse.roles,
        questions_per_person=pulse.questions_per_person,
        timezone=cohort.timezone,
        quiet_hours=pulse.quiet_hours,
        state="open",
        opens_at=opens_at,
        closes_at=closes_at,
        rhythm=Rhythm(
            opens_on=day,
            minute=rhythm.minute,
            at_once=rhythm.at_once,
            next_on=next_on,
            daily=daily,
            days_off=tuple(sorted({*cohort.days_off, *pulse.days_off})),
            holidays=cohort.holidays,
            remind_after=tuple(
                after
                for after in pulse.remind_after
                if _has_time(opens_at, after, closes_at, zone, daily=daily)
            ),
        ),
        seed=seed,
    )


def _has_time(
    opens_at: datetime, after: timedelta, closes_at: datetime | None, zone: ZoneInfo, *, daily: bool
) -> bool:
    """Whether a reminder can come before the wave is over at all."""
    at = shifted(opens_at, after, zone)
    if daily and at.astimezone(zone).date() > opens_at.astimezone(zone).date():
        return False
    return closes_at is None or at < closes_at


def _is_daily(cron: str, day: date) -> bool:
    """Whether the day before or after the newest day of a pulse is one of its days too."""
    newest = newest_day(cron, day)
    if newest is None:
        return False
    return next_day(cron, newest) == newest + _DAY or day_before(cron, newest) == newest - _DAY
