"""How fast bots may send, over all workers: a bot's messages a second are shared out.

Every worker sends its share of them by itself (``bot/pace.py``); what all of them send
together is never more than the bot may. A part of a share passes on only when it is not in
use, so that also while it does no second holds too much.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from storage.base import Part
from storage.driver import Record
from storage.protocol import PaceSeen
from storage.records import read_instant, write_instant

__all__ = ["Paces"]

#: How long a bot keeps a rate before it tries one more a second.
_RAISED_AFTER = timedelta(seconds=60)

#: Refusals within this time count as one: they are of the same moment.
_ONE_REFUSAL = timedelta(seconds=10)

#: Whoever has ended may have sent until a moment ago.
_STILL_COUNTS = timedelta(seconds=2)


class Paces(Part):
    """The verbs about how fast bots may send."""

    def take_pace(
        self,
        channel: str,
        account: str,
        *,
        per_second: int,
        worker_id: str | None,
        in_use: int,
        now: datetime,
    ) -> PaceSeen:
        """Say how fast a worker may send for a bot; see the contract."""
        key = self._hashed("pace", channel, account)
        row = self._pace(key, per_second, now)
        allowed = self._allowed(key, row, per_second, now)
        share = allowed
        if worker_id is not None:
            share = self._share(key, allowed, worker_id, in_use, now)
        until = None if row["halted_until"] is None else read_instant(row["halted_until"])
        return PaceSeen(share=share, halted_until=None if until is None or until <= now else until)

    def halt_pace(
        self, channel: str, account: str, *, until: datetime, slower: bool, now: datetime
    ) -> None:
        """Let no worker send for a bot until an instant; see the contract."""
        key = self._hashed("pace", channel, account)
        row = self._one("pace", pace_key=key)
        if row is None:
            return
        self._run("set_halt", pace_key=key, until=write_instant(until))
        if slower and now - read_instant(row["changed_at"]) >= _ONE_REFUSAL:
            allowed = max(1, row["allowed"] - max(1, row["allowed"] // 10))
            self._run("set_allowed", pace_key=key, allowed=allowed, now=write_instant(now))

    def _pace(self, key: str, per_second: int, now: datetime) -> Record:
        row = self._one("pace", pace_key=key)
        if row is None:
            # So that the first refusal counts.
            changed_at = write_instant(now - _RAISED_AFTER)
            self._run("add_pace", pace_key=key, allowed=per_second, now=changed_at)
            row = self._one("pace", pace_key=key)
        if row is None:
            raise LookupError("a pace that was added is not there")
        return row

    def _allowed(self, key: str, row: Record, per_second: int, now: datetime) -> int:
        """Give how many a second the bot may send now."""
        allowed: int = row["allowed"]
        wanted = min(allowed, per_second)
        if wanted < per_second and now - read_instant(row["changed_at"]) >= _RAISED_AFTER:
            wanted += 1
        if wanted != allowed:
            self._run("set_allowed", pace_key=key, allowed=wanted, now=write_instant(now))
        return wanted

    def _share(self, key: str, allowed: int, worker_id: str, in_use: int, now: datetime) -> int:
        """Give a worker its equal part, as far as the others have let go of it."""
        mine, others, sharing = 0, 0, {worker_id}
        for row in self._all("shares", pace_key=key):
            left_at = None if row["left_at"] is None else read_instant(row["left_at"])
            if row["worker_id"] == worker_id:
                mine = row["share"]
            elif left_at is not None and left_at <= now - _STILL_COUNTS:
                self._run("forget_share", pace_key=key, worker_id=row["worker_id"])
            else:
                others += row["share"]
                if left_at is None:
                    sharing.add(row["worker_id"])
        place = sorted(sharing).index(worker_id)
        part = allowed // len(sharing) + (place < allowed % len(sharing))
        held = min(max(part, in_use), mine) if part < mine else mine
        held = max(held, min(part, allowed - others))
        if held != mine or mine == 0:
            self._run("set_share", pace_key=key, worker_id=worker_id, share=held)
        return min(part, held)
