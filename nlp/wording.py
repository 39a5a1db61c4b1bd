"""What the words alone say: a linear model on words, pairs of words, and parts of words.

What lives here: features and their weights at run time, in numpy. The encoder hears the
meaning; this hears the very words, and the two together are right more often than either
(``docs/tagging.md`` has the figures). Fitting is in ``nlp/training/words.py``.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import islice, pairwise

import numpy as np

from nlp.encoder import Floats

__all__ = ["PART", "Wording", "part_features", "word_features"]

PART = "#"
"""Begins the features that are parts of words; no word begins with it."""

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_LONGEST = 20_000
"""Words of an answer that are counted."""
_LONGEST_WORD = 40
"""Characters of a word of which parts are counted."""


def word_features(text: str, question: str | None) -> Counter[str]:
    """Count an answer's words and pairs of words, and its question's words.

    Args:
        text: The answer as kept.
        question: None where it is not known.

    Returns:
        Features such as ``nobody``, ``nobody asked`` and ``?wait`` (of the question).
    """
    found = islice(_WORD.finditer(text), _LONGEST)
    words = [match.group().lower().replace("’", "'") for match in found]
    counts = Counter(words)
    counts.update(f"{one} {two}" for one, two in pairwise(words))
    asked = _WORD.findall((question or "")[:2000].lower())
    counts.update(f"?{word}" for word in asked)
    return counts


def part_features(text: str) -> Counter[str]:
    """Count the parts of an answer's words, three to five characters long.

    Args:
        text: The answer as kept.

    Returns:
        Features such as ``#wait``, ``# wa`` and ``#ait `` (a blank is where a word ends): what
        is left of a word that is bent, misspelt or new.
    """
    counts: Counter[str] = Counter()
    for word in text.lower().split()[:_LONGEST]:
        padded = f" {word[:_LONGEST_WORD]} "
        for size in range(3, 6):
            if size >= len(padded):
                counts[PART + padded] += 1
                break
            counts.update(
                PART + padded[start : start + size] for start in range(len(padded) - size + 1)
            )
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A linear model on TF-IDF weighted words, and where it was taught any, parts of words.

    Attributes:
        features: Known features, in the order of the weights.
        rarity: Inverse document frequencies, shape (features,).
        weight: Shape (features, codes).
        bias: Shape (codes,).
    """

    features: Sequence[str]
    rarity: Floats
    weight: Floats
    bias: Floats
    _index: dict[str, int] = field(init=False, repr=False)
    _has_parts: bool = field(init=False, repr=False)

    def __post_init__(self) -> None:
        index = {feature: number for number, feature in enumerate(self.features)}
        object.__setattr__(self, "_index", index)
        parts = any(feature.startswith(PART) for feature in self.features)
        object.__setattr__(self, "_has_parts", parts)

    def vector(self, counts: Counter[str]) -> tuple[list[int], Floats]:
        """Give the places and TF-IDF values of the known features; values of length one."""
        places: list[int] = []
        values: list[float] = []
        for feature, count in counts.items():
            place = self._index.get(feature)
            if place is not None:
                places.append(place)
                values.append((1 + math.log(count)) * float(self.rarity[place]))
        array = np.array(values, dtype=np.float32)
        length = float(np.linalg.norm(array))
        return places, array / length if length else array

    def logits(self, text: str, question: str | None) -> Floats:
        """Give the codes' logits, shape (codes,)."""
        places, values = self.vector(word_features(text, question))
        result: Floats = values @ self.weight[places] + self.bias
        if self._has_parts:
            places, values = self.vector(part_features(text))
            result = result + values @ self.weight[places]
        return result
