"""Fitting the wording: TF-IDF over words and pairs of words, one logistic model a code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from nlp.answers import CodedAnswer
from nlp.encoder import Floats
from nlp.wording import Wording, word_features

__all__ = ["fit_linear", "fit_wording"]

_NEVER = -6.0
"""Logit of a code without an example, or without a counter-example its opposite."""


def fit_linear(
    features: object, gold: Floats, *, strength: float, seed: int
) -> tuple[Floats, Floats]:
    """Fit one logistic model a code, rare codes weighted up.

    Args:
        features: Dense or sparse, shape (answers, features).
        gold: 0 or 1, shape (answers, codes).
        strength: Inverse of the regularisation.
        seed: Of the solver.

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
            class_weight={0: 1.0, 1: min(3.0, (1 - share) / share) if share < 0.5 else 1.0},
            max_iter=400,
            solver="liblinear" if width > 5000 else "lbfgs",
            random_state=seed,
        )
        model.fit(features, gold[:, code])
        weights[code] = model.coef_[0]
        biases[code] = model.intercept_[0]
    return weights, biases


def fit_wording(
    answers: Sequence[CodedAnswer], gold: Floats, *, seed: int, most: int = 30_000
) -> Wording:
    """Fit the wording.

    Args:
        answers: To learn from.
        gold: 0 or 1, shape (answers, codes).
        seed: Of the solver.
        most: Features that are kept: those in at least two answers, the commonest first.
    """
    counted = [word_features(answer.text, answer.question) for answer in answers]
    spread: Counter[str] = Counter()
    for counts in counted:
        spread.update(counts.keys())
    order = sorted(spread.items(), key=lambda item: (-item[1], item[0]))
    kept = [(word, n) for word, n in order if n >= 2][:most]
    rarity = np.array([1 + np.log((1 + len(answers)) / (1 + n)) for _, n in kept], dtype=np.float32)
    features = [word for word, _ in kept]
    blank = np.zeros((len(kept), gold.shape[1]), dtype=np.float32)
    unfitted = Wording(features=features, rarity=rarity, weight=blank, bias=blank.sum(axis=0))
    rows = [unfitted.vector(counts) for counts in counted]
    starts = np.cumsum([0, *(len(places) for places, _ in rows)])
    if not features:
        weight, bias = fit_linear(np.zeros((len(gold), 1)), gold, strength=1.0, seed=seed)
        return Wording(features=[], rarity=rarity, weight=blank, bias=bias)
    matrix = csr_matrix(
        (
            np.concatenate([values for _, values in rows]),
            np.concatenate([np.array(places, dtype=np.int64) for places, _ in rows]),
            starts,
        ),
        shape=(len(rows), len(features)),
    )
    weight, bias = fit_linear(matrix, gold, strength=4.0, seed=seed)
    return Wording(features=features, rarity=rarity, weight=weight.T.copy(), bias=bias)
