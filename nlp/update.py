"""Reviewed answers folded into a model: ``pulse train --update``.

What lives here: what is learnt from, what is kept out to judge by, and whether the new model may
take the old one's place. What must not: the store. The encoder stays; a model directory gets
weights and counts, and none of people's words.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from nlp.answers import CodedAnswer
from nlp.decision import Decision, sigmoid
from nlp.encoder import Encoder, Floats
from nlp.heads import Heads
from nlp.model import Model, Provenance, data_hash, fingerprint, read_model, write_model
from nlp.train import SEED, Progress, TrainError
from nlp.training.choose import f1_scores
from nlp.training.correct import (
    Correction,
    Evidence,
    borne_out,
    choose_thresholds,
    correct,
    losses,
    out_of_fold,
)
from nlp.training.reading import gold_of, read_each
from nlp.training.words import wording_matrix
from nlp.wording import PART, Wording, part_features, word_features
from nlp.wordpieces import WordPieces

__all__ = [
    "FEWEST_KEPT_OUT",
    "FEWEST_LEARNT",
    "CodeChange",
    "NothingNewError",
    "ReviewedAnswer",
    "TooFewError",
    "UnlikeError",
    "Update",
    "WorseError",
    "is_kept_out",
    "update_model",
]

FEWEST_LEARNT = 50
"""Reviewed answers to learn from."""
FEWEST_KEPT_OUT = 25
"""Reviewed answers of random samples to judge by."""

_KEPT_OUT_OF = 3
"""One in so many randomly drawn answers is kept out."""
_BY_CHANCE = 0.1
"""Agreement over chance below which people and model do not speak of the same codes."""
_FAR = 3.0
"""Standard errors by which the randomly drawn answers that are learnt from may be further from
the model than those that are kept out: chance alone parted them.
"""
_DRAWS = 1_000


class TooFewError(TrainError):
    """There is too little that was reviewed; the text says what is needed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReviewedAnswer:
    """What a person made of an answer.

    Attributes:
        answer: With the codes that hold.
        is_random: Whether chance alone drew it to be read.
        known: The codes of which they said whether they hold; None for all.
    """

    answer: CodedAnswer
    is_random: bool
    known: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeChange:
    """One code on the answers that were kept out.

    Attributes:
        n: Answers to which people gave it.
        before: F1 of the old model; None where neither people nor the model gave it.
        after: Likewise of the new one.
    """

    n: int
    before: float | None
    after: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Update:
    """What came of it, judged on the answers that were kept out.

    Attributes:
        model: The new model; None where it was refused.
        base: The version that was updated.
        n_learnt: Answers that were learnt from.
        n_kept_out: Answers that both were judged by.
        per_code: By key, in codeframe order.
        before: Macro F1 of the old model, over the codes that people gave.
        after: Likewise of the new one.
        low: Lower end of the bootstrap interval (95%) of the difference; likewise ``high``.
        loss_before: Log loss of the old model, a mean over answers and codes.
        loss_after: Likewise of the new one.
    """

    model: Model | None
    base: str
    n_learnt: int
    n_kept_out: int
    per_code: dict[str, CodeChange]
    before: float
    after: float
    low: float
    high: float
    loss_before: float
    loss_after: float

    @property
    def is_worse(self) -> bool:
        """Whether the new model decides worse, or is worse as to how sure it is."""
        return self.after < self.before or self.loss_after > self.loss_before


class NothingNewError(TrainError):
    """What was reviewed bears the model out as it is."""


class WorseError(TrainError):
    """The new model is worse on what was kept out, so it was not written."""

    def __init__(self, update: Update) -> None:
        """Take the figures."""
        super().__init__(
            f"the new model would be worse: macro F1 {update.after:.3f} instead of "
            f"{update.before:.3f}, log loss {update.loss_after:.4f} instead of "
            f"{update.loss_before:.4f}, on {update.n_kept_out} reviewed answers that were kept "
            "out. Nothing was written"
        )
        self.update = update


class UnlikeError(TrainError):
    """What is learnt from was coded otherwise than what is kept out; the text says how."""


def is_kept_out(answer: CodedAnswer) -> bool:
    """Say whether an answer, where it was drawn by chance, is one to judge by: always the same."""
    mark = fingerprint(answer.text, answer.question).to_bytes(8, "big")
    return hashlib.sha256(b"kept out" + mark).digest()[0] % _KEPT_OUT_OF == 0


@dataclass(frozen=True, slots=True, kw_only=True)
class _Read:
    """Reviewed answers with what the encoder says of them.

    Attributes:
        drawn: True where chance drew the answer and a coder read it, shape (answers,).
    """

    evidence: Evidence
    windows: list[list[Floats]]
    answers: list[CodedAnswer]
    drawn: np.ndarray


