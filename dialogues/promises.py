"""How many people stand behind a figure: what a survey promises of it, filled in and checked.

What lives here: ``{min_group}`` in the words that surround the questions. What must not: where
the number comes from (the shell).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from dialogues.errors import Problem

__all__ = ["MIN_GROUP", "broken_promises", "filled"]

#: People behind a figure where nobody says otherwise.
MIN_GROUP = 5

_PLACEHOLDER = "{min_group}"

#: Where a promise may stand.
_PLACES = (("intro",), ("thanks",), ("consent", "text"), ("consent", "more"))

#: A promise in figures, in English and Welsh.
_PROMISE = re.compile(
    r"\b(?:at least (\d+) people|(\d+) or more people|o leiaf (\d+) o bobl|(\d+) neu fwy)\b",
    re.IGNORECASE,
)


def filled(data: Mapping[str, Any], min_group: int) -> dict[str, Any]:
    """Give the data of a survey file with the number in its place, so that another number is
    another wording: whoever agreed to the earlier one is asked anew.
    """
    found = dict(data)
    for key in ("intro", "thanks", "consent"):
        if key in found:
            found[key] = _filled(found[key], str(min_group))
    return found


def _filled(value: Any, number: str) -> Any:
    if isinstance(value, str):
        return value.replace(_PLACEHOLDER, number)
    if isinstance(value, dict):
        return {key: _filled(words, number) for key, words in value.items()}
    return value


def broken_promises(data: Mapping[str, Any], min_group: int) -> Iterator[Problem]:
    """Warn where the words promise more people behind a figure than there will be.

    Args:
        data: As in the file, with nothing filled in.
        min_group: People behind a figure.
    """
    for path in _PLACES:
        text: Any = data
        for key in path:
            text = text.get(key) if isinstance(text, dict) else None
        languages = text if isinstance(text, dict) else {None: text}
        for language, words in languages.items():
            promised = _promised(words) if isinstance(words, str) else 0
            if promised > min_group:
                expected = (
                    f"expected {_PLACEHOLDER} in place of {promised}: figures are shown on"
                    f" {min_group} people already (results.min_group)"
                )
                at = path if language is None else (*path, language)
                yield Problem(path=at, expected=expected, severity="warning")


def _promised(words: str) -> int:
    numbers = [int(number) for found in _PROMISE.findall(words) for number in found if number]
    return max(numbers, default=0)
