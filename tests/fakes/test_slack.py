"""The fake Slack, driven by the real slack-bolt and slack_sdk."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.app.async_app import AsyncApp
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.slack import FakeSlack
from tests.fakes.slack_person import SlackPerson


class Pulse:
    """A small app on slack-bolt that notes whatever reaches it."""

    def __init__(self, fake: FakeSlack) -> None:
        self.client = AsyncWebClient(token=fake.bot_token, base_url=fake.api_base_url)
        self.app = AsyncApp(
            client=self.client,
            signing_secret=fake.signing_secret,
            process_before_response=True,
            ignoring_self_events_enabled=False,
        )
        self.handler = AsyncSocketModeHandler(self.app, fake.app_token, ping_interval=1)
        self.fake = fake
        self.bodies: list[dict[str, Any]] = []
        self.retries: list[str] = []
        self.before_ack: Callable[[dict[str, Any]], Awaitable[None]] | None = None
        self.answer: dict[str, Any] = {}
        for kind in (
            "message", "app_home_opened", "member_joined_channel", "member_left_channel",
            "user_change",
        ):  # fmt: skip
            self.app.event(kind)(self._event)
        self.app.action(re.compile(".*"))(self._acted)
        self.app.command("/pulse")(self._acted)
        self.app.view("why")(self._acted)

    async def _note(self, body: dict[str, Any]) -> None:
        self.bodies.append(body)
        if self.before_ack is not None:
            await self.before_ack(body)
        self.fake.changed()

    async def _event(self, body: dict[str, Any], request: AsyncBoltRequest) -> None:
        self.retries += request.headers.get("x-slack-retry-num", [])
        await self._note(body)

    async def _acted(self, ack: Callable[..., Awaitable[None]], body: dict[str, Any]) -> None:
        await self._note(body)
        await ack(**self.answer)

    def events(self, kind: str = "message") -> list[dict[str, Any]]:
        return [
            body["event"]
            for body in self.bodies
            if body.get("type") == "event_callback" and body["event"]["type"] == kind
        ]

    async def got(self, n: int) -> list[dict[str, Any]]:
        await self.fake.wait_until(lambda: len(self.bodies) >= n)
        return self.bodies


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(retry_delays=(0.0, 0.01, 0.01), echo="") as server:
        yield server


@pytest.fixture
async def pulse(fake: FakeSlack) -> AsyncIterator[Pulse]:
    app = Pulse(fake)
    await app.handler.connect_async()
    await fake.wait_connected()
    yield app
    await app.handler.close_async()


@pytest.fixture
def client(fake: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(token="xoxb-TEST", base_url=fake.api_base_url)


@pytest.fixture
def ann(fake: FakeSlack) -> SlackPerson:
    return fake.person("U1", name="Ann Price", tz="America/New_York", locale="cy-GB")


def section(text: str, **more: Any) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


def button(label: str, value: str = "v", action_id: str = "a") -> dict[str, Any]:
    text = {"type": "plain_text", "text": label}
    return {"type": "button", "text": text, "value": value, "action_id": action_id}


def question(text: str, *labels: str, block_id: str = "q1") -> list[dict[str, Any]]:
    elements = [button(label, label.lower(), f"a{n}") for n, label in enumerate(labels)]
    return [section(text), {"type": "actions", "block_id": block_id, "elements": elements}]


async def refused(call: Awaitable[Any]) -> dict[str, Any]:
    with pytest.raises(SlackApiError) as error:
        await call
    return error.value.response.data


# -- events --------------------------------------------------------------------------------


async def test_words_arrive_as_a_message_event(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    said = await ann.send("tea & <cake> https://example.org")
    await pulse.got(1)
    (event,) = pulse.events()
    assert event["text"] == "tea &amp; &lt;cake&gt; <https://example.org>"
    assert (event["user"], event["channel"], event["ts"]) == ("U1", "DU1", said.id)
    assert event["channel_type"] == "im"
    assert event["client_msg_id"]
    assert pulse.bodies[0]["team_id"] == fake.team_id
    await fake.wait_settled()
    assert (fake.envelopes, fake.redelivered, fake.lost) == (1, 0, 0)


async def test_edits_deletions_uploads_home_and_channels(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    riverside = fake.channel("C1", name="riverside", members=["U2"])
    said = await ann.send("frist")
    await pulse.got(1)
    for number, act in enumerate((
        lambda: ann.edit(said, "first"),
        lambda: ann.delete(said),
        lambda: ann.upload("photo.jpg"),
        lambda: ann.open_home(),
        lambda: ann.join(riverside),
        lambda: ann.send_in(riverside, "hello all"),
        lambda: ann.leave(riverside),
        lambda: ann.deactivate(),
    )):  # fmt: skip
        await act()
        await pulse.got(number + 2)
    _, changed, deleted, upload, in_channel = pulse.events()
    assert changed["subtype"] == "message_changed"
    assert changed["message"]["text"] == "first"
    assert changed["message"]["edited"]["ts"] > said.id
    assert changed["previous_message"]["text"] == "frist"
    assert (deleted["subtype"], deleted["deleted_ts"]) == ("message_deleted", said.id)
    assert (upload["subtype"], upload["files"][0]["name"]) == ("file_share", "photo.jpg")
    assert in_channel["channel_type"] == "channel"
    assert pulse.events("app_home_opened")[0]["tab"] == "home"
    assert pulse.events("member_joined_channel")[0]["channel"] == "C1"
    assert pulse.events("member_left_channel")[0]["user"] == "U1"
    assert pulse.events("user_change")[0]["user"]["deleted"]
    assert riverside.members == ["U2", fake.bot_user_id]


async def test_ts_rise_strictly_for_both_sides_together(
    client: AsyncWebClient, ann: SlackPerson
) -> None:
    await ann.send("one")
    await client.chat_postMessage(channel=ann.channel, text="two")
    await ann.send("three")
    stamps = [message.id for message in ann.chat]
    assert stamps == sorted(set(stamps))


async def test_the_apps_own_posts_come_back_as_events(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    fake.echo_style = "user"
    sent = await pulse.client.chat_postMessage(channel=ann.channel, text="Hello")
    await pulse.got(1)
    await pulse.client.chat_update(channel=ann.channel, ts=sent["ts"], text="Hello Ann")
    await pulse.got(2)
    fake.echo_style = "bot_message"
    await pulse.client.chat_postMessage(channel=ann.channel, text="Hello again")
    await pulse.got(3)
    own, changed, old = pulse.events()
    assert (own["user"], own["bot_id"], own["ts"]) == (fake.bot_user_id, fake.bot_id, sent["ts"])
    assert changed["message"]["bot_id"] == fake.bot_id
    assert changed["subtype"] == "message_changed"
    assert old["subtype"] == "bot_message"
    assert "user" not in old


async def test_an_event_not_acknowledged_in_time_comes_again(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    fake.ack_within = 0.05
    release = asyncio.Event()

    async def dawdle(_body: dict[str, Any]) -> None:
        if len(pulse.bodies) == 2:
            fake.ack_within = 30.0
        if len(pulse.bodies) < 3:
            await release.wait()

    pulse.before_ack = dawdle
    said = await ann.send("hello")
    await pulse.got(3)
    await fake.wait_settled()
    assert len({body["event_id"] for body in pulse.bodies}) == 1
    assert pulse.retries == ["0", "1", "2"]
    assert (fake.redelivered, fake.lost, said.lost) == (2, 0, False)
    release.set()
    await fake.wait_until(lambda: fake.late_acks == 2)


async def test_a_redelivery_may_have_another_event_id(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    fake.faults.repeat = 1.0
    fake.faults.fresh_event_id = True
    await ann.send("hello")
    first, second = await pulse.got(2)
    assert first["event_id"] != second["event_id"]
    assert first["event"] == second["event"]


async def test_an_event_is_lost_after_three_retries(fake: FakeSlack, ann: SlackPerson) -> None:
    said = await ann.send("is anybody there?")
    await fake.wait_settled()
    assert said.lost
    assert (fake.envelopes, fake.lost) == (4, 1)


async def test_a_failing_listener_does_not_acknowledge(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    fake.ack_within = 0.05

    async def fail_once(_body: dict[str, Any]) -> None:
        if len(pulse.bodies) == 1:
            fake.ack_within = 30.0
            raise RuntimeError("not stored")

    pulse.before_ack = fail_once
    await ann.send("hello")
    await pulse.got(2)
    await fake.wait_settled()
    assert fake.lost == 0


async def test_held_events_let_others_overtake_but_keep_a_persons_order(
    fake: FakeSlack, pulse: Pulse
) -> None:
    slow, quick = fake.person("U1"), fake.person("U2")
    fake.faults.hold, fake.faults.hold_seconds = 1.0, (60.0, 60.0)
    await slow.send("one")
    fake.faults.hold = 0.0
    await slow.send("two")
    await quick.send("three")
    await pulse.got(1)
    fake.release()
    await pulse.got(3)
    assert [event["text"] for event in pulse.events()] == ["three", "one", "two"]


# -- sockets -------------------------------------------------------------------------------


async def test_the_app_connects_anew_when_asked(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    await fake.disconnect("refresh_requested")
    assert fake.connected == 0
    await fake.wait_connected()
    await ann.send("hello")
    await pulse.got(1)
    assert fake.calls["apps.connections.open"] == 2


async def test_an_event_goes_to_one_of_several_sockets(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    second = Pulse(fake)
    await second.handler.connect_async()
    await fake.wait_connected(2)
    for number in range(20):
        await ann.send(str(number))
    await fake.wait_settled()
    assert len(pulse.bodies) + len(second.bodies) == 20
    assert pulse.bodies
    assert second.bodies
    await second.handler.close_async()
    await fake.wait_until(lambda: fake.connected == 1)


async def test_an_event_on_a_socket_that_breaks_goes_to_the_next(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    fake.retry_delays = (0.0, 0.5, 5.0)

    async def cut_once(_body: dict[str, Any]) -> None:
        if len(pulse.bodies) == 1:
            second = Pulse(fake)
            second.bodies = pulse.bodies
            await second.handler.connect_async()
            pulse.second = second
            await pulse.handler.client.current_session.close()

    pulse.before_ack = cut_once
    await ann.send("hello")
    await pulse.got(2)
    await fake.wait_settled()
    assert fake.lost == 0
    await pulse.second.handler.close_async()


async def test_a_ticket_opens_one_socket_and_ten_are_the_most(fake: FakeSlack) -> None:
    client = AsyncWebClient(token="xapp-TEST", base_url=fake.api_base_url)
    async with aiohttp.ClientSession() as session:
        sockets = []
        for _ in range(10):
            url = (await client.apps_connections_open(app_token="xapp-TEST"))["url"]
            ws = await session.ws_connect(url)
            hello = await ws.receive_json()
            assert hello["type"] == "hello"
            sockets.append(ws)
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)
        url = (await client.apps_connections_open(app_token="xapp-TEST"))["url"]
        ws = await session.ws_connect(url)
        assert (await ws.receive_json())["reason"] == "too_many_websockets"
        assert fake.connected == 10
        for ws in sockets:
            await ws.close()


# -- presses, commands, views --------------------------------------------------------------


async def test_a_press_carries_its_message_and_answers_by_response_url(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    await pulse.client.chat_postMessage(
        channel=ann.channel, text="Agree?", blocks=question("Agree? &amp; why", "Yes", "No")
    )
    message = await ann.next_message()
    assert (message.text, message.labels) == ("Agree? & why", ["Yes", "No"])
    press = await ann.press("No")
    (body,) = await pulse.got(1)
    await fake.wait_settled()
    assert press.answered
    (action,) = body["actions"]
    assert {k: action[k] for k in ("action_id", "block_id", "value", "type")} == {
        "action_id": "a1", "block_id": "q1", "value": "no", "type": "button",
    }  # fmt: skip
    assert action["action_ts"]
    assert body["message"]["ts"] == message.id
    assert body["message"]["blocks"][1]["block_id"] == "q1"
    assert body["channel"]["id"] == ann.channel
    assert body["user"]["id"] == "U1"
    assert body["team"]["id"] == fake.team_id
    async with aiohttp.ClientSession() as session:
        for number in range(6):
            answer = {"replace_original": True, "text": f"You said no ({number})"}
            async with session.post(body["response_url"], json=answer) as response:
                assert response.status == (200 if number < 5 else 404)
    assert message.text == "You said no (4)"
    assert message.rows == []


async def test_choices_are_kept_as_state(fake: FakeSlack, pulse: Pulse, ann: SlackPerson) -> None:
    options = [
        {"text": {"type": "plain_text", "text": label}, "value": label.lower()}
        for label in ("Housing", "Health")
    ]
    boxes = {"type": "checkboxes", "action_id": "which", "options": options}
    blocks = [{"type": "actions", "block_id": "q1", "elements": [boxes, button("Done")]}]
    await pulse.client.chat_postMessage(channel=ann.channel, text="Which?", blocks=blocks)
    for number, label in enumerate(("Housing", "Health", "Housing", "Done")):
        await ann.press(label)
        await pulse.got(number + 1)
    chosen = [
        [o["value"] for o in body["actions"][0].get("selected_options", [])]
        for body in pulse.bodies
    ]
    assert chosen == [["housing"], ["housing", "health"], ["health"], []]
    state = pulse.bodies[-1]["state"]["values"]["q1"]["which"]["selected_options"]
    assert [option["value"] for option in state] == ["health"]


async def test_a_press_that_is_not_acknowledged_is_lost(
    fake: FakeSlack, client: AsyncWebClient, ann: SlackPerson
) -> None:
    await client.chat_postMessage(channel=ann.channel, text="?", blocks=question("?", "Yes"))
    press = await ann.press("Yes")
    await ann.wait_until(lambda: press.lost)
    assert fake.envelopes == 1


async def test_a_slash_command_is_answered_in_its_acknowledgement(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    pulse.answer = {"text": "One check-in is open."}
    assert await ann.slash("/pulse", "help")
    assert (pulse.bodies[0]["command"], pulse.bodies[0]["text"]) == ("/pulse", "help")
    shown = await ann.next_message()
    assert (shown.text, shown.ephemeral) == ("One check-in is open.", True)
    await pulse.handler.close_async()
    await fake.wait_until(lambda: fake.connected == 0)
    assert not await ann.slash("/pulse")
    assert ann.slash_failed == 1


async def test_a_modal_is_opened_once_with_its_trigger_and_submitted(
    fake: FakeSlack, pulse: Pulse, ann: SlackPerson
) -> None:
    await ann.slash("/pulse")
    trigger_id = pulse.bodies[0]["trigger_id"]
    words = {"type": "plain_text_input", "action_id": "words"}
    label = {"type": "plain_text", "text": "Why?"}
    view = {
        "type": "modal",
        "callback_id": "why",
        "title": {"type": "plain_text", "text": "Your words"},
        "submit": {"type": "plain_text", "text": "Send"},
        "blocks": [{"type": "input", "block_id": "q1", "label": label, "element": words}],
    }
    await pulse.client.views_open(trigger_id=trigger_id, view=view)
    error = await refused(pulse.client.views_open(trigger_id=trigger_id, view=view))
    assert error["error"] == "exchanged_trigger_id"
    pulse.answer = {"response_action": "errors", "errors": {"q1": "Please say more."}}
    await ann.submit({"words": "Because"})
    assert ann.view_errors == {"q1": "Please say more."}
    pulse.answer = {}
    await ann.submit({"words": "Because we meet"})
    assert ann.view is None
    typed = pulse.bodies[-1]["view"]["state"]["values"]["q1"]["words"]["value"]
    assert typed == "Because we meet"
    home = {"type": "home", "blocks": [section("Nothing is open.")]}
    published = await pulse.client.views_publish(user_id="U1", view=home)
    await pulse.client.views_update(
        view_id=published["view"]["id"], view={**home, "blocks": [section("One is open.")]}
    )
    assert ann.home["blocks"][0]["text"]["text"] == "One is open."
    fake.trigger_seconds = 0.0
    error = await refused(pulse.client.views_open(trigger_id=fake.new_trigger(ann), view=view))
    assert error["error"] == "expired_trigger_id"


# -- the Web API ---------------------------------------------------------------------------


async def test_who_is_who(fake: FakeSlack, client: AsyncWebClient, ann: SlackPerson) -> None:
    assert (await client.auth_test())["user_id"] == fake.bot_user_id
    user = (await client.users_info(user="U1", include_locale=True))["user"]
    assert (user["tz"], user["locale"], user["is_bot"]) == ("America/New_York", "cy-GB", False)
    assert user["tz_offset"] in {-18000, -14400}
    opened = await client.conversations_open(users="U1")
    assert opened["channel"]["id"] == ann.channel
    assert (await refused(client.conversations_open(users="U9")))["error"] == "user_not_found"
    assert (await refused(client.users_info(user="U9")))["error"] == "user_not_found"
    await ann.deactivate()
    assert (await refused(client.conversations_open(users="U1")))["error"] == "user_disabled"
    fake.person("UB", is_bot=True)
    assert (await client.users_info(user="UB"))["user"]["is_bot"]
    assert len((await client.users_list())["members"]) == 2


async def test_members_come_in_pages(fake: FakeSlack, client: AsyncWebClient) -> None:
    fake.channel("C1", name="riverside", members=[f"U{n}" for n in range(7)])
    found: list[str] = []
    pages = 0
    async for part in await client.conversations_members(channel="C1", limit=3):
        found += part["members"]
        pages += 1
    assert found == [*(f"U{n}" for n in range(7)), fake.bot_user_id]
    assert pages == 3
    info = (await client.conversations_info(channel="C1"))["channel"]
    assert (info["name"], info["num_members"]) == ("riverside", 8)
    error = await refused(client.conversations_members(channel="C1", cursor="?"))
    assert error["error"] == "invalid_cursor"
    error = await refused(client.conversations_members(channel="C2"))
    assert error["error"] == "channel_not_found"


async def test_messages_are_posted_updated_and_deleted(
    fake: FakeSlack, client: AsyncWebClient, ann: SlackPerson
) -> None:
    sent = await client.chat_postMessage(
        channel="U1", text="Agree?", blocks=question("Agree?", "Yes")
    )
    assert sent["channel"] == ann.channel
    await client.chat_update(channel=sent["channel"], ts=sent["ts"], text="Agreed.", blocks=[])
    assert (ann.newest.text, ann.newest.rows, ann.newest.edits) == ("Agreed.", [], 1)
    said = await ann.send("hello")
    error = await refused(client.chat_update(channel=ann.channel, ts=said.id, text="x"))
    assert error["error"] == "cant_update_message"
    error = await refused(client.chat_update(channel=ann.channel, ts="1.0", text="x"))
    assert error["error"] == "message_not_found"
    await client.reactions_add(channel=ann.channel, timestamp=said.id, name="eyes")
    error = await refused(client.reactions_add(channel=ann.channel, timestamp=said.id, name="eyes"))
    assert error["error"] == "already_reacted"
    await client.chat_delete(channel=ann.channel, ts=sent["ts"])
    assert ann.newest is None


async def test_channels_and_ephemeral_messages(
    fake: FakeSlack, client: AsyncWebClient, ann: SlackPerson
) -> None:
    riverside = fake.channel("C1", members=["U1"])
    fake.channel("C2", bot=False)
    await client.chat_postMessage(channel="C1", text="Results are in.")
    assert [m.text for m in riverside.messages] == ["Results are in."]
    assert (await refused(client.chat_postMessage(channel="C2", text="x")))["error"] == (
        "not_in_channel"
    )
    await client.chat_postEphemeral(channel="C1", user="U1", text="Only you see this.")
    assert ann.newest.ephemeral
    fake.person("U2")
    error = await refused(client.chat_postEphemeral(channel="C1", user="U2", text="x"))
    assert error["error"] == "user_not_in_channel"


async def test_text_is_required_and_cut(client: AsyncWebClient, ann: SlackPerson) -> None:
    for text in ("", " \n"):
        call = client.api_call("chat.postMessage", json={"channel": "U1", "text": text})
        assert (await refused(call))["error"] == "no_text"
    await client.chat_postMessage(channel="U1", text="x" * 50_000)
    assert len(ann.newest.text) == 40_000


WRONG_BLOCKS = [
    ([section("x") for _ in range(51)], "no more than 50 items"),
    ([section("x" * 3001)], "must be less than 3001"),
    ([section("")], "must be more than 0"),
    ([{"type": "actions", "elements": [button("x" * 76)]}], "must be less than 76"),
    ([{"type": "actions", "elements": [button("x", "v" * 2001)]}], "must be less than 2001"),
    ([{"type": "actions", "elements": [button("x", "v", "a" * 256)]}], "must be less than 256"),
    ([section("x", block_id="b" * 256)], "must be less than 256"),
    ([section("x", block_id="b"), section("y", block_id="b")], "`block_id` b already exists"),
    ([{"type": "actions", "elements": [button("x"), button("y")]}], "`action_id` a already"),
    (
        [{"type": "actions", "elements": [button("x", "v", f"a{n}") for n in range(26)]}],
        "no more than 25 items",
    ),
    ([{"type": "header", "text": {"type": "plain_text", "text": "x" * 151}}], "less than 151"),
    ([{"type": "carousel"}], "unsupported type"),
]


@pytest.mark.parametrize(("blocks", "reason"), WRONG_BLOCKS)
async def test_blocks_beyond_the_limits_are_refused(
    client: AsyncWebClient, ann: SlackPerson, blocks: list[dict[str, Any]], reason: str
) -> None:
    error = await refused(client.chat_postMessage(channel="U1", text="x", blocks=blocks))
    assert error["error"] == "invalid_blocks"
    assert reason in error["response_metadata"]["messages"][0]
    assert ann.chat == []


async def test_blocks_at_the_limits_are_taken(client: AsyncWebClient, ann: SlackPerson) -> None:
    blocks = [section("x" * 3000, block_id="b" * 255)] * 1 + [
        {"type": "divider"} for _ in range(48)
    ]
    elements = [button("x" * 75, "v" * 2000, f"{n:0255}") for n in range(25)]
    await client.chat_postMessage(
        channel="U1", text="x", blocks=[*blocks, {"type": "actions", "elements": elements}]
    )
    assert len(ann.newest.buttons) == 25


async def test_much_text_in_blocks_is_too_long(client: AsyncWebClient, ann: SlackPerson) -> None:
    error = await refused(
        client.chat_postMessage(channel="U1", text="x", blocks=[section("x" * 3000)] * 5)
    )
    assert error["error"] == "msg_blocks_too_long"
    error = await refused(client.chat_postMessage(channel="U1", text="x", blocks="[{"))
    assert error["error"] == "invalid_blocks_format"


# -- limits, faults, tokens ----------------------------------------------------------------


async def test_rates_by_channel_and_workspace() -> None:
    now = [1000.0]
    async with FakeSlack(
        clock=lambda: now[0], per_channel_burst=2, workspace_burst=4, echo=""
    ) as fake:
        client = AsyncWebClient(token="xoxb-TEST", base_url=fake.api_base_url)
        for user in ("U1", "U2", "U3"):
            fake.person(user)
        for user in ("U1", "U1", "U2", "U2"):
            await client.chat_postMessage(channel=user, text="Hello")
        for user in ("U1", "U3"):
            with pytest.raises(SlackApiError) as error:
                await client.chat_postMessage(channel=user, text="Hello")
            assert error.value.response.status_code == 429
            assert error.value.response.headers["Retry-After"] == "1"
            assert error.value.response["error"] == "ratelimited"
        now[0] += 1
        await client.chat_postMessage(channel="U1", text="Hello")
        assert fake.earned_429 == 2
        for _ in range(20):
            await client.users_list()
        assert (await refused(client.users_list()))["error"] == "ratelimited"
        fake.limits = False
        await client.users_list()


async def test_calls_fail_as_told(
    fake: FakeSlack, client: AsyncWebClient, ann: SlackPerson
) -> None:
    def post() -> Awaitable[Any]:
        return client.chat_postMessage(channel="U1", text="Hello")

    fake.faults.fail("chat.postMessage", "429", retry_after=7)
    with pytest.raises(SlackApiError) as error:
        await post()
    assert error.value.response.headers["Retry-After"] == "7"
    fake.faults.fail("chat.postMessage", "403")
    assert (await refused(post()))["error"] == "account_inactive"
    fake.faults.fail("chat.postMessage", "500")
    assert (await refused(post()))["error"] == "internal_error"
    fake.faults.fail("chat.postMessage", "error", error="channel_not_found")
    assert (await refused(post()))["error"] == "channel_not_found"
    fake.faults.fail("chat.postMessage", "nonsense")
    with pytest.raises((SlackApiError, AttributeError)):
        await post()
    fake.faults.fail("chat.postMessage", "hang")
    client.timeout = 0.1
    with pytest.raises(TimeoutError):
        await post()
    assert ann.shown == []
    client.retry_handlers.clear()
    fake.faults.fail("chat.postMessage", "lose_reply")
    with pytest.raises(aiohttp.ClientError):
        await post()
    assert [m.text for m in ann.shown] == ["Hello"]


async def test_wrong_and_revoked_tokens(fake: FakeSlack, client: AsyncWebClient) -> None:
    wrong = AsyncWebClient(token="xoxb-OTHER", base_url=fake.api_base_url)
    assert (await refused(wrong.auth_test()))["error"] == "invalid_auth"
    error = await refused(client.apps_connections_open(app_token="xoxb-TEST"))
    assert error["error"] == "not_allowed_token_type"
    fake.revoke()
    assert (await refused(client.auth_test()))["error"] == "token_revoked"
    fake.revoke("account_inactive")
    assert (await refused(client.auth_test()))["error"] == "account_inactive"
    fake.restore()
    assert (await client.auth_test())["ok"]


# -- HTTP ----------------------------------------------------------------------------------


async def test_http_mode_signs_and_repeats(fake: FakeSlack, ann: SlackPerson) -> None:
    pulse = Pulse(fake)
    statuses = [503, 200]
    retries: list[str | None] = []

    async def receive(request: web.BaseRequest) -> web.Response:
        body = (await request.read()).decode()
        retries.append(request.headers.get("X-Slack-Retry-Num"))
        answer = await pulse.app.async_dispatch(
            AsyncBoltRequest(body=body, headers={k: [v] for k, v in request.headers.items()})
        )
        status = statuses.pop(0) if statuses else answer.status
        return web.Response(status=status, text=answer.body)

    runner = web.ServerRunner(web.Server(receive), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        fake.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
        await ann.send("hello")
        await fake.wait_settled()
        assert [event["text"] for event in pulse.events()] == ["hello", "hello"]
        assert retries == [None, "1"]
        await pulse.client.chat_postMessage(channel="U1", text="?", blocks=question("?", "Yes"))
        press = await ann.press("Yes")
        await fake.wait_settled()
        assert press.answered
        assert await ann.slash("/pulse", "help")
        fake.signing_secret = "another"
        assert not await ann.slash("/pulse")
        await pulse.handler.close_async()
    finally:
        await runner.cleanup()


async def test_an_app_may_ask_for_no_retry(fake: FakeSlack, ann: SlackPerson) -> None:
    async def refuse(_request: web.BaseRequest) -> web.Response:
        return web.Response(status=400, headers={"X-Slack-No-Retry": "1"})

    runner = web.ServerRunner(web.Server(refuse), shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        fake.request_url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        said = await ann.send("hello")
        await fake.wait_settled()
        assert said.lost
        assert fake.envelopes == 1
    finally:
        await runner.cleanup()


def test_signatures_are_slacks(fake: FakeSlack) -> None:
    """The example in Slack's documentation on verifying requests."""
    body = (
        b"token=xyzz0WbapA4vBCDEFasx0q6G&team_id=T1DC2JH3J&team_domain=testteamnow&"
        b"channel_id=G8PSS9T3V&channel_name=foobar&user_id=U2CERLKJA&user_name=roadrunner&"
        b"command=%2Fwebhook-collect&text=&response_url=https%3A%2F%2Fhooks.slack.com%2F"
        b"commands%2FT1DC2JH3J%2F397700885554%2F96rGlfmibIGlgcZRskXaIFfN&"
        b"trigger_id=398738663015.47445629121.803a0bc887a14d10d2c447fce8b6703c"
    )
    fake.signing_secret = "8f742231b10e8888abcd99yyyzzz85a5"
    headers = fake.sign(body, 1531420618)
    assert headers["X-Slack-Signature"] == (
        "v0=a2114d57b48eac39b9ad189dd8316235a7b4a8d21a10bd27519666489c69b503"
    )
    assert json.dumps(headers)
