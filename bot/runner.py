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
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from bot import letters
from bot.channels.base import (
    BroughtBack,
    CohortLeft,
    CohortListed,
    CohortSeen,
    Edited,
    Inbound,
    Pressed,
    Unread,
    WentAway,
    Wrote,
)
from bot.clock.planning import Planner
from bot.clock.zones import is_zone
from bot.drawing import Drawer
from bot.forgetting import forget
from bot.house import House, PulsePlan
from bot.looking_back import look_back
from bot.observer import UNOBSERVED, Observer, TurnOutcome
from bot.own_times import OwnTimes
from bot.replanning import replan
from bot.strangers import answer_stranger
from bot.visit import Checkin, Visit
from dialogues import messages
from dialogues.coding import Codeframe
from dialogues.effects import (
    ConsentRecorded,
    DataRequested,
    Effect,
    ErasureRequested,
    OptedOut,
    PrivacyRequested,
    PromptShown,
    ResultsRequested,
    TimingRequested,
    Turn,
)
from dialogues.engine import Opening, start, step
from dialogues.errors import StoreError
from dialogues.events import Event, ReplyReceived
from dialogues.prompts import Prompt
from storage.protocol import Respondent, Store, StoredSession, Window
from storage.writer import Writer

__all__ = ["ROLES", "Runner"]

log = logging.getLogger(__name__)

