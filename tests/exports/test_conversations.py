"""What the real engine and the real store make of a conversation, exported."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from dialogues.engine import Opening, start, step
from dialogues.events import ReplyReceived
from dialogues.survey import Survey
from storage.protocol import Address
from storage.store import SqlStore
from tests.exports.conftest import QUESTIONS, Export, Seeds, make_survey

BEGIN = datetime(2026, 12, 1, 10, 0, tzinfo=UTC)


def hold(
    store: SqlStore, survey: Survey, *replies: str, draw: tuple[str, ...] | None = None
) -> None:
    """Hold a conversation in the terminal, a reply every ten seconds."""
    with store.transaction():
        store.keep_survey(survey, at=BEGIN)
        person = store.welcome(
            Address(channel="terminal", platform_id="me", chat="me"),
            respondent_id="p-4711",
            role="citizen",
            language="en",
            on=date(2026, 12, 1),
        )
        opening = Opening(
            session_id="s1", event_id="e0", language="en", slash=False, waved=False, draw=draw
        )
        store.begin_session(
            start(survey, opening, BEGIN),
            respondent=person,
            wave_id=None,
            cohort=None,
            invitation_id=None,
            lane=0,
            at=BEGIN,
            due_at=BEGIN,
        )
    for number, text in enumerate(replies, start=1):
        at = BEGIN + timedelta(seconds=10 * number)
        with store.transaction():
            before = store.session("s1")
            assert before is not None
            event = ReplyReceived(event_id=f"e{number}", at=at, text=text)
            turn = step(survey, before.session, event)
            store.commit_turn(
                turn, before=before, respondent=person, lane=0, at=at, loose_id="loose1"
            )


def test_a_whole_conversation(seeds: Seeds, export: Export) -> None:
    hold(
        seeds.store, make_survey(), "yes", "disagree", "Nobody asked us.", "1, 3", "skip",
        "-2,5", "yes",
    )  # fmt: skip
    export("jsonl")
    rows = export.jsonl("answers")
    assert [(row["question_id"], row["value"], row["missing"]) for row in rows] == [
        ("goals", "1", None),
        ("goals_why", "Nobody asked us.", None),
        ("services", "housing|schools", None),
        ("sector", None, "skipped"),
        ("warmth", "-2.5", None),
        ("again", "yes", None),
    ]
    assert [row["seconds"] for row in rows] == [10.0] * 6
    assert rows[1]["question"] == "You said Disagree. What makes you say so?"
    assert rows[0]["text"] == "disagree"
    (response,) = export.jsonl("responses")
    assert (response["disposition"], response["n_offered"]) == ("complete", 6)
    assert (response["respondent"], response["wave"]) == ("p-4711", None)
    assert response["warmth"] == -2.5


def test_who_stops_leaves_the_rest_unreached(seeds: Seeds, export: Export) -> None:
    hold(seeds.store, make_survey(), "yes", "agree", "stop")
    export()
    (response,) = export.csv("responses")
    missing = {key[:-8]: cell for key, cell in response.items() if key.endswith(".missing")}
    assert missing == {
        "goals": "",
        "goals_why": "not_applicable",
        "services": "not_answered",
        "sector": "not_reached",
        "warmth": "not_reached",
        "again": "not_reached",
    }
    assert [row["missing"] for row in export.csv("answers")] == ["", "not_answered"]


def test_what_was_not_drawn_is_told_from_what_does_not_apply(seeds: Seeds, export: Export) -> None:
    hold(seeds.store, make_survey(), "yes", "2", "public", "3", "no", draw=())
    export()
    (response,) = export.csv("responses")
    assert response["goals.missing"] == response["goals_why.missing"] == "not_asked"


def test_who_stops_early_was_not_asked_what_was_not_drawn_either(
    seeds: Seeds, export: Export
) -> None:
    later = {"id": "trust", "kind": "yesno", "text": "Trust?", "enabler": "trust"}
    drawn = {"id": "risk", "kind": "yesno", "text": "Risk?", "enabler": "risk"}
    survey = make_survey(question=[*QUESTIONS, later, drawn])
    hold(seeds.store, survey, "yes", "2", "stop", draw=("risk",))
    export()
    (response,) = export.csv("responses")
    missing = {key[:-8]: cell for key, cell in response.items() if key.endswith(".missing")}
    assert missing == {
        "goals": "not_asked",
        "goals_why": "not_asked",
        "services": "",
        "sector": "not_answered",
        "warmth": "not_reached",
        "again": "not_reached",
        "trust": "not_asked",
        "risk": "not_reached",
    }


@pytest.mark.parametrize("sent", [False, True])
def test_an_anonymous_conversation_leaves_only_once_it_was_sent(
    seeds: Seeds, export: Export, sent: bool
) -> None:
    survey = make_survey(anonymity="anonymous")
    replies = ("yes", "agree", "health", "public", "3", "yes", *(["send"] if sent else []))
    hold(seeds.store, survey, *replies)
    export("jsonl")
    rows = export.jsonl("answers")
    assert [row["value"] for row in rows] == (["3", "health", "public", "3", "yes"] if sent else [])
    for row in rows:
        assert (row["response_id"], row["respondent"], row["seconds"]) == ("loose1", None, None)
        assert row["asked_at"] == row["answered_at"] == "2026-12-01"
    words = "".join(export.page(path.name) for path in export.folder.iterdir())
    assert "p-4711" not in words
    assert "s1" not in [row["response_id"] for row in export.jsonl("responses")]
