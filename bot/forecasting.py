"""Forecasts: who would be written to, and when, without sending or keeping anything.

What lives here: the schedule walked forward by the very rules by which it will be done
(``clock``). What must not: writing, or how it is shown
(``cli/forecasting.py``).

A forecast goes by what is known today: who is a member, what hours they want, and what was
sent. Nobody answers in it, so it has every reminder that may come.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.clock.invitation import planned_for
from bot.clock.opening import first_instant, scheduled
from bot.clock.planning import Planner, own_instant
from bot.clock.wall import days_of, minute_of
from bot.house import CohortPlan, House, PulsePlan
from storage.protocol import Candidate, Earlier, Store, Wave, Window

__all__ = ["Forecast", "Period", "forecast"]

#: Members looked up at a time.
_PAGE = 500

#: A day of a schedule begins this much before or after the same day in UTC at most.
_ZONES = timedelta(days=1)

#: Invitations of before this much longer than the budget's time are of no account.
_PUT_OFF = timedelta(days=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """From when to when is looked; aware UTC, the end exclusive."""

    begins_at: datetime
    ends_at: datetime

    def holds(self, at: datetime) -> bool:
        """Whether an instant is in it."""
        return self.begins_at <= at < self.ends_at


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """One thing that would be sent to one person, or would not.

    Attributes:
        at: When it may leave; where it is not sent, when it would have.
        timezone: In which the person reads their clock.
        number: 0 an invitation, else that of the reminder.
        planned_at: When it was due by their own clock, before quiet hours, days off,
            holidays and the like.
        reason: Why it is not sent; None where it is.
    """

    wave_id: str
    pulse: str
    cohort: str
    respondent_id: str
    channel: str
    at: datetime
    timezone: str
    number: int
    planned_at: datetime
    reason: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    """A wave that will open, or has.

    Attributes:
        kept: Whether it has opened already.
    """

    wave: Wave
    pulse: PulsePlan
    kept: bool


def forecast(
    store: Store,
    house: House,
    period: Period,
    *,
    now: datetime,
    pulses: Sequence[str] = (),
    cohorts: Sequence[str] = (),
) -> Iterator[Forecast]:
    """Give what would be sent in a period, wave after wave, in each by respondent_id.

    Args:
        store: Only read.
        house: Whose schedule.
        period: Not before ``now``.
        now: Aware UTC.
        pulses: Names of those to show; empty for all. Others still count for fatigue.
        cohorts: Likewise.
    """
    planned: dict[str, list[Earlier]] = defaultdict(list)
    people: dict[str, list[Candidate]] = {}
    for opening in _openings(store, house, period, now):
        cohort = opening.wave.cohort
        if cohort not in people:
            people[cohort] = list(_people(store, house, cohort, now))
        shown = (not pulses or opening.pulse.name in pulses) and (not cohorts or cohort in cohorts)
        for one in _of_wave(opening, people[cohort], house, planned, now=now):
            if shown and period.holds(one.at):
                yield one


def _openings(store: Store, house: House, period: Period, now: datetime) -> list[_Opening]:
    """Give the waves of a period, and those under way that may still write in it, in the order
    in which they open.
    """
    found = []
    for pulse in house.pulses:
        for name in pulse.cohorts:
            cohort = house.cohort(name)
            if cohort is not None:
                found += list(_openings_of(store, house, pulse, cohort, period, now))
    return sorted(found, key=lambda one: (one.wave.opens_at, one.wave.wave_id))


def _openings_of(
    store: Store,
    house: House,
    pulse: PulsePlan,
    cohort: CohortPlan,
    period: Period,
    now: datetime,
) -> Iterator[_Opening]:
    known = {
        wave.wave_id
        for wave in store.waves()
        if (wave.pulse, wave.cohort) == (pulse.name, cohort.name)
    }
    for wave_id in known:
        wave = store.wave(wave_id)
        if wave is not None and wave.state in {"open", "paused"}:
            yield _Opening(wave=wave, pulse=pulse, kept=True)
    moments, survey = store.moments(cohort.name), house.surveys[pulse.survey_id]
    minute = minute_of(pulse.cron)
    # From now on, not from the period on: what is sent before it counts for fatigue.
    first, last = (now - _ZONES).date(), (period.ends_at + _ZONES).date()
    for day in days_of(pulse.cron, first, last):
        wave = scheduled(pulse, cohort, survey, day, seed=None)
        begins_at = first_instant(day, minute, cohort.timezone, moments)
        if wave.wave_id not in known and now <= begins_at < period.ends_at:
            yield _Opening(wave=wave, pulse=pulse, kept=False)


def _people(store: Store, house: House, cohort: str, now: datetime) -> Iterator[Candidate]:
    per = timedelta() if house.budget is None else house.budget.per
    after: str | None = ""
    while after is not None:
        page, after = store.members_with_hours(
            cohort, since=now - per - _PUT_OFF, after=after, limit=_PAGE
        )
        yield from page


def _of_wave(
    opening: _Opening,
    people: Sequence[Candidate],
    house: House,
    planned: Mapping[str, list[Earlier]],
    *,
    now: datetime,
) -> Iterator[Forecast]:
    wave, rhythm = opening.wave, opening.wave.rhythm
    planner = Planner(wave, now)
    for one in people:
        if wave.roles and one.role not in wave.roles:
            continue
        hours = planner.hours(one.timing)
        own = own_instant(rhythm, hours, wave.opens_at)
        invited_at = _invited_at(one, wave) if opening.kept else None
        if invited_at is None:
            before = (*one.earlier, *planned[one.respondent_id])
            found = planned_for(planner, wave, one.timing, before, house.budget)
        else:
            found = Window(due_at=invited_at)
        said = Forecast(
            wave_id=wave.wave_id,
            pulse=opening.pulse.name,
            cohort=wave.cohort,
            respondent_id=one.respondent_id,
            channel=one.channel,
            at=own,
            timezone=hours.zone.key,
            number=0,
            planned_at=own,
        )
        if isinstance(found, str):
            yield replace(said, reason=found)
            continue
        yield replace(said, at=found.due_at)
        if invited_at is None:
            planned[one.respondent_id].append(
                Earlier(
                    pulse=wave.pulse,
                    opens_on=rhythm.opens_on,
                    minute=rhythm.minute,
                    due_at=found.due_at,
                )
            )
        for number in range(1, len(rhythm.remind_after) + 1):
            at = planner.reminder_at(one.timing, found.due_at, number)
            due = found.due_at + rhythm.remind_after[number - 1]
            if isinstance(at, str):
                yield replace(said, at=due, number=number, planned_at=due, reason=at)
            else:
                yield replace(said, at=at, number=number, planned_at=due)


def _invited_at(one: Candidate, wave: Wave) -> datetime | None:
    """Give when somebody was or will be invited to a wave that has opened; None when they
    were not.
    """
    for earlier in one.earlier:
        if (earlier.pulse, earlier.opens_on) == (wave.pulse, wave.rhythm.opens_on):
            return earlier.due_at
    return None
