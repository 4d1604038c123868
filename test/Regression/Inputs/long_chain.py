"""Writes PATH.onnx, 20,000 elementwise operators in a row, and PATH.npz: x -> -(x + 1/2)
again and again, which is exact, and the identity after two steps."""

import sys

import numpy as np
from onnx import TensorProto, helper, numpy_helper, save

path = sys.argv[1]
nodes, last = [], "x"
for i in range(10000):
    nodes.append(helper.make_node("Add", [last, "half"], [f"a{i}"], name=f"add_{i}"))
    last = f"n{i}" if i < 9999 else "y"
    nodes.append(helper.make_node("Neg", [f"a{i}"], [last], name=f"neg_{i}"))
graph = helper.make_graph(
    nodes, "chain",
    [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["N", 4])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, ["N", 4])],
    [numpy_helper.from_array(np.full(4, 0.5, np.float32), "half")])
save(helper.make_model(graph, ir_version=8, opset_imports=[helper.make_opsetid("", 17)]),
     path + ".onnx")
x = np.arange(12, dtype=np.float32).reshape(3, 4) - 5
np.savez(path + ".npz", **{"in:x": x, "out:y": x})
