"""Reading the channels, each for as long as it is ours to read.

A channel whose platform hands its updates to one program only (Telegram, by polling) is read by
the worker that leads in it; the others stand by and take over when that one is gone.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence

from bot.channels.base import Channel, Receive
from bot.worker import Alone
from dialogues import messages
from dialogues.errors import CannotError

__all__ = ["Reading"]

log = logging.getLogger(__name__)


class Reading:
    """Reads channels until it is stopped, or until each of them has ended.

    Args:
        channels: Those that are read here.
        receive: Takes what they read.
        worker: This program among the others.
    """

    def __init__(self, channels: Sequence[Channel], receive: Receive, *, worker: Alone) -> None:
        self._channels = list(channels)
        self._receive = receive
        self._worker = worker
        self._tasks: list[asyncio.Task[None]] = []
        self._standing_by: dict[str, asyncio.Task[None]] = {}

    def start(self) -> None:
        """Read all of them, in the running event loop."""
        self._tasks = [asyncio.create_task(self._read(channel)) for channel in self._channels]

    def stands_by(self, name: str) -> bool:
        """Whether another worker reads a channel, and we are ready to."""
        return name in self._standing_by

    async def ended(self) -> None:
        """Wait until no channel is read any more; for ever where there is none to read.

        One that goes on being of no use has ended.
        """
        if not self._tasks:
            await asyncio.get_running_loop().create_future()
        await asyncio.wait(self._tasks)

    async def stop(self) -> None:
        """Stop reading; what was read and not acknowledged comes again."""
        for task in self._standing_by.values():
            task.cancel()
        for channel in self._channels:
            await channel.stop()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=15)
        for task in self._tasks:
            task.cancel()

    def check(self) -> None:
        """See how it ended.

        Raises:
            CannotError: No channel could go on; the message says what to do.
        """
        over = [task for task in self._tasks if task.done() and not task.cancelled()]
        troubles = [str(one) for one in (task.exception() for task in over) if one is not None]
        if troubles and len(troubles) == len(self._tasks):
            raise CannotError(" ".join(troubles))

    async def _read(self, channel: Channel) -> None:
        """Read one channel; its end leaves the others up."""
        if not channel.one_reader or self._worker.alone:
            await self._begin(channel)
            return
        lead = f"read {channel.name}"
        while await self._is_ours(channel, lead):
            reading = asyncio.create_task(self._begin(channel))
            lost = asyncio.create_task(self._worker.until(lead, leads=False))
            try:
                await asyncio.wait({reading, lost}, return_when=asyncio.FIRST_COMPLETED)
                if reading.done():
                    reading.result()
                    return
                log.warning("Another worker may read %s by now; standing by", channel.name)
            finally:
                for task in (reading, lost):
                    task.cancel()
                await asyncio.gather(reading, lost, return_exceptions=True)

    async def _is_ours(self, channel: Channel, lead: str) -> bool:
        """Wait until we lead; False when that is not waited for any more."""
        waiting = asyncio.create_task(self._worker.until(lead, leads=True))
        self._standing_by[channel.name] = waiting
        try:
            await asyncio.wait({waiting})
        finally:
            waiting.cancel()
            del self._standing_by[channel.name]
        return not waiting.cancelled()

    async def _begin(self, channel: Channel) -> None:
        menu = {language: messages.command_menu(language) for language in messages.LANGUAGES}
        announce = getattr(channel, "announce", None)
        if announce is not None:
            await announce(menu)
        log.info("Reading %s", channel.name)
        try:
            await channel.run(self._receive)
        except CannotError as trouble:
            log.error("%s stopped: %s", channel.name, trouble)
            raise
