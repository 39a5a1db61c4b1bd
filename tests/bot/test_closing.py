"""The end of a wave: nobody slips in, paused ones end too, and damage holds up nobody else."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import pytest

from storage.protocol import Store
from tests.bot.place import MONTHLY, RIVERSIDE, Place, zoned

_T = TypeVar("_T")

OPENS = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)
CLOSES = OPENS + timedelta(days=10)
WAVE = "monthly-riverside-2026-12-01"
SECRET = replace(MONTHLY, name="hidden", survey_id="secret")


def states(place: Place) -> dict[str, str]:
    return {wave.wave_id: wave.state for wave in place.run(lambda store: store.waves())}


def pause(place: Place, wave_id: str = WAVE) -> None:
    place.run(lambda store: store.set_wave(wave_id, state="paused"))


def half_done(place: Place, *names: str) -> None:
    """Let people begin in the wave and stop in the middle."""
    place.join(*names)
    place.tick(OPENS)
    place.texts()
    place.clock.pass_(minutes=5)
    for name in names:
        place.answer(name, "yes", "yes")


def damage(place: Place, name: str) -> str:
    """Make somebody's conversation unreadable, and give its id."""

    def job(store: Any) -> None:
        query = "update sessions set body = '{\"v\":9}' where respondent_id = :name"
        store._driver.run(query, {"name": name})

    place.run(job)
    (row,) = place.rows("select session_id from sessions where respondent_id = ?", name)
    return str(row["session_id"])


class Interrupted(BaseException):
    """Stands for the end of the process."""


class Steps:
    """Runs jobs, and does something after each of them."""

    def __init__(self, place: Place, between: Callable[[int], None]) -> None:
        self.place = place
        self.between = between
        self.n = 0

    def __call__(self, job: Callable[[Store], _T]) -> _T:
        done = self.place.run(job)
        self.n += 1
        self.between(self.n)
        return done


def closing_steps(place: Place) -> int:
    """Close the wave, and give how many transactions that took."""
    steps = Steps(place, lambda _: None)
    place.waves.close(WAVE, steps)
    return steps.n


@pytest.mark.parametrize("moment", range(1, 5))
def test_nobody_begins_in_a_wave_while_it_closes(place: Place, moment: int) -> None:
    place.join("ann")
    place.tick(OPENS)
    place.texts()
    place.clock.pass_(hours=1)
    place.join("late")

    def between(n: int) -> None:
        if n == moment:
            place.write("late", "hello")

    steps = Steps(place, between)
    place.waves.close(WAVE, steps)
    assert steps.n >= 4
    assert states(place) == {WAVE: "closed"}
    place.answer("late", "yes", "yes", "words after the closing")
    assert list(place.dispositions()) == ["ann"]
    assert place.rows("select * from responses where wave_id is not null") == []


@pytest.mark.parametrize("moment", range(1, 4))
def test_who_comes_back_while_a_wave_closes_is_not_left_in_the_middle(
    place: Place, moment: int
) -> None:
    """Pressing or writing in the moment of the closing leaves no live conversation in it."""
    half_done(place, "ann", "ben")
    place.answer("ben", "stop")

    def between(n: int) -> None:
        if n == moment:
            place.write("ben", "/start")
            place.write("ann", "We meet.")

    place.waves.close(WAVE, Steps(place, between))
    assert place.run(lambda store: store.unfinished(WAVE)) == []
    assert set(place.dispositions().values()) <= {"complete", "partial", "break_off"}


@pytest.mark.parametrize("moment", range(1, 5))
@pytest.mark.parametrize("paused", [False, True])
def test_closing_is_taken_up_again_wherever_it_broke_off(
    place: Place, moment: int, paused: bool
) -> None:
    half_done(place, "ann", "ben")
    if paused:
        pause(place)

    def between(n: int) -> None:
        if n == moment:
            raise Interrupted

    with pytest.raises(Interrupted):
        place.waves.close(WAVE, Steps(place, between))
    place.set_up()
    place.tick(place.clock.pass_(minutes=1))
    assert states(place) == {WAVE: "closed"}
    told = {name: len(texts) for name, texts in place.texts().items()}
    assert told == ({} if paused else {"ann": 1, "ben": 1})
    assert set(place.dispositions().values()) == {"partial"}


