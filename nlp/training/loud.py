"""Loud columns: values on the way through an encoder that are far beyond all others.

What lives here: finding them. A few values of a state are dozens of times as large as the rest,
always the same ones ("outlier features": Dettmers et al. 2022, LLM.int8()). Where activations
are rounded by their largest value nothing would be left of the rest, so these few are
multiplied apart, unrounded. Needs the extra ``commonpulse[train]``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import Tensor, nn

from nlp.training.network import EncoderShape, Network
from nlp.wordpieces import Window

__all__ = ["LOUD", "loud_columns"]

LOUD = 8
"""Columns of a matrix that are multiplied apart."""

_LISTENED_TO = ("up", "down")
"""Matrices to which loud values come."""


def loud_columns(
    arrays: Mapping[str, np.ndarray], shape: EncoderShape, windows: Sequence[Window]
) -> dict[str, list[int]]:
    """Give the columns of each matrix to which the largest values come.

    Args:
        arrays: Of ``Network.arrays``.
        shape: Of the network.
        windows: Answers with their questions, a few dozen.

    Returns:
        ``LOUD`` columns of each such matrix, by its name (``layers.0.up``), in rising order.
    """
    network = Network(shape, 1, 1).eval()
    network.take_arrays({name: values for name, values in arrays.items() if "head" not in name
                         and name != "stance_bias"})  # fmt: skip
    largest: dict[str, Tensor] = {}

    def listen(name: str, matrix: nn.Module) -> None:
        def hear(_: nn.Module, given: tuple[Tensor, ...]) -> None:
            here = given[0].abs().flatten(0, -2).amax(0)
            largest[name] = torch.maximum(largest.get(name, here), here)

        matrix.register_forward_pre_hook(hear)

    for number, block in enumerate(network.blocks):
        for name in _LISTENED_TO:
            listen(f"layers.{number}.{name}", block.matrices[name])
    with torch.no_grad():
        for window in windows:
            ids = torch.tensor([window.ids])
            network.encode(
                ids, torch.tensor([window.segments]), torch.ones_like(ids, dtype=torch.bool)
            )
    return {name: sorted(values.topk(LOUD).indices.tolist()) for name, values in largest.items()}
