"""The store's contract: the verbs of the field, with their promises.

One implementation serves every engine (``store.py``), and one suite of tests holds it to
what stands here (``tests/contract/``). Every method runs inside the transaction
of the job that calls it: a job given to the ``Writer`` is one transaction, all or nothing.
Methods are synchronous, and belong to the store's own thread.

Ids and times come from the caller; the store makes none. Instants are aware UTC.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from dialogues.effects import Turn
from dialogues.prompts import Prompt
from dialogues.states import Cause, State
from dialogues.survey import Survey
from storage.beside import BesideOthers
from storage.checking import Checking
from storage.clock import (
    NO_END,
    Candidate,
    ClockStore,
    Earlier,
    Invited,
    PassedOver,
    Reminding,
    Rhythm,
    Timing,
    Unsent,
    Waiting,
    Window,
)
from storage.held import (
    AnswerHeld,
    ConsentHeld,
    Holdings,
    InvitationHeld,
    ResponseHeld,
    StateHeld,
    UnsentHeld,
)
from storage.reviewing import Reviewing, Tagging
from storage.sending import Sending
from storage.sweeping import Sweeping
from storage.telling import TELLING, Telling
from storage.values import (
    Address,
    Coverage,
    InvitationCounts,
    KeptResults,
    Letter,
    Note,
    OutboxDepth,
    Outgoing,
    PaceSeen,
    Receipt,
    Respondent,
    Retention,
    Row,
    StoredSession,
    ToSend,
    UntaggedAnswer,
    Wave,
    WaveState,
    WorkerSeen,
    Workload,
)

__all__ = [
    "NO_END",
    "TELLING",
    "Address",
    "AnswerHeld",
    "Candidate",
    "ConsentHeld",
    "Coverage",
    "Earlier",
    "Holdings",
    "InvitationCounts",
    "InvitationHeld",
    "Invited",
    "KeptResults",
    "Letter",
    "Note",
    "OutboxDepth",
    "Outgoing",
    "PaceSeen",
    "PassedOver",
    "Receipt",
    "Reminding",
    "Respondent",
    "ResponseHeld",
    "Retention",
    "Rhythm",
    "Row",
    "StateHeld",
    "Store",
    "StoredSession",
    "Timing",
    "ToSend",
    "Unsent",
    "UnsentHeld",
    "UntaggedAnswer",
    "Waiting",
    "Wave",
    "WaveState",
    "Window",
    "WorkerSeen",
    "Workload",
]


class Store(
    Sending, ClockStore, Telling, Tagging, Reviewing, Checking, Sweeping, BesideOthers, Protocol
):
    """What the house keeps. What leaves it, time, results, tags and more are in the protocols
    that this one joins, each in a file of its own.
    """

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

    def set_reachable(self, respondent_id: str, reachable: bool, *, at: datetime) -> None:
        """Note what the platform says of delivery. Unreachable drops their pending rows, and
        invitations among them have failed.
        """
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

    def set_sector(self, respondent_id: str, sector: str, role: str | None) -> None:
        """Note who this person answers as, and the role that follows; None leaves it.
        Responses that are there keep what held when they were given.
        """
        ...

    def has_agreed(self, respondent_id: str) -> bool:
        """Whether this person ever agreed to a consent, so that words of theirs may be kept."""
        ...

    def join(self, respondent_id: str, cohort: str, *, on: date) -> bool:
        """Enrol a person in a cohort; False when they were in it already."""
        ...

    def leave(self, respondent_id: str, cohort: str, *, at: datetime) -> None:
        """End a membership, and drop pending broadcasts of that cohort's waves, whose
        invitations have failed; past responses stay.
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

    def say_farewell(
        self, address: Address, prompt: Prompt, *, leaving_id: str, at: datetime
    ) -> None:
        """Put out a message to an address that nobody is known at: it stays, under the fresh
        pseudonym ``leaving_id`` or that of a farewell under way, until the message was sent or
        given up.
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
        """Note a platform event; False when it was taken before, as far as that is remembered
        (``sweep_events``). Keeps a keyed hash only.
        """
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

    def seen_turn(
        self, session_id: str, position: str | None, *, surely: bool = False
    ) -> int | None:
        """Turn of the newest prompt of a session that stood in the chat before ``position``.

        Counts prompts that were sent at a lower position and prompts that are on their way or
        in doubt; not those still pending. ``surely`` leaves out the doubtful. Without a
        position everything sent counts. None when there is none. Positions compare as
        (length, text).
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
        remind_at: datetime | None = None,
        counts: bool = False,
    ) -> bool:
        """Save the first turn of a conversation that a person begins by themselves (``invite``
        saves invitations of ours). With an ``invitation_id`` the invitation is made too, its
        reminders to be looked at by ``remind_at``; it is among their ``earlier`` ones where it
        ``counts``. False, and nothing saved, when this person is in this wave already.
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
        window: Window | None = None,
        number: int | None = None,
    ) -> None:
        """Save a turn: session, records and outbox rows together. Its message may leave in the
        ``window``, else at once; ``number`` is that of the reminder that it is.

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
        wave_id: str | None = None,
        window: Window | None = None,
    ) -> None:
        """Put messages that belong to no session into the outbox, in order; they are lasting.
        They may leave in the ``window``, else from ``at`` on.

        With a ``wave_id`` they count as messages of that wave, and a broadcast goes to nobody
        who has left its cohort.
        """
        ...

    def post(
        self,
        channel: str,
        chat: str,
        prompt: Prompt,
        *,
        window: Window,
        wave_id: str | None = None,
    ) -> None:
        """Put a message to a place (a channel of a cohort) and not to a person into the
        outbox, as a broadcast. Messages to one place keep their order.
        """
        ...

    def drop_stale_anonymous(self, before: datetime) -> int:
        """Drop unfinished conversations outside waves about an anonymous survey that have not
        moved since ``before``, with all that was said in them; give how many. Who comes back
        is asked for consent anew.
        """
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
        closes_at: datetime | None = None,
    ) -> None:
        """Change what is given."""
        ...

    def unfinished(self, wave_id: str, *, after: str = "", limit: int = 500) -> list[str]:
        """Give the ids of a wave's sessions that are not final, in order, those after ``after``."""
        ...

    def note_state(
        self, invitation_id: str, state: State, *, at: datetime, reason: Cause | None = None
    ) -> bool:
        """Note in an invitation's history that it has come to a state, and its outcome as far
        as the state says one (``dialogues.states.FAMILIES``).

        False, and nothing noted, where the state cannot follow the newest one: it says the
        same again, or comes late. Of an anonymous survey only what happens before anybody
        agrees is noted (``BEFORE_CLOSING``). Safe to repeat. Sending, delivery, consent,
        answers and ends note themselves.
        """
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
        shared by at least ``min_group`` responses of the wave. The history of each gets its
        end too.
        """
        ...

    def drop_broadcasts(self, wave_id: str) -> None:
        """Drop what a wave has still to send of our own accord."""
        ...

    def counts(self, wave_id: str, *, now: datetime) -> InvitationCounts:
        """Give how a wave stands at an instant. Quick also where very many are invited."""
        ...

    # Draws ----------------------------------------------------------------------------

    def coverage(self, wave_id: str) -> Coverage:
        """Give how often each question was drawn in a wave, and in the other waves of its pulse
        and cohort. Who goes on to draw by it holds ``draws:WAVE`` first.
        """
        ...

    def add_draws(self, wave_id: str, counts: Mapping[str, int]) -> None:
        """Count questions that were drawn in a wave: question id to how often more."""
        ...

    def given_before(
        self, survey_id: str, respondent_ids: Sequence[str]
    ) -> dict[str, tuple[str, ...]]:
        """Give what people were given of a survey's pool, the newest last; those who were given
        nothing are left out. One query, quickest for neighbours by id.
        """
        ...

    def note_given(self, survey_id: str, given: Mapping[str, Sequence[str]]) -> None:
        """Note what people have been given of a survey's pool by now, the newest last. Not for
        an anonymous survey.
        """
        ...

    def workload(self) -> Workload:
        """Count what there is to do. Reads indexes only: it may be asked every few seconds."""
        ...

    def probe(self, *, at: datetime) -> bool:
        """Write something of no meaning and read it back: whether both are possible is known
        once the transaction is committed. Safe to repeat; costs one row for ever.
        """
        ...

    def read(self, query: str, **params: Any) -> Iterator[Row]:
        """Run a named read-only query of ``queries/`` and give its rows, streaming."""
        ...

    def close(self) -> None:
        """Close the database. The store is of no use afterwards."""
        ...
