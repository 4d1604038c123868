# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""What bench-operators measures: operators at sizes on both sides of every threshold.

A sweep varies one parameter of a model in ONNX's text syntax. The thresholds are those of
lib/Kernels (products of 2^21 multiplications, weights of 2^18 and 2^16 elements, 8 rows,
blocks of 4096 elements, depthwise windows of 11), of the importer (sums of 257 products of
8-bit integers), of the runtime (dynamic products of 2^20) and the lengths of vectors, 8
and 16. A family is a function; to add a sweep, add it to the function of its family.
"""

from cases import ROOT  # First: provides the packages below.

import dataclasses
import math
import re
import sys

import numpy as np

sys.path.append(str(ROOT / "test" / "Execution" / "Inputs"))
from execution import Case

# Causes of jumps: a text, and whether it holds between two values of the parameter.
FEW = ("few channels or columns do not fill a vector", lambda before, value: before < 8)
LINES = ("windows are reduced by lines, so that taps of larger ones cost less",
         lambda before, value: True)
FEW_PRODUCTS = ("with few products per element, moving the data takes most of the time",
                lambda before, value: value in (11, 32))
ROWS = ("each row is combined across lanes, and ends in single elements",
        lambda before, value: value == 2)
FACTORS = ("lengths with other factors than 2, 3 and 5 take two longer transforms",
           lambda before, value: is_smooth(before) != is_smooth(value))


def is_smooth(length):
    for factor in 2, 3, 5:
        while length % factor == 0:
            length //= factor
    return length == 1


@dataclasses.dataclass
class Point:
    """One case of a sweep."""

    sweep: str
    parameter: str
    value: object
    work: float | None  # None: the number of elements that it reads and writes
    ordered: bool  # whether the points before and after it are its neighbours
    arguments: dict
    cause: str  # why the time per work may jump from the point before, if it may

    @property
    def name(self):
        return f"{self.sweep}/{self.parameter}={self.value}"

    def case(self):
        """The model with its arrays, which are made only now."""
        arguments = dict(self.arguments)
        if callable(arguments.get("values")):
            arguments["values"] = arguments["values"](self.value)
        return Case(self.name, **arguments)


def sweep(name, parameter, points, inputs, body, weights="", work=None, sizes=None,
          ordered=True, cause=None, **more):
    """The points of a sweep. In texts, {...} is an expression of the parameter; its name
    in capitals is a dynamic dimension of this size. `sizes` gives other dynamic dimensions,
    `cause` says why and where the time per work may jump, `more` is for Case; its `values`
    may be a function of the parameter."""
    before = None
    for value in points:
        def fill(text):
            return re.sub(r"\{(.*?)\}",
                          lambda part: str(eval(part[1], {parameter: value})), text)

        arguments = {"inputs": fill(inputs), "body": fill(body), "weights": fill(weights),
                     "sizes": [{parameter.upper(): value} | (sizes or {})], **more}
        is_caused = cause and before is not None and cause[1](before, value)
        amount = work and eval(work, {parameter: value, "math": math})
        yield Point(name, parameter, value, amount, ordered, arguments,
                    cause[0] if is_caused else "")
        before = value


# ===--- Products ---------------------------------------------------------------------===


def matmul():
    for name, m in ("", "{m}"), ("-dynamic", "M"):
        x = f"float[{m},256] x"
        yield from sweep("matmul/rows" + name, "m",
                         [1, 4, 8, 9, 31, 32, 33, 64, 128, 512], x,
                         "y = MatMul(x, w)", "float[256,256] w", "m * 2**16")
        yield from sweep("matmul/rows-large" + name, "m", [1, 8, 9, 128],
                         x, "y = MatMul(x, w)", "float[256,1040] w", "m * 256 * 1040")
        yield from sweep("gemm/transposed-weights" + name, "m", [1, 8, 33, 128], x,
                         "y = Gemm<transB = 1>(x, w, b)", "float[255,256] w, float[255] b",
                         "m * 255 * 256")
        yield from sweep("matmul/bias-relu" + name, "m", [1, 8, 128], x,
                         "t = MatMul(x, w)  u = Add(t, b)  y = Relu(u)",
                         "float[256,256] w, float[256] b", "m * 2**16")
        yield from sweep("matmul/gelu" + name, "m", [1, 33, 128], x,
                         "t = MatMul(x, w)  u = Add(t, b)  y = Gelu(u)",
                         "float[256,250] w, float[250] b", "m * 256 * 250")
        yield from sweep("matmul/both-inputs" + name, "m", [1, 8, 128],
                         x + ", float[256,128] w", "y = MatMul(x, w)", work="m * 2**15")
        yield from sweep("matmul/constant-left" + name, "m", [1, 9, 128],
                         f"float[128,{m}] x", "y = MatMul(w, x)",
                         "float[200,128] w", "m * 200 * 128")
        yield from sweep("matmul/transposed-input" + name, "m", [1, 8, 128],
                         f"float[128,{m}] x",
                         "t = Transpose<perm = [1, 0]>(x)  y = MatMul(t, w)",
                         "float[128,128] w", "m * 2**14")
    yield from sweep("matmul/one-row", "n", [64, 256, 511, 512, 513, 1024],
                     "float[1,{n}] x", "y = MatMul(x, w)", "float[{n},{n}] w", "n * n")
    yield from sweep("matmul/eight-rows", "n", [128, 511, 512, 513],
                     "float[8,{n}] x", "y = MatMul(x, w)", "float[{n},{n}] w", "8 * n * n")
    yield from sweep("matmul/work", "n", [16, 128, 511, 512, 513, 1024],
                     "float[64,64] x", "y = MatMul(x, w)", "float[64,{n}] w", "4096 * n")
    yield from sweep("matmul/depth", "k", [1, 8, 17, 64, 255, 2048],
                     "float[16,{k}] x", "y = MatMul(x, w)", "float[{k},64] w", "1024 * k")
    yield from sweep("matmul/columns", "n", [1, 3, 7, 8, 9, 16, 17, 65],
                     "float[24,64] x", "y = MatMul(x, w)", "float[64,{n}] w", "1536 * n")
    yield from sweep("matmul/one-column", "m", [16, 256, 4096], "float[{m},100] x",
                     "y = MatMul(x, w)", "float[100,1] w", "100 * m")
    yield from sweep("matmul/vector", "m", [16, 256, 4096], "float[{m},100] x, float[100] v",
                     "y = MatMul(x, v)", work="100 * m")
    yield from sweep("matmul/batch", "b", [1, 4, 16, 64],
                     "float[{b},32,64] x, float[{b},64,32] z", "y = MatMul(x, z)",
                     work="2**16 * b")
    yield from sweep("matmul/batch-dynamic", "b", [1, 4, 16, 64],
                     "float[B,32,64] x, float[B,64,32] z", "y = MatMul(x, z)",
                     work="2**16 * b")
    yield from sweep("matmul/batch-odd", "m", [1, 7, 33, 65],
                     "float[12,{m},63] x, float[12,63,{m}] z", "y = MatMul(x, z)",
                     work="12 * 63 * m * m")
    yield from sweep("matmul/all-dynamic", "m", [4, 16, 17, 101, 128],
                     "float[M,M] x, float[M,M] z", "y = MatMul(x, z)", work="m**3")
    for a in 0, 1:
        for b in 0, 1:
            x, z = "128,{m}" if a else "{m},128", "96,128" if b else "128,96"
            yield from sweep(f"gemm/trans{a}{b}", "m", [1, 100],
                             f"float[{x}] x, float[{z}] z",
                             f"y = Gemm<transA = {a}, transB = {b}>(x, z)",
                             work="m * 128 * 96")
    for name, m in ("", "16"), ("-dynamic", "M"):
        for count in 1, 5, 20:
            steps = "  ".join(f"t{i + 1} = Gemm(t{i}, w, b)" for i in range(count))
            yield from sweep(f"gemm/shared-weight{name}", "count", [count],
                             f"float[{m},256] t0", steps, "float[256,256] w, float[256] b",
                             "16 * 2**16 * count", sizes={"M": 16},
                             ranges={"w": (-0.1, 0.1)})
    for dtype in "double", "int32", "int64", "float16":
        yield from sweep(f"matmul/{dtype}", "m", [1, 8, 64], f"{dtype}[{{m}},128] x",
                         "y = MatMul(x, w)", f"{dtype}[128,128] w", "m * 2**14")


QUANTIZED = {"xs": np.float32(4 / 255), "xz": np.uint8(128), "ws": np.float32(0.01),
             "wz": np.int8(0), "ys": np.float32(0.2), "yz": np.uint8(128)}
QUANTIZED_WEIGHTS = "float xs, uint8 xz, float ws, int8 wz, float ys, uint8 yz"
# ONNX Runtime saturates sums of larger products on CPUs without VNNI.
INTEGERS = {"x": (0, 255), "w": (-63, 63), "q": (0, 255)}
QDQ = ("q = QuantizeLinear(x, xs, xz)  d = DequantizeLinear(q, xs, xz)  "
       "v = DequantizeLinear(w, ws, wz)  t = {}  r = QuantizeLinear(t, ys, yz)  "
       "y = DequantizeLinear(r, ys, yz)")


def quantized_matmul():
    quantized = {"values": QUANTIZED, "ranges": {"w": (-63, 63)}, "step": 0.2}
    for name, m in ("", "{m}"), ("-dynamic", "M"):
        rows = [1, 8, 9, 33, 128]
        yield from sweep("matmulinteger/rows" + name, "m", rows, f"uint8[{m},256] x",
                         "y = MatMulInteger(x, w, z)", "int8[256,256] w, uint8 z",
                         "m * 2**16", ranges=INTEGERS)
        yield from sweep("dynamic-quantize/rows" + name, "m", rows, f"float[{m},256] x",
                         "q, s, z = DynamicQuantizeLinear(x)  p = MatMulInteger(q, w, z)  "
                         "f = Cast<to = 1>(p)  g = Mul(s, ws)  t = Mul(f, g)  y = Add(t, b)",
                         "int8[256,256] w, float ws, float[256] b", "m * 2**16",
                         ranges={"w": (-63, 63)}, values={"ws": np.float32(0.01)})
        yield from sweep("qdq-matmul/rows" + name, "m", rows, f"float[{m},256] x",
                         QDQ.replace("{}", "MatMul(d, v)"),
                         f"int8[256,256] w, {QUANTIZED_WEIGHTS}", "m * 2**16", **quantized)
    yield from sweep("matmulinteger/depth", "k", [31, 64, 65, 256, 257, 1024],
                     "uint8[16,{k}] x", "y = MatMulInteger(x, w)", "int8[{k},64] w",
                     "1024 * k", ranges=INTEGERS)
    yield from sweep("matmulinteger/columns", "n", [1, 8, 17, 250],
                     "uint8[16,128] x", "y = MatMulInteger(x, w)", "int8[128,{n}] w",
                     "2048 * n", ranges=INTEGERS, cause=FEW)
    yield from sweep("qlinearmatmul/rows", "m", [1, 8, 33, 128], "uint8[{m},256] q",
                     "y = QLinearMatMul(q, xs, xz, w, ws, wz, ys, yz)",
                     f"int8[256,256] w, {QUANTIZED_WEIGHTS}", "m * 2**16", ranges=INTEGERS,
                     values=QUANTIZED, step=1)
    yield from sweep("qdq-matmul/depth", "k", [31, 64, 65, 257, 1024], "float[16,{k}] x",
                     QDQ.replace("{}", "MatMul(d, v)"), f"int8[{{k}},64] w, {QUANTIZED_WEIGHTS}",
                     "1024 * k", **quantized)
    yield from sweep("quantize/elements", "n", [1000, 4096, 65536], "float[{n}] x",
                     "y = QuantizeLinear(x, xs, xz)", "float xs, uint8 xz", values=QUANTIZED,
                     step=1)
    yield from sweep("dequantize/elements", "n", [1000, 4096, 65536], "uint8[{n}] q",
                     "y = DequantizeLinear(q, xs, xz)", "float xs, uint8 xz", values=QUANTIZED)
    yield from sweep("quantize/dynamic-range", "n", [1000, 4096, 65536], "float[{n}] x",
                     "y, s, z = DynamicQuantizeLinear(x)", step=1)


def einsum():
    for equation, a, b, work in [
            ("bij,bjk->bik", "8,{n},64", "8,64,{n}", "512 * n * n"),
            ("bij,bkj->bik", "8,{n},64", "8,{n},64", "512 * n * n"),
            ("ij,kj->ik", "{n},64", "{n},64", "64 * n * n"),
            ("bhid,bhjd->bhij", "1,4,{n},32", "1,4,{n},32", "128 * n * n"),
            ("bhij,bjhd->bihd", "1,4,{n},{n}", "1,{n},4,32", "128 * n * n")]:
        yield from sweep(f"einsum/{equation.replace(',', '-').replace('->', '-')}", "n",
                         [8, 65], f"float[{a}] a, float[{b}] b",
                         f'y = Einsum<equation = "{equation}">(a, b)', work=work)


def attention():
    body = ("u = Transpose<perm = [0, 1, 3, 2]>(k)  s = MatMul(q, u)  t = Mul(s, c)  "
            "p = Softmax(t)  y = MatMul(p, v)")
    for name, n in ("", "{n}"), ("-dynamic", "N"):
        yield from sweep("attention/length" + name, "n", [1, 8, 33, 128, 512],
                         f"float[1,4,{n},64] q, float[1,4,{n},64] k, float[1,4,{n},64] v", body,
                         "float c", "4 * 64 * n * n", values={"c": np.float32(0.125)})
        yield from sweep("attention/one-token" + name, "n", [1, 64, 65, 512],
                         f"float[1,8,1,64] q, float[1,8,{n},64] k, float[1,8,{n},64] v", body,
                         "float c", "8 * 64 * n", values={"c": np.float32(0.125)})
    yield from sweep("attention/heads", "h", [1, 3, 8, 16],
                     "float[1,{h},64,32] q, float[1,{h},64,32] k, float[1,{h},64,32] v", body,
                     "float c", "h", values={"c": np.float32(0.125)})
    yield from sweep("attention/masked", "n", [16, 64, 128],
                     "float[1,4,{n},64] q, float[1,4,{n},64] k, float[1,4,{n},64] v, "
                     "float[1,1,{n},{n}] m",
                     body.replace("p = Softmax(t)", "r = Add(t, m)  p = Softmax(r)"),
                     "float c", "4 * 64 * n * n", values={"c": np.float32(0.125)})


# ===--- Convolutions -----------------------------------------------------------------===


def conv():
    yield from sweep("conv/channels", "c", [1, 3, 4, 8, 9, 16, 17, 64],
                     "float[1,{c},28,28] x", "y = Conv<pads = [1, 1, 1, 1]>(x, w, b)",
                     "float[{c},{c},3,3] w, float[{c}] b", "c * c", cause=FEW)
    yield from sweep("conv/pointwise", "c", [4, 8, 17, 64, 256],
                     "float[1,{c},14,14] x", "y = Conv(x, w)", "float[{c},{c},1,1] w", "c * c")
    yield from sweep("conv/filters", "n", [1, 2, 8, 16, 17],
                     "float[1,16,28,28] x", "y = Conv<pads = [1, 1, 1, 1]>(x, w)",
                     "float[{n},16,3,3] w", "n", cause=FEW)
    yield from sweep("conv/one-channel", "k", [1, 3, 7, 15], "float[1,1,64,64] x",
                     "y = Conv<pads = [{k//2}, {k//2}, {k//2}, {k//2}]>(x, w)",
                     "float[1,1,{k},{k}] w", "k * k")
    for name, h in ("", "{h}"), ("-dynamic", "H"):
        yield from sweep("conv/size" + name, "h", [7, 14, 28, 56],
                         f"float[1,32,{h},{h}] x", "y = Conv<pads = [1, 1, 1, 1]>(x, w)",
                         "float[32,32,3,3] w", "h * h")
        yield from sweep("conv/depthwise-size" + name, "h", [7, 28, 56],
                         f"float[1,32,{h},{h}] x",
                         "y = Conv<pads = [1, 1, 1, 1], group = 32>(x, w)",
                         "float[32,1,3,3] w", "h * h")
    yield from sweep("conv/batch-dynamic", "n", [1, 2, 8], "float[N,16,14,14] x",
                     "y = Conv<pads = [1, 1, 1, 1]>(x, w)", "float[16,16,3,3] w", "n")
    yield from sweep("conv/stem", "h", [32, 112, 224], "float[1,3,{h},{h}] x",
                     "t = Conv<pads = [3, 3, 3, 3], strides = [2, 2]>(x, w, b)  y = Relu(t)",
                     "float[32,3,7,7] w, float[32] b", "h * h")
    yield from sweep("conv/pads", "p", [0, 1, 2], "float[1,16,28,28] x",
                     "y = Conv<pads = [{p}, {p}, {p}, {p}]>(x, w)", "float[16,16,5,5] w",
                     "(24 + 2 * p) ** 2")
    yield from sweep("conv/strides", "s", [1, 2, 3], "float[1,16,57,57] x",
                     "y = Conv<strides = [{s}, {s}]>(x, w)", "float[32,16,3,3] w",
                     "(54 // s + 1) ** 2")
    yield from sweep("conv/dilations", "d", [1, 2, 6], "float[1,16,28,28] x",
                     "y = Conv<dilations = [{d}, {d}], pads = [{d}, {d}, {d}, {d}]>(x, w)",
                     "float[16,16,3,3] w", "1")
    yield from sweep("conv/groups", "g", [1, 2, 8, 16, 32, 64], "float[1,64,14,14] x",
                     "y = Conv<pads = [1, 1, 1, 1], group = {g}>(x, w)",
                     "float[64,{64//g},3,3] w", "64 / g")
    yield from sweep("conv/multiplier", "m", [1, 2, 4], "float[1,16,14,14] x",
                     "y = Conv<pads = [1, 1, 1, 1], group = 16>(x, w)",
                     "float[{16*m},1,3,3] w", "m")
    yield from sweep("conv/kernel", "k", [1, 2, 3, 5], "float[1,16,28,28] x",
                     "y = Conv(x, w)", "float[16,16,{k},{k}] w", "k * k * (29 - k) ** 2")
    yield from sweep("conv/row-kernel", "k", [3, 7], "float[1,16,28,28] x",
                     "y = Conv<pads = [0, {k//2}, 0, {k//2}]>(x, w)", "float[16,16,1,{k}] w",
                     "k")
    yield from sweep("conv/column-kernel", "k", [3, 7], "float[1,16,28,28] x",
                     "y = Conv<pads = [{k//2}, 0, {k//2}, 0]>(x, w)", "float[16,16,{k},1] w",
                     "k")
    yield from sweep("conv/depthwise", "c", [2, 3, 4, 8, 9, 17, 64],
                     "float[1,{c},28,28] x", "y = Conv<pads = [1, 1, 1, 1], group = {c}>(x, w)",
                     "float[{c},1,3,3] w", "c", cause=FEW)
    yield from sweep("conv/depthwise-kernel", "k", [1, 3, 5, 7, 11, 13],
                     "float[1,32,28,28] x",
                     "y = Conv<pads = [{k//2}, {k//2}, {k//2}, {k//2}], group = 32>(x, w)",
                     "float[32,1,{k},{k}] w", "k * k")
    yield from sweep("conv/depthwise-dilations", "d", [1, 2, 4], "float[1,32,28,28] x",
                     "y = Conv<dilations = [{d}, {d}], pads = [{d}, {d}, {d}, {d}], "
                     "group = 32>(x, w)", "float[32,1,3,3] w", "1")
    yield from sweep("conv/depthwise-strides", "s", [1, 2, 3], "float[1,32,56,56] x",
                     "y = Conv<pads = [1, 1, 1, 1], strides = [{s}, {s}], group = 32>(x, w)",
                     "float[32,1,3,3] w", "1 / s ** 2")
    yield from sweep("conv/weights-input", "c", [3, 8, 16, 32],
                     "float[1,{c},14,14] x, float[{c},{c},3,3] w", "y = Conv(x, w)",
                     work="c * c")
    yield from sweep("conv/bias-swish", "c", [8, 16, 32], "float[1,{c},28,28] x",
                     "t = Conv<pads = [1, 1, 1, 1]>(x, w, b)  s = Sigmoid(t)  y = Mul(s, t)",
                     "float[{c},{c},3,3] w, float[{c}] b", "c * c")
    yield from sweep("conv1d/channels", "c", [1, 3, 8, 17, 64], "float[1,{c},512] x",
                     "y = Conv<pads = [1, 1]>(x, w)", "float[{c},{c},3] w", "c * c")
    yield from sweep("conv1d/depthwise-kernel", "k", [3, 11, 13, 31], "float[1,64,256] x",
                     "y = Conv<pads = [{k//2}, {k//2}], group = 64>(x, w)",
                     "float[64,1,{k}] w", "k", cause=FEW_PRODUCTS)
    yield from sweep("conv1d/one-channel", "k", [3, 16, 63, 400], "float[1,1,4000] x",
                     "y = Conv<pads = [{k//2}, {k//2}]>(x, w)", "float[1,1,{k}] w", "k")
    yield from sweep("conv1d/dilations", "d", [1, 2, 8, 64], "float[1,32,512] x",
                     "y = Conv<pads = [{2*d}, 0], dilations = [{d}]>(x, w)",
                     "float[32,32,3] w", "1")
    yield from sweep("conv3d/channels", "c", [1, 3, 4, 16], "float[1,{c},8,14,14] x",
                     "y = Conv<pads = [1, 1, 1, 1, 1, 1]>(x, w)", "float[{c},{c},3,3,3] w",
                     "c * c", cause=FEW)
    yield from sweep("conv3d/depthwise", "c", [4, 8, 17], "float[1,{c},8,14,14] x",
                     "y = Conv<pads = [1, 1, 1, 1, 1, 1], group = {c}>(x, w)",
                     "float[{c},1,3,3,3] w", "c")
    yield from sweep("conv/float16", "c", [4, 32], "float16[1,{c},14,14] x",
                     "y = Conv(x, w)", "float16[{c},{c},3,3] w", "c * c")


def quantized_conv():
    yield from sweep("convinteger/channels", "c", [4, 8, 16, 27, 28, 29, 32, 64],
                     "uint8[1,{c},14,14] x", "y = ConvInteger<pads = [1, 1, 1, 1]>(x, w)",
                     "int8[16,{c},3,3] w", "c", ranges=INTEGERS)
    yield from sweep("convinteger/pointwise", "c", [64, 257, 258, 259, 512],
                     "uint8[1,{c},14,14] x", "y = ConvInteger(x, w, z)",
                     "int8[32,{c},1,1] w, uint8 z", "c", ranges=INTEGERS)
    yield from sweep("convinteger/depthwise", "k", [3, 5, 15, 17], "uint8[1,32,28,28] x",
                     "y = ConvInteger<group = 32>(x, w)", "int8[32,1,{k},{k}] w",
                     "(k * (29 - k)) ** 2", ranges=INTEGERS)
    yield from sweep("qlinearconv/channels", "c", [1, 3, 8, 17, 64],
                     "uint8[1,{c},14,14] q",
                     "y = QLinearConv<pads = [1, 1, 1, 1]>(q, xs, xz, w, ws, wz, ys, yz)",
                     f"int8[{{c}},{{c}},3,3] w, {QUANTIZED_WEIGHTS}", "c * c", ranges=INTEGERS,
                     values=QUANTIZED, step=1, cause=FEW)
    yield from sweep("qlinearconv/groups", "g", [1, 2, 8, 32], "uint8[1,32,14,14] q",
                     "y = QLinearConv<group = {g}>(q, xs, xz, w, ws, wz, ys, yz)",
                     f"int8[32,{{32//g}},3,3] w, {QUANTIZED_WEIGHTS}", "32 / g",
                     ranges=INTEGERS, values=QUANTIZED, step=1, cause=FEW_PRODUCTS)
    quantized = {"values": QUANTIZED, "ranges": {"w": (-63, 63)}, "step": 0.2}
    yield from sweep("qdq-conv/channels", "c", [3, 8, 17, 64], "float[1,{c},14,14] x",
                     QDQ.replace("{}", "Conv<pads = [1, 1, 1, 1]>(d, v)"),
                     f"int8[{{c}},{{c}},3,3] w, {QUANTIZED_WEIGHTS}", "c * c", **quantized)
    yield from sweep("qdq-conv/pointwise", "c", [8, 17, 128], "float[1,{c},14,14] x",
                     QDQ.replace("{}", "Conv(d, v)"),
                     f"int8[{{c}},{{c}},1,1] w, {QUANTIZED_WEIGHTS}", "c * c", **quantized)
    yield from sweep("qdq-conv/depthwise", "c", [3, 4, 16, 17, 64], "float[1,{c},28,28] x",
                     QDQ.replace("{}", "Conv<group = {c}>(d, v)"),
                     f"int8[{{c}},1,3,3] w, {QUANTIZED_WEIGHTS}", "c", **quantized, cause=FEW)


def conv_transpose():
    yield from sweep("convtranspose/channels", "c", [1, 3, 4, 8, 17, 32],
                     "float[1,{c},14,14] x", "y = ConvTranspose<strides = [2, 2]>(x, w)",
                     "float[{c},{c},3,3] w", "c * c", cause=FEW)
    yield from sweep("convtranspose/strides", "s", [1, 2, 3, 4], "float[1,16,14,14] x",
                     "y = ConvTranspose<strides = [{s}, {s}]>(x, w)", "float[16,8,4,4] w", "1")
    yield from sweep("convtranspose/kernel", "k", [1, 2, 3, 4, 5], "float[1,16,14,14] x",
                     "y = ConvTranspose<strides = [2, 2]>(x, w)", "float[16,8,{k},{k}] w",
                     "k * k")
    yield from sweep("convtranspose/groups", "g", [1, 2, 4, 16], "float[1,16,14,14] x",
                     "y = ConvTranspose<strides = [2, 2], group = {g}>(x, w)",
                     "float[16,{16//g},3,3] w", "16 / g")
    yield from sweep("convtranspose/dilations", "d", [1, 2, 3], "float[1,16,14,14] x",
                     "y = ConvTranspose<dilations = [{d}, {d}]>(x, w)", "float[16,8,3,3] w",
                     "1")
    yield from sweep("convtranspose/weights-input", "c", [2, 8, 16],
                     "float[1,{c},14,14] x, float[{c},{c},3,3] w",
                     "y = ConvTranspose<strides = [2, 2]>(x, w)", work="c * c", cause=FEW)
    yield from sweep("convtranspose/size-dynamic", "h", [4, 7, 14, 28],
                     "float[1,16,H,H] x", "y = ConvTranspose<strides = [2, 2]>(x, w, b)",
                     "float[16,16,2,2] w, float[16] b", "h * h")
    yield from sweep("convtranspose1d/channels", "c", [1, 4, 16, 32], "float[1,{c},200] x",
                     "y = ConvTranspose<strides = [4]>(x, w)", "float[{c},{c},8] w", "c * c",
                     cause=FEW)
    yield from sweep("convtranspose3d/channels", "c", [1, 4, 8], "float[1,{c},4,8,8] x",
                     "y = ConvTranspose<strides = [2, 2, 2]>(x, w)", "float[{c},{c},2,2,2] w",
                     "c * c", cause=FEW)


def pools():
    for pool in "MaxPool", "AveragePool", "LpPool":
        name = pool.lower()
        yield from sweep(f"{name}/kernel", "k", [2, 3, 9], "float[1,16,56,56] x",
                         f"y = {pool}<kernel_shape = [{{k}}, {{k}}], strides = [2, 2]>(x)",
                         work="(k * (56 - k)) ** 2", cause=LINES)
        yield from sweep(f"{name}/dilations", "d", [1, 2, 3], "float[1,16,28,28] x",
                         f"y = {pool}<kernel_shape = [3, 3], dilations = [{{d}}, {{d}}]>(x)",
                         work="(28 - 2 * d) ** 2")
    for pool in "MaxPool", "AveragePool":
        name = pool.lower()
        attributes = "kernel_shape = [3, 3], pads = [1, 1, 1, 1]"
        yield from sweep(f"{name}/channels", "c", [1, 3, 8, 16, 17, 64], "float[1,{c},28,28] x",
                         f"y = {pool}<{attributes}>(x)", work="c")
        yield from sweep(f"{name}/strides", "s", [1, 2, 3], "float[1,16,56,56] x",
                         f"y = {pool}<{attributes}, strides = [{{s}}, {{s}}]>(x)",
                         work="1 / s ** 2")
        yield from sweep(f"{name}/ceil", "c", [0, 1], "float[1,16,56,56] x",
                         f"y = {pool}<{attributes}, strides = [2, 2], ceil_mode = {{c}}>(x)")
        yield from sweep(f"{name}1d/length", "n", [100, 1000, 4096], "float[1,16,{n}] x",
                         f"y = {pool}<kernel_shape = [3], strides = [2]>(x)")
        yield from sweep(f"{name}3d/size", "n", [7, 14, 28], "float[1,8,{n},{n},{n}] x",
                         f"y = {pool}<kernel_shape = [2, 2, 2], strides = [2, 2, 2]>(x)")
        yield from sweep(f"{name}/size-dynamic", "h", [14, 28, 56], "float[1,16,H,H] x",
                         f"y = {pool}<kernel_shape = [2, 2], strides = [2, 2]>(x)")
        yield from sweep(f"global-{name}/size", "h", [4, 7, 14, 56], "float[1,64,{h},{h}] x",
                         f"y = Global{pool}(x)")
    yield from sweep("maxpool/uint8", "c", [3, 16, 64], "uint8[1,{c},28,28] x",
                     "y = MaxPool<kernel_shape = [3, 3], strides = [2, 2]>(x)", cause=FEW)


# ===--- Reductions and normalizations ------------------------------------------------===


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


# ===--- Elementwise ------------------------------------------------------------------===

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


# ===--- Movement ---------------------------------------------------------------------===


def movement():
    for dtype in "float", "int8", "int64":
        yield from sweep(f"transpose/{dtype}", "n",
                         [16, 63, 64, 65, 256, 1024] if dtype == "float" else [63, 64, 256],
                         f"{dtype}[{{n}},{{n}}] x", "y = Transpose<perm = [1, 0]>(x)")
    yield from sweep("transpose/dynamic", "n", [16, 65, 256], "float[N,N] x",
                     "y = Transpose<perm = [1, 0]>(x)")
    for perm in "0213", "0231", "0312", "0321", "0132", "1023", "2013", "3210":
        yield from sweep("transpose/permutation", "perm", [perm], "float[8,16,24,33] x",
                         f"y = Transpose<perm = {[int(p) for p in perm]}>(x)", ordered=False)
    yield from sweep("transpose/heads", "n", [1, 16, 128], "float[1,{n},8,64] x",
                     "y = Transpose<perm = [0, 2, 1, 3]>(x)")
    yield from sweep("transpose/channels", "c", [1, 3, 4, 16, 17], "float[1,{c},64,64] x",
                     "y = Transpose<perm = [0, 2, 3, 1]>(x)")
    yield from sweep("concat/axis", "axis", [0, 1, 2], "float[16,24,33] a, float[16,24,33] b",
                     "y = Concat<axis = {axis}>(a, b)")
    for count in 2, 4, 16:
        names = [f"x{i}" for i in range(count)]
        yield from sweep("concat/count", "count", [count],
                         ", ".join(f"float[64,{256 // count}] {name}" for name in names),
                         f"y = Concat<axis = 1>({', '.join(names)})")
        yield from sweep("split/count", "count", [count], f"float[64,{256}] x",
                         f"{', '.join(names)} = Split<axis = 1, num_outputs = {count}>(x)")
    yield from sweep("split/axis", "axis", [0, 1, 2], "float[32,24,66] x",
                     "y, z = Split<axis = {axis}, num_outputs = 2>(x)")
    for name, n in ("", "{n}"), ("-dynamic", "N"):
        yield from sweep("concat/size" + name, "n", [8, 100, 1024],
                         f"float[16,{n}] a, float[16,{n}] b", "y = Concat<axis = 1>(a, b)")
    slice_body = ("s = Constant<value_ints = [{}]>()  e = Constant<value_ints = [{}]>()  "
                  "a = Constant<value_ints = [{}]>()  t = Constant<value_ints = [{}]>()  "
                  "y = Slice(x, s, e, a, t)")
    yield from sweep("slice/axis", "axis", [0, 1, 2], "float[32,24,66] x",
                     slice_body.format(1, -1, "{axis}", 1))
    yield from sweep("slice/step", "step", [1, 2, 3, 4], "float[64,1024] x",
                     slice_body.format(0, 1024, 1, "{step}"), work="1 / step")
    yield from sweep("slice/reversed", "axis", [0, 1], "float[64,1024] x",
                     slice_body.format(-1, -2000, "{axis}", -1))
    for mode in "constant", "edge", "reflect", "wrap":
        yield from sweep(f"pad/{mode}", "axis", [0, 1, 2], "float[32,24,66] x",
                         "p = Constant<value_ints = {[2*(i%3==axis) for i in range(6)]}>()  "
                         f'y = Pad<mode = "{mode}">(x, p)')
    yield from sweep("pad/images", "c", [1, 3, 16, 64], "float[1,{c},28,28] x",
                     "p = Constant<value_ints = [0, 0, 1, 1, 0, 0, 1, 1]>()  y = Pad(x, p)")
    yield from sweep("expand/axis", "axis", [0, 1, 2],
                     "float[{', '.join('1' if i == axis else str(n) for i, n in "
                     "enumerate([32,24,66]))}] x",
                     "s = Constant<value_ints = [32, 24, 66]>()  y = Expand(x, s)")
    yield from sweep("tile/axis", "axis", [0, 1, 2], "float[16,12,33] x",
                     "r = Constant<value_ints = {[1+3*(i==axis) for i in range(3)]}>()  "
                     "y = Tile(x, r)")
    yield from sweep("depthtospace/block", "b", [2, 3, 4], "float[1,{b*b*4},28,28] x",
                     "y = DepthToSpace<blocksize = {b}>(x)")
    yield from sweep("spacetodepth/block", "b", [2, 3, 4], "float[1,8,{b*14},{b*14}] x",
                     "y = SpaceToDepth<blocksize = {b}>(x)")
    yield from sweep("trilu/size", "n", [16, 100, 512], "float[{n},{n}] x", "y = Trilu(x)")


def indexing():
    for name, m in ("", "{m}"), ("-dynamic", "M"):
        yield from sweep("gather/rows" + name, "m", [1, 16, 100, 1024], f"int64[{m}] i",
                         "y = Gather(w, i)", "float[1000,128] w", "m + 2",
                         ranges={"i": (0, 999)})
    shape = 32, 24, 66
    yield from sweep("gather/axis", "axis", [0, 1, 2], "float[32,24,66] x, int64[20] i",
                     "y = Gather<axis = {axis}>(x, i)", ranges={"i": (0, 23)},
                     work="[24 * 66, 32 * 66, 32 * 24][axis]")
    yield from sweep("gatherelements/axis", "axis", [0, 1, 2],
                     "float[32,24,66] x, int64[32,24,66] i",
                     "y = GatherElements<axis = {axis}>(x, i)", ranges={"i": (0, 23)})
    for reduction in "none", "add":
        yield from sweep(f"scatterelements/{reduction}", "axis", [0, 1, 2],
                         "float[32,24,66] x, int64[16,12,33] i, float[16,12,33] u",
                         f'y = ScatterElements<axis = {{axis}}, reduction = "{reduction}">'
                         "(x, i, u)",
                         values=lambda axis: {"i": np.ascontiguousarray(np.moveaxis(
                             np.broadcast_to(distinct(shape[axis], shape[axis] // 2),
                                             [n // 2 for d, n in enumerate(shape) if d != axis]
                                             + [shape[axis] // 2]), -1, axis))})
    yield from sweep("gathernd/length", "k", [1, 2, 3], "float[32,24,66] x, int64[200,{k}] i",
                     "y = GatherND(x, i)", work="200 * [0, 1584, 66, 1][k]",
                     ranges={"i": (0, 23)}, ordered=False)
    for reduction in "none", "add":
        yield from sweep(f"scatternd/{reduction}", "m", [16, 100, 900],
                         "float[1000,64] x, int64[{m},1] i, float[{m},64] u",
                         f'y = ScatterND<reduction = "{reduction}">(x, i, u)',
                         values=lambda m: {"i": distinct(1000, m)[:, None]})
    yield from sweep("topk/k", "k", [1, 5, 32, 100], "float[16,1000] x",
                     "n = Constant<value_ints = [{k}]>()  y, i = TopK(x, n)",
                     # Each element is compared with the least of the best, and the
                     # k (1 + ln(n / k)) that are expected to be better with one another.
                     work="1000 + k * (1 + math.log(1000 / k)) * 2 * math.log2(k + 1)")
    yield from sweep("topk/axis", "axis", [0, 1, 2], "float[32,24,66] x",
                     "n = Constant<value_ints = [5]>()  y, i = TopK<axis = {axis}>(x, n)")
    yield from sweep("topk/length", "n", [64, 1000, 32000], "float[1,{n}] x",
                     "k = Constant<value_ints = [10]>()  y, i = TopK(x, k)", work="n")
    yield from sweep("onehot/depth", "d", [10, 100, 1000], "int64[64] i",
                     "n = Constant<value_int = {d}>()  y = OneHot(i, n, v)", "float[2] v",
                     ranges={"i": (0, 9)})
    yield from sweep("nonzero/elements", "n", [100, 1000, 65536], "bool[{n}] x",
                     "y = NonZero(x)")
    yield from sweep("compress/elements", "n", [100, 1000, 65536], "float[{n}] x, bool[{n}] c",
                     "y = Compress(x, c)")


def distinct(end, count):
    """Indices below `end`, none of which occurs twice."""
    return np.random.default_rng(1).permutation(end)[:count]


def sampling():
    for mode in "nearest", "linear", "cubic":
        for name, h in ("", "{h}"), ("-dynamic", "H"):
            yield from sweep(f"resize/{mode}{name}", "h", [7, 14, 28, 56][::2 if name else 1],
                             f"float[1,16,{h},{h}] x", f'y = Resize<mode = "{mode}">(x, , s)',
                             "float[4] s", values={"s": np.array([1, 1, 2, 2], np.float32)})
        yield from sweep(f"resize/{mode}-channels", "c", [1, 3, 17], "float[1,{c},28,28] x",
                         f'y = Resize<mode = "{mode}", coordinate_transformation_mode = '
                         '"align_corners">(x, , , n)', "int64[4] n",
                         values=lambda c: {"n": np.array([1, c, 42, 42])})
    yield from sweep("resize/shrink", "h", [28, 56, 112], "float[1,3,{h},{h}] x",
                     'y = Resize<mode = "linear">(x, , s)', "float[4] s",
                     values={"s": np.array([1, 1, 0.5, 0.5], np.float32)})
    for mode in "linear", "nearest", "cubic":
        yield from sweep(f"gridsample/{mode}", "h", [7, 14, 28],
                         "float[1,8,28,28] x, float[1,{h},{h},2] g",
                         f'y = GridSample<mode = "{mode}">(x, g)', work="h * h",
                         ranges={"g": (-1.1, 1.1)})


# ===--- Sequences and signals --------------------------------------------------------===


def recurrent():
    for operator, gates in ("LSTM", 4), ("GRU", 3), ("RNN", 1):
        def layers(name, points, steps, batch, size, work, ways=1):
            attributes = ', direction = "bidirectional"' if ways == 2 else ""
            return sweep(f"{operator.lower()}/{name}", "n", points,
                         f"float[{steps},{batch},{{{size}}}] x",
                         f"y, h = {operator}<hidden_size = {{{size}}}{attributes}>(x, w, r, b)",
                         f"float[{ways},{{{gates}*{size}}},{{{size}}}] w, "
                         f"float[{ways},{{{gates}*{size}}},{{{size}}}] r, "
                         f"float[{ways},{{{2*gates}*{size}}}] b", work,
                         ranges=dict.fromkeys("wrb", (-0.2, 0.2)))

        sizes = [16, 32, 64, 127, 128, 256, 512]
        yield from layers("hidden", sizes if operator == "LSTM" else sizes[::2], 8, 1, "n",
                          "n * n")
        yield from layers("batch", [1, 3, 4, 5, 32], 8, "{n}", 64, "n")
        yield from layers("steps", [1, 16, 100], "{n}", 1, 64, "n")
        yield from layers("steps-dynamic", [1, 16], "N", 1, 64, "n")
        yield from layers("bidirectional", [16, 64], 16, 1, "n", "n * n", ways=2)


def signal():
    # ONNX Runtime's sums are inexact where the length is no power of two.
    lengths = [16, 64, 100, 128, 255, 256, 257, 512, 1009, 1024]
    yield from sweep("dft/real", "n", lengths, "float[4,{n},1] x",
                     "y = DFT(x, , a)", "int64 a", values={"a": np.int64(1)}, tolerance=10,
                     cause=FACTORS)
    yield from sweep("dft/complex", "n", lengths[1::2], "float[4,{n},2] x",
                     "y = DFT(x, , a)", "int64 a", values={"a": np.int64(1)}, tolerance=10,
                     cause=FACTORS)
    yield from sweep("dft/onesided", "n", [64, 100, 1024], "float[4,{n},1] x",
                     "y = DFT<onesided = 1>(x, , a)", "int64 a", values={"a": np.int64(1)},
                     tolerance=10)
    yield from sweep("stft/frame", "n", [64, 100, 256, 400], "float[1,4000,1] x",
                     "s = Constant<value_int = {n//2}>()  y = STFT(x, s, w)", "float[{n}] w",
                     tolerance=10, cause=FACTORS)


FAMILIES = (matmul, quantized_matmul, einsum, attention, conv, quantized_conv, conv_transpose,
            pools, reductions, normalizations, elementwise, movement, indexing, sampling,
            recurrent, signal)


def all_points():
    return [point for family in FAMILIES for point in family()]
