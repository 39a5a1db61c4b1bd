"""A large encoder as one small ONNX file: four-bit weights.

What lives here: the graph of MPNet, written out node by node with ONNX Runtime's fused
operators. What must not: the rule of rounding (``coarse.py``) and training. Needs the extra
``commonpulse[train]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
import torch
from onnx import TensorProto

from nlp.training.coarse import BLOCK, packed
from nlp.training.graph import FUSED, Graph
from nlp.training.network import EncoderShape, distance_buckets
from nlp.wordpieces import MAX_PIECES

__all__ = ["export_coarse_encoder"]

_ACTIVATIONS_8_BIT = 4
"""``accuracy_level`` of ``MatMulNBits``: integers are multiplied, not floats."""


def _numbers(values: list[int], kind: type[np.generic] = np.int64) -> np.ndarray:
    return np.array(values, dtype=kind)


def _embeddings(graph: Graph, arrays: Mapping[str, np.ndarray], shape: EncoderShape) -> str:
    levels, scales = packed(torch.from_numpy(arrays["words.weight"]))
    table = graph.weight("words", levels.reshape(shape.pieces, -1))
    both = graph.node("Gather", [table, "ids"], "word_both")
    low = graph.node(
        "BitwiseAnd", [both, graph.weight("fifteen", _numbers([15], np.uint8))], "word_low"
    )
    high = graph.node(
        "BitShift",
        [both, graph.weight("four", _numbers([4], np.uint8))],
        "word_high",
        direction="RIGHT",
    )
    last = graph.weight("last", _numbers([-1]))
    pairs = [graph.node("Unsqueeze", [each, last], f"{each}_apart") for each in (low, high)]
    level = graph.node("Concat", pairs, "word_pairs", axis=-1)
    blocks = graph.weight("blocks", _numbers([0, 0, shape.width // BLOCK, BLOCK]))
    level = graph.node("Reshape", [level, blocks], "word_blocks")
    level = graph.node("Cast", [level], "word_levels", to=TensorProto.FLOAT)
    level = graph.node(
        "Sub", [level, graph.weight("eight", _numbers([8], np.float32))], "word_signed"
    )
    scale = graph.node("Gather", [graph.weight("word_scales", scales), "ids"], "word_scale_halves")
    scale = graph.node("Cast", [scale], "word_scale", to=TensorProto.FLOAT)
    scale = graph.node("Unsqueeze", [scale, last], "word_scale_apart")
    row = graph.weight("row", _numbers([0, 0, shape.width]))
    word = graph.node("Reshape", [graph.node("Mul", [level, scale], "word_scaled"), row], "word")
    first = shape.first_position
    positions = arrays["positions.weight"][first : first + MAX_PIECES].astype(np.float16)
    place = graph.node(
        "Slice", [graph.weight("positions", positions), "zero", "length", "zero"], "place_halves"
    )
    place = graph.node("Cast", [place], "place", to=TensorProto.FLOAT)
    return graph.node(
        "LayerNormalization",
        [
            graph.node("Add", [word, place], "sum"),
            graph.weight("norm.weight", arrays["norm.weight"]),
            graph.weight("norm.bias", arrays["norm.bias"]),
        ],
        "embedded",
        axis=-1,
        epsilon=shape.epsilon,
    )


def _distances(graph: Graph, arrays: Mapping[str, np.ndarray], shape: EncoderShape) -> str:
    all_near = graph.weight("near", distance_buckets(MAX_PIECES, shape.buckets).astype(np.uint8))
    axes = graph.weight("both_axes", _numbers([0, 1]))
    starts = graph.weight("both_starts", _numbers([0, 0]))
    ends = graph.node("Concat", ["length", "length"], "both_ends", axis=0)
    near = graph.node("Slice", [all_near, starts, ends, axes], "near_here")
    near = graph.node("Cast", [near], "near_index", to=TensorProto.INT64)
    table = graph.weight("distances", arrays["distances.weight"].T)
    weights = graph.node("Gather", [table, near], "distance_weights", axis=1)
    return graph.node("Unsqueeze", [weights, "zero"], "distance_bias")


def _layer(
    graph: Graph, arrays: Mapping[str, np.ndarray], shape: EncoderShape, number: int, states: str,
    distances: str,
) -> str:  # fmt: skip
    at = f"layers.{number}"

    def taken(name: str) -> str:
        return graph.weight(f"{at}.{name}", arrays[f"{at}.{name}"])

    def through(values: str, name: str, result: str) -> str:
        weights = arrays[f"{at}.{name}.weight"]
        levels, scales = packed(torch.from_numpy(weights))
        halves = graph.weight(f"{at}.{name}.scales", scales.reshape(-1))
        return graph.node(
            "MatMulNBits",
            [
                values,
                graph.weight(f"{at}.{name}.levels", levels),
                graph.node("Cast", [halves], f"{at}.{name}.scale", to=TensorProto.FLOAT),
            ],
            f"{at}.{result}",
            FUSED,
            K=weights.shape[1],
            N=weights.shape[0],
            bits=4,
            block_size=BLOCK,
            accuracy_level=_ACTIVATIONS_8_BIT,
        )

    def normalised(values: str, before: str, name: str, bias: str, result: str) -> str:
        return graph.node(
            "SkipLayerNormalization",
            [values, before, taken(f"{name}.weight"), taken(f"{name}.bias"), taken(bias)],
            f"{at}.{result}",
            FUSED,
            epsilon=shape.epsilon,
        )

    qkv = through(states, "qkv", "qkv")
    query, key, value = graph.split(qkv, [f"{at}.{part}" for part in ("query", "key", "value")])
    mixed = graph.node(
        "MultiHeadAttention",
        [query, key, value, taken("qkv.bias"), "", distances],
        f"{at}.mixed",
        FUSED,
        num_heads=shape.heads,
    )
    mixed = through(mixed, "out", "attended")
    middle = normalised(mixed, states, "norm_attention", "out.bias", "middle")
    inner = through(middle, "up", "inner")
    inner = graph.node("BiasGelu", [inner, taken("up.bias")], f"{at}.active", FUSED)
    outer = through(inner, "down", "outer")
    return normalised(outer, middle, "norm_output", "down.bias", "states")


def export_coarse_encoder(
    arrays: Mapping[str, np.ndarray], shape: EncoderShape, path: Path
) -> None:
    """Write the encoder with four-bit weights, a scale for each ``BLOCK`` of them.

    Args:
        arrays: Of ``Network.arrays``.
        shape: Of the network, one with weights of distances.
        path: The ONNX file to write. Input ``ids``, int64, shape (answers, pieces), no
            padding; output ``states``, float32, shape (answers, pieces, width).
    """
    graph = Graph()
    graph.weight("zero", _numbers([0]))
    graph.node("Shape", ["ids"], "length", start=1, end=2)
    states = _embeddings(graph, arrays, shape)
    distances = _distances(graph, arrays, shape)
    for number in range(shape.layers):
        states = _layer(graph, arrays, shape, number, states, distances)
    graph.node("Identity", [states], "states")
    onnx.save(graph.model(["ids"], shape.width), str(path))
