"""What the store gives and takes: values, with no word about how they are kept.

What lives here: frozen values of the contract (``protocol.py``). What must not: rows or SQL
(``records.py``, ``queries/``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from dialogues.prompts import Prompt
from dialogues.session import Session
from storage.clock import Rhythm
from storage.reports.figures import WaveFigures

__all__ = [
    "Address",
    "Coverage",
    "InvitationCounts",
    "KeptResults",
    "Letter",
    "Note",
    "OutboxDepth",
    "Outgoing",
    "PaceSeen",
    "Receipt",
    "Respondent",
    "Retention",
    "Row",
    "StoredSession",
    "ToSend",
    "UntaggedAnswer",
    "Wave",
    "WaveState",
    "WorkerSeen",
    "Workload",
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

    @property
    def key(self) -> str:
        """Under which the turns of this person follow one another (``Writer``, ``hold``)."""
        return f"{self.channel}:{self.platform_id}"


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
        timezone: IANA name, for members who have none of their own.
        quiet_hours: Local (from, until) in minutes after midnight; None for none.
        opens_at: By the clock of its cohort; members further east are written to before.
        closes_at: None when only a hand closes it.
        rhythm: How it keeps to everyone's time.
        seed: Decides between questions that are covered alike; None in an anonymous survey,
            and where everybody is asked everything.
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
    rhythm: Rhythm
    seed: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToSend:
    """What is still to be sent of our own accord, on one channel.

    Attributes:
        due: Messages that may go now.
        later: Messages that wait for their person's hour.
        last_due_at: When the last of all may go.
    """

    channel: str
    due: int
    later: int
    last_due_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    """How many of a wave's people came again in the next.

    Attributes:
        before: The earlier wave's id.
        answered: Who answered it, at least in part.
        invited: Of these, who was invited again.
        again: Of these, who has answered again.
        entered: Who has answered the later wave and not the earlier one.
    """

    before: str
    answered: int
    invited: int
    again: int
    entered: int


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationCounts:
    """How a wave stands.

    Attributes:
        invited: Invitations in all, without those of people who were screened out: they were not
            asked after all, or the survey was not for them. The same people are meant below,
            save in the counts by disposition and by state.
        consented: Of them, people who agreed.
        by_disposition: Disposition to count; those not settled are ``unknown``.
        by_state: State to count.
        by_channel: Channel to count; empty for one that is not known any more.
        waiting: Messages of this wave not sent yet, replies too.
        to_send: Of these, what we send of our own accord, by channel.
        retention: Against the wave of the same pulse and cohort before it; None where there
            is none, or where an anonymous wave is not closed yet, so that nobody knows.
    """

    invited: int
    consented: int
    by_disposition: dict[str, int]
    by_state: dict[str, int]
    by_channel: dict[str, int]
    waiting: int
    to_send: tuple[ToSend, ...]
    retention: Retention | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """How often questions of a pool were drawn, by id; those that never were are left out.

    Attributes:
        wave: In the wave itself.
        before: In the other waves of the same pulse and cohort.
    """

    wave: Mapping[str, int]
    before: Mapping[str, int]


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
class PaceSeen:
    """How fast one worker may send for a bot.

    Attributes:
        share: Messages a second.
        halted_until: Nothing may be sent before; None where nothing is halted.
    """

    share: int
    halted_until: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How one claimed message ended.

    Attributes:
        outcome: ``sent``; ``retry`` (again at ``retry_at``); ``put_back`` (not tried at all);
            ``dead`` (given up: kept until it is tried again by hand, dropped or too old);
            ``gone`` (the person cannot be reached: this row and all others of theirs are
            dropped and the address is marked).
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
class Letter:
    """A message that was not sent, without what it says or to which address.

    Attributes:
        lane: 0 a reply, 1 a broadcast.
        state: ``pending``, ``claimed`` or ``dead``.
        due_at: When it is to go, or be tried again.
        dead_at: When it was given up; None where it was not.
        attempts: That failed or whose end is unknown.
        in_doubt: Whether it may have arrived all the same.
        error: A class of trouble: of the last attempt.
        retryable: Whether it was given up and can be tried again.
    """

    outbox_id: int
    respondent_id: str
    channel: str
    lane: int
    state: str
    wave_id: str | None
    due_at: datetime
    dead_at: datetime | None
    attempts: int
    in_doubt: bool
    error: str | None
    retryable: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class OutboxDepth:
    """How many messages of one channel, lane and state were not sent.

    Attributes:
        oldest_at: When the one that is due for longest fell due; may be to come.
    """

    channel: str
    lane: int
    state: str
    count: int
    oldest_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerSeen:
    """A program that is up, or was.

    Attributes:
        machine: Which machine, so that its processes can be told from those of another.
        process: Which process of it.
        seen_at: When it last said that it is up.
    """

    worker_id: str
    roles: frozenset[str]
    machine: str
    process: str
    seen_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class UntaggedAnswer:
    """A free-text answer that a model is to read.

    Attributes:
        language: None where it is withheld.
        read_before: Whether another model has read these words without trouble.
    """

    response_id: str
    question_id: str
    question: str
    language: str | None
    text: str
    read_before: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptResults:
    """What a closed wave said, as it was shown.

    Attributes:
        pictures: Language to id of the picture.
        told_after: The last person who was told of it, by pseudonym, or their neighbour
            before if they are erased; None once all were.
    """

    wave: Wave
    figures: WaveFigures
    pictures: Mapping[str, str]
    made_at: datetime
    told_after: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """What organisers answer to those whose words carry a code.

    Attributes:
        stance: None for all.
        waves: Closed waves of the cohort, the newest first.
        words: Language to text; under ``*`` what serves every other language.
        author: Who of the organisers.
        people: How many get it, as it may be told.
        told_after: As that of results.
    """

    note_id: str
    cohort: str
    enabler: str
    stance: str | None
    waves: tuple[str, ...]
    words: Mapping[str, str]
    author: str
    people: str
    made_at: datetime
    told_after: str | None = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """What there is to do: numbers, and nothing of anybody.

    Attributes:
        outbox: Messages that were not sent.
        n_untagged: Answers that no tagger has read.
        n_open_waves: Waves of the state ``open``.
    """

    outbox: tuple[OutboxDepth, ...]
    n_untagged: int
    n_open_waves: int
