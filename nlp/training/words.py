"""Fitting the wording: TF-IDF over words, pairs and parts of words, one logistic model a code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from nlp.answers import CodedAnswer
from nlp.encoder import Floats
from nlp.wording import Wording, part_features, word_features

__all__ = ["fit_linear", "fit_wording", "wording_matrix"]

_NEVER = -6.0
"""Logit of a code without an example, or without a counter-example its opposite."""


def fit_linear(
    features: object,
    gold: Floats,
    *,
    strength: float,
    seed: int,
    rare: float = 3.0,
    steps: int = 400,
) -> tuple[Floats, Floats]:
    """Fit one logistic model a code, rare codes weighted up.

    Args:
        features: Dense or sparse, shape (answers, features).
        gold: 0 or 1, shape (answers, codes).
        strength: Inverse of the regularisation.
        seed: Of the solver.
        rare: How many times the weight of other answers one with a rare code may have.
        steps: Of the solver, at most.

    Returns:
        Weights, shape (codes, features), and biases, shape (codes,).
    """
    width = features.shape[1]  # type: ignore[attr-defined]
    weights = np.zeros((gold.shape[1], width), dtype=np.float32)
    biases = np.zeros(gold.shape[1], dtype=np.float32)
    for code in range(gold.shape[1]):
        if gold[:, code].min() == gold[:, code].max():
            biases[code] = -_NEVER if len(gold) and gold[0, code] else _NEVER
            continue
        share = float(gold[:, code].mean())
        model = LogisticRegression(
            C=strength,
            class_weight={0: 1.0, 1: min(rare, (1 - share) / share) if share < 0.5 else 1.0},
            max_iter=steps,
            solver="liblinear" if width > 5000 else "lbfgs",
            random_state=seed,
        )
        model.fit(features, gold[:, code])
        weights[code] = model.coef_[0]
        biases[code] = model.intercept_[0]
    return weights, biases


def _common(counted: Sequence[Counter[str]], most: int) -> list[tuple[str, int]]:
    """Give the features in at least two answers and in how many, the commonest first."""
    spread: Counter[str] = Counter()
    for counts in counted:
        spread.update(counts.keys())
    order = sorted(spread.items(), key=lambda item: (-item[1], item[0]))
    return [(word, n) for word, n in order if n >= 2][:most]


def wording_matrix(wording: Wording, counted: Sequence[Sequence[Counter[str]]]) -> csr_matrix:
    """Give the values of a wording's features, shape (answers, features).

    Args:
        wording: Whose features are meant.
        counted: Groups of features, such as words and parts of words, of all answers; each
            group's values have length one.
    """
    n = len(counted[0])
    total = csr_matrix((n, len(wording.features)), dtype=np.float32)
    for group in counted:
        rows = [wording.vector(counts) for counts in group]
        starts = np.cumsum([0, *(len(places) for places, _ in rows)])
        places = np.concatenate([np.array(places, dtype=np.int64) for places, _ in rows])
        values = np.concatenate([values for _, values in rows])
        total = total + csr_matrix((values, places, starts), shape=total.shape)
    return total


def fit_wording(
    answers: Sequence[CodedAnswer],
    gold: Floats,
    *,
    seed: int,
    most: int = 30_000,
    most_parts: int = 0,
    strength: float = 4.0,
    rare: float = 3.0,
) -> Wording:
    """Fit the wording.

    Args:
        answers: To learn from.
        gold: 0 or 1, shape (answers, codes).
        seed: Of the solver.
        most: Features that are kept: those in at least two answers, the commonest first.
        most_parts: Likewise, of parts of words; 0 for none.
        strength: Inverse of the regularisation.
        rare: As in ``fit_linear``.
    """
    counted = [[word_features(answer.text, answer.question) for answer in answers]]
    kept = _common(counted[0], most)
    if most_parts:
        counted.append([part_features(answer.text) for answer in answers])
        kept += _common(counted[1], most_parts)
    rarity = np.array([1 + np.log((1 + len(answers)) / (1 + n)) for _, n in kept], dtype=np.float32)
    features = [word for word, _ in kept]
    blank = np.zeros((len(kept), gold.shape[1]), dtype=np.float32)
    unfitted = Wording(features=features, rarity=rarity, weight=blank, bias=blank.sum(axis=0))
    if not features:
        weight, bias = fit_linear(np.zeros((len(gold), 1)), gold, strength=1.0, seed=seed)
        return Wording(features=[], rarity=rarity, weight=blank, bias=bias)
    matrix = wording_matrix(unfitted, counted)
    weight, bias = fit_linear(matrix, gold, strength=strength, seed=seed, rare=rare)
    return Wording(features=features, rarity=rarity, weight=weight.T.copy(), bias=bias)
