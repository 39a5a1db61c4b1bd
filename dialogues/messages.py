"""What the bot itself says, in every shipped language.

What lives here: looking up the sentences of ``messages.toml``. What must not: words of a
survey (``text.py``), or deciding what to say (``engine.py``).
"""

from __future__ import annotations

import tomllib
from datetime import date
from importlib.resources import files

__all__ = [
    "LANGUAGES",
    "command_menu",
    "day",
    "has",
    "language_words",
    "month_names",
    "months",
    "say",
    "time_words",
    "weekdays",
    "words",
]

_CATALOGUE = tomllib.loads(files("dialogues").joinpath("messages.toml").read_text("utf-8"))
_MESSAGES: dict[str, dict[str, str]] = _CATALOGUE["messages"]
_MONTHS: dict[str, list[str]] = _CATALOGUE["months"]

#: The languages that the bot itself speaks; the first serves where a sentence is missing.
LANGUAGES: tuple[str, ...] = ("en", "cy")


def say(key: str, language: str, /, **values: object) -> str:
    """Give a sentence, its placeholders filled in.

    Args:
        key: As in ``messages.toml``.
        language: Another language than the shipped ones gets the first of these.
        values: What the placeholders stand for; put in as it is.

    Raises:
        KeyError: There is no such sentence, or a placeholder has no value.
    """
    by_language = _MESSAGES[key]
    sentence = by_language.get(language) or by_language[LANGUAGES[0]]
    return sentence.format_map(values) if values else sentence


def has(key: str) -> bool:
    """Whether the catalogue has this sentence."""
    return key in _MESSAGES


def words(meaning: str) -> tuple[str, ...]:
    """Give the words that count as a meaning, of all languages together."""
    return tuple(_CATALOGUE["words"][meaning])


def language_words(language: str) -> tuple[str, ...]:
    """Give the words that people call a language by; none for one that we do not know."""
    return tuple(_CATALOGUE["languages"].get(language, ()))


def day(on: date, language: str, *, today: date) -> str:
    """Write a date as people say it: day and month, the year only when it is another one."""
    months = _MONTHS.get(language, _MONTHS[LANGUAGES[0]])
    written = f"{on.day} {months[on.month - 1]}"
    return written if on.year == today.year else f"{written} {on.year}"


def month_names() -> tuple[str, ...]:
    """Give the names of months, of all languages together."""
    return tuple(name for names in _MONTHS.values() for name in names)


def months(language: str) -> tuple[str, ...]:
    """Give the names of the months, January first."""
    return tuple(_MONTHS[language])


def weekdays(language: str) -> tuple[str, ...]:
    """Give the names of the days of the week, Monday first, as they stand in a sentence."""
    names = _CATALOGUE["weekdays"]
    return tuple(names.get(language) or names[LANGUAGES[0]])


def time_words(meaning: str) -> tuple[str, ...]:
    """Give the words that mean something where people type of times, of all languages."""
    return tuple(_CATALOGUE["times"][meaning])


def command_menu(language: str) -> tuple[tuple[str, str], ...]:
    """Give (command, description) for a platform's menu, in the order people need them."""
    return tuple(
        (command, by_language.get(language) or by_language[LANGUAGES[0]])
        for command, by_language in _CATALOGUE["commands"].items()
    )
