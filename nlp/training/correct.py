"""Small corrections of a model's weights, learnt from answers that people reviewed.

What lives here: logistic models that begin at what the present model says and are held to it.
Some hundred answers cannot teach a code anew; they can say where this partnership's coders read
otherwise. No word comes in that the wording did not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import minimize  # type: ignore[import-untyped]
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]
from sklearn.model_selection import KFold  # type: ignore[import-untyped]

from nlp.decision import Decision, sigmoid
from nlp.encoder import Floats
from nlp.heads import Heads
from nlp.training.choose import f1_scores, smooth
from nlp.wording import Wording

__all__ = [
    "Correction",
    "Evidence",
    "borne_out",
    "choose_thresholds",
    "correct",
    "losses",
    "out_of_fold",
]

_HOLDS = (100.0, 30.0, 10.0, 3.0, 1.0)
"""How firmly weights are held to the present ones, the firmest first."""
_BIAS_HOLD = 1.0
_SURE = 1.0
"""Standard errors by which a code has to gain before it is corrected."""
_GAIN = 0.01
"""F1 that another threshold has to gain."""
_STEPS = 60
_FOLDS = 4
_ENOUGH = 50
"""Answers with a code that it takes to choose its threshold anew."""
_GRID = np.arange(0.10, 0.81, 0.02)


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Reviewed answers as numbers.

    Attributes:
        means: Mean states, shape (answers, width).
        words: Values of the wording's features, shape (answers, features).
        present: Calibrated logits of the present model, shape (answers, codes).
        gold: 0 or 1, shape (answers, codes).
        known: 1 where people said whether the code holds, else 0; same shape.
    """

    means: Floats
    words: csr_matrix
    present: Floats
    gold: Floats
    known: Floats

    def part(self, places: np.ndarray) -> Evidence:
        """Give some of the answers."""
        return Evidence(
            means=self.means[places], words=self.words[places], present=self.present[places],
            gold=self.gold[places], known=self.known[places],
        )  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What is added to the calibrated logits.

    Attributes:
        mean: Shape (codes, width).
        words: Shape (features, codes).
        bias: Shape (codes,).
    """

    mean: Floats
    words: Floats
    bias: Floats

    def logits(self, evidence: Evidence) -> Floats:
        """Give calibrated logits of the corrected model, shape (answers, codes)."""
        said = evidence.present + evidence.means @ self.mean.T + self.bias
        result: Floats = said + evidence.words @ self.words
        return result

    def only(self, codes: np.ndarray) -> Correction:
        """Leave all but some codes as they are.

        Args:
            codes: True where the correction holds, shape (codes,).
        """
        return Correction(
            mean=self.mean * codes[:, None], words=self.words * codes, bias=self.bias * codes
        )

    def folded(self, heads: Heads, wording: Wording, decision: Decision) -> tuple[Heads, Wording]:
        """Add it to a model's weights; what the model does with the wording, it goes on doing."""
        weight = decision.scale * decision.wording_weight
        return (
            replace(
                heads,
                mean_weight=heads.mean_weight + self.mean / decision.scale,
                mean_bias=heads.mean_bias + self.bias / decision.scale,
            ),
            replace(wording, weight=wording.weight + self.words / weight) if weight else wording,
        )


