"""Coded answers read by an encoder: what heads and thresholds are fitted on."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from nlp.answers import CodedAnswer
from nlp.encoder import Encoder, Floats
from nlp.wordpieces import WordPieces

__all__ = ["ReadAnswer", "gold_of", "read_states"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadAnswer:
    """A coded answer with its states.

    Attributes:
        answer: The answer.
        windows: States of its pieces; empty where it has none.
        offsets: The pieces' characters, all windows in order.
    """

    answer: CodedAnswer
    windows: list[Floats]
    offsets: list[tuple[int, int]]

    def mean(self, width: int) -> Floats:
        """Give the mean state, shape (width,)."""
        if not self.windows:
            return np.zeros(width, dtype=np.float32)
        mean: Floats = np.concatenate(self.windows).mean(axis=0)
        return mean


def read_states(
    answers: Sequence[CodedAnswer],
    pieces: WordPieces,
    encoder: Encoder,
    progress: Callable[[float], None],
) -> list[ReadAnswer]:
    """Read all answers with the encoder, each alone.

    Args:
        answers: In any order, which is kept.
        pieces: The encoder's word pieces.
        encoder: It stays as it is.
        progress: Called with the share done, in [0, 1].
    """
    read = []
    for number, answer in enumerate(answers, start=1):
        windows = pieces.windows(answer.text, answer.question)
        read.append(
            ReadAnswer(
                answer=answer,
                windows=[encoder.states(window) for window in windows],
                offsets=[offset for window in windows for offset in window.offsets],
            )
        )
        progress(number / len(answers))
    return read


def gold_of(answers: Sequence[CodedAnswer], codes: Sequence[str]) -> Floats:
    """Give the codes that people gave: 0 or 1, shape (answers, codes)."""
    return np.array(
        [[float(key in answer.keys) for key in codes] for answer in answers], dtype=np.float32
    ).reshape(len(answers), len(codes))
