"""The conversation, move by move, as a person would meet it."""

from __future__ import annotations

from datetime import date

import pytest

from dialogues.codec import encode_session
from dialogues.effects import (
    AnswerRecorded,
    ConsentRecorded,
    DataRequested,
    DispositionSet,
    ErasureRequested,
    EventRejected,
    LanguageChosen,
    OptedOut,
    PrivacyRequested,
    PromptShown,
    QuestionOffered,
    ResponseDropped,
    ResponseSubmitted,
    ResultsRequested,
)
from dialogues.events import Reminded, ReplyReceived
from dialogues.moves import MAX_ATTEMPTS
from dialogues.replies import MAX_TEXT
from dialogues.session import Status
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


# Consent ----------------------------------------------------------------------------------


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
    talk = Talk(SURVEY, agreed_before=True, greeting="You have joined Riverside.")
    assert talk.shown == "You have joined Riverside.\n\nA few questions.\n\n1 of 5\nUsed?"


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


# Answers ----------------------------------------------------------------------------------


def test_a_whole_conversation() -> None:
    talk = talk_at(None)
    assert talk.session.status is Status.COMPLETE
    assert talk.answers == {
        "used": "no",
        "why": "Too far",
        "works": "3",
        "story": "Our story",
        "easier": "a",
        "hours": "7",
    }
    assert dispositions(talk) == ["complete"]
    assert ResponseSubmitted in kinds(talk)
    assert talk.shown == "7 ✓\n\nThank you."


def test_raw_words_are_kept_beside_the_value() -> None:
    talk = talk_at("works")
    talk.say("agre")
    (answer,) = [one for one in talk.effects if isinstance(one, AnswerRecorded)]
    assert (answer.value, answer.text, answer.question) == ("3", "agre", "It works.")
    assert not answer.edited
    talk = talk_at("works")
    talk.say("not sure")
    (answer,) = [one for one in talk.effects if isinstance(one, AnswerRecorded)]
    assert (answer.value, answer.text, answer.missing) == (None, "not sure", "dont_know")


def test_a_reply_that_does_not_fit_is_asked_again_without_saying_it_twice() -> None:
    talk = talk_at("hours")
    assert talk.shown.endswith("Type a number.")
    assert talk.say("lots") == "Please type a number, such as 3.\n\n5 of 5\nHours?"
    assert "3" not in talk.answers


def test_after_several_tries_a_question_is_left() -> None:
    talk = talk_at("works")
    for _ in range(MAX_ATTEMPTS - 1):
        talk.say("purple")
        assert talk.session.at == "works"
    talk.say("purple")
    assert talk.recorded() == [("works", None, "not_answered")]
    assert talk.shown.startswith("Let us leave this question and go on.")
    assert talk.session.at == "story"


def test_tries_at_a_question_that_was_gone_back_to_do_not_cost_its_answer() -> None:
    talk = talk_at("story")
    talk.say("back")
    for _ in range(MAX_ATTEMPTS):
        talk.say("purple")
    assert talk.session.at == "story"
    assert talk.answers["works"] == "3"


def test_a_required_question_is_never_left() -> None:
    talk = talk_at("hours")
    for reply in ("skip", "idk", *["purple"] * (2 * MAX_ATTEMPTS)):
        talk.say(reply)
        assert talk.session.at == "hours"
        assert talk.recorded() == []
    assert "Skip" not in [button.label for button in talk.prompt.controls]
    assert "If you would rather stop, type stop." in talk.say("skip")


def test_skip_and_dont_know() -> None:
    talk = talk_at("works")
    talk.say("pass")
    assert talk.recorded() == [("works", None, "skipped")]
    assert talk.shown.startswith("Skipped ✓")
    talk.say("skip")
    assert talk.recorded() == [("story", None, "skipped")]
    assert "“Don't know” is not an answer here." in talk.say("don't know")
    talk = talk_at("works")
    talk.press("Don't know")
    assert talk.recorded() == [("works", None, "dont_know")]


def test_an_option_that_sounds_like_dont_know_is_an_option() -> None:
    talk = Talk(
        survey_of({"id": "q", "kind": "choice", "text": "Q?", "choices": ["Yes", "Not sure"]})
    )
    talk.say("yes")
    talk.say("not sure")
    assert talk.answers == {"q": "not_sure"}


