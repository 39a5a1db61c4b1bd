"""Heads on frozen states: linear models on what the shipped encoder says of an answer.

What lives here: fitting with scikit-learn, no torch. The weights are put into the same
heads that fine-tuning trains, so that one tagger runs both.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression  # type: ignore[import-untyped]
from sklearn.model_selection import GroupKFold, KFold  # type: ignore[import-untyped]

from dialogues.coding import Stance
from nlp.answers import CodedAnswer
from nlp.encoder import Floats
from nlp.heads import Heads, softmax
from nlp.training.choose import log_loss
from nlp.training.reading import ReadAnswer
from nlp.training.words import fit_linear, fit_wording
from nlp.wording import Wording

__all__ = ["OutOfFold", "fit_frozen_wording", "fit_heads", "out_of_fold"]

_STRENGTHS = (0.003, 0.03)
_STANCES = list(Stance)
_MOST_WORDS = 6_000
"""Answers whose words teach evidence and stance."""
_RARE = 1_000.0
"""Rare codes weigh as much as the rest: the blend is calibrated afterwards."""
_STEPS = 60
"""Of the solver: the least log loss on other answers comes before the least on these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutOfFold:
    """What was found by cross-validation.

    Attributes:
        strength: Of the code heads, that of least log loss.
        dense: Logits of the heads for answers that they did not learn from.
        words: Likewise of the wording.
    """

    strength: float
    dense: Floats
    words: Floats


def _fit_pooled(pooled: Floats, gold: Floats, strength: float, seed: int) -> tuple[Floats, Floats]:
    centre, spread = pooled.mean(axis=0), pooled.std(axis=0) + 1e-6
    weight, bias = fit_linear(
        (pooled - centre) / spread, gold, strength=strength, seed=seed, rare=_RARE, steps=_STEPS
    )
    weight = weight / spread
    return weight, bias - weight @ centre


def fit_frozen_wording(answers: Sequence[CodedAnswer], gold: Floats, *, seed: int) -> Wording:
    """Fit the wording that goes with frozen states: it hears parts of words too.

    Args:
        answers: To learn from.
        gold: 0 or 1, shape (answers, codes).
        seed: Of the solver.
    """
    return fit_wording(answers, gold, seed=seed, most_parts=60_000, strength=2.0, rare=_RARE)


