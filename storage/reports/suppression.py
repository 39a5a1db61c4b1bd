"""What may be told of a count of people: the one rule that everything published passes.

Somebody said yes, somebody did not: a table of two cells, whose sum is known. To tell one cell
is to tell the other, so both are looked at together. What is told is a span of counts, one of
a fixed division of all that are possible. A count is told exactly only where both cells hold
enough people. Nobody can narrow a span down, since whoever lies in it is told alike; zero and
everybody always share their span with others. Whatever is made of spans (percentages, order,
bars) is therefore safe, and whatever is made of counts past this module is not.

Source: primary and complementary suppression with top- and bottom-coding, as in A. Hundepool and
    others, "Statistical Disclosure Control", 2012, chapters 4 and 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Share", "ShareKind", "Span", "shown"]

#: People from whom on percentages are told to one; below, to five: what is finer is no truer,
#: and would tell how many people there were.
_FINE_FROM = 100
_COARSE = 5


class ShareKind(StrEnum):
    """How a share is told."""

    EXACT = "exact"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    OVER_HALF = "over_half"
    UP_TO_HALF = "up_to_half"


@dataclass(frozen=True, slots=True, kw_only=True)
class Share:
    """A share of people, as it is told.

    Attributes:
        percent: 1..99; of ``OVER_HALF`` and ``UP_TO_HALF`` 50.
    """

    kind: ShareKind
    percent: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """All that is told of a count: that it is one of these.

    Attributes:
        low: The smallest count that it may be.
        high: The largest, inclusive.
        of: People in all, 1 or more.
    """

    low: int
    high: int
    of: int

    @property
    def exact(self) -> bool:
        """Whether the count itself is told."""
        return self.low == self.high

    @property
    def share(self) -> Share:
        """The count as a share of all. Rounded so that it stays true of every count in it."""
        if self.exact:
            step = 1 if self.of >= _FINE_FROM else _COARSE
            rounded = (200 * self.low + step * self.of) // (2 * step * self.of) * step
            return Share(kind=ShareKind.EXACT, percent=min(99, max(1, rounded)))
        half = self.of // 2
        if (self.low, self.high) == (0, half):
            return Share(kind=ShareKind.UP_TO_HALF, percent=50)
        if (self.low, self.high) == (half + 1, self.of):
            return Share(kind=ShareKind.OVER_HALF, percent=50)
        if self.low == 0:
            return Share(kind=ShareKind.AT_MOST, percent=_up(100 * self.high, self.of))
        return Share(kind=ShareKind.AT_LEAST, percent=_down(100 * self.low, self.of))


def shown(count: int, *, of: int, least: int) -> Span | None:
    """Give what may be told of a count.

    Args:
        count: People who said something, 0..``of``.
        of: People who could have said it.
        least: People whom a figure needs, 1 or more.

    Returns:
        None where there are fewer people than that in all. With fewer than twice as many, in
        which half they are. Else the count itself where both it and the rest are ``least`` or
        more; and where one of them is not, no more than that.
    """
    if not 0 <= count <= of:
        raise ValueError("a part is not larger than the whole")
    if of < least:
        return None
    half = of // 2
    if of < 2 * least:
        return (
            Span(low=0, high=half, of=of) if count <= half else Span(low=half + 1, high=of, of=of)
        )
    if count < least:
        return Span(low=0, high=least - 1, of=of)
    if of - count < least:
        return Span(low=of - least + 1, high=of, of=of)
    return Span(low=count, high=count, of=of)


def _down(hundredfold: int, of: int) -> int:
    """Round down to a step of five, not below 1."""
    return max(1, hundredfold // (_COARSE * of) * _COARSE)


def _up(hundredfold: int, of: int) -> int:
    """Round up to a step of five, not above 99."""
    return min(99, -(-hundredfold // (_COARSE * of)) * _COARSE)
