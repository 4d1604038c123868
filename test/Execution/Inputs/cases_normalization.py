# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Normalizations and softmax."""

import numpy as np
from execution import Case

SIZES = [{"N": 1, "H": 1, "W": 1}, {"N": 2, "H": 5, "W": 7}, {"N": 3, "H": 4, "W": 64},
         {"N": 0, "H": 4, "W": 4}]
FLOATS = ["float16", "bfloat16", "float", "double"]


def channels():
    """Statistics or parameters for each channel."""
    for dtype in FLOATS:
        parameters = ", ".join(f"{dtype}[6] {x}" for x in ("s", "b", "m", "v"))
        for rank, dims in ((2, ""), (3, ",W"), (4, ",H,W")):
            x = f"{dtype}[N,6{dims}] x"
            yield Case(f"BatchNormalization_{dtype}_{rank}", x,
                       "y = BatchNormalization<epsilon = 0.01>(x, s, b, m, v)",
                       weights=parameters, sizes=SIZES, ranges={"v": (0.1, 2)}, tolerance=3)
            yield Case(f"BatchNormalization_inputs_{dtype}_{rank}", f"{x}, {parameters}",
                       "y = BatchNormalization(x, s, b, m, v)", sizes=SIZES,
                       ranges={"v": (0.1, 2)}, tolerance=3)
            if rank > 2:
                yield Case(f"InstanceNormalization_{dtype}_{rank}", x,
                           "y = InstanceNormalization<epsilon = 0.01>(x, s, b)",
                           weights=f"{dtype}[6] s, {dtype}[6] b", sizes=SIZES[1:3],
                           tolerance=10)
                yield Case(f"InstanceNormalization_unknown_{dtype}_{rank}",
                           f"{dtype}[N,C{dims}] x", "y = InstanceNormalization(x, s, b)",
                           weights=f"{dtype}[6] s, {dtype}[6] b",
                           sizes=[{**s, "C": 6} for s in SIZES[1:3]], tolerance=10)
                yield Case(f"InstanceNormalization_inputs_{dtype}_{rank}",
                           f"{x}, {dtype}[6] s, {dtype}[6] b",
                           "t = InstanceNormalization(x, s, b)  u = Mul(t, r)  y = Relu(u)",
                           weights=f"{dtype} r", sizes=SIZES[1:3], tolerance=10)
            # The parameters say how many channels there are; the input does not.
            yield Case(f"BatchNormalization_unknown_{dtype}_{rank}",
                       f"{dtype}[N,C{dims}] x", "y = BatchNormalization(x, s, b, m, v)",
                       weights=parameters, sizes=[{**s, "C": 6} for s in SIZES[1:3]],
                       ranges={"v": (0.1, 2)}, tolerance=3)
        for size in (1, 3, 4) if dtype != "double" else ():
            yield Case(f"LRN_{dtype}_{size}", f"{dtype}[N,6,H,W] x",
                       f"y = LRN<size = {size}, alpha = 0.5, beta = 0.6, bias = 1.5>(x)",
                       sizes=SIZES, tolerance=2)
    # Channels last, as convolutions want them; odd sizes; a channel with NaN.
    for count in (1, 6, 40):
        yield Case(f"InstanceNormalization_last_{count}", f"float[N,{count},H,W] x",
                   "t = Conv(x, w)  u = InstanceNormalization(t, s, b)  v = Relu(u)"
                   "  y = Conv(v, w)", sizes=SIZES[1:3], tolerance=40,
                   weights=f"float[{count},{count},1,1] w, float[{count}] s, float[{count}] b")
    x = np.random.default_rng(3).normal(100, 1, (2, 3, 13, 11)).astype("float32")
    x[0, 1, 5, 5], x[1, 2, 0, 0] = np.nan, np.inf
    yield Case("InstanceNormalization_nan", "float[2,3,13,11] x",
               "y = InstanceNormalization(x, s, b)", weights="float[3] s, float[3] b",
               values={"x": x}, tolerance=40)
    # Windows of more channels than are written one by one, and than there are; channels last,
    # as convolutions want them.
    for size, beta in ((2, 0.75), (5, 0.75), (9, 1.0), (17, 0.75)):
        operator = f"LRN<size = {size}, alpha = 0.2, beta = {beta}, bias = 2.0>"
        for channels in (3, 40):
            for kind, x in (("", f"float[N,{channels},H,W] x"),
                            ("_static", f"float[2,{channels},5,9] x")):
                sizes = ({},) if kind else SIZES
                yield Case(f"LRN_{size}_{channels}{kind}", x, f"y = {operator}(x)", sizes=sizes,
                           tolerance=2)
                yield Case(f"LRN_last_{size}_{channels}{kind}", x,
                           f"t = Conv(x, w)  u = {operator}(t)  y = Conv(u, w)", sizes=sizes,
                           weights=f"float[{channels},{channels},1,1] w", tolerance=4)


