"""Fine-tuning of the encoder with its heads, end to end.

What lives here: the optimiser's loop, seeded. What must not: thresholds (they are chosen
on the quantised model) and files. Needs the extra ``commonpulse[train]``.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import load_file
from torch import Tensor
from torch.nn import functional

from dialogues.coding import Stance
from nlp.answers import CodedAnswer
from nlp.training.network import MINILM, EncoderShape, Network
from nlp.wordpieces import WordPieces

__all__ = ["Recipe", "fine_tune", "mistyped"]

_STANCES = list(Stance)
_HALVES = any(torch.cpu.get_capabilities().get(name) for name in ("avx512_bf16", "amx_bf16"))
"""Whether the processor multiplies bfloat16 by itself."""
_MARKS = frozenset(".,;:!?'’")
_WORD = re.compile(r"[a-zA-Z]{4,}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipe:
    """How to fine-tune; the defaults made the shipped model.

    Attributes:
        shape: Of the encoder.
        frozen: Lower layers that stay as they were read.
        epochs: Passes over the answers.
        batch: Answers a step, of similar length.
        rate: Highest learning rate of the encoder's top layer; the heads' is ``head_rate``.
        rate_decay: Of each layer's rate against that of the layer above it.
        head_rate: Highest learning rate of the heads.
        warm_up: Share of all steps before the highest rate; then linear decay to nothing.
        positive_weight: Of a code that is there against one that is not.
        evidence_weight: Of the token loss.
        stance_weight: Of the stance loss.
        question_dropout: Share of answers shown without their question, anew each epoch.
        typos: Share of answers in which letters change places or marks are left out.
        rough_after: Share of the steps after which four-bit weights are learnt with; 1 for
            never.
        bfloat16: Multiply matrices in half precision where the processor knows how, which is
            twice as fast; elsewhere it would take forty times as long, and is left out.
            Weights and losses stay float32.
        seed: Of everything that is drawn.
    """

    shape: EncoderShape = MINILM
    frozen: int = 0
    epochs: int = 5
    batch: int = 16
    rate: float = 1.5e-4
    rate_decay: float = 1.0
    head_rate: float = 2e-3
    warm_up: float = 0.1
    positive_weight: float = 3.0
    evidence_weight: float = 0.5
    stance_weight: float = 0.15
    question_dropout: float = 0.1
    typos: float = 0.0
    rough_after: float = 1.0
    bfloat16: bool = True
    seed: int = 20261122


@dataclass(frozen=True, slots=True, kw_only=True)
class _Example:
    """A coded answer as it is shown this time."""

    answer: CodedAnswer
    text: str
    question: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Batch:
    ids: Tensor
    segments: Tensor
    mask: Tensor
    answer: Tensor
    codes: Tensor
    tokens: Tensor
    tokens_known: Tensor
    stances: Tensor


def mistyped(text: str, draw: random.Random) -> str:
    """Give the text as a hurried hand has it: of the same length, so that evidence keeps its place.

    About one word in fifteen has two letters in each other's place; half of the texts lose
    their marks.
    """
    letters = list(text)
    if draw.random() < 0.5:
        letters = [" " if letter in _MARKS else letter for letter in letters]
    for match in _WORD.finditer(text):
        if draw.random() < 1 / 15:
            at = draw.randrange(match.start() + 1, match.end() - 1)
            letters[at], letters[at + 1] = letters[at + 1], letters[at]
    return "".join(letters)


def _batch(examples: Sequence[_Example], pieces: WordPieces, codes: Sequence[str]) -> _Batch:
    answers = [example.answer for example in examples]
    windows = [pieces.windows(example.text, example.question)[0] for example in examples]
    n, length, n_codes = len(windows), max(len(w.ids) for w in windows), len(codes)
    index = {key: number for number, key in enumerate(codes)}
    batch = _Batch(
        ids=torch.zeros(n, length, dtype=torch.long),
        segments=torch.zeros(n, length, dtype=torch.long),
        mask=torch.zeros(n, length, dtype=torch.bool),
        answer=torch.zeros(n, length, dtype=torch.bool),
        codes=torch.zeros(n, n_codes),
        tokens=torch.zeros(n, length, n_codes),
        tokens_known=torch.zeros(n, length, n_codes),
        stances=torch.full((n, n_codes), -1, dtype=torch.long),
    )
    for row, (answer, window) in enumerate(zip(answers, windows, strict=True)):
        size = len(window.ids)
        batch.ids[row, :size] = torch.tensor(window.ids)
        batch.segments[row, :size] = torch.tensor(window.segments)
        batch.mask[row, :size] = True
        spoken = slice(window.first, window.first + len(window.offsets))
        batch.answer[row, spoken] = True
        batch.tokens_known[row, spoken] = 1.0
        for coding in answer.codings:
            code = index[coding.enabler]
            batch.codes[row, code] = 1.0
            if coding.stance is not None and batch.stances[row, code] < 0:
                batch.stances[row, code] = _STANCES.index(coding.stance)
            if not coding.span_text:
                batch.tokens_known[row, :, code] = 0.0
            for place, (start, end) in enumerate(window.offsets, start=window.first):
                if start < coding.span_end and end > coding.span_start:
                    batch.tokens[row, place, code] = 1.0
    return batch


def _shown(answer: CodedAnswer, recipe: Recipe, draw: random.Random) -> _Example:
    asked = draw.random() >= recipe.question_dropout
    text = mistyped(answer.text, draw) if draw.random() < recipe.typos else answer.text
    return _Example(answer=answer, text=text, question=answer.question if asked else None)


def _batches(
    answers: Sequence[CodedAnswer], recipe: Recipe, draw: random.Random
) -> Iterator[list[_Example]]:
    order = list(answers)
    draw.shuffle(order)
    chunk = recipe.batch * 32
    batches = []
    for at in range(0, len(order), chunk):
        near = sorted(order[at : at + chunk], key=lambda a: len(a.text) + len(a.question or ""))
        batches += [near[i : i + recipe.batch] for i in range(0, len(near), recipe.batch)]
    draw.shuffle(batches)
    for batch in batches:
        yield [_shown(answer, recipe, draw) for answer in batch]


def _epochs(
    answers: Sequence[CodedAnswer], recipe: Recipe, draw: random.Random
) -> Iterator[list[_Example]]:
    for _ in range(recipe.epochs):
        yield from _batches(answers, recipe, draw)


def _loss(network: Network, batch: _Batch, recipe: Recipe) -> Tensor:
    halves = recipe.bfloat16 and _HALVES
    with torch.autocast("cpu", dtype=torch.bfloat16, enabled=halves):
        output = network(batch.ids, batch.segments, batch.mask, batch.answer)
    weight = torch.tensor(recipe.positive_weight)
    loss = functional.binary_cross_entropy_with_logits(
        output.codes.float(), batch.codes, pos_weight=weight
    )
    tokens = functional.binary_cross_entropy_with_logits(
        output.tokens.float(), batch.tokens, pos_weight=weight, reduction="none"
    )
    loss = loss + recipe.evidence_weight * (
        (tokens * batch.tokens_known).sum() / batch.tokens_known.sum().clamp(min=1)
    )
    if bool((batch.stances >= 0).any()):
        loss = loss + recipe.stance_weight * functional.cross_entropy(
            output.stances.float().flatten(0, 1), batch.stances.flatten(), ignore_index=-1
        )
    return loss


def _optimiser(network: Network, recipe: Recipe) -> torch.optim.Optimizer:
    heads = [p for name, p in network.named_parameters() if "head" in name or "stance" in name]
    groups: list[dict[str, object]] = [{"params": heads, "lr": recipe.head_rate}]
    below = [network.norm, *network.layers]
    for depth, part in enumerate(reversed(below)):
        taught = [p for p in part.parameters() if p.requires_grad]
        if taught:
            groups.append({"params": taught, "lr": recipe.rate * recipe.rate_decay**depth})
    return torch.optim.AdamW(groups, weight_decay=0.01, fused=True)


def fine_tune(
    *,
    answers: Sequence[CodedAnswer],
    codes: Sequence[str],
    pieces: WordPieces,
    weights: Mapping[str, np.ndarray] | Path,
    recipe: Recipe,
    progress: Callable[[float, float], None],
    gone: Callable[[], float] = lambda: 0.0,
    keep: Callable[[Network], None] | None = None,
) -> Network:
    """Fine-tune an encoder and its heads on coded answers.

    Args:
        answers: To learn from; those without a word piece are passed over.
        codes: Keys of the codeframe, in its order.
        pieces: The encoder's word pieces.
        weights: Its ``model.safetensors``; or arrays by name, as ``Network.arrays`` gives
            them, to go on from: heads that are not among them begin anew.
        recipe: How.
        progress: Called after each step with the share done in [0, 1] and the loss.
        gone: Gives the share of the allowed time that is gone. Whichever is further, time or
            steps, says how far the training is, so that it ends well on a busy machine.
        keep: Called after each step with the network, to save it now and then.

    Returns:
        The network, ready to be exported (dropout off).
    """
    torch.manual_seed(recipe.seed)
    draw = random.Random(recipe.seed)  # noqa: S311
    usable = [answer for answer in answers if pieces.windows(answer.text, None)]
    network = Network(recipe.shape, len(codes), len(_STANCES))
    if isinstance(weights, Path):
        network.read_weights(load_file(weights))
    else:
        network.take_arrays(weights)
    network.freeze(recipe.frozen)
    optimiser = _optimiser(network, recipe)
    highest = [float(group["lr"]) for group in optimiser.param_groups]
    steps = recipe.epochs * math.ceil(len(usable) / recipe.batch)
    share = 0.0
    network.train()
    for done, examples in enumerate(_epochs(usable, recipe, draw), start=1):
        if share >= recipe.rough_after and not network.rough:
            network.learn_roughly()
        height = min((share + 1 / steps) / recipe.warm_up, (1 - share) / (1 - recipe.warm_up))
        for group, rate in zip(optimiser.param_groups, highest, strict=True):
            group["lr"] = rate * min(1.0, height)
        loss = _loss(network, _batch(examples, pieces, codes), recipe)
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        share = max(done / steps, gone())
        progress(min(1.0, share), float(loss.detach()))
        if keep is not None:
            keep(network)
        if share >= 1:
            break
    return network.eval()
