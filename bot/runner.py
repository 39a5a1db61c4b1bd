"""Inbound to turn: the only caller of ``start`` and ``step``.

The way of an inbound: it is put into the store's queue before anything is awaited (so one
person's events keep their order), and there, in one transaction: guard against repeats,
find the person and their conversation, step, commit. Nothing leaves the house here: messages
go into the outbox, and delivery is woken after the commit.
"""

from __future__ import annotations

import asyncio
import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from bot import letters
from bot.channels.base import (
    BroughtBack,
    CohortLeft,
    CohortSeen,
    Edited,
    Inbound,
    Pressed,
    Unread,
    WentAway,
    Wrote,
)
from bot.house import CohortPlan, House, PulsePlan
from dialogues import lobby, messages
from dialogues.coding import Codeframe
from dialogues.draw import draw_questions
from dialogues.effects import (
    DataRequested,
    Effect,
    ErasureRequested,
    LanguageChosen,
    OptedOut,
    PrivacyRequested,
    PromptShown,
    ResultsRequested,
    Turn,
)
from dialogues.engine import Opening, start, step
from dialogues.errors import StoreError
from dialogues.events import ChoicePressed, Event, ReplyEdited, ReplyReceived, ReplyUnreadable
from dialogues.prompts import Prompt, read_token
from dialogues.session import Status
from dialogues.survey import Survey
from dialogues.words import Command, command_in, start_code
from storage.protocol import Respondent, Store, StoredSession, Wave
from storage.writer import Writer

__all__ = ["ROLES", "Checkin", "Runner"]

log = logging.getLogger(__name__)

