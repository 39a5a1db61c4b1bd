"""Fitting: the next instant at which somebody may be written to, and how long it lasts.

What lives here: quiet hours, days off, public holidays and being away, for one person. What
must not: waves and pulses (``planning.py``).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.clock.wall import MIDNIGHT, instant, local_minute

__all__ = ["Hours", "fit", "never", "quiet_from", "unfit", "within"]

_DAY = timedelta(days=1)

#: Looked ahead for a fit instant where nothing else ends it: more than any wave lasts.
_FAR = timedelta(days=400)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hours:
    """When one person may be written to, all that concerns them put together.

    Attributes:
        minute: Local time at which they are written to, in minutes after midnight.
        chosen: Whether they chose that time themselves.
        quiet: Pairs of local (from, until) in minutes after midnight without messages; a
            pair may pass midnight.
        days_off: Weekdays without messages, Monday 0.
        holiday: Whether a day is a public holiday.
        away_until: Local day from which on they may be written to; None for at any time.
    """

    zone: ZoneInfo
    minute: int
    chosen: bool = False
    quiet: tuple[tuple[int, int], ...] = ()
    days_off: frozenset[int] = frozenset()
    holiday: Callable[[date], bool] | None = None
    away_until: date | None = None

    def on(self, day: date) -> datetime:
        """Give the instant at which they are written to on a day."""
        return instant(day, self.minute, self.zone)

    def local(self, at: datetime) -> datetime:
        """Give an instant by their clock."""
        return at.astimezone(self.zone)


def unfit(hours: Hours, at: datetime) -> str | None:
    """Give why somebody is not written to at an instant; None when they may be."""
    return _day_reason(hours, hours.local(at).date()) or (
        "quiet" if _quiet_now(hours, local_minute(at, hours.zone)) is not None else None
    )


def fit(hours: Hours, at: datetime, until: datetime | None) -> datetime | str:
    """Give the first instant from ``at`` on at which somebody may be written to.

    On a later day it is their usual time; after quiet hours their end.

    Args:
        hours: Theirs.
        at: Aware UTC.
        until: Only before this instant; None for no bound.

    Returns:
        The instant, or why there is none: ``stale`` where ``at`` itself is too late, else
        what stands against it.
    """
    bound = at + _FAR if until is None else until
    reason = "stale"
    while at < bound:
        why = unfit(hours, at)
        if why is None:
            return at
        reason = why
        following = _after_quiet(hours, at) if why == "quiet" else _next_day(hours, at, bound)
        if following is None:
            break
        at = following
    return reason


def quiet_from(hours: Hours, at: datetime, until: datetime | None) -> datetime | None:
    """Give the first instant after ``at`` at which somebody may not be written to any more;
    None when none comes before ``until``.

    Args:
        hours: Theirs.
        at: When they may be written to.
        until: None for no bound.
    """
    bound = at + _FAR if until is None else until
    day = hours.local(at).date()
    while True:
        begins = [
            start
            for minute, end in hours.quiet
            for last in (False, True)
            if minute != end and (start := instant(day, minute, hours.zone, last=last)) > at
        ]
        if begins:
            first = min(begins)
            return first if first < bound else None
        day += _DAY
        midnight = instant(day, MIDNIGHT, hours.zone)
        if midnight >= bound:
            return None
        if unfit(hours, midnight) is not None:
            return midnight


def never(hours: Hours) -> bool:
    """Whether quiet hours leave no minute of the day, or days off no day of the week."""
    minutes = range(24 * 60)
    no_minute = bool(hours.quiet) and all(_quiet_now(hours, one) is not None for one in minutes)
    return no_minute or len(hours.days_off) == 7


def _day_reason(hours: Hours, day: date) -> str | None:
    if hours.away_until is not None and day < hours.away_until:
        return "away"
    if day.weekday() in hours.days_off:
        return "day_off"
    if hours.holiday is not None and hours.holiday(day):
        return "holiday"
    return None


def _quiet_now(hours: Hours, minute: int) -> tuple[int, int] | None:
    """Give the quiet hours that a local time falls in; None when it falls in none."""
    return next((quiet for quiet in hours.quiet if within(minute, quiet)), None)


def within(minute: int, quiet: tuple[int, int]) -> bool:
    """Whether a local time is in quiet hours; those that end as they begin are none."""
    begins, ends = quiet
    if begins < ends:
        return begins <= minute < ends
    return begins != ends and (minute >= begins or minute < ends)


def _after_quiet(hours: Hours, at: datetime) -> datetime:
    """Give the end of the quiet hours that an instant falls in; of two the second."""
    minute = local_minute(at, hours.zone)
    found = _quiet_now(hours, minute)
    ends = minute if found is None else found[1]
    day = hours.local(at).date() + (_DAY if minute >= ends else timedelta())
    return instant(day, ends, hours.zone, last=True)


def _next_day(hours: Hours, at: datetime, bound: datetime) -> datetime | None:
    """Give their usual time on the next day without a reason against it."""
    day = hours.local(at).date()
    last = hours.local(bound).date()
    if hours.away_until is not None and hours.away_until > day:
        day = min(hours.away_until, last + _DAY) - _DAY
    while day <= last:
        day += _DAY
        if _day_reason(hours, day) is None:
            return hours.on(day)
    return None
