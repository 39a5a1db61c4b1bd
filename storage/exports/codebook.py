"""The codebook: everything that somebody needs who was not there.

What lives here: what the columns, questions, codes and missing reasons mean, as
JSON-ready values (``codebook.json``). What must not: its form for people
(``codebook_page.py``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dialogues.coding import Codeframe
from dialogues.replies import option_labels, plain_number
from dialogues.states import CAUSES, FAMILIES
from dialogues.states import MEANINGS as MEANINGS_OF_STATES
from dialogues.survey import (
    PLACEHOLDER,
    Condition,
    MultichoiceQuestion,
    NumberQuestion,
    Question,
    ScaleQuestion,
    Survey,
)
from dialogues.text import Text
from storage.exports.columns import Column
from storage.exports.missing import MEANINGS, Reason
from storage.exports.responses import Tally
from storage.exports.source import Selection

__all__ = ["DERIVATIONS", "codebook", "designs", "universe"]

#: What is worked out, and how.
DERIVATIONS: Mapping[str, str] = {
    "value": (
        "scale: 1 to n as shown, reversed items too (turn them round when you score:"
        " n + 1 - value); choice: the option's id; multichoice: ids joined by |; yesno: yes or"
        " no; number: with a point; text: the words."
    ),
    "question/option": (
        "In responses, a column for every option of a multichoice question, in the survey's"
        " order: 1 chosen, 0 not chosen, empty where the question has no answer or the"
        " revision did not have the option."
    ),
    "question.missing": (
        "In responses, a column for every question: why it has no answer; empty where it has"
        " one. A question whose id is also the name of a column about the response has its"
        " answer under id.answer."
    ),
    "asked_at, answered_at": (
        "UTC, ISO 8601 with +00:00. In an anonymous survey only the day is kept."
    ),
    "seconds": (
        "answered_at minus asked_at: it counts pauses, and a correction made later. Empty in"
        " an anonymous survey."
    ),
    "edited": "1 when an earlier answer of the person was superseded; only the newest is here.",
    "disposition": (
        "After the families of AAPOR's Standard Definitions; the cut at one half is our own."
        " complete: reached the end with at least half of the questions put to them answered;"
        " partial: reached the end with fewer, or stopped with at least half of what would"
        " have been asked answered; break_off: less than that after consent; refusal: said no;"
        " non_contact: never answered; screened_out: not for this survey; unknown: open."
    ),
    "state": (
        "In dispositions, every change with its time; in invitations, the newest. The first, that"
        " the person was put on the wave's list (registered), is the invitation's own time. One"
        " that was made by a version without histories has its newest state only. In an"
        " anonymous survey nothing is noted between delivery and closing, and every end has the"
        " day of the closing: else it would tell who gave which response."
    ),
    "planned missingness": (
        "Where a wave asks each person a few questions of a pool (see its questions), those that"
        " were not drawn are not_asked: missing by design, whatever the person answered. A"
        " balanced draw keeps the counts of any two enablers of a wave within one of each other,"
        " and over the waves of a pulse in a cohort too; with its seed, the order of the people"
        " and the waves before it can be done again. By chance: each question has the same"
        " chance, and of the draw nothing is kept, as in an anonymous survey and in open"
        " check-ins."
    ),
    "sector": (
        "As the person said when they were asked who they answer as: state (a public service),"
        " civil_society (a charity or community group), business, citizen (a resident), or"
        " undisclosed where they would rather not say; empty where they were not asked. With it"
        " goes the role: citizen for a resident, partner for the others. A response keeps what"
        " held when it was given; an invitation shows what holds now."
    ),
    "n_answered": "Questions with an answer, don't know included and skips not.",
    "strand": "The strand of the enabler in the codeframe below; not kept with the coding.",
    "status, source, counted": (
        "A model's tag stays suggested. What a person makes of it is a row of their own, by that"
        " person: confirmed (kept, changed or added), or rejected with the enabler, stance and"
        " words of the suggestion that they took away. confidence and threshold are a model's;"
        " a model that came later adds rows beside those of the earlier one. Results count"
        " what whoever read an answer last confirmed; where nobody did, what its own person"
        " confirmed and what the model suggests that read it last, save what its person"
        " rejected. These rows have counted 1."
    ),
    "probability": (
        "In samples: with mode random, the number drawn over the number of answers that could"
        " be drawn, each alike (the n smallest keyed hashes of seed and ids). An estimate of how"
        " often something is said weighs each reviewed answer by 1 / probability; the other"
        " modes choose answers for what they hold, and estimate nothing."
    ),
    "tag_error": (
        "not tagged: language: the answer is in a language that the model does not know, and is"
        " for people to read; anything else: the model broke on it. Either way it has no codes"
        " of the model's, which says nothing of what it speaks of. An answer that was read and"
        " has no codes speaks of none of them, as far as the model sees."
    ),
    "start, end": (
        "Code points into text of the answer as JSON lines give it; in CSV, into text without"
        " the apostrophe that guards a cell."
    ),
    "apostrophe": (
        "In CSV, a cell that a spreadsheet would run (after any apostrophes it begins with"
        " = + - @, a tab or a line break) has one ' put before it; take it off to have the"
        " words as received. JSON lines hold them as they are."
    ),
    "anonymous surveys": (
        "Responses that were not handed in are not exported, nor those of a wave that has not"
        " closed. Rows stand in the order of their random ids, never of time. Language,"
        " channel, role and sector are withheld where they, or two of them together, are"
        " shared by fewer responses of the wave than the smallest group that figures may speak"
        " of (min_group), and then of so many others that nobody is told by it; outside a wave"
        " always. Where the language is withheld, questions stand in the survey's first"
        " language, without the earlier answers that they showed."
    ),
}


def codebook(
    *,
    files: Mapping[str, Sequence[Column]],
    rows: Mapping[str, int],
    checksums: Mapping[str, str],
    surveys: Sequence[Survey],
    codeframe: Codeframe,
    coders: Mapping[str, int],
    tally: Tally,
    designs: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Put the codebook together, ready for JSON.

    Args:
        files: The columns of every file, by file name.
        rows: Rows of every file.
        checksums: SHA-256 of every file, in hexadecimal digits.
        surveys: Every exported revision.
        codeframe: The codes that the taggers and coders use.
        coders: Codings of each coder.
        tally: How much there is.
        designs: How the questions of each wave were spread over people, as ``designs`` gives it.
    """
    return {
        "files": [
            {
                "file": name,
                "rows": rows[name],
                "sha256": checksums[name],
                "columns": [
                    {"name": column.name, "kind": column.kind.value, "label": column.label}
                    | ({"question_id": column.question_id} if column.question_id else {})
                    for column in columns
                ],
            }
            for name, columns in files.items()
        ],
        "missing": {reason.value: meaning for reason, meaning in MEANINGS.items()},
        "states": [
            {"state": state.value, "disposition": FAMILIES[state].value, "means": words}
            for state, words in MEANINGS_OF_STATES.items()
        ],
        "reasons": {cause.value: words for cause, words in CAUSES.items()},
        "derivations": dict(DERIVATIONS),
        "surveys": [_survey(survey, tally) for survey in surveys],
        "waves": [
            {"survey": survey_id, "wave": wave_id, "n_responses": n}
            for (survey_id, wave_id), n in sorted(tally.waves.items())
        ],
        "draws": list(designs),
        "coders": [{"coder": coder, "n_codings": n} for coder, n in sorted(coders.items())],
        "codeframe": {
            "codeframe": codeframe.codeframe_id,
            "version": codeframe.version,
            "strands": [
                {"key": strand.key, "name": dict(strand.name)} for strand in codeframe.strands
            ],
            "codes": [
                {
                    "key": code.key,
                    "strand": code.strand,
                    "name": dict(code.name),
                    "definition": dict(code.definition),
                    "not_when": dict(code.not_when),
                }
                for code in codeframe.codes
            ],
        },
    }


