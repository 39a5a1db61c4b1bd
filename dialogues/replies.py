"""Reply text to answer value.

What lives here: reading what a person typed at a question. What must not: what follows
from it (``engine.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import assert_never

from dialogues import messages
from dialogues.survey import (
    ChoiceQuestion,
    MultichoiceQuestion,
    NumberQuestion,
    Question,
    ScaleQuestion,
    Survey,
    TextQuestion,
    YesNoQuestion,
)
from dialogues.words import fold, means

__all__ = [
    "MAX_TEXT",
    "Fits",
    "Misfit",
    "check_choices",
    "label_of",
    "option_labels",
    "plain_number",
    "read_reply",
]

#: The longest open answer that is taken, in characters; longer is asked to be said shorter.
MAX_TEXT = 10_000

#: No label and no number is as long as this, in characters.
_LONGEST_LABEL = 1_000

#: Parts of a typed list that are looked at.
_MOST_PARTS = 100

_NUMBER_WORDS = {
    word: str(value)
    for value, words in enumerate(
        (
            ("zero", "none", "nothing", "nil", "dim", "sero"),
            ("one", "un"),
            ("two", "dau", "dwy"),
            ("three", "tri", "tair"),
            ("four", "pedwar", "pedair"),
            ("five", "pump"),
            ("six", "chwech"),
            ("seven", "saith"),
            ("eight", "wyth"),
            ("nine", "naw"),
            ("ten", "deg"),
            ("eleven",),
            ("twelve",),
        )
    )
    for word in words
}

#: Words beside a number that do not change it.
_FILLERS = (
    *("about", "around", "roughly", "approximately", "maybe", "perhaps", "probably"),
    *("only", "just", "tua", "oddeutu", "efallai"),
)

#: Words beside a number that make another number of it; then it is asked again.
_CHANGES_NUMBER = re.compile(
    r"\d\s*(?:k|m|mil)\b|\b(?:half|quarter|hundred|thousand|million|dozen"
    r"|hanner|chwarter|cant|miliwn)\b"
)

_OPTION_NUMBER = re.compile(r"#?\(?(\d{1,3})[.):]?")
_NUMBER_AND_WORDS = re.compile(r"#?\(?(\d{1,3})[.):\s-]+(\S.*)")
_BETWEEN_CHOICES = re.compile(r"[,;\n|]|\s(?:and|a|ac|&)\s")
_ONE_NUMBER = re.compile(r"[-+]?\d[\d .,'_]*")
_GROUPED = re.compile(r"[-+]?\d{1,3}(?:([ ,'_])\d{3})(?:\1\d{3})*(?:\.\d+)?")
_GROUPED_BY_POINTS = re.compile(r"[-+]?\d{1,3}(?:(?:\.\d{3})+,\d+|(?:\.\d{3}){2,})")
_PLAIN = re.compile(r"[-+]?\d+(?:[.,]\d+)?")
#: Signs of other scripts that mean what ours mean.
_SIGNS = str.maketrans({"−": "-", "–": "-", "٫": ".", "٬": ",", "،": ","})


@dataclass(frozen=True, slots=True, kw_only=True)
class Fits:
    """The reply answers the question; ``value`` is as stored (design section 10)."""

    value: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Misfit:
    """The reply does not answer the question.

    Attributes:
        key: Of the sentence that says so kindly.
        values: What its placeholders stand for.
    """

    key: str
    values: dict[str, object] = field(default_factory=dict)


def option_labels(survey: Survey, question: Question, language: str) -> tuple[str, ...]:
    """Give the labels of a question's options, in the order shown."""
    return tuple(
        messages.say(f"button_{option.value}", language)
        if option.text is None
        else survey.say(option.text, language)
        for option in question.options
    )


def label_of(survey: Survey, question: Question, value: str, language: str) -> str:
    """Say a stored value as the person reads it: labels for options, else the value."""
    labels = dict(
        zip(
            (option.value for option in question.options),
            option_labels(survey, question, language),
            strict=True,
        )
    )
    if isinstance(question, MultichoiceQuestion):
        return ", ".join(labels.get(part, part) for part in value.split("|"))
    if isinstance(question, NumberQuestion) and question.unit is not None:
        return f"{value} {survey.say(question.unit, language)}"
    return labels.get(value, value)


