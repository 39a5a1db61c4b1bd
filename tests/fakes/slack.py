"""A fake Slack for the real slack-bolt: Web API, Socket Mode and signed HTTP requests.

    async with FakeSlack(bot_token="xoxb-TEST", app_token="xapp-TEST") as fake:
        client = AsyncWebClient(token="xoxb-TEST", base_url=fake.api_base_url)
        app = AsyncApp(client=client, process_before_response=True, ...)
        handler = AsyncSocketModeHandler(app, "xapp-TEST")      # uses app.client's base_url
        await handler.connect_async()
        await fake.wait_connected()
        ann = fake.person("U1", name="Ann", tz="Europe/London", locale="cy-GB")
        await ann.send("hello")
        question = await ann.next_message()
        await ann.press("I agree")

Beside `server.Server` (faults, people, sent, calls, earned_429, duplicates, wait_until):

    fake.api_base_url               http://127.0.0.1:port/api/
    fake.person(id, name=, tz=, locale=, is_bot=) -> SlackPerson
    fake.channel(id, name=, members=[...]) -> Channel(id, name, members, messages)
    await fake.wait_connected(n=1)  until n sockets are open;  fake.connected
    await fake.wait_settled()       until every event is acknowledged or given up
    await fake.disconnect("refresh_requested")   the app is asked to connect anew
    await fake.cut()                all sockets break
    fake.release()                  what `faults.hold` holds back goes now
    fake.revoke("token_revoked")    or "account_inactive"; fake.restore()
    fake.request_url = "http://.../slack/events"   HTTP mode: everything is posted there, signed
    await fake.delivery.take_url(url)   the same, once the app has answered the challenge there
    fake.sign(body, timestamp)      headers of a signed request (also `slack_delivery.sign`)
    await fake.emit(event)          any event, made by hand; true when acknowledged
    fake.files, fake.scopes         uploaded files by id (`slack_files`); take "files:write" away
    fake.envelopes, redelivered, late_acks, lost   counters of delivery

A person (`people.Person`: send, press, next_message, wait_for, wait_until, chat, shown):

    edit(message, text)  delete(message)  upload(filename, text="")  slash("/pulse", text)
    send_in(channel, text)  join(channel)  leave(channel)  open_home(tab="home")
    deactivate()  submit(values, close=False)   (the open modal `person.view`; values by action_id)
    say(text), click(button, message)           send and press without awaiting
    home, view, slash_failed

Rules kept: ts strictly rise in each channel; 50 blocks, section text 3000, button text 75,
value 2000, ids 255, block_id unique, 25 elements, 13,200 characters of block text
(`msg_blocks_too_long`), text cut at 40,000, `no_text`; trigger ids work once, for
`trigger_seconds`; response_url five times; a file is shown in an image block once its upload was
completed and `file_seconds` have passed (before: `invalid_blocks`), its words at most 1000; the
bot's own posts and edits come back as events (`echo="user"`, or `"bot_message"` for the old
subtype, or `""` for none).

Delivery: acknowledged within `ack_within` (3 s) or failed; events are then sent again after
each of `retry_delays` (Slack: at once, one minute, five minutes; here (0, 0.3, 1.0)), in a
new envelope with the same event id (`faults.fresh_event_id` for another); presses, slash
commands and submissions are not sent again: `press.lost`. A message given up is `lost`.
What Slack does while no socket is open is not documented; here that try has failed.

Rate limits (`limits=True`), as HTTP 429 with Retry-After: chat.postMessage
`per_channel_per_second` (1.0) in each channel after a burst of `per_channel_burst` (4), and
`workspace_per_second` (5.0, "several hundred a minute") in all after `workspace_burst` (100);
other methods by their tier (20, 50, 100 a minute, as a bucket of that size).
`limits=False` lifts the rates and nothing else.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from aiohttp import web

from tests.fakes.limits import Bucket
from tests.fakes.people import Message
from tests.fakes.server import JSON_HEADERS, ConnectionCutError, Server, read_params
from tests.fakes.slack_blocks import SlackError
from tests.fakes.slack_delivery import Delivery, sign
from tests.fakes.slack_files import Files
from tests.fakes.slack_methods import SCOPES, Methods, as_json
from tests.fakes.slack_person import SlackPerson


@dataclass(slots=True, eq=False)
class Channel:
    """A public channel; `members` in order of joining."""

    id: str
    name: str
    members: list[str]
    messages: list[Message] = field(default_factory=list)

    @property
    def channel(self) -> str:
        """The id under which messages are posted, as for a person's direct messages."""
        return self.id


