"""A fake Telegram Bot API server for the real python-telegram-bot.

    async with FakeTelegram(token="123:TEST") as fake:
        bot = Bot("123:TEST", base_url=f"{fake.base_url}/bot",
                  base_file_url=f"{fake.base_url}/file/bot")
        ann = fake.person(7, first_name="Ann", language_code="cy")
        await ann.start("riverside")                 # "/start riverside"
        question = await ann.next_message()
        await ann.press("I agree")

Beside `server.Server` (faults, people, sent, calls, earned_429, duplicates, wait_until):

    fake.base_url                   http://127.0.0.1:port
    fake.person(id, first_name=, last_name=, username=, language_code=) -> TelegramPerson
    fake.unconfirmed                updates that no getUpdates offset has confirmed yet
    fake.handed, fake.redelivered   updates handed to the bot; those handed not for the first time
    fake.conflicts                  questions for updates that another poller ended, with a 409
    await fake.wait_settled()       until the bot has confirmed everything
    await fake.wait_polled()        until the bot is asking for updates
    await fake.wait_hooked()        until the bot has set a webhook
    fake.revoke(), fake.restore()   the token stops and starts working
    fake.next_update_id             may be set (ids jump after a quiet week)
    fake.commands, fake.description, fake.short_description, fake.webhook   as the bot set them
    fake.release()                  what `faults.hold` holds back goes now
    fake.files, fake.uploads        contents by file id; how many files came as such, not by id
    fake.poison(person)             an update that python-telegram-bot cannot parse
    await fake.stop(), fake.start() the platform goes away and comes back, on the same port

A person (`people.Person`: send, press, next_message, wait_for, wait_until, chat, shown):

    start(payload="")  edit(message, text)  photo(caption="")  block()  unblock()  deactivate()
    say(text), click(button, message)       send and press without awaiting

Rules kept: an update stays until a getUpdates with a greater offset; `allowed_updates` holds
for updates made after it was given; a second poller gets the older one a 409, polling beside
a webhook is a 409; text 1 to 4096 characters (code points, after entities), caption 1024 UTF-16
units, photos up to 10 MB, 10,000 pixels of both sides together and twenty times as long as wide,
callback_data 1 to 64 bytes, 100 buttons, 8 a row; a bot cannot write first (403), nor to who
blocked it (403); message ids rise in each chat in order of arrival, both sides together.

Rate limits (`limits=True`), for send* methods, as 429 with `retry_after`: `overall` messages
in any second (30), and for each chat `per_chat_per_second` (1.0) after a burst of
`per_chat_burst` (3): Telegram publishes no figures and tolerates short bursts of replies.
Who sends before `retry_after` has passed is refused again. 429s are counted in `earned_429`.
`limits=False` lifts the rates and nothing else.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiohttp import web

from tests.fakes.limits import Window
from tests.fakes.people import Message, Press
from tests.fakes.server import JSON_HEADERS, ConnectionCutError, Server, read_params, structure
from tests.fakes.telegram_methods import ApiError, Methods
from tests.fakes.telegram_person import TelegramPerson
from tests.fakes.telegram_webhook import Webhook

KINDS = frozenset({
    "message", "edited_message", "callback_query", "my_chat_member", "poison",
})  # fmt: skip
CONFLICT = "Conflict: terminated by other getUpdates request; make sure that only one bot"
WEBHOOK_ACTIVE = "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook"


@dataclass(slots=True, eq=False)
class Update:
    """One update waiting for the bot; `act` is what the person did."""

    id: int
    body: bytes
    person: TelegramPerson
    act: Message | Press | None
    times: int = 0
    repeated: bool = False


class FakeTelegram(Methods, Server):
    """The Bot API on loopback; see the module."""

    def __init__(
        self,
        token: str = "123:TEST",
        *,
        limits: bool = True,
        overall: int = 30,
        per_chat_per_second: float = 1.0,
        per_chat_burst: int = 3,
        port: int = 0,
        seed: int = 0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(port=port, seed=seed)
        self.token = token
        self.limits = limits
        self.per_chat_per_second = per_chat_per_second
        self.per_chat_burst = per_chat_burst
        self.window = Window(overall)
        self.clock = clock
        self.me = {
            "id": int(token.split(":", 1)[0]),
            "is_bot": True,
            "first_name": "Commonpulse",
            "username": "commonpulse_bot",
            "can_join_groups": True,
            "can_read_all_group_messages": False,
            "supports_inline_queries": False,
        }
        self.revoked = False
        self.next_update_id = 500_000
        self.handed = 0
        self.redelivered = 0
        self.conflicts = 0
        self.allowed = KINDS
        self.queries: dict[str, tuple[TelegramPerson, Press]] = {}
        self.last_query_id = 0
        self.files: dict[str, bytes] = {}
        self.uploads = 0
        self.commands: dict[tuple[str, str], list[dict[str, str]]] = {}
        self.description = ""
        self.short_description = ""
        self.webhook = Webhook(self)
        self.pending: deque[Update] = deque()
        self._repeats: list[Update] = []
        self._poll: asyncio.Future[str] | None = None

    # -- for tests -----------------------------------------------------------------------

    async def start(self) -> None:
        """Listen, and deliver to the webhook that was set before."""
        await super().start()
        self.webhook.resume()

    @property
    def base_url(self) -> str:
        """`http://127.0.0.1:port`: what `api_base_url` is set to."""
        return self.address

    @property
    def unconfirmed(self) -> int:
        """Updates that the bot has not confirmed yet, held ones included."""
        return len(self.pending) + sum(len(p.held) for p in self.people.values())

    def person(
        self,
        person_id: int,
        *,
        first_name: str = "",
        last_name: str = "",
        username: str = "",
        language_code: str = "en",
    ) -> TelegramPerson:
        """Give the person with this id, made when first named."""
        person_id = int(person_id)
        person = self.people.get(person_id)
        if person is None:
            user = {
                "id": person_id,
                "is_bot": False,
                "first_name": first_name or f"Person {person_id}",
                "last_name": last_name,
                "username": username,
                "language_code": language_code,
            }
            person = TelegramPerson(self, {k: v for k, v in user.items() if v != ""})
            self.people[person_id] = person
        return person

    def revoke(self) -> None:
        """Let the token stop working, for the open poll too."""
        self.revoked = True
        self._end_poll("revoked")

    def restore(self) -> None:
        """Let the token work again."""
        self.revoked = False

    def poison(self, person: TelegramPerson) -> None:
        """Queue an update that python-telegram-bot cannot parse."""
        self.offer("poison", {"message_id": "many", "chat": 5}, person, None)

    async def wait_settled(self, timeout: float = 10.0) -> None:  # noqa: ASYNC109
        """Wait until the bot has confirmed every update."""
        await self.wait_until(lambda: self.unconfirmed == 0 and not self._repeats, timeout)

    async def wait_hooked(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109
        """Wait until the bot has set a webhook."""
        await self.wait_until(lambda: bool(self.webhook.url), timeout)

    async def wait_polled(self, timeout: float = 30.0) -> None:  # noqa: ASYNC109
        """Wait until the bot is asking for updates."""
        await self.wait_until(lambda: self._poll is not None, timeout)

    # -- updates -------------------------------------------------------------------------

    def offer(
        self, kind: str, body: dict[str, Any], person: TelegramPerson, act: Message | Press | None
    ) -> None:
        """Queue an update for the bot; `faults` may hold it back first."""
        if kind not in self.allowed:
            return
        faults = self.faults
        if person.held and faults.keep_person_order:
            person.held.append((kind, body, act))
        elif faults.strikes(faults.hold):
            seconds = faults.random.uniform(*faults.hold_seconds)
            person.held.append((kind, body, act))
            asyncio.get_running_loop().call_later(seconds, self._release, person)
        else:
            self._queue(kind, body, person, act)

    def release(self) -> None:
        """Let everything that `faults.hold` holds back go now."""
        for person in self.people.values():
            while person.held:
                self._release(person)

    def _release(self, person: TelegramPerson) -> None:
        if self.faults.keep_person_order:
            while person.held:
                kind, body, act = person.held.popleft()
                self._queue(kind, body, person, act)
        elif person.held:
            kind, body, act = person.held.pop()
            self._queue(kind, body, person, act)

    def _queue(
        self, kind: str, body: dict[str, Any], person: TelegramPerson, act: Message | Press | None
    ) -> None:
        update_id = self.next_update_id
        self.next_update_id += 1
        name = "message" if kind == "poison" else kind
        text = json.dumps({"update_id": update_id, name: body})
        self.pending.append(Update(update_id, text.encode(), person, act))
        self._end_poll("news")
        self.webhook.wake()
        if self._waiting:
            self.changed()

    def _end_poll(self, why: str) -> None:
        poll = self._poll
        if poll is not None and not poll.done():
            poll.set_result(why)

    def confirm(self, update: Update) -> None:
        """Forget an update that the bot has acknowledged."""
        if not update.repeated and self.faults.strikes(self.faults.repeat):
            update.repeated = True
            if self.webhook.url:
                self.pending.append(update)
            else:
                self._repeats.append(update)
        if self._waiting:
            self.changed()

    def hand(self, update: Update) -> bytes:
        """Note that an update goes to the bot now, and give its body."""
        self.handed += 1
        update.times += 1
        if update.times > 1:
            self.redelivered += 1
        act = update.act
        if act is not None and act.handed_at is None:
            act.handed_at = time.monotonic()
        return update.body

    async def _get_updates(self, params: dict[str, Any], request: web.BaseRequest) -> bytes:
        if self.webhook.url:
            raise ApiError(409, WEBHOOK_ACTIVE)
        allowed = structure(params.get("allowed_updates"), None)
        if allowed is not None:
            self.allowed = KINDS & {*allowed, "poison"} if allowed else KINDS
        offset = int(params.get("offset") or 0)
        limit = int(params.get("limit") or 100)
        if not 1 <= limit <= 100:
            limit = 100
        pending = self.pending
        if offset < 0:
            while len(pending) > -offset:
                self.confirm(pending.popleft())
        else:
            while pending and pending[0].id < offset:
                self.confirm(pending.popleft())
        self._end_poll("conflict")
        if not pending and not self._repeats:
            why = await self._wait_for_news(float(params.get("timeout") or 0))
            if why == "conflict":
                # A poller that was killed has nobody left to hear it.
                transport = request.transport
                self.conflicts += transport is not None and not transport.is_closing()
                raise ApiError(409, CONFLICT)
            if why == "revoked":
                raise ApiError(401, "Unauthorized")
            if request.transport is None or request.transport.is_closing():
                raise ConnectionCutError
        batch = self._repeats[:limit]
        del self._repeats[:limit]
        for update in pending:
            if len(batch) == limit:
                break
            batch.append(update)
        return b'{"ok":true,"result":[' + b",".join(map(self.hand, batch)) + b"]}"

    async def _wait_for_news(self, seconds: float) -> str:
        if seconds <= 0:
            return "nothing"
        loop = asyncio.get_running_loop()
        poll: asyncio.Future[str] = loop.create_future()
        self._poll = poll
        timer = loop.call_later(seconds, self._time_out, poll)
        if self._waiting:
            self.changed()
        try:
            return await poll
        finally:
            timer.cancel()
            if self._poll is poll:
                self._poll = None

    @staticmethod
    def _time_out(poll: asyncio.Future[str]) -> None:
        if not poll.done():
            poll.set_result("nothing")

    # -- calls ---------------------------------------------------------------------------

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one call of the bot."""
        parts = request.path.split("/", 3)
        if len(parts) > 3 and parts[1] == "file" and parts[2] == f"bot{self.token}":
            content = self.files.get(parts[3])
            return web.Response(status=404) if content is None else web.Response(body=content)
        if len(parts) != 3 or not parts[1].startswith("bot"):
            return _refusal(404, "Not Found")
        if parts[1] != f"bot{self.token}" or self.revoked:
            return _refusal(401, "Unauthorized")
        method = parts[2]
        self.calls[method] += 1
        try:
            params = await read_params(request)
        except ValueError:
            return _refusal(400, "Bad Request: can't parse the request body")
        fault = self.faults.take(method, params) if self.faults.rules else None
        if fault is not None:
            if fault.kind == "hang":
                await self.hang(request)
            if fault.kind == "reset":
                raise ConnectionCutError
            if fault.kind in ("nonsense", "gateway"):
                status = 200 if fault.kind == "nonsense" else 502
                return web.Response(
                    text="<html>Bad gateway, sort of</html>",
                    status=status,
                    content_type="text/html",
                )
            if fault.kind == "not_ok":
                return web.json_response({"ok": False})
            if fault.kind == "429":
                return _too_many(fault.retry_after)
            if fault.kind == "403":
                return _refusal(403, fault.error or "Forbidden: bot was blocked by the user")
            if fault.kind == "500":
                return _refusal(500, "Internal Server Error")
            if fault.kind == "error":
                return _refusal(fault.status, fault.error or "Bad Request")
            if fault.kind == "slow":
                await asyncio.sleep(fault.seconds)
        try:
            if method == "getUpdates":
                body = await self._get_updates(params, request)
            else:
                answer = self.methods.get(method.lower())
                if answer is None:
                    return _refusal(404, "Not Found")
                body = json.dumps({"ok": True, "result": answer(params)}).encode()
        except ApiError as error:
            if error.retry_after:
                self.earned_429 += 1
                return _too_many(error.retry_after)
            return _refusal(error.code, error.description)
        if fault is not None and fault.kind == "lose_reply":
            raise ConnectionCutError
        return web.Response(body=body, headers=JSON_HEADERS)


def _refusal(code: int, description: str, **more: Any) -> web.Response:
    body = {"ok": False, "error_code": code, "description": description, **more}
    return web.json_response(body, status=code)


def _too_many(seconds: int) -> web.Response:
    text = f"Too Many Requests: retry after {seconds}"
    return _refusal(429, text, parameters={"retry_after": seconds})


if __name__ == "__main__":
    from tests.fakes.console import main

    main("telegram")
