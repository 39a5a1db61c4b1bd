"""Reminders, waves that close, and anonymous surveys."""

from __future__ import annotations

from datetime import date

import pytest

from dialogues.codec import encode_session
from dialogues.effects import (
    DispositionSet,
    OptedOut,
    PromptShown,
    QuestionOffered,
    ResponseDropped,
    ResponseSubmitted,
)
from dialogues.events import Reminded
from dialogues.session import Status
from tests.dialogues.small import (
    ANONYMOUS,
    SURVEY,
    dispositions,
    kinds,
    rejected,
    talk_at,
)
from tests.talk import Talk, survey_of

# Waves -----------------------------------------------------------------------------------

GOALS = {"id": "goals", "kind": "yesno", "text": "Same goal?"}


def test_reminders() -> None:
    talk = Talk(SURVEY, waved=True, invited=True, agreed_before=True)
    assert talk.remind() == (
        "Small survey is still open. Would you like to answer? If not, that is fine too."
    )
    assert [button.label for button in talk.prompt.options] == ["Start", "Not this time"]
    talk = Talk(SURVEY, waved=True)
    assert "May we keep your answers?" in talk.remind()
    talk = talk_at("works", waved=True)
    talk.happen(Reminded(event_id="r", at=talk.at, until=date(2026, 12, 11)))
    assert talk.shown.startswith(
        "You have begun Small survey. It is open until 11 December. We were here:\n\n2 of 5"
    )
    talk = Talk(SURVEY, waved=True, invited=True, agreed_before=True)
    today = Reminded(event_id="r", at=talk.at, until=date(2026, 12, 11), minute=9 * 60 + 5)
    talk.happen(today)
    assert talk.shown.startswith("Small survey is still open until 09:05 on 11 December. Would")
    for done in (talk_at(None), talk_at("works")):
        done.say("stop")
        done.remind()
        assert rejected(done)


def test_a_wave_that_closes() -> None:
    silent = Talk(SURVEY, waved=True)
    assert silent.close_wave() == ""
    assert dispositions(silent) == ["non_contact"]
    agreed = talk_at("used", waved=True)
    assert agreed.close_wave() == "Small survey is closed now."
    assert dispositions(agreed) == ["break_off"]
    begun = talk_at("hours", waved=True)
    assert begun.close_wave().startswith("Small survey is closed now. Thank you")
    assert dispositions(begun) == ["partial"]
    begun.say("7")
    assert begun.recorded() == []
    begun.close_wave()
    assert rejected(begun)
    done = talk_at(None, waved=True)
    done.close_wave()
    assert rejected(done)
    assert done.session.status is Status.COMPLETE


# Anonymous surveys -----------------------------------------------------------------------


def test_an_anonymous_response_is_sent_by_its_person() -> None:
    talk = talk_at(None, ANONYMOUS)
    assert talk.session.status is Status.SUBMITTING
    assert "Send your answers now?" in talk.shown
    assert ResponseSubmitted not in kinds(talk)
    assert talk.say("perhaps").startswith("Please press “Send my answers” or “Back”")
    assert talk.say("skip").startswith("Please press “Send my answers” or “Back”")
    assert talk.say("back").startswith("You answered: 7")
    talk.say("8")
    submit = talk.prompt
    talk.press("Send my answers")
    assert kinds(talk) == [DispositionSet, ResponseSubmitted, PromptShown]
    assert talk.shown.startswith("Sent. Nothing joins these answers to you any more.")
    assert talk.session.given == talk.session.asked == ()
    talk.press("Send my answers", prompt=submit)
    assert rejected(talk)


def test_nothing_changes_an_anonymous_response_that_was_sent() -> None:
    talk = talk_at(None, ANONYMOUS)
    talk.say("send")
    assert talk.edit("4", "1").startswith("Your answers have been sent")
    talk.press_token("abc.2.0")
    talk.say("back")
    talk.say("1", seen=4)
    talk.say("stop")
    assert ResponseDropped not in kinds(talk)
    assert "thrown away" not in talk.shown
    assert not any(" = works: '1'" in line for line in talk.log)


@pytest.mark.parametrize("at", ["story", None])
def test_stop_throws_away_what_was_not_sent(at: str | None) -> None:
    talk = talk_at(at, ANONYMOUS)
    talk.say("stop")
    assert kinds(talk) == [OptedOut, DispositionSet, ResponseDropped, PromptShown]
    assert dispositions(talk) == ["break_off"]
    assert talk.session.given == ()
    assert "Answers that you did not send are thrown away." in talk.shown
    assert "May we keep" in talk.say("start")
    talk.say("yes")
    assert QuestionOffered in kinds(talk)


def test_a_closing_wave_throws_away_what_was_not_sent() -> None:
    talk = talk_at(None, ANONYMOUS, waved=True)
    assert talk.close_wave() == "Small survey is closed now."
    assert ResponseDropped in kinds(talk)
    assert dispositions(talk) == ["break_off"]
    assert "Too far" not in encode_session(talk.session)


def test_an_edit_before_sending_goes_back_to_asking() -> None:
    talk = Talk(ANONYMOUS)
    for reply in ("yes", "yes", "3", "Our story", "1", "7"):
        talk.say(reply)
    assert talk.edit("3", "1").endswith("Changed to: Disagree")
    assert talk.session.status is Status.SUBMITTING
    talk.edit("2", "no")
    assert talk.session.at == "why"
    talk.say("Too far")
    assert talk.session.status is Status.SUBMITTING


def test_a_survey_without_thanks_is_thanked_for_all_the_same() -> None:
    talk = Talk(survey_of(GOALS, thanks=None))
    talk.say("yes")
    assert talk.say("yes").endswith("Thank you. That was the last question.")
