"""From logits to codes, and from token logits to the words that carry a code.

What lives here: calibration, thresholds and the choice of evidence, in numpy. How the
numbers are chosen is in ``nlp/training/choose.py``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from nlp.encoder import Floats

__all__ = ["Decision", "best_clauses", "sigmoid"]

_SENTENCE_END = frozenset(".!?…\n")


def sigmoid(values: Floats) -> Floats:
    """Give the logistic function, without overflow."""
    result: Floats = 0.5 * (1.0 + np.tanh(0.5 * values))
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The few numbers that turn logits into codes.

    Attributes:
        wording_weight: How much the wording's logits add to the encoder's.
        scale: Of the summed logit, so that its sigmoid is a probability.
        bias: Likewise, added after scaling.
        thresholds: Least probability at which each code is given, in codeframe order.
        evidence_floor: What a word has to reach to be worth quoting, as a share of what
            the answer's best word reaches, in (0, 1): the higher, the shorter the evidence.
    """

    wording_weight: float
    scale: float
    bias: float
    thresholds: tuple[float, ...]
    evidence_floor: float

    def probabilities(self, encoder: Floats, wording: Floats) -> Floats:
        """Give calibrated probabilities; shapes (codes,) or (answers, codes)."""
        return sigmoid(self.scale * (encoder + self.wording_weight * wording) + self.bias)


def best_clauses(
    logits: Floats,
    offsets: Sequence[tuple[int, int]],
    clauses: Sequence[tuple[int, int]],
    text: str,
    floor: float,
) -> tuple[int, int] | None:
    """Find the clauses side by side, in one sentence, whose words speak most of a code.

    Each word is worth its probability less the floor; the run of clauses of highest worth
    wins, the first where several do.

    Args:
        logits: Of the answer's pieces for one code, shape (pieces,).
        offsets: The pieces' characters in the text.
        clauses: The clauses' characters in the text, in order.
        text: The answer.
        floor: Of ``Decision.evidence_floor``.

    Returns:
        First clause and last clause, inclusive; None where there is no clause.
    """
    if not clauses:
        return None
    starts = np.array([start for start, _ in clauses])
    place = np.searchsorted(starts, [start for start, _ in offsets], side="right") - 1
    given = sigmoid(logits)
    worth = given - floor * given.max()
    gains = np.zeros(len(clauses))
    read = np.zeros(len(clauses), dtype=bool)
    for clause, (start, _), gain in zip(place, offsets, worth, strict=True):
        if clause >= 0 and start < clauses[clause][1]:
            gains[clause] += gain
            read[clause] = True
    gains[~read] = -1.0
    best = (float("-inf"), 0, 0)
    total, first = 0.0, 0
    for last, gain in enumerate(gains):
        between = text[clauses[last - 1][1] : clauses[last][0]] if last else ""
        if total <= 0 or not _SENTENCE_END.isdisjoint(between):
            total, first = 0.0, last
        total += float(gain)
        if total > best[0]:
            best = (total, first, last)
    return best[1], best[2]