def designs(selection: Selection) -> list[dict[str, Any]]:
    """Describe planned missingness: a wave's pool, seed and how often each question was drawn."""
    drawn: dict[str, dict[str, int]] = {}
    for row in selection.read("export_draws"):
        drawn.setdefault(row["wave"], {})[row["question_id"]] = row["n"]
    found = []
    for row in selection.read("export_designs"):
        survey = selection.survey_of(row)
        balanced = row["seed"] is not None
        counts = drawn.get(row["wave"], {})
        found.append(
            {
                "wave": row["wave"],
                "survey": row["survey"],
                "revision": row["revision"],
                "pulse": row["pulse"],
                "cohort": row["cohort"],
                "questions_per_person": row["questions_per_person"],
                "way": "balanced" if balanced else "by chance",
                "seed": row["seed"],
                "pool": list(survey.pool),
                "n_drawn": {one: counts.get(one, 0) for one in survey.pool} if balanced else {},
            }
        )
    return found


def _survey(survey: Survey, tally: Tally) -> dict[str, Any]:
    revision = (survey.survey_id, survey.revision)
    return {
        "survey": survey.survey_id,
        "revision": survey.revision,
        "title": _words(survey.title),
        "languages": list(survey.languages),
        "anonymity": survey.anonymity,
        "intro": _words(survey.intro),
        "consent": _words(survey.consent.text),
        "consent_more": _words(survey.consent.more),
        "thanks": _words(survey.thanks),
        "n_responses": {
            disposition: n
            for (*of, disposition), n in sorted(tally.responses.items())
            if tuple(of) == revision
        },
        "questions": [_question(survey, question, tally) for question in survey.questions],
    }


