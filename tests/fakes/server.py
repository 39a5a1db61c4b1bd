"""The loopback HTTP server under both fakes: start, stop, parameters, faults.

A subclass answers in `handle`. The low-level aiohttp server is used (no routing, no
middleware): a bench pushes thousands of calls a second through it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from typing import Any, Self
from urllib.parse import unquote

from aiohttp import web

from tests.fakes.control import answer_control
from tests.fakes.faults import Faults
from tests.fakes.people import Message, Person

JSON_HEADERS = {"Content-Type": "application/json; charset=utf-8"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Upload:
    """A file in a multipart body."""

    filename: str
    content: bytes


class ConnectionCutError(Exception):
    """The connection is to be cut without an answer."""


class Server:
    """What both fakes have in common.

    Attributes:
        faults: what goes wrong (see `faults`).
        people: everybody known, by platform id.
        sent: the bot's messages to anybody, in order of arrival.
        calls: how often each method was called.
        earned_429: calls refused by the fake's own rate limits (not by `faults`).
        duplicates: bot's messages that repeat the one just before in the same chat.
        headers: of every answer.
        clock_ahead: how many seconds its clock, as the header Date tells it, is ahead of ours.
    """

    def __init__(self, *, port: int = 0, seed: int = 0) -> None:
        self.port = port
        self.faults = Faults(seed)
        self.people: dict[Any, Any] = {}
        self.sent: list[Message] = []
        self.calls: Counter[str] = Counter()
        self.earned_429 = 0
        self.duplicates = 0
        self.headers: dict[str, str] = {}
        self.clock_ahead = 0.0
        self._runner: web.ServerRunner | None = None
        self._down = asyncio.Event()
        self._tasks: set[asyncio.Task[Any]] = set()
        self._waiting: list[tuple[Callable[[], bool], asyncio.Future[None]]] = []

    @property
    def address(self) -> str:
        """`http://127.0.0.1:port`."""
        return f"http://127.0.0.1:{self.port}"

    async def start(self) -> None:
        """Listen; on the same port again after a `stop`."""
        self._down = asyncio.Event()
        self._runner = web.ServerRunner(
            web.Server(self._handle, access_log=None), access_log=None, shutdown_timeout=0.05
        )
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = int(self._runner.addresses[0][1])

    async def stop(self) -> None:
        """Stop listening and cut every connection; chats and events stay."""
        self._down.set()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_exc: object) -> None:
        await self.stop()

    def spawn(self, coroutine: Any) -> asyncio.Task[Any]:
        """Run something beside, until done or until the fake stops."""
        task = asyncio.ensure_future(coroutine)
        self._tasks.add(task)
        task.add_done_callback(self._finished)
        return task

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        if self._waiting:
            self.changed()

    async def wait_until(self, condition: Callable[[], bool], timeout: float = 10.0) -> None:  # noqa: ASYNC109
        """Wait for something to be true of this fake; looked at whenever anything changes."""
        if condition():
            return
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        entry = (condition, future)
        self._waiting.append(entry)
        try:
            await asyncio.wait_for(future, timeout)
        finally:
            self._waiting.remove(entry)

    def changed(self) -> None:
        """Let `wait_until` look again."""
        for condition, future in self._waiting:
            if not future.done() and condition():
                future.set_result(None)

    def record(self, person: Person, message: Message) -> None:
        """Put a bot's message into a person's chat and count it."""
        before = person.chat[-1] if person.chat else None
        if (
            before is not None
            and before.from_bot
            and before.text == message.text
            and before.labels == message.labels
        ):
            self.duplicates += 1
        self.sent.append(message)
        person.receive(message)
        if self._waiting:
            self.changed()

    async def handle(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer one request."""
        raise NotImplementedError

    async def _handle(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            if request.path.startswith("/control/"):
                return await answer_control(self, request)
            answer = await self.handle(request)
            if not answer.prepared:
                answer.headers.update(self.headers)
                answer.headers["Date"] = formatdate(time.time() + self.clock_ahead, usegmt=True)
            return answer
        except ConnectionCutError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response(status=500)

    async def hang(self, request: web.BaseRequest) -> None:
        """Say nothing until the client goes away or the fake stops."""
        while not self._down.is_set():
            if request.transport is None or request.transport.is_closing():
                break
            try:
                await asyncio.wait_for(self._down.wait(), 0.05)
            except TimeoutError:
                continue
        raise ConnectionCutError


_COMMON = tuple((f"%{ord(sign):02X}", sign) for sign in '":,{}[] /')


def _unquote(text: str) -> str:
    if "%" not in text:
        return text
    for quoted, sign in _COMMON:
        text = text.replace(quoted, sign)
    return unquote(text, errors="strict") if "%" in text else text


def _read_form(text: str) -> dict[str, str]:
    """Read a form: `parse_qsl`, but quick with JSON in it, and strict on UTF-8."""
    values = {}
    for pair in text.replace("+", " ").split("&"):
        if pair:
            name, _, value = pair.partition("=")
            values[_unquote(name)] = _unquote(value)
    return values


async def read_params(request: web.BaseRequest) -> dict[str, Any]:
    """Read a call's parameters from address, form, multipart or JSON body.

    Raises:
        ValueError: the body is not what it says.
    """
    params: dict[str, Any] = {}
    if request.query_string:
        params.update(_read_form(request.rel_url.raw_query_string))
    if request.method != "POST" or not request.can_read_body:
        return params
    kind = request.headers.get("Content-Type", "")
    if kind.startswith("application/x-www-form-urlencoded"):
        params.update(_read_form((await request.read()).decode("ascii")))
    elif kind.startswith("application/json"):
        value = json.loads(await request.read() or b"{}")
        if not isinstance(value, dict):
            raise ValueError("not an object")
        params.update(value)
    elif kind.startswith("multipart/form-data"):
        async for part in await request.multipart():
            content = bytes(await part.read(decode=True))
            if part.filename is None:
                params[part.name] = content.decode()
            else:
                params[part.name] = Upload(filename=part.filename, content=content)
    return params


def structure(value: Any, default: Any) -> Any:
    """Read a parameter that may come as JSON text or already as a value."""
    if value is None or value == "":
        return default
    return json.loads(value) if isinstance(value, str) else value