def _read(
    model: Model, reviewed: Sequence[ReviewedAnswer], progress: Callable[[float], None]
) -> _Read:
    """Read answers; those without a word piece are left out."""
    codes = [code.key for code in model.codeframe.codes]
    encoder = Encoder(model.path / "encoder.onnx")
    pieces = WordPieces(model.path / "tokenizer.json")
    kept: list[ReviewedAnswer] = []
    windows: list[list[Floats]] = []
    read = read_each([each.answer for each in reviewed], pieces, encoder)
    for number, (each, one) in enumerate(zip(reviewed, read, strict=True), start=1):
        if one.windows:
            kept.append(each)
            windows.append(one.windows)
        progress(number / len(reviewed))
    answers = [each.answer for each in kept]
    words = [[word_features(answer.text, answer.question) for answer in answers]]
    if any(feature.startswith(PART) for feature in model.wording.features):
        words.append([part_features(answer.text) for answer in answers])
    known = [[each.known is None or key in each.known for key in codes] for each in kept]
    return _Read(
        evidence=Evidence(
            means=np.stack([np.concatenate(each).mean(axis=0) for each in windows]),
            words=wording_matrix(model.wording, words),
            present=_logits(model, model.heads, model.wording, windows, answers),
            gold=gold_of(answers, codes),
            known=np.array(known, dtype=np.float32),
        ),
        windows=windows,
        answers=answers,
        drawn=np.array([each.is_random and each.known is None for each in kept], dtype=bool),
    )


def _logits(
    model: Model,
    heads: Heads,
    wording: Wording,
    windows: Sequence[list[Floats]],
    answers: Sequence[CodedAnswer],
) -> Floats:
    """Give calibrated logits as the tagger comes by them."""
    decision = model.decision
    read = np.stack([heads.read(each).codes for each in windows])
    heard = np.stack([wording.logits(answer.text, answer.question) for answer in answers])
    result: Floats = decision.scale * (read + decision.wording_weight * heard) + decision.bias
    return result


def _agreement(given: np.ndarray, gold: np.ndarray) -> float:
    """Give Cohen's kappa over all codes together."""
    same = float((given == gold).mean())
    one, other = float(given.mean()), float(gold.mean())
    chance = one * other + (1 - one) * (1 - other)
    return (same - chance) / (1 - chance) if chance < 1 else 0.0


def _compare(
    given: np.ndarray, gold: np.ndarray, kept_given: np.ndarray, kept_gold: np.ndarray
) -> None:
    """See that randomly drawn answers that are learnt from are as near to the model as those
    that are kept out. Shapes (answers, codes).

    Raises:
        UnlikeError: They are much further from it.
    """
    ours, theirs = (given != gold).sum(axis=1), (kept_given != kept_gold).sum(axis=1)
    if not len(ours):
        return
    error = np.sqrt(ours.var() / len(ours) + theirs.var() / len(theirs))
    if ours.mean() - theirs.mean() > _FAR * error:
        raise UnlikeError(
            "of the randomly drawn answers, those to learn from agree far less with the model "
            f"(kappa {_agreement(given, gold):.2f}) than those that are kept out to judge by "
            f"({_agreement(kept_given, kept_gold):.2f}), though chance alone parts them. Were both "
            "coded in the same way? pulse agreement tells. Nothing was written"
        )


def _macro(given: np.ndarray, gold: np.ndarray) -> float:
    there = gold.any(axis=0)
    return float(f1_scores(given, gold)[there].mean()) if there.any() else 0.0


def _judge(
    before: Floats,
    after: Floats,
    evidence: Evidence,
    *,
    model: Model,
    decision: Decision,
    n_learnt: int,
    seed: int,
) -> Update:
    """Hold the new model beside the old one.

    Args:
        before: Calibrated logits of the old model.
        after: Likewise of the new one.
        evidence: What was kept out.
        model: The old one.
        decision: Of the new one.
        n_learnt: Answers that were learnt from.
        seed: Of the bootstrap.
    """
    gold = evidence.gold > 0.5
    old = sigmoid(before) >= np.array(model.decision.thresholds)
    new = sigmoid(after) >= np.array(decision.thresholds)
    random = np.random.default_rng(seed)
    n = len(gold)
    drawn = (random.integers(n, size=n) for _ in range(_DRAWS))
    differences = [_macro(new[d], gold[d]) - _macro(old[d], gold[d]) for d in drawn]
    low, high = np.quantile(differences, (0.025, 0.975))

    def score(given: np.ndarray, code: int) -> float | None:
        if not (given[:, code].any() or gold[:, code].any()):
            return None
        return float(f1_scores(given, gold)[code])

    return Update(
        model=None,
        base=model.version,
        n_learnt=n_learnt,
        n_kept_out=n,
        per_code={
            code.key: CodeChange(
                n=int(gold[:, place].sum()), before=score(old, place), after=score(new, place)
            )
            for place, code in enumerate(model.codeframe.codes)
        },
        before=_macro(old, gold),
        after=_macro(new, gold),
        low=float(low),
        high=float(high),
        loss_before=float(losses(before, evidence).mean()),
        loss_after=float(losses(after, evidence).mean()),
    )


