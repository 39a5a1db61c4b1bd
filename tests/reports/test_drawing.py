"""The picture: nothing cut off, the same for the same figures, small enough to send."""

from __future__ import annotations

import struct
import subprocess
import sys
import zlib
from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dialogues.survey import Survey
from storage.reports import Mention, Span, WaveFigures, shown
from storage.reports.charts import Bar, Chart, Group, Pair
from storage.reports.drawing import WIDTH, _Page, draw, draw_apart
from storage.reports.png import smaller
from storage.reports.typesetting import width, wrap
from tests.fakes.pictures import SIGNATURE, png, size_of
from tests.reports.test_summary import (
    CASES,
    CODEFRAME,
    LEAST,
    PULSE,
    SUMMARY,
    mention,
    statements,
    summaries,
)

WORDY = Survey.model_validate(
    {
        "survey": "wordy",
        "title": "Llanfairpwllgwyngyllgogerychwyrndrobwllllantysiliogogogoch " * 2,
        "consent": {"text": "?"},
        "question": [
            {
                "id": f"q{number}",
                "kind": "scale",
                "text": text,
                "labels": ["1", "2", "3", "4", "5"],
                "enabler": CODEFRAME.codes[number % 12].key,
                "reversed": number % 2 == 1,
            }
            for number, text in enumerate(
                [
                    "We " + "very " * 60 + "much agree.",
                    "W" * 400,
                    "Ŵyl ŷ dŵr – “quoted” • 漢字 🌊 …",
                    "Short.",
                ]
                * 6
            )
        ],
    }
)
PEOPLE = 40
SHAPES: dict[str, Chart | None] = {
    **{name: case.chart() for name, case in CASES.items()},
    "welsh": replace(SUMMARY, language="cy").chart(),
    "twelve": replace(
        SUMMARY,
        figures=replace(
            SUMMARY.figures,
            mentions=tuple(
                mention(code.key, 7 * place % 23, 5 * place % 23, people=23)
                for place, code in enumerate(CODEFRAME.codes)
            ),
        ),
    ).chart(),
    "long": replace(
        SUMMARY,
        survey=WORDY,
        cohort="The " + "Riverside and Upper Valley " * 8 + "board",
        figures=WaveFigures(
            least=LEAST,
            invited=50,
            took_part=shown(PEOPLE, of=50, least=LEAST),
            statements=statements(WORDY, [(7 * n) % PEOPLE for n in range(24)], people=PEOPLE),
            mentions=(
                Mention(
                    enabler="of-another-codeframe-with-a-very-long-name-" * 3,
                    strength=Span(low=12345, high=99999, of=99999),
                    gap=Span(low=5, high=5, of=99999),
                ),
            ),
        ),
    ).chart(),
    "all but two withheld": replace(
        SUMMARY,
        figures=replace(
            SUMMARY.figures,
            mentions=(),
            statements=(
                *statements(PULSE, [20, 3], people=23),
                *statements(PULSE, [1] * 12, people=4)[2:],
            ),
        ),
    ).chart(),
}
DRAWN = {name: chart for name, chart in SHAPES.items() if chart is not None}


def test_where_nothing_is_told_nothing_is_drawn() -> None:
    assert {name for name, chart in SHAPES.items() if chart is None} == {"few", "nothing"}


def placed(chart: Chart) -> _Page:
    page = _Page()
    page.put(chart)
    return page


def check_page(page: _Page) -> None:
    """Nothing reaches past the edges, and no two words of a line run into each other."""
    spans: dict[float, list[tuple[float, float]]] = {}
    for (bold, align), texts in page.texts.items():
        for text in texts:
            wide = width(text["text"], text["size"], bold=bold)
            left = text["x"] - (wide if align == "right" else 0)
            assert left >= 0, text
            assert left + wide <= WIDTH, text
            assert text["size"] <= text["y"] <= page.y, text
            spans.setdefault(text["y"], []).append((left, left + wide))
    for beside in spans.values():
        ordered = sorted(beside)
        for (_, end), (begin, _) in pairwise(ordered):
            assert end <= begin + 1
    for box in page.boxes:
        assert 0 <= box["x"] < box["x2"] <= WIDTH
        assert 0 <= box["y"] < box["y2"] <= page.y


@pytest.mark.parametrize("name", DRAWN)
def test_nothing_is_cut_off(name: str) -> None:
    check_page(placed(DRAWN[name]))


@settings(max_examples=40, deadline=None)
@given(summaries())
def test_nothing_is_cut_off_whatever_people_said(summary: Any) -> None:
    chart = summary.chart()
    if chart is not None:
        check_page(placed(chart))


@pytest.mark.parametrize("name", DRAWN)
def test_every_word_of_the_figures_is_in_the_picture(name: str) -> None:
    chart = DRAWN[name]
    words = "".join(
        "".join(text["text"].split())
        for texts in placed(chart).texts.values()
        for text in sorted(texts, key=lambda one: (one["y"], one["x"]))
    )
    for group in chart.groups:
        assert "".join(group.name.split()) in words
        for bar in group.bars:
            assert "".join(bar.label.split()) in words
            assert "".join(bar.words.split()) in words
        for pair in group.pairs:
            assert pair.strength_words in words
            assert pair.gap_words in words


