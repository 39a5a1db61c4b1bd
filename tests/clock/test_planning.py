"""A wave and a person: one invitation at most, in its time, and reminders that end."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.clock.fitting import unfit
from bot.clock.planning import Planner, Reminders, hours_of, own_instant, zone_of
from storage.protocol import NO_END, Timing, Window
from tests.clock.times import DAY, MONDAY, local, minutes, quiets, some_days, timings, wave, zones

LONDON = "Europe/London"
NOBODY = Timing()
NIGHT = (20 * 60, 8 * 60)


def window(planned: Window | str) -> Window:
    assert isinstance(planned, Window), planned
    return planned


# Whose time ---------------------------------------------------------------------------


def test_what_a_person_said_goes_before_what_their_platform_says() -> None:
    both = Timing(timezone="Asia/Tokyo", told_timezone="Asia/Seoul")
    assert zone_of(both, LONDON) == ZoneInfo("Asia/Tokyo")
    assert zone_of(Timing(told_timezone="Asia/Seoul"), LONDON) == ZoneInfo("Asia/Seoul")
    assert zone_of(Timing(timezone="Mars/Base", told_timezone="../etc"), LONDON) == ZoneInfo(LONDON)
    assert zone_of(NOBODY, LONDON) == ZoneInfo(LONDON)


def test_the_waves_rules_and_the_persons_add_up() -> None:
    timing = Timing(minute=480, quiet=(13 * 60, 14 * 60), days_off=(0,), paused_until=NO_END)
    hours = hours_of(wave(quiet=NIGHT, days_off=(5, 6), holidays="GB-WLS"), timing)
    assert (hours.minute, hours.chosen) == (480, True)
    assert hours.quiet == (NIGHT, (13 * 60, 14 * 60))
    assert hours.days_off == {0, 5, 6}
    assert hours.away_until == NO_END
    assert hours.holiday is not None
    assert hours.holiday(date(2027, 3, 26))
    plain = hours_of(wave(), NOBODY)
    assert (plain.minute, plain.chosen, plain.quiet, plain.holiday) == (600, False, (), None)


# Invitations --------------------------------------------------------------------------


def test_everybody_is_written_to_at_the_same_time_of_their_own_day() -> None:
    opened = local("Asia/Tokyo", "2027-03-22 00:00")
    planner = Planner(wave(), opened)
    for zone in (LONDON, "Asia/Tokyo", "America/New_York"):
        due = window(planner.window(Timing(timezone=zone))).due_at
        assert due == local(zone, "2027-03-22 10:00")
    evening = window(planner.window(Timing(timezone="Asia/Tokyo", minute=18 * 60)))
    assert evening.due_at == local("Asia/Tokyo", "2027-03-22 18:00")


def test_who_joins_later_is_invited_now_and_at_their_chosen_time() -> None:
    now = local(LONDON, "2027-03-24 12:00")
    planner = Planner(wave(quiet=NIGHT), now)
    assert window(planner.window(NOBODY)).due_at == now
    chosen = window(planner.window(Timing(minute=18 * 60)))
    assert chosen.due_at == local(LONDON, "2027-03-24 18:00")
    assert window(planner.window(Timing(minute=9 * 60))).due_at == now
    night = Planner(wave(quiet=NIGHT), local(LONDON, "2027-03-24 22:00"))
    assert window(night.window(NOBODY)).due_at == local(LONDON, "2027-03-25 08:00")


def test_a_wave_opened_by_hand_writes_now_whatever_hour_was_chosen() -> None:
    now = local(LONDON, "2027-03-22 15:00")
    by_hand = wave(minute=15 * 60, opens_at=now, at_once=True)
    for timing in (NOBODY, Timing(minute=9 * 60), Timing(minute=18 * 60)):
        assert window(Planner(by_hand, now).window(timing)).due_at == now
    off = Timing(days_off=(0,), minute=9 * 60)
    assert window(Planner(by_hand, now).window(off)).due_at == local(LONDON, "2027-03-23 09:00")


def test_a_window_ends_with_the_night_and_expires_with_the_wave() -> None:
    one = wave(quiet=NIGHT)
    found = window(Planner(one, one.opens_at).window(NOBODY))
    assert found == Window(
        due_at=one.opens_at,
        quiet_at=local(LONDON, "2027-03-22 20:00"),
        expires_at=one.closes_at,
    )
    assert one.closes_at == local(LONDON, "2027-04-01 10:00") + timedelta(hours=1)


def test_a_daily_pulse_is_of_its_day_only() -> None:
    daily = wave(days=1, daily=True, next_on=MONDAY + DAY, quiet=NIGHT, days_off=(5, 6))
    planner = Planner(daily, daily.opens_at)
    assert window(planner.window(NOBODY)).expires_at == local(LONDON, "2027-03-23 00:00")
    assert planner.window(Timing(days_off=(0,))) == "day_off"
    assert planner.window(Timing(quiet=(8 * 60, 21 * 60))) == "quiet"
    assert planner.window(Timing(minute=21 * 60)) == "quiet"
    assert planner.window(Timing(paused_until=MONDAY + DAY)) == "away"
    west = Timing(timezone="US/Pacific")
    assert window(planner.window(west)).expires_at == local("US/Pacific", "2027-03-23 00:00")
    assert Planner(daily, local(LONDON, "2027-03-23 00:01")).window(NOBODY) == "stale"


def test_nobody_is_invited_past_the_next_opening_by_their_clock() -> None:
    weekly = wave(days=7, next_on=MONDAY + 7 * DAY)
    tokyo = Timing(timezone="Asia/Tokyo", paused_until=MONDAY + 7 * DAY)
    planner = Planner(weekly, weekly.opens_at)
    assert planner.until(tokyo) == local("Asia/Tokyo", "2027-03-29 10:00")
    assert planner.window(tokyo) == "away"
    assert planner.until(NOBODY) == local(LONDON, "2027-03-29 10:00")
    # So far west that the wave has closed before their day begins.
    far = Planner(wave(timezone="Pacific/Kiritimati", days=1), local(LONDON, "2027-03-21 20:00"))
    assert far.window(Timing(timezone="Pacific/Pago_Pago")) == "stale"


def test_what_waits_is_put_off_to_the_next_morning_or_given_up() -> None:
    evening = local(LONDON, "2027-03-22 22:00")
    planner = Planner(wave(quiet=NIGHT), evening)
    expires_at = local(LONDON, "2027-03-30 00:00")
    put_off = window(planner.again(NOBODY, expires_at))
    assert put_off.due_at == local(LONDON, "2027-03-23 08:00")
    assert put_off.expires_at == expires_at
    assert planner.again(NOBODY, local(LONDON, "2027-03-23 08:00")) == "quiet"
    assert window(planner.again(NOBODY, None)).expires_at is None


some_waves = st.builds(
    lambda day, minute, zone, days, quiet, off, daily, cal: wave(
        day,
        minute=minute,
        timezone=zone,
        days=days,
        quiet=quiet,
        days_off=tuple(sorted(off)),
        daily=daily,
        holidays=cal,
        next_on=day + days * DAY,
    ),
    some_days,
    minutes,
    zones,
    st.integers(1, 31),
    quiets,
    st.sets(st.integers(0, 6), max_size=3),
    st.booleans(),
    st.sampled_from([None, "GB-WLS", "US", "AU-NSW", "WS"]),
)


@settings(deadline=None)
@given(fielded=some_waves, timing=timings, late=st.timedeltas(timedelta(-2), timedelta(5)))
def test_an_invitation_comes_at_a_fit_instant_within_the_wave(
    fielded: object, timing: Timing, late: timedelta
) -> None:
    one = fielded
    assert isinstance(one, type(wave()))
    now = one.opens_at + late
    planner = Planner(one, now)
    hours = planner.hours(timing)
    planned = planner.window(timing)
    if isinstance(planned, str):
        assert planned in {"stale", "away", "day_off", "holiday", "quiet"}
        return
    assert unfit(hours, planned.due_at) is None
    own = own_instant(one.rhythm, hours, one.opens_at)
    assert planned.due_at >= max(own, min(now, own))
    assert planned.due_at >= own
    assert planned.due_at.astimezone(hours.zone).date() >= one.rhythm.opens_on
    assert one.closes_at is not None
    assert planned.due_at < one.closes_at
    assert planned.expires_at is not None
    assert planned.due_at < planned.expires_at <= one.closes_at
    if one.rhythm.daily:
        assert planned.due_at.astimezone(hours.zone).date() == one.rhythm.opens_on
    # At the wave's own instant the same comes out, whoever plans and however often.
    assert planner.window(timing) == planned
    assert Planner(one, min(now, planned.due_at)).window(timing) == planned


# Reminders ----------------------------------------------------------------------------

REMIND = (2 * DAY, 5 * DAY)
REMINDED = wave(remind_after=REMIND)
BASE = REMINDED.opens_at


def looked(
    now: datetime, *, reminded: int = 0, timing: Timing = NOBODY, **given: object
) -> Reminders:
    one = wave(remind_after=REMIND, **given) if given else REMINDED  # type: ignore[arg-type]
    return Planner(one, now).reminders(timing, BASE, reminded)


def test_reminders_come_at_the_same_time_of_the_day_also_when_clocks_change() -> None:
    """London's clocks go forward between the invitation and the second reminder."""
    base = local(LONDON, "2027-03-25 10:00")
    planner = Planner(wave(date(2027, 3, 25), remind_after=REMIND), base)
    assert planner.reminder_at(NOBODY, base, 1) == local(LONDON, "2027-03-27 10:00")
    assert planner.reminder_at(NOBODY, base, 2) == local(LONDON, "2027-03-30 10:00")
    assert planner.first_look(NOBODY, base) == local(LONDON, "2027-03-27 10:00")
    seconds = base + timedelta(seconds=7, microseconds=5)
    assert planner.reminder_at(NOBODY, seconds, 1) == local(LONDON, "2027-03-27 10:00") + timedelta(
        seconds=7, microseconds=5
    )
    hours = Planner(wave(remind_after=(timedelta(hours=3), timedelta(hours=36))), BASE)
    assert hours.reminder_at(NOBODY, BASE, 1) == BASE + timedelta(hours=3)
    assert hours.reminder_at(NOBODY, BASE, 2) == BASE + timedelta(hours=36)


