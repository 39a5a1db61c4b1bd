"""Folding words, so that what people type alike is taken alike.

What lives here: what of a message does not count when words are compared. What must not: what
any word means (``words.py``).
"""

from __future__ import annotations

import unicodedata

__all__ = ["MARKS", "fold", "without_politeness"]

#: Taken off both ends before comparing.
MARKS = ' .!?,;:…✓"“”«»'

_POLITE_BEFORE = ("please", "pls", "plis")
_POLITE_AFTER = (
    "please",
    "pls",
    "thanks",
    "thank you",
    "thankyou",
    "ta",
    "cheers",
    "diolch",
    "os gwelwch yn dda",
    "plis",
)


def fold(words: str) -> str:
    """Fold words for comparing: case, accents, curly quotes, spaces and closing marks.

    What cannot be seen (marks of writing direction) and what only changes how a sign looks
    (the key of a keycap emoji, the skin of a thumb) is left out.
    """
    plain = words.casefold()
    if not plain.isascii():
        straight = plain.replace("’", "'").replace("‘", "'")
        decomposed = unicodedata.normalize("NFKD", straight)
        plain = "".join(mark for mark in decomposed if not _is_decoration(mark))
    return " ".join(plain.split()).strip(MARKS)


def without_politeness(folded: str) -> str:
    """Take a word of politeness off the beginning and one off the end of folded words."""
    for polite in _POLITE_BEFORE:
        if folded.startswith(polite) and folded[len(polite) :][:1] in (" ", ","):
            folded = folded[len(polite) :].strip(MARKS)
            break
    for polite in _POLITE_AFTER:
        if folded.endswith(polite) and folded != polite:
            head = folded[: -len(polite)]
            if head[-1] in " ,.!":
                return head.strip(" ,.!")
    return folded


def _is_decoration(mark: str) -> bool:
    return not mark.isascii() and (
        unicodedata.combining(mark) != 0
        or unicodedata.category(mark) in ("Cf", "Me")
        or "\ufe00" <= mark <= "\ufe0f"
        or "\U0001f3fb" <= mark <= "\U0001f3ff"
    )