def correct(evidence: Evidence, hold: float, *, hears: bool) -> Correction:
    """Learn a correction.

    Args:
        evidence: To learn from.
        hold: How firmly the weights are held to the present ones.
        hears: Whether the model gives its wording any weight.
    """
    width = evidence.means.shape[1]
    codes = evidence.gold.shape[1]
    # Words that nobody said stay as they are, whatever is learnt.
    heard = np.flatnonzero(evidence.words.getnnz(axis=0)) if hears else np.arange(0)
    n_words = len(heard)
    words = evidence.words[:, heard]
    centre, spread = evidence.means.mean(axis=0), evidence.means.std(axis=0) + 1e-6
    states = (evidence.means - centre) / (spread * np.sqrt(width))
    split = width * codes, (width + n_words) * codes

    def loss(flat: np.ndarray) -> tuple[float, np.ndarray]:
        mean = flat[: split[0]].reshape(width, codes)
        word = flat[split[0] : split[1]].reshape(n_words, codes)
        bias = flat[split[1] :]
        logits = evidence.present + states @ mean + words @ word + bias
        wrong = evidence.known * (sigmoid(logits) - evidence.gold)
        held = hold * float(flat[: split[1]] @ flat[: split[1]]) + _BIAS_HOLD * float(bias @ bias)
        slopes = [
            states.T @ wrong + hold * mean,
            words.T @ wrong + hold * word,
            wrong.sum(axis=0) + _BIAS_HOLD * bias,
        ]
        return float(losses(logits, evidence).sum()) + held / 2, np.concatenate(
            [each.ravel() for each in slopes]
        )

    found = minimize(
        loss, np.zeros(split[1] + codes), jac=True, method="L-BFGS-B", options={"maxiter": _STEPS}
    ).x
    mean = found[: split[0]].reshape(width, codes) / (spread * np.sqrt(width))[:, None]
    word = np.zeros((evidence.words.shape[1], codes))
    word[heard] = found[split[0] : split[1]].reshape(n_words, codes)
    return Correction(mean=mean.T, words=word, bias=found[split[1] :] - centre @ mean)


def losses(logits: Floats, evidence: Evidence) -> Floats:
    """Give the log loss of every answer and code; 0 where people did not say."""
    result: Floats = evidence.known * (np.logaddexp(0, logits) - logits * evidence.gold)
    return result


def _folds(n: int, seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    yield from KFold(n_splits=_FOLDS, shuffle=True, random_state=seed).split(np.zeros(n))


def out_of_fold(evidence: Evidence, *, hears: bool, seed: int) -> tuple[float, Floats]:
    """Choose how firmly weights are held, by log loss on answers that were not learnt from.

    Returns:
        The hold, and the corrected logits of every answer where it was not learnt from.
    """
    best: tuple[float, float, Floats] | None = None
    for hold in _HOLDS:
        logits = np.zeros_like(evidence.present)
        for train, test in _folds(len(evidence.means), seed):
            part = evidence.part(test)
            logits[test] = correct(evidence.part(train), hold, hears=hears).logits(part)
        loss = float(losses(logits, evidence).sum())
        if best is None or loss < best[0]:
            best = loss, hold, logits
    if best is None:
        raise RuntimeError("nothing was tried")
    return best[1], best[2]


def borne_out(logits: Floats, evidence: Evidence) -> np.ndarray:
    """Say of which codes the correction does better than the present model, shape (codes,).

    Args:
        logits: The corrected ones, of answers that were not learnt from.
        evidence: Of the same answers.
    """
    gains = losses(evidence.present, evidence) - losses(logits, evidence)
    error = gains.std(axis=0) / np.sqrt(len(gains))
    better: np.ndarray = gains.mean(axis=0) > _SURE * error
    return better


def choose_thresholds(
    logits: Floats, evidence: Evidence, present: Sequence[float]
) -> tuple[float, ...]:
    """Choose the thresholds of codes that occur often enough anew, where that gains.

    Args:
        logits: Of answers that were not learnt from.
        evidence: Of the same answers.
        present: The thresholds so far.
    """
    whole = evidence.known.all(axis=1)
    given, truth = sigmoid(logits[whole]), evidence.gold[whole] > 0.5
    scores = np.stack([f1_scores(given >= level, truth) for level in _GRID])
    before = f1_scores(given >= np.array(present), truth)
    chosen = []
    for code, n in enumerate(truth.sum(axis=0)):
        smoothed = smooth(scores[:, code])
        place = int(smoothed.argmax())
        gains = n >= _ENOUGH and smoothed[place] > before[code] + _GAIN
        chosen.append(round(float(_GRID[place]), 2) if gains else present[code])
    return tuple(chosen)