def test_a_closed_wave_is_not_closed_again(place: Place) -> None:
    half_done(place, "ann")
    place.waves.close(WAVE, place.run)
    before = place.run(lambda store: store.wave(WAVE))
    place.clock.pass_(days=1)
    assert closing_steps(place) == 1
    assert place.run(lambda store: store.wave(WAVE)) == before


# Paused -------------------------------------------------------------------------------


def test_a_paused_wave_closes_when_its_time_is_over(place: Place) -> None:
    half_done(place, "ann", "ben")
    pause(place)
    place.tick(CLOSES - timedelta(seconds=1))
    assert states(place) == {WAVE: "paused"}
    place.tick(CLOSES)
    assert states(place) == {WAVE: "closed"}
    assert set(place.dispositions().values()) == {"partial"}


def test_the_next_wave_closes_a_paused_one(place: Place) -> None:
    place.set_up(replace(MONTHLY, close_after=None))
    half_done(place, "ann")
    pause(place)
    place.run(lambda store: store.set_wave(WAVE, closes_at=OPENS + timedelta(days=90)))
    place.tick(datetime(2027, 1, 1, 10, 0, tzinfo=UTC))
    assert states(place) == {WAVE: "closed", "monthly-riverside-2027-01-01": "open"}


def test_what_a_paused_wave_had_to_say_is_not_said_when_it_closes(place: Place) -> None:
    """An invitation and a reminder wait as the wave is paused, somebody else is in the middle."""
    place.join("ann", "ben", "cat")
    place.tick(OPENS)
    place.texts()
    place.answer("cat", "yes", "yes")
    place.join("dan")
    place.tick(OPENS + timedelta(days=2))
    assert place.run(lambda store: store.counts(WAVE, now=place.clock())).waiting == 3
    pause(place)
    place.tick(CLOSES)
    assert place.run(lambda store: store.counts(WAVE, now=place.clock())).waiting == 0
    assert place.texts() == {}


def test_unsent_answers_of_a_paused_anonymous_wave_are_dropped_in_time(place: Place) -> None:
    place.set_up(SECRET)
    place.join("ann")
    place.tick(OPENS)
    place.texts()
    place.clock.pass_(minutes=5)
    place.answer("ann", "yes", "yes")
    assert place.rows("select * from answers")
    pause(place, "hidden-riverside-2026-12-01")
    place.tick(CLOSES)
    assert place.rows("select * from answers") == []
    assert place.rows("select * from sessions") == []
    assert place.texts() == {}


# Damage -------------------------------------------------------------------------------


def test_an_unreadable_conversation_stops_no_closing_and_no_reminder(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    lake = zoned("lake", "Europe/London")
    place.set_up(
        MONTHLY, replace(MONTHLY, name="second", cohorts=("lake",)), cohorts=(RIVERSIDE, lake)
    )
    place.join("ann", "ben", "cat")
    place.join("dan", cohort="lake")
    place.tick(OPENS)
    place.texts()
    place.answer("cat", "yes", "yes")
    session_id = damage(place, "ann")
    with caplog.at_level(logging.ERROR):
        place.tick(OPENS + timedelta(days=2))
        place.tick(OPENS + timedelta(days=2, seconds=5))
    assert sorted(place.texts()) == ["ben", "dan"]
    assert caplog.messages == [f"Passed over {session_id} in {WAVE}: Unreadable"]
    place.tick(CLOSES)
    assert set(states(place).values()) == {"closed"}
    assert place.dispositions() == {
        "ann": "non_contact",
        "ben": "non_contact",
        "cat": "partial",
        "dan": "non_contact",
    }


def test_trouble_with_one_wave_is_logged_once_and_holds_up_no_other(
    place: Place, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake = zoned("lake", "Europe/London")
    second = replace(MONTHLY, name="second", cohorts=("lake",))
    place.set_up(MONTHLY, second, cohorts=(RIVERSIDE, lake))
    place.join("ann")
    place.join("dan", cohort="lake")
    invite = place.waves.invite

    def refuse(wave: Any, run: Any) -> None:
        if wave.wave_id == WAVE:
            raise ValueError("somebody's words")
        invite(wave, run)

    monkeypatch.setattr(place.waves, "invite", refuse)
    with caplog.at_level(logging.ERROR):
        for seconds in range(0, 20, 5):
            place.tick(OPENS + timedelta(seconds=seconds))
    assert sorted(place.texts()) == ["dan"]
    assert caplog.messages == [f"Passed over {WAVE}: ValueError"]
    place.tick(CLOSES)
    assert set(states(place).values()) == {"closed"}
