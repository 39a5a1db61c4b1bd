"""One person's inbound: which conversation it belongs to, and what happens to it.

What lives here: choosing between going on, beginning and a friendly word. What must not:
sending, waiting, or the moves of a conversation (``dialogues``).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from bot.channels.base import Edited, Pressed, Unread, Wrote
from bot.house import CohortPlan
from dialogues import lobby, messages
from dialogues.effects import Effect, LanguageChosen, OptedOut, PromptShown
from dialogues.events import ChoicePressed, Event, ReplyEdited, ReplyReceived, ReplyUnreadable
from dialogues.prompts import Prompt, read_token
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

    def take(self) -> None:
        """Do all that follows."""
        inbound = self.inbound
        pressed = self._pressed_session(inbound) if isinstance(inbound, Pressed) else None
        if pressed is not None:
            self._step(pressed)
            return
        latest = self.store.latest_session(self.respondent.respondent_id)
        if isinstance(inbound, Pressed | Edited):
            self._step(latest)
            return
        unseen = latest is not None and self._unseen(latest, inbound)
        if unseen:
            latest = self._talking(latest) or latest
            unseen = self._unseen(latest, inbound) if latest is not None else False
        command = self._command(inbound, latest)
        if command is Command.START:
            self._come(inbound)
            if latest is not None and latest.session.status.final:
                # Another invitation may still wait for an answer.
                latest = self._talking(latest) or latest
        checkin = self._checkin_for(latest, command)
        if checkin is not None:
            self._begin(checkin)
        elif unseen and command is None:
            self._step(latest, words="/start")
        else:
            self._step(latest, started=command is Command.START)

    def _unseen(self, stored: StoredSession, inbound: Wrote | Unread) -> bool:
        """Whether a conversation is an invitation that has not reached its person yet."""
        if isinstance(inbound, Unread) or inbound.position is None:
            return False
        if stored.session.status is not Status.CONSENTING or stored.invitation_id is None:
            return False
        return self.store.seen_turn(stored.session.session_id, inbound.position) is None

    def _talking(self, latest: StoredSession | None) -> StoredSession | None:
        """Give the newest other conversation that this person is in the middle of."""
        recent = self.store.recent_sessions(self.respondent.respondent_id, limit=5)
        for stored in recent:
            newest = latest is not None and (stored.session.session_id == latest.session.session_id)
            if not newest and not stored.session.status.final:
                return stored
        return None

    def _command(self, inbound: Wrote | Unread, latest: StoredSession | None) -> Command | None:
        if isinstance(inbound, Unread):
            return None
        asking = latest is not None and latest.session.status is Status.ASKING
        return command_in(inbound.text, at_open_question=asking)

    def _pressed_session(self, inbound: Pressed) -> StoredSession | None:
        """The conversation that the pressed button belongs to, if it is this person's."""
        press = read_token(inbound.token)
        stored = self.store.session(press.session_id) if press else None
        if stored is None or stored.respondent_id != self.respondent.respondent_id:
            return None
        return stored

    def _come(self, inbound: Wrote | Unread) -> None:
        """Somebody who says start wants to hear from us again, and may join a cohort."""
        if self.respondent.opted_out:
            self.store.opt_in(self.respondent.respondent_id)
        code = start_code(inbound.text) if isinstance(inbound, Wrote) else None
        if code is None:
            return
        cohort = self.house.cohort_of_code(code)
        if cohort is None:
            self.greeting = messages.say("unknown_code", self._language())
        elif self.store.join(self.respondent.respondent_id, cohort.name, on=self.now.date()):
            self.greeting = messages.say("joined", self._language(), title=cohort.title)

    def _language(self) -> str:
        return self.respondent.language or messages.LANGUAGES[0]

    # Which conversation ---------------------------------------------------------------

    def _checkin_for(self, latest: StoredSession | None, command: Command | None) -> Checkin | None:
        """Give the check-in that these words begin; None when they begin none.

        A wave that this person has not answered begins with any word that is no command; a
        survey outside a wave begins with the first word ever, and afterwards with start.
        """
        if command not in (None, Command.START):
            return None
        if latest is not None and not latest.session.status.final:
            return None
        checkin = self._open_checkin()
        if checkin is None or latest is None:
            return checkin
        if checkin.wave is not None:
            return checkin
        if command is not Command.START or self._may_come_back(latest):
            return None
        return checkin

    def _may_come_back(self, latest: StoredSession) -> bool:
        """Whether a conversation that was stopped or refused can go on."""
        if latest.session.status not in (Status.STOPPED, Status.REFUSED):
            return False
        wave = self.store.wave(latest.wave_id) if latest.wave_id else None
        return wave is None or wave.state != "closed"

    def _open_checkin(self) -> Checkin | None:
        respondent_id = self.respondent.respondent_id
        waves = [wave for wave in self.store.open_waves_for(respondent_id) if self._asked(wave)]
        for wave in waves:
            if self.store.session_in_wave(respondent_id, wave.wave_id) is not None:
                continue
            if self.store.took_part(respondent_id, wave.wave_id):
                continue
            survey = self.store.survey(wave.survey_id, wave.revision)
            if survey is not None:
                return Checkin(survey=survey, cohort=wave.cohort, wave=wave)
        if waves:
            return None
        own = self._own_cohort()
        cohort = own or next(iter(self.house.cohorts), None)
        survey = self._survey_at(cohort, enrolled=own is not None)
        if survey is None:
            return None
        return Checkin(survey=survey, cohort=own.name if own else None, wave=None)

    def _asked(self, wave: Wave) -> bool:
        """Whether a wave is meant for people of this person's role."""
        pulse = self.house.pulse(wave.pulse)
        return pulse is None or self.respondent.role in pulse.roles

    def _own_cohort(self) -> CohortPlan | None:
        fresh = self.store.respondent(self.respondent.respondent_id) or self.respondent
        plans = [self.house.cohort(name) for name in fresh.cohorts]
        known = [plan for plan in plans if plan is not None]
        with_survey = [plan for plan in known if plan.survey_id is not None]
        return next(iter(with_survey or known), None)

    def _survey_at(self, cohort: CohortPlan | None, *, enrolled: bool) -> Survey | None:
        """Somebody who is not enrolled is asked what the cohort is asked, outside its wave."""
        if cohort is not None and not enrolled:
            for wave in self.store.waves(state="open"):
                if wave.cohort == cohort.name and self._asked(wave):
                    return self.store.survey(wave.survey_id, wave.revision)
        return self.house.standing_survey(cohort)

    def _begin(self, checkin: Checkin) -> None:
        self.runner.open_session(
            self.store,
            self.respondent,
            checkin,
            event_id=self.inbound.event_id,
            now=self.now,
            due_at=self.now,
            invited=False,
            greeting=self.greeting,
        )

    # Going on -------------------------------------------------------------------------

    def _step(
        self, stored: StoredSession | None, *, started: bool = False, words: str | None = None
    ) -> None:
        """Let the inbound happen to a conversation.

        Args:
            stored: The conversation; None when this person is in none.
            started: Whether the person asked to begin.
            words: Taken instead of what was written.
        """
        if stored is None or (started and self._nothing_to_go_on(stored)):
            self._lobby()
            return
        if self._too_late(stored):
            visitor = self._visitor(stored.session.language)
            self._say(lobby.say(visitor, "change_too_late"))
            return
        if self.greeting:
            self._say(PromptShown(prompt=Prompt(text=self.greeting)))
        event = self._event(stored, words)
        self.runner.advance(self.store, self.respondent, stored, event, lane=0, now=self.now)

    def _nothing_to_go_on(self, stored: StoredSession) -> bool:
        return stored.session.status is Status.CLOSED

    def _too_late(self, stored: StoredSession) -> bool:
        """A complete response is not changed any more once its wave has closed."""
        if not isinstance(self.inbound, Edited | Pressed) or stored.wave_id is None:
            return False
        if stored.session.status is not Status.COMPLETE:
            return False
        if isinstance(self.inbound, Pressed):
            press = read_token(self.inbound.token)
            if press is None or not press.place.isdecimal():
                return False
        wave = self.store.wave(stored.wave_id)
        return wave is not None and wave.state == "closed"

    def _event(self, stored: StoredSession, words: str | None) -> Event:
        inbound, now = self.inbound, self.now
        match inbound:
            case Wrote():
                return ReplyReceived(
                    event_id=inbound.event_id,
                    at=now,
                    text=inbound.text if words is None else words,
                    position=inbound.position,
                    seen_turn=self._seen_turn(stored, inbound.position),
                )
            case Edited():
                return ReplyEdited(
                    event_id=inbound.event_id,
                    at=now,
                    text=inbound.text,
                    position=inbound.position,
                )
            case Pressed():
                return ChoicePressed(event_id=inbound.event_id, at=now, token=inbound.token)
            case Unread():
                return ReplyUnreadable(event_id=inbound.event_id, at=now)

    def _seen_turn(self, stored: StoredSession, position: str | None) -> int | None:
        if position is None:
            return None
        seen = self.store.seen_turn(stored.session.session_id, position) or 0
        newest = stored.session.shown
        if newest == stored.session.turn and self.inbound.at < stored.updated_at:
            # It was here before the newest prompt was made, which may be on its way by now.
            seen = min(seen, newest - 1)
        return seen

    def _visitor(self, language: str) -> lobby.Visitor:
        return lobby.Visitor(language=language, slash=self.runner.slash(self.respondent.channel))

    def _lobby(self) -> None:
        """Answer somebody who is in no conversation."""
        visitor = self._visitor(self._language())
        match self.inbound:
            case Wrote():
                effects = lobby.answer(visitor, self.inbound.text, self.now)
            case Pressed():
                effects = lobby.press(visitor, self.inbound.token)
            case Edited():
                effects = ()
            case Unread():
                effects = (lobby.say(visitor, "nothing_open"),)
        if self.greeting:
            self._say(PromptShown(prompt=Prompt(text=self.greeting)))
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
            case OptedOut():
                self.store.opt_out(respondent_id, at=effect.at)
            case _:
                pass

    def _say(self, shown: PromptShown) -> None:
        self.store.say(self.respondent, [shown.prompt], at=self.now)
