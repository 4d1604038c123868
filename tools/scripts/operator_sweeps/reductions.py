# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Reductions and normalizations."""

import numpy as np

from .sweep import ROWS, sweep


def reductions():
    small = {"x": (0.9, 1.1)}  # Products stay finite.
    for kind in ("Sum", "Mean", "Max", "Prod", "L1", "L2", "SumSquare", "LogSum",
                 "LogSumExp"):
        yield from sweep(f"reduce/{kind.lower()}", "axis", [0, 1, 2], "float[48,60,67] x",
                         f"a = Constant<value_ints = [{{axis}}]>()  y = Reduce{kind}(x, a)",
                         ranges=small, cause=ROWS if kind.startswith("LogSum") else None)
    for dtype in "int32", "int64":
        for kind in "Sum", "Max", "Mean":
            yield from sweep(f"reduce/{kind.lower()}-{dtype}", "axis", [0, 1, 2],
                             f"{dtype}[48,60,67] x",
                             f"a = Constant<value_ints = [{{axis}}]>()  y = Reduce{kind}(x, a)",
                             cause=ROWS if kind == "Mean" else None)
    for kind in "Sum", "Max":
        for name, shape in ("", "{n},{n}"), ("-dynamic", "N,N"):
            for axis in 0, 1:
                yield from sweep(f"reduce/{kind.lower()}-size{name}-axis{axis}", "n",
                                 [15, 65, 1024][::2 if name else 1], f"float[{shape}] x",
                                 f"a = Constant<value_ints = [{axis}]>()  y = Reduce{kind}(x, a)")
        yield from sweep(f"reduce/{kind.lower()}-all", "n", [100, 4096, 10 ** 6],
                         "float[{n}] x", f"y = Reduce{kind}(x)")
    yield from sweep("reduce/mean-two-axes", "axis", [0, 1, 2, 3], "float[8,24,20,18] x",
                     "a = Constant<value_ints = [{axis}, {(axis+1)%4}]>()  y = ReduceMean(x, a)")
    yield from sweep("reduce/mean-short", "n", [2, 3, 7, 8, 9, 17], "float[4096,{n}] x",
                     "a = Constant<value_ints = [1]>()  y = ReduceMean(x, a)")
    for kind in "ArgMax", "ArgMin":
        yield from sweep(f"{kind.lower()}/axis", "axis", [0, 1, 2], "float[48,60,67] x",
                         f"y = {kind}<axis = {{axis}}>(x)", cause=ROWS)
    yield from sweep("argmax/length", "n", [10, 100, 1000, 32000], "float[8,{n}] x",
                     "y = ArgMax<axis = 1>(x)")
    for dtype in "float", "int64":
        yield from sweep(f"cumsum/{dtype}", "axis", [0, 1, 2], f"{dtype}[24,30,67] x",
                         "a = Constant<value_int = {axis}>()  y = CumSum(x, a)")


def normalizations():
    for operator in "Softmax", "LogSoftmax":
        name = operator.lower()
        yield from sweep(f"{name}/axis", "axis", [0, 1, 2], "float[48,60,67] x",
                         f"y = {operator}<axis = {{axis}}>(x)")
        yield from sweep(f"{name}/length", "n", [2, 8, 9, 64, 1000, 32000],
                         "float[16,{n}] x", f"y = {operator}(x)")
    yield from sweep("softmax/length-dynamic", "n", [7, 100, 1000], "float[16,N] x",
                     "y = Softmax(x)")
    for name, n in ("", "{n}"), ("-rows-dynamic", "{n}"):
        rows = "M" if name else "64"
        yield from sweep("layernorm/length" + name, "n",
                         [7, 8, 9, 100, 768, 4097][::2 if name else 1],
                         f"float[{rows},{n}] x", "y = LayerNormalization(x, s, b)",
                         f"float[{n}] s, float[{n}] b", sizes={"M": 64})
    yield from sweep("layernorm/axis", "axis", [0, 1, 2], "float[16,20,33] x",
                     "y = LayerNormalization<axis = {axis}>(x, s)",
                     "float[{str([16,20,33][axis:])[1:-1]}] s")
    yield from sweep("layernorm/parts", "n", [64, 100, 768], "float[64,{n}] x",
                     "a = Constant<value_ints = [-1]>()  m = ReduceMean(x, a)  d = Sub(x, m)  "
                     "q = Mul(d, d)  v = ReduceMean(q, a)  e = Add(v, c)  r = Sqrt(e)  "
                     "n = Div(d, r)  y = Mul(n, s)", "float[{n}] s, float c",
                     values={"c": np.float32(1e-5)})
    yield from sweep("rmsnorm/parts", "n", [64, 100, 768], "float[64,{n}] x",
                     "a = Constant<value_ints = [-1]>()  q = Mul(x, x)  v = ReduceMean(q, a)  "
                     "e = Add(v, c)  r = Sqrt(e)  n = Div(x, r)  y = Mul(n, s)",
                     "float[{n}] s, float c", values={"c": np.float32(1e-5)})
    yield from sweep("batchnorm/channels", "c", [1, 3, 16, 64], "float[1,{c},28,28] x",
                     "y = BatchNormalization(x, s, b, m, v)",
                     "float[{c}] s, float[{c}] b, float[{c}] m, float[{c}] v",
                     ranges={"v": (0.5, 2)})
    yield from sweep("instancenorm/size", "h", [4, 7, 14, 28, 56], "float[1,16,{h},{h}] x",
                     "y = InstanceNormalization(x, s, b)", "float[16] s, float[16] b")
    yield from sweep("groupnorm/groups", "g", [1, 2, 4, 32], "float[1,32,14,14] x",
                     "y = GroupNormalization<num_groups = {g}>(x, s, b)",
                     "float[32] s, float[32] b")
    yield from sweep("lpnorm/axis", "axis", [0, 1, 2], "float[24,30,67] x",
                     "y = LpNormalization<axis = {axis}>(x)")
    yield from sweep("lrn/size", "n", [1, 3, 5, 9], "float[1,24,28,28] x",
                     "y = LRN<size = {n}>(x)")
    yield from sweep("meanvariancenorm/channels", "c", [1, 3, 16], "float[2,{c},28,28] x",
                     "y = MeanVarianceNormalization(x)")


FAMILIES = reductions, normalizations
