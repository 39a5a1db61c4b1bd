"""The store's contract about rows that nobody needs any more.

A part of ``protocol.py``, where all that holds for every verb stands. What goes is found page
by page in the order of a key, so that a table of any size costs the same at a time, and no
index has to be kept for it.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Protocol

__all__ = ["Sweeping"]


class Sweeping(Protocol):
    """The verbs of tidying up."""

    def sweep_events(self, *, after: str, before: date, limit: int) -> str | None:
        """Forget platform events that were taken before a day, among the next ``limit`` of
        them; one that comes once more after that is taken as new. Safe to repeat.

        Args:
            after: Where the last page ended; empty to begin. Any text will do.
            before: The first day whose events stay.
            limit: Rows of a page.

        Returns:
            Where this page ended; None when it was the last.
        """
        ...

    def sweep_sent(self, *, after: int, before: datetime, limit: int) -> int | None:
        """Drop messages that were sent, fell due before an instant and tell nothing any more,
        among the next ``limit`` messages. Safe to repeat.

        They stand there to say which prompt a person saw when they wrote. Those of a
        conversation stay while it is not over or its wave is not closed, and while the same
        person has an older one that is not over: who changes words of then must not be
        mistaken. The newest prompt of each conversation stays for ever: what is written from
        now on is understood as before, save that what may have been sent is not taken for the
        newest that a person saw any more.

        Args:
            after: Where the last page ended; 0 to begin.
            before: By the time when they fell due.
            limit: Rows of a page.

        Returns:
            Where this page ended; None when what follows is not that old.
        """
        ...
