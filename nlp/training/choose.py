"""Calibration and thresholds, chosen on answers that the heads did not learn from.

What lives here: how the numbers of ``nlp.decision.Decision`` are found. They have to be
found on what will run: the quantised encoder, the shipped heads.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from spacy.vocab import Vocab

from nlp.clauses import Splitter, clause_bounds
from nlp.decision import Decision, best_clauses, sigmoid
from nlp.encoder import Floats
from nlp.evaluate import overlap
from nlp.heads import Heads
from nlp.training.reading import ReadAnswer

__all__ = [
    "calibrated",
    "choose_decision",
    "choose_floor",
    "f1_scores",
    "log_loss",
    "smooth",
]

_WEIGHTS = (0.0, 0.15, 0.3, 0.45, 0.6, 0.8, 1.0, 1.5)
_GRID = np.arange(0.10, 0.81, 0.02)
_FLOORS = (0.1, 0.2, 0.3, 0.35, 0.4, 0.5, 0.6, 0.7)
_ENOUGH = 100
"""Answers with a code that it takes to trust a threshold of its own."""


def f1_scores(given: np.ndarray, gold: np.ndarray) -> np.ndarray:
    """Give F1 of each code; 0 where nothing was right. Shapes (answers, codes)."""
    right = (given & gold).sum(axis=0)
    total = given.sum(axis=0) + gold.sum(axis=0)
    scores: np.ndarray = 2 * right / np.maximum(total, 1)
    return scores


def log_loss(logits: Floats, gold: Floats) -> float:
    """Give the mean log loss after calibration; shapes (answers, codes)."""
    return calibrated(logits, gold)[2]


def calibrated(logits: Floats, gold: Floats) -> tuple[float, float, float]:
    """Give scale and bias of least log loss over all codes, and that loss."""
    model = LogisticRegression(C=1e4)
    model.fit(logits.reshape(-1, 1), gold.reshape(-1) > 0.5)
    scale, bias = float(model.coef_[0, 0]), float(model.intercept_[0])
    given = np.clip(sigmoid(scale * logits + bias), 1e-6, 1 - 1e-6)
    loss = -np.where(gold > 0.5, np.log(given), np.log(1 - given)).mean()
    return scale, bias, float(loss)


def smooth(scores: np.ndarray) -> np.ndarray:
    """Give each score mixed with its neighbours': one lucky threshold is not chosen."""
    padded = np.concatenate([scores[:1], scores, scores[-1:]])
    result: np.ndarray = (padded[:-2] + 2 * padded[1:-1] + padded[2:]) / 4
    return result


def choose_decision(
    encoder: Floats, wording: Floats, gold: Floats, *, evidence_floor: float
) -> Decision:
    """Choose the wording's weight, the calibration and the thresholds.

    The weight and the calibration are those of least log loss; the threshold is the one of
    best macro F1, smoothed over its neighbours, and a code with a hundred answers or more
    has its own.

    Args:
        encoder: Logits of the encoder's heads, shape (answers, codes).
        wording: Logits of the wording, same shape.
        gold: 0 or 1, same shape.
        evidence_floor: Kept as it is.
    """
    best = min((calibrated(encoder + weight * wording, gold)[2], weight) for weight in _WEIGHTS)
    weight = best[1]
    scale, bias, _ = calibrated(encoder + weight * wording, gold)
    given = sigmoid(scale * (encoder + weight * wording) + bias)
    truth = gold > 0.5
    there = truth.any(axis=0)
    scores = np.stack([f1_scores(given >= level, truth) for level in _GRID])
    overall = float(_GRID[smooth(scores[:, there].mean(axis=1)).argmax()])
    thresholds = [
        float(_GRID[smooth(scores[:, code]).argmax()]) if n >= _ENOUGH else overall
        for code, n in enumerate(truth.sum(axis=0))
    ]
    return Decision(
        wording_weight=weight,
        scale=scale,
        bias=bias,
        thresholds=tuple(round(level, 2) for level in thresholds),
        evidence_floor=evidence_floor,
    )


def choose_floor(read: Sequence[ReadAnswer], heads: Heads, codes: Sequence[str]) -> float:
    """Choose the floor of ``Decision`` at which most evidence is about what a person quoted.

    Args:
        read: Coded answers with states; those without evidence are passed over.
        heads: Whose token logits are used.
        codes: Keys, in codeframe order.

    Returns:
        The floor of most spans with an overlap of a half; 0.4 where nothing is quoted.
    """
    splitter = Splitter(Vocab())
    hits = dict.fromkeys(_FLOORS, 0)
    for each in read:
        quoted = [coding for coding in each.answer.codings if coding.span_text]
        if not quoted or not each.windows:
            continue
        doc = splitter(each.answer.text)
        bounds = [(doc[a].idx, doc[b - 1].idx + len(doc[b - 1])) for a, b in clause_bounds(doc)]
        tokens = heads.read(each.windows).tokens
        for coding in quoted:
            logits = tokens[:, codes.index(coding.enabler)]
            for floor in _FLOORS:
                best = best_clauses(logits, each.offsets, bounds, each.answer.text, floor)
                if best is not None:
                    span = (bounds[best[0]][0], bounds[best[1]][1])
                    hits[floor] += overlap(span, (coding.span_start, coding.span_end)) >= 0.5
    return max(_FLOORS, key=lambda floor: hits[floor]) if any(hits.values()) else 0.4
