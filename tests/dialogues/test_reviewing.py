"""A coder's draft: moves that say what is to be, and what is said in the end."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dialogues.codec import Unreadable, decode_draft, encode_draft
from dialogues.coding import Coding, Stance
from dialogues.reviewing import (
    Draft,
    Tag,
    add,
    begin,
    go_on_from,
    keep,
    move,
    said,
    sentences,
    set_stance,
    shift,
    undo,
)

TEXT = "We share one budget, but nobody tells residents why."
BUDGET, WHY = (3, 19), (25, 51)


def coding(enabler: str, stance: Stance | None, span: tuple[int, int]) -> Coding:
    return Coding(
        enabler=enabler,
        stance=stance,
        span_text=TEXT[slice(*span)],
        span_start=span[0],
        span_end=span[1],
        confidence=0.7,
        threshold=0.5,
    )


SUGGESTED = [
    coding("resources", Stance.STRENGTH, BUDGET),
    coding("transparency", Stance.GAP, WHY),
]


@pytest.fixture
def draft() -> Draft:
    return begin("d1", SUGGESTED)


def told(draft: Draft) -> list[tuple[str, str | None, str, str]]:
    return [(one.enabler, one.stance, one.span_text, what.value) for one, what in said(draft, TEXT)]


def test_done_at_once_confirms_what_was_suggested(draft: Draft) -> None:
    assert told(draft) == [
        ("resources", "strength", "share one budget", "confirmed"),
        ("transparency", "gap", "nobody tells residents why", "confirmed"),
    ]
    assert {(one.confidence, one.threshold) for one, _ in said(draft, TEXT)} == {(1.0, None)}
    assert said(begin("d", []), TEXT) == []


def test_what_does_not_hold_is_rejected_as_it_was_suggested(draft: Draft) -> None:
    draft = keep(move(draft, 1, 0, 2), 1, False)
    assert told(draft)[1] == ("transparency", "gap", "nobody tells residents why", "rejected")


def test_another_stance_or_other_words_are_confirmed_as_changed(draft: Draft) -> None:
    draft = move(set_stance(draft, 0, Stance.NEUTRAL), 0, 9, 19)
    assert told(draft)[0] == ("resources", "neutral", "one budget", "confirmed")
    assert len(told(draft)) == 2


def test_a_code_can_be_added_once(draft: Draft) -> None:
    for _ in range(2):
        draft = add(draft, "insight", Stance.GAP, 0, 2)
    assert told(draft)[2] == ("insight", "gap", "We", "confirmed")
    assert len(draft.tags) == 3
    assert len(told(keep(draft, 2, False))) == 2
    again = add(keep(draft, 2, False), "insight", Stance.GAP, 0, 2)
    assert len(told(again)) == 3
    # What was suggested and taken away holds again, with its own words.
    back = add(keep(draft, 0, False), "resources", Stance.STRENGTH, 0, 2)
    assert told(back)[0] == ("resources", "strength", "share one budget", "confirmed")


def test_two_of_one_kind_are_said_once(draft: Draft) -> None:
    draft = add(draft, "resources", Stance.GAP, 0, 2)
    draft = set_stance(draft, 2, Stance.STRENGTH)
    assert [one[0] for one in told(draft)] == ["resources", "transparency"]
    # Rejected and added anew is not both.
    draft = keep(draft, 0, False)
    assert [(one[0], one[3]) for one in told(draft)] == [
        ("transparency", "confirmed"),
        ("resources", "confirmed"),
    ]


MOVES: list[Callable[[Draft], Draft]] = [
    lambda one: keep(one, 0, False),
    lambda one: keep(one, 0, True),
    lambda one: keep(one, 7, False),
    lambda one: set_stance(one, 1, Stance.STRENGTH),
    lambda one: move(one, 0, 0, 2),
    lambda one: move(one, 0, 3, 2),
    lambda one: add(one, "insight", Stance.GAP, 0, 2),
    lambda one: add(one, "resources", Stance.STRENGTH, 0, 2),
    lambda one: undo(one, 1),
]


@given(st.lists(st.sampled_from(MOVES), max_size=12))
def test_a_move_made_twice_does_what_it_does_once(moves: list[Callable[[Draft], Draft]]) -> None:
    draft = begin("d1", SUGGESTED)
    for one in moves:
        draft = one(draft)
        assert one(draft) == draft
        assert decode_draft(encode_draft(draft)) == draft
        confirmed = [(c.enabler, c.stance) for c, _ in said(draft, TEXT)]
        assert len(confirmed) == len(set(confirmed))
    while draft.before:
        draft = undo(draft)
    assert draft == begin("d1", SUGGESTED)
    assert undo(draft) == draft


def test_very_many_moves_are_not_kept_for_ever(draft: Draft) -> None:
    for number in range(200):
        draft = keep(draft, 0, number % 2 == 1)
    assert len(draft.before) == 50


#: One answer may praise and miss the same enabler.
BOTH_WAYS = [*SUGGESTED, coding("transparency", Stance.STRENGTH, BUDGET)]


@given(
    st.sampled_from([SUGGESTED, BOTH_WAYS]),
    st.lists(
        st.sampled_from([*MOVES, lambda one: keep(one, 1, False), lambda one: keep(one, 2, False)]),
        max_size=8,
    ),
)
def test_what_was_done_is_taken_up_again_as_it_was(
    suggested: list[Coding], moves: list[Callable[[Draft], Draft]]
) -> None:
    draft = begin("d1", suggested)
    for one in moves:
        draft = one(draft)
    again = go_on_from("d2", suggested, said(draft, TEXT))
    by_place = {(c.enabler, c.stance): (c.span_text, what) for c, what in said(draft, TEXT)}
    assert {(c.enabler, c.stance): (c.span_text, what) for c, what in said(again, TEXT)} == by_place
    assert again.before == ()
    everything = go_on_from("d3", suggested, [])
    assert not any(tag.kept for tag in everything.tags)


def test_a_draft_of_another_time_is_read_or_refused() -> None:
    body = '{"v":1,"draft_id":"d","tags":[{"enabler":"risk","stance":"gap","start":0,"end":2}]}'
    assert decode_draft(body).tags == (Tag(enabler="risk", stance=Stance.GAP, start=0, end=2),)
    for broken in ["", "{}", '{"v":1,"draft_id":"d"}', '{"v":99}', "null"]:
        with pytest.raises(Unreadable):
            decode_draft(broken)


@pytest.mark.parametrize(
    ("first", "last", "left"),
    [
        (0, 0, "one budget"),
        (-1, 0, "share one budget"),
        (-9, 0, "We share one budget"),
        (1, 0, "budget"),
        (5, 0, "budget"),
        (0, 1, "one budget, but"),
        (0, -1, "one"),
        (0, -7, "one"),
        (0, 99, "one budget, but nobody tells residents why"),
    ],
)
def test_words_are_moved_by_whole_words(first: int, last: int, left: str) -> None:
    start, end = shift(TEXT, 9, 19, first=first, last=last)
    assert TEXT[start:end] == left


@given(
    st.text(max_size=60), st.integers(0, 60), st.integers(0, 60), st.integers(-3, 3), st.booleans()
)
def test_no_move_leaves_the_text(text: str, start: int, end: int, by: int, first: bool) -> None:
    start = min(start, len(text))
    end = min(max(start, end), len(text))
    a, b = shift(text, start, end, **({"first": by} if first else {"last": by}))
    assert 0 <= a <= b <= len(text)


def test_words_of_no_letters_can_be_moved_too() -> None:
    assert shift("👍 👎", 0, 1, last=1) == (0, 3)
    assert shift("", 0, 0, last=1) == (0, 0)
    assert shift(TEXT, 0, 0, last=0) == (0, 2)


def test_sentences() -> None:
    text = "  It works. Most of it!\n\n...\nWhy? And e.g. this"
    assert [text[slice(*one)] for one in sentences(text)] == [
        "It works.",
        "Most of it!",
        "Why?",
        "And e.g.",
        "this",
    ]
    assert sentences("...") == []
