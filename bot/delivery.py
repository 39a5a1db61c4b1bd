"""Outbox to channel: order per person, the platform's pace, retries and receipts.

One ``Delivery`` serves one channel. It claims rows before it sends them and notes receipts
after, several in one transaction, so that a crash leaves at most one message in doubt per
send slot. Replies go before broadcasts, which take what replies leave of the platform's rate
(``pace.py``). Several workers may serve one channel: claims, the rate and the platform's
words to wait are shared through the store.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.channels.base import Channel, ChannelFailed, ChatGone, HeldBack, MessageRefused, SlowDown
from bot.observer import UNOBSERVED, Observer, outcome_of
from bot.pace import BROADCAST, REPLY, Pace
from bot.pictures import Pictures
from bot.worker import Alone
from dialogues.errors import StoreError
from storage.protocol import Outgoing, PaceSeen, Receipt, Store
from storage.writer import Writer

__all__ = ["LEASE", "MAX_TRIES", "Delivery"]

log = logging.getLogger(__name__)

#: How long a claim holds. Longer than any send may take.
LEASE = timedelta(seconds=120)

#: The longest that a send may take, in seconds: a platform may answer byte by byte.
_LONGEST_SEND = 60.0

#: A claim that has waited for so many seconds is given back instead of being sent. Others had
#: precedence; or the program was asleep, and another worker may have taken it over.
_STALE = 5.0

#: Tries before a message is given up: with the longest wait between them more than half a day,
#: so that people still hear from us after a long outage of the platform.
MAX_TRIES = 100
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 1200.0

#: The longest that a platform's word to wait is believed, in seconds.
_LONGEST_HALT = 86_400.0

#: Tries of a message at which our own code breaks: it holds up what comes after it.
_MAX_DEFECTS = 5

#: Failures of the store in a row until whoever waits for the last message is told.
_MAX_FAILURES = 3

#: The share of the slots that broadcasts may take; the others are free for replies.
_BROADCASTS = 0.75

#: How many seconds ahead broadcasts are claimed: far less than a claim holds.
_AHEAD = 1.0

#: How often the outbox is looked at without being woken: other processes write to it too.
_IDLE_SECONDS = 1.0

#: How often the store is asked how fast to send: where others send too, and where none does.
_ASK_SECONDS = 1.0
_ASK_ALONE_SECONDS = 30.0

#: How long a message that was given up can be tried again, and how often that is looked at.
_KEPT = timedelta(days=30)
_FORGET_SECONDS = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Halt:
    """That the platform refused everybody until an instant; ``slower``: without our fault."""

    until: datetime
    slower: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """What one exchange with the store is about.

    Attributes:
        replies: How many can be begun; broadcasts likewise, of those.
        pace: Whether to ask how fast to send.
        in_use: Of our share of the pace.
        forget: Whether to drop what was given up long ago.
        known: What we are sending, where we may hold claims that we do not know of; else None.
    """

    receipts: list[Receipt]
    halt: _Halt | None
    replies: int
    broadcasts: int
    pace: bool
    in_use: int
    forget: bool
    known: frozenset[int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Got:
    """What came of it; ``wait``: seconds until a reply falls due, None when none does."""

    claimed: list[Outgoing]
    seen: PaceSeen | None
    now: datetime
    wait: float | None


class Delivery:
    """Sends what the outbox holds for one channel."""

    def __init__(
        self,
        writer: Writer,
        channel: Channel,
        *,
        now: Callable[[], datetime],
        slots: int = 32,
        broadcasts_per_second: float = 30.0,
        worker: Alone | None = None,
        chat: str | None = None,
        chance: Callable[[], float] = random.random,
        observer: Observer = UNOBSERVED,
    ) -> None:
        """Make a delivery.

        Args:
            writer: Runs what the store is asked.
            channel: Where messages go.
            now: Gives aware UTC.
            slots: Messages under way at once, and so in doubt after a crash.
            broadcasts_per_second: What the platform takes of everything together, as far as
                broadcasts are concerned.
            worker: This program among the others; None where there are none.
            chat: The only conversation that is served; None for all of the channel.
            chance: Gives a number in [0, 1) for the jitter of retries.
            observer: Told of every try.
        """
        self._writer = writer
        self._channel = channel
        self._account = channel.account
        self._now = now
        self._slots = slots
        self._worker = worker or Alone()
        self._chat = chat
        self._chance = chance
        self._observer = observer
        self._pictures = Pictures(writer)
        #: Seconds after which the outbox is looked at without being woken.
        self.idle_seconds: float | None = None
        self._pace = Pace(broadcasts_per_second)
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self._stopping = False
        self._receipts: list[Receipt] = []
        self._halt: _Halt | None = None
        self._under_way: set[asyncio.Task[None]] = set()
        self._sending: set[int] = set()
        self._unsure = False
        self._broadcasting = 0
        self._to_go = 0
        self._wait: float | None = None
        self._ask_at = 0.0
        self._forget_at = 0.0
        self._failures = 0
        self._trouble: Exception | None = None

    def wake(self) -> None:
        """Look at the outbox now."""
        self._idle.clear()
        self._wake.set()

    def heed(self) -> None:
        """Ask how fast to send now: another worker was told to wait."""
        self._ask_at = 0.0
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
        if not self._worker.alone:
            # Until the store says how much of it is ours.
            self._pace.take(0)
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
        """Send nothing new; what is under way is finished and noted, what waits put back."""
        self._stopping = True
        self._pace.stop()
        self._wake.set()

    async def _finish(self) -> None:
        if self._under_way:
            await asyncio.wait(self._under_way, timeout=10)
        asked = self._asked(0, 0)
        if asked.receipts or asked.halt:
            await self._writer.run(lambda store: self._exchange(store, asked))

    async def _rest(self) -> None:
        """Wait to be woken, or for the time when something falls due."""
        idle = _IDLE_SECONDS if self.idle_seconds is None else self.idle_seconds
        lengths = (self._pace.halted, self._wait or 0.0)
        seconds = min((length for length in lengths if length > 0), default=idle)
        try:
            async with asyncio.timeout(min(idle, seconds)):
                await self._wake.wait()
        except TimeoutError:
            pass

    async def _round(self) -> bool:
        """Note receipts, claim what can be sent and begin to send it; False when idle."""
        self._wake.clear()
        halted = self._pace.halted > 0
        free = 0 if halted or not self._worker.sure() else self._slots - len(self._under_way)
        most = max(1, int(self._slots * _BROADCASTS)) - self._broadcasting
        asked = self._asked(free, min(most, self._pace.room_ahead(_AHEAD) - self._to_go))
        began = _monotonic()
        try:
            got = await self._writer.run(lambda store: self._exchange(store, asked), last=True)
        except BaseException:
            self._receipts = asked.receipts + self._receipts
            self._halt = self._halt or asked.halt
            # Perhaps it was kept all the same, with claims that nobody acts on.
            self._unsure = True
            raise
        self._unsure = False
        self._heed(asked, got, began)
        for row in got.claimed:
            self._begin(row, began)
        # Whoever wrote into the outbox since we looked has set the event again.
        over = not got.claimed and not self._under_way and not self._wake.is_set()
        if over and free and not self._receipts:
            self._idle.set()
        return bool(got.claimed) or bool(self._receipts)

    def _asked(self, replies: int, broadcasts: int) -> _Asked:
        receipts, self._receipts = self._receipts, []
        halt, self._halt = self._halt, None
        at = _monotonic()
        return _Asked(
            receipts=receipts,
            halt=halt,
            replies=replies,
            broadcasts=broadcasts,
            pace=halt is not None or at >= self._ask_at,
            in_use=max(self._pace.share, self._pace.in_use),
            forget=at >= self._forget_at,
            known=frozenset(self._sending) if self._unsure else None,
        )

    def _heed(self, asked: _Asked, got: _Got, began: float) -> None:
        """Go on as the store says."""
        self._wait = got.wait
        if asked.forget:
            self._forget_at = began + _FORGET_SECONDS
        if got.seen is None:
            return
        self._ask_at = began + (_ASK_ALONE_SECONDS if self._worker.alone else _ASK_SECONDS)
        self._pace.take(got.seen.share)
        if got.seen.halted_until is not None:
            self._pace.halt((got.seen.halted_until - got.now).total_seconds())

    def _exchange(self, store: Store, asked: _Asked) -> _Got:
        """Hand over what came, and get what is next, in one transaction. Safe to repeat."""
        ours = self._now()
        now = store.clock(ours)
        if asked.receipts:
            receipts = [_shifted(receipt, now - ours) for receipt in asked.receipts]
            store.settle(receipts, now=now, worker_id=self._worker.worker_id)
        name = self._channel.name
        if asked.known is not None:
            store.put_back_others(name, asked.known, worker_id=self._worker.worker_id)
        if asked.halt is not None:
            until = asked.halt.until + (now - ours)
            slower = asked.halt.slower
            store.halt_pace(name, self._account, until=until, slower=slower, now=now)
            store.notify(f"halts:{name}")
        if asked.forget:
            store.forget_dead(before=now - _KEPT)
        seen = None
        if asked.pace:
            seen = store.take_pace(
                name,
                self._account,
                per_second=self._pace.tickets,
                worker_id=None if self._worker.alone else self._worker.worker_id,
                in_use=asked.in_use,
                now=now,
            )
        claimed = self._claim(store, asked, now)
        due = None if claimed else store.next_due(name, after=now)
        wait = None if due is None else (due - now).total_seconds()
        return _Got(claimed=claimed, seen=seen, now=now, wait=wait)

    def _claim(self, store: Store, asked: _Asked, now: datetime) -> list[Outgoing]:
        claimed: list[Outgoing] = []
        for lane, most in ((REPLY, asked.replies), (BROADCAST, asked.broadcasts)):
            limit = min(most, asked.replies - len(claimed))
            if limit > 0:
                claimed += store.claim_outbox(
                    self._channel.name,
                    lane=lane,
                    limit=limit,
                    now=now,
                    until=now + LEASE,
                    chat=self._chat,
                    worker_id=self._worker.worker_id,
                )
        return claimed

    def _begin(self, row: Outgoing, claimed_at: float) -> None:
        self._broadcasting += row.lane == BROADCAST
        self._to_go += row.lane == BROADCAST
        self._sending.add(row.outbox_id)
        task = asyncio.create_task(self._send(row, claimed_at))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def _send(self, row: Outgoing, claimed_at: float) -> None:
        receipt = Receipt(outbox_id=row.outbox_id, outcome="put_back")
        try:
            if await self._may_go(row):
                room = _Room(self._pace, row.lane)
                try:
                    if _monotonic() - claimed_at < _STALE:
                        receipt = await self._try(row, room)
                finally:
                    room.leave()
        finally:
            self._broadcasting -= row.lane == BROADCAST
            self._sending.discard(row.outbox_id)
        self._receipts.append(receipt)
        self._wake.set()

    async def _may_go(self, row: Outgoing) -> bool:
        try:
            async with asyncio.timeout(_STALE):
                return await self._pace.go(row.lane)
        except TimeoutError:
            return False
        finally:
            self._to_go -= row.lane == BROADCAST

    async def _try(self, row: Outgoing, room: _Room) -> Receipt:
        began = _monotonic()
        receipt = await self._receipt(row, room)
        seconds = _monotonic() - began
        self._observer.sent(self._channel.name, row.lane, outcome_of(receipt), seconds)
        return receipt

    async def _receipt(self, row: Outgoing, room: _Room) -> Receipt:
        """Send one message and say how it ended."""
        try:
            async with asyncio.timeout(_LONGEST_SEND):
                position = await self._show(row, room)
        except HeldBack:
            return Receipt(outbox_id=row.outbox_id, outcome="put_back")
        except SlowDown as slow:
            return self._slowed(row, slow)
        except ChatGone:
            return Receipt(outbox_id=row.outbox_id, outcome="gone", error="chat_gone")
        except MessageRefused as refused:
            log.error("A message was refused for good: %s", type(refused).__name__)
            return Receipt(outbox_id=row.outbox_id, outcome="dead", error="refused")
        except StoreError:
            return self._again(row, _IDLE_SECONDS, "no_picture")
        except (ChannelFailed, TimeoutError) as failed:
            return self._failed(row, type(failed).__name__)
        except Exception:
            log.error("Sending broke in channel %s", self._channel.name)
            return self._failed(row, "defect", most=_MAX_DEFECTS)
        return Receipt(outbox_id=row.outbox_id, outcome="sent", position=position)

    async def _show(self, row: Outgoing, room: _Room) -> str | None:
        """Hand one message to the channel, with its picture where it has one."""
        picture = None if row.prompt.picture is None else await self._pictures(row.prompt.picture)
        return await self._channel.send(
            row.chat, row.prompt, replaces=row.replaces, picture=picture, room=room.again
        )

    def _slowed(self, row: Outgoing, slow: SlowDown) -> Receipt:
        """Do as the platform says, to the second: for this chat, or for all."""
        seconds = min(slow.seconds, _LONGEST_HALT)
        if slow.whole:
            until = self._now() + timedelta(seconds=seconds)
            before = self._halt
            self._halt = _Halt(
                until=until if before is None else max(until, before.until),
                slower=self._pace.kept or (before is not None and before.slower),
            )
            self._pace.halt(seconds)
        return self._again(row, seconds, "slow_down")

    def _failed(self, row: Outgoing, error: str, *, most: int = MAX_TRIES) -> Receipt:
        if row.attempts + 1 >= most:
            log.error("A message was given up after %d tries", row.attempts + 1)
            return Receipt(outbox_id=row.outbox_id, outcome="dead", error=error)
        # Somewhere between at once and twice as long as the last time, so that not everybody
        # comes back at one moment.
        longest = min(_FIRST_WAIT * 2.0 ** min(row.attempts, 20), _LONGEST_WAIT)
        return self._again(row, longest * self._chance(), error, in_doubt=True)

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


class _Room:
    """What a message takes of the pace: a text that goes in parts takes it for each of them."""

    def __init__(self, pace: Pace, lane: int) -> None:
        self._pace = pace
        self._lane = lane
        self._taken = True

    async def again(self) -> None:
        """Wait for room for the next part.

        Raises:
            HeldBack: There is none soon.
        """
        self.leave()
        try:
            async with asyncio.timeout(_STALE):
                self._taken = await self._pace.go(self._lane)
        except TimeoutError:
            raise HeldBack from None
        if not self._taken:
            raise HeldBack

    def leave(self) -> None:
        """Note that a part has arrived, or failed. Safe to repeat."""
        if self._taken:
            self._taken = False
            self._pace.ended(self._lane)


def _shifted(receipt: Receipt, by: timedelta) -> Receipt:
    """Give a receipt by another clock than ours."""
    if receipt.retry_at is None or not by:
        return receipt
    return replace(receipt, retry_at=receipt.retry_at + by)


def _monotonic() -> float:
    return asyncio.get_running_loop().time()
