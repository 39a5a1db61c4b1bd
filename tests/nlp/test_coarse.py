"""Four-bit weights: packed and computed as they were learnt with. Needs commonpulse[train]."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import numpy as np
import pytest

from nlp.encoder import Encoder
from nlp.wordpieces import Window

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs commonpulse[train]"
)


def test_what_is_packed_is_what_was_learnt_with() -> None:
    import torch

    from nlp.training.coarse import BLOCK, coarse, packed

    weights = torch.randn(6, 3 * BLOCK, generator=torch.Generator().manual_seed(1))
    weights[0, :BLOCK] = 0
    levels, scales = packed(weights)
    assert (levels.dtype, scales.dtype) == (np.uint8, np.float16)
    low, high = levels & 15, levels >> 4
    unpacked = np.stack([low, high], axis=-1).reshape(6, 3, BLOCK).astype(np.float32) - 8
    unpacked *= scales.astype(np.float32)[:, :, None]
    np.testing.assert_array_equal(unpacked.reshape(6, -1), coarse(weights).numpy())
    assert float((coarse(weights) - weights).abs().max()) < float(weights.abs().max()) / 8
    assert torch.equal(coarse(coarse(weights)), coarse(weights))


def test_the_gradient_passes_the_rounding() -> None:
    import torch

    from nlp.training.coarse import roughly

    weights = torch.randn(2, 32, requires_grad=True)
    (3 * roughly(weights)).sum().backward()
    assert weights.grad is not None
    assert bool((weights.grad == 3).all())


def test_the_exported_encoder_gives_the_networks_states(tmp_path: Path) -> None:
    import torch

    from nlp.training.export_coarse import export_coarse_encoder
    from nlp.training.network import EncoderShape, Network

    torch.manual_seed(2)
    shape = EncoderShape(
        layers=2, width=64, heads=4, inner=128, pieces=90, positions=200, first_position=2,
        segments=False, buckets=32, epsilon=1e-5,
    )  # fmt: skip
    network = Network(shape, 3, 3).eval()
    network.freeze(shape.layers)
    export_coarse_encoder(network.arrays(), shape, tmp_path / "encoder.onnx")
    network.learn_roughly()
    encoder = Encoder(tmp_path / "encoder.onnx")
    for length in (3, 150):  # near and far distances between pieces
        ids = torch.randint(0, shape.pieces, (1, length))
        window = Window(
            ids=tuple(ids[0].tolist()), segments=(0,) * length, first=1,
            offsets=tuple((n, n + 1) for n in range(length - 2)),
        )  # fmt: skip
        with torch.no_grad():
            states = network.encode(ids, ids, torch.ones(1, length, dtype=torch.bool))
        expected = states[0, 1:-1].numpy()
        assert np.abs(encoder.states(window) - expected).max() < 0.05 * np.abs(expected).max()


def test_a_hurried_text_keeps_its_length_and_its_words() -> None:
    import random

    from nlp.training.finetune import mistyped

    text = "They don't listen, honestly. Nobody understands what it's like around here."
    seen = {mistyped(text, random.Random(seed)) for seed in range(20)}
    assert len(seen) > 10
    for hurried in seen:
        assert len(hurried) == len(text)
        assert sorted(c for c in hurried if c.isalpha()) == sorted(c for c in text if c.isalpha())
