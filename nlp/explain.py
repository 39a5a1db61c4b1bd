"""Why an answer was given its codes.

What lives here: what weighed in a decision, taken from the very numbers that made it. What
must not: how it is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from spacy.tokens import Doc

from dialogues.coding import Coding
from nlp.cues import LEAST
from nlp.encoder import Floats
from nlp.load import SpacyTagger
from nlp.model import Model
from nlp.nearest import Example, nearest
from nlp.tagger import Tagged, ToTag, provenance
from nlp.wording import word_features

__all__ = ["Explanation", "NearMiss", "Reason", "by_cues", "explain"]

_WORDS = 3
_WORTH_SAYING = 0.25


@dataclass(frozen=True, slots=True, kw_only=True)
class Reason:
    """Why one code was given.

    Attributes:
        coding: The code.
        threshold: The least confidence at which it is given.
        words: Of the answer, that added most to what the encoder made of it, most first;
            empty where cue phrases gave the code.
        phrases: Words and pairs of words that added most to what the wording made of it, those
            of the question so marked; of a code by cue phrases its phrase.
        example: The nearest coded answer of ours; None where nothing is near.
    """

    coding: Coding
    threshold: float
    words: tuple[str, ...]
    phrases: tuple[str, ...]
    example: Example | None


@dataclass(frozen=True, slots=True, kw_only=True)
class NearMiss:
    """The code that came nearest to being given and was not."""

    enabler: str
    score: float
    threshold: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What was made of an answer, and why.

    Attributes:
        answer: As asked.
        tagged: Without an error.
        model: What tagged it, such as ``commonpulse@3f2a9c01``.
        reasons: One a coding, in the same order.
        near_miss: None where nothing came near.
    """

    answer: ToTag
    tagged: Tagged
    model: str
    reasons: tuple[Reason, ...]
    near_miss: NearMiss | None


def by_cues(explained: Explanation) -> str:
    """Say how far a tag by cue phrases can be trusted; empty of a model's tag."""
    if explained.tagged.pipeline is None:
        return ""
    return (
        "By cue phrases, as the model does not know the language: two different ones count 0.75, "
        "three 0.88."
    )


def explain(tagger: SpacyTagger, answer: ToTag, tagged: Tagged) -> Explanation:
    """Say why an answer was given its codes.

    Args:
        tagger: That tagged it.
        answer: The answer.
        tagged: What ``tagger.tag`` made of it, without an error.
    """
    if tagged.pipeline is None:
        reasons, near_miss = _of_model(tagger, answer, tagged.codings)
    else:
        reasons, near_miss = tuple(map(_of_cue, tagged.codings)), None
    return Explanation(
        answer=answer,
        tagged=tagged,
        model=provenance(tagger.version, tagged.pipeline),
        reasons=reasons,
        near_miss=near_miss,
    )


def _of_cue(coding: Coding) -> Reason:
    phrases = (coding.span_text,)
    return Reason(coding=coding, threshold=LEAST, words=(), phrases=phrases, example=None)


def _of_model(
    tagger: SpacyTagger, answer: ToTag, codings: Sequence[Coding]
) -> tuple[tuple[Reason, ...], NearMiss | None]:
    model, doc = tagger.model, tagger.read(answer)
    keys = [code.key for code in model.codeframe.codes]
    if not doc._.states:
        return (), None
    examples = nearest(model.wording, keys, answer.text, answer.question, codings)
    reasons = tuple(
        Reason(
            coding=coding,
            threshold=model.decision.thresholds[keys.index(coding.enabler)],
            words=_words(model, doc, keys.index(coding.enabler)),
            phrases=_phrases(model, answer, keys.index(coding.enabler)),
            example=example,
        )
        for coding, example in zip(codings, examples, strict=True)
    )
    given = {coding.enabler for coding in codings}
    return reasons, _near_miss(model, doc, [key in given for key in keys])


def _near_miss(model: Model, doc: Doc, given: Sequence[bool]) -> NearMiss | None:
    scores = model.decision.probabilities(model.heads.read(doc._.states).codes, doc._.wording)
    shares = np.where(given, 0.0, scores / np.array(model.decision.thresholds))
    best = int(shares.argmax())
    if shares[best] < _WORTH_SAYING:
        return None
    return NearMiss(
        enabler=model.codeframe.codes[best].key,
        score=float(scores[best]),
        threshold=model.decision.thresholds[best],
    )


def _words(model: Model, doc: Doc, code: int) -> tuple[str, ...]:
    """Give the words of the window that spoke most of a code, by what they added to it."""
    windows: list[Floats] = doc._.states
    parts = [model.heads.parts(states, code) for states in windows]
    best = int(np.argmax([part.sum() for part in parts]))
    first = sum(len(part) for part in parts[:best])
    added: dict[int, float] = {}
    for (start, _), part in zip(doc._.offsets[first:], parts[best], strict=False):
        word = doc.char_span(start, start + 1, alignment_mode="expand")
        if word is not None and any(map(str.isalnum, word.text)):
            added[word.start] = added.get(word.start, 0.0) + float(part)
    if len(added) == 1:
        return tuple(doc[place].text for place in added)
    usual = sum(added.values()) / max(len(added), 1)
    return _most((doc[place].text, part - usual) for place, part in added.items())


def _phrases(model: Model, answer: ToTag, code: int) -> tuple[str, ...]:
    """Give the words and pairs of words by what they added to a code."""
    wording = model.wording
    places, values = wording.vector(word_features(answer.text, answer.question))
    parts = values * wording.weight[places, code]
    return _most(
        (_spoken(wording.features[place]), float(part))
        for place, part in zip(places, parts, strict=True)
    )


def _spoken(feature: str) -> str:
    return f"{feature[1:]} (in the question)" if feature.startswith("?") else feature


def _most(added: Iterable[tuple[str, float]]) -> tuple[str, ...]:
    """Give the few that added most, each once, without those that added little beside it."""
    ranked = sorted(added, key=lambda each: -each[1])
    least = _WORTH_SAYING * ranked[0][1] if ranked else 0.0
    named = {name.lower(): name for name, part in reversed(ranked) if part > 0 and part >= least}
    return tuple(reversed(named.values()))[:_WORDS]
