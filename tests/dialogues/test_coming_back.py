"""Going back, stopping, coming back; language, help and one's own data."""

from __future__ import annotations

import pytest

from dialogues.effects import (
    AnswerRecorded,
    DataRequested,
    DispositionSet,
    ErasureRequested,
    LanguageChosen,
    OptedOut,
    PrivacyRequested,
    PromptShown,
    ResultsRequested,
)
from dialogues.session import Status
from tests.dialogues.small import (
    ONLY_ENGLISH,
    SURVEY,
    dispositions,
    kinds,
    rejected,
    talk_at,
)
from tests.talk import Talk

# Back ------------------------------------------------------------------------------------


def test_back_shows_the_answer_and_keeps_it_until_another_is_given() -> None:
    talk = talk_at("story")
    assert talk.say("back").startswith("You answered: Agree\n\n2 of 5\nIt works.")
    assert talk.answers["works"] == "3"
    assert talk.recorded() == []
    talk.say("1")
    assert [one.edited for one in talk.effects if isinstance(one, AnswerRecorded)] == [True]
    assert talk.answers["works"] == "1"
    assert talk.session.at == "story"


def test_back_twice_over_a_conditional_question_and_at_the_first() -> None:
    talk = talk_at("works")
    assert talk.session.at == "works"
    talk.press("Back")
    assert talk.session.at == "why"
    talk.press("Back")
    assert talk.session.at == "used"
    assert "Back" not in [button.label for button in talk.prompt.controls]
    assert talk.say("back").startswith("This is the first question")
    talk.say("no")
    assert talk.session.at == "works"
    assert talk.answers == {"used": "no", "why": "Too far"}


def test_back_and_another_answer_that_closes_the_way() -> None:
    talk = talk_at("works")
    talk.say("back")
    talk.say("back")
    said = talk.say("yes")
    assert talk.recorded() == [("used", "yes", None), ("why", None, "not_applicable")]
    assert "An earlier answer does not fit any more" in said
    assert talk.session.at == "works"


def test_back_to_several_choices_finds_them_ticked() -> None:
    talk = talk_at("hours")
    talk.press("Back")
    assert [button.ticked for button in talk.prompt.options] == [True, False, False, False]
    talk.press("B")
    talk.press("Done")
    assert talk.answers["easier"] == "a|b"


def test_back_pressed_twice_goes_back_once() -> None:
    talk = talk_at("story")
    newest = talk.prompt
    talk.press("Back")
    talk.press("Back", prompt=newest)
    assert rejected(talk)
    assert talk.session.at == "works"


def test_after_back_the_old_message_may_be_edited_instead() -> None:
    talk = talk_at("story")
    talk.say("back")
    talk.edit("4", "1")
    assert talk.recorded() == [("works", "1", None)]
    assert "Changed to: Disagree" in talk.shown
    assert talk.session.at == "story"
    talk = talk_at("easier")
    talk.say("back")
    talk.edit("5", "A better story")
    assert talk.answers["story"] == "A better story"
    assert talk.session.at == "easier"


def test_an_old_button_pressed_while_gone_back_does_not_move_on() -> None:
    talk = Talk(SURVEY)
    talk.say("yes")
    used = talk.prompt
    for reply in ("yes", "3", "back"):
        talk.say(reply)
    assert talk.session.at == "works"
    talk.press("No", prompt=used)
    assert talk.answers == {"used": "no", "works": "3"}
    assert talk.session.at == "works"
    talk.say("1")
    assert talk.session.at == "why"


# Stop and come back ----------------------------------------------------------------------


@pytest.mark.parametrize("word", ["stop", "Stop. Thank you", "/stop", "gorffen"])
def test_stop_ends_it_and_start_goes_on(word: str) -> None:
    talk = talk_at("works")
    talk.say(word)
    assert kinds(talk) == [OptedOut, DispositionSet, PromptShown]
    assert talk.session.status is Status.STOPPED
    assert "What you told us before stays." in talk.shown
    assert talk.say("3").startswith("I am not asking anything now.")
    assert talk.recorded() == []
    assert talk.say("start").startswith("Welcome back. We were here:\n\n2 of 5\nIt works.")
    talk.say("3")
    assert talk.answers["works"] == "3"


def test_stop_says_what_stays_also_after_going_back() -> None:
    talk = Talk(SURVEY)
    talk.say("yes")
    assert talk.say("stop") == "You have stopped, and we will not write to you again. " + (
        "Type start to come back."
    )
    talk = Talk(SURVEY)
    for reply in ("yes", "yes", "back"):
        talk.say(reply)
    assert "What you told us before stays." in talk.say("stop")


def test_stop_before_consent_is_a_refusal() -> None:
    talk = Talk(SURVEY)
    talk.say("stop")
    assert dispositions(talk) == ["refusal"]
    assert "May we keep" in talk.say("start")


@pytest.mark.parametrize("replies", [[], ["yes", "no"]])
def test_a_closed_wave_stays_closed_after_stop_and_start(replies: list[str]) -> None:
    talk = Talk(SURVEY, waved=True)
    for reply in replies:
        talk.say(reply)
    talk.close_wave()
    talk.say("stop")
    assert OptedOut in kinds(talk)
    talk.say("start")
    assert talk.session.status is Status.CLOSED


