"""What people are told of a closed wave, as they read it (``goldens/``)."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.channels.words import pieces
from bot.config import SHIPPED_SURVEYS, read_survey_file
from bot.summary import LONGEST, Summary
from dialogues.survey import Survey
from nlp.codeframe import read_codeframe
from storage.reports import Mention, Span, Statement, WaveFigures, shown
from tests.reports.scenes import survey

GOLDENS = Path(__file__).parent / "goldens"
CODEFRAME = read_codeframe()
LEAST = 5


def shipped(name: str) -> Survey:
    read = read_survey_file(SHIPPED_SURVEYS / f"{name}.toml")
    assert read.survey is not None
    return read.survey


def statements(of: Survey, counts: list[int], *, people: int) -> tuple[Statement, ...]:
    """How many of so many people agree with each statement in turn."""
    asked = [one for one in of.questions if one.enabler and one.kind == "scale"]
    return tuple(
        Statement(
            question_id=question.id,
            enabler=question.enabler or "",
            share=shown(count, of=people, least=LEAST),
            good=not getattr(question, "reversed", False),
        )
        for question, count in zip(asked, counts, strict=False)
    )


def mention(enabler: str, strength: int, gap: int, *, people: int) -> Mention:
    def told(count: int) -> Span | None:
        span = shown(count, of=people, least=LEAST)
        return span if span is not None and span.low >= LEAST else None

    return Mention(enabler=enabler, strength=told(strength), gap=told(gap))


PULSE = shipped("partnership-pulse")
CITIZENS = shipped("citizen-pulse")
FULL = WaveFigures(
    least=LEAST,
    invited=31,
    took_part=shown(23, of=31, least=LEAST),
    statements=statements(PULSE, [21, 9, 16, 15, 11, 4, 2, 13, 0, 14, 7, 12], people=23),
    mentions=(
        mention("brokerage", 14, 6, people=23),
        mention("shared_goals", 9, 0, people=23),
        mention("resources", 5, 20, people=23),
        mention("agility", 0, 12, people=23),
        mention("leadership", 9, 12, people=23),
    ),
)
FEW_CITIZENS = WaveFigures(
    least=LEAST,
    invited=9,
    took_part=Span(low=5, high=9, of=9),
    statements=statements(CITIZENS, [6, 1, 7, 2], people=7),
)
SUMMARY = Summary(
    figures=FULL,
    survey=PULSE,
    codeframe=CODEFRAME,
    cohort="Riverside partnership",
    on=date(2026, 12, 1),
    today=date(2026, 12, 11),
    language="en",
)
CASES = {
    "partners": SUMMARY,
    "citizens": replace(
        SUMMARY, figures=FEW_CITIZENS, survey=CITIZENS, cohort="Riverside", slash=True
    ),
    "few": replace(SUMMARY, figures=WaveFigures(least=LEAST, invited=9, took_part=None)),
    "nothing": replace(
        SUMMARY,
        figures=replace(FULL, mentions=(), statements=statements(PULSE, [1, 2], people=4)),
        today=date(2027, 1, 3),
    ),
    "words": replace(
        SUMMARY, figures=replace(FULL, statements=(), mentions=(mention("risk", 0, 7, people=23),))
    ),
    "choices": replace(
        SUMMARY,
        survey=survey(),
        figures=replace(
            FULL,
            mentions=(),
            statements=(
                Statement(
                    question_id="asked", enabler="engagement", share=Span(low=7, high=7, of=20)
                ),
                Statement(
                    question_id="who",
                    enabler="leadership",
                    share=Span(low=12, high=12, of=20),
                    choice="the_council",
                ),
            ),
        ),
    ),
}


def golden(name: str, words: str, *, update: bool) -> None:
    path = GOLDENS / f"{name}.txt"
    if update:
        path.parent.mkdir(exist_ok=True)
        path.write_text(words, encoding="utf-8")
    assert words == path.read_text(encoding="utf-8")


@pytest.mark.parametrize("language", ["en", "cy"])
@pytest.mark.parametrize("name", CASES)
def test_the_words_are_as_they_were_read(
    name: str, language: str, request: pytest.FixtureRequest
) -> None:
    summary = replace(CASES[name], language=language)
    parts = [summary.text(), summary.text(in_place=True)]
    if summary.figures.took_part is not None:
        parts.append(summary.alt())
    words = "\n\n-----\n\n".join(parts) + "\n"
    golden(f"{name}-{language}", words, update=request.config.getoption("--update"))


@st.composite
def summaries(draw: st.DrawFn) -> Summary:
    people = draw(st.integers(5, 400))
    longest = draw(st.sampled_from([10, 200, 2000]))
    words = st.text("ab ŵ🌊’", min_size=1, max_size=longest)
    count = st.integers(0, people)
    of = Survey.model_validate(
        {
            "survey": "s",
            "title": draw(words) + ".",
            "consent": {"text": "?"},
            "question": [
                {
                    "id": f"q{number}",
                    "kind": "scale",
                    "text": draw(words) + ".",
                    "labels": ["1", "2", "3"],
                    "enabler": "risk",
                    "reversed": draw(st.booleans()),
                }
                for number in range(draw(st.integers(1, 15)))
            ],
        }
    )
    counts = [draw(count) for _ in of.questions]
    figures = WaveFigures(
        least=LEAST,
        invited=people,
        took_part=shown(draw(count), of=people, least=LEAST),
        statements=statements(of, counts, people=people),
        mentions=tuple(
            one
            for code in CODEFRAME.codes
            if (one := mention(code.key, draw(count), draw(count), people=people))
            and (one.strength or one.gap)
        ),
    )
    return replace(
        SUMMARY,
        figures=figures,
        survey=of,
        cohort=draw(words),
        language=draw(st.sampled_from(["en", "cy"])),
    )


@settings(max_examples=60, deadline=None)
@given(summaries())
def test_the_message_fits_under_a_picture_whatever_it_says(summary: Summary) -> None:
    for in_place in (False, True):
        assert len(pieces(summary.text(in_place=in_place), most=LONGEST)) == 1
    assert len(pieces(summary.alt(), most=1000)) == 1
