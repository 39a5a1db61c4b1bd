"""Why a code was given: in the numbers, in a terminal, and on a page."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.errors import CannotError, UserError
from dialogues.coding import Stance
from nlp.explain import Explanation, by_cues, explain
from nlp.heads import Heads
from nlp.load import SpacyTagger, load_tagger
from nlp.nearest import DATA_PATH, nearest
from nlp.page import page
from nlp.tagger import ToTag
from tests.nlp.conftest import Pulse, error_of

ASKED = "They never asked us before they closed the library"


@pytest.fixture(scope="module")
def tagger() -> SpacyTagger:
    """The fast one: an explanation is the same sum whatever the encoder."""
    return load_tagger("fast")


def explained(tagger: SpacyTagger, text: str, question: str | None = None) -> Explanation:
    answer = ToTag(text=text, question=question)
    (tagged,) = tagger.tag([answer])
    assert tagged.error is None
    return explain(tagger, answer, tagged)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_what_each_piece_adds_sums_to_the_logit(share: float) -> None:
    random = np.random.default_rng(5)
    heads = Heads(
        mean_weight=random.normal(size=(3, 8)), mean_bias=random.normal(size=3),
        token_weight=random.normal(size=(3, 8)), token_bias=random.normal(size=3),
        token_share=share,
    )  # fmt: skip
    states = random.normal(size=(6, 8))
    logits = heads.read([states]).codes
    for code in range(3):
        assert heads.parts(states, code).sum() + heads.mean_bias[code] == pytest.approx(
            logits[code]
        )


def test_each_code_has_its_reason(tagger: SpacyTagger) -> None:
    result = explained(tagger, ASKED)
    assert [reason.coding for reason in result.reasons] == list(result.tagged.codings)
    assert result.model == tagger.version
    (reason,) = (each for each in result.reasons if each.coding.enabler == "engagement")
    assert reason.coding.confidence >= reason.threshold > 0
    assert "asked" in reason.words
    assert all(word in ASKED for word in reason.words)
    assert 0 < len(reason.phrases) <= 3
    assert reason.example is not None
    assert reason.example.coding.enabler == "engagement"
    assert reason.example.coding.stance == Stance.GAP
    assert reason.example.coding in reason.example.answer.codings


def test_the_question_weighs_and_says_so(tagger: SpacyTagger) -> None:
    result = explained(tagger, "yes, always", "Do you wait long for an answer from the council?")
    phrases = [phrase for reason in result.reasons for phrase in reason.phrases]
    assert any(phrase.endswith(" (in the question)") for phrase in phrases)


def test_without_a_code_there_is_at_most_a_near_miss(tagger: SpacyTagger) -> None:
    assert explained(tagger, "👍").near_miss is None
    hello = explained(tagger, "hi")
    assert hello.reasons == ()
    missed = explained(tagger, ASKED).near_miss
    assert missed is None or 0 < missed.score < missed.threshold


def test_words_come_of_the_window_that_spoke(tagger: SpacyTagger) -> None:
    text = "The weather was mild. " * 100 + ASKED
    (reason,) = (
        each for each in explained(tagger, text).reasons if each.coding.enabler == "engagement"
    )
    assert "asked" in reason.words


def test_a_phrase_in_another_language_is_its_own_reason(tagger: SpacyTagger) -> None:
    result = explained(tagger, "Doedd neb wedi gofyn i ni cyn cau'r llyfrgell")
    (reason,) = result.reasons
    assert (reason.phrases, reason.words, reason.threshold) == (("gofyn i ni",), (), 0.5)
    assert by_cues(result) in page(result, tagger.codeframe)
    assert by_cues(result).startswith("By cue phrases")
    assert not by_cues(explained(tagger, "hi"))


@settings(max_examples=30, deadline=None)
@given(text=st.text(max_size=60), question=st.none() | st.text(max_size=20))
def test_any_answer_can_be_explained_and_shown(
    tagger: SpacyTagger, text: str, question: str | None
) -> None:
    answer = ToTag(text=text, question=question)
    (tagged,) = tagger.tag([answer])
    if tagged.error is None:
        assert page(explain(tagger, answer, tagged), tagger.codeframe)


def test_examples_are_of_ours_and_never_the_answer_itself(tagger: SpacyTagger) -> None:
    ours = "".join(path.read_text(encoding="utf-8") for path in DATA_PATH.glob("*.jsonl"))
    result = explained(tagger, "money", "What got in the way?")
    for reason in result.reasons:
        assert reason.example is not None
        assert reason.example.answer.text != "money"
        assert reason.example.answer.answer_id in ours
        assert 0 < reason.example.likeness <= 1.0001


def test_for_other_codes_than_ours_there_are_no_examples(tagger: SpacyTagger) -> None:
    (coding, *_) = explained(tagger, ASKED).tagged.codings
    keys = [code.key for code in tagger.codeframe.codes][:3]
    other = [coding.enabler, *keys]
    assert nearest(tagger.model.wording, other, ASKED, None, [coding]) == [None]


class _Words(HTMLParser):
    """Reads what a browser would show of the answer, and every element with its attributes."""

    def __init__(self) -> None:
        super().__init__()
        self.words = ""
        self.elements: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_shows_the_words_and_runs_none_of_them(tagger: SpacyTagger) -> None:
    text = 'They <script>alert(1)</script> never asked {us} & "we" wait,\nstill: {0} months!'
    html = page(explained(tagger, text, "<img src=x onerror=y>?"), tagger.codeframe)
    parser = _Words()
    parser.feed(html)
    kinds = {tag for tag, _ in parser.elements}
    assert not kinds & {"script", "img", "link", "iframe", "a"}
    assert not any({"src", "href", "onerror"} & set(given) for _, given in parser.elements)
    assert not re.search(r"https?:|url\(|@import", html)
    assert any("default-src 'none'" in (given.get("content") or "") for _, given in parser.elements)
    shown = re.sub(r"[A-Z][a-z ]+, (?:gap|strength|neutral)", "", parser.words)
    for word in text.split():
        assert word in shown
    assert "<img src=x onerror=y>?" in parser.words
    assert tagger.version in parser.words


def test_every_code_is_on_the_page_with_its_evidence(tagger: SpacyTagger) -> None:
    result = explained(tagger, f"{ASKED}.\n\nThe lift was fixed in an hour.")
    html = page(result, tagger.codeframe)
    names = tagger.codeframe.names("en")
    assert len(result.reasons) >= 2
    for reason in result.reasons:
        assert html.count(f"{names[reason.coding.enabler]}, {reason.coding.stance}") >= 2
        assert reason.coding.span_text in html
    assert "No code." in page(explained(tagger, "hi"), tagger.codeframe)


def test_tag_says_why_in_a_terminal(pulse: Pulse) -> None:
    shown = pulse("tag", ASKED).stdout
    for said in ("Engagement  gap", "given from", "evidence", "words", "wording", "like"):
        assert said in shown
    assert "\x1b" not in pulse("tag", "They never asked\x1b[2J us before they closed it").stdout


def test_tag_writes_a_page(pulse: Pulse, tmp_path: Path) -> None:
    file = tmp_path / "tagged.html"
    result = pulse("tag", ASKED, "--html", file)
    assert result.stdout == f"Written to {file}.\n"
    assert "Engagement, gap" in file.read_text(encoding="utf-8")
    assert isinstance(error_of(pulse("tag", ASKED, "--html", tmp_path)), CannotError)
    assert isinstance(error_of(pulse("tag", ASKED, "--html", file, "--json")), UserError)
