"""Telegram's updates by long polling.

A batch is acknowledged, by asking for what follows it, only once all of it is kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from telegram.error import Conflict, NetworkError, TelegramError

from bot.channels.base import Inbound, Receive
from bot.channels.patience import seconds_to_wait
from bot.channels.telegram_reading import Api, Reading
from bot.channels.telegram_shapes import ALLOWED_UPDATES, pressed_query

__all__ = ["Polling"]

_log = logging.getLogger(__name__)

#: Presses that are answered at once. An answer only stops a button's turning: most of the way
#: to Telegram is for what people wait to read.
_ANSWERS_AT_ONCE = 8

#: Seconds, the longest wait for our own store: everybody waits with the one it fails for.
_STORE_CAP = 5.0

_Call = Callable[[str, dict[str, Any]], Awaitable[Any]]


class Polling(Reading):
    """Asks for updates.

    Args:
        api: The bot, for questions that Telegram keeps open.
        call: Makes any other call.
        now: The clock; aware UTC.
        sleep: How to wait.
        poll_seconds: How long Telegram may keep a question for updates open.
    """

    def __init__(
        self,
        api: Api,
        call: _Call,
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        poll_seconds: int,
    ) -> None:
        super().__init__(api, now=now, sleep=sleep)
        self._call = call
        self._poll_seconds = poll_seconds
        self._answering: set[asyncio.Task[None]] = set()
        self._answers = asyncio.Semaphore(_ANSWERS_AT_ONCE)

    async def run(self, receive: Receive) -> None:
        """Ask for updates and hand them on until ``stop`` is called.

        One barrier a batch: what follows a batch is asked for, which acknowledges it, once
        all of it is kept. What could not be kept comes again, and what the same person did
        after it waits for it.
        """
        ready = False
        offset: int | None = None
        failures = 0
        while not self.ended:
            try:
                if not ready:
                    await self._prepare()
                    ready = True
                batch = await self._ask(offset)
            except TelegramError as error:
                failures += 1
                self.up = False
                ready = ready and not isinstance(error, Conflict)
                await self._bear(error, failures)
                continue
            if batch is None:
                break
            self._be_well()
            if not batch:
                # Everything is acknowledged. Ids may start anew after a quiet week, and an
                # offset above them would throw them away.
                offset, failures = None, 0
                continue
            offset, all_kept = await self._hand_on(batch, receive)
            failures = 0 if all_kept else failures + 1
            if failures:
                seconds = min(_STORE_CAP, seconds_to_wait(failures))
                await self._unless_ended(self._sleep(seconds))
        self.up = False
        if offset is not None and not self.refused:
            await self._acknowledge(offset)

    async def answered(self) -> None:
        """Wait a little for the presses that are being answered."""
        if self._answering:
            _, late = await asyncio.wait(self._answering, timeout=2.0)
            for task in late:
                task.cancel()

    async def _prepare(self) -> None:
        """Take away a webhook, beside which Telegram allows no polling; updates stay."""
        await self._unless_ended(self._call("deleteWebhook", {"drop_pending_updates": False}))
        # The first question is kept open until something comes.
        self.up = not (self.ended or self._in_trouble)

    async def _ask(self, offset: int | None) -> list[Mapping[str, Any]] | None:
        """Ask for updates; None when reading has ended meanwhile."""
        params = {
            "timeout": self._poll_seconds,
            "limit": 100,
            "allowed_updates": list(ALLOWED_UPDATES),
            **({} if offset is None else {"offset": offset}),
        }
        work = self._api.call("getUpdates", params, read_timeout=self._poll_seconds + 10.0)
        started = asyncio.get_running_loop().time()
        batch = await self._unless_ended(work)
        if self.ended and batch is None:
            return None
        if not isinstance(batch, list):
            raise NetworkError("the answer is not a list")
        updates = [
            raw
            for raw in batch
            if isinstance(raw, Mapping) and isinstance(raw.get("update_id"), int)
        ]
        hasty = asyncio.get_running_loop().time() - started < min(1.0, self._poll_seconds / 2)
        if not updates and (batch or hasty):
            raise NetworkError("the answer came at once and without an update")
        return updates

    async def _hand_on(
        self, batch: Sequence[Mapping[str, Any]], receive: Receive
    ) -> tuple[int, bool]:
        """Hand a batch on; give the offset that acknowledges what may be, and if all was kept.

        Tasks start in the order of arrival, one a person.
        """
        at = self._now()
        by_person: dict[str, list[tuple[Mapping[str, Any], Inbound]]] = {}
        for raw in batch:
            inbound = self._read(raw, at)
            if inbound is not None:
                by_person.setdefault(inbound.address.platform_id, []).append((raw, inbound))
        left = await asyncio.gather(
            *(self._in_turn(updates, receive) for updates in by_person.values())
        )
        lost = [update_id for update_id in left if update_id is not None]
        if lost:
            return min(lost), False
        return max(raw["update_id"] for raw in batch) + 1, True

    async def _in_turn(
        self, updates: Sequence[tuple[Mapping[str, Any], Inbound]], receive: Receive
    ) -> int | None:
        """Hand on one person's updates; give the id of the first that was not kept."""
        for raw, inbound in updates:
            update_id: int = raw["update_id"]
            if not await self._keep(update_id, inbound, receive):
                return update_id
            if (query_id := pressed_query(raw)) is not None:
                task = asyncio.create_task(self._answer(query_id))
                self._answering.add(task)
                task.add_done_callback(self._answering.discard)
        return None

    async def _answer(self, query_id: str) -> None:
        """Let the pressed button stop turning; best effort."""
        try:
            async with self._answers:
                await self._call("answerCallbackQuery", {"callback_query_id": query_id})
        except TelegramError as error:
            _log.debug("a press could not be answered: %s", type(error).__name__)

    async def _acknowledge(self, offset: int) -> None:
        """Tell Telegram what was kept last; best effort, as a repeated update changes nothing."""
        params = {"offset": offset, "limit": 1, "timeout": 0}
        try:
            await self._api.call("getUpdates", params, read_timeout=2.0)
        except TelegramError as error:
            _log.debug("the last updates will come again: %s", type(error).__name__)
