"""A chart as a picture (PNG), to be read on a phone.

``python -m storage.reports.drawing`` draws in a process of its own, which ``draw_apart`` starts:
the engine that draws takes a second and a hundred megabytes, and gives neither back.

Everything is set in pixels, so that no label is cut off: a line ends where the page does.
"""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from pydantic import TypeAdapter

from storage.reports.charts import Bar, Chart, Group, Pair
from storage.reports.png import smaller
from storage.reports.typesetting import width, wrap

__all__ = ["WIDTH", "draw", "draw_apart", "main"]

#: Pixels, of a phone held upright.
WIDTH = 1080
_MARGIN = 48
_ROOM = WIDTH - 2 * _MARGIN

# Sizes of letters, in pixels; a phone shows a third of them.
_TITLE, _HEAD, _LABEL, _SMALL = 46, 38, 31, 27

#: Of the height of letters, from line to line.
_LEADING = 1.25

_BAR = 32
_BAR_ROOM = 570
_PAIR = 26

# Okabe and Ito's colours, told apart by everybody; the light ones are their tints.
_BLUE, _ORANGE, _GREEN = "#0072b2", "#d55e00", "#4d4d4d"
_LIGHT = {_BLUE: "#a6cee3", _ORANGE: "#f7c4a0", _GREEN: "#c8c8c8"}
_INK, _GREY, _TRACK = "#1a1a1a", "#595959", "#eeeeee"

#: Seconds that drawing may take.
_PATIENCE = 60.0

_Align = Literal["left", "right"]

_CHARTS = TypeAdapter(list[Chart])
_ROOT = Path(__file__).parents[2]


def draw_apart(charts: Sequence[Chart]) -> list[bytes] | None:
    """Draw charts in a process of its own and give the pictures, in order.

    Returns:
        None when it broke or took too long: then there are no pictures.
    """
    try:
        done = subprocess.run(
            [sys.executable, "-m", "storage.reports.drawing"],
            input=_CHARTS.dump_json(list(charts)),
            capture_output=True,
            cwd=_ROOT,
            timeout=_PATIENCE,
            check=True,
        )
        pictures = [base64.b64decode(line) for line in json.loads(done.stdout)]
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
    return pictures if len(pictures) == len(charts) else None


def main() -> None:
    """Read charts from standard input, and write the pictures as JSON."""
    charts = _CHARTS.validate_json(sys.stdin.buffer.read())
    pictures = [base64.b64encode(draw(chart)).decode("ascii") for chart in charts]
    sys.stdout.write(json.dumps(pictures))


def draw(chart: Chart) -> bytes:
    """Draw a chart. The same chart gives the same bytes."""
    import altair as alt
    import vl_convert

    page = _Page()
    page.put(chart)
    data: Any = alt.Data
    layers: list[Any] = []
    position = {
        "x": alt.X("x:Q", scale=alt.Scale(domain=[0, WIDTH], nice=False), axis=None),
        "y": alt.Y("y:Q", scale=alt.Scale(domain=[page.y, 0], nice=False), axis=None),
    }
    colour = alt.Color("colour:N", scale=None)
    layers.append(
        alt.Chart(data(values=page.boxes))
        .mark_rect()
        .encode(**position, x2="x2:Q", y2="y2:Q", color=colour)
    )
    for (bold, align), texts in sorted(page.texts.items()):
        layers.append(
            alt.Chart(data(values=texts))
            .mark_text(
                align=align,
                baseline="alphabetic",
                font="Liberation Sans",
                fontWeight="bold" if bold else "normal",
            )
            .encode(
                **position,
                text="text:N",
                size=alt.Size("size:Q", scale=None, legend=None),
                color=colour,
            )
        )
    whole = (
        alt.layer(*layers)
        .properties(width=WIDTH, height=page.y, padding=0, background="white")
        .configure_view(stroke=None)
    )
    return smaller(vl_convert.vegalite_to_png(whole.to_dict(), scale=1))


