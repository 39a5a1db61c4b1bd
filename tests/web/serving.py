"""A web server on loopback for tests, and what it refused."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from io import BytesIO

from aiohttp import ClientSession

from bot.channels.hooks import Hook
from bot.observer import Observer
from bot.web import WebServer


class Noting(Observer):
    """Counts refusals by kind."""

    def __init__(self) -> None:
        self.kinds: Counter[str] = Counter()

    def refused(self, kind: str) -> None:
        self.kinds[kind] += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """What a request was answered."""

    status: int
    text: str
    headers: Mapping[str, str]


class Served:
    """A server that is up.

    Attributes:
        up: What ``/readyz`` is told of each part.
    """

    def __init__(self, hooks: Sequence[Hook], port: int) -> None:
        self.up = {"store": True}
        self.noting = Noting()
        self.server = WebServer(
            host="127.0.0.1",
            port=port,
            hooks=hooks,
            checks=self._checks,
            metrics=self._metrics,
            observer=self.noting,
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.port}"

    async def ask(
        self,
        method: str,
        path: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
    ) -> Answered:
        """Make one request on a connection of its own."""
        async with (
            ClientSession() as session,
            session.request(
                method, self.url + path, data=BytesIO(body) if body else None, headers=headers
            ) as answer,
        ):
            text = await answer.text()
            return Answered(status=answer.status, text=text, headers=dict(answer.headers))

    async def _checks(self) -> Mapping[str, bool]:
        return self.up

    async def _metrics(self) -> tuple[bytes, str]:
        return b"pulse_up 1\n", "text/plain; version=0.0.4; charset=utf-8"


@asynccontextmanager
async def served(*hooks: Hook, port: int = 0) -> AsyncIterator[Served]:
    """Listen, with these hooks."""
    made = Served(hooks, port)
    await made.server.start()
    try:
        yield made
    finally:
        await made.server.stop()


def free_port() -> int:
    """Give a port that nobody listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
    return port
