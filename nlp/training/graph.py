"""An ONNX graph as it is written, node by node.

Needs the extra ``commonpulse[train]``.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

__all__ = ["FUSED", "Graph"]

FUSED = "com.microsoft"
"""The domain of ONNX Runtime's own operators."""


class Graph:
    """Nodes and weights in the order in which they are added."""

    def __init__(self) -> None:
        self._nodes: list[onnx.NodeProto] = []
        self._weights: list[onnx.TensorProto] = []

    def weight(self, name: str, values: np.ndarray) -> str:
        """Add a weight; gives its name."""
        self._weights.append(numpy_helper.from_array(np.ascontiguousarray(values), name))
        return name

    def given(self, name: str, kind: int, shape: Sequence[int]) -> str:
        """Add a weight that is not in the file: who opens it gives it. Gives its name.

        Args:
            name: Of the weight.
            kind: Of ``onnx.TensorProto``.
            shape: Of the weight.
        """
        weight = onnx.TensorProto(name=name, data_type=kind, dims=shape)
        weight.data_location = onnx.TensorProto.EXTERNAL
        weight.external_data.add(key="location", value="given")
        self._weights.append(weight)
        return name

    def node(
        self, kind: str, inputs: Sequence[str], name: str, domain: str = "", **attributes: object
    ) -> str:
        """Add a node with one output; gives the output's name, which is the node's."""
        self._nodes.append(
            helper.make_node(kind, list(inputs), [name], name=name, domain=domain, **attributes)
        )
        return name

    def split(self, values: str, names: Sequence[str]) -> list[str]:
        """Cut the last axis into equal parts; gives their names."""
        self._nodes.append(
            helper.make_node("Split", [values], list(names), axis=-1, num_outputs=len(names))
        )
        return list(names)

    def model(self, inputs: Sequence[str], width: int) -> onnx.ModelProto:
        """Give the whole: ``inputs``, int64, shape (answers, pieces), to ``states``."""
        taken = [
            helper.make_tensor_value_info(name, TensorProto.INT64, ["answers", "pieces"])
            for name in inputs
        ]
        output = helper.make_tensor_value_info(
            "states", TensorProto.FLOAT, ["answers", "pieces", width]
        )
        return helper.make_model(
            helper.make_graph(self._nodes, "encoder", taken, [output], self._weights),
            opset_imports=[helper.make_opsetid("", 18), helper.make_opsetid(FUSED, 1)],
            ir_version=8,
        )