@dataclass(slots=True)
class _Page:
    """What is drawn, from top to bottom.

    Attributes:
        y: How far the page is filled, in pixels.
        boxes: Rectangles, later ones above earlier ones.
        texts: By weight and alignment.
    """

    y: int = _MARGIN
    boxes: list[dict[str, Any]] = field(default_factory=list)
    texts: dict[tuple[bool, _Align], list[dict[str, Any]]] = field(default_factory=dict)

    def put(self, chart: Chart) -> None:
        """Put everything on the page."""
        self.paragraph(chart.title, _TITLE, bold=True)
        self.space(6)
        self.paragraph(chart.subtitle, _LABEL, colour=_GREY)
        if chart.bars_title:
            self.space(34)
            self.paragraph(chart.bars_title, _HEAD, bold=True)
            self.legend(_bar_legend(chart))
            for group in chart.groups:
                if group.bars:
                    self.heading(group)
                    for bar in group.bars:
                        self.bar(bar)
        if chart.pairs_title:
            self.space(34)
            self.paragraph(chart.pairs_title, _HEAD, bold=True)
            self.legend([(_ORANGE, chart.gap), (_BLUE, chart.strength)])
            self.pairs([group for group in chart.groups if group.pairs])
        self.space(30)
        for note in chart.notes:
            self.paragraph(note, _SMALL, colour=_GREY)
        self.space(_MARGIN - 16)

    def space(self, pixels: float) -> None:
        """Leave room."""
        self.y += round(pixels)

    def paragraph(self, text: str, size: int, *, bold: bool = False, colour: str = _INK) -> None:
        """Put lines over the whole width."""
        for line in wrap(text, size, _ROOM, bold=bold):
            self.line(line, size, bold=bold, colour=colour)

    def line(self, text: str, size: int, *, bold: bool = False, colour: str = _INK) -> None:
        """Put one line."""
        self.space(size * _LEADING)
        self.text(text, _MARGIN, self.y - size * 0.25, size, bold=bold, colour=colour)

    def text(
        self,
        text: str,
        x: float,
        y: float,
        size: int,
        *,
        bold: bool = False,
        colour: str = _INK,
        align: _Align = "left",
    ) -> None:
        """Put words at a place; ``y`` is the line that they stand on."""
        kept = self.texts.setdefault((bold, align), [])
        kept.append({"x": x, "y": y, "text": text, "size": size, "colour": colour})

    def box(self, x: float, x2: float, y: float, height: float, colour: str) -> None:
        """Put a rectangle."""
        if x2 > x:
            self.boxes.append({"x": x, "x2": x2, "y": y, "y2": y + height, "colour": colour})

    def heading(self, group: Group) -> None:
        """Put the name of a strand, with a rule under it."""
        self.space(20)
        if group.name:
            self.line(group.name, _LABEL, bold=True, colour=_GREY)
            self.box(_MARGIN, WIDTH - _MARGIN, self.y + 2, 2, "#c8c8c8")
            self.space(8)

    def legend(self, entries: Sequence[tuple[str, str]]) -> None:
        """Put colours and their words, in as many lines as they need."""
        self.space(10)
        x = float(WIDTH)
        for colour, words in entries:
            needed = 34 + width(words, _SMALL) + 32
            if x + needed > WIDTH - _MARGIN + 32:
                x = _MARGIN
                self.space(_SMALL * 1.4)
            self.box(x, x + 24, self.y - 24, 24, colour)
            self.text(words, x + 34, self.y - 3, _SMALL, colour=_GREY)
            x += needed
        self.space(6)

    def bar(self, bar: Bar) -> None:
        """Put a statement, and below it how many agree."""
        self.space(10)
        for line in wrap(bar.label, _LABEL, _ROOM):
            self.line(line, _LABEL)
        colour = _GREEN if bar.good is None else _BLUE if bar.good else _ORANGE
        beside = wrap(bar.words, _LABEL, _ROOM - _BAR_ROOM - 20, bold=True)
        if len(beside) > 1:
            for line in wrap(bar.words, _LABEL, _ROOM, bold=True):
                self.line(line, _LABEL, bold=True)
        self.space(8)
        step = _BAR_ROOM / 100
        self.box(_MARGIN, _MARGIN + _BAR_ROOM, self.y, _BAR, _TRACK)
        self.box(
            _MARGIN + bar.solid * step, _MARGIN + bar.light * step, self.y, _BAR, _LIGHT[colour]
        )
        self.box(_MARGIN, _MARGIN + bar.solid * step, self.y, _BAR, colour)
        if len(beside) == 1:
            x = _MARGIN + _BAR_ROOM + 20
            self.text(beside[0], x, self.y + _BAR - 5, _LABEL, bold=True)
        self.space(_BAR + 10)

    def pairs(self, groups: Sequence[Group]) -> None:
        """Put the strands side by side, two in a row."""
        rows = [groups[at : at + 2] for at in range(0, len(groups), 2)]
        room = _ROOM if len(groups) == 1 else (_ROOM - 40) // 2
        every = [pair for group in groups for pair in group.pairs]
        words = max(
            width(one, _SMALL, bold=True)
            for pair in every
            for one in (pair.gap_words, pair.strength_words)
        )
        most = max(max(pair.strength, pair.gap) for pair in every)
        step = (room / 2 - words - 14) / most
        for row in rows:
            top = self.y
            ends = []
            for place, group in enumerate(row):
                self.y = top
                self.column(group, _MARGIN + place * (room + 40), room, step)
                ends.append(self.y)
            self.y = max(ends)

    def column(self, group: Group, left: float, room: float, step: float) -> None:
        """Put the enablers of one strand below each other; ``step`` is the length of one."""
        self.space(20)
        if group.name:
            self.space(_LABEL * _LEADING)
            self.text(group.name, left, self.y - 8, _LABEL, bold=True, colour=_GREY)
            self.box(left, left + room, self.y + 2, 2, "#c8c8c8")
            self.space(8)
        for pair in group.pairs:
            self.pair(pair, left, room, step)

    def pair(self, pair: Pair, left: float, room: float, step: float) -> None:
        """Put an enabler: what is missing to the left, what is a strength to the right."""
        self.space(8)
        for line in wrap(pair.label, _LABEL, room):
            self.space(_LABEL * _LEADING)
            self.text(line, left, self.y - 8, _LABEL)
        self.space(6)
        middle = left + room / 2
        gap, strength = step * pair.gap, step * pair.strength
        self.box(middle - gap, middle, self.y, _PAIR, _ORANGE)
        self.box(middle, middle + strength, self.y, _PAIR, _BLUE)
        self.box(middle - 1, middle + 1, self.y - 3, _PAIR + 6, _GREY)
        baseline = self.y + _PAIR - 4
        self.text(pair.gap_words, middle - gap - 8, baseline, _SMALL, bold=True, align="right")
        self.text(pair.strength_words, middle + strength + 8, baseline, _SMALL, bold=True)
        self.space(_PAIR + 8)


def _bar_legend(chart: Chart) -> list[tuple[str, str]]:
    """Explain the colours that are used, where there is more than one."""
    bars = [bar for group in chart.groups for bar in group.bars]
    legend = []
    if any(bar.good is False for bar in bars):
        legend.append((_BLUE, chart.good))
        legend.append((_ORANGE, chart.bad))
    if any(bar.light > bar.solid for bar in bars):
        legend.append((_LIGHT[_BLUE], chart.open))
    return legend


if __name__ == "__main__":
    main()
