# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Quantization, of tensors and of axes."""

import re

import numpy as np
from execution import Case, cpu

#: Products of bytes, four at a time.
OPTIONS = [("--mcpu=x86-64-v4+avx512vnni",)] if "avx512_vnni" in cpu.flags() else []

#: Without VNNI, oneDNN's sums of integers saturate.
INSTRUCTION_SETS = ("AVX2", "AVX2_VNNI", "AVX512_CORE")

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
    # Far outside of the integers that conversions of floats give.
    for dtype, zero in (("uint8", 200), ("int8", -5), ("int8", 0)):
        yield Case(f"QuantizeLinear_far_{dtype}_{zero}", "float[9] x",
                   "y = QuantizeLinear(x, s, z)", weights=f"float s, {dtype} z",
                   values={"x": np.float32([1e30, -1e30, np.inf, -np.inf, 2**31, -2**31, 3e9,
                                            -3e9, 12.5]),
                           "s": np.float32(0.5), "z": np.array(zero, dtype)})
    # Quotients that are ties, or not below one, if rounded to f32.
    for number, name in ((3, "int8"), (22, "int4")):
        yield Case(f"QuantizeLinear_by_integer_{name}", "int32[5] x, int32 s",
                   f"q = QuantizeLinear<output_dtype = {number}>(x, s)  y = Cast<to = 6>(q)",
                   values={"x": np.int32([1000000001, 999999999, 1000000000, -1000000001, 2**31 - 1]),
                           "s": np.int32(2000000000)})


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


#: Sums of full-range products: two of them alone exceed 16 bits.
CONVOLUTIONS = {
    # name: (activations, their zero point, weights, attributes, scales of weights)
    "u8": ("uint8", 0, "8,3,3,3", "pads = [1, 1, 1, 1]", "8"),
    "u8_padded_zero": ("uint8", 37, "8,3,3,3", "pads = [1, 1, 1, 1]", "8"),
    "u8_tensor_scale": ("uint8", 200, "8,3,3,3", "strides = [2, 2]", ""),
    "s8": ("int8", -5, "8,3,3,3", "pads = [1, 0, 1, 2]", "8"),
    "s8_rectified": ("int8", -128, "8,3,1,1", "dilations = [1, 1]", "8"),
    "u8_depthwise": ("uint8", 11, "3,1,3,3", "group = 3, pads = [1, 1, 1, 1]", "3"),
    "u8_groups": ("uint8", 11, "22,2,3,3", "group = 11, pads = [1, 1, 1, 1]", "22"),
    "s8_multiplier": ("int8", 3, "14,1,3,3", "group = 7, pads = [1, 1, 1, 1]", "14"),
    "u8_depthwise_long": ("uint8", 200, "9,1,3,19", "group = 9, pads = [1, 9, 1, 9]", "9"),
    "u8_single": ("uint8", 90, "1,1,5,5", "pads = [2, 2, 2, 2]", "1"),
    # Of 16 columns and more, in steps of four: whole rows, gathered taps, and groups.
    "u8_pointwise": ("uint8", 0, "40,8,1,1", "strides = [1, 1]", "40"),
    "s8_pointwise": ("int8", 9, "33,20,1,1", "strides = [1, 1]", "33"),
    "u8_window": ("uint8", 37, "20,4,3,3", "pads = [1, 1, 1, 1]", "20"),
    "u8_inner": ("uint8", 7, "20,4,3,3", "strides = [1, 1]", "20"),
    "u8_dilated": ("uint8", 37, "20,8,3,3", "dilations = [2, 2], pads = [2, 2, 2, 2]", "20"),
    "s8_dilated": ("int8", -5, "20,8,3,3", "dilations = [1, 2], pads = [0, 2, 1, 2]", "20"),
    "u8_dilated_long": ("uint8", 37, "20,16,3,3", "dilations = [2, 2], pads = [2, 2, 2, 2]",
                        "20"),
    "s8_groups_long": ("int8", -5, "20,16,3,3", "group = 2, pads = [1, 1, 1, 1]", "20"),
    "s8_long": ("int8", 9, "20,20,3,3", "pads = [1, 1, 1, 1]", "20"),
    "u8_wide_groups": ("uint8", 11, "24,8,3,3", "group = 2, pads = [1, 1, 1, 1]", "24"),
    "s8_wide_groups": ("int8", 11, "24,8,1,1", "group = 3", "24"),
    "u8_depthwise_strided": ("uint8", 11, "20,1,5,5",
                             "group = 20, pads = [2, 2, 2, 2], strides = [2, 2]", "20"),
    "u8_depthwise_dilated": ("uint8", 0, "20,1,3,3",
                             "group = 20, pads = [2, 2, 2, 2], dilations = [2, 2]", "20"),
    "s8_same": ("int8", 3, "8,3,3,3", 'auto_pad = "SAME_LOWER"', "8"),
}


