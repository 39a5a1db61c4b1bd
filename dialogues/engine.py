"""The conversation: ``start`` and ``step``.

Theory of operation. A session and an event go in; a session and effects come out. Nothing
else is read or written: no clock, no chance, no network, no store. ``step`` is total: any
event in any status gives a turn, and a repeated event changes nothing. Which statuses may
follow which is the table in ``transitions.py``.

What a person typed or pressed is bound to what they could see: a reply written before the
newest prompt was out belongs to the question before it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import assert_never

from dialogues import asking
from dialogues.effects import (
    DataRequested,
    EventRejected,
    PrivacyRequested,
    ResultsRequested,
    Turn,
)
from dialogues.events import (
    ChoicePressed,
    Event,
    Reminded,
    ReplyEdited,
    ReplyReceived,
    ReplyUnreadable,
    WaveClosed,
)
from dialogues.moves import Move
from dialogues.prompts import Press, read_token
from dialogues.replies import (
    Fits,
    Misfit,
    label_of,
    option_labels,
    read_reply,
)
from dialogues.session import Aside, Given, Missing, Part, Session, Status
from dialogues.survey import MultichoiceQuestion, Question, Survey, TextQuestion
from dialogues.words import Command, command_in, fold, means

__all__ = ["Opening", "start", "step"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """How a conversation begins.

    Attributes:
        session_id: A fresh id: a-z and 0-9, at most 24 characters.
        language: In which to speak; one that the survey lacks gives its default.
        slash: Whether commands are written with a slash here.
        waved: Whether a wave invites; else the person came by themselves.
        agreed_before: Whether they agreed to this survey's consent before.
        invited: Whether we write first; who comes by themselves needs no invitation.
        draw: Questions of the pool for this person; None for all.
        greeting: Said first, such as which cohort was joined; may be empty.
    """

    session_id: str
    event_id: str
    language: str
    slash: bool
    waved: bool
    agreed_before: bool = False
    invited: bool = False
    draw: tuple[str, ...] | None = None
    greeting: str = ""


def start(survey: Survey, opening: Opening, at: datetime) -> Turn:
    """Begin a conversation: ask for consent, or invite who agreed before.

    Somebody who agreed before and comes by themselves goes straight to the first question;
    in an anonymous survey everybody is asked anew.
    """
    language = opening.language if opening.language in survey.languages else survey.languages[0]
    session = Session(
        session_id=opening.session_id,
        survey_id=survey.survey_id,
        revision=survey.revision,
        language=language,
        slash=opening.slash,
        waved=opening.waved,
        status=Status.CONSENTING,
        turn=1,
        draw=opening.draw,
        agreed_before=opening.agreed_before and not survey.anonymous,
        last_event_id=opening.event_id,
    )
    move = _Step(survey, session, at)
    if session.agreed_before and not opening.invited:
        move.consent(lead=opening.greeting)
    else:
        move.show(asking.ask_consent(survey, session, lead=opening.greeting))
    return move.turn()


def step(survey: Survey, session: Session, event: Event) -> Turn:
    """Take one event.

    Args:
        survey: The revision that the session holds.
        session: As the last turn left it.
        event: What happened, with its time.

    Returns:
        The session after it, and what follows. A rejected event gives the same session and
        one ``EventRejected``.
    """
    if event.event_id == session.last_event_id:
        return Turn(session=session, effects=(EventRejected(reason="repeated"),))
    taken = replace(session, turn=session.turn + 1, last_event_id=event.event_id)
    move = _Step(survey, taken, event.at)
    match event:
        case ReplyReceived():
            move.reply(event)
        case ReplyEdited():
            move.edit(event)
        case ReplyUnreadable():
            move.unreadable()
        case ChoicePressed():
            move.press(read_token(event.token))
        case Reminded():
            move.remind(event)
        case WaveClosed():
            move.close_wave()
        case _:
            assert_never(event)
    if move.rejected is not None:
        return Turn(session=session, effects=(EventRejected(reason=move.rejected),))
    return move.turn()


#: Where a conversation ended so that its answers stand as they are.
_NOT_CHANGED = frozenset({Status.STOPPED, Status.CLOSED, Status.REFUSED})


class _Step(Move):
    """Tells what an event means, and makes the move."""

    def reply(self, event: ReplyReceived) -> None:
        """Take words: a command, an answer, or a word on something the bot asked."""
        session = self.session
        late = event.seen_turn is not None and event.seen_turn < session.shown
        current = self.current()
        open_question = isinstance(current, TextQuestion) and session.aside is None
        command = command_in(event.text, at_open_question=open_question)
        if command is not None and not self._is_option(current, event.text, command):
            self.command(command)
        elif (late and self._late(event)) or (
            session.aside is not None and self._answer_aside(event.text)
        ):
            pass
        elif session.status is Status.CONSENTING:
            self._reply_to_consent(event.text)
        elif session.status is Status.ASKING and current is not None:
            self._reply_to_question(current, event)
        elif session.status is Status.SUBMITTING:
            self._reply_to_submit(event.text)
        else:
            self.over()

    def _is_option(self, current: Question | None, text: str, command: Command) -> bool:
        """A word such as "next" or "finish" may be a choice of the question itself."""
        if current is None or text.strip().startswith("/") or self.session.aside is not None:
            return False
        if isinstance(current, MultichoiceQuestion) and self._ticked(text):
            return True
        if command in (Command.STOP, Command.FORGET):
            return False
        labels = option_labels(self.survey, current, self.session.language)
        return fold(text) in {fold(label) for label in labels}

    def _ticked(self, text: str) -> bool:
        """Whether the person says that the choices ticked so far are their answer."""
        return bool(self.session.selected) and means(text, "done")

    def _late(self, event: ReplyReceived) -> bool:
        """Take a reply that was written before the newest prompt could be seen.

        It goes on with the answer to the question that was seen then. False where it belongs
        to the current question after all.
        """
        seen = event.seen_turn or 0
        before = [asked for asked in self.session.asked if asked.turn <= seen]
        if not before:
            self.reject("stale")
            return True
        bound = max(before, key=lambda asked: asked.turn).question_id
        if bound == self.session.at:
            return False
        given = self.session.answer_to(bound)
        question = self.survey.by_id[bound]
        if given is None or self.session.status in _NOT_CHANGED:
            self.reject("stale")
        elif isinstance(question, TextQuestion) and given.value is not None:
            part = Part(position=event.position, text=event.text)
            self.change_text(question, (*given.parts, part))
        else:
            read = read_reply(self.survey, question, event.text, self.session.language)
            if isinstance(read, Misfit) or read.value == given.value:
                self.reject("stale")
            else:
                parts = (Part(position=event.position, text=event.text),)
                self.change(question, read.value, parts)
        return True

    def _answer_aside(self, text: str) -> bool:
        """Take the answer to a question of the bot's own; False lets the reply go on."""
        aside = self.session.aside
        if aside is None:
            return False
        self.session = replace(self.session, aside=None)
        if aside is Aside.FORGET:
            if means(text, "erase"):
                self.erase()
                return True
            if means(text, "keep"):
                self.keep()
                return True
            return False
        folded = fold(text)
        for language in self.survey.languages:
            if folded in (language, fold(asking.language_name(language))):
                self.speak(language)
                return True
        return False

    def _reply_to_consent(self, text: str) -> None:
        if means(text, "yes", "agree"):
            self.consent()
        elif means(text, "no", "decline", "not_now"):
            self.decline()
        elif means(text, "more"):
            self.show(asking.ask_more(self.survey, self.session))
        else:
            self.show(
                replace(
                    asking.ask_consent(self.survey, self.session),
                    text=self.lead("consent_again"),
                )
            )

    def _reply_to_question(self, question: Question, event: ReplyReceived) -> None:
        text = event.text
        if question.dont_know and means(text, "dont_know"):
            self.answer(question, None, (), missing=Missing.DONT_KNOW)
            return
        if isinstance(question, MultichoiceQuestion) and self._ticked(text):
            self.tick_done(question)
            return
        read = read_reply(self.survey, question, text, self.session.language)
        if isinstance(read, Fits):
            part = Part(position=event.position, text=text)
            self.answer(question, read.value, (part,))
        elif not isinstance(question, TextQuestion) and means(text, "dont_know"):
            self.ask_anew(question, "no_dont_know")
        else:
            self.ask_anew(question, read.key, **read.values)

    def _reply_to_submit(self, text: str) -> None:
        if means(text, "send", "yes"):
            self.submit()
        else:
            again = asking.ask_submit(self.session)
            self.show(replace(again, text=self.lead("submit_again")))

    def unreadable(self) -> None:
        """Take something that is not words."""
        current = self.current()
        if self.session.status.final:
            self.over()
        elif current is not None and current.options:
            self.show_again("not_words_choice")
        else:
            self.show_again("not_words")

    def command(self, command: Command) -> None:
        """Do what the person asks for."""
        aside = self.session.aside
        self.session = replace(self.session, aside=None)
        match command:
            case Command.START:
                self._come_back()
            case Command.STOP:
                self.stop()
            case Command.BACK:
                self.back()
            case Command.SKIP:
                self.skip()
            case Command.HELP:
                self.say("help")
            case Command.MYDATA:
                self.effects.append(DataRequested())
            case Command.RESULTS:
                self.effects.append(ResultsRequested())
            case Command.PRIVACY:
                self.effects.append(PrivacyRequested())
            case Command.FORGET:
                if aside is Aside.FORGET:
                    self.erase()
                else:
                    self.session = replace(self.session, aside=Aside.FORGET)
                    self.beside(asking.ask_forget(self.session))
            case Command.LANGUAGE:
                self._offer_languages()
            case _:
                assert_never(command)

    def _offer_languages(self) -> None:
        if len(self.survey.languages) == 1:
            self.say("language_only_one")
            return
        self.session = replace(self.session, aside=Aside.LANGUAGE)
        self.beside(asking.ask_language(self.survey, self.session))

    def _come_back(self) -> None:
        """Go on where the conversation was, also after stopping or saying no."""
        session = self.session
        if session.status is Status.STOPPED:
            if session.given or session.asked:
                self.session = replace(session, status=Status.ASKING)
                self.go_on(lead=self.lead("resumed"))
            else:
                self._consent_anew()
        elif session.status is Status.REFUSED:
            self._consent_anew()
        elif session.status.final:
            self.over()
        elif session.status is Status.CONSENTING:
            self.show(asking.ask_consent(self.survey, session))
        else:
            self.show_again("resumed")

    def _consent_anew(self) -> None:
        self.session = replace(self.session, status=Status.CONSENTING)
        self.show(asking.ask_consent(self.survey, self.session))

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
        if self.session.status.final:
            self.note("old_button_nothing")
        else:
            self.show_again("old_button")

    def _press_consent(self, key: str) -> None:
        if self.session.status is not Status.CONSENTING:
            self.reject("stale")
        elif key == "agree":
            self.consent()
        elif key == "decline":
            self.decline()
        elif key == "more":
            self.show(asking.ask_more(self.survey, self.session))
        else:
            self._stale_press()

    def _press_language(self, key: str) -> None:
        if key in self.survey.languages:
            self.speak(key)
        else:
            self._stale_press()

    def _press_forget(self, key: str) -> None:
        if self.session.aside is not Aside.FORGET:
            self._stale_press()
        elif key == "erase":
            self.erase()
        else:
            self.keep()

    def _press_submit(self, key: str) -> None:
        if self.session.status is not Status.SUBMITTING:
            self.reject("stale")
        elif key == "send":
            self.submit()
        else:
            self.back()

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
            value = _option(question, key)
            if value is None:
                self._stale_press()
            elif isinstance(question, MultichoiceQuestion):
                self.tick(question, value)
            else:
                self.answer(question, value, ())

    def _press_earlier(self, question: Question, key: str) -> None:
        """A press on a question that was passed changes its answer while that can be."""
        given = self.session.answer_to(question.id)
        value = _option(question, key)
        over = self.session.status in _NOT_CHANGED
        if given is None or over or value is None or isinstance(question, MultichoiceQuestion):
            if given is not None and not over and key in ("skip", "dk", "done"):
                self.reject("stale")
            else:
                self._stale_press()
        elif given.value == value:
            self.reject("stale")
        else:
            self.change(question, value, ())

    def edit(self, event: ReplyEdited) -> None:
        """Take an edited message as a change of the answer that it was."""
        for given in self.session.given:
            if any(part.position == event.position for part in given.parts):
                self._edit_answer(given, event)
                return
        self.reject("stale")

    def _edit_answer(self, given: Given, event: ReplyEdited) -> None:
        session = self.session
        question = self.survey.by_id[given.question_id]
        if session.status in _NOT_CHANGED:
            self.say("change_too_late")
        elif isinstance(question, TextQuestion) and event.text.strip():
            parts = tuple(
                replace(part, text=event.text) if part.position == event.position else part
                for part in given.parts
            )
            if parts == given.parts:
                self.reject("stale")
            else:
                self.change_text(question, parts)
        else:
            read = read_reply(self.survey, question, event.text, session.language)
            if isinstance(read, Fits):
                if read.value == given.value:
                    self.reject("stale")
                else:
                    part = Part(position=event.position, text=event.text)
                    self.change(question, read.value, (part,))
            else:
                label = label_of(self.survey, question, given.value or "", session.language)
                self.say("change_not_fitting", answer=label)


def _option(question: Question, key: str) -> str | None:
    """Give the value of the option that a button's key numbers; None when there is none."""
    options = question.options
    if not key.isdecimal() or len(key) > 4 or int(key) >= len(options):
        return None
    return options[int(key)].value
