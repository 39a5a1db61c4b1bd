"""Stands where the store does behind a channel: keeps inbounds, or cannot for a while."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

from bot.channels.base import Inbound
from dialogues.errors import StoreBusy


class Keeper:
    """A ``receive`` to look into.

    Attributes:
        came: Every inbound, in the order in which ``receive`` was called.
        kept: Those that were kept.
        gate: Cleared, nothing is kept until it is set.
        refuse: Says whether this inbound cannot be kept this time; may raise something else.
    """

    def __init__(self) -> None:
        self.came: list[Any] = []
        self.kept: list[Any] = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.refuse: Callable[[Any], bool] = lambda _inbound: False
        self._changed = asyncio.Event()

    async def receive(self, inbound: Inbound) -> None:
        self.came.append(inbound)
        self._note()
        await self.gate.wait()
        if self.refuse(inbound):
            raise StoreBusy
        self.kept.append(inbound)
        self._note()

    def times(self, event_id: str) -> int:
        """How often an event came."""
        return Counter(inbound.event_id for inbound in self.came)[event_id]

    @property
    def words(self) -> list[str]:
        """The words that were kept, in order."""
        return [inbound.text for inbound in self.kept]

    async def until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to be true of what came and was kept."""
        async with asyncio.timeout(10):
            while not condition():
                self._changed.clear()
                await self._changed.wait()

    def _note(self) -> None:
        self._changed.set()


async def eventually(condition: Callable[[], bool]) -> None:
    """Wait for something to be true that nobody tells of."""
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.002)


class Naps:
    """A ``sleep`` that takes no time and notes how long it should have been."""

    def __init__(self) -> None:
        self.asked: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.asked.append(seconds)
        await asyncio.sleep(0)


@asynccontextmanager
async def running(channel: Any, keeper: Keeper) -> AsyncIterator[asyncio.Task[None]]:
    """Run a channel, and stop it at the end."""
    task = asyncio.create_task(channel.run(keeper.receive))
    try:
        yield task
    finally:
        async with asyncio.timeout(10):
            await channel.stop()
            await asyncio.gather(task, return_exceptions=True)
