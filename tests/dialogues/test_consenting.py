"""Consent first: nothing is asked and nothing is kept before it."""

from __future__ import annotations

import pytest

from dialogues.codec import encode_session
from dialogues.effects import (
    ConsentRecorded,
    OptedOut,
    PromptShown,
    QuestionOffered,
)
from dialogues.session import Status
from tests.dialogues.small import (
    ANONYMOUS,
    SURVEY,
    dispositions,
    kinds,
    rejected,
)
from tests.talk import Talk, survey_of

GOALS = {"id": "goals", "kind": "yesno", "text": "Same goal?"}


def test_consent_comes_before_anything_is_asked_or_kept() -> None:
    talk = Talk(SURVEY)
    assert [button.label for button in talk.prompt.options] == ["More", "I agree", "No thanks"]
    assert "May we keep your answers?" in talk.shown
    for text in ("a secret story", "4", "skip", "back", "secretly"):
        talk.say(text)
        assert kinds(talk) == [PromptShown]
        assert "secret" not in encode_session(talk.session)
    talk.photo()
    talk.edit("1", "a secret")
    assert "secret" not in encode_session(talk.session)
    talk.say("I agree")
    assert kinds(talk) == [ConsentRecorded, QuestionOffered, PromptShown]
    assert talk.shown == "A few questions.\n\n1 of 5\nUsed?"


def test_more_gives_the_whole_text_and_asks_again() -> None:
    talk = Talk(SURVEY)
    assert talk.press("More") == "The whole text."
    assert [button.label for button in talk.prompt.options] == ["I agree", "No thanks"]
    assert "I agree" in talk.say("what?")
    assert talk.say("tell me more") == "The whole text."
    talk.press("I agree")
    assert talk.session.at == "used"


@pytest.mark.parametrize("no", ["no", "No thanks", "I don't agree", "not now", "dim diolch"])
def test_saying_no_keeps_nothing(no: str) -> None:
    talk = Talk(SURVEY)
    talk.say(no)
    assert talk.session.status is Status.REFUSED
    assert dispositions(talk) == ["refusal"]
    assert "We have kept no answers" in talk.shown
    assert talk.say("hello") == "I am not asking anything now. Type start to begin, or help."


def test_who_said_no_may_still_agree() -> None:
    by_word, by_button = Talk(SURVEY), Talk(SURVEY)
    consent = by_button.prompt
    by_word.say("no")
    assert "May we keep" in by_word.say("start")
    by_word.say("yes")
    by_button.press("No thanks")
    by_button.press("No thanks", prompt=consent)
    assert rejected(by_button)
    by_button.press("I agree", prompt=consent)
    assert by_word.session.at == by_button.session.at == "used"


def test_pressing_no_thanks_after_agreeing_withdraws() -> None:
    talk = Talk(SURVEY)
    consent = talk.prompt
    talk.press("I agree")
    talk.press("I agree", prompt=consent)
    assert rejected(talk)
    talk.press("More", prompt=consent)
    assert talk.shown == "The whole text."
    assert talk.session.at == "used"
    talk.press("No thanks", prompt=consent)
    assert talk.session.status is Status.STOPPED
    assert OptedOut in kinds(talk)


def test_who_agreed_before_is_only_invited() -> None:
    talk = Talk(SURVEY, waved=True, invited=True, agreed_before=True)
    assert talk.shown.startswith("Small survey: 5 short questions, about 2 minutes.")
    assert [button.label for button in talk.prompt.options] == ["Start", "Not this time"]
    again = "Please press “Start” or “Not this time”, or type yes or no."
    assert talk.say("who is this?") == again
    assert talk.say("skip") == again
    talk.say("start")
    assert talk.session.at == "used"
    assert kinds(talk)[0] is ConsentRecorded


def test_not_this_time_asks_no_more_and_stops_nothing() -> None:
    talk = Talk(SURVEY, waved=True, invited=True, agreed_before=True)
    talk.press("Not this time")
    assert dispositions(talk) == ["refusal"]
    assert "We will not ask again about this one." in talk.shown
    assert OptedOut not in kinds(talk)


def test_who_agreed_before_and_comes_by_themselves_is_asked_at_once() -> None:
    talk = Talk(SURVEY, agreed_before=True)
    assert talk.shown == "A few questions.\n\n1 of 5\nUsed?"


def test_in_an_anonymous_survey_everybody_is_asked_anew() -> None:
    talk = Talk(ANONYMOUS, agreed_before=True, waved=True, invited=True)
    assert "I agree" in [button.label for button in talk.prompt.options]
    assert "This survey is anonymous." in talk.shown


def test_a_late_yes_is_still_a_yes() -> None:
    talk = Talk(SURVEY)
    talk.say("hello")
    talk.say("yes", seen=1)
    assert talk.session.at == "used"
    talk.say("yes", seen=1)
    assert rejected(talk)


@pytest.mark.parametrize(
    ("wanted", "spoken"), [("cy", "cy"), ("cy-GB", "cy"), ("en-US", "en"), ("fr", "en")]
)
def test_the_nearest_language_is_spoken(wanted: str, spoken: str) -> None:
    assert Talk(SURVEY, language=wanted).session.language == spoken


def test_a_wave_says_what_comes_before_it_asks_for_consent() -> None:
    talk = Talk(survey_of(GOALS, {"id": "why", "kind": "text", "text": "Why?"}), waved=True)
    assert talk.shown.startswith("Small survey: 2 short questions, about 1 minute.")
    assert "May we keep your answers?" in talk.shown


def test_a_surveys_own_commands_are_written_as_they_are_written_here() -> None:
    consent = {"text": "To stop, send /stop or /forget. See a/stop and www.x.org/help."}
    telegram = Talk(survey_of(GOALS, consent=consent), slash=True)
    assert "send /stop or /forget" in telegram.shown
    slack = Talk(survey_of(GOALS, consent=consent))
    assert "send stop or forget. See a/stop and www.x.org/help." in slack.shown


def test_a_language_may_be_named_at_once() -> None:
    talk = Talk(SURVEY)
    assert talk.say("cymraeg").startswith("Bydda i'n ysgrifennu yn Gymraeg o hyn ymlaen.")
    assert talk.session.status is Status.CONSENTING
    assert [button.label for button in talk.prompt.options][1:] == [
        "Rydw i'n cytuno",
        "Dim diolch",
    ]
    assert talk.say("english").startswith("I will write in English from now on.")
