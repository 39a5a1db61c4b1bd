"""The fine-tuned encoder as one small ONNX file: fused operators, 8-bit weights.

What lives here: the graph, written out node by node with ONNX Runtime's fused operators,
so that no exporter has to guess them, and its quantisation. What must not: training.
Needs the extra ``commonpulse[train]``.
"""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto
from onnxruntime.quantization import QuantType, quantize_dynamic  # type: ignore[import-untyped]

from nlp.training.graph import FUSED, Graph
from nlp.training.network import EncoderShape
from nlp.wordpieces import MAX_PIECES

__all__ = ["export_encoder"]


def _embeddings(graph: Graph, arrays: Mapping[str, np.ndarray], shape: EncoderShape) -> str:
    words = arrays["words.weight"]
    scale = np.abs(words).max(axis=1, keepdims=True) / 127
    scale[scale == 0] = 1
    table = graph.weight("words", np.round(words / scale).astype(np.int8))
    scales = graph.weight("word_scales", scale.astype(np.float32))
    first = graph.weight("first", np.array([0], dtype=np.int64))
    axis = graph.weight("axis", np.array([0], dtype=np.int64))
    word = graph.node("Cast", [graph.node("Gather", [table, "ids"], "word_bytes")], "word_floats",
                      to=TensorProto.FLOAT)  # fmt: skip
    word = graph.node("Mul", [word, graph.node("Gather", [scales, "ids"], "word_scale")], "word")
    size = graph.node("Shape", ["ids"], "size", start=1, end=2)
    positions = graph.weight("positions", arrays["positions.weight"][:MAX_PIECES])
    place = graph.node("Slice", [positions, first, size, axis], "place")
    segments = graph.weight("segment_table", arrays["segments.weight"])
    segment = graph.node("Gather", [segments, "segments"], "segment")
    total = graph.node("Add", [graph.node("Add", [word, segment], "word_segment"), place], "sum")
    return graph.node(
        "LayerNormalization",
        [
            total,
            graph.weight("norm.weight", arrays["norm.weight"]),
            graph.weight("norm.bias", arrays["norm.bias"]),
        ],
        "embedded",
        axis=-1,
        epsilon=shape.epsilon,
    )


def _layer(
    graph: Graph, arrays: Mapping[str, np.ndarray], shape: EncoderShape, number: int, states: str
) -> str:
    at = f"layers.{number}"

    def taken(name: str, *, turned: bool = False) -> str:
        values = arrays[f"{at}.{name}"]
        return graph.weight(f"{at}.{name}", values.T if turned else values)

    def normalised(values: str, name: str, bias: str, result: str) -> str:
        return graph.node(
            "SkipLayerNormalization",
            [values, states, taken(f"{name}.weight"), taken(f"{name}.bias"), taken(bias)],
            f"{at}.{result}",
            FUSED,
            epsilon=shape.epsilon,
        )

    mixed = graph.node(
        "Attention",
        [states, taken("qkv.weight", turned=True), taken("qkv.bias")],
        f"{at}.mixed",
        FUSED,
        num_heads=shape.heads,
    )
    mixed = graph.node("MatMul", [mixed, taken("out.weight", turned=True)], f"{at}.attended")
    states = normalised(mixed, "norm_attention", "out.bias", "middle")
    inner = graph.node("MatMul", [states, taken("up.weight", turned=True)], f"{at}.inner")
    inner = graph.node("BiasGelu", [inner, taken("up.bias")], f"{at}.active", FUSED)
    outer = graph.node("MatMul", [inner, taken("down.weight", turned=True)], f"{at}.outer")
    return normalised(outer, "norm_output", "down.bias", "states")


def export_encoder(arrays: Mapping[str, np.ndarray], shape: EncoderShape, path: Path) -> None:
    """Write the encoder with 8-bit weights, one scale a channel.

    Weights use seven of the eight bits, so that processors without VNNI do not overflow
    and every machine gives the same codes.

    Args:
        arrays: Of ``Network.arrays``.
        shape: Of the network.
        path: The ONNX file to write. Inputs ``ids`` and ``segments``, int64, shape
            (answers, pieces), no padding; output ``states``, float32, shape
            (answers, pieces, width).
    """
    graph = Graph()
    states = _embeddings(graph, arrays, shape)
    for number in range(shape.layers):
        states = _layer(graph, arrays, shape, number, states)
    graph.node("Identity", [states], "states")
    model = graph.model(["ids", "segments"], shape.width)
    with tempfile.TemporaryDirectory() as folder:
        whole = Path(folder) / "whole.onnx"
        onnx.save(model, str(whole))
        logging.disable(logging.WARNING)  # advice on pre-processing, which the graph has had
        try:
            _quantise(whole, path)
        finally:
            logging.disable(logging.NOTSET)


def _quantise(whole: Path, path: Path) -> None:
    quantize_dynamic(
        str(whole),
        str(path),
        op_types_to_quantize=["MatMul", "Attention"],
        per_channel=True,
        reduce_range=True,
        weight_type=QuantType.QInt8,
        extra_options={"DefaultTensorType": TensorProto.FLOAT},
    )
