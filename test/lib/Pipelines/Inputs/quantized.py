# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Operators on quantized tensors: equal, or off by one where both round."""

import numpy as np
from onnx import TensorProto, helper, numpy_helper

import compiled

rng = np.random.default_rng(5)


def integers(dtype, *shape):
    info = np.iinfo(dtype)
    return rng.integers(info.min, info.max + 1, shape).astype(dtype)


def check(name, nodes, feed, constants, outputs, domain=False, **tolerance):
    opsets = [helper.make_opsetid("", 17)]
    if domain:
        opsets.append(helper.make_opsetid("com.microsoft", 1))
    graph = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info(key, helper.np_dtype_to_tensor_dtype(value.dtype),
                                       value.shape) for key, value in feed.items()],
        [helper.make_tensor_value_info(key, kind, None) for key, kind in outputs],
        [numpy_helper.from_array(np.array(value), key)
         for key, value in constants.items()])
    model = helper.make_model(graph, opset_imports=opsets, ir_version=8)
    compiled.check(name, model, [feed], **tolerance)


def scale(*values):
    return np.array(values if len(values) > 1 else values[0], np.float32)


# One step, where results are about as large as the type holds.
STEP = {"rtol": 0, "atol": 1.01 / 100}
UINT8, INT8, INT32, FLOAT = (TensorProto.UINT8, TensorProto.INT8, TensorProto.INT32,
                             TensorProto.FLOAT)

for dtype, kind in ((np.uint8, UINT8), (np.int8, INT8)):
    weights = integers(np.int8, 4, 3, 3, 3)
    check(f"qlinear-conv-{np.dtype(dtype).name}",
          [helper.make_node("QLinearConv", ["x", "xs", "xz", "w", "ws", "wz", "ys", "yz", "b"],
                            ["y"], pads=[1, 1, 1, 1], strides=[2, 2])],
          {"x": integers(dtype, 1, 3, 9, 9)},
          {"xs": scale(0.02), "xz": dtype(7), "w": weights,
           "ws": scale(0.01, 0.02, 0.005, 0.03), "wz": np.zeros(4, np.int8),
           "ys": scale(0.5), "yz": dtype(60),
           "b": integers(np.int16, 4).astype(np.int32)},
          [("y", kind)], **STEP)
    check(f"qlinear-matmul-{np.dtype(dtype).name}",
          [helper.make_node("QLinearMatMul", ["a", "as", "az", "b", "bs", "bz", "ys", "yz"],
                            ["y"])],
          {"a": integers(dtype, 5, 40)},
          {"as": scale(0.02), "az": dtype(3), "b": integers(dtype, 40, 6), "bs": scale(0.01),
           "bz": dtype(9), "ys": scale(0.7), "yz": dtype(20)},
          [("y", kind)], **STEP)
    check(f"integer-{np.dtype(dtype).name}",
          [helper.make_node("MatMulInteger", ["a", "b", "az", "bz"], ["y"]),
           helper.make_node("ConvInteger", ["x", "w", "xz"], ["z"])],
          {"a": integers(dtype, 3, 300), "x": integers(np.uint8, 1, 2, 6, 6)},
          {"b": integers(dtype, 300, 4), "az": dtype(3), "bz": dtype(9),
           "w": integers(np.uint8, 3, 2, 3, 3), "xz": np.uint8(11)},
          [("y", INT32), ("z", INT32)], rtol=0, atol=0)
    operands = ["x", "s", "z", "y", "t", "u", "v", "w"]
    constants = {"s": scale(0.02), "z": dtype(3), "t": scale(0.03), "u": dtype(1),
                 "v": scale(0.04), "w": dtype(10)}
    feed = {"x": integers(dtype, 2, 3, 4, 4), "y": integers(dtype, 2, 3, 4, 4)}
    for op in "QLinearAdd", "QLinearMul":
        check(f"{op.lower()}-{np.dtype(dtype).name}",
              [helper.make_node(op, operands, ["o"], domain="com.microsoft")], feed,
              constants, [("o", kind)], domain=True, **STEP)
    for op, attrs in (("QLinearSigmoid", {}), ("QLinearLeakyRelu", {"alpha": 0.2}),
                      ("QLinearGlobalAveragePool", {})):
        check(f"{op.lower()}-{np.dtype(dtype).name}",
              [helper.make_node(op, ["x", "s", "z", "t", "u"], ["o"],
                                domain="com.microsoft", **attrs)],
              {"x": feed["x"]}, {key: constants[key] for key in "sztu"}, [("o", kind)],
              domain=True, **STEP)
    check(f"qlinearconcat-{np.dtype(dtype).name}",
          [helper.make_node("QLinearConcat", ["v", "w", "x", "s", "z", "y", "t", "u"], ["o"],
                            domain="com.microsoft", axis=1)],
          feed, constants, [("o", kind)], domain=True, **STEP)

check("dynamic",
      [helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "s", "z"]),
       helper.make_node("MatMulInteger", ["q", "w", "z"], ["i"]),
       helper.make_node("Cast", ["i"], ["f"], to=FLOAT),
       helper.make_node("Mul", ["f", "s"], ["y"])],
      {"x": rng.standard_normal((3, 50)).astype(np.float32)},
      {"w": integers(np.int8, 50, 4)},
      [("q", UINT8), ("s", FLOAT), ("z", UINT8), ("y", FLOAT)])

# A residual block as quantizers write it; sums of integers are exact, so are the
# results.
def qdq(name, value, zero, nodes, constants, factor=0.05):
    constants[name + "_s"], constants[name + "_z"] = scale(factor), np.int8(zero)
    nodes.append(helper.make_node("QuantizeLinear", [value, name + "_s", name + "_z"],
                                  [name + "_q"]))
    nodes.append(helper.make_node("DequantizeLinear",
                                  [name + "_q", name + "_s", name + "_z"], [name]))


nodes, constants = [], {}
qdq("x1", "x", 5, nodes, constants)
for i, source in ((1, "x1"), (2, "y1")):
    constants[f"w{i}"] = integers(np.int8, 4, 4, 3, 3)
    constants[f"ws{i}"] = rng.uniform(0.001, 0.003, 4).astype(np.float32)
    constants[f"wz{i}"] = np.zeros(4, np.int8)
    constants[f"b{i}"] = integers(np.int16, 4).astype(np.int32)
    constants[f"bs{i}"] = (np.float32(0.05) * constants[f"ws{i}"]).astype(np.float32)
    nodes += [
        helper.make_node("DequantizeLinear", [f"w{i}", f"ws{i}", f"wz{i}"], [f"wd{i}"], axis=0),
        helper.make_node("DequantizeLinear", [f"b{i}", f"bs{i}"], [f"bd{i}"], axis=0),
        helper.make_node("Conv", [source, f"wd{i}", f"bd{i}"], [f"c{i}"], pads=[1] * 4),
    ]
    if i == 1:
        nodes.append(helper.make_node("Relu", ["c1"], ["r1"]))
        qdq("y1", "r1", -128, nodes, constants)
qdq("y2", "c2", 10, nodes, constants)
nodes.append(helper.make_node("Add", ["x1", "y2"], ["sum"]))
qdq("z", "sum", -3, nodes, constants)
nodes.append(helper.make_node("GlobalAveragePool", ["z"], ["pool"]))
qdq("out", "pool", 0, nodes, constants)
check("residual", nodes,
      {"x": rng.standard_normal((1, 4, 12, 12)).astype(np.float32) * 3}, constants,
      [("z_q", INT8), ("out", FLOAT)], rtol=0, atol=1e-6)
compiled.finish()
