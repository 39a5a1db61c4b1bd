"""Turns: a conversation and everything that follows from a step of it, saved together."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import assert_never

from dialogues.codec import encode_session
from dialogues.effects import (
    AnswerRecorded,
    ConsentRecorded,
    DataRequested,
    DispositionSet,
    Effect,
    ErasureRequested,
    EventRejected,
    LanguageChosen,
    OptedOut,
    PrivacyRequested,
    PromptShown,
    QuestionOffered,
    ResponseDropped,
    ResponseSubmitted,
    ResultsRequested,
    SectorGiven,
    TimingRequested,
    Turn,
)
from dialogues.errors import StaleSession
from dialogues.session import Given, Missing, Session, Status
from dialogues.states import State
from dialogues.survey import Question
from storage.clock import Window
from storage.dispositions import Dispositions
from storage.driver import Record
from storage.holding import Holding
from storage.loose import Loose
from storage.member_checks import MemberChecks
from storage.protocol import Respondent, StoredSession
from storage.records import read_session, write_day, write_instant, write_maybe

__all__ = ["CUT", "Turns"]

#: Stands in place of the session of a response that was cut loose.
CUT = "cut"

#: What was made of words that are changed.
_RETRACTED = (
    "unshow_changed",
    "retract_codings",
    "retract_reviews",
    "retract_drafts",
    "retract_member_drafts",
)

#: Conversations that are dropped in one transaction.
_STALE_AT_ONCE = 200

#: Later than any place in a chat: a person's newest message, which is on its way.
_ON_ITS_WAY = (1 << 30, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scene:
    """What the effects of one turn have in common.

    Attributes:
        at: When the turn happened, as it is written.
        window: When its message may leave.
        number: Of a reminder; None for anything else.
        loose: Whether this turn cuts the response loose from its person.
    """

    session: Session
    respondent: Respondent
    invitation_id: str | None
    wave_id: str | None
    cohort: str | None
    lane: int
    at: str
    window: Window
    number: int | None
    loose: bool


class Turns(MemberChecks, Loose, Dispositions, Holding):
    """The verbs about conversations."""

    def take_event(self, event_id: str, *, on: date) -> bool:
        """Note a platform event; False when it was taken before. Keeps a keyed hash only."""
        return bool(self._run("take_event", event_key=self.event_key(event_id), on=write_day(on)))

    def session(self, session_id: str) -> StoredSession | None:
        """Give a session; None when there is none (or it was cut loose)."""
        row = self._one("session", session_id=session_id)
        return None if row is None else read_session(row)

    def latest_session(self, respondent_id: str) -> StoredSession | None:
        """Give the session of a person that moved last; None when there is none."""
        row = self._one("latest_session", respondent_id=respondent_id)
        return None if row is None else read_session(row)

    def recent_sessions(self, respondent_id: str, *, limit: int) -> list[StoredSession]:
        """Give the sessions of a person, the one that moved last first."""
        rows = self._all("recent_sessions", respondent_id=respondent_id, limit=limit)
        return [read_session(row) for row in rows]

    def session_in_wave(self, respondent_id: str, wave_id: str) -> StoredSession | None:
        """Give a person's session in a wave; None when there is none."""
        row = self._one("session_in_wave", respondent_id=respondent_id, wave_id=wave_id)
        return None if row is None else read_session(row)

    def unfinished(self, wave_id: str, *, after: str = "", limit: int = 500) -> list[str]:
        """Give the ids of a wave's sessions that are not final, in order, those after ``after``."""
        rows = self._all("unfinished", wave_id=wave_id, after=after, limit=limit)
        return [row["session_id"] for row in rows]

    def took_part(self, respondent_id: str, wave_id: str) -> bool:
        """Whether a person handed in an anonymous response in a wave; see the contract."""
        return self._one("took_part", respondent_id=respondent_id, wave_id=wave_id) is not None

    def event_key(self, event_id: str) -> str:
        """Give the keyed hash under which an event is known."""
        return self._hashed("event", event_id)

    def seen_session(self, respondent_id: str, position: str | None) -> str | None:
        """Give the session whose prompt stood last in a person's chat; see the contract."""
        best: tuple[tuple[int, str], str] | None = None
        for row in self._all("seen_prompts", respondent_id=respondent_id):
            place = _place_seen(row, position)
            if place is not None and (best is None or place > best[0]):
                best = (place, row["session_id"])
        return None if best is None else best[1]

    def seen_turn(
        self, session_id: str, position: str | None, *, surely: bool = False
    ) -> int | None:
        """Turn of the newest prompt that stood before ``position``; see the contract."""
        for row in self._all("seen_turns", session_id=session_id):
            place = _place_seen(row, position)
            if place is not None and not (surely and row["doubt"] and place == _ON_ITS_WAY):
                turn: int = row["turn"]
                return turn
        return None

    def has_waiting(self, session_id: str) -> bool:
        """Whether a message of a session has still to be sent."""
        return self._one("waiting", session_id=session_id) is not None

    def begin_session(
        self,
        turn: Turn,
        *,
        respondent: Respondent,
        wave_id: str | None,
        cohort: str | None,
        invitation_id: str | None,
        lane: int,
        at: datetime,
        due_at: datetime,
        remind_at: datetime | None = None,
        counts: bool = False,
    ) -> bool:
        """Save the first turn of a conversation; see the contract."""
        written_at = write_instant(at)
        if wave_id is not None and lane == 0:
            self._stay_in(wave_id)
        if invitation_id is not None and not self._run(
            "invite",
            invitation_id=invitation_id,
            wave_id=wave_id,
            respondent_id=respondent.respondent_id,
            at=written_at,
            state=State.REGISTERED.value,
            channel=respondent.channel,
            counted_at=written_at if counts else None,
            remind_at=write_maybe(remind_at),
        ):
            taken_up = self._one(
                "take_up",
                wave_id=wave_id,
                respondent_id=respondent.respondent_id,
                remind_at=write_maybe(remind_at),
            )
            if taken_up is None:
                return False
            invitation_id = taken_up["invitation_id"]
        session = turn.session
        self._run(
            "add_session",
            session_id=session.session_id,
            respondent_id=respondent.respondent_id,
            invitation_id=invitation_id,
            wave_id=wave_id,
            cohort=cohort,
            survey_id=session.survey_id,
            revision=session.revision,
            status=session.status.value,
            turn=session.turn,
            body=encode_session(session),
            at=written_at,
        )
        scene = _Scene(
            session=session,
            respondent=respondent,
            invitation_id=invitation_id,
            wave_id=wave_id,
            cohort=cohort,
            lane=lane,
            at=written_at,
            window=Window(due_at=due_at),
            number=None,
            loose=False,
        )
        if invitation_id is not None:
            # Who came by themselves is spoken to already; an invitation is still to be sent.
            self._note(invitation_id, State.QUEUED if lane else State.CONTACTED, written_at)
        for effect in turn.effects:
            self._save(effect, scene)
        return True

    def commit_turn(
        self,
        turn: Turn,
        *,
        before: StoredSession,
        respondent: Respondent,
        lane: int,
        at: datetime,
        loose_id: str,
        window: Window | None = None,
        number: int | None = None,
    ) -> None:
        """Save a turn: session, records and outbox rows together; see the contract."""
        session = turn.session
        written_at = write_instant(at)
        survey = self._kept(session.survey_id, session.revision)
        submitted = any(isinstance(effect, ResponseSubmitted) for effect in turn.effects)
        loose = submitted and survey.anonymous
        self._move(session, turn_before=before.session.turn, loose=loose, at=written_at)
        scene = _Scene(
            session=session,
            respondent=respondent,
            invitation_id=before.invitation_id,
            wave_id=before.wave_id,
            cohort=before.cohort,
            lane=lane,
            at=written_at,
            window=window or Window(due_at=at),
            number=number,
            loose=loose,
        )
        if before.session.status is Status.STOPPED and session.status is Status.ASKING:
            self._note_begun(scene)
        for effect in turn.effects:
            self._save(effect, scene)
        self._await_check(before.session, session, survey, at=written_at)
        if loose:
            self._cut_loose(scene, loose_id)

    def _move(self, session: Session, *, turn_before: int, loose: bool, at: str) -> None:
        if loose:
            moved = self._run("end_session", session_id=session.session_id, turn_before=turn_before)
        else:
            moved = self._run(
                "move_session",
                session_id=session.session_id,
                turn_before=turn_before,
                status=session.status.value,
                turn=session.turn,
                body=encode_session(session),
                at=at,
            )
        if not moved:
            raise StaleSession

    def _save(self, effect: Effect, scene: _Scene) -> None:
        response_id = scene.session.session_id
        match effect:
            case PromptShown():
                self._show(effect, scene)
            case AnswerRecorded():
                self._answer(effect, scene)
            case QuestionOffered():
                survey = self._kept(scene.session.survey_id, scene.session.revision)
                question, place = self._place(effect.question_id, scene)
                self._run(
                    "offer",
                    response_id=response_id,
                    question_id=effect.question_id,
                    place=place,
                    kind=question.kind,
                    question=survey.say(question.text, scene.session.language),
                    at=write_instant(effect.at),
                )
            case ConsentRecorded():
                self._consent(effect, scene)
            case DispositionSet():
                disposition = effect.disposition.value
                self._run(
                    "set_response_disposition", response_id=response_id, disposition=disposition
                )
                if scene.session.status.final:
                    self._run("end_response", response_id=response_id, at=write_instant(effect.at))
                # Of an anonymous response it would tell more than that one took part.
                if scene.invitation_id is not None and not scene.loose:
                    self._note_outcome(
                        scene.invitation_id, effect.disposition, write_instant(effect.at)
                    )
            case ResponseSubmitted():
                self._run("end_response", response_id=response_id, at=write_instant(effect.at))
            case ResponseDropped():
                self._run("drop_response", response_id=response_id)
                self.scrub_due = True
            case LanguageChosen(language=language):
                person = scene.respondent.respondent_id
                self._run("set_language", respondent_id=person, language=language)
                self._run("set_response_language", response_id=response_id, language=language)
            case SectorGiven(sector=sector, role=role):
                person = scene.respondent.respondent_id
                self._run("set_sector", respondent_id=person, sector=sector, role=role)
                if not scene.session.status.final:
                    # What has ended keeps what held when it was given.
                    self._run(
                        "set_response_sector", response_id=response_id, sector=sector, role=role
                    )
            case OptedOut():
                person = scene.respondent.respondent_id
                self._run("opt_out", respondent_id=person, at=write_instant(effect.at))
                self._run("drop_broadcasts", respondent_id=person)
            case (
                DataRequested()
                | ResultsRequested()
                | TimingRequested()
                | PrivacyRequested()
                | ErasureRequested()
                | EventRejected()
            ):
                pass  # The shell's to do; nothing to keep.
            case _:
                assert_never(effect)

    def _show(self, effect: PromptShown, scene: _Scene) -> None:
        if not effect.lasting:
            session = scene.session
            for query in ("drop_overtaken", "give_up_overtaken", "empty_overtaken"):
                self._run(query, session_id=session.session_id, turn=session.turn)
        self._put_out(
            effect.prompt,
            respondent_id=scene.respondent.respondent_id,
            channel=scene.respondent.channel,
            window=scene.window,
            lane=scene.lane,
            session_id=CUT if scene.loose else scene.session.session_id,
            wave_id=None if scene.loose else scene.wave_id,
            turn=0 if scene.loose else scene.session.turn,
            in_place=effect.in_place and not scene.loose,
            lasting=effect.lasting or scene.loose,
            number=scene.number,
        )

    def _consent(self, effect: ConsentRecorded, scene: _Scene) -> None:
        session, respondent, at = scene.session, scene.respondent, write_instant(effect.at)
        survey = self._kept(session.survey_id, session.revision)
        # Who agreed to an anonymous survey at which instant would join them to their response.
        agreed = write_day(effect.at.astimezone(UTC)) if survey.anonymous else at
        self._run(
            "consent",
            respondent_id=respondent.respondent_id,
            survey_id=session.survey_id,
            consent_revision=survey.consent_revision,
            at=agreed,
        )
        self._run(
            "begin_response",
            response_id=session.session_id,
            respondent_id=respondent.respondent_id,
            wave_id=scene.wave_id,
            survey_id=session.survey_id,
            revision=session.revision,
            cohort=scene.cohort,
            channel=respondent.channel,
            role=respondent.role,
            sector=respondent.sector,
            language=session.language,
            at=at,
            drawn=None if survey.anonymous or session.draw is None else "|".join(session.draw),
        )
        if scene.invitation_id is not None:
            self._run("consented", invitation_id=scene.invitation_id)
            self._note_begun(scene)

    def _note_begun(self, scene: _Scene) -> None:
        if scene.invitation_id is not None:
            answered = any(map(_is_answer, scene.session.given))
            state = State.INTERIM_PARTIAL if answered else State.STARTED
            self._note(scene.invitation_id, state, scene.at)

    def _answer(self, effect: AnswerRecorded, scene: _Scene) -> None:
        question, place = self._place(effect.question_id, scene)
        response_id = scene.session.session_id
        if question.kind == "text":
            for query in _RETRACTED:
                self._run(
                    query,
                    response_id=response_id,
                    question_id=effect.question_id,
                    text=effect.text,
                )
        self._run(
            "answer",
            response_id=response_id,
            question_id=effect.question_id,
            place=place,
            kind=question.kind,
            question=effect.question,
            value=effect.value,
            text=effect.text,
            missing=None if effect.missing is None else Missing(effect.missing).value,
            at=write_instant(effect.at),
            edited=int(effect.edited),
            readable=int(question.kind == "text" and effect.text != "" and effect.missing is None),
        )
        first = sum(map(_is_answer, scene.session.given)) <= 1
        if scene.invitation_id is not None and first and _is_answer(effect):
            self._note(scene.invitation_id, State.INTERIM_PARTIAL, write_instant(effect.at))

    def _cut_loose(self, scene: _Scene, loose_id: str) -> None:
        session_id = scene.session.session_id
        self._run(
            "cut_response",
            response_id=session_id,
            loose_id=loose_id,
            at=scene.at,
        )
        self._run("cut_answers", response_id=session_id, loose_id=loose_id)
        if scene.wave_id is None:
            # No closing will ever compare it with the others'.
            self._withhold_all(loose_id)
        self._run("drop_response", response_id=session_id)
        if scene.invitation_id is not None:
            self._run("cut_invitation", invitation_id=scene.invitation_id)
        # A letter with this person's answers must not lie about beside their pseudonym.
        self._run("drop_letters", respondent_id=scene.respondent.respondent_id)
        self._run("empty_letters", respondent_id=scene.respondent.respondent_id)
        self._run("cut_outbox", session_id=session_id)
        self._run("drop_outbox_of_session", session_id=session_id)
        self.stir_due = self.scrub_due = True

    def drop_stale_anonymous(self, before: datetime) -> int:
        """Drop open check-ins of anonymous surveys that stood still; see the contract."""
        stale = self._stale_anonymous(before)
        for row in stale:
            self._run("drop_response", response_id=row["session_id"])
            self._run("drop_letters", respondent_id=row["respondent_id"])
            self._run("drop_outbox_of_session", session_id=row["session_id"])
            self._run("drop_session", session_id=row["session_id"])
            self.scrub_due = True
        return len(stale)

    def _stale_anonymous(self, before: datetime) -> list[Record]:
        """Give some of them, that nobody can move any more before the transaction ends."""
        some = {"before": write_instant(before), "limit": _STALE_AT_ONCE}
        found = {row["session_id"] for row in self._all("stale_anonymous", **some)}
        self.hold_sessions(sorted(found))
        rows = self._all("stale_anonymous", **some)
        return [row for row in rows if row["session_id"] in found]

    def _place(self, question_id: str, scene: _Scene) -> tuple[Question, int]:
        survey = self._kept(scene.session.survey_id, scene.session.revision)
        return survey.by_id[question_id], [*survey.by_id].index(question_id)


def _is_answer(given: Given | AnswerRecorded) -> bool:
    return given.value is not None or given.missing is Missing.DONT_KNOW


def _place_seen(row: Record, position: str | None) -> tuple[int, str] | None:
    """Give where a message may have been seen before a position; None where it was not.

    One that is on its way, or was sent twice around the position, counts as the last.
    """
    place = None if row["position"] is None else (len(row["position"]), row["position"])
    if position is None:
        return place or (0, f"{row['outbox_id']:020}")
    if place is not None and place < (len(position), position):
        return place
    return _ON_ITS_WAY if row["state"] == "claimed" or row["doubt"] else None
