"""What channels do with words: clean them at the edge, and cut what is too long for one message.

Pure, and for every platform the same; the limits are the platforms' own and come as arguments.
"""

from __future__ import annotations

import re

from dialogues.prompts import Button, Prompt

__all__ = ["clean", "label", "pieces", "spelled_out"]

_UNKEEPABLE = re.compile("[\x00\ud800-\udfff]")
_TICK = "✓ "


def clean(text: str) -> str:
    """Give the text as it is kept: NUL and lone surrogates, which no store takes, replaced."""
    return _UNKEEPABLE.sub("�", text)


def label(button: Button) -> str:
    """Give what a button says, with its tick."""
    return _TICK + button.label if button.ticked else button.label


def spelled_out(prompt: Prompt, *, longest: int) -> str:
    """Give a prompt's text, with its options as a numbered list if a button would cut one.

    Args:
        prompt: What to show.
        longest: Characters of a label that a button shows in full.
    """
    if all(len(option.label) <= longest for option in prompt.options):
        return prompt.text
    lines = (f"{number}. {option.label}" for number, option in enumerate(prompt.options, start=1))
    return "\n".join((prompt.text, "", *lines))


def pieces(text: str, *, most: int) -> list[str]:
    """Cut a text into pieces that one message each can hold, at a line or word if there is one.

    Args:
        text: Any length; at both ends of a cut white space is dropped.
        most: UTF-16 units of a piece (an emoji counts two), as platforms differ in how they
            count and this is the strictest way.

    Returns:
        At least one piece, in order.
    """
    if 2 * len(text) <= most or _units(text) <= most:
        return [text]
    found = []
    rest = text.strip()
    while _units(rest) > most:
        cut = _cut(rest, _longest_fit(rest, most))
        found.append(rest[:cut].rstrip())
        rest = rest[cut:].lstrip()
    return [*found, rest] if rest or not found else found


def _cut(text: str, end: int) -> int:
    """Give the best place for a cut, not after ``end``."""
    line, word = _border(text, end, "\n"), _border(text, end, " ")
    if line and line >= end // 2:
        return line
    return max(line, word) or end


def _units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def _longest_fit(text: str, most: int) -> int:
    """Give how many characters from the start fit in so many UTF-16 units."""
    head = text[:most]
    if head.isascii():
        return len(head)
    while (over := _units(head) - most) > 0:
        head = head[: -max(1, over // 2)]
    return len(head)


def _border(text: str, end: int, mark: str) -> int:
    """Give where the last ``mark`` not after ``end`` is; 0 when a cut there gives nothing."""
    at = text.rfind(mark, 0, end + 1)
    return at if text[: max(at, 0)].strip() else 0