def test_an_option_that_sounds_like_a_command_is_an_option() -> None:
    choices = ["Next", "Results", "Stop"]
    talk = Talk(survey_of({"id": "q", "kind": "choice", "text": "Q?", "choices": choices}))
    talk.say("yes")
    talk.say("results")
    assert talk.answers == {"q": "results"}
    stopped = Talk(survey_of({"id": "q", "kind": "choice", "text": "Q?", "choices": choices}))
    stopped.say("yes")
    stopped.say("stop")
    assert stopped.session.status is Status.STOPPED


def test_photos_and_voice_messages() -> None:
    talk = Talk(SURVEY)
    assert talk.photo() == "I can only read words. Please press a button, or type your answer."
    talk.say("yes")
    assert talk.photo().startswith("I can only read words. Please press a button")
    talk = talk_at("story")
    assert talk.photo() == "I can only read words. Please type your answer.\n\n3 of 5\nTell us."
    talk.say("forget")
    assert talk.photo().startswith("I can only read words. Please press a button")
    assert "This erases everything" in talk.shown
    talk = talk_at(None)
    assert talk.photo() == "You have finished this one. Thank you. To answer again, type start."


def test_an_answer_that_is_too_long_is_not_cut_in_silence() -> None:
    talk = talk_at("story")
    assert "10000 characters or fewer" in talk.say("x" * (MAX_TEXT + 1))
    talk.say("x" * MAX_TEXT)
    assert talk.answers["story"] == "x" * MAX_TEXT


def test_a_slash_word_that_is_no_command_is_no_answer() -> None:
    talk = talk_at("story", slash=True)
    assert talk.say("/weather") == "I do not know that word. Type /help to see what you can send."
    assert talk.session.at == "story"
    talk = talk_at("story")
    talk.say("/weather")
    assert talk.answers["story"] == "/weather"


# Several choices --------------------------------------------------------------------------


def test_ticking_and_done() -> None:
    talk = talk_at("easier")
    talk.press("C")
    assert talk.effects == [PromptShown(prompt=talk.prompt, in_place=True)]
    talk.press("A")
    assert [button.ticked for button in talk.prompt.options] == [True, False, True, False]
    talk.press("A")
    talk.press("B")
    talk.press("Done")
    assert talk.recorded() == [("easier", "b|c", None)]
    assert talk.shown.startswith("B, C ✓")


def test_done_may_be_typed_once_something_is_ticked() -> None:
    talk = talk_at("easier")
    talk.say("done")
    assert talk.session.at == "easier"
    talk.press("B")
    talk.say("gorffen")
    assert talk.recorded() == [("easier", "b", None)]


def test_too_few_and_too_many_ticks() -> None:
    made = survey_of(
        {
            "id": "q",
            "kind": "multichoice",
            "text": "Q?",
            "choices": ["A", "B", "C"],
            "min_choices": 2,
            "max_choices": 2,
        }
    )
    talk = Talk(made)
    talk.say("yes")
    assert talk.press("Done").startswith("Please choose at least 2.")
    talk.press("A")
    assert talk.press("Done").startswith("Please choose at least 2.")
    talk.press("B")
    assert talk.press("C").startswith("Please choose no more than 2.")
    assert [button.ticked for button in talk.prompt.options] == [True, True, False, False]
    talk.press("Done")
    assert talk.answers == {"q": "a|b"}


# Back -------------------------------------------------------------------------------------


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
    assert talk.shown.startswith("Changed to: Disagree")
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


# Stop and come back -----------------------------------------------------------------------


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


# Language, help and one's data ------------------------------------------------------------


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


# Edits ------------------------------------------------------------------------------------


def test_editing_one_of_several_messages_of_an_open_answer() -> None:
    talk = talk_at("story")
    seen = talk.session.turn
    talk.say("First.", position="50")
    talk.say("Second.", position="51", seen=seen)
    assert talk.answers["story"] == "First.\nSecond."
    talk.edit("50", "Better.")
    assert kinds(talk) == [AnswerRecorded]
    assert talk.answers["story"] == "Better.\nSecond."
    talk.edit("51", "Second.")
    assert rejected(talk)
    assert talk.edit("51", " ").startswith("That change does not fit the question")
    assert talk.answers["story"] == "Better.\nSecond."
    talk.edit("51", "x" * MAX_TEXT)
    assert "That message is too long" in talk.shown
    assert talk.answers["story"] == "Better.\nSecond."


