"""A model as the beginning of the next: its graph read back into the network's weights.

What lives here: the way back of ``export.py`` and ``export_coarse.py``. Rounding what is read
once more changes nothing, so training goes on exactly where the model stands. Needs the extra
``commonpulse[train]``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper

from nlp.fourbits import MATRICES, unpacked
from nlp.heads import Heads
from nlp.training.network import MINILM, MPNET, EncoderShape

__all__ = ["NotOursError", "encoder_arrays", "head_arrays"]

_MATRICES = ("qkv", "out", "up", "down")
_KEPT = (
    "qkv.bias", "out.bias", "up.bias", "down.bias", "norm_attention.weight",
    "norm_attention.bias", "norm_output.weight", "norm_output.bias",
)  # fmt: skip


class NotOursError(ValueError):
    """An encoder is not one that this project wrote."""


def _matrix(held: Mapping[str, np.ndarray], name: str) -> np.ndarray:
    if f"{name}.levels" in held:
        return unpacked(held[f"{name}.levels"].transpose(2, 0, 1), held[f"{name}.scales"].T)
    bytes_ = held[f"{name}.weight_quantized"].astype(np.float32)
    whole = bytes_ - held[f"{name}.weight_zero_point"].astype(np.float32)
    scaled: np.ndarray = whole * held[f"{name}.weight_scale"]
    return np.ascontiguousarray(scaled.T)


def encoder_arrays(
    path: Path, shape: EncoderShape | None = None
) -> tuple[dict[str, np.ndarray], EncoderShape]:
    """Give the encoder's part of ``Network.arrays``, and its shape.

    Args:
        path: An ``encoder.onnx`` that one of the exports wrote.
        shape: Of the network that it was written from; None for ``MPNET`` or ``MINILM``,
            whichever it is.

    Returns:
        float32 arrays by name. Of the table of positions, those beyond the longest window
        are nought: nothing that is read reaches them.

    Raises:
        NotOursError: It is another kind of encoder.
    """
    graph = onnx.load(str(path), load_external_data=False).graph
    held = {
        weight.name: numpy_helper.to_array(weight)
        for weight in graph.initializer
        if weight.data_location != onnx.TensorProto.EXTERNAL
    }
    if (path.parent / MATRICES).is_file():
        with np.load(path.parent / MATRICES, allow_pickle=False) as archive:
            held |= dict(archive)
    shape = shape or (MPNET if "distances" in held else MINILM)
    try:
        arrays = {"norm.weight": held["norm.weight"], "norm.bias": held["norm.bias"]}
        places = held["positions"].astype(np.float32)
        table = np.zeros((shape.positions, shape.width), dtype=np.float32)
        table[shape.first_position : shape.first_position + len(places)] = places
        arrays["positions.weight"] = table
        if shape.buckets:
            arrays["words.weight"] = unpacked(held["words"], held["word_scales"])
            arrays["distances.weight"] = np.ascontiguousarray(held["distances"].T)
        else:
            arrays["words.weight"] = held["words"].astype(np.float32) * held["word_scales"]
            arrays["segments.weight"] = held["segment_table"]
        for number in range(shape.layers):
            at = f"layers.{number}"
            for name in _KEPT:
                arrays[f"{at}.{name}"] = held[f"{at}.{name}"]
            for name in _MATRICES:
                arrays[f"{at}.{name}.weight"] = _matrix(held, f"{at}.{name}")
    except KeyError as missing:
        raise NotOursError(f"{path}: {missing} is missing") from None
    return arrays, shape


def head_arrays(heads: Heads) -> dict[str, np.ndarray]:
    """Give the heads' part of ``Network.arrays``; empty where they were fitted apart.

    Args:
        heads: Of a model that was fine-tuned, with stances.
    """
    if heads.stance_weight is None or heads.stance_bias is None or not heads.token_share:
        return {}
    return {
        "mean_head.weight": heads.mean_weight,
        "mean_head.bias": heads.mean_bias,
        "token_head.weight": heads.token_weight,
        "token_head.bias": heads.token_bias,
        "stance_head.weight": heads.stance_weight,
        "stance_head.bias": np.zeros(len(heads.stance_weight), dtype=np.float32),
        "stance_bias": heads.stance_bias,
    }
