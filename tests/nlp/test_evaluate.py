"""Figures worked out by hand."""

from __future__ import annotations

import pytest

from dialogues.coding import Coding, Stance
from nlp.answers import CodedAnswer
from nlp.evaluate import evaluate, overlap
from nlp.tagger import Tagged


def coding(key: str, *, span: tuple[int, int] = (0, 0), confidence: float = 1.0,
           stance: Stance | None = None) -> Coding:  # fmt: skip
    return Coding(
        enabler=key, stance=stance, span_text="x" * (span[1] - span[0]), span_start=span[0],
        span_end=span[1], confidence=confidence,
    )  # fmt: skip


def coded(*codings: Coding) -> CodedAnswer:
    return CodedAnswer(answer_id="1", text="x" * 50, question=None, codings=codings)


def test_codes_stance_evidence_and_calibration() -> None:
    answers = [
        coded(coding("a", span=(0, 10), stance=Stance.GAP)),
        coded(coding("a"), coding("b", span=(10, 20), stance=Stance.GAP)),
        coded(),
    ]
    tagged = [
        Tagged(codings=(coding("a", span=(0, 5), stance=Stance.GAP, confidence=0.95),)),
        Tagged(codings=(coding("b", span=(16, 26), stance=Stance.NEUTRAL, confidence=0.55),)),
        Tagged(codings=(coding("b", confidence=0.55),)),
    ]
    result = evaluate(answers, tagged, ["a", "b", "c"])
    assert result.per_code["a"].f1 == pytest.approx(2 / 3)
    assert result.per_code["a"].precision == 1
    assert result.per_code["b"].recall == 1
    assert result.per_code["b"].precision == 0.5
    assert result.per_code["c"].f1 is None
    assert result.macro_f1 == pytest.approx(2 / 3)
    assert result.micro_f1 == pytest.approx(2 * 2 / 6)
    assert (result.stance_n, result.stance_accuracy) == (2, 0.5)
    assert (result.evidence_n, result.iou50) == (2, 0.5)
    # one bin with 0.95 against 1, one with 0.55 twice against one half right
    assert result.ece == pytest.approx((0.05 + 0.1) / 3)


def test_nothing_to_compare_is_none_and_an_error_counts_as_no_code() -> None:
    result = evaluate([coded(coding("a"))], [Tagged(codings=(), error="no")], ["a"])
    assert result.errors == 1
    assert result.macro_f1 == 0
    assert (result.stance_accuracy, result.iou50, result.ece) == (None, None, None)
    empty = evaluate([], [], ["a"])
    assert (empty.macro_f1, empty.micro_f1) == (None, None)


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [((0, 10), (0, 10), 1.0), ((0, 10), (5, 10), 0.5), ((0, 5), (5, 9), 0.0), ((0, 0), (0, 0), 0)],
)
def test_overlap(one: tuple[int, int], other: tuple[int, int], share: float) -> None:
    assert overlap(one, other) == share == overlap(other, one)
