"""Nobody is invited more often than the budget allows, over all pulses."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock.fatigue import Budget, wears_out
from bot.clock.wall import instant
from storage.protocol import Earlier, Rhythm
from tests.clock.times import DAY, local, minutes, some_days, zones

LONDON = "Europe/London"


def asked(
    text: str, *, pulse: str | None = "other", zone: str = LONDON, put_off: int = 0
) -> Earlier:
    at = datetime.fromisoformat(text)
    return Earlier(
        pulse=pulse,
        opens_on=at.date(),
        minute=at.hour * 60 + at.minute,
        due_at=local(zone, text) + put_off * DAY,
    )


def tired(
    text: str,
    *earlier: Earlier,
    pulse: str | None = "pulse",
    budget: Budget | None = None,
    zone: str = LONDON,
    put_off: int = 0,
) -> bool:
    at = datetime.fromisoformat(text)
    return wears_out(
        budget or Budget(),
        due_at=local(zone, text) + put_off * DAY,
        pulse=pulse,
        rhythm=Rhythm(opens_on=at.date(), minute=at.hour * 60 + at.minute),
        earlier=earlier,
        zone=ZoneInfo(zone),
    )


def test_one_a_week_whichever_comes_first() -> None:
    assert not tired("2027-03-22 10:00")
    assert tired("2027-03-22 10:00", asked("2027-03-20 10:00"))
    assert tired("2027-03-22 10:00", asked("2027-03-24 10:00"))
    assert tired("2027-03-22 10:00", asked("2027-03-22 10:00"))
    assert not tired("2027-03-22 10:00", asked("2027-03-15 10:00"))
    assert tired("2027-03-22 10:00", asked("2027-03-15 10:01"))
    assert not tired("2027-03-22 10:00", asked("2027-03-29 10:00"))
    assert tired("2027-03-22 10:00", asked("2027-03-20 10:00", pulse=None), pulse=None)


def test_a_week_is_a_week_when_the_clocks_go_forward() -> None:
    assert not tired("2027-03-29 10:00", asked("2027-03-22 10:00"))
    assert not tired("2027-03-29 10:00", asked("2027-03-22 10:00", pulse="pulse"))
    assert not tired("2027-11-01 10:00", asked("2027-10-25 10:00"))


def test_what_a_holiday_put_off_does_not_cost_the_next_one_of_that_pulse() -> None:
    """Easter Monday: that week's came on Tuesday, six days before the next."""
    put_off = asked("2027-03-29 10:00", pulse="pulse", put_off=1)
    assert not tired("2027-04-05 10:00", put_off)
    assert tired("2027-04-05 10:00", put_off, pulse="another")
    # A pulse that comes too often is held by the budget all the same.
    assert tired("2027-04-01 10:00", asked("2027-03-29 10:00", pulse="pulse"))


def test_a_larger_budget_counts_every_stretch_of_time() -> None:
    budget = Budget(invitations=2, per=10 * DAY)
    two = (asked("2027-03-12 10:00"), asked("2027-03-20 10:00"))
    assert tired("2027-03-21 10:00", *two, budget=budget)
    assert not tired("2027-03-22 10:00", *two, budget=budget)
    assert not tired("2027-03-16 10:00", asked("2027-03-10 10:00"), budget=budget)
    around = (asked("2027-03-12 10:00"), asked("2027-03-20 10:00"), asked("2027-03-25 10:00"))
    assert tired("2027-03-22 10:00", *around, budget=budget)


@settings(deadline=None)
@given(
    zone=zones,
    budget=st.builds(
        Budget,
        invitations=st.integers(1, 3),
        per=st.timedeltas(timedelta(hours=6), timedelta(days=20)),
    ),
    waves=st.lists(
        st.tuples(some_days, minutes, st.sampled_from(["a", "b", None]), st.integers(0, 3)),
        max_size=14,
    ),
)
def test_whoever_opens_first_no_stretch_holds_more_than_the_budget(
    zone: str, budget: Budget, waves: list[tuple[date, int, str | None, int]]
) -> None:
    """Waves are opened in any order, and some are put off; who is not worn out is invited."""
    place = ZoneInfo(zone)
    invited: list[Earlier] = []
    for day, minute, pulse, put_off in waves:
        due_at = instant(day + put_off * DAY, minute, place)
        rhythm = Rhythm(opens_on=day, minute=minute)
        if not wears_out(
            budget, due_at=due_at, pulse=pulse, rhythm=rhythm, earlier=invited, zone=place
        ):
            invited.append(Earlier(pulse=pulse, opens_on=day, minute=minute, due_at=due_at))
    for pulse in ("a", "b", None):
        # Of different pulses, and of those without one, no two that were not planned so.
        others = sorted(
            one.due_at.astimezone(place).replace(tzinfo=None)
            for one in invited
            if one.pulse == pulse
        )
        planned = sorted(
            datetime(one.opens_on.year, one.opens_on.month, one.opens_on.day)
            + timedelta(minutes=one.minute)
            for one in invited
            if one.pulse == pulse
        )
        times = others if pulse is None else planned
        for first in times:
            within = [at for at in times if first <= at < first + budget.per]
            assert len(within) <= budget.invitations or pulse is not None
    if budget.invitations == 1:
        for number, one in enumerate(invited):
            for other in invited[:number]:
                apart = abs(
                    one.due_at.astimezone(place).replace(tzinfo=None)
                    - other.due_at.astimezone(place).replace(tzinfo=None)
                )
                same = one.pulse is not None and one.pulse == other.pulse
                assert apart >= budget.per or same


@settings(deadline=None)
@given(
    zone=zones,
    first=some_days,
    minute=minutes,
    every=st.integers(1, 30),
    moves=st.lists(st.integers(0, 6), min_size=8, max_size=8),
)
def test_a_pulse_as_rare_as_the_budget_is_never_held_back(
    zone: str, first: date, minute: int, every: int, moves: list[int]
) -> None:
    """Also where holidays put some of its waves off, and the clocks change."""
    place, budget = ZoneInfo(zone), Budget(per=every * DAY)
    invited: list[Earlier] = []
    for number, put_off in enumerate(moves):
        day = first + number * every * DAY
        due_at = instant(day + put_off * DAY, minute, place)
        rhythm = Rhythm(opens_on=day, minute=minute)
        assert not wears_out(
            budget, due_at=due_at, pulse="p", rhythm=rhythm, earlier=invited, zone=place
        )
        invited.append(Earlier(pulse="p", opens_on=day, minute=minute, due_at=due_at))
