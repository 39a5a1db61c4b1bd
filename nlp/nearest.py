"""The coded answers of ours that are nearest to an answer.

What lives here: a search over ``nlp/data``. What must not: anybody's answers but those, which
were written for the project.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from dialogues.coding import Coding
from nlp.answers import AnswersError, CodedAnswer, read_answers
from nlp.encoder import Floats
from nlp.wording import Wording, word_features

__all__ = ["DATA_PATH", "Example", "nearest"]

DATA_PATH = Path(__file__).with_name("data")
"""Answers that were written and coded for the project."""

_LEAST = 0.2
_LONG = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """A coded answer that is like another.

    Attributes:
        answer: With a code in question.
        coding: That code, as it was given to it.
        likeness: Cosine of the TF-IDF weighted words that speak for the code, each by how much
            it does, in (0, 1].
    """

    answer: CodedAnswer
    coding: Coding
    likeness: float

    @property
    def words(self) -> str:
        """The answer, or, where it is long and they are known, the words that carry the code."""
        if len(self.answer.text) > _LONG and self.coding.span_text:
            return f"… {self.coding.span_text} …"
        return self.answer.text


@lru_cache(maxsize=1)
def _examples(keys: tuple[str, ...]) -> Sequence[CodedAnswer]:
    """Give our answers; none where the codes are others."""
    try:
        return read_answers(sorted(DATA_PATH.glob("*.jsonl")), keys)
    except AnswersError:
        return ()


def nearest(
    wording: Wording, codes: Sequence[str], text: str, question: str | None, given: Iterable[Coding]
) -> list[Example | None]:
    """Find for each code that an answer was given the nearest answer of ours that carries it.

    Args:
        wording: Of the model: its words and how rare they are.
        codes: Keys of the codeframe.
        text: The answer; the very same one is passed over.
        question: That it answers; None where it is not known.
        given: Its codes. An example with the same stance is taken before any other.

    Returns:
        One an entry of ``given``, in its order; None where nothing is near, and for other codes
        than ours.
    """
    counts = word_features(text, question)
    examples = [answer for answer in _examples(tuple(codes)) if answer.text != text]
    return [
        _nearest(wording, codes.index(coding.enabler), counts, examples, coding) for coding in given
    ]


def _nearest(
    wording: Wording,
    code: int,
    counts: Counter[str],
    examples: Sequence[CodedAnswer],
    given: Coding,
) -> Example | None:
    speaks = np.maximum(wording.weight[:, code], 0)
    wanted = np.zeros(len(speaks), dtype=np.float32)
    places, values = _spoken(wording, counts, speaks)
    wanted[places] = values
    best: tuple[tuple[bool, float], Example] | None = None
    for answer in examples:
        found = [coding for coding in answer.codings if coding.enabler == given.enabler]
        if not found:
            continue
        places, values = _spoken(wording, word_features(answer.text, answer.question), speaks)
        likeness = float(values @ wanted[places])
        if likeness < _LEAST:
            continue
        coding = next((each for each in found if each.stance == given.stance), found[0])
        rank = coding.stance == given.stance, likeness
        if best is None or rank > best[0]:
            best = rank, Example(answer=answer, coding=coding, likeness=likeness)
    return None if best is None else best[1]


def _spoken(wording: Wording, counts: Counter[str], speaks: Floats) -> tuple[list[int], Floats]:
    """Give the places and values of words by how much they speak for a code; of length one."""
    places, values = wording.vector(counts)
    spoken = values * speaks[places]
    length = float(np.linalg.norm(spoken))
    return places, spoken / length if length else spoken
