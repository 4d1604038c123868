# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Tensors of no element, of no dimension, and of sizes that fill no vector."""

import re

import numpy as np
from execution import Case

SIZES = [{"N": n, "M": m} for n, m in
         [(0, 3), (3, 0), (0, 0), (1, 1), (1, 17), (17, 1), (17, 17)]]
FULL = [size for size in SIZES if size["N"] and size["M"]]

# On float[N,M] x and others, see all_cases.
BODIES = {
    # Elementwise
    "add": "z = Add(x, y)", "broadcast_row": "r = ReduceSum<keepdims = 1>(x, first)  z = Mul(x, r)",
    "broadcast_column": "r = ReduceSum<keepdims = 1>(x, last)  z = Sub(x, r)",
    "scalar": "r = ReduceSum<keepdims = 0>(x)  z = Add(x, r)",
    "chain": "t = Exp(x)  u = Add(t, y)  z = Tanh(u)",
    "where": "c = Less(x, y)  z = Where(c, x, y)", "cast": "z = Cast<to = 7>(x)",
    "clip": "z = Relu(x)", "expand": "t = Unsqueeze(x, first)  z = Expand(t, three)",
    # Reduction
    "sum_first": "z = ReduceSum<keepdims = 0>(x, first)",
    "sum_last": "z = ReduceSum<keepdims = 0>(x, last)", "sum_all": "z = ReduceSum(x)",
    "prod_last": "z = ReduceProd<keepdims = 0>(x, last)",
    "l1_first": "z = ReduceL1<keepdims = 0>(x, first)",
    "square_last": "z = ReduceSumSquare(x, last)",
    "cumsum": "z = CumSum(x, one)",
    # Contraction
    "matmul": "t = Transpose<perm = [1, 0]>(y)  z = MatMul(x, t)",
    "matmul_inner": "t = Transpose<perm = [1, 0]>(y)  z = MatMul(t, x)",
    "gemm": "z = Gemm<transB = 1>(x, y)", "gemm_bias": "z = Gemm<transA = 1>(x, y, bias)",
    "batched": "a = Unsqueeze(x, last)  b = Unsqueeze(y, middle)  z = MatMul(a, b)",
    # Normalization
    "softmax_last": "z = Softmax<axis = -1>(x)", "softmax_first": "z = Softmax<axis = 0>(x)",
    "log_softmax": "z = LogSoftmax<axis = -1>(x)",
    # Shape and indexing
    "gather": "z = Gather<axis = 0>(x, none)", "gather_some": "t = Concat<axis = 0>(x, row)"
    "  z = Gather<axis = 0>(t, zeros)",
    "concat_first": "z = Concat<axis = 0>(x, y, x)", "concat_last": "z = Concat<axis = 1>(x, y)",
    "slice": "z = Slice(x, one_one, ends, both, steps)",
    "slice_back": "z = Slice(x, minus, lows, both, minus)",
    "slice_nothing": "z = Slice(x, one_one, one_one, both, steps)",
    "transpose": "z = Transpose<perm = [1, 0]>(x)", "flat": "z = Reshape(x, minus_one)",
    "pad": "z = Pad(x, pads)", "tile": "z = Tile(x, twice)",
    "split": "t = Concat<axis = 1>(x, y)  z, z2 = Split<axis = 1, num_outputs = 2>(t)",
    "shape": "z = Shape(x)  z2 = Size(x)", "nonzero": "z = NonZero(x)",
}
# What needs an element.
FILLED = {
    "max_last": "z = ReduceMax<keepdims = 0>(x, last)", "min_first": "z = ReduceMin(x, first)",
    "mean_all": "z = ReduceMean(x)", "mean_last": "z = ReduceMean(x, last)",
    "lse_last": "z = ReduceLogSumExp(x, last)", "l2_first": "z = ReduceL2(x, first)",
    "argmax": "z = ArgMax<axis = 1>(x)", "argmin": "z = ArgMin<axis = 0>(x)",
    "topk": "z, z2 = TopK<axis = 1>(x, count)",
}
CONSTANTS = {
    "first": [0], "middle": [1], "last": [-1], "one": 1, "three": [2, 1, 1], "none": [],
    "zeros": [0, 0], "one_one": [1, 1], "ends": [100, 100], "both": [0, 1], "steps": [1, 2],
    "minus": [-1, -1], "lows": [-100, -100], "minus_one": [-1], "pads": [1, 0, 0, 2],
    "twice": [2, 3], "count": [1], "five": [5], "zero": 0}

# On float x (and y) of no dimension.
SCALARS = {
    "add": "z = Add(x, y)", "chain": "t = Exp(x)  z = Sigmoid(t)", "sum": "z = ReduceSum(x)",
    "cast": "z = Cast<to = 6>(x)", "where": "c = Less(x, y)  z = Where(c, x, y)",
    "reshape": "z = Reshape(x, one_one)", "unsqueeze": "z = Unsqueeze(x, first)",
    "expand": "z = Expand(x, three)", "transpose": "z = Transpose(x)", "shape": "z = Shape(x)",
    "size": "z = Size(x)", "identity": "z = Identity(x)", "max": "z = Max(x, y, x)",
    "gather": "t = Unsqueeze(x, first)  z = Gather<axis = 0>(t, zero)",
    "concat": "t = Unsqueeze(x, first)  u = Unsqueeze(y, first)  z = Concat<axis = 0>(t, u)",
    "flatten": "z = Flatten<axis = 0>(x)", "softplus": "z = Softplus(x)",
    "dot": "t = Expand(x, five)  u = Expand(y, five)  z = MatMul(t, u)",
}
OF_FLOATS = {"chain", "softplus"}


def make(name, inputs, body, **options):
    """A case of those inputs and constants that its body uses."""
    used = set(re.findall(r"\w+", body))
    inputs = ", ".join(f"{type} {x}" for x, type in inputs.items() if x in used)
    values = {x: np.array(v, dtype=np.int64) for x, v in CONSTANTS.items() if x in used}
    weights = ", ".join(f"int64{list(v.shape) if v.ndim else ''} {x}" for x, v in values.items())
    return Case(name, inputs, body, weights=weights, values=values, **options)


def all_cases():
    inputs = {"x": "float[N,M]", "y": "float[N,M]", "row": "float[1,M]", "bias": "float[1,M]"}
    for name, body in (BODIES | FILLED).items():
        yield make(name, inputs, body, sizes=FULL if name in FILLED else SIZES)
        # The same, with sizes that the compiler knows.
        for n, m in [(3, 17)] if name in FILLED else [(0, 3), (3, 0), (0, 0), (3, 17)]:
            known = {x: type.replace("N", str(n)).replace("M", str(m)) for x, type in inputs.items()}
            yield make(f"{name}_{n}_{m}", known, body)
    for name, body in SCALARS.items():
        for type in ["float"] if name in OF_FLOATS else ["float", "double", "float16", "int32"]:
            yield make(f"rank0_{name}_{type}", {"x": type, "y": type}, body)
