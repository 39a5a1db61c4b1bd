"""python-telegram-bot's requests on aiohttp: files, timeouts, proxies left alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup
from telegram.error import BadRequest, InvalidToken, NetworkError, TimedOut

from bot.channels.telegram_transport import AiohttpRequest, Flooded
from tests.fakes.telegram import FakeTelegram


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(limits=False) as server:
        yield server


@pytest.fixture
async def bot(fake: FakeTelegram) -> AsyncIterator[Bot]:
    async with Bot(
        "123:TEST",
        base_url=f"{fake.base_url}/bot",
        base_file_url=f"{fake.base_url}/file/bot",
        request=AiohttpRequest(connections=4, timeout=5.0),
        get_updates_request=AiohttpRequest(connections=1, timeout=5.0),
    ) as made:
        yield made


async def test_the_librarys_own_methods_work_on_it(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.person(7)
    await ann.start()
    keyboard = InlineKeyboardMarkup([[InlineKeyboardButton("Ie 🎉", callback_data="s.0.0")]])
    message = await bot.send_message(7, "Helô & <co>", reply_markup=keyboard)
    assert (ann.shown[0].text, ann.shown[0].labels) == ("Helô & <co>", ["Ie 🎉"])
    assert message.message_id == 2
    assert [update.update_id for update in await bot.get_updates()] == [500000]


async def test_a_file_goes_up_and_comes_back(fake: FakeTelegram, bot: Bot) -> None:
    ann = fake.person(7)
    await ann.start()
    content = bytes(range(256)) * 40
    message = await bot.send_document(7, content, filename="answers.csv", caption="Dyma nhw")
    assert (ann.shown[0].filename, ann.shown[0].raw["caption"]) == ("answers.csv", "Dyma nhw")
    assert message.document is not None
    file = await message.document.get_file()
    assert bytes(await file.download_as_bytearray()) == content


async def test_many_requests_share_few_connections(fake: FakeTelegram, bot: Bot) -> None:
    for number in range(20):
        await fake.person(number).start()
    await asyncio.gather(*(bot.send_message(number, "hello") for number in range(20)))
    assert len(fake.sent) == 20


async def test_no_answer_in_time_is_said_so(fake: FakeTelegram, bot: Bot) -> None:
    fake.faults.fail("getMe", "hang")
    with pytest.raises(TimedOut):
        await bot.get_me(read_timeout=0.05)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "reset"}, NetworkError),
        ({"kind": "500"}, NetworkError),
        ({"kind": "nonsense"}, NetworkError),
        ({"kind": "error", "status": 401}, InvalidToken),
        ({"kind": "error", "status": 400}, BadRequest),
    ],
)
async def test_failures_are_the_librarys_and_carry_no_token(
    fault: dict[str, object], error: type[Exception], fake: FakeTelegram, bot: Bot
) -> None:
    fake.faults.fail("getMe", **fault)  # type: ignore[arg-type]
    with pytest.raises(error) as told:
        await bot.get_me()
    assert "TEST" not in repr(told.value)
    assert told.value.__cause__ is None


async def test_how_long_to_wait_is_kept_without_a_warning(fake: FakeTelegram, bot: Bot) -> None:
    fake.faults.fail("getMe", "429", retry_after=7)
    with pytest.raises(Flooded) as told:
        await bot.get_me()
    assert told.value.seconds == 7


async def test_after_closing_it_opens_anew(fake: FakeTelegram) -> None:
    request = AiohttpRequest()
    url = f"{fake.base_url}/bot123:TEST/getMe"
    for _ in range(2):
        status, payload = await request.do_request(url, "POST")
        assert status == 200
        assert AiohttpRequest.parse_json_payload(payload)["result"]["id"] == 123
        await request.shutdown()
    await request.shutdown()
