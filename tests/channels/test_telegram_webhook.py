"""Telegram's webhook, with the real python-telegram-bot, the web server and the fake Bot API."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import pytest

from bot.channels import telegram_webhook
from bot.channels.base import Pressed
from bot.channels.telegram import TelegramChannel
from bot.channels.telegram_shapes import ALLOWED_UPDATES
from bot.channels.telegram_webhook import secret_of
from bot.errors import CannotError
from dialogues.prompts import Button, Prompt
from tests.channels.keeping import Keeper, Naps, eventually, running
from tests.fakes.telegram import FakeTelegram
from tests.web.serving import Answered, Served, free_port, served

TOKEN = "123:TEST"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
YES_NO = Prompt(
    text="Is it so?",
    options=(Button(label="Yes", token="s.0.0"), Button(label="No", token="s.0.1")),
)


class Place:
    """A channel whose webhook stands on a web server, beside the fake."""

    def __init__(self, fake: FakeTelegram, keeper: Keeper, **options: Any) -> None:
        self.fake = fake
        self.keeper = keeper
        self.port = free_port()
        self.looks = asyncio.Semaphore(0)
        self.channel = TelegramChannel(
            TOKEN,
            fake.base_url,
            now=lambda: datetime(2026, 11, 22, tzinfo=UTC),
            sleep=options.pop("sleep", self._sleep),
            public_url=f"http://127.0.0.1:{self.port}/",
            **options,
        )
        self.served: Served

    async def _sleep(self, _seconds: float) -> None:
        """Wait until the test wants the webhook to be looked at."""
        await self.looks.acquire()

    @asynccontextmanager
    async def up(self) -> AsyncIterator[asyncio.Task[None]]:
        hook = self.channel.hook
        assert hook is not None
        async with (
            served(hook, port=self.port) as self.served,
            running(self.channel, self.keeper) as task,
        ):
            await self.fake.wait_hooked()
            await eventually(lambda: self.channel.up)
            yield task

    async def post(self, body: bytes, **headers: str) -> Answered:
        """Post as Telegram does, with its secret unless told otherwise."""
        given = {"Content-Type": "application/json", HEADER: secret_of(TOKEN)} | headers
        return await self.served.ask("POST", "/telegram/webhook", body, given)


@pytest.fixture
async def fake() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram(TOKEN, limits=False) as server:
        yield server


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
async def place(fake: FakeTelegram, keeper: Keeper) -> AsyncIterator[Place]:
    made = Place(fake, keeper)
    yield made
    await made.channel.stop()


def update(update_id: int = 900, text: str = "hello", person: int = 7) -> bytes:
    who = {"id": person, "is_bot": False, "first_name": "Ann"}
    message = {
        "message_id": 5,
        "from": who,
        "chat": {"id": person, "type": "private"},
        "date": 1_790_000_000,
        "text": text,
    }
    return json.dumps({"update_id": update_id, "message": message}).encode()


# -- the webhook itself --------------------------------------------------------------------


async def test_the_webhook_is_set_and_taken_away_without_dropping_what_waits(
    fake: FakeTelegram, place: Place
) -> None:
    fake.person(7).say("before")
    async with place.up():
        assert fake.webhook.url == f"http://127.0.0.1:{place.port}/telegram/webhook"
        assert fake.webhook.secret_token == secret_of(TOKEN)
        assert fake.webhook.max_connections == 100
        assert fake.allowed - {"poison"} == set(ALLOWED_UPDATES)
        await fake.wait_settled()
        await place.channel.take_down()
        assert fake.webhook.url == ""
        fake.person(7).say("after")
    assert fake.unconfirmed == 1
    assert place.keeper.words == ["before"]
    assert not place.channel.up


async def test_the_secret_may_be_chosen(fake: FakeTelegram, keeper: Keeper) -> None:
    place = Place(fake, keeper, webhook_secret="chosen-by_us")
    async with place.up():
        assert fake.webhook.secret_token == "chosen-by_us"
        fake.person(7).say("hello")
        await fake.wait_settled()
        assert (await place.post(update())).status == 403
    assert keeper.words == ["hello"]


def test_everybody_with_the_token_agrees_on_a_secret_that_telegram_takes() -> None:
    assert secret_of(TOKEN) == secret_of(TOKEN) != secret_of("123:OTHER")
    assert len(secret_of(TOKEN)) == 64
    assert TOKEN not in secret_of(TOKEN)


async def test_a_webhook_that_somebody_takes_away_is_set_again(
    fake: FakeTelegram, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with place.up():
        place.looks.release()
        await eventually(lambda: fake.calls["getWebhookInfo"] == 1)
        assert fake.webhook.times_set == 1
        fake.webhook.delete({})
        place.looks.release()
        await fake.wait_hooked()
        assert fake.webhook.times_set == 2
        fake.webhook.set({"url": "http://127.0.0.1:9/other"})
        place.looks.release()
        await fake.wait_until(lambda: str(place.port) in fake.webhook.url)
        fake.person(7).say("hello")
        await fake.wait_settled()
    assert caplog.text.count("took the webhook away or changed it") == 2


async def test_trouble_that_telegram_has_with_the_webhook_is_told_once(
    fake: FakeTelegram, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with place.up():
        fake.webhook.last_error, fake.webhook.last_error_at = "SSL error\nof some kind.", 5
        for look in range(3):
            if look == 2:
                fake.webhook.last_error_at = 6
            place.looks.release()
            await eventually(lambda look=look: fake.calls["getWebhookInfo"] == look + 1)
    told = "Telegram had trouble with the webhook: SSL error of some kind"
    assert caplog.text.count(told) == 2


async def test_setting_it_is_tried_with_patience_and_what_is_wrong_is_said_once(
    fake: FakeTelegram, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    naps, for_good = Naps(), asyncio.Event()

    async def sleep(seconds: float) -> None:
        await naps(seconds)
        if len(naps.asked) > 4:
            await for_good.wait()

    place = Place(fake, keeper, sleep=sleep)
    fake.faults.fail("setWebhook", "500")
    fake.faults.fail("setWebhook", "429", retry_after=7)
    fake.faults.fail("setWebhook", "error", error="Bad Request: bad webhook: no such host")
    fake.faults.fail("setWebhook", "reset")
    async with place.up():
        assert fake.webhook.times_set == 1
    assert naps.asked[1] == 7
    assert naps.asked[0] <= 0.5
    assert caplog.text.count("trying again") == 1


async def test_an_address_that_telegram_does_not_take_is_said(
    fake: FakeTelegram, keeper: Keeper, caplog: pytest.LogCaptureFixture
) -> None:
    refusal = "Bad Request: bad webhook: Failed to resolve host: Name or service not known"
    fake.faults.fail("setWebhook", "error", error=refusal)
    place = Place(fake, keeper)
    place.looks.release()
    async with place.up():
        pass
    assert "Telegram does not take the webhook: Bad webhook: failed to resolve host" in caplog.text
    assert "public_url" in caplog.text


async def test_a_token_that_is_refused_ends_the_reading(fake: FakeTelegram, place: Place) -> None:
    async with place.up() as task:
        fake.revoke()
        place.looks.release()
        with pytest.raises(CannotError, match="@BotFather"):
            await task
        assert (await place.post(update())).status == 503
        await place.channel.take_down()
    assert place.keeper.came == []


async def test_an_end_without_telegram_takes_no_time(
    fake: FakeTelegram, place: Place, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    monkeypatch.setattr(telegram_webhook, "_FAREWELL", 0.05)
    async with place.up():
        fake.faults.fail("deleteWebhook", "hang")
        await place.channel.take_down()
    assert "could not be taken away: TimeoutError" in caplog.text


# -- updates -------------------------------------------------------------------------------


async def test_what_people_do_arrives_in_order(fake: FakeTelegram, place: Place) -> None:
    ann, ben = fake.person(7, language_code="cy"), fake.person(8)
    async with place.up():
        for number in range(20):
            ann.say(f"a{number}")
            ben.say(f"b{number}")
        await fake.wait_settled()
    for person, letter in ((ann, "a"), (ben, "b")):
        words = [i.text for i in place.keeper.kept if i.address.chat == str(person.id)]
        assert words == [f"{letter}{number}" for number in range(20)]
    assert place.keeper.kept[0].language == "cy"
    assert place.keeper.kept[0].event_id == "tg:123:500000"


async def test_nothing_is_answered_before_it_is_kept(fake: FakeTelegram, place: Place) -> None:
    keeper = place.keeper
    keeper.gate.clear()
    async with place.up():
        fake.person(7).say("wait for me")
        await keeper.until(lambda: len(keeper.came) == 1)
        await asyncio.sleep(0.05)
        assert fake.unconfirmed == 1
        keeper.gate.set()
        await fake.wait_settled()
    assert keeper.words == ["wait for me"]
    assert fake.redelivered == 0


async def test_what_could_not_be_kept_comes_again_and_holds_back_only_its_person(
    fake: FakeTelegram, place: Place
) -> None:
    keeper = place.keeper
    keeper.refuse = lambda inbound: inbound.text == "first" and keeper.times(inbound.event_id) < 3
    ann, ben = fake.person(7), fake.person(8)
    for text in ("before", "first", "second"):
        ann.say(text)
    ben.say("other")
    async with place.up():
        await fake.wait_settled()
        assert "503" in fake.webhook.last_error
    assert [i.text for i in keeper.kept if i.address.chat == "7"] == ["before", "first", "second"]
    assert keeper.times("tg:123:500001") == 3
    assert keeper.times("tg:123:500000") == 1


async def test_what_is_not_kept_in_time_comes_again(
    fake: FakeTelegram, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telegram_webhook, "_PATIENCE", 0.05)
    keeper = place.keeper
    keeper.gate.clear()
    async with place.up():
        fake.person(7).say("hello")
        await keeper.until(lambda: len(keeper.came) == 3)
        keeper.gate.set()
        await fake.wait_settled()
    assert keeper.words == ["hello"]


async def test_a_press_is_answered_within_the_answer(fake: FakeTelegram, place: Place) -> None:
    ann = fake.person(7)
    await ann.start()
    async with place.up():
        await place.channel.send("7", YES_NO, replaces=None)
        press = await ann.press("Yes")
        await ann.wait_until(lambda: press.answered)
        await fake.wait_settled()
        assert fake.webhook.called == 1
        assert fake.calls["answerCallbackQuery"] == 0
    assert isinstance(place.keeper.kept[-1], Pressed)
    assert place.keeper.kept[-1].token == "s.0.0"


async def test_one_persons_updates_at_once_are_handed_on_as_they_arrive(
    fake: FakeTelegram, place: Place
) -> None:
    fake.webhook.in_order = False
    ann = fake.person(7)
    async with place.up():
        said = [ann.say(f"a{number}") for number in range(30)]
        await fake.wait_settled()
    assert sorted(place.keeper.words) == sorted(message.text for message in said)
    assert fake.redelivered == 0


async def test_an_update_that_breaks_our_code_is_passed_over_after_three_tries(
    fake: FakeTelegram, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    def defect(inbound: Any) -> bool:
        if inbound.text == "odd":
            raise RuntimeError("-".join(["marked", "words"]))
        return False

    place.keeper.refuse = defect
    ann = fake.person(7)
    async with place.up():
        ann.say("odd")
        ann.say("even")
        await fake.wait_settled()
    assert place.keeper.words == ["even"]
    assert place.keeper.times("tg:123:500000") == 3
    assert "marked-words" not in caplog.text


async def test_an_update_that_nobody_can_read_is_noted_once_and_taken(
    fake: FakeTelegram, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    ann = fake.person(7)
    async with place.up():
        fake.poison(ann)
        ann.say("hello")
        await fake.wait_settled()
        assert fake.webhook.last_error == ""
    assert place.keeper.words == ["hello"]
    assert caplog.text.count("update 500000 cannot be read") == 1


async def test_what_does_not_concern_us_is_taken(place: Place) -> None:
    async with place.up():
        assert (await place.post(b'{"update_id": 1, "poll": {"id": "x"}}')).status == 200
        group = update().replace(b'"private"', b'"group"')
        assert (await place.post(group)).status == 200
    assert place.keeper.came == []


# -- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize(
    "secret",
    ["", "x", secret_of("123:OTHER"), secret_of(TOKEN)[:-1], secret_of(TOKEN) + "0", "ä", "\udcff"],
)
async def test_who_does_not_know_the_secret_is_refused(
    place: Place, secret: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with place.up():
        answer = await place.post(update(text="marked-words"), **{HEADER: secret})
        assert (answer.status, answer.text) == (403, "")
        assert place.served.noting.kinds == {"forged": 1}
    assert place.keeper.came == []
    assert "marked-words" not in caplog.text


async def test_a_request_without_a_secret_is_refused(place: Place) -> None:
    async with place.up():
        answer = await place.served.ask(
            "POST", "/telegram/webhook", update(), {"Content-Type": "application/json"}
        )
        assert answer.status == 403
    assert place.keeper.came == []


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[]", b'"x"', b"null", b"{}", b'{"update_id": "1"}', b'{"update_id": true}',
        b'{"update_id": 1.5}', b'{"update_id": null}', b"\xff\xfe", b"[" * 100_000,
        b'{"update_id": 1, "message": ' + b'{"a":' * 100_000 + b"1" + b"}" * 100_001,
    ],
)  # fmt: skip
async def test_what_is_no_update_is_refused(
    place: Place, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with place.up():
        assert (await place.post(body)).status == 400
        assert place.served.noting.kinds == {"malformed": 1}
    assert place.keeper.came == []
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "message",
    [
        5, "x", [], {}, {"message_id": 1}, {"chat": 5, "from": 6, "message_id": 1},
        {"message_id": 1, "from": {"id": "x"}, "chat": {"id": 7, "type": "private"}, "text": "x"},
        {"message_id": 1, "from": {"id": 7}, "chat": {"id": 7, "type": "private"}, "text": 5},
    ],
)  # fmt: skip
async def test_an_update_of_the_wrong_shape_is_taken_and_passed_over(
    place: Place, message: Any
) -> None:
    async with place.up():
        body = json.dumps({"update_id": 1, "message": message}).encode()
        assert (await place.post(body)).status == 200
    assert place.keeper.came == []


async def test_the_same_request_again_carries_the_same_event(place: Place) -> None:
    async with place.up():
        for _ in range(2):
            assert (await place.post(update(77))).status == 200
    assert [inbound.event_id for inbound in place.keeper.kept] == ["tg:123:77"] * 2


async def test_before_and_after_the_reading_telegram_is_asked_to_come_again(
    fake: FakeTelegram, place: Place
) -> None:
    hook = place.channel.hook
    assert hook is not None
    async with served(hook, port=place.port) as place.served:
        assert (await place.post(update())).status == 503
        async with running(place.channel, place.keeper):
            await fake.wait_hooked()
            assert (await place.post(update())).status == 200
        assert (await place.post(update())).status == 503
    assert len(place.keeper.came) == 1


async def test_nothing_private_reaches_a_log(
    fake: FakeTelegram, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    words: Callable[[int], bytes] = lambda number: update(number, "marked-words", 70_707_070)  # noqa: E731
    keeper = place.keeper
    async with place.up():
        keeper.refuse = lambda inbound: keeper.times(inbound.event_id) < 2
        for _ in range(2):
            await place.post(words(1))
        await place.post(words(2).replace(b'"message_id": 5', b'"message_id": "marked-words"'))
        await place.post(words(3), **{HEADER: "marked-words"})
        await place.post(words(4)[:-1])
        fake.faults.fail("getWebhookInfo", "error", error="Bad Request: odd")
        place.looks.release()
        await eventually(lambda: "trying again" in caplog.text)
    assert len(keeper.kept) == 1
    for secret in ("marked-words", "70707070", "123:TEST", secret_of(TOKEN)):
        assert secret not in caplog.text
