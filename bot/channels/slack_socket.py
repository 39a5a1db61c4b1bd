"""Slack by Socket Mode: the app opens the connection, nothing has to be reachable."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Any

from slack_bolt.adapter.socket_mode.async_handler import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest

from bot.channels.slack_client import MUTE, SlackClient
from bot.channels.slack_reading import Reading

__all__ = ["SocketMode"]

#: Seconds between two looks at whether the socket still stands.
_WATCH = 0.5

#: Seconds that a connection may take; a link that is not used in time is worth nothing.
_CONNECT = 15.0


class SocketMode(Reading):
    """Holds one socket.

    Args:
        web: The client.
        app_token: ``xapp-...``.
        places: Channels whose members are a cohort.
        now: The clock; aware UTC.
        sleep: How to wait.
    """

    def __init__(
        self,
        web: SlackClient,
        app_token: str,
        places: Sequence[str],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        super().__init__(web, places, now=now, sleep=sleep)
        self._app_token = app_token
        self._n_receiving = 0
        self._idle = asyncio.Event()

    async def _read(self, app: AsyncApp) -> None:
        while not self._ended.is_set():
            await self._hold_connection(app)

    async def _hold_connection(self, app: AsyncApp) -> None:
        """Connect, and watch until the connection is lost or reading has ended."""
        link = await self._until_answered(
            lambda: self._web.apps_connections_open(app_token=self._app_token)
        )
        if link is None:
            return
        handler = AsyncSocketModeHandler(app, self._app_token, logger=MUTE)
        client = handler.client

        async def take(_client: Any, request: SocketModeRequest) -> None:
            if self._ended.is_set():
                return
            self._n_receiving += 1
            self._idle.clear()
            try:
                await handler.handle(client, request)
            finally:
                self._n_receiving -= 1
                if not self._n_receiving:
                    self._idle.set()

        client.socket_mode_request_listeners[:] = [take]
        client.default_auto_reconnect_enabled = client.auto_reconnect_enabled = False
        client.wss_uri = str(link["url"])
        try:
            if await self._connect(client):
                await self._watch(client)
                self.up = False
            if self._ended.is_set() and self._n_receiving:
                await self._idle.wait()
        finally:
            await _close(client)

    async def _connect(self, client: SocketModeClient) -> bool:
        try:
            async with asyncio.timeout(_CONNECT):
                await self._unless_ended(_connected(client))
        except TimeoutError as error:
            self._say_trouble(error)
            return False
        self._be_well()
        return True

    async def _watch(self, client: SocketModeClient) -> None:
        """Return when the connection is lost; while Slack has it renewed it is not."""
        clock = asyncio.get_running_loop().time
        last = clock()
        while not self._ended.is_set():
            if await client.is_connected():
                last = clock()
            elif not client.connect_operation_lock.locked() or clock() - last > _CONNECT:
                return
            try:
                async with asyncio.timeout(_WATCH):
                    await self._ended.wait()
            except TimeoutError:
                continue


async def _connected(client: SocketModeClient) -> None:
    await client.connect()  # type: ignore[no-untyped-call]


async def _close(client: SocketModeClient) -> None:
    await client.close()  # type: ignore[no-untyped-call]
    tasks = (client.message_processor, client.current_session_monitor, client.message_receiver)
    await asyncio.gather(*(task for task in tasks if task is not None), return_exceptions=True)
