"""Anonymous surveys: nothing that stays names who answered."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.bot.place import ANONYMOUS, MONTHLY, RIVERSIDE, Place
from tests.bot.ports import FakeClock

HIDDEN = replace(MONTHLY, survey_id=ANONYMOUS.survey_id, remind_after=())


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return datetime(2026, 12, day, hour, minute, tzinfo=UTC)


@pytest.fixture
def wave(place: Place, clock: FakeClock) -> Place:
    """A wave of an anonymous survey is open; ann to dan are on Telegram and eve in Slack."""
    place.set_up(HIDDEN)
    place.join("ann", "bob", "cat", "dan")
    place.join("eve", channel="slack")
    place.tick(at(1, 10))
    place.deliver()
    place.deliver("slack")
    clock.at = at(1, 10, 5)
    return place


def test_channel_and_role_do_not_give_the_one_away(wave: Place) -> None:
    for name in ("ann", "bob", "cat", "dan"):
        wave.answer(name, "yes", "yes", "send")
    wave.answer("eve", "yes", "no", "send", channel="slack")
    wave.tick(at(11, 11))
    known = wave.rows("select distinct language, channel, role from responses")
    assert known == [{"language": "en", "channel": "withheld", "role": "withheld"}]
    assert len(wave.rows("select * from responses")) == 5


def test_the_house_says_how_many_have_to_be_alike(wave: Place) -> None:
    object.__setattr__(wave.runner.house, "min_group", 2)
    for name in ("ann", "bob"):
        wave.answer(name, "yes", "yes", "send")
    wave.tick(at(11, 11))
    known = wave.rows("select distinct language, channel, role from responses")
    assert known == [{"language": "en", "channel": "telegram", "role": "citizen"}]


def test_answers_that_are_never_sent_do_not_stay(place: Place, clock: FakeClock) -> None:
    place.set_up(MONTHLY, cohorts=(replace(RIVERSIDE, survey_id=ANONYMOUS.survey_id),))
    place.join("ann")
    clock.at = at(1, 9)
    shown = place.answer("ann", "hi", "yes", "yes")
    assert "Send your answers" in shown[-1]
    begun = clock()
    place.tick(begun + timedelta(days=14))
    assert len(place.rows("select * from responses")) == 1
    place.tick(begun + timedelta(days=14, seconds=1))
    assert not place.rows("select * from responses")
    assert not place.rows("select * from sessions where wave_id is null")
    assert not place.rows("select * from outbox where body is not null and lane = 0")
    assert "May we keep your answers?" in place.answer("ann", "hi")[-1]
