"""People's words on a terminal.

What lives here: making a text harmless to print.
"""

from __future__ import annotations

import unicodedata

__all__ = ["plain"]


def plain(text: str) -> str:
    """Give a text with what could move a cursor or turn the line's order made visible.

    Each character stays one character, so places in the text stay the same. Line breaks are
    kept; letters, marks and joined emoji are too.
    """
    return "".join(map(_seen, text))


def _seen(character: str) -> str:
    # Tags spell the flags of Wales, Scotland and England.
    if character in "\n\u200c\u200d" or "\U000e0020" <= character <= "\U000e007f":
        return character
    if character == "\t":
        return " "
    return "\ufffd" if unicodedata.category(character) in {"Cc", "Cf", "Cs"} else character
