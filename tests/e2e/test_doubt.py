"""A message that may have arrived: it is sent again, but not to who has answered it meanwhile."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.e2e.house import House
from tests.fakes.telegram import FakeTelegram
from tests.fakes.telegram_person import TelegramPerson

Build = Callable[..., House]


def asked(person: TelegramPerson, words: str) -> int:
    """How often a person was shown something."""
    return sum(words in message.text for message in person.shown)


@pytest.mark.parametrize("hooks", [False, True], ids=["asking", "hooks"])
async def test_who_answered_while_nobody_was_there_is_not_asked_again(
    build: Build, telegram: FakeTelegram, hooks: bool
) -> None:
    house = build(telegram=telegram, hooks=hooks)
    ann, bob = telegram.person(7), telegram.person(8)
    running = await house.run()
    for person in (ann, bob):
        await person.send("/start")
        await person.wait_for(lambda m: "I agree" in m.labels, timeout=20)
        await person.press("I agree")
        await person.wait_for(lambda m: "[goals]" in m.text, timeout=20)
    telegram.faults.fail("sendMessage", "lose_reply", times=2)
    for person in (ann, bob):
        await person.press("Fully")
    for person in (ann, bob):
        await person.wait_for(lambda m: "[why]" in m.text, timeout=20)
    await running.kill()
    # Nobody knows whether they were asked; Ann has read it, and answers.
    ann.say("We meet every month.")
    running = await house.run(ready=False)
    await ann.wait_for(lambda m: "[end]" in m.text, timeout=20)
    await bob.wait_for(lambda m: "[why]" in m.text, timeout=20)
    assert await running.terminate() == 0
    assert (asked(ann, "[why]"), asked(bob, "[why]")) == (1, 2)
    rows = house.rows("select value from answers where question_id = 'why' order by value")
    assert [row["value"] for row in rows] == [None, "We meet every month."]
