"""The moves of a conversation: what an answer, a skip, a stop or a change does.

What lives here: every change of a session and every effect, as methods of ``Move``. What
must not: telling what the person meant (``engine.py``), or the words (``asking.py``).
"""

from __future__ import annotations

from dataclasses import replace

from dialogues import asking, messages
from dialogues.disposition import Disposition, outcome
from dialogues.effects import (
    AnswerRecorded,
    ConsentRecorded,
    DispositionSet,
    ErasureRequested,
    LanguageChosen,
    OptedOut,
    QuestionOffered,
    ResponseDropped,
    ResponseSubmitted,
    SectorGiven,
)
from dialogues.events import Reminded
from dialogues.prompts import Prompt
from dialogues.replies import MAX_TEXT, Misfit, check_choices, label_of
from dialogues.routing import applies, next_question, path, question_before, quoted, shortened
from dialogues.sector import Sector, role_of, sector_label
from dialogues.session import Asked, Given, Missing, Part, Status
from dialogues.showing import Showing
from dialogues.survey import MultichoiceQuestion, Question, TextQuestion

__all__ = ["BEGUN", "MAX_ATTEMPTS", "NOT_CHANGED", "Move"]

#: Replies that do not fit before a question that may be skipped is left.
MAX_ATTEMPTS = 4


#: Where a conversation ended so that its answers stand as they are.
NOT_CHANGED = frozenset({Status.STOPPED, Status.CLOSED, Status.REFUSED})

#: Where a person who agreed is being asked, and the response is not handed in.
BEGUN = frozenset({Status.PLACING, Status.ASKING, Status.SUBMITTING})


