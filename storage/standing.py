"""How a wave stands: how its invitations are spread over states, and what is still to be sent.

What lives here: counts. What must not: what the counts mean (``dialogues/rates.py``).
"""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from dialogues.disposition import Disposition
from storage.base import Part
from storage.protocol import InvitationCounts, Retention, ToSend
from storage.records import read_instant, write_instant

__all__ = ["Standing"]


class Standing(Part):
    """The verbs about how a wave stands."""

    def counts(self, wave_id: str, *, now: datetime) -> InvitationCounts:
        """Give how a wave stands at an instant; see the contract."""
        families: Counter[str] = Counter()
        states: Counter[str] = Counter()
        channels: Counter[str] = Counter()
        agreed = 0
        for row in self._all("count_states", wave_id=wave_id):
            n = row["n"]
            families[row["disposition"]] += n
            states[row["state"]] += n
            if row["disposition"] != Disposition.SCREENED_OUT:
                channels[row["channel"] or ""] += n
            agreed += n if row["consented"] else 0
        waiting = self._one("count_waiting", wave_id=wave_id)
        return InvitationCounts(
            invited=channels.total(),
            consented=agreed,
            by_disposition=dict(families),
            by_state=dict(states),
            by_channel=dict(channels),
            waiting=0 if waiting is None else waiting["n"],
            to_send=self._to_send(wave_id, now),
            retention=self._retention(wave_id),
        )

    def _to_send(self, wave_id: str, now: datetime) -> tuple[ToSend, ...]:
        found: dict[str, ToSend] = {}
        for row in self._all("count_to_send", wave_id=wave_id, now=write_instant(now)):
            channel, last = row["channel"], read_instant(row["last_due_at"])
            known = found.get(channel)
            due, later = (0, row["n"]) if row["later"] else (row["n"], 0)
            found[channel] = ToSend(
                channel=channel,
                due=due + (known.due if known else 0),
                later=later + (known.later if known else 0),
                last_due_at=max(last, known.last_due_at) if known else last,
            )
        return tuple(found[channel] for channel in sorted(found))

    def _retention(self, wave_id: str) -> Retention | None:
        wave = self._one("wave", wave_id=wave_id)
        kept = self._one("is_anonymous", wave_id=wave_id)
        unknown = kept is not None and kept["anonymous"] and wave and wave["state"] != "closed"
        if wave is None or wave["pulse"] is None or unknown:
            return None
        before = self._one(
            "wave_before", pulse=wave["pulse"], cohort=wave["cohort"], opens_at=wave["opens_at"]
        )
        if before is None:
            return None
        both = {"wave_id": wave_id, "before": before["wave_id"]}
        panel, entered = self._one("count_panel", **both), self._one("count_entered", **both)
        if panel is None or entered is None:
            return None
        return Retention(
            before=before["wave_id"],
            answered=panel["answered"],
            invited=panel["invited"],
            again=panel["again"],
            entered=entered["n"],
        )
