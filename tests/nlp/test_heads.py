"""The arithmetic: heads as torch computes them, windows, calibration, evidence."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from nlp.decision import Decision, best_clauses
from nlp.heads import Heads

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


def test_probabilities_stay_in_bounds_and_add_the_wording() -> None:
    decision = Decision(
        wording_weight=0.5, scale=1.0, bias=0.0, thresholds=(0.5,), evidence_floor=0.5
    )
    given = decision.probabilities(np.array([[-1e4], [0.0], [1e4]]), np.zeros((3, 1)))
    assert given.ravel().tolist() == [0.0, 0.5, 1.0]
    assert decision.probabilities(np.array([0.0]), np.array([2.0]))[0] == pytest.approx(0.7310586)


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


def test_no_clause_no_evidence() -> None:
    assert best_clauses(np.array([1.0]), [(0, 1)], [], "!", 0.5) is None
