# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Quantized operators of ONNX Runtime's quantizers and optimizer."""

import numpy as np
from execution import Case

SIZES = [{"N": 1}, {"N": 3}]


def limits(dtype):
    return {"uint8": (0, 255), "int8": (-128, 127)}[dtype]


def eight_bits():
    """From 8 bits to 8 bits; sums and products of real numbers may round the other way."""
    for dtype, zero in (("uint8", 120), ("int8", -7)):
        values = {"sx": np.float32(0.043), "zx": np.array(zero, dtype),
                  "sb": np.float32(0.021), "zb": np.array(zero + 9, dtype),
                  "sy": np.float32(0.067), "zy": np.array(zero - 3, dtype)}
        ranges = {"x": limits(dtype), "b": limits(dtype)}
        def case(name, shape, body, operands="", **more):
            weights = ", ".join(f"{kind} {name}" for k in "xby" for kind, name
                                in (("float", f"s{k}"), (dtype, f"z{k}")) if name in body)
            more = {"values": values | more.pop("values", {}), **more}
            return Case(f"{name}_{dtype}", f"{dtype}[{shape}] x{operands}", body,
                        weights=weights, ranges=ranges, sizes=SIZES, step=1, **more)
        for name in ("QLinearAdd", "QLinearMul"):
            yield case(name, "N,5,19", f"y = com.microsoft.{name}(x, sx, zx, b, sb, zb, sy, zy)",
                       f", {dtype}[5,1] b")
        for name in ("QLinearSigmoid", "QLinearLeakyRelu"):
            scale = {"sy": np.float32(1 / 256)} if name == "QLinearSigmoid" else {}
            yield case(name, "N,5,19", f"y = com.microsoft.{name}(x, sx, zx, sy, zy)", values=scale)
        # Its documentation allows what ONNX Runtime refuses.
        yield case("QLinearAdd_no_zeros", "N,5,19",
                   "y = com.microsoft.QLinearAdd(x, sx, , b, sb, , sy)", f", {dtype}[5,1] b",
                   oracle=False)
        # ONNX Runtime lets 256 steps above -128 wrap around.
        softmax = {"sy": np.float32(1 / 300), "sx": np.float32(0.02)}
        for opset, axis in ((13, -1), (13, 1), (11, 1)):
            yield case(f"QLinearSoftmax_{opset}_{axis % 3}", "N,5,7",
                       f"y = com.microsoft.QLinearSoftmax<axis = {axis}, opset = {opset}>"
                       "(x, sx, zx, sy, zy)", values=softmax)
        for last, shape in ((0, "N,6,9,8"), (1, "N,9,8,6")):
            yield case(f"QLinearAveragePool_{last}", shape,
                       f"y = com.microsoft.QLinearAveragePool<kernel_shape = [3, 3], "
                       f"pads = [1, 1, 1, 1], strides = [2, 1], channels_last = {last}>"
                       "(x, sx, zx, sy, zy)")
            # Many averages are ties, of which a zero point far from 0 hides the noise.
            if dtype == "uint8":
                yield case(f"QLinearAveragePool_ties_{last}", shape,
                           f"y = com.microsoft.QLinearAveragePool<kernel_shape = [2, 2], "
                           f"channels_last = {last}>(x, sx, zx, sx, zx)")
            yield case(f"QLinearGlobalAveragePool_{last}", shape,
                       f"y = com.microsoft.QLinearGlobalAveragePool<channels_last = {last}>"
                       "(x, sx, zx, sy, zy)")
        yield case("QLinearAveragePool_ceil", "N,6,9,8",
                   "y = com.microsoft.QLinearAveragePool<kernel_shape = [2, 3], ceil_mode = 1, "
                   "count_include_pad = 1, strides = [2, 2]>(x, sx, zx, sy, zy)")
        yield case("QLinearConcat", "N,5,9",
                   "y = com.microsoft.QLinearConcat<axis = 1>(sy, zy, x, sx, zx, b, sb, zb)",
                   f", {dtype}[N,3,9] b")
        yield case("QLinearWhere", "N,5,9",
                   "y = com.microsoft.QLinearWhere(c, x, sx, zx, b, sb, zb, sy, zy)",
                   f", {dtype}[5,1] b, bool[N,1,9] c")
    yield Case("QLinearConv_last", "uint8[N,9,8,4] x",
               "y = com.microsoft.QLinearConv<pads = [1, 1, 1, 1], channels_last = 1>"
               "(x, sx, zx, w, sw, zw, sy, zy, b)",
               weights="float sx, uint8 zx, int8[6,4,3,3] w, float[6] sw, int8[6] zw, "
                       "float sy, uint8 zy, int32[6] b",
               values={"sx": np.float32(0.05), "zx": np.uint8(9), "zw": np.zeros(6, np.int8),
                       "sw": np.float32(np.linspace(0.01, 0.02, 6)), "sy": np.float32(1.1),
                       "zy": np.uint8(100)},
               ranges={"x": (0, 255), "w": (-128, 127), "b": (-9000, 9000)}, sizes=SIZES, step=1)