def _split(
    reviewed: Sequence[ReviewedAnswer],
) -> tuple[list[ReviewedAnswer], list[ReviewedAnswer]]:
    """Part what is learnt from and what is judged by; no words are in both."""
    judged = [each for each in reviewed if each.known is None and each.is_random
              and is_kept_out(each.answer)]  # fmt: skip
    marks = {(each.answer.text, each.answer.question) for each in judged}
    learnt = [each for each in reviewed if (each.answer.text, each.answer.question) not in marks]
    by_coders = sum(each.known is None for each in learnt)
    if by_coders < FEWEST_LEARNT or len(judged) < FEWEST_KEPT_OUT:
        raise TooFewError(
            f"{by_coders} reviewed answers to learn from and {len(judged)} to judge by are too "
            f"few; it takes {FEWEST_LEARNT} and {FEWEST_KEPT_OUT}. One in {_KEPT_OUT_OF} answers "
            "of random samples is kept out to judge by, so review more of them: "
            f"pulse review --sample random --n {_KEPT_OUT_OF * (FEWEST_KEPT_OUT + 5)}"
        )
    return learnt, judged


def update_model(
    reviewed: Sequence[ReviewedAnswer],
    *,
    base: Path,
    out: Path,
    progress: Progress,
    seed: int = SEED,
) -> Update:
    """Fold reviewed answers into a model.

    Args:
        reviewed: Each answer once, with the codes of the model's codeframe.
        base: The model to begin from; it stays as it is.
        out: The directory to write.
        progress: Told what is being done.
        seed: Of folds and bootstrap.

    Returns:
        The figures and the new model. Its name is the old one's, and its version covers the
        old one and what was learnt.

    Raises:
        TooFewError: More has to be reviewed first.
        WorseError: On what was kept out the new model is worse.
        UnlikeError: What is learnt from was coded otherwise than what is kept out.
        TaggerError: The model cannot be used, or what was reviewed cannot be meant for it.
    """
    model = read_model(base)
    learnt, judged = _split(reviewed)
    with threadpool_limits(1):
        read = _read(model, learnt, lambda share: progress("reading answers", share))
        kept_out = _read(model, judged, lambda share: progress("reading what is kept out", share))
        return _updated(model, read, kept_out, out=out, progress=progress, seed=seed)


def _updated(
    model: Model, read: _Read, kept_out: _Read, *, out: Path, progress: Progress, seed: int
) -> Update:
    evidence = read.evidence
    levels = np.array(model.decision.thresholds)
    whole = evidence.known.all(axis=1)
    given, gold = sigmoid(evidence.present) >= levels, evidence.gold > 0.5
    agreed = _agreement(given[whole], gold[whole])
    if agreed < _BY_CHANCE:
        raise TrainError(
            f"coders and {model.version} agree hardly more than by chance (kappa {agreed:.2f}), so "
            "nothing can be learnt from one for the other. Were these answers coded by the "
            "model's codeframe? Nothing was written"
        )
    _compare(
        given[read.drawn],
        gold[read.drawn],
        sigmoid(kept_out.evidence.present) >= levels,
        kept_out.evidence.gold > 0.5,
    )
    hears = model.decision.wording_weight > 0
    progress("learning", 0.0)
    hold, unseen = out_of_fold(evidence, hears=hears, seed=seed)
    progress("learning", 0.8)
    better = borne_out(unseen, evidence)
    correction = correct(evidence, hold, hears=hears).only(better)
    said = np.where(better, unseen, evidence.present)
    thresholds = choose_thresholds(said, evidence, model.decision.thresholds)
    if not better.any() and thresholds == model.decision.thresholds:
        raise NothingNewError(
            f"{len(read.answers)} reviewed answers teach {model.version} nothing: of answers that "
            "it has not learnt from, it would code none of the codes better than now. "
            "Nothing was written"
        )
    decision = replace(model.decision, thresholds=thresholds)
    heads, wording = _rounded(correction, model)
    progress("learning", 1.0)
    said = _logits(model, heads, wording, kept_out.windows, kept_out.answers)
    update = _judge(
        kept_out.evidence.present,
        said,
        kept_out.evidence,
        model=model,
        decision=decision,
        n_learnt=len(read.answers),
        seed=seed,
    )
    if update.is_worse:
        raise WorseError(update)
    learnt = hashlib.sha256(f"{model.version} {data_hash(read.answers)}".encode()).hexdigest()
    written = write_model(
        out,
        name=model.name,
        encoder=model.path / "encoder.onnx",
        tokenizer=model.path / "tokenizer.json",
        codeframe=model.path / "codeframe.toml",
        heads=heads,
        wording=wording,
        decision=decision,
        provenance=Provenance(
            method=f"{model.version} with reviewed answers",
            seed=seed,
            files=model.provenance.files,
            chosen_on=model.provenance.chosen_on,
            n_answers=model.provenance.n_answers + len(read.answers),
            data_hash=learnt[:16],
        ),
        trained_on=(),
        base=model,
    )
    return replace(update, model=written)


def _rounded(correction: Correction, model: Model) -> tuple[Heads, Wording]:
    """Give the corrected weights as they will be read from the files."""
    heads, wording = correction.folded(model.heads, model.wording, model.decision)
    return (
        Heads.of(heads.arrays()),
        replace(wording, weight=wording.weight.astype(np.float16).astype(np.float32)),
    )