def products():
    """One oneDNN primitive each, from 8 bits to 8 bits."""
    quantized = ("q = QuantizeLinear(x, sx, zx)  d = DequantizeLinear(q, sx, zx)  "
                 "w = DequantizeLinear<axis = 0>(wq, sw)  b = DequantizeLinear<axis = 0>(bq, sb)  ")
    for name, (dtype, zero, shape, attributes, scales) in CONVOLUTIONS.items():
        for limit, body in {"plain": "t = Identity(c)", "relu": "t = Relu(c)",
                            "clip": "t = Clip(c, low, high)"}.items():
            channels = int(shape.split(",")[0])
            groups = int((re.search(r"group = (\d+)", attributes) or [0, 1])[1])
            depth = int(shape.split(",")[1]) * groups
            scale = np.float32(np.linspace(0.01, 0.02, channels) if scales else 0.01)
            weights = (f"float sx, {dtype} zx, int8[{shape}] wq, float[{scales}] sw, "
                       f"int32[{channels}] bq, float[{scales}] sb, float sy, {dtype} zy")
            values = {"sx": np.float32(0.05), "zx": np.array(zero, dtype), "sw": scale,
                      "sb": np.float32(0.05) * scale, "sy": np.float32(1.7),
                      "zy": np.array(zero, dtype)}
            if not scales:
                weights = weights.replace("float[]", "float")
            if limit == "clip":
                weights += ", float low, float high"
                values |= {"low": np.float32(-40), "high": np.float32(60)}
            yield Case(f"conv_{name}_{limit}", f"float[N,{depth},9,9] x",
                       quantized + f"c = Conv<{attributes}>(d, w, b)  {body}  "
                       "v = QuantizeLinear(t, sy, zy)  y = DequantizeLinear(v, sy, zy)",
                       weights=weights, values=values,
                       ranges={"x": (-13, 13), "wq": (-128, 127), "bq": (-9000, 9000)},
                       sizes=[{"N": 1}, {"N": 3}], step=1.7)
    for name, attributes, dtype, zero in (("u8", "", "uint8", 131), ("s8", "", "int8", 7),
                                          ("transposed", "<transB = 1>", "uint8", 0)):
        shape = "20,24" if attributes else "24,20"
        axis = 0 if attributes else 1
        yield Case(f"gemm_{name}", "float[N,24] x",
                   "q = QuantizeLinear(x, sx, zx)  d = DequantizeLinear(q, sx, zx)  "
                   f"w = DequantizeLinear<axis = {axis}>(wq, sw)  "
                   "b = DequantizeLinear<axis = 0>(bq, sb)  "
                   f"c = Gemm{attributes}(d, w, b)  "
                   "v = QuantizeLinear(c, sy, zy)  y = DequantizeLinear(v, sy, zy)",
                   weights=f"float sx, {dtype} zx, int8[{shape}] wq, float[20] sw, "
                           f"int32[20] bq, float[20] sb, float sy, {dtype} zy",
                   values={"sx": np.float32(0.05), "zx": np.array(zero, dtype),
                           "sw": np.float32(np.linspace(0.01, 0.02, 20)),
                           "sb": np.float32(0.05) * np.float32(np.linspace(0.01, 0.02, 20)),
                           "sy": np.float32(1.3), "zy": np.array(zero, dtype)},
                   ranges={"x": (-13, 13), "wq": (-128, 127), "bq": (-9000, 9000)},
                   sizes=[{"N": 1}, {"N": 5}], step=1.3)


