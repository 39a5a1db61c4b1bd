"""Whole conversations as people read them: ``tests/transcripts``, to be read aloud.

A line ``>`` is what the person types, presses (in brackets) or does, ``<`` what they see (options
in brackets, controls in round ones), ``=`` what is recorded. ``pytest --update`` writes them
anew; read the difference.
"""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from dialogues.draw import draw_by_chance, pool_of
from dialogues.events import Reminded
from dialogues.session import Status
from dialogues.survey import Survey
from tests.talk import Talk, shipped, survey_of

FOLDER = Path(__file__).parents[1] / "transcripts"

EVENING = survey_of(
    {"id": "came", "kind": "yesno", "text": "Did you come to the meeting on Tuesday?"},
    {
        "id": "heard",
        "kind": "scale",
        "text": "At the meeting, people listened to me.",
        "labels": ["Disagree", "In the middle", "Agree"],
        "dont_know": True,
        "show_if": {"came": {"is": True}},
    },
    {
        "id": "why_not",
        "kind": "text",
        "text": "What would have made it easier to come?",
        "show_if": {"came": {"is": False}},
    },
    {"id": "next", "kind": "text", "text": "What should we talk about next time?"},
    survey="evening",
    title="The evening meeting",
    anonymity="anonymous",
    consent={"text": "Three questions about Tuesday's meeting. Are you happy to take part?"},
)


def pulse(name: str) -> dict[str, Any]:
    survey = shipped(name)
    strands = {one.enabler: one.enabler or "" for one in survey.questions if one.enabler}
    return {
        "survey": survey,
        "waved": True,
        "draw": draw_by_chance(pool_of(survey, strands), 4, seed="riverside"),
    }


PARTNER = {"survey": shipped("state-of-collaboration"), "waved": True}
CITIZEN = {"survey": shipped("collaborative-citizen"), "slash": True}

#: Transcript to how it opens, and what the person does: ``[x]`` presses, ``(x)`` happens.
TALKS: dict[str, tuple[dict[str, Any], list[str]]] = {
    "partnership-pulse": (
        pulse("partnership-pulse"),
        [
            *("[More]", "[I agree]", "4", "disagree", "[Don't know]", "[Strongly agree]"),
            "We share a duty desk with the housing team now, but nobody tells us what was decided.",
        ],
    ),
    "partnership-pulse-first-time": (
        {**pulse("partnership-pulse"), "ask_sector": True},
        [
            *("yes", "(photo)", "hello", "[A charity or community group]", "4", "role"),
            *("3", "disagree", "[Skip]", "3"),
            "They let us use their hall for nothing.",
        ],
    ),
    "partnership-pulse-invited-again": (
        {**pulse("partnership-pulse"), "invited": True, "agreed_before": True},
        ["(reminder)", "[Start]", "4", "[Skip]", "in the middle", "agree", "skip", "thanks"],
    ),
    "citizen-pulse-cy": (
        {**pulse("citizen-pulse"), "language": "cy", "slash": True},
        [
            *("[Mwy]", "ydw", "4", "anghytuno", "[Ddim yn gwybod]", "[Cytuno'n gryf]"),
            *("Mae'r meddyg yn gwrando, ond mae'r cyngor yn araf iawn.", "/help"),
        ],
    ),
    "citizen-pulse-first-time-cy": (
        {**pulse("citizen-pulse"), "language": "cy", "slash": True, "ask_sector": True},
        [
            *("ydw", "/hepgor", "4", "/rôl", "un o'r trigolion", "3", "[Hepgor]", "[Hepgor]"),
            "Diolch i'r nyrs.",
        ],
    ),
    "collaborative-citizen": (
        CITIZEN,
        [
            *("yes please", "Yes, the doctor", "[No, but I would like to]", "The park"),
            *("4", "4", "agree", "[Don't know]", "2", "1", "[Skip]", "[Agree]", "4", "3", "3"),
            *("agree", "2", "The nurse rang me back the same day.", "[Times that suit me]"),
            *("[A place near me]", "[Done]", "about ten hours", "Answer the phone.", "2", "25"),
        ],
    ),
    "state-of-collaboration": (
        PARTNER,
        [
            *("ok", "[Public service]", "manage", "2", "2 to 5", "[Agree]", "2"),
            *("We only meet the people who complain.", "4"),
            *("The council calls everybody together, once a year.", "3", "agree"),
            *("The health targets pull the other way.", "3", "3", "3", "3", "5"),
            *("Our chief executive asks about it every week.", "3", "3", "[Don't know]"),
            *("One budget.", "Fewer forms."),
        ],
    ),
    "anonymous": (
        {"survey": EVENING, "waved": True, "slash": True},
        [
            *("[I agree]", "no", "If it were later", "bins", "/back", "The bins, please", "hm"),
            *("/mydata", "[Back]", "Bins and lights", "[Send my answers]", "(edits 5) Lights"),
        ],
    ),
    "anonymous-stopped": (
        {"survey": EVENING, "slash": True},
        ["[I agree]", "yes", "/stop", "hello", "/start", "[No thanks]"],
    ),
    "trouble": (
        {"survey": shipped("collaborative-citizen"), "slash": True},
        [
            *("Hello, who are you?", "/skip", "(photo)", "yes"),
            *("Not with this lot", "(photo)", "maybe", "/weather", "no"),
            *("yes", "/back", "[Yes]", "[Yes, once]", "stop"),
            *("Are you there?", "/start", "agree", "(edits 17) disagree", "strongly"),
            *("language", "Welsh", "cytuno", "iaith", "[English]"),
            *("/forget", "ok", "[Keep it]", "(reminder)", "[Don't know]", "/privacy", "/results"),
            *("5", "4", "/forget", "/forget"),
        ],
    ),
    "too-late": (
        {"survey": shipped("citizen-pulse"), "waved": True, "slash": True, "draw": ("c_risk",)},
        [
            *("yes", "(dated reminder)", "4", "(edits 2) 40", "(close)", "It was good"),
            *("(edits 2) 2", "/start", "/stop"),
        ],
    ),
}


