"""What is to come for one person: the day on which they are invited next.

What lives here: the schedule looked at for one person, by the rules by which they will be
invited (``clock``). What must not: inviting (``inviting.py``), or words.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice

from bot.clock.opening import scheduled
from bot.clock.planning import Planner, own_instant
from bot.clock.wall import days_of
from bot.house import CohortPlan, House, PulsePlan
from storage.protocol import Respondent, Store, Timing, Window

__all__ = ["next_day_for"]

#: How far ahead is looked, and at how many waves of a pulse.
_AHEAD = timedelta(days=400)
_WAVES = 20

_DAY = timedelta(days=1)


def next_day_for(store: Store, house: House, respondent: Respondent, now: datetime) -> date | None:
    """Give the day, by their own clock, on which somebody is invited next; None when nothing
    is planned for them. Nobody knows yet how often they will have been asked by then.

    Args:
        store: Only read.
        house: Whose schedule.
        respondent: Who; of their cohorts as they are now.
        now: Aware UTC.
    """
    timing = store.timing(respondent.respondent_id)
    days = [
        day
        for pulse in house.pulses
        if respondent.role in pulse.roles
        for name in pulse.cohorts
        if name in respondent.cohorts and (cohort := house.cohort(name)) is not None
        if (day := next(_days(store, house, pulse, cohort, timing, now), None)) is not None
    ]
    return min(days, default=None)


def _days(
    store: Store,
    house: House,
    pulse: PulsePlan,
    cohort: CohortPlan,
    timing: Timing,
    now: datetime,
) -> Iterator[date]:
    survey, first = house.surveys[pulse.survey_id], (now - _DAY).date()
    for day in islice(days_of(pulse.cron, first, first + _AHEAD), _WAVES):
        wave = scheduled(pulse, cohort, survey, day, seed=None)
        planner = Planner(wave, now)
        hours = planner.hours(timing)
        if own_instant(wave.rhythm, hours, wave.opens_at) <= now or store.wave(wave.wave_id):
            continue
        window = planner.window(timing)
        if isinstance(window, Window):
            yield hours.local(window.due_at).date()
