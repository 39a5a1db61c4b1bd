"""Planning: when a wave writes to a person, how long that holds, and its reminders.

What lives here: the rules between a wave's rhythm and a person's hours, as pure functions of
what is kept. What must not: the store, or whom a wave concerns (``bot/inviting.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.clock.calendars import holiday_of
from bot.clock.fitting import Hours, fit, quiet_from
from bot.clock.wall import MIDNIGHT, instant, local_minute, shifted
from storage.protocol import Rhythm, Timing, Wave, Window

__all__ = ["Planner", "Reminders", "alone", "hours_of", "own_instant", "window_at", "zone_of"]

_DAY = timedelta(days=1)


def hours_of(wave: Wave, timing: Timing) -> Hours:
    """Put together when a wave may write to a person."""
    rhythm = wave.rhythm
    mine = () if timing.quiet is None else (timing.quiet,)
    waves = () if wave.quiet_hours is None else (wave.quiet_hours,)
    return Hours(
        zone=zone_of(timing, wave.timezone),
        minute=rhythm.minute if timing.minute is None else timing.minute,
        chosen=timing.minute is not None,
        quiet=(*waves, *mine),
        days_off=frozenset((*rhythm.days_off, *(timing.days_off or ()))),
        holiday=holiday_of(rhythm.holidays),
        away_until=timing.paused_until,
    )


def zone_of(timing: Timing, timezone: str) -> ZoneInfo:
    """Give a person's time zone: as they said, else as their platform says, else another.

    A name that this machine does not know (any more) is passed over.
    """
    for name in (timing.timezone, timing.told_timezone):
        if name is not None:
            try:
                return ZoneInfo(name)
            except (OSError, ValueError, KeyError):
                continue
    return ZoneInfo(timezone)


def own_instant(rhythm: Rhythm, hours: Hours, opens_at: datetime) -> datetime:
    """Give the instant at which a wave reaches a person by their own clock, before quiet
    hours and the like: their time on the wave's day; of one opened by hand the opening.
    """
    return opens_at if rhythm.at_once else hours.on(rhythm.opens_on)


def window_at(hours: Hours, at: datetime, until: datetime | None) -> Window | str:
    """Give when a message that is due at ``at`` may leave, or why it never may."""
    due_at = fit(hours, at, until)
    if isinstance(due_at, str):
        return due_at
    return Window(due_at=due_at, quiet_at=quiet_from(hours, due_at, until), expires_at=until)


def alone(timing: Timing, now: datetime, until: datetime | None) -> Window | str:
    """Give when something of no wave may leave from now on, or why it never may: what a
    person wants for themselves holds for it too.
    """
    hours = Hours(
        zone=zone_of(timing, "UTC"),
        minute=12 * 60 if timing.minute is None else timing.minute,
        chosen=timing.minute is not None,
        quiet=() if timing.quiet is None else (timing.quiet,),
        days_off=frozenset(timing.days_off or ()),
        away_until=timing.paused_until,
    )
    return window_at(hours, now, until)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminders:
    """What a look at somebody's reminders came to.

    Attributes:
        window: When the reminder ``number`` may leave; None where none is due now.
        number: Of the reminder that is due; the last one that is done with where none is.
        look_at: When to look again; None when there is nothing more to come.
        unsent: Number and reason of those that no time is left for.
    """

    window: Window | None
    number: int
    look_at: datetime | None
    unsent: tuple[tuple[int, str], ...] = ()


class Planner:
    """Plans one wave at one moment; alike people are reckoned once."""

    def __init__(self, wave: Wave, now: datetime) -> None:
        self._wave = wave
        self._now = now
        self._hours: dict[Timing, Hours] = {}
        self._windows: dict[Timing, Window | str] = {}
        self._looks: dict[tuple[Timing, datetime], datetime | None] = {}

    def hours(self, timing: Timing) -> Hours:
        """Give when the wave may write to a person."""
        hours = self._hours.get(timing)
        if hours is None:
            hours = self._hours[timing] = hours_of(self._wave, timing)
        return hours

    def until(self, timing: Timing) -> datetime | None:
        """Give when everything of the wave is stale for a person: at its close, at the next
        one's own instant, and of a daily pulse at the end of their day.
        """
        rhythm, hours = self._wave.rhythm, self.hours(timing)
        ends = [] if self._wave.closes_at is None else [self._wave.closes_at]
        if rhythm.next_on is not None:
            ends.append(hours.on(rhythm.next_on))
        if rhythm.daily:
            day = own_instant(rhythm, hours, self._wave.opens_at).astimezone(hours.zone).date()
            ends.append(instant(day + _DAY, MIDNIGHT, hours.zone))
        return min(ends, default=None)

    def last_day(self, timing: Timing) -> date | None:
        """Give the last local day on which a person can answer; None when only a hand ends it."""
        closes_at = self._wave.closes_at
        if closes_at is None:
            return None
        return (self.hours(timing).local(closes_at) - timedelta(microseconds=1)).date()

    def closing_minute(self, timing: Timing, at: datetime) -> int | None:
        """Give the local time at which the wave closes, in minutes after midnight, where an
        instant is on the last local day on which a person can answer; else None.
        """
        closes_at, hours = self._wave.closes_at, self.hours(timing)
        if closes_at is None or hours.local(closes_at).date() != hours.local(at).date():
            return None
        return local_minute(closes_at, hours.zone)

    def window(self, timing: Timing) -> Window | str:
        """Give when a person is invited, or why not.

        Whose instant has passed (they joined later, or we were down) is invited now, or at
        the time that they chose where that is still to come today.
        """
        window = self._windows.get(timing)
        if window is None:
            window = self._windows[timing] = self._window(timing)
        return window

    def _window(self, timing: Timing) -> Window | str:
        rhythm, hours, now = self._wave.rhythm, self.hours(timing), self._now
        at = own_instant(rhythm, hours, self._wave.opens_at)
        if at < now:
            chosen = hours.on(hours.local(now).date())
            at = chosen if hours.chosen and not rhythm.at_once and chosen > now else now
        return window_at(hours, at, self.until(timing))

    def again(self, timing: Timing, expires_at: datetime | None) -> Window | str:
        """Give when a message that waits may leave from now on, or why it never may."""
        return window_at(self.hours(timing), self._now, expires_at)

    # Reminders ------------------------------------------------------------------------

    def reminder_at(self, timing: Timing, base_at: datetime, number: int) -> datetime | str:
        """Give when a reminder comes, or why it does not.

        Args:
            timing: Whose.
            base_at: When they were invited.
            number: From 1.
        """
        after = self._wave.rhythm.remind_after[number - 1]
        hours = self.hours(timing)
        return fit(hours, shifted(base_at, after, hours.zone), self.until(timing))

    def first_look(self, timing: Timing, base_at: datetime) -> datetime | None:
        """Give when to look at somebody's reminders first; None when there are none."""
        alike = (timing, base_at)
        if alike not in self._looks:
            self._looks[alike] = self._first_look(timing, base_at)
        return self._looks[alike]

    def _first_look(self, timing: Timing, base_at: datetime) -> datetime | None:
        count = len(self._wave.rhythm.remind_after)
        times = (self.reminder_at(timing, base_at, number) for number in range(1, count + 1))
        # Those that no time is left for are noted by a look, too.
        return min((self._now if isinstance(at, str) else at for at in times), default=None)

    def reminders(self, timing: Timing, base_at: datetime, reminded: int) -> Reminders:
        """Look at somebody's reminders.

        Of several whose time has come (we were down, or they fell together) the last goes.

        Args:
            timing: Whose.
            base_at: When they were invited.
            reminded: Number of the last reminder that is done with.
        """
        count = len(self._wave.rhythm.remind_after)
        times = {
            number: self.reminder_at(timing, base_at, number)
            for number in range(reminded + 1, count + 1)
        }
        came = [n for n, at in times.items() if not isinstance(at, str) and at <= self._now]
        comes = [at for at in times.values() if not isinstance(at, str) and at > self._now]
        number = max(came, default=reminded)
        unsent = tuple((n, at) for n, at in times.items() if isinstance(at, str) and n > number)
        look = Reminders(
            window=None, number=reminded, look_at=min(comes, default=None), unsent=unsent
        )
        if not came:
            return look
        window = window_at(self.hours(timing), self._now, self.until(timing))
        if isinstance(window, str):
            return replace(look, number=number, unsent=((number, window), *unsent))
        if window.due_at > self._now:
            # Its time came while we were down, and now is no time to write.
            return replace(look, look_at=min([window.due_at, *comes]))
        return replace(look, window=window, number=number)