def plain_number(number: float | Decimal) -> str:
    """Write a number with a point and no exponent: ``7``, ``2.5``."""
    decimal = number if isinstance(number, Decimal) else Decimal(repr(float(number)))
    written = format(decimal, "f")
    if "." in written:
        written = written.rstrip("0").rstrip(".")
    return "0" if written in ("-0", "") else written


def read_reply(survey: Survey, question: Question, text: str, language: str) -> Fits | Misfit:
    """Read a typed reply to a question. Never raises."""
    if not any(mark.isprintable() and mark != " " for mark in text):
        return Misfit(key="text_empty")
    match question:
        case TextQuestion():
            if len(text) > MAX_TEXT:
                return Misfit(key="too_long", values={"max": MAX_TEXT})
            return Fits(value=text)
        case NumberQuestion():
            return _read_number(question, text)
        case YesNoQuestion():
            return _read_yesno(survey, question, text, language)
        case ScaleQuestion():
            misfit = Misfit(key="not_on_scale", values={"max": len(question.labels)})
            return _read_option(survey, question, text, language) or misfit
        case ChoiceQuestion():
            return _read_option(survey, question, text, language) or Misfit(key="not_a_choice")
        case MultichoiceQuestion():
            return _read_several(survey, question, text, language)
        case _:
            assert_never(question)


def _read_yesno(survey: Survey, question: YesNoQuestion, text: str, language: str) -> Fits | Misfit:
    clauses = re.split(r"[,.;!\n]", text.strip()[:_LONGEST_LABEL], maxsplit=1)
    for value, other in (("yes", "no"), ("no", "yes")):
        if means(text, value):
            return Fits(value=value)
        if means(clauses[0], value) and not means(clauses[-1], other):
            return Fits(value=value)
    return _read_option(survey, question, text, language) or Misfit(key="not_yesno")


def _option_number(folded: str) -> int | None:
    match = _OPTION_NUMBER.fullmatch(folded)
    return int(match[1]) if match else None


def _read_option(
    survey: Survey, question: Question, text: str, language: str
) -> Fits | Misfit | None:
    """Read one option by its number, its label, its id or a unique beginning of a label."""
    folded = fold(text) if len(text) <= _LONGEST_LABEL else ""
    if not folded:
        return None
    values = [option.value for option in question.options]
    shown = option_labels(survey, question, language)
    labels = [fold(label) for label in shown]
    exact = {
        values[index]
        for index in range(len(values))
        if folded in (labels[index], fold(values[index]))
        or folded in _labels_anywhere(survey, question, index)
    }
    if len(exact) == 1:
        return Fits(value=exact.pop())
    begins = [index for index, label in enumerate(labels) if label.startswith(folded)]
    number = _option_number(folded)
    if number is not None and 1 <= number <= len(values):
        if begins and begins != [number - 1]:
            both = dict.fromkeys([number - 1, *begins])
            return Misfit(
                key="ambiguous", values={"answers": " / ".join(shown[index] for index in both)}
            )
        return Fits(value=values[number - 1])
    if len(begins) == 1:
        return Fits(value=values[begins[0]])
    if begins:
        return Misfit(
            key="ambiguous", values={"answers": " / ".join(shown[index] for index in begins)}
        )
    listed = _NUMBER_AND_WORDS.fullmatch(folded)
    if listed and 1 <= int(listed[1]) <= len(values):
        index = int(listed[1]) - 1
        if labels[index].startswith(listed[2]):
            return Fits(value=values[index])
    return None


def _labels_anywhere(survey: Survey, question: Question, index: int) -> set[str]:
    """A label in another language of the survey is understood as well."""
    text = question.options[index].text
    return set() if text is None else {fold(words) for words in text.root.values()}


