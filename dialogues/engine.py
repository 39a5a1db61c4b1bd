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
    PromptShown,
    ResultsRequested,
    TimingRequested,
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
from dialogues.moves import NOT_CHANGED
from dialogues.presses import Presses
from dialogues.prompts import read_token, renamed
from dialogues.replies import Fits, Misfit, option_labels, read_reply
from dialogues.sector import read_sector
from dialogues.session import Aside, Given, Missing, Part, Session, Status
from dialogues.survey import (
    MultichoiceQuestion,
    NumberQuestion,
    Question,
    Survey,
    TextQuestion,
)
from dialogues.words import TIMES, Command, command_in, fold, means, results_wanted, unknown_command

__all__ = ["Opening", "another", "start", "step"]


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
        ask_sector: Whether to ask who they answer as, after consent.
    """

    session_id: str
    event_id: str
    language: str
    slash: bool
    waved: bool
    agreed_before: bool = False
    invited: bool = False
    draw: tuple[str, ...] | None = None
    ask_sector: bool = False


def start(survey: Survey, opening: Opening, at: datetime) -> Turn:
    """Begin a conversation: ask for consent, or invite who agreed before.

    Somebody who agreed before and comes by themselves goes straight to the first question;
    in an anonymous survey everybody is asked anew.
    """
    session = Session(
        session_id=opening.session_id,
        survey_id=survey.survey_id,
        revision=survey.revision,
        language=_spoken(survey, opening.language),
        slash=opening.slash,
        waved=opening.waved,
        status=Status.CONSENTING,
        turn=1,
        draw=opening.draw,
        ask_sector=opening.ask_sector,
        agreed_before=opening.agreed_before and not survey.anonymous,
        last_event_id=opening.event_id,
    )
    move = _Step(survey, session, at)
    if session.agreed_before and not opening.invited:
        move.consent()
    else:
        move.show(asking.ask_consent(survey, session))
    return move.turn()


def another(turn: Turn, session_id: str) -> Turn:
    """Give the same first turn for another conversation: only its ids differ.

    Args:
        turn: As ``start`` gave it, with nothing but a prompt to show.
        session_id: As in ``Opening``.
    """
    shown = [one for one in turn.effects if isinstance(one, PromptShown)]
    effects = tuple(
        replace(one, prompt=renamed(one.prompt, turn.session.session_id, session_id))
        for one in shown
    )
    return Turn(session=replace(turn.session, session_id=session_id), effects=effects)


def _spoken(survey: Survey, wanted: str) -> str:
    """Give the survey's language that is wanted, or the nearest: ``en`` for ``en-GB``."""
    for language in (wanted, wanted.partition("-")[0].lower()):
        if language in survey.languages:
            return language
    return survey.default_language


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


