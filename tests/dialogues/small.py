"""A small survey of many kinds, and conversations that have come to a place in it."""

from __future__ import annotations

from dialogues.effects import DispositionSet, EventRejected
from dialogues.survey import Survey
from tests.talk import Talk, survey_of

SCALE = {
    "kind": "scale",
    "text": "It works.",
    "labels": ["Disagree", "In the middle", "Agree"],
    "dont_know": True,
}
SURVEY = survey_of(
    {"id": "used", "kind": "yesno", "text": "Used?"},
    {"id": "why", "kind": "text", "text": "Why not?", "show_if": {"used": {"is": False}}},
    {"id": "works", **SCALE},
    {"id": "story", "kind": "text", "text": "Tell us."},
    {"id": "easier", "kind": "multichoice", "text": "What?", "choices": ["A", "B", "C"]},
    {"id": "hours", "kind": "number", "text": "Hours?", "min": 0, "required": True},
    languages=["en", "cy"],
    intro="A few questions.",
)
ANONYMOUS = SURVEY.model_copy(update={"anonymity": "anonymous"})
ONLY_ENGLISH = SURVEY.model_copy(update={"languages": ("en",)})


def talk_at(question_id: str | None, survey: Survey = SURVEY, **opening: object) -> Talk:
    """A conversation that has come to a question (None: to the end) by typed answers."""
    talk = Talk(survey, **opening)
    talk.say("yes")
    answers = {"used": "no", "why": "Too far", "works": "3", "story": "Our story", "easier": "1"}
    for asked, answer in (*answers.items(), ("hours", "7")):
        if asked == question_id:
            break
        talk.say(answer)
    return talk


def kinds(talk: Talk) -> list[type]:
    return [type(effect) for effect in talk.effects]


def rejected(talk: Talk) -> bool:
    return kinds(talk) == [EventRejected]


def dispositions(talk: Talk) -> list[str]:
    return [one.disposition.value for one in talk.effects if isinstance(one, DispositionSet)]
