"""The ticker: APScheduler asks again and again what is due. No logic, no truth about time."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Protocol, TypeVar

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from apscheduler.triggers.interval import IntervalTrigger

from bot.jobs import RunJob
from bot.sweeping import Sweeper
from dialogues.errors import StoreError
from storage.protocol import Store
from storage.writer import Writer

__all__ = ["TICK_SECONDS", "Ticker", "Ticks"]

log = logging.getLogger(__name__)

_T = TypeVar("_T")

#: How often we ask what is due.
TICK_SECONDS = 5


class Ticks(Protocol):
    """Does what is due."""

    def tick(self, run: RunJob) -> None:
        """Do all that is due now, in jobs."""
        ...


class Ticker:
    """Runs a ``tick`` every few seconds, one at a time, whatever the clock does; after it the
    ``Sweeper``, where there is one.
    """

    def __init__(
        self,
        ticks: Ticks,
        writer: Writer,
        *,
        wake: Callable[[], None],
        sweeper: Sweeper | None = None,
        may: Callable[[], bool] = lambda: True,
    ) -> None:
        """Make a ticker.

        Args:
            ticks: What is asked again and again what is due.
            writer: Runs what the store is asked.
            wake: Called after every tick: there may be something to send.
            sweeper: Does after it what can wait.
            may: Whether it is ours to do: where several programs keep the schedule one leads.
        """
        self._ticks = ticks
        self._sweeper = sweeper
        self._writer = writer
        self._wake = wake
        self._may = may
        self._scheduler = AsyncIOScheduler(timezone="UTC")
        self._ticking = asyncio.Lock()
        self._hurried = False
        self._hurrying: asyncio.Task[None] | None = None
        self._stopped = False

    def start(self) -> None:
        """Tick now and from now on, in the running event loop."""
        self._scheduler.add_job(
            self.tick,
            IntervalTrigger(seconds=TICK_SECONDS),
            next_run_time=datetime.now(UTC),
            max_instances=1,
            coalesce=True,
            misfire_grace_time=None,
        )
        self._scheduler.start()

    def hurry(self) -> None:
        """Tick soon: something has changed. While a tick is under way, once more after it."""
        self._hurried = True
        if self._hurrying is None or self._hurrying.done():
            self._hurrying = asyncio.create_task(self._hurry())

    async def _hurry(self) -> None:
        while self._hurried:
            self._hurried = False
            # It is in the log, and the next tick is not far.
            with suppress(Exception):
                await self.tick()

    async def tick(self) -> None:
        """Do what is due now; trouble with the store is logged and tried at the next tick."""
        if not self._may():
            return
        async with self._ticking:
            if self._stopped:
                return
            try:
                # A thread of its own: the jobs wait for their commits, the event loop must not.
                await asyncio.to_thread(self._do_all)
            except StoreError as trouble:
                log.warning("What is due could not be done, and is tried again: %s", trouble)
            except Exception as defect:
                log.error("What is due could not be done: %s", type(defect).__name__)
                raise
        self._wake()

    def _do_all(self) -> None:
        def run(job: Callable[[Store], _T]) -> _T:
            return self._writer.submit(job).result()

        self._ticks.tick(run)
        if self._sweeper is not None:
            self._sweeper.tick(run)

    async def stop(self) -> None:
        """Tick no more; a tick under way is finished first."""
        self._stopped = True
        if self._hurrying is not None:
            await self._hurrying
        if not self._scheduler.running:
            return
        self._scheduler.pause()
        # A tick that was handed out just now begins; shutting down would break it off midway.
        await asyncio.sleep(0)
        async with self._ticking:
            self._scheduler.shutdown(wait=False)
