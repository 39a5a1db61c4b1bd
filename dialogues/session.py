"""The conversation under one invitation: the engine's value.

What lives here: what survives from turn to turn. What must not: how it moves
(``engine.py``, ``transitions.py``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

__all__ = ["Aside", "Asked", "Given", "Missing", "Part", "Session", "Status"]


class Status(StrEnum):
    """Where a conversation stands. The last four are final."""

    CONSENTING = "consenting"
    PLACING = "placing"
    ASKING = "asking"
    SUBMITTING = "submitting"
    COMPLETE = "complete"
    STOPPED = "stopped"
    REFUSED = "refused"
    CLOSED = "closed"

    @property
    def final(self) -> bool:
        """Whether the conversation is over."""
        return self in _FINAL


_FINAL = frozenset({Status.COMPLETE, Status.STOPPED, Status.REFUSED, Status.CLOSED})


class Aside(StrEnum):
    """A question of the bot's own that waits before the survey goes on; ``times`` only that
    they were told what to type, so that it is no answer to an open question.
    """

    LANGUAGE = "language"
    FORGET = "forget"
    SECTOR = "sector"
    TIMES = "times"


class Missing(StrEnum):
    """Why a question that was offered has no value."""

    NOT_ANSWERED = "not_answered"
    SKIPPED = "skipped"
    DONT_KNOW = "dont_know"
    NOT_APPLICABLE = "not_applicable"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One message that an open answer was given in.

    Attributes:
        position: Where it stands in the chat (the channel's own sortable string); None
            where the channel has none.
        text: The words as received.
    """

    position: str | None
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """The answer to one question as it stands.

    Attributes:
        value: As stored (design section 10); None where ``missing`` says why.
        parts: The messages it was given in, oldest first; empty for a press.
        missing: Why there is no value; None where there is one.
    """

    question_id: str
    value: str | None
    parts: tuple[Part, ...] = ()
    missing: Missing | None = None

    @property
    def text(self) -> str:
        """The raw words; several messages are joined by a line break."""
        return "\n".join(part.text for part in self.parts)

    def holds(self, text: str) -> bool:
        """Whether one of its messages says just this, however it is spaced or capitalised."""
        return _bare(text) in {_bare(part.text) for part in self.parts}


def _bare(text: str) -> str:
    return " ".join(text.casefold().split())


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A question that was shown, and the turn and time at which its turn came (last)."""

    question_id: str
    turn: int
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A conversation.

    Attributes:
        session_id: a-z and 0-9, at most 24 characters; comes from the edge.
        revision: Of the survey that this conversation holds.
        language: In which the person is spoken to.
        slash: Whether commands are written with a slash here (Telegram).
        waved: Whether a wave invited to it; outside a wave it is an open check-in.
        turn: Counts steps that changed something; 0 before the start.
        at: Question that is waited for; None when none is.
        asked: Every question shown, in the order first shown.
        given: The answers as they stand, in the order first given.
        selected: Choices ticked so far at a multichoice question.
        shown: Turn of the newest prompt that asks for something.
        agreed_before: Whether the person agreed to this consent in an earlier session.
        attempts: Replies to the current question that did not fit.
        aside: What the bot itself asks before the survey goes on.
        draw: Questions of the pool that this person is asked; None means all.
        ask_sector: Whether the person is to be asked who they answer as, after consent.
        sector: What they said to it here; None while they have not.
        last_event_id: The newest event that was taken; a repeat of it changes nothing.
    """

    session_id: str
    survey_id: str
    revision: str
    language: str
    slash: bool
    waved: bool
    status: Status
    turn: int
    at: str | None = None
    asked: tuple[Asked, ...] = ()
    given: tuple[Given, ...] = ()
    selected: tuple[str, ...] = ()
    shown: int = 0
    agreed_before: bool = False
    attempts: int = 0
    aside: Aside | None = None
    draw: tuple[str, ...] | None = None
    ask_sector: bool = False
    sector: str | None = None
    last_event_id: str | None = None

    def asked_by(self, turn: int) -> str | None:
        """Give the question that was asked last up to a turn; None when none was."""
        before = [asked for asked in self.asked if asked.turn <= turn]
        return max(before, key=lambda asked: asked.turn).question_id if before else None

    def went_back(self, turn: int) -> bool:
        """Whether what is waited for was answered before and has been put again since a turn."""
        if self.at is None or self.asked_by(turn) == self.at:
            return False
        return self.answer_to(self.at) is not None

    def answer_to(self, question_id: str) -> Given | None:
        """Give the answer to a question as it stands; None when there is none."""
        for given in self.given:
            if given.question_id == question_id:
                return given
        return None
