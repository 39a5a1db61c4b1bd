"""How long a channel waits before it tries a platform again."""

from __future__ import annotations

import random

__all__ = ["CAP", "seconds_to_wait"]

#: Seconds, the longest wait.
CAP = 30.0

_FIRST = 0.5


def seconds_to_wait(failures: int) -> float:
    """Give a wait that doubles with each failure in a row, up to ``CAP``, less a random part.

    Args:
        failures: In a row, this one included; 1 or more.
    """
    longest: float = min(CAP, _FIRST * 2.0 ** min(failures - 1, 10))
    return longest * random.uniform(0.5, 1.0)
