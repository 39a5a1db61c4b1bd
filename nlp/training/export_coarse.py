"""A large encoder as one small ONNX file: four-bit weights, multiplied as bytes.

What lives here: the graph of MPNet, written out node by node with ONNX Runtime's fused
operators. What must not: the rule of rounding (``coarse.py``) and training. Needs the extra
``commonpulse[train]``.

The matrices lie beside the graph, in four bits a weight. As an encoder is opened they are
unpacked into bytes with one scale a row, which every processor multiplies fast.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto

from nlp.fourbits import MATRICES, turned
from nlp.training.coarse import packed
from nlp.training.graph import FUSED, Graph
from nlp.training.network import EncoderShape, distance_buckets
from nlp.wordpieces import MAX_PIECES

__all__ = ["export_coarse_encoder"]


def _numbers(values: list[int], kind: type[np.generic] = np.int64) -> np.ndarray:
    return np.array(values, dtype=kind)


def _embeddings(graph: Graph, arrays: Mapping[str, np.ndarray], shape: EncoderShape) -> str:
    levels, scales = packed(torch.from_numpy(arrays["words.weight"]))
    both = graph.node("Gather", [graph.weight("words", levels), "ids"], "word_both")
    low = graph.node(
        "BitwiseAnd", [both, graph.weight("fifteen", _numbers([15], np.uint8))], "word_low"
    )
    high = graph.node(
        "BitShift",
        [both, graph.weight("four", _numbers([4], np.uint8))],
        "word_high",
        direction="RIGHT",
    )
    level = graph.node("Concat", [low, high], "word_pairs", axis=-1)
    level = graph.node("Cast", [level], "word_levels", to=TensorProto.FLOAT)
    level = graph.node(
        "Sub", [level, graph.weight("eight", _numbers([8], np.float32))], "word_signed"
    )
    last = graph.weight("last", _numbers([-1]))
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


def _multiplied(
    graph: Graph, values: str, name: str, size: tuple[int, int], loud: Sequence[int], result: str
) -> str:
    whole = graph.given(f"{name}.whole", TensorProto.INT8, size)
    rows = graph.given(f"{name}.rows", TensorProto.FLOAT, size[1:])
    if not loud:
        return graph.node("DynamicQuantizeMatMul", [values, whole, rows], result, FUSED)
    quiet = np.ones(size[0], dtype=np.float32)
    quiet[list(loud)] = 0
    rest = graph.node("Mul", [values, graph.weight(f"{name}.quiet", quiet)], f"{name}.rest")
    rest = graph.node("DynamicQuantizeMatMul", [rest, whole, rows], f"{name}.most", FUSED)
    apart = graph.weight(f"{name}.apart", _numbers(list(loud)))
    few = graph.given(f"{name}.few", TensorProto.FLOAT, (len(loud), size[1]))
    heard = graph.node("Gather", [values, apart], f"{name}.heard", axis=-1)
    return graph.node("Add", [rest, graph.node("MatMul", [heard, few], f"{name}.added")], result)


def _layer(
    graph: Graph, arrays: Mapping[str, np.ndarray], shape: EncoderShape, number: int, states: str,
    distances: str, loud: Mapping[str, Sequence[int]],
) -> str:  # fmt: skip
    at = f"layers.{number}"

    def taken(name: str) -> str:
        return graph.weight(f"{at}.{name}", arrays[f"{at}.{name}"])

    def through(values: str, name: str, result: str) -> str:
        rows, width = arrays[f"{at}.{name}.weight"].shape
        apart = loud.get(f"{at}.{name}", ())
        return _multiplied(graph, values, f"{at}.{name}", (width, rows), apart, f"{at}.{result}")

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


def _matrices(
    arrays: Mapping[str, np.ndarray], loud: Mapping[str, Sequence[int]]
) -> dict[str, np.ndarray]:
    found: dict[str, np.ndarray] = {}
    for key, weights in arrays.items():
        name = key.removesuffix(".weight")
        if name.startswith("layers.") and weights.ndim == 2:
            levels, scales = turned(*packed(torch.from_numpy(weights)))
            found |= {f"{name}.levels": levels, f"{name}.scales": scales}
            if name in loud:
                found[f"{name}.loud"] = np.array(loud[name], dtype=np.int64)
    return found


def export_coarse_encoder(
    arrays: Mapping[str, np.ndarray],
    shape: EncoderShape,
    path: Path,
    loud: Mapping[str, Sequence[int]],
) -> None:
    """Write the encoder with four-bit weights, a scale for each block of them.

    Args:
        arrays: Of ``Network.arrays``.
        shape: Of the network, one with weights of distances.
        path: The ONNX file to write; the matrices are written beside it. Input ``ids``, int64,
            shape (answers, pieces), no padding; output ``states``, float32, shape (answers,
            pieces, width).
        loud: Of ``loud_columns``.
    """
    graph = Graph()
    graph.weight("zero", _numbers([0]))
    graph.node("Shape", ["ids"], "length", start=1, end=2)
    states = _embeddings(graph, arrays, shape)
    distances = _distances(graph, arrays, shape)
    for number in range(shape.layers):
        states = _layer(graph, arrays, shape, number, states, distances, loud)
    graph.node("Identity", [states], "states")
    onnx.save(graph.model(["ids"], shape.width), str(path))
    matrices: dict[str, Any] = _matrices(arrays, loud)
    np.savez(path.parent / MATRICES, **matrices)
