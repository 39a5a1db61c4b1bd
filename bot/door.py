"""The door of this process: which hooks its web server has, what it shows, and how it closes."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from datetime import datetime
from operator import methodcaller
from typing import TYPE_CHECKING

from bot.channels.base import Channel
from bot.channels.hooks import Hook
from bot.metrics import Metrics
from bot.readiness import Readiness
from bot.web import WebServer
from dialogues.errors import StoreError
from storage.values import Workload
from storage.writer import Writer

if TYPE_CHECKING:
    from bot.settings import Web

__all__ = ["Door"]

log = logging.getLogger(__name__)

#: Seconds for which the store is not asked again what waits in it.
_FRESH = 5.0

#: Seconds that the store may take to say what waits in it.
_PATIENCE = 2.0


class Door:
    """Opens where a channel's platform comes to us, or where the door is always to be open.

    Args:
        web: The table of the configuration.
        writer: The store's own thread.
        channels: Those that are read here.
        metrics: What is counted.
        now: Gives aware UTC.
        stands_by: Whether another program reads a channel, and we would if it ended.
    """

    def __init__(
        self,
        web: Web,
        *,
        writer: Writer,
        channels: Sequence[Channel],
        metrics: Metrics,
        now: Callable[[], datetime],
        stands_by: Callable[[str], bool] = lambda _name: False,
    ) -> None:
        self._drain = web.drain.total_seconds() if web.drain is not None else 0.0
        self._writer = writer
        self._channels = channels
        self._metrics = metrics
        self._now = now
        self._readiness = Readiness(writer, channels, now=now, stands_by=stands_by)
        self._workload: Workload | None = None
        self._asked_at = -_FRESH
        hooks: list[Hook | None] = [getattr(channel, "hook", None) for channel in channels]
        asked = [hook for hook in hooks if hook is not None]
        self._server: WebServer | None = None
        if asked or web.always:
            self._server = WebServer(
                host=web.host,
                port=web.port,
                hooks=asked,
                checks=self._readiness.checks,
                metrics=self._show,
                observer=metrics,
            )

    @property
    def port(self) -> int:
        """The port that is listened on; 0 while none is."""
        return self._server.port if self._server is not None else 0

    async def open(self) -> None:
        """Listen.

        Raises:
            CannotError: The address cannot be listened on.
        """
        if self._server is not None:
            await self._server.start()

    async def close(self, *, last: bool) -> None:
        """Say that the end is near, wait for balancers to notice, and finish what has begun.

        Args:
            last: Whether no other process reads the same channels: then what people do waits
                at the platform, where it can.
        """
        if self._server is None:
            return
        self._server.close()
        if self._drain and self._server.port:
            await asyncio.sleep(self._drain)
        for channel in self._channels:
            take_down = getattr(channel, "take_down", None)
            if last and take_down is not None:
                await take_down()
        await self._server.stop()

    async def _show(self) -> tuple[bytes, str]:
        """Give what ``/metrics`` shows; whoever asks often costs the store nothing."""
        now = asyncio.get_running_loop().time()
        if now >= self._asked_at + _FRESH:
            self._asked_at = now
            self._workload = await self._ask()
        up = await self._readiness.checks()
        names = [channel.name for channel in self._channels]
        return self._metrics.show(workload=self._workload, channels=names, up=up, now=self._now())

    async def _ask(self) -> Workload | None:
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._writer.run(methodcaller("workload"))
        except (StoreError, TimeoutError):
            return None
