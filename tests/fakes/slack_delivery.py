"""How the fake Slack hands events to the app: Socket Mode, or signed HTTP requests.

An envelope not acknowledged within `ack_within` seconds has failed, and so has one whose
socket closes first, or one for which no socket is open. Events are then sent again, up to
three times (`retry_delays`); presses, view submissions and slash commands never are.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from uuid import uuid4

from aiohttp import ClientError, ClientSession, ClientTimeout, WSMsgType, web

MAX_SOCKETS = 10


def sign(signing_secret: str, body: bytes, timestamp: int) -> dict[str, str]:
    """Give the headers with which Slack signs a request (version v0)."""
    base = f"v0:{timestamp}:".encode() + body
    digest = hmac.new(signing_secret.encode(), base, hashlib.sha256).hexdigest()
    return {
        "X-Slack-Request-Timestamp": str(timestamp),
        "X-Slack-Signature": f"v0={digest}",
    }


class StopRetriesError(Exception):
    """The app refused an event and asked not to send it again."""


class Socket:
    """One Socket Mode connection; no new envelope goes to one that is `leaving`."""

    def __init__(self, ws: web.WebSocketResponse) -> None:
        self.ws = ws
        self.leaving = False
        self.waiting: dict[str, asyncio.Future[dict[str, Any] | None]] = {}

    @property
    def open(self) -> bool:
        """Whether an envelope can be pushed here."""
        return not self.leaving and not self.ws.closed


class Delivery:
    """The way of envelopes to the app."""

    def __init__(self, fake: Any) -> None:
        self.fake = fake
        self.sockets: list[Socket] = []
        self.tickets: set[str] = set()

    # -- Socket Mode ---------------------------------------------------------------------

    def new_link(self) -> str:
        """Give an address for one connection (apps.connections.open)."""
        ticket = uuid4().hex
        self.tickets.add(ticket)
        return f"ws://127.0.0.1:{self.fake.port}/link/?ticket={ticket}&app_id={self.fake.app_id}"

    @property
    def connected(self) -> int:
        """How many sockets are open."""
        return sum(socket.open for socket in self.sockets)

    async def connect(self, request: web.BaseRequest) -> web.StreamResponse:
        """Serve one socket until it closes."""
        ticket = request.query.get("ticket", "")
        if ticket not in self.tickets:
            return web.Response(status=403)
        self.tickets.discard(ticket)
        ws = web.WebSocketResponse(heartbeat=10.0, timeout=0.3)
        await ws.prepare(request)
        if self.connected >= MAX_SOCKETS:
            await ws.send_json({"type": "disconnect", "reason": "too_many_websockets"})
            await ws.close()
            return ws
        socket = Socket(ws)
        self.sockets.append(socket)
        await ws.send_json(
            {
                "type": "hello",
                "num_connections": self.connected,
                "debug_info": {"host": "applink-1", "approximate_connection_time": 18060},
                "connection_info": {"app_id": self.fake.app_id},
            }
        )
        self.fake.changed()
        try:
            async for frame in ws:
                if frame.type is WSMsgType.TEXT:
                    self._acknowledge(socket, frame.data)
        finally:
            self.sockets.remove(socket)
            for future in socket.waiting.values():
                if not future.done():
                    future.set_result(None)
            self.fake.changed()
        return ws

    def _acknowledge(self, socket: Socket, text: str) -> None:
        answer = json.loads(text)
        future = socket.waiting.pop(answer.get("envelope_id"), None)
        if future is None:
            self.fake.late_acks += 1
            self.fake.changed()
        elif not future.done():
            future.set_result(answer.get("payload") or {})

    async def disconnect(self, reason: str) -> None:
        """Ask the app to connect anew on every socket."""
        for socket in list(self.sockets):
            socket.leaving = True
            debug = {"host": "applink-1"}
            await socket.ws.send_json({"type": "disconnect", "reason": reason, "debug_info": debug})

    async def close(self) -> None:
        """Close every socket."""
        for socket in list(self.sockets):
            await socket.ws.close()

    async def _push(
        self, kind: str, payload: dict[str, Any], more: dict[str, Any], handed: Callable[[], None]
    ) -> dict[str, Any] | None:
        sockets = [socket for socket in self.sockets if socket.open]
        if not sockets:
            return None
        socket = self.fake.faults.random.choice(sockets)
        envelope_id = str(uuid4())
        future: asyncio.Future[dict[str, Any] | None] = asyncio.get_running_loop().create_future()
        socket.waiting[envelope_id] = future
        envelope = {"envelope_id": envelope_id, "payload": payload, "type": kind, **more}
        try:
            await socket.ws.send_str(json.dumps(envelope))
            handed()
            return await asyncio.wait_for(future, self.fake.ack_within)
        except (TimeoutError, ConnectionError):
            return None
        finally:
            socket.waiting.pop(envelope_id, None)

    # -- HTTP ----------------------------------------------------------------------------

    async def _post(
        self, kind: str, payload: dict[str, Any], more: dict[str, Any], handed: Callable[[], None]
    ) -> dict[str, Any] | None:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if kind == "events_api":
            body = json.dumps(payload).encode()
            headers["Content-Type"] = "application/json"
            if more.get("retry_attempt"):
                headers["X-Slack-Retry-Num"] = str(more["retry_attempt"])
                headers["X-Slack-Retry-Reason"] = f"http_{more['retry_reason']}"
        elif kind == "interactive":
            body = urlencode({"payload": json.dumps(payload)}).encode()
        else:
            body = urlencode(payload).encode()
        headers |= sign(self.fake.signing_secret, body, int(time.time()))
        timeout = ClientTimeout(total=self.fake.ack_within)
        handed()
        try:
            async with (
                ClientSession(timeout=timeout) as session,
                session.post(self.fake.request_url, data=body, headers=headers) as answer,
            ):
                text = await answer.text()
                if 200 <= answer.status <= 299:
                    return json.loads(text) if text.startswith("{") else {"text": text}
                if answer.headers.get("X-Slack-No-Retry") == "1":
                    raise StopRetriesError
                return None
        except (ClientError, TimeoutError, ValueError):
            return None

    async def take_url(self, url: str, seconds: float = 30.0) -> None:
        """Let everything go to an address, once it has proven to be the app's."""
        async with asyncio.timeout(seconds):
            while not await self._verify(url):
                await asyncio.sleep(0.05)
        self.fake.request_url = url

    async def _verify(self, url: str) -> bool:
        """Ask an address whether it is the app's, as Slack does before it takes one."""
        challenge = uuid4().hex
        payload = {"token": "verification", "challenge": challenge, "type": "url_verification"}
        body = json.dumps(payload).encode()
        headers = {"Content-Type": "application/json"}
        headers |= sign(self.fake.signing_secret, body, int(time.time()))
        try:
            async with (
                ClientSession() as session,
                session.post(url, data=body, headers=headers) as answer,
            ):
                text = await answer.text()
        except (ClientError, TimeoutError):
            return False
        if answer.status != 200:
            return False
        return challenge in {text, json.loads(text).get("challenge")}

    # -- both ----------------------------------------------------------------------------

    async def once(
        self,
        kind: str,
        payload: dict[str, Any],
        handed: Callable[[], None],
        *,
        wants_answer: bool = False,
        attempt: int = 0,
        reason: str = "",
    ) -> dict[str, Any] | None:
        """Send an envelope; give what the app answered, None if it did not acknowledge."""
        more: dict[str, Any] = {"accepts_response_payload": wants_answer}
        if kind == "events_api":
            more |= {"retry_attempt": attempt, "retry_reason": reason}
        self.fake.envelopes += 1
        way = self._post if self.fake.request_url else self._push
        return await way(kind, payload, more, handed)

    async def event(self, payload: dict[str, Any], handed: Callable[[], None]) -> bool:
        """Send an event until it is acknowledged or the retries are used up."""
        try:
            return await self._until_acknowledged(payload, handed)
        except StopRetriesError:
            return False

    async def _until_acknowledged(
        self, payload: dict[str, Any], handed: Callable[[], None]
    ) -> bool:
        faults = self.fake.faults
        answer = await self.once("events_api", payload, handed)
        for attempt, seconds in enumerate(self.fake.retry_delays, start=1):
            if answer is not None:
                break
            await asyncio.sleep(seconds)
            if faults.fresh_event_id:
                payload = {**payload, "event_id": self.fake.new_event_id()}
            self.fake.redelivered += 1
            answer = await self.once(
                "events_api", payload, handed, attempt=attempt, reason="timeout"
            )
        if answer is not None and faults.strikes(faults.repeat):
            if faults.fresh_event_id:
                payload = {**payload, "event_id": self.fake.new_event_id()}
            self.fake.redelivered += 1
            await self.once("events_api", payload, handed, attempt=1, reason="timeout")
        return answer is not None
