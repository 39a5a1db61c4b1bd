"""Who somebody answers as: the sector, asked once, and the role that follows from it.

What lives here: the question, and reading its answer. What must not: when it is asked
(``moves.py``), or keeping it (``storage``).
"""

from __future__ import annotations

from enum import StrEnum

from dialogues import messages
from dialogues.replies import Fits, Misfit, read_reply
from dialogues.survey import Choice, ChoiceQuestion, Survey
from dialogues.text import Text
from dialogues.words import fold, means

__all__ = ["Sector", "read_sector", "role_of", "sector_label", "sector_named"]


class Sector(StrEnum):
    """Where somebody stands; that they would rather not say is kept, so as not to ask again."""

    STATE = "state"
    CIVIL_SOCIETY = "civil_society"
    BUSINESS = "business"
    CITIZEN = "citizen"
    UNDISCLOSED = "undisclosed"


def role_of(sector: Sector) -> str | None:
    """Give the role that a sector makes; None where it says nothing of it."""
    if sector is Sector.UNDISCLOSED:
        return None
    return "citizen" if sector is Sector.CITIZEN else "partner"


def sector_label(sector: Sector, language: str) -> str:
    """Say a sector as its button does."""
    return messages.say(f"sector_{sector.value}", language)


def _spoken(key: str) -> Text:
    return Text({language: messages.say(key, language) for language in messages.LANGUAGES})


#: The question as the reading of replies knows them.
_QUESTION = ChoiceQuestion(
    id="sector",
    kind="choice",
    text=_spoken("sector_ask"),
    choices=tuple(
        Choice(id=sector.value, text=_spoken(f"sector_{sector.value}")) for sector in Sector
    ),
)


def read_sector(survey: Survey, text: str, language: str) -> Sector | Misfit:
    """Read a reply to the question: a number, a label or its beginning, or another word for it.

    Args:
        survey: Whose languages are spoken.
        text: As received.
        language: In which the question was put.
    """
    for sector in Sector:
        if means(text, f"sector_{sector.value}"):
            return sector
    read = read_reply(survey, _QUESTION, text, language)
    return Sector(read.value) if isinstance(read, Fits) else read


def sector_named(text: str) -> Sector | None:
    """Give the sector whose whole label a message is, in any language; None when it is none."""
    folded = fold(text)
    for sector in Sector:
        if any(folded == fold(sector_label(sector, one)) for one in messages.LANGUAGES):
            return sector
    return None
