"""What a press means, on whatever button of whatever message it was.

What lives here: telling a press on what is asked now from one on what was asked before. What
must not: words that were typed (``engine.py``), or the moves themselves (``moves.py``).
"""

from __future__ import annotations

from dataclasses import replace

from dialogues import asking
from dialogues.moves import BEGUN, NOT_CHANGED, Move
from dialogues.prompts import Press, Prompt
from dialogues.sector import Sector
from dialogues.session import Aside, Given, Missing, Status
from dialogues.survey import MultichoiceQuestion, Question

__all__ = ["Presses"]


class Presses(Move):
    """The moves that follow from a press."""

    def press(self, press: Press | None) -> None:
        """Take a press, on whatever button it was."""
        if press is None or press.session_id != self.session.session_id:
            self._stale_press()
        elif press.place == asking.CONSENT:
            self._press_consent(press.key)
        elif press.place == asking.LANGUAGE:
            self._press_language(press.key)
        elif press.place == asking.FORGET:
            self._press_forget(press.key)
        elif press.place == asking.SECTOR:
            self._press_sector(press.key)
        elif press.place == asking.SUBMIT:
            self._press_submit(press.key)
        else:
            question = self._at_place(press.place)
            if question is None:
                self._stale_press()
            elif question == self.current():
                self._press_current(question, press.key)
            else:
                self._press_earlier(question, press.key)

    def _at_place(self, place: str) -> Question | None:
        if not place.isdecimal() or len(place) > 4:
            return None
        index = int(place)
        return self.survey.questions[index] if index < len(self.survey.questions) else None

    def _stale_press(self) -> None:
        if self.session.status.final and not self.session.given:
            self.over()
        elif self.session.status.final:
            self.note("old_button_nothing")
        else:
            self.show_again("old_button")

    def _press_consent(self, key: str) -> None:
        status = self.session.status
        if key == "agree" and status in (Status.CONSENTING, Status.REFUSED):
            self.consent()
        elif key == "decline" and status is Status.CONSENTING:
            self.decline()
        elif key == "decline" and status in BEGUN and not self.session.agreed_before:
            self.stop()
        elif key == "more" and status is Status.CONSENTING:
            self.show(asking.ask_more(self.survey, self.session))
        elif key == "more":
            self.beside(Prompt(text=asking.ask_more(self.survey, self.session).text))
        elif (key == "agree" and status in BEGUN) or (
            key == "decline" and status is Status.REFUSED
        ):
            self.reject("stale")
        else:
            self._stale_press()

    def _press_language(self, key: str) -> None:
        if key == self.session.language and self.session.aside is not Aside.LANGUAGE:
            self.reject("stale")
        elif key in self.survey.languages:
            self.speak(key)
        else:
            self._stale_press()

    def _press_sector(self, key: str) -> None:
        known = key in [sector.value for sector in Sector]
        asked = self.session.aside is Aside.SECTOR
        ended = self.session.status in NOT_CHANGED
        if not known or not self.has_agreed() or (ended and not asked):
            self._stale_press()
        elif key == self.session.sector and not asked:
            self.reject("stale")
        else:
            self.place(Sector(key))

    def _press_forget(self, key: str) -> None:
        if self.session.aside is not Aside.FORGET:
            self._stale_press()
        elif key == "erase":
            self.erase()
        else:
            self.keep()

    def _press_submit(self, key: str) -> None:
        status = self.session.status
        self.session = replace(self.session, aside=None)
        if status is Status.SUBMITTING and key == "send":
            self.submit()
        elif status is Status.SUBMITTING:
            self.back()
        elif status is Status.ASKING and key == "send":
            self._stale_press()
        else:
            self.reject("stale")

    def _press_current(self, question: Question, key: str) -> None:
        self.session = replace(self.session, aside=None)
        if key == "skip":
            self.skip()
        elif key == "back":
            self.back()
        elif key == "dk" and question.dont_know:
            self.answer(question, None, (), missing=Missing.DONT_KNOW)
        elif key == "done" and isinstance(question, MultichoiceQuestion):
            self.tick_done(question)
        else:
            number, wanted = _tick(question, key)
            value = _option(question, number)
            if value is None:
                self._stale_press()
            elif isinstance(question, MultichoiceQuestion):
                self.tick(question, value, wanted)
            else:
                self.answer(question, value, ())

    def _press_earlier(self, question: Question, key: str) -> None:
        """A press on a question that was passed changes its answer while that can be."""
        given = self.session.answer_to(question.id)
        value = _option(question, key)
        missing = Missing.DONT_KNOW if key == "dk" and question.dont_know else None
        if self._pressed_twice(question, key, given):
            self.reject("stale")
        elif (
            given is None
            or (value is None and missing is None)
            or self.session.status in NOT_CHANGED
            or isinstance(question, MultichoiceQuestion)
        ):
            self._stale_press()
        elif (given.value, given.missing) == (value, missing):
            self.reject("stale")
        else:
            self.change(question, value, (), missing)

    def _pressed_twice(self, question: Question, key: str, given: Given | None) -> bool:
        """Whether the first of two quick presses has done already what this one asks for."""
        current = self.current()
        if key == "back" and current is not None:
            ids = [*self.survey.by_id]
            return ids.index(current.id) < ids.index(question.id)
        if given is None:
            return False
        if isinstance(question, MultichoiceQuestion):
            number, wanted = _tick(question, key)
            ticked = _option(question, number) in (given.value or "").split("|")
            if key == "done" or wanted is ticked:
                return True
        return key == "skip" and given.missing is Missing.SKIPPED


def _tick(question: Question, key: str) -> tuple[str, bool | None]:
    """Give the number in a button's key, and whether it is to be ticked; None where the key
    does not say so.
    """
    if not isinstance(question, MultichoiceQuestion) or key[-1:] not in {"+", "-"}:
        return key, None
    return key[:-1], key[-1] == "+"


def _option(question: Question, key: str) -> str | None:
    """Give the value of the option that a button's key numbers; None when there is none."""
    options = question.options
    if not key.isdecimal() or len(key) > 4 or int(key) >= len(options):
        return None
    return options[int(key)].value