def operators():
    """ONNX's quantized operators with constant weights."""
    for dtype, zero in (("uint8", 128), ("uint8", 100), ("int8", 0)):
        label = dtype if zero != 100 else "uint8_100"
        low, high = (0, 255) if dtype == "uint8" else (-128, 127)
        parameters = f"{dtype}[6,3,3,3] w, {dtype} zw, uint8 zx"
        values = {"zx": np.uint8(90), "zw": np.array(zero, dtype), "sx": np.float32(0.05),
                  "sw": np.float32(np.linspace(0.01, 0.02, 6)), "sy": np.float32(2.1),
                  "zy": np.uint8(120)}
        ranges = {"x": (0, 255), "w": (low, high), "b": (-9000, 9000)}
        yield Case(f"QLinearConv_{label}", "uint8[N,3,9,9] x",
                   "y = QLinearConv<pads = [1, 1, 1, 1]>(x, sx, zx, w, sw, zws, sy, zy, b)",
                   weights=parameters.replace(f"{dtype} zw", f"{dtype}[6] zws") +
                   ", float sx, float[6] sw, float sy, uint8 zy, int32[6] b",
                   values=values | {"zws": np.full(6, zero, dtype)}, ranges=ranges,
                   sizes=[{"N": 1}, {"N": 2}], step=1)
        yield Case(f"ConvInteger_{label}", "uint8[N,3,9,9] x",
                   "y = ConvInteger<pads = [1, 1, 1, 1]>(x, w, zx, zw)",
                   weights=parameters, values=values, ranges=ranges,
                   sizes=[{"N": 1}, {"N": 2}])
        # The input's zero point is known at run time only; 16 filters of many products.
        for channels in (3, 40):
            yield Case(f"ConvInteger_dynamic_{label}_{channels}", f"float[N,{channels},9,7] x",
                       "q, s, z = DynamicQuantizeLinear(x)  "
                       "y = ConvInteger<pads = [1, 0, 2, 1]>(q, w, z, zw)",
                       weights=f"{dtype}[16,{channels},3,3] w, {dtype} zw", values=values,
                       ranges={"w": (low, high)}, sizes=[{"N": 1}, {"N": 2}])
        yield Case(f"QLinearMatMul_{label}", "uint8[N,4,24] x",
                   "y = QLinearMatMul(x, sx, zx, m, s, zw, sy, zy)",
                   weights=f"{dtype}[24,10] m, {dtype} zw, uint8 zx, float sx, float s, "
                           "float sy, uint8 zy",
                   values=values | {"s": np.float32(0.02)},
                   ranges=ranges | {"m": (low, high)}, sizes=[{"N": 1}, {"N": 2}], step=1)
        yield Case(f"MatMulInteger_{label}", "float[N,24] x",
                   "q, s, z = DynamicQuantizeLinear(x)  i = MatMulInteger(q, m, z, zw)  "
                   "c = Cast<to = 1>(i)  y = Mul(c, s)",
                   weights=f"{dtype}[24,10] m, {dtype} zw", values=values,
                   ranges={"m": (low, high)}, sizes=[{"N": 1}, {"N": 5}])
        # The largest products and sums are exact: nothing saturates.
        yield Case(f"MatMulInteger_{label}_many", "uint8[N,1200] x, uint8 z",
                   "y = MatMulInteger(x, m, z, zw)",
                   weights=f"{dtype}[1200,37] m, {dtype} zw", values=values,
                   ranges={"x": (250, 255), "z": (0, 255), "m": (high - 9, high)},
                   sizes=[{"N": 1}, {"N": 7}, {"N": 2}])


