"""Which questions a person is asked: conditions, piping, the draw, and how far they are."""

from __future__ import annotations

from typing import Any

import pytest

from dialogues.routing import applies, fill, next_question, path, progress, shortened
from dialogues.session import Given, Missing, Session, Status
from dialogues.survey import Survey
from tests.talk import Talk, shipped, survey_of

SCALE = {"kind": "scale", "labels": ["Low", "Some", "High"]}
CHOICES = {"choices": ["A", "B", "C"]}


def session(draw: tuple[str, ...] | None = None, **given: str | None) -> Session:
    return Session(
        session_id="s",
        survey_id="small",
        revision="r",
        language="en",
        slash=False,
        waved=False,
        status=Status.ASKING,
        turn=1,
        draw=draw,
        given=tuple(
            Given(question_id=key, value=value, missing=None if value else Missing.SKIPPED)
            for key, value in given.items()
        ),
    )


def ask_if(kind: dict[str, Any], condition: dict[str, Any]) -> Survey:
    return survey_of(
        {"id": "q", "text": "Q?", **kind},
        {"id": "then", "kind": "text", "text": "Then?", "show_if": {"q": condition}},
    )


@pytest.mark.parametrize(
    ("kind", "condition", "holds", "fails"),
    [
        (SCALE, {"is": 2}, ["2"], ["1", "3", None]),
        (SCALE, {"in": [1, 3]}, ["1", "3"], ["2", None]),
        (SCALE, {"not_in": [1]}, ["2", "3"], ["1", None]),
        (SCALE, {"at_least": 2}, ["2", "3"], ["1", None]),
        (SCALE, {"at_most": 2}, ["1", "2"], ["3", None]),
        (SCALE, {"at_least": 2, "at_most": 2}, ["2"], ["1", "3", None]),
        (SCALE, {"answered": True}, ["1"], [None]),
        (SCALE, {"answered": False}, [None], ["1"]),
        ({"kind": "number"}, {"is": 2.5}, ["2.5"], ["2", None]),
        ({"kind": "number"}, {"at_least": 10}, ["10", "1000"], ["9.9", "-10", None]),
        ({"kind": "yesno"}, {"is": True}, ["yes"], ["no", None]),
        ({"kind": "yesno"}, {"is": "no"}, ["no"], ["yes", None]),
        ({"kind": "choice", **CHOICES}, {"is": "a"}, ["a"], ["b", None]),
        ({"kind": "choice", **CHOICES}, {"not_in": ["a", "b"]}, ["c"], ["a", None]),
        ({"kind": "multichoice", **CHOICES}, {"is": "a"}, ["a", "a|c"], ["b", "b|c", None]),
        ({"kind": "multichoice", **CHOICES}, {"in": ["a", "b"]}, ["b|c"], ["c", None]),
        ({"kind": "multichoice", **CHOICES}, {"not_in": ["a"]}, ["b|c"], ["a|b", None]),
        ({"kind": "text"}, {"answered": True}, ["words"], [None]),
        ({"kind": "text"}, {"not_in": [True]}, ["yes", "words"], [None]),
        ({"kind": "text"}, {"is": "words"}, ["words"], ["other", None]),
    ],
)
def test_conditions(
    kind: dict[str, Any],
    condition: dict[str, Any],
    holds: list[str | None],
    fails: list[str | None],
) -> None:
    survey = ask_if(kind, condition)
    then = survey.by_id["then"]
    for value in holds:
        assert applies(survey, session(q=value), then), value
    for value in fails:
        assert not applies(survey, session(q=value), then), value
    assert applies(survey, session(), then) is (condition == {"answered": False})


def test_every_condition_of_a_question_has_to_hold() -> None:
    survey = survey_of(
        {"id": "a", "kind": "yesno", "text": "A?"},
        {"id": "b", "kind": "yesno", "text": "B?"},
        {
            "id": "both",
            "kind": "text",
            "text": "Both?",
            "show_if": {"a": {"is": True}, "b": {"is": True}},
        },
    )
    assert [one.id for one in path(survey, session(a="yes", b="no"))] == ["a", "b"]
    assert next_question(survey, session(a="yes", b="yes")) == survey.by_id["both"]
    assert next_question(survey, session(a="yes", b="no")) is None


def test_an_answer_that_does_not_fit_any_more_is_taken_out_with_a_word() -> None:
    survey = survey_of(
        {"id": "used", "kind": "yesno", "text": "Used?"},
        {"id": "why", "kind": "text", "text": "Why not?", "show_if": {"used": {"is": False}}},
        {"id": "deeper", "kind": "yesno", "text": "More?", "show_if": {"why": {"answered": True}}},
        {"id": "end", "kind": "text", "text": "End?"},
    )
    talk = Talk(survey)
    for reply in ("yes", "no", "Too far", "yes"):
        talk.say(reply)
    assert talk.answers == {"used": "no", "why": "Too far", "deeper": "yes"}
    said = talk.edit("2", "yes")
    assert talk.recorded() == [
        ("used", "yes", None),
        ("why", None, "not_applicable"),
        ("deeper", None, "not_applicable"),
    ]
    assert talk.answers == {"used": "yes"}
    assert talk.session.at == "end"
    assert said.endswith(
        "Changed to: Yes\nAn earlier answer does not fit any more, so it is taken out."
    )