def _question(survey: Survey, question: Question, tally: Tally) -> dict[str, Any]:
    counted = {
        reason: n
        for reason in ("", *Reason)
        if (n := tally.answers[survey.survey_id, survey.revision, question.id, reason])
    }
    entry: dict[str, Any] = {
        "question_id": question.id,
        "kind": question.kind,
        "text": _words(question.text),
        "enabler": question.enabler,
        "drawn_with": sorted(survey.drawn_with[question.id], key=[*survey.by_id].index),
        "required": question.required,
        "dont_know": question.dont_know,
        "universe": universe(question),
        "pipes": list(
            dict.fromkeys(
                other_id
                for words in question.text.root.values()
                for other_id in PLACEHOLDER.findall(words)
                if other_id in survey.by_id
            )
        ),
        "values": _values(survey, question),
        "n_answered": counted.pop("", 0),
        "n_missing": {str(reason): n for reason, n in counted.items()},
    }
    if isinstance(question, ScaleQuestion):
        entry["reversed"] = question.reversed
    if isinstance(question, NumberQuestion):
        entry |= {"min": question.min, "max": question.max, "unit": _words(question.unit)}
    if isinstance(question, MultichoiceQuestion):
        entry |= {"min_choices": question.min_choices, "max_choices": question.most}
    return entry


def _words(text: Text | None) -> dict[str, str]:
    return {} if text is None else dict(text.root)


def _values(survey: Survey, question: Question) -> list[dict[str, Any]]:
    labels = {language: option_labels(survey, question, language) for language in survey.languages}
    return [
        {
            "value": option.value,
            "label": {language: labels[language][at] for language in survey.languages},
        }
        for at, option in enumerate(question.options)
    ]


def universe(question: Question) -> str:
    """Say in words who a question is for."""
    if not question.show_if:
        return "everybody"
    return "those with " + " and ".join(
        f"{other_id} {_condition(condition)}" for other_id, condition in question.show_if.items()
    )


def _condition(condition: Condition) -> str:
    parts = []
    if condition.answered is not None:
        parts.append("answered" if condition.answered else "not answered")
    if condition.equals is not None:
        parts.append(f"being {_value(condition.equals)}")
    if condition.one_of is not None:
        parts.append("being one of " + ", ".join(map(_value, condition.one_of)))
    if condition.not_in is not None:
        parts.append("being none of " + ", ".join(map(_value, condition.not_in)))
    if condition.at_least is not None:
        parts.append(f"at least {plain_number(condition.at_least)}")
    if condition.at_most is not None:
        parts.append(f"at most {plain_number(condition.at_most)}")
    return " and ".join(parts)


def _value(value: str | int | float | bool) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return value if isinstance(value, str) else plain_number(value)
