"""Waves: opened when they are due, invited to, reminded of and closed.

What lives here: what is due at an instant, and the jobs that do it. Truth about time is in
rows: a wave's id holds its day, so it opens once however often this runs, and every reminder
and closing is guarded by an id of its own. How a wave is fielded is in its row too: the
configuration says how the next one will be. What must not: the clock (``schedule.py`` ticks),
time zones and days (``clock``), or words.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Iterator
from datetime import date, datetime, timedelta
from functools import partial

from bot.clock.opening import by_hand, due_day, scheduled
from bot.clock.planning import hours_of, window_at
from bot.house import CohortPlan, House, PulsePlan
from bot.inviting import Inviter
from bot.jobs import RunJob, Troubles
from bot.reminding import Reminder
from bot.runner import Runner
from dialogues.errors import StoreError
from dialogues.events import WaveClosed
from dialogues.states import Cause
from dialogues.survey import Survey
from storage.protocol import Store, Wave, WaveState, Window

__all__ = ["Waves"]

log = logging.getLogger(__name__)

_MINUTE = timedelta(minutes=1)

#: How late a pulse that never went out before may open its first wave.
_FIRST_GRACE = timedelta(hours=1)

#: How long answers to an anonymous survey wait to be sent, where no wave closes over them.
_UNSENT_KEPT = timedelta(days=14)

#: How long after a closing those in the middle may be told of it.
_FAREWELL = timedelta(days=2)

#: People dealt with in one transaction.
_BATCH = 100

_NOT_CLOSED = ("open", "paused", "closing")


class Waves:
    """Does what is due. Every method that takes a store is one transaction."""

    def __init__(self, runner: Runner, *, now: Callable[[], datetime]) -> None:
        self._runner = runner
        self._house: House = runner.house
        self._now = now
        self._troubles = Troubles()
        self._inviter = Inviter(runner, now=now)
        self._reminder = Reminder(runner, self._troubles, now=now)
        self._known_moments: dict[str, tuple[datetime, list[tuple[str | None, int | None]]]] = {}

    @property
    def house(self) -> House:
        """The installation."""
        return self._house

    def tick(self, run: RunJob) -> None:
        """Do everything that is due now."""
        for pulse, cohort in self._fieldings():
            with self._troubles.noted(f"{pulse.name} in {cohort.name}"):
                wave = self.due(pulse, cohort, run)
                if wave is not None:
                    self.open(wave, run)
        run(lambda store: store.drop_stale_anonymous(self._now() - _UNSENT_KEPT))
        # What ends makes way for what begins.
        for wave in sorted(run(_under_way), key=lambda one: not self._over(one)):
            with self._troubles.noted(wave.wave_id):
                self._tend(wave, run)
        with self._troubles.noted("what waits"):
            self._reminder.put_off(run)

    def _tend(self, wave: Wave, run: RunJob) -> None:
        if self._over(wave):
            self.close(wave.wave_id, run)
        elif wave.state == "open":
            self.invite(wave, run)
            self.remind(wave, run)

    def _over(self, wave: Wave) -> bool:
        return wave.closes_at is not None and wave.closes_at <= self._now()

    def _fieldings(self) -> Iterator[tuple[PulsePlan, CohortPlan]]:
        for pulse in self._house.pulses:
            for name in pulse.cohorts:
                cohort = self._house.cohort(name)
                if cohort is not None:
                    yield pulse, cohort

    # Opening --------------------------------------------------------------------------

    def due(self, pulse: PulsePlan, cohort: CohortPlan, run: RunJob) -> Wave | None:
        """Give the wave that should be open now and is not kept yet; None when none is.

        It opens when it reaches the first member, who may be further east than the cohort.
        After a stop of ours a wave still opens while half of its time is left; the first
        wave of a pulse opens at most an hour late, so that a pulse written into the
        configuration today does not open last week's wave. None opens for a day before that
        of a wave that is there, as one opened by hand: it stands for what was missed. A wave
        of that day stands for it too where its pulse has been given another name since.
        """
        now = self._now()
        day = due_day(pulse.cron, cohort.timezone, self._moments(cohort, run), now)
        if day is None:
            return None
        survey = self._house.surveys[pulse.survey_id]
        wave = scheduled(pulse, cohort, survey, day, seed=self._seed(pulse, survey))
        if run(lambda store: store.wave(wave.wave_id)) is not None or run(
            partial(_renamed, wave=wave, names={one.name for one in self._house.pulses})
        ):
            return None
        life = (wave.closes_at or wave.opens_at) - wave.opens_at
        late = now - wave.opens_at
        if late > life / 2:
            return None
        kept = run(partial(_days_of_others, wave=wave))
        if any(other > day for other in kept):
            return None
        return wave if kept or late <= _FIRST_GRACE else None

    def _moments(self, cohort: CohortPlan, run: RunJob) -> list[tuple[str | None, int | None]]:
        """Give the local times that members have of their own, as of the last minute."""
        known = self._known_moments.get(cohort.name)
        if known is None or not known[0] <= self._now() < known[0] + _MINUTE:
            moments = run(lambda store: store.moments(cohort.name))
            known = self._known_moments[cohort.name] = (self._now(), moments)
        return known[1]

    def plan(self, pulse: PulsePlan, cohort: CohortPlan, opens_at: datetime) -> Wave:
        """Give the wave of a pulse and cohort that a hand opens at an instant; nothing is kept."""
        survey = self._house.surveys[pulse.survey_id]
        return by_hand(pulse, cohort, survey, opens_at, seed=self._seed(pulse, survey))

    def _seed(self, pulse: PulsePlan, survey: Survey) -> str | None:
        """Give what decides between questions that are covered alike; none where each person
        has a chance of their own.
        """
        if pulse.questions_per_person is None or survey.anonymous:
            return None
        return pulse.seed or self._runner.new_id()

    def open(self, wave: Wave, run: RunJob) -> bool:
        """Open a wave, which ends the one before it; False when it was opened already, or one
        of a later day was.
        """
        survey = self._house.surveys[wave.survey_id]

        def job(store: Store) -> bool:
            store.hold_fielding(wave.pulse, wave.cohort)
            # Looked at anew: a hand may have opened one since it was found to be due.
            if any(day > wave.rhythm.opens_on for day in _days_of_others(store, wave=wave)):
                return False
            store.keep_survey(survey, at=self._now())
            if not store.open_wave(wave):
                return False
            _end_others(store, wave)
            return True

        if not run(job):
            return False
        log.info("Opened wave %s", wave.wave_id)
        return True

    def invite(self, wave: Wave, run: RunJob) -> int:
        """Invite every member who has no invitation yet; give how many were invited."""
        return self._inviter.invite(wave, run)

    def remind(self, wave: Wave, run: RunJob) -> None:
        """Remind members who have answered nothing yet, where it is time."""
        self._reminder.remind(wave, run)

    # Closing --------------------------------------------------------------------------

    def close(self, wave_id: str, run: RunJob) -> None:
        """Close a wave: end what is unfinished, settle every invitation.

        Nobody begins in it from the first moment on. Those in the middle are told at their
        next fit hour, save when it was paused: then nothing is said. What still waited to be
        sent is dropped.
        """
        before = run(partial(self._begin_closing, wave_id=wave_id))
        if before == "closed":
            return
        silent = before == "paused"
        reason = Cause.PAUSED if silent else Cause.CLOSED
        drop_late = partial(self._drop_late, wave_id=wave_id, reason=reason)
        while run(drop_late):
            pass
        passed_over: set[str] = set()
        settle = partial(self._settle, wave_id=wave_id, silent=silent, passed_over=passed_over)
        while not run(settle):
            close_one = partial(self._close_one, wave_id=wave_id, silent=silent)
            passed_over |= self._each_unfinished(wave_id, run, close_one)
        log.info("Closed wave %s", wave_id)

    def _begin_closing(self, store: Store, *, wave_id: str) -> WaveState:
        """Let nobody begin any more; give the state before. What is paused stays so till then."""
        wave = store.wave(wave_id)
        before = "closed" if wave is None else wave.state
        if before != "closed":
            state = "paused" if before == "paused" else "closing"
            store.set_wave(wave_id, state=state, closes_at=self._now())
        return before

    def _drop_late(self, store: Store, *, wave_id: str, reason: Cause) -> int:
        return store.drop_late(wave_id, reason=reason.value, at=self._now(), limit=_BATCH)

    def _close_one(self, store: Store, session_id: str, *, wave_id: str, silent: bool) -> None:
        now = self._now()
        stored = store.session(session_id)
        respondent = store.respondent(stored.respondent_id) if stored else None
        wave = store.wave(wave_id)
        if stored is None or respondent is None or wave is None:
            return
        hours = hours_of(wave, store.timing(respondent.respondent_id))
        window = window_at(hours, now, now + _FAREWELL)
        event = WaveClosed(event_id=f"close:{wave_id}:{session_id}", at=now)
        told = isinstance(window, Window) and not silent
        self._runner.advance(
            store,
            respondent,
            stored,
            event,
            lane=1,
            now=now,
            silent=not told,
            window=window if isinstance(window, Window) else None,
        )

    def _settle(self, store: Store, *, wave_id: str, silent: bool, passed_over: set[str]) -> bool:
        """Settle every invitation; False while a conversation is still to be ended."""
        unfinished = store.unfinished(wave_id, limit=len(passed_over) + 1)
        if not passed_over.issuperset(unfinished):
            return False
        if silent:
            store.drop_broadcasts(wave_id)
            store.hush(wave_id)
        store.settle_wave(wave_id, at=self._now(), min_group=self._house.min_group)
        store.set_wave(wave_id, state="closed")
        return True

    def _each_unfinished(
        self, wave_id: str, run: RunJob, job: Callable[[Store, str], None]
    ) -> set[str]:
        """Do something to each unfinished conversation of a wave, many in one transaction.

        Returns:
            Ids of those that could not be dealt with: they hold up nobody else.
        """
        passed_over: set[str] = set()
        after = ""
        while ids := run(partial(_unfinished_after, wave_id=wave_id, after=after)):
            after = ids[-1]
            try:
                run(partial(_do_all, ids=ids, job=job))
            except StoreError:
                raise
            except Exception:
                for session_id in ids:
                    passed_over.add(session_id)
                    with self._troubles.noted(f"{session_id} in {wave_id}"):
                        run(partial(_do_all, ids=[session_id], job=job))
                        passed_over.discard(session_id)
        return passed_over


def _days_of_others(store: Store, *, wave: Wave) -> list[date]:
    """Give the days of the other waves of a pulse and cohort."""
    return [
        one.rhythm.opens_on
        for one in store.waves()
        if (one.pulse, one.cohort) == (wave.pulse, wave.cohort) and one.wave_id != wave.wave_id
    ]


def _renamed(store: Store, *, wave: Wave, names: Collection[str]) -> bool:
    """Whether the same questions went to a cohort that day under a name that no pulse has now."""
    return any(
        one.pulse is not None
        and one.pulse not in names
        and (one.survey_id, one.cohort) == (wave.survey_id, wave.cohort)
        and one.rhythm.opens_on == wave.rhythm.opens_on
        for one in store.waves()
    )


def _end_others(store: Store, wave: Wave) -> None:
    """Let the other waves of a pulse and cohort end when this one opens there: of a wave that
    opens early, for members further east, only then.
    """
    for other in _under_way(store):
        same = (other.pulse, other.cohort) == (wave.pulse, wave.cohort)
        if wave.pulse is None or not same or other.wave_id == wave.wave_id:
            continue
        if other.closes_at is None or other.closes_at > wave.opens_at:
            store.set_wave(other.wave_id, closes_at=wave.opens_at)


def _under_way(store: Store) -> list[Wave]:
    """Give the waves that are not closed."""
    return [wave for state in _NOT_CLOSED for wave in store.waves(state=state)]


def _unfinished_after(store: Store, *, wave_id: str, after: str) -> list[str]:
    return store.unfinished(wave_id, after=after, limit=_BATCH)


def _do_all(store: Store, *, ids: list[str], job: Callable[[Store, str], None]) -> None:
    store.hold_sessions(ids)
    for session_id in ids:
        job(store, session_id)
