"""From coded answers to a model directory.

What lives here: the two ways, step by step. ``train_frozen`` keeps the shipped encoder and
fits heads on it, in minutes and without torch, for any codeframe. ``train_encoder``
fine-tunes the encoder too and needs the extra ``commonpulse[train]``.
"""

from __future__ import annotations

import importlib.util
import tempfile
import warnings
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from sklearn.exceptions import ConvergenceWarning  # type: ignore[import-untyped]
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from dialogues.errors import TaggerError
from nlp.answers import CodedAnswer, read_answers
from nlp.codeframe import read_codeframe
from nlp.decision import Decision
from nlp.encoder import Encoder, Floats
from nlp.heads import Heads
from nlp.model import Model, Provenance, data_hash, read_model, write_model
from nlp.shipped import MODEL_PATH, is_shipped, model_folder
from nlp.training.blend import choose_blend
from nlp.training.choose import choose_decision, choose_floor
from nlp.training.frozen import fit_frozen_wording, fit_heads, out_of_fold
from nlp.training.reading import ReadAnswer, gold_of, read_each, read_states
from nlp.training.words import fit_wording
from nlp.wording import Wording
from nlp.wordpieces import WordPieces

if TYPE_CHECKING:
    from nlp.training.network import EncoderShape

__all__ = [
    "ENCODERS",
    "SEED",
    "Progress",
    "TrainError",
    "finish_encoder",
    "train_encoder",
    "train_frozen",
]

SEED = 20261122
ENCODERS = ("minilm", "mpnet")
"""What can be fine-tuned from its beginning: the small encoder and the large one."""
_FEWEST = 20
_LISTENED_TO = 32
"""Answers by which loud columns are found."""

Progress = Callable[[str, float], None]
"""Called with the name of the step and its share done, in [0, 1]."""


