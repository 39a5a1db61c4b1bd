"""Fatigue: how often one person is invited, over all pulses.

What lives here: the budget, a pure function of what was sent and is planned. What must not:
reminders and check-ins that people begin themselves: they cost nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from storage.protocol import Earlier, Rhythm

__all__ = ["Budget", "wears_out"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """At most this many invitations to one person in any stretch of time of this length."""

    invitations: int = 1
    per: timedelta = timedelta(days=7)


def wears_out(
    budget: Budget,
    *,
    due_at: datetime,
    pulse: str | None,
    rhythm: Rhythm,
    earlier: Sequence[Earlier],
    zone: ZoneInfo,
) -> bool:
    """Whether one more invitation would be more than the budget allows.

    Times are compared by the person's own clock, so that a week is a week when the clocks
    change. Waves of the same pulse that are planned far enough apart never count against each
    other: one that a holiday or a night put off by some hours costs nobody the next one.

    Args:
        budget: How much is allowed.
        due_at: Of the one more.
        pulse: Its pulse; None for none.
        rhythm: Of its wave.
        earlier: Invitations of that person that were sent or are planned, in any order.
        zone: Theirs.
    """
    planned = _planned(rhythm)
    counted = [
        _local(one.due_at, zone)
        for one in earlier
        if pulse is None or one.pulse != pulse or abs(_planned(one) - planned) < budget.per
    ]
    due = _local(due_at, zone)
    times = sorted([*counted, due])
    return any(
        sum(first <= at < first + budget.per for at in times) > budget.invitations
        for first in times
        if first <= due < first + budget.per
    )


def _planned(one: Earlier | Rhythm) -> datetime:
    """Give when a wave is planned, by any clock on the wall."""
    return datetime.combine(one.opens_on, time(one.minute // 60, one.minute % 60))


def _local(at: datetime, zone: ZoneInfo) -> datetime:
    return at.astimezone(zone).replace(tzinfo=None)
