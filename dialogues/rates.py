"""Rates of a wave: how many of those who were invited took part, agreed, stopped or said no.

What lives here: formulas over counts. What must not: counting (``storage``), or words for
people (the shell).

Source: AAPOR, Standard Definitions, for RR1, RR2, COOP1, COOP2, REF1 and CON1, with I complete,
P partial, R refusals and break-offs, NC non-contacts, and U of unknown outcome. Who was screened
out is in no denominator. Partial and complete follow our own written rule
(``disposition.py``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dialogues.disposition import Disposition

__all__ = ["Rates", "rates_of"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rates:
    """Shares in [0, 1]; None where nobody is in the denominator.

    Attributes:
        response: Complete, of all who were invited (RR1): the most careful figure.
        response_with_partial: Complete and partial, of all who were invited (RR2).
        cooperation: Complete, of those who said anything at all (COOP1).
        cooperation_with_partial: Complete and partial, of those (COOP2).
        contact: Who said anything at all, of all who were invited (CON1). That a message was
            delivered is no contact: nobody knows who read it.
        refusal: Refusals and break-offs, of all who were invited (REF1).
        completion: Complete, of those who agreed.
        break_off: Break-offs, of those who agreed.
    """

    response: float | None
    response_with_partial: float | None
    cooperation: float | None
    cooperation_with_partial: float | None
    contact: float | None
    refusal: float | None
    completion: float | None
    break_off: float | None


def rates_of(by_disposition: Mapping[str, int], *, agreed: int) -> Rates:
    """Give the rates of a wave, of a cohort in it, or of several waves together.

    While a wave is open, those who may still answer are of unknown outcome and in every
    denominator of those who were invited, so that rates only grow up to the closing.

    Args:
        by_disposition: Disposition to count, of invitations.
        agreed: Invitations whose person consented.
    """

    def n(*families: Disposition) -> int:
        return sum(by_disposition.get(family.value, 0) for family in families)

    complete, partial = n(Disposition.COMPLETE), n(Disposition.PARTIAL)
    broken_off = n(Disposition.BREAK_OFF)
    refused = n(Disposition.REFUSAL) + broken_off
    spoke = complete + partial + refused
    invited = spoke + n(Disposition.NON_CONTACT, Disposition.UNKNOWN)
    return Rates(
        response=_share(complete, invited),
        response_with_partial=_share(complete + partial, invited),
        cooperation=_share(complete, spoke),
        cooperation_with_partial=_share(complete + partial, spoke),
        contact=_share(spoke, invited),
        refusal=_share(refused, invited),
        completion=_share(complete, agreed),
        break_off=_share(broken_off, agreed),
    )


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None
