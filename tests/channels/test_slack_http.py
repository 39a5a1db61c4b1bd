"""Slack by HTTP, with the real slack-bolt, the web server and the fake Slack."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest

from bot.channels import slack_http
from bot.channels.base import CohortListed, CohortSeen, Edited, Pressed, Unread
from bot.channels.slack import SlackChannel
from bot.errors import CannotError
from dialogues.prompts import Button, Prompt
from tests.channels.keeping import Keeper, Naps, eventually, running
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_delivery import sign
from tests.web.serving import Answered, Served, served

TEAM = "T0000000001"
SECRET = "0123456789abcdef"
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
YES_NO = Prompt(
    text="Is it so?",
    options=(Button(label="Yes", token="s.0.0"), Button(label="No", token="s.0.1")),
)


class Place:
    """A channel that Slack reaches by HTTP, beside the fake."""

    def __init__(self, fake: FakeSlack, keeper: Keeper, **options: Any) -> None:
        self.fake = fake
        self.keeper = keeper
        self.channel = SlackChannel(
            "xoxb-TEST",
            "",
            fake.api_base_url,
            now=lambda: datetime.now(UTC),
            sleep=Naps(),
            signing_secret=SECRET,
            **options,
        )
        self.served: Served

    @asynccontextmanager
    async def up(self) -> AsyncIterator[asyncio.Task[None]]:
        hook = self.channel.hook
        assert hook is not None
        async with (
            served(hook) as self.served,
            running(self.channel, self.keeper) as task,
        ):
            await self.fake.delivery.take_url(f"{self.served.url}/slack/events")
            yield task

    async def post(
        self, body: bytes, kind: str = JSON, *, age: float = 0.0, **headers: str
    ) -> Answered:
        """Post as Slack does, signed unless told otherwise."""
        signed = sign(SECRET, body, int(time.time() - age))
        given = {"Content-Type": kind, **signed, **headers}
        return await self.served.ask("POST", "/slack/events", body, given)


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(
        signing_secret=SECRET, limits=False, retry_delays=(0.0, 0.01, 0.01)
    ) as server:
        yield server


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
async def place(fake: FakeSlack, keeper: Keeper) -> AsyncIterator[Place]:
    made = Place(fake, keeper)
    yield made
    await made.channel.stop()


def event(
    ts: str = "1795339800.000100", text: str = "hello", *, blocks: Any = (), **more: Any
) -> bytes:
    said = {
        "type": "message", "user": "U1", "ts": ts, "text": text, "channel": "DU1",
        "channel_type": "im", "blocks": blocks,
    }  # fmt: skip
    return json.dumps({
        "token": "verification", "team_id": TEAM, "api_app_id": "A1", "type": "event_callback",
        "event_id": "Ev1", "event_time": 1, "event": said, **more,
    }).encode()  # fmt: skip


def press() -> dict[str, Any]:
    return {
        "type": "block_actions",
        "user": {"id": "U1", "team_id": TEAM},
        "team": {"id": TEAM},
        "container": {"type": "message", "message_ts": "1.1", "channel_id": "DU1"},
        "trigger_id": "1.1.x",
        "channel": {"id": "DU1", "name": "directmessage"},
        "actions": [
            {"type": "button", "action_id": "p:0", "block_id": "b", "value": "s.0.0",
             "action_ts": "2.2", "text": {"type": "plain_text", "text": "Yes"}},
        ],
    }  # fmt: skip


# -- events, presses and commands ----------------------------------------------------------


async def test_slack_takes_the_address(fake: FakeSlack, place: Place) -> None:
    async with place.up():
        assert place.channel.up
        assert fake.request_url.endswith("/slack/events")
        assert fake.calls["apps.connections.open"] == 0
    assert not place.channel.up
    assert place.keeper.came == []


async def test_every_kind_of_inbound_is_read(fake: FakeSlack, place: Place) -> None:
    ann = fake.person("U1")
    async with place.up():
        said = await ann.send("R&D takes <3 weeks")
        await fake.wait_settled()
        await ann.edit(said, "R&D takes months")
        await fake.wait_settled()
        await ann.upload("photo.jpg")
        await fake.wait_settled()
        assert await ann.slash("/pulse")
        assert await ann.slash("/pulse", "mydata & more")
        await place.channel.send("U1", YES_NO, replaces=None)
        pressed = await ann.press("No")
        await ann.open_home()
        await fake.wait_settled()
        assert pressed.answered
    wrote, edited, unread, alone, mydata, press_ = place.keeper.kept
    assert (wrote.text, wrote.address.chat) == ("R&D takes <3 weeks", "DU1")
    assert isinstance(edited, Edited)
    assert isinstance(unread, Unread)
    assert (alone.text, mydata.text) == ("start", "mydata & more")
    assert isinstance(press_, Pressed)
    assert press_.token == "s.0.1"
    assert fake.lost == fake.redelivered == 0
    assert len(ann.shown) == 1


async def test_what_people_say_arrives_in_order(fake: FakeSlack, place: Place) -> None:
    ann, ben = fake.person("U1"), fake.person("U2")
    async with place.up():
        for number in range(20):
            for person, letter in ((ann, "a"), (ben, "b")):
                await person.send(f"{letter}{number}")
                await fake.wait_settled()
    for person, letter in ((ann, "a"), (ben, "b")):
        mine = [i for i in place.keeper.came if i.address.platform_id == f"{TEAM}:{person.id}"]
        assert [inbound.text for inbound in mine] == [f"{letter}{n}" for n in range(20)]


async def test_the_bots_own_messages_are_not_read(fake: FakeSlack, place: Place) -> None:
    fake.person("U1")
    async with place.up():
        position = await place.channel.send("U1", YES_NO, replaces=None)
        await place.channel.send("U1", Prompt(text="Yes ✓"), replaces=position)
        await fake.wait_settled()
    assert place.keeper.came == []
    assert fake.lost == 0


async def test_members_of_places_are_met(fake: FakeSlack, keeper: Keeper) -> None:
    fake.person("U1")
    fake.channel("C1", members=["U1"])
    async with Place(fake, keeper, places=["C1"]).up():
        await keeper.until(lambda: len(keeper.kept) == 2)
        await fake.person("U2").join("C1")
        await keeper.until(lambda: len(keeper.kept) == 3)
    assert [type(one) for one in keeper.kept] == [CohortListed, CohortSeen, CohortSeen]


async def test_nothing_is_acknowledged_before_it_is_kept(fake: FakeSlack, place: Place) -> None:
    keeper = place.keeper
    ann = fake.person("U1")
    async with place.up():
        await place.channel.send("U1", YES_NO, replaces=None)
        keeper.gate.clear()
        pressed = await ann.press("Yes")
        await keeper.until(lambda: len(keeper.came) == 1)
        await asyncio.sleep(0.05)
        assert not pressed.answered
        keeper.gate.set()
        await ann.wait_until(lambda: pressed.answered)
    assert [inbound.token for inbound in keeper.kept] == ["s.0.0"]


async def test_what_could_not_be_kept_is_sent_again_and_never_dropped_by_its_header(
    fake: FakeSlack, place: Place
) -> None:
    keeper = place.keeper
    fake.faults.fresh_event_id = True
    keeper.refuse = lambda inbound: keeper.times(inbound.event_id) < 3
    async with place.up():
        await fake.person("U1").send("keep me")
        await fake.wait_settled()
    assert keeper.words == ["keep me"]
    assert len({inbound.event_id for inbound in keeper.came}) == 1
    assert (fake.redelivered, fake.lost) == (2, 0)


async def test_a_press_that_could_not_be_kept_is_not_acknowledged(
    fake: FakeSlack, place: Place
) -> None:
    ann = fake.person("U1")
    async with place.up():
        await place.channel.send("U1", YES_NO, replaces=None)
        place.keeper.refuse = lambda _inbound: True
        pressed = await ann.press("Yes")
        await ann.wait_until(lambda: pressed.lost)
        assert not await ann.slash("/pulse")
    assert len(place.keeper.came) == 2


async def test_where_the_commit_takes_too_long_slack_is_asked_to_come_again(
    fake: FakeSlack, place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(slack_http, "_PATIENCE", 0.05)
    keeper = place.keeper
    keeper.gate.clear()
    async with place.up():
        await fake.person("U1").send("hello")
        await keeper.until(lambda: len(keeper.came) == 2)
        keeper.gate.set()
        await fake.wait_settled()
    # The first is kept all the same, and the store knows the second for the same.
    assert len(keeper.kept) >= 2
    assert len({inbound.event_id for inbound in keeper.kept}) == 1
    assert fake.lost == 0


async def test_what_is_under_way_is_kept_before_the_end(fake: FakeSlack, place: Place) -> None:
    keeper = place.keeper
    async with place.up():
        keeper.gate.clear()
        await fake.person("U1").send("hello")
        await keeper.until(lambda: len(keeper.came) == 1)
        stopping = asyncio.create_task(place.channel.stop())
        await asyncio.sleep(0.05)
        assert not stopping.done()
        keeper.gate.set()
        await stopping
    assert keeper.words == ["hello"]


async def test_a_failure_of_our_own_code_is_not_acknowledged_and_not_quoted(
    fake: FakeSlack, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    def refuse(inbound: Any) -> bool:
        raise RuntimeError(inbound.text * 3)

    place.keeper.refuse = refuse
    async with place.up():
        assert (await place.post(event(text="bad"))).status == 500
    assert "RuntimeError" in caplog.text
    assert "badbadbad" not in caplog.text


async def test_what_cannot_be_read_is_passed_over_alone(
    fake: FakeSlack, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    async with place.up():
        assert await fake.emit({"type": "message", "channel_type": "im", "user": "U1"})
        deep = event(text=":x:", blocks=["deep"]).replace(
            b'"deep"', b'{"elements": [' * 450 + b"]}" * 450
        )
        assert (await place.post(deep)).status == 200
    assert "an event cannot be read and is passed over" in caplog.messages


async def test_a_refused_token_ends_the_reading(fake: FakeSlack, place: Place) -> None:
    fake.person("U1")
    async with place.up() as task:
        fake.revoke()
        with pytest.raises(Exception, match="Slack"):
            await place.channel.send("U1", YES_NO, replaces=None)
        with pytest.raises(CannotError, match="bot token"):
            await task
        assert (await place.post(event())).status == 503


async def test_until_slack_has_said_who_we_are_it_is_asked_to_come_again(
    fake: FakeSlack, place: Place
) -> None:
    fake.faults.fail("auth.test", "slow", seconds=0.2)
    hook = place.channel.hook
    assert hook is not None
    async with served(hook) as place.served, running(place.channel, place.keeper):
        assert (await place.post(event())).status == 503
        assert not place.channel.up
        await eventually(lambda: place.channel.up)
        assert (await place.post(event())).status == 200
    assert len(place.keeper.kept) == 1


async def test_events_that_slack_leaves_out_are_told(
    place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    body = {"token": "x", "type": "app_rate_limited", "team_id": TEAM, "minute_rate_limited": 1}
    async with place.up():
        assert (await place.post(json.dumps(body).encode())).status == 200
    assert "Slack leaves out events" in caplog.text


async def test_a_look_at_the_certificate_is_answered(place: Place) -> None:
    async with place.up():
        assert (await place.post(b"ssl_check=1&token=x", FORM)).status == 200
    assert place.keeper.came == []


# -- what is refused -----------------------------------------------------------------------


@pytest.mark.parametrize("age", [301.0, -301.0, 86_400.0, 1e9])
async def test_an_old_or_future_request_is_refused(place: Place, age: float) -> None:
    async with place.up():
        answer = await place.post(event(), age=age)
        assert (answer.status, answer.text) == (403, "")
        assert place.served.noting.kinds == {"stale": 1}
    assert place.keeper.came == []


@pytest.mark.parametrize("age", [290.0, -290.0])
async def test_a_request_whose_time_is_near_enough_is_taken(place: Place, age: float) -> None:
    async with place.up():
        assert (await place.post(event(), age=age)).status == 200


@pytest.mark.parametrize(
    "headers",
    [
        {"X-Slack-Signature": "v0=" + "0" * 64},
        {"X-Slack-Signature": "v1=" + "0" * 64},
        {"X-Slack-Signature": ""},
        {"X-Slack-Signature": "v0=" + "ä" * 64},
        {"X-Slack-Signature": "v0=" + "\udcff" * 64},
        {"X-Slack-Signature": "v0=" + "0" * 65},
        {"X-Slack-Request-Timestamp": ""},
        {"X-Slack-Request-Timestamp": "now"},
        {"X-Slack-Request-Timestamp": "1e9"},
        {"X-Slack-Request-Timestamp": "-5"},
        {"X-Slack-Request-Timestamp": "٣٣٣٣٣٣٣٣٣"},
        {"X-Slack-Request-Timestamp": "9" * 400},
    ],
)
async def test_a_forged_request_is_refused(
    place: Place, headers: dict[str, str], caplog: pytest.LogCaptureFixture
) -> None:
    async with place.up():
        answer = await place.post(event(text="marked-words"), JSON, **headers)
        assert (answer.status, answer.text) == (403, "")
        assert place.served.noting.kinds == {"forged": 1}
    assert place.keeper.came == []
    assert "marked-words" not in caplog.text


async def test_a_signature_of_other_words_or_another_time_is_refused(place: Place) -> None:
    now = int(time.time())
    async with place.up():
        other = sign(SECRET, event(text="other"), now)
        assert (await place.post(event(), JSON, **other)).status == 403
        moved = sign(SECRET, event(), now - 5) | {"X-Slack-Request-Timestamp": str(now)}
        assert (await place.post(event(), JSON, **moved)).status == 403
        stranger = sign("another secret", event(), now)
        assert (await place.post(event(), JSON, **stranger)).status == 403
        unsigned = await place.served.ask("POST", "/slack/events", event(), {"Content-Type": JSON})
        assert unsigned.status == 403
        challenge = b'{"type": "url_verification", "challenge": "marked"}'
        answer = await place.post(challenge, JSON, **stranger)
        assert (answer.status, answer.text) == (403, "")
    assert place.keeper.came == []


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        (JSON, b""), (JSON, b"{"), (JSON, b"[]"), (JSON, b"5"), (JSON, b"\xff"),
        (JSON, b"[" * 200_000),
        (FORM, b""), (FORM, b"nothing"), (FORM, b"a=b"), (FORM, b"payload="),
        (FORM, b"payload=%5B%5D"), (FORM, b"payload=%7B"), (FORM, b"payload=%FF"),
        (FORM, b"payload=" + b"%5B" * 100_000), (FORM, b"&".join([b"a=b"] * 101)),
        (FORM, b'{"type": "event_callback"}'),
    ],
)  # fmt: skip
async def test_what_is_nothing_of_slacks_is_refused(
    place: Place, kind: str, body: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async with place.up():
        assert (await place.post(body, kind)).status == 400
        assert place.served.noting.kinds == {"malformed": 1}
    assert place.keeper.came == []
    assert "Traceback" not in caplog.text


@pytest.mark.parametrize(
    "value",
    [
        {}, {"type": "event_callback"}, {"type": 5}, {"type": "shortcut", "callback_id": "x"},
        {"event": "x"}, {"event": 5}, {"event": {"type": 5}}, {"event": {}},
        {"type": "event_callback", "event": []},
        {"type": "event_callback", "team_id": 5, "event": {"type": "message"}},
        {"type": "event_callback", "authorizations": 5, "event": {"type": "message"}},
        {"type": "event_callback", "authorizations": [5], "event": {"type": "message"}},
        {"type": "block_actions"}, {"type": "block_actions", "actions": []},
        {"type": "block_actions", "actions": 5}, {"type": "block_actions", "actions": [5]},
        {"team": 5, "user": 5, "enterprise": 5, "type": "view_submission", "view": 5},
    ],
)  # fmt: skip
async def test_the_wrong_shape_harms_nobody(
    fake: FakeSlack, place: Place, value: Any, caplog: pytest.LogCaptureFixture
) -> None:
    async with place.up():
        text = json.dumps({**value, "marked": "marked-words"})
        answers = [
            await place.post(text.encode()),
            await place.post(urlencode({"payload": text}).encode(), FORM),
        ]
        assert {answer.status for answer in answers} <= {200, 400, 404}
        assert all(answer.text == "" for answer in answers)
        assert (await place.post(event())).status == 200
    assert place.keeper.words == ["hello"]
    assert "marked-words" not in caplog.text


async def test_the_same_request_again_carries_the_same_event(place: Place) -> None:
    body = urlencode({"payload": json.dumps(press())}).encode()
    async with place.up():
        for kind, sent in ((JSON, event()), (FORM, body)):
            signed = sign(SECRET, sent, int(time.time()) - 100)
            for _ in range(2):
                assert (await place.post(sent, kind, **signed)).status == 200
    ids = [inbound.event_id for inbound in place.keeper.kept]
    assert ids[0] == ids[1] == f"slack:{TEAM}:DU1:1795339800.000100"
    assert ids[2] == ids[3] == "slack:U1:1.1:p:0:2.2"


async def test_nothing_private_reaches_a_log(
    fake: FakeSlack, place: Place, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("slack_bolt", "slack_sdk", "slack_bolt.AsyncApp", "aiohttp"):
        caplog.set_level(logging.DEBUG, name)
    keeper = place.keeper
    async with place.up():
        keeper.refuse = lambda inbound: keeper.times(inbound.event_id) < 2
        for _ in range(2):
            await place.post(event(text="marked-words"))
        await place.post(event(text="marked-words", team_id=None))
        await place.post(event(text="marked-words"), JSON, **{"X-Slack-Signature": "marked-words"})
        await place.post(event(text="marked-words")[:-1])
        await place.post(urlencode({"payload": '{"marked-words"'}).encode(), FORM)
    assert keeper.words[0] == "marked-words"
    for secret in ("marked-words", "U1", SECRET, "xoxb-TEST"):
        assert secret not in caplog.text
