"""Member checks on both platforms: from the last answer to the rows of the database."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from dialogues.coding import Stance
from tests.e2e.house import SMALL, House
from tests.e2e.reading import Reading
from tests.fakes.people import Message, Person
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

Build = Callable[..., House]

TRANSCRIPTS = Path(__file__).with_name("transcripts")

CHECKED = SMALL + "member_check = true\n"
COHORT = '[[cohort]]\nname = "a"\nsurvey = "small"\n'
OWN = (
    "select r.channel, c.enabler, c.stance, c.span_text, c.status from codings c"
    " join responses r on r.response_id = c.response_id where c.source = 'respondent'"
    " order by r.channel, c.enabler"
)


async def answers_all(one: Person, start: str) -> Message:
    """Answer everything, and give the message that asks whether it was heard right."""
    await one.send(start)
    await one.wait_for(lambda m: "I agree" in m.labels)
    await one.press("I agree")
    await one.wait_for(lambda m: "[goals]" in m.text)
    await one.press("Fully")
    await one.wait_for(lambda m: "[why]" in m.text)
    await one.send("Goals & money <here>, both shared. But not the risk.")
    await one.wait_for(lambda m: "[end]" in m.text)
    return await one.wait_for(lambda m: "Is that right?" in m.text, 30)


async def corrects(reading: Reading, message: Message) -> None:
    for label in ["Not quite", "1 → something missing", "Add something", "Back"]:
        await reading.presses(label, message)
    for label in ["Add something", "Risk", "something missing"]:
        await reading.presses(label, message)


async def test_people_put_right_what_was_heard_and_nothing_is_lost_by_a_restart(
    build: Build, telegram: FakeTelegram, slack: FakeSlack, update: bool
) -> None:
    house = build(telegram=telegram, slack=slack, surveys=[CHECKED], more=COHORT)
    people = {
        "/start": telegram.person(7, first_name="Sue"),
        "start": slack.person("U1", name="Ed"),
    }
    readings = [Reading(one) for one in people.values()]
    async with house.up():
        shown = await asyncio.gather(*(answers_all(one, word) for word, one in people.items()))
        for reading, message in zip(readings, shown, strict=True):
            reading.note("all is answered", message)
            await corrects(reading, message)
    assert house.rows(OWN) == []
    async with house.up():
        for reading, message in zip(readings, shown, strict=True):
            await reading.presses("Finish", message)
    for name, reading in zip(("telegram", "slack"), readings, strict=True):
        golden = TRANSCRIPTS / f"member-check-{name}.txt"
        if update:
            golden.write_text(reading.text)
        assert reading.text == golden.read_text()
    expected = [("risk", Stance.GAP, ""), ("shared_goals", Stance.GAP, "Goals")]
    assert [tuple(row.values()) for row in house.rows(OWN)] == [
        (channel, *coding, "confirmed") for channel in ("slack", "telegram") for coding in expected
    ]
    assert len(house.rows("select * from codings where status = 'suggested'")) == 2
    assert house.rows("select * from outbox where body is not null") == []
