"""One person's inbound: which conversation it belongs to, and what happens to it.

What lives here: choosing between going on, beginning and a friendly word. What must not:
sending, waiting, or the moves of a conversation (``dialogues``).
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from bot.channels.base import Edited, Pressed, Unread, Wrote
from bot.choosing import Chosen, choose, holder_of
from bot.coders import coder_at
from bot.coming import next_day_for
from bot.house import CohortPlan
from bot.member_checks import Check
from bot.reviewing import Review
from dialogues import asking, lobby, messages
from dialogues.effects import Effect, LanguageChosen, OptedOut, PromptShown, SectorGiven
from dialogues.events import ChoicePressed, Event, ReplyEdited, ReplyReceived, ReplyUnreadable
from dialogues.prompts import Prompt, read_token
from dialogues.repeating import may_repeat, repeats
from dialogues.session import Status
from dialogues.survey import Survey
from dialogues.words import Command, command_in, start_code
from storage.protocol import Respondent, Store, StoredSession, Wave

if TYPE_CHECKING:
    from bot.runner import Runner

__all__ = ["Checkin", "Visit"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkin:
    """A survey that a person may answer now."""

    survey: Survey
    cohort: str | None
    wave: Wave | None


class Visit:
    """One inbound of one person, in one transaction."""

    def __init__(
        self,
        runner: Runner,
        store: Store,
        respondent: Respondent,
        inbound: Wrote | Edited | Pressed | Unread,
        now: datetime,
    ) -> None:
        self.runner = runner
        self.house = runner.house
        self.store = store
        self.respondent = respondent
        self.inbound = inbound
        self.now = now
        self.greeting = ""
        self.is_new = False

    def take(self) -> None:
        """Do all that follows."""
        if self._reviews():
            return
        if isinstance(self.inbound, Pressed) and self._check().take_press(self.inbound.token):
            return
        match self.inbound:
            case Pressed():
                self._take_press(self.inbound)
            case Edited():
                self._take_edit(self.inbound)
            case Wrote() | Unread():
                self._take_message(self.inbound)

    def _reviews(self) -> bool:
        """Let a listed coder review; False for anybody and anything else."""
        inbound = self.inbound
        if not isinstance(inbound, Wrote | Pressed):
            return False
        review = Review.of(
            self.store,
            self.respondent,
            inbound.address,
            house=self.house,
            codeframe=self.runner.codeframe,
            new_id=self.runner.new_id,
            now=self.now,
        )
        if review is None:
            return False
        if isinstance(inbound, Pressed):
            return review.take_press(inbound.token)
        return review.take_words(inbound.text, slash=self.runner.slash(self.respondent.channel))

    def _check(self) -> Check:
        return Check(
            store=self.store,
            respondent=self.respondent,
            codeframe=self.runner.codeframe,
            new_id=self.runner.new_id,
            now=self.now,
        )

    def _take_press(self, inbound: Pressed) -> None:
        press = read_token(inbound.token)
        if press is not None and press.session_id == lobby.LOBBY:
            self._lobby()
            return
        stored = self.store.session(press.session_id) if press else None
        if stored is None or stored.respondent_id != self.respondent.respondent_id:
            # Of a conversation that was cut loose or erased, or of nobody we know.
            self._say(lobby.say(self._visitor(self._language()), "closed_question"))
        else:
            self._step(stored)

    def _take_edit(self, inbound: Edited) -> None:
        respondent_id = self.respondent.respondent_id
        stored = holder_of(self.store, respondent_id, inbound.position)
        if stored is None:
            # A reply that did not fit is no answer yet; edited, it may fit.
            seen_id = self.store.seen_session(respondent_id, inbound.position)
            seen = self.store.session(seen_id) if seen_id is not None else None
            if seen is not None and seen.session.status is Status.ASKING:
                stored = seen
        if stored is not None:
            self._step(stored)
        elif self.store.seen_session(respondent_id, None) == "cut":
            self._say(lobby.say(self._visitor(self._language()), "change_anonymous"))

    def _take_message(self, inbound: Wrote | Unread) -> None:
        text = inbound.text if isinstance(inbound, Wrote) else None
        position = inbound.position if isinstance(inbound, Wrote) else None
        chosen = choose(self.store, self.respondent.respondent_id, text, position, self.now)
        stored = chosen.stored
        is_asked = stored is not None and stored.session.status is Status.ASKING
        command = None if text is None else command_in(text, at_open_question=is_asked)
        if text is not None and not is_asked and self._check().take_words(text):
            return
        if command is Command.START:
            self._come(inbound)
        checkin = self._checkin_for(stored, command, cut=chosen.cut)
        if checkin is not None:
            self._begin(checkin)
        elif chosen.cut and command in (None, Command.START):
            self._after_cutting(text)
        elif command is None and stored is not None and self._lost_sight(chosen, position):
            self._step(stored, words="/start")
        else:
            self._step(stored, command=command)
        if command is Command.HELP and self._is_coder():
            language = self._language() if stored is None else stored.session.language
            self._say(lobby.say(self._visitor(language), "help_review"))

    def _is_coder(self) -> bool:
        address = self.inbound.address
        return coder_at(self.house.coders, address.channel, address.platform_id) is not None

    def _lost_sight(self, chosen: Chosen, position: str | None) -> bool:
        """Whether what a conversation waits for never reached its person and is not on its way.

        Then it is put again, and what they wrote is not taken for an answer to it.
        """
        if chosen.stored is None:
            return False
        session = chosen.stored.session
        if session.status.final and session.status is not Status.COMPLETE:
            return False
        if not chosen.seen:
            return True
        seen = self.store.seen_turn(session.session_id, position) or 0
        if seen >= session.shown:
            return False
        return not self.store.has_waiting(session.session_id)

    def _after_cutting(self, text: str | None) -> None:
        """Answer somebody whose newest conversation was handed in anonymously."""
        visitor = self._visitor(self._language())
        language = None if text is None else lobby.language_named(text)
        if language is not None:
            self._lobby()
            return
        self._greet()
        self._say(lobby.say(visitor, "already_done"))

    def _come(self, inbound: Wrote | Unread) -> None:
        """Somebody who says start wants to hear from us again, and may join a cohort."""
        if self.respondent.opted_out:
            self.store.opt_in(self.respondent.respondent_id)
            self.is_new = True
        code = start_code(inbound.text) if isinstance(inbound, Wrote) else None
        if code is None:
            return
        cohort = self.house.cohort_of_code(code)
        if cohort is None:
            self.greeting = messages.say("unknown_code", self._language())
        elif self.store.join(self.respondent.respondent_id, cohort.name, on=self.now.date()):
            self.greeting = messages.say("joined", self._language(), title=cohort.title)
            self.is_new = True

    def _language(self) -> str:
        return self.respondent.language or messages.LANGUAGES[0]

    # Which conversation ---------------------------------------------------------------

    def _checkin_for(
        self, latest: StoredSession | None, command: Command | None, *, cut: bool
    ) -> Checkin | None:
        """Give the check-in that these words begin; None when they begin none.

        A wave that this person has not answered begins with any word that is no command; a
        survey outside a wave begins with the first word ever, and afterwards with start.
        """
        if command not in (None, Command.START):
            return None
        if self.respondent.opted_out and command is not Command.START:
            # Who withdrew comes back by saying so, not by a word of thanks.
            return None
        if latest is not None and not latest.session.status.final:
            return None
        checkin = self._open_checkin(asked_for=command is Command.START or latest is None)
        if checkin is None or checkin.wave is not None:
            return checkin
        if latest is None and not cut:
            return checkin
        if command is not Command.START or (latest is not None and self._may_come_back(latest)):
            return None
        return checkin

    def _may_come_back(self, latest: StoredSession) -> bool:
        """Whether a conversation that was stopped or refused can go on."""
        if latest.session.status not in (Status.STOPPED, Status.REFUSED):
            return False
        return not self._wave_is_over(latest)

    def _wave_is_over(self, stored: StoredSession) -> bool:
        wave = self.store.wave(stored.wave_id) if stored.wave_id else None
        return wave is not None and wave.state not in ("open", "paused")

    def _open_checkin(self, *, asked_for: bool) -> Checkin | None:
        """Give the check-in that this person can begin now.

        Args:
            asked_for: Whether they ask for one. Who was not invited to a wave, because they
                were asked enough or are away, begins it by asking, not by a word of thanks.
        """
        respondent_id = self.respondent.respondent_id
        waves = [wave for wave in self.store.open_waves_for(respondent_id) if self._asked(wave)]
        for wave in waves:
            if not asked_for and self.store.was_passed_over(respondent_id, wave.wave_id):
                continue
            if self.store.session_in_wave(respondent_id, wave.wave_id) is not None:
                continue
            if self.store.took_part(respondent_id, wave.wave_id):
                continue
            survey = self.store.survey(wave.survey_id, wave.revision)
            if survey is not None:
                return Checkin(survey=survey, cohort=wave.cohort, wave=wave)
        own = self._own_cohort({wave.cohort for wave in waves})
        if waves and own is None:
            return None
        cohort = own or next(iter(self.house.cohorts), None)
        survey = self._survey_at(cohort, enrolled=own is not None)
        if survey is None:
            return None
        return Checkin(survey=survey, cohort=own.name if own else None, wave=None)

    def _asked(self, wave: Wave) -> bool:
        """Whether a wave is meant for people of this person's role, and has come by now: it
        may be open for members further east alone.
        """
        return self.respondent.role in wave.roles and wave.opens_at <= self.now

    def _own_cohort(self, busy: Collection[str]) -> CohortPlan | None:
        """Give a cohort of theirs, one with a survey of its own first; none with a wave open."""
        fresh = self.store.respondent(self.respondent.respondent_id) or self.respondent
        plans = [self.house.cohort(name) for name in fresh.cohorts if name not in busy]
        known = [plan for plan in plans if plan is not None]
        with_survey = [plan for plan in known if plan.survey_id is not None]
        return next(iter(with_survey or ([] if busy else known)), None)

    def _survey_at(self, cohort: CohortPlan | None, *, enrolled: bool) -> Survey | None:
        """Somebody who is not enrolled is asked what the cohort is asked, outside its wave."""
        if cohort is not None and not enrolled:
            for wave in self.store.waves(state="open"):
                if wave.cohort == cohort.name and self._asked(wave):
                    return self.store.survey(wave.survey_id, wave.revision)
        return self.house.standing_survey(cohort)

    def _begin(self, checkin: Checkin) -> None:
        self._greet()
        self.runner.open_session(
            self.store,
            self.respondent,
            checkin,
            event_id=self.store.event_key(self.inbound.event_id),
            now=self.now,
            # Else every other wave that is open would invite them at once as well.
            counts=self.is_new,
        )

    # Going on -------------------------------------------------------------------------

    def _step(
        self,
        stored: StoredSession | None,
        *,
        command: Command | None = None,
        words: str | None = None,
    ) -> None:
        """Let the inbound happen to a conversation.

        Args:
            stored: The conversation; None when this person is in none.
            command: What the words ask for, where they ask for something.
            words: Taken instead of what was written.
        """
        closed = stored is not None and stored.session.status is Status.CLOSED
        if stored is None or (closed and command is Command.START):
            self._lobby()
            return
        late = self._too_late(stored, command)
        if late is not None:
            survey = self.store.survey(stored.session.survey_id, stored.session.revision)
            language = stored.session.language
            title = survey.say(survey.title, language) if survey else ""
            self._say(lobby.say(self._visitor(language), late, title=title))
            return
        self._greet()
        event = self._event(stored, words)
        self.runner.advance(self.store, self.respondent, stored, event, lane=0, now=self.now)

    def _too_late(self, stored: StoredSession, command: Command | None) -> str | None:
        """Give the sentence for somebody whose wave has closed; None when it is not too late.

        After the closing nothing is answered or changed; commands go on working.
        """
        status = stored.session.status
        match self.inbound:
            case Edited():
                sentence = "change_too_late"
            case Pressed():
                press = read_token(self.inbound.token)
                if press is None or press.place in (asking.LANGUAGE, asking.FORGET, asking.SECTOR):
                    return None
                answered = press.place.isdecimal() and status is Status.COMPLETE
                sentence = "change_too_late" if answered else "wave_closed_empty"
            case Wrote() | Unread():
                coming_back = status in (Status.STOPPED, Status.REFUSED)
                if status.final and not (coming_back and command is Command.START):
                    return None
                if command not in (None, Command.START, Command.SKIP, Command.BACK):
                    return None
                sentence = "wave_closed_empty"
        return sentence if self._wave_is_over(stored) else None

    def _event(self, stored: StoredSession, words: str | None) -> Event:
        inbound, now = self.inbound, self.now
        # A platform's id can hold an address; the conversation only has to know it again.
        event_id = self.store.event_key(inbound.event_id)
        match inbound:
            case Wrote():
                return ReplyReceived(
                    event_id=event_id,
                    at=now,
                    text=inbound.text if words is None else words,
                    position=inbound.position,
                    seen_turn=self._seen_turn(stored, inbound),
                )
            case Edited():
                return ReplyEdited(
                    event_id=event_id,
                    at=now,
                    text=inbound.text,
                    position=inbound.position,
                )
            case Pressed():
                return ChoicePressed(event_id=event_id, at=now, token=inbound.token)
            case Unread():
                return ReplyUnreadable(event_id=event_id, at=now)

    def _seen_turn(self, stored: StoredSession, wrote: Wrote) -> int:
        session = stored.session
        seen = self.store.seen_turn(session.session_id, wrote.position) or 0
        newest = session.shown
        if newest == session.turn and self.inbound.at < stored.updated_at:
            # It was here before the newest prompt was made, which may be on its way by now.
            seen = min(seen, newest - 1)
        if seen >= newest and may_repeat(session, wrote.text):
            # Who says once more what they said has not seen a newest prompt that is in doubt.
            surely = self.store.seen_turn(session.session_id, wrote.position, surely=True) or 0
            if repeats(session, wrote.text, seen_turn=surely):
                seen = surely
        return seen

    def _visitor(self, language: str) -> lobby.Visitor:
        return lobby.Visitor(
            language=language,
            slash=self.runner.slash(self.respondent.channel),
            agreed=self.store.has_agreed(self.respondent.respondent_id),
        )

    def _outlook(self) -> lobby.Outlook | None:
        """Say what is to come for a member who wants to hear from us."""
        known = self.store.respondent(self.respondent.respondent_id)
        if known is None or known.opted_out or not known.cohorts:
            return None
        return lobby.Outlook(on=next_day_for(self.store, self.house, known, self.now))

    def _lobby(self) -> None:
        """Answer somebody who is in no conversation."""
        visitor = replace(self._visitor(self._language()), outlook=self._outlook())
        match self.inbound:
            case Wrote():
                effects = lobby.answer(visitor, self.inbound.text, self.now)
            case Pressed():
                effects = lobby.press(visitor, self.inbound.token, self.now)
            case Edited():
                effects = ()
            case Unread():
                effects = (lobby.nothing_open(visitor, self.now),)
        self._greet()
        for effect in effects:
            self._lobby_effect(effect)
        self.runner.answer_requests(
            self.store, self.respondent, effects, visitor.language, self.now
        )

    def _lobby_effect(self, effect: Effect) -> None:
        respondent_id = self.respondent.respondent_id
        match effect:
            case PromptShown():
                self._say(effect)
            case LanguageChosen():
                self.store.set_language(respondent_id, effect.language)
            case SectorGiven(sector=sector, role=role):
                self.store.set_sector(respondent_id, sector, role)
            case OptedOut():
                self.store.opt_out(respondent_id, at=effect.at)
                self.runner.end_all(self.store, self.respondent, self.now)
            case _:
                pass

    def _greet(self) -> None:
        """Say what came of a link, in a message of its own: who types on at once overtakes what
        a conversation shows, and would never read it.
        """
        if self.greeting:
            self._say(PromptShown(prompt=Prompt(text=self.greeting)))

    def _say(self, shown: PromptShown) -> None:
        self.store.say(self.respondent, [shown.prompt], at=self.now)
