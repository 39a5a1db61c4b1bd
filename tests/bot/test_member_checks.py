"""Member checks: who is asked whether they were heard right, when, and what becomes of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeVar

import pytest

from bot.channels.base import Pressed
from bot.member_checks import MemberChecks
from dialogues.coding import Coding, Stance
from dialogues.prompts import Prompt
from storage.protocol import Store, Timing
from tests.bot.place import MONTHLY, RIVERSIDE, Place
from tests.talk import survey_of

_T = TypeVar("_T")

WORDS = "We share one budget. But nobody tells residents why."
HEARD = survey_of(
    {"id": "why", "kind": "text", "text": "Why? [why]", "member_check": True},
    {"id": "more", "kind": "text", "text": "What else? [more]"},
    survey="heard",
    languages=["en", "cy"],
)
SECRET = survey_of(
    {"id": "why", "kind": "text", "text": "Why? [why]", "member_check": True},
    survey="whispered",
    anonymity="anonymous",
)
BUDGET = Coding(
    enabler="resources", stance=Stance.STRENGTH, span_text="one budget", span_start=9, span_end=19,
    confidence=0.75, threshold=0.5,
)  # fmt: skip
SILENCE = Coding(
    enabler="risk", stance=Stance.GAP, span_text="nobody tells residents why", span_start=25,
    span_end=51, confidence=0.6, threshold=0.5,
)  # fmt: skip
OWN = (
    "select question_id, enabler, stance, span_text, status, coder from codings"
    " where source = 'respondent' order by enabler"
)


@pytest.fixture
def town(place: Place) -> Place:
    """A place where the check-in asks people whether they were heard right."""
    house = replace(RIVERSIDE, survey_id="heard")
    place.set_up(replace(MONTHLY, survey_id="heard"), cohorts=(house,), more=(HEARD, SECRET))
    return place


def finish(town: Place, *, channel: str = "telegram", again: bool = False) -> str:
    """Let Ann answer a whole check-in; gives where her words stand."""
    start = "/start" if channel == "telegram" else "start"
    town.answer("ann", start, *(() if again else ("yes",)), WORDS, channel=channel)
    position = town.said["ann"]
    town.answer("ann", "Nothing else.", channel=channel)
    return position


def tag(town: Place, *codings: Coding) -> None:
    """Let the tagger read what is unread."""

    def job(store: Store) -> None:
        for answer in store.untagged("m@1", limit=99):
            said = codings if answer.text == WORDS else ()
            ids = [town.new_id() for _ in said]
            store.save_codings(
                answer, said, coding_ids=ids, coder="m@1", at=town.clock(), error=None
            )

    town.run(job)


def tick(town: Place) -> None:
    checks = MemberChecks(codeframe=town.runner.codeframe, now=town.clock, new_id=town.new_id)
    checks.tick(town.run)


def asked(town: Place, *, channel: str = "telegram") -> list[Prompt]:
    tick(town)
    return [prompt for _, prompt in town.deliver(channel)]


def press(town: Place, prompt: Prompt, label: str, *, channel: str = "telegram") -> Prompt:
    [button] = [one for one in (*prompt.options, *prompt.controls) if one.label == label]
    town.press("ann", button.token, channel=channel)
    [(_, after)] = town.deliver(channel)
    return after


def said(town: Place) -> list[tuple[object, ...]]:
    return [tuple(row.values())[1:5] for row in town.rows(OWN)]


def state(town: Place) -> list[str]:
    return [row["state"] for row in town.rows("select state from member_checks")]


def test_who_was_heard_right_says_so_by_one_press(town: Place) -> None:
    finish(town)
    tag(town, BUDGET, SILENCE)
    [prompt] = asked(town)
    assert prompt.text == (
        "This is what we heard:\n\n“We share one budget. But nobody tells residents why.”\n"
        "• Resources (a strength): “one budget”\n"
        "• Risk (something missing): “nobody tells residents why”\n\nIs that right?"
    )
    assert [one.label for one in prompt.options] == ["Right", "Not quite"]
    thanks = press(town, prompt, "Right")
    assert thanks.text == "Thank you. We keep what you say beside what the program heard."
    assert said(town) == [
        ("resources", "strength", "one budget", "confirmed"),
        ("risk", "gap", "nobody tells residents why", "confirmed"),
    ]
    # The tagger's own stay as they were, and nobody is asked twice.
    assert town.rows("select distinct status from codings where source = 'tagger'") == [
        {"status": "suggested"}
    ]
    assert asked(town) == []


def test_what_is_not_quite_right_is_put_right_by_buttons(town: Place) -> None:
    finish(town)
    tag(town, BUDGET, SILENCE)
    [prompt] = asked(town)
    prompt = press(town, prompt, "Not quite")
    prompt = press(town, prompt, "Take away 1")
    assert "1 ✗ Resources (a strength)" in prompt.text
    prompt = press(town, prompt, "2 → a strength")
    prompt = press(town, prompt, "2 → something missing")
    prompt = press(town, prompt, "Add something")
    prompt = press(town, prompt, "Back")
    prompt = press(town, prompt, "Add something")
    assert len(prompt.options) == 12
    prompt = press(town, prompt, "Transparency")
    prompt = press(town, prompt, "something missing")
    assert "3 ✓ Transparency (something missing)" in prompt.text
    assert said(town) == []
    prompt = press(town, prompt, "Finish")
    kept = [
        ("resources", "strength", "one budget", "rejected"),
        ("risk", "gap", "nobody tells residents why", "confirmed"),
        ("transparency", "gap", "", "confirmed"),
    ]
    assert said(town) == kept
    assert state(town) == ["done"]
    prompt = press(town, prompt, "Change it")
    prompt = press(town, prompt, "Take away 3")
    press(town, prompt, "Finish")
    assert said(town) == kept[:2]


def test_it_is_seen_in_ones_data(town: Place) -> None:
    finish(town)
    tag(town, BUDGET, SILENCE)
    [prompt] = asked(town)
    town.write("ann", "/mydata")
    assert "We asked you on 1 December whether we heard you right" in town.texts()["ann"][0]
    prompt = press(town, prompt, "Not quite")
    prompt = press(town, prompt, "Take away 1")
    press(town, prompt, "Finish")
    town.write("ann", "/mydata")
    [letter] = town.texts()["ann"]
    assert "  You say it is not: Resources (a strength)\n" in letter
    assert "  You say: Risk (something missing)\n" in letter
    assert "  You told us on 1 December whether we heard you right." in letter


def test_pressed_twice_or_come_again_changes_nothing(town: Place) -> None:
    finish(town)
    tag(town, BUDGET)
    [prompt] = asked(town)
    right = prompt.options[0].token
    event = Pressed(address=town.address("ann"), token=right, **town.event())
    town.take(event)
    before = town.rows("select * from codings order by coding_id")
    town.take(event)
    assert len(town.deliver()) == 1
    town.press("ann", right)
    assert len(town.deliver()) == 1
    assert town.rows("select * from codings order by coding_id") == before


def test_in_welsh_in_slack(town: Place) -> None:
    town.join("ann", channel="slack")
    town.run(lambda store: store.set_language("ann", "cy"))
    finish(town, channel="slack")
    tag(town, BUDGET)
    [prompt] = asked(town, channel="slack")
    assert prompt.text == (
        "Dyma beth glywson ni:\n\n“We share one budget. But nobody tells residents why.”\n"
        "• Adnoddau (cryfder): “one budget”\n\nYdy hynny'n iawn?"
    )
    prompt = press(town, prompt, "Ddim yn hollol", channel="slack")
    prompt = press(town, prompt, "1 → rhywbeth ar goll", channel="slack")
    prompt = press(town, prompt, "Gorffen", channel="slack")
    assert prompt.text.startswith("Diolch.")
    assert said(town) == [("resources", "gap", "one budget", "confirmed")]


def test_nothing_is_asked_where_nothing_was_heard(town: Place) -> None:
    finish(town)
    tag(town)
    assert asked(town) == []
    assert state(town) == ["off"]


def test_nothing_is_asked_before_the_words_are_read_nor_an_hour_after(town: Place) -> None:
    finish(town)
    assert asked(town) == []
    assert state(town) == ["waiting"]
    town.clock.pass_(minutes=61)
    tag(town, BUDGET)
    assert asked(town) == []
    assert state(town) == ["off"]


def test_of_an_anonymous_response_nothing_is_noted(town: Place) -> None:
    town.set_up(cohorts=(replace(RIVERSIDE, survey_id="whispered"),), more=(HEARD, SECRET))
    town.answer("ann", "/start", "yes", WORDS, "send")
    tag(town, BUDGET)
    assert asked(town) == []
    assert state(town) == []


@pytest.mark.parametrize("word", ["/stop", "/forget"])
def test_nothing_is_asked_of_who_has_left(town: Place, word: str) -> None:
    finish(town)
    tag(town, BUDGET)
    town.answer("ann", word, *(["erase everything"] if word == "/forget" else []))
    assert asked(town) == []
    assert town.rows(OWN) == []


def test_what_was_not_sent_yet_is_not_sent_after_stop(town: Place) -> None:
    finish(town)
    tag(town, BUDGET)
    tick(town)
    town.write("ann", "/stop")
    assert [text for text in town.texts()["ann"] if "heard" in text] == []


def test_nothing_is_asked_in_quiet_hours(town: Place) -> None:
    finish(town)
    tag(town, BUDGET)
    minute = town.clock().hour * 60 + town.clock().minute
    quiet = Timing(quiet=(minute - 1, minute + 60))
    town.run(lambda store: store.set_timing(store_id(store, town), quiet))
    assert asked(town) == []
    assert state(town) == ["off"]


def test_in_a_wave_its_quiet_hours_hold(town: Place) -> None:
    town.join("ann")
    evening = replace(MONTHLY, survey_id="heard", quiet_hours=(20 * 60, 8 * 60))
    town.set_up(evening, cohorts=(replace(RIVERSIDE, survey_id="heard"),), more=(HEARD, SECRET))
    town.tick(datetime(2026, 12, 1, 10, tzinfo=UTC))
    town.deliver()
    town.clock.at = datetime(2026, 12, 1, 20, 30, tzinfo=UTC)
    town.answer("ann", "yes", WORDS, "Nothing else.")
    tag(town, BUDGET)
    assert asked(town) == []
    assert state(town) == ["off"]


def test_who_is_answering_something_else_is_asked_afterwards(town: Place) -> None:
    finish(town)
    tag(town, BUDGET)
    town.answer("ann", "/start")
    assert asked(town) == []
    town.answer("ann", "Other words.", "Done.")
    assert len(asked(town)) == 1


def test_typed_words_go_where_they_would_have_gone(town: Place) -> None:
    finish(town)
    town.write("ann", "thanks")
    before = town.texts()["ann"]
    tag(town, BUDGET)
    [prompt] = asked(town)
    town.write("ann", "thanks")
    assert town.texts()["ann"] == before
    # The next check-in is answered as ever, and the check stays.
    town.answer("ann", "/start", "Other words.")
    assert len(town.rows("select * from answers where text = 'Other words.'")) == 1
    assert press(town, prompt, "Right").text.startswith("Thank you.")


@pytest.mark.parametrize("way", ["press", "don't ask", "Peidiwch â gofyn"])
def test_who_does_not_want_to_be_asked_is_not(town: Place, way: str) -> None:
    finish(town)
    tag(town, BUDGET)
    [prompt] = asked(town)
    if way == "press":
        off = press(town, prompt, "Don't ask me this")
    else:
        town.write("ann", way)
        [(_, off)] = town.deliver()
    assert off.text == "That is fine. I will not ask you again whether we heard you right."
    finish(town, again=True)
    tag(town, BUDGET)
    assert asked(town) == []
    assert state(town).count("off") == (2 if way == "press" else 1)
    town.write("ann", "/mydata")
    assert "You do not want to be asked whether we heard you right." in town.texts()["ann"][0]
    assert press(town, off, "Ask me after all").text.startswith("Noted ✓")
    finish(town, again=True)
    tag(town, BUDGET)
    assert len(asked(town)) == 1


def test_at_an_open_question_the_word_is_an_answer(town: Place) -> None:
    finish(town)
    tag(town, BUDGET)
    asked(town)
    town.answer("ann", "/start", "don't ask")
    assert len(town.rows("select * from answers where text = 'don''t ask'")) == 1


def test_words_that_are_changed_are_not_asked_about_any_more(town: Place) -> None:
    position = finish(town)
    tag(town, BUDGET)
    [prompt] = asked(town)
    prompt = press(town, prompt, "Right")
    assert len(said(town)) == 1
    town.edit("ann", position, "Other words.")
    town.deliver()
    assert said(town) == []
    assert press(town, prompt, "Change it").text == (
        "Those words were changed or erased, so there is nothing to check."
    )
    tag(town, BUDGET)
    assert asked(town) == []


def test_a_crash_before_the_commit_asks_nobody_twice(town: Place) -> None:
    finish(town)
    tag(town, BUDGET)
    checks = MemberChecks(codeframe=town.runner.codeframe, now=town.clock, new_id=town.new_id)

    def crash(job: Callable[[Store], _T]) -> _T:
        def broken(store: Store) -> _T:
            done = job(store)
            if not done:
                raise KeyError
            return done

        return town.run(broken)

    with pytest.raises(KeyError):
        checks.tick(crash)
    assert state(town) == ["waiting"]
    assert town.deliver() == []
    assert len(asked(town)) == 1
    assert asked(town) == []


@pytest.mark.parametrize(
    "token", ["check.r.nobody", "check.k.nobody-0-0-0", "check.q.q", "check.y.z"]
)
def test_odd_buttons_do_no_harm(town: Place, token: str) -> None:
    finish(town)
    town.press("ann", token)
    assert len(town.deliver()) == 1
    assert town.rows(OWN) == []


def test_nobody_answers_for_another(town: Place) -> None:
    finish(town)
    tag(town, BUDGET)
    [prompt] = asked(town)
    town.answer("bob", "/start", "yes")
    town.press("bob", prompt.options[0].token)
    [(name, told)] = town.deliver()
    assert (name, told.text[:11]) == ("bob", "Those words")
    assert town.rows(OWN) == []


def store_id(store: Store, town: Place) -> str:
    respondent = store.respondent_at("telegram", town.address("ann").platform_id)
    assert respondent is not None
    return respondent.respondent_id
