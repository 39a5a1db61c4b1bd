"""What the words alone say: a linear model on single words and pairs of words.

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

__all__ = ["Wording", "word_features"]

_WORD = re.compile(r"\w+(?:['’]\w+)*")
_LONGEST = 20_000
"""Words of an answer that are counted."""


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


@dataclass(frozen=True, slots=True, kw_only=True)
class Wording:
    """A linear model on TF-IDF weighted words.

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

    def __post_init__(self) -> None:
        index = {feature: number for number, feature in enumerate(self.features)}
        object.__setattr__(self, "_index", index)

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
        return result
