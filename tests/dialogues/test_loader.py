"""From the data of a survey file to a survey, or to all that is wrong in it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogues.errors import SurveyInvalid
from dialogues.loader import KINDS, load_survey, read_survey
from tests.dialogues.test_shipped_surveys import ENABLERS, SURVEYS

SMALL: dict[str, Any] = {
    "survey": "small",
    "title": "Small",
    "consent": {"text": "Happy to take part?"},
    "question": [{"id": "why", "kind": "text", "text": "Why?"}],
}


def small(**changes: Any) -> dict[str, Any]:
    """A survey of one question, with other keys."""
    return copy.deepcopy(SMALL) | changes


def found(data: dict[str, Any]) -> dict[tuple[str | int, ...], str]:
    """What is wrong, by path."""
    return {problem.path: problem.expected for problem in read_survey(data).problems}


def one(**question: Any) -> dict[tuple[str | int, ...], str]:
    """What is wrong with one question."""
    return found(small(question=[{"id": "q", "text": "Q?", **question}]))


@pytest.mark.parametrize("name", SURVEYS)
def test_the_shipped_surveys_load_without_a_word(name: str) -> None:
    reading = read_survey(SURVEYS[name], enablers=ENABLERS)
    assert reading.problems == ()
    assert reading.survey is not None
    assert reading.survey.survey_id == name


def test_a_small_survey_has_the_defaults() -> None:
    survey = load_survey(small())
    assert survey.languages == ("en",)
    assert not survey.anonymous
    assert not survey.questions[0].required


def test_what_is_wrong_is_raised_with_all_problems() -> None:
    with pytest.raises(SurveyInvalid) as caught:
        load_survey(small(title=3, titel="x"))
    assert {problem.path for problem in caught.value.problems} == {("title",), ("titel",)}
    assert "title: expected text" in str(caught.value)


@pytest.mark.parametrize(
    ("changes", "path", "expected"),
    [
        ({"survey": "My survey"}, ("survey",), "a-z, 0-9 and -"),
        ({"survey": 3}, ("survey",), "text in quotes"),
        ({"title": 3}, ("title",), "a table of languages"),
        ({"titel": "x"}, ("titel",), "did you mean title?"),
        ({"zzz": "x"}, ("zzz",), "a known key: survey, title"),
        ({"languages": ["english"]}, ("languages", 0), 'a language code such as "en"'),
        ({"languages": []}, ("languages",), "at least 1"),
        ({"anonymity": "secret"}, ("anonymity",), '"confidential" or "anonymous"'),
        ({"consent": "yes"}, ("consent",), "a table [consent]"),
        ({"consent": {"txt": "x"}}, ("consent", "txt"), "did you mean text?"),
        ({"consent": {}}, ("consent", "text"), "it is missing"),
        ({"question": []}, ("question",), "at least 1"),
        ({"question": "x"}, ("question",), "a list"),
        ({"question": ["x"]}, ("question", 0), "[[question]]"),
        ({"questions": []}, ("questions",), "did you mean question?"),
        ({"survey_id": "x"}, ("survey_id",), "did you mean survey?"),
    ],
)
def test_keys_of_the_survey(
    changes: dict[str, Any], path: tuple[str | int, ...], expected: str
) -> None:
    assert expected in found(small(**changes))[path]


@pytest.mark.parametrize(
    ("question", "path", "expected"),
    [
        ({"kind": "scal"}, ("kind",), "did you mean scale?"),
        ({}, ("kind",), "one of text, choice, multichoice, scale, number, yesno"),
        ({"kind": "text", "labels": []}, ("labels",), "only in scale questions; this is text"),
        ({"kind": "text", "reversed": True}, ("reversed",), "only in scale questions"),
        ({"kind": "text", "probe": True}, ("probe",), "a known key"),
        ({"kind": "text", "required": "yes"}, ("required",), "true or false"),
        ({"kind": "text", "id": "Q 1"}, ("id",), "a-z, 0-9, _ and -"),
        ({"kind": "text", "id": "q" * 65}, ("id",), "at most 64 characters"),
        ({"kind": "scale"}, ("labels",), "it is missing"),
        ({"kind": "scale", "labels": ["a"]}, ("labels",), "at least 2"),
        ({"kind": "scale", "labels": ["a", 4]}, ("labels", 1), "text in quotes"),
        ({"kind": "scale", "labels": "a"}, ("labels",), "a list"),
        ({"kind": "choice", "choices": ["a", {"id": "b"}]}, ("choices", 1, "text"), "missing"),
        ({"kind": "choice", "choices": ["a", 4]}, ("choices", 1), 'a label, or { id = "..."'),
        ({"kind": "number", "min": "2"}, ("min",), "a number"),
        ({"kind": "number", "min": True}, ("min",), "a number"),
        (
            {"kind": "multichoice", "choices": ["a", "b"], "max_choices": 0},
            ("max_choices",),
            "1 or more",
        ),
        ({"kind": "text", "show_if": 3}, ("show_if",), "a table such as { goals"),
        ({"kind": "text", "show_if": {"q": 3}}, ("show_if", "q"), "a table such as { at_most"),
        (
            {"kind": "text", "show_if": {"q": {"at_leest": 3}}},
            ("show_if", "q", "at_leest"),
            "did you mean at_least?",
        ),
        (
            {"kind": "text", "show_if": {"q": {"is": [1]}}},
            ("show_if", "q", "is"),
            "text in quotes, a number, true or false",
        ),
    ],
)
def test_keys_of_a_question(
    question: dict[str, Any], path: tuple[str | int, ...], expected: str
) -> None:
    assert expected in one(**question)[("question", 0, *path)]


def test_mistakes_of_every_sort_are_found_together() -> None:
    problems = found(
        small(
            titel="x",
            question=[
                {"id": "a", "kind": "scal", "txt": "x"},
                {"id": "a", "kind": "text", "text": "{later}", "labels": 3},
                {"id": "later", "kind": "text", "text": "x", "show_if": {"nope": {"is": "x"}}},
            ],
        )
    )
    assert set(problems) == {
        ("titel",),
        ("question", 0, "kind"),
        ("question", 0, "text"),
        ("question", 0, "txt"),
        ("question", 1, "labels"),
        ("question", 1, "id"),
        ("question", 1, "text"),
        ("question", 2, "show_if", "nope"),
    }


def test_a_warning_alone_lets_the_survey_through() -> None:
    reading = read_survey(small(question=[SMALL["question"][0] | {"dont_know": True}]))
    assert reading.survey is not None
    assert [problem.severity for problem in reading.problems] == ["warning"]


def test_the_kinds_are_those_of_the_questions() -> None:
    for kind, model in KINDS.items():
        assert model.model_fields["kind"].annotation is not None
        assert kind in str(model.model_fields["kind"].annotation)


leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5)
anything = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "kind", "text", "labels", "choices", "show_if", "q", "is", "in", "at_least"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["survey", "title", "languages", "consent", "question", "intro", "x"]),
        anything,
    )
)
def test_no_data_is_too_odd(data: dict[str, Any]) -> None:
    reading = read_survey(data, enablers=["risk"])
    assert all(problem.expected.startswith("expected ") for problem in reading.problems)
    assert reading.survey is not None or reading.problems


@given(
    st.sampled_from(sorted(KINDS)),
    st.dictionaries(
        st.sampled_from(["labels", "choices", "show_if", "min", "max", "max_choices", "enabler"]),
        anything,
    ),
)
def test_no_question_is_too_odd(kind: str, keys: dict[str, Any]) -> None:
    question = {"id": "q", "kind": kind, "text": "Q?", "labels": ["a", "b"], **keys}
    reading = read_survey(small(question=[SMALL["question"][0], question]))
    assert all(problem.expected.startswith("expected ") for problem in reading.problems)
