"""Reviewing in the chat, on both platforms: from the coder's word to the rows of the database."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dialogues.coding import Coding, Stance
from storage.open import open_store
from storage.reviewing import Drawing, SampleMode
from storage.store import SqlStore
from tests.contract.scenes import AT, answered, consented, go_on, person
from tests.e2e.house import House
from tests.e2e.reading import Reading
from tests.fakes.people import Button, Person
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_person import SlackPerson
from tests.fakes.telegram import FakeTelegram

Build = Callable[..., House]

TRANSCRIPTS = Path(__file__).with_name("transcripts")

CODERS = """
[[coder]]
name = "mair"
telegram = 7
slack = "U1"
"""

BUDGET = "We share one budget. But nobody tells residents why."
WORDS = {
    "ann": BUDGET,
    "bob": "They emptied the bins & cleaned <the street>.",
    "cat": "Nobody asked us.",
    "dan": "It works well.",
    "eve": "Ask us first.",
}


def fill(house: House, **drawing: object) -> None:
    """Five people have answered, and a sample is drawn of that."""
    store = open_store(house.sqlite)
    for name, text in WORDS.items():
        respondent = person(store, name)
        consented(store, respondent, f"s-{name}")
        go_on(store, respondent, answered("why", text, text=text), session_id=f"s-{name}")
    tag(store)
    plan = {"mode": SampleMode.RANDOM, "n": 3, "seed": "chat 83", **drawing}
    store.draw_sample(Drawing(**plan), sample_id="x", at=AT)  # type: ignore[arg-type]
    store.close()


def tag(store: SqlStore) -> None:
    for answer in store.untagged("m@1", limit=9):
        codings = [
            Coding(
                enabler="resources", stance=Stance.STRENGTH, span_text="one budget",
                span_start=9, span_end=19, confidence=0.75, threshold=0.5,
            ),
            Coding(
                enabler="risk", stance=Stance.GAP, span_text=BUDGET[9:30],
                span_start=9, span_end=30, confidence=0.6, threshold=0.5,
            ),
        ]  # fmt: skip
        said = codings if answer.text == BUDGET else []
        ids = [f"{answer.response_id}-{n}" for n in range(len(said))]
        store.save_codings(answer, said, coding_ids=ids, coder="m@1", at=AT, error=None)


async def read_all(coder: Person, word: str) -> Reading:
    """Review three answers with every button there is."""
    reading = Reading(coder)
    message = await reading.asks(word)
    await reading.presses("Skip", message)
    await reading.presses("Undo", message)
    await reading.presses("Skip", message)
    assert BUDGET[:9] in message.text
    await reading.presses("1 ✗", message)
    await reading.presses("2 → mentioned", message)
    await reading.presses("Undo", message)
    await reading.presses("2 → mentioned", message)
    await reading.presses("Add", message)
    await reading.presses("Back", message)
    await reading.presses("Add", message)
    await reading.presses("Accountability", message)
    await reading.presses("Transparency", message)
    await reading.presses("something missing", message)
    await reading.presses("2", message)
    await reading.presses("✓ Done", message)
    await reading.presses("Add", message)
    await reading.presses("Outcomes", message)
    await reading.presses("Insight", message)
    await reading.presses("a strength", message)
    await reading.presses("✓ Done", message)
    await reading.presses("Undo", message)
    await reading.presses("✓ Done", message)
    return reading


@pytest.mark.parametrize("platform", ["telegram", "slack"])
async def test_a_coder_reads_by_buttons(
    build: Build, telegram: FakeTelegram, slack: FakeSlack, platform: str, update: bool
) -> None:
    house = build(telegram=telegram, slack=slack, more=CODERS)
    fill(house)
    coder: Person = telegram.person(7, first_name="Mair")
    word = "/review"
    if platform == "slack":
        coder, word = slack.person("U1", name="Mair"), "review"
    async with house.up():
        reading = await read_all(coder, word)
    golden = TRANSCRIPTS / f"review-{platform}.txt"
    if update:
        golden.write_text(reading.text)
    assert reading.text == golden.read_text()
    said = house.rows(
        "select response_id, enabler, stance, span_text, status from codings"
        " where coder = 'coder:mair' order by response_id, enabler"
    )
    assert [tuple(row.values()) for row in said][:3] == [
        ("s-ann", "resources", "strength", "one budget", "rejected"),
        ("s-ann", "risk", "neutral", BUDGET[9:30], "confirmed"),
        ("s-ann", "transparency", "gap", "But nobody tells residents why.", "confirmed"),
    ]
    assert (said[3]["enabler"], said[3]["stance"]) == ("insight", "strength")
    assert len(said) == 4
    states = sorted(row["state"] for row in house.rows("select state from reviews"))
    assert states == ["done", "done", "skipped"]
    # One message all along, and nobody's words wait in the outbox.
    assert len([one for one in coder.chat if one.from_bot]) == 1
    assert house.rows("select * from outbox where body is not null") == []


async def test_slack_knows_the_slash_command(build: Build, slack: FakeSlack) -> None:
    house = build(slack=slack, more=CODERS)
    fill(house)
    coder: SlackPerson = slack.person("U1", name="Mair")
    async with house.up():
        assert await coder.slash("/pulse", "review")
        message = await coder.next_message()
    assert "An answer to read (3 to go)" in message.text


async def test_quick_and_late_presses_do_no_harm(build: Build, telegram: FakeTelegram) -> None:
    house = build(telegram=telegram, more=CODERS)
    fill(house)
    coder = telegram.person(7, first_name="Mair")
    async with house.up():
        await coder.send("/review")
        message = await coder.next_message()
        old: list[Button] = [
            coder.find_button(label, message) for label in ["✓ Done", "Skip", "Add", "Undo"]
        ]
        for _ in range(3):
            await coder.press(old[0], message)
        await coder.wait_until(lambda: "(2 to go)" in message.text)
        second = message.text
        for button in old:
            await coder.press(button, message)
        await coder.send("/review")
        again = await coder.next_message()
        assert again.text == second
        assert len(house.rows("select * from reviews")) == 1
        # Nobody's words stand in the chat twice, and a late press on the old message does nothing.
        assert (message.text, message.labels) == ("It goes on below.", [])
        await coder.press(old[0], message)
        await coder.press("✓ Done", again)
        await coder.wait_until(lambda: house.rows("select * from reviews where number = 2"))


async def test_help_tells_of_it_as_it_is_sent_there(
    build: Build, telegram: FakeTelegram, slack: FakeSlack
) -> None:
    house = build(telegram=telegram, slack=slack, more=CODERS)
    coders = {"/": telegram.person(7, first_name="Mair"), "": slack.person("U1", name="Mair")}
    async with house.up():
        for slash, coder in coders.items():
            await coder.send(f"{slash}help")
            await coder.wait_for(lambda m, slash=slash: f"also send {slash}review" in m.text)


async def test_to_others_the_word_means_nothing(build: Build, telegram: FakeTelegram) -> None:
    house = build(telegram=telegram, more=CODERS + '[[cohort]]\nname = "a"\nsurvey = "small"\n')
    fill(house)
    stranger, other = telegram.person(8, first_name="Sue"), telegram.person(9, first_name="Ed")
    async with house.up():
        for one, word in [(stranger, "/review"), (other, "/reviewing")]:
            await one.send("/start")
            await one.wait_for(lambda m: "I agree" in m.labels)
            await one.press("I agree")
            await one.wait_for(lambda m: "[goals]" in m.text)
            await one.send(word)
            await one.next_message()
    unlike = re.compile("[/]review(ing)?")
    said, expected = (
        unlike.sub("WORD", one.transcript()).replace(one.name, "NAME") for one in (stranger, other)
    )
    assert said == expected
    assert house.rows("select * from reviews") == house.rows("select * from review_drafts") == []
