"""What is held of one person, as they may see it: values, with no word about how it is kept.

What lives here: the parts of a person's holdings. What must not: rows or SQL (``people.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from dialogues.coding import KeptCoding
from dialogues.disposition import Disposition
from dialogues.states import Cause, State
from storage.checking import CheckState
from storage.clock import Timing
from storage.values import Address, Respondent, StoredSession

__all__ = [
    "AnswerHeld",
    "ConsentHeld",
    "Holdings",
    "InvitationHeld",
    "ResponseHeld",
    "StateHeld",
    "UnsentHeld",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerHeld:
    """One answer, as its person may see it.

    Attributes:
        answered_at: None while there is none.
        n_edits: How often its person changed it.
        read_at: When people read it, to see what it says; oldest first.
    """

    question_id: str
    question: str
    value: str | None
    text: str
    missing: str | None
    asked_at: datetime
    answered_at: datetime | None
    n_edits: int
    codings: tuple[KeptCoding, ...]
    read_at: tuple[datetime, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseHeld:
    """One response, as its person may see it; its id is that of its session.

    Attributes:
        check: How it stands with asking them whether they were heard right; None where that is
            not done.
        check_at: When they were asked, or answered.
    """

    response_id: str
    survey_id: str
    revision: str
    wave_id: str | None
    started_at: datetime
    disposition: Disposition
    answers: tuple[AnswerHeld, ...]
    check: CheckState | None = None
    check_at: datetime | None = None


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
class StateHeld:
    """A step in the history of an invitation.

    Attributes:
        channel: On which the person is reached.
        reason: Why it was not sent; None elsewhere.
    """

    state: State
    at: datetime
    channel: str | None
    reason: Cause | None


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationHeld:
    """That somebody was asked to answer in a wave, and what came of it.

    Attributes:
        history: Oldest first; that it was made is not in it.
    """

    survey_id: str
    revision: str
    wave_id: str
    invited_at: datetime
    reminders: int
    disposition: Disposition
    disposition_at: datetime | None
    history: tuple[StateHeld, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnsentHeld:
    """That an invitation or reminder was not sent to somebody, and why.

    Attributes:
        number: 0 the invitation, else that of the reminder.
    """

    survey_id: str
    revision: str
    wave_id: str
    number: int
    reason: Cause
    noted_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holdings:
    """Everything that is held of one person.

    Attributes:
        opted_out_at: None while we may write of our own accord.
        unchecked: Whether they do not want to be asked what they think of our reading.
        memberships: Cohort and day of joining, by cohort.
        consents: Oldest first.
        invitations: Oldest first.
        sessions: The conversation that moved last first.
        responses: Newest first.
        timing: When they want to be written to.
        unsent: Oldest first.
    """

    respondent: Respondent
    address: Address
    joined_on: date
    opted_out_at: datetime | None
    unchecked: bool
    memberships: tuple[tuple[str, date], ...]
    consents: tuple[ConsentHeld, ...]
    invitations: tuple[InvitationHeld, ...]
    sessions: tuple[StoredSession, ...]
    responses: tuple[ResponseHeld, ...]
    timing: Timing
    unsent: tuple[UnsentHeld, ...]
