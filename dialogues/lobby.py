"""Talking with somebody who is in no conversation: commands, and a friendly word.

What lives here: what is said where there is no session. What must not: surveys in progress
(``engine.py``).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime

from dialogues import messages
from dialogues.effects import (
    DataRequested,
    Effect,
    ErasureRequested,
    LanguageChosen,
    OptedOut,
    PrivacyRequested,
    PromptShown,
    ResultsRequested,
    SectorGiven,
    TimingRequested,
)
from dialogues.prompts import Button, Layout, Prompt, read_token, token
from dialogues.sector import Sector, role_of, sector_label, sector_named
from dialogues.words import Command, command_in, fold, results_wanted

__all__ = [
    "LOBBY",
    "RESULTS",
    "TIMES",
    "Outlook",
    "Visitor",
    "answer",
    "language_named",
    "nothing_open",
    "press",
    "say",
]

#: Stands in place of a session's id in a button's token.
LOBBY = "lobby"

#: The place, in the token of a button, that shows results.
RESULTS = "r"

#: The place, in the token of a button, that shows or changes one's times; its key is the
#: command, with ``_`` for a space.
TIMES = "t"

#: What says as a whole message that everything is to be erased, with no doubt left.
_ERASE = frozenset({"erase everything", "dileu popeth"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """What is to come for somebody.

    Attributes:
        on: The local day on which they are invited next; None when nothing is planned.
    """

    on: date | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Visitor:
    """Somebody without a conversation.

    Attributes:
        language: In which to speak.
        slash: Whether commands are written with a slash here.
        agreed: Whether they have ever agreed to a consent, so that their words may be kept.
        outlook: None where it is not theirs to know: they are in no cohort, or said stop.
    """

    language: str
    slash: bool
    agreed: bool = False
    outlook: Outlook | None = None


def say(visitor: Visitor, key: str, **values: object) -> PromptShown:
    """Say one sentence of the bot's own."""
    slash = "/" if visitor.slash else ""
    text = messages.say(key, visitor.language, slash=slash, **values)
    return PromptShown(prompt=Prompt(text=text), lasting=True)


def nothing_open(visitor: Visitor, at: datetime) -> PromptShown:
    """Say that nothing is open, and what is to come."""
    if visitor.outlook is None:
        return say(visitor, "nothing_open")
    on = visitor.outlook.on
    if on is None:
        return say(visitor, "nothing_planned")
    return say(visitor, "nothing_until", date=messages.day(on, visitor.language, today=at.date()))


def language_named(text: str) -> str | None:
    """Give the language whose own name a whole message is; None when it is none."""
    for language in messages.LANGUAGES:
        if fold(text) == fold(messages.say(f"language_name_{language}", language)):
            return language
    return None


def answer(visitor: Visitor, text: str, at: datetime) -> tuple[Effect, ...]:
    """Answer words that are not the beginning of a check-in.

    Nothing is remembered between two messages here, so erasing is confirmed by its own words
    or by the button.
    """
    if fold(text) in _ERASE:
        return (ErasureRequested(at=at),)
    language = language_named(text)
    if language is not None:
        return _speak(visitor, language)
    sector = sector_named(text)
    if sector is not None and visitor.agreed:
        return _place(visitor, sector)
    match command_in(text, at_open_question=False):
        case Command.HELP:
            return (say(visitor, "help"),)
        case Command.PRIVACY:
            return (PrivacyRequested(),)
        case Command.MYDATA:
            return (DataRequested(),)
        case Command.RESULTS:
            return (ResultsRequested(wanted=results_wanted(text)),)
        case Command.FORGET:
            return (_ask_forget(visitor),)
        case Command.STOP:
            return (OptedOut(at=at), say(visitor, "stopped_empty"))
        case Command.LANGUAGE:
            return (_offer_languages(visitor),)
        case Command.TIMES | Command.PAUSE | Command.RESUME:
            return (TimingRequested(said=text),)
        case Command.ROLE:
            return (_ask_sector(visitor) if visitor.agreed else say(visitor, "sector_later"),)
        case _:
            return (nothing_open(visitor, at),)


def press(visitor: Visitor, pressed: str, at: datetime) -> tuple[Effect, ...]:
    """Answer a press that belongs to no conversation of theirs."""
    read = read_token(pressed)
    if read is not None and read.session_id == LOBBY and read.key in messages.LANGUAGES:
        return _speak(visitor, read.key)
    if read is not None and read.session_id == LOBBY and read.place == RESULTS:
        return (ResultsRequested(wanted=read.key),)
    if read is not None and read.session_id == LOBBY and read.place == TIMES:
        return (TimingRequested(said=read.key.replace("_", " ")),)
    if read is not None and read.session_id == LOBBY and read.place == "f":
        if read.key == "erase":
            return (ErasureRequested(at=at),)
        return (say(visitor, "forget_kept"),)
    if read is not None and read.session_id == LOBBY and read.place == "w" and visitor.agreed:
        chosen = [sector for sector in Sector if sector.value == read.key]
        if chosen:
            return _place(visitor, chosen[0])
    return (say(visitor, "no_words_now"),)


def _place(visitor: Visitor, sector: Sector) -> tuple[Effect, ...]:
    given = SectorGiven(sector=sector.value, role=role_of(sector))
    return (given, say(visitor, "sector_set", sector=sector_label(sector, visitor.language)))


def _ask_sector(visitor: Visitor) -> PromptShown:
    buttons = tuple(
        Button(label=sector_label(sector, visitor.language), token=token(LOBBY, "w", sector.value))
        for sector in Sector
    )
    text = messages.say("sector_ask_again", visitor.language)
    prompt = Prompt(text=text, options=buttons, layout=Layout.OPTIONS)
    return PromptShown(prompt=prompt, lasting=True)


def _speak(visitor: Visitor, language: str) -> tuple[Effect, ...]:
    now = replace(visitor, language=language)
    return (LanguageChosen(language=language), say(now, "language_set"))


def _ask_forget(visitor: Visitor) -> PromptShown:
    buttons = tuple(
        Button(label=messages.say(label, visitor.language), token=token(LOBBY, "f", key))
        for key, label in (("erase", "button_erase"), ("keep", "button_keep"))
    )
    text = messages.say("forget_ask_lobby", visitor.language)
    prompt = Prompt(text=text, options=buttons, layout=Layout.OPTIONS)
    return PromptShown(prompt=prompt, lasting=True)


def _offer_languages(visitor: Visitor) -> PromptShown:
    buttons = tuple(
        Button(
            label=messages.say(f"language_name_{language}", language),
            token=token(LOBBY, "l", language),
        )
        for language in messages.LANGUAGES
    )
    text = messages.say("language_ask", visitor.language)
    prompt = Prompt(text=text, options=buttons, layout=Layout.OPTIONS)
    return PromptShown(prompt=prompt, lasting=True)
