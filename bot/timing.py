"""When people are told of what is no question: in their own time, out of their quiet hours."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from bot.waves import quiet_until
from storage.protocol import Timing, Wave, Window

__all__ = ["window_for"]


def window_for(wave: Wave, timing: Timing | None, now: datetime) -> Window | None:
    """Give when a message about a wave may leave: now, or after the quiet hours.

    Args:
        wave: For its time zone and hours.
        timing: Of the person; None for a place.
        now: Aware UTC.

    Returns:
        None when it would never be the time for it.
    """
    return Window(due_at=quiet_until(wave.quiet_hours, ZoneInfo(wave.timezone), now))
