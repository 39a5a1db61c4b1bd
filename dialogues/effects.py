"""What follows from an event: the closed union ``Effect``.

Records are saved in the turn's transaction. Requests ask the shell for something that the
dialogue cannot know. Of the outbound there is at most one message a turn; it goes into the
outbox in the same transaction and is sent after the commit.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from dialogues.disposition import Disposition
from dialogues.prompts import Prompt
from dialogues.session import Missing, Session

__all__ = [
    "AnswerRecorded",
    "ConsentRecorded",
    "DataRequested",
    "DispositionSet",
    "Effect",
    "ErasureRequested",
    "EventRejected",
    "LanguageChosen",
    "OptedOut",
    "PrivacyRequested",
    "PromptShown",
    "QuestionOffered",
    "ResponseDropped",
    "ResponseSubmitted",
    "ResultsRequested",
    "SectorGiven",
    "TimingRequested",
    "Turn",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsentRecorded:
    """The person agreed, so a response begins; from here on words may be kept."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionOffered:
    """A question was put to the person for the first time."""

    question_id: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerRecorded:
    """An answer was given, changed or skipped.

    Attributes:
        question: The question's words as this person saw them, piping filled in.
        value: As stored (design section 10); None where ``missing`` says why.
        text: The raw words; empty for a press.
        edited: Whether an earlier answer of theirs is superseded.
    """

    question_id: str
    question: str
    value: str | None
    text: str
    missing: Missing | None
    at: datetime
    edited: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DispositionSet:
    """The outcome of the invitation changed."""

    disposition: Disposition
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseSubmitted:
    """The response is handed in; one of an anonymous survey is cut loose here."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class ResponseDropped:
    """What was said so far is thrown away: an anonymous response that was never handed in."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class LanguageChosen:
    """The person wants to be spoken to in this language."""

    language: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SectorGiven:
    """The person said who they answer as.

    Attributes:
        sector: ``state``, ``civil_society``, ``business``, ``citizen``, or ``undisclosed``
            where they would rather not say.
        role: ``citizen`` or ``partner``, as it follows; None where it stays as it is.
    """

    sector: str
    role: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OptedOut:
    """The person withdrew: nothing is sent until they write again."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class DataRequested:
    """The person wants to see what is held of them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultsRequested:
    """The person wants to see the results of closed waves.

    Attributes:
        wanted: Which, as they said: a number, a date, or what a button carries; empty for the
            newest.
    """

    wanted: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TimingRequested:
    """The person wants to see or change when they are written to, or to pause.

    Attributes:
        said: The whole command, as they typed it or as a button carries it.
    """

    said: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PrivacyRequested:
    """The person wants to know who runs this and what is kept."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ErasureRequested:
    """The person confirmed that everything of theirs is to be erased."""

    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PromptShown:
    """A message to the person.

    Attributes:
        in_place: Whether it replaces the newest prompt where the channel can do so.
        lasting: Whether it is sent even when a later turn has overtaken it.
    """

    prompt: Prompt
    in_place: bool = False
    lasting: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class EventRejected:
    """The event changes nothing here.

    Attributes:
        reason: ``repeated``, ``stale`` or ``over``; for counting, never shown.
    """

    reason: str


Effect = (
    ConsentRecorded
    | QuestionOffered
    | AnswerRecorded
    | DispositionSet
    | ResponseSubmitted
    | ResponseDropped
    | LanguageChosen
    | SectorGiven
    | OptedOut
    | DataRequested
    | ResultsRequested
    | TimingRequested
    | PrivacyRequested
    | ErasureRequested
    | PromptShown
    | EventRejected
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One step: the session after it and what follows, in order."""

    session: Session
    effects: tuple[Effect, ...]
