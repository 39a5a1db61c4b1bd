"""When people are told of what is no question: in their own time, out of their quiet hours."""

from __future__ import annotations

from datetime import datetime, timedelta

from bot.clock.planning import hours_of, window_at
from storage.protocol import Timing, Wave, Window

__all__ = ["window_for"]

#: What is told later than this is news no more.
_NEWS = timedelta(days=14)


def window_for(wave: Wave, timing: Timing | None, now: datetime) -> Window | None:
    """Give when a message about a wave may leave: at the first fit hour from now on.

    Args:
        wave: For its time zone, quiet hours, days off and holidays.
        timing: Of the person; None for a place.
        now: Aware UTC.

    Returns:
        None when it would never be the time for it.
    """
    window = window_at(hours_of(wave, timing or Timing()), now, now + _NEWS)
    return window if isinstance(window, Window) else None
