"""The outbox: what is to be sent, claimed one message a person at a time."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from dialogues.codec import Unreadable, decode_prompt
from dialogues.prompts import Prompt
from dialogues.states import Cause, State
from storage.dispositions import Dispositions
from storage.driver import Record
from storage.protocol import Outgoing, Receipt, Respondent
from storage.records import read_instant, write_instant

__all__ = ["Outbox"]


class Outbox(Dispositions):
    """The verbs about messages that leave."""

    def say(
        self,
        respondent: Respondent,
        prompts: Sequence[Prompt],
        *,
        at: datetime,
        lane: int = 0,
    ) -> None:
        """Put messages that belong to no session into the outbox, in order."""
        for prompt in prompts:
            self._put_out(
                prompt,
                respondent_id=respondent.respondent_id,
                channel=respondent.channel,
                due_at=write_instant(at),
                lane=lane,
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
    ) -> list[Outgoing]:
        """Claim messages to send, oldest first; see the contract."""
        written_now, written_until = write_instant(now), write_instant(until)
        self._run("reopen_expired", channel=channel, lane=lane, now=written_now)
        claimed: list[Outgoing] = []
        while len(claimed) < limit:
            rows = self._all(
                "claimable",
                channel=channel,
                lane=lane,
                now=written_now,
                limit=limit - len(claimed),
                chat=chat,
            )
            if not rows:
                break
            # Dropping one makes the same person's next one the first: hence the loop.
            for row in rows:
                if _is_void(row):
                    query = "give_up_doubtful" if row["doubt"] else "drop_message"
                    self._run(query, outbox_id=row["outbox_id"])
                elif (outgoing := self._outgoing(row, lane)) is None:
                    self._run("dead", outbox_id=row["outbox_id"], error="unreadable")
                else:
                    self._run("claim", outbox_id=row["outbox_id"], until=written_until)
                    claimed.append(outgoing)
        return claimed

    def settle(self, receipts: Sequence[Receipt], *, now: datetime) -> None:
        """Note how claimed messages ended; see the contract."""
        for receipt in receipts:
            row = self._one("outbox_row", outbox_id=receipt.outbox_id)
            if row is not None and row["state"] in {"pending", "claimed"}:
                self._settle(receipt, row, now)

    def release_claims(self, channel: str) -> int:
        """Open every claim of a channel again; give how many messages were in doubt."""
        return self._run("release_claims", channel=channel)

    def drop_unread(self, channel: str, *, before: datetime) -> None:
        """Drop what a channel was to send before an instant and nobody will read."""
        if self._run("drop_unread", channel=channel, before=write_instant(before)):
            self.scrub_due = True

    def next_due(self, channel: str, *, lane: int) -> datetime | None:
        """When the next message of a lane can be claimed; None when there is none."""
        rows = (
            self._one("next_due", channel=channel, lane=lane),
            self._one("next_expiry", channel=channel, lane=lane),
        )
        due = [row["due_at"] for row in rows if row is not None and row["due_at"] is not None]
        return read_instant(min(due)) if due else None

    def _outgoing(self, row: Record, lane: int) -> Outgoing | None:
        """Read a message; None when it cannot be read, which must not hold up the others."""
        try:
            prompt = decode_prompt(row["body"])
        except Unreadable:
            return None
        newest = (
            self._one("newest_position", session_id=row["session_id"]) if row["in_place"] else None
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

    def _settle(self, receipt: Receipt, row: Record, now: datetime) -> None:
        outbox_id, respondent_id = receipt.outbox_id, row["respondent_id"]
        self._note_delivery(receipt, row, write_instant(now))
        if receipt.outcome == "retry":
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
            self._run("dead", outbox_id=outbox_id, error=receipt.error)
        elif row["session_id"] is None:
            # Nothing asks for it again.
            self._run("drop_message", outbox_id=outbox_id)
        else:
            self._run("sent", outbox_id=outbox_id, position=receipt.position)
        if row["farewell"] and receipt.outcome != "retry":
            self._run("farewell_over", respondent_id=respondent_id)
            self.scrub_due = True

    def _note_delivery(self, receipt: Receipt, row: Record, at: str) -> None:
        """Note what became of an invitation."""
        if receipt.outcome == "gone":
            self._note_unsent(row["respondent_id"], at, Cause.UNREACHABLE)
        if row["invitation_id"] is None or receipt.outcome == "retry":
            return
        state = State.CONTACTED if receipt.outcome == "sent" else State.FAILED
        cause = {"gone": Cause.UNREACHABLE, "dead": Cause.GIVEN_UP}.get(receipt.outcome)
        self._note(row["invitation_id"], state, at, cause)


def _is_void(row: Record) -> bool:
    """Whether a message must not go out any more: overtaken, cut loose, or for nobody."""
    if row["body"] is None or row["chat"] is None:
        return True
    return bool(row["overtaken"]) and not row["lasting"]
