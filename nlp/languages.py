"""Which language an answer is in.

What lives here: detection, and how it is weighed with the language that the person chose. What
must not: what follows from it (``load.py``).

Answers are short, and a detector that sees five letters says anything. So what the person
chose counts for much, and names for nothing (decision 0031).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier  # type: ignore[import-untyped]

__all__ = ["LANGUAGES", "NOT_TAGGED", "language_of", "languages_of"]

NOT_TAGGED = "not tagged: language"
"""The error of an answer in a language that the tagger does not know."""

# fmt: off
LANGUAGES = (
    "en", "cy", "ga", "pl", "ro", "pt", "es", "it", "fr", "de", "nl", "lt", "lv", "cs", "sk",
    "hu", "tr", "sq", "so", "sv", "da", "fi", "hr", "sw", "vi", "bn", "ur", "ar", "fa", "pa",
    "gu", "hi", "ta", "te", "ml", "si", "ne", "zh", "ja", "ko", "th", "ru", "uk", "bg", "el",
    "ps", "ku", "he", "am", "yo",
)
# fmt: on
"""Languages that are told apart: those of people in these islands and of their neighbours."""

_BELIEVED = 0.5
_BELIEVED_OF_SHORT = 0.7
_SHORT = 20
_FEWEST = 0.05
_LONGEST = 2000
_NAME = re.compile(r"[^\W\d_][^\W\d_]*(?:['’-][^\W\d_]+)*")
_LONGEST_NAME = 4
_TAG = re.compile("[a-z]{2,3}")


@cache
def _identifier() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier

    identifier = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    identifier.set_languages(LANGUAGES)
    return identifier


def _may_be_a_name(text: str) -> bool:
    """Whether a text is a few words that all begin with a capital, as names of people do."""
    words = _NAME.findall(text)
    return len(words) <= _LONGEST_NAME and all(
        word[0].isupper() and (len(word) == 1 or not word.isupper()) for word in words
    )


def language_of(text: str, chosen: str | None) -> str | None:
    """Tell the language of an answer.

    Args:
        text: As kept; its first 2,000 characters are looked at.
        chosen: The language that the person chose, such as ``cy``; counted as likely as all
            others together, at 7 in 10 where there are under 20 characters to go by. None: any
            is as likely as another.

    Returns:
        A tag such as ``en``; None where the text holds no letter. A text that may be a name is
        in the chosen language.
    """
    text = text[:_LONGEST]
    if not any(map(str.isalpha, text)):
        return None
    likely = (chosen or "").lower().partition("-")[0]
    if _TAG.fullmatch(likely) and _may_be_a_name(text):
        return likely
    ranked: dict[str, float] = dict(_identifier().rank(text))
    if likely in ranked:
        believed = _BELIEVED_OF_SHORT if len(text) < _SHORT else _BELIEVED
        others = (1 - believed) / (len(ranked) - 1)
        ranked = {
            language: share * (believed if language == likely else others)
            for language, share in ranked.items()
        }
    return max(ranked, key=lambda language: ranked[language])


def languages_of(texts: Iterable[str]) -> tuple[str, ...]:
    """Tell the languages of many texts: that of most, and those of one in twenty or more, most of
    them first.
    """
    found = Counter(filter(None, (language_of(text, None) for text in texts)))
    total = found.total()
    most = found.most_common()
    return tuple(one for one, n in most if n >= _FEWEST * total or one == most[0][0])
