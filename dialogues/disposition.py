"""The outcome of an invitation, after AAPOR's families.

Our written rule for partial and complete, set before fielding: a response is *complete*
when its person reached the end with at least half of the offered questions answered;
*partial* when they reached the end with fewer, or stopped with at least half of what would
have been asked answered; anything less after consent is a *break-off*. Don't know
is an answer here, a skip is not.

Source: the families of AAPOR, Standard Definitions; the half is our own cut.
"""

from __future__ import annotations

from enum import StrEnum

__all__ = ["Disposition", "outcome"]


class Disposition(StrEnum):
    """How an invitation ended, or stands."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    BREAK_OFF = "break_off"
    REFUSAL = "refusal"
    NON_CONTACT = "non_contact"
    SCREENED_OUT = "screened_out"
    UNKNOWN = "unknown"


def outcome(*, reached_end: bool, n_answered: int, n_expected: int) -> Disposition:
    """Give the disposition of a response whose person consented.

    Args:
        reached_end: Whether the last question was passed.
        n_answered: Questions with an answer, don't know included.
        n_expected: Questions offered, plus those still to come; 0 when there were none.
    """
    half = 2 * n_answered >= n_expected
    if reached_end:
        return Disposition.COMPLETE if half else Disposition.PARTIAL
    return Disposition.PARTIAL if half and n_answered > 0 else Disposition.BREAK_OFF
