"""How fast messages leave: no second holds more than the platform takes.

What lives here: letting each message go when there is room for it. What must not: the store,
or what a message is.

A platform counts a message somewhere between our beginning to send it and our hearing that it
arrived. So a message has room when fewer than the allowed number are under way or ended less
than a second ago: then, however long each of them took on its way, no second of the
platform's holds more. With a network that takes d seconds, allowed / (1 + d) go a second.

Replies come first. They wait for room only while broadcasts fill the second: mostly for a few
hundredths and never for more than a second, for which the platform would refuse everybody
otherwise. A flood of replies alone is not held up by us.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from dataclasses import dataclass

__all__ = ["BROADCAST", "REPLY", "Pace"]

REPLY, BROADCAST = 0, 1

#: A second, and a little for clocks that tick differently.
_SECOND = 1.002

#: Broadcasts that are late make up for it, three spaces at most, and come closer by this share.
_CREDIT = 3
_CLOSEST = 0.7

#: Seconds, the longest that a reply waits for room.
_PATIENCE = 1.0

#: Waits shorter than this are not worth a timer of their own.
_TICK = 0.0005


@dataclass(frozen=True, slots=True, kw_only=True)
class _Waiting:
    since: float
    let_go: asyncio.Future[bool]


class Pace:
    """Lets messages of one bot go, evenly.

    Args:
        per_second: How many the platform takes, over all workers.

    Attributes:
        tickets: The same in whole messages.
    """

    def __init__(self, per_second: float) -> None:
        self.tickets = max(1, math.ceil(per_second))
        self._per_ticket = per_second / self.tickets
        self._share = self.tickets
        self._under_way = [0, 0]
        self._ended: deque[tuple[float, int]] = deque()
        self._n_ended = [0, 0]
        self._waiting: tuple[deque[_Waiting], deque[_Waiting]] = (deque(), deque())
        self._next_broadcast = -math.inf
        self._halted_until = 0.0
        self._stopped = False
        self._timer: asyncio.TimerHandle | None = None

    @property
    def share(self) -> int:
        """How many of the tickets are ours."""
        return self._share

    @property
    def in_use(self) -> int:
        """How many messages may count for the second that is now."""
        self._forget(_now())
        return sum(self._under_way) + len(self._ended)

    @property
    def kept(self) -> bool:
        """Whether no more than our share went in the last second."""
        return self.in_use <= self._share

    @property
    def halted(self) -> float:
        """For how many seconds nothing may go; 0 when something may."""
        return max(0.0, self._halted_until - _now())

    def room_ahead(self, seconds: float) -> int:
        """Give how many broadcasts can go in the time to come, those that wait included."""
        if not self._share:
            return 0
        now = _now()
        left = now + seconds - max(self._next_broadcast, now)
        return max(0, math.ceil(left / self._space))

    def take(self, share: int) -> None:
        """Go on with another share of the tickets."""
        if share != self._share:
            self._share = share
            self._let_go()

    def halt(self, seconds: float) -> None:
        """Let nothing go for a time; what waits is sent back."""
        self._halted_until = max(self._halted_until, _now() + seconds)
        self._let_go()

    def stop(self) -> None:
        """Let nothing go any more; what waits is sent back."""
        self._stopped = True
        self._let_go()

    async def go(self, lane: int) -> bool:
        """Wait until a message may be sent; False when it is not to be sent now.

        When True, ``ended`` has to be called after sending, however that went.
        """
        loop = asyncio.get_running_loop()
        let_go: asyncio.Future[bool] = loop.create_future()
        self._waiting[lane].append(_Waiting(since=loop.time(), let_go=let_go))
        self._let_go()
        try:
            return await let_go
        except asyncio.CancelledError:
            if let_go.done() and not let_go.cancelled() and let_go.result():
                self.ended(lane)
            raise

    def ended(self, lane: int) -> None:
        """Note that a message that was let go has arrived, or failed."""
        self._under_way[lane] -= 1
        self._ended.append((_now(), lane))
        self._n_ended[lane] += 1
        self._let_go()

    def _forget(self, now: float) -> None:
        while self._ended and self._ended[0][0] <= now - _SECOND:
            _, lane = self._ended.popleft()
            self._n_ended[lane] -= 1

    def _let_go(self) -> None:
        """Let go what may, replies first, and see to it that we look again in time."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        now = _now()
        replies, broadcasts = self._waiting
        if self._stopped or now < self._halted_until:
            for waiting in (*replies, *broadcasts):
                if not waiting.let_go.done():
                    waiting.let_go.set_result(False)
            replies.clear()
            broadcasts.clear()
            return
        used = self.in_use
        while replies and (
            used < self._share
            or not self._broadcasting
            or replies[0].since <= now - _PATIENCE + _TICK
        ):
            if self._grant(REPLY):
                used += 1
                # It takes room that a broadcast would have had, so that one keeps its distance.
                # What went more than a second ago counts for nothing any more.
                put_off = max(self._next_broadcast, now) + self._space
                self._next_broadcast = min(put_off, now + 1.0)
        while broadcasts and not replies and used < self._share:
            if self._next_broadcast > now + _TICK:
                break
            if self._grant(BROADCAST):
                used += 1
                first = self._next_broadcast == -math.inf
                earliest = now if first else now - _CREDIT * self._space
                planned = max(self._next_broadcast, earliest) + self._space
                self._next_broadcast = max(planned, now + _CLOSEST * self._space)
        if replies or broadcasts:
            self._look_again(now, full=used >= self._share)

    def _grant(self, lane: int) -> bool:
        """Let the first that waits in a lane go; False when it does not wait any more."""
        let_go = self._waiting[lane].popleft().let_go
        if let_go.done():
            return False
        let_go.set_result(True)
        self._under_way[lane] += 1
        return True

    def _look_again(self, now: float, *, full: bool) -> None:
        """Set a timer for when there may be room; what ends before that looks by itself."""
        replies = self._waiting[REPLY]
        at = now if replies else self._next_broadcast
        if full:
            room_at = self._ended[0][0] + _SECOND if self._ended else math.inf
            at = max(at, room_at)
        if replies:
            at = min(at, replies[0].since + _PATIENCE)
        if at < math.inf:
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(max(0.0, at - now), self._let_go)

    @property
    def _broadcasting(self) -> bool:
        """Whether broadcasts wait, or fill some of the second that is now."""
        lately = self._under_way[BROADCAST] + self._n_ended[BROADCAST]
        return lately > 0 or bool(self._waiting[BROADCAST])

    @property
    def _space(self) -> float:
        """Seconds between two broadcasts."""
        return 1.0 / (max(1, self._share) * self._per_ticket)


def _now() -> float:
    return asyncio.get_running_loop().time()
