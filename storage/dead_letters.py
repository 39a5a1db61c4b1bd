"""What is in the outbox, for those who look after it, and what becomes of what was given up.

What lives here: numbers, classes of trouble and pseudonyms. What must not leave here: what a
message says, or an address.
"""

from __future__ import annotations

from datetime import datetime

from storage.base import Part
from storage.driver import Record
from storage.protocol import Letter, OutboxDepth
from storage.records import read_instant, write_instant

__all__ = ["DeadLetters"]


class DeadLetters(Part):
    """The verbs about messages that wait, or that were given up."""

    def outbox_depth(self) -> list[OutboxDepth]:
        """Give how many messages there are of each channel, lane and state, in that order."""
        return [
            OutboxDepth(
                channel=row["channel"],
                lane=row["lane"],
                state=row["state"],
                count=row["n"],
                oldest_at=read_instant(row["oldest_at"]),
            )
            for row in self._all("outbox_depth")
        ]

    def letters(
        self, *, channel: str = "", state: str = "", wave_id: str = "", limit: int = 100
    ) -> list[Letter]:
        """Give messages that were not sent, by channel, lane and state; see the contract."""
        rows = self._all("letters", channel=channel, state=state, wave_id=wave_id, limit=limit)
        return [_letter(row) for row in rows]

    def letter(self, outbox_id: int) -> Letter | None:
        """Give a message that was not sent; None when there is none of this number."""
        row = self._one("letter", outbox_id=outbox_id)
        return None if row is None else _letter(row)

    def revive(self, outbox_id: int, *, now: datetime) -> bool:
        """Try a message that was given up again; see the contract."""
        row = self._one("letter", outbox_id=outbox_id)
        if row is None or not self._run("revive", outbox_id=outbox_id, now=write_instant(now)):
            return False
        self.notify(f"outbox:{row['channel']}")
        return True

    def drop_letter(self, outbox_id: int) -> bool:
        """Drop a message for good; see the contract."""
        row = self._one("outbox_row", outbox_id=outbox_id)
        dropped = self._run("drop_letter", outbox_id=outbox_id)
        dropped += self._run("forget_letter", outbox_id=outbox_id)
        if row is not None and dropped:
            self.scrub_due = True
            if row["farewell"]:
                self._run("farewell_over", respondent_id=row["respondent_id"])
        return bool(dropped)

    def forget_dead(self, *, before: datetime) -> int:
        """Drop what was given up before an instant; give how many messages."""
        old = self._all("old_dead", before=write_instant(before))
        for row in old:
            self.drop_letter(row["outbox_id"])
        return len(old)


def _letter(row: Record) -> Letter:
    dead_at = row["dead_at"]
    return Letter(
        outbox_id=row["outbox_id"],
        respondent_id=row["respondent_id"],
        channel=row["channel"],
        lane=row["lane"],
        state=row["state"],
        wave_id=row["wave_id"],
        due_at=read_instant(row["due_at"]),
        dead_at=None if dead_at is None else read_instant(dead_at),
        attempts=row["attempts"],
        in_doubt=bool(row["doubt"]),
        error=row["error"],
        retryable=bool(row["kept"]) and row["state"] == "dead",
    )
