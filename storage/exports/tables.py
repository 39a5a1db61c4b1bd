"""The rows of ``answers``, ``codes``, ``invitations`` and ``dispositions``.

What lives here: rows of the store to rows of a file, one at a time. What must not: formats
and SQL. The rows of ``responses`` are in ``responses.py``.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import datetime

from dialogues.coding import Codeframe
from dialogues.states import FAMILIES, State
from storage.exports.columns import Cell
from storage.exports.missing import Reason
from storage.exports.source import Selection
from storage.protocol import Row

__all__ = [
    "about",
    "answer_rows",
    "code_rows",
    "disposition_rows",
    "invitation_rows",
    "moment",
    "reason_of",
    "review_rows",
    "sample_rows",
]

#: How many characters of an instant are its day.
_DAY = 10


def about(row: Row) -> tuple[Cell, ...]:
    """Give the cells that every row about a response begins with."""
    return (
        row["response_id"],
        row["wave"],
        row["survey"],
        row["revision"],
        row["respondent"],
        row["role"],
        row["sector"],
        row["cohort"],
        row["channel"],
        row["language"],
    )


def moment(instant: str | None, *, anonymous: bool) -> str | None:
    """Give an instant as kept; of an anonymous response only its day."""
    return instant[:_DAY] if anonymous and instant is not None else instant


def reason_of(row: Row) -> str | None:
    """Give why a question that was put has no value; None when it has one."""
    if row["value"] is not None:
        return None
    return row["missing"] or Reason.NOT_ANSWERED.value


def answer_rows(selection: Selection) -> Iterator[tuple[Cell, ...]]:
    """Give a row for every question that was put, by response_id, then in the order asked."""
    for row in selection.read("export_answers"):
        survey = selection.released(row)
        if survey is None:
            continue
        words = row["question"]
        if not words and row["question_id"] in survey.by_id:
            words = survey.say(survey.by_id[row["question_id"]].text, row["language"])
        anonymous = survey.anonymous
        yield (
            *about(row),
            row["question_id"],
            words,
            row["kind"],
            row["value"],
            row["text"],
            moment(row["asked_at"], anonymous=anonymous),
            moment(row["answered_at"], anonymous=anonymous),
            None if anonymous else _seconds(row["asked_at"], row["answered_at"]),
            1 if row["n_edits"] else 0,
            reason_of(row),
            row["tagged_by"],
            row["tag_error"],
        )


def _seconds(asked_at: str, answered_at: str | None) -> float | None:
    """Give the time between two instants; None where it is not known, or a clock went back."""
    if answered_at is None or len(asked_at) == _DAY or len(answered_at) == _DAY:
        return None
    seconds = (
        datetime.fromisoformat(answered_at) - datetime.fromisoformat(asked_at)
    ).total_seconds()
    return round(seconds, 1) if seconds >= 0 else None


def code_rows(
    selection: Selection, codeframe: Codeframe, coders: Counter[str]
) -> Iterator[tuple[Cell, ...]]:
    """Give a row for every coding, by response_id, order asked, then place in the text.

    Args:
        selection: What to export.
        codeframe: Tells the strand; a code that it does not have gets none.
        coders: Counts the codings of each coder, as they pass.
    """
    strands = {code.key: code.strand for code in codeframe.codes}
    for row in selection.read("export_codes"):
        survey = selection.released(row)
        if survey is None:
            continue
        coders[row["coder"]] += 1
        yield (
            row["response_id"],
            row["question_id"],
            strands.get(row["enabler"]),
            row["enabler"],
            row["stance"],
            row["span_text"],
            row["span_start"],
            row["span_end"],
            row["confidence"],
            row["coder"],
            moment(row["coded_at"], anonymous=survey.anonymous),
            row["status"],
            row["source"],
            row["threshold"],
            row["counted"],
        )


def sample_rows(selection: Selection) -> Iterator[tuple[Cell, ...]]:
    """Give a row for every answer that was drawn to be read, by sample, then place."""
    for row in selection.read("export_samples"):
        if selection.released(row) is not None:
            yield (
                row["sample_id"],
                row["mode"],
                row["seed"],
                row["drawn_at"],
                row["response_id"],
                row["question_id"],
                row["place"],
                row["probability"],
                row["coders_wanted"],
            )


def review_rows(selection: Selection) -> Iterator[tuple[Cell, ...]]:
    """Give a row for every answer and coder who has read it, by response_id, order asked, then
    coder.
    """
    for row in selection.read("export_reviews"):
        survey = selection.released(row)
        if survey is not None:
            yield (
                row["response_id"],
                row["question_id"],
                row["coder"],
                row["state"],
                row["blind"],
                row["sample_id"],
                moment(row["reviewed_at"], anonymous=survey.anonymous),
                row["codeframe_version"],
            )


def invitation_rows(selection: Selection) -> Iterator[tuple[Cell, ...]]:
    """Give a row for every invitation, by wave, in no order that tells who was invited first.

    In an anonymous survey the pseudonym, the hour and the number of reminders (which tells
    who had answered by then) stay in the house.
    """
    for row in selection.read("export_invitations"):
        anonymous = selection.survey_of(row).anonymous
        yield (
            row["invitation_id"],
            row["wave"],
            row["survey"],
            row["revision"],
            None if anonymous else row["respondent"],
            row["role"],
            row["sector"],
            row["cohort"],
            moment(row["invited_at"], anonymous=anonymous),
            None if anonymous else row["reminders"],
            row["disposition"],
            row["state"],
        )


def disposition_rows(selection: Selection) -> Iterator[tuple[Cell, ...]]:
    """Give a row for every step in the history of an invitation, oldest first, by wave and
    invitation. Of an anonymous survey only the day of each is given.
    """
    for row in selection.read("export_dispositions"):
        anonymous = selection.survey_of(row).anonymous
        yield (
            row["invitation_id"],
            row["wave"],
            row["seq"],
            row["state"],
            FAMILIES[State(row["state"])].value,
            moment(row["at"], anonymous=anonymous),
            row["channel"],
            row["reason"],
        )