def graphs():
    """What lies between products."""
    pair = "{0} = QuantizeLinear({1}, s, z)  {2} = DequantizeLinear({0}, s, z)  "
    common = "float s, int8 z, int8[8,8,3,3] w0, int8[8,8,3,3] w1, float[8] ws"
    values = {"s": np.float32(0.9), "ws": np.float32(np.linspace(0.004, 0.006, 8))}
    ranges = {"x": (-120, 120), "w0": (-128, 127), "w1": (-128, 127)}
    conv = ("{2} = DequantizeLinear<axis = 0>({1}, ws)  "
            "{3} = Conv<pads = [1, 1, 1, 1]>({0}, {2})  ")
    for zero in (-128, 4):
        for after in ("Relu", "Identity"):
            # Both operands of the sum are quantized, one of them only for it.
            yield Case(f"residual_{after}_{zero}", "float[N,8,7,7] x",
                       pair.format("q0", "x", "d0") + conv.format("d0", "w0", "v0", "c0")
                       + pair.format("q1", "c0", "d1") + conv.format("d1", "w1", "v1", "c1")
                       + pair.format("q2", "c1", "d2")
                       + f"a = Add(d2, d0)  r = {after}(a)  "
                       + pair.format("q3", "r", "y"),
                       weights=common, values=values | {"z": np.int8(zero)}, ranges=ranges,
                       sizes=[{"N": 1}, {"N": 2}], step=0.9)
        yield Case(f"shortcut_{zero}", "float[N,8,7,7] x",
                   pair.format("q0", "x", "d0") + conv.format("d0", "w0", "v0", "c0")
                   + pair.format("q1", "c0", "d1") + conv.format("d0", "w1", "v1", "c1")
                   + pair.format("q2", "c1", "d2") + "a = Add(d1, d2)  "
                   + pair.format("q3", "a", "y"),
                   weights=common, values=values | {"z": np.int8(zero)}, ranges=ranges,
                   sizes=[{"N": 1}, {"N": 2}], step=0.9)
        yield Case(f"moved_{zero}", "float[N,8,7,7] x",
                   pair.format("q0", "x", "d0") + conv.format("d0", "w0", "v0", "c0")
                   + pair.format("q1", "c0", "d1")
                   + "m = MaxPool<kernel_shape = [2, 2], pads = [1, 0, 0, 1]>(d1)  "
                   + pair.format("q2", "m", "d2") + "t = Transpose<perm = [0, 1, 3, 2]>(d2)  "
                   + "k = Concat<axis = 1>(t, t)  g = Slice(k, low, high, axes)  "
                   + conv.format("g", "w1", "v1", "c1") + pair.format("q4", "c1", "y"),
                   weights=common + ", int64[1] low, int64[1] high, int64[1] axes",
                   values=values | {"z": np.int8(zero), "low": np.array([4]),
                                    "high": np.array([12]), "axes": np.array([1])},
                   ranges=ranges, sizes=[{"N": 1}, {"N": 2}], step=0.9)


def zeros():
    """Integers have no -0: what is quantized to 0 has an inverse of +infinity."""
    for zero in (0, 19):
        yield Case(f"inverse_{zero}", "float[6] x",
                   "q = QuantizeLinear(x, s, z)  d = DequantizeLinear(q, s, z)  y = Div(one, d)",
                   "float s, int8 z, float one",
                   values={"x": np.array([-0.1, -0.0, 0.0, 0.1, 1, -1], np.float32),
                           "s": np.float32(0.5), "z": np.int8(zero), "one": np.float32(1)})


def joined():
    """Parts of other scales, quantized together; limits before a pool."""
    yield Case("joined", "float[N,4,6,6] x",
               "q = QuantizeLinear(x, sa, z)  d = DequantizeLinear(q, sa, z)  "
               "w = DequantizeLinear<axis = 0>(wq, sw)  c = Conv<pads = [1, 1, 1, 1]>(d, w)  "
               "r = Relu(c)  m = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(r)  "
               "p = MaxPool<kernel_shape = [2, 2], strides = [2, 2]>(d)  "
               "k = Concat<axis = 1>(m, p)  v = QuantizeLinear(k, sb, z)  "
               "y = DequantizeLinear(v, sb, z)",
               weights="float sa, float sb, int8 z, int8[6,4,3,3] wq, float[6] sw",
               values={"sa": np.float32(0.1), "sb": np.float32(0.7), "z": np.int8(-9),
                       "sw": np.float32(np.linspace(0.01, 0.02, 6))},
               ranges={"x": (-13, 13), "wq": (-128, 127)}, sizes=[{"N": 1}, {"N": 2}],
               step=0.7)


def all_cases():
    for group in (tensors, axes, models, products, operators, graphs, zeros, joined):
        yield from group()