def linear():
    """QuantizeLinear and DequantizeLinear; ONNX Runtime has those of 4 bits for tensors."""
    for dtype in ("int8", "uint8", "int16", "uint16"):
        scale = 0.037 if "8" in dtype else 0.0003
        yield Case(f"QuantizeLinear_{dtype}", "float[N,17] x",
                   "q = com.microsoft.QuantizeLinear(x, s, z)  "
                   "y = com.microsoft.DequantizeLinear(q, s, z)",
                   weights=f"float s, {dtype} z", values={"s": np.float32(scale)}, sizes=SIZES)
        yield Case(f"QuantizeLinear_axis_{dtype}", "float[N,5,7] x",
                   "q = com.microsoft.QuantizeLinear<axis = 1>(x, s, z)  "
                   "y = com.microsoft.DequantizeLinear<axis = 1>(q, s, z)",
                   weights=f"float[5] s, {dtype}[5] z", ranges={"s": (scale, 2 * scale)},
                   sizes=SIZES)
    for dtype in ("int4", "uint4"):
        yield Case(f"QuantizeLinear_{dtype}", "float[N,18] x",
                   "q = com.microsoft.QuantizeLinear(x, s, z)  "
                   "y = com.microsoft.DequantizeLinear(q, s, z)",
                   weights=f"float s, {dtype} z", values={"s": np.float32(0.2)}, sizes=SIZES)


def products():
    weights = {"sw": np.float32(np.linspace(0.01, 0.02, 12)), "s": np.float32(0.013)}
    x = "uint8[N,20] x"
    ranges = {"x": (0, 255), "w": (-128, 127), "c": (-9000, 9000), "zw": (-9, 9)}
    for trans, shape in ((0, "20,12"), (1, "12,20")):
        for scale, size in (("s", ""), ("sw", "[12]")):
            parameters = f"float sx, uint8 zx, int8[{shape}] w, float{size} {scale}, int8{size} zw"
            yield Case(f"QGemm_{trans}{scale}", x,
                       f"y = com.microsoft.QGemm<transB = {trans}, alpha = 0.7>"
                       f"(x, sx, zx, w, {scale}, zw, c, sy, zy)  "
                       f"r = com.microsoft.QGemm<transB = {trans}>(x, sx, zx, w, {scale}, zw, c)",
                       weights=parameters + ", int32[12] c, float sy, uint8 zy",
                       values={"sx": np.float32(0.05), "zx": np.uint8(120), "sy": np.float32(1.3),
                               "zy": np.uint8(99)} | weights, ranges=ranges, sizes=SIZES, step=1)
    for dtype in ("uint8", "int8"):
        for scale, size in (("s", ""), ("sw", "[12]")):
            parameters = f"{dtype}[20,12] w, float{size} {scale}, {dtype}{size} zw"
            operands = {"values": weights, "sizes": SIZES, "ranges": ranges | {
                "w": limits(dtype), "zw": limits(dtype)}}
            yield Case(f"MatMulIntegerToFloat_{dtype}_{scale}", x,
                       f"y = com.microsoft.MatMulIntegerToFloat(x, w, sx, {scale}, zx, zw, b)",
                       weights=f"{parameters}, float[12] b, float sx, uint8 zx",
                       **operands)
            yield Case(f"DynamicQuantizeMatMul_{dtype}_{scale}", "float[N,4,20] x",
                       f"y = com.microsoft.DynamicQuantizeMatMul(x, w, {scale}, zw, b)",
                       weights=f"{parameters}, float[12] b", **operands, tolerance=2)
    yield Case("MatMulIntegerToFloat_least", x,
               "y = com.microsoft.MatMulIntegerToFloat(x, w, s, s)",
               weights="uint8[20,12] w, float s", values=weights, ranges=ranges, sizes=SIZES)
    yield Case("MatMulInteger16", "int16[N,20] x", "y = com.microsoft.MatMulInteger16(x, w)",
               weights="int16[20,12] w", ranges={"x": (-9000, 9000), "w": (-9000, 9000)},
               sizes=SIZES)
    # ONNX Runtime rounds inputs and states to 8 bits: its results are near only.
    for direction, d in (("forward", 1), ("reverse", 1), ("bidirectional", 2)):
        for columns in ("", ",32"):
            yield Case(f"DynamicQuantizeLSTM_{direction}{bool(columns)}", "float[6,N,10] x",
                       f'y, h, c = com.microsoft.DynamicQuantizeLSTM<direction = "{direction}", '
                       "hidden_size = 8>(x, w, r, b, , , , , sw, zw, sr, zr)",
                       weights=f"int8[{d},10,32] w, int8[{d},8,32] r, float[{d},64] b, "
                               f"float[{d}{columns}] sw, int8[{d}{columns}] zw, "
                               f"float[{d}{columns}] sr, int8[{d}{columns}] zr",
                       ranges={"w": (-100, 100), "r": (-100, 100), "sw": (0.002, 0.003),
                               "sr": (0.002, 0.003), "b": (-0.1, 0.1), "zw": (0, 0), "zr": (0, 0)},
                       sizes=SIZES, tolerance=3000)


