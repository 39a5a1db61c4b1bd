"""Tidying up: rows that were needed for a while and are needed by nobody any more."""

from __future__ import annotations

from datetime import date, datetime

from storage.base import Part
from storage.records import write_day, write_instant

__all__ = ["Sweeps"]


class Sweeps(Part):
    """The verbs of tidying up."""

    def sweep_events(self, *, after: str, before: date, limit: int) -> str | None:
        """Forget old platform events of a page; see the contract."""
        page = self._one("page_of_events", after=after, limit=limit)
        if page is None or page["last"] is None:
            return None
        last: str = page["last"]
        self._run("forget_events", after=after, last=last, before=write_day(before))
        return last if page["n"] == limit else None

    def sweep_sent(self, *, after: int, before: datetime, limit: int) -> int | None:
        """Drop old messages of a page that tell nothing any more; see the contract."""
        page = self._one("page_of_outbox", after=after, limit=limit)
        written = write_instant(before)
        if page is None or page["last"] is None or page["oldest"] >= written:
            return None
        last: int = page["last"]
        self._run("forget_sent", after=after, last=last, before=written)
        return last if page["n"] == limit else None
