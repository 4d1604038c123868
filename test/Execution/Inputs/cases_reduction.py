# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Reductions: axes, types, what is fused with them."""

import numpy as np
from execution import Case

OPERATORS = ["L1", "L2", "LogSum", "LogSumExp", "Max", "Mean", "Min", "Prod", "Sum", "SumSquare"]
AXES = {"all": [0, 1, 2], "first": [0], "middle": [1], "last": [-1], "outer": [0, 2],
        "trailing": [1, 2], "leading": [0, 1]}
SIZES = [{"N": 1, "W": 1}, {"N": 3, "W": 7}, {"N": 2, "W": 70}]


def positive(operator):
    return {"x": (0.1, 2)} if operator in ("LogSum", "Prod") else {}


def reductions():
    for operator in OPERATORS:
        for name, axes in AXES.items():
            for keep in (0, 1):
                if keep and name not in ("outer", "last"):
                    continue
                values = {"a": np.array(axes)}
                body = f"y = Reduce{operator}<keepdims = {keep}>(x, a)"
                yield Case(f"{operator}_{name}_{keep}", "float[N,5,W] x", body,
                           weights=f"int64[{len(axes)}] a", values=values, sizes=SIZES,
                           ranges=positive(operator), tolerance=3)
        yield Case(f"{operator}_static", "float[3,17,19] x", f"y = Reduce{operator}(x)",
                   ranges={"x": (0.9, 1.1)} if operator == "Prod" else positive(operator),
                   tolerance=20 if operator == "Prod" else 3)
        for dtype in ["float16", "bfloat16", "double", "int32", "int64"]:
            if operator in ("LogSum", "LogSumExp") and dtype not in ("float16", "bfloat16"):
                continue
            if operator in ("L2", "Mean") and dtype.startswith("int"):
                continue
            yield Case(f"{operator}_{dtype}", f"{dtype}[N,5,W] x",
                       f"y = Reduce{operator}<keepdims = 0>(x, a)", weights="int64[1] a",
                       values={"a": np.array([2])}, sizes=SIZES[:2],
                       ranges=positive(operator) if "int" not in dtype else {"x": (-2, 2)},
                       tolerance=3)
    for operator in ("Max", "Min"):
        for dtype in ["int8", "uint8"]:
            yield Case(f"{operator}_{dtype}", f"{dtype}[N,5,W] x", f"y = Reduce{operator}(x, a)",
                       weights="int64[1] a", values={"a": np.array([1])}, sizes=SIZES)
        # Up to the ends of the types.
        for dtype in ["int8", "uint8", "int32", "int64"]:
            info, random = np.iinfo(dtype), np.random.default_rng(len(dtype))
            x = random.integers(info.min, info.max, (3, 5, 37), dtype, endpoint=True)
            x[0] = info.min
            x[1] = info.max
            for axis in (0, 1, 2):
                yield Case(f"{operator}_{dtype}_ends_{axis}", f"{dtype}[3,5,37] x",
                           f"y = Reduce{operator}<keepdims = 0>(x, a)", weights="int64[1] a",
                           values={"x": x, "a": np.array([axis])})
        yield Case(f"{operator}_bool", "bool[N,5,W] x", f"y = Reduce{operator}(x, a)",
                   weights="int64[1] a", values={"a": np.array([1])}, sizes=SIZES)
    # Axes from the run, whose number it knows as well. Of no axes, ONNX Runtime leaves
    # out the part of the formula that applies to each element.
    for operator in OPERATORS:
        for noop in (0, 1):
            for name, axes in (("outer", [2, -3]), ("none", []), ("all", [0, 1, 2])):
                yield Case(f"{operator}_computed_{name}_{noop}", "float[N,5,W] x, int64[K] a",
                           f"y = Reduce{operator}<noop_with_empty_axes = {noop}>(x, a)",
                           values={"a": np.array(axes, np.int64)},
                           sizes=[{"N": 3, "W": 7, "K": len(axes)}],
                           ranges={"x": (0.9, 1.1)} if operator == "Prod" else positive(operator),
                           tolerance=20, oracle=not (noop and not axes))
    # Nothing to add up.
    yield Case("Sum_empty", "float[N,0] x", "y = ReduceSum(x, a)", weights="int64[1] a",
               values={"a": np.array([1])}, sizes=[{"N": 3}])
    yield Case("Sum_empty_result", "float[N,W] x", "y = ReduceSum<keepdims = 0>(x, a)",
               weights="int64[1] a", values={"a": np.array([1])}, sizes=[{"N": 0, "W": 3}])
    yield Case("Mean_wide", "float16[4,3000] x", "y = ReduceMean(x, a)", weights="int64[1] a",
               values={"a": np.array([1])}, ranges={"x": (50, 60)})


