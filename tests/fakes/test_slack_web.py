"""The Web API and HTTP mode of the fake Slack, with the real slack_sdk and slack-bolt."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.fakes.noting_app import NotingApp, button, question, refused, section
from tests.fakes.pictures import png
from tests.fakes.slack import FakeSlack
from tests.fakes.slack_person import SlackPerson


@pytest.fixture
async def fake() -> AsyncIterator[FakeSlack]:
    async with FakeSlack(retry_delays=(0.0, 0.01, 0.01), echo="") as server:
        yield server


@pytest.fixture
def client(fake: FakeSlack) -> AsyncWebClient:
    return AsyncWebClient(token="xoxb-TEST", base_url=fake.api_base_url)


@pytest.fixture
def ann(fake: FakeSlack) -> SlackPerson:
    return fake.person("U1", name="Ann Price", tz="America/New_York", locale="cy-GB")


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


async def test_a_file_is_uploaded_by_a_link_and_shown_once_it_was_looked_at(
    fake: FakeSlack, client: AsyncWebClient, ann: SlackPerson
) -> None:
    now = [0.0]
    fake.clock = lambda: now[0]
    fake.file_seconds = 1.0
    uploaded = await client.files_upload_v2(content=png(), filename="a.png", alt_txt="A chart")
    file_id = uploaded["files"][0]["id"]
    image = {"type": "image", "slack_file": {"id": file_id}, "alt_text": "A chart"}
    early = await refused(client.chat_postMessage(channel="U1", text="Look", blocks=[image]))
    assert early["error"] == "invalid_blocks"
    assert "invalid slack file" in early["response_metadata"]["messages"][0]
    now[0] += 1.0
    await client.chat_postMessage(channel="U1", text="Look", blocks=[image])
    assert (fake.files[file_id].alt, fake.files[file_id].shown_in) == ("A chart", [ann.channel])
    for wrong in ({"slack_file": {"id": "F0"}}, {"alt_text": ""}, {"image_url": "https://x"}):
        call = client.chat_postMessage(channel="U1", text="Look", blocks=[{**image, **wrong}])
        assert (await refused(call))["error"] == "invalid_blocks"
    text = await client.files_upload_v2(content=b"words", filename="a.png")
    now[0] += 1.0
    of_words = {**image, "slack_file": {"id": text["files"][0]["id"]}}
    call = client.chat_postMessage(channel="U1", text="Look", blocks=[of_words])
    assert (await refused(call))["error"] == "invalid_blocks"
    long = client.files_getUploadURLExternal(filename="a", length=1, alt_txt="x" * 1001)
    assert (await refused(long))["error"] == "alt_txt_too_large"
    unsent = await client.files_getUploadURLExternal(filename="a", length=1)
    done = client.files_completeUploadExternal(files=[{"id": unsent["file_id"]}])
    assert (await refused(done))["error"] == "file_not_found"
    fake.scopes.clear()
    call = client.files_getUploadURLExternal(filename="a", length=1)
    assert (await refused(call))["error"] == "missing_scope"


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
    pulse = NotingApp(fake)
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
