"""What the store keeps of time: when people are written to, and what was not sent after all.

What lives here: values, and the contract about them. What must not: rows or SQL
(``clockwork.py``), or deciding when something is due (the shell).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Protocol

from dialogues.effects import Turn

__all__ = [
    "NO_END",
    "Candidate",
    "ClockStore",
    "Earlier",
    "Invited",
    "PassedOver",
    "Reminding",
    "Rhythm",
    "Timing",
    "Unsent",
    "Waiting",
    "Window",
]

#: The day until which somebody is away who named no day.
NO_END = date.max


@dataclass(frozen=True, slots=True, kw_only=True)
class Timing:
    """When a person wants to be written to; None: as the organisers set it.

    Attributes:
        timezone: IANA name, as they said.
        told_timezone: IANA name, as their platform says; what they said goes before it.
        minute: Their hour of the day, in minutes after midnight.
        quiet: Local (from, until) in minutes after midnight when they want no message.
        days_off: Weekdays without messages, Monday 0, sorted; None where they said nothing.
        paused_until: Local day from which on they may be written to again; ``NO_END`` until
            they say so.
    """

    timezone: str | None = None
    told_timezone: str | None = None
    minute: int | None = None
    quiet: tuple[int, int] | None = None
    days_off: tuple[int, ...] | None = None
    paused_until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rhythm:
    """How a wave keeps to everyone's time, as it was when the wave was planned.

    Attributes:
        opens_on: The local day that its id holds, in everybody's own time zone.
        minute: The local time at which people are written to, in minutes after midnight.
        at_once: Whether a hand opened it: then people are written to from then on.
        next_on: The local day on which the next wave of its pulse opens; None for none.
        daily: Whether its pulse comes day by day: then it is of that day only.
        days_off: Weekdays without messages, Monday 0, sorted.
        holidays: Public holidays without messages, such as ``GB-WLS``; None for none.
        remind_after: One reminder each, counted from everyone's own invitation, in order.
    """

    opens_on: date
    minute: int
    at_once: bool = False
    next_on: date | None = None
    daily: bool = False
    days_off: tuple[int, ...] = ()
    holidays: str | None = None
    remind_after: tuple[timedelta, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """When a message that we send of our own accord may leave.

    Attributes:
        due_at: From then on.
        quiet_at: Not any more from then on, until it is planned anew; None for no bound.
        expires_at: Never from then on: it is dropped, and that is noted; None for no bound.
    """

    due_at: datetime
    quiet_at: datetime | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Earlier:
    """An invitation to another wave, sent or planned.

    Attributes:
        pulse: None for a wave without one.
        opens_on: The local day of its wave.
        minute: The local time of its wave, in minutes after midnight.
    """

    pulse: str | None
    opens_on: date
    minute: int
    due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Somebody whom a wave may invite.

    Attributes:
        agreed: Whether they agreed to this survey's consent before.
        earlier: Invitations to other waves, by ``due_at``.
    """

    respondent_id: str
    channel: str
    role: str
    sector: str | None
    language: str | None
    timing: Timing
    agreed: bool
    earlier: tuple[Earlier, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Invited:
    """An invitation, ready to be kept.

    Attributes:
        turn: The first of its conversation.
        remind_at: When to look at the first reminder; None for no reminder.
    """

    candidate: Candidate
    invitation_id: str
    turn: Turn
    window: Window
    remind_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PassedOver:
    """Somebody who is not invited to a wave.

    Attributes:
        reason: As in ``Unsent``.
    """

    candidate: Candidate
    invitation_id: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """Something that was not sent.

    Attributes:
        number: 0 the invitation, else that of the reminder.
        reason: A ``Cause``: ``stale`` (its time was over), ``away``, ``day_off``, ``holiday``,
            ``quiet`` or ``fatigue``.
    """

    respondent_id: str
    number: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Reminding:
    """An invitation whose reminders are to be looked at.

    Attributes:
        session_id: None once its conversation was cut loose or is gone.
        base_at: From when on its reminders count: when the invitation arrived.
        reminded: Number of the last reminder that is done with.
        look_at: As it was read; it guards against doing it twice.
        waiting: Whether its invitation is still to be sent.
    """

    invitation_id: str
    respondent_id: str
    session_id: str | None
    base_at: datetime
    reminded: int
    look_at: datetime
    waiting: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """A broadcast that waits to be sent and may be planned anew.

    Attributes:
        number: 0 an invitation, more a reminder, None anything else.
        seen: Whether something of its conversation may have been seen already.
    """

    outbox_id: int
    respondent_id: str
    wave_id: str | None
    invitation_id: str | None
    number: int | None
    due_at: datetime
    expires_at: datetime | None
    seen: bool


class ClockStore(Protocol):
    """The verbs about time. As all of the store's: inside the transaction of the caller."""

    # People's own time ----------------------------------------------------------------

    def timing(self, respondent_id: str) -> Timing:
        """Give when a person wants to be written to; all None where they never said."""
        ...

    def set_timing(self, respondent_id: str, timing: Timing) -> None:
        """Keep what a person wants. Safe to repeat."""
        ...

    def tell_timezone(self, respondent_id: str, timezone: str) -> bool:
        """Keep what a platform says of a person's time zone; False when it is known already.
        What the person said themselves stays.
        """
        ...

    def moments(self, cohort: str) -> list[tuple[str | None, int | None]]:
        """Give every pair of (time zone, minute of the day) that members of a cohort have of
        their own, in no order; a None says that the cohort's holds.
        """
        ...

    # Inviting -------------------------------------------------------------------------

    def candidates(
        self,
        wave_id: str,
        *,
        consent_revision: str,
        roles: Sequence[str],
        since: datetime,
        after: str = "",
        limit: int = 500,
    ) -> tuple[list[Candidate], str | None]:
        """Give who may be invited to a wave, among the next ``limit`` members of its cohort.

        Those who may be written to (reachable, not opted out), have no invitation in it yet
        and were not passed over; they are held until the transaction ends. A page may hold
        nobody and not be the last.

        Args:
            wave_id: Of a kept wave.
            consent_revision: Of the survey that it fields.
            roles: Empty for all.
            since: Earlier invitations are given from here on.
            after: Where the page before ended.
            limit: Members looked at.

        Returns:
            Them by respondent_id, and where the page ended; None after the last member.
        """
        ...

    def members_with_hours(
        self, cohort: str, *, since: datetime, after: str = "", limit: int = 500
    ) -> tuple[list[Candidate], str | None]:
        """Give who may be written to among the next ``limit`` members of a cohort, of whatever
        role, with all their invitations since an instant. Only reads, and holds nobody.

        Returns:
            As ``candidates``; nobody is said to have agreed.
        """
        ...

    def invite(self, wave_id: str, invited: Sequence[Invited], *, at: datetime) -> list[str]:
        """Save the first turns of many conversations, each with its invitation, and put the
        messages into the outbox as broadcasts.

        Who is in the wave already, or may not be written to any more, is left out.

        Returns:
            The invitation ids that were kept, in order.
        """
        ...

    def earlier(self, respondent_id: str, *, since: datetime) -> tuple[Earlier, ...]:
        """Give a person's invitations since an instant, by ``due_at``, without those that still
        wait and may be planned anew.
        """
        ...

    def pass_over(self, wave_id: str, passed: Sequence[PassedOver], *, at: datetime) -> None:
        """Note who is not invited to a wave, and why: each gets an invitation that is over, and
        which they take up by coming themselves. Who is in the wave already is left out.
        """
        ...

    def note_unsent(self, wave_id: str, unsent: Sequence[Unsent], *, at: datetime) -> None:
        """Note what is not sent, and why. A newer reason takes the place of an older one."""
        ...

    def forget_unsent(self, respondent_id: str) -> None:
        """Forget, in waves that are open, what was not sent to a person for reasons of their
        own time, so that it is thought over: they are a candidate again.
        """
        ...

    def was_passed_over(self, respondent_id: str, wave_id: str) -> bool:
        """Whether this person was not invited to a wave, and has not come by themselves."""
        ...

    def unsent(self, wave_id: str) -> dict[str, int]:
        """Give reason to how many people were not invited to a wave for it."""
        ...

    # Reminding ------------------------------------------------------------------------

    def reminders_due(self, wave_id: str, *, now: datetime, limit: int) -> list[Reminding]:
        """Give the invitations of a wave whose reminders are to be looked at by ``now``, the
        longest due first, ties by invitation_id.
        """
        ...

    def set_reminder(
        self, reminding: Reminding, *, look_at: datetime | None, reminded: int
    ) -> bool:
        """Note how a look at somebody's reminders ended, and when the next one is.

        Returns:
            False, and nothing noted, when somebody else looked meanwhile: then do nothing.
        """
        ...

    def look_again(self, respondent_id: str, *, at: datetime) -> None:
        """Have all reminders of a person in open waves looked at by ``at``."""
        ...

    # Waiting --------------------------------------------------------------------------

    def waiting(self, respondent_id: str) -> list[Waiting]:
        """Give the broadcasts that wait for a person and never left, oldest first."""
        ...

    def put_off(self, *, now: datetime, limit: int) -> list[Waiting]:
        """Give broadcasts that are in somebody's quiet time by ``now`` (``quiet_at``), the
        longest first, and never left.
        """
        ...

    def move(self, outbox_id: int, window: Window) -> bool:
        """Give a waiting broadcast another time; False when it does not wait any more. For
        an invitation that nothing was seen of, its own instant moves along.
        """
        ...

    def take_back(self, waiting: Waiting) -> None:
        """Take back a broadcast that waits; of an invitation that nothing was seen of the
        conversation and the invitation too, as if it had never been.
        """
        ...

    def give_up(self, waiting: Waiting, *, reason: str, at: datetime) -> None:
        """Drop a broadcast that waits and for which no time is left, and note why."""
        ...

    def drop_late(self, wave_id: str, *, reason: str, at: datetime, limit: int) -> int:
        """Drop invitations and reminders of a wave that still wait, at most ``limit``, and
        note why; give how many there were.
        """
        ...

    def waits_until(self, session_id: str) -> datetime | None:
        """Give when the message of a conversation of which nothing was seen yet is due; None
        when something was seen or nothing waits.
        """
        ...
