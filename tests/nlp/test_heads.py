"""The arithmetic: heads as torch computes them, windows, calibration, evidence."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from nlp.decision import Decision, best_clauses
from nlp.heads import Heads, softmax

RECORDED = json.loads((Path(__file__).parent / "heads.json").read_text())


def heads() -> Heads:
    weights = {name: np.array(values) for name, values in RECORDED["heads"].items()}
    return Heads(
        mean_weight=weights["mean_head.weight"],
        mean_bias=weights["mean_head.bias"],
        token_weight=weights["token_head.weight"],
        token_bias=weights["token_head.bias"],
        token_share=1.0,
        stance_weight=weights["stance_head.weight"],
        stance_bias=weights["stance_bias"] + weights["stance_head.bias"],
    )


def test_the_heads_give_what_the_trained_network_gave() -> None:
    reading = heads().read([np.array(RECORDED["states"])])
    np.testing.assert_allclose(reading.codes, RECORDED["codes"], atol=1e-4)
    np.testing.assert_allclose(reading.tokens, RECORDED["tokens"], atol=1e-4)
    assert reading.stances is not None
    np.testing.assert_allclose(reading.stances, RECORDED["stances"], atol=1e-4)


def test_a_code_comes_from_the_window_that_speaks_most_of_it() -> None:
    states = np.array(RECORDED["states"])
    one, two = heads().read([states[:2]]), heads().read([states[2:]])
    both = heads().read([states[:2], states[2:]])
    np.testing.assert_allclose(both.codes, np.maximum(one.codes, two.codes))
    assert both.tokens.shape == (4, 3)
    assert both.stances is not None
    assert one.stances is not None
    assert two.stances is not None
    for code in range(3):
        better = one if one.codes[code] >= two.codes[code] else two
        assert better.stances is not None
        np.testing.assert_allclose(both.stances[code], better.stances[code])


def test_weights_come_back_as_they_were_saved() -> None:
    again = Heads.of(heads().arrays())
    np.testing.assert_allclose(
        again.read([np.array(RECORDED["states"])]).codes, RECORDED["codes"], atol=1e-4
    )
    bare = Heads.of({k: v for k, v in heads().arrays().items() if not k.startswith("stance")})
    assert bare.read([np.array(RECORDED["states"])]).stances is None


def test_the_largest_states_and_a_share_of_the_pieces_add_to_a_code() -> None:
    plain = replace(heads(), token_share=0.0)
    states = np.array(RECORDED["states"])
    mean = plain.read([states]).codes
    largest = np.random.default_rng(1).normal(size=plain.mean_weight.shape)
    more = replace(plain, max_weight=largest).read([states]).codes
    np.testing.assert_allclose(more - mean, largest @ states.max(axis=0))
    half = replace(plain, token_share=0.5).read([states]).codes
    np.testing.assert_allclose(half - mean, (heads().read([states]).codes - mean) / 2)
    kept = Heads.of(replace(plain, max_weight=largest, token_share=0.5).arrays())
    np.testing.assert_allclose(kept.read([states]).codes, more + half - mean, rtol=1e-4)


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_parts_of_a_code_sum_to_its_logit(share: float) -> None:
    some, states = replace(heads(), token_share=share), np.array(RECORDED["states"])
    codes = some.read([states]).codes
    for code in range(len(codes)):
        parts = some.parts(states, code)
        assert parts.shape == (len(states),)
        assert parts.sum() + some.mean_bias[code] == pytest.approx(codes[code])


def test_large_logits_do_not_overflow() -> None:
    assert softmax(np.array([1000.0, 1000.0, -1000.0]), axis=0).tolist() == [0.5, 0.5, 0.0]


def test_probabilities_stay_in_bounds_and_add_the_wording() -> None:
    decision = Decision(
        wording_weight=0.5, scale=1.0, bias=0.0, thresholds=(0.5,), evidence_floor=0.5
    )
    given = decision.probabilities(np.array([[-1e4], [0.0], [1e4]]), np.zeros((3, 1)))
    assert given.ravel().tolist() == [0.0, 0.5, 1.0]
    assert decision.probabilities(np.array([0.0]), np.array([2.0]))[0] == pytest.approx(0.7310586)


def test_the_summed_logit_is_calibrated() -> None:
    decision = Decision(
        wording_weight=0.5, scale=2.0, bias=-1.0, thresholds=(0.5,), evidence_floor=0.5
    )
    given = decision.probabilities(np.array([0.25]), np.array([1.5]))
    assert given[0] == pytest.approx(1 / (1 + np.exp(-(2.0 * (0.25 + 0.5 * 1.5) - 1.0))))


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ([9, 9, -9, -9, -9], (0, 0)),
        ([-9, -9, 9, 9, -9], (1, 1)),
        ([9, 9, 9, -9, -9], (0, 1)),
        ([-9, -9, 9, 9, 9], (1, 1)),  # a sentence ends between the last two
        ([-9, -9, -9, -9, -8], (2, 2)),
    ],
)
def test_evidence_is_the_run_of_clauses_that_says_most(
    logits: list[float], expected: tuple[int, int]
) -> None:
    text = "we go, so we. It"
    offsets = [(0, 2), (3, 5), (7, 9), (10, 12), (14, 16)]
    clauses = [(0, 5), (7, 12), (14, 16)]
    assert best_clauses(np.array(logits, dtype=float), offsets, clauses, text, 0.4) == expected


@pytest.mark.parametrize(
    ("logits", "expected"),
    [
        ([50, 0, -50], (0, 0)),  # what adds nothing is left out, behind
        ([0, 50, -50], (1, 1)),  # and before
        ([-2, -2, -9], (0, 1)),  # the floor is a share of the best word's
    ],
)
def test_evidence_is_as_short_as_it_can_be(logits: list[float], expected: tuple[int, int]) -> None:
    places = [(0, 2), (4, 6), (8, 10)]
    given = best_clauses(np.array(logits, dtype=float), places, places, "we, go, so", 0.5)
    assert given == expected


@pytest.mark.parametrize("end", [".", "!", "?", "…", "\n"])
def test_evidence_ends_with_its_sentence(end: str) -> None:
    places = [(0, 2), (4, 6)]
    assert best_clauses(np.array([1.0, 2.0]), places, places, f"we{end} go", 0.4) == (1, 1)
    assert best_clauses(np.array([2.0, 1.0]), places, places, f"w{end}, go", 0.4) == (0, 1)


@pytest.mark.parametrize(("first", "last", "best"), [(1.0, 2.0, 1), (2.0, 1.0, 0)])
def test_pieces_outside_of_clauses_carry_nothing(first: float, last: float, best: int) -> None:
    """Neither what stands before the first clause nor what stands between two is of one."""
    logits, offsets = np.array([9.0, first, 9.0, last]), [(0, 1), (3, 5), (6, 7), (8, 10)]
    given = best_clauses(logits, offsets, [(3, 5), (8, 10)], "–: we – go", 0.8)
    assert given == (best, best)


def test_a_clause_of_which_nothing_was_read_joins_nothing() -> None:
    clauses = [(0, 2), (4, 6), (8, 10)]
    offsets = [(0, 2), (8, 10)]
    assert best_clauses(np.array([1.0, 2.0]), offsets, clauses, "we, go, so", 0.4) == (2, 2)
    assert best_clauses(np.array([-9.0]), [(8, 10)], clauses, "we, go, so", 0.9) == (2, 2)


def test_no_clause_no_evidence() -> None:
    assert best_clauses(np.array([1.0]), [(0, 1)], [], "!", 0.5) is None