def across():
    """Softmax with vectors across the dimensions behind its axis, of all remainders."""
    for operator in ("Softmax", "LogSoftmax"):
        for inner in (1, 3, 8, 16, 17, 35):
            x = np.random.default_rng(inner).normal(size=(2, 5, inner)).astype("float32")
            x[0, 1, inner - 1], x[1, 2, inner // 2], x[1, 3, 0] = np.nan, np.inf, -np.inf
            for kind, dims in ("static", f"2,5,{inner}"), ("dynamic", "N,C,W"):
                yield Case(f"{operator}_across_{inner}_{kind}", f"float[{dims}] x",
                           f"y = {operator}<axis = 1>(x)", values={"x": x}, tolerance=3,
                           sizes=[{"N": 2, "C": 5, "W": inner}] if kind == "dynamic" else [{}])


def rows():
    for dtype in FLOATS:
        for axes in ("", "<axes = [1]>", "<axes = [-1, 1]>"):
            yield Case(f"MeanVarianceNormalization_{dtype}_{len(axes)}", f"{dtype}[N,6,H,W] x",
                       f"y = MeanVarianceNormalization{axes}(x)", sizes=SIZES[1:3], tolerance=5)
        for axis, tail in ((-1, "37"), (1, "5,37"), (2, "37"), (0, "3,5,37")):
            x = f"{dtype}[3,5,37] x" if axis == 0 else f"{dtype}[N,5,37] x"
            sizes = ({},) if axis == 0 else SIZES
            yield Case(f"LayerNormalization_{dtype}_{axis}", x,
                       f"y = LayerNormalization<axis = {axis}>(x, s, b)",
                       weights=f"{dtype}[{tail}] s, {dtype}[{tail}] b", sizes=sizes,
                       tolerance=5)
            yield Case(f"LayerNormalization_no_bias_{dtype}_{axis}", f"{x}, {dtype}[{tail}] s",
                       f"y = LayerNormalization<axis = {axis}, epsilon = 0.01>(x, s)", sizes=sizes,
                       tolerance=5)
        for axis in (-1, 0, 1):
            for operator in ("Softmax", "LogSoftmax") if dtype != "double" else ():
                yield Case(f"{operator}_{dtype}_{axis}", f"{dtype}[N,H,W] x",
                           f"y = {operator}<axis = {axis}>(x)", sizes=SIZES, tolerance=2,
                           ranges={"x": (-9, 9)})
                yield Case(f"{operator}_static_{dtype}_{axis}", f"{dtype}[3,5,37] x",
                           f"y = {operator}<axis = {axis}>(x)", tolerance=2)
    yield Case("BatchNormalization_nothing_known",
               "float[N,C,H,W] x, float[C] s, float[C] b, float[C] m, float[C] v",
               "y = BatchNormalization(x, s, b, m, v)", sizes=[{**s, "C": 4} for s in SIZES[1:3]],
               ranges={"v": (0.1, 2)}, tolerance=3)
    yield Case("BatchNormalization_between", "float[N,C,H,W] x",
               "t = Relu(x)  u = BatchNormalization(t, s, b, m, v)  y = Conv(u, w)",
               weights="float[4] s, float[4] b, float[4] m, float[4] v, float[3,4,2,2] w",
               sizes=[{**s, "C": 4} for s in SIZES[1:3]], ranges={"v": (0.1, 2)}, tolerance=10)
    yield Case("LayerNormalization_unknown", "float[N,H,W] x, float[W] s, float[W] b",
               "y = LayerNormalization(x, s, b)", sizes=SIZES[1:3], tolerance=3)
    yield Case("Softmax_large", "float[2,4] x", "y = Softmax(x)  z = LogSoftmax(x)",
               values={"x": np.float32([[1000, 1001, 1002, -1000], [-np.inf, 0, 1, 2]])})
    yield Case("Softmax_old", "float[N,3,W] x", "y = Softmax<axis = 1>(x)", opset=11,
               sizes=SIZES)
    # The parts of which exporters build layer normalization and gelu.
    yield Case("LayerNormalization_parts", "float[N,H,32] x",
               "m = ReduceMean(x, a)  d = Sub(x, m)  q = Pow(d, two)  v = ReduceMean(q, a)  "
               "e = Add(v, eps)  r = Sqrt(e)  n = Div(d, r)  s = Mul(n, w)  y = Add(s, b)",
               weights="int64[1] a, float two, float eps, float[32] w, float[32] b",
               values={"a": np.array([-1]), "two": np.float32(2), "eps": np.float32(1e-5)},
               sizes=SIZES, tolerance=3)
    yield Case("Gelu_parts", "float[N,H,W] x",
               "d = Div(x, s)  e = Erf(d)  o = Add(e, one)  m = Mul(x, o)  y = Mul(m, h)",
               weights="float s, float one, float h",
               values={"s": np.float32(2 ** .5), "one": np.float32(1), "h": np.float32(.5)},
               sizes=SIZES)


def fused():
    for name, body in {
            "softmax_scale": "t = Mul(x, s)  u = Softmax(t)  y = Mul(u, s)",
            "softmax_mask": "t = Add(x, m)  y = Softmax(t)",
            "norm_residual": "t = Add(x, m)  u = LayerNormalization(t, g, g)  y = Gelu(u)",
            "norm_two_uses": "t = LayerNormalization(x, g)  y = Relu(t)  z = Add(t, x)"}.items():
        used = {"s": "float s", "g": "float[21] g"}
        yield Case(name, "float[N,H,21] x" + (", float[1,1,21] m" if " m)" in body else ""), body,
                   weights=", ".join(v for k, v in used.items() if f" {k})" in body or f" {k}," in body),
                   sizes=SIZES, tolerance=3)


def all_cases():
    for group in (channels, across, rows, fused):
        yield from group()
