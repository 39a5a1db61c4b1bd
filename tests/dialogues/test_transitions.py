"""Every pair of status and kind of event, taken for real, against the table."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest

from dialogues.engine import step
from dialogues.events import (
    ChoicePressed,
    Event,
    Reminded,
    ReplyEdited,
    ReplyReceived,
    ReplyUnreadable,
    WaveClosed,
)
from dialogues.messages import words
from dialogues.session import Aside, Session, Status
from dialogues.survey import Survey
from dialogues.transitions import TRANSITIONS, diagram
from dialogues.words import Command
from tests.talk import BEGIN, Talk, survey_of

QUESTIONS = (
    {"id": "a", "kind": "scale", "text": "A?", "labels": ["Low", "Mid", "High"], "dont_know": True},
    {"id": "b", "kind": "text", "text": "B?", "show_if": {"a": {"is": 1}}},
    {"id": "c", "kind": "multichoice", "text": "C?", "choices": ["X", "Y"], "required": True},
)
PLAIN = survey_of(*QUESTIONS, languages=["en", "cy"])
ANONYMOUS = survey_of(*QUESTIONS, languages=["en", "cy"], anonymity="anonymous")
#: Nothing is ever asked of who was drawn nothing: consent is at once the end.
EMPTY = survey_of({"id": "a", "kind": "yesno", "text": "A?", "enabler": "insight"})
EMPTY_ANONYMOUS = EMPTY.model_copy(update={"anonymity": "anonymous"})

TEXTS = [
    *("", "yes", "no", "1", "3", "x", "X, Y", "agree", "send", "keep", "more", "welsh", "/nothing"),
    *("don't know", "thank you", "x" * 20_000, "a business", "rather not say"),
    *(word for command in Command for word in words(command.value)),
]
KEYS = [
    *("w.business", "w.citizen", "w.x"),
    *("c.agree", "c.decline", "c.more", "c.x", "l.cy", "l.xx", "f.erase", "f.keep", "s.send"),
    *(
        "s.back",
        "0.0",
        "0.2",
        "0.dk",
        "0.skip",
        "0.back",
        "1.skip",
        "2.0",
        "2.done",
        "2.back",
        "9.0",
    ),
]


def events() -> list[Event]:
    common: dict[str, Any] = {"event_id": "now", "at": BEGIN}
    return [
        *(ReplyReceived(text=text, position="99", **common) for text in TEXTS),
        *(ReplyReceived(text=text, position="99", seen_turn=2, **common) for text in TEXTS),
        *(ReplyEdited(text=text, position=at, **common) for text in TEXTS for at in ("2", "3")),
        *(ChoicePressed(token=f"abc.{key}", **common) for key in KEYS),
        ChoicePressed(token="", **common),
        ReplyUnreadable(**common),
        Reminded(**common),
        WaveClosed(**common),
    ]


def talks(survey: Survey) -> list[Talk]:
    """Conversations in every status that this survey can get to."""
    told: list[list[str]] = [
        [],
        ["no"],
        ["stop"],
        ["yes"],
        ["yes", "1"],
        ["yes", "1", "words", "nonsense"],
        ["yes", "1", "words", "back"],
        ["yes", "3", "nonsense"],
        ["yes", "1", "stop"],
        ["yes", "3", "X"],
        ["yes", "3", "X", "send"],
        ["yes", "3", "X", "stop"],
    ]
    made = []
    for replies in told:
        talk = Talk(survey, waved=True, slash=True)
        for reply in replies:
            talk.say(reply)
        made.append(talk)
    ticking = Talk(survey, waved=True)
    for reply in ("yes", "3"):
        ticking.say(reply)
    ticking.press("X")
    made.append(ticking)
    for replies in ([], ["yes"], ["yes", "1"]):
        talk = Talk(survey, waved=True)
        for reply in replies:
            talk.say(reply)
        talk.close_wave()
        made.append(talk)
    return made


def sessions() -> list[tuple[Survey, Session]]:
    found = []
    for survey in (PLAIN, ANONYMOUS):
        for talk in talks(survey):
            for aside in (None, *Aside):
                found.append((survey, replace(talk.session, aside=aside)))
        for doings in ([], ["no"], ["yes"], ["yes", "what?"], ["yes", "a resident", "1"]):
            placed = Talk(survey, waved=True, slash=True, ask_sector=True)
            for doing in doings:
                placed.say(doing)
            found += [(survey, replace(placed.session, aside=one)) for one in (None, *Aside)]
    for survey in (EMPTY, EMPTY_ANONYMOUS):
        unplaced = Talk(survey, draw=(), waved=True, ask_sector=True)
        found.append((survey, unplaced.session))
        unplaced.say("yes")
        found.append((survey, unplaced.session))
        unplaced.say("stop")
        found.append((survey, unplaced.session))
        nobody = Talk(survey, draw=(), waved=True, invited=True, agreed_before=True)
        found.append((survey, nobody.session))
        nobody.say("no")
        found.append((survey, nobody.session))
    return found


def test_every_move_is_in_the_table_and_every_entry_is_made() -> None:
    made: set[tuple[Status, type[Event], Status]] = set()
    for survey, session in sessions():
        for event in events():
            after = step(survey, session, event).session.status
            assert after in TRANSITIONS[session.status][type(event)], (session.status, event)
            made.add((session.status, type(event), after))
    walked = {(status, kind) for status, kind, _ in made}
    assert walked == {(status, kind) for status in Status for kind in get_args(Event)}
    table = {
        (status, kind, after)
        for status, by_event in TRANSITIONS.items()
        for kind, following in by_event.items()
        for after in following
    }
    assert table - made == set()


def test_the_table_knows_every_status_and_every_kind_of_event() -> None:
    assert set(TRANSITIONS) == set(Status)
    for by_event in TRANSITIONS.values():
        assert set(by_event) == set(get_args(Event))


@pytest.mark.parametrize("status", Status)
def test_the_diagram_has_every_status(status: Status) -> None:
    drawn = diagram()
    assert drawn.startswith("stateDiagram-v2\n")
    assert f" {status.value} --> " in drawn
    assert f"--> {status.value}" in drawn
    assert (f"    {status.value} --> [*]" in drawn) is status.final


def test_the_diagram_is_always_the_same() -> None:
    assert diagram() == diagram()
    assert "consenting --> asking: ReplyReceived, ChoicePressed" in diagram()