def test_dispositions_of_who_stops() -> None:
    early, late = talk_at("why"), talk_at("hours")
    early.say("stop")
    late.say("stop")
    assert (dispositions(early), dispositions(late)) == (["break_off"], ["partial"])
    skipping = Talk(SURVEY)
    for reply in ("yes", "yes", "skip", "skip", "skip", "0"):
        skipping.say(reply)
    assert dispositions(skipping) == ["partial"]


# Language, help and one's data -----------------------------------------------------------


@pytest.mark.parametrize("named", ["Cymraeg", "cymraeg", "Welsh", "cy", "yn Gymraeg"])
def test_another_language_in_the_middle(named: str) -> None:
    talk = talk_at("works")
    assert talk.say("language") == "Which language would you like?"
    talk.say(named)
    assert kinds(talk) == [LanguageChosen, PromptShown]
    assert talk.shown.startswith("Bydda i'n ysgrifennu yn Gymraeg o hyn ymlaen.\n\n2 o 5\n")
    talk.say("Agree")
    assert talk.answers["works"] == "3"


def test_a_language_by_button_pressed_twice() -> None:
    talk = Talk(SURVEY)
    talk.say("iaith")
    ask = talk.prompt
    assert talk.press("Cymraeg", prompt=ask).startswith("Bydda i'n ysgrifennu")
    talk.press("Cymraeg", prompt=ask)
    assert rejected(talk)
    talk.press("English", prompt=ask)
    assert talk.session.language == "en"


def test_a_question_about_language_does_not_stand_in_the_way() -> None:
    talk = talk_at("works")
    talk.say("language")
    talk.say("3")
    assert talk.answers["works"] == "3"
    assert talk.session.aside is None


def test_a_survey_in_one_language_says_so() -> None:
    talk = talk_at("works", ONLY_ENGLISH)
    assert talk.say("language") == "This survey is in one language only: English."
    talk.press_token("abc.l.cy")
    assert talk.session.language == "en"


@pytest.mark.parametrize(
    ("word", "requested"),
    [("privacy", PrivacyRequested), ("mydata", DataRequested), ("results", ResultsRequested)],
)
@pytest.mark.parametrize("at", ["works", "story", None])
def test_requests_leave_the_conversation_where_it_is(
    word: str, requested: type, at: str | None
) -> None:
    talk = talk_at(at)
    before = talk.session
    talk.say(word)
    assert kinds(talk) == [requested]
    assert (talk.session.at, talk.session.given) == (before.at, before.given)


def test_which_results_are_wanted_is_passed_on() -> None:
    talk = talk_at("story")
    talk.say("results 2")
    assert talk.effects == [ResultsRequested(wanted="2")]
    assert talk.session.at == "story"


def test_help_is_said_beside_the_question() -> None:
    talk = talk_at("story", slash=True)
    assert "/skip – leave out a question" in talk.say("/help")
    assert [effect.lasting for effect in talk.effects if isinstance(effect, PromptShown)] == [True]
    talk.say("Our story")
    assert talk.answers["story"] == "Our story"


@pytest.mark.parametrize("at", ["used", "works", "story", None])
@pytest.mark.parametrize("second", ["forget", "yes", "Erase everything", "dileu popeth"])
def test_forget_twice_erases(at: str | None, second: str) -> None:
    talk = talk_at(at)
    assert talk.say("forget").startswith("This erases everything we keep about you")
    assert kinds(talk) == [PromptShown]
    talk.say(second)
    assert kinds(talk) == [ErasureRequested]


def test_forget_by_button_and_keeping_it() -> None:
    talk = talk_at("works")
    talk.say("forget")
    ask = talk.prompt
    said = talk.press("Keep it")
    assert said.startswith("Nothing is erased. Everything stays as it was.\n\n2 of 5\nIt works.")
    talk.press("Erase everything", prompt=ask)
    assert ErasureRequested not in kinds(talk)
    talk.say("forget")
    talk.press("Erase everything")
    assert kinds(talk) == [ErasureRequested]


def test_a_mere_ok_erases_nothing_and_is_no_answer() -> None:
    talk = talk_at("used")
    talk.say("forget")
    assert talk.say("ok").startswith("This erases everything")
    assert talk.answers == {}
    assert talk.say("no").startswith("Nothing is erased.")
    assert talk.answers == {}


def test_something_else_after_forget_is_an_answer_and_forget_must_be_said_anew() -> None:
    talk = talk_at("works")
    talk.say("forget")
    talk.say("3")
    assert talk.answers["works"] == "3"
    talk.say("forget")
    assert kinds(talk) == [PromptShown]


def test_forget_sent_twice_before_the_warning_was_seen_erases_nothing() -> None:
    talk = talk_at("works")
    seen = talk.session.turn
    talk.say("forget", seen=seen)
    talk.say("forget", seen=seen)
    assert rejected(talk)
    talk.say("forget", seen=seen + 1)
    assert kinds(talk) == [ErasureRequested]


def test_a_yes_to_the_question_is_no_yes_to_erasing_that_was_not_seen() -> None:
    talk = talk_at("used")
    seen = talk.session.turn
    talk.say("forget", seen=seen)
    talk.say("yes", seen=seen)
    assert talk.answers == {"used": "yes"}
