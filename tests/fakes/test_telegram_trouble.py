"""What goes wrong on the fake Telegram, as the real python-telegram-bot sees it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiohttp import web
from telegram import (
    Bot,
    Update,
)
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
    InvalidToken,
    NetworkError,
    RetryAfter,
    TelegramError,
    TimedOut,
)

from tests.fakes.telegram import FakeTelegram, TelegramPerson


@asynccontextmanager
async def bot_on(fake: FakeTelegram, token: str = "123:TEST") -> AsyncIterator[Bot]:
    bot = Bot(token, base_url=f"{fake.base_url}/bot", base_file_url=f"{fake.base_url}/file/bot")
    async with bot:
        yield bot


@pytest.fixture(autouse=True)
def _retry_after_as_timedelta(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PTB_TIMEDELTA", "1")


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


@pytest.fixture
async def bot(fake: FakeTelegram) -> AsyncIterator[Bot]:
    async with bot_on(fake) as connected:
        yield connected


@pytest.fixture
async def ann(fake: FakeTelegram) -> TelegramPerson:
    person = fake.person(7, first_name="Ann", language_code="cy")
    await person.start()
    return person


class Clock:
    """A clock that a test moves by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


# -- limits --------------------------------------------------------------------------------


async def test_thirty_messages_a_second_in_all() -> None:
    clock = Clock()
    async with FakeTelegram(clock=clock) as fake, bot_on(fake) as bot:
        for number in range(31):
            await fake.person(number + 1).start()
        for number in range(30):
            await bot.send_message(number + 1, "Hello")
        with pytest.raises(RetryAfter) as refused:
            await bot.send_message(31, "Hello")
        assert refused.value.retry_after == timedelta(seconds=1)
        clock.now += 0.9
        with pytest.raises(RetryAfter):
            await bot.send_message(31, "Hello")
        clock.now += 0.1
        await bot.send_message(31, "Hello")
        assert fake.earned_429 == 2


async def test_one_message_a_second_for_each_chat_after_a_burst_of_three() -> None:
    clock = Clock()
    async with FakeTelegram(clock=clock) as fake, bot_on(fake) as bot:
        await fake.person(1).start()
        await fake.person(2).start()
        for _ in range(3):
            await bot.send_message(1, "Hello")
        with pytest.raises(RetryAfter):
            await bot.send_message(1, "Hello")
        await bot.send_message(2, "Hello")
        clock.now += 1
        await bot.send_message(1, "Hello")
        with pytest.raises(RetryAfter):
            await bot.send_message(1, "Hello")
        fake.limits = False
        await bot.send_message(1, "Hello")
        assert fake.duplicates == 4


# -- faults --------------------------------------------------------------------------------


async def test_calls_fail_as_told(fake: FakeTelegram, bot: Bot, ann: TelegramPerson) -> None:
    fake.faults.fail("sendMessage", "429", retry_after=3, times=2)
    for _ in range(2):
        with pytest.raises(RetryAfter):
            await bot.send_message(ann.id, "Hello")
    assert fake.earned_429 == 0
    fake.faults.fail("sendMessage", "403")
    with pytest.raises(Forbidden):
        await bot.send_message(ann.id, "Hello")
    fake.faults.fail("*", "500")
    with pytest.raises(NetworkError, match="Internal Server Error"):
        await bot.send_message(ann.id, "Hello")
    fake.faults.fail("getMe", "nonsense")
    with pytest.raises(TelegramError, match="Invalid server response"):
        await bot.get_me()
    fake.faults.fail("sendMessage", "error", error="Bad Request: PEER_ID_INVALID")
    with pytest.raises(BadRequest, match=r"(?i)PEER_ID_INVALID"):
        await bot.send_message(ann.id, "Hello")
    fake.faults.fail("sendMessage", "hang")
    with pytest.raises(TimedOut):
        await bot.send_message(ann.id, "Hello", read_timeout=0.1)
    fake.faults.fail("sendMessage", "reset")
    with pytest.raises(NetworkError):
        await bot.send_message(ann.id, "Hello")
    assert ann.shown == []
    await bot.send_message(ann.id, "Hello")
    assert ann.newest.text == "Hello"


async def test_a_message_whose_answer_is_lost_was_delivered(
    fake: FakeTelegram, bot: Bot, ann: TelegramPerson
) -> None:
    rule = fake.faults.fail("sendMessage", "lose_reply")
    with pytest.raises(NetworkError):
        await bot.send_message(ann.id, "Hello")
    assert rule.hits == 1
    assert [m.text for m in ann.shown] == ["Hello"]
    await bot.send_message(ann.id, "Hello")
    assert fake.duplicates == 1


async def test_faults_by_chance_repeat_with_their_seed(ann: TelegramPerson) -> None:
    async def struck(seed: int) -> list[bool]:
        async with FakeTelegram(seed=seed, limits=False) as fake, bot_on(fake) as bot:
            await fake.person(1).start()
            fake.faults.fail("sendMessage", "500", probability=0.5)
            outcomes = []
            for _ in range(20):
                try:
                    await bot.send_message(1, "Hello")
                    outcomes.append(False)
                except NetworkError:
                    outcomes.append(True)
            return outcomes

    first = await struck(1)
    assert first == await struck(1)
    assert any(first)
    assert not all(first)


