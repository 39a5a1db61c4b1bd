"""Words at the edge, and words too long for one message."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.channels.words import clean, pieces, spelled_out
from dialogues.prompts import Button, Prompt


@pytest.mark.parametrize(
    ("given_", "kept"),
    [
        ("plain", "plain"),
        ("a\x00b", "a�b"),
        ("a\ud83d", "a�"),
        ("\udc00b", "�b"),
        ("🎉 שלום \u202e \t\n", "🎉 שלום \u202e \t\n"),
    ],
)
def test_only_what_no_store_takes_is_replaced(given_: str, kept: str) -> None:
    assert clean(given_) == kept


def units(text: str) -> int:
    return len(text.encode("utf-16-le")) // 2


@given(st.text(alphabet=st.sampled_from("ab 🎉\n"), max_size=200), st.integers(2, 40))
def test_pieces_fit_and_lose_no_word(text: str, most: int) -> None:
    parts = pieces(text, most=most)
    assert all(units(part) <= most for part in parts)
    assert "".join("".join(parts).split()) == "".join(text.split())


def test_a_text_that_fits_is_left_as_it_is() -> None:
    assert pieces(" a b ", most=5) == [" a b "]


def test_a_cut_falls_between_lines_else_between_words() -> None:
    assert pieces("one two\nthree four", most=12) == ["one two", "three four"]
    assert pieces("one two three four", most=12) == ["one two", "three four"]
    assert pieces("x" * 25, most=10) == ["x" * 10, "x" * 10, "x" * 5]


def test_an_emoji_counts_as_two_and_is_never_cut_in_half() -> None:
    assert pieces("🎉" * 5, most=4) == ["🎉🎉", "🎉🎉", "🎉"]
    assert pieces("a" + "🎉" * 3, most=4) == ["a🎉", "🎉🎉"]


def test_labels_that_a_button_would_cut_are_spelled_out() -> None:
    options = (Button(label="short", token="s.0.0"), Button(label="l" * 30, token="s.0.1"))
    prompt = Prompt(text="Which?", options=options)
    assert spelled_out(prompt, longest=30) == "Which?"
    assert spelled_out(prompt, longest=29) == "Which?\n\n1. short\n2. " + "l" * 30
