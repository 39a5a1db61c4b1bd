"""Planning anew what waits for one person, when their own times have changed.

What lives here: each message that waits, moved to its new instant or taken back, in the
transaction that keeps the change. What must not: when that is (``clock/planning.py``), or words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.clock.fatigue import Budget
from bot.clock.invitation import counted_since, planned_for
from bot.clock.planning import Planner, alone
from storage.protocol import (
    Candidate,
    Earlier,
    PassedOver,
    Respondent,
    Store,
    Timing,
    Waiting,
    Wave,
    Window,
)

__all__ = ["Replanned", "replan"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Replanned:
    """What became of what waited.

    Attributes:
        next_at: When the first invitation or reminder that waits is due; None where none does.
        dropped: How many invitations and reminders have no time left.
    """

    next_at: datetime | None = None
    dropped: int = 0


def replan(
    store: Store,
    respondent: Respondent,
    *,
    budget: Budget | None,
    new_id: Callable[[], str],
    now: datetime,
) -> Replanned:
    """Plan anew all that waits for a person, by the times that are kept of them now.

    What was not sent for reasons of their time is thought over too: who was passed over in an
    open wave is a candidate again, and their reminders are looked at once more.

    Args:
        store: Of the transaction in which the change was kept.
        respondent: Whose times have changed.
        budget: As in the house.
        new_id: Gives the id of an invitation that is over at once.
        now: Aware UTC.
    """
    respondent_id = respondent.respondent_id
    store.forget_unsent(respondent_id)
    timing = store.timing(respondent_id)
    due: list[datetime] = []
    planned: list[Earlier] = []
    dropped = 0
    for row in store.waiting(respondent_id):
        wave = None if row.wave_id is None else store.wave(row.wave_id)
        if wave is not None and wave.state not in ("open", "paused"):
            # It is being closed, and what waits of it dropped.
            continue
        window = _window(store, row, wave, timing, planned, budget, now)
        if isinstance(window, Window):
            if store.move(row.outbox_id, window) and row.number is not None:
                due.append(window.due_at)
            if wave is not None and _is_new(row):
                planned.append(_planned(wave, window))
            continue
        dropped += row.number is not None
        if wave is not None and _is_new(row):
            _pass_over(store, respondent, row, wave, timing, window, new_id(), now)
        else:
            store.give_up(row, reason=window, at=now)
    store.look_again(respondent_id, at=now)
    return Replanned(next_at=min(due, default=None), dropped=dropped)


def _planned(wave: Wave, window: Window) -> Earlier:
    return Earlier(
        pulse=wave.pulse,
        opens_on=wave.rhythm.opens_on,
        minute=wave.rhythm.minute,
        due_at=window.due_at,
    )


def _is_new(row: Waiting) -> bool:
    """Whether it is an invitation of which nothing was seen."""
    return row.number == 0 and row.invitation_id is not None and not row.seen


def _window(
    store: Store,
    row: Waiting,
    wave: Wave | None,
    timing: Timing,
    planned: Sequence[Earlier],
    budget: Budget | None,
    now: datetime,
) -> Window | str:
    """Give when a message may leave now, or why it never may; of two invitations that the
    budget does not allow together, the one that was planned first has its way.
    """
    if wave is None:
        return alone(timing, now, row.expires_at)
    planner = Planner(wave, now)
    if _is_new(row):
        sent = store.earlier(row.respondent_id, since=counted_since(wave, budget, now))
        return planned_for(planner, wave, timing, (*sent, *planned), budget)
    return planner.again(timing, row.expires_at if row.number is None else planner.until(timing))


def _pass_over(
    store: Store,
    respondent: Respondent,
    row: Waiting,
    wave: Wave,
    timing: Timing,
    reason: str,
    invitation_id: str,
    now: datetime,
) -> None:
    """Take an invitation back and note why, as if it had never been planned."""
    stored = store.session_in_wave(row.respondent_id, wave.wave_id)
    store.take_back(row)
    if wave.seed is not None and stored is not None and stored.session.draw:
        store.add_draws(wave.wave_id, dict.fromkeys(stored.session.draw, -1))
    candidate = Candidate(
        respondent_id=respondent.respondent_id,
        channel=respondent.channel,
        role=respondent.role,
        sector=respondent.sector,
        language=respondent.language,
        timing=timing,
        agreed=False,
    )
    passed = PassedOver(candidate=candidate, invitation_id=invitation_id, reason=reason)
    store.pass_over(wave.wave_id, [passed], at=now)