def test_a_reminder_is_looked_at_goes_and_is_done() -> None:
    before = looked(BASE + DAY)
    assert before == Reminders(window=None, number=0, look_at=BASE + 2 * DAY)
    first = looked(BASE + 2 * DAY)
    assert window(first.window or "").due_at == BASE + 2 * DAY
    assert (first.number, first.unsent) == (1, ())
    assert first.look_at == local(LONDON, "2027-03-27 10:00")
    last = looked(local(LONDON, "2027-03-27 10:00"), reminded=1)
    assert (last.number, last.look_at) == (2, None)
    assert last.window is not None
    done = looked(local(LONDON, "2027-03-27 10:00"), reminded=2)
    assert done == Reminders(window=None, number=2, look_at=None)


def test_of_two_reminders_that_we_missed_one_goes() -> None:
    late = looked(BASE + 6 * DAY)
    assert (late.number, late.look_at, late.unsent) == (2, None, ())
    assert late.window is not None


def test_two_reminders_that_fall_together_are_one() -> None:
    """Both fall on days off, so both would come on Monday morning."""
    friday = local(LONDON, "2027-03-19 10:00")
    one = wave(date(2027, 3, 19), days_off=(5, 6), remind_after=(DAY, 2 * DAY))
    monday = local(LONDON, "2027-03-22 10:00")
    assert Planner(one, friday).first_look(NOBODY, friday) == monday
    found = Planner(one, monday).reminders(NOBODY, friday, 0)
    assert (found.number, found.look_at) == (2, None)