def test_piping_says_labels_in_the_persons_language() -> None:
    survey = survey_of(
        {"id": "q", "text": "Q?", "kind": "yesno"},
        {"id": "w", "text": "W?", "kind": "text"},
        languages=["en", "cy"],
    )
    assert fill(survey, session(q="no"), "You said {q}, {w}, {other}.") == (
        "You said No, …, {other}."
    )
    assert fill(survey, session(q=None), "{q}") == "…"
    long = fill(survey, session(w="x" * 5_000), "{w}")
    assert long == "x" * 199 + "…"
    assert shortened("short") == "short"


def test_an_answer_is_not_said_back_twice() -> None:
    survey = shipped("state-of-collaboration")
    talk = Talk(survey, draw=("p_risk",))
    for reply in ("yes", "skip", "skip", "skip", "4"):
        talk.say(reply)
    assert talk.say("2").startswith("You chose “Disagree”.")
    assert talk.say("Our words").startswith("Noted ✓\n\n6 of 7\n")


def test_what_somebody_wrote_is_never_filled_in_again() -> None:
    survey = survey_of(
        {"id": "a", "kind": "text", "text": "A?"},
        {"id": "b", "kind": "text", "text": "B, {a}?"},
        {"id": "c", "kind": "text", "text": "C, {b}?"},
    )
    talk = Talk(survey)
    for reply in ("yes", "{b} {0} %s", "{a}"):
        said = talk.say(reply)
    assert "C, {a}?" in said


# The draw ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["partnership-pulse", "citizen-pulse", "state-of-collaboration"])
def test_only_drawn_statements_are_asked_and_what_stands_outside_the_pool(name: str) -> None:
    survey = shipped(name)
    drawn = survey.pool[::3]
    asked = [one.id for one in path(survey, session(draw=drawn))]
    outside = [one.id for one in survey.questions if one.enabler is None]
    assert set(asked) == {*drawn, *outside}


def test_the_why_of_a_statement_is_drawn_with_it() -> None:
    survey = shipped("state-of-collaboration")
    for question in survey.questions:
        if not question.id.endswith("_why"):
            continue
        (statement,) = question.show_if
        assert question.enabler is not None
        assert question.id not in survey.pool
        assert applies(survey, session(draw=(statement,), **{statement: "1"}), question)
        assert not applies(survey, session(draw=(statement,), **{statement: "3"}), question)
        assert not applies(survey, session(draw=(), **{statement: "1"}), question)


def test_what_depends_on_a_question_that_was_not_drawn_is_not_asked() -> None:
    statement = {"id": "s", "text": "S.", **SCALE, "enabler": "risk"}
    other = {"id": "o", "text": "O.", **SCALE, "enabler": "design"}
    survey = survey_of(
        statement,
        other,
        {"id": "quotes", "kind": "text", "text": "You chose {s}. Why?"},
        {"id": "unless", "kind": "text", "text": "U?", "show_if": {"s": {"answered": False}}},
        {"id": "beyond", "kind": "text", "text": "On {quotes}?"},
        {"id": "everybody", "kind": "text", "text": "E?"},
    )
    assert [one.id for one in path(survey, session(draw=("o",)))] == ["o", "everybody"]
    assert [one.id for one in path(survey, session(draw=("s",)))] == [
        *("s", "quotes", "unless", "beyond", "everybody")
    ]
    assert len(path(survey, session())) == 6


def test_questions_that_quote_each_other_do_not_hang() -> None:
    survey = survey_of(
        {"id": "a", "kind": "text", "text": "A {b}?"},
        {"id": "b", "kind": "text", "text": "B {a} {b}?"},
    )
    assert len(path(survey, session(draw=()))) == 2


# How far ----------------------------------------------------------------------------------


def test_the_end_does_not_move_away_with_what_is_asked_on_about() -> None:
    survey = shipped("state-of-collaboration")
    talk = Talk(survey)
    talk.say("yes")
    totals = set()
    for _ in range(40):
        if talk.session.status.final:
            break
        at = survey.by_id[talk.session.at]
        placed = progress(survey, talk.session, at)
        assert (placed is None) is at.id.endswith("_why")
        if placed is not None:
            totals.add(placed[1])
        talk.say("1" if at.options else "Our words.")
    assert talk.session.status is Status.COMPLETE
    assert totals == {18}


def test_a_branch_of_several_questions_is_counted_once_it_is_open() -> None:
    survey = survey_of(
        {"id": "used", "kind": "yesno", "text": "Used?"},
        {"id": "x", **SCALE, "text": "X?", "show_if": {"used": {"is": True}}},
        {"id": "y", "kind": "text", "text": "Y?", "show_if": {"used": {"is": True}}},
    )
    assert progress(survey, session(), survey.by_id["used"]) == (1, 1)
    assert progress(survey, session(used="yes"), survey.by_id["x"]) == (2, 3)
    assert progress(survey, session(used="yes", x="1"), survey.by_id["y"]) == (3, 3)
