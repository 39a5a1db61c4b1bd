"""Nothing is acknowledged to a platform before it is committed (invariant 1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from tests.e2e.disk import Disk
from tests.e2e.house import House
from tests.fakes.people import Person
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

Build = Callable[..., House]


async def agreed(person: Person) -> None:
    await person.send("/start")
    await person.wait_for(lambda m: "I agree" in m.labels)
    await person.press("I agree")
    await person.wait_for(lambda m: "[goals]" in m.text)


async def both_agreed(telegram: FakeTelegram, slack: FakeSlack) -> tuple[Person, Person]:
    ann, sue = telegram.person(7), slack.person("U1")
    await asyncio.gather(agreed(ann), agreed(sue))
    await telegram.wait_settled()
    await slack.wait_settled()
    return ann, sue


async def test_while_a_commit_is_under_way_nothing_is_acknowledged(
    build: Build, telegram: FakeTelegram, slack: FakeSlack, disk: Disk
) -> None:
    house = build(telegram=telegram, slack=slack)
    async with house.up():
        ann, sue = await both_agreed(telegram, slack)
        disk.free.clear()
        pressed = [await ann.press("Fully"), await sue.press("Fully")]
        async with asyncio.timeout(5):
            while not disk.held:
                await asyncio.sleep(0.01)
        await asyncio.sleep(0.3)
        assert telegram.unconfirmed == 1
        assert [press.answered for press in pressed] == [False, False]
        assert house.rows("select value from answers where value is not null") == []
        disk.free.set()
        for person in (ann, sue):
            await person.wait_for(lambda m: "[why]" in m.text)
        await telegram.wait_settled()
        await slack.wait_settled()
        for person, press in ((ann, pressed[0]), (sue, pressed[1])):
            await person.wait_until(lambda press=press: press.answered)
    assert slack.redelivered == 0
    values = house.rows("select value from answers where question_id = 'goals'")
    assert values == [{"value": "3"}] * 2


async def test_what_could_not_be_committed_comes_again_or_stays_open(
    build: Build,
    telegram: FakeTelegram,
    slack: FakeSlack,
    disk: Disk,
    caplog: pytest.LogCaptureFixture,
) -> None:
    slack.ack_within = 0.5
    house = build(telegram=telegram, slack=slack)
    async with house.up():
        ann, sue = await both_agreed(telegram, slack)
        disk.full = True
        await ann.press("Fully")
        lost = await sue.press("Fully")
        await sue.wait_until(lambda: lost.lost)
        assert telegram.unconfirmed == 1
        assert not lost.answered
        disk.full = False
        said = [message for message in caplog.messages if "was not kept" in message]
        assert {message.split()[0] for message in said} == {"an", "update"}
        assert all("the disk is full" in message for message in said)
        # Telegram repeats the press by itself; in Slack the question is still open.
        await ann.wait_for(lambda m: "[why]" in m.text, timeout=10)
        await sue.press("Fully")
        await sue.wait_for(lambda m: "[why]" in m.text)
        disk.full = True
        await sue.send("It works.")
        await asyncio.sleep(0.2)
        disk.full = False
        await sue.wait_for(lambda m: "[end]" in m.text, timeout=10)
        await telegram.wait_settled()
    assert slack.redelivered >= 1
    rows = house.rows("select value, n_edits from answers where value is not null order by value")
    assert rows == [
        {"value": "3", "n_edits": 0},
        {"value": "3", "n_edits": 0},
        {"value": "It works.", "n_edits": 0},
    ]
