"""Which questions a person is asked: conditions, draw, order and piping.

What lives here: the path through a survey, given the answers as they stand. What must
not: the moves of the conversation (``engine.py``).
"""

from __future__ import annotations

import re
from itertools import pairwise

from dialogues.replies import label_of
from dialogues.session import Given, Session
from dialogues.survey import (
    PLACEHOLDER,
    Condition,
    MultichoiceQuestion,
    NumberQuestion,
    Question,
    ScaleQuestion,
    Survey,
    TextQuestion,
    YesNoQuestion,
)

__all__ = [
    "applies",
    "fill",
    "next_question",
    "path",
    "progress",
    "question_before",
    "quoted",
    "shortened",
]

#: How much of somebody's own words is quoted back to them, in characters.
_QUOTED = 200


def applies(survey: Survey, session: Session, question: Question) -> bool:
    """Whether a question is for this person, given the draw and the answers as they stand."""
    if session.draw is not None and not survey.drawn_with[question.id].issubset(session.draw):
        return False
    return all(
        _holds(condition, survey.by_id.get(other_id), session.answer_to(other_id))
        for other_id, condition in question.show_if.items()
    )


def _holds(condition: Condition, other: Question | None, given: Given | None) -> bool:
    answered = given is not None and given.value is not None
    if condition.answered is not None and condition.answered != answered:
        return False
    compares = (
        condition.equals,
        condition.one_of,
        condition.not_in,
        condition.at_least,
        condition.at_most,
    )
    if all(part is None for part in compares):
        return True
    if given is None or given.value is None or other is None:
        return False
    return _compares(condition, other, given.value)


def _compares(condition: Condition, other: Question, value: str) -> bool:
    values = set(value.split("|")) if isinstance(other, MultichoiceQuestion) else {value}

    def among(wanted: tuple[str | int | float | bool, ...]) -> bool:
        return any(_same(other, part, one) for part in values for one in wanted)

    if condition.equals is not None and not among((condition.equals,)):
        return False
    if condition.one_of is not None and not among(condition.one_of):
        return False
    if condition.not_in is not None and among(condition.not_in):
        return False
    if condition.at_least is None and condition.at_most is None:
        return True
    if not isinstance(other, ScaleQuestion | NumberQuestion):
        return False
    number = float(value)
    if condition.at_least is not None and number < condition.at_least:
        return False
    return condition.at_most is None or number <= condition.at_most


def _same(other: Question, value: str, wanted: str | int | float | bool) -> bool:
    if isinstance(wanted, bool):
        return isinstance(other, YesNoQuestion) and value == ("yes" if wanted else "no")
    if isinstance(wanted, int | float):
        try:
            return float(value) == float(wanted)
        except ValueError:
            return False
    return value == wanted


def path(survey: Survey, session: Session) -> tuple[Question, ...]:
    """Give the questions that this person is asked as things stand, in survey order."""
    return tuple(question for question in survey.questions if applies(survey, session, question))


def next_question(survey: Survey, session: Session) -> Question | None:
    """Give the first question of the path that has no answer yet; None at the end."""
    done = {given.question_id for given in session.given}
    for question in survey.questions:
        if question.id not in done and applies(survey, session, question):
            return question
    return None


def question_before(survey: Survey, session: Session) -> Question | None:
    """Give the last question before the current one that was answered or skipped."""
    before = None
    for question in path(survey, session):
        if question.id == session.at:
            break
        if session.answer_to(question.id) is not None:
            before = question
    return before


def progress(survey: Survey, session: Session, question: Question) -> tuple[int, int] | None:
    """Give (place of a question, questions in all) on the path as things stand.

    A question that only asks on about the one just before it is not counted, and has no
    place: else the end would move away with every answer that is asked on about.
    """
    follow_ups = _follow_ups(survey)
    ids = [one.id for one in path(survey, session) if one.id not in follow_ups]
    return (ids.index(question.id) + 1, len(ids)) if question.id in ids else None


def _follow_ups(survey: Survey) -> set[str]:
    return {
        question.id
        for before, question in pairwise(survey.questions)
        if isinstance(question, TextQuestion) and question.show_if.keys() == {before.id}
    }


def shortened(words: str) -> str:
    """Cut somebody's words to what can be quoted back to them."""
    return words if len(words) <= _QUOTED else words[: _QUOTED - 1].rstrip() + "…"


def quoted(survey: Survey, session: Session, question: Question) -> frozenset[str]:
    """Give the questions whose answers a question's words put in."""
    words = survey.say(question.text, session.language)
    return frozenset(PLACEHOLDER.findall(words))


def fill(survey: Survey, session: Session, words: str) -> str:
    """Put the answers that were given into ``{question_id}``, as labels; three dots where
    there is none, and for the rest of a long answer in words.
    """

    def answer(match: re.Match[str]) -> str:
        question = survey.by_id.get(match[1])
        if question is None:
            return match[0]
        given = session.answer_to(match[1])
        if given is None or given.value is None:
            return "…"
        return shortened(label_of(survey, question, given.value, session.language))

    return PLACEHOLDER.sub(answer, words)
