"""Waves: opened when they are due, invited to, reminded of and closed.

What lives here: what is due at an instant, and the jobs that do it. Truth about time is in
rows: a wave's id holds its local date, so it opens once however often this runs, and every
reminder and closing is guarded by an id of its own. How a wave is fielded is in its row too:
the configuration says how the next one will be. What must not: the clock (``schedule.py``
ticks), or words.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Protocol, TypeVar
from zoneinfo import ZoneInfo

from cronsim import CronSim

from bot.house import CohortPlan, House, PulsePlan
from bot.runner import Runner
from bot.visit import Checkin
from dialogues.errors import StoreError
from dialogues.events import Reminded, WaveClosed
from dialogues.survey import Survey
from storage.protocol import Rhythm, Store, Wave, WaveState

__all__ = ["RunJob", "Waves", "last_due", "next_due", "quiet_until"]

log = logging.getLogger(__name__)

_T = TypeVar("_T")

#: How late a pulse that never went out before may open its first wave.
_FIRST_GRACE = timedelta(hours=1)

#: How long answers to an anonymous survey wait to be sent, where no wave closes over them.
_UNSENT_KEPT = timedelta(days=14)

#: People dealt with in one transaction.
_BATCH = 100


def next_due(cron: str, zone: ZoneInfo, after: datetime) -> datetime:
    """Give the next instant, later than ``after``, that a cron line names in a zone.

    Read as cron reads it, also on both clock-change days (cronsim).
    """
    return next(CronSim(cron, after.astimezone(zone))).astimezone(UTC)


def last_due(cron: str, zone: ZoneInfo, now: datetime) -> datetime | None:
    """Give the newest instant at or before ``now`` that a cron line names; None when there
    was none in the four years before.
    """
    for days in (1, 8, 32, 367, 4 * 366):
        newest = None
        for due in CronSim(cron, (now - timedelta(days=days)).astimezone(zone)):
            if due.astimezone(UTC) > now:
                break
            newest = due.astimezone(UTC)
        if newest is not None:
            return newest
    return None


def quiet_until(quiet: tuple[int, int] | None, zone: ZoneInfo, now: datetime) -> datetime:
    """Give when something may be sent: ``now``, or the end of the quiet hours it falls in.

    Args:
        quiet: Local (from, until) in minutes after midnight; None for none.
        zone: Whose hours.
        now: Aware UTC.
    """
    if quiet is None or quiet[0] == quiet[1]:
        return now
    begins, ends = quiet
    local = now.astimezone(zone)
    minute = local.hour * 60 + local.minute
    within = begins <= minute < ends if begins < ends else minute >= begins or minute < ends
    if not within:
        return now
    day = local.date() + timedelta(days=1 if minute >= ends else 0)
    end = datetime.combine(day, time(ends // 60, ends % 60), zone)
    return end.astimezone(UTC)


class RunJob(Protocol):
    """Runs a job in a transaction of its own and gives its result."""

    def __call__(self, job: Callable[[Store], _T]) -> _T:
        """Run it; raises ``StoreError`` when it could not be kept."""
        ...


class Waves:
    """Does what is due. Every method that takes a store is one transaction."""

    def __init__(self, runner: Runner, *, now: Callable[[], datetime]) -> None:
        self._runner = runner
        self._house: House = runner.house
        self._now = now
        self._troubled: set[str] = set()

    @property
    def house(self) -> House:
        """The installation."""
        return self._house

    def tick(self, run: RunJob) -> None:
        """Do everything that is due now."""
        for pulse, cohort in self._fieldings():
            with self._trouble_noted(f"{pulse.name} in {cohort.name}"):
                wave = self.due(pulse, cohort, run(lambda store: store.waves()))
                if wave is not None:
                    self.open(wave, run)
        run(lambda store: store.drop_stale_anonymous(self._now() - _UNSENT_KEPT))
        for wave in run(_under_way):
            with self._trouble_noted(wave.wave_id):
                self._tend(wave, run)

    def _tend(self, wave: Wave, run: RunJob) -> None:
        over = wave.closes_at is not None and wave.closes_at <= self._now()
        if wave.state != "open":
            if over:
                self.close(wave.wave_id, run)
            return
        if not over:
            self.invite(wave, run)
        if self._speaks_at(wave) > self._now():
            return  # Reminders and farewells wait until people are awake.
        if over:
            self.close(wave.wave_id, run)
        else:
            self.remind(wave, run)

    @contextmanager
    def _trouble_noted(self, what: str) -> Iterator[None]:
        """Let one thing fail and the rest go on; the log has its id, the first time.

        A store that does not work fails everything, and is tried again at the next tick.
        """
        try:
            yield
        except StoreError:
            raise
        except Exception as trouble:
            if what not in self._troubled:
                self._troubled.add(what)
                log.error("Passed over %s: %s", what, type(trouble).__name__)

    def _fieldings(self) -> Iterator[tuple[PulsePlan, CohortPlan]]:
        for pulse in self._house.pulses:
            for name in pulse.cohorts:
                cohort = self._house.cohort(name)
                if cohort is not None:
                    yield pulse, cohort

    # Opening --------------------------------------------------------------------------

    def due(self, pulse: PulsePlan, cohort: CohortPlan, known: list[Wave]) -> Wave | None:
        """Give the wave that should be open now and is not kept yet; None when none is.

        After a stop of ours a wave still opens while half of its time is left; the first
        wave of a pulse opens at most an hour late, so that a pulse written into the
        configuration today does not open last week's wave.
        """
        now = self._now()
        zone = ZoneInfo(cohort.timezone)
        opens_at = last_due(pulse.cron, zone, now)
        if opens_at is None:
            return None
        wave = self.plan(pulse, cohort, opens_at)
        before = [one for one in known if one.pulse == pulse.name and one.cohort == cohort.name]
        if any(one.wave_id == wave.wave_id for one in before):
            return None
        life = (wave.closes_at or opens_at) - opens_at
        grace = life / 2 if before else min(_FIRST_GRACE, life / 2)
        return wave if now - opens_at <= grace else None

    def plan(self, pulse: PulsePlan, cohort: CohortPlan, opens_at: datetime) -> Wave:
        """Give the wave of a pulse and cohort that opens at an instant; nothing is kept.

        A date has one wave: opened by hand it stands for the one that is due later that day.
        """
        zone = ZoneInfo(cohort.timezone)
        local = opens_at.astimezone(zone)
        survey = self._house.surveys[pulse.survey_id]
        following = next_due(pulse.cron, zone, opens_at)
        while following.astimezone(zone).date() == opens_at.astimezone(zone).date():
            following = next_due(pulse.cron, zone, following)
        closes_at = following if pulse.close_after is None else opens_at + pulse.close_after
        closes_at = min(closes_at, following)
        return Wave(
            wave_id=f"{pulse.name}-{cohort.name}-{opens_at.astimezone(zone).date()}",
            pulse=pulse.name,
            cohort=cohort.name,
            survey_id=survey.survey_id,
            revision=survey.revision,
            roles=pulse.roles,
            questions_per_person=pulse.questions_per_person,
            timezone=cohort.timezone,
            quiet_hours=pulse.quiet_hours,
            state="open",
            opens_at=opens_at,
            closes_at=closes_at,
            remind_at=tuple(
                opens_at + after for after in pulse.remind_after if opens_at + after < closes_at
            ),
            reminded=0,
            rhythm=Rhythm(
                opens_on=local.date(),
                minute=local.hour * 60 + local.minute,
                next_on=following.astimezone(zone).date(),
                remind_after=pulse.remind_after,
            ),
            seed=self._seed(pulse, survey),
        )

    def _seed(self, pulse: PulsePlan, survey: Survey) -> str | None:
        """Give what decides between questions that are covered alike; none where each person
        has a chance of their own.
        """
        if pulse.questions_per_person is None or survey.anonymous:
            return None
        return pulse.seed or self._runner.new_seed()

    def open(self, wave: Wave, run: RunJob) -> bool:
        """Open a wave and close the one before it; False when it was opened already."""
        survey = self._house.surveys[wave.survey_id]

        def job(store: Store) -> bool:
            store.keep_survey(survey, at=self._now())
            return store.open_wave(wave)

        if not run(job):
            return False
        log.info("Opened wave %s", wave.wave_id)
        for other in run(_under_way):
            same = (other.pulse, other.cohort) == (wave.pulse, wave.cohort)
            if wave.pulse is not None and same and other.wave_id != wave.wave_id:
                self.close(other.wave_id, run)
        return True

    def invite(self, wave: Wave, run: RunJob) -> None:
        """Invite every member who has no invitation yet, also who joined since."""
        while run(lambda store: self._invite_some(store, wave)):
            pass

    def _invite_some(self, store: Store, wave: Wave) -> int:
        now = self._now()
        survey = store.survey(wave.survey_id, wave.revision)
        fresh = store.wave(wave.wave_id)
        if survey is None or fresh is None or fresh.state != "open":
            return 0
        due_at = self._speaks_at(wave)
        members = store.uninvited(wave.wave_id, roles=wave.roles, limit=_BATCH)
        checkin = Checkin(survey=survey, cohort=wave.cohort, wave=wave)
        drawer = self._runner.drawer(store, checkin)
        drawer.draw_all([member.respondent_id for member in members])
        for member in members:
            self._runner.open_session(
                store,
                member,
                checkin,
                event_id=f"invite:{wave.wave_id}",
                now=now,
                due_at=due_at,
                invited=True,
                drawer=drawer,
            )
        drawer.save()
        return len(members)

    def _speaks_at(self, wave: Wave) -> datetime:
        """Give when we may write of our own accord: now, or at the end of the quiet hours."""
        return quiet_until(wave.quiet_hours, ZoneInfo(wave.timezone), self._now())

    # Reminding ------------------------------------------------------------------------

    def remind(self, wave: Wave, run: RunJob) -> None:
        """Send the reminder that is due to members who have answered nothing yet."""
        due = sum(when <= self._now() for when in wave.remind_at)
        if due <= wave.reminded:
            return
        self._each_unfinished(wave.wave_id, run, partial(self._remind_one, wave=wave, number=due))
        run(lambda store: store.set_wave(wave.wave_id, reminded=due))

    def _remind_one(self, store: Store, session_id: str, *, wave: Wave, number: int) -> None:
        now = self._now()
        stored = store.session(session_id)
        respondent = store.respondent(stored.respondent_id) if stored else None
        if stored is None or respondent is None or wave.cohort not in respondent.cohorts:
            return
        event_id = f"remind:{wave.wave_id}:{number}:{session_id}"
        begun = any(given.value is not None for given in stored.session.given)
        if begun or not store.take_event(event_id, on=now.date()):
            return
        zone = ZoneInfo(wave.timezone)
        until = wave.closes_at.astimezone(zone).date() if wave.closes_at else None
        event = Reminded(event_id=event_id, at=now, until=until)
        reminded = self._runner.advance(store, respondent, stored, event, lane=1, now=now)
        if reminded and stored.invitation_id is not None:
            store.note_reminder(stored.invitation_id)

    # Closing --------------------------------------------------------------------------

    def close(self, wave_id: str, run: RunJob) -> None:
        """Close a wave: end what is unfinished, settle every invitation.

        Nobody begins in it from the first moment on. Those in the middle are told, save when
        it was paused: then nothing is said, and what still waited to be sent is dropped.
        """
        before = run(partial(self._begin_closing, wave_id=wave_id))
        if before == "closed":
            return
        silent = before == "paused"
        passed_over: set[str] = set()
        settle = partial(self._settle, wave_id=wave_id, silent=silent, passed_over=passed_over)
        while not run(settle):
            close_one = partial(self._close_one, wave_id=wave_id, silent=silent)
            passed_over |= self._each_unfinished(wave_id, run, close_one)
        log.info("Closed wave %s", wave_id)

    def _begin_closing(self, store: Store, wave_id: str) -> WaveState:
        """Let nobody begin any more; give the state before. What is paused stays so till then."""
        wave = store.wave(wave_id)
        before = "closed" if wave is None else wave.state
        if before != "closed":
            state = "paused" if before == "paused" else "closing"
            store.set_wave(wave_id, state=state, closes_at=self._now())
        return before

    def _close_one(self, store: Store, session_id: str, *, wave_id: str, silent: bool) -> None:
        now = self._now()
        stored = store.session(session_id)
        respondent = store.respondent(stored.respondent_id) if stored else None
        if stored is not None and respondent is not None:
            event = WaveClosed(event_id=f"close:{wave_id}:{session_id}", at=now)
            self._runner.advance(store, respondent, stored, event, lane=1, now=now, silent=silent)

    def _settle(self, store: Store, wave_id: str, *, silent: bool, passed_over: set[str]) -> bool:
        """Settle every invitation; False while a conversation is still to be ended."""
        unfinished = store.unfinished(wave_id, limit=len(passed_over) + 1)
        if not passed_over.issuperset(unfinished):
            return False
        if silent:
            store.drop_broadcasts(wave_id)
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
                    with self._trouble_noted(f"{session_id} in {wave_id}"):
                        run(partial(_do_all, ids=[session_id], job=job))
                        passed_over.discard(session_id)
        return passed_over


def _under_way(store: Store) -> list[Wave]:
    """Give the waves that are not closed."""
    return [wave for wave in store.waves() if wave.state != "closed"]


def _unfinished_after(store: Store, *, wave_id: str, after: str) -> list[str]:
    return store.unfinished(wave_id, after=after, limit=_BATCH)


def _do_all(store: Store, *, ids: list[str], job: Callable[[Store, str], None]) -> None:
    store.hold_sessions(ids)
    for session_id in ids:
        job(store, session_id)
