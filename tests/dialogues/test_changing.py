"""Changes of what was said: edits, late replies, presses on old buttons."""

from __future__ import annotations

from dialogues.effects import (
    AnswerRecorded,
)
from dialogues.replies import MAX_TEXT
from dialogues.session import Status
from tests.dialogues.small import (
    SCALE,
    SURVEY,
    kinds,
    rejected,
    talk_at,
)
from tests.talk import Talk, survey_of

# Edits -----------------------------------------------------------------------------------


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
    assert talk.edit("4", "1").endswith("Changed to: Disagree")
    assert talk.recorded() == [("works", "1", None)]
    assert talk.edit("4", "purple") == (
        "That change does not fit the question, so your earlier answer stays: Disagree"
    )
    assert talk.edit("4", "not sure").endswith("Changed to: (don't know)")
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
        "Used?\nChanged to: No\n\nWhy not?\n\nType your answer in your own words."
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
    assert "Changed to: Agree\n\n2 of 2\nYou said Agree. Why?" in talk.edit("2", "3")


def test_after_the_end_an_answer_can_be_changed_but_nothing_is_asked() -> None:
    talk = Talk(SURVEY)
    for reply in ("yes", "yes", "3", "Our story", "1", "7"):
        talk.say(reply)
    assert talk.session.status is Status.COMPLETE
    assert talk.edit("2", "no").endswith("Changed to: No")
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


# Late replies ----------------------------------------------------------------------------


def test_two_quick_messages_at_an_open_question_are_one_answer() -> None:
    talk = talk_at("story")
    seen = talk.session.turn
    talk.say("First,", seen=seen)
    talk.say("and second.", seen=seen)
    assert kinds(talk) == [AnswerRecorded]
    assert talk.answers["story"] == "First,\nand second."
    assert talk.session.at == "easier"


def test_the_same_words_twice_at_an_open_question_are_said_once() -> None:
    talk = talk_at("story")
    seen = talk.session.turn
    talk.say("Nobody answers.", seen=seen)
    talk.say(" Nobody answers.", seen=seen)
    assert rejected(talk)
    talk.say("Really.", seen=seen)
    assert talk.answers["story"] == "Nobody answers.\nReally."


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
    assert talk.shown.endswith("Changed to: Disagree")
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
    assert talk.say("8", seen=seen).endswith("Changed to: 8")


def test_words_on_a_question_that_was_just_skipped_become_its_answer() -> None:
    talk = talk_at("story")
    seen = talk.session.turn
    talk.say("skip", seen=seen)
    talk.say("skip", seen=seen)
    assert rejected(talk)
    talk.say(" ", seen=seen)
    assert rejected(talk)
    talk.say("Wait, this", seen=seen)
    assert talk.answers["story"] == "Wait, this"
    assert talk.session.at == "easier"


def test_late_words_may_close_the_question_that_came_after() -> None:
    talk = Talk(
        survey_of(
            {"id": "q", "kind": "text", "text": "Q?"},
            {"id": "u", "kind": "text", "text": "U?", "show_if": {"q": {"answered": False}}},
            {"id": "r", "kind": "text", "text": "You said {q}. R?"},
        )
    )
    talk.say("yes")
    seen = talk.session.turn
    talk.say("skip", seen=seen)
    assert talk.session.at == "u"
    assert talk.say("Wait", seen=seen).startswith("2 of 2\nYou said Wait. R?")
    assert talk.say("this", seen=seen).startswith("2 of 2\nYou said Wait\nthis. R?")
    assert talk.answers == {"q": "Wait\nthis"}


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


# Presses on old buttons ------------------------------------------------------------------


def test_old_buttons() -> None:
    talk = Talk(SURVEY)
    talk.say("yes")
    used = talk.prompt
    talk.press("Yes")
    works = talk.prompt
    talk.press("Yes", prompt=used)
    assert rejected(talk)
    talk.press("Agree", prompt=works)
    assert talk.press("Disagree", prompt=works).endswith("Changed to: Disagree")
    assert talk.press("Don't know", prompt=works).endswith("Changed to: (don't know)")
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
