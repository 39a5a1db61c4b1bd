"""Nobody's words, address or token reaches a log, whatever goes wrong, at any level."""

from __future__ import annotations

import asyncio
import logging

import pytest

from bot.channels.base import ChannelFailed
from bot.channels.slack import SlackChannel
from bot.channels.telegram import TelegramChannel
from dialogues.prompts import Button, Prompt
from tests.channels.keeping import Keeper, Naps, running
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

WORDS = "marked-words"
QUESTION = Prompt(
    text=f"You said {WORDS}?", options=(Button(label=f"{WORDS} yes", token="tok3n-a.0.0"),)
)
TROUBLE = ("429", "403", "500", "nonsense", "reset", "error")


async def send_anyway(channel: TelegramChannel | SlackChannel, chat: str) -> None:
    try:
        await channel.send(chat, QUESTION, replaces=None)
    except ChannelFailed as error:
        logging.getLogger("bot").warning("not sent: %s", error, exc_info=error)


async def test_telegram(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("telegram", "telegram.Bot", "telegram.BaseRequest", "aiohttp"):
        caplog.set_level(logging.DEBUG, name)
    keeper = Keeper()
    async with FakeTelegram("987654321:s3cret", limits=False) as fake:
        channel = TelegramChannel("987654321:s3cret", fake.base_url, sleep=Naps())
        ann = fake.person(70001234, first_name="Marked-name")
        async with running(channel, keeper):
            await ann.send(WORDS)
            fake.poison(ann)
            for kind in TROUBLE:
                fake.faults.fail("getUpdates", kind, status=409, error=f"{WORDS} Conflict")
                fake.faults.fail("sendMessage", kind, error=f"Bad Request: {WORDS}")
                await send_anyway(channel, "70001234")
            await send_anyway(channel, "70001234")
            await ann.press(0)
            keeper.refuse = lambda inbound: keeper.times(inbound.event_id) < 2
            await ann.send(WORDS)
            await fake.wait_settled()
            fake.revoke()
    assert len(keeper.kept) == 3
    assert "not sent" in caplog.text
    for secret in (WORDS, "70001234", "s3cret", "Marked-name", "tok3n-a"):
        assert secret not in caplog.text


async def test_slack(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("slack_bolt", "slack_sdk", "slack_bolt.AsyncApp", "aiohttp"):
        caplog.set_level(logging.DEBUG, name)
    keeper = Keeper()
    async with FakeSlack("xoxb-s3cret", "xapp-s3cret", limits=False, ack_within=0.2) as fake:
        place = fake.channel("C1", members=["UMARKED1"])
        channel = SlackChannel(
            "xoxb-s3cret", "xapp-s3cret", fake.api_base_url, ["C1"], sleep=Naps()
        )
        ann = fake.person("UMARKED1")
        fake.faults.fail("apps.connections.open", "nonsense")
        async with running(channel, keeper):
            await fake.wait_connected()
            await ann.send(WORDS)
            for kind in TROUBLE:
                fake.faults.fail("chat.postMessage", kind, error=f"{WORDS}_not_taken")
                fake.faults.fail("users.info", kind)
                await send_anyway(channel, "UMARKED1")
            await send_anyway(channel, "UMARKED1")
            await ann.press(0)
            await ann.leave(place)
            await fake.emit({"type": "message", "channel_type": "im", "user": WORDS})
            await fake.wait_settled()
            keeper.refuse = lambda inbound: keeper.times(inbound.event_id) < 2
            await ann.send(WORDS)
            await fake.wait_settled()
            fake.revoke()
            await send_anyway(channel, "UMARKED1")
            await asyncio.sleep(0)
    assert len(keeper.kept) >= 4
    assert "not sent" in caplog.text
    for secret in (WORDS, "UMARKED1", "s3cret", "ticket", "tok3n-a"):
        assert secret not in caplog.text
