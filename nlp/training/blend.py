"""Heads and wording of other people's codes put together: shares, calibration, thresholds.

What lives here: numbers that are chosen on answers that neither learnt from, and folding them
into the weights, so that the tagger runs such a model like any other. Thirty examples of a code
are too few for a threshold of its own and too many for none: what is chosen for one code is drawn
towards what is chosen for all, the more the rarer it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]

from nlp.decision import Decision, sigmoid
from nlp.encoder import Floats
from nlp.heads import Heads
from nlp.training.choose import calibrated, f1_scores, smooth
from nlp.wording import Wording

__all__ = ["Blend", "choose_blend"]

_SHARES = (0.0, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 1.0)
_GRID = np.arange(0.02, 0.95, 0.02)
_NEVER = 1.0
"""The threshold of a code that nobody gave: nothing tells when it would be right."""
_ENOUGH = 20
"""Answers with a code that weigh as much as all other codes together."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Blend:
    """How logits become probabilities.

    Attributes:
        dense_scale: Of the heads' logits, shape (codes,).
        words_scale: Of the wording's, shape (codes,).
        bias: Shape (codes,).
        thresholds: In codeframe order.
    """

    dense_scale: Floats
    words_scale: Floats
    bias: Floats
    thresholds: tuple[float, ...]

    def logits(self, dense: Floats, words: Floats) -> Floats:
        """Give calibrated logits; shapes (answers, codes)."""
        return self.dense_scale * dense + self.words_scale * words + self.bias

    def folded(
        self, heads: Heads, wording: Wording, *, evidence_floor: float
    ) -> tuple[Heads, Wording, Decision]:
        """Put the numbers into the weights of heads without a token share, and of a wording."""
        scale = self.dense_scale[:, None]
        largest = None if heads.max_weight is None else scale * heads.max_weight
        return (
            replace(
                heads,
                mean_weight=scale * heads.mean_weight,
                mean_bias=self.dense_scale * heads.mean_bias + self.bias,
                max_weight=largest,
            ),
            replace(
                wording,
                weight=wording.weight * self.words_scale,
                bias=wording.bias * self.words_scale,
            ),
            Decision(
                wording_weight=1.0,
                scale=1.0,
                bias=0.0,
                thresholds=self.thresholds,
                evidence_floor=evidence_floor,
            ),
        )


def _by_code(logits: Floats, gold: Floats) -> tuple[Floats, Floats]:
    """Calibrate each code by itself; one that occurs seldom stays as all together are."""
    scale, bias = np.ones(gold.shape[1]), np.zeros(gold.shape[1])
    for code, n in enumerate(gold.sum(axis=0)):
        if not _ENOUGH <= n <= len(gold) - _ENOUGH:
            continue
        model = LogisticRegression(C=1e4).fit(logits[:, code : code + 1], gold[:, code] > 0.5)
        if model.coef_[0, 0] > 0.2:
            scale[code], bias[code] = model.coef_[0, 0], model.intercept_[0]
    return scale, bias


def _thresholds(given: Floats, gold: Floats) -> tuple[float, ...]:
    truth = gold > 0.5
    scores = np.stack([f1_scores(given >= level, truth) for level in _GRID])
    there = truth.any(axis=0)
    overall = float(_GRID[smooth(scores[:, there].mean(axis=1)).argmax()])
    levels = []
    for code, n in enumerate(truth.sum(axis=0)):
        own = float(_GRID[smooth(scores[:, code]).argmax()])
        if not n:
            levels.append(_NEVER)
            continue
        trust = n / (n + _ENOUGH)
        levels.append(round(float(trust * own + (1 - trust) * overall), 2))
    return tuple(levels)


def choose_blend(dense: Floats, words: Floats, gold: Floats) -> Blend:
    """Choose the shares of heads and wording by log loss, then calibration and thresholds.

    Args:
        dense: Logits of the heads for answers that they did not learn from, shape
            (answers, codes).
        words: Likewise of the wording.
        gold: 0 or 1, same shape.
    """
    dense_scale, dense_bias, _ = calibrated(dense, gold)
    words_scale, words_bias, _ = calibrated(words, gold)
    heard, read = dense_scale * dense + dense_bias, words_scale * words + words_bias
    share = min(_SHARES, key=lambda share: calibrated(share * heard + (1 - share) * read, gold)[2])
    both = share * heard + (1 - share) * read
    scale, bias, _ = calibrated(both, gold)
    own_scale, own_bias = _by_code(scale * both + bias, gold)
    total = own_scale * scale
    blend = Blend(
        dense_scale=total * share * dense_scale,
        words_scale=total * (1 - share) * words_scale,
        bias=total * (share * dense_bias + (1 - share) * words_bias) + own_scale * bias + own_bias,
        thresholds=(),
    )
    given = sigmoid(blend.logits(dense, words))
    return replace(blend, thresholds=_thresholds(given, gold))