def test_editing_a_closed_answer() -> None:
    talk = talk_at("story")
    assert talk.edit("4", "1") == "Changed to: Disagree"
    assert talk.recorded() == [("works", "1", None)]
    assert talk.edit("4", "purple") == (
        "That change does not fit the question, so your earlier answer stays: Disagree"
    )
    assert talk.edit("4", "not sure") == "Changed to: (don't know)"
    assert talk.recorded() == [("works", None, "dont_know")]
    assert talk.edit("4", "purple").endswith("your earlier answer stays: (don't know)")
    talk.edit("4", "idk")
    assert rejected(talk)
    assert talk.session.at == "story"


def test_editing_a_reply_that_did_not_fit_gives_the_answer() -> None:
    talk = talk_at("hours")
    talk.say("lots", position="60")
    talk.edit("2", "12")
    assert "hours" not in talk.answers
    talk.edit("60", "many")
    assert rejected(talk)
    talk.edit("60", "12")
    assert talk.answers["hours"] == "12"
    assert talk.session.status is Status.COMPLETE


def test_editing_what_was_no_answer_changes_nothing() -> None:
    talk = talk_at("story")
    talk.edit("1", "no")
    assert rejected(talk)
    talk.edit("900", "My story")
    assert rejected(talk)


def test_an_edit_that_opens_a_question_asks_it() -> None:
    talk = Talk(SURVEY)
    for reply in ("yes", "yes"):
        talk.say(reply)
    assert talk.edit("2", "no") == (
        "Changed to: No\n\nWhy not?\n\nType your answer in your own words."
    )
    assert talk.session.at == "why"


def test_an_edit_that_changes_the_words_of_the_question_puts_it_again() -> None:
    talk = Talk(
        survey_of(
            {"id": "q", **SCALE},
            {"id": "w", "kind": "text", "text": "You said {q}. Why?"},
        )
    )
    for reply in ("yes", "1"):
        talk.say(reply)
    assert talk.edit("2", "3").startswith("Changed to: Agree\n\n2 of 2\nYou said Agree. Why?")


def test_after_the_end_an_answer_can_be_changed_but_nothing_is_asked() -> None:
    talk = Talk(SURVEY)
    for reply in ("yes", "yes", "3", "Our story", "1", "7"):
        talk.say(reply)
    assert talk.session.status is Status.COMPLETE
    assert talk.edit("2", "no") == "Changed to: No"
    assert talk.recorded() == [("used", "no", None)]
    assert talk.session.status is Status.COMPLETE
    talk.edit("4", "A better story")
    assert talk.answers["story"] == "A better story"


def test_edits_after_stop_and_after_the_wave_are_answered() -> None:
    talk = talk_at("story")
    talk.say("stop")
    assert talk.edit("4", "1").startswith("You have stopped, so your answer stays as it was.")
    talk = talk_at("story", waved=True)
    talk.close_wave()
    assert talk.edit("4", "1") == "This check-in is closed, so your answer stays as it was."
    assert talk.answers["works"] == "3"


# Late replies -----------------------------------------------------------------------------


def test_two_quick_messages_at_an_open_question_are_one_answer() -> None:
    talk = talk_at("story")
    seen = talk.session.turn
    talk.say("First,", seen=seen)
    talk.say("and second.", seen=seen)
    assert kinds(talk) == [AnswerRecorded]
    assert talk.answers["story"] == "First,\nand second."
    assert talk.session.at == "easier"


def test_two_quick_numbers_answer_one_question() -> None:
    talk = talk_at("used")
    seen = talk.session.turn
    talk.say("1", seen=seen)
    talk.say("1", seen=seen)
    assert rejected(talk)
    assert talk.answers == {"used": "yes"}
    assert talk.session.at == "works"


def test_a_quick_second_answer_is_a_correction() -> None:
    talk = talk_at("works")
    seen = talk.session.turn
    talk.say("3", seen=seen)
    talk.say("1", seen=seen)
    assert talk.shown == "Changed to: Disagree"
    assert talk.answers["works"] == "1"
    assert talk.session.at == "story"
    talk.say("not sure", seen=seen)
    assert talk.recorded() == [("works", None, "dont_know")]


