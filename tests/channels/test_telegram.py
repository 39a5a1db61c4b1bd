"""The Telegram channel, with the real python-telegram-bot, on the fake Bot API."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channels.base import (
    ChannelFailed,
    ChatGone,
    MessageRefused,
    Pressed,
    SlowDown,
    Unread,
    WentAway,
    Wrote,
)
from bot.channels.telegram import TelegramChannel
from bot.errors import CannotError
from dialogues.prompts import Button, Layout, Prompt
from tests.channels.keeping import Keeper, Naps, eventually, running
from tests.fakes.telegram import FakeTelegram

TOKEN = "123:TEST"
YES_NO = Prompt(
    text="Is it so?",
    options=(Button(label="Yes", token="s.0.0"), Button(label="No", token="s.0.1")),
)


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(TOKEN, limits=False) as server:
        yield server


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
async def channel(fake: FakeTelegram, naps: Naps) -> AsyncIterator[TelegramChannel]:
    made = TelegramChannel(
        TOKEN, fake.base_url, now=lambda: datetime(2026, 11, 22, tzinfo=UTC), sleep=naps
    )
    yield made
    await made.stop()


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


# -- reading ------------------------------------------------------------------------------


async def test_what_people_do_arrives_in_order(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper
) -> None:
    ann, ben = fake.person(7, language_code="cy"), fake.person(8)
    async with running(channel, keeper):
        for number in range(30):
            ann.say(f"a{number}")
            ben.say(f"b{number}")
        await fake.wait_settled()
    for person, letter in ((ann, "a"), (ben, "b")):
        words = [i.text for i in keeper.kept if i.address.chat == str(person.id)]
        assert words == [f"{letter}{number}" for number in range(30)]
    assert keeper.kept[0].language == "cy"
    assert keeper.kept[0].position == "1"
    assert keeper.kept[0].event_id == "tg:123:500000"


async def test_nothing_is_acknowledged_before_it_is_kept(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper
) -> None:
    keeper.gate.clear()
    async with running(channel, keeper):
        fake.person(7).say("wait for me")
        await keeper.until(lambda: len(keeper.came) == 1)
        assert fake.unconfirmed == 1
        keeper.gate.set()
        await fake.wait_settled()
    assert keeper.words == ["wait for me"]


async def test_what_could_not_be_kept_comes_again_and_holds_back_only_its_person(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper, naps: Naps
) -> None:
    ann, ben = fake.person(7), fake.person(8)
    keeper.refuse = lambda inbound: inbound.text == "first" and keeper.times(inbound.event_id) < 3
    ann.say("before")
    ann.say("first")
    ann.say("second")
    ben.say("other")
    async with running(channel, keeper):
        await fake.wait_settled()
    assert [i.text for i in keeper.kept if i.address.chat == "7"] == ["before", "first", "second"]
    assert "other" in keeper.words
    assert keeper.times("tg:123:500000") == 1
    assert keeper.times("tg:123:500001") == 3
    assert len(naps.asked) == 2
    assert naps.asked[1] > 0.4


async def test_a_repeated_update_carries_the_same_event_id(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper
) -> None:
    fake.faults.repeat = 1.0
    fake.person(7).say("once")
    async with running(channel, keeper):
        await keeper.until(lambda: len(keeper.kept) == 2)
        fake.faults.clear()
    assert len({inbound.event_id for inbound in keeper.kept}) == 1


async def test_an_update_that_cannot_be_read_is_passed_over_alone(
    fake: FakeTelegram,
    channel: TelegramChannel,
    keeper: Keeper,
    caplog: pytest.LogCaptureFixture,
) -> None:
    ann = fake.person(7)
    ann.say("before")
    fake.poison(ann)
    ann.say("after")
    async with running(channel, keeper):
        await fake.wait_settled()
    assert keeper.words == ["before", "after"]
    assert "update 500001 cannot be read and is passed over" in caplog.messages


async def test_an_update_that_our_own_code_fails_on_is_passed_over_in_the_end(
    fake: FakeTelegram,
    channel: TelegramChannel,
    keeper: Keeper,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def refuse(inbound: Any) -> bool:
        if inbound.text == "bad":
            raise RuntimeError(inbound.text * 3)
        return False

    keeper.refuse = refuse
    ann = fake.person(7)
    ann.say("bad")
    ann.say("good")
    async with running(channel, keeper):
        await fake.wait_settled()
    assert keeper.words == ["good"]
    assert keeper.times("tg:123:500000") == 3
    assert "passed over" in caplog.text
    assert "RuntimeError" in caplog.text
    assert "badbadbad" not in caplog.text


async def test_ids_that_start_anew_lower_down_are_not_thrown_away(
    fake: FakeTelegram, keeper: Keeper
) -> None:
    channel = TelegramChannel(TOKEN, fake.base_url, poll_seconds=1)
    ann = fake.person(7)
    async with running(channel, keeper):
        ann.say("before the quiet week")
        await fake.wait_settled()
        next_poll = fake.faults.fail("getUpdates", "slow", seconds=0.05)
        await eventually(lambda: next_poll.hits == 1)
        fake.next_update_id = 1000
        ann.say("after it")
        await keeper.until(lambda: len(keeper.kept) == 2)
        await fake.wait_settled()
    assert keeper.words == ["before the quiet week", "after it"]


async def test_a_photo_an_edit_a_press_and_a_block_are_read(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper
) -> None:
    ann = fake.person(7)
    async with running(channel, keeper):
        said = await ann.send("monts")
        await ann.edit(said, "months")
        await ann.photo()
        await fake.wait_settled()
        await channel.send("7", YES_NO, replaces=None)
        press = await ann.press("No")
        await ann.wait_until(lambda: press.answered)
        await ann.block()
        await fake.wait_settled()
        await ann.unblock()
        await fake.wait_settled()
    wrote, edited, unread, pressed, went, back = keeper.kept
    assert (wrote.text, edited.text) == ("monts", "months")
    assert edited.position == wrote.position
    assert isinstance(unread, Unread)
    assert isinstance(pressed, Pressed)
    assert pressed.token == "s.0.1"
    assert isinstance(went, WentAway)
    assert type(back).__name__ == "BroughtBack"


async def test_a_press_is_answered_after_it_is_kept_and_a_failing_answer_harms_nothing(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper
) -> None:
    ann = fake.person(7)
    await ann.start()
    async with running(channel, keeper):
        await keeper.until(lambda: len(keeper.kept) == 1)
        await channel.send("7", YES_NO, replaces=None)
        keeper.gate.clear()
        press = await ann.press("Yes")
        await keeper.until(lambda: len(keeper.came) == 2)
        assert fake.calls["answerCallbackQuery"] == 0
        keeper.gate.set()
        await ann.wait_until(lambda: press.answered)
        for kind in ("500", "reset", "error"):
            fake.faults.fail("answerCallbackQuery", kind, error="Bad Request: query is too old")
            await ann.press("No")
        await fake.wait_settled()
        await eventually(lambda: fake.calls["answerCallbackQuery"] == 4)
    assert [type(inbound) for inbound in keeper.kept] == [Wrote, *[Pressed] * 4]


@pytest.mark.parametrize("kind", ["500", "nonsense", "reset", "429", "403"])
async def test_trouble_with_the_platform_is_waited_out(
    kind: str, fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper, naps: Naps
) -> None:
    fake.faults.fail("getUpdates", kind, times=3, retry_after=17)
    fake.faults.fail("deleteWebhook", kind, times=2, retry_after=17)
    fake.person(7).say("still here")
    async with running(channel, keeper):
        await fake.wait_settled()
    assert keeper.words == ["still here"]
    assert len(naps.asked) == 5
    assert kind != "429" or set(naps.asked) == {17.0}


async def test_the_platform_goes_away_and_comes_back(
    fake: FakeTelegram, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "bot.channels")
    channel = TelegramChannel(TOKEN, fake.base_url)
    async with running(channel, keeper):
        await fake.wait_polled()
        await fake.stop()
        fake.person(7).say("while away")
        await fake.start()
        await fake.wait_settled()
    assert keeper.words == ["while away"]
    assert sum("does not answer" in message for message in caplog.messages) == 1
    assert "Telegram answers again." in caplog.messages


async def test_stopping_does_not_wait_for_a_platform_that_is_away(keeper: Keeper) -> None:
    waiting = asyncio.Event()

    async def wait_for_ever(_seconds: float) -> None:
        waiting.set()
        await asyncio.Event().wait()

    away = TelegramChannel(TOKEN, "http://127.0.0.1:1", sleep=wait_for_ever)
    async with running(away, keeper) as task:
        await waiting.wait()
    assert task.done()
    assert task.exception() is None


async def test_a_store_that_fails_for_long_is_tried_every_few_seconds(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper, naps: Naps
) -> None:
    keeper.refuse = lambda inbound: keeper.times(inbound.event_id) < 12
    fake.person(7).say("keep me")
    async with running(channel, keeper):
        await fake.wait_settled()
    assert keeper.words == ["keep me"]
    assert max(naps.asked) == 5.0


async def test_a_webhook_is_taken_away_without_dropping_what_waits(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper
) -> None:
    fake.webhook.url = "http://127.0.0.1:9/hook"
    fake.person(7).say("waiting")
    async with running(channel, keeper):
        await fake.wait_settled()
    assert keeper.words == ["waiting"]


async def test_a_second_reader_is_named_and_reading_goes_on(
    fake: FakeTelegram,
    channel: TelegramChannel,
    keeper: Keeper,
    naps: Naps,
    caplog: pytest.LogCaptureFixture,
) -> None:
    fake.faults.fail("getUpdates", "error", status=409, error="Conflict: terminated by other")
    fake.person(7).say("hello")
    async with running(channel, keeper):
        await fake.wait_settled()
    assert keeper.words == ["hello"]
    assert "Another program reads this bot's updates" in caplog.text
    assert naps.asked == [15.0]


async def test_a_wrong_token_is_said_with_what_to_do(fake: FakeTelegram, keeper: Keeper) -> None:
    channel = TelegramChannel("123:WRONG", fake.base_url)
    with pytest.raises(CannotError, match="@BotFather") as told:
        await channel.run(keeper.receive)
    await channel.stop()
    assert "WRONG" not in str(told.value)


def test_no_token_is_said_with_what_to_do() -> None:
    with pytest.raises(CannotError, match=r"\[telegram\] token"):
        TelegramChannel("")


async def test_a_token_revoked_while_running_ends_the_run(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper
) -> None:
    task = asyncio.create_task(channel.run(keeper.receive))
    await fake.wait_polled()
    fake.revoke()
    with pytest.raises(CannotError, match="@BotFather"):
        await asyncio.wait_for(task, 10)


async def test_a_token_refused_while_sending_ends_the_run(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper
) -> None:
    task = asyncio.create_task(channel.run(keeper.receive))
    await fake.wait_polled()
    fake.faults.fail("sendMessage", "error", status=401, error="Unauthorized")
    with pytest.raises(ChannelFailed):
        await channel.send("7", YES_NO, replaces=None)
    with pytest.raises(CannotError):
        await asyncio.wait_for(task, 10)


async def test_stopping_lets_what_was_read_be_kept_and_acknowledged(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper
) -> None:
    keeper.gate.clear()
    task = asyncio.create_task(channel.run(keeper.receive))
    fake.person(7).say("last words")
    await keeper.until(lambda: len(keeper.came) == 1)
    stopping = asyncio.create_task(channel.stop())
    await asyncio.sleep(0)
    assert not stopping.done()
    keeper.gate.set()
    await asyncio.wait_for(stopping, 10)
    await task
    assert keeper.words == ["last words"]
    assert fake.unconfirmed == 0


async def test_what_is_not_kept_at_the_end_is_not_acknowledged(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper
) -> None:
    keeper.refuse = lambda _inbound: True
    async with running(channel, keeper):
        fake.person(7).say("lost?")
        await keeper.until(lambda: len(keeper.came) >= 1)
    assert fake.unconfirmed == 1


async def test_a_cancelled_run_acknowledges_nothing_more(
    fake: FakeTelegram, channel: TelegramChannel, keeper: Keeper
) -> None:
    keeper.gate.clear()
    task = asyncio.create_task(channel.run(keeper.receive))
    fake.person(7).say("lost?")
    await keeper.until(lambda: len(keeper.came) == 1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert fake.unconfirmed == 1


# -- sending ------------------------------------------------------------------------------


async def test_a_message_is_sent_then_changed_in_place(
    fake: FakeTelegram, channel: TelegramChannel
) -> None:
    ann = fake.person(7)
    await ann.start()
    position = await channel.send("7", YES_NO, replaces=None)
    assert position == "2"
    assert ann.shown[0].labels == ["Yes", "No"]
    again = await channel.send("7", Prompt(text="Yes ✓"), replaces=position)
    assert again == position
    assert (ann.shown[0].text, ann.shown[0].labels, len(ann.shown)) == ("Yes ✓", [], 1)
    assert await channel.send("7", Prompt(text="Yes ✓"), replaces=position) == position
    assert ann.shown[0].edits == 1


async def test_what_cannot_be_changed_is_sent_anew(
    fake: FakeTelegram, channel: TelegramChannel
) -> None:
    ann = fake.person(7)
    said = await ann.start()
    position = await channel.send("7", YES_NO, replaces=None)
    ann.shown[0].deleted = True
    assert await channel.send("7", YES_NO, replaces=position) == "3"
    assert await channel.send("7", YES_NO, replaces=str(said.id)) == "4"


async def test_ticks_are_shown(fake: FakeTelegram, channel: TelegramChannel) -> None:
    ann = fake.person(7)
    await ann.start()
    options = (
        Button(label="Housing", token="s.0.0", ticked=True),
        Button(label="Health", token="s.0.1"),
    )
    prompt = Prompt(text="Which?", options=options, layout=Layout.TICKS)
    await channel.send("7", prompt, replaces=None)
    assert ann.shown[0].labels == ["✓ Housing", "Health"]


async def test_any_text_is_shown_as_it_is(fake: FakeTelegram, channel: TelegramChannel) -> None:
    ann = fake.person(7)
    await ann.start()
    text = "<b>&amp; *x* _y_ [z](http://q) 🎉 שלום \u202e \u0007 end"
    await channel.send("7", Prompt(text=text), replaces=None)
    assert ann.shown[0].text == text


async def test_a_hundred_thousand_characters_arrive_whole_and_resume_where_they_stopped(
    fake: FakeTelegram, channel: TelegramChannel
) -> None:
    ann = fake.person(7)
    await ann.start()
    prompt = Prompt(
        text=" ".join(f"wörd {number} 🎉" for number in range(7500)), options=YES_NO.options
    )
    fake.faults.fail("sendMessage", "429", retry_after=3, where=lambda _p: len(ann.shown) == 10)
    with pytest.raises(SlowDown) as told:
        await channel.send("7", prompt, replaces=None)
    assert told.value.seconds == 3
    position = await channel.send("7", prompt, replaces=None)
    assert "".join("".join(m.text for m in ann.shown).split()) == "".join(prompt.text.split())
    assert [bool(m.labels) for m in ann.shown] == [False] * (len(ann.shown) - 1) + [True]
    assert position == str(ann.shown[-1].id)
    assert fake.duplicates == 0


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        ({"kind": "429", "retry_after": 9}, SlowDown),
        ({"kind": "403"}, ChatGone),
        ({"kind": "error", "status": 400, "error": "Bad Request: chat not found"}, ChatGone),
        ({"kind": "error", "status": 400, "error": "Bad Request: anything"}, MessageRefused),
        ({"kind": "error", "status": 429, "error": "without a time"}, SlowDown),
        ({"kind": "500"}, ChannelFailed),
        ({"kind": "nonsense"}, ChannelFailed),
        ({"kind": "reset"}, ChannelFailed),
        ({"kind": "lose_reply"}, ChannelFailed),
    ],
)
async def test_each_trouble_in_sending_has_its_name(
    fault: dict[str, Any], error: type[Exception], fake: FakeTelegram, channel: TelegramChannel
) -> None:
    await fake.person(7).start()
    fake.faults.fail("sendMessage", **fault)
    with pytest.raises(ChannelFailed) as told:
        await channel.send("7", YES_NO, replaces=None)
    assert type(told.value) is error
    assert TOKEN not in repr(told.value)
    assert told.value.__suppress_context__


async def test_nobody_there_to_answer_is_a_failure(channel: TelegramChannel) -> None:
    away = TelegramChannel(TOKEN, "http://127.0.0.1:1")
    with pytest.raises(ChannelFailed):
        await away.send("7", YES_NO, replaces=None)
    await away.stop()


async def test_one_busy_chat_halts_nobody_else_and_two_halt_everybody(
    fake: FakeTelegram, channel: TelegramChannel
) -> None:
    for person_id in (7, 8):
        await fake.person(person_id).start()
    fake.faults.fail("sendMessage", "429", times=3, retry_after=30)
    told = []
    for chat in ("7", "7", "8"):
        with pytest.raises(SlowDown) as slow:
            await channel.send(chat, YES_NO, replaces=None)
        told.append(slow.value.whole)
    assert told == [False, False, True]


async def test_who_blocked_the_bot_is_gone(fake: FakeTelegram, channel: TelegramChannel) -> None:
    ann = fake.person(7)
    await ann.start()
    await ann.block()
    for chat in ("7", "999"):
        with pytest.raises(ChatGone):
            await channel.send(chat, YES_NO, replaces=None)


async def test_messages_still_go_out_after_reading_has_stopped(
    fake: FakeTelegram, channel: TelegramChannel
) -> None:
    await fake.person(7).start()
    await channel.stop()
    assert await channel.send("7", YES_NO, replaces=None) == "2"


async def test_commands_are_announced_in_every_language(
    fake: FakeTelegram, channel: TelegramChannel
) -> None:
    await channel.announce({"en": [("skip", "Skip this")], "cy": [("skip", "Hepgor hwn")]})
    english = [{"command": "skip", "description": "Skip this"}]
    assert fake.commands == {
        ("default", ""): english,
        ("default", "en"): english,
        ("default", "cy"): [{"command": "skip", "description": "Hepgor hwn"}],
    }
    fake.faults.fail("setMyCommands", "500")
    await channel.announce({"en": [("skip", "Skip this")]})
