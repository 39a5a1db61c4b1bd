"""Answers of every kind, and what is said of those that do not fit."""

from __future__ import annotations

from dialogues.effects import (
    AnswerRecorded,
    EventRejected,
    PromptShown,
    ResponseSubmitted,
)
from dialogues.events import ReplyReceived
from dialogues.moves import MAX_ATTEMPTS
from dialogues.replies import MAX_TEXT
from dialogues.session import Status
from tests.dialogues.small import (
    SURVEY,
    dispositions,
    kinds,
    talk_at,
)
from tests.talk import Talk, survey_of

# Answers ---------------------------------------------------------------------------------


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


def test_dont_know_at_an_open_question_counts_where_it_is_offered() -> None:
    question = {"id": "q", "kind": "text", "text": "Q?"}
    offered, not_offered = (
        Talk(survey_of({**question, "dont_know": True})),
        Talk(survey_of(question)),
    )
    for talk in (offered, not_offered):
        talk.say("yes")
        talk.say("I don't know.")
    assert offered.recorded() == [("q", None, "dont_know")]
    assert not_offered.recorded() == [("q", "I don't know.", None)]


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


# Several choices -------------------------------------------------------------------------


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


def test_pressing_twice_what_is_shown_ticks_once() -> None:
    """A press that seems to have got lost is made again, and then both come."""
    talk = talk_at("easier")
    shown = talk.prompt
    talk.press("C", prompt=shown)
    assert [button.ticked for button in talk.prompt.options] == [False, False, True, False]
    ticked = talk.prompt
    talk.press("C", prompt=shown)
    assert talk.effects == [EventRejected(reason="stale")]
    talk.press("B", prompt=shown)
    talk.press("C", prompt=ticked)
    both = talk.prompt
    assert [button.ticked for button in both.options] == [False, True, False, False]
    talk.press("C", prompt=ticked)
    assert talk.effects == [EventRejected(reason="stale")]
    talk.press("Done", prompt=both)
    assert talk.recorded() == [("easier", "b", None)]
    # One of them comes late.
    talk.press("B", prompt=shown)
    assert talk.effects == [EventRejected(reason="stale")]
    talk.press("A", prompt=both)
    assert talk.effects != [EventRejected(reason="stale")]
    assert talk.answers["easier"] == "b"


def test_buttons_of_before_tick_what_is_not_ticked_and_untick_what_is() -> None:
    talk = talk_at("easier")
    place = talk.prompt.options[0].token.rpartition(".")[0]
    for ticked in (True, False, True):
        talk.press_token(f"{place}.0")
        assert talk.prompt.options[0].ticked is ticked
    talk.press_token(f"{place}.9+")
    assert "closed" in talk.shown
    talk.press_token(f"{place}.+")
    assert talk.prompt.options[0].ticked


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


# Repeats ---------------------------------------------------------------------------------


def test_a_repeated_event_changes_nothing() -> None:
    talk = talk_at("story")
    event = ReplyReceived(event_id="same", at=talk.at, text="Our story", position="80")
    talk.happen(event)
    before = talk.session
    talk.happen(event)
    assert talk.effects == [EventRejected(reason="repeated")]
    assert talk.session == before


def test_done_with_nothing_chosen_says_so() -> None:
    several = {"id": "m", "kind": "multichoice", "text": "Which?", "choices": ["Aa", "Bb"]}
    talk = Talk(survey_of(several))
    talk.say("yes")
    assert "at least 1" in talk.say("done")