def test_quick_words_that_answer_nothing_are_not_lost_in_silence() -> None:
    talk = talk_at("works")
    seen = talk.session.turn
    talk.say("3", seen=seen)
    said = talk.say("because they never listen", seen=seen)
    assert said.startswith("Your last message came before this question, so I have not counted it.")
    assert said.count("Tell us.") == 1
    talk.say("back")
    went_back = talk.session.turn
    talk.say("I meant to say this", seen=went_back - 1)
    assert talk.shown.startswith("Your last message came before this question")
    assert talk.recorded() == []


def test_quick_words_after_the_last_question_get_an_answer() -> None:
    talk = talk_at("hours", waved=True)
    seen = talk.session.turn
    talk.say("7", seen=seen)
    assert talk.say("or so", seen=seen).startswith("You have finished this check-in.")
    assert talk.say("8", seen=seen) == "Changed to: 8"


def test_words_on_a_question_that_was_just_skipped_become_its_answer() -> None:
    talk = talk_at("story")
    seen = talk.session.turn
    talk.say("skip", seen=seen)
    talk.say("skip", seen=seen)
    assert rejected(talk)
    talk.say("Wait, this", seen=seen)
    assert talk.answers["story"] == "Wait, this"
    assert talk.session.at == "easier"


def test_a_reply_to_a_question_that_was_only_put_again_is_its_answer() -> None:
    talk = talk_at("story")
    seen = talk.session.turn
    talk.remind()
    talk.say("Our story", seen=seen)
    assert talk.answers["story"] == "Our story"


def test_stop_counts_at_once() -> None:
    talk = talk_at("story")
    talk.say("stop", seen=1)
    assert talk.session.status is Status.STOPPED
    talk.say("more words", seen=1)
    assert rejected(talk)


# Presses on old buttons -------------------------------------------------------------------


def test_old_buttons() -> None:
    talk = Talk(SURVEY)
    talk.say("yes")
    used = talk.prompt
    talk.press("Yes")
    works = talk.prompt
    talk.press("Yes", prompt=used)
    assert rejected(talk)
    talk.press("Agree", prompt=works)
    assert talk.press("Disagree", prompt=works) == "Changed to: Disagree"
    assert talk.press("Don't know", prompt=works) == "Changed to: (don't know)"
    assert talk.recorded() == [("works", None, "dont_know")]
    talk.say("Our story")
    easier = talk.prompt
    talk.press("A")
    talk.press("Done")
    talk.press("Done", prompt=easier)
    assert rejected(talk)
    assert talk.press("B", prompt=easier).startswith("That question is closed. Here is where")
    assert talk.answers["easier"] == "a"


def test_skip_pressed_twice_skips_once() -> None:
    talk = talk_at("works")
    prompt = talk.prompt
    talk.press("Skip")
    talk.press("Skip", prompt=prompt)
    assert rejected(talk)
    assert talk.session.at == "story"


def test_a_button_of_another_conversation() -> None:
    talk = talk_at("works")
    assert talk.press_token("old.0.1").startswith("That question is closed. Here is where we are")
    assert talk.session.at == "works"
    talk = talk_at(None)
    assert talk.press_token("old.0.1") == "That question is closed. Your answers are safe."
    talk = Talk(SURVEY)
    talk.say("no")
    assert "answers are safe" not in talk.press_token("old.0.1")


# Waves ------------------------------------------------------------------------------------


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


# Anonymous surveys ------------------------------------------------------------------------


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
    assert talk.edit("3", "1") == "Changed to: Disagree"
    assert talk.session.status is Status.SUBMITTING
    talk.edit("2", "no")
    assert talk.session.at == "why"
    talk.say("Too far")
    assert talk.session.status is Status.SUBMITTING


# Repeats ----------------------------------------------------------------------------------


def test_a_repeated_event_changes_nothing() -> None:
    talk = talk_at("story")
    event = ReplyReceived(event_id="same", at=talk.at, text="Our story", position="80")
    talk.happen(event)
    before = talk.session
    talk.happen(event)
    assert talk.effects == [EventRejected(reason="repeated")]
    assert talk.session == before
