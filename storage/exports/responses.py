"""The rows of ``responses``: one a response, the same columns whatever anybody answered.

What lives here: laying answers out side by side, and counting them on the way. What must
not: formats and SQL.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from operator import itemgetter

from dialogues.disposition import Disposition
from dialogues.session import Status
from dialogues.survey import MultichoiceQuestion, Question, Survey
from storage.exports.columns import Cell, ColumnKind, QuestionColumns
from storage.exports.missing import Reason, never_put
from storage.exports.source import Selection
from storage.exports.tables import about, moment, reason_of
from storage.protocol import Row

__all__ = ["Tally", "response_rows"]

#: Conversations in these have passed their last question.
_AT_END = frozenset({Status.SUBMITTING.value, Status.COMPLETE.value})


@dataclass(frozen=True, slots=True)
class Tally:
    """How much there is, counted while the rows pass.

    Attributes:
        responses: By (survey, revision, disposition).
        waves: Responses by (survey, wave); an open check-in's wave is empty.
        answers: By (survey, revision, question, reason); the reason of an answer is empty.
    """

    responses: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    waves: Counter[tuple[str, str]] = field(default_factory=Counter)
    answers: Counter[tuple[str, str, str, str]] = field(default_factory=Counter)


def response_rows(
    selection: Selection, questions: Sequence[QuestionColumns], tally: Tally
) -> Iterator[tuple[Cell, ...]]:
    """Give a row for every response, by response_id.

    Args:
        selection: What to export.
        questions: The columns, as ``question_columns`` gives them.
        tally: Counts what passes.
    """
    by_response = groupby(selection.read("export_values"), key=itemgetter("response_id"))
    waiting = next(by_response, None)
    for row in selection.read("export_responses"):
        answers: dict[str, Row] = {}
        if waiting is not None and waiting[0] == row["response_id"]:
            answers = {answer["question_id"]: answer for answer in waiting[1]}
            waiting = next(by_response, None)
        survey = selection.released(row)
        if survey is not None:
            yield _row(survey, row, answers, questions, tally)


def _row(
    survey: Survey,
    row: Row,
    answers: dict[str, Row],
    questions: Sequence[QuestionColumns],
    tally: Tally,
) -> tuple[Cell, ...]:
    revision = (row["survey"], row["revision"])
    tally.responses[*revision, row["disposition"]] += 1
    tally.waves[row["survey"], row["wave"] or ""] += 1
    reasons: dict[str, str | None] = {
        question_id: reason_of(answer) for question_id, answer in answers.items()
    }
    if any(question.id not in answers for question in survey.questions):
        reasons |= never_put(
            survey,
            given={question_id: answer["value"] for question_id, answer in answers.items()},
            reached_end=row["disposition"] == Disposition.COMPLETE or row["status"] in _AT_END,
            drawn=None if row["drawn"] is None else row["drawn"].split("|"),
        )
    for question_id, reason in reasons.items():
        tally.answers[*revision, question_id, reason or ""] += 1
    n_answered = sum(reasons[one] in (None, Reason.DONT_KNOW) for one in answers)
    cells: list[Cell] = [
        *about(row),
        moment(row["started_at"], anonymous=survey.anonymous),
        moment(row["ended_at"], anonymous=survey.anonymous),
        row["disposition"],
        len(answers),
        n_answered,
    ]
    for columns in questions:
        question_id = columns.question_id
        reason = reasons.get(question_id, Reason.NOT_IN_SURVEY.value)
        answer = answers.get(question_id)
        if reason is None and answer is not None:
            cells.append(_answer(answer, columns))
            cells += _chosen(survey.by_id.get(question_id), answer["value"], columns)
            cells.append(None)
        else:
            cells += [None] * (1 + len(columns.options))
            cells.append(reason)
    return tuple(cells)


def _answer(answer: Row, columns: QuestionColumns) -> Cell:
    if answer["kind"] == "text":
        return str(answer["text"] or answer["value"])
    value = str(answer["value"])
    return _number(value) if columns.answer.kind is ColumnKind.NUMBER else value


def _number(value: str) -> Cell:
    """Read a number as it was kept: whole where it has no point."""
    return float(value) if "." in value else int(value)


def _chosen(question: Question | None, value: str, columns: QuestionColumns) -> list[Cell]:
    """Give 1 or 0 an option; nothing for one that this person was not shown."""
    if not isinstance(question, MultichoiceQuestion):
        return [None] * len(columns.options)
    shown = {choice.id for choice in question.choices}
    chosen = set(value.split("|"))
    return [int(one in chosen) if one in shown else None for one, _ in columns.options]
