"""The network that is fine-tuned: an encoder with heads for codes, stance and evidence.

What lives here: torch modules, and nothing that runs when answers are tagged. The same
heads in numpy are in ``nlp/heads.py``; ``tests/nlp`` holds the two to each other.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from nlp.training.coarse import coarse, roughly

__all__ = ["MINILM", "MPNET", "EncoderShape", "Network", "Output", "distance_buckets"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderShape:
    """Sizes and kind of an encoder; the defaults are those of all-MiniLM-L6-v2.

    Attributes:
        layers: Lower layers that are kept.
        width: Of a state.
        heads: Of the attention.
        inner: Width inside a layer.
        pieces: Word pieces in the vocabulary.
        positions: Rows of the table of positions.
        first_position: Row of the first piece.
        segments: Whether question and answer have a mark of their own each.
        buckets: Of distances between pieces, each with a weight of its own in the attention
            (MPNet); 0 for none.
        epsilon: Of the normalisation.
    """

    layers: int = 6
    width: int = 384
    heads: int = 12
    inner: int = 1536
    pieces: int = 30522
    positions: int = 512
    first_position: int = 0
    segments: bool = True
    buckets: int = 0
    epsilon: float = 1e-12


MPNET = EncoderShape(
    layers=12, width=768, inner=3072, pieces=30527, positions=514, first_position=2,
    segments=False, buckets=32, epsilon=1e-5,
)  # fmt: skip
"""all-mpnet-base-v2."""
MINILM = EncoderShape()
"""all-MiniLM-L6-v2."""

_FARTHEST = 128


def distance_buckets(length: int, buckets: int) -> np.ndarray:
    """Give the bucket of the distance of each piece to each other, shape (length, length).

    Half of the buckets look back and half ahead; near distances have one each, far ones
    share by their logarithm, as in T5 and MPNet.
    """
    place = np.arange(length)
    back = place[:, None] - place[None, :]
    half = buckets // 2
    exact = half // 2
    far = np.log(np.maximum(np.abs(back), 1).astype(np.float32) / np.float32(exact))
    far = exact + (far / np.float32(math.log(_FARTHEST / exact)) * (half - exact)).astype(np.int64)
    near = np.abs(back)
    found: np.ndarray = np.where(back < 0, half, 0) + np.where(
        near < exact, near, np.minimum(far, half - 1)
    )
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What the network makes of a batch.

    Attributes:
        codes: Logits, shape (answers, codes).
        tokens: Evidence logits, shape (answers, pieces, codes); not masked.
        stances: Logits, shape (answers, codes, stances).
    """

    codes: Tensor
    tokens: Tensor
    stances: Tensor


_BERT_NAMES = (
    "attention.self.query", "attention.self.key", "attention.self.value",
    "attention.output.dense", "attention.output.LayerNorm",
)  # fmt: skip
_MPNET_NAMES = (
    "attention.attn.q", "attention.attn.k", "attention.attn.v", "attention.attn.o",
    "attention.LayerNorm",
)  # fmt: skip


class Matrix(nn.Linear):
    """A layer's matrix; where it is ``rough``, it works with its weights as four bits hold them."""

    rough = False

    def forward(self, states: Tensor) -> Tensor:
        """Give the states multiplied, shape (answers, pieces, rows)."""
        weight = roughly(self.weight) if self.rough else self.weight
        return functional.linear(states, weight, self.bias)


