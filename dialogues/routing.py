"""Which questions a person is asked: conditions, draw, order and piping.

What lives here: the path through a survey, given the answers as they stand. What must
not: the moves of the conversation (``engine.py``).
"""

from __future__ import annotations

import re

from dialogues.replies import label_of
from dialogues.session import Given, Session
from dialogues.survey import (
    Condition,
    MultichoiceQuestion,
    NumberQuestion,
    Question,
    ScaleQuestion,
    Survey,
)

__all__ = ["PLACEHOLDER", "applies", "fill", "next_question", "path", "progress"]

#: ``{question_id}`` in a text stands for the answer that was given there.
PLACEHOLDER = re.compile(r"\{([a-z0-9][a-z0-9_-]*)\}")


def applies(survey: Survey, session: Session, question: Question) -> bool:
    """Whether a question is for this person, given the draw and the answers as they stand."""
    if session.draw is not None and _pooled(survey, question) and question.id not in session.draw:
        return False
    return all(
        _holds(condition, survey.by_id.get(other_id), session.answer_to(other_id))
        for other_id, condition in question.show_if.items()
    )


def _pooled(survey: Survey, question: Question) -> bool:
    """Questions with an enabler are the pool of planned missingness; what depends on one of
    them is drawn with it, by its condition.
    """
    return question.enabler is not None and not question.show_if


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
        return any(_same(part, one) for part in values for one in wanted)

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


def _same(value: str, wanted: str | int | float | bool) -> bool:
    if isinstance(wanted, bool):
        return value == ("yes" if wanted else "no")
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


def progress(survey: Survey, session: Session, question: Question) -> tuple[int, int]:
    """Give (place of a question, questions in all) on the path as things stand."""
    ids = [one.id for one in path(survey, session)]
    place = ids.index(question.id) + 1 if question.id in ids else len(ids)
    return place, len(ids)


def fill(survey: Survey, session: Session, words: str) -> str:
    """Put the answers that were given into ``{question_id}``, as labels; three dots where
    there is none.
    """

    def answer(match: re.Match[str]) -> str:
        question = survey.by_id.get(match[1])
        if question is None:
            return match[0]
        given = session.answer_to(match[1])
        if given is None or given.value is None:
            return "…"
        return label_of(survey, question, given.value, session.language)

    return PLACEHOLDER.sub(answer, words)
