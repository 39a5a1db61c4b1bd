"""Checks across the questions of a survey."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogues.conditions import can_hold
from dialogues.loader import load_survey, read_survey
from dialogues.routing import applies
from dialogues.session import Given, Session, Status
from dialogues.survey import Condition, Survey
from tests.dialogues.test_loader import small

SCALE = {"kind": "scale", "labels": ["Never", "Now and then", "Often"]}
CHOICE = {"kind": "choice", "choices": ["Housing", "Health", {"id": "other", "text": "Else"}]}
FIRST = [
    {"id": "goals", "text": "Goals?", **SCALE},
    {"id": "which", "text": "Which?", **CHOICE},
    {"id": "many", "text": "Many?", **CHOICE, "kind": "multichoice"},
    {"id": "hours", "text": "Hours?", "kind": "number", "min": 0, "max": 10},
    {"id": "used", "text": "Used?", "kind": "yesno"},
    {"id": "why", "text": "Why?", "kind": "text"},
]
LAST = len(FIRST)


def problems(*questions: dict[str, Any], **changes: Any) -> dict[tuple[str | int, ...], str]:
    """What is wrong with these questions after the first six; errors only."""
    listed = [*FIRST, *({"id": f"x{n}", "kind": "text", "text": "X?"} | q
                        for n, q in enumerate(questions))]  # fmt: skip
    reading = read_survey(small(question=listed, **changes), enablers=["risk", "insight"])
    return {each.path: each.expected for each in reading.problems if each.severity == "error"}


def condition(name: str, **keys: Any) -> dict[tuple[str | int, ...], str]:
    """What is wrong with a question that has one condition."""
    return problems({"show_if": {name: keys}})


@pytest.mark.parametrize(
    ("name", "keys"),
    [
        ("goals", {"at_most": 2}),
        ("goals", {"at_least": 1, "at_most": 1}),
        ("goals", {"is": "2"}),
        ("which", {"is": "housing"}),
        ("which", {"in": ["housing", "other"]}),
        ("which", {"not_in": ["housing", "health"]}),
        ("many", {"is": "housing", "not_in": ["other"]}),
        ("hours", {"at_least": 9.5}),
        ("hours", {"is": 0}),
        ("used", {"is": True}),
        ("used", {"is": "no"}),
        ("why", {"answered": True}),
        ("why", {"is": "yes"}),
        ("why", {"answered": False}),
    ],
)
def test_conditions_that_can_hold(name: str, keys: dict[str, Any]) -> None:
    assert condition(name, **keys) == {}


@pytest.mark.parametrize(
    ("name", "keys", "where", "expected"),
    [
        ("goals", {"at_most": 0}, (), "can hold; goals goes from 1 to 3"),
        ("goals", {"at_least": 4}, (), "can hold"),
        ("goals", {"at_least": 3, "at_most": 2}, (), "can hold"),
        ("goals", {"is": 4}, ("is",), "a point of goals: 1 to 3"),
        ("goals", {"in": [1, "Often"]}, ("in", 1), "a point of goals"),
        ("goals", {"not_in": [1, 2, 3]}, (), "can hold"),
        ("goals", {"is": 1, "answered": False}, (), "can hold"),
        ("goals", {}, (), "one of: is, in, not_in"),
        ("which", {"is": "hosing"}, ("is",), "did you mean housing?"),
        ("which", {"at_least": 1}, ("at_least",), "which is choice"),
        ("many", {"not_in": ["housing", "health", "other"]}, (), "can hold"),
        ("many", {"is": "housing", "not_in": ["housing"]}, (), "can hold"),
        ("hours", {"at_most": -1}, (), "can hold; hours goes from 0 to 10"),
        ("hours", {"at_least": 11}, (), "can hold"),
        ("hours", {"is": "many"}, ("is",), "a number"),
        ("used", {"is": "maybe"}, ("is",), "yes or no"),
        ("why", {"at_least": 1}, ("at_least",), "why is text"),
        ("why", {"is": 1}, ("is",), "text in quotes"),
        ("hwy", {"answered": True}, (), "did you mean why?"),
        ("zzz", {"answered": True}, (), "there is no such question"),
        ("x0", {"answered": True}, (), "x0 is this one"),
    ],
)
def test_conditions_that_cannot_hold(
    name: str, keys: dict[str, Any], where: tuple[str | int, ...], expected: str
) -> None:
    (found,) = condition(name, **keys).items()
    assert found[0] == ("question", LAST, "show_if", name, *where)
    assert expected in found[1]


def test_a_condition_on_a_later_question() -> None:
    found = problems({"show_if": {"x1": {"answered": True}}}, {})
    assert "x1 comes later" in found[("question", LAST, "show_if", "x1")]


def test_a_question_that_can_never_be_reached() -> None:
    found = problems(
        {"show_if": {"goals": {"at_most": 1}}},
        {"show_if": {"x0": {"answered": True}, "goals": {"at_least": 2}}},
    )
    assert list(found) == [("question", LAST + 1, "show_if")]
    assert "what it needs of goals" in found[("question", LAST + 1, "show_if")]


def test_an_unanswered_question_puts_no_conditions_of_its_own() -> None:
    assert not problems(
        {"show_if": {"goals": {"at_most": 1}}},
        {"show_if": {"x0": {"answered": False}, "goals": {"at_least": 2}}},
    )


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("You said {gols}.", "did you mean goals?"),
        ("You said {nothing_like_it}.", "there is no such question"),
        ("You said {x1}.", "x1 comes later"),
        ("You said {x0}.", "x0 is this one"),
        ("You said {goals.", "between { and }"),
        ("You said goals}.", "between { and }"),
        ("You said {}.", "between { and }"),
    ],
)
def test_piping_that_has_nothing_to_put_in(text: str, expected: str) -> None:
    found = problems({"text": text}, {})
    assert expected in found[("question", LAST, "text")]


def test_piping_of_an_earlier_answer() -> None:
    assert problems({"text": "You said {goals} and {why}."}) == {}


def test_piping_elsewhere_than_in_a_question() -> None:
    assert "text of a question only" in problems(thanks="You said {goals}.")[("thanks",)]


def test_ids_are_used_once() -> None:
    found = problems({"id": "goals"}, {"kind": "choice", "choices": ["Yes", "yes!", "No"]})
    assert "question 1 is goals too" in found[("question", LAST, "id")]
    assert "choice 1 is yes too" in found[("question", LAST + 1, "choices", 1)]


def test_enablers_are_those_of_the_codeframe() -> None:
    found = problems({"enabler": "risks"}, {"enabler": "risk"})
    assert found == {
        ("question", LAST, "enabler"): "expected a code of the codeframe; did you mean risk?"
    }


def test_every_text_has_every_language() -> None:
    found = problems(
        {"text": {"en": "X?"}},
        {"text": {"en": "X?", "cy": "X?", "fr": "X?"}},
        {**SCALE, "labels": [{"en": "a", "cy": "a"}, {"cy": "b"}]},
        languages=["en", "cy"],
    )
    assert found == {
        ("question", LAST, "text"): "expected words in cy as well",
        ("question", LAST + 1, "text", "fr"): "expected a language of this survey: en, cy",
        ("question", LAST + 2, "labels", 1): "expected words in en as well",
    }


def test_limits_of_choices_and_numbers() -> None:
    several = {"kind": "multichoice", "choices": ["a", "b", "c"]}
    found = problems(
        several | {"max_choices": 4},
        several | {"min_choices": 3, "max_choices": 2},
        {"kind": "number", "min": 5, "max": 3},
    )
    assert set(found) == {
        ("question", LAST, "max_choices"),
        ("question", LAST + 1, "min_choices"),
        ("question", LAST + 2, "min"),
    }


@pytest.mark.parametrize(
    ("changes", "path", "severity"),
    [
        ({"label": "a" * 24}, None, None),
        ({"label": "a" * 25}, ("question", 0, "labels", 1), "warning"),
        ({"label": "a" * 76}, ("question", 0, "labels", 1), "error"),
        ({"label": " "}, ("question", 0, "labels", 1), "error"),
        ({"text": "a" * 3_001}, ("question", 0, "text"), "warning"),
        ({"text": "a" * 4_097}, ("question", 0, "text"), "error"),
        ({"text": "a" * 2_000, "intro": "b" * 1_001}, ("question", 0, "text"), "warning"),
        ({"text": ""}, ("question", 0, "text"), "error"),
        ({"essence": "a" * 501}, ("consent", "text"), "error"),
        ({"essence": "a" * 500}, None, None),
    ],
)
def test_words_fit_the_platforms(
    changes: dict[str, str], path: tuple[str | int, ...] | None, severity: str | None
) -> None:
    question = {
        "id": "q",
        "kind": "scale",
        "text": changes.get("text", "Q?"),
        "labels": ["b", changes.get("label", "c")],
    }
    more = {"intro": changes["intro"]} if "intro" in changes else {}
    data = small(question=[question], consent={"text": changes.get("essence", "Fine?")}, **more)
    found = [(problem.path, problem.severity) for problem in read_survey(data).problems]
    assert found == ([] if path is None else [(path, severity)])


SURVEY = load_survey(small(question=FIRST))
VALUES = st.sampled_from(
    ["1", "2", "3", "housing", "other", "yes", "no", "words", 0, 1, 2.5, 11, True]
)
CONDITIONS = st.builds(
    lambda **keys: Condition.model_validate({k: v for k, v in keys.items() if v is not None}),
    **{
        "is": st.none() | VALUES,
        "in": st.none() | st.lists(VALUES, min_size=1, max_size=3),
        "not_in": st.none() | st.lists(VALUES, min_size=1, max_size=3),
        "at_least": st.none() | st.sampled_from([-1.0, 1.0, 2.0, 9.0]),
        "at_most": st.none() | st.sampled_from([-1.0, 1.0, 2.0, 9.0]),
        "answered": st.none() | st.booleans(),
    },
)
ANSWERS = {
    "goals": ["1", "2", "3"],
    "which": ["housing", "health", "other"],
    "many": ["housing", "housing|other", "housing|health|other", "health"],
    "hours": ["0", "1", "2.5", "9.5", "10"],
    "used": ["yes", "no"],
    "why": ["words", "yes", "something"],
}


def asked_of(name: str, wanted: Condition, value: str | None) -> bool:
    """Whether a person with this answer is asked a question with this condition."""
    last = {"id": "last", "kind": "text", "text": "?", "show_if": {name: {}}}
    survey = load_survey_as_it_is([*FIRST, last], name, wanted)
    session = Session(
        session_id="s", survey_id="small", revision="r", language="en", slash=True, waved=False,
        status=Status.ASKING, turn=1,
        given=() if value is None else (Given(question_id=name, value=value),),
    )  # fmt: skip
    return applies(survey, session, survey.by_id["last"])


def load_survey_as_it_is(questions: list[dict[str, Any]], name: str, wanted: Condition) -> Survey:
    """A survey whose last condition was not checked."""
    survey = Survey.model_validate(small(question=questions))
    last = survey.questions[-1].model_copy(update={"show_if": {name: wanted}})
    return survey.model_copy(update={"questions": (*survey.questions[:-1], last)})


@given(st.sampled_from(sorted(ANSWERS)), CONDITIONS)
def test_the_puzzle_agrees_with_the_conversation(name: str, wanted: Condition) -> None:
    met = any(asked_of(name, wanted, value) for value in (None, *ANSWERS[name]))
    holds = can_hold(SURVEY.by_id[name], (wanted,))
    if name in ("goals", "which", "used"):
        assert holds == met
    else:
        assert holds or not met