def blocks():
    """Weights in few bits. ONNX Runtime packs them in bytes, the low bits first."""
    for bits in (2, 4, 8):
        for size, k, n in ((16, 64, 12), (32, 80, 5)):
            count = -(-k // size)
            shape = f"{n},{count},{size * bits // 8}"
            zeros = n * -(-count * bits // 8)
            attributes = f"K = {k}, N = {n}, bits = {bits}, block_size = {size}"
            common = f"uint8[{shape}] w, float[{n * count}] s"
            options = {"sizes": SIZES, "tolerance": 2, "ranges": {
                "w": (0, 255), "z": (0, 255), "s": (0.01, 0.1), "f": (0, 2.0 ** bits)}}
            label = f"MatMulNBits_{bits}_{size}"
            x = f"float[N,3,{k}] x"
            yield Case(label, x, f"y = com.microsoft.MatMulNBits<{attributes}>(x, w, s)",
                       weights=common, **options)
            yield Case(label + "_zeros", x,
                       f"y = com.microsoft.MatMulNBits<{attributes}>(x, w, s, z, , b)",
                       weights=f"{common}, uint8[{zeros}] z, float[{n}] b", **options)
            yield Case(label + "_real_zeros", x,
                       f"y = com.microsoft.MatMulNBits<{attributes}>(x, w, s, f)",
                       weights=f"{common}, float[{n * count}] f", **options)
            # ONNX Runtime forgets zero points beside groups, and groups of 2 bits.
            if bits == 4:
                yield Case(label + "_groups", x,
                           f"y = com.microsoft.MatMulNBits<{attributes}>(x, w, s, , g)",
                           weights=f"{common}, int32[{k}] g",
                           **(options | {"ranges": options["ranges"] | {"g": (0, count - 1)}}))
    for kind in (0, 1):
        for k, n, size in ((32, 6, 16), (15, 5, 64)):
            count = -(-k * n // size)
            yield Case(f"MatMulBnb4_{kind}_{size}", f"float[N,{k}] x",
                       f"y = com.microsoft.MatMulBnb4<K = {k}, N = {n}, block_size = {size}, "
                       f"quant_type = {kind}>(x, w, s)",
                       weights=f"uint8[{(k * n + 1) // 2}] w, float[{count}] s",
                       ranges={"w": (0, 255), "s": (0.1, 1)}, sizes=SIZES, tolerance=2)
    # Columns in blocks, each of a scale, maybe a zero point, and the integers.
    random = np.random.default_rng(0)
    for kind, size, header in ((0, 32, 4), (1, 32, 5), (2, 64, 4)):
        for k, n in ((128, 3), (96, 8)):
            count = n * -(-k // size)
            blob = random.integers(0, 256, (count, header + size // 2), dtype=np.uint8)
            blob[:, :4] = random.uniform(0.01, 0.1, count).astype("<f4").view(np.uint8).reshape(-1, 4)
            blob[:, 4:header] %= 16
            yield Case(f"MatMulFpQ4_{kind}_{k}", f"float[N,3,{k}] x",
                       f"y = com.microsoft.MatMulFpQ4<blk_quant_type = {kind}>(x, w, s)",
                       weights=f"uint8[{blob.size}] w, int64[2] s",
                       values={"w": blob.reshape(-1), "s": [k, n]}, sizes=SIZES, tolerance=4)
    for dtype in ("int4", "uint4", "uint8"):
        for zeros in ("", ", z"):
            width, packed = (32, 2) if dtype == "uint8" else (64, 4)
            common = f"{dtype}[9,{width}] w, float[9,4] s" + (
                f", {dtype}[9,{packed}] z" if zeros else "")
            yield Case(f"GatherBlockQuantized_{dtype}{len(zeros)}", "int64[N,3] i",
                       "y = com.microsoft.GatherBlockQuantized<block_size = 16>"
                       f"(w, i, s{zeros})", weights=common,
                       ranges={"w": (0, 255) if dtype == "uint8" else (0, 7), "i": (0, 8),
                               "z": (0, 255) if dtype == "uint8" else (0, 7)}, sizes=SIZES)
    yield Case("GatherBlockQuantized_axes", "int32[N] i",
               "y = com.microsoft.GatherBlockQuantized<block_size = 16, gather_axis = 1, "
               "quantize_axis = 0>(w, i, s)  "
               "z = com.microsoft.GatherBlockQuantized<block_size = 16, gather_axis = 0, "
               "quantize_axis = 0>(w, i, s)",
               weights="int4[32,6] w, float[2,6] s", ranges={"w": (-8, 7), "i": (0, 5)},
               sizes=SIZES)


def all_cases():
    for family in (eight_bits, linear, products, blocks):
        yield from family()
