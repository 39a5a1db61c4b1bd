"""Wall time: the days that a cron line names, and the instant of a local time.

A cron line names local days and one time of the day. Read so, no day can be left out or come
twice, whatever a zone's clocks do: the day is the truth, and its instant is worked out for
each zone. A local time that a clock change leaves out is the first instant after it, one that
comes twice is the first of the two, as cron has it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from cronsim import CronSim

__all__ = [
    "MIDNIGHT",
    "day_before",
    "days_of",
    "instant",
    "local_minute",
    "minute_of",
    "newest_day",
    "next_day",
    "next_due",
    "shifted",
]

#: In minutes after midnight.
MIDNIGHT = 0

_DAY = timedelta(days=1)


def minute_of(cron: str) -> int:
    """Give the time of the day that a cron line names, in minutes after midnight.

    Args:
        cron: Five fields; the first two name one hour and one minute.
    """
    line = _line(cron, date(2026, 1, 1))
    return min(line.hours) * 60 + min(line.minutes)


def days_of(cron: str, first: date, last: date) -> Iterator[date]:
    """Give the days that a cron line names, from ``first`` to ``last``, in order."""
    for at in _line(cron, first - _DAY, end=True):
        if at.date() > last:
            return
        yield at.date()


def next_day(cron: str, after: date) -> date | None:
    """Give the first day later than ``after`` that a cron line names; None when none comes."""
    at = next(_line(cron, after, end=True), None)
    return None if at is None else at.date()


def next_due(cron: str, zone: ZoneInfo, after: datetime) -> datetime:
    """Give the next instant, later than ``after``, that a cron line names in a zone.

    Args:
        cron: A line that always comes again.
        zone: Whose clock.
        after: Aware UTC.
    """
    minute = minute_of(cron)
    day = after.astimezone(zone).date() - _DAY
    while (found := next_day(cron, day)) is not None:
        at = instant(found, minute, zone)
        if at > after:
            return at
        day = found
    raise ValueError("the line names no time that comes")


def newest_day(cron: str, until: date) -> date | None:
    """Give the last day, up to ``until``, that a cron line names; None when there was none."""
    at = next(_line(cron, until, end=True, reverse=True), None)
    return None if at is None else at.date()


def day_before(cron: str, on: date) -> date | None:
    """Give the last day before ``on`` that a cron line names; None when there was none."""
    return newest_day(cron, on - _DAY)


def _line(cron: str, on: date, *, end: bool = False, reverse: bool = False) -> CronSim:
    """Read a cron line from a day on. Days are the same everywhere, so any clock does that
    never changes.
    """
    at = datetime.combine(on, time(23, 59, 59) if end else time(), UTC)
    # Going back begins before this instant, going on after it.
    return CronSim(cron, at + timedelta(seconds=1) if reverse else at, reverse=reverse)


@lru_cache(maxsize=4096)
def instant(on: date, minute: int, zone: ZoneInfo, *, last: bool = False) -> datetime:
    """Give the instant of a local time, in UTC.

    Args:
        on: The local day.
        minute: In minutes after midnight, below 24 hours.
        zone: Whose clock.
        last: Where the local time comes twice, the second instant.
    """
    wall = datetime.combine(on, time(minute // 60, minute % 60), zone)
    at = wall.replace(fold=int(last)).astimezone(UTC)
    if at.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return at
    # Left out. Read by the clock before the change it is after it, by the clock after the
    # change before it: the change is between the two.
    before, after = wall.replace(fold=1).astimezone(UTC), wall.replace(fold=0).astimezone(UTC)
    new = after.astimezone(zone).utcoffset()
    while after - before > timedelta(seconds=1):
        middle = before + timedelta(seconds=(after - before) // timedelta(seconds=2))
        if middle.astimezone(zone).utcoffset() == new:
            after = middle
        else:
            before = middle
    return after


def local_minute(at: datetime, zone: ZoneInfo) -> int:
    """Give the local time of an instant, in minutes after midnight."""
    local = at.astimezone(zone)
    return local.hour * 60 + local.minute


def shifted(at: datetime, after: timedelta, zone: ZoneInfo) -> datetime:
    """Give an instant some time later; whole days keep the local time of the day."""
    days, rest = divmod(after, _DAY)
    if not days:
        return at + rest
    local = at.astimezone(zone)
    later = instant(local.date() + days * _DAY, local_minute(at, zone), zone)
    return later + timedelta(seconds=local.second, microseconds=local.microsecond) + rest
