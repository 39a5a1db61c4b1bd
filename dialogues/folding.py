"""Folding words, so that what people type alike is taken alike.

What lives here: what of a message does not count when words are compared. What must not: what
any word means (``words.py``).
"""

from __future__ import annotations

import unicodedata

__all__ = ["MARKS", "fold"]

#: Taken off both ends before comparing.
MARKS = ' .!?,;:…✓"“”«»'


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


def _is_decoration(mark: str) -> bool:
    return not mark.isascii() and (
        unicodedata.combining(mark) != 0
        or unicodedata.category(mark) in ("Cf", "Me")
        or "\ufe00" <= mark <= "\ufe0f"
        or "\U0001f3fb" <= mark <= "\U0001f3ff"
    )