class Move(Showing):
    """What each step does to the conversation."""

    def consent(self) -> None:
        """The person agrees: the response begins."""
        self.effects.append(ConsentRecorded(at=self.at))
        if self.session.ask_sector:
            self.session = replace(self.session, status=Status.PLACING, attempts=0)
            self.show(asking.ask_sector(self.session))
        else:
            self._begin()

    def _begin(self, lead: str = "") -> None:
        """Ask the first question."""
        self.session = replace(
            self.session, status=Status.ASKING, ask_sector=False, attempts=0, aside=None
        )
        intro = asking.own_words(self.survey, self.session, self.survey.intro)
        self.go_on(lead="\n\n".join(part for part in (lead, intro) if part))

    def place(self, sector: Sector) -> None:
        """Take who the person answers as; where they were asked for it first, go on."""
        placing = self.session.status is Status.PLACING
        self.session = replace(self.session, sector=sector.value, aside=None)
        self.effects.append(SectorGiven(sector=sector.value, role=role_of(sector)))
        label = sector_label(sector, self.session.language)
        if placing:
            self._begin(self.lead("chosen", answer=label))
        else:
            self.show_again("sector_set", sector=label)

    def place_anew(self, misfit: Misfit) -> None:
        """Say why a reply tells no sector and ask again; go on without after several tries."""
        self.session = replace(self.session, attempts=self.session.attempts + 1)
        if self.session.attempts < MAX_ATTEMPTS:
            lead = self.lead(misfit.key, **misfit.values)
            self.show(asking.ask_sector(self.session, lead=lead, key="sector_ask_again"))
        else:
            self._begin(self.lead("many_tries"))

    def has_agreed(self) -> bool:
        """Whether the person agreed in this conversation, so that their words may be kept."""
        session = self.session
        if session.status in (Status.CONSENTING, Status.REFUSED):
            return False
        return session.status in BEGUN or session.status is Status.COMPLETE or bool(session.asked)

    def decline(self) -> None:
        """The person says no; nothing of theirs was kept."""
        self.session = replace(self.session, status=Status.REFUSED)
        refusal = DispositionSet(disposition=Disposition.REFUSAL, at=self.at)
        self.effects.append(refusal)
        self.note("not_now" if self.session.agreed_before else "declined")

    def answer(
        self,
        question: Question,
        value: str | None,
        parts: tuple[Part, ...],
        *,
        missing: Missing | None = None,
        lead: str | None = None,
    ) -> None:
        """Keep the answer to the current question and go on."""
        self.record(question, value, parts, missing)
        self.session = replace(self.session, attempts=0, selected=(), at=None)
        self.go_on(lead=self._chosen(question, value, missing) if lead is None else lead)

    def _chosen(self, question: Question, value: str | None, missing: Missing | None) -> str:
        """Say what was taken, unless the next question quotes it anyway."""
        following = next_question(self.survey, self.session)
        if following is not None and question.id in quoted(self.survey, self.session, following):
            return ""
        if missing is Missing.DONT_KNOW:
            return self.lead("chosen_dont_know")
        if missing is Missing.SKIPPED:
            return self.lead("chosen_skip")
        if value is None or isinstance(question, TextQuestion):
            return self.lead("chosen_text")
        label = label_of(self.survey, question, value, self.session.language)
        return self.lead("chosen", answer=label)

    def record(
        self,
        question: Question,
        value: str | None,
        parts: tuple[Part, ...],
        missing: Missing | None,
    ) -> None:
        """Note an answer in the session, in the place of an earlier one, and for the store."""
        given = Given(question_id=question.id, value=value, parts=parts, missing=missing)
        edited = self.session.answer_to(question.id) is not None
        words = asking.question_words(self.survey, self.session, question)
        before = self.session.given
        now = [given if one.question_id == question.id else one for one in before]
        self.session = replace(self.session, given=tuple(now) if edited else (*before, given))
        self.effects.append(
            AnswerRecorded(
                question_id=question.id,
                question=words,
                value=value,
                text=given.text,
                missing=missing,
                at=self.at,
                edited=edited,
            )
        )

    def go_on(self, *, lead: str = "") -> None:
        """Drop answers that no longer apply, then ask the next question or end."""
        lead = self._retract(lead)
        question = next_question(self.survey, self.session)
        if question is not None:
            self.ask(question, lead=lead)
        elif self.survey.anonymous:
            self.session = replace(self.session, status=Status.SUBMITTING, at=None)
            self.show(asking.ask_submit(self.session, lead=lead))
        else:
            self._finish(lead)

    def _retract(self, lead: str) -> str:
        """Take out answers whose question does not apply any more.

        Returns:
            ``lead``, and a word on it where something that the person said is taken out.
        """
        gone = self._inapplicable()
        said = False
        while gone is not None:
            said |= gone.value is not None
            self.record(self.survey.by_id[gone.question_id], None, (), Missing.NOT_APPLICABLE)
            others = (one for one in self.session.given if one.question_id != gone.question_id)
            self.session = replace(self.session, given=tuple(others))
            gone = self._inapplicable()
        return "\n".join((lead, self.lead("taken_out"))).strip() if said else lead

    def _inapplicable(self) -> Given | None:
        for given in self.session.given:
            question = self.survey.by_id[given.question_id]
            if not applies(self.survey, self.session, question):
                return given
        return None

    def ask(self, question: Question, *, lead: str) -> None:
        """Put a question now."""
        session = self.session
        first = all(asked.question_id != question.id for asked in session.asked)
        asked = Asked(question_id=question.id, turn=session.turn, at=self.at)
        again = [asked if one.question_id == question.id else one for one in session.asked]
        was = session.answer_to(question.id)
        selected: tuple[str, ...] = ()
        if was is not None and was.value is not None and isinstance(question, MultichoiceQuestion):
            selected = tuple(was.value.split("|"))
        self.session = replace(
            session,
            status=Status.ASKING,
            at=question.id,
            asked=(*session.asked, asked) if first else tuple(again),
            attempts=0,
            selected=selected,
        )
        if first:
            self.effects.append(QuestionOffered(question_id=question.id, at=self.at))
        self.show(asking.ask_question(self.survey, self.session, question, lead=lead))

    def ask_anew(self, question: Question, key: str, **values: object) -> None:
        """Say why a reply did not fit and ask again; leave a question after several tries."""
        attempts = self.session.attempts + 1
        self.session = replace(self.session, attempts=attempts)
        if attempts < MAX_ATTEMPTS or question.required:
            self.show_again(key, hint=False, **values)
        elif self.session.answer_to(question.id) is not None:
            self.go_on(lead=self.lead("many_tries"))
        else:
            self.answer(
                question, None, (), missing=Missing.NOT_ANSWERED, lead=self.lead("many_tries")
            )

    def submit(self) -> None:
        """Hand in an anonymous response."""
        self._finish(self.lead("submitted_anonymous"))

    def _finish(self, lead: str) -> None:
        self.settle(reached_end=True)
        self.session = replace(self.session, status=Status.COMPLETE, at=None)
        self.effects.append(ResponseSubmitted(at=self.at))
        thanks = asking.own_words(self.survey, self.session, self.survey.thanks)
        thanks = thanks or messages.say("thanks", self.session.language)
        self.show(Prompt(text="\n\n".join(part for part in (lead, thanks) if part)))
        if self.survey.anonymous:
            # What was handed in is nobody's any more, so the conversation keeps none of it.
            self.session = replace(
                self.session, given=(), asked=(), selected=(), draw=None, sector=None
            )

    def drop(self) -> None:
        """Throw away what was never handed in of an anonymous response."""
        broken = DispositionSet(disposition=Disposition.BREAK_OFF, at=self.at)
        self.effects.append(broken)
        self.session = replace(self.session, given=(), asked=(), selected=())
        self.effects.append(ResponseDropped(at=self.at))

    def settle(self, *, reached_end: bool) -> None:
        """Give the response its disposition."""
        session = self.session
        answered = sum(
            given.value is not None or given.missing is Missing.DONT_KNOW for given in session.given
        )
        disposition = outcome(
            reached_end=reached_end,
            n_answered=answered,
            n_expected=len(path(self.survey, session)),
        )
        self.effects.append(DispositionSet(disposition=disposition, at=self.at))

    def change(
        self,
        question: Question,
        value: str | None,
        parts: tuple[Part, ...],
        missing: Missing | None = None,
    ) -> None:
        """Replace an earlier answer; ask on only where the path changed by it.

        Somebody's own words are replaced quietly: the chat shows them as they are now.
        """
        waiting = self._waiting_words()
        self.record(question, value, parts, missing)
        lead = ""
        if not isinstance(question, TextQuestion) or value is None:
            given = self.session.answer_to(question.id)
            asked = asking.question_words(self.survey, self.session, question)
            lead = self.lead("changed", question=asked, answer=self.said(question, given))
        lead = self._retract(lead)
        if not self._stays_at(question) or self._waiting_words() != waiting:
            self.go_on(lead=lead)
        elif lead:
            self.beside(Prompt(text=lead))

    def _waiting_words(self) -> str:
        question = self.current()
        if question is None:
            return ""
        return asking.question_words(self.survey, self.session, question)

    def _stays_at(self, changed: Question) -> bool:
        """Whether the conversation waits for the same as before, now that an answer changed."""
        if self.session.status.final:
            return True
        question = self.current()
        following = next_question(self.survey, self.session)
        if question is None:
            return following is None
        if question.id == changed.id or not applies(self.survey, self.session, question):
            return False
        revisited = self.session.answer_to(question.id) is not None
        return revisited or following == question

    def said(self, question: Question, given: Given | None) -> str:
        """Say an answer back to its person, shortened where it is long."""
        if given is not None and given.value is not None:
            label = label_of(self.survey, question, given.value, self.session.language)
            return shortened(label)
        dont_know = given is not None and given.missing is Missing.DONT_KNOW
        return self.lead("mydata_dont_know" if dont_know else "mydata_skipped")

    def change_text(self, question: Question, parts: tuple[Part, ...]) -> None:
        """Replace the words of an open answer."""
        text = "\n".join(part.text for part in parts)
        if len(text) > MAX_TEXT:
            self.say("too_long", max=MAX_TEXT)
        elif self.current() == question:
            self.answer(question, text, parts)
        else:
            self.change(question, text, parts)

    def speak(self, language: str) -> None:
        """Go on in another language."""
        self.session = replace(self.session, language=language, aside=None)
        self.effects.append(LanguageChosen(language=language))
        self.show_again("language_set")

    def stop(self) -> None:
        """Withdraw: the conversation ends here and nothing more is sent."""
        session = self.session
        unsent = self.survey.anonymous and session.status in BEGUN
        self.effects.append(OptedOut(at=self.at))
        if session.status is Status.CONSENTING:
            refused = DispositionSet(disposition=Disposition.REFUSAL, at=self.at)
            self.effects.append(refused)
        elif session.status in BEGUN and not unsent:
            self.settle(reached_end=False)
        if session.status not in (Status.COMPLETE, Status.CLOSED):
            self.session = replace(session, status=Status.STOPPED, at=None)
        if unsent:
            self.drop()
            self.note("stopped_anonymous")
        elif session.given:
            self.note("stopped")
        else:
            self.note("stopped_empty")

    def skip(self) -> None:
        """Leave out the question that is waited for."""
        question = self.current()
        if self.session.status is Status.PLACING:
            self.place(Sector.UNDISCLOSED)
        elif question is None:
            self.not_asking()
        elif question.required:
            self.show_again("skip_required")
        else:
            self.answer(question, None, (), missing=Missing.SKIPPED)

    def back(self) -> None:
        """Put the question before this one again; its answer stands until it is replaced."""
        if self.session.status is Status.PLACING:
            self.show_again("back_at_start")
            return
        if self.session.status is not Status.SUBMITTING and self.current() is None:
            self.not_asking()
            return
        earlier = question_before(self.survey, self.session)
        if earlier is None:
            self.show_again("back_at_start")
            return
        was = self.said(earlier, self.session.answer_to(earlier.id))
        self.ask(earlier, lead=self.lead("was", answer=was))

    def not_asking(self) -> None:
        """Answer a skip or back where no question is waited for."""
        if self.session.status is Status.CONSENTING:
            self.show(asking.ask_consent_again(self.survey, self.session, "consent_first"))
        elif self.session.status is Status.SUBMITTING:
            self.ask_to_send_again()
        else:
            self.over()

    def ask_to_send_again(self) -> None:
        """Ask in one sentence whether the response may be handed in."""
        again = asking.ask_submit(self.session)
        self.show(replace(again, text=self.lead("submit_again")))

    def over(self) -> None:
        """Answer somebody whose conversation is over."""
        complete = self.session.status is Status.COMPLETE
        if complete and self.session.waved:
            self.note("already_done")
        elif complete:
            self.note("already_done_again")
        elif self.session.status is Status.CLOSED:
            title = self.survey.say(self.survey.title, self.session.language)
            self.note("wave_closed_empty", title=title)
        else:
            self.note("no_words_now")

    def tick(self, question: MultichoiceQuestion, value: str, wanted: bool | None) -> None:
        """Tick or untick one of several choices.

        Args:
            question: What is asked.
            value: The choice.
            wanted: Whether it is to be ticked; None for whatever it is not.
        """
        selected = self.session.selected
        if wanted is (value in selected):
            # The first of two quick presses has done it already.
            self.reject("stale")
            return
        if value in selected:
            selected = tuple(one for one in selected if one != value)
        elif len(selected) >= question.most:
            lead = self.lead("too_many", max=question.most)
            self.show(asking.ask_question(self.survey, self.session, question, lead=lead))
            return
        else:
            selected = (*selected, value)
        self.session = replace(self.session, selected=selected)
        self.show(asking.ask_question(self.survey, self.session, question), in_place=True)

    def tick_done(self, question: MultichoiceQuestion) -> None:
        """Take the ticked choices as the answer."""
        read = check_choices(question, self.session.selected)
        if isinstance(read, Misfit):
            self.show_again(read.key, hint=False, **read.values)
        else:
            self.answer(question, read.value, ())

    def erase(self) -> None:
        """Everything of this person is to be erased."""
        self.session = replace(self.session, aside=None)
        self.effects.append(ErasureRequested(at=self.at))

    def keep(self) -> None:
        """Nothing is erased after all."""
        self.session = replace(self.session, aside=None)
        self.show_again("forget_kept")

    def remind(self, event: Reminded) -> None:
        """Remind of what is waited for."""
        self.session = replace(self.session, aside=None)
        prompt = asking.remind(self.survey, self.session, event)
        if prompt is None:
            self.reject("over")
        else:
            self.show(prompt)

    def close_wave(self) -> None:
        """End a conversation that was not finished when its wave closed."""
        session = self.session
        if session.status.final:
            self.reject("over")
            return
        title = self.survey.say(self.survey.title, session.language)
        self.session = replace(session, status=Status.CLOSED, at=None, aside=None)
        if session.status is Status.CONSENTING:
            # Nothing is said; an invitation that is not sent yet is overtaken.
            self.session = replace(self.session, shown=self.session.turn)
            missed = DispositionSet(disposition=Disposition.NON_CONTACT, at=self.at)
            self.effects.append(missed)
        elif self.survey.anonymous:
            self.drop()
            self.note("wave_closed_empty", title=title)
        else:
            self.settle(reached_end=False)
            self.note("wave_closed" if session.given else "wave_closed_empty", title=title)
