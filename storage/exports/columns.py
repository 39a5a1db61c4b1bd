"""The columns of every exported file, described once.

What lives here: names, kinds and meanings, in file order. Writers, the codebook and the
rows all read them from here. What must not: rows (``tables.py``, ``responses.py``) and
formats (``csv_file.py``, ``jsonl_file.py``).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from dialogues.survey import MultichoiceQuestion, Question, Survey

__all__ = [
    "ANSWERS",
    "CODES",
    "DISPOSITIONS",
    "INVITATIONS",
    "RESPONSES",
    "REVIEWS",
    "SAMPLES",
    "Cell",
    "Column",
    "ColumnKind",
    "QuestionColumns",
    "question_columns",
    "response_columns",
]

#: What a cell may hold; None is an empty cell.
Cell = str | int | float | None


class ColumnKind(StrEnum):
    """What a column holds: ids are made of a-z, 0-9 and a few signs, texts of anything."""

    ID = "id"
    TEXT = "text"
    VALUE = "value"
    NUMBER = "number"
    INSTANT = "instant"


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """One column of a file.

    Attributes:
        label: What it holds, for people; at most 80 characters.
        question_id: The question that it belongs to; None for the others.
    """

    name: str
    kind: ColumnKind
    label: str
    question_id: str | None = None


def _id(name: str, label: str) -> Column:
    return Column(name=name, kind=ColumnKind.ID, label=label)


def _text(name: str, label: str) -> Column:
    return Column(name=name, kind=ColumnKind.TEXT, label=label)


def _number(name: str, label: str) -> Column:
    return Column(name=name, kind=ColumnKind.NUMBER, label=label)


def _instant(name: str, label: str) -> Column:
    return Column(name=name, kind=ColumnKind.INSTANT, label=label)


_RESPONSE_ID = _id("response_id", "The response: one person's answers in one wave or open check-in")
_ABOUT_A_RESPONSE = (
    _text("wave", "The wave; empty for an open check-in, outside any wave"),
    _id("survey", "The survey's id"),
    _id("revision", "The revision of the survey that was answered"),
    _id("respondent", "The person, by pseudonym; empty in an anonymous survey"),
    _id("role", "citizen or partner; withheld where anonymous and rare"),
    _text(
        "sector", "Who the person answered as: see the codebook; withheld where anonymous and rare"
    ),
    _text("cohort", "The partnership, place or panel; empty for somebody in none"),
    _id("channel", "telegram, slack or terminal; withheld where anonymous and rare"),
    _id("language", "The language last spoken with the person; withheld where anonymous and rare"),
)

ANSWERS = (
    _RESPONSE_ID,
    *_ABOUT_A_RESPONSE,
    _id("question_id", "The question's id"),
    _text("question", "The question as the person saw it, earlier answers filled in"),
    _id("kind", "text, choice, multichoice, scale, number or yesno"),
    Column(name="value", kind=ColumnKind.VALUE, label="The answer as read; empty when missing"),
    _text("text", "The person's own words as received; empty for a press on a button"),
    _instant("asked_at", "When the question was put"),
    _instant("answered_at", "When the answer as it stands was given"),
    _number("seconds", "From asked_at to answered_at, in seconds"),
    _number("edited", "1 when the person changed the answer, else 0"),
    _id("missing", "Why there is no value; empty when there is one"),
    _text("tagged_by", "The model that read the words, as name@version; empty before"),
    _text("tag_error", "Why it gave no codes: see the codebook; empty when it could read"),
)

CODES = (
    _RESPONSE_ID,
    _id("question_id", "The question whose answer is coded"),
    _id("strand", "The strand of the enabler, by the codeframe"),
    _id("enabler", "The code"),
    _id("stance", "strength, gap or neutral; empty where the coder gives none"),
    _text("evidence", "The words that carry the code: text[start:end] of the answer"),
    _number("start", "Where the evidence starts in the answer's text, in code points from 0"),
    _number("end", "Where the evidence ends, exclusive"),
    _number("confidence", "The coder's probability that the code applies, 0 to 1; 1 for a person"),
    _text("coder", "Who coded: a model as name@version (+cues-cy: by phrases), or a person"),
    _instant("coded_at", "When it was coded"),
    _id("status", "suggested by a model, or confirmed or rejected by a person"),
    _id("source", "tagger, coder (a person who reads for you) or respondent (of their own words)"),
    _number("threshold", "The least confidence at which the model gives this code"),
    _number("counted", "1 when figures count it: see the codebook; 0 for what is superseded"),
)

SAMPLES = (
    _id("sample_id", "The drawing"),
    _id("mode", "random, uncertain, code or disagreement: how answers were chosen"),
    _text("seed", "What decided between them: the same seed draws the same"),
    _instant("drawn_at", "When it was drawn"),
    _RESPONSE_ID,
    _id("question_id", "The question whose answer was drawn"),
    _number("place", "Its place in the sample, by chance, from 1"),
    _number("probability", "That with which it was to be drawn; empty unless mode is random"),
    _number("coders_wanted", "How many are to read it"),
)

REVIEWS = (
    _RESPONSE_ID,
    _id("question_id", "The question whose answer was read"),
    _text("coder", "Who read it"),
    _id("state", "done or skipped; done with no confirmed code in codes means none of them"),
    _number("blind", "1 when the coder was shown no tags, else 0"),
    _id("sample_id", "The drawing in which the coder met it"),
    _instant("reviewed_at", "When it was read"),
    _text("codeframe_version", "The codes that the coder chose from"),
)

RESPONSES = (
    _RESPONSE_ID,
    *_ABOUT_A_RESPONSE,
    _instant("started_at", "When the person consented"),
    _instant("ended_at", "When the conversation ended; empty while it is open"),
    _id("disposition", "How the response ended, or stands"),
    _number("n_offered", "Questions that were put to the person"),
    _number("n_answered", "Of them answered, don't know included"),
)

INVITATIONS = (
    _id("invitation_id", "The invitation: one person in one wave"),
    _text("wave", "The wave"),
    _id("survey", "The survey's id"),
    _id("revision", "The revision of the survey"),
    _id("respondent", "The person, by pseudonym; empty in an anonymous survey"),
    _id("role", "citizen or partner"),
    _text("sector", "The person's sector, where known"),
    _text("cohort", "The partnership, place or panel"),
    _instant("invited_at", "When the invitation was made"),
    _number("reminders", "Reminders sent; empty in an anonymous survey"),
    _id("disposition", "How the invitation ended; unknown while it is open"),
    _id("state", "How it stands, in finer steps: the newest of its history"),
)

DISPOSITIONS = (
    _id("invitation_id", "The invitation"),
    _text("wave", "The wave"),
    _number("seq", "Place in the invitation's history, from 0"),
    _id("state", "What it came to"),
    _id("disposition", "The family that the state is of"),
    _instant("at", "When"),
    _id("channel", "telegram or slack: where the person is reached"),
    _id("reason", "Why it was not sent, or did not arrive; empty elsewhere"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class QuestionColumns:
    """The columns of one question in ``responses``.

    Attributes:
        answer: The answer itself.
        options: A 0/1 column an option of a multichoice question, with the option's id;
            empty for other kinds.
        missing: Why there is no answer.
    """

    question_id: str
    answer: Column
    options: tuple[tuple[str, Column], ...]
    missing: Column

    @property
    def columns(self) -> tuple[Column, ...]:
        """All of them, in file order."""
        return (self.answer, *(column for _, column in self.options), self.missing)


def _short(words: str) -> str:
    line = " ".join(words.split())
    return line if len(line) <= 80 else line[:79] + "…"


def _kind(kinds: set[str]) -> ColumnKind:
    if kinds <= {"scale", "number"}:
        return ColumnKind.NUMBER
    return ColumnKind.TEXT if kinds & {"text", "number"} else ColumnKind.ID


def _columns_of(question_id: str, asked: Sequence[tuple[Survey, Question]]) -> QuestionColumns:
    """Describe one question over every survey and revision that asks it, newest first."""
    survey, newest = asked[0]
    words = survey.say(newest.text, survey.default_language)
    kinds: set[str] = {question.kind for _, question in asked}
    taken = question_id in {column.name for column in RESPONSES}
    options: dict[str, str] = {}
    for one, question in asked:
        if isinstance(question, MultichoiceQuestion):
            for choice in question.choices:
                options.setdefault(choice.id, one.say(choice.text, one.default_language))
    return QuestionColumns(
        question_id=question_id,
        answer=Column(
            name=f"{question_id}.answer" if taken else question_id,
            kind=_kind(kinds),
            label=_short(words),
            question_id=question_id,
        ),
        options=tuple(
            (
                choice_id,
                Column(
                    name=f"{question_id}/{choice_id}",
                    kind=ColumnKind.NUMBER,
                    label=_short(f"1 when chosen, else 0: {label}"),
                    question_id=question_id,
                ),
            )
            for choice_id, label in options.items()
        ),
        missing=Column(
            name=f"{question_id}.missing",
            kind=ColumnKind.ID,
            label=_short(f"Why {question_id} has no answer; empty when it has one"),
            question_id=question_id,
        ),
    )


def question_columns(surveys: Sequence[Survey]) -> tuple[QuestionColumns, ...]:
    """Describe the columns of every question, whatever anybody answered.

    A question id stands for one question, in every survey and revision that asks it. The
    order is the newest revision's of each survey; questions that only older revisions ask
    follow. No two columns share a name: ids hold neither ``/`` nor ``.``.

    Args:
        surveys: Every exported revision, by survey, oldest first.
    """
    asked: dict[str, list[tuple[Survey, Question]]] = {}
    by_survey: dict[str, list[Survey]] = {}
    for survey in surveys:
        by_survey.setdefault(survey.survey_id, []).insert(0, survey)
    for revisions in by_survey.values():
        for survey in revisions:
            for question in survey.questions:
                asked.setdefault(question.id, []).append((survey, question))
    return tuple(_columns_of(question_id, by) for question_id, by in asked.items())


def response_columns(questions: Sequence[QuestionColumns]) -> tuple[Column, ...]:
    """Give the columns of ``responses`` in file order."""
    return (*RESPONSES, *(column for question in questions for column in question.columns))
