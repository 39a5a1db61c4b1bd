"""Daily pulses through both clock changes of a year, tick by tick: no day skipped or doubled.

The zones and times are those at which a scheduler that fires jobs by itself skips a day or
fires twice, and others whose clocks do something unusual.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
import time_machine
from cronsim import CronSim

from bot import app
from bot.house import PulsePlan
from storage.open import open_store
from storage.protocol import Timing
from storage.writer import Writer
from tests.bot.place import RIVERSIDE, Place
from tests.bot.ports import FakeClock
from tests.clock.test_wall import ZONES, changes
from tests.talk import survey_of

DAY = timedelta(days=1)
#: Changes at two, at midnight, by half an hour, and none; the other zones are for `make soak`.
ALWAYS = {"Europe/London", "America/Havana", "Australia/Lord_Howe", "Asia/Kolkata"}
EACH = [pytest.param(name, marks=[] if name in ALWAYS else pytest.mark.soak) for name in ZONES]
TIMES = ["00:00", "00:30", "01:00", "01:30", "02:00", "02:30", "03:00", "09:00"]


def daily(at: str, name: str = "") -> PulsePlan:
    hour, minute = at.split(":")
    return PulsePlan(
        name=name or f"at-{hour}-{minute}",
        survey_id=f"s{hour}-{minute}",
        cohorts=("riverside",),
        roles=("citizen",),
        cron=f"{int(minute)} {int(hour)} * * *",
    )


SURVEYS = tuple(
    survey_of(
        {"id": "goals", "kind": "yesno", "text": "Same goal?"},
        survey=daily(at).survey_id,
        title=f"Check-in of {at}",
    )
    for at in TIMES
)


@pytest.fixture
def place() -> Iterator[Place]:
    """In memory: thousands of ticks need no disk."""
    writer = Writer(lambda: open_store("sqlite://"))
    yield Place(writer, FakeClock(), "sqlite://")
    writer.close()


def expected(zone: ZoneInfo, at: str, first: date, last: date) -> dict[str, datetime]:
    """Give the local days and the instants at which cron would run, by cronsim."""
    hour, minute = at.split(":")
    begins = datetime.combine(first - DAY, time(23, 59), zone)
    line = CronSim(f"{int(minute)} {int(hour)} * * *", begins)
    found = {}
    for come in line:
        if come.date() > last:
            return found
        found[f"{come.date()}"] = come.astimezone(UTC)
    return found


def sent(place: Place) -> list[tuple[str, str]]:
    """Send what is due; give whom and which check-in."""
    return [
        (name, at)
        for name, prompt in place.deliver()
        for at in TIMES
        if f"Check-in of {at}" in prompt.text
    ]


@pytest.mark.parametrize("name", EACH)
def test_each_day_has_one_invitation_at_its_local_time(place: Place, name: str) -> None:
    """Somebody in the cohort's zone and somebody elsewhere, with a restart in every night."""
    zone, elsewhere = ZoneInfo(name), ZoneInfo("Asia/Kolkata")
    pulses = [daily(at) for at in TIMES]
    cohort = replace(RIVERSIDE, timezone=name)
    place.join("ann", "far")
    place.run(lambda store: store.set_timing("far", Timing(timezone="Asia/Kolkata")))
    zones = {"ann": zone, "far": elsewhere}
    # Where the clocks never change, two plain days: then cron itself is held.
    for change in list(changes(zone))[:2] or [date(2027, 3, 28), date(2027, 10, 31)]:
        first, last = change - DAY, change + DAY
        place.set_up(*pulses, cohorts=(cohort,), more=SURVEYS)
        seen: Counter[tuple[str, str, datetime]] = Counter()
        now = datetime.combine(first, time(), ZoneInfo("Pacific/Kiritimati")).astimezone(UTC)
        midnights = [datetime.combine(last + DAY, time(), own) for own in zones.values()]
        ends = max(midnights).astimezone(UTC)
        while now < ends:
            if now.hour == 1 and now.minute == 0:
                place.set_up(*pulses, cohorts=(cohort,), more=SURVEYS)
            place.tick(now)
            seen.update((who, at, now) for who, at in sent(place))
            now += timedelta(minutes=30)
        assert set(seen.values()) == {1}
        for who, own in zones.items():
            for at in TIMES:
                due = expected(own, at, first + DAY, last)
                came = sorted(when for one, hour, when in seen if (one, hour) == (who, at))
                within = [when for when in came if first < when.astimezone(own).date() <= last]
                assert within == list(due.values()), (who, at, change)


@pytest.mark.parametrize("name", ["Europe/London", "America/New_York", "Australia/Lord_Howe"])
def test_a_week_goes_on_through_a_change_also_where_we_were_down(place: Place, name: str) -> None:
    """Down for the night of the change: the morning's check-in comes late, once, that day."""
    zone = ZoneInfo(name)
    place.join("ann")
    for change in changes(zone):
        place.set_up(daily("09:00"), cohorts=(replace(RIVERSIDE, timezone=name),), more=SURVEYS)
        down = datetime.combine(change, time(0, 30), zone).astimezone(UTC)
        up = datetime.combine(change, time(11, 15), zone).astimezone(UTC)
        now = down - DAY
        seen = []
        while now < up + DAY:
            if not down <= now < up:
                place.tick(now)
                seen += [now.astimezone(zone) for _ in sent(place)]
            now += timedelta(minutes=15)
        days = [when.date() for when in seen]
        assert days == [change - DAY, change, change + DAY]
        assert seen[1].time() == time(11, 15)


def test_the_clock_of_the_machine_is_read_as_it_stands(place: Place) -> None:
    """With the clock that ``pulse run`` reads, set by time-machine."""
    place.clock = app.now  # type: ignore[assignment]
    place.set_up(daily("01:30"), more=SURVEYS)
    seen = []
    with time_machine.travel(datetime(2027, 10, 30, 12, 0, tzinfo=UTC), tick=False) as machine:
        place.join("ann")
        for _ in range(78):
            place.waves.tick(place.run)
            seen += [app.now() for _ in sent(place)]
            machine.shift(timedelta(minutes=30))
    # Twice half past one on 31 October: the first of the two counts.
    assert seen == [
        datetime(2027, 10, 31, 0, 30, tzinfo=UTC),
        datetime(2027, 11, 1, 1, 30, tzinfo=UTC),
    ]
