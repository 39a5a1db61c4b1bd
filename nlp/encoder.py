"""The encoder at run time: windows of word pieces to states, on ONNX Runtime.

What lives here: one session and its settings. What must not: codes or thresholds.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime  # type: ignore[import-untyped]

from nlp.fourbits import MATRICES, columns, row_scales, whole_numbers
from nlp.wordpieces import Window

__all__ = ["Encoder", "Floats"]

Floats = npt.NDArray[np.floating[Any]]


def _unpacked(path: Path) -> dict[str, np.ndarray]:
    if not path.is_file():
        return {}
    found: dict[str, np.ndarray] = {}
    with np.load(path, allow_pickle=False) as archive:
        for name in (key.removesuffix(".levels") for key in archive if key.endswith(".levels")):
            levels, scales = archive[f"{name}.levels"], archive[f"{name}.scales"]
            found[f"{name}.whole"] = whole_numbers(levels, scales)
            found[f"{name}.rows"] = row_scales(scales)
            if f"{name}.loud" in archive:
                found[f"{name}.few"] = columns(levels, scales, archive[f"{name}.loud"])
    return found


class Encoder:
    """Reads windows one by one.

    Activations are quantised by their largest value, so an answer read beside another
    would come out a little different: each is read alone, and gives the same states
    whatever stands beside it.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        """Open the model.

        Args:
            path: ``encoder.onnx``.
            threads: Of the processor, for one window.
        """
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        given = _unpacked(path.parent / MATRICES)
        options.add_external_initializers(
            list(given), [onnxruntime.OrtValue.ortvalue_from_numpy(each) for each in given.values()]
        )
        self._session = onnxruntime.InferenceSession(
            str(path), options, providers=["CPUExecutionProvider"]
        )
        self._inputs = [each.name for each in self._session.get_inputs()]

    @property
    def width(self) -> int:
        """Values of a state."""
        width: int = self._session.get_outputs()[0].shape[-1]
        return width

    def states(self, window: Window) -> Floats:
        """Give the states of the answer's pieces, shape (pieces, width)."""
        known = {"ids": window.ids, "segments": window.segments}
        given = {name: np.array([known[name]], dtype=np.int64) for name in self._inputs}
        (states,) = self._session.run(["states"], given)
        answer: Floats = states[0, window.first : window.first + len(window.offsets)]
        return answer
