"""Pictures on both platforms: uploaded once, and where one is not taken its text goes alone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from io import StringIO

import pytest

from bot.channels.base import ChannelFailed, ChatGone, MessageRefused, SlowDown
from bot.channels.sending import Uploads
from bot.channels.slack import SlackChannel
from bot.channels.telegram import TelegramChannel
from bot.channels.terminal import TerminalChannel, render
from dialogues.prompts import Button, Layout, Picture, Prompt
from storage.protocol import Address
from tests.channels.goldens import AT
from tests.channels.keeping import Naps
from tests.fakes.pictures import png
from tests.fakes.slack import FakeSlack
from tests.fakes.telegram import FakeTelegram

ALT = "A chart: eight of ten people agree."
PROMPT = Prompt(
    text="What people said",
    options=(Button(label="1 October", token="lobby.r.abc"),),
    layout=Layout.OPTIONS,
    picture=Picture(picture_id="p1", alt=ALT),
)
CONTENT = png(1080, 400)


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram("123:TEST", limits=False) as fake:
        yield fake


@pytest.fixture
async def slack() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(limits=False) as fake:
        yield fake


@pytest.fixture
async def on_telegram(telegram: FakeTelegram) -> AsyncIterator[TelegramChannel]:
    channel = TelegramChannel("123:TEST", telegram.base_url, now=lambda: AT)
    yield channel
    await channel.stop()


@pytest.fixture
async def on_slack(slack: FakeSlack) -> AsyncIterator[SlackChannel]:
    channel = SlackChannel(
        "xoxb-TEST", "xapp-TEST", slack.api_base_url, now=lambda: AT, sleep=Naps()
    )
    yield channel
    await channel.stop()


# -- Telegram -----------------------------------------------------------------------------


async def test_telegram_gets_the_picture_once_and_everybody_sees_it(
    telegram: FakeTelegram, on_telegram: TelegramChannel
) -> None:
    people = [telegram.person(number) for number in range(1, 21)]
    for person in people:
        await person.start()
    positions = await asyncio.gather(
        *(
            on_telegram.send(str(person.id), PROMPT, replaces=None, picture=CONTENT)
            for person in people
        )
    )
    assert telegram.uploads == 1
    assert telegram.calls["sendPhoto"] == 20
    for person, position in zip(people, positions, strict=True):
        assert person.newest.text == "What people said"
        assert person.newest.labels == ["1 October"]
        assert person.newest.raw["photo"][-1]["width"] == 1080
        assert str(person.newest.id) == position


async def test_a_long_text_follows_its_picture(
    telegram: FakeTelegram, on_telegram: TelegramChannel
) -> None:
    ann = telegram.person(7)
    await ann.start()
    words = "🌊" * 513  # One more than a caption holds, as Telegram counts.
    prompt = Prompt(text=words, picture=PROMPT.picture, options=PROMPT.options)
    await on_telegram.send("7", prompt, replaces=None, picture=CONTENT)
    picture, text = ann.shown
    assert ("photo" in picture.raw, picture.text, picture.labels) == (True, "", [])
    assert (text.text, text.labels) == (words, ["1 October"])


async def test_a_picture_that_telegram_forgot_is_uploaded_anew(
    telegram: FakeTelegram, on_telegram: TelegramChannel
) -> None:
    ann = telegram.person(7)
    await ann.start()
    await on_telegram.send("7", PROMPT, replaces=None, picture=CONTENT)
    telegram.files.clear()
    await on_telegram.send("7", PROMPT, replaces=None, picture=CONTENT)
    await on_telegram.send("7", PROMPT, replaces=None, picture=CONTENT)
    assert telegram.uploads == 2
    assert [message.text for message in ann.shown] == ["What people said"] * 3


async def test_telegram_shows_the_text_alone_where_it_takes_no_picture(
    telegram: FakeTelegram, on_telegram: TelegramChannel, caplog: pytest.LogCaptureFixture
) -> None:
    people = [telegram.person(number) for number in (1, 2, 3)]
    for person in people:
        await person.start()
    await asyncio.gather(
        *(
            on_telegram.send(str(person.id), PROMPT, replaces=None, picture=b"no picture")
            for person in people
        )
    )
    for person in people:
        assert "photo" not in person.newest.raw
        assert (person.newest.text, person.newest.labels) == ("What people said", ["1 October"])
    assert telegram.calls["sendPhoto"] == 1
    assert caplog.text.count("does not take a picture") == 1


@pytest.mark.parametrize(
    ("kind", "trouble"), [("429", SlowDown), ("403", ChatGone), ("500", ChannelFailed)]
)
async def test_trouble_with_telegram_is_no_trouble_with_the_picture(
    telegram: FakeTelegram, on_telegram: TelegramChannel, kind: str, trouble: type[Exception]
) -> None:
    ann = telegram.person(7)
    await ann.start()
    telegram.faults.fail("sendPhoto", kind)
    with pytest.raises(trouble):
        await on_telegram.send("7", PROMPT, replaces=None, picture=CONTENT)
    await on_telegram.send("7", PROMPT, replaces=None, picture=CONTENT)
    assert [("photo" in message.raw) for message in ann.shown] == [True]


# -- Slack --------------------------------------------------------------------------------


async def test_slack_gets_the_picture_once_and_everybody_sees_it(
    slack: FakeSlack, on_slack: SlackChannel
) -> None:
    people = [slack.person(f"U{number}") for number in range(1, 11)]
    slack.channel("C1", members=[person.id for person in people])
    chats = ["C1", *(person.id for person in people)]
    positions = await asyncio.gather(
        *(on_slack.send(chat, PROMPT, replaces=None, picture=CONTENT) for chat in chats)
    )
    (file,) = slack.files.values()
    assert (file.content, file.alt) == (CONTENT, ALT)
    assert len(file.shown_in) == 11
    (post,) = slack.channels["C1"].messages
    for message in (post, *(person.newest for person in people)):
        assert message.text == "What people said"
        (image,) = [block for block in message.raw["blocks"] if block["type"] == "image"]
        assert (image["slack_file"], image["alt_text"]) == ({"id": file.id}, ALT)
        assert message.labels == ["1 October"]
    assert post.id == positions[0]


async def test_slack_is_given_time_to_look_at_the_picture(slack: FakeSlack) -> None:
    now = [0.0]
    slack.clock = lambda: now[0]
    slack.file_seconds = 1.0

    async def sleep(seconds: float) -> None:
        now[0] += seconds

    channel = SlackChannel("xoxb-TEST", "xapp-TEST", slack.api_base_url, sleep=sleep)
    ann, ben = slack.person("U1"), slack.person("U2")
    await asyncio.gather(
        *(channel.send(one.id, PROMPT, replaces=None, picture=CONTENT) for one in (ann, ben))
    )
    await channel.stop()
    (file,) = slack.files.values()
    assert sorted(file.shown_in) == sorted([ann.channel, ben.channel])
    assert len(ann.shown) == len(ben.shown) == 1


@pytest.mark.parametrize("wrong", ["scope", "upload", "no picture", "disabled"])
async def test_slack_shows_the_text_alone_where_it_takes_no_picture(
    slack: FakeSlack, on_slack: SlackChannel, wrong: str, caplog: pytest.LogCaptureFixture
) -> None:
    content = CONTENT
    if wrong == "scope":
        slack.scopes.clear()
    elif wrong == "upload":
        slack.faults.fail("upload", "500", probability=1.0)
    elif wrong == "disabled":
        fault = "file_uploads_disabled"
        slack.faults.fail("files.getUploadURLExternal", "error", error=fault, probability=1.0)
    else:
        content = b"no picture"
    people = [slack.person(f"U{number}") for number in (1, 2, 3)]
    with caplog.at_level(logging.WARNING):
        await asyncio.gather(
            *(on_slack.send(one.id, PROMPT, replaces=None, picture=content) for one in people)
        )
    for person in people:
        (message,) = person.shown
        assert (message.text, message.labels) == ("What people said", ["1 October"])
        assert not [block for block in message.raw["blocks"] if block["type"] == "image"]
    assert slack.calls["files.getUploadURLExternal"] == 1
    assert caplog.text.count("does not take pictures") == 1
    assert ("files:write" in caplog.text) == (wrong == "scope")
    assert "ticket" not in caplog.text


async def test_a_file_that_slack_deleted_is_uploaded_anew(
    slack: FakeSlack, on_slack: SlackChannel
) -> None:
    ann = slack.person("U1")
    await on_slack.send("U1", PROMPT, replaces=None, picture=CONTENT)
    slack.files.clear()
    await on_slack.send("U1", PROMPT, replaces=None, picture=CONTENT)
    assert [message.text for message in ann.shown] == ["What people said"] * 2
    assert len(slack.files) == 1
    assert slack.files["F00000001"].shown_in == [ann.channel]


@pytest.mark.parametrize(
    ("fault", "trouble"),
    [
        ({"kind": "429", "retry_after": 3}, SlowDown),
        ({"kind": "500"}, ChannelFailed),
        ({"kind": "reset"}, ChannelFailed),
    ],
)
@pytest.mark.parametrize("method", ["files.getUploadURLExternal", "files.completeUploadExternal"])
async def test_trouble_with_slack_is_no_trouble_with_the_picture(
    slack: FakeSlack,
    on_slack: SlackChannel,
    method: str,
    fault: dict[str, object],
    trouble: type[Exception],
) -> None:
    ann = slack.person("U1")
    slack.faults.fail(method, **fault)
    with pytest.raises(trouble) as raised:
        await on_slack.send("U1", PROMPT, replaces=None, picture=CONTENT)
    assert not isinstance(raised.value, MessageRefused)
    await on_slack.send("U1", PROMPT, replaces=None, picture=CONTENT)
    assert [block["type"] for block in ann.newest.raw["blocks"]] == ["section", "image", "actions"]


async def test_an_upload_that_stumbles_once_is_tried_again(
    slack: FakeSlack, on_slack: SlackChannel
) -> None:
    ann = slack.person("U1")
    slack.faults.fail("upload", "500")
    await on_slack.send("U1", PROMPT, replaces=None, picture=CONTENT)
    assert "image" in [block["type"] for block in ann.newest.raw["blocks"]]


# -- both ---------------------------------------------------------------------------------


async def test_a_picture_that_is_not_there_leaves_the_text(
    telegram: FakeTelegram, on_telegram: TelegramChannel, slack: FakeSlack, on_slack: SlackChannel
) -> None:
    ann, sue = telegram.person(7), slack.person("U1")
    await ann.start()
    await on_telegram.send("7", PROMPT, replaces=None)
    await on_slack.send("U1", PROMPT, replaces=None)
    assert [message.text for message in ann.shown] == ["What people said"]
    assert [message.text for message in sue.shown] == ["What people said"]


async def test_one_uploads_while_the_others_wait_and_the_next_goes_on_after_a_failure() -> None:
    uploads = Uploads()
    tried: list[int] = []

    async def use(number: int) -> str:
        async with uploads.turn("p") as name:
            if name is None:
                tried.append(number)
                await asyncio.sleep(0)
                if number == 0:
                    raise ChannelFailed
                uploads.note("p", f"by-{number}")
        return name or f"by-{number}"

    results = await asyncio.gather(*(use(number) for number in range(5)), return_exceptions=True)
    assert isinstance(results[0], ChannelFailed)
    assert results[1:] == ["by-1"] * 4
    assert tried == [0, 1]
    uploads.forget("p", "another")
    assert await use(9) == "by-1"
    uploads.forget("p", "by-1")
    assert await use(9) == "by-9"


async def test_the_terminal_says_what_the_picture_shows() -> None:
    out = StringIO()
    channel = TerminalChannel(
        address=Address(channel="terminal", platform_id="a", chat="a"),
        lines=lambda: "",
        out=out,
        now=lambda: AT,
        drained=lambda: asyncio.sleep(0),
        over=lambda: True,
    )
    await channel.send("a", PROMPT, replaces=None, picture=CONTENT)
    assert out.getvalue() == f"What people said\n\n[{ALT}]\n\n  1  1 October\n\n"
    assert "eight of\nten people" in render(PROMPT, width=20)
