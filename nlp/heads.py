"""The heads in numpy: states of an answer's word pieces to codes, evidence and stances.

What lives here: arithmetic and its weights' names. ``nlp/training/network.py`` trains the
same heads in torch, ``nlp/training/frozen.py`` fits them on frozen states.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from nlp.encoder import Floats

__all__ = ["Heads", "Reading", "softmax"]


def softmax(values: Floats, axis: int) -> Floats:
    """Give the softmax along an axis."""
    powers = np.exp(values - values.max(axis=axis, keepdims=True))
    result: Floats = powers / powers.sum(axis=axis, keepdims=True)
    return result


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the heads make of one answer.

    Attributes:
        codes: Logits, shape (codes,).
        tokens: Evidence logits, shape (pieces, codes), all windows in order.
        stances: Probabilities, shape (codes, stances); None where none were learnt.
    """

    codes: Floats
    tokens: Floats
    stances: Floats | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """Weights of the heads.

    Attributes:
        mean_weight: Shape (codes, width).
        mean_bias: Shape (codes,).
        token_weight: Shape (codes, width).
        token_bias: Shape (codes,).
        token_share: How much the softmax-pooled token logits add to a code: 1 where both
            were trained together, 0 where the mean alone was.
        max_weight: Of the largest value that each state reaches, shape (codes, width); None
            where the mean alone was learnt from.
        stance_weight: Shape (stances, 2 * width); None where none were learnt.
        stance_bias: Shape (codes, stances); None where none were learnt.
    """

    mean_weight: Floats
    mean_bias: Floats
    token_weight: Floats
    token_bias: Floats
    token_share: float
    max_weight: Floats | None = None
    stance_weight: Floats | None = None
    stance_bias: Floats | None = None

    def _window(self, states: Floats) -> Reading:
        mean = states.mean(axis=0)
        tokens = states @ self.token_weight.T + self.token_bias
        weight = softmax(tokens, axis=0)
        codes = self.mean_weight @ mean + self.mean_bias
        if self.max_weight is not None:
            codes = codes + self.max_weight @ states.max(axis=0)
        codes = codes + self.token_share * (weight * tokens).sum(axis=0)
        stances = None
        if self.stance_weight is not None and self.stance_bias is not None:
            carried = weight.T @ states
            both = np.concatenate([carried, np.broadcast_to(mean, carried.shape)], axis=1)
            stances = softmax(both @ self.stance_weight.T + self.stance_bias, axis=1)
        return Reading(codes=codes, tokens=tokens, stances=stances)

    def parts(self, states: Floats, code: int) -> Floats:
        """Give what each piece of a window adds to a code's logit there, shape (pieces,).

        With the bias of the mean they sum to the logit. A piece's state has been read beside
        the others, so its part is not that of its letters alone.
        """
        tokens = states @ self.token_weight[code] + self.token_bias[code]
        means = states @ self.mean_weight[code] / len(states)
        result: Floats = means + self.token_share * softmax(tokens, axis=0) * tokens
        return result

    def read(self, windows: list[Floats]) -> Reading:
        """Read an answer.

        Args:
            windows: States of its pieces, at least one window, each with at least one piece.

        Returns:
            Each code from the window that speaks most of it.
        """
        readings = [self._window(states) for states in windows]
        codes = np.stack([reading.codes for reading in readings])
        best = codes.argmax(axis=0)
        stances = None
        if readings[0].stances is not None:
            parts = [reading.stances for reading in readings if reading.stances is not None]
            stances = np.stack(parts)[best, np.arange(codes.shape[1])]
        return Reading(
            codes=codes.max(axis=0),
            tokens=np.concatenate([reading.tokens for reading in readings]),
            stances=stances,
        )

    def arrays(self) -> dict[str, Floats]:
        """Give the weights by name, to be saved."""
        arrays: dict[str, Floats] = {
            "mean_weight": self.mean_weight,
            "mean_bias": self.mean_bias,
            "token_weight": self.token_weight,
            "token_bias": self.token_bias,
            "token_share": np.array(self.token_share, dtype=np.float32),
        }
        if self.max_weight is not None:
            arrays["max_weight"] = self.max_weight
        if self.stance_weight is not None and self.stance_bias is not None:
            arrays |= {"stance_weight": self.stance_weight, "stance_bias": self.stance_bias}
        return {name: values.astype(np.float32) for name, values in arrays.items()}

    @classmethod
    def of(cls, arrays: Mapping[str, Floats]) -> Heads:
        """Take the weights by name, as ``arrays`` gave them."""
        return cls(
            mean_weight=arrays["mean_weight"],
            mean_bias=arrays["mean_bias"],
            token_weight=arrays["token_weight"],
            token_bias=arrays["token_bias"],
            token_share=float(arrays["token_share"]),
            max_weight=arrays.get("max_weight"),
            stance_weight=arrays.get("stance_weight"),
            stance_bias=arrays.get("stance_bias"),
        )
