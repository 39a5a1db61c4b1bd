"""Reply text to answer value.

What lives here: reading what a person typed at a question. What must not: what follows
from it (``engine.py``).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
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

_NUMBER_WORDS = {
    word: str(value)
    for value, words in enumerate(
        (
            ("zero", "none", "nothing", "dim", "sero"),
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
        )
    )
    for word in words
}


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
    if not text.strip():
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
    if means(text, "yes"):
        return Fits(value="yes")
    if means(text, "no"):
        return Fits(value="no")
    return _read_option(survey, question, text, language) or Misfit(key="not_yesno")


def _whole_number(folded: str) -> int | None:
    match = re.fullmatch(r"#?(\d{1,3})[.)]?", folded)
    return int(match[1]) if match else None


def _read_option(
    survey: Survey, question: Question, text: str, language: str
) -> Fits | Misfit | None:
    """Read one option by its number, its label, its id or a unique beginning of a label."""
    folded = fold(text)
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
    number = _whole_number(folded)
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
    return None


def _labels_anywhere(survey: Survey, question: Question, index: int) -> set[str]:
    """A label in another language of the survey is understood as well."""
    text = question.options[index].text
    return set() if text is None else {fold(words) for words in text.root.values()}


def _read_several(
    survey: Survey, question: MultichoiceQuestion, text: str, language: str
) -> Fits | Misfit:
    whole = _read_option(survey, question, text, language)
    if isinstance(whole, Fits):
        picked = [whole.value]
    else:
        picked = []
        for piece in _pieces(text):
            read = _read_option(survey, question, piece, language)
            if not isinstance(read, Fits):
                return read or Misfit(key="not_a_choice")
            picked.append(read.value)
    return check_choices(question, tuple(picked))


def _pieces(text: str) -> list[str]:
    if re.fullmatch(r"[\d\s,;&+]+", text.strip()):
        return re.findall(r"\d+", text)
    pieces = re.split(r"[,;\n|]|\s(?:and|a|ac|&)\s", text)
    return [piece for piece in pieces if piece.strip()] or [text]


def check_choices(question: MultichoiceQuestion, picked: tuple[str, ...]) -> Fits | Misfit:
    """Put chosen ids into the order of the question and check how many there are."""
    chosen = [choice.id for choice in question.choices if choice.id in picked]
    if len(chosen) < question.min_choices:
        return Misfit(key="too_few", values={"min": question.min_choices})
    if len(chosen) > question.most:
        return Misfit(key="too_many", values={"max": question.most})
    return Fits(value="|".join(chosen))


def _read_number(question: NumberQuestion, text: str) -> Fits | Misfit:
    folded = fold(text)
    folded = _NUMBER_WORDS.get(folded, folded)
    found = re.findall(r"[-+−]?\d[\d .,'_]*", folded)
    example = plain_number(question.min if question.min is not None else 3)
    misfit = Misfit(key="not_a_number", values={"example": example})
    if len(found) != 1:
        return misfit
    number = _decimal(found[0].replace("−", "-"))
    if number is None:
        return misfit
    low, high = question.min, question.max
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


def _decimal(written: str) -> Decimal | None:
    """Read ``1,000``, ``2.5``, ``2,5`` and ``1 000``; a comma before three digits groups them."""
    compact = re.sub(r"[ '_]", "", written).rstrip(".,")
    if re.fullmatch(r"[-+]?\d{1,3}(,\d{3})+(\.\d+)?", compact):
        compact = compact.replace(",", "")
    elif compact.count(",") == 1 and "." not in compact:
        compact = compact.replace(",", ".")
    try:
        number = Decimal(compact)
    except InvalidOperation:
        return None
    return number if number.is_finite() and abs(number) < Decimal("1e15") else None