def test_the_longest_survey_gives_a_picture_that_platforms_take() -> None:
    page = placed(DRAWN["long"])
    assert sum(len(group.bars) for group in DRAWN["long"].groups) == 12
    assert WIDTH + page.y < 10_000
    assert page.y < 20 * WIDTH


def test_the_same_figures_give_the_same_bytes_in_any_process() -> None:
    charts = [DRAWN["partners"], DRAWN["words"]]
    here = [draw(chart) for chart in charts]
    assert draw_apart(charts) == here
    for picture, chart in zip(here, charts, strict=True):
        assert size_of(picture) == (WIDTH, placed(chart).y)
        assert len(picture) < 200_000
    assert here[0] != here[1]


@pytest.mark.parametrize("program", ["raise SystemExit(3)", "print('nonsense')", "print('[]')"])
def test_a_process_that_breaks_gives_no_picture(
    program: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = subprocess.run

    def run(_command: list[str], **options: Any) -> Any:
        return plain([sys.executable, "-c", program], **options)

    monkeypatch.setattr("storage.reports.drawing.subprocess.run", run)
    assert draw_apart([DRAWN["words"]]) is None


def test_bars_are_as_long_as_they_say() -> None:
    bars = (
        Bar(label="a", solid=25, light=25, words="25%", good=True),
        Bar(label="b", solid=0, light=50, words="half or fewer", good=False),
    )
    chart = replace(
        DRAWN["partners"],
        groups=(
            Group(
                name="",
                bars=bars,
                pairs=(
                    Pair(label="x", strength=10, strength_words="10", gap=0, gap_words=""),
                    Pair(label="y", strength=5, strength_words="5", gap=20, gap_words="20"),
                ),
            ),
        ),
    )
    lengths: dict[str, list[int]] = {}
    for box in placed(chart).boxes:
        if box["y2"] - box["y"] > 25:
            lengths.setdefault(box["colour"], []).append(round(box["x2"] - box["x"]))
    track = lengths["#eeeeee"][0]
    assert lengths["#0072b2"][0] == round(track / 4)
    assert lengths["#f7c4a0"] == [round(track / 2)]
    ten, five = lengths["#0072b2"][1:]
    (twenty,) = lengths["#d55e00"]
    assert abs(ten - 2 * five) <= 1
    assert abs(twenty - 2 * ten) <= 1


# Lines and letters -----------------------------------------------------------------------


@given(st.text(max_size=300), st.integers(40, 900))
def test_lines_fit_and_lose_nothing(text: str, room: int) -> None:
    lines = wrap(text, 31, room)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert all(len(line) <= 1 or width(line, 31) <= room for line in lines)
    assert lines


def test_widths_are_those_of_the_letters() -> None:
    """Measured once in the picture: a row of letters is as wide as it is said to be."""
    assert width("iiii", 1000) == 888
    assert width("ŵ", 1000) == width("w", 1000) == 722
    assert width("W", 1000, bold=True) > width("W", 1000)


# Small files -----------------------------------------------------------------------------


def rgba(pixels: Any, filters: int) -> bytes:
    """Write a PNG as vl-convert does, with one filter for all rows."""
    height, wide, _ = pixels.shape
    rows = bytearray()
    above = np.zeros_like(pixels[0])
    for row in pixels:
        before = np.vstack([np.zeros_like(row[:1]), row[:-1]])
        plain = {0: row, 1: row - before, 2: row - above, 4: row}[filters]
        rows += bytes([filters]) + plain.tobytes()
        above = row
    header = struct.pack(">IIBBBBB", wide, height, 8, 6, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows))), (b"IEND", b""))
    return SIGNATURE + b"".join(
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        for kind, data in parts
    )


def read(small: bytes) -> Any:
    """Read a PNG with a palette."""
    chunks, at = {}, 8
    while at < len(small):
        length, kind = struct.unpack(">I4s", small[at : at + 8])
        chunks[kind] = small[at + 8 : at + 8 + length]
        assert struct.unpack(">I", small[at + 8 + length : at + 12 + length])[0] == zlib.crc32(
            kind + chunks[kind]
        )
        at += length + 12
    wide, height, depth, colours = struct.unpack(">IIBB", chunks[b"IHDR"][:10])
    assert (depth, colours) == (8, 3)
    palette = np.frombuffer(chunks[b"PLTE"], np.uint8).reshape(-1, 3)
    assert len(palette) <= 256
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(height, wide + 1)
    assert not rows[:, 0].any()
    return palette[rows[:, 1:]]


@pytest.mark.parametrize("filters", [0, 1, 2])
def test_a_picture_grows_smaller_and_stays_the_same(filters: int) -> None:
    random = np.random.default_rng(7)
    pixels = np.full((60, 80, 4), 255, np.uint8)
    pixels[10:30, 5:60, :3] = (0, 114, 178)
    pixels[30:50, 5:40, :3] = (213, 94, 0)
    pixels[50:, :, :3] = random.integers(0, 256, (10, 80, 3), np.uint8)
    seen = read(smaller(rgba(pixels, filters)))
    assert (seen[:50] == pixels[:50, :, :3]).all()
    assert np.abs(seen[50:].astype(int) - pixels[50:, :, :3]).max() <= 64


def test_what_is_written_otherwise_stays_as_it_is() -> None:
    pixels = np.zeros((3, 4, 4), np.uint8)
    for other in (png(4, 3), rgba(pixels, 4)):
        assert smaller(other) == other
