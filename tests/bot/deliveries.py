"""What the tests of delivery share: running one, and looking at the outbox."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from bot.delivery import Delivery
from storage.writer import Writer
from tests.bot.ports import FakeChannel, FakeClock
from tests.database import read_rows

#: Puts messages to somebody into the outbox: name, texts, lane.
Say = Callable[..., Awaitable[None]]


@asynccontextmanager
async def delivering(
    writer: Writer, channel: FakeChannel, clock: FakeClock, **options: Any
) -> AsyncIterator[Delivery]:
    options = {"broadcasts_per_second": 1e6, "chance": lambda: 0.5, **options}
    delivery = Delivery(writer, channel, now=clock, **options)
    task = asyncio.create_task(delivery.run())
    try:
        yield delivery
    finally:
        channel.gate.set()
        await delivery.stop()
        await asyncio.wait_for(task, 10)


async def until(condition: Callable[[], Any]) -> None:
    async with asyncio.timeout(10):
        while not condition():
            await asyncio.sleep(0.005)


def outbox(url: str) -> list[dict[str, Any]]:
    return read_rows(url, "select * from outbox order by outbox_id")


def noted(url: str, tries: int) -> bool:
    """Whether the first message waits to be tried again after so many tries."""
    first = outbox(url)[0]
    return first["state"] == "pending" and first["attempts"] == tries
