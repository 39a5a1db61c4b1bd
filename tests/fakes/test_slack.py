"""Events, sockets and presses of the fake Slack, with the real slack-bolt."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.noting_app import NotingApp, button, question, refused, section
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_person import SlackPerson


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(retry_delays=(0.0, 0.01, 0.01), echo="") as server:
        yield server


@pytest.fixture
async def pulse(fake: FakeSlack) -> AsyncIterator[NotingApp]:
    app = NotingApp(fake)
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


# -- events --------------------------------------------------------------------------------


async def test_words_arrive_as_a_message_event(
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
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
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
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
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
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
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
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
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
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
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
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
    fake: FakeSlack, pulse: NotingApp
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
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
) -> None:
    await fake.disconnect("refresh_requested")
    assert fake.connected == 0
    await fake.wait_connected()
    await ann.send("hello")
    await pulse.got(1)
    assert fake.calls["apps.connections.open"] == 2


async def test_an_event_goes_to_one_of_several_sockets(
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
) -> None:
    second = NotingApp(fake)
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
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
) -> None:
    fake.retry_delays = (0.0, 0.5, 5.0)

    async def cut_once(_body: dict[str, Any]) -> None:
        if len(pulse.bodies) == 1:
            second = NotingApp(fake)
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
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
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


async def test_choices_are_kept_as_state(
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
) -> None:
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
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
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
    fake: FakeSlack, pulse: NotingApp, ann: SlackPerson
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
