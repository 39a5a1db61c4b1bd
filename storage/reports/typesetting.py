"""How wide words are, and where a line ends: nothing in a picture is cut off.

The widths are those of Liberation Sans, which vl-convert carries (and of Arial, after which it
was made), in thousandths of the size.
"""

from __future__ import annotations

import unicodedata

__all__ = ["width", "wrap"]

_WIDTHS: dict[int, str] = {
    191: "'",
    222: "ijl‘’",
    278: " !,./:;\\[]IftI",
    333: "()-r“”`",
    350: "•",
    355: '"',
    389: "*",
    500: "Jckosvxyz",
    556: "#$0123456789?L_abdeghnopqu–",
    584: "+<=>~",
    611: "FTZ",
    667: "&ABEKPSVXY",
    722: "CDHNRUw",
    778: "GOQ",
    833: "Mm",
    889: "%",
    944: "W",
    1000: "…",
    1015: "@",
}
_WIDTH_OF = {sign: width for width, signs in _WIDTHS.items() for sign in signs}

#: What is in no table: wide scripts, emoji.
_OTHER = 1000

_BOLD = 1.08


def width(text: str, size: float, *, bold: bool = False) -> float:
    """Give how wide a text is, in the unit of ``size``; rather too much than too little."""
    thousandths = 0
    for sign in unicodedata.normalize("NFKD", text):
        if not unicodedata.combining(sign):
            thousandths += _WIDTH_OF.get(sign, _OTHER)
    return thousandths * size / 1000 * (_BOLD if bold else 1.0)


def wrap(text: str, size: float, room: float, *, bold: bool = False) -> list[str]:
    """Break a text into lines that fit, between words where that is possible.

    Args:
        text: One paragraph.
        size: Of the letters.
        room: Width of a line.
        bold: Whether the letters are.

    Returns:
        At least one line.
    """
    lines: list[str] = []
    line = ""
    for word in text.split():
        longer = f"{line} {word}" if line else word
        if width(longer, size, bold=bold) <= room:
            line = longer
            continue
        if line:
            lines.append(line)
        *full, line = _broken(word, size, room, bold=bold)
        lines += full
    return [*lines, line] if line or not lines else lines


def _broken(word: str, size: float, room: float, *, bold: bool) -> list[str]:
    """Break a word that fits on no line."""
    parts = [""]
    for sign in word:
        if parts[-1] and width(parts[-1] + sign, size, bold=bold) > room:
            parts.append("")
        parts[-1] += sign
    return parts
