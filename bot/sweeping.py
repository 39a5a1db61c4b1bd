"""Tidying up, a little at every tick: what was needed for a while and is needed no more.

What lives here: how long it is needed, and how much is looked at in one go. What must not:
which rows those are (the store's matter), or the clock (``schedule.py`` ticks).
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta

from bot.jobs import RunJob

__all__ = ["EVENTS_KEPT", "SENT_KEPT", "Sweeper"]

#: How long an event is known again. Telegram keeps what was not taken for a day, and Slack
#: tries again for an hour, or for a day where an app has asked for that.
EVENTS_KEPT = timedelta(days=8)

#: How long it stays known where a message stood in a chat whose conversation is over. Slack
#: lets people change what they wrote for as long as their workspace says.
SENT_KEPT = timedelta(days=60)

#: Rows that are looked at in one transaction: a few milliseconds.
_PAGE = 1000

#: How long after the last page the first one is looked at again.
_REST = timedelta(hours=1)


class Sweeper:
    """Goes over the events and the messages that were sent, page by page, round after round.

    Where it stands is kept nowhere: a round begins anew with each process, that of the events
    anywhere among them, as their keys are in no order.
    """

    def __init__(self, *, now: Callable[[], datetime]) -> None:
        self._now = now
        self._event = secrets.token_hex(2)
        self._sent = 0
        self._events_at: datetime | None = None
        self._sent_at: datetime | None = None

    def tick(self, run: RunJob) -> None:
        """Look at one page of each, unless there is nothing to be looked at yet."""
        now = self._now()
        if self._events_at is None or self._events_at <= now:
            before = (now - EVENTS_KEPT).date()
            event = self._event
            last = run(lambda store: store.sweep_events(after=event, before=before, limit=_PAGE))
            self._event = last or ""
            self._events_at = now + _REST if last is None else None
        if self._sent_at is None or self._sent_at <= now:
            sent, due = self._sent, now - SENT_KEPT
            mark = run(lambda store: store.sweep_sent(after=sent, before=due, limit=_PAGE))
            self._sent = mark or 0
            self._sent_at = now + _REST if mark is None else None