class Layer(nn.Module):
    """One transformer layer, normalised after each half as BERT does."""

    def __init__(self, shape: EncoderShape, dropout: float) -> None:
        super().__init__()
        self.heads = shape.heads
        self.dropout = dropout
        self.qkv = Matrix(shape.width, 3 * shape.width)
        self.out = Matrix(shape.width, shape.width)
        self.norm_attention = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.up = Matrix(shape.width, shape.inner)
        self.down = Matrix(shape.inner, shape.width)
        self.norm_output = nn.LayerNorm(shape.width, eps=shape.epsilon)

    @property
    def matrices(self) -> dict[str, Matrix]:
        """Those that are rounded, by name."""
        return {"qkv": self.qkv, "out": self.out, "up": self.up, "down": self.down}

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Give the next states.

        Args:
            states: Shape (answers, pieces, width).
            mask: What is added to the attention, shape (answers, heads or 1, pieces, pieces).
        """
        batch, length, width = states.shape
        qkv = self.qkv(states).view(batch, length, 3, self.heads, -1)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        drop = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask.to(query.dtype), dropout_p=drop
        )
        mixed = self.out(mixed.transpose(1, 2).reshape(batch, length, width))
        states = self.norm_attention(states + functional.dropout(mixed, drop))
        inner = self.down(functional.gelu(self.up(states)))
        return self.norm_output(states + functional.dropout(inner, drop))


class Network(nn.Module):
    """Encoder and heads, trained together."""

    def __init__(self, shape: EncoderShape, n_codes: int, n_stances: int) -> None:
        super().__init__()
        self.shape = shape
        self.dropout = 0.1
        self.frozen = 0
        self.rough = False
        self.words = nn.Embedding(shape.pieces, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.segments = nn.Embedding(2, shape.width) if shape.segments else None
        self.distances = nn.Embedding(shape.buckets, shape.heads) if shape.buckets else None
        self.norm = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.layers = nn.ModuleList(Layer(shape, self.dropout) for _ in range(shape.layers))
        self.mean_head = nn.Linear(shape.width, n_codes)
        self.token_head = nn.Linear(shape.width, n_codes)
        self.stance_head = nn.Linear(2 * shape.width, n_stances)
        self.stance_bias = nn.Parameter(torch.zeros(n_codes, n_stances))
        for head in (self.mean_head, self.token_head, self.stance_head):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    @property
    def blocks(self) -> list[Layer]:
        """The layers, the lowest first."""
        return [layer for layer in self.layers if isinstance(layer, Layer)]

    @property
    def tables(self) -> list[nn.Embedding]:
        """What is looked up and stays as it was read."""
        tables = (self.words, self.positions, self.segments, self.distances)
        return [table for table in tables if table is not None]

    def read_weights(self, weights: Mapping[str, Tensor]) -> None:
        """Take the encoder's weights, named as in a ``model.safetensors`` of BERT or MPNet."""
        prefix = "bert." if "bert.embeddings.word_embeddings.weight" in weights else ""
        kind = _MPNET_NAMES if self.distances is not None else _BERT_NAMES

        def taken(name: str) -> Tensor:
            return weights[f"{prefix}{name}.weight"]

        def pair(name: str) -> dict[str, Tensor]:
            return {part: weights[f"{prefix}{name}.{part}"] for part in ("weight", "bias")}

        self.words.load_state_dict({"weight": taken("embeddings.word_embeddings")})
        self.positions.load_state_dict({"weight": taken("embeddings.position_embeddings")})
        if self.segments is not None:
            self.segments.load_state_dict({"weight": taken("embeddings.token_type_embeddings")})
        if self.distances is not None:
            self.distances.load_state_dict({"weight": taken("encoder.relative_attention_bias")})
        self.norm.load_state_dict(pair("embeddings.LayerNorm"))
        for number, layer in enumerate(self.blocks):
            at = f"encoder.layer.{number}"
            qkv = [pair(f"{at}.{part}") for part in kind[:3]]
            layer.qkv.load_state_dict(
                {part: torch.cat([each[part] for each in qkv]) for part in ("weight", "bias")}
            )
            layer.out.load_state_dict(pair(f"{at}.{kind[3]}"))
            layer.norm_attention.load_state_dict(pair(f"{at}.{kind[4]}"))
            layer.up.load_state_dict(pair(f"{at}.intermediate.dense"))
            layer.down.load_state_dict(pair(f"{at}.output.dense"))
            layer.norm_output.load_state_dict(pair(f"{at}.output.LayerNorm"))

    def take_arrays(self, arrays: Mapping[str, np.ndarray]) -> None:
        """Take weights by name, as ``arrays`` gave them; what is not among them stays."""
        known = self.state_dict()
        for name, values in arrays.items():
            known[name].copy_(torch.from_numpy(np.array(values, dtype=np.float32)))

    def freeze(self, layers: int) -> None:
        """Let the tables and the lower layers stay as they were read."""
        self.frozen = layers
        for table in self.tables:
            table.requires_grad_(False)
        if layers:
            self.norm.requires_grad_(False)
        for layer in self.blocks[:layers]:
            layer.requires_grad_(False)
            layer.dropout = 0.0

    def learn_roughly(self) -> None:
        """Work with four-bit weights from here on; what is frozen is rounded for good."""
        self.rough = True
        for number, layer in enumerate(self.blocks):
            for matrix in layer.matrices.values():
                matrix.rough = number >= self.frozen
                if not matrix.rough:
                    matrix.weight.data = coarse(matrix.weight.data)
        self.words.weight.data = coarse(self.words.weight.data)

    def _looked_at(self, mask: Tensor) -> Tensor:
        """Give what is added to the attention: nothing to padding, each distance its weight."""
        barred = torch.zeros(mask.shape).masked_fill(~mask, -1e4)[:, None, None, :]
        length = mask.shape[1]
        if self.distances is None:
            return barred.expand(-1, 1, length, -1)
        near = torch.from_numpy(distance_buckets(length, self.shape.buckets))
        return self.distances(near).permute(2, 0, 1)[None] + barred

    def encode(self, ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        """Give the states of all pieces, shape (answers, pieces, width)."""
        drop = self.dropout if self.training and not self.frozen else 0.0
        with torch.no_grad():
            at = torch.arange(ids.shape[1]) + self.shape.first_position
            states = self.words(ids) + self.positions(at)[None]
            if self.segments is not None:
                states = states + self.segments(segments)
            looked_at = self._looked_at(mask)
        states = functional.dropout(self.norm(states), drop)
        for layer in self.layers:
            states = layer(states, looked_at)
        return states

    def forward(self, ids: Tensor, segments: Tensor, mask: Tensor, answer: Tensor) -> Output:
        """Read a batch.

        Args:
            ids: Word pieces, shape (answers, pieces).
            segments: 0 or 1, same shape.
            mask: True where there is a piece, same shape.
            answer: True where the piece is the answer's, same shape.
        """
        states = self.encode(ids, segments, mask)
        share = answer.float() / answer.sum(1, keepdim=True).clamp(min=1)
        mean = torch.einsum("btd,bt->bd", states, share)
        dropped = functional.dropout(states, self.dropout if self.training else 0.0)
        tokens = self.token_head(dropped)
        hidden = tokens.masked_fill(~answer[:, :, None], -1e4)
        weight = torch.softmax(hidden, dim=1)
        pooled = (weight * tokens).sum(1)
        codes = self.mean_head(functional.dropout(mean, self.dropout if self.training else 0.0))
        carried = torch.einsum("btc,btd->bcd", weight, dropped)
        both = torch.cat([carried, mean[:, None, :].expand_as(carried)], dim=2)
        return Output(
            codes=codes + pooled,
            tokens=tokens,
            stances=self.stance_head(both) + self.stance_bias,
        )

    def arrays(self) -> dict[str, np.ndarray]:
        """Give all weights as float32 arrays, by name."""
        return {
            name: tensor.detach().cpu().numpy().astype(np.float32)
            for name, tensor in self.state_dict().items()
        }
