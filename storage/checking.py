"""The store's contract about member checks: people who are asked whether what was made of their
own words is right. The values of its verbs, too.

A part of ``protocol.py``, where all that holds for every verb stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from dialogues.coding import Coding, Said
from dialogues.prompts import Prompt
from storage.clock import Window
from storage.values import Respondent

__all__ = ["Asking", "CheckState", "Checking", "Heard", "ToCheck"]

#: ``waiting`` for the words to be read, ``asked``, ``done``, or ``off``: not asked (any more).
CheckState = Literal["waiting", "asked", "done", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToCheck:
    """A response whose person may be asked.

    Attributes:
        since: When it was complete.
    """

    response_id: str
    respondent_id: str
    survey_id: str
    revision: str
    wave_id: str | None
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """An answer, and what is made of it.

    Attributes:
        place: Of its question in the survey, from 0.
        question: As its person saw it.
        text: As kept; places of codings count in it.
        suggested: What the tagger makes of it that read it last, by place in the text.
        body: What its person makes of it so far, as it was given to ``keep_heard``; empty
            where they were not asked.
    """

    question_id: str
    place: int
    question: str
    text: str
    suggested: tuple[Coding, ...] = ()
    body: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """That somebody was asked.

    Attributes:
        heard: What they were asked about, by place; an answer that changed since is left out.
    """

    response_id: str
    respondent_id: str
    state: CheckState
    heard: tuple[Heard, ...]


class Checking(Protocol):
    """The verbs about member checks. That a complete response waits for its check is noted by
    ``commit_turn``.
    """

    def waiting_checks(self, *, overdue: datetime, after: str, limit: int) -> list[ToCheck]:
        """Give responses that wait for their check and whose words were all read, or that were
        complete before ``overdue``; by response_id, those after ``after``.
        """
        ...

    def answers_to_check(self, response_id: str) -> list[Heard]:
        """Give the answers of a response that a tagger has read, by place."""
        ...

    def move_check(
        self, response_id: str, state: CheckState, *, at: datetime, before: CheckState | None = None
    ) -> bool:
        """Note how a check stands; False where it was not ``before`` (None: anything). What is
        off keeps nothing of what its person made of the answers, and is not sent any more.
        """
        ...

    def asking(self, response_id: str) -> Asking | None:
        """Give a check; None when there is none."""
        ...

    def was_asked(self, respondent_id: str) -> bool:
        """Whether a person was ever asked."""
        ...

    def keep_heard(self, response_id: str, heard: Heard, body: str) -> bool:
        """Keep what a person makes of an answer; False when its words have changed, or it is gone.

        Args:
            response_id: Its response.
            heard: The answer.
            body: Places in the words, and no words.
        """
        ...

    def save_heard(
        self,
        response_id: str,
        heard: Heard,
        codings: Sequence[tuple[Coding, Said]],
        *,
        coding_ids: Sequence[str],
        at: datetime,
    ) -> bool:
        """Save what a person says of an answer, beside what others do, in place of what they said
        before; False when its words have changed, or it is gone. The same again changes nothing.
        """
        ...

    def show_check(
        self,
        respondent: Respondent,
        response_id: str,
        prompt: Prompt,
        *,
        window: Window,
        lane: int,
        in_place: bool,
    ) -> None:
        """Put what a person is shown of a check into the outbox. It takes the place of what they
        were shown of it before, and stands beside every conversation.
        """
        ...

    def set_checks(self, respondent_id: str, wanted: bool) -> None:
        """Note whether a person may be asked."""
        ...

    def wants_checks(self, respondent_id: str) -> bool:
        """Whether a person may be asked, as far as they said."""
        ...