#: Role by channel, until the person says otherwise (design section 10).
ROLES = {"telegram": "citizen", "slack": "partner", "terminal": "citizen"}


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
        observer: Observer = UNOBSERVED,
        ask_sector: bool = True,
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
            observer: Told of every inbound.
            ask_sector: Whether people are asked once who they answer as.
        """
        self._writer = writer
        self._house = house
        self._now = now
        self._new_id = new_id
        self._slashes = slashes
        self.codeframe = codeframe
        self._wake = wake
        self._chat_draw = chat_draw
        self._ask_sector = ask_sector
        self._observer = observer
        self._strands = {code.key: code.strand or code.key for code in codeframe.codes}

    def receive(self, inbound: Inbound | CohortListed) -> Awaitable[None]:
        """Take an inbound; the returned awaitable ends once all that follows is committed.

        The inbound is in its queue when this call returns, before anything is awaited.

        Raises:
            StoreError: It could not be kept: do not acknowledge, it has to come again.
        """
        committed = self._writer.run(lambda store: self.take(store, inbound), key=_key(inbound))
        return self._finish(inbound, committed)

    async def _finish(
        self, inbound: Inbound | CohortListed, committed: asyncio.Future[bool]
    ) -> None:
        channel = inbound.channel if isinstance(inbound, CohortListed) else inbound.address.channel
        clock = asyncio.get_running_loop().time
        came = clock()
        outcome: TurnOutcome = "not_kept"
        try:
            outcome = "taken" if await committed else "repeated"
        except StoreError:
            raise
        except Exception as defect:
            outcome = "broke"
            # Keep the event from coming back for ever, and say sorry. The error's text is
            # left out of the log: it could hold somebody's words.
            where = traceback.extract_tb(defect.__traceback__)[-1]
            log.error(
                "An inbound of %s broke the runner: %s at %s:%s",
                channel,
                type(defect).__name__,
                Path(where.filename).name,
                where.lineno,
            )
            await self._writer.run(lambda store: self._apologise(store, inbound), key=_key(inbound))
        finally:
            self._observer.turned(channel, type(inbound).__name__, outcome, clock() - came)
        self._wake(channel)

    def _apologise(self, store: Store, inbound: Inbound | CohortListed) -> None:
        now = self._now()
        if not store.take_event(inbound.event_id, on=now.date()):
            return
        if isinstance(inbound, CohortListed):
            return
        respondent = store.respondent_at(inbound.address.channel, inbound.address.platform_id)
        if respondent is not None:
            text = messages.say("error_sorry", respondent.language or messages.LANGUAGES[0])
            store.say(respondent, [Prompt(text=text)], at=now)

    def take(self, store: Store, inbound: Inbound | CohortListed) -> bool:
        """Do all that follows from an inbound, inside one transaction of the store; False when
        it had come before.
        """
        now = self._now()
        key = _key(inbound)
        if key is not None:
            store.hold(key)
        if not store.take_event(inbound.event_id, on=now.date()):
            return False
        if isinstance(inbound, CohortListed):
            self._leave_unlisted(store, inbound, now)
        else:
            self._take(store, inbound, now)
        return True

    def _take(self, store: Store, inbound: Inbound, now: datetime) -> None:
        address = inbound.address
        respondent = store.respondent_at(address.channel, address.platform_id)
        match inbound:
            case WentAway():
                if respondent is not None:
                    store.set_reachable(respondent.respondent_id, False, at=now)
            case BroughtBack():
                if respondent is not None:
                    store.set_reachable(respondent.respondent_id, True, at=now)
            case CohortSeen():
                self._enrol(store, inbound, now)
            case CohortLeft():
                cohort = self._house.cohort_of_place(inbound.place)
                if respondent is not None and cohort is not None:
                    store.leave(respondent.respondent_id, cohort.name, at=now)
            case Wrote() | Edited() | Pressed() | Unread():
                if respondent is None:
                    if isinstance(inbound, Edited | Pressed):
                        # Left over from before somebody was forgotten: it makes nobody known.
                        return
                    if answer_stranger(self, store, inbound, now):
                        return
                    respondent = self._welcome(store, inbound, now)
                elif not respondent.reachable:
                    store.set_reachable(respondent.respondent_id, True, at=now)
                Visit(self, store, respondent, inbound, now).take()

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
        zone = inbound.timezone
        if zone and is_zone(zone) and store.tell_timezone(respondent.respondent_id, zone):
            replan(store, respondent, budget=self._house.budget, new_id=self._new_id, now=now)

    def _leave_unlisted(self, store: Store, listed: CohortListed, now: datetime) -> None:
        """End the membership of who left a cohort's place while nobody looked."""
        cohort = self._house.cohort_of_place(listed.place)
        if cohort is None:
            return
        for platform_id, respondent_id in store.members_on(cohort.name, listed.channel):
            if platform_id not in listed.platform_ids:
                store.leave(respondent_id, cohort.name, at=now)

    # What waves and visits share ------------------------------------------------------

    def open_session(
        self,
        store: Store,
        respondent: Respondent,
        checkin: Checkin,
        *,
        event_id: str,
        now: datetime,
        counts: bool = False,
    ) -> bool:
        """Begin a conversation with somebody who comes by themselves; False when they are in
        this wave already. It ``counts`` as an invitation to those who have just come.
        """
        survey, wave = checkin.survey, checkin.wave
        drawer = self.drawer(store, checkin)
        turn = self.first_turn(
            checkin,
            channel=respondent.channel,
            language=respondent.language,
            agreed=store.has_consented(
                respondent.respondent_id, survey.survey_id, survey.consent_revision
            ),
            sector=respondent.sector,
            draw=drawer.draw(respondent.respondent_id),
            event_id=event_id,
            now=now,
        )
        remind_at = None
        if wave is not None:
            remind_at = Planner(wave, now).first_look(store.timing(respondent.respondent_id), now)
        begun = store.begin_session(
            turn,
            respondent=respondent,
            wave_id=wave.wave_id if wave else None,
            cohort=checkin.cohort,
            invitation_id=self._new_id() if wave else None,
            lane=0,
            at=now,
            due_at=now,
            remind_at=remind_at,
            counts=counts,
        )
        if begun:
            drawer.save()
        return begun

    def first_turn(
        self,
        checkin: Checkin,
        *,
        channel: str,
        language: str | None,
        agreed: bool,
        sector: str | None,
        draw: tuple[str, ...] | None,
        event_id: str,
        now: datetime,
        invited: bool = False,
    ) -> Turn:
        """Give the first turn of a conversation; nothing is kept. Whose ``sector`` is not known
        is asked for it.
        """
        survey = checkin.survey
        return start(
            survey,
            Opening(
                session_id=self._new_id(),
                event_id=event_id,
                language=language or survey.default_language,
                slash=self._slashes.get(channel, False),
                waved=checkin.wave is not None,
                agreed_before=agreed,
                draw=draw,
                ask_sector=self._ask_sector and survey.ask_sector and sector is None,
                invited=invited,
            ),
            now,
        )

    def new_id(self) -> str:
        """Give a fresh id."""
        return self._new_id()

    def drawer(self, store: Store, checkin: Checkin) -> Drawer:
        """Give what draws questions where a pulse asks each person a few.

        An open check-in asks as few as the pulse of the same survey does.
        """
        fielded = checkin.wave or self._like(checkin)
        return Drawer(
            store,
            checkin.survey,
            checkin.wave,
            count=fielded.questions_per_person if fielded else self._chat_draw,
            strands=self._strands,
            new_id=self._new_id,
        )

    def _like(self, checkin: Checkin) -> PulsePlan | None:
        """Give the pulse that asks this survey of this cohort; None when none does."""
        for pulse in self._house.pulses:
            same = pulse.survey_id == checkin.survey.survey_id
            if same and (checkin.cohort is None or checkin.cohort in pulse.cohorts):
                return pulse
        return None

    def advance(
        self,
        store: Store,
        respondent: Respondent,
        stored: StoredSession,
        event: Event,
        *,
        lane: int,
        now: datetime,
        silent: bool = False,
        window: Window | None = None,
        number: int | None = None,
    ) -> bool:
        """Let an event happen to a conversation, save the turn and answer what it requests.

        Lane 1 is what we do of our own accord, lane 0 what answers the person; ``silent``
        says nothing of it. What we do of our own accord leaves in a ``window``; ``number`` is
        that of a reminder.

        Returns:
            False when the event changed nothing, so that nothing was saved.

        Raises:
            LookupError: The revision that the conversation holds is not kept.
        """
        session = stored.session
        if session.ask_sector and respondent.sector is not None:
            # Said elsewhere since this conversation began: it is asked once.
            session = replace(session, ask_sector=False)
        survey = store.survey(session.survey_id, session.revision)
        if survey is None:
            message = f"revision {session.revision} of {session.survey_id} is not kept"
            raise LookupError(message)
        turn = step(survey, session, event)
        if turn.session == session:
            return False
        if silent or (lane == 1 and (respondent.opted_out or not respondent.reachable)):
            # What we do of our own accord is not told to somebody who withdrew.
            kept = tuple(one for one in turn.effects if not isinstance(one, PromptShown))
            turn = replace(turn, effects=kept)
        store.commit_turn(
            turn,
            before=stored,
            respondent=respondent,
            lane=lane,
            at=now,
            loose_id=self._new_id(),
            window=window,
            number=number,
        )
        if respondent.opted_out and any(isinstance(one, ConsentRecorded) for one in turn.effects):
            store.opt_in(respondent.respondent_id)
        if not silent and any(isinstance(one, OptedOut) for one in turn.effects):
            self.end_all(store, respondent, now)
        self.answer_requests(store, respondent, turn.effects, turn.session.language, now)
        return True

    def end_all(self, store: Store, respondent: Respondent, now: datetime) -> None:
        """End every conversation of somebody who withdrew; they are told once, elsewhere."""
        for stored in store.recent_sessions(respondent.respondent_id, limit=50):
            session = stored.session
            if not session.status.final:
                stop = ReplyReceived(
                    event_id=f"stop:{session.session_id}", at=now, text="/stop", seen_turn=None
                )
                self.advance(store, respondent, stored, stop, lane=0, now=now, silent=True)

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
                        codeframe=self.codeframe,
                        language=language,
                        slash=slash,
                        today=now.date(),
                    )
                    store.say(respondent, letter, at=now)
                case PrivacyRequested():
                    text = self._house.privacy(language, slash=slash)
                    store.say(respondent, [Prompt(text=text)], at=now)
                case ResultsRequested():
                    shown = look_back(
                        store,
                        store.respondent(respondent.respondent_id) or respondent,
                        effect.wanted,
                        house=self._house,
                        codeframe=self.codeframe,
                        language=language,
                        slash=slash,
                        now=now,
                    )
                    store.say(respondent, [shown], at=now)
                case TimingRequested():
                    person = store.respondent(respondent.respondent_id) or respondent
                    times = OwnTimes(
                        store=store,
                        respondent=person,
                        house=self._house,
                        # Theirs, also amid a survey that does not speak it: it is not its matter.
                        language=person.language or language,
                        slash=slash,
                        new_id=self._new_id,
                        now=now,
                    )
                    store.say(respondent, [times.answer(effect.said)], at=now)
                case ErasureRequested():
                    forget(
                        store,
                        respondent.respondent_id,
                        actor="respondent",
                        language=language,
                        slash=slash,
                        tell=True,
                        now=now,
                        new_id=self._new_id,
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


def _key(inbound: Inbound | CohortListed) -> str | None:
    """Give whose an inbound is: those of one person follow one another."""
    return None if isinstance(inbound, CohortListed) else inbound.address.key
