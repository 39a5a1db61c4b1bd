"""A coder's message in a chat: every button says what is to be, and any press is borne."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogues import messages
from dialogues.coding import Codeframe, Coding, Stance
from dialogues.prompts import Press, Prompt, read_token
from dialogues.review_prompts import (
    Scene,
    asks_to_review,
    changed_by,
    finished_prompt,
    read_touch,
    review_prompt,
)
from dialogues.reviewing import begin
from nlp.codeframe import read_codeframe

TEXT = "We share one budget. But nobody tells residents why! Ask us first."
LONGEST = "x" * 16  # as ids are made

SUGGESTED = [
    Coding(
        enabler="resources", stance=Stance.STRENGTH, span_text="one budget", span_start=9,
        span_end=19, confidence=0.7,
    ),
    Coding(
        enabler="of_another_frame", stance=None, span_text="", span_start=0, span_end=0,
        confidence=0.7,
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def codeframe() -> Codeframe:
    return read_codeframe()


@pytest.fixture(scope="module")
def scene(codeframe: Codeframe) -> Scene:
    return Scene(
        sample_id=LONGEST,
        question="Why?",
        text=TEXT,
        blind=False,
        left=3,
        draft=begin("d" * 16, SUGGESTED),
        codeframe=codeframe,
        language="en",
    )


def tokens(prompt: Prompt) -> list[str]:
    return [button.token for button in (*prompt.options, *prompt.controls)]


def press(scene: Scene, token: str) -> tuple[Scene, Prompt]:
    """What comes of a press."""
    touched = read_touch(read_token(token))
    assert touched is not None
    assert (touched.sample_id, touched.draft_id) == (scene.sample_id, scene.draft.draft_id)
    after = replace(scene, draft=changed_by(touched, scene))
    return after, review_prompt(after, touched)


@pytest.mark.parametrize("language", messages.LANGUAGES)
def test_every_button_leads_somewhere_and_twice_to_the_same_place(
    scene: Scene, language: str
) -> None:
    """Goes every way of three presses; nothing is too long for a platform."""
    scene = replace(scene, language=language)
    seen: set[str] = set()
    todo = [(scene, review_prompt(scene), 0)]
    while todo:
        at, prompt, depth = todo.pop()
        assert len(prompt.text) < 3000
        for token in tokens(prompt):
            assert len(token.encode()) <= 64
            after, shown = press(at, token)
            assert press(after, token) == (after, shown)
            if (key := f"{at.draft}{token}") not in seen and depth < 3:
                seen.add(key)
                todo.append((after, shown, depth + 1))
    assert len(seen) > 100


def test_a_code_is_added_by_strand_code_stance_and_words(scene: Scene) -> None:
    prompt = review_prompt(scene)
    for label in ["Add", "Accountability", "Transparency", "something missing", "2"]:
        [token] = [one.token for one in (*prompt.options, *prompt.controls) if one.label == label]
        scene, prompt = press(scene, token)
    tag = scene.draft.tags[-1]
    assert (tag.enabler, tag.stance) == ("transparency", Stance.GAP)
    assert TEXT[tag.start : tag.end] == "But nobody tells residents why!"
    assert "[³But nobody tells residents why!³]" in prompt.text


def labelled(prompt: Prompt, label: str) -> str:
    [token] = [one.token for one in (*prompt.options, *prompt.controls) if one.label == label]
    return token


def test_a_tag_is_given_other_words_by_a_button(scene: Scene) -> None:
    scene, prompt = press(scene, labelled(review_prompt(scene), "1 … words"))
    assert "Which words say so?" in prompt.text
    before = scene.draft
    scene, prompt = press(scene, labelled(prompt, "3"))
    tag = scene.draft.tags[0]
    assert TEXT[tag.start : tag.end] == "Ask us first."
    assert "[¹Ask us first.¹]" in prompt.text
    scene, _ = press(scene, labelled(prompt, "Undo"))
    assert scene.draft == before


def test_of_a_sentence_its_parts_can_be_chosen(scene: Scene) -> None:
    text = "There is no money for her, but she got us all in one room"
    scene = replace(scene, text=text, draft=begin("d", ()))
    prompt = review_prompt(scene)
    for label in ["Add", "Outcomes", "Brokerage", "a strength"]:
        scene, prompt = press(scene, labelled(prompt, label))
    assert "1. There is no money for her,\n2. but she got us all in one room" in prompt.text
    scene, _ = press(scene, labelled(prompt, "2"))
    [tag] = scene.draft.tags
    assert text[tag.start : tag.end] == "but she got us all in one room"


def test_what_has_one_part_alone_needs_no_choosing(scene: Scene) -> None:
    scene = replace(scene, text="Yes, too slow")
    assert not [one for one in review_prompt(scene).options if "words" in one.label]


def test_a_codeframe_without_strands_gives_its_codes_at_once(
    scene: Scene, codeframe: Codeframe
) -> None:
    flat = replace(codeframe, strands=(), codes=codeframe.codes[:2])
    scene = replace(scene, codeframe=flat)
    [token] = [one.token for one in review_prompt(scene).controls if one.label == "Add"]
    _, prompt = press(scene, token)
    assert [button.label for button in prompt.options] == ["Insight", "Brokerage"]


PLACES = st.sampled_from(["k", "s", "w", "a", "m", "d", "p", "u", "z"])
RESTS = st.one_of(
    st.text(max_size=12),
    st.from_regex(r"[xtsgn0-9]{1,3}(-[sgn0-9]{1,2}){0,3}", fullmatch=True),
)


@given(PLACES, RESTS)
def test_no_press_breaks_it(scene: Scene, place: str, rest: str) -> None:
    touched = read_touch(Press(session_id="review", place=place, key=f"x-d-{rest}"))
    assert touched is not None
    after = replace(scene, draft=changed_by(touched, scene))
    for text in ["", "👍", "\n\n", TEXT]:
        review_prompt(replace(after, text=text), touched)


def test_other_buttons_are_not_ours() -> None:
    assert read_touch(None) is None
    assert read_touch(read_token("lobby.r.x")) is None


@pytest.mark.parametrize(
    ("text", "slash", "asks"),
    [
        ("/review", True, True),
        ("/Review@our_bot", True, True),
        (" /adolygu ", True, True),
        ("review", True, False),
        ("review", False, True),
        ("Adolygu!", False, True),
        ("/review", False, True),
        ("review the budget", False, False),
        ("/review me", True, False),
        ("", False, False),
    ],
)
def test_which_words_ask_for_it(text: str, slash: bool, asks: bool) -> None:
    assert asks_to_review(text, slash=slash) is asks


def test_nothing_left_can_be_undone_where_there_was_something() -> None:
    assert finished_prompt("", "en").controls == ()
    [undo] = finished_prompt("x1", "cy").controls
    assert (undo.label, undo.token) == ("Dadwneud", "review.u.x1-none-x")
