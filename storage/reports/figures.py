"""The figures of a closed wave: how many took part, what they agree with, what they named.

What lives here: counting what the store holds of a wave, and passing every count through
``suppression``. A ``WaveFigures`` holds nothing else, so that it can be kept and shown. What
must not: words, pictures, or a count that did not pass.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pydantic import TypeAdapter

from dialogues.coding import Codeframe, Stance
from dialogues.survey import ChoiceQuestion, Question, ScaleQuestion, Survey, YesNoQuestion
from storage.reports.suppression import Span, shown

if TYPE_CHECKING:
    from storage.protocol import Store

__all__ = ["Mention", "Statement", "WaveFigures", "decode_figures", "encode_figures", "figures_of"]

#: Value of an answer to how many people gave it.
_Counts = dict[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """A closed question that measures an enabler.

    Attributes:
        share: Of those who answered it: agree (a point above the middle, or yes); of a choice
            those who chose ``choice``. None where too few people answered.
        choice: Of a choice the id that most people chose; None where that cannot be told.
        good: Whether agreeing is the good news.
    """

    question_id: str
    enabler: str
    share: Span | None
    choice: str | None = None
    good: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Mention:
    """How many people named an enabler in their own words; None where that cannot be told."""

    enabler: str
    strength: Span | None
    gap: Span | None


@dataclass(frozen=True, slots=True, kw_only=True)
class WaveFigures:
    """All that is told of a closed wave.

    Attributes:
        least: People behind a figure, as it was when the figures were made.
        invited: Everybody who was invited, without whom we did not ask after all.
        took_part: Who gave at least one answer; None where too few did, and then nothing else
            is told.
        statements: In the order of the survey.
        mentions: In the order of the codeframe; only what can be told.
    """

    least: int
    invited: int
    took_part: Span | None
    statements: tuple[Statement, ...] = ()
    mentions: tuple[Mention, ...] = ()


_FIGURES = TypeAdapter(WaveFigures)


def encode_figures(figures: WaveFigures) -> str:
    """Give figures as JSON text."""
    return _FIGURES.dump_json(figures, exclude_defaults=True).decode()


def decode_figures(text: str) -> WaveFigures:
    """Read figures."""
    return _FIGURES.validate_json(text)


def figures_of(
    store: Store, wave_id: str, survey: Survey, codeframe: Codeframe, *, least: int
) -> WaveFigures:
    """Make the figures of a wave.

    Args:
        store: Read only.
        wave_id: Of a closed wave.
        survey: The revision that it fielded.
        codeframe: What its words were tagged with.
        least: People behind a figure.
    """
    (people,) = store.read("report_people", wave_id=wave_id)
    invited = max(people["invited"], people["answered"])
    if people["answered"] < least:
        return WaveFigures(least=least, invited=invited, took_part=None)
    return WaveFigures(
        least=least,
        invited=invited,
        took_part=_took_part(people["answered"], invited, least),
        statements=_statements(store, wave_id, survey, least),
        mentions=_mentions(store, wave_id, codeframe, people["read"], least),
    )


def _took_part(answered: int, invited: int, least: int) -> Span | None:
    """That anything is shown tells that ``least`` took part."""
    span = shown(answered, of=invited, least=least)
    if span is None or span.low >= least:
        return span
    return Span(low=least, high=span.high, of=invited)


def _statements(store: Store, wave_id: str, survey: Survey, least: int) -> tuple[Statement, ...]:
    counts: dict[str, _Counts] = defaultdict(dict)
    for row in store.read("report_values", wave_id=wave_id):
        counts[row["question_id"]][row["value"]] = row["n"]
    found = (_statement(question, counts[question.id], least) for question in survey.questions)
    return tuple(statement for statement in found if statement is not None)


def _statement(question: Question, counts: _Counts, least: int) -> Statement | None:
    """Count one question; None where it measures no enabler or has no share."""
    if question.enabler is None:
        return None
    answered = sum(counts.values())
    choice, good = None, True
    match question:
        case ScaleQuestion(labels=labels, reversed=reversed_):
            agree = sum(n for value, n in counts.items() if 2 * int(value) > len(labels) + 1)
            good = not reversed_
        case YesNoQuestion():
            agree = counts.get("yes", 0)
        case ChoiceQuestion(choices=choices):
            choice = max((one.id for one in choices), key=lambda one: counts.get(one, 0))
            agree = counts.get(choice, 0)
        case _:
            return None
    share = shown(agree, of=answered, least=least) if answered else None
    if choice is not None and (share is None or share.low < least):
        # Which one came first among few would tell of those few.
        choice, share = None, None
    return Statement(
        question_id=question.id, enabler=question.enabler, share=share, choice=choice, good=good
    )


def _mentions(
    store: Store, wave_id: str, codeframe: Codeframe, read: int, least: int
) -> tuple[Mention, ...]:
    counts = {
        (row["enabler"], row["stance"]): row["n"]
        for row in store.read("report_mentions", wave_id=wave_id)
    }

    def named(enabler: str, stance: Stance) -> Span | None:
        span = shown(counts.get((enabler, stance.value), 0), of=max(read, 1), least=least)
        return span if span is not None and span.low >= least else None

    mentions = (
        Mention(
            enabler=code.key,
            strength=named(code.key, Stance.STRENGTH),
            gap=named(code.key, Stance.GAP),
        )
        for code in codeframe.codes
    )
    return tuple(one for one in mentions if one.strength is not None or one.gap is not None)
