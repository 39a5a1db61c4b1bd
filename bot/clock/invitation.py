"""When one person is invited to a wave, their own hours and the budget of all pulses together.

What lives here: the instant, or why there is none. What must not: inviting (``bot/inviting.py``)
or moving what waits (``bot/replanning.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from bot.clock.fatigue import Budget, wears_out
from bot.clock.planning import Planner
from dialogues.states import Cause
from storage.protocol import Earlier, Timing, Wave, Window

__all__ = ["counted_since", "planned_for"]

#: Invitations of before this much longer than the budget's time are of no account: nothing is
#: put off for longer.
_PUT_OFF = timedelta(days=2)


def planned_for(
    planner: Planner,
    wave: Wave,
    timing: Timing,
    earlier: Sequence[Earlier],
    budget: Budget | None,
) -> Window | str:
    """Give when somebody is invited to a wave, or why not.

    Args:
        planner: Of this wave and moment.
        wave: To which.
        timing: Theirs.
        earlier: Their invitations to other waves.
        budget: As in the house.
    """
    window = planner.window(timing)
    if isinstance(window, str) or budget is None:
        return window
    tired = wears_out(
        budget,
        due_at=window.due_at,
        pulse=wave.pulse,
        rhythm=wave.rhythm,
        earlier=earlier,
        zone=planner.hours(timing).zone,
    )
    return Cause.FATIGUE.value if tired else window


def counted_since(wave: Wave, budget: Budget | None, now: datetime) -> datetime:
    """Give from when on earlier invitations are of account for one to this wave."""
    per = timedelta() if budget is None else budget.per
    return min(wave.opens_at, now) - per - _PUT_OFF
