# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Quantization, of tensors and of axes."""

import numpy as np
from execution import Case

SIZES = [{"N": 1, "M": 1}, {"N": 3, "M": 17}, {"N": 0, "M": 3}]


def tensors():
    for dtype in ("int8", "uint8", "int16", "uint16"):
        for real in ("float", "float16"):
            yield Case(f"QuantizeLinear_{dtype}_{real}", f"{real}[N,M] x",
                       "y = QuantizeLinear(x, s, z)", weights=f"{real} s, {dtype} z",
                       values={"s": np.array(0.037, np.float32 if real == "float" else np.float16)},
                       ranges={"x": (-9, 9)}, sizes=SIZES)
            yield Case(f"DequantizeLinear_{dtype}_{real}", f"{dtype}[N,M] x",
                       "y = DequantizeLinear(x, s, z)", weights=f"{real} s, {dtype} z",
                       ranges={"s": (0.01, 0.1)}, sizes=SIZES)
    yield Case("QuantizeLinear_ties", "float[8] x", "y = QuantizeLinear(x, s, z)",
               weights="float s, int8 z",
               values={"x": np.float32([0.5, 1.5, 2.5, -0.5, -1.5, 300, -300, 127.5]),
                       "s": np.float32(1), "z": np.int8(0)})


def axes():
    for dtype in ("int8", "uint8"):
        for axis, channels, shape in ((1, 5, "N,5,M"), (0, 4, "4,N,M"), (-1, 6, "N,M,6")):
            parameters = f"float[{channels}] s, {dtype}[{channels}] z"
            yield Case(f"QuantizeLinear_axis{axis}_{dtype}", f"float[{shape}] x",
                       f"y = QuantizeLinear<axis = {axis}>(x, s, z)", weights=parameters,
                       ranges={"s": (0.01, 0.1)}, sizes=SIZES)
            yield Case(f"DequantizeLinear_axis{axis}_{dtype}", f"{dtype}[{shape}] x",
                       f"y = DequantizeLinear<axis = {axis}>(x, s, z)", weights=parameters,
                       ranges={"s": (0.01, 0.1)}, sizes=SIZES)


def models():
    yield Case("quantized_conv", "float[N,3,8,8] x",
               "q = QuantizeLinear(x, s, z)  d = DequantizeLinear(q, s, z)  "
               "w = DequantizeLinear<axis = 0>(wq, ws)  t = Conv<pads = [1, 1, 1, 1]>(d, w)  "
               "u = Relu(t)  v = QuantizeLinear(u, s, z)  y = DequantizeLinear(v, s, z)",
               weights="float s, uint8 z, int8[8,3,3,3] wq, float[8] ws",
               values={"s": np.float32(0.05), "z": np.uint8(30)}, ranges={"ws": (0.01, 0.05)},
               sizes=[{"N": 1}, {"N": 3}], tolerance=5)


def all_cases():
    for group in (tensors, axes, models):
        yield from group()
