"""The picture of a closed wave, as words and numbers: what stands in it, not where.

What lives here: choosing and wording what is drawn, from figures alone. What must not: pixels
(``drawing.py``), or the store.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from dialogues import messages
from dialogues.coding import Codeframe
from dialogues.survey import ChoiceQuestion, Survey, YesNoQuestion
from storage.reports.figures import Mention, Statement, WaveFigures
from storage.reports.suppression import Share, ShareKind, Span

__all__ = [
    "Bar",
    "Chart",
    "Group",
    "Pair",
    "chart_of",
    "code_name",
    "counted",
    "favour",
    "said",
    "share_words",
]

#: Statements in a picture: more are not read on a phone.
_MOST = 12

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """How many agree with a statement.

    Attributes:
        solid: Percent that is certain.
        light: Percent up to which it may reach; ``solid`` where it is told exactly.
        words: The share in words.
        good: Whether agreeing is the good news; None where it is neither.
    """

    label: str
    solid: int
    light: int
    words: str
    good: bool | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """How many named an enabler, as a strength and as missing: 0 and no words where withheld."""

    label: str
    strength: int
    strength_words: str
    gap: int
    gap_words: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What belongs to one strand; ``name`` is empty in a codeframe without strands."""

    name: str
    bars: tuple[Bar, ...] = ()
    pairs: tuple[Pair, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """What a picture shows, in one language.

    Attributes:
        bars_title: Empty where there are no bars; ``pairs_title`` alike.
        good, bad, open: Words for the colours and for what may be or not.
        notes: Below everything.
    """

    title: str
    subtitle: str
    bars_title: str
    pairs_title: str
    good: str
    bad: str
    open: str
    strength: str
    gap: str
    groups: tuple[Group, ...]
    notes: tuple[str, ...]


def chart_of(
    figures: WaveFigures,
    *,
    survey: Survey,
    codeframe: Codeframe,
    title: str,
    subtitle: str,
    language: str,
) -> Chart | None:
    """Give what the picture of a wave shows; None where there is nothing to draw."""
    told = [one for one in figures.statements if one.share is not None]
    kept = _that_stand_out(told)
    if not kept and not figures.mentions:
        return None
    groups = []
    for strand, name in _strands(codeframe, language):
        bars = tuple(
            _bar(one, survey, language) for one in kept if _strand(codeframe, one.enabler) == strand
        )
        pairs = tuple(
            _pair(one, codeframe, language)
            for one in figures.mentions
            if _strand(codeframe, one.enabler) == strand
        )
        if bars or pairs:
            groups.append(Group(name=name, bars=bars, pairs=pairs))

    def say(key: str, **values: object) -> str:
        return messages.say(key, language, **values)

    notes = []
    if len(kept) < len(told):
        notes.append(say("chart_some", n=len(kept), total=len(told)))
    if figures.mentions:
        notes.append(say("chart_program"))
    withheld = len(figures.statements) - len(told)
    if withheld:
        notes.append(say("chart_withheld", n=withheld))
    notes.append(say("chart_least", min=figures.least))
    return Chart(
        title=title,
        subtitle=subtitle,
        bars_title=say("chart_statements") if kept else "",
        pairs_title=say("chart_mentions") if figures.mentions else "",
        good=say("chart_good"),
        bad=say("chart_bad"),
        open=say("chart_open"),
        strength=say("chart_strength"),
        gap=say("chart_gap"),
        groups=tuple(groups),
        notes=tuple(notes),
    )


# Words that the picture and the text share ---------------------------------------------------


def share_words(statement: Statement, survey: Survey, language: str) -> str:
    """Say a share: ``60% agree``. The statement's share is told."""
    question = survey.by_id.get(statement.question_id)
    if statement.share is None:
        raise ValueError("nothing is told of it")
    if isinstance(question, ChoiceQuestion) and statement.choice is not None:
        label = next(one.text for one in question.choices if one.id == statement.choice)
        verb = messages.say("share_chose", language, choice=survey.say(label, language))
    elif isinstance(question, YesNoQuestion):
        verb = messages.say("share_yes", language)
    else:
        verb = messages.say("share_agree", language)
    told = statement.share.share
    return messages.say(f"share_{told.kind.value}", language, percent=told.percent, verb=verb)


def said(statement: Statement, survey: Survey, language: str) -> str:
    """Give the words of a statement; what quotes an earlier answer has dots in its place."""
    question = survey.by_id.get(statement.question_id)
    text = "" if question is None else survey.say(question.text, language)
    return re.sub(r"\{[^{}]*\}", "…", " ".join(text.split()))


def counted(span: Span, language: str) -> str:
    """Say a count of people: ``9``, or ``8 or more``."""
    if span.exact:
        return str(span.low)
    return messages.say("count_at_least", language, n=span.low)


def code_name(codeframe: Codeframe, key: str, language: str) -> str:
    """Give the name of a code; its key where the codeframe has none (any more)."""
    try:
        names = codeframe.code(key).name
    except KeyError:
        return key
    return names.get(language) or next(iter(names.values()), key)


def favour(statement: Statement) -> float:
    """Give how good the news is, in [0, 1], from what is told of it alone."""
    if statement.share is None:
        return 0.5
    middle = (statement.share.low + statement.share.high) / (2 * statement.share.of)
    return middle if statement.good else 1.0 - middle


# The parts of a picture ----------------------------------------------------------------------


def _that_stand_out(told: list[Statement]) -> list[Statement]:
    """Keep those that say most, in their order, where there are too many."""
    if len(told) <= _MOST:
        return told
    ranked = sorted(range(len(told)), key=lambda place: -abs(favour(told[place]) - 0.5))
    return [told[place] for place in sorted(ranked[:_MOST])]


def _bar(statement: Statement, survey: Survey, language: str) -> Bar:
    share = statement.share.share if statement.share is not None else None
    solid, light = (0, 0) if share is None else _reach(share)
    return Bar(
        label=said(statement, survey, language),
        solid=solid,
        light=light,
        words=share_words(statement, survey, language),
        good=None if statement.choice is not None else statement.good,
    )


def _reach(share: Share) -> tuple[int, int]:
    match share.kind:
        case ShareKind.EXACT:
            return share.percent, share.percent
        case ShareKind.AT_LEAST | ShareKind.OVER_HALF:
            return share.percent, 100
        case ShareKind.AT_MOST | ShareKind.UP_TO_HALF:
            return 0, share.percent


def _pair(mention: Mention, codeframe: Codeframe, language: str) -> Pair:
    strength, gap = mention.strength, mention.gap
    return Pair(
        label=code_name(codeframe, mention.enabler, language),
        strength=0 if strength is None else strength.low,
        strength_words=_short(strength),
        gap=0 if gap is None else gap.low,
        gap_words=_short(gap),
    )


def _short(span: Span | None) -> str:
    """Write a count of people in a few signs: ``9``, or ``8+``."""
    if span is None:
        return ""
    return str(span.low) if span.exact else f"{span.low}+"


def _strand(codeframe: Codeframe, enabler: str) -> str:
    code = _first(codeframe.codes, lambda one: one.key == enabler)
    return (code.strand or "") if code is not None else ""


def _strands(codeframe: Codeframe, language: str) -> list[tuple[str, str]]:
    """Give key and name of every strand in order, and of what is in none last."""
    named = [
        (strand.key, strand.name.get(language) or next(iter(strand.name.values()), strand.key))
        for strand in codeframe.strands
    ]
    return [*named, ("", "")]


def _first(items: Iterable[_T], fits: Callable[[_T], bool]) -> _T | None:
    return next((item for item in items if fits(item)), None)