class _Step(Presses):
    """Tells what an event means, and makes the move."""

    def reply(self, event: ReplyReceived) -> None:
        """Take words: a command, an answer, or a word on something the bot asked."""
        late = event.seen_turn is not None and event.seen_turn < self.session.shown
        current = self.current()
        open_question = isinstance(current, TextQuestion) and (
            self.session.aside in (None, Aside.TIMES)
        )
        command = command_in(event.text, at_open_question=open_question)
        if command is None and self.session.aside is Aside.TIMES:
            command = self._about_times(event.text)
        if command is not None and not self._is_option(current, event.text, command):
            self.command(command, event.text, seen=event.seen_turn if late else None)
        elif self.session.slash and unknown_command(event.text):
            self.say("unknown_command")
        elif not (late and self._late(event)) and (late or not self._answer_aside(event.text)):
            self.session = replace(self.session, aside=None)
            self._reply_to_survey(event)

    def _reply_to_survey(self, event: ReplyReceived) -> None:
        current = self.current()
        if self.session.status is Status.CONSENTING:
            self._reply_to_consent(event.text)
        elif self.session.status is Status.PLACING:
            self._reply_to_sector(event.text)
        elif current is not None:
            self._reply_to_question(current, event)
        elif self.session.status is Status.SUBMITTING:
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
        labels = {fold(one) for one in option_labels(self.survey, current, self.session.language)}
        if command in TIMES:
            # Its beginning says as much as a whole label that begins with "times".
            return any(label.startswith(fold(text)) for label in labels)
        return fold(text) in labels

    def _about_times(self, text: str) -> Command | None:
        """Take words for a command about times that were asked for just now."""
        command = command_in(text, at_open_question=False)
        return command if command in TIMES else None

    def _ticked(self, text: str) -> bool:
        """Whether the person says that the choices ticked so far are their answer."""
        return bool(self.session.selected) and means(text, "done")

    def _late(self, event: ReplyReceived) -> bool:
        """Take a reply that was written before the newest prompt could be seen.

        It goes on with the answer to the question that was seen then. False where it belongs
        to what is waited for after all.
        """
        session = self.session
        seen = event.seen_turn or 0
        bound = session.asked_by(seen)
        if session.status is Status.CONSENTING or (bound is not None and bound == session.at):
            return False
        given = None if bound is None else session.answer_to(bound)
        if session.status in NOT_CHANGED or (bound is None and means(event.text, "yes", "agree")):
            self.reject("stale")
        elif given is None:
            self._came_early()
        else:
            self._add_to(self.survey.by_id[given.question_id], given, event)
        return True

    def _add_to(self, question: Question, given: Given, event: ReplyReceived) -> None:
        """Take one more message on a question that was just answered."""
        part = Part(position=event.position, text=event.text)
        read = self._read(question, event.text)
        empty = isinstance(read, Misfit) and read.key == "text_empty"
        if empty or (isinstance(question, TextQuestion) and given.holds(event.text)):
            self.reject("stale")
        elif isinstance(question, TextQuestion):
            self.change_text(question, (*given.parts, part))
        elif isinstance(read, Misfit):
            self._came_early()
        elif read == (given.value, given.missing):
            self.reject("stale")
        else:
            self.change(question, read[0], (part,), read[1])

    def _came_early(self) -> None:
        """Say that a message was not counted, so that nothing is lost without a word."""
        if self.session.status.final:
            self.over()
        else:
            self.show_again("came_early")

    def _read(self, question: Question, text: str) -> tuple[str | None, Missing | None] | Misfit:
        """Read words as (value, why there is none) of a question."""
        dont_know = means(text, "dont_know")
        if isinstance(question, TextQuestion) and dont_know and question.dont_know:
            return None, Missing.DONT_KNOW
        read = read_reply(self.survey, question, text, self.session.language)
        if isinstance(read, Fits):
            return read.value, None
        if dont_know and question.dont_know:
            return None, Missing.DONT_KNOW
        return Misfit(key="no_dont_know") if dont_know and not question.required else read

    def _answer_aside(self, text: str) -> bool:
        """Take the answer to a question of the bot's own; False lets the reply go on."""
        if self.session.aside is Aside.FORGET:
            if means(text, "erase"):
                self.erase()
            elif means(text, "keep", "no"):
                self.keep()
            elif means(text, "yes", "agree"):
                # Erasing cannot be undone, so a mere "ok" is asked again.
                self.ask_aside(asking.ask_forget(self.session), Aside.FORGET)
            else:
                return False
            return True
        if self.session.aside is Aside.SECTOR and self.has_agreed():
            sector = read_sector(self.survey, text, self.session.language)
            if not isinstance(sector, Misfit):
                self.place(sector)
                return True
        if self.session.aside is Aside.LANGUAGE:
            language = asking.language_called(self.survey, text)
            if language is not None:
                self.speak(language)
                return True
        return False

    def _reply_to_consent(self, text: str) -> None:
        language = asking.language_called(self.survey, text)
        if means(text, "yes", "agree"):
            self.consent()
        elif means(text, "no", "decline", "not_now"):
            self.decline()
        elif means(text, "more"):
            self.show(asking.ask_more(self.survey, self.session))
        elif language is not None:
            # Who reads no English could not read the question either.
            self.speak(language)
        else:
            self.show(asking.ask_consent_again(self.survey, self.session, "consent_again"))

    def _reply_to_sector(self, text: str) -> None:
        sector = read_sector(self.survey, text, self.session.language)
        if isinstance(sector, Misfit):
            self.place_anew(sector)
        else:
            self.place(sector)

    def _reply_to_question(self, question: Question, event: ReplyReceived) -> None:
        if isinstance(question, MultichoiceQuestion) and means(event.text, "done"):
            self.tick_done(question)
            return
        read = self._read(question, event.text)
        if isinstance(read, Misfit):
            self.ask_anew(question, read.key, **read.values)
        else:
            part = Part(position=event.position, text=event.text)
            self.answer(question, read[0], (part,), missing=read[1])

    def _reply_to_submit(self, text: str) -> None:
        if means(text, "send", "yes"):
            self.submit()
        else:
            self.ask_to_send_again()

    def unreadable(self) -> None:
        """Take something that is not words."""
        current = self.current()
        typed = isinstance(current, TextQuestion | NumberQuestion) and self.session.aside is None
        if self.session.status.final:
            self.over()
        elif self.session.status is Status.CONSENTING and self.session.aside is None:
            again = asking.ask_consent_again(self.survey, self.session, "not_words_choice")
            self.show(again)
        else:
            self.show_again("not_words" if typed else "not_words_choice", hint=False)

    def command(self, command: Command, text: str, *, seen: int | None) -> None:
        """Do what the person asks for.

        Args:
            command: What it is.
            text: How they said it.
            seen: Turn of the newest prompt they could see, if a newer one stands: a skip, a
                second back or a second forget counts only for what was seen.
        """
        if seen is not None and self._came_before(command, seen):
            self.reject("stale")
            return
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
                self.effects.append(ResultsRequested(wanted=results_wanted(text)))
            case Command.PRIVACY:
                self.effects.append(PrivacyRequested())
            case Command.FORGET:
                if aside is Aside.FORGET:
                    self.erase()
                else:
                    self.ask_aside(asking.ask_forget(self.session), Aside.FORGET)
            case Command.LANGUAGE:
                self._offer_languages()
            case Command.ROLE:
                self._ask_role()
            case Command.TIMES | Command.PAUSE | Command.RESUME:
                self.effects.append(TimingRequested(said=text))
                if isinstance(self.current(), TextQuestion):
                    self.session = replace(self.session, aside=Aside.TIMES)
            case _:
                assert_never(command)

    def _came_before(self, command: Command, seen: int) -> bool:
        if command is Command.BACK:
            return self.session.went_back(seen)
        again = command is Command.FORGET and self.session.aside is Aside.FORGET
        return again or command is Command.SKIP

    def _offer_languages(self) -> None:
        if len(self.survey.languages) == 1:
            name = asking.language_name(self.survey.default_language)
            self.say("language_only_one", language=name)
        else:
            self.ask_aside(asking.ask_language(self.survey, self.session), Aside.LANGUAGE)

    def _ask_role(self) -> None:
        status = self.session.status
        if status is Status.CONSENTING:
            self.show(asking.ask_consent_again(self.survey, self.session, "consent_again"))
        elif status is Status.PLACING:
            self.show(asking.ask_sector(self.session))
        elif self.has_agreed():
            again = asking.ask_sector(self.session, key="sector_ask_again")
            self.ask_aside(again, Aside.SECTOR)
        else:
            self.say("sector_later")

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
        elif session.status is Status.CONSENTING and session.agreed_before:
            self.consent()
        elif session.status is Status.CONSENTING:
            self.show(asking.ask_consent(self.survey, session))
        else:
            self.show_again("resumed")

    def _consent_anew(self) -> None:
        self.session = replace(self.session, status=Status.CONSENTING)
        self.show(asking.ask_consent(self.survey, self.session))

    def edit(self, event: ReplyEdited) -> None:
        """Take an edited message as a change of the answer that it was."""
        for given in self.session.given:
            if any(part.position == event.position for part in given.parts):
                self._edit_answer(given, event)
                return
        current = self.current()
        if current is not None and self._mends_misfit(event.position):
            part = Part(position=event.position, text=event.text)
            read = self._read(current, event.text)
            if not isinstance(read, Misfit):
                self.answer(current, read[0], (part,), missing=read[1])
                return
        if self.survey.anonymous and self.session.status is Status.COMPLETE:
            self.say("change_anonymous")
        else:
            self.reject("stale")

    def _mends_misfit(self, position: str) -> bool:
        """Whether an edited message can be the reply that did not fit the current question."""
        places = [part.position for given in self.session.given for part in given.parts]
        edited = (len(position), position)
        later = all((len(place), place) < edited for place in places if place is not None)
        return later and self.session.attempts > 0

    def _edit_answer(self, given: Given, event: ReplyEdited) -> None:
        question = self.survey.by_id[given.question_id]
        parts = tuple(
            replace(part, text=event.text) if part.position == event.position else part
            for part in given.parts
        )
        read = self._read(question, event.text)
        if self.session.status is Status.STOPPED:
            self.say("change_stopped")
        elif self.session.status in NOT_CHANGED:
            self.say("change_too_late")
        elif isinstance(read, Misfit) and read.key == "too_long":
            self.say(read.key, **read.values)
        elif isinstance(read, Misfit):
            self.say("change_not_fitting", answer=self.said(question, given))
        elif parts == given.parts:
            self.reject("stale")
        elif isinstance(question, TextQuestion) and (read[1] is None or len(parts) > 1):
            self.change_text(question, parts)
        elif read == (given.value, given.missing) and self.current() != question:
            self.reject("stale")
        else:
            self.change(question, read[0], parts[-1:], read[1])
