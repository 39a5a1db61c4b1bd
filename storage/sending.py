"""The store's contract about what leaves the house, and about those who send it.

A part of ``protocol.py``, where all that holds for every verb stands.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from storage.values import Letter, OutboxDepth, Outgoing, PaceSeen, Receipt, WorkerSeen

__all__ = ["Sending"]


class Sending(Protocol):
    """The verbs of delivery."""

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
        """Claim messages to send, oldest first (broadcasts: wave by wave, by the oldest of
        each): only a person's first unsent one, only rows due at ``now``, only to ``chat``
        where one is given, never a broadcast of a paused or closing wave, none in its
        person's quiet time (``Window.quiet_at``). Broadcasts that wait, for their hour or
        their wave, hold up no others. A claim not settled by ``until`` is open again. Rows
        that a later turn overtook are dropped here, and those whose time is over
        (``Window.expires_at``), which is noted as ``stale``; one whose body cannot be read is
        dead at once, with the error ``unreadable``.

        Several workers may claim at once: nobody ever has two messages claimed. ``now`` and
        ``until`` are by the workers' ``clock``.
        """
        ...

    def settle(self, receipts: Sequence[Receipt], *, now: datetime, worker_id: str = "") -> None:
        """Note how messages ended that this worker claimed. Empties the body of what was
        sent; what was given up keeps it (see ``forget_dead``). Of a claim that has passed to
        another worker nothing is noted but that the person is gone; of one that was opened
        again, that it was sent.
        """
        ...

    def put_back_others(
        self, channel: str, outbox_ids: Collection[int], *, worker_id: str = ""
    ) -> int:
        """Open a worker's claims of a channel again, all but those that it knows of; give how
        many. They were claimed by a transaction of which it never heard whether it was kept,
        so nobody has sent them.
        """
        ...

    def release_claims(self, channel: str) -> int:
        """Open every claim of a channel again, at start-up of its only sender; give how many
        messages were in doubt.
        """
        ...

    def put_off_doubtful(self, channel: str, *, until: datetime) -> None:
        """Let messages that may have arrived already wait until an instant, those that are due
        before: the answers to them may be on their way to us, and make them needless.
        """
        ...

    def outbox_depth(self) -> list[OutboxDepth]:
        """Give how many messages were not sent, by channel, lane and state, in that order;
        those of which there are none are left out.
        """
        ...

    def letters(
        self, *, channel: str = "", state: str = "", wave_id: str = "", limit: int = 100
    ) -> list[Letter]:
        """Give messages that were not sent, by channel, lane and state, those due for longest
        first: of one channel, state or wave where one is given.
        """
        ...

    def letter(self, outbox_id: int) -> Letter | None:
        """Give a message that was not sent; None when there is none of this number."""
        ...

    def revive(self, outbox_id: int, *, now: datetime) -> bool:
        """Try a message that was given up again, as if it were new, in its place among its
        person's; False where it was not given up or its words are gone.
        """
        ...

    def drop_letter(self, outbox_id: int) -> bool:
        """Drop a message that waits or was given up; False where it is on its way, sent or
        unknown. That it may have been seen stays known.
        """
        ...

    def forget_dead(self, *, before: datetime) -> int:
        """Drop what was given up before an instant; give how many messages."""
        ...

    def drop_unread(self, channel: str, *, before: datetime) -> None:
        """Drop a channel's messages that were due before an instant and never sent, for a
        channel whose people do not come back.
        """
        ...

    def next_due(self, channel: str, *, after: datetime) -> datetime | None:
        """When the next reply of a channel falls due after an instant, whether it can be
        claimed then or not; None when none does.
        """
        ...

    # Workers --------------------------------------------------------------------------

    def is_shared(self) -> bool:
        """Whether several programs may write to this database at once, on several machines."""
        ...

    def clock(self, now: datetime) -> datetime:
        """Give the time by which all workers of this database go, whose clocks may differ:
        on SQLite, which serves one machine, the caller's ``now``, on PostgreSQL the
        database's own.
        """
        ...

    def beat(
        self,
        worker_id: str,
        *,
        roles: Collection[str],
        machine: str,
        process: str,
        now: datetime,
    ) -> None:
        """Say that a worker is up. Safe to repeat."""
        ...

    def workers(self) -> list[WorkerSeen]:
        """Give every worker that has not been dismissed, by worker_id."""
        ...

    def is_alone(self, worker_id: str, *, role: str, within: timedelta, now: datetime) -> bool:
        """Whether no other worker of a role was seen within a time."""
        ...

    def dismiss(self, worker_id: str, *, seen_at: datetime, now: datetime) -> dict[str, int] | None:
        """Let go of all that a worker holds: its claims, leads and shares of the pace.

        Args:
            worker_id: One that has ended, or that has not been seen for too long.
            seen_at: When it was last seen.
            now: By the workers' clock.

        Returns:
            How many messages are in doubt, by channel; None, and nothing is let go of, when
            the worker was seen again since or has been dismissed already.
        """
        ...

    def lead(self, name: str, worker_id: str, *, now: datetime, until: datetime) -> bool:
        """Take or keep the lead in something that only one worker may do, until an instant;
        False while another one has it.
        """
        ...

    # Pace -----------------------------------------------------------------------------

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
        """Say how fast a worker may send for a bot, all who share it in equal parts. A worker
        has to ask again every second or so. What it is to give up of its share, it has given
        up once it uses it no more; only then others get it.

        Args:
            channel: Of the bot.
            account: What tells the bot from others; a keyed hash of it is kept.
            per_second: Messages a second that the platform takes.
            worker_id: None for the only one that sends.
            in_use: Messages that it may have sent in the last second, or its share if greater.
            now: By the workers' clock.
        """
        ...

    def halt_pace(
        self, channel: str, account: str, *, until: datetime, slower: bool, now: datetime
    ) -> None:
        """Let no worker send for a bot until an instant. ``slower``: it was refused though all
        kept the pace, so a tenth fewer go from now on, and one more again every minute.
        """
        ...
