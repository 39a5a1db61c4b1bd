"""The outbox: what is to be sent, claimed one message a person at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from dialogues.codec import Unreadable, decode_prompt
from dialogues.prompts import Prompt
from dialogues.states import Cause, State
from storage.clock import Window
from storage.dispositions import Dispositions
from storage.driver import Record
from storage.protocol import Outgoing, Receipt, Respondent
from storage.records import read_instant, write_instant

__all__ = ["Outbox"]

#: Where several workers claim at once, each passes over the rows that another one is at.
_PASSING_OVER = {"sqlite": "", "postgres": " for update of o skip locked"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Claiming:
    """Who claims, and for how long; instants as they are written."""

    lane: int
    now: str
    until: str
    worker_id: str


class Outbox(Dispositions):
    """The verbs about messages that leave."""

    def say(
        self,
        respondent: Respondent,
        prompts: Sequence[Prompt],
        *,
        at: datetime,
        lane: int = 0,
        wave_id: str | None = None,
        window: Window | None = None,
    ) -> None:
        """Put messages that belong to no session into the outbox, in order."""
        for prompt in prompts:
            self._put_out(
                prompt,
                respondent_id=respondent.respondent_id,
                channel=respondent.channel,
                window=window or Window(due_at=at),
                lane=lane,
                wave_id=wave_id,
            )

    def post(
        self,
        channel: str,
        chat: str,
        prompt: Prompt,
        *,
        window: Window,
        wave_id: str | None = None,
    ) -> None:
        """Put a message to a place into the outbox; see the contract."""
        self._put_out(
            prompt,
            respondent_id=f"place:{chat}",
            channel=channel,
            window=window,
            lane=1,
            wave_id=wave_id,
            chat=chat,
        )

    def claim_outbox(
        self,
        channel: str,
        *,
        lane: int,
        limit: int,
        now: datetime,
        until: datetime,
        chat: str | None = None,
        worker_id: str = "",
    ) -> list[Outgoing]:
        """Claim messages to send, oldest first; see the contract."""
        claiming = _Claiming(
            lane=lane, now=write_instant(now), until=write_instant(until), worker_id=worker_id
        )
        self._run("reopen_expired", channel=channel, now=claiming.now)
        looking_at = {"channel": channel, "now": claiming.now, "chat": chat}
        claimed: list[Outgoing] = []
        for query, of_wave in self._sources(channel, claiming):
            while len(claimed) < limit:
                rows = self._claimable(query, limit=limit - len(claimed), **looking_at, **of_wave)
                # Dropping one makes the same person's next one the first: hence the loop.
                touched = [self._take(row, claiming, claimed) for row in rows]
                if not any(touched):
                    break
        return claimed

    def _sources(self, channel: str, claiming: _Claiming) -> Iterator[tuple[str, dict[str, str]]]:
        """Give what to look for messages with, in order: broadcasts are claimed by wave."""
        if claiming.lane == 0:
            yield "claimable_replies", {}
            return
        for row in self._all("waiting_waves", channel=channel, now=claiming.now):
            yield "claimable_broadcasts", {"wave_id": row["wave_id"]}

    def _claimable(self, query: str, **params: object) -> list[Record]:
        """Give candidates; where others claim too, those of people that none of them is at."""
        engine = self._driver.engine
        rows = self._driver.all(self._sql[query] + _PASSING_OVER[engine], params)
        if engine == "sqlite" or not rows:
            return rows
        free = self.hold_free(_claiming_for(row) for row in rows)
        return [row for row in rows if _claiming_for(row) in free]

    def _take(self, row: Record, claiming: _Claiming, claimed: list[Outgoing]) -> bool:
        """Claim a candidate, or drop it where it must not go; False when nothing came of it."""
        outbox_id = row["outbox_id"]
        if _is_void(row):
            query = "give_up_doubtful" if row["doubt"] else "drop_message"
            return bool(self._run(query, outbox_id=outbox_id))
        if claiming.lane == 1 and row["expired"]:
            return self._expire(row, claiming.now)
        outgoing = self._outgoing(row, claiming.lane)
        if outgoing is None:
            self._run("dead", outbox_id=outbox_id, error="unreadable", now=claiming.now)
            return True
        until, worker_id = claiming.until, claiming.worker_id
        if not self._run("claim", outbox_id=outbox_id, until=until, worker_id=worker_id):
            return False
        claimed.append(outgoing)
        return True

    def settle(self, receipts: Sequence[Receipt], *, now: datetime, worker_id: str = "") -> None:
        """Note how claimed messages ended; see the contract."""
        for receipt in receipts:
            row = self._one("outbox_row", outbox_id=receipt.outbox_id)
            if row is None or row["state"] not in {"pending", "claimed"}:
                continue
            mine = row["state"] == "claimed" and row["claimed_by"] == worker_id
            late = row["state"] == "pending" and receipt.outcome == "sent"
            if mine or late or receipt.outcome == "gone":
                self._settle(receipt, row, now)

    def put_back_others(
        self, channel: str, outbox_ids: Collection[int], *, worker_id: str = ""
    ) -> int:
        """Open a worker's claims again but those that it knows of; see the contract."""
        held = self._all("claims_held", channel=channel, worker_id=worker_id)
        unknown = {row["outbox_id"] for row in held} - set(outbox_ids)
        for outbox_id in unknown:
            self._run("put_back", outbox_id=outbox_id)
        return len(unknown)

    def release_claims(self, channel: str) -> int:
        """Open every claim of a channel again; give how many messages were in doubt."""
        return self._run("release_claims", channel=channel)

    def put_off_doubtful(self, channel: str, *, until: datetime) -> None:
        """Let messages that may have arrived already wait; see the contract."""
        self._run("put_off_doubtful", channel=channel, until=write_instant(until))

    def drop_unread(self, channel: str, *, before: datetime) -> None:
        """Drop what a channel was to send before an instant and nobody will read."""
        if self._run("drop_unread", channel=channel, before=write_instant(before)):
            self.scrub_due = True

    def next_due(self, channel: str, *, after: datetime) -> datetime | None:
        """When the next reply falls due after an instant; see the contract."""
        row = self._one("next_due", channel=channel, after=write_instant(after))
        return None if row is None else read_instant(row["due_at"])

    def _outgoing(self, row: Record, lane: int) -> Outgoing | None:
        """Read a message; None when it cannot be read, which must not hold up the others."""
        try:
            prompt = decode_prompt(row["body"])
        except Unreadable:
            return None
        newest = None
        if row["in_place"]:
            newest = self._one(
                "newest_position", session_id=row["session_id"], outbox_id=row["outbox_id"]
            )
        return Outgoing(
            outbox_id=row["outbox_id"],
            respondent_id=row["respondent_id"],
            chat=row["chat"],
            prompt=prompt,
            replaces=None if newest is None else newest["position"],
            attempts=row["attempts"],
            lane=lane,
        )

    def _expire(self, row: Record, now: str) -> bool:
        """Drop a message whose time is over, and note it; one in doubt may have been seen."""
        query = "give_up_doubtful" if row["doubt"] else "drop_message"
        dropped = bool(self._run(query, outbox_id=row["outbox_id"]))
        if dropped and not row["doubt"]:
            self._note_dropped(row, Cause.STALE, now)
        return dropped

    def _settle(self, receipt: Receipt, row: Record, now: datetime) -> None:
        outbox_id, respondent_id = receipt.outbox_id, row["respondent_id"]
        self._note_delivery(receipt, row, write_instant(now))
        if receipt.outcome == "put_back":
            self._run("put_back", outbox_id=outbox_id)
        elif receipt.outcome == "retry":
            retry_at = write_instant(receipt.retry_at or now)
            self._run(
                "retry",
                outbox_id=outbox_id,
                retry_at=retry_at,
                error=receipt.error,
                in_doubt=int(receipt.in_doubt),
            )
        elif receipt.outcome == "gone":
            self._run("set_reachable", respondent_id=respondent_id, reachable=0)
            self._run("drop_all_unsent", respondent_id=respondent_id)
        elif receipt.outcome == "dead" and not row["farewell"]:
            self._run("dead", outbox_id=outbox_id, error=receipt.error, now=write_instant(now))
        elif row["session_id"] is None:
            # Nothing asks for it again.
            self._run("drop_message", outbox_id=outbox_id)
        else:
            self._run("sent", outbox_id=outbox_id, position=receipt.position)
        if row["farewell"] and receipt.outcome not in {"retry", "put_back"}:
            self._run("farewell_over", respondent_id=respondent_id)
            self.scrub_due = True

    def _note_delivery(self, receipt: Receipt, row: Record, at: str) -> None:
        """Note what became of an invitation."""
        if receipt.outcome == "gone":
            self._note_unsent(row["respondent_id"], at, Cause.UNREACHABLE)
        if row["invitation_id"] is None or receipt.outcome in {"retry", "put_back"}:
            return
        state = State.CONTACTED if receipt.outcome == "sent" else State.FAILED
        cause = {"gone": Cause.UNREACHABLE, "dead": Cause.GIVEN_UP}.get(receipt.outcome)
        self._note(row["invitation_id"], state, at, cause)


def _claiming_for(row: Record) -> str:
    """Give the key under which somebody's messages are claimed."""
    return f"claim {row['respondent_id']}"


def _is_void(row: Record) -> bool:
    """Whether a message must not go out any more: overtaken, cut loose, or for nobody."""
    if row["body"] is None or row["chat"] is None:
        return True
    return bool(row["overtaken"]) and not row["lasting"]
