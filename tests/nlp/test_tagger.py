"""The tagger's contract, held by the one that ships."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nlp.answers import read_answers
from nlp.evaluate import evaluate
from nlp.languages import NOT_TAGGED
from nlp.load import SpacyTagger, load_tagger
from nlp.model import ModelError
from nlp.shipped import MODEL_PATH
from nlp.tagger import Tagged, Tagger, ToTag
from tests.nlp.conftest import DATA

ANSWERS = [
    ToTag(
        text="They never asked us before they closed the library. They fixed the lift in an hour.",
        question="How are things?",
    ),
    ToTag(text="money", question="What stands in the way of working together?"),
    ToTag(text="hi", question="What helped you work together this month?"),
    ToTag(text="Nikt nas nie zapytał o zdanie.", language="pl"),
    ToTag(text="nobody shares the numbers with us", language="xx"),
]
ASKED = "They never asked us before they closed the library"
ODD = {
    "nothing": "",
    "spaces": " \n\t ",
    "control": "a\x00b\x07 money\x1b[31m",
    "emoji": "👍🏽👨‍👩‍👧",
    "right to left": "لم يسألنا أحد عن الحديقة",
    "one long word": "x" * 100_000,
    "brackets": "(" * 100_000,
    "long": "Nobody asked us about the pool, again. " * 2_500,
}


def check(answer: ToTag, tagged: Tagged, codes: set[str]) -> None:
    assert tagged.error is None or not tagged.codings
    sure = [coding.confidence for coding in tagged.codings]
    assert sure == sorted(sure, reverse=True)
    pairs = [(coding.enabler, coding.stance) for coding in tagged.codings]
    assert len(set(pairs)) == len(pairs)
    for coding in tagged.codings:
        assert coding.enabler in codes
        assert coding.span_text == answer.text[coding.span_start : coding.span_end]
        assert coding.span_text
        assert 0 < coding.confidence <= 1
        assert coding.threshold is not None
        assert 0 < coding.threshold <= coding.confidence
        assert coding.stance is not None


def test_it_is_a_tagger_with_a_version(tagger: SpacyTagger) -> None:
    contract: Tagger = tagger
    name, _, fingerprint = contract.version.partition("@")
    assert name == "commonpulse"
    assert len(fingerprint) == 8
    assert load_tagger().version == contract.version


def test_codes_stances_and_words(tagger: SpacyTagger) -> None:
    two, money, hello, *_ = tagger.tag(ANSWERS)
    found = {coding.enabler: (coding.stance, coding.span_text) for coding in two.codings}
    assert found["engagement"] == ("gap", ASKED)
    assert found["agility"][0] == "strength"
    assert [(coding.enabler, coding.stance) for coding in money.codings] == [("resources", "gap")]
    assert hello == Tagged(codings=())


def test_order_is_kept_and_a_batch_equals_one_by_one(tagger: SpacyTagger) -> None:
    batch = tagger.tag(ANSWERS)
    assert batch == [tagger.tag([answer])[0] for answer in ANSWERS]
    assert batch == tagger.tag(ANSWERS[::-1])[::-1]
    assert tagger.tag([]) == []


def test_an_unknown_language_is_no_trouble(tagger: SpacyTagger) -> None:
    codes = {code.key for code in tagger.codeframe.codes}
    for answer, tagged in zip(ANSWERS, tagger.tag(ANSWERS), strict=True):
        assert tagged.error == (NOT_TAGGED if answer.language == "pl" else None)
        check(answer, tagged, codes)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_an_odd_text_is_tagged_and_disturbs_nobody(fast: SpacyTagger, text: str) -> None:
    codes = {code.key for code in fast.codeframe.codes}
    before, odd, after = fast.tag([ANSWERS[0], ToTag(text=text), ANSWERS[0]])
    assert before == after
    assert before.codings
    assert odd.error is None or text == ODD["right to left"]
    check(ToTag(text=text), odd, codes)


def test_a_long_answer_is_coded_by_its_beginning(fast: SpacyTagger) -> None:
    start = "Nobody asked us before they shut the pool. "
    (long,) = fast.tag([ToTag(text=start + "The weather was mild. " * 4_000)])
    (gap,) = [coding for coding in long.codings if coding.enabler == "engagement"]
    assert gap.span_start == 0


@pytest.mark.parametrize("text", ["a" * 1_000_001, "half \ud800 a character"])
def test_a_text_that_cannot_be_read_says_why(tagger: SpacyTagger, text: str) -> None:
    bad, good = tagger.tag([ToTag(text=text), ANSWERS[1]])
    assert bad.error
    assert not bad.codings
    assert good.codings


@given(st.text(max_size=60), st.one_of(st.none(), st.text(max_size=30)))
@settings(max_examples=60, deadline=None)
def test_no_text_raises(fast: SpacyTagger, text: str, question: str | None) -> None:
    answer = ToTag(text=text, question=question)
    (tagged,) = fast.tag([answer])
    check(answer, tagged, {code.key for code in fast.codeframe.codes})
    assert fast.tag([answer]) == [tagged]


def test_a_broken_component_quarantines_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    tagger = load_tagger()
    make_doc = tagger._nlp.make_doc

    def broken(text: str) -> object:
        if "poison" in text:
            raise MemoryError
        return make_doc(text)

    monkeypatch.setattr(tagger._nlp, "make_doc", broken)
    bad, good = tagger.tag([ToTag(text="poison"), ANSWERS[1]])
    assert bad.error == "the model could not read it (MemoryError)"
    assert good.codings


@pytest.mark.parametrize(
    ("name", "every", "macro", "stance", "iou", "ece"),
    [("default", 4, 0.75, 0.84, 0.60, 0.09), ("fast", 1, 0.74, 0.80, 0.57, 0.05)],
)
def test_scores_do_not_fall_below_the_recorded_floor(
    request: pytest.FixtureRequest, name: str, every: int, macro: float, stance: float,
    iou: float, ece: float,
) -> None:  # fmt: skip
    """On files that the encoder did not learn from; the floor lies a little under the figure.

    The large model is held to every fourth answer, to keep the test short; on so few, chance
    alone moves the calibration error by 0.03.
    """
    tagger: SpacyTagger = request.getfixturevalue({"default": "tagger"}.get(name, name))
    codes = [code.key for code in tagger.codeframe.codes]
    answers = read_answers([DATA / "answers-c.jsonl", DATA / "answers-t.jsonl"], codes)[::every]
    tagged = tagger.tag([ToTag(text=each.text, question=each.question) for each in answers])
    result = evaluate(answers, tagged, codes)
    assert result.errors == 0
    assert result.macro_f1 is not None
    assert result.macro_f1 > macro
    assert result.stance_accuracy is not None
    assert result.stance_accuracy > stance
    assert result.iou50 is not None
    assert result.iou50 > iou
    assert result.ece is not None
    assert result.ece < ece


def test_a_directory_without_a_model_says_so(tmp_path: object) -> None:
    with pytest.raises(ModelError, match=r"no model here \(meta.json is missing\)"):
        load_tagger(MODEL_PATH.parent / "data")
