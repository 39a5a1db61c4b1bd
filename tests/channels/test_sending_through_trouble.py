"""Delivery through real channels, while the platform is slow, lies or says nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot import delivery as module
from bot.channels.base import Channel
from bot.channels.slack import SlackChannel
from bot.channels.telegram import TelegramChannel
from bot.delivery import Delivery
from dialogues.prompts import Prompt
from storage.open import open_store
from storage.protocol import Address, Respondent, Store
from storage.writer import Writer
from tests.bot.deliveries import outbox, until
from tests.fakes.people import Person
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

PLATFORMS = ["telegram", "slack"]


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path}/pulse.db"


class Scene:
    """A platform, a person on it, and the delivery to them."""

    def __init__(
        self, fake: FakeTelegram | FakeSlack, channel: Channel, person: Person, chat: str, url: str
    ) -> None:
        self.fake = fake
        self.channel = channel
        self.person = person
        self.writer = Writer(lambda: open_store(url))
        self.method = "sendMessage" if isinstance(fake, FakeTelegram) else "chat.postMessage"
        self.chat = chat

    async def welcome(self) -> Respondent:
        address = Address(channel=self.channel.name, platform_id=self.chat, chat=self.chat)

        def job(store: Store) -> Respondent:
            return store.welcome(
                address, respondent_id="ann", role="citizen", language="en", on=now().date()
            )

        return await self.writer.run(job)

    async def say(self, *texts: str, lane: int = 0) -> None:
        ann = await self.welcome()
        prompts = [Prompt(text=text) for text in texts]
        await self.writer.run(lambda store: store.say(ann, prompts, at=now(), lane=lane))

    def shown(self) -> list[str]:
        return [message.text for message in self.person.chat if message.from_bot]

    @asynccontextmanager
    async def delivering(self, **options: Any) -> AsyncIterator[Delivery]:
        delivery = Delivery(self.writer, self.channel, now=now, **options)
        task = asyncio.create_task(delivery.run())
        try:
            yield delivery
        finally:
            await delivery.stop()
            await asyncio.wait_for(task, 20)


def now() -> datetime:
    return datetime.now(UTC)


Build = Callable[[str], Awaitable[Scene]]


@pytest.fixture
async def build(url: str, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Build]:
    monkeypatch.setattr(module, "_IDLE_SECONDS", 0.05)
    monkeypatch.setattr(module, "_FIRST_WAIT", 0.05)
    made: list[Scene] = []

    async def make(name: str) -> Scene:
        if name == "telegram":
            telegram = FakeTelegram()
            await telegram.start()
            ann = telegram.person(7)
            ann.started = True
            channel: Channel = TelegramChannel("123:TEST", telegram.base_url)
            scene = Scene(telegram, channel, ann, "7", url)
        else:
            slack = FakeSlack()
            await slack.start()
            sue = slack.person("U1")
            channel = SlackChannel(slack.bot_token, slack.app_token, slack.api_base_url, places=[])
            scene = Scene(slack, channel, sue, "U1", url)
        made.append(scene)
        return scene

    yield make
    for scene in made:
        await scene.channel.stop()
        await asyncio.to_thread(scene.writer.close)
        await scene.fake.stop()


@pytest.mark.parametrize("platform", PLATFORMS)
@pytest.mark.parametrize("kind", ["500", "nonsense", "gateway", "not_ok", "reset", "slow"])
async def test_it_arrives_once_and_in_order_whatever_the_platform_says_at_first(
    build: Build, url: str, platform: str, kind: str
) -> None:
    scene = await build(platform)
    scene.fake.faults.fail(scene.method, kind, times=2)
    await scene.say("first", "second")
    async with scene.delivering():
        await until(lambda: scene.shown() == ["first", "second"])
    assert outbox(url) == []


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_what_arrived_though_nobody_said_so_comes_again_and_no_more_than_that(
    build: Build, platform: str
) -> None:
    scene = await build(platform)
    scene.fake.faults.fail(scene.method, "lose_reply")
    await scene.say("first", "second")
    async with scene.delivering():
        await until(lambda: scene.shown() == ["first", "first", "second"])
    assert scene.fake.duplicates == 1


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_an_answer_that_never_comes_is_not_waited_for(
    build: Build, url: str, platform: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_LONGEST_SEND", 0.2)
    scene = await build(platform)
    scene.fake.faults.fail(scene.method, "hang")
    await scene.say("hello")
    async with scene.delivering(chance=lambda: 0.99):
        await until(lambda: [row["doubt"] for row in outbox(url)] == [1])
        await until(lambda: scene.shown() == ["hello"])


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_one_chat_waits_as_long_as_it_is_told_to_the_second(
    build: Build, url: str, platform: str
) -> None:
    scene = await build(platform)
    scene.fake.faults.fail(scene.method, "429", retry_after=3600)
    await scene.say("hello")
    before = now()
    async with scene.delivering():
        await until(lambda: [row["attempts"] for row in outbox(url)] == [1])
    [row] = outbox(url)
    wait = (datetime.fromisoformat(row["due_at"]) - before).total_seconds()
    assert 3600 <= wait < 3630
    assert (row["state"], row["error"], row["doubt"]) == ("pending", "slow_down", 0)


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_it_goes_the_moment_the_wait_is_over_and_not_before(
    build: Build, platform: str
) -> None:
    scene = await build(platform)
    scene.fake.faults.fail(scene.method, "429", retry_after=1)
    await scene.say("hello")
    began = asyncio.get_running_loop().time()
    async with scene.delivering():
        await until(lambda: scene.shown() == ["hello"])
    assert asyncio.get_running_loop().time() - began >= 1.0


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_what_the_platform_will_never_take_is_given_up_with_its_class_of_trouble(
    build: Build, platform: str
) -> None:
    scene = await build(platform)
    error = "Bad Request: message is too long" if platform == "telegram" else "msg_too_long"
    scene.fake.faults.fail(scene.method, "error", status=400, error=error)
    await scene.say("never", "next")
    async with scene.delivering():
        await until(lambda: scene.shown() == ["next"])
    [dead] = await scene.writer.run(lambda store: store.letters(state="dead"))
    assert (dead.error, dead.retryable) == ("refused", True)
    assert await scene.writer.run(lambda store: store.revive(dead.outbox_id, now=now()))
    async with scene.delivering():
        await until(lambda: scene.shown() == ["next", "never"])


@pytest.mark.parametrize("platform", PLATFORMS)
async def test_broadcasts_survive_a_platform_that_fails_at_random(
    build: Build, url: str, platform: str
) -> None:
    scene = await build(platform)
    scene.fake.limits = False
    for kind in ("500", "reset", "nonsense", "not_ok", "gateway"):
        scene.fake.faults.fail(scene.method, kind, probability=0.1)
    texts = [f"news {number}" for number in range(12)]
    await scene.say(*texts, lane=1)
    async with scene.delivering(broadcasts_per_second=1000):
        await until(lambda: len(scene.shown()) == 12)
    assert scene.shown() == texts
    assert outbox(url) == []


async def test_every_part_of_a_long_text_counts_for_the_pace(build: Build) -> None:
    scene = await build("telegram")
    assert isinstance(scene.fake, FakeTelegram)
    people = [scene.fake.person(100 + number) for number in range(30)]
    long = Prompt(text="\n\n".join("We meet every week. " * 30 for _ in range(10)))

    def say(store: Store) -> None:
        for person in people:
            address = Address(channel="telegram", platform_id=str(person.id), chat=str(person.id))
            respondent = store.welcome(
                address, respondent_id=f"r{person.id}", role="citizen", language="en",
                on=now().date(),
            )  # fmt: skip
            store.say(respondent, [long], at=now(), lane=1)

    for person in people:
        person.started = True
    await scene.writer.run(say)
    async with scene.delivering():
        await scene.fake.wait_until(lambda: all(len(one.shown) == 2 for one in people), 60)
    assert scene.fake.earned_429 == 0
    for person in people:
        assert "".join("".join(m.text.split()) for m in person.shown) == "".join(long.text.split())