def _folds(n: int, groups: Sequence[str], seed: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    if len(set(groups)) >= 5:
        yield from GroupKFold(n_splits=5).split(np.zeros(n), groups=list(groups))
    else:
        yield from KFold(n_splits=5, shuffle=True, random_state=seed).split(np.zeros(n))


def out_of_fold(
    answers: Sequence[CodedAnswer],
    pooled: Floats,
    gold: Floats,
    groups: Sequence[str],
    *,
    seed: int,
    progress: Callable[[float], None],
) -> OutOfFold:
    """Cross-validate the code heads and the wording.

    Args:
        answers: At least five.
        pooled: Mean and largest states, shape (answers, 2 * width).
        gold: 0 or 1, shape (answers, codes).
        groups: The file of each answer; whole files are left out where there are five.
        seed: Of folds and solvers.
        progress: Called with the share done, in [0, 1].
    """
    dense = {strength: np.zeros_like(gold) for strength in _STRENGTHS}
    words = np.zeros_like(gold)
    for fold, (train, test) in enumerate(_folds(len(answers), groups, seed), start=1):
        for strength, logits in dense.items():
            weight, bias = _fit_pooled(pooled[train], gold[train], strength, seed)
            logits[test] = pooled[test] @ weight.T + bias
        wording = fit_frozen_wording([answers[i] for i in train], gold[train], seed=seed)
        for place in test:
            words[place] = wording.logits(answers[place].text, answers[place].question)
        progress(fold / 5)
    best = min(_STRENGTHS, key=lambda strength: log_loss(dense[strength], gold))
    return OutOfFold(strength=best, dense=dense[best], words=words)


def _token_head(
    read: Sequence[ReadAnswer], codes: Sequence[str], plain: tuple[Floats, Floats], seed: int
) -> tuple[Floats, Floats]:
    """Fit what words carry a code; a code without evidence keeps its ``plain`` weights."""
    states: dict[str, list[Floats]] = {key: [] for key in codes}
    inside: dict[str, list[np.ndarray]] = {key: [] for key in codes}
    for each in read:
        for coding in each.answer.codings:
            if coding.span_text and each.windows:
                states[coding.enabler].append(np.concatenate(each.windows))
                inside[coding.enabler].append(
                    np.array(
                        [s < coding.span_end and e > coding.span_start for s, e in each.offsets]
                    )
                )
    weights, biases = plain[0].copy(), plain[1].copy()
    for code, key in enumerate(codes):
        if not states[key]:
            continue
        tokens, target = np.concatenate(states[key]), np.concatenate(inside[key])
        if target.min() < target.max():
            model = LogisticRegression(C=0.1, max_iter=200, random_state=seed)
            model.fit(tokens, target)
            weights[code], biases[code] = model.coef_[0], model.intercept_[0]
    return weights, biases


def _stance_head(
    read: Sequence[ReadAnswer], codes: Sequence[str], token: tuple[Floats, Floats], seed: int
) -> tuple[Floats, Floats] | None:
    index = {key: number for number, key in enumerate(codes)}
    features, target = [], []
    for each in read:
        for coding in each.answer.codings:
            if coding.stance is None or not each.windows:
                continue
            states = np.concatenate(each.windows)
            code = index[coding.enabler]
            weight = softmax(states @ token[0][code] + token[1][code], axis=0)
            features.append(np.concatenate([weight @ states, states.mean(axis=0)]))
            target.append(_STANCES.index(coding.stance))
    if len(set(target)) < 2:
        return None
    model = LogisticRegression(C=0.1, max_iter=400, random_state=seed)
    model.fit(np.stack(features), target)
    weight = np.zeros((len(_STANCES), features[0].shape[0]), dtype=np.float32)
    bias = np.full(len(_STANCES), -20.0, dtype=np.float32)
    known = list(model.classes_)
    if len(known) == 2:
        weight[known[1]], bias[known[1]] = model.coef_[0], model.intercept_[0]
        bias[known[0]] = 0.0
    else:
        weight[known], bias[known] = model.coef_, model.intercept_
    return weight, np.tile(bias, (len(codes), 1))


def fit_heads(
    read: Sequence[ReadAnswer],
    pooled: Floats,
    gold: Floats,
    codes: Sequence[str],
    *,
    strength: float,
    seed: int,
) -> Heads:
    """Fit the heads on all answers.

    Where a code has no evidence to learn from, the words that speak most of it are those
    that its code head weighs most. Where fewer than two stances occur, none is learnt.

    Args:
        read: Answers whose words teach evidence and stance, with their states.
        pooled: Of all answers, shape (answers, 2 * width).
        gold: 0 or 1, shape (answers, codes).
        codes: Keys, in codeframe order.
        strength: Of the code heads, as ``out_of_fold`` found it.
        seed: Of the solvers.
    """
    weight, bias = _fit_pooled(pooled, gold, strength, seed)
    width = weight.shape[1] // 2
    mean = weight[:, :width]
    order = np.random.default_rng(seed).permutation(len(read))
    taught = [read[i] for i in order if read[i].answer.codings][:_MOST_WORDS]
    token = _token_head(taught, codes, (mean, bias), seed)
    stance = _stance_head(taught, codes, token, seed)
    return Heads(
        mean_weight=mean,
        mean_bias=bias,
        token_weight=token[0],
        token_bias=token[1],
        token_share=0.0,
        max_weight=weight[:, width:],
        stance_weight=None if stance is None else stance[0],
        stance_bias=None if stance is None else stance[1],
    )