async def test_a_fault_for_one_chat_only(fake: FakeTelegram, bot: Bot, ann: TelegramPerson) -> None:
    await fake.person(8).start()
    fake.faults.fail("sendMessage", "403", times=5, where=lambda p: int(p["chat_id"]) == 8)
    await bot.send_message(ann.id, "Hello")
    with pytest.raises(Forbidden):
        await bot.send_message(8, "Hello")


async def test_a_confirmed_update_comes_once_more(
    fake: FakeTelegram, bot: Bot, ann: TelegramPerson
) -> None:
    fake.faults.repeat = 1.0
    (first,) = await bot.get_updates()
    (again,) = await bot.get_updates(offset=first.update_id + 1)
    assert again.update_id == first.update_id
    assert await bot.get_updates(offset=first.update_id + 1) == ()


async def test_held_updates_let_others_overtake_but_keep_a_persons_order(
    fake: FakeTelegram, bot: Bot
) -> None:
    slow, quick = fake.person(1), fake.person(2)
    fake.faults.hold, fake.faults.hold_seconds = 1.0, (60.0, 60.0)
    await slow.send("one")
    fake.faults.hold = 0.0
    await slow.send("two")
    await quick.send("three")
    assert fake.unconfirmed == 3
    assert [u.message.text for u in await bot.get_updates()] == ["three"]
    fake.release()
    assert [u.message.text for u in await bot.get_updates()] == ["three", "one", "two"]


async def test_one_persons_updates_may_be_reordered_too(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.person(1)
    fake.faults.keep_person_order = False
    fake.faults.hold, fake.faults.hold_seconds = 1.0, (60.0, 60.0)
    await ann.send("one")
    fake.faults.hold = 0.0
    await ann.send("two")
    fake.release()
    assert [u.message.text for u in await bot.get_updates()] == ["two", "one"]


# -- token, webhook, outage ----------------------------------------------------------------


async def test_a_wrong_token_is_unauthorized(fake: FakeTelegram) -> None:
    bot = Bot("124:OTHER", base_url=f"{fake.base_url}/bot")
    with pytest.raises(InvalidToken):
        await bot.initialize()
    await bot.shutdown()


async def test_a_token_revoked_while_running_ends_the_poll(fake: FakeTelegram, bot: Bot) -> None:
    poll = asyncio.ensure_future(bot.get_updates(timeout=30))
    await fake.wait_polled()
    fake.revoke()
    with pytest.raises(InvalidToken):
        await poll
    with pytest.raises(InvalidToken):
        await bot.get_me()
    fake.restore()
    assert await bot.get_me()


async def test_a_webhook_gets_each_update_until_it_says_200(
    fake: FakeTelegram, bot: Bot, ann: TelegramPerson
) -> None:
    statuses = [500, 200, 200]
    bodies: list[dict[str, Any]] = []
    secrets: list[str | None] = []

    async def receive(request: web.BaseRequest) -> web.Response:
        bodies.append(json.loads(await request.read()))
        secrets.append(request.headers.get("X-Telegram-Bot-Api-Secret-Token"))
        return web.Response(status=statuses.pop(0))

    runner = web.ServerRunner(web.Server(receive), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        url = f"http://127.0.0.1:{runner.addresses[0][1]}/telegram/webhook"
        await bot.set_webhook(url, secret_token="hush")
        with pytest.raises(Conflict, match="webhook is active"):
            await bot.get_updates()
        await fake.wait_settled()
        await ann.send("hello")
        await fake.wait_settled()
        info = await bot.get_webhook_info()
        assert (info.url, info.pending_update_count) == (url, 0)
        assert "500" in info.last_error_message
        await bot.delete_webhook()
        assert await bot.get_updates() == ()
    finally:
        await runner.cleanup()
    texts = [Update.de_json(body, bot).message.text for body in bodies]
    assert texts == ["/start", "/start", "hello"]
    assert set(secrets) == {"hush"}


async def test_the_platform_goes_away_and_comes_back(
    fake: FakeTelegram, bot: Bot, ann: TelegramPerson
) -> None:
    await fake.stop()
    with pytest.raises(NetworkError):
        await bot.get_updates()
    await fake.start()
    assert len(await bot.get_updates()) == 1


async def test_a_killed_pollers_batch_stays(fake: FakeTelegram, ann: TelegramPerson) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", fake.port)
    request = "GET /bot123:TEST/getUpdates?timeout=30&offset=600000 HTTP/1.1\r\nHost: x\r\n\r\n"
    writer.write(request.encode())
    await fake.wait_polled()
    writer.transport.abort()
    await ann.send("hello")
    async with bot_on(fake) as bot:
        assert [u.message.text for u in await bot.get_updates()] == ["hello"]
    assert reader.at_eof() or reader.exception() is not None
