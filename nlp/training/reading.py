"""Coded answers read by an encoder: what heads and thresholds are fitted on."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from nlp.answers import CodedAnswer
from nlp.encoder import Encoder, Floats
from nlp.wordpieces import WordPieces

__all__ = ["ReadAnswer", "gold_of", "read_each", "read_states"]

_AT_ONCE = 64
"""Answers that are on their way through the encoder."""


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

    def pooled(self, width: int) -> Floats:
        """Give the mean state and the largest value of each state, shape (2 * width,)."""
        if not self.windows:
            return np.zeros(2 * width, dtype=np.float32)
        states = np.concatenate(self.windows)
        pooled: Floats = np.concatenate([states.mean(axis=0), states.max(axis=0)])
        return pooled


def read_each(
    answers: Sequence[CodedAnswer], pieces: WordPieces, encoder: Encoder
) -> Iterator[ReadAnswer]:
    """Read answers with the encoder, each alone, on all cores; in the order given.

    What was read is not held: what a caller lets go of costs no memory.

    Args:
        answers: In any order.
        pieces: The encoder's word pieces.
        encoder: It stays as it is.
    """

    def read(answer: CodedAnswer) -> ReadAnswer:
        windows = pieces.windows(answer.text, answer.question)
        return ReadAnswer(
            answer=answer,
            windows=[encoder.states(window) for window in windows],
            offsets=[offset for window in windows for offset in window.offsets],
        )

    with ThreadPoolExecutor(max_workers=os.cpu_count()) as hands:
        for start in range(0, len(answers), _AT_ONCE):
            yield from hands.map(read, answers[start : start + _AT_ONCE])


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
    found = []
    for number, one in enumerate(read_each(answers, pieces, encoder), start=1):
        found.append(one)
        progress(number / len(answers))
    return found


def gold_of(answers: Sequence[CodedAnswer], codes: Sequence[str]) -> Floats:
    """Give the codes that people gave: 0 or 1, shape (answers, codes)."""
    return np.array(
        [[float(key in answer.keys) for key in codes] for answer in answers], dtype=np.float32
    ).reshape(len(answers), len(codes))
