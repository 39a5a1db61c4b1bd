"""The two kinds of rate limit that the platforms keep, over a clock that is handed in."""

from __future__ import annotations

import math
from collections import deque


class Window:
    """At most `count` in any stretch of `seconds`: a sliding window."""

    __slots__ = ("_times", "_until", "count", "seconds")

    def __init__(self, count: int, seconds: float = 1.0) -> None:
        self.count = count
        self.seconds = seconds
        self._times: deque[float] = deque()
        self._until = 0.0

    def wait(self, now: float) -> int:
        """Say how many whole seconds to stay away; 0: there is room.

        Who comes back sooner than told is sent away again.
        """
        if now < self._until:
            return max(1, math.ceil(self._until - now))
        times = self._times
        while times and times[0] <= now - self.seconds:
            times.popleft()
        if len(times) < self.count:
            return 0
        seconds = max(1, math.ceil(times[0] + self.seconds - now))
        self._until = now + seconds
        return seconds

    def take(self, now: float) -> None:
        """Count one."""
        self._times.append(now)


class Bucket:
    """`rate` a second on the long run, `burst` at once after a rest."""

    __slots__ = ("_at", "_left", "_until", "burst", "rate")

    def __init__(self, rate: float, burst: float) -> None:
        self.rate = rate
        self.burst = burst
        self._left = float(burst)
        self._at = -math.inf
        self._until = 0.0

    def wait(self, now: float) -> int:
        """Say how many whole seconds to stay away; 0: there is room."""
        if now < self._until:
            return max(1, math.ceil(self._until - now))
        self._left = min(self.burst, self._left + max(0.0, now - self._at) * self.rate)
        self._at = now
        if self._left >= 1.0:
            return 0
        seconds = max(1, math.ceil((1.0 - self._left) / self.rate))
        self._until = now + seconds
        return seconds

    def take(self, now: float) -> None:
        """Count one; call `wait` first."""
        self._left -= 1.0
