"""The store's contract: the verbs of the field, with their promises.

One implementation serves every engine (``store.py``), and one suite of tests holds it to
what stands here (``tests/contract/``). Every method runs inside the transaction
of the job that calls it: a job given to the ``Writer`` is one transaction, all or nothing.
Methods are synchronous, and belong to the store's own thread.

Ids and times come from the caller; the store makes none. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Protocol

from dialogues.coding import Coding
from dialogues.disposition import Disposition
from dialogues.effects import Turn
from dialogues.prompts import Prompt
from dialogues.session import Session
from dialogues.survey import Survey

__all__ = [
    "Address",
    "AnswerHeld",
    "ConsentHeld",
    "Holdings",
    "InvitationCounts",
    "InvitationHeld",
    "Outgoing",
    "Receipt",
    "Respondent",
    "ResponseHeld",
    "Row",
    "Store",
    "StoredSession",
    "UntaggedAnswer",
    "Wave",
    "WaveState",
]

Row = dict[str, Any]

#: ``open``, ``paused``, ``closing`` (nobody begins any more) or ``closed``.
WaveState = str


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """Where a person is reached.

    Attributes:
        channel: ``telegram``, ``slack`` or ``terminal``.
        platform_id: The platform's id of the person, unique in the channel.
        chat: The platform's id of the conversation to write to.
    """

    channel: str
    platform_id: str
    chat: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Respondent:
    """A person, by pseudonym.

    Attributes:
        language: As they chose or their platform said; None when neither did.
        cohorts: Sorted.
        reachable: False once the platform refused to deliver to them.
    """

    respondent_id: str
    channel: str
    role: str
    sector: str | None
    language: str | None
    cohorts: tuple[str, ...]
    opted_out: bool
    reachable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredSession:
    """A session with what the store knows of it."""

    session: Session
    respondent_id: str
    invitation_id: str | None
    wave_id: str | None
    cohort: str | None
    updated_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Wave:
    """One fielding of one revision to one cohort.

    Attributes:
        wave_id: ``PULSE-COHORT-DATE`` (design section 10).
        pulse: None for a wave opened by hand without one.
        roles: Who is invited.
        questions_per_person: Questions of the pool each person gets; None for all.
        timezone: IANA name; quiet hours and dates are read in it.
        quiet_hours: Local (from, until) in minutes after midnight; None for none.
        closes_at: None when only a hand closes it.
        remind_at: When reminders are due, in order.
        reminded: How many of ``remind_at`` have been sent out.
    """

    wave_id: str
    pulse: str | None
    cohort: str
    survey_id: str
    revision: str
    roles: tuple[str, ...]
    questions_per_person: int | None
    timezone: str
    quiet_hours: tuple[int, int] | None
    state: WaveState
    opens_at: datetime
    closes_at: datetime | None
    remind_at: tuple[datetime, ...]
    reminded: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationCounts:
    """How a wave stands.

    Attributes:
        invited: Invitations in all.
        consented: Of them, people who agreed.
        by_disposition: Disposition to count; those not settled are ``unknown``.
        waiting: Messages of this wave not sent yet.
    """

    invited: int
    consented: int
    by_disposition: dict[str, int]
    waiting: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A claimed message, to be sent now.

    Attributes:
        chat: Where to.
        prompt: What to say.
        replaces: Position of the message that it takes the place of; None for a new one.
        attempts: Earlier attempts that failed or whose end is unknown.
        lane: 0 a reply, 1 a broadcast.
    """

    outbox_id: int
    respondent_id: str
    chat: str
    prompt: Prompt
    replaces: str | None
    attempts: int
    lane: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How one claimed message ended.

    Attributes:
        outcome: ``sent``; ``retry`` (again at ``retry_at``); ``dead`` (never again, kept and
            counted); ``gone`` (the person cannot be reached: this row and all others of theirs
            are dropped and the address is marked).
        position: Of the message in the chat, when sent.
        retry_at: For ``retry``.
        error: A short class of trouble, never a person's words or address.
        in_doubt: For ``retry``: whether the message may have arrived all the same.
    """

    outbox_id: int
    outcome: str
    position: str | None = None
    retry_at: datetime | None = None
    error: str | None = None
    in_doubt: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class UntaggedAnswer:
    """A free-text answer that the current model has not read.

    Attributes:
        language: None where it is withheld.
    """

    response_id: str
    question_id: str
    question: str
    language: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerHeld:
    """One answer, as its person may see it.

    Attributes:
        answered_at: None while there is none.
        n_edits: How often its person changed it.
    """

    question_id: str
    question: str
    value: str | None
    text: str
    missing: str | None
    asked_at: datetime
    answered_at: datetime | None
    n_edits: int
    codings: tuple[Coding, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHeld:
    """One response, as its person may see it; its id is that of its session."""

    response_id: str
    survey_id: str
    revision: str
    wave_id: str | None
    started_at: datetime
    disposition: Disposition
    answers: tuple[AnswerHeld, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentHeld:
    """That somebody agreed, and to what.

    Attributes:
        revision: The newest kept one, for the title.
        agreed_at: Of an anonymous survey the beginning of the day.
    """

    survey_id: str
    revision: str
    agreed_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationHeld:
    """That somebody was asked to answer in a wave, and what came of it."""

    survey_id: str
    revision: str
    wave_id: str
    invited_at: datetime
    reminders: int
    disposition: Disposition
    disposition_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Everything that is held of one person.

    Attributes:
        opted_out_at: None while we may write of our own accord.
        memberships: Cohort and day of joining, by cohort.
        consents: Oldest first.
        invitations: Oldest first.
        sessions: The conversation that moved last first.
        responses: Newest first.
    """

    respondent: Respondent
    address: Address
    joined_on: date
    opted_out_at: datetime | None
    memberships: tuple[tuple[str, date], ...]
    consents: tuple[ConsentHeld, ...]
    invitations: tuple[InvitationHeld, ...]
    sessions: tuple[StoredSession, ...]
    responses: tuple[ResponseHeld, ...]


