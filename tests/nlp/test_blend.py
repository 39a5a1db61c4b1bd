"""Heads and wording put together: what is chosen on unseen answers holds once it is folded in."""

from __future__ import annotations

import numpy as np
import pytest

from nlp.decision import sigmoid
from nlp.encoder import Floats
from nlp.heads import Heads
from nlp.training.blend import Blend, choose_blend
from nlp.training.choose import f1_scores
from nlp.wording import Wording, part_features, word_features

DRAW = np.random.default_rng(5)


def spoken(n: int, codes: int, *, share: float) -> tuple[Floats, Floats, Floats]:
    """Truth, and two noisy views of it on scales of their own."""
    gold = (DRAW.random((n, codes)) < share).astype(np.float32)
    clear = 2 * gold - 1
    return gold, 3 * clear + 4 * DRAW.normal(size=gold.shape), clear + DRAW.normal(size=gold.shape)


def test_both_together_are_better_than_either() -> None:
    gold, dense, words = spoken(2_000, 4, share=0.2)
    blend = choose_blend(dense, words, gold)
    assert (blend.dense_scale > 0).all()
    assert (blend.words_scale > 0).all()
    truth = gold > 0.5

    def reached(one: Blend) -> float:
        given = sigmoid(one.logits(dense, words)) >= np.array(one.thresholds)
        return float(f1_scores(given, truth).mean())

    nothing = np.zeros_like(dense)
    assert reached(blend) > reached(choose_blend(dense, nothing, gold)) + 0.03
    assert reached(blend) > reached(choose_blend(nothing, words, gold)) + 0.03
    given = sigmoid(blend.logits(dense, words))
    sure = (given > 0.6) & (given < 0.8)
    assert truth[sure].mean() == pytest.approx(given[sure].mean(), abs=0.06)


def test_noise_gets_no_say() -> None:
    gold, dense, _ = spoken(2_000, 4, share=0.2)
    blend = choose_blend(dense, DRAW.normal(size=dense.shape), gold)
    assert (np.abs(blend.words_scale) < 0.1 * blend.dense_scale).all()


def test_a_rare_codes_threshold_is_near_that_of_all() -> None:
    gold, dense, words = spoken(2_000, 4, share=0.2)
    gold[:, 3] = 0
    gold[:2, 3] = 1  # two answers, both said to hold nothing of the kind
    blend = choose_blend(dense, words, gold)
    common = float(np.mean(blend.thresholds[:3]))
    assert abs(blend.thresholds[3] - common) < 0.15


def test_a_code_that_nobody_gave_is_never_given() -> None:
    draw = np.random.default_rng(1)
    gold = np.zeros((40, 2), dtype=np.float32)
    gold[::3, 0] = 1
    # Nothing can be learnt from noise, and giving a code to everything is best.
    dense, words = draw.normal(size=(2, *gold.shape))
    blend = choose_blend(dense, words, gold)
    given = sigmoid(blend.logits(dense, words)) >= np.array(blend.thresholds)
    assert given[:, 0].any()
    assert not given[:, 1].any()


def test_what_is_folded_in_says_the_same() -> None:
    gold, dense, words = spoken(400, 2, share=0.3)
    blend = choose_blend(dense, words, gold)
    heads = Heads(
        mean_weight=DRAW.normal(size=(2, 3)), mean_bias=DRAW.normal(size=2),
        token_weight=np.zeros((2, 3)), token_bias=np.zeros(2), token_share=0.0,
        max_weight=DRAW.normal(size=(2, 3)),
    )  # fmt: skip
    features = ["open", "hours", "#ours"]
    wording = Wording(
        features=features, rarity=np.ones(3), weight=DRAW.normal(size=(3, 2)),
        bias=DRAW.normal(size=2),
    )  # fmt: skip
    states = [DRAW.normal(size=(5, 3))]
    text = "Open hours"
    read, heard = heads.read(states).codes, wording.logits(text, None)
    after, hears, decision = blend.folded(heads, wording, evidence_floor=0.4)
    given = decision.probabilities(after.read(states).codes, hears.logits(text, None))
    assert given == pytest.approx(sigmoid(blend.logits(read, heard)))
    kept = Heads.of(after.arrays())
    assert kept.read(states).codes == pytest.approx(after.read(states).codes, abs=1e-5)


def test_parts_of_words_know_where_a_word_ends() -> None:
    assert set(part_features("Go on")) == {"# go", "#go ", "# go ", "# on", "#on ", "# on "}
    assert set(part_features("a")) == {"# a "}
    assert part_features("") == {}
    assert not set(part_features("open hours")) & set(word_features("open hours", "hours?"))


def test_a_wording_without_parts_hears_words_alone() -> None:
    weight = np.ones((1, 1))
    plain = Wording(features=["open"], rarity=np.ones(1), weight=weight, bias=np.zeros(1))
    parts = Wording(features=["# op"], rarity=np.ones(1), weight=weight, bias=np.zeros(1))
    assert plain.logits("open", None) == 1
    assert plain.logits("opening", None) == 0
    assert parts.logits("opening", None) == 1
