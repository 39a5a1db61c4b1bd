"""The network that is fine-tuned: a BERT encoder with heads for codes, stance and evidence.

What lives here: torch modules, and nothing that runs when answers are tagged. The same
heads in numpy are in ``nlp/heads.py``; ``tests/nlp`` holds the two to each other.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["EncoderShape", "Network", "Output"]


@dataclass(frozen=True, slots=True, kw_only=True)
class EncoderShape:
    """Sizes of a BERT encoder; the defaults are those of all-MiniLM-L6-v2."""

    layers: int = 6
    width: int = 384
    heads: int = 12
    inner: int = 1536
    pieces: int = 30522
    positions: int = 512
    epsilon: float = 1e-12


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


class Layer(nn.Module):
    """One transformer layer, normalised after each half as BERT does."""

    def __init__(self, shape: EncoderShape, dropout: float) -> None:
        super().__init__()
        self.heads = shape.heads
        self.dropout = dropout
        self.qkv = nn.Linear(shape.width, 3 * shape.width)
        self.out = nn.Linear(shape.width, shape.width)
        self.norm_attention = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.up = nn.Linear(shape.width, shape.inner)
        self.down = nn.Linear(shape.inner, shape.width)
        self.norm_output = nn.LayerNorm(shape.width, eps=shape.epsilon)

    def forward(self, states: Tensor, mask: Tensor) -> Tensor:
        """Give the next states; ``mask`` is True where a piece may be looked at."""
        batch, length, width = states.shape
        qkv = self.qkv(states).view(batch, length, 3, self.heads, width // self.heads)
        query, key, value = qkv.permute(2, 0, 3, 1, 4)
        drop = self.dropout if self.training else 0.0
        mixed = functional.scaled_dot_product_attention(
            query, key, value, attn_mask=mask[:, None, None, :], dropout_p=drop
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
        self.words = nn.Embedding(shape.pieces, shape.width)
        self.positions = nn.Embedding(shape.positions, shape.width)
        self.segments = nn.Embedding(2, shape.width)
        self.norm = nn.LayerNorm(shape.width, eps=shape.epsilon)
        self.layers = nn.ModuleList(Layer(shape, self.dropout) for _ in range(shape.layers))
        self.mean_head = nn.Linear(shape.width, n_codes)
        self.token_head = nn.Linear(shape.width, n_codes)
        self.stance_head = nn.Linear(2 * shape.width, n_stances)
        self.stance_bias = nn.Parameter(torch.zeros(n_codes, n_stances))
        for head in (self.mean_head, self.token_head, self.stance_head):
            nn.init.normal_(head.weight, std=0.02)
            nn.init.zeros_(head.bias)

    def read_bert(self, weights: Mapping[str, Tensor]) -> None:
        """Take the encoder's weights, named as in a ``model.safetensors`` of BERT."""
        prefix = "bert." if "bert.embeddings.word_embeddings.weight" in weights else ""

        def pair(name: str) -> dict[str, Tensor]:
            return {part: weights[f"{prefix}{name}.{part}"] for part in ("weight", "bias")}

        for name, table in (("word", self.words), ("position", self.positions),
                            ("token_type", self.segments)):  # fmt: skip
            table.load_state_dict(
                {"weight": weights[f"{prefix}embeddings.{name}_embeddings.weight"]}
            )
        self.norm.load_state_dict(pair("embeddings.LayerNorm"))
        for number, layer in enumerate(self.layers):
            if not isinstance(layer, Layer):
                raise TypeError(layer)
            at = f"encoder.layer.{number}"
            qkv = [pair(f"{at}.attention.self.{part}") for part in ("query", "key", "value")]
            layer.qkv.load_state_dict(
                {part: torch.cat([each[part] for each in qkv]) for part in ("weight", "bias")}
            )
            layer.out.load_state_dict(pair(f"{at}.attention.output.dense"))
            layer.norm_attention.load_state_dict(pair(f"{at}.attention.output.LayerNorm"))
            layer.up.load_state_dict(pair(f"{at}.intermediate.dense"))
            layer.down.load_state_dict(pair(f"{at}.output.dense"))
            layer.norm_output.load_state_dict(pair(f"{at}.output.LayerNorm"))

    def encode(self, ids: Tensor, segments: Tensor, mask: Tensor) -> Tensor:
        """Give the states of all pieces, shape (answers, pieces, width)."""
        at = torch.arange(ids.shape[1], device=ids.device)
        states = self.words(ids) + self.positions(at)[None] + self.segments(segments)
        states = functional.dropout(self.norm(states), self.dropout if self.training else 0.0)
        for layer in self.layers:
            states = layer(states, mask)
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
