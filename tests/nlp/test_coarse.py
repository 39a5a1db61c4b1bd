"""Four-bit weights: packed and computed as they were learnt with. Needs commonpulse[train]."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from nlp.answers import read_answers
from nlp.codeframe import read_codeframe
from nlp.encoder import Encoder
from nlp.fourbits import BLOCK, unpacked
from nlp.model import read_model
from nlp.shipped import FAST_PATH, MODEL_PATH
from nlp.wordpieces import Window, WordPieces

DATA_PATH = MODEL_PATH.with_name("data")
CODES = [code.key for code in read_codeframe().codes]

pytestmark = pytest.mark.skipif(
    importlib.util.find_spec("torch") is None, reason="needs commonpulse[train]"
)


def test_what_is_packed_is_what_was_learnt_with() -> None:
    import torch

    from nlp.training.coarse import coarse, packed

    weights = torch.randn(6, 3 * BLOCK, generator=torch.Generator().manual_seed(1))
    weights[0, :BLOCK] = 0
    levels, scales = packed(weights)
    assert (levels.dtype, scales.dtype) == (np.uint8, np.float16)
    np.testing.assert_array_equal(unpacked(levels, scales), coarse(weights).numpy())
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
    from nlp.training.loud import loud_columns
    from nlp.training.network import EncoderShape, Network

    torch.manual_seed(2)
    shape = EncoderShape(
        layers=2, width=64, heads=4, inner=128, pieces=90, positions=200, first_position=2,
        segments=False, buckets=32, epsilon=1e-5,
    )  # fmt: skip
    network = Network(shape, 3, 3).eval()
    network.freeze(shape.layers)
    # Values that drown all others where what is multiplied is rounded by the largest.
    network.blocks[1].norm_attention.weight.data[7] = 60
    network.blocks[0].up.bias.data[[3, 90]] = 400
    windows = [
        Window(ids=tuple(torch.randint(0, shape.pieces, (9,)).tolist()), segments=(0,) * 9,
               first=1, offsets=((0, 1),) * 7)
        for _ in range(8)
    ]  # fmt: skip
    loud = loud_columns(network.arrays(), shape, windows)
    assert 7 in loud["layers.1.up"]
    assert {3, 90} < set(loud["layers.0.down"])
    export_coarse_encoder(network.arrays(), shape, tmp_path / "encoder.onnx", loud)
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


def small_network() -> Any:
    import torch

    from nlp.training.network import EncoderShape, Network

    torch.manual_seed(3)
    shape = EncoderShape(
        layers=3, width=64, heads=4, inner=128, pieces=30527, positions=200, first_position=2,
        segments=False, buckets=32, epsilon=1e-5,
    )  # fmt: skip
    return Network(shape, len(CODES), 3).eval()


def test_a_shipped_encoder_is_read_back_as_it_was_written(tmp_path: Path) -> None:
    from nlp.training.export_coarse import export_coarse_encoder
    from nlp.training.further import encoder_arrays

    network = small_network()
    loud = {"layers.2.down": [0, 17, 127]}
    export_coarse_encoder(network.arrays(), network.shape, tmp_path / "encoder.onnx", loud)
    network.freeze(network.shape.layers)
    network.learn_roughly()
    rounded = network.arrays()
    read, _ = encoder_arrays(tmp_path / "encoder.onnx", network.shape)
    assert {name for name in rounded if not re.search("head|stance_", name)} == set(read)
    for name, values in read.items():
        expected = rounded[name]
        if name == "positions.weight":  # in half precision, and none beyond the longest window
            values, expected = values[2:194], expected[2:194].astype(np.float16)
        np.testing.assert_array_equal(values, expected, err_msg=name)


@pytest.mark.parametrize("folder", [MODEL_PATH, FAST_PATH], ids=["default", "fast"])
def test_the_network_goes_on_where_a_shipped_model_stands(folder: Path) -> None:
    import torch

    from nlp.training.further import encoder_arrays, head_arrays
    from nlp.training.network import Network

    model = read_model(folder)
    arrays, shape = encoder_arrays(folder / "encoder.onnx")
    network = Network(shape, len(CODES), 3)
    network.take_arrays(arrays | head_arrays(model.heads))
    network.eval()
    [window] = WordPieces(folder / "tokenizer.json").windows("They never asked us.", "How is it?")
    ids, segments = torch.tensor([window.ids]), torch.tensor([window.segments])
    answer = torch.zeros(ids.shape, dtype=torch.bool)
    answer[0, window.first : window.first + len(window.offsets)] = True
    with torch.no_grad():
        output = network(ids, segments, torch.ones_like(answer), answer)
    read = model.heads.read([Encoder(folder / "encoder.onnx").states(window)])
    assert np.corrcoef(output.codes[0].numpy(), read.codes)[0, 1] > 0.99
    assert read.stances is not None
    stances = torch.softmax(output.stances[0], dim=-1).numpy()
    assert np.abs(stances - read.stances).max() < 0.1


def test_training_goes_on_from_what_was_learnt_and_leaves_the_frozen_layers() -> None:
    from nlp.training.finetune import Recipe, fine_tune

    network = small_network()
    network.freeze(network.shape.layers)
    network.learn_roughly()
    before = network.arrays()
    answers = read_answers([DATA_PATH / "answers-c.jsonl"], CODES)[:24]
    losses: list[float] = []
    recipe = Recipe(
        shape=network.shape, frozen=2, epochs=3, batch=8, rate=1e-4, head_rate=1e-2,
        rough_after=0.0,
    )  # fmt: skip
    after = fine_tune(
        answers=answers, codes=CODES, pieces=WordPieces(MODEL_PATH / "tokenizer.json"),
        weights=before, recipe=recipe, progress=lambda _, loss: losses.append(loss),
    ).arrays()  # fmt: skip
    changed = {name for name in after if not np.array_equal(before[name], after[name])}
    assert {name.split(".")[1] for name in changed if name.startswith("layers.")} == {"2"}
    assert {"mean_head.weight", "token_head.weight", "stance_head.weight"} <= changed
    assert not {"words.weight", "positions.weight", "distances.weight"} & changed
    assert np.mean(losses[-3:]) < np.mean(losses[:3])


def test_a_hurried_text_keeps_its_length_and_its_words() -> None:
    import random

    from nlp.training.finetune import mistyped

    text = "They don't listen, honestly. Nobody understands what it's like around here."
    seen = {mistyped(text, random.Random(seed)) for seed in range(20)}
    assert len(seen) > 10
    for hurried in seen:
        assert len(hurried) == len(text)
        assert sorted(c for c in hurried if c.isalpha()) == sorted(c for c in text if c.isalpha())
