# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Elementwise operators."""

import numpy as np

from .sweep import FEW, sweep

UNARY = ("Abs Acos Asin Asinh Atan Ceil Cos Cosh Elu Erf Exp Floor Gelu HardSigmoid HardSwish "
         "LeakyRelu Log Mish Neg Reciprocal Relu Round Selu Sigmoid Sign Sin Softplus Softsign "
         "Sqrt Tan Tanh ThresholdedRelu").split()


def elementwise():
    positive = {"Log": (0.1, 4), "Sqrt": (0.1, 4), "Reciprocal": (0.5, 4), "Acos": (-1, 1),
                "Asin": (-1, 1), "Tan": (-1, 1)}
    for operator in UNARY:
        yield from sweep(f"unary/{operator.lower()}", "n", [65536], "float[{n}] x",
                         f"y = {operator}(x)",
                         ranges={"x": positive.get(operator, (-2, 2))})
    for operator in "Exp", "Add":
        operands = "(x)" if operator == "Exp" else "(x, z)"
        for name, n in ("", "{n}"), ("-dynamic", "N"):
            yield from sweep(f"elements/{operator.lower()}{name}", "n",
                             [7, 1000, 4095, 4096, 4097, 65536, 10 ** 6][::3 if name else 1],
                             f"float[{n}] x" + (f", float[{n}] z" if "z" in operands else ""),
                             f"y = {operator}{operands}")
    for operator in "Sub", "Div", "Pow", "Max", "Less", "PRelu":
        yield from sweep(f"binary/{operator.lower()}", "n", [65536],
                         "float[{n}] x, float[{n}] z", f"y = {operator}(x, z)",
                         ranges={"x": (0.5, 2)})
    for dtype in "int64", "int32":
        for operator in "Add", "Mul", "Div", "Mod", "Equal":
            yield from sweep(f"binary/{operator.lower()}-{dtype}", "n", [65536],
                             f"{dtype}[{{n}}] x, {dtype}[{{n}}] z", f"y = {operator}(x, z)",
                             ranges={"z": (1, 9)})
    yield from sweep("binary/and-bool", "n", [65536], "bool[{n}] x, bool[{n}] z",
                     "y = And(x, z)")
    shapes = {"scalar": "1", "row": "64", "rows": "32,64", "column": "32,1", "planes": "16,1,1",
              "middle": "16,1,64", "channel": "1,32,1"}
    for name, shape in shapes.items():
        for side, operands in ("right", "x, z"), ("left", "z, x"):
            yield from sweep(f"broadcast/{name}", side, ["add"],
                             f"float[16,32,64] x, float[{shape}] z",
                             f"y = Add({operands})", ordered=False)
    yield from sweep("broadcast/outer", "n", [16, 63, 64, 256], "float[{n},1] x, float[1,{n}] z",
                     "y = Mul(x, z)", work="n * n")
    yield from sweep("broadcast/short-rows", "n", [2, 3, 7, 8, 9, 17], "float[4096,{n}] x",
                     "y = Add(x, b)", "float[{n}] b", cause=FEW)
    yield from sweep("broadcast/unknown", "n", [1, 64], "float[64,64] x, float[64,N] z",
                     "y = Add(x, z)", ordered=False)
    for count in 1, 2, 4, 8, 16:
        steps = [f"t{i + 1} = {('Add', 'Mul')[i % 2]}(t{i}, b)  " for i in range(count)]
        for name, n in ("", "1000"), ("-dynamic", "N"):
            yield from sweep("chain/length" + name, "count", [count], f"float[16,{n}] t0",
                             "".join(steps), "float[16,1] b", "count", sizes={"N": 1000},
                             ranges={"b": (0.9, 1.1)})
    yield from sweep("chain/swish", "n", [1000, 65536], "float[{n}] x",
                     "s = Sigmoid(x)  y = Mul(s, x)")
    yield from sweep("chain/gelu-erf", "n", [1000, 65536], "float[{n}] x",
                     "d = Div(x, r)  e = Erf(d)  p = Add(e, o)  m = Mul(x, p)  y = Mul(m, h)",
                     "float r, float o, float h",
                     values={"r": np.float32(2 ** 0.5), "o": np.float32(1), "h": np.float32(0.5)})
    for name, condition, z in [("full", "64,1000", "64,1000"), ("scalar", "64,1000", "1"),
                               ("row", "1000", "64,1000"), ("column", "64,1", "64,1000")]:
        yield from sweep("where", "shape", [name],
                         f"bool[{condition}] c, float[64,1000] x, float[{z}] z",
                         "y = Where(c, x, z)", ordered=False)
    yield from sweep("clip/elements", "n", [1000, 65536], "float[{n}] x",
                     "y = Clip(x, l, h)", "float l, float h",
                     values={"l": np.float32(-1), "h": np.float32(1)})
    kinds = {"float": 1, "uint8": 2, "int8": 3, "int32": 6, "int64": 7, "bool": 9,
             "float16": 10, "double": 11}
    for a, b in [("float", "int64"), ("int64", "float"), ("float", "int32"), ("int32", "float"),
                 ("float", "uint8"), ("uint8", "float"), ("float", "float16"),
                 ("float16", "float"), ("int64", "int32"), ("int32", "int64"),
                 ("bool", "float"), ("float", "bool"), ("double", "float"), ("int8", "int32")]:
        yield from sweep("cast", "types", [f"{a}-{b}"], f"{a}[65536] x",
                         f"y = Cast<to = {kinds[b]}>(x)", ordered=False,
                         ranges={"x": (0, 9)} if b == "uint8" else None)
    yield from sweep("cast/bfloat16-and-back", "n", [1000, 65536], "float[{n}] x",
                     "t = Cast<to = 16>(x)  y = Cast<to = 1>(t)")
    for name, body in [("add", "y = Add(x, x)"), ("relu", "y = Relu(x)"),
                       ("softmax", "y = Softmax(x)"), ("sigmoid", "y = Sigmoid(x)"),
                       ("transpose", "y = Transpose<perm = [1, 0]>(x)")]:
        yield from sweep("float16", "operator", [name], "float16[64,1000] x", body,
                         ordered=False)


FAMILIES = elementwise,