def test_a_reminder_waits_for_the_morning_also_after_we_were_down() -> None:
    night = local(LONDON, "2027-03-24 23:00")
    found = looked(night, quiet=NIGHT)
    assert found.window is None
    assert (found.number, found.look_at) == (0, local(LONDON, "2027-03-25 08:00"))
    # Before the second one's own time.
    later = looked(local(LONDON, "2027-03-26 23:00"), reminded=1, quiet=NIGHT)
    assert later.look_at == local(LONDON, "2027-03-27 10:00")


def test_reminders_that_no_time_is_left_for_are_told() -> None:
    away = looked(BASE + DAY, timing=Timing(paused_until=NO_END))
    assert away == Reminders(window=None, number=0, look_at=None, unsent=((1, "away"), (2, "away")))
    short = looked(BASE + DAY, days=4)
    assert short.unsent == ((2, "stale"),)
    assert short.look_at == BASE + 2 * DAY
    planner = Planner(REMINDED, BASE)
    assert planner.first_look(Timing(paused_until=NO_END), BASE) == BASE
    assert Planner(wave(), BASE).first_look(NOBODY, BASE) is None
    # Its time has come, and no time to write is left.
    end = local(LONDON, "2027-03-27 09:30")
    gone = looked(end, timing=Timing(quiet=(9 * 60, 11 * 60)), days=5)
    assert gone == Reminders(
        window=None, number=1, look_at=None, unsent=((1, "quiet"), (2, "stale"))
    )