def hold(opening: dict[str, Any], doings: list[str]) -> Talk:
    talk = Talk(**opening)
    buttons = None
    for doing in doings:
        label = re.fullmatch(r"\[(.+)\]", doing)
        edited = re.fullmatch(r"\(edits (\d+)\) (.*)", doing)
        if talk.prompts and (talk.prompt.options or talk.prompt.controls):
            buttons = talk.prompt
        if label:
            talk.press(label[1], prompt=buttons)
        elif edited:
            talk.edit(edited[1], edited[2])
        elif doing == "(photo)":
            talk.photo()
        elif doing == "(reminder)":
            talk.remind()
        elif doing == "(dated reminder)":
            talk.log.append("(reminder)")
            talk.happen(Reminded(event_id="r", at=talk.at, until=date(2026, 12, 11)))
        elif doing == "(close)":
            talk.close_wave()
        else:
            talk.say(doing)
    return talk


@pytest.mark.parametrize("name", TALKS)
def test_the_conversation_reads_as_it_did(name: str, update: bool) -> None:
    talk = hold(*TALKS[name])
    path = FOLDER / f"{name}.txt"
    if update:
        path.write_text(talk.transcript(), encoding="utf-8")
    assert talk.transcript() == path.read_text(encoding="utf-8")


def test_every_transcript_has_its_talk() -> None:
    assert {path.stem for path in FOLDER.glob("*.txt")} == set(TALKS)


@pytest.mark.parametrize(
    "name",
    [
        *("partnership-pulse", "partnership-pulse-first-time", "citizen-pulse-cy"),
        *("citizen-pulse-first-time-cy", "collaborative-citizen", "state-of-collaboration"),
    ],
)
def test_the_shipped_surveys_come_to_their_end(name: str) -> None:
    assert hold(*TALKS[name]).session.status is Status.COMPLETE


def test_a_person_hears_one_language_only() -> None:
    survey: Survey = shipped("citizen-pulse")
    talk = hold({"survey": survey, "language": "cy"}, ["[Mwy]", "ydw", *["cytuno"] * 12, "Da"])
    english = re.compile(r"\b(the|and|you|your|question|answer|please|thank)\b", re.IGNORECASE)
    for line in talk.transcript().splitlines():
        if line.startswith("<"):
            assert not english.search(line), line
