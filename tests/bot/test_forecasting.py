"""A forecast is what then happens; nothing is sent or kept by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from bot.clock.fatigue import Budget
from bot.forecasting import Forecast, Period, forecast
from bot.house import CohortPlan, PulsePlan
from storage.protocol import Timing
from tests.bot.place import MONTHLY, RIVERSIDE, Place

WEEKLY = replace(MONTHLY, name="weekly", cron="0 9 * * mon", remind_after=(timedelta(days=2),),
                 close_after=timedelta(days=6), days_off=(5, 6))  # fmt: skip
DAILY = replace(MONTHLY, name="daily", cron="30 1 * * *", remind_after=(), close_after=None)
QUARTER = timedelta(minutes=15)


def look(place: Place, begins_at: datetime, days: int) -> list[Forecast]:
    period = Period(begins_at=begins_at, ends_at=begins_at + timedelta(days=days))
    return place.run(lambda store: list(forecast(store, place.runner.house, period, now=begins_at)))


def happens(place: Place, begins_at: datetime, days: int) -> set[tuple[str, datetime]]:
    """Let time pass by quarters of an hour, and give who was written to, and when."""
    found = set()
    for n in range(days * 96):
        at = begins_at + n * QUARTER
        place.tick(at)
        found |= {(name, at) for name, _ in place.deliver()}
    return found


def prepare(
    place: Place, begins_at: datetime, pulses: Sequence[PulsePlan], budget: Budget | None
) -> None:
    place.clock.at = begins_at
    cohort: CohortPlan = replace(RIVERSIDE, holidays="GB-WLS")
    place.set_up(*pulses, cohorts=(cohort,), budget=budget)
    place.join("ann", "bob", "cat", "dan", "eve")
    own = {
        "bob": Timing(timezone="America/New_York"),
        "cat": Timing(timezone="Australia/Sydney", minute=18 * 60),
        "dan": Timing(quiet=(8 * 60, 12 * 60), days_off=(0,)),
        "eve": Timing(paused_until=date(2027, 4, 6)),
    }
    for name, timing in own.items():
        place.run(lambda store, n=name, t=timing: store.set_timing(n, t))


@pytest.mark.parametrize(
    ("begins_on", "pulses", "budget"),
    [
        ((2027, 3, 12), (WEEKLY,), None),
        ((2027, 3, 26), (WEEKLY, MONTHLY), Budget()),
        ((2027, 10, 29), (DAILY,), None),
    ],
    ids=["spring in New York", "Easter, spring in London, fatigue", "autumn, every day"],
)
def test_what_is_forecast_is_what_happens(
    place: Place,
    begins_on: tuple[int, int, int],
    pulses: tuple[PulsePlan, ...],
    budget: Budget | None,
) -> None:
    begins_at = datetime(*begins_on, 6, 0, tzinfo=UTC)
    prepare(place, begins_at, pulses, budget)
    found = look(place, begins_at, 12)
    assert place.rows("select * from waves") == []
    expected = {(one.respondent_id, one.at) for one in found if one.reason is None}
    assert len(expected) > 10
    assert happens(place, begins_at, 12) == expected


def test_who_is_not_written_to_is_told_with_the_reason(place: Place) -> None:
    begins_at = datetime(2027, 3, 26, 6, 0, tzinfo=UTC)
    prepare(place, begins_at, (WEEKLY, replace(MONTHLY, cron="0 10 31 3 *")), Budget())
    found = [one for one in look(place, begins_at, 12) if one.pulse == "monthly"]
    reasons = {one.respondent_id: one.reason for one in found if one.number == 0}
    assert reasons["ann"] == "fatigue"
    assert reasons["eve"] is None
    weekly = [one for one in look(place, begins_at, 12) if one.pulse == "weekly"]
    # Easter Monday is a holiday: the next day, by everybody's own clock.
    easter = next(one for one in weekly if one.respondent_id == "ann" and one.number == 0)
    assert easter.planned_at == datetime(2027, 3, 29, 8, 0, tzinfo=UTC)
    assert easter.at.astimezone(ZoneInfo("Europe/London")).date() == date(2027, 3, 30)


def test_a_wave_that_is_open_goes_on_in_it(place: Place) -> None:
    begins_at = datetime(2027, 3, 8, 6, 0, tzinfo=UTC)
    prepare(place, begins_at, (WEEKLY,), None)
    place.tick(begins_at + timedelta(hours=3))
    place.deliver()
    now = begins_at + timedelta(hours=4)
    ann = [one for one in look(place, now, 4) if one.respondent_id == "ann"]
    assert [(one.number, one.reason) for one in ann] == [(1, None)]
    assert ann[0].at == datetime(2027, 3, 10, 9, 0, tzinfo=UTC)
