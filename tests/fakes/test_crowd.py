"""The crowd, talking with two small bots of the test's own."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from tests.fakes.crowd import Crowd, Press, Say, answers, percentile
from tests.fakes.people import Button, Message, Person
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

QUESTIONS = ["May we ask?", "Agree?", "Why?"]
LABELS = [["I agree", "No"], ["Yes", "No", "Back"], []]
THANKS = "Thank you."


def finished(message: Message) -> bool:
    return message.text == THANKS


class SmallBot:
    """Asks three questions on Telegram; confirms updates only when it has answered them."""

    def __init__(self, fake: FakeTelegram) -> None:
        self.bot = Bot("123:TEST", base_url=f"{fake.base_url}/bot")
        self.at: dict[int, int] = {}
        self.given: dict[int, list[str]] = {}
        self.dies_after: int | None = None
        self.seen: set[int] = set()

    async def run(self) -> None:
        async with self.bot:
            offset = 0
            while True:
                for update in await self.bot.get_updates(offset=offset, timeout=30):
                    offset = update.update_id + 1
                    if update.update_id not in self.seen:
                        await self.answer(update)
                        self.seen.add(update.update_id)
                    if self.dies_after is not None and len(self.seen) >= self.dies_after:
                        self.dies_after = None
                        return

    async def answer(self, update: Any) -> None:
        person = update.effective_user.id
        if update.callback_query is not None:
            await self.bot.answer_callback_query(update.callback_query.id)
            step, _, label = update.callback_query.data.partition(":")
        else:
            step, label = str(self.at.get(person, 0)), update.message.text
        if int(step) != self.at.get(person, 0):
            await self.bot.send_message(person, "That question is past.")
            return
        if person in self.at:
            self.given.setdefault(person, []).append(label)
        now = self.at[person] = self.at.get(person, -1) + 1
        if now == len(QUESTIONS):
            await self.bot.send_message(person, THANKS)
            return
        keys = [InlineKeyboardButton(x, callback_data=f"{now}:{x}") for x in LABELS[now]]
        markup = InlineKeyboardMarkup([keys]) if keys else None
        await self.bot.send_message(person, QUESTIONS[now], reply_markup=markup)


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(limits=False) as server:
        yield server


@contextlib.asynccontextmanager
async def running(bot: SmallBot) -> AsyncIterator[asyncio.Task[None]]:
    task = asyncio.ensure_future(bot.run())
    try:
        yield task
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def test_everybody_holds_the_whole_conversation(fake: FakeTelegram) -> None:
    people = [fake.person(n + 1) for n in range(20)]
    policy = answers(words=["We meet."], prefer=["I agree"], avoid=["Back"])
    crowd = Crowd(people, policy, finished)
    bot = SmallBot(fake)
    async with running(bot):
        report = await crowd.run(timeout=30)
    assert (report.people, report.finished, report.unfinished) == (20, 20, [])
    assert report.answers == 80
    assert report.again == 0
    assert 0 < report.handed_p50_ms <= report.p50_ms <= report.p99_ms
    assert report.answers_per_second > 0
    for person in people:
        first, consent, closed, words = crowd.exchanges[person.id]
        assert (first.question, first.answer, first.shown) == ("", "/start", "May we ask?")
        assert (consent.answer, consent.data) == ("I agree", "0:I agree")
        assert closed.answer in {"Yes", "No"}
        assert (words.question, words.answer, words.shown) == ("Why?", "We meet.", THANKS)
        assert bot.given[person.id] == ["I agree", closed.answer, "We meet."]


async def test_the_same_seed_gives_the_same_answers(fake: FakeTelegram) -> None:
    message = Message(1, 1, True, "?", [[Button(label=x) for x in "abcd"]], 0.0, 0)
    people = [fake.person(n) for n in range(1, 30)]
    one, two, other = (answers(seed=seed) for seed in (1, 1, 2))
    chosen = [[policy(person, message) for person in people] for policy in (one, two, other)]
    assert chosen[0] == chosen[1] != chosen[2]


async def test_a_crowd_outlives_the_bot(fake: FakeTelegram) -> None:
    """The bot dies with its last answer unconfirmed; people press again, old presses return."""
    people = [fake.person(n + 1) for n in range(5)]
    policy = answers(prefer=["I agree"], avoid=["Back"])
    crowd = Crowd(
        people, policy, finished, patience=0.1, ignore=lambda m: m.text.endswith("is past.")
    )
    bot = SmallBot(fake)
    bot.dies_after = 7

    async def live_twice() -> None:
        await bot.run()
        await crowd_is_impatient()
        await bot.run()

    async def crowd_is_impatient() -> None:
        await fake.wait_until(lambda: crowd.again > 0 or not any_press_open())

    def any_press_open() -> bool:
        return any(talk[-1].data and not talk[-1].acknowledged for talk in crowd.exchanges.values())

    task = asyncio.ensure_future(live_twice())
    report = await crowd.run(timeout=30)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
    assert report.finished == 5
    assert fake.redelivered > 0
    for person, exchange in crowd.acknowledged():
        assert exchange.answer in {"/start", *bot.given[person.id]}


async def test_words_a_policy_knows_and_a_wait(fake: FakeTelegram) -> None:
    policy = answers(by_text={"how many": "3", "^Wait": None, "^Other": Press("No")})
    person = fake.person(1)

    def shown(text: str) -> Any:
        return policy(person, Message(1, 1, True, text, [], 0.0, 0))

    assert shown("Say how many.") == Say("3")
    assert shown("Wait a moment") is None
    assert shown("Other?") == Press("No")
    assert isinstance(shown("Anything else?"), Say)


async def test_a_policy_that_fails_ends_the_run(fake: FakeTelegram) -> None:
    def broken(_person: Person, _message: Message) -> Press:
        return Press("not there")

    crowd = Crowd([fake.person(1)], broken, finished)
    async with running(SmallBot(fake)):
        with pytest.raises(LookupError, match="not there"):
            await crowd.run(timeout=30)


async def test_who_gets_no_reply_is_unfinished(fake: FakeTelegram) -> None:
    report = await Crowd([fake.person(1)], answers(), finished).run(timeout=0.05)
    assert (report.finished, report.unfinished, report.answers) == (0, [1], 0)


async def test_when_nobody_is_shown_anything_more_it_is_over(fake: FakeTelegram) -> None:
    report = await Crowd([fake.person(1)], answers(), finished).run(600, standstill=0.05)
    assert (report.finished, report.unfinished) == (0, [1])


async def test_a_lost_press_in_slack_is_pressed_again() -> None:
    async with FakeSlack(limits=False, echo="", retry_delays=(0.0,)) as fake:
        client = AsyncWebClient(token="xoxb-TEST", base_url=fake.api_base_url)
        ann = fake.person("U1")
        text = {"type": "plain_text", "text": "Yes"}
        button = {"type": "button", "text": text, "value": "y", "action_id": "a"}
        blocks = [{"type": "actions", "elements": [button]}]

        async def reply() -> None:
            await fake.wait_until(lambda: fake.lost == 2)
            await client.chat_postMessage(channel="U1", text="Agree?", blocks=blocks)
            await fake.wait_until(lambda: len(ann.presses) == 2)
            await client.chat_postMessage(channel="U1", text=THANKS)

        task = asyncio.ensure_future(reply())
        crowd = Crowd([ann], answers(), finished, opening="hello", patience=0.05)
        report = await crowd.run(timeout=30)
        await task
    assert (report.finished, crowd.left) == (1, 0)
    opening, press = crowd.exchanges["U1"]
    assert opening.tries >= 2
    assert press.tries >= 2


def test_percentiles_are_values_that_occurred() -> None:
    assert percentile([], 0.5) == 0.0
    assert percentile([3.0, 1.0, 2.0], 0.5) == 2.0
    assert percentile([1.0, 2.0, 3.0, 4.0], 0.5) == 2.0
    assert percentile([float(n) for n in range(1, 101)], 0.99) == 99.0
    assert percentile([float(n) for n in range(1, 102)], 0.99) == 100.0
