"""What somebody may wish of their own times: the closed union ``Wish``.

What lives here: the values, and writing one as it is typed. What must not: reading words
(``times.py``), or doing what is wished (the shell).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from dialogues import messages

__all__ = [
    "AskLength",
    "DaysOff",
    "Hour",
    "PauseUntil",
    "Place",
    "Quiet",
    "Resume",
    "Show",
    "Unclear",
    "Usual",
    "Wish",
    "typed",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Show:
    """They want to see their times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """They want to be written to at this time, in minutes after midnight."""

    minute: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Their clock is that of a place or time zone; ``words`` are folded."""

    words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DaysOff:
    """No message on these weekdays, Monday 0, sorted; none: on any day."""

    days: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """No message in these hours, (from, until) in minutes after midnight; None: at any hour."""

    hours: tuple[int, int] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usual:
    """The survey's own times are right again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AskLength:
    """They want a pause and did not say how long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseUntil:
    """No invitation and no reminder before this local day; None: until they say so."""

    day: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """The pause is over."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """Words that cannot be read or done; ``key`` is the sentence that says what to type."""

    key: str


Wish = Show | Hour | Place | DaysOff | Quiet | Usual | AskLength | PauseUntil | Resume | Unclear


def typed(wish: Wish) -> str:
    """Write a wish as somebody types it, in plain English and without a slash."""
    match wish:
        case Hour(minute=minute):
            return f"times {_clock(minute)}"
        case Place(words=words):
            return f"times {words}"
        case DaysOff(days=()):
            return "times any day"
        case DaysOff(days=days):
            names = [messages.weekdays("en")[day][:3].lower() for day in days]
            return f"times not {' '.join(names)}"
        case Quiet(hours=None):
            return "times any hour"
        case Quiet(hours=(begins, ends)):
            return f"times not {_clock(begins)}-{_clock(ends)}"
        case Usual():
            return "times usual"
        case AskLength():
            return "pause"
        case PauseUntil(day=None):
            return "pause until i say"
        case PauseUntil(day=day):
            return f"pause until {day}"
        case Resume():
            return "resume"
        case _:
            return "times"


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
