"""The states of an invitation: its history in fine steps, and the family that each is of.

What lives here: the states, which may follow which, and how they add up to the families of
``disposition.py``. What must not: keeping them (``storage``), or telling what a conversation
came to (``disposition.py``).

The states are those of Surveda, a survey tool for chats, as far as they fit; the families are
AAPOR's. The documentation draws its table and picture from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from dialogues.disposition import Disposition

__all__ = [
    "BEFORE_CLOSING",
    "CAUSES",
    "FAMILIES",
    "FOLLOWS",
    "MEANINGS",
    "UNSENT",
    "Cause",
    "State",
    "diagram",
    "may_follow",
    "state_of",
]


class State(StrEnum):
    """How an invitation stands, in fine steps."""

    REGISTERED = "registered"
    QUEUED = "queued"
    CONTACTED = "contacted"
    FAILED = "failed"
    STARTED = "started"
    INTERIM_PARTIAL = "interim_partial"
    COMPLETED = "completed"
    PARTIAL = "partial"
    BREAKOFF = "breakoff"
    REFUSED = "refused"
    UNRESPONSIVE = "unresponsive"
    INELIGIBLE = "ineligible"
    REJECTED = "rejected"


class Cause(StrEnum):
    """Why an invitation was not sent, or did not arrive."""

    STALE = "stale"
    FATIGUE = "fatigue"
    AWAY = "away"
    DAY_OFF = "day_off"
    HOLIDAY = "holiday"
    QUIET = "quiet"
    UNREACHABLE = "unreachable"
    GIVEN_UP = "given_up"
    WITHDRAWN = "withdrawn"
    LEFT = "left"
    PAUSED = "paused"
    CLOSED = "closed"


_S = State

MEANINGS: Mapping[State, str] = {
    _S.REGISTERED: "The person is on the list of the wave.",
    _S.QUEUED: "The invitation waits to be sent.",
    _S.CONTACTED: "It was delivered, or the person came by themselves.",
    _S.FAILED: "It could not be delivered, or was never sent; the reason says why.",
    _S.STARTED: "The person agreed to take part.",
    _S.INTERIM_PARTIAL: "A first answer was given.",
    _S.COMPLETED: "The end was reached, with at least half of the questions answered.",
    _S.PARTIAL: "The person stopped after at least half, or reached the end with less than half.",
    _S.BREAKOFF: "The person agreed and stopped, or fell silent, with less than half answered.",
    _S.REFUSED: "The person said no.",
    _S.UNRESPONSIVE: "The wave closed without a word from somebody who was contacted.",
    _S.INELIGIBLE: "The survey turned out not to be for this person.",
    _S.REJECTED: "We ourselves did not ask them after all; the reason says why.",
}

CAUSES: Mapping[Cause, str] = {
    Cause.STALE: "Its time had passed before it could be sent.",
    Cause.FATIGUE: "The person had been asked often enough lately.",
    Cause.AWAY: "The person was away for as long as the wave was open.",
    Cause.DAY_OFF: "Days off left no day for it while the wave was open.",
    Cause.HOLIDAY: "Public holidays left no day for it while the wave was open.",
    Cause.QUIET: "Quiet hours left no hour for it while the wave was open.",
    Cause.UNREACHABLE: "The platform delivers nothing to them: blocked, or their account is gone.",
    Cause.GIVEN_UP: "Sending failed again and again, and was given up.",
    Cause.WITHDRAWN: "The person had said stop.",
    Cause.LEFT: "The person had left the cohort.",
    Cause.PAUSED: "The wave was paused until it closed.",
    Cause.CLOSED: "The wave closed before it was sent.",
}

#: What each state counts as. While nothing is settled an invitation is of unknown outcome.
FAMILIES: Mapping[State, Disposition] = {
    _S.REGISTERED: Disposition.UNKNOWN,
    _S.QUEUED: Disposition.UNKNOWN,
    _S.CONTACTED: Disposition.UNKNOWN,
    _S.STARTED: Disposition.UNKNOWN,
    _S.INTERIM_PARTIAL: Disposition.UNKNOWN,
    _S.COMPLETED: Disposition.COMPLETE,
    _S.PARTIAL: Disposition.PARTIAL,
    _S.BREAKOFF: Disposition.BREAK_OFF,
    _S.REFUSED: Disposition.REFUSAL,
    _S.UNRESPONSIVE: Disposition.NON_CONTACT,
    _S.FAILED: Disposition.NON_CONTACT,
    _S.INELIGIBLE: Disposition.SCREENED_OUT,
    _S.REJECTED: Disposition.SCREENED_OUT,
}

#: Where nothing has been sent yet.
UNSENT = frozenset({_S.REGISTERED, _S.QUEUED})

_ENDED = frozenset({_S.COMPLETED, _S.PARTIAL, _S.BREAKOFF})
_NOT_ASKED = frozenset({_S.FAILED, _S.REFUSED, _S.INELIGIBLE, _S.REJECTED})

#: Which state may follow which. A person may come by themselves, before anything was sent or
#: after they said no, and may come back after stopping: so few ends are ends.
FOLLOWS: Mapping[State, frozenset[State]] = {
    _S.REGISTERED: _NOT_ASKED | {_S.QUEUED, _S.CONTACTED, _S.STARTED},
    _S.QUEUED: _NOT_ASKED | {_S.CONTACTED, _S.STARTED},
    _S.CONTACTED: frozenset({_S.STARTED, _S.REFUSED, _S.UNRESPONSIVE, _S.INELIGIBLE}),
    _S.FAILED: frozenset({_S.QUEUED, _S.CONTACTED, _S.STARTED, _S.REFUSED}),
    _S.REFUSED: frozenset({_S.STARTED}),
    _S.STARTED: _ENDED | {_S.INTERIM_PARTIAL, _S.INELIGIBLE},
    _S.INTERIM_PARTIAL: _ENDED | {_S.INELIGIBLE},
    _S.COMPLETED: frozenset({_S.PARTIAL}),
    _S.PARTIAL: frozenset({_S.STARTED, _S.INTERIM_PARTIAL, _S.COMPLETED, _S.BREAKOFF}),
    _S.BREAKOFF: frozenset({_S.STARTED, _S.INTERIM_PARTIAL, _S.COMPLETED, _S.PARTIAL}),
    _S.UNRESPONSIVE: frozenset(),
    _S.INELIGIBLE: frozenset({_S.CONTACTED, _S.STARTED}),
    _S.REJECTED: frozenset({_S.QUEUED, _S.CONTACTED, _S.STARTED}),
}

#: All that may be noted of an anonymous survey before its wave closes: the hour at which
#: somebody began or ended could join them to their response. The rest is written at closing,
#: for all at once, and then leads from any of these to an end.
BEFORE_CLOSING = frozenset(
    {_S.REGISTERED, _S.QUEUED, _S.CONTACTED, _S.FAILED, _S.REJECTED, _S.INELIGIBLE}
)


def may_follow(before: State, after: State) -> bool:
    """Whether a state is news; what comes late, or says the same again, is none."""
    return after in FOLLOWS[before]


def state_of(disposition: Disposition, before: State) -> State | None:
    """Give the state in which an invitation ends; None where it stays as it is.

    Args:
        disposition: Its outcome.
        before: How it stood. Of those who never answered it says whether they were asked.
    """
    match disposition:
        case Disposition.UNKNOWN:
            return None
        case Disposition.NON_CONTACT:
            return _S.FAILED if before in UNSENT or before is _S.FAILED else _S.UNRESPONSIVE
        case Disposition.SCREENED_OUT:
            return _S.REJECTED if before is _S.REJECTED else _S.INELIGIBLE
        case _:
            return _BY_FAMILY[disposition]


_BY_FAMILY = {
    family: state
    for state, family in FAMILIES.items()
    if family not in (Disposition.UNKNOWN, Disposition.NON_CONTACT, Disposition.SCREENED_OUT)
}


def diagram() -> str:
    """Draw the states as a Mermaid state diagram."""
    lines = ["stateDiagram-v2", f"    [*] --> {State.REGISTERED}"]
    for before, following in FOLLOWS.items():
        lines += [f"    {before} --> {after}" for after in State if after in following]
        if FAMILIES[before] is not Disposition.UNKNOWN:
            lines.append(f"    {before} --> [*]")
    return "\n".join(lines)
