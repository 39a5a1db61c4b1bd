"""Words, clauses and windows: every character kept, any language, bounded."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from spacy.vocab import Vocab
from tokenizers import Tokenizer

from nlp.clauses import Splitter, clause_bounds
from nlp.shipped import FAST_PATH, MODEL_PATH
from nlp.wording import word_features
from nlp.wordpieces import MAX_PIECES, MAX_WINDOWS, WordPieces

VALID = st.text(st.characters(exclude_categories=["Cs"]), max_size=80)


@pytest.fixture(scope="module", params=[MODEL_PATH, FAST_PATH], ids=["default", "fast"])
def pieces(request: pytest.FixtureRequest) -> WordPieces:
    return WordPieces(request.param / "tokenizer.json")


@given(VALID)
@settings(max_examples=200, deadline=None)
def test_a_document_keeps_every_character(text: str) -> None:
    doc = Splitter(Vocab())(text)
    assert doc.text == text
    end = 0
    for first, last in clause_bounds(doc):
        assert end <= first < last
        end = last


@pytest.mark.parametrize(
    ("text", "clauses"),
    [
        ("They never asked us, but the pool shut.", ["They never asked us", "the pool shut"]),
        ("Slow. Very slow!", ["Slow", "Very slow"]),
        ("Kind, because who cares. But", ["Kind", "because", "who cares", "But"]),
        ("...And 'so' it goes", ["And", "it goes"]),
        ("don't know", ["don't know"]),
        ("It took 3.5 weeks, at 10:30", ["It took 3.5 weeks", "at 10:30"]),
        ("…", []),
        ("مرحبا. كيف حالك", ["مرحبا", "كيف حالك"]),
    ],
)
def test_clauses(text: str, clauses: list[str]) -> None:
    doc = Splitter(Vocab())(text)
    assert [doc[first:last].text for first, last in clause_bounds(doc)] == clauses


def test_a_text_without_end_is_cut_once() -> None:
    text = "a " * 80_000
    doc = Splitter(Vocab())(text)
    assert doc.text == text
    assert len(doc) == 50_001


@given(VALID, st.one_of(st.none(), VALID))
@settings(max_examples=100, deadline=None)
def test_windows_point_into_the_text(pieces: WordPieces, text: str, question: str | None) -> None:
    for window in pieces.windows(text, question):
        assert len(window.ids) == len(window.segments) <= MAX_PIECES
        assert window.first + len(window.offsets) + 1 == len(window.ids)
        assert all(0 <= start < end <= len(text) for start, end in window.offsets)


def test_a_long_answer_is_read_in_windows_that_end_at_a_mark(pieces: WordPieces) -> None:
    text = "Nobody asked us about the pool. " * 60
    windows = pieces.windows(text, "What happened?")
    offsets = [offset for window in windows for offset in window.offsets]
    assert len(windows) > 1
    assert offsets == sorted(set(offsets))
    assert offsets[-1][1] == len(text.rstrip())
    for window in windows[:-1]:
        assert text[slice(*window.offsets[-1])] == "."
    assert len(pieces.windows(text * 100, None)) == MAX_WINDOWS


def test_question_and_answer_are_marked_as_each_encoder_learnt_it() -> None:
    for path, before, between, after in (
        (MODEL_PATH, ["<s>"], ["</s>", "</s>"], ["</s>"]),
        (FAST_PATH, ["[CLS]"], ["[SEP]"], ["[SEP]"]),
    ):
        tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
        (window,) = WordPieces(path / "tokenizer.json").windows("no", "why?")
        assert [tokenizer.id_to_token(number) for number in window.ids] == [
            *before, "why", "?", *between, "no", *after,
        ]  # fmt: skip
        assert window.ids[window.first] == tokenizer.token_to_id("no")


def test_a_long_question_leaves_room_for_the_answer(pieces: WordPieces) -> None:
    (window,) = pieces.windows("No.", "why " * 5000)
    assert len(window.offsets) == 2
    assert len(window.ids) < 80


def test_words_pairs_and_the_questions_words() -> None:
    assert word_features("Don’t ask, don't tell", "Why?") == {
        "don't": 2, "ask": 1, "tell": 1, "don't ask": 1, "ask don't": 1, "don't tell": 1, "?why": 1,
    }  # fmt: skip
