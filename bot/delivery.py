"""Outbox to channel: order per person, the platform's pace, retries and receipts.

One ``Delivery`` serves one channel. It claims rows before it sends them and notes receipts
after, several in one transaction, so that a crash leaves at most one message in doubt per
send slot. Replies go at once. Broadcasts are spaced evenly and give way: every reply puts the
next broadcast off by one space, so the two together keep to the platform's rate.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.channels.base import Channel, ChannelFailed, ChatGone, MessageRefused, SlowDown
from bot.observer import UNOBSERVED, Observer, SendOutcome
from bot.pictures import Pictures
from dialogues.errors import StoreError
from storage.protocol import Outgoing, Receipt, Store
from storage.writer import Writer

__all__ = ["LEASE", "MAX_TRIES", "Delivery"]

log = logging.getLogger(__name__)

#: How long a claim holds. Longer than any send may take.
LEASE = timedelta(seconds=120)

#: Tries before a message is given up: with the longest wait between them more than half a day,
#: so that people still hear from us after a long outage of the platform.
MAX_TRIES = 100
_LONGEST_WAIT = 600.0

#: Tries of a message at which our own code breaks: it holds up what comes after it.
_MAX_DEFECTS = 5

#: Failures of the store in a row until whoever waits for the last message is told.
_MAX_FAILURES = 3

#: How many seconds ahead broadcasts are claimed: far less than a claim holds.
_AHEAD = 1.0

#: How often the outbox is looked at without being woken: other processes write to it too.
_IDLE_SECONDS = 1.0


class Delivery:
    """Sends what the outbox holds for one channel."""

    def __init__(
        self,
        writer: Writer,
        channel: Channel,
        *,
        now: Callable[[], datetime],
        slots: int = 32,
        broadcasts_per_second: float = 25.0,
        chat: str | None = None,
        chance: Callable[[], float] = random.random,
        observer: Observer = UNOBSERVED,
    ) -> None:
        """Make a delivery.

        Args:
            writer: The store's own thread.
            channel: Where messages go.
            now: Gives aware UTC.
            slots: Messages under way at once, and so in doubt after a crash.
            broadcasts_per_second: The platform's rate for everything together, as far as
                broadcasts are concerned.
            chat: The only conversation that is served; None for all of the channel.
            chance: Gives a number in [0, 1) for the jitter of retries.
            observer: Told of every try.
        """
        self._writer = writer
        self._channel = channel
        self._now = now
        self._slots = slots
        self._space = 1.0 / broadcasts_per_second
        self._chat = chat
        self._chance = chance
        self._observer = observer
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._stopping = False
        self._receipts: list[Receipt] = []
        self._under_way: set[asyncio.Task[None]] = set()
        self._broadcasting = 0
        self._next_broadcast = 0.0
        self._halted_until = 0.0
        self._failures = 0
        self._trouble: Exception | None = None
        self._pictures = Pictures(writer)

    def wake(self) -> None:
        """Look at the outbox now."""
        self._idle.clear()
        self._wake.set()

    async def drained(self) -> None:
        """Wait until everything that is due was sent.

        Raises:
            Exception: What kept the outbox from being read, several times in a row.
        """
        await self._idle.wait()
        if self._trouble is not None:
            raise self._trouble

    async def run(self) -> None:
        """Send until ``stop`` is called. Stays up through trouble with the store."""
        self._wake.set()
        while not self._stopping:
            try:
                busy = await self._round()
                self._failures, self._trouble = 0, None
            except StoreError as trouble:
                if self._failures == 0:
                    log.warning("The outbox cannot be read: %s", trouble)
                busy = False
                await self._wait_for_better(trouble)
            except Exception as defect:
                # Others' messages still have to go; the text could hold somebody's words.
                log.error("The outbox of %s broke: %s", self._channel.name, type(defect).__name__)
                busy = False
                await self._wait_for_better(defect)
            if not busy:
                await self._rest()
        await self._finish()

    async def _wait_for_better(self, trouble: Exception) -> None:
        self._failures += 1
        if self._failures >= _MAX_FAILURES:
            # Nobody is to wait for what does not come.
            self._trouble = trouble
            self._idle.set()
        await asyncio.sleep(_IDLE_SECONDS)

    async def stop(self) -> None:
        """Send nothing new; what is under way is finished and noted."""
        self._stopping = True
        self._wake.set()

    async def _finish(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=10)
        receipts, self._receipts = self._receipts, []
        if receipts:
            await self._writer.run(lambda store: store.settle(receipts, now=self._now()))

    async def _rest(self) -> None:
        """Wait to be woken, or for the time when something falls due."""
        seconds = max(0.0, self._halted_until - _monotonic())
        try:
            async with asyncio.timeout(min(_IDLE_SECONDS, seconds) or _IDLE_SECONDS):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _round(self) -> bool:
        """Note receipts, claim what can be sent and begin to send it; False when idle."""
        self._wake.clear()
        receipts, self._receipts = self._receipts, []
        halted = _monotonic() < self._halted_until
        replies = 0 if halted else self._slots - len(self._under_way)
        broadcasts = 0 if halted else min(self._slots // 2 - self._broadcasting, self._room())
        try:
            claimed = await self._writer.run(
                lambda store: self._exchange(store, receipts, replies, broadcasts), last=True
            )
        except BaseException:
            self._receipts = receipts + self._receipts
            raise
        for row in claimed:
            self._begin(row)
        # Whoever wrote into the outbox since we looked has set the event again.
        over = not claimed and not self._under_way and not self._wake.is_set()
        if over and not halted and not self._receipts:
            self._idle.set()
        return bool(claimed) or bool(self._receipts)

    def _room(self) -> int:
        """Give how many broadcasts can go in the time ahead that is planned."""
        at = _monotonic()
        free = at + _AHEAD - max(self._next_broadcast, at)
        return max(0, math.ceil(free / self._space))

    def _exchange(
        self, store: Store, receipts: list[Receipt], replies: int, broadcasts: int
    ) -> list[Outgoing]:
        now = self._now()
        if receipts:
            store.settle(receipts, now=now)
        name, until = self._channel.name, now + LEASE
        claimed: list[Outgoing] = []
        if replies > 0:
            claimed = store.claim_outbox(
                name, lane=0, limit=replies, now=now, until=until, chat=self._chat
            )
        free = min(broadcasts, replies - len(claimed))
        if free > 0:
            claimed += store.claim_outbox(
                name, lane=1, limit=free, now=now, until=until, chat=self._chat
            )
        return claimed

    def _begin(self, row: Outgoing) -> None:
        at = _monotonic()
        if row.lane == 0:
            # What went more than a second ago counts for no rate any more.
            put_off = max(self._next_broadcast, at) + self._space
            self._next_broadcast = min(put_off, at + _AHEAD)
            wait = 0.0
        else:
            self._next_broadcast = max(self._next_broadcast, at)
            wait = self._next_broadcast - at
            self._next_broadcast += self._space
            self._broadcasting += 1
        task = asyncio.create_task(self._send(row, wait))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _send(self, row: Outgoing, wait: float) -> None:
        if wait > 0:
            await asyncio.sleep(wait)
        began = _monotonic()
        receipt = await self._receipt(row)
        if (outcome := _outcome(receipt)) is not None:
            self._observer.sent(self._channel.name, row.lane, outcome, _monotonic() - began)
        if row.lane == 1:
            self._broadcasting -= 1
        self._receipts.append(receipt)
        self._wake.set()

    async def _receipt(self, row: Outgoing) -> Receipt:
        """Send one message and say how it ended."""
        if _monotonic() < self._halted_until and row.lane == 1:
            seconds = self._halted_until - _monotonic()
            return self._again(row, seconds, "halted")
        try:
            position = await self._show(row)
        except SlowDown as slow:
            if slow.whole:
                self._halted_until = max(self._halted_until, _monotonic() + slow.seconds)
            return self._again(row, slow.seconds, "slow_down")
        except ChatGone:
            return Receipt(outbox_id=row.outbox_id, outcome="gone", error="chat_gone")
        except StoreError:
            return self._again(row, _IDLE_SECONDS, "no_picture")
        except MessageRefused as refused:
            log.error("A message was refused for good: %s", type(refused).__name__)
            return Receipt(outbox_id=row.outbox_id, outcome="dead", error="refused")
        except ChannelFailed as failed:
            return self._failed(row, type(failed).__name__)
        except Exception:
            log.error("Sending broke in channel %s", self._channel.name)
            return self._failed(row, "defect", most=_MAX_DEFECTS)
        return Receipt(outbox_id=row.outbox_id, outcome="sent", position=position)

    async def _show(self, row: Outgoing) -> str | None:
        """Hand one message to the channel, with its picture where it has one."""
        picture = None if row.prompt.picture is None else await self._pictures(row.prompt.picture)
        return await self._channel.send(
            row.chat, row.prompt, replaces=row.replaces, picture=picture
        )

    def _failed(self, row: Outgoing, error: str, *, most: int = MAX_TRIES) -> Receipt:
        if row.attempts + 1 >= most:
            log.error("A message was given up after %d tries", row.attempts + 1)
            return Receipt(outbox_id=row.outbox_id, outcome="dead", error=error)
        doubled = 0.5 * 2.0 ** min(row.attempts, 20)
        seconds = min(doubled, _LONGEST_WAIT) * (0.75 + self._chance() / 2)
        return self._again(row, seconds, error, in_doubt=True)

    def _again(
        self, row: Outgoing, seconds: float, error: str, *, in_doubt: bool = False
    ) -> Receipt:
        return Receipt(
            outbox_id=row.outbox_id,
            outcome="retry",
            retry_at=self._now() + timedelta(seconds=seconds),
            error=error,
            in_doubt=in_doubt,
        )


def _outcome(receipt: Receipt) -> SendOutcome | None:
    """Give what became of a try; None where there was none."""
    if receipt.outcome == "sent":
        return "sent"
    if receipt.outcome == "gone":
        return "gone"
    if receipt.outcome == "dead":
        return "refused" if receipt.error == "refused" else "given_up"
    if receipt.outcome == "put_back" or receipt.error == "halted":
        return None
    return "slowed" if receipt.error == "slow_down" else "failed"


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
