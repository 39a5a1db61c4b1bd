"""Reminding who has answered nothing, and putting off what waits in somebody's quiet time.

What lives here: the looks at reminders that are due, each noted in its row, so that neither a
missed tick nor a second worker doubles one. What must not: when a reminder comes
(``clock/planning.py``).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial

from bot.clock.planning import Planner, alone
from bot.jobs import RunJob, Troubles
from bot.runner import Runner
from dialogues.errors import StoreError
from dialogues.events import Reminded
from dialogues.session import Missing, Session
from storage.protocol import Reminding, Respondent, Store, Unsent, Waiting, Wave, Window

__all__ = ["Reminder", "answered"]

#: Reminders looked at, and messages put off, in one transaction.
_BATCH = 100

#: When to look again at the reminders of somebody whose invitation has not left yet, and of
#: a conversation that breaks.
_NOT_YET = timedelta(hours=1)
_BROKEN = timedelta(days=1)


def answered(session: Session) -> bool:
    """Whether something was answered: then nobody is reminded any more."""
    return any(
        given.value is not None or given.missing is Missing.DONT_KNOW for given in session.given
    )


class Reminder:
    """Looks at the reminders of waves."""

    def __init__(self, runner: Runner, troubles: Troubles, *, now: Callable[[], datetime]) -> None:
        self._runner = runner
        self._troubles = troubles
        self._now = now

    # Reminders ------------------------------------------------------------------------

    def remind(self, wave: Wave, run: RunJob) -> None:
        """Look at every reminder of a wave that is due."""
        while due := run(partial(self._due, wave_id=wave.wave_id)):
            try:
                run(partial(self._look_at_all, wave_id=wave.wave_id, due=due))
            except StoreError:
                raise
            except Exception:
                self._one_by_one(wave, due, run)

    def _one_by_one(self, wave: Wave, due: Sequence[Reminding], run: RunJob) -> None:
        """Look at each by itself: one that breaks holds up nobody else."""
        for one in due:
            done = False
            with self._troubles.noted(f"{one.session_id} in {wave.wave_id}"):
                run(partial(self._look_at_all, wave_id=wave.wave_id, due=[one]))
                done = True
            if not done:
                run(partial(_set_aside, due=one, until=self._now() + _BROKEN))

    def _due(self, store: Store, *, wave_id: str) -> list[Reminding]:
        wave = store.wave(wave_id)
        if wave is None or wave.state != "open":
            return []
        return store.reminders_due(wave_id, now=self._now(), limit=_BATCH)

    def _look_at_all(self, store: Store, *, wave_id: str, due: Sequence[Reminding]) -> None:
        wave = store.wave(wave_id)
        if wave is None or wave.state != "open":
            return
        store.hold_people([one.respondent_id for one in due])
        planner = Planner(wave, self._now())
        for one in due:
            self._look_at(store, wave, planner, one)

    def _look_at(self, store: Store, wave: Wave, planner: Planner, due: Reminding) -> None:
        now = self._now()
        stored = store.session(due.session_id) if due.session_id is not None else None
        respondent = store.respondent(due.respondent_id)
        if (
            stored is None
            or respondent is None
            or not _may_be_reminded(respondent, wave)
            or stored.session.status.final
            or answered(stored.session)
        ):
            store.set_reminder(due, look_at=None, reminded=due.reminded)
            return
        if due.waiting:
            store.set_reminder(due, look_at=now + _NOT_YET, reminded=due.reminded)
            return
        timing = store.timing(due.respondent_id)
        look = planner.reminders(timing, due.base_at, due.reminded)
        if not store.set_reminder(due, look_at=look.look_at, reminded=look.number):
            return
        unsent = [
            Unsent(respondent_id=due.respondent_id, number=number, reason=reason)
            for number, reason in look.unsent
        ]
        store.note_unsent(wave.wave_id, unsent, at=now)
        if look.window is None:
            return
        event = Reminded(
            event_id=f"remind:{wave.wave_id}:{look.number}:{due.session_id}",
            at=now,
            until=planner.last_day(timing),
            minute=planner.closing_minute(timing, look.window.due_at),
        )
        reminded = self._runner.advance(
            store,
            respondent,
            stored,
            event,
            lane=1,
            now=now,
            window=look.window,
            number=look.number,
        )
        if reminded:
            store.note_reminder(due.invitation_id)

    # What waits -----------------------------------------------------------------------

    def put_off(self, run: RunJob) -> None:
        """Plan anew what waits and has come into somebody's quiet time."""
        while run(self._put_off_some) == _BATCH:
            pass

    def _put_off_some(self, store: Store) -> int:
        rows = store.put_off(now=self._now(), limit=_BATCH)
        store.hold_people([row.respondent_id for row in rows])
        planners: dict[str, Planner | None] = {}
        for row in rows:
            if row.wave_id is not None and row.wave_id not in planners:
                wave = store.wave(row.wave_id)
                planners[row.wave_id] = None if wave is None else Planner(wave, self._now())
            planner = planners.get(row.wave_id) if row.wave_id is not None else None
            self._put_off(store, row, planner)
        return len(rows)

    def _put_off(self, store: Store, row: Waiting, planner: Planner | None) -> None:
        timing = store.timing(row.respondent_id)
        if planner is None:
            window = alone(timing, self._now(), row.expires_at)
        else:
            window = planner.again(timing, row.expires_at)
        if isinstance(window, Window):
            store.move(row.outbox_id, window)
        else:
            store.give_up(row, reason=window, at=self._now())


def _may_be_reminded(respondent: Respondent, wave: Wave) -> bool:
    return wave.cohort in respondent.cohorts and respondent.reachable and not respondent.opted_out


def _set_aside(store: Store, *, due: Reminding, until: datetime) -> None:
    store.set_reminder(due, look_at=until, reminded=due.reminded)
