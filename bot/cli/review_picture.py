"""How an answer under review looks in a terminal.

What lives here: colours, numbers and lines, out of values. What must not: keys, or the store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console, ConsoleRenderable, Group
from rich.segment import Segment, Segments
from rich.text import Text

from bot.cli.texts import plain
from bot.desk import Current
from dialogues.coding import Code, Codeframe, KeptCoding, Source, coder_name
from dialogues.reviewing import Tag

__all__ = [
    "LETTERS",
    "NUMERALS",
    "code_name",
    "codes_menu",
    "fitted",
    "marked",
    "tag_lines",
    "who_says",
]

LETTERS = "abcdefghijklmnopqrstuvwxyz"

NUMERALS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

#: One a tag, over and over; the number beside it says the same without colour.
_STYLES = ("cyan", "magenta", "yellow", "green", "blue", "red")

_STANCES = {"strength": "green", "gap": "red", "neutral": "yellow"}

#: Lines of a list that are shown at once.
_WINDOW = 12


def code_name(codeframe: Codeframe, key: str) -> str:
    """Give a code's name in English, else in any language, else its key."""
    try:
        return _said(codeframe.code(key).name) or key
    except KeyError:
        return key


def _said(words: Mapping[str, str]) -> str:
    return words.get("en") or next(iter(words.values()), "")


def _style(number: int) -> str:
    return _STYLES[number % len(_STYLES)]


def marked(text: str, tags: Sequence[Tag], selected: int, *, edge: str = "") -> Text:
    """Give an answer with the words of its tags marked, each in its own way.

    Args:
        text: The answer.
        tags: Those that do not hold are not marked.
        selected: Number of the one that stands out.
        edge: Which end of its words is being moved, ``start`` or ``end``; empty for none.
    """
    shown = Text(plain(text))
    shown.end = ""
    for number, tag in enumerate(tags):
        if tag.kept and tag.end > tag.start:
            shown.stylize(f"{_style(number)} underline", tag.start, tag.end)
    if 0 <= selected < len(tags):
        tag = tags[selected]
        shown.stylize("bold reverse", tag.start, tag.end)
        if edge and tag.end > tag.start:
            at = tag.start if edge == "start" else tag.end - 1
            shown.stylize("blink underline2", at, at + 1)
    # From the last on, so that the places before stay true.
    places = [(tag.start, number) for number, tag in enumerate(tags) if tag.kept and tag.end]
    for at, number in sorted(places, reverse=True):
        mark = Text(str(number + 1).translate(NUMERALS), style=_style(number))
        shown = Text.assemble(shown[:at], mark, shown[at:])
    return shown


def tag_lines(
    current: Current, tags: Sequence[Tag], selected: int, codeframe: Codeframe
) -> list[Text]:
    """Give a line a tag: number, whether it holds, code, stance, words, and who says so."""
    if not tags:
        return [Text("No tags: none of the codes.", style="dim")]
    lines = []
    for number, tag in enumerate(tags):
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append("▸ " if number == selected else "  ", style="bold")
        line.append(f"{number + 1} ", style=_style(number))
        line.append("✓ " if tag.kept else "✗ ", style="bold" if tag.kept else "dim")
        faded = "" if tag.kept else "dim strike"
        line.append(code_name(codeframe, tag.enabler), style=faded or "bold")
        stance = tag.stance.value if tag.stance else "no stance"
        line.append(f", {stance}", style=faded or _STANCES.get(stance, ""))
        words = plain(current.answer.text[tag.start : tag.end])
        if words:
            line.append(f": “{' '.join(words.split())}”", style=faded)
        line.append(f"  {who_says(current.answer.suggested, tag)}", style="dim")
        lines.append(line)
    return _window(lines, selected)


def who_says(suggested: Sequence[KeptCoding], tag: Tag) -> str:
    """Say where a tag comes from: how sure the tagger was, which coders, or that it was added."""
    if tag.suggested is None:
        return "added"
    enabler, stance = tag.suggested[:2]
    found = []
    for one in suggested:
        if (one.coding.enabler, one.coding.stance) == (enabler, stance):
            by_tagger = one.source is Source.TAGGER
            sure = f"{round(100 * one.coding.confidence)}% sure"
            found.append(sure if by_tagger else coder_name(one.coder))
    return ", ".join(found)


def codes_menu(codeframe: Codeframe, at: int) -> list[ConsoleRenderable]:
    """Give the codes to choose from, with what the one at a place means."""
    strands = {strand.key: _said(strand.name) for strand in codeframe.strands}
    lines = []
    for number, code in enumerate(codeframe.codes):
        line = Text(no_wrap=True, overflow="ellipsis")
        line.append("▸ " if number == at else "  ", style="bold")
        line.append(f"{LETTERS[number] if number < len(LETTERS) else ' '} ", style="cyan")
        line.append(_said(code.name) or code.key, style="bold" if number == at else "")
        line.append(f"  {strands.get(code.strand or '', '')}", style="dim")
        lines.append(line)
    return [*_window(lines, at), *_meaning(codeframe.codes[at])]


def _meaning(code: Code) -> list[Text]:
    found = []
    if code.definition:
        found.append(Text(_said(code.definition)))
    if code.not_when:
        found.append(Text(f"Not when: {_said(code.not_when)}", style="dim"))
    return found


def _window(lines: list[Text], at: int) -> list[Text]:
    """Leave out what is far from a place, where there are too many lines."""
    first = min(max(at - _WINDOW // 2, 0), max(len(lines) - _WINDOW, 0))
    return lines[first : first + _WINDOW]


def fitted(
    console: Console,
    above: Sequence[ConsoleRenderable],
    below: Sequence[ConsoleRenderable],
    *,
    scroll: int,
) -> tuple[ConsoleRenderable, int]:
    """Fit two parts into the window: the lower one whole, of the upper one what there is room
    for.

    Args:
        console: The terminal.
        above: Scrolled.
        below: Always seen.
        scroll: Lines of the upper part to leave out at its top.

    Returns:
        What to show, and how far it can be scrolled.
    """
    options = console.options.update(height=None)
    upper = console.render_lines(Group(*above), options, pad=False)
    lower = console.render_lines(Group(*below), options, pad=False)
    room = max(console.height - len(lower) - 1, 1)
    most = max(len(upper) - room, 0)
    first = min(max(scroll, 0), most)
    seen = upper[first : first + room]
    segments: list[Segment] = []
    for line in (*seen, *lower):
        segments += [*line, Segment.line()]
    if most:
        where = f"  PgUp/PgDn: lines {first + 1} to {first + len(seen)} of {len(upper)}"
        segments.append(Segment(where))
    return Segments(segments), most