def arguments():
    for operator in ("ArgMax", "ArgMin"):
        for axis in (0, 1, -1):
            for last in (0, 1):
                yield Case(f"{operator}_{axis}_{last}", "float[N,5,W] x",
                           f"y = {operator}<axis = {axis}, keepdims = {last}, "
                           f"select_last_index = {last}>(x)", sizes=SIZES)
        for dtype in ["float16", "bfloat16", "double", "int8", "uint8", "int32", "int64", "uint16"]:
            yield Case(f"{operator}_{dtype}", f"{dtype}[N,5,W] x", f"y = {operator}<axis = 1>(x)",
                       sizes=SIZES)
        # The best element many times, in any lane; nothing but the worst.
        random = np.random.default_rng(5)
        ties = random.integers(-2, 3, (9, 203)).astype(np.float32)
        ties[1:3] = [[-np.inf], [np.inf]]
        ties[3, 40:] = np.inf
        ties[4, 40:] = -np.inf
        ends = np.array([-128, 127], np.int8)[random.integers(0, 2, (9, 203))]
        ends[1:3] = [[-128], [127]]
        for axis in (0, 1):
            for last in (0, 1):
                body = (f"y = {operator}<axis = {axis}, keepdims = 0, "
                        f"select_last_index = {last}>(x)")
                for dtype, x in ("float", ties), ("double", ties), ("int8", ends):
                    for shape in "[9,203]", "[M,N]":
                        yield Case(f"{operator}_ties_{dtype}_{axis}_{last}_{shape[1]}",
                                   f"{dtype}{shape} x", body,
                                   values={"x": x.astype("f8") if dtype == "double" else x},
                                   sizes=[{"M": 9, "N": 203}])


def large():
    """Columns of more than a cache holds, of odd lengths."""
    for operator in ("ArgMax", "ArgMin"):
        for dtype in ("float", "int64"):
            for shape in ("[211,1027]", "[M,N]"):
                yield Case(f"{operator}_{dtype}_large_{shape[1]}", f"{dtype}{shape} x",
                           f"y = {operator}(x)", sizes=[{"M": 211, "N": 1027}])
    for operator in OPERATORS:
        for dtype in ("float", "float16", "double", "int32"):
            if dtype != "float" and operator not in ("Sum", "Max"):
                continue
            ranges = {"x": (0.99, 1.01)} if operator == "Prod" else positive(operator)
            common = {"weights": "int64[1] a", "values": {"a": np.array([0])},
                      "ranges": {"x": (-9, 9)} if dtype == "int32" else ranges,
                      "tolerance": 50}
            body = f"y = Reduce{operator}<keepdims = 0>(x, a)"
            yield Case(f"{operator}_{dtype}_large", f"{dtype}[211,1027] x", body, **common)
            yield Case(f"{operator}_{dtype}_large_dynamic", f"{dtype}[N,W] x", body,
                       sizes=[{"N": 211, "W": 1027}, {"N": 8, "W": 300}], **common)
    x = np.random.default_rng(5).normal(size=(300, 520)).astype("float32")
    x[7, 9], x[299, 515], x[150, 300], x[2, 3] = np.nan, np.nan, np.inf, -np.inf
    for operator in ("Sum", "Max", "Min", "Mean"):
        yield Case(f"{operator}_large_nan", "float[300,520] x",
                   f"t = Neg(x)  u = Reduce{operator}<keepdims = 0>(t, a)  y = Mul(u, u)",
                   weights="int64[1] a", values={"x": x, "a": np.array([0])}, tolerance=50,
                   # ONNX Runtime may drop NaN here.
                   oracle=operator in ("Sum", "Mean"))


def fused():
    for name, body in {
            "before": "t = Exp(x)  y = ReduceSum(t, a)",
            "after": "t = ReduceMean(x, a)  u = Sqrt(t)  y = Add(u, x)",
            "both": "t = Mul(x, x)  u = ReduceSum(t, a)  y = Sqrt(u)",
            "variance": "m = ReduceMean(x, a)  d = Sub(x, m)  q = Mul(d, d)  y = ReduceMean(q, a)",
            "two": "t = Relu(x)  y = ReduceMax(t, a)  z = ReduceMin(t, a)"}.items():
        for axis in (2, 1):
            yield Case(f"fused_{name}_{axis}", "float[N,5,W] x", body, weights="int64[1] a",
                       values={"a": np.array([axis])}, ranges={"x": (0.1, 2)}, sizes=SIZES,
                       tolerance=3)


def all_cases():
    for group in (reductions, arguments, large, fused):
        yield from group()
