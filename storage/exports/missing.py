"""Why a question has no answer: the reasons, and how they are told apart.

What lives here: the reasons that exports know, those of the conversation
(``dialogues.session.Missing``) and those of questions that were never put. What must not:
rows and files.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from enum import StrEnum

from dialogues.routing import applies
from dialogues.session import Given, Missing, Session, Status
from dialogues.survey import Question, Survey

__all__ = ["MEANINGS", "Reason", "never_put"]


class Reason(StrEnum):
    """Why there is no answer."""

    SKIPPED = "skipped"
    DONT_KNOW = "dont_know"
    NOT_ANSWERED = "not_answered"
    NOT_APPLICABLE = "not_applicable"
    NOT_ASKED = "not_asked"
    NOT_REACHED = "not_reached"
    NOT_IN_SURVEY = "not_in_survey"


MEANINGS: Mapping[Reason, str] = {
    Reason.SKIPPED: "The person saw the question and skipped it.",
    Reason.DONT_KNOW: "The person answered “Don't know”. Counted as answered, never as a score.",
    Reason.NOT_ANSWERED: "The question was put and no answer to it came.",
    Reason.NOT_APPLICABLE: (
        "By the person's other answers the question is not for them (see its universe)."
    ),
    Reason.NOT_ASKED: (
        "The question was not drawn for this person: a pulse may spread its questions over"
        " people (missing by design). Only in `responses`."
    ),
    Reason.NOT_REACHED: (
        "The conversation ended, or stands, before the question. Only in `responses`."
    ),
    Reason.NOT_IN_SURVEY: (
        "The survey, or the revision of it that was answered, does not have the question."
        " Only in `responses`."
    ),
}


def never_put(
    survey: Survey,
    *,
    given: Mapping[str, str | None],
    reached_end: bool,
    drawn: Collection[str] | None = None,
) -> dict[str, Reason]:
    """Tell why each question that was never put to a person was not, by question id.

    What was not drawn, or stands on what was not, was not asked, wherever the conversation
    ended. Else a condition that fails makes a question not applicable, unless what it asks for
    was itself not asked or not reached: then it shares that reason. Anything else was not
    reached.

    Args:
        survey: The revision that was answered.
        given: Every question that was put, with its value; None where it has none.
        reached_end: Whether the last question was passed.
        drawn: Questions of the pool that were to be put; None where that is not known. Then
            one of the pool that the conversation went past was not drawn.
    """
    asked = [at for at, question in enumerate(survey.questions) if question.id in given]
    passed = len(survey.questions) if reached_end else max(asked, default=-1)
    session = _session(survey, given)
    reasons: dict[str, Reason] = {}
    for at, question in enumerate(survey.questions):
        if question.id in given:
            continue
        roots = survey.drawn_with[question.id]
        if drawn is not None and not roots.issubset(drawn):
            reasons[question.id] = Reason.NOT_ASKED
        elif not applies(survey, session, question):
            reasons[question.id] = _shared(question, reasons)
        elif drawn is None and at < passed and roots:
            reasons[question.id] = Reason.NOT_ASKED
        else:
            reasons[question.id] = Reason.NOT_REACHED
    return reasons


def _shared(question: Question, reasons: Mapping[str, Reason]) -> Reason:
    others = {reasons.get(other_id) for other_id in question.show_if}
    for reason in (Reason.NOT_ASKED, Reason.NOT_REACHED):
        if reason in others:
            return reason
    return Reason.NOT_APPLICABLE


def _session(survey: Survey, given: Mapping[str, str | None]) -> Session:
    """Hold the answers the way that the conversation's own conditions read them."""
    return Session(
        session_id="",
        survey_id=survey.survey_id,
        revision=survey.revision,
        language=survey.default_language,
        slash=False,
        waved=False,
        status=Status.CLOSED,
        turn=0,
        given=tuple(
            Given(
                question_id=question_id,
                value=value,
                missing=Missing.NOT_ANSWERED if value is None else None,
            )
            for question_id, value in given.items()
        ),
    )
