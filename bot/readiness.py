"""Whether this process can do its work: what ``/readyz`` is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime

from bot.channels.base import Channel
from dialogues.errors import StoreError
from storage.writer import Writer

__all__ = ["Readiness"]

#: Seconds for which the store is not asked again: whoever asks us often costs no writing.
_FRESH = 2.0

#: Seconds that the store may take. One that takes longer cannot keep what people say in the
#: time that Slack waits.
_PATIENCE = 2.0


class Readiness:
    """Looks at the store and the channels.

    Args:
        writer: The store's own thread.
        channels: Those that are read here.
        now: Gives aware UTC.
        stands_by: Whether another program reads a channel, and we would if it ended.
    """

    def __init__(
        self,
        writer: Writer,
        channels: Sequence[Channel],
        *,
        now: Callable[[], datetime],
        stands_by: Callable[[str], bool] = lambda _name: False,
    ) -> None:
        self._writer = writer
        self._channels = channels
        self._now = now
        self._stands_by = stands_by
        self._look: asyncio.Task[bool] | None = None
        self._looked_at = -_FRESH

    async def checks(self) -> Mapping[str, bool]:
        """Give whether the store can be written and read, and whether each channel is read."""
        checks = {"store": await self._store()}
        for channel in self._channels:
            up = bool(getattr(channel, "up", True))
            checks[channel.name] = up or self._stands_by(channel.name)
        return checks

    async def _store(self) -> bool:
        """Look at the store; all who ask meanwhile and shortly after share what was found."""
        now = asyncio.get_running_loop().time()
        if self._look is None or (self._look.done() and now >= self._looked_at + _FRESH):
            self._looked_at = now
            self._look = asyncio.create_task(self._write_and_read())
        return await asyncio.shield(self._look)

    async def _write_and_read(self) -> bool:
        at = self._now()
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._writer.run(lambda store: store.probe(at=at))
        except (StoreError, TimeoutError):
            return False