#: Role by channel, until the person says otherwise (design section 10).
ROLES = {"telegram": "citizen", "slack": "partner", "terminal": "citizen"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkin:
    """A survey that a person may answer now."""

    survey: Survey
    cohort: str | None
    wave: Wave | None


class Runner:
    """Takes what the channels read and carries it into the store."""

    def __init__(
        self,
        writer: Writer,
        house: House,
        *,
        now: Callable[[], datetime],
        new_id: Callable[[], str],
        slashes: Mapping[str, bool],
        codeframe: Codeframe,
        wake: Callable[[str], None],
        chat_draw: int | None = None,
    ) -> None:
        """Make a runner.

        Args:
            writer: The store's own thread.
            house: The installation.
            now: Gives aware UTC.
            new_id: Gives a fresh id: a-z and 0-9, at most 24 characters.
            slashes: Channel to whether commands are written with a slash there.
            codeframe: For the names of codes, in what a person sees of their data.
            wake: Called with a channel's name after a commit that left messages for it.
            chat_draw: Questions of the pool asked outside a wave; None for all.
        """
        self._writer = writer
        self._house = house
        self._now = now
        self._new_id = new_id
        self._slashes = slashes
        self._codeframe = codeframe
        self._wake = wake
        self._chat_draw = chat_draw
        self._strands = {code.key: code.strand or code.key for code in codeframe.codes}

    def receive(self, inbound: Inbound) -> Awaitable[None]:
        """Take an inbound; the returned awaitable ends once all that follows is committed.

        The inbound is in its queue when this call returns, before anything is awaited.

        Raises:
            StoreError: It could not be kept: do not acknowledge, it has to come again.
        """
        return self._finish(inbound, self._writer.run(lambda store: self.take(store, inbound)))

    async def _finish(self, inbound: Inbound, committed: asyncio.Future[None]) -> None:
        try:
            await committed
        except StoreError:
            raise
        except Exception as defect:
            # Keep the event from coming back for ever, and say sorry. The error's text is
            # left out of the log: it could hold somebody's words.
            where = traceback.extract_tb(defect.__traceback__)[-1]
            log.error(
                "An inbound of %s broke the runner: %s at %s:%s",
                inbound.address.channel,
                type(defect).__name__,
                Path(where.filename).name,
                where.lineno,
            )
            await self._writer.run(lambda store: self._apologise(store, inbound))
        self._wake(inbound.address.channel)

    def _apologise(self, store: Store, inbound: Inbound) -> None:
        now = self._now()
        if not store.take_event(inbound.event_id, on=now.date()):
            return
        respondent = store.respondent_at(inbound.address.channel, inbound.address.platform_id)
        if respondent is not None:
            text = messages.say("error_sorry", respondent.language or messages.LANGUAGES[0])
            store.say(respondent, [Prompt(text=text)], at=now)

    def take(self, store: Store, inbound: Inbound) -> None:
        """Do all that follows from an inbound, inside one transaction of the store."""
        now = self._now()
        if not store.take_event(inbound.event_id, on=now.date()):
            return
        address = inbound.address
        respondent = store.respondent_at(address.channel, address.platform_id)
        match inbound:
            case WentAway():
                if respondent is not None:
                    store.set_reachable(respondent.respondent_id, False)
            case BroughtBack():
                if respondent is not None:
                    store.set_reachable(respondent.respondent_id, True)
            case CohortSeen():
                self._enrol(store, inbound, now)
            case CohortLeft():
                cohort = self._house.cohort_of_place(inbound.place)
                if respondent is not None and cohort is not None:
                    store.leave(respondent.respondent_id, cohort.name)
            case Wrote() | Edited() | Pressed() | Unread():
                if respondent is None:
                    respondent = self._welcome(store, inbound, now)
                elif not respondent.reachable:
                    store.set_reachable(respondent.respondent_id, True)
                _Visit(self, store, respondent, inbound, now).take()

    def _welcome(self, store: Store, inbound: Inbound, now: datetime) -> Respondent:
        language = inbound.language if isinstance(inbound, Wrote | Unread | CohortSeen) else None
        return store.welcome(
            inbound.address,
            respondent_id=self._new_id(),
            role=ROLES[inbound.address.channel],
            language=language,
            on=now.date(),
        )

    def _enrol(self, store: Store, inbound: CohortSeen, now: datetime) -> None:
        """Enrol a member of a cohort's place, save who asked to be forgotten."""
        cohort = self._house.cohort_of_place(inbound.place)
        address = inbound.address
        if cohort is None or store.is_suppressed(address.channel, address.platform_id):
            return
        respondent = store.respondent_at(address.channel, address.platform_id)
        if respondent is None:
            respondent = self._welcome(store, inbound, now)
        store.join(respondent.respondent_id, cohort.name, on=now.date())

    # What waves and visits share ------------------------------------------------------

    def open_session(
        self,
        store: Store,
        respondent: Respondent,
        checkin: Checkin,
        *,
        event_id: str,
        now: datetime,
        due_at: datetime,
        invited: bool,
        greeting: str = "",
    ) -> bool:
        """Begin a conversation; False when this person is in this wave already."""
        survey = checkin.survey
        turn = start(
            survey,
            Opening(
                session_id=self._new_id(),
                event_id=event_id,
                language=respondent.language or survey.default_language,
                slash=self._slashes.get(respondent.channel, False),
                waved=checkin.wave is not None,
                agreed_before=store.has_consented(
                    respondent.respondent_id, survey.survey_id, survey.consent_revision
                ),
                draw=self._draw(checkin, respondent),
                greeting=greeting,
                invited=invited,
            ),
            now,
        )
        return store.begin_session(
            turn,
            respondent=respondent,
            wave_id=checkin.wave.wave_id if checkin.wave else None,
            cohort=checkin.cohort,
            invitation_id=self._new_id() if checkin.wave else None,
            lane=1 if invited else 0,
            at=now,
            due_at=due_at,
        )

    def _draw(self, checkin: Checkin, respondent: Respondent) -> tuple[str, ...] | None:
        """Draw questions where a pulse asks each person a few; deterministic by its seed.

        An open check-in asks as few as the pulse of the same survey does.
        """
        wave = checkin.wave
        pulse = self._house.pulse(wave.pulse) if wave else self._like(checkin)
        count = pulse.questions_per_person if pulse else self._chat_draw
        if count is None:
            return None
        # Outside a wave each check-in is a new response, with a draw of its own.
        seed = f"{wave.wave_id if wave else self._new_id()}:{respondent.respondent_id}"
        return draw_questions(checkin.survey, count, seed=seed, strands=self._strands)

    def _like(self, checkin: Checkin) -> PulsePlan | None:
        """Give the pulse that asks this survey of this cohort; None when none does."""
        for pulse in self._house.pulses:
            same = pulse.survey_id == checkin.survey.survey_id
            if same and (checkin.cohort is None or checkin.cohort in pulse.cohorts):
                return pulse
        return None

    def commit(
        self,
        store: Store,
        respondent: Respondent,
        before: StoredSession,
        turn: Turn,
        *,
        lane: int,
        now: datetime,
    ) -> None:
        """Save a turn and answer what it requests."""
        store.commit_turn(
            turn,
            before=before,
            respondent=respondent,
            lane=lane,
            at=now,
            loose_id=self._new_id(),
        )
        self.answer_requests(store, respondent, turn.effects, turn.session.language, now)

    def answer_requests(
        self,
        store: Store,
        respondent: Respondent,
        effects: tuple[Effect, ...],
        language: str,
        now: datetime,
    ) -> None:
        """Do what the dialogue asks of the shell."""
        slash = self._slashes.get(respondent.channel, False)
        for effect in effects:
            match effect:
                case DataRequested():
                    letter = letters.my_data(
                        store.holdings(respondent.respondent_id),
                        house=self._house,
                        survey_of=store.survey,
                        codeframe=self._codeframe,
                        language=language,
                        slash=slash,
                        today=now.date(),
                    )
                    store.say(respondent, letter, at=now)
                case PrivacyRequested():
                    text = self._house.privacy(language, slash=slash)
                    store.say(respondent, [Prompt(text=text)], at=now)
                case ResultsRequested():
                    minimum = self._house.min_group
                    text = messages.say("results_soon", language, min=minimum)
                    store.say(respondent, [Prompt(text=text)], at=now)
                case ErasureRequested():
                    mark = "/" if slash else ""
                    store.erase(
                        respondent.respondent_id,
                        at=now,
                        erasure_id=self._new_id(),
                        actor="respondent",
                        farewell=Prompt(text=messages.say("forget_done", language, slash=mark)),
                        leaving_id=self._new_id(),
                    )
                case _:
                    pass

    @property
    def house(self) -> House:
        """The installation."""
        return self._house

    def slash(self, channel: str) -> bool:
        """Whether commands are written with a slash in a channel."""
        return self._slashes.get(channel, False)


class _Visit:
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
        latest = self.store.latest_session(self.respondent.respondent_id)
        inbound = self.inbound
        if isinstance(inbound, Pressed):
            self._step(self._pressed_session(inbound) or latest)
            return
        if isinstance(inbound, Edited):
            self._step(latest)
            return
        command = self._command(inbound, latest)
        if command is Command.START:
            self._come(inbound)
        checkin = self._checkin_for(latest, command)
        if checkin is not None:
            self._begin(checkin)
        else:
            self._step(latest, started=command is Command.START)

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
        wave = self.store.open_wave_for(respondent_id)
        if wave is not None:
            if self.store.session_in_wave(respondent_id, wave.wave_id) is not None:
                return None
            if self.store.took_part(respondent_id, wave.wave_id):
                return None
            survey = self.store.survey(wave.survey_id, wave.revision)
            return Checkin(survey=survey, cohort=wave.cohort, wave=wave) if survey else None
        own = self._own_cohort()
        cohort = own or next(iter(self.house.cohorts), None)
        survey = self._survey_at(cohort, enrolled=own is not None)
        if survey is None:
            return None
        return Checkin(survey=survey, cohort=own.name if own else None, wave=None)

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
                if wave.cohort == cohort.name:
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

    def _step(self, stored: StoredSession | None, *, started: bool = False) -> None:
        if stored is None or (started and self._nothing_to_go_on(stored)):
            self._lobby()
            return
        if self._too_late(stored):
            visitor = self._visitor(stored.session.language)
            self._say(lobby.say(visitor, "change_too_late"))
            return
        survey = self.store.survey(stored.session.survey_id, stored.session.revision)
        if survey is None:
            message = f"revision {stored.session.revision} of a survey is not kept"
            raise LookupError(message)
        turn = step(survey, stored.session, self._event(stored))
        if turn.session == stored.session:
            return
        if self.greeting:
            self._say(PromptShown(prompt=Prompt(text=self.greeting)))
        self.runner.commit(self.store, self.respondent, stored, turn, lane=0, now=self.now)

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

    def _event(self, stored: StoredSession) -> Event:
        inbound, now = self.inbound, self.now
        match inbound:
            case Wrote():
                return ReplyReceived(
                    event_id=inbound.event_id,
                    at=now,
                    text=inbound.text,
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
        return self.store.seen_turn(stored.session.session_id, position) or 0

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