@settings(deadline=None)
@given(
    fielded=some_waves,
    timing=timings,
    remind=st.lists(st.timedeltas(timedelta(hours=1), timedelta(days=9)), max_size=4, unique=True),
    step=st.timedeltas(timedelta(minutes=20), timedelta(days=3)),
)
def test_looked_at_in_time_or_late_each_reminder_goes_once_at_a_fit_instant(
    fielded: object, timing: Timing, remind: list[timedelta], step: timedelta
) -> None:
    one = fielded
    assert isinstance(one, type(wave()))
    one = replace(one, rhythm=replace(one.rhythm, remind_after=tuple(sorted(remind))))
    base, reminded, sent = one.opens_at, 0, []
    look_at = Planner(one, base).first_look(timing, base)
    now = base
    for _ in range(60):
        if look_at is None:
            break
        # A tick every now and then, or one that comes late.
        now = max(now, look_at) + step / 60
        planner = Planner(one, now)
        found = planner.reminders(timing, base, reminded)
        assert found.number >= reminded
        if found.window is not None:
            assert found.window.due_at == now
            assert unfit(planner.hours(timing), now) is None
            assert found.number > reminded
            assert one.closes_at is not None
            assert now < one.closes_at
            sent.append(now)
        assert found.look_at is None or found.look_at > now
        look_at, reminded = found.look_at, found.number
    assert look_at is None
    assert len(sent) <= len(remind)
    assert sent == sorted(set(sent))


def test_time_is_utc() -> None:
    one = wave()
    found = window(Planner(one, one.opens_at).window(Timing(timezone="Asia/Tokyo")))
    for at in (found.due_at, found.expires_at):
        assert at is not None
        assert at.tzinfo is UTC


@pytest.mark.parametrize("quiet", [None, NIGHT])
def test_alike_people_are_reckoned_once(quiet: tuple[int, int] | None) -> None:
    planner = Planner(wave(quiet=quiet), BASE)
    assert planner.window(Timing(minute=700)) is planner.window(Timing(minute=700))
