"""Closing the loop on both platforms: what a cohort said, a picture, `/results`, `pulse reply`."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.e2e.house import House
from tests.e2e.test_waves import OPEN, joined, plan, status
from tests.fakes.people import Message, Person
from tests.fakes.pictures import size_of
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

Build = Callable[..., House]

PULSE = """
survey = "small"
title = { en = "Small survey", cy = "Arolwg bach" }
ask_sector = false
languages = ["en", "cy"]
thanks = "Thank you. [end]"
consent.text = "May we keep your answers? [consent]"

[[question]]
id = "goals"
kind = "scale"
text = { en = "We want the same. [goals]", cy = "Rydyn ni am yr un peth. [goals]" }
labels = ["Strongly disagree", "Disagree", "In the middle", "Agree", "Strongly agree"]
enabler = "shared_goals"

[[question]]
id = "why"
kind = "text"
text = "What makes you say so? [why]"
"""

SECRET = PULSE.replace('"small"', '"secret"').replace(
    "thanks =", 'anonymity = "anonymous"\nthanks ='
)


async def answered(person: Person, goals: str, why: str, *, send: bool = False) -> None:
    await person.wait_for(lambda m: "[consent]" in m.text, timeout=30)
    await person.press(0)  # I agree, in any language.
    await person.wait_for(lambda m: "[goals]" in m.text)
    await person.press(goals)
    await person.wait_for(lambda m: "[why]" in m.text)
    await person.send(why)
    if send:
        await person.wait_for(lambda m: "Send my answers" in m.labels)
        await person.press("Send my answers")
        await person.wait_for(lambda m: "Nothing joins these answers" in m.text)
    else:
        await person.wait_for(lambda m: "[end]" in m.text)


def told(person: Person) -> list[Message]:
    return [m for m in person.shown if "What people said" in m.text or "Beth ddywedodd" in m.text]


def shows_picture(message: Message, telegram: FakeTelegram, slack: FakeSlack) -> bool:
    """Whether a message shows a picture that the platform has taken."""
    if photos := message.raw.get("photo"):
        return size_of(telegram.files[photos[-1]["file_id"]]) is not None
    images = [one for one in message.raw.get("blocks", ()) if one["type"] == "image"]
    return [
        size_of(slack.files[one["slack_file"]["id"]].content) is not None for one in images
    ] == [True]


def people(telegram: FakeTelegram, slack: FakeSlack, n: int = 6) -> tuple[list[Any], list[Any]]:
    citizens = [
        telegram.person(700 + number, language_code="cy" if number == 1 else "en")
        for number in range(n)
    ]
    partners = [slack.person(f"UP{number}") for number in range(n)]
    slack.channel("C1", name="riverside", members=[one.id for one in partners])
    return citizens, partners


async def all_joined(citizens: list[Any]) -> None:
    """Join the cohort; the second of them speaks Welsh."""
    await joined(*(one for one in citizens if one is not citizens[1]))
    welsh = citizens[1]
    await welsh.send("/start river")
    await welsh.wait_for(lambda m: "ymuno" in m.text)
    await welsh.wait_for(lambda m: bool(m.labels))
    await welsh.press(0)
    await welsh.wait_for(lambda m: "[mood]" in m.text)
    await welsh.press(0)
    await welsh.wait_for(lambda m: "[open end]" in m.text)


async def opened(house: House, everybody: int) -> str:
    await house.until(lambda: len(house.rows("select * from memberships")) == everybody)
    done = await house.pulse("wave", "open", "monthly")
    assert done.status == 0, done.err
    return str((await status(house))["wave"])


async def test_a_cohort_hears_what_it_said_and_what_was_done(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    citizens, partners = people(telegram, slack)
    slack.file_seconds = 0.3
    house = build(telegram=telegram, slack=slack, surveys=[OPEN, PULSE], more=plan())
    async with house.up():
        await all_joined(citizens)
        wave = await opened(house, 12)
        *answering, silent = [*citizens, *partners]
        await asyncio.gather(
            *(
                answered(person, "Agree" if number % 3 else "Disagree", f"We share plan {number}.")
                for number, person in enumerate(answering)
            )
        )
        await citizens[0].send("/results")
        await citizens[0].wait_for(lambda m: "no results to show here yet" in m.text)
        telegram.limits = slack.limits = True
        assert (await house.pulse("wave", "close", wave)).status == 0
        for person in [*answering, silent]:
            await person.wait_for(lambda m, person=person: m in told(person), timeout=30)
        channel = slack.channels["C1"]
        await slack.wait_until(lambda: channel.messages, 30)
        await asyncio.sleep(1.0)  # Nothing more comes.
        welsh = citizens[1]
        for person in [*answering, silent]:
            (message,) = told(person)
            assert shows_picture(message, telegram, slack), message
            assert ("Beth ddywedodd pobl" in message.text) == (person is welsh)
        (post,) = channel.messages
        assert shows_picture(post, telegram, slack)
        assert "6 or more" not in post.text
        assert "of 12 people took part" in post.text
        assert "as a strength: Shared goals" in post.text
        # A picture a language, each uploaded once.
        assert telegram.uploads == 2
        assert len(slack.files) == 1
        assert telegram.earned_429 == slack.earned_429 == 0

        await citizens[0].send("/results")
        shown = await citizens[0].wait_for(lambda m: "What people said" in m.text, timeout=10)
        assert shows_picture(shown, telegram, slack)
        await partners[0].slash("/pulse", "results")
        shown = await partners[0].wait_for(lambda m: m is not told(partners[0])[0], timeout=10)
        assert "What people said" in shown.text
        assert telegram.uploads == 2

        replied = await house.pulse(
            "reply", "shared_goals", "--cohort", "riverside", "--text", "We wrote the plan down.",
            "--text-cy", "Fe ysgrifennon ni'r cynllun.", "--json",
        )  # fmt: skip
        assert replied.status == 0, replied.err
        assert json.loads(replied.out)["people"] == "about 10"
        for person in answering:
            words = "ysgrifennon ni" if person is welsh else "We wrote the plan down."
            await person.wait_for(lambda m, words=words: words in m.text, timeout=15)
        await asyncio.sleep(0.5)
        assert not [m for m in silent.shown if "You said" in m.text]
        for person in answering:
            assert len([m for m in person.shown if "you wrote about" in m.text]) == (
                person is not welsh
            )
    listed = await house.pulse("reply", "list", "--json")
    assert [one["sent"] for one in json.loads(listed.out)] == [True]
    assert house.rows("select told_after from results") == [{"told_after": None}]


async def test_of_an_anonymous_wave_everybody_hears_the_same(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    citizens, partners = people(telegram, slack, 4)
    house = build(telegram=telegram, slack=slack, surveys=[OPEN, SECRET], more=plan("secret"))
    async with house.up():
        await all_joined(citizens)
        wave = await opened(house, 8)
        *answering, silent = [*citizens[2:], citizens[0], *partners, citizens[1]]
        await asyncio.gather(
            *(answered(one, "Agree", "We share a plan.", send=True) for one in answering)
        )
        assert (await house.pulse("wave", "close", wave)).status == 0
        for person in [*answering, silent]:
            await person.wait_for(lambda m, person=person: m in told(person), timeout=30)
        replied = await house.pulse(
            "reply", "shared_goals", "--cohort", "riverside", "--text", "We wrote it down.",
        )  # fmt: skip
        assert replied.status == 0, replied.err
        assert "everybody who was invited is told" in replied.out
        for person in [*answering, silent]:
            await person.wait_for(lambda m: "We wrote it down." in m.text, timeout=15)
            assert "you wrote" not in person.newest.text


async def test_too_few_hear_only_that(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    citizens, partners = people(telegram, slack, 3)
    house = build(telegram=telegram, slack=slack, surveys=[OPEN, PULSE], more=plan())
    async with house.up():
        await all_joined(citizens)
        wave = await opened(house, 6)
        await asyncio.gather(*(answered(one, "Agree", "A plan.") for one in citizens))
        assert (await house.pulse("wave", "close", wave)).status == 0
        for person in [*citizens, *partners]:
            await person.wait_for(lambda m, person=person: m in told(person), timeout=30)
            assert "a few people" in person.newest.text or "ychydig o bobl" in person.newest.text
    assert telegram.uploads == 0
    assert not slack.files


@pytest.mark.parametrize(
    "where", ["sendPhoto", pytest.param("chat.postMessage", marks=pytest.mark.soak)]
)
async def test_killed_while_it_is_told_everybody_hears_it(
    build: Build, telegram: FakeTelegram, slack: FakeSlack, where: str
) -> None:
    citizens, partners = people(telegram, slack)
    more = plan() + "[delivery]\nslots = 2\n"
    house = build(telegram=telegram, slack=slack, surveys=[OPEN, PULSE], more=more)
    async with house.up():
        await all_joined(citizens)
        wave = await opened(house, 12)
        everybody = [*citizens, *partners]
        await asyncio.gather(*(answered(one, "Agree", "We share a plan.") for one in everybody))
        await house.until(lambda: not house.untagged())
    assert (await house.pulse("wave", "close", wave)).status == 0
    faults = telegram.faults if where == "sendPhoto" else slack.faults
    faults.fail(where, "slow", probability=1.0, seconds=0.3)
    fake = telegram if where == "sendPhoto" else slack
    for _ in range(2):
        sent = len(fake.sent)
        running = await house.run()
        await fake.wait_until(lambda sent=sent: len(fake.sent) > sent, 40)
        await running.kill()
    faults.clear()
    async with house.up():
        for person in everybody:
            await person.wait_until(lambda person=person: told(person), 40)
        await slack.wait_until(lambda: slack.channels["C1"].messages, 40)
        await house.until(lambda: not house.rows("select * from outbox where state <> 'sent'"))
    posts = slack.channels["C1"].messages
    copies = sum(len(told(person)) for person in everybody) + len(posts)
    # Killed twice: of each platform, one broadcast is under way at a time.
    assert 13 <= copies <= 13 + 2 * 2