class TrainError(TaggerError):
    """A model cannot be trained; the text says what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Data:
    answers: list[CodedAnswer]
    groups: list[str]
    codes: list[str]
    gold: Floats


def _data(paths: Sequence[Path], codeframe: Path) -> _Data:
    codes = [code.key for code in read_codeframe(codeframe).codes]
    answers: list[CodedAnswer] = []
    groups: list[str] = []
    for path in paths:
        read = read_answers([path], codes)
        answers += read
        groups += [str(path)] * len(read)
    if len(answers) < _FEWEST:
        raise TrainError(
            f"{len(answers)} coded answers are too few to learn from; "
            f"give at least {_FEWEST}, better some hundred"
        )
    if not any(answer.codings for answer in answers):
        raise TrainError("no answer carries a code, so there is nothing to learn")
    gold = gold_of(answers, codes)
    if gold.all():
        raise TrainError("every answer carries every code, so there is nothing to tell apart")
    return _Data(answers=answers, groups=groups, codes=codes, gold=gold)


def train_frozen(
    paths: Sequence[Path],
    *,
    codeframe: Path,
    out: Path,
    name: str,
    progress: Progress,
    seed: int = SEED,
    base: Path = MODEL_PATH,
) -> Model:
    """Fit heads for any codeframe on the shipped encoder.

    Args:
        paths: Files of coded answers; stance, evidence and question may be missing.
        codeframe: The codeframe's file.
        out: The directory to write.
        name: Of the model.
        progress: Told what is being done.
        seed: Of folds and solvers.
        base: The model directory whose encoder is used.

    Returns:
        The model. Thresholds are chosen by five-fold cross-validation, with whole files
        left out where there are five.

    Raises:
        TaggerError: A file cannot be used, or there is too little to learn from.
    """
    # Small matrices: several threads wait for each other. A solver that stops a little early
    # gives weights that are good enough.
    with threadpool_limits(1), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return _train_frozen(
            paths, codeframe=codeframe, out=out, name=name, progress=progress, seed=seed, base=base
        )


def _train_frozen(
    paths: Sequence[Path],
    *,
    codeframe: Path,
    out: Path,
    name: str,
    progress: Progress,
    seed: int,
    base: Path,
) -> Model:
    data = _data(paths, codeframe)
    pieces = WordPieces(base / "tokenizer.json")
    encoder = Encoder(base / "encoder.onnx")
    width = encoder.width
    pooled = np.zeros((len(data.answers), 2 * width), dtype=np.float32)
    quoted: list[ReadAnswer] = []
    n_words = 0
    for number, one in enumerate(read_each(data.answers, pieces, encoder)):
        pooled[number] = one.pooled(width)
        n_words += bool(one.windows)
        # States of every word are large: only those that teach evidence or stance are held.
        if any(coding.span_text or coding.stance for coding in one.answer.codings):
            quoted.append(one)
        progress("reading answers", (number + 1) / len(data.answers))
    if not n_words:
        raise TrainError("no answer holds a word, so there is nothing to learn")
    found = out_of_fold(
        data.answers, pooled, data.gold, data.groups,
        seed=seed, progress=lambda s: progress("cross-validating", s),
    )  # fmt: skip
    progress("fitting", 0.0)
    fitted = fit_heads(quoted, pooled, data.gold, data.codes, strength=found.strength, seed=seed)
    heard = fit_frozen_wording(data.answers, data.gold, seed=seed)
    progress("fitting", 0.8)
    heads, wording, decision = choose_blend(found.dense, found.words, data.gold).folded(
        fitted, heard, evidence_floor=choose_floor(quoted, fitted, data.codes)
    )
    progress("fitting", 1.0)
    return write_model(
        out,
        name=name,
        encoder=base / "encoder.onnx",
        tokenizer=base / "tokenizer.json",
        codeframe=codeframe,
        heads=heads,
        wording=wording,
        decision=decision,
        provenance=_provenance("frozen", seed, paths, (), data.answers),
        trained_on=data.answers,
    )


def _provenance(
    method: str,
    seed: int,
    paths: Sequence[Path],
    chosen_on: Sequence[Path],
    answers: Sequence[CodedAnswer],
    begun_from: str = "",
) -> Provenance:
    return Provenance(
        begun_from=begun_from,
        method=method,
        seed=seed,
        files=tuple(path.name for path in paths),
        chosen_on=tuple(path.name for path in chosen_on),
        n_answers=len(answers),
        data_hash=data_hash(answers),
    )


def _chosen(read: Sequence[ReadAnswer], data: _Data, heads: Heads, wording: Wording) -> Decision:
    # An answer without a word piece gets no code, whatever its logits.
    spoken = [each for each in read if each.windows]
    answers = [each.answer for each in spoken]
    return choose_decision(
        np.stack([heads.read(each.windows).codes for each in spoken]),
        np.stack([wording.logits(answer.text, answer.question) for answer in answers]),
        gold_of(answers, data.codes),
        evidence_floor=choose_floor(spoken, heads, data.codes),
    )


def train_encoder(
    paths: Sequence[Path],
    *,
    hold_out: Sequence[Path],
    codeframe: Path,
    out: Path,
    name: str,
    progress: Progress,
    seed: int = SEED,
    encoder: str = "minilm",
    epochs: int | None = None,
    layers: int | None = None,
) -> Model:
    """Fine-tune the encoder with its heads, quantise it, and choose thresholds on it.

    Args:
        paths: Files of coded answers to learn from.
        hold_out: Files of coded answers, none of them in ``paths``, on which calibration
            and thresholds are chosen.
        codeframe: The codeframe's file.
        out: The directory to write.
        name: Of the model.
        progress: Told what is being done.
        seed: Of everything that is drawn.
        encoder: ``minilm`` or ``mpnet``; or the model to go on from: ``default``, ``fast`` or
            a folder. Its heads are gone on from where it was fine-tuned for the same codes.
        epochs: Passes over the answers; None for the encoder's own number.
        layers: Lower layers of the encoder that are kept; None for all.

    Returns:
        The model.

    Raises:
        TaggerError: The extra is not installed, a file cannot be used, or there is too
            little to learn from.
    """
    before = None if encoder in ENCODERS else _begun_from(encoder)
    for needed in ("torch", "onnx", "safetensors"):
        if importlib.util.find_spec(needed) is None:
            raise TrainError(
                f"fine-tuning needs {needed}, which is not installed: "
                "pip install 'commonpulse[train]', or leave out --encoder"
            )
    from nlp.training.finetune import fine_tune
    from nlp.training.weights import FURTHER, RECIPES, EncoderMissing, opened_weights

    arrays: dict[str, np.ndarray] = {}
    if before is None:
        recipe = RECIPES[encoder]
    elif layers:
        raise TrainError("a model is gone on from as it is; leave out --layers")
    else:
        arrays, kind = _arrays(before, [code.key for code in read_codeframe(codeframe).codes])
        recipe = FURTHER[kind]
    shape = replace(recipe.shape, layers=min(layers or recipe.shape.layers, recipe.shape.layers))
    recipe = replace(recipe, shape=shape, seed=seed, epochs=epochs or recipe.epochs,
                     frozen=min(recipe.frozen, shape.layers - 1))  # fmt: skip
    data = _data(paths, codeframe)
    try:
        with nullcontext(before.path) if before else opened_weights(encoder) as source:
            network = fine_tune(
                answers=data.answers,
                codes=data.codes,
                pieces=WordPieces(source / "tokenizer.json"),
                weights=arrays or source / "model.safetensors",
                recipe=recipe,
                progress=lambda share, _: progress("fine-tuning", share),
            )
            return finish_encoder(
                network.arrays(), paths, hold_out=hold_out, codeframe=codeframe, out=out,
                name=name, tokenizer=source / "tokenizer.json", progress=progress, seed=seed,
                shape=shape, before=before,
            )  # fmt: skip
    except EncoderMissing as missing:
        raise TrainError(
            f"the encoder {encoder} is not installed: {missing} is missing (docs/tagging.md)"
        ) from None


def _begun_from(name: str) -> Model:
    if not (is_shipped(name) or Path(name).is_dir()):
        raise TrainError(
            f"there is no encoder {name!r}; choose {', '.join(ENCODERS)}, or the model to go on "
            "from: default, fast or a folder"
        )
    return read_model(model_folder(name))


def _arrays(before: Model, codes: Sequence[str]) -> tuple[dict[str, np.ndarray], EncoderShape]:
    from nlp.training.further import NotOursError, encoder_arrays, head_arrays

    try:
        arrays, shape = encoder_arrays(before.path / "encoder.onnx")
    except NotOursError as other:
        raise TrainError(f"{other}: it cannot be gone on from") from None
    if [code.key for code in before.codeframe.codes] == list(codes):
        arrays |= head_arrays(before.heads)
    return arrays, shape


def finish_encoder(
    arrays: dict[str, np.ndarray],
    paths: Sequence[Path],
    *,
    hold_out: Sequence[Path],
    codeframe: Path,
    out: Path,
    name: str,
    tokenizer: Path,
    progress: Progress,
    seed: int,
    shape: EncoderShape,
    before: Model | None = None,
) -> Model:
    """Quantise a fine-tuned network, fit the wording and choose thresholds.

    Args:
        arrays: Of ``Network.arrays``.
        paths: Files that it learnt from.
        hold_out: As for ``train_encoder``.
        codeframe: As for ``train_encoder``.
        out: As for ``train_encoder``.
        name: As for ``train_encoder``.
        tokenizer: Its ``tokenizer.json``.
        progress: As for ``train_encoder``.
        seed: As for ``train_encoder``.
        shape: Of the network.
        before: The model that it was gone on from.
    """
    from nlp.training.export import export_encoder
    from nlp.training.export_coarse import export_coarse_encoder
    from nlp.training.loud import loud_columns

    data, held = _data(paths, codeframe), _data(hold_out, codeframe)
    heads = Heads(
        mean_weight=arrays["mean_head.weight"],
        mean_bias=arrays["mean_head.bias"],
        token_weight=arrays["token_head.weight"],
        token_bias=arrays["token_head.bias"],
        token_share=1.0,
        stance_weight=arrays["stance_head.weight"],
        stance_bias=arrays["stance_bias"] + arrays["stance_head.bias"],
    )
    with tempfile.TemporaryDirectory() as folder:
        encoder = Path(folder) / "encoder.onnx"
        progress("quantising", 0.0)
        pieces = WordPieces(tokenizer)
        if shape.buckets:
            some = (pieces.windows(a.text, a.question)[:1] for a in data.answers[:_LISTENED_TO])
            loud = loud_columns(arrays, shape, [window for found in some for window in found])
            export_coarse_encoder(arrays, shape, encoder, loud)
        else:
            export_encoder(arrays, shape, encoder)
        progress("quantising", 1.0)
        wording = fit_wording(data.answers, data.gold, seed=seed)
        read = read_states(
            held.answers, pieces, Encoder(encoder),
            lambda share: progress("choosing thresholds", share),
        )  # fmt: skip
        return write_model(
            out,
            name=name,
            encoder=encoder,
            tokenizer=tokenizer,
            codeframe=codeframe,
            heads=heads,
            wording=wording,
            decision=_chosen(read, held, heads, wording),
            provenance=_provenance(
                "fine-tuned", seed, paths, hold_out, data.answers,
                begun_from=before.version if before else "",
            ),
            trained_on=data.answers + held.answers,
            base=before,
        )  # fmt: skip
