"""What people are shown of what was made of their words, and what their buttons mean."""

from __future__ import annotations

import pytest

from dialogues.coding import Coding, Stance
from dialogues.member_check import (
    Answer,
    Scene,
    Touch,
    as_suggested,
    ask_prompt,
    changed_by,
    edit_prompt,
    off_prompt,
    read_touch,
    wants_no_checks,
)
from dialogues.prompts import Prompt, read_token
from dialogues.reviewing import begin
from nlp.codeframe import read_codeframe

FIRST = "Nobody asks us,\nand nobody explains."
SECOND = "x" * 200 + " money for it"


def tag(enabler: str, text: str, span: str, stance: Stance | None = Stance.GAP) -> Coding:
    start = text.index(span)
    return Coding(
        enabler=enabler, stance=stance, span_text=span, span_start=start,
        span_end=start + len(span), confidence=0.7,
    )  # fmt: skip


def scene(language: str = "en") -> Scene:
    first = [tag("engagement", FIRST, "Nobody asks us"), tag("nonsense", FIRST, "Nobody", None)]
    second = [tag("resources", SECOND, SECOND, Stance.NEUTRAL)]
    return Scene(
        response_id="a" * 24,
        answers=(
            Answer(place=3, text=FIRST, draft=begin("d", first)),
            Answer(place=11, text=SECOND, draft=begin("d", second)),
        ),
        codeframe=read_codeframe(),
        language=language,
    )


def touch(prompt: Prompt, label: str) -> Touch:
    [button] = [one for one in (*prompt.options, *prompt.controls) if one.label == label]
    read = read_touch(read_token(button.token))
    assert read is not None
    assert read.response_id == "a" * 24
    return read


def test_long_words_are_cut_and_whole_answers_are_not_quoted_twice() -> None:
    assert ask_prompt(scene()).text == (
        "This is what we heard:\n\n“Nobody asks us, and nobody explains.”\n"
        "• Engagement (something missing): “Nobody asks us”\n• nonsense: “Nobody”\n\n"
        f"“{'x' * 160} …”\n• Resources (mentioned)\n\nIs that right?"
    )


@pytest.mark.parametrize("language", ["en", "cy"])
def test_every_button_can_be_carried_by_every_platform(language: str) -> None:
    here = scene(language)
    prompts = [ask_prompt(here), edit_prompt(here), off_prompt("a" * 24, language)]
    for rest in ["x", "11", "11-11"]:
        prompts.append(edit_prompt(here, Touch(what="a", response_id="a" * 24, rest=rest)))
    for prompt in prompts:
        for button in (*prompt.options, *prompt.controls):
            assert len(button.token.encode()) <= 64
            assert len(button.label) <= 40


def test_with_several_answers_it_is_asked_in_which() -> None:
    here = scene()
    prompt = edit_prompt(here, touch(edit_prompt(here), "Add something"))
    assert prompt.text.startswith("In which of your answers?\n\n1. “Nobody asks us, and")
    prompt = edit_prompt(here, touch(prompt, "2"))
    prompt = edit_prompt(here, touch(prompt, "Leadership"))
    assert prompt.text == "Leadership: is it there, or missing?"
    answer = changed_by(touch(prompt, "a strength"), here)
    assert answer is not None
    assert answer.place == 11
    assert [(one.enabler, one.stance) for one in answer.draft.kept] == [
        ("resources", Stance.NEUTRAL),
        ("leadership", Stance.STRENGTH),
    ]
    assert as_suggested(answer.draft) == here.answers[1].draft


def test_a_move_made_twice_is_made_once() -> None:
    here = scene()
    for label in ["Take away 3", "3 → a strength"]:
        press = touch(edit_prompt(here), label)
        answer = changed_by(press, here)
        assert answer is not None
        again = Scene(
            response_id=here.response_id, answers=(here.answers[0], answer),
            codeframe=here.codeframe, language="en",
        )  # fmt: skip
        assert changed_by(press, again) is None
        assert answer.draft.before == ()


@pytest.mark.parametrize("what", ["k", "s", "a", "q"])
@pytest.mark.parametrize("rest", ["", "x", "3", "3-9-0", "3-0-q", "99-0-0", "3-99-s", "3-²-1", "-"])
def test_odd_keys_change_nothing(what: str, rest: str) -> None:
    here = scene()
    press = Touch(what=what, response_id="a" * 24, rest=rest)
    assert changed_by(press, here) is None
    assert edit_prompt(here, press).text


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("don't ask", True),
        ("Don’t ask me, please", True),
        ("/dontask", False),
        ("Peidiwch â gofyn", True),
        ("They don't ask us", False),
        ("ask", False),
    ],
)
def test_a_whole_message_says_not_to_ask(text: str, wanted: bool) -> None:
    assert wants_no_checks(text) is wanted