class Store(Protocol):
    """What the house keeps."""

    # People ---------------------------------------------------------------------------

    def respondent_at(self, channel: str, platform_id: str) -> Respondent | None:
        """Give the person at this address; None when nobody is known there."""
        ...

    def respondent(self, respondent_id: str) -> Respondent | None:
        """Give a person; None when there is none."""
        ...

    def welcome(
        self, address: Address, *, respondent_id: str, role: str, language: str | None, on: date
    ) -> Respondent:
        """Keep a new person at an address. Where somebody is known there, give them and
        update the chat. Lifts the suppression of this address.
        """
        ...

    def is_suppressed(self, channel: str, platform_id: str) -> bool:
        """Whether this address asked to be forgotten and has not come back."""
        ...

    def set_reachable(self, respondent_id: str, reachable: bool) -> None:
        """Note what the platform says of delivery. Unreachable drops their pending rows."""
        ...

    def opt_in(self, respondent_id: str) -> None:
        """Write to this person again."""
        ...

    def opt_out(self, respondent_id: str, *, at: datetime) -> None:
        """Write no more to this person of our own accord; drops their pending broadcasts."""
        ...

    def set_language(self, respondent_id: str, language: str) -> None:
        """Note in which language this person wants to be spoken to."""
        ...

    def join(self, respondent_id: str, cohort: str, *, on: date) -> bool:
        """Enrol a person in a cohort; False when they were in it already."""
        ...

    def leave(self, respondent_id: str, cohort: str) -> None:
        """End a membership, and drop pending broadcasts of that cohort's waves; past
        responses stay.
        """
        ...

    def members(
        self, cohort: str, *, roles: Sequence[str], after: str = "", limit: int = 500
    ) -> list[Respondent]:
        """Give members who may be written to (reachable, not opted out), by respondent_id,
        those after ``after``, at most ``limit``.
        """
        ...

    def members_on(self, cohort: str, channel: str) -> list[tuple[str, str]]:
        """Give (platform_id, respondent_id) of every member who is reached on a channel."""
        ...

    def uninvited(
        self, wave_id: str, *, roles: Sequence[str], limit: int = 500
    ) -> list[Respondent]:
        """Give members of a wave's cohort who may be written to (reachable, not opted out)
        and have no invitation in it yet, by respondent_id, at most ``limit``.
        """
        ...

    def has_consented(self, respondent_id: str, survey_id: str, consent_revision: str) -> bool:
        """Whether this person agreed to these very words before."""
        ...

    def holdings(self, respondent_id: str) -> Holdings:
        """Give everything that is held of a person."""
        ...

    def erase(
        self,
        respondent_id: str,
        *,
        at: datetime,
        erasure_id: str,
        actor: str,
        farewell: Prompt | None,
        leaving_id: str,
    ) -> int:
        """Erase everything of a person, and give how many responses that was.

        With a ``farewell`` the bare address stays, under the fresh pseudonym
        ``leaving_id``, until that message was sent or given up. The address's keyed hash
        is suppressed. What stays: that something was erased and when.
        """
        ...

    # Surveys --------------------------------------------------------------------------

    def keep_survey(self, survey: Survey, *, at: datetime) -> None:
        """Keep a revision for ever. Safe to repeat."""
        ...

    def survey(self, survey_id: str, revision: str) -> Survey | None:
        """Give a kept revision (cached); None when it was never kept."""
        ...

    def kept_surveys(self) -> list[Survey]:
        """Give every kept revision, by survey_id, oldest first."""
        ...

    # Turns ----------------------------------------------------------------------------

    def take_event(self, event_id: str, *, on: date) -> bool:
        """Note a platform event; False when it was taken before. Keeps a keyed hash only."""
        ...

    def session(self, session_id: str) -> StoredSession | None:
        """Give a session; None when there is none (or it was cut loose)."""
        ...

    def latest_session(self, respondent_id: str) -> StoredSession | None:
        """Give the session of a person that moved last; None when there is none."""
        ...

    def recent_sessions(self, respondent_id: str, *, limit: int) -> list[StoredSession]:
        """Give the sessions of a person, the one that moved last first."""
        ...

    def session_in_wave(self, respondent_id: str, wave_id: str) -> StoredSession | None:
        """Give a person's session in a wave; None when there is none."""
        ...

    def took_part(self, respondent_id: str, wave_id: str) -> bool:
        """Whether a person consented in a wave and handed in an anonymous response: the
        invitation says consented and no session is left.
        """
        ...

    def event_key(self, event_id: str) -> str:
        """Give the keyed hash under which an event is known: it names it and tells nothing."""
        ...

    def seen_session(self, respondent_id: str, position: str | None) -> str | None:
        """Give the session whose prompt stood last in a person's chat before ``position``.

        As ``seen_turn``, over all conversations. ``cut`` when that was the end of an
        anonymous response. None when nothing was seen.
        """
        ...

    def seen_turn(self, session_id: str, position: str | None) -> int | None:
        """Turn of the newest prompt of a session that stood in the chat before ``position``.

        Counts prompts that were sent at a lower position and prompts whose sending is in
        doubt; not those still pending. Without a position everything sent counts. None when
        there is none. Positions compare as (length, text).
        """
        ...

    def has_waiting(self, session_id: str) -> bool:
        """Whether a message of a session has still to be sent."""
        ...

    def begin_session(
        self,
        turn: Turn,
        *,
        respondent: Respondent,
        wave_id: str | None,
        cohort: str | None,
        invitation_id: str | None,
        lane: int,
        at: datetime,
        due_at: datetime,
    ) -> bool:
        """Save the first turn of a conversation. With an ``invitation_id`` the invitation is
        made too; False, and nothing saved, when this person is in this wave already.
        """
        ...

    def commit_turn(
        self,
        turn: Turn,
        *,
        before: StoredSession,
        respondent: Respondent,
        lane: int,
        at: datetime,
        loose_id: str,
    ) -> None:
        """Save a turn: session, records and outbox rows together.

        Consent makes the response row (id: the session's). Where the turn shows a prompt that
        is not lasting, rows of this session that are pending, not lasting and of an older
        turn are dropped; a turn without such a prompt overtakes nothing.

        ``ResponseSubmitted`` in an anonymous survey cuts the response loose under
        ``loose_id``: days instead of instants, no session, no outbox text, no link (design
        section 10); the message of that turn is kept for sending without its session.
        Opting out drops broadcasts.

        ``ResponseDropped`` deletes this session's response and answers; its consent stays.

        Raises:
            StaleSession: The session moved since ``before`` was read; read and step again.
        """
        ...

    def say(
        self,
        respondent: Respondent,
        prompts: Sequence[Prompt],
        *,
        at: datetime,
        lane: int = 0,
    ) -> None:
        """Put messages that belong to no session into the outbox, in order; they are lasting."""
        ...

    def drop_stale_anonymous(self, before: datetime) -> int:
        """Drop unfinished conversations outside waves about an anonymous survey that have not
        moved since ``before``, with all that was said in them; give how many. Who comes back
        is asked for consent anew.
        """
        ...

    # Outbox ---------------------------------------------------------------------------

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
        """Claim messages to send, oldest first: only a person's first unsent one, only rows
        due at ``now``, only to ``chat`` where one is given, never a broadcast of a paused or
        closing wave. Broadcasts that wait, for their hour or their wave, hold up no others. A
        claim not settled by ``until`` is open again. Rows that a later turn overtook are
        dropped here; one whose body cannot be read is dead at once, with the error
        ``unreadable``.
        """
        ...

    def settle(self, receipts: Sequence[Receipt], *, now: datetime) -> None:
        """Note how claimed messages ended. Empties the body of what was sent or given up."""
        ...

    def release_claims(self, channel: str) -> int:
        """Open every claim of a channel again, at start-up of its only sender; give how many
        messages were in doubt.
        """
        ...

    def drop_unread(self, channel: str, *, before: datetime) -> None:
        """Drop a channel's messages that were due before an instant and never sent, for a
        channel whose people do not come back.
        """
        ...

    def next_due(self, channel: str, *, lane: int) -> datetime | None:
        """When the next pending row of a lane is due; None when there is none."""
        ...

    # Waves ----------------------------------------------------------------------------

    def open_wave(self, wave: Wave) -> bool:
        """Keep a new wave; False when this wave_id is known, whatever its state."""
        ...

    def wave(self, wave_id: str) -> Wave | None:
        """Give a wave; None when there is none."""
        ...

    def waves(self, *, state: WaveState | None = None) -> list[Wave]:
        """Give waves, newest first, ties by wave_id."""
        ...

    def open_waves_for(self, respondent_id: str) -> list[Wave]:
        """Give open waves of this person's cohorts, whoever they ask, newest first."""
        ...

    def set_wave(
        self,
        wave_id: str,
        *,
        state: WaveState | None = None,
        reminded: int | None = None,
        closes_at: datetime | None = None,
    ) -> None:
        """Change what is given."""
        ...

    def unfinished(self, wave_id: str, *, after: str = "", limit: int = 500) -> list[str]:
        """Give the ids of a wave's sessions that are not final, in order, those after ``after``."""
        ...

    def note_reminder(self, invitation_id: str) -> None:
        """Count a reminder that went into the outbox."""
        ...

    def settle_wave(self, wave_id: str, *, at: datetime, min_group: int) -> None:
        """At closing: write the disposition of each invitation that has none (never
        answered: non-contact; taken part anonymously: complete, all in one go, in the
        order of random invitation ids), and drop what an anonymous survey never got
        submitted. Of what was submitted anonymously, ``withheld`` takes the place of
        language, channel, role and sector until every combination of them that is left is
        shared by at least ``min_group`` responses of the wave.
        """
        ...

    def drop_broadcasts(self, wave_id: str) -> None:
        """Drop what a wave has still to send of our own accord."""
        ...

    def counts(self, wave_id: str) -> InvitationCounts:
        """Give how a wave stands."""
        ...

    # Codings --------------------------------------------------------------------------

    def untagged(self, coder: str, *, limit: int) -> list[UntaggedAnswer]:
        """Give text answers with words that no model has read since they were last
        changed, oldest response first. Unsubmitted anonymous answers are left out.
        """
        ...

    def save_codings(
        self,
        answer: UntaggedAnswer,
        codings: Sequence[Coding],
        *,
        coding_ids: Sequence[str],
        coder: str,
        at: datetime,
        error: str | None,
    ) -> bool:
        """Save what a tagger made of an answer; False, and nothing saved, when its words
        changed meanwhile or it is gone. Safe to repeat. Of a loose response only the day
        of ``at`` is kept.
        """
        ...

    def codings_of(self, response_id: str) -> list[tuple[str, Coding]]:
        """Give (question_id, coding) of a response, by place of the question, then offset."""
        ...

    # Reading out ----------------------------------------------------------------------

    def read(self, query: str, **params: Any) -> Iterator[Row]:
        """Run a named read-only query of ``queries/`` and give its rows, streaming."""
        ...

    def set_disposition(
        self, invitation_id: str, disposition: Disposition, *, at: datetime
    ) -> None:
        """Write the outcome of an invitation."""
        ...

    def close(self) -> None:
        """Close the database. The store is of no use afterwards."""
        ...
