"""A step in the making: the session as it stands, what follows so far, and what is shown.

What lives here: putting and saying things. What must not: any other change of a session
(``moves.py``), or the words (``asking.py``).
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from dialogues import asking
from dialogues.effects import Effect, PromptShown, Turn
from dialogues.prompts import Prompt
from dialogues.session import Aside, Session, Status
from dialogues.survey import Question, Survey

__all__ = ["Showing"]


class Showing:
    """One step in the making: the session as it stands and the effects so far."""

    def __init__(self, survey: Survey, session: Session, at: datetime) -> None:
        self.survey = survey
        self.session = session
        self.at = at
        self.effects: list[Effect] = []
        self.rejected: str | None = None

    def turn(self) -> Turn:
        """Give the step as it came out."""
        return Turn(session=self.session, effects=tuple(self.effects))

    def show(self, prompt: Prompt, *, in_place: bool = False) -> None:
        """Show what the conversation now waits for."""
        self.session = replace(self.session, shown=self.session.turn)
        self.effects.append(PromptShown(prompt=prompt, in_place=in_place))

    def ask_aside(self, prompt: Prompt, aside: Aside) -> None:
        """Ask something of the bot's own, before the survey goes on."""
        self.session = replace(self.session, aside=aside, shown=self.session.turn)
        self.effects.append(PromptShown(prompt=prompt, lasting=True))

    def say(self, key: str, **values: object) -> None:
        """Say a sentence beside the survey; what is waited for stays as it was."""
        prompt = asking.note(self.session, key, **values)
        self.effects.append(PromptShown(prompt=prompt, lasting=True))

    def note(self, key: str, **values: object) -> None:
        """Say a sentence that ends something."""
        self.show(asking.note(self.session, key, **values))

    def lead(self, key: str, **values: object) -> str:
        """Give a sentence to stand before a prompt."""
        return asking.note(self.session, key, **values).text

    def show_again(self, key: str, *, hint: bool = True, **values: object) -> None:
        """Put again what is waited for, with a sentence before it."""
        lead = self.lead(key, **values)
        again = asking.ask_again(self.survey, self.session, lead=lead, hint=hint)
        if again is None:
            self.note(key, **values)
        else:
            self.show(again)

    def reject(self, reason: str) -> None:
        """Change nothing, for this reason."""
        self.rejected = reason

    def current(self) -> Question | None:
        """The question that is waited for."""
        session = self.session
        if session.status is not Status.ASKING or session.at is None:
            return None
        return self.survey.by_id.get(session.at)

    def beside(self, prompt: Prompt) -> None:
        """Show something beside the survey; what is waited for stays as it was."""
        self.effects.append(PromptShown(prompt=prompt, lasting=True))
