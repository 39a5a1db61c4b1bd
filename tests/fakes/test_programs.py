"""The fakes run by themselves: driven over HTTP, and talked with in a terminal."""

from __future__ import annotations

import asyncio
import json
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from telegram import Bot, InlineKeyboardButton, InlineKeyboardMarkup

from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram


@asynccontextmanager
async def program(platform: str, *options: str) -> AsyncIterator[tuple[Process, dict[str, str]]]:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", f"tests.fakes.{platform}", *options, stdin=PIPE, stdout=PIPE
    )
    assert process.stdout is not None
    try:
        yield process, json.loads(await process.stdout.readline())
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def read_until(process: Process, words: str) -> str:
    assert process.stdout is not None
    text = ""
    while words not in text:
        line = await process.stdout.readline()
        assert line, f"ended before {words!r}:\n{text}"
        text += line.decode()
    return text


def say(process: Process, *lines: str) -> None:
    assert process.stdin is not None
    process.stdin.write("".join(f"{line}\n" for line in lines).encode())


class Control:
    """The control addresses, over HTTP."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.session = session
        self.address = address

    async def post(self, verb: str, status: int = 200, **body: Any) -> Any:
        url = f"{self.address}/control/{verb}"
        async with self.session.post(url, json=body) as answer:
            assert answer.status == status
            return await answer.json()

    async def get(self, verb: str, **query: str) -> Any:
        url = f"{self.address}/control/{verb}"
        async with self.session.get(url, params=query) as answer:
            assert answer.status == 200
            return await answer.json()


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram() as server:
        yield server


async def test_another_process_drives_a_fake(fake: FakeTelegram) -> None:
    markup = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y")]])
    async with (
        aiohttp.ClientSession() as session,
        Bot("123:TEST", base_url=f"{fake.base_url}/bot") as bot,
    ):
        control = Control(session, fake.address)
        await control.post("person", id=7, first_name="Ann", language_code="cy")
        said = await control.post("say", person=7, text="frist")
        await control.post("edit", person=7, message=said["id"], text="first")
        await bot.send_message(7, "Agree?", reply_markup=markup)
        assert await control.post("press", person=7, which="Yes") == {"pressed": "Yes"}
        await control.post("do", person=7, act="block")
        updates = await bot.get_updates()
        assert [update.update_id - updates[0].update_id for update in updates] == [0, 1, 2, 3]
        assert updates[0].effective_user.language_code == "cy"
        chat = await control.get("chat", person="7")
        assert [m["from"] for m in chat] == ["person", "bot"]
        assert chat[1]["buttons"] == [{"label": "Yes", "data": "y"}]
        assert await control.get("people") == [{"id": 7, "name": "Ann", "messages": 2}]
        counters = await control.get("counters")
        assert (counters["sent"], counters["calls"]["sendMessage"]) == (1, 1)


async def test_another_process_lets_somebody_join_and_leave() -> None:
    async with FakeSlack() as slack, aiohttp.ClientSession() as session:
        control = Control(session, slack.address)
        await control.post("do", person="U7", act="join", channel="C1")
        assert "U7" in slack.channel("C1").members
        await control.post("do", person="U7", act="leave", channel="C1")
        assert "U7" not in slack.channel("C1").members
        assert "error" in await control.post("do", status=400, person="U7", act="join")


async def test_another_process_sets_faults(fake: FakeTelegram) -> None:
    async with aiohttp.ClientSession() as session:
        control = Control(session, fake.address)
        await control.post("fail", method="sendMessage", kind="500", times=2)
        await control.post("faults", hold=0.5, keep_person_order=False)
        assert fake.faults.rules[0].times == 2
        assert (fake.faults.hold, fake.faults.keep_person_order) == (0.5, False)
        await control.post("clear")
        assert (fake.faults.rules, fake.faults.hold) == ([], 0.0)
        for verb, body in (
            ("fail", {"method": "x", "kind": "no such kind"}),
            ("faults", {"random": 1}),
            ("do", {"person": 7, "act": "wait_for"}),
            ("press", {"person": 7}),
            ("nothing", {"person": 7}),
        ):
            assert "error" in await control.post(verb, status=400, **body)


async def test_telegram_as_a_program_with_somebody_at_the_terminal() -> None:
    async with program("telegram", "--chat", "--person", "7") as (process, where):
        assert where["token"] == "123:TEST"
        async with Bot("123:TEST", base_url=f"{where['api_base_url']}/bot") as bot:
            say(process, "hello")
            (update,) = await bot.get_updates(timeout=20)
            markup = InlineKeyboardMarkup([[InlineKeyboardButton("Yes", callback_data="y")]])
            await bot.send_message(update.effective_chat.id, "Agree?", reply_markup=markup)
            text = await read_until(process, "[#1 Yes]")
            assert "Agree?" in text
            say(process, "#1")
            (press,) = await bot.get_updates(offset=update.update_id + 1, timeout=20)
            await bot.edit_message_text("Agreed.", 7, press.callback_query.message.message_id)
            await bot.answer_callback_query(press.callback_query.id, text="Noted")
            text = await read_until(process, "(Noted)")
            assert "Agreed." in text
            say(process, "#9", ":edit hello again", ":block", ":help", ":chat", ":quit")
            text = await read_until(process, "hello again")
            assert "? nothing to press" in text
            assert await process.wait() == 0


async def test_slack_as_a_program_stops_when_told() -> None:
    async with program("slack") as (process, where):
        client = AsyncWebClient(token=where["bot_token"], base_url=where["api_base_url"])
        assert (await client.auth_test())["ok"]
        async with aiohttp.ClientSession() as session:
            control = Control(session, where["api_base_url"].removesuffix("/api/"))
            await control.post("person", id="U7", name="Ann")
        await client.chat_postMessage(channel="U7", text="Hello")
        process.terminate()
        assert await process.wait() == 0
