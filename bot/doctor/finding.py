"""What a check comes to.

What lives here: the value, and the shapes of numbers in it. What must not: a check.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

__all__ = [
    "Finding",
    "State",
    "counted",
    "grown",
    "how_long",
    "how_much",
    "ok",
    "trouble",
    "warning",
]

State = Literal["ok", "warning", "trouble"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What a check comes to. No token, address or word of anybody is in it.

    Attributes:
        check: What was looked at, in a word or three.
        state: ``trouble`` keeps something from working or puts it at risk; ``warning`` may
            come to that.
        found: One line.
        do: What to do about it, one line; empty when all is well.
    """

    check: str
    state: State
    found: str
    do: str = ""


def ok(check: str, found: str) -> Finding:
    """All is well."""
    return Finding(check=check, state="ok", found=found)


def warning(check: str, found: str, do: str) -> Finding:
    """It may come to trouble."""
    return Finding(check=check, state="warning", found=found, do=do)


def trouble(check: str, found: str, do: str) -> Finding:
    """Something does not work, or is at risk."""
    return Finding(check=check, state="trouble", found=found, do=do)


def counted(number: int, one: str, many: str = "") -> str:
    """Write ``1 message``, ``2,000 messages``."""
    return f"{number:,} {one if number == 1 else many or f'{one}s'}"


def how_long(time: timedelta) -> str:
    """Write a length of time in its two largest units: ``2 d 3 h``."""
    seconds = int(abs(time.total_seconds()))
    parts = []
    for unit, length in (("d", 86_400), ("h", 3_600), ("min", 60), ("s", 1)):
        number, seconds = divmod(seconds, length)
        if number:
            parts.append(f"{number} {unit}")
    return " ".join(parts[:2]) or "0 s"


def how_much(size: float) -> str:
    """Write a size: ``3.2 MB``."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"


def grown(used: float, whole: float, answers: int, recent: int) -> str:
    """Say how large a database is, and how much comes to it.

    Args:
        used: In bytes, without what is free for more.
        whole: In bytes.
        answers: How many there are.
        recent: How many of them are of the last seven days.
    """
    said = f"{how_much(whole)} with {counted(answers, 'answer')}"
    if answers < 1000:
        return f"{said}."
    each = used / answers
    return (
        f"{said}, some {how_much(each)} each; last week's {recent:,} came to some"
        f" {how_much(each * recent)}."
    )