def _read_several(
    survey: Survey, question: MultichoiceQuestion, text: str, language: str
) -> Fits | Misfit:
    """Read several options; the longest stretch that is one counts, as labels may hold commas."""
    parts, ends = _parts(text)
    if len(parts) > _MOST_PARTS:
        return Misfit(key="not_a_choice")
    picked: list[str] = []
    first = 0
    while first < len(parts):
        unread: Fits | Misfit | None = None
        for last in range(len(parts), first, -1):
            if not parts[last - 1].strip():
                continue
            stretch = text[ends[first][0] : ends[last - 1][1]]
            unread = _read_option(survey, question, stretch, language)
            if isinstance(unread, Fits):
                picked.append(unread.value)
                first = last
                break
        else:
            if fold(parts[first]):
                return unread or Misfit(key="not_a_choice")
            first += 1
    return check_choices(question, tuple(picked))


def _parts(text: str) -> tuple[list[str], list[tuple[int, int]]]:
    """Cut a typed list into its parts, and say where each stands in the text."""
    if re.fullmatch(r"[\d\s.,;/&+]+", text):
        ends = [match.span() for match in re.finditer(r"\d+", text)]
    else:
        borders = [match.span() for match in _BETWEEN_CHOICES.finditer(text)]
        starts = [0, *(end for _, end in borders)]
        ends = list(zip(starts, [*(begin for begin, _ in borders), len(text)], strict=True))
    return [text[begin:end] for begin, end in ends], ends


def check_choices(question: MultichoiceQuestion, picked: tuple[str, ...]) -> Fits | Misfit:
    """Put chosen ids into the order of the question and check how many there are."""
    chosen = [choice.id for choice in question.choices if choice.id in picked]
    if len(chosen) < question.min_choices:
        return Misfit(key="too_few", values={"min": question.min_choices})
    if len(chosen) > question.most:
        return Misfit(key="too_many", values={"max": question.most})
    return Fits(value="|".join(chosen))


def _read_number(question: NumberQuestion, text: str) -> Fits | Misfit:
    number = _number_in(question, text)
    low, high = question.min, question.max
    if number is None:
        return Misfit(key="not_a_number", values={"example": _example(low, high)})
    below = low is not None and number < Decimal(repr(low))
    above = high is not None and number > Decimal(repr(high))
    if not below and not above:
        return Fits(value=plain_number(number))
    if low is not None and high is not None:
        limits: dict[str, object] = {"min": plain_number(low), "max": plain_number(high)}
        return Misfit(key="number_between", values=limits)
    if low is not None:
        return Misfit(key="number_at_least", values={"min": plain_number(low)})
    return Misfit(key="number_at_most", values={"max": plain_number(high or 0)})


def _example(low: float | None, high: float | None) -> str:
    if low is not None and low > 3:
        return plain_number(low)
    return plain_number(3 if high is None or high >= 3 else high)


def _number_in(question: NumberQuestion, text: str) -> Decimal | None:
    """Find the one number that a reply means; None when there is none or more than one."""
    if len(text) > _LONGEST_LABEL:
        return None
    folded = re.sub(r"\bminus ", "-", fold(text.translate(_SIGNS)))
    units = "" if question.unit is None else " ".join(question.unit.root.values())
    fillers = {*_FILLERS, *fold(units).split()}
    words = [word for word in folded.split() if word not in fillers]
    if len(words) == 1 and words[0] in _NUMBER_WORDS:
        return Decimal(_NUMBER_WORDS[words[0]])
    found = _ONE_NUMBER.findall(folded)
    if len(found) != 1 or _CHANGES_NUMBER.search(folded):
        return None
    return _decimal(found[0].rstrip(" .,'_"))


def _decimal(written: str) -> Decimal | None:
    """Read ``1,000``, ``2.5``, ``2,5`` and ``1 000``; a comma before three digits groups them."""
    if _GROUPED.fullmatch(written):
        written = re.sub(r"[ ,'_]", "", written)
    elif _GROUPED_BY_POINTS.fullmatch(written):
        written = written.replace(".", "").replace(",", ".")
    elif _PLAIN.fullmatch(written):
        written = written.replace(",", ".")
    else:
        return None
    number = Decimal(written)
    return number if abs(number) < Decimal("1e15") else None
