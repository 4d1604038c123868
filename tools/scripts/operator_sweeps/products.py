# Part of nn-mlir, under the Apache License v2.0 with LLVM Exceptions. See LICENSE.
"""Matrix products, einsums, attention."""

import numpy as np

from .sweep import FEW, INTEGERS, QDQ, QUANTIZED, QUANTIZED_WEIGHTS, sweep


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


def integer_weights():
    # Before MatMul, ONNX Runtime would round x to 8 bits.
    options = {"ranges": {"w": (-127, 127), "s": (0.001, 0.002)}}
    bits = {"ranges": {"w": (0, 255), "s": (0.01, 0.02)}}
    for name, m in ("", "{m}"), ("-dynamic", "M"):
        rows = [1, 4, 8, 9, 16, 33, 64, 65, 128, 129]
        yield from sweep("integer-weights/rows" + name, "m", rows, f"float[{m},512] x",
                         "d = DequantizeLinear<axis = 0>(w, s)  y = Gemm<transB = 1>(x, d, b)",
                         "int8[512,512] w, float[512] s, float[512] b", "m * 2**18",
                         **options)
        yield from sweep("matmul-nbits/rows" + name, "m", rows, f"float[{m},512] x",
                         "y = com.microsoft.MatMulNBits<K = 512, N = 512, bits = 4, "
                         "block_size = 32>(x, w, s)",
                         "uint8[512,16,16] w, float[8192] s", "m * 2**18", **bits)
    yield from sweep("integer-weights/columns", "n", [1, 8, 16, 17, 33, 250],
                     "float[4,128] x",
                     "d = DequantizeLinear<axis = 0>(w, s)  y = Gemm<transB = 1>(x, d, b)",
                     "int8[{n},128] w, float[{n}] s, float[{n}] b", "512 * n", **options,
                     cause=FEW)


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
        yield from sweep("attention/length" + name, "n", [1, 8, 33, 96, 97, 128, 512],
                         f"float[1,4,{n},64] q, float[1,4,{n},64] k, float[1,4,{n},64] v", body,
                         "float c", "4 * 64 * n * n", values={"c": np.float32(0.125)})
        yield from sweep("attention/one-token" + name, "n", [1, 64, 65, 512],
                         f"float[1,8,1,64] q, float[1,8,{n},64] k, float[1,8,{n},64] v", body,
                         "float c", "8 * 64 * n", values={"c": np.float32(0.125)})
    yield from sweep("attention/heads", "h", [1, 3, 8, 16],
                     "float[1,{h},64,32] q, float[1,{h},64,32] k, float[1,{h},64,32] v", body,
                     "float c", "h", values={"c": np.float32(0.125)})
    yield from sweep("attention/masked", "n", [16, 64, 128, 512],
                     "float[1,4,{n},64] q, float[1,4,{n},64] k, float[1,4,{n},64] v, "
                     "float[1,1,{n},{n}] m",
                     body.replace("p = Softmax(t)", "r = Add(t, m)  p = Softmax(r)"),
                     "float c", "4 * 64 * n * n", values={"c": np.float32(0.125)})


FAMILIES = matmul, quantized_matmul, integer_weights, einsum, attention
