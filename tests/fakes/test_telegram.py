"""The fake Telegram, driven by the real python-telegram-bot."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import aiohttp
import pytest
from telegram import (
    Bot,
    BotCommand,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    ReplyKeyboardMarkup,
)
from telegram.error import (
    BadRequest,
    Conflict,
    Forbidden,
)

from tests.fakes.pictures import png
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


def keys(*labels: str, data: Callable[[str], str] = lambda label: label) -> InlineKeyboardMarkup:
    return InlineKeyboardMarkup([[InlineKeyboardButton(x, callback_data=data(x)) for x in labels]])


# -- updates -------------------------------------------------------------------------------


async def test_a_message_arrives_with_its_sender_and_command(fake: FakeTelegram, bot: Bot) -> None:
    await fake.person(7, first_name="Ann", language_code="cy").start("riverside")
    (update,) = await bot.get_updates()
    assert update.message.text == "/start riverside"
    assert update.message.entities[0].type == "bot_command"
    assert update.effective_user.language_code == "cy"
    assert update.effective_chat.type == "private"


async def test_an_update_stays_until_a_greater_offset_confirms_it(
    fake: FakeTelegram, bot: Bot, ann: TelegramPerson
) -> None:
    await ann.send("one")
    first = await bot.get_updates()
    assert [u.update_id for u in await bot.get_updates()] == [u.update_id for u in first]
    assert [u.update_id for u in await bot.get_updates(offset=first[1].update_id)] == [
        first[1].update_id
    ]
    assert await bot.get_updates(offset=first[1].update_id + 1) == ()
    assert fake.unconfirmed == 0
    assert fake.redelivered == 3


async def test_a_negative_offset_keeps_only_the_newest(bot: Bot, ann: TelegramPerson) -> None:
    for word in ("a", "b", "c"):
        await ann.send(word)
    assert [u.message.text for u in await bot.get_updates(offset=-2)] == ["b", "c"]
    assert len(await bot.get_updates()) == 2


async def test_a_batch_is_at_most_a_hundred(bot: Bot, ann: TelegramPerson) -> None:
    for number in range(120):
        await ann.send(str(number))
    assert len(await bot.get_updates()) == 100
    assert len(await bot.get_updates(limit=5)) == 5


async def test_a_long_poll_ends_with_the_first_update(
    fake: FakeTelegram, bot: Bot, ann: TelegramPerson
) -> None:
    (start,) = await bot.get_updates()
    poll = asyncio.ensure_future(bot.get_updates(offset=start.update_id + 1, timeout=30))
    await fake.wait_polled()
    await ann.send("hello")
    assert [u.message.text for u in await poll] == ["hello"]


async def test_a_long_poll_ends_empty_at_its_time(bot: Bot) -> None:
    assert await bot.get_updates(timeout=1) == ()


async def test_the_older_of_two_pollers_gets_a_conflict(fake: FakeTelegram, bot: Bot) -> None:
    older = asyncio.ensure_future(bot.get_updates(timeout=30))
    await fake.wait_polled()
    async with bot_on(fake) as other:
        newer = asyncio.ensure_future(other.get_updates(timeout=30))
        with pytest.raises(Conflict, match="terminated by other getUpdates"):
            await older
        assert fake.conflicts == 1
        await fake.person(7).start()
        assert len(await newer) == 1


async def test_only_allowed_kinds_are_made_from_then_on(bot: Bot, ann: TelegramPerson) -> None:
    await bot.get_updates(allowed_updates=["message"], offset=-1)
    await ann.block()
    await ann.unblock()
    await ann.send("still here")
    kinds = [u.my_chat_member is not None for u in await bot.get_updates()]
    assert kinds == [False, False]
    await bot.get_updates(allowed_updates=["message", "my_chat_member"])
    await ann.block()
    assert (await bot.get_updates())[-1].my_chat_member.new_chat_member.status == "kicked"


async def test_an_edit_a_photo_and_a_long_text(bot: Bot, ann: TelegramPerson) -> None:
    message = await ann.send("frist")
    await ann.edit(message, "first")
    await ann.photo("the town hall")
    await ann.send("é" * 5000)
    updates = (await bot.get_updates())[2:]
    assert updates[0].edited_message.text == "first"
    assert updates[0].edited_message.message_id == message.id
    assert updates[0].edited_message.edit_date is not None
    assert updates[1].message.caption == "the town hall"
    assert [len(u.message.text) for u in updates[2:]] == [4096, 904]
    file = await updates[1].message.photo[-1].get_file()
    assert bytes(await file.download_as_bytearray()).startswith(b"\xff\xd8")


async def test_a_poisoned_update_cannot_be_parsed(
    fake: FakeTelegram, bot: Bot, ann: TelegramPerson
) -> None:
    await ann.poison()
    with pytest.raises((TypeError, AttributeError, KeyError)):
        await bot.get_updates()
    with pytest.raises((TypeError, AttributeError, KeyError)):
        await bot.get_updates(allowed_updates=["message"])
    assert fake.unconfirmed == 2


# -- sending -------------------------------------------------------------------------------


async def test_message_ids_rise_for_both_sides_together(bot: Bot, ann: TelegramPerson) -> None:
    answer = await bot.send_message(ann.id, "Hello Ann")
    said = await ann.send("hello")
    assert [answer.message_id, said.id] == [2, 3]
    assert answer.date is not None
    assert [m.text for m in ann.chat] == ["/start", "Hello Ann", "hello"]


async def test_a_press_carries_its_message_and_is_answered_once(
    bot: Bot, ann: TelegramPerson
) -> None:
    await bot.send_message(ann.id, "Agree?", reply_markup=keys("Yes", "No"))
    question = await ann.next_message()
    press = await ann.press("ye")
    query = (await bot.get_updates())[-1].callback_query
    assert query.data == "Yes"
    assert query.message.message_id == question.id
    assert query.message.reply_markup.inline_keyboard[0][1].text == "No"
    await bot.answer_callback_query(query.id, text="Noted")
    assert press.answered
    assert press.toast == "Noted"
    with pytest.raises(BadRequest, match=r"(?i)query is too old"):
        await bot.answer_callback_query(query.id)


async def test_an_edited_message_is_shown_as_edited_and_old_buttons_can_be_pressed(
    bot: Bot, ann: TelegramPerson
) -> None:
    sent = await bot.send_message(ann.id, "Agree?", reply_markup=keys("Yes"))
    button = (await ann.next_message()).buttons[0]
    await bot.edit_message_text("Agreed.", ann.id, sent.message_id)
    assert ann.newest.text == "Agreed."
    assert ann.newest.rows == []
    with pytest.raises(LookupError):
        await ann.press("Yes")
    await ann.press(button, ann.newest)
    assert (await bot.get_updates())[-1].callback_query.data == "Yes"
    with pytest.raises(BadRequest, match=r"(?i)message is not modified"):
        await bot.edit_message_text("Agreed.", ann.id, sent.message_id)
    await bot.edit_message_reply_markup(ann.id, sent.message_id, reply_markup=keys("Undo"))
    assert ann.newest.labels == ["Undo"]
    with pytest.raises(BadRequest, match=r"(?i)message to edit not found"):
        await bot.edit_message_text("x", ann.id, 99)
    await bot.delete_message(ann.id, sent.message_id)
    assert ann.newest is None


async def test_a_key_of_a_reply_keyboard_is_typed(bot: Bot, ann: TelegramPerson) -> None:
    await bot.send_message(ann.id, "Agree?", reply_markup=ReplyKeyboardMarkup([["Yes", "No"]]))
    await ann.press("No")
    assert (await bot.get_updates())[-1].message.text == "No"


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "text is empty"), ("  \n", "text is empty"), ("x" * 4097, "message is too long")],
)
async def test_text_length(bot: Bot, ann: TelegramPerson, text: str, reason: str) -> None:
    await bot.send_message(ann.id, "🙂" * 4096)
    with pytest.raises(BadRequest, match=rf"(?i){reason}"):
        await bot.send_message(ann.id, text)


async def test_html_is_counted_and_shown_without_its_tags(bot: Bot, ann: TelegramPerson) -> None:
    await bot.send_message(ann.id, "<b>a</b> &lt; b" + "x" * 4090, parse_mode="HTML")
    assert ann.newest.text.startswith("a < bxx")
    for wrong in ("<b>a", "a</b>", "<table>"):
        with pytest.raises(BadRequest, match=r"(?i)can't parse entities"):
            await bot.send_message(ann.id, wrong, parse_mode="HTML")


async def test_callback_data_is_counted_in_bytes(bot: Bot, ann: TelegramPerson) -> None:
    await bot.send_message(ann.id, "?", reply_markup=keys("A", data=lambda _label: "é" * 32))
    with pytest.raises(BadRequest, match=r"(?i)BUTTON_DATA_INVALID"):
        await bot.send_message(ann.id, "?", reply_markup=keys("A", data=lambda _x: "é" * 33))
    with pytest.raises(BadRequest, match=r"(?i)BUTTON_DATA_INVALID"):
        await bot.send_message(ann.id, "?", reply_markup=keys("A", data=lambda _label: ""))


async def test_a_keyboard_has_at_most_a_hundred_buttons_and_eight_a_row(
    bot: Bot, ann: TelegramPerson
) -> None:
    button = InlineKeyboardButton("x", callback_data="x")
    await bot.send_message(ann.id, "?", reply_markup=InlineKeyboardMarkup([[button] * 4] * 25))
    for rows in ([[button] * 9], [[button]] * 101):
        with pytest.raises(BadRequest, match=r"(?i)reply markup is too long"):
            await bot.send_message(ann.id, "?", reply_markup=InlineKeyboardMarkup(rows))


async def test_a_bot_cannot_write_first_nor_to_who_blocked_it(
    fake: FakeTelegram, bot: Bot, ann: TelegramPerson
) -> None:
    fake.person(8)
    with pytest.raises(Forbidden, match="can't initiate conversation"):
        await bot.send_message(8, "Hello")
    with pytest.raises(BadRequest, match=r"(?i)chat not found"):
        await bot.send_message(9, "Hello")
    await ann.block()
    with pytest.raises(Forbidden, match="blocked by the user"):
        await bot.send_message(ann.id, "Hello")
    await ann.unblock()
    await bot.send_message(ann.id, "Hello")
    await ann.deactivate()
    with pytest.raises(Forbidden, match="deactivated"):
        await bot.send_message(ann.id, "Hello")


async def test_files_are_sent_and_recorded(
    fake: FakeTelegram, bot: Bot, ann: TelegramPerson
) -> None:
    sent = await bot.send_document(ann.id, b"a,b\n", filename="data.csv", caption="Your data")
    assert sent.document.file_name == "data.csv"
    assert ann.newest.filename == "data.csv"
    assert fake.files[sent.document.file_id] == b"a,b\n"
    await bot.send_photo(ann.id, png(), filename="chart.png")
    assert "photo" in ann.newest.raw
    again = await bot.send_photo(ann.id, ann.newest.raw["photo"][-1]["file_id"], caption="A chart")
    assert (again.caption, again.text, ann.newest.text) == ("A chart", None, "A chart")
    assert fake.uploads == 2
    for content in (b"no picture", png(1, 21), png(9_000, 1_001)):
        with pytest.raises(BadRequest, match=r"(?i)INVALID_DIMENSIONS|PROCESS_FAILED"):
            await bot.send_photo(ann.id, content, filename="chart.png")
    with pytest.raises(BadRequest, match=r"(?i)wrong file identifier"):
        await bot.send_photo(ann.id, "photo-of-another-bot")
    with pytest.raises(BadRequest, match=r"(?i)there is no text"):
        await bot.edit_message_text("Other words", ann.id, again.message_id)
    with pytest.raises(BadRequest, match=r"(?i)caption is too long"):
        await bot.send_document(ann.id, b"a", filename="a", caption="x" * 1025)
    with pytest.raises(BadRequest, match=r"(?i)file must be non-empty"):
        await bot.send_document(ann.id, b"", filename="a")


async def test_commands_and_descriptions(fake: FakeTelegram, bot: Bot) -> None:
    assert (await bot.get_me()).username == "commonpulse_bot"
    await bot.set_my_commands([BotCommand("help", "What I do")], language_code="cy")
    assert fake.commands["default", "cy"] == [{"command": "help", "description": "What I do"}]
    assert (await bot.get_my_commands(language_code="cy"))[0].command == "help"
    with pytest.raises(BadRequest, match=r"(?i)BOT_COMMAND_INVALID"):
        await bot.set_my_commands([("Help!", "What I do")])
    await bot.set_my_description("About")
    await bot.set_my_short_description("Short")
    assert (fake.description, fake.short_description) == ("About", "Short")
    with pytest.raises(BadRequest):
        await bot.set_my_short_description("x" * 121)
    assert await bot.log_out()
    assert await bot.close()


async def test_json_bodies_are_read_like_forms(fake: FakeTelegram, ann: TelegramPerson) -> None:
    markup = {"inline_keyboard": [[{"text": "Yes", "callback_data": "y"}]]}
    body = {"chat_id": ann.id, "text": "Agree?", "reply_markup": markup}
    async with (
        aiohttp.ClientSession() as session,
        session.post(f"{fake.base_url}/bot123:TEST/sendMessage", json=body) as answer,
    ):
        assert (await answer.json())["result"]["text"] == "Agree?"
    assert ann.newest.labels == ["Yes"]


# -- the person's side ---------------------------------------------------------------------


async def test_waiting_reads_each_message_once_and_fails_with_the_chat(
    bot: Bot, ann: TelegramPerson
) -> None:
    await bot.send_message(ann.id, "one")
    await bot.send_message(ann.id, "two")
    assert (await ann.next_message()).text == "one"
    later = asyncio.ensure_future(ann.wait_for(lambda m: m.text == "three"))
    await bot.send_message(ann.id, "three")
    assert (await later).text == "three"
    with pytest.raises(TimeoutError, match="bot: three"):
        await ann.next_message(timeout=0.01)


async def test_the_time_of_a_reply_runs_from_the_action(bot: Bot, ann: TelegramPerson) -> None:
    await ann.send("hello")
    await bot.get_updates()
    assert ann.latencies == []
    await bot.send_message(ann.id, "Hello Ann")
    await bot.send_message(ann.id, "Anything else?")
    assert len(ann.latencies) == len(ann.handed_latencies) == 1
    assert 0 < ann.handed_latencies[0] <= ann.latencies[0]