class FakeSlack(Files, Methods, Server):
    """One workspace on loopback; see the module."""

    def __init__(
        self,
        bot_token: str = "xoxb-TEST",
        app_token: str = "xapp-TEST",
        signing_secret: str = "0123456789abcdef",
        *,
        limits: bool = True,
        per_channel_per_second: float = 1.0,
        per_channel_burst: int = 4,
        workspace_per_second: float = 5.0,
        workspace_burst: int = 100,
        ack_within: float = 3.0,
        retry_delays: tuple[float, ...] = (0.0, 0.3, 1.0),
        echo: str = "user",
        trigger_seconds: float = 3.0,
        file_seconds: float = 0.0,
        port: int = 0,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(port=port, seed=seed)
        self.bot_token = bot_token
        self.app_token = app_token
        self.signing_secret = signing_secret
        self.limits = limits
        self.per_channel_per_second = per_channel_per_second
        self.per_channel_burst = per_channel_burst
        self.workspace_bucket = Bucket(workspace_per_second, workspace_burst)
        self.ack_within = ack_within
        self.retry_delays = retry_delays
        self.echo_style = echo
        self.trigger_seconds = trigger_seconds
        self.file_seconds = file_seconds
        self.scopes = {"files:write"}
        self.clock = clock
        self.request_url = ""
        self.team_id, self.app_id = "T0000000001", "A0000000001"
        self.bot_user_id, self.bot_id = "U00000BOT1", "B0000000001"
        self.channels: dict[str, Channel] = {}
        self.directs: dict[str, SlackPerson] = {}
        self.triggers: dict[str, tuple[SlackPerson, float, bool]] = {}
        self.responses: dict[str, tuple[SlackPerson, Message | None, int]] = {}
        self.views = 0
        self.envelopes = 0
        self.redelivered = 0
        self.late_acks = 0
        self.lost = 0
        self.delivery = Delivery(self)
        self.headers["X-OAuth-Scopes"] = SCOPES
        self._revoked = ""
        self._last_ts: dict[str, int] = {}
        self._channel_buckets: dict[str, Bucket] = {}
        self._event_number = 0

    # -- for tests -----------------------------------------------------------------------

    @property
    def api_base_url(self) -> str:
        """`http://127.0.0.1:port/api/`."""
        return f"{self.address}/api/"

    @property
    def connected(self) -> int:
        """How many sockets are open."""
        return self.delivery.connected

    def person(
        self,
        person_id: str,
        *,
        name: str = "",
        tz: str = "Europe/London",
        locale: str = "en-GB",
        is_bot: bool = False,
    ) -> SlackPerson:
        """Give the person with this id, made when first named."""
        person = self.people.get(person_id)
        if person is None:
            ZoneInfo(tz)
            person = SlackPerson(
                self, str(person_id), name or f"Person {person_id}", tz, locale, is_bot=is_bot
            )
            self.people[person.id] = person
            self.directs[person.channel] = person
        return person

    def channel(
        self, channel_id: str, *, name: str = "", members: Iterable[str] = (), bot: bool = True
    ) -> Channel:
        """Give the channel with this id, made (with its members) when first named."""
        channel = self.channels.get(channel_id)
        if channel is None:
            everybody = [self.person(member).id for member in members]
            if bot:
                everybody.append(self.bot_user_id)
            channel = Channel(channel_id, name or channel_id.lower(), everybody)
            self.channels[channel_id] = channel
        return channel

    def revoke(self, error: str = "token_revoked") -> None:
        """Let both tokens stop working, with this error."""
        self._revoked = error

    def restore(self) -> None:
        """Let the tokens work again."""
        self._revoked = ""

    def sign(self, body: bytes, timestamp: int) -> dict[str, str]:
        """Give the headers of a signed request."""
        return sign(self.signing_secret, body, timestamp)

    async def wait_connected(self, n: int = 1, timeout: float = 30.0) -> None:  # noqa: ASYNC109
        """Wait until the app has `n` open sockets."""
        await self.wait_until(lambda: self.connected >= n, timeout)

    async def wait_settled(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109
        """Wait until every envelope is acknowledged or given up."""
        await self.wait_until(
            lambda: not self._tasks and not any(p.held for p in self.people.values()), timeout
        )

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Ask the app to connect anew; no new envelope goes to the sockets of now."""
        await self.delivery.disconnect(reason)

    async def cut(self) -> None:
        """Break every socket."""
        await self.delivery.close()

    async def stop(self) -> None:
        """Stop listening and cut every connection; chats stay."""
        for person in self.people.values():
            while person.held:
                person.held.popleft().close()
        await self.delivery.close()
        await super().stop()

    # -- ids and wire forms --------------------------------------------------------------

    def new_ts(self, channel: str) -> str:
        """Give a time stamp greater than any before in this channel."""
        ts = max(time.time_ns() // 1000, self._last_ts.get(channel, 0) + 1)
        self._last_ts[channel] = ts
        return f"{ts // 1_000_000}.{ts % 1_000_000:06d}"

    def new_event_id(self) -> str:
        """Give an event id."""
        self._event_number += 1
        return f"Ev{self._event_number:010d}"

    def new_message(self, channel: str, text: str, *, from_bot: bool) -> Message:
        """Make a message, not yet shown to anybody."""
        ts = self.new_ts(channel)
        return Message(
            id=ts,
            chat=channel,
            from_bot=from_bot,
            text=text,
            rows=[],
            at=time.monotonic(),
            date=int(float(ts)),
        )

    def wire(self, message: Message) -> dict[str, Any]:
        """Give a bot's message as Slack sends it."""
        raw = message.raw
        body = {
            "type": "message",
            "user": self.bot_user_id,
            "bot_id": self.bot_id,
            "app_id": self.app_id,
            "team": self.team_id,
            "ts": message.id,
            "text": raw["text"],
            "blocks": raw["blocks"],
            "bot_profile": {"id": self.bot_id, "app_id": self.app_id, "name": "commonpulse"},
        }
        if "edited" in raw:
            body["edited"] = {"user": self.bot_user_id, "ts": raw["edited"]}
        if "thread_ts" in raw:
            body["thread_ts"] = raw["thread_ts"]
        return body

    def new_trigger(self, person: SlackPerson) -> str:
        """Give a trigger id for one view."""
        trigger_id = f"{len(self.triggers) + 1}.1.{uuid4().hex}"
        self.triggers[trigger_id] = (person, time.monotonic(), False)
        return trigger_id

    def new_response_url(self, person: SlackPerson, message: Message | None) -> str:
        """Give an address for up to five answers."""
        key = uuid4().hex
        self.responses[key] = (person, message, 0)
        return f"{self.address}/response/{key}"

    # -- events to the app ---------------------------------------------------------------

    def channel_type(self, channel: str) -> str:
        """`im` or `channel`."""
        return "im" if channel in self.directs else "channel"

    async def emit(self, event: dict[str, Any], handed: Callable[[], None] = lambda: None) -> bool:
        """Hand an event to the app; true when it was acknowledged."""
        payload = {
            "token": "verification",
            "team_id": self.team_id,
            "api_app_id": self.app_id,
            "type": "event_callback",
            "event_id": self.new_event_id(),
            "event_time": int(time.time()),
            "event": event,
            "authorizations": [
                {
                    "enterprise_id": None,
                    "team_id": self.team_id,
                    "user_id": self.bot_user_id,
                    "is_bot": True,
                    "is_enterprise_install": False,
                }
            ],
            "is_ext_shared_channel": False,
        }
        acknowledged = await self.delivery.event(payload, handed)
        if not acknowledged:
            self.lost += 1
        self.changed()
        return acknowledged

    async def interact(
        self, kind: str, payload: dict[str, Any], handed: Callable[[], None], *, answer: bool
    ) -> dict[str, Any] | None:
        """Hand over a press, submission or command, once; None when not acknowledged."""
        return await self.delivery.once(kind, payload, handed, wants_answer=answer)

    def later(self, person: SlackPerson, coroutine: Any) -> None:
        """Start a delivery for a person; `faults` may hold it back first."""
        faults = self.faults
        waiting: deque[Any] = person.held
        if waiting and faults.keep_person_order:
            waiting.append(coroutine)
        elif faults.strikes(faults.hold):
            waiting.append(coroutine)
            seconds = faults.random.uniform(*faults.hold_seconds)
            asyncio.get_running_loop().call_later(seconds, self._release, person)
        else:
            self.spawn(coroutine)

    def release(self) -> None:
        """Let everything that `faults.hold` holds back go now."""
        for person in self.people.values():
            while person.held:
                self._release(person)

    def _release(self, person: SlackPerson) -> None:
        if self.faults.keep_person_order:
            while person.held:
                self.spawn(person.held.popleft())
        elif person.held:
            self.spawn(person.held.pop())

    def echo(self, message: Message) -> None:
        """Tell the app of its own post."""
        if not self.echo_style:
            return
        event = self.wire(message) | {
            "channel": message.chat,
            "channel_type": self.channel_type(message.chat),
            "event_ts": message.id,
        }
        if self.echo_style == "bot_message":
            event |= {"subtype": "bot_message", "username": "commonpulse"}
            del event["user"]
        self.spawn(self.emit(event))

    def echo_change(self, message: Message, before: dict[str, Any]) -> None:
        """Tell the app of its own edit."""
        if not self.echo_style:
            return
        ts = self.new_ts(message.chat)
        self.spawn(
            self.emit(
                {
                    "type": "message",
                    "subtype": "message_changed",
                    "channel": message.chat,
                    "channel_type": self.channel_type(message.chat),
                    "ts": ts,
                    "event_ts": ts,
                    "hidden": True,
                    "message": self.wire(message),
                    "previous_message": before,
                }
            )
        )

    # -- calls ---------------------------------------------------------------------------

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one call of the app, or serve one socket."""
        path = request.path
        if path == "/link/":
            return await self.delivery.connect(request)
        if path.startswith("/upload/v1/"):
            return await self.take_upload(request, path.removeprefix("/upload/v1/"))
        if path.startswith("/response/"):
            return await self._respond(request, path.removeprefix("/response/"))
        if not path.startswith("/api/"):
            return web.Response(status=404)
        method = path.removeprefix("/api/")
        self.calls[method] += 1
        try:
            params = await read_params(request)
        except ValueError:
            return _answer({"ok": False, "error": "invalid_json"})
        fault = self.faults.take(method, params) if self.faults.rules else None
        if fault is not None:
            if fault.kind == "hang":
                await self.hang(request)
            if fault.kind == "reset":
                raise ConnectionCutError
            if fault.kind in ("nonsense", "gateway"):
                status = 200 if fault.kind == "nonsense" else 502
                return web.Response(
                    text="<html>Something is off</html>", status=status, content_type="text/html"
                )
            if fault.kind == "not_ok":
                return web.json_response({"ok": False})
            if fault.kind == "429":
                return _too_many(fault.retry_after)
            if fault.kind == "403":
                return _answer({"ok": False, "error": fault.error or "account_inactive"})
            if fault.kind == "500":
                return _answer({"ok": False, "error": "internal_error"}, status=500)
            if fault.kind == "error":
                return _answer({"ok": False, "error": fault.error or "fatal_error"})
            if fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
        try:
            self._authorize(request, params, method)
            answer = self.methods.get(method)
            if answer is None:
                raise SlackError("unknown_method")
            self.pace(method, params)
            body = {"ok": True, **answer(params)}
        except SlackError as error:
            if error.retry_after:
                self.earned_429 += 1
                return _too_many(error.retry_after)
            body = {"ok": False, "error": error.code}
            if error.messages:
                body |= {"errors": error.messages}
                body |= {"response_metadata": {"messages": error.messages}}
        if fault is not None and fault.kind == "lose_reply":
            raise ConnectionCutError
        return _answer(body)

    def _authorize(self, request: web.BaseRequest, params: dict[str, Any], method: str) -> None:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        token = token or str(params.get("token") or "")
        if not token:
            raise SlackError("not_authed")
        if token not in {self.bot_token, self.app_token}:
            raise SlackError("invalid_auth")
        if self._revoked:
            raise SlackError(self._revoked)
        if (method == "apps.connections.open") != (token == self.app_token):
            raise SlackError("not_allowed_token_type")

    async def _respond(self, request: web.BaseRequest, key: str) -> web.Response:
        if key not in self.responses:
            return _answer({"ok": False, "error": "used_url"}, status=404)
        person, message, used = self.responses[key]
        if used >= 5:
            return _answer({"ok": False, "error": "used_url"}, status=404)
        self.responses[key] = (person, message, used + 1)
        params = await read_params(request)
        try:
            if message is not None and params.get("delete_original"):
                self.remove(person, message)
            elif message is not None and params.get("replace_original"):
                self.replace(person, message, params)
            else:
                self.show(person, params)
        except SlackError as error:
            return _answer({"ok": False, "error": error.code}, status=400)
        return _answer({"ok": True})

    def show(self, person: SlackPerson, params: dict[str, Any]) -> None:
        """Show a person what came back from a slash command or to a response_url."""
        seen, raw, rows = self.content(params)
        shown_message = self.new_message(person.channel, seen, from_bot=True)
        shown_message.raw, shown_message.rows = raw, rows
        shown_message.ephemeral = params.get("response_type") != "in_channel"
        self.record(person, shown_message)


def _answer(body: dict[str, Any], status: int = 200) -> web.Response:
    return web.Response(body=as_json(body), headers=JSON_HEADERS, status=status)


def _too_many(seconds: int) -> web.Response:
    headers = JSON_HEADERS | {"Retry-After": str(seconds)}
    body = as_json({"ok": False, "error": "ratelimited"})
    return web.Response(body=body, headers=headers, status=429)


if __name__ == "__main__":
    from tests.fakes.console import main

    main("slack")
