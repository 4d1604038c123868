# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""float_rewrites.py DIRECTORY SEED...: chains of operators on constants, at random,
compiled and interpreted as they are imported, must agree.

`values` are chains of operators that IEEE 754 defines to the bit, on numbers that tell
rewrites apart: results are equal, the sign of a zero too. `products` are such chains
behind and before products and normalizations with constant weights, which may take
constants in: there the numbers are moderate and the scales powers of two, so that
nothing rounds, but for those constants that must stay outside. What is a rectifier behind a
product may give its bound for NaN.
"""

import pathlib
import subprocess
import sys

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

F = np.finfo(np.float32)
NUMBERS = [0.0, -0.0, 1.0, -1.0, 0.5, 1.5, 2.5, -2.5, 3.0, 7.0, 0.1, -0.3, 1e-3, 12345.678,
           8388607.5, 12582912.0, -16777217.0, 1e10, -1e20, 3e38, -3e38, F.max, F.min,
           F.tiny, -F.tiny, F.smallest_subnormal, -1e-40, 1e-20, np.inf, -np.inf, np.nan, 6.0]
MODERATE = [0.0, 1.0, -1.0, 0.5, 1.5, -2.5, 3.0, 7.0, -31.0, 100.0, np.inf, -np.inf, np.nan,
            6.0, 0.25, -0.75]
CONSTANTS = [0.0, -0.0, 1.0, -1.0, 2.0, 0.5, 3.0, -0.1, 6.0, 12582912.0, -12582912.0, 1e-30,
             -3e38, 2e38, 1e-38, F.max, np.inf, -np.inf, np.nan]
SCALES = [1.0, -1.0, 2.0, 0.5, 4.0]
SUMS = [0.0, -0.0, 1.0, -3.0, 0.25]
ROUNDING = [12582912.0, -12582912.0]


class Graph:
    def __init__(self, random):
        self.random, self.nodes, self.constants, self.outputs = random, [], [], []

    def constant(self, value, dtype=np.float32):
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, dtype), name))
        return name

    def node(self, op, *inputs, **attributes):
        name = f"v{len(self.nodes)}"
        self.nodes.append(helper.make_node(op, inputs, [name], name, **attributes))
        return name

    def pick(self, choices):
        return choices[self.random.integers(len(choices))]

    def step(self, x, other, constants):
        """One operator on x."""
        kind = self.random.integers(12)
        number = self.constant(self.pick(constants))
        if kind < 6:
            op = self.pick(["Add", "Sub", "Mul", "Div", "Add", "Mul"])
            pair = (x, number) if self.random.integers(4) else (number, x)
            return self.node(op, *pair)
        if kind == 6:
            # Of zeros of both signs, either may be the larger.
            limit = self.constant(self.pick([c for c in constants if c != 0]))
            return self.node(self.pick(["Min", "Max"]), x, limit)
        if kind == 7:
            low, high = sorted(self.pick([-np.inf, -1.0, 0.5, 6.0, F.max, np.inf]) for _ in "ab")
            bounds = self.pick([(low, high), (low, None), (None, high)])
            return self.node("Clip", x, *("" if b is None else self.constant(b) for b in bounds))
        if kind == 8:
            return self.node(self.pick(["Relu", "Neg", "Abs", "Floor", "Round", "Sign",
                                        "Identity"]), x)
        if kind == 9:
            exponent = self.pick([1.0, 2.0, -1.0])
            return self.node("Pow", x, self.constant(exponent))
        if kind == 10:
            return self.node("LeakyRelu", x, alpha=0.5)
        return self.node(self.pick(["Add", "Sub", "Mul"]), x, other)

    def linear(self, x, constants):
        """A scale or a summand."""
        if self.random.integers(2):
            return self.node(self.pick(["Mul", "Mul", "Div"]), x, self.constant(self.pick(SCALES)))
        return self.node(self.pick(["Add", "Sub"]), x, self.constant(self.pick(constants)))

    def anchor(self, x):
        """A product or a normalization with constant weights, of one input channel."""
        weights = np.array(SCALES[:4], np.float32)
        kind = self.random.integers(4)
        if kind == 0:
            return self.node("MatMul", x, self.constant(weights.reshape(1, 4)))
        x = self.node("Reshape", x, self.constant([1, 1, 4, 4], np.int64))
        if kind == 1:
            y = self.node("BatchNormalization", x, *(self.constant([v]) for v in (2, 1, 3, 0.25)),
                          epsilon=0.0)
        else:
            bias = [self.constant(np.array([1, 0, -2, 0.5]))] if self.random.integers(2) else []
            shape = (4, 1, 1, 1) if kind == 2 else (1, 4, 1, 1)
            y = self.node("Conv" if kind == 2 else "ConvTranspose", x,
                          self.constant(weights.reshape(shape)), *bias)
        return y


def values(random, x, other):
    graph = Graph(random)
    for _ in range(150):
        value = x
        for _ in range(random.integers(2, 5)):
            value = graph.step(value, other, CONSTANTS)
        graph.outputs.append(value)
    return graph


def products(random, x, other):
    graph = Graph(random)
    for _ in range(60):
        value = x
        for _ in range(random.integers(0, 3)):
            value = graph.linear(value, SUMS)
        value = graph.anchor(value)
        for _ in range(random.integers(1, 5)):
            value = graph.linear(value, SUMS + ROUNDING)
        if random.integers(3) == 0:
            value = graph.node("Clip", value, graph.constant(graph.pick([-1.0, -np.inf])),
                               graph.constant(graph.pick([6.0, np.inf])))
        graph.outputs.append(value)
    return graph


def run(directory, name, graph, numbers, isExact):
    shape = (len(numbers), 1)
    x = np.array(numbers, np.float32).reshape(shape)
    arrays = {"x": x, "y": np.roll(x, 5)}
    info = [helper.make_tensor_value_info(key, TensorProto.FLOAT, shape) for key in arrays]
    outputs = [onnx.ValueInfoProto(name=output) for output in graph.outputs]
    model = helper.make_model(
        helper.make_graph(graph.nodes, name, info, outputs, graph.constants),
        ir_version=10, opset_imports=[helper.make_opsetid("", 20)])
    model = onnx.shape_inference.infer_shapes(model)
    path = directory / name
    onnx.save(model, f"{path}.onnx")
    np.savez(f"{path}.npz", **arrays)
    subprocess.run(["nn-run", f"{path}.onnx", "--interpret", "--inputs", f"{path}.npz",
                    "--outputs", f"{path}.want.npz"], check=True)
    subprocess.run(["nn-translate", f"{path}.onnx", "-o", f"{path}.so"], check=True)
    subprocess.run(["nn-run", f"{path}.so", "--inputs", f"{path}.npz", "--outputs",
                    f"{path}.got.npz"], check=True)
    got, want = np.load(f"{path}.got.npz"), np.load(f"{path}.want.npz")
    problems = 0
    for output in graph.outputs:
        g, w = got[output], want[output]
        same = (g == w) | (np.isnan(g) & np.isnan(w))
        if isExact:
            same &= (np.signbit(g) == np.signbit(w)) | np.isnan(w)
        else:
            same |= np.isnan(w) & isLimited(graph, output)
        if same.all():
            continue
        problems += 1
        at = tuple(np.argwhere(~same)[0])
        print(f"{name}: {g[at]!r} instead of {w[at]!r} for x = {x.flat[at[0]]!r}, "
              f"y = {arrays['y'].flat[at[0]]!r}: {explain(graph, output)}")
    print(f"{name}: {len(graph.outputs)} expressions, {problems} problems")
    return problems


def isLimited(graph, output):
    return any(node.op_type == "Clip" and output in node.output for node in graph.nodes)


def explain(graph, name):
    """The expression that computes a value."""
    for node in graph.nodes:
        if name in node.output:
            attributes = "".join(f" {a.name}={helper.get_attribute_value(a)}" for a in node.attribute)
            return f"{node.op_type}({', '.join(explain(graph, i) for i in node.input)}{attributes})"
    for constant in graph.constants:
        if constant.name == name:
            return str(numpy_helper.to_array(constant).tolist())
    return name


def main():
    directory = pathlib.Path(sys.argv[1])
    directory.mkdir(parents=True, exist_ok=True)
    problems = 0
    for seed in map(int, sys.argv[2:]):
        random = np.random.default_rng(seed)
        problems += run(directory, f"values{seed}", values(random, "x", "y"), NUMBERS, True)
        problems += run(directory, f"products{seed}", products(random, "x", "y"), MODERATE, False)
    return 1 if problems else 0


sys.exit(main())
